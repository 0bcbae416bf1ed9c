//! Why a request is not let through.

use std::{error::Error, fmt};

use twilio_signature::{SignatureError, SignatureErrorKind};

pub use twilio_signature::ConfigError;

/// The error of a request that is not let through.
///
/// It holds the reason, its [`kind`](Self::kind), and nothing of the request: no URL, no parameter and no
/// signature. The client sees a status and a fixed sentence that are the same for every forgery.
///
/// # Examples
///
/// A logger finds it in the response:
///
/// ```
/// use actix_twilio::ValidationError;
/// use actix_web::dev::ServiceResponse;
///
/// fn refusal<B>(res: &ServiceResponse<B>) -> Option<&'static str> {
///     let err = res.response().error()?.as_error::<ValidationError>()?;
///     Some(err.kind().as_str())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    kind: ValidationErrorKind,
    /// Whether a handler asked for a proof that does not exist, which the log has not said yet.
    pub(crate) unproven: bool,
}

impl ValidationError {
    /// Returns the reason for the refusal.
    #[must_use]
    pub fn kind(&self) -> ValidationErrorKind {
        self.kind
    }

    /// Constructs the error for a handler that takes a proof where there is none. A handler may accept that
    /// with an `Option<Proof>`: it is a misconfiguration only if this becomes the response.
    pub(crate) fn unproven() -> Self {
        Self {
            unproven: true,
            ..ValidationErrorKind::Config.into()
        }
    }
}

/// Makes an error of a kind, for the tests of an error handler.
impl<K: Into<ValidationErrorKind>> From<K> for ValidationError {
    fn from(kind: K) -> Self {
        Self {
            kind: kind.into(),
            unproven: false,
        }
    }
}

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
            /// The request is not genuine, or its keys are not configured: the validator's own reason.
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

            /// Returns what an operator can do about it.
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
    /// The key store has no keys for the account. Only where keys are looked up by account.
    AccountUnknown = "account_unknown",
        "the key store has no keys for the account or key that the request names",
        "add the account and its Auth Token to the key store, or a default for requests that name no account";
    /// The key store failed or took too long; the request was not validated.
    KeyStoreFailed = "key_store_failed",
        "the key store failed or took too long",
        "read the error of the key store in the log";
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large",
        "the body is larger than the limit",
        "raise TwilioConfig's body_limit if Twilio really sends this much";
    /// The body did not arrive within the time limit.
    BodyTooSlow = "body_too_slow",
        "the body did not arrive within the time limit",
        "look for a slow network or proxy, or raise TwilioConfig's body_timeout";
    /// The body broke off, or its transfer coding was malformed.
    BodyIncomplete = "body_incomplete",
        "the body broke off",
        "the sender or a proxy closed the connection, or sent a malformed body";
    /// Another middleware read or replaced the body after it was validated: the handler would have got a
    /// body that nobody validated.
    BodyReplaced = "body_replaced",
        "the body is not the one that was validated",
        "a middleware between TwilioValidation and the handler read or replaced the body: wrap TwilioValidation inside of it, or have it put the body back";
    /// The URL that Twilio requested can't be determined: the `Host` or a trusted forwarded header is
    /// missing or malformed.
    OriginMalformed = "origin_malformed",
        "the host or the scheme that Twilio requested can't be determined",
        "set TWILIO_WEBHOOK_BASE_URL or TwilioConfig's public_url, or correct the header that the proxy sets";
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

/// Compares with a validator's own reason.
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
