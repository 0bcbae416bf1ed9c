//! Twilio
mod body;
mod config;
mod coverage;
mod error;
mod extract;
mod forwarded;
mod gate;
mod key;
mod origin;
mod params;
mod proxies;
mod public_url;
mod report;
mod request;
mod response;
mod signature;
mod url;
mod validator;

pub use actix_twilio_macros::validate_twilio_request;

pub use self::{
    config::{TwilioConfig, TwilioConfigBuilder, Validation},
    coverage::body_sha256,
    error::{ConfigError, ValidationError, ValidationErrorKind},
    extract::Validated,
    key::{AuthToken, SharedKey},
    request::WebhookRequest,
    validator::{Accepted, MatchedKey, RequestValidator},
};

/// What the attribute's expansion names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::extract::Validated;

    /// Makes the compiler point at an argument's type if it is no extractor.
    #[inline(always)]
    pub fn assert_extractor<T: actix_web::FromRequest>() {}
}
