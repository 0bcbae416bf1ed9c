//! Webhooks of any family, told apart by their parameters.

use actix_web::Error;
use serde::{
    Serialize, Serializer,
    de::{Deserialize, Deserializer},
};

use super::{
    AnsweringMachineCallback, CallStatusCallback, ConferenceStatusCallback, ConversationEvent,
    ConversationRelayResult, DebuggerEvent, DialResult, EnqueueResult, GatherPartialResult,
    GatherResult, IncomingCall, IncomingMessage, MessageStatusCallback, QueueWait,
    RealTimeTranscription, RecordResult, RecordingStatusCallback, StreamStatusCallback,
    TaskAssignment, TaskRouterEvent, TranscriptionCallback,
    extract::{self, Filled, Source},
    family::{Family, Filling},
    parameters::Parameters,
    serial,
};

/// Declares the families, each with the parameters that only it has, or that those above it do not have. One of the
/// lists is enough. An empty value counts as none.
macro_rules! families {
    ($($family:ident: $([$($name:literal),+])|+;)+) => {
        /// A webhook of any family, for apps that have one URL for several of them.
        ///
        /// Its parameters decide which family it is. They do not always say so: an app that knows which webhook is
        /// set to a URL takes that type.
        ///
        /// Event Streams sends JSON, which has a [type of its own](super::CloudEvents).
        ///
        /// # Examples
        ///
        /// ```
        /// use actix_twilio::{twiml::MessagingResponse, validate_twilio_request, webhook::Webhook};
        /// use actix_web::post;
        ///
        /// #[post("/twilio")]
        /// #[validate_twilio_request]
        /// async fn receive(webhook: Webhook) -> MessagingResponse {
        ///     match webhook {
        ///         Webhook::IncomingMessage(sms) => println!("{} wrote", sms.from),
        ///         Webhook::IncomingCall(call) => println!("{} calls", call.from),
        ///         other => println!("{other:?}"),
        ///     }
        ///     MessagingResponse::new()
        /// }
        /// ```
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Webhook {
            $(#[doc = concat!("See [`", stringify!($family), "`].")] $family(Box<$family>),)+
            /// None of these families.
            Other(Parameters),
        }

        impl From<Parameters> for Webhook {
            fn from(parameters: Parameters) -> Self {
                let has = |name: &&str| parameters.get_all(name).any(|value| !value.is_empty());
                $(if [$(&[$($name),+][..]),+].iter().any(|names| names.iter().all(has)) {
                    let mut webhook = Box::<$family>::default();
                    fill_again(&mut *webhook, &parameters);
                    return Self::$family(webhook);
                })+
                Self::Other(parameters)
            }
        }

        impl Webhook {
            fn as_family(&self) -> &dyn Family {
                match self {
                    $(Self::$family(webhook) => &**webhook,)+
                    Self::Other(parameters) => parameters,
                }
            }
        }
    };
}

families! {
    DebuggerEvent: ["PayloadType"];
    TaskRouterEvent: ["WorkspaceSid", "EventType"];
    TaskAssignment: ["WorkspaceSid", "ReservationSid"];
    ConferenceStatusCallback: ["StatusCallbackEvent"];
    RealTimeTranscription: ["TranscriptionEvent"];
    TranscriptionCallback: ["TranscriptionSid"];
    StreamStatusCallback: ["StreamEvent"];
    RecordingStatusCallback: ["RecordingStatus"];
    MessageStatusCallback: ["MessageStatus"];
    // After the status of messages, because channels send `EventType` there.
    ConversationEvent: ["EventType"];
    ConversationRelayResult: ["SessionStatus"] | ["HandoffData"];
    DialResult: ["DialCallStatus"];
    EnqueueResult: ["QueueResult"];
    QueueWait: ["QueuePosition"];
    GatherPartialResult: ["UnstableSpeechResult"] | ["StableSpeechResult"];
    // Before recordings, because the status of a recorded call has the recording.
    CallStatusCallback: ["CallbackSource"] | ["CallDuration"] | ["CallStatus", "SequenceNumber"];
    RecordResult: ["CallSid", "RecordingUrl"];
    GatherResult: ["CallSid", "SpeechResult"] | ["CallSid", "Digits"] | ["CallSid", "msg"];
    IncomingCall: ["CallSid", "CallStatus"];
    AnsweringMachineCallback: ["CallSid", "AnsweredBy"];
    IncomingMessage: ["MessageSid"];
}

fn fill_again(family: &mut dyn Family, parameters: &Parameters) {
    let mut filling = Filling::of(family);
    for (name, value) in parameters.iter() {
        filling.add(name, value);
    }
    filling.end();
}

impl Filled for Webhook {
    fn filled_by(fill: &mut dyn FnMut(&mut dyn Family)) -> Self {
        Parameters::filled_by(fill).into()
    }

    fn extracted(source: &Source<'_>) -> Result<Self, Error> {
        let webhook = Self::from(Parameters::extracted(source)?);
        source.check(webhook.as_family())?;
        Ok(webhook)
    }
}

/// Writes the parameters, as each family does.
impl Serialize for Webhook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serial::write(self.as_family(), serializer)
    }
}

impl<'de> Deserialize<'de> for Webhook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Parameters::deserialize(deserializer).map(Self::from)
    }
}

extract::by_request!(Webhook);
extract::by_request!(Parameters);
