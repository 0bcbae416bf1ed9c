//! Answers to webhooks: TwiML for calls and messages, and an empty response for status callbacks.
//!
//! Twilio asks what to do with a call or a message, and acts on the [TwiML](https://www.twilio.com/docs/voice/twiml)
//! in the answer: a [`VoiceResponse`] to a call, a [`MessagingResponse`] to a message. Each verb and noun of Twilio's
//! documentation is a type with Twilio's name, and each attribute a method. What Twilio refuses does not compile: a verb
//! in the wrong place, or without what it requires. [`Element`] is for what is newer than this crate.
//!
//! A webhook that only informs the app, such as a status callback, needs a status without a body: [`NoContent`].
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use actix_twilio::{twiml::{Gather, Hangup, Say, VoiceResponse}, validate_twilio_request};
//! use actix_web::post;
//!
//! #[post("/voice")]
//! #[validate_twilio_request]
//! async fn receive_call() -> VoiceResponse {
//!     let question = Say::new("Press 1 for sales, or 2 for support.").language("en-GB");
//!     VoiceResponse::new()
//!         .child(Gather::new().num_digits(1).timeout(Duration::from_secs(5)).child(question))
//!         .child(Say::new("Goodbye."))
//!         .child(Hangup::new())
//! }
//! ```
//!
//! A `<Message>` answered to a call, or an element inside of another that does not take it, is Twilio's error 12200:
//!
//! ```compile_fail
//! use actix_twilio::twiml::{Message, VoiceResponse};
//!
//! let response = VoiceResponse::new().child(Message::new("Hello"));
//! ```

//!
//! # Attributes
//!
//! Values have types, which are in [`attributes`]. Durations are [`Duration`](std::time::Duration)s, whatever Twilio's unit
//! is; lists are arrays or vectors. An attribute that is set twice counts once: the last value. The names of a few methods end
//! with an underscore, because Rust has a use for the word: `loop_`, `from_`.
//!
//! ```
//! use actix_twilio::twiml::{
//!     Dial, Number, VoiceResponse, attributes::{CallEvent, DialRecord, Method},
//! };
//!
//! let number = Number::new("+14158675310")
//!     .status_callback("/status")
//!     .status_callback_event([CallEvent::Answered, CallEvent::Completed]);
//! let dial = Dial::new(number).record(DialRecord::FromAnswer).action("/done").method(Method::Get);
//! let response = VoiceResponse::new().child(dial);
//! assert!(response.to_xml().contains(" statusCallbackEvent=\"answered completed\">+14158675310</Number>"));
//! ```
//!
//! # The lint
//!
//! With the feature `lint`, [`check`] finds what is wrong in TwiML that was written by other means, such as a template, and
//! says where it is, with the number of Twilio's error. In tests, [`assert_twiml`](crate::testing::assert_twiml) and
//! [`read_twiml`](crate::testing::read_twiml) use it.
//!
//! | error | what the lint finds |
//! |---|---|
//! | [12100](https://www.twilio.com/docs/api/errors/12100) | a document that is not well-formed, or whose root is not `<Response>` |
//! | [12200](https://www.twilio.com/docs/api/errors/12200) | names, values and nesting; what is required and missing |
//! | [11750](https://www.twilio.com/docs/api/errors/11750) | a document of more than 64 kB. For such an answer, the log has a warning, too |
//! | [21617](https://www.twilio.com/docs/api/errors/21617) | a message of more than 1,600 characters |
//! | [12300](https://www.twilio.com/docs/api/errors/12300) | another content type than that of XML, by [`check_answer`] |
//! | none | verbs that are never reached, for example after a `<Redirect>` |

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
#[cfg(feature = "twiml")]
pub use twilio_twiml::*;
// By name, so that the docs say which feature they need.
#[cfg(feature = "lint")]
pub use twilio_twiml::{Channel, Finding, FindingKind, Parsed, check, check_answer, check_for};

/// An answer with status 204 and without a body, for webhooks that only inform: status callbacks and events.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     twiml::NoContent,
///     validate_twilio_request,
///     webhook::MessageStatusCallback,
/// };
/// use actix_web::post;
///
/// #[post("/status")]
/// #[validate_twilio_request]
/// async fn receive_status(message: MessageStatusCallback) -> NoContent {
///     println!("{} is {:?}", message.message_sid, message.message_status);
///     NoContent
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}
