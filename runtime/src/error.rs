//! The errors of this crate: why a request is not let through.

use std::{
    error::Error,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use twilio_signature::{AccountSid, SignatureError, SignatureErrorKind};

pub use twilio_signature::ConfigError;

use crate::report;

/// An error that says why a request is not let through.
///
/// It contains the reason, its [`kind`](Self::kind), and of the request only the [account](Self::account) that it
/// names: no URL, no parameter and no signature. The client sees only a status and a fixed sentence, which are the
/// same for every forgery.
///
/// # Examples
///
/// A middleware finds the error in the response:
///
/// ```
/// use actix_twilio::{ValidationError, ValidationErrorKind};
/// use actix_web::{dev::ServiceResponse, test::TestRequest};
///
/// fn refusal<B>(res: &ServiceResponse<B>) -> Option<&'static str> {
///     let err = res.response().error()?.as_error::<ValidationError>()?;
///     Some(err.kind().as_str())
/// }
///
/// let err = ValidationError::from(ValidationErrorKind::BodyTooLarge);
/// let res = TestRequest::default().to_srv_request().error_response(err);
/// assert_eq!(refusal(&res), Some("body_too_large"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    kind: ValidationErrorKind,
    pub(crate) account: Option<AccountSid>,
    answer: Answer,
}

impl ValidationError {
    /// From now on, this error must become a response. If it is dropped instead, the log says so.
    pub(crate) fn expect_answer(&self) {
        self.answer.set_expected(true);
    }

    /// Notes that this error becomes a response.
    pub(crate) fn answered(&self) {
        self.answer.set_expected(false);
    }

    /// Returns the reason for the refusal.
    #[must_use]
    pub fn kind(&self) -> ValidationErrorKind {
        self.kind
    }

    /// Returns the account that the request names, for logs and metrics. It is only a claim: anyone can name any
    /// account.
    #[must_use]
    pub fn account(&self) -> Option<&AccountSid> {
        self.account.as_ref()
    }

    /// Constructs the error for a handler that takes a webhook although its request was not validated. An `Option` of
    /// it would always be `None`, so this error must become a response.
    #[cfg(any(feature = "stream", feature = "webhook"))]
    pub(crate) fn unproven(type_name: &'static str) -> Self {
        let err = Self::without_proof(type_name);
        err.expect_answer();
        err
    }

    /// Constructs the error for a handler that takes a proof although there is none. A handler that takes an `Option`
    /// of it accepts that: it is a misconfiguration only if this error becomes the response.
    pub(crate) fn without_proof(type_name: &'static str) -> Self {
        let mut err = Self::from(ValidationErrorKind::Config);
        err.answer.unproven = Some(type_name);
        err
    }

    /// Returns the type that a handler takes although the request was not validated. The log does not have this yet.
    pub(crate) fn unproven_type(&self) -> Option<&'static str> {
        self.answer.unproven
    }
}

/// Makes an error from its kind, for tests of an error handler.
impl<K: Into<ValidationErrorKind>> From<K> for ValidationError {
    fn from(kind: K) -> Self {
        Self {
            kind: kind.into(),
            account: None,
            answer: Answer::default(),
        }
    }
}

/// Notices an extractor's error that is dropped although it should have become the response: the handler takes an
/// `Option` or a `Result` of the extractor, and ran.
#[derive(Debug, Default)]
struct Answer {
    is_expected: AtomicBool,
    /// The type of an extractor that was refused because the request was not validated.
    unproven: Option<&'static str>,
}

impl Answer {
    fn set_expected(&self, is_expected: bool) {
        self.is_expected.store(is_expected, Ordering::Relaxed);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if *self.is_expected.get_mut() {
            report::unanswered(self.unproven);
        }
    }
}

/// Only the original is the extractor's own.
impl Clone for Answer {
    fn clone(&self) -> Self {
        Self {
            is_expected: AtomicBool::default(),
            unproven: self.unproven,
        }
    }
}

/// Whether it is expected to become a response is not part of an error.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.unproven == other.unproven
    }
}

impl Eq for Answer {}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for ValidationError {}

/// Declares the kinds that only this crate has, each with its name, its sentence and its hint.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $reason:literal, $hint:literal;)+) => {
        /// The reasons why a request is not let through.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ValidationErrorKind {
            /// The validator refused the request: it is not genuine, or its key is not configured.
            Signature(SignatureErrorKind),
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ValidationErrorKind {
            /// Returns all kinds.
            pub fn all() -> impl Iterator<Item = Self> {
                let own = [$(Self::$kind),+];
                SignatureErrorKind::ALL.iter().copied().map(Self::Signature).chain(own)
            }

            /// Returns the kind's name in `snake_case`, a stable label for logs and metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::Signature(kind) => kind.as_str(),
                    $(Self::$kind => $name,)+
                }
            }

            /// Returns what an operator can do about it: a clause without a full stop.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self {
                    Self::Signature(kind) => kind.hint(),
                    $(Self::$kind => $hint,)+
                }
            }
        }

        impl fmt::Display for ValidationErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    Self::Signature(kind) => return kind.fmt(f),
                    $(Self::$kind => $reason,)+
                })
            }
        }
    };
}

kinds! {
    /// The key store has no keys for the account, or no default keys. This occurs only if keys are looked up
    /// by account.
    AccountUnknown = "account_unknown",
        "the key store has no keys for the account or the SharedKey that it names, or no default keys",
        "add the account and its Auth Token to the key store, or default keys for requests that name no account";
    /// The key store failed or took too long; the request was not validated.
    KeyStoreFailed = "key_store_failed",
        "the key store failed or took too long",
        "look for the key store's own error in the log";
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large",
        "the body is larger than the limit",
        "raise body_limit in TwilioConfig if Twilio really sends a body this large";
    /// The body did not arrive within the time limit.
    BodyTooSlow = "body_too_slow",
        "the body did not arrive within the time limit",
        "look for a slow network or proxy, or raise body_timeout in TwilioConfig";
    /// The body ended early, or its transfer coding was malformed.
    BodyIncomplete = "body_incomplete",
        "the body ended early, or its transfer coding is malformed",
        "the sender or a proxy closed the connection or sent a malformed body: if this happens often, check the time limits of the proxy";
    /// The bodies that are being read at once are together larger than their limit.
    Overloaded = "overloaded",
        "the bodies that are being read at once are together larger than total_body_limit",
        "if this is an attack, limit connections and HTTP/2 streams in front of the app; if not, raise total_body_limit in TwilioConfig";
    /// Another middleware read or changed the body before it was validated: its length is not the one in
    /// `Content-Length`, and the signature does not match.
    BodyConsumed = "body_consumed",
        "a middleware, or an extractor before Validated, read the body or changed its length",
        "put the body back in that middleware, with req.set_payload(bytes.into()), or take that extractor inside Validated<(..)>";
    /// Another middleware read or replaced the body after it was validated, so the handler would have received
    /// a body that was not validated.
    BodyReplaced = "body_replaced",
        "the body is not the one that was validated",
        "put the body back unchanged, with req.set_payload(bytes.into()), in the middleware between TwilioValidation and the handler that reads it";
    /// The signature is right, but a SID that Twilio always sends in the webhook that the handler takes is missing,
    /// malformed or repeated. A request that was recorded and sent with other boundaries between its parameters
    /// looks like that.
    SidMalformed = "sid_malformed",
        "a SID that Twilio always sends in this webhook is missing, malformed or repeated",
        "check at Twilio which webhook is set to this URL: the handler must take that one; if it does, somebody sent a recorded request with its parameters cut differently, and there is nothing to do";
    /// The URL that Twilio requested can't be determined: the `Host` or a trusted forwarded header is
    /// missing or malformed.
    OriginMalformed = "origin_malformed",
        "the host or the scheme that Twilio requested can't be determined",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url in TwilioConfig, or correct the header that the proxy sets";
    /// The request is a duplicate, and the first one is still being handled.
    OnceInProgress = "once_in_progress",
        "the event of this request is still being handled in another one",
        "look for a slow handler; Twilio tries a webhook again only if its URL ends with #rc=3&rp=5xx,ct,rt";
    /// The store of handled events failed, took too long or is full. The request is genuine.
    OnceStoreFailed = "once_store_failed",
        "the store of handled events failed, took too long or is full",
        "look for the store's own error in the log; Twilio tries a webhook again only if its URL ends with #rc=3&rp=5xx,ct,rt";
    /// The server's own configuration is at fault; the request was not validated.
    Config = "config",
        "the configuration of actix-twilio is missing or wrong",
        "set TWILIO_AUTH_TOKEN, or add a TwilioConfig to the app's app_data";
}

impl From<SignatureErrorKind> for ValidationErrorKind {
    fn from(kind: SignatureErrorKind) -> Self {
        Self::Signature(kind)
    }
}

impl From<SignatureError> for ValidationErrorKind {
    fn from(err: SignatureError) -> Self {
        Self::Signature(err.kind())
    }
}

/// Compares with a kind of the validator, as in `err.kind() == SignatureErrorKind::SignatureMismatch`.
impl PartialEq<SignatureErrorKind> for ValidationErrorKind {
    fn eq(&self, other: &SignatureErrorKind) -> bool {
        *self == Self::Signature(*other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_explains_each_kind() {
        let guide = include_str!("../guide/troubleshooting.md");
        for kind in ValidationErrorKind::all() {
            let explained = [
                format!("| `{kind}` |", kind = kind.as_str()),
                format!("# 403, `{}`", kind.as_str()),
            ];
            assert!(
                explained.iter().any(|text| guide.contains(text)),
                "{kind:?}"
            );
        }
    }
}
