//! Validates the `X-Twilio-Signature` of webhooks, for any framework, and explains why one does not match.
//!
//! It needs no framework, no clock and no I/O: a request goes in as text and bytes, a verdict comes out.
//!
//! ```
//! use twilio_signature::{AuthToken, RequestValidator, SignatureError, WebhookRequest};
//!
//! let validator = RequestValidator::new([AuthToken::new("12345")?])?;
//!
//! // From the request of your framework: the URL as Twilio requested it, and the raw body.
//! let request = WebhookRequest::new("POST", "https://example.com/myapp.php?foo=1&bar=2")
//!     .content_type("application/x-www-form-urlencoded")
//!     .signature("L/OH5YylLD5NRKLltdqwSvS0BnU=")
//!     .body("CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234\
//!            &From=%2B14158675310&To=%2B18005551212");
//! let verdict: Result<_, SignatureError> = validator.validate(&request);
//! assert!(verdict.is_ok());
//! # Ok::<(), twilio_signature::ConfigError>(())
//! ```
//!
//! Apps on actix-web use the crate [`actix-twilio`](https://docs.rs/actix-twilio), which reads the body within
//! limits and determines the URL behind proxies.
//!
//! # Where to look
//!
//! The rules R1 to R17 are in the repository, in `docs/signature.md`, and each branch that follows a rule cites it. A module uses
//! only those above it in this table:
//!
//! | module | contents | rules |
//! |---|---|---|
//! | `error`, [`redact`] | the kinds of refusal; text that may be shown | |
//! | [`url`] | a URL's text in its parts; public URLs | R10 to R12 |
//! | `request`, [`header`] | the request as data | R17 |
//! | `key`, `mac`, `claim` | keys; the HMAC; what a request claims to be signed with | R13 to R17 |
//! | `form` | parameters, decoded and in order; [`Form`], which is split once | R1 to R4 |
//! | `order` | the order of the last form's parameters, a guess that saves a sort | |
//! | `candidates` | the texts that Twilio may have signed for a URL | R9, R10 |
//! | `body` | how the signature covers a body | R5 to R8 |
//! | `replay` | the key by which a copy of a request is recognized | |
//! | `validator` | the verdict, in [stages] | R10, R16, R17 |
//! | `account` | the account that a request claims | R16 |
//! | [`explain`] | why a signature does not match, and what to change | |
//!
//! # Features
//!
//! - `validator`: everything except [`url`] and [`redact`].
//! - `explain`, on by default: the module of this name. It needs `validator`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "explain"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the docs link to the modules of all features"
    )
)]

#[cfg(feature = "validator")]
mod account;
#[cfg(feature = "validator")]
mod body;
#[cfg(feature = "validator")]
mod candidates;
#[cfg(feature = "validator")]
mod claim;
mod error;
#[cfg(feature = "explain")]
pub mod explain;
#[cfg(feature = "validator")]
mod form;
pub mod header;
#[cfg(feature = "validator")]
mod key;
#[cfg(feature = "validator")]
mod mac;
#[cfg(feature = "validator")]
mod order;
pub mod redact;
#[cfg(feature = "validator")]
mod replay;
#[cfg(feature = "validator")]
mod request;
pub mod url;
#[cfg(feature = "validator")]
mod validator;

pub use self::error::ConfigError;
#[cfg(feature = "validator")]
pub use self::{
    account::AccountSid,
    body::{BODY_SHA256, body_sha256, with_body_sha256},
    error::{SignatureError, SignatureErrorKind},
    form::Form,
    key::{AuthToken, SharedKey},
    replay::{ReplayKey, VerifiedSignature},
    request::WebhookRequest,
    validator::{Accepted, MatchedKey, RequestValidator},
};

/// The stages of a verdict, for a framework that reads the body between them.
#[cfg(feature = "validator")]
pub mod stages {
    pub use crate::{
        body::{BodyKind, signed_params},
        validator::{CheckedHead, CheckedUrl},
    };
}

/// Runs the README's code.
#[cfg(all(doctest, feature = "explain"))]
#[doc = include_str!("../README.md")]
struct Readme;
