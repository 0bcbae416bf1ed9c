//! Events of Twilio's Event Streams, in the CloudEvents format.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::{Map, Value};

/// The events in a request of Event Streams: an array, or a single event where the sink does not batch.
/// Answer it with [`NoContent`](crate::twiml::NoContent).
///
/// Twilio delivers an event at least once: remember its [`id`](CloudEvent::id) with its
/// [`source`](CloudEvent::source).
///
/// Source: <https://www.twilio.com/docs/events>.
///
/// # Examples
///
/// ```
/// use actix_twilio::{twiml::NoContent, validate_twilio_request, webhook::CloudEvents};
/// use actix_web::{post, web};
///
/// #[post("/events")]
/// #[validate_twilio_request]
/// async fn events(web::Json(CloudEvents(events)): web::Json<CloudEvents>) -> NoContent {
///     for event in events {
///         println!("{} {}", event.event_type, event.id);
///     }
///     NoContent
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CloudEvents(pub Vec<CloudEvent>);

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

/// An event. What is missing is empty, or `None`.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct CloudEvent {
    /// The version of CloudEvents, `1.0`.
    pub specversion: String,
    /// The event's type, such as `com.twilio.messaging.message.delivered`. In JSON it is `type`.
    pub event_type: String,
    /// What the event is about, such as the path of a message's resource.
    pub source: String,
    /// The event's id, unique for its source.
    pub id: String,
    /// When it happened, in RFC 3339 format.
    pub time: Option<String>,
    /// The schema of the data, a URL.
    pub dataschema: Option<String>,
    /// The format of the data, `application/json`.
    pub datacontenttype: Option<String>,
    /// What happened, in the form of the schema; `null` if there is nothing.
    pub data: Value,
    /// All other members.
    pub other: Map<String, Value>,
}

impl CloudEvent {
    /// Reads the data as a type.
    ///
    /// # Errors
    ///
    /// Returns an error if the data has another form.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.data)
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
