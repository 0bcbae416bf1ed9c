//! The errors of this crate: why a request is refused, and what is wrong with a setting.

use std::{borrow::Cow, error::Error, fmt};

/// An error that says why a request is not genuine.
///
/// It contains the reason, its [`kind`](Self::kind), and nothing from the request: no URL, no parameter and no
/// signature.
#[cfg(feature = "validator")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureError {
    kind: SignatureErrorKind,
}

#[cfg(feature = "validator")]
impl SignatureError {
    /// Returns the reason for the refusal.
    #[must_use]
    pub fn kind(&self) -> SignatureErrorKind {
        self.kind
    }
}

/// Makes an error from its kind, for tests of code that handles errors.
#[cfg(feature = "validator")]
impl From<SignatureErrorKind> for SignatureError {
    fn from(kind: SignatureErrorKind) -> Self {
        Self { kind }
    }
}

#[cfg(feature = "validator")]
impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

#[cfg(feature = "validator")]
impl Error for SignatureError {}

/// Declares the kinds of refusal, each with its name, its sentence and its hint.
#[cfg(feature = "validator")]
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $reason:literal, $hint:literal;)+) => {
        /// The reasons why a request is not genuine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SignatureErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl SignatureErrorKind {
            /// All kinds, in the order in which they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Returns the kind's name in `snake_case`, a stable label for logs and metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Returns what an operator can do about it: a clause without a full stop.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self {
                    $(Self::$kind => $hint,)+
                }
            }
        }

        impl fmt::Display for SignatureErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$kind => $reason,)+
                })
            }
        }
    };
}

#[cfg(feature = "validator")]
kinds! {
    /// The request has no `X-Twilio-Signature` header.
    SignatureMissing = "signature_missing",
        "the request has no X-Twilio-Signature header",
        "if Twilio did not send it (a browser, a scanner), there is nothing to do; if Twilio did, make the proxy pass X-Twilio-Signature on";
    /// The value of the `X-Twilio-Signature` header is not canonical base64, or does not have the length
    /// that the algorithm yields.
    SignatureMalformed = "signature_malformed",
        "the value of the X-Twilio-Signature header is not a signature",
        "in a test, sign it with testing::Signer; if Twilio sent it, make the proxy pass X-Twilio-Signature on unchanged";
    /// The request has several `X-Twilio-Signature` headers with different values.
    SignatureConflicting = "signature_conflicting",
        "the request has several X-Twilio-Signature headers with different values",
        "either Twilio did not send this request, or a proxy added a header: make the proxy pass on Twilio's alone";
    /// No configured key yields the signature in the header for the URL and the parameters.
    SignatureMismatch = "signature_mismatch",
        "the signature does not match this URL and these parameters with any configured key",
        "if Twilio has another URL, set TWILIO_WEBHOOK_BASE_URL to its base; otherwise check the Auth Token";
    /// The `X-Twilio-Webhooks-Signature-Settings` header is malformed or names no key.
    SettingsMalformed = "settings_malformed",
        "the X-Twilio-Webhooks-Signature-Settings header is malformed",
        "either Twilio did not send this request, or a proxy changed the header: make the proxy pass it on unchanged";
    /// The request names a SharedKey that is not configured, or it names none and no Auth Token is configured.
    KeyUnknown = "key_unknown",
        "the key that the request claims to be signed with is not configured",
        "add to TwilioConfig the SharedKey or the Auth Token that the account signs with";
    /// An `AccountSid` in the request is not `AC` and 32 hex digits, or the JSON that may contain one is
    /// malformed. This occurs only if keys are looked up by account.
    AccountMalformed = "account_malformed",
        "the AccountSid in the request is malformed, or the JSON that may contain one is",
        "there is nothing to do: Twilio did not send this request";
    /// The request has several different `AccountSid`s. This occurs only if keys are looked up by account.
    AccountConflicting = "account_conflicting",
        "the request claims to come from several accounts",
        "either Twilio did not send this request, or the URL set at Twilio contains an AccountSid: remove it from the URL";
    /// The algorithm that the request names is neither `HMAC_SHA1` nor `HMAC_SHA256`.
    AlgorithmUnknown = "algorithm_unknown",
        "the request names a signature algorithm other than HMAC_SHA1 and HMAC_SHA256",
        "if Twilio sent it, update actix-twilio: this version does not know the algorithm; if not, there is nothing to do";
    /// The request has several `Content-Type` headers with different values.
    ContentTypeConflicting = "content_type_conflicting",
        "the request has several Content-Type headers with different values",
        "either Twilio did not send this request, or a proxy added a header: make the proxy pass on Twilio's alone";
    /// The form has a charset other than UTF-8.
    CharsetUnsupported = "charset_unsupported",
        "the form has a charset other than UTF-8",
        "make the proxy pass the form on in UTF-8, as Twilio sends it; if no proxy converts it, Twilio did not send it";
    /// The body is compressed or otherwise encoded.
    EncodingUnsupported = "encoding_unsupported",
        "the body has a Content-Encoding",
        "stop the proxy from compressing requests: Twilio signs the uncompressed body";
    /// The body is not a form, and no `bodySHA256` in the URL covers it.
    BodyHashMissing = "body_hash_missing",
        "the URL has no bodySHA256, so no signature covers the body",
        "Twilio signs only forms directly, and adds bodySHA256 to the URL for any other body: make the proxy keep the query and the Content-Type";
    /// The SHA-256 of the body differs from `bodySHA256` in the URL.
    BodyHashMismatch = "body_hash_mismatch",
        "the SHA-256 of the body differs from bodySHA256 in the URL",
        "make the proxy or the gateway pass the body on byte for byte, without formatting JSON again; if nothing changes it, the request is forged";
    /// The URL has several different values of `bodySHA256`.
    BodyHashConflicting = "body_hash_conflicting",
        "the URL has several different values of bodySHA256",
        "remove bodySHA256 from the URL that is set at Twilio";
}

/// An error that says which setting can't work, what is wrong with its value, and what to do.
///
/// It never contains a secret.
///
/// # Examples
///
/// ```
/// use twilio_signature::AuthToken;
///
/// let err = AuthToken::new(" ").unwrap_err();
/// assert!(err.to_string().starts_with("Auth Token: it is empty or blank"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    setting: &'static str,
    problem: Cow<'static, str>,
    fix: Cow<'static, str>,
}

impl ConfigError {
    /// Constructs an error from the name of a setting, the problem with its value, and the fix.
    ///
    /// The problem and the fix are clauses without a full stop. Neither may contain a secret.
    pub fn new(
        setting: &'static str,
        problem: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            setting,
            problem: problem.into(),
            fix: fix.into(),
        }
    }

    /// Replaces the name of the setting, for example with the name of the environment variable.
    #[must_use]
    pub fn renamed(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }

    /// Returns the name of the setting that is wrong.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting
    }

    /// Returns what is wrong with the setting's value: a clause without a full stop.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns what to do: a clause without a full stop.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

/// Prints the whole sentence, because a `main` that returns the error shows its `Debug`.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigError({self})")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.setting, self.problem, self.fix)
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_error_is_printed_as_its_sentence() {
        let err = ConfigError::new("setting", "it is wrong", "mend it").renamed("TWILIO_SETTING");
        assert_eq!(err.setting(), "TWILIO_SETTING");
        assert_eq!(err.problem(), "it is wrong");
        assert_eq!(err.fix(), "mend it");
        assert_eq!(err.to_string(), "TWILIO_SETTING: it is wrong; mend it");
        assert_eq!(
            format!("{err:?}"),
            "ConfigError(TWILIO_SETTING: it is wrong; mend it)"
        );
    }

    #[cfg(feature = "validator")]
    #[test]
    fn signature_error_is_printed_as_its_kind() {
        for kind in SignatureErrorKind::ALL {
            let err = SignatureError::from(*kind);
            assert_eq!(err.kind(), *kind);
            assert_eq!(err.to_string(), kind.to_string());
            assert!(!err.to_string().is_empty(), "{kind:?}");
        }
    }
}
