//! Types for what Twilio's webhooks say, as extractors.
//!
//! | webhook | type |
//! |---|---|
//! | a message came in: SMS, MMS, WhatsApp, RCS and other channels | [`IncomingMessage`] |
//! | a message was sent, delivered or read | [`MessageStatusCallback`] |
//! | a call came in, or an outgoing one was answered | [`IncomingCall`] |
//! | a call rang, was answered or ended | [`CallStatusCallback`] |
//! | what answered an outgoing call | [`AnsweringMachineCallback`] |
//! | a caller pressed keys or spoke (`<Gather>`), and what was said so far | [`GatherResult`], [`GatherPartialResult`] |
//! | a dialed call ended (`<Dial action>`) | [`DialResult`] |
//! | a message was recorded (`<Record action>`), and transcribed | [`RecordResult`], [`TranscriptionCallback`] |
//! | a recording is ready | [`RecordingStatusCallback`] |
//! | a caller waits in a queue, or left it (`<Enqueue>`) | [`QueueWait`], [`EnqueueResult`] |
//! | something happened in a conference | [`ConferenceStatusCallback`] |
//! | a ConversationRelay session ended (`<Connect action>`) | [`ConversationRelayResult`] |
//! | what is being said in a call (`<Transcription>`) | [`RealTimeTranscription`] |
//! | a Media Stream started, stopped or failed (`<Stream>`) | [`StreamStatusCallback`] |
//! | Conversations | [`ConversationEvent`] |
//! | `TaskRouter` | [`TaskRouterEvent`], [`TaskAssignment`] |
//! | the Debugger: errors and warnings of the account | [`DebuggerEvent`] |
//! | Event Streams, as JSON | [`CloudEvents`] |
//! | any of these except Event Streams, at one URL | [`Webhook`] |
//! | any form, by name | [`Parameters`] |
//!
//! A handler takes the type itself. The parameters come from the form of a `POST` and from the query of a `GET`. They
//! are read from what the validator has split and decoded already, which is faster than `web::Form`.
//!
//! Twilio adds parameters and values without notice, and a webhook that is refused is lost. So a missing value is
//! `None` or empty, a new value is an `Other`, and parameters that have no field or do not fit their field are in
//! `other`. Values of enumerations are read in any case. Phone numbers, addresses of channels
//! (`whatsapp:+14158675310`) and SIDs are text as Twilio sent it.
//!
//! # Security
//!
//! An extractor refuses a request that nobody validated with a 500, and the log says what to write: the attribute
//! [`#[validate_twilio_request]`](crate::validate_twilio_request) above the handler. While validation only reports or
//! is off, it reads the request as it came.
//!
//! It also refuses a request in which a SID that Twilio always sends in such a webhook is missing, malformed or
//! repeated, with a 403. The boundaries between parameters are not signed, and [a recorded request that was cut
//! differently](crate::guide::replay) looks like that. The docs of the fields
//! say which SIDs these are. `web::Form`, `web::Query` and serde do not check them.
//!
//! # In logs
//!
//! `Debug` prints the names of what a webhook contains, and no values. `unredacted()` returns a value whose `Debug`
//! prints everything, including phone numbers and messages, for example in a test:
//! `assert_eq!(found.unredacted(), expected.unredacted())`.
//!
//! # In queues
//!
//! All types implement `Serialize` and `Deserialize`: a map of Twilio's names to text, as in the form that Twilio
//! sends. A name with several values has a list of them in JSON.
//!
//! # Examples
//!
//! ```
//! use actix_twilio::{
//!     twiml::{Message, MessagingResponse},
//!     validate_twilio_request,
//!     webhook::IncomingMessage,
//! };
//! use actix_web::post;
//!
//! #[post("/message")]
//! #[validate_twilio_request]
//! async fn receive_message(sms: IncomingMessage) -> MessagingResponse {
//!     let sender = sms.profile_name.unwrap_or(sms.from);
//!     MessagingResponse::new().child(Message::new(format!("Thanks, {sender}!")))
//! }
//! ```

mod any;
mod call;
mod conference;
mod event;
mod extract;
mod family;
mod field;
mod message;
mod parameters;
mod recording;
mod serial;
mod service;
mod table;
mod verb;

// These re-export everything that is public in the files, so that a new webhook needs no line here.
pub use self::{
    any::Webhook, call::*, conference::*, event::*, extract::Extraction, family::Unredacted,
    message::*, parameters::Parameters, recording::*, service::*, verb::*,
};
