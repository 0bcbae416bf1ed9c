//! Events of Twilio's Event Streams, in the CloudEvents format.

use std::fmt;

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};
use serde::{
    Serialize, Serializer,
    de::{Deserialize, DeserializeOwned, Deserializer, Error as _},
};
use serde_json::{Map, Value};

use super::extract::{self, Extraction};

/// The events in a request of Event Streams. Answer it with [`NoContent`](crate::twiml::NoContent).
///
/// The body is an array of events, or a single event if the sink does not batch. Twilio delivers an event at least
/// once, so remember its [`id`](CloudEvent::id) together with its [`source`](CloudEvent::source).
///
/// Source: <https://www.twilio.com/docs/events>.
///
/// # Examples
///
/// ```
/// use actix_twilio::{twiml::NoContent, validate_twilio_request, webhook::CloudEvents};
/// use actix_web::post;
///
/// #[post("/events")]
/// #[validate_twilio_request]
/// async fn receive_events(CloudEvents(events): CloudEvents) -> NoContent {
///     for event in events {
///         println!("{} {}", event.event_type, event.id);
///     }
///     NoContent
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CloudEvents(pub Vec<CloudEvent>);

impl FromRequest for CloudEvents {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        extract::json(req, payload)
    }
}

impl<'de> Deserialize<'de> for CloudEvents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let events = match Value::deserialize(deserializer)? {
            Value::Array(events) => events.into_iter().map(CloudEvent::from_value).collect(),
            event => CloudEvent::from_value(event).map(|event| vec![event]),
        };
        events
            .map(Self)
            .ok_or_else(|| D::Error::custom("an event is not an object"))
    }
}

/// Writes a batch, whether the events came in one or alone.
impl Serialize for CloudEvents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// An event. A missing member is empty or `None`.
///
/// Its `Debug` prints the names of the members that are not empty, and those in its data;
/// [`unredacted`](Self::unredacted) prints the values too.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct CloudEvent {
    /// The version of CloudEvents, `1.0`.
    pub specversion: String,
    /// The event's type, such as `com.twilio.messaging.message.delivered`. In JSON, its name is `type`.
    pub event_type: String,
    /// What the event is about, such as the path of a message's resource.
    pub source: String,
    /// The event's id, which is unique for its source.
    pub id: String,
    /// When the event happened, in RFC 3339 format.
    pub time: Option<String>,
    /// The URL of the data's schema.
    pub dataschema: Option<String>,
    /// The media type of the data, `application/json`.
    pub datacontenttype: Option<String>,
    /// The event's data, as the schema describes it, or `null` if there is none.
    pub data: Value,
    /// All other members.
    pub other: Map<String, Value>,
}

impl CloudEvent {
    /// Deserializes the data into a type.
    ///
    /// # Errors
    ///
    /// Returns an error if the data does not fit the type.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.data)
    }

    /// Returns a value whose `Debug` prints everything.
    #[must_use]
    pub fn unredacted(&self) -> impl fmt::Debug {
        self.to_map()
    }

    /// Returns the members, as Twilio names them.
    fn to_map(&self) -> Map<String, Value> {
        let texts = [
            ("specversion", Some(&self.specversion)),
            ("type", Some(&self.event_type)),
            ("source", Some(&self.source)),
            ("id", Some(&self.id)),
            ("time", self.time.as_ref()),
            ("dataschema", self.dataschema.as_ref()),
            ("datacontenttype", self.datacontenttype.as_ref()),
        ];
        let mut members = self.other.clone();
        for (name, text) in texts {
            // A member that is not a text is among the others.
            if let Some(text) = text
                && !members.contains_key(name)
            {
                members.insert(name.to_owned(), text.as_str().into());
            }
        }
        if !self.data.is_null() {
            members.insert("data".to_owned(), self.data.clone());
        }
        members
    }

    fn from_value(event: Value) -> Option<Self> {
        let Value::Object(mut other) = event else {
            return None;
        };
        let mut text = |name| {
            let text = other.get(name)?.as_str()?.to_owned();
            other.remove(name);
            Some(text)
        };
        Some(Self {
            specversion: text("specversion").unwrap_or_default(),
            event_type: text("type").unwrap_or_default(),
            source: text("source").unwrap_or_default(),
            id: text("id").unwrap_or_default(),
            time: text("time"),
            dataschema: text("dataschema"),
            datacontenttype: text("datacontenttype"),
            data: other.remove("data").unwrap_or_default(),
            other,
        })
    }
}

impl<'de> Deserialize<'de> for CloudEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("the event is not an object"))
    }
}

impl Serialize for CloudEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_map().serialize(serializer)
    }
}

impl fmt::Debug for CloudEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut event = f.debug_struct("CloudEvent");
        for (name, value) in &self.to_map() {
            match value.as_object() {
                Some(data) if name == "data" => {
                    event.field(name, &data.keys().collect::<Vec<_>>());
                }
                _ => {
                    event.field(name, &format_args!(".."));
                }
            }
        }
        event.finish()
    }
}
