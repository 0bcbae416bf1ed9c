//! Lets only genuine Twilio webhooks reach your actix-web handlers.
//!
//! Write [`#[validate_twilio_request]`](validate_twilio_request) above a handler and set
//! `TWILIO_AUTH_TOKEN`:
//!
//! ```
//! use actix_twilio::validate_twilio_request;
//! use actix_web::{Responder, post, web};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "PascalCase")]
//! struct IncomingMessage {
//!     from: String,
//! }
//!
//! #[post("/message")]
//! #[validate_twilio_request]
//! async fn message(web::Form(sms): web::Form<IncomingMessage>) -> impl Responder {
//!     format!("Hello {}", sms.from)
//! }
//! ```
//!
//! Every request is validated before any of the handler's extractors and before its body runs. Others are
//! answered with 403, and the log (of [`tracing`](https://docs.rs/tracing)) says why.
//!
//! # Where to look
//!
//! - [`TwilioConfig`]: keys, the public URL behind a proxy, limits, modes. **If genuine requests are
//!   refused, start at its [public URL](TwilioConfigBuilder::public_url).**
//! - [`ValidationErrorKind`]: the reasons for a refusal, as they stand in the log.
//! - [`Validated`]: the extractor that the attribute writes; [`TwilioValidation`]: the middleware;
//!   [`ProtectedRoute`] and [`Proof`]: protection that the compiler checks.
//! - [`KeyStore`]: several accounts on one app. [`Policy`]: a configuration of its own for a route.
//! - [`RequestValidator`]: the verdict alone, without actix-web; it also signs requests for tests.
//!
//! The [README](https://docs.rs/crate/actix-twilio) has more on proxies, tests, and on what a signature
//! does not prove.

mod account;
mod body;
mod builder;
mod config;
mod coverage;
mod diagnosis;
mod error;
mod explain;
mod extract;
mod forwarded;
mod gate;
mod key;
mod key_file;
mod middleware;
mod origin;
mod params;
mod policy;
mod printable;
mod proof;
mod protected;
mod proxies;
mod public_url;
mod report;
mod request;
mod response;
mod signature;
mod store;
mod url;
mod validator;
mod verdict;

pub use actix_twilio_macros::validate_twilio_request;

pub use self::{
    account::AccountSid,
    builder::TwilioConfigBuilder,
    config::{TwilioConfig, Validation},
    coverage::body_sha256,
    error::{ConfigError, ValidationError, ValidationErrorKind},
    explain::{Cause, Explainer, Explanation},
    extract::Validated,
    key::{AuthToken, SharedKey},
    key_file::KeyFile,
    middleware::{TwilioValidation, TwilioValidationMiddleware},
    policy::{AppPolicy, Policy},
    proof::Proof,
    protected::{ProtectedArguments, ProtectedRoute},
    request::WebhookRequest,
    store::{KeyMap, KeyQuery, KeyStore, KeyStoreError},
    validator::{Accepted, MatchedKey, RequestValidator},
    verdict::Verdict,
};

/// What the attribute's expansion names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        config::TwilioConfig,
        error::ConfigError,
        extract::Validated,
        policy::{Policy, Route},
    };
    pub use actix_web::HttpRequest;

    /// Makes the compiler point at an argument's type if it is no extractor.
    #[inline]
    pub fn assert_extractor<T: actix_web::FromRequest>() {}

    /// Makes the compiler point at an option's type if it is no policy.
    #[inline]
    pub fn assert_policy<P: Policy>() {}
}

/// Runs the README's code.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
