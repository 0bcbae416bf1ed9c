//! Why a request is refused, and why a setting is.

use std::{borrow::Cow, error::Error, fmt};

/// The error of a request that is not genuine.
///
/// It holds the reason, its [`kind`](Self::kind), and nothing of the request: no URL, no parameter and no
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

/// Makes an error of a kind, for the tests of code that handles errors.
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

            /// Returns what an operator can do about it.
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
        "Twilio did not send this request, or a proxy removed the header";
    /// The `X-Twilio-Signature` header is not one canonical base64 text of the algorithm's length.
    SignatureMalformed = "signature_malformed",
        "the X-Twilio-Signature header is not a signature",
        "Twilio did not send this request, or a proxy changed the header";
    /// The request has several `X-Twilio-Signature` headers with different values.
    SignatureConflicting = "signature_conflicting",
        "there are several different X-Twilio-Signature headers",
        "Twilio did not send this request, or a proxy added a header";
    /// No key's signature over the URL and the parameters is the one in the header.
    SignatureMismatch = "signature_mismatch",
        "the signature does not match this URL, these parameters and the configured keys",
        "compare the URL with the one set at Twilio: if they differ, set TWILIO_WEBHOOK_BASE_URL or TwilioConfig's public_url; if not, check that the Auth Token belongs to the account that sent this";
    /// The `X-Twilio-Webhooks-Signature-Settings` header is malformed or names no key.
    SettingsMalformed = "settings_malformed",
        "the X-Twilio-Webhooks-Signature-Settings header is malformed",
        "Twilio did not send this request, or a proxy changed the header";
    /// No Auth Token is configured, or no SharedKey with the id that the request names.
    KeyUnknown = "key_unknown",
        "the key that the request claims to be signed with is not configured",
        "add the SharedKey or the Auth Token that the account signs with to TwilioConfig";
    /// An `AccountSid` in the request is not `AC` and 32 hex digits, or the body that may contain one
    /// is malformed. Only where keys are looked up by account.
    AccountMalformed = "account_malformed",
        "the account that the request claims to come from is malformed",
        "Twilio did not send this request";
    /// The request has several different `AccountSid`s. Only where keys are looked up by account.
    AccountConflicting = "account_conflicting",
        "the request claims to come from several accounts",
        "Twilio did not send this request, or the URL set at Twilio has an AccountSid of its own";
    /// The algorithm that the request names is neither `HMAC_SHA1` nor `HMAC_SHA256`.
    AlgorithmUnknown = "algorithm_unknown",
        "the request names a signature algorithm other than HMAC_SHA1 and HMAC_SHA256",
        "Twilio did not send this request, or Twilio has a new algorithm: look for a new release of this crate";
    /// The request has several `Content-Type` headers with different values.
    ContentTypeConflicting = "content_type_conflicting",
        "there are several different Content-Type headers",
        "Twilio did not send this request, or a proxy added a header";
    /// A form has a charset other than UTF-8.
    CharsetUnsupported = "charset_unsupported",
        "the form has a charset other than utf-8",
        "Twilio sends UTF-8: Twilio did not send this request, or a proxy changed it";
    /// The body is compressed or otherwise encoded.
    EncodingUnsupported = "encoding_unsupported",
        "the body has a Content-Encoding",
        "Twilio signs the body as it is: stop the proxy from compressing requests";
    /// The body is not a form, and no `bodySHA256` in the URL covers it.
    BodyHashMissing = "body_hash_missing",
        "the URL has no bodySHA256, so no signature covers the body",
        "only forms are signed directly: Twilio adds bodySHA256 to the URL of other bodies, so configure the proxy so that it keeps the query";
    /// The body does not have the hash that `bodySHA256` in the URL gives.
    BodyHashMismatch = "body_hash_mismatch",
        "the body does not have the hash that bodySHA256 in the URL gives",
        "something between Twilio and this app changed the body, or someone replaced it";
    /// The URL has several different `bodySHA256`s.
    BodyHashConflicting = "body_hash_conflicting",
        "the URL has several different values of bodySHA256",
        "remove bodySHA256 from the URL that is set at Twilio";
}

/// The error of a setting that can't work: it names the setting, what is wrong with its value, and
/// what to do. It never shows a secret.
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
    /// Constructs an error from the name of the setting, what is wrong with its value, and what to do: a
    /// clause each, without a full stop. Put no secret into them.
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

    /// Renames the setting, such as to the environment variable that the value came from.
    #[must_use]
    pub fn renamed(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }

    /// Returns the name of the setting that is wrong.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting
    }

    /// Returns what is wrong with the setting's value, a clause without a full stop.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns what to do, a clause without a full stop.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

/// Prints the sentence: this is what a `main` that returns the error shows.
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
