//! Types for the parameters of Twilio's webhooks, to extract with `web::Form`, `web::Query` or `web::Json`.
//!
//! | webhook | type | extractor |
//! |---|---|---|
//! | a message came in: SMS, MMS, WhatsApp and other channels | [`IncomingMessage`] | `web::Form` |
//! | a message was sent, delivered or read | [`MessageStatusCallback`] | `web::Form` |
//! | a call came in | [`IncomingCall`] | `web::Form` |
//! | a caller pressed keys or spoke | [`GatherResult`] | `web::Form` |
//! | a call rang, was answered or ended | [`CallStatusCallback`] | `web::Form` |
//! | a recording is ready | [`RecordingStatusCallback`] | `web::Form` |
//! | events of Event Streams | [`CloudEvents`] | `web::Json` |
//!
//! A webhook that is set to `GET` has the same parameters in its query: take `web::Query`.
//!
//! Twilio adds parameters and values without notice, and a webhook that is refused is lost. So none of these types
//! refuses a form. A missing value is `None` or empty, a new value is an `Other`, and parameters that have no field
//! or do not fit their field are in `other`.
//!
//! Phone numbers, addresses of channels (`whatsapp:+14158675310`) and SIDs are text as Twilio sent it.
//!
//! # Security
//!
//! These types do not validate the request. The attribute
//! [`#[validate_twilio_request]`](crate::validate_twilio_request) above the handler does.
//!
//! Their `Debug` prints everything, including phone numbers and messages, so that a failed assertion shows what
//! differs. In a log, print only a SID.
//!
//! # Examples
//!
//! ```
//! use actix_twilio::{
//!     twiml::{Message, MessagingResponse},
//!     validate_twilio_request,
//!     webhook::IncomingMessage,
//! };
//! use actix_web::{post, web};
//!
//! #[post("/message")]
//! #[validate_twilio_request]
//! async fn receive_message(web::Form(message): web::Form<IncomingMessage>) -> MessagingResponse {
//!     let sender = message.profile_name.unwrap_or(message.from);
//!     MessagingResponse::new().child(Message::new(format!("Thanks, {sender}!")))
//! }
//! ```

mod call;
mod event;
mod form;
mod message;

// These re-export everything that is public in the files, so that a new webhook needs no line here.
pub use self::{call::*, event::*, form::Parameters, message::*};
