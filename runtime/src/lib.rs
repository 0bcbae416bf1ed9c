// The crate's docs are the README. If a link is defined twice, the first definition counts: these turn the README's
// links to docs.rs into links within the docs, which rustdoc checks.
//! [`guide`]: crate::guide
//! [`ProtectedRoute`]: crate::ProtectedRoute
//! [`ProtectedScope`]: crate::ProtectedScope
//! [`Proof`]: crate::Proof
//! [`TwilioValidation`]: crate::TwilioValidation
//! [`twiml`]: crate::twiml
//! [`validate_twilio_request`]: crate::validate_twilio_request
//! [`webhook`]: crate::webhook
//! [flask]: crate::guide::flask
//! [metrics]: crate::guide::metrics
//! [proxies]: crate::guide::proxies
//! [replay]: crate::guide::replay
//! [rotation]: crate::guide::rotation
//! [testing]: crate::guide::testing
//! [troubleshooting]: crate::guide::troubleshooting
#![doc = include_str!("../README.md")]
// The docs of each item say which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(
        feature = "explain",
        feature = "stream",
        feature = "testing",
        feature = "webhook"
    )),
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
mod sid;

pub mod config;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod keys;
pub mod once;
#[cfg(feature = "stream")]
pub mod stream;
#[cfg(feature = "testing")]
pub mod testing;
pub mod twiml;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use actix_twilio_macros::validate_twilio_request;
/// The rules of Twilio's signatures, without actix-web: the whole crate `twilio-signature`.
pub use twilio_signature as signature;
/// Explains why a signature does not match, and what to change.
#[cfg(feature = "explain")]
pub use twilio_signature::explain;
pub use twilio_signature::{AuthToken, ReplayKey, RequestValidator, WebhookRequest};

pub use self::{
    config::{Policy, TwilioConfig, TwilioConfigBuilder},
    entry::{ProtectedRoute, ProtectedScope, TwilioValidation, Validated},
    error::{ConfigError, ValidationError, ValidationErrorKind},
    gate::Proof,
    keys::KeyStore,
};

/// Routes and scopes that take protected handlers only, and what makes a handler one.
pub mod protected {
    pub use crate::entry::{
        ProtectedArguments, ProtectedRoute, ProtectedScope, ValidatedArguments,
    };
}

/// The items that the attribute's expansion uses. They are not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        config::route::{RouteOptions, Text, config_with_url},
        entry::{Extractor, ValidatedArguments},
        once::{Answer, Guarded, settle},
    };

    /// Makes the compiler point at an argument's type if it is not an extractor.
    #[inline]
    pub fn assert_extractor<T: Extractor>() {}

    /// Makes the compiler point at an option's type if it is not a policy.
    #[inline]
    pub fn assert_policy<P: crate::Policy>() {}
}

/// Runs the code of the attribute's documentation.
#[cfg(all(doctest, feature = "webhook"))]
#[doc = include_str!("../../macros/src/attribute.md")]
struct Attribute;
