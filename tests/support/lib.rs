//! What the tests share: keys and signatures, requests, servers and clients, the log, and processes with an
//! environment of their own.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, ValidationError,
    ValidationErrorKind, WebhookRequest, signature::body_sha256,
};
use actix_web::dev::ServiceResponse;

pub use self::{
    child::{NO_VARIABLES, in_child, in_children},
    modules::assert_modules,
    vectors::{Vector, vectors},
};

mod child;
pub mod client;
pub mod fake_redis;
pub mod forwarder;
pub mod log;
pub mod memory;
mod modules;
pub mod redis;
pub mod reference;
pub mod requests;
pub mod server;
pub mod targets;
mod vectors;
pub mod webhook;

/// The Auth Token of the account that the tests' genuine requests come from.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The header of the signature.
pub const SIGNATURE: &str = "X-Twilio-Signature";

/// The header that names a SharedKey and its algorithm.
pub const SETTINGS: &str = "X-Twilio-Webhooks-Signature-Settings";

/// A text of a signature's form that no key of the tests yields.
pub const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Returns a validator that knows [`TOKEN`].
#[must_use]
pub fn validator() -> RequestValidator {
    keys(TOKEN)
}

/// Returns a validator that knows one token.
#[must_use]
#[track_caller]
pub fn keys(token: &str) -> RequestValidator {
    RequestValidator::new([AuthToken::new(token).expect("it is a token")])
        .expect("there is a token")
}

/// Returns a configuration's builder that knows [`TOKEN`].
pub fn config() -> TwilioConfigBuilder {
    TwilioConfig::builder().auth_token(AuthToken::new(TOKEN).expect("TOKEN is a token"))
}

/// Signs any text with [`TOKEN`]. Of a `GET` the URL alone is signed, and any text is a URL: so
/// nothing that the library does to parameters takes part.
#[must_use]
#[track_caller]
pub fn sign_text(text: &str) -> String {
    validator()
        .sign(&WebhookRequest::new("GET", text))
        .expect("any text can be signed")
}

/// Signs a form that is posted to a URL.
#[must_use]
#[track_caller]
pub fn sign_form(url: &str, form: &(impl AsRef<[u8]> + ?Sized)) -> String {
    let request = WebhookRequest::new("POST", url)
        .content_type(FORM)
        .body(form);
    validator().sign(&request).expect("a form can be signed")
}

/// Appends a body's hash to a URL with a query, as Twilio does.
#[must_use]
pub fn hashed(url: &str, body: impl AsRef<[u8]>) -> String {
    format!("{url}&bodySHA256={}", body_sha256(body))
}

/// Returns the kind of the refusal that a response carries for loggers.
#[must_use]
pub fn refusal<B>(res: &ServiceResponse<B>) -> Option<ValidationErrorKind> {
    let err = res.response().error()?.as_error::<ValidationError>()?;
    Some(err.kind())
}
