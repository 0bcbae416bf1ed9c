//! What Twilio's webhooks say, as types for a handler's `web::Form`, `web::Query` or `web::Json`.
//!
//! | webhook | type | in |
//! |---|---|---|
//! | a message came: SMS, MMS, WhatsApp and other channels | [`IncomingMessage`] | `web::Form` |
//! | a message was sent, delivered, read | [`MessageStatusCallback`] | `web::Form` |
//! | a call came | [`IncomingCall`] | `web::Form` |
//! | a caller pressed keys or spoke | [`GatherResult`] | `web::Form` |
//! | a call rang, was answered, ended | [`CallStatusCallback`] | `web::Form` |
//! | a recording is there | [`RecordingStatusCallback`] | `web::Form` |
//! | events of Event Streams | [`CloudEvents`] | `web::Json` |
//!
//! A webhook that is set to `GET` has the same parameters in its query: take `web::Query`.
//!
//! Twilio adds parameters and values without notice, and a webhook that is refused is lost. So none of
//! these types refuses a form: what is missing is `None`, or empty; a value that nobody knew yet is an
//! `Other`; and all parameters that have no field, or do not fit it, are in `other`.
//!
//! Phone numbers, addresses of channels (`whatsapp:+14158675310`) and SIDs are text as Twilio sent it.
//!
//! # Security
//!
//! These types say nothing about who sent the request: that is up to
//! [`#[validate_twilio_request]`](crate::validate_twilio_request) above the handler.
//!
//! Their `Debug` prints all of it, phone numbers and messages too, so that a failed assertion shows what
//! differs. Log a SID, not the whole.
//!
//! # Examples
//!
//! ```
//! use actix_twilio::{
//!     twiml::{Twiml, Verb},
//!     validate_twilio_request,
//!     webhook::IncomingMessage,
//! };
//! use actix_web::{post, web};
//!
//! #[post("/message")]
//! #[validate_twilio_request]
//! async fn message(web::Form(message): web::Form<IncomingMessage>) -> Twiml {
//!     let sender = message.profile_name.unwrap_or(message.from);
//!     Twiml::new([Verb::message(format!("Thanks, {sender}!"))])
//! }
//! ```

mod call;
mod event;
mod form;
mod message;

// All that these files make public, so that a new webhook needs no line here.
pub use self::{call::*, event::*, form::Parameters, message::*};
