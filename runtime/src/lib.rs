//! Lets only genuine Twilio webhooks reach your actix-web handlers.
//!
//! Write [`#[validate_twilio_request]`](validate_twilio_request) above a handler and set
//! `TWILIO_AUTH_TOKEN`:
//!
//! ```no_run
//! use actix_twilio::{
//!     TwilioConfig,
//!     twiml::{Twiml, Verb},
//!     validate_twilio_request,
//!     webhook::IncomingMessage,
//! };
//! use actix_web::{App, HttpServer, post, web};
//!
//! #[post("/message")]
//! #[validate_twilio_request] // <- this line
//! async fn message(web::Form(sms): web::Form<IncomingMessage>) -> Twiml {
//!     Twiml::new([Verb::message(format!("Hello {}", sms.from))])
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     tracing_subscriber::fmt().init(); // or nobody sees why a request was refused
//!     let config = TwilioConfig::from_env()?; // a missing or wrong setting stops the start
//!     HttpServer::new(move || App::new().app_data(config.clone()).service(message))
//!         .bind("127.0.0.1:8080")?
//!         .run()
//!         .await?;
//!     Ok(())
//! }
//! ```
//!
//! Every request is validated before any of the handler's extractors and before its body runs. Others are
//! answered with 403, and the log (of [`tracing`](https://docs.rs/tracing)) says why.
//!
//! # What to configure
//!
//! | environment | content |
//! |---|---|
//! | `TWILIO_AUTH_TOKEN` | the account's Auth Token; several, separated by commas, while it is rotated |
//! | `TWILIO_WEBHOOK_BASE_URL` | the base of the URL that Twilio requests, such as `https://example.com`: **set it behind any proxy** |
//!
//! All else is in [`TwilioConfigBuilder`]: trusted proxies, limits, other answers, metrics. Routes may have
//! [configurations of their own](Policy), and an app may serve [several accounts](KeyStore).
//!
//! # Why was a request refused?
//!
//! The log's line has the `kind` of the failure, the `url` that was tried, and a `hint`:
//!
//! ```text
//! WARN actix_twilio: refused a request: the signature matches neither this URL and these parameters nor a
//! configured key kind="signature_mismatch" url="http://10.0.0.7:8080/message" scheme_from="connection" ...
//! ```
//!
//! If `url` is not the one that is set at Twilio, set `TWILIO_WEBHOOK_BASE_URL`. For all other cases, see
//! [troubleshooting](guide::troubleshooting), by symptom.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | chapters on one topic: from Flask, proxies, rotation, testing, replay | [`guide`] |
//! | handlers, modules, routes that can't be left open | [`validate_twilio_request`], [`ProtectedRoute`], [`Proof`] |
//! | a whole scope or app | [`TwilioValidation`], the middleware |
//! | what a webhook says, and how to answer | [`webhook`], [`twiml`] |
//! | tests that sign what they send | [`testing`] |
//! | the verdict alone, without actix-web | [`RequestValidator`] |
//! | the reasons for a refusal, in code | [`ValidationErrorKind`] |
//! | why a captured request is refused, and what to change | [`Explainer`] |
//!
//! # What a signature does not prove
//!
//! When the request was made, its method and its headers. See [replay](guide::replay), and the
//! [README](https://docs.rs/crate/actix-twilio) for the threat model.
//!
//! # Features
//!
//! - `explain`, on by default: [`Explainer`], and the log's `cause` and `explanation`
//!   ([`explain_mismatches`](TwilioConfigBuilder::explain_mismatches)). Half of the time that this crate takes to build.
//! - `webhook`, on by default: the module of this name.
//! - `testing`, off by default: the module of this name.
//!
//! They add no crates, and none changes what is refused.

#![cfg_attr(
    not(all(feature = "explain", feature = "testing", feature = "webhook")),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the docs link to the modules of all features"
    )
)]

mod error;

mod entry;
mod gate;
mod origin;
mod report;

pub mod config;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod keys;
#[cfg(feature = "testing")]
pub mod testing;
pub mod twiml;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use actix_twilio_macros::validate_twilio_request;
/// The rules of Twilio's signatures, without actix-web: the whole crate of this name.
pub use twilio_signature as signature;
/// Why a signature does not match, and what to change.
#[cfg(feature = "explain")]
pub use twilio_signature::explain;
pub use twilio_signature::{AuthToken, RequestValidator, WebhookRequest};

pub use self::{
    config::{Policy, TwilioConfig, TwilioConfigBuilder},
    entry::{ProtectedRoute, TwilioValidation, Validated},
    error::{ConfigError, ValidationError, ValidationErrorKind},
    gate::Proof,
    keys::KeyStore,
};

/// What the attribute's expansion names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        config::{Policy, RouteOptions, TwilioConfig},
        entry::Validated,
        error::ConfigError,
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
