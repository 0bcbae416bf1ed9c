//! Why a request was refused, and why a configuration was.

use std::{borrow::Cow, error::Error, fmt};

/// The error of a request that is not let through.
///
/// It says why by its [`kind`](Self::kind), and nothing of the request: no URL, no parameter, no
/// signature. Outside, it is a status and a fixed sentence that are the same for every forgery.
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
    /// Whether a handler asked for a proof in vain, which the log has not said yet.
    pub(crate) unproven: bool,
}

impl ValidationError {
    /// Returns the reason for the refusal.
    #[must_use]
    pub fn kind(&self) -> ValidationErrorKind {
        self.kind
    }

    /// Constructs the error for a handler that takes a proof where there is none. A handler may do without, by
    /// an `Option<Proof>`: it is a misconfiguration only if this becomes the response.
    pub(crate) fn unproven() -> Self {
        Self {
            unproven: true,
            ..ValidationErrorKind::Config.into()
        }
    }
}

/// Makes an error of a kind, for the tests of an error handler.
impl From<ValidationErrorKind> for ValidationError {
    fn from(kind: ValidationErrorKind) -> Self {
        Self {
            kind,
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

/// Declares the kinds of refusal, each with its name and its two sentences.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $reason:literal, $hint:literal;)+) => {
        /// The reasons for which a request is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ValidationErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ValidationErrorKind {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$kind),+];

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

        impl fmt::Display for ValidationErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$kind => $reason,)+
                })
            }
        }
    };
}

kinds! {
    /// The request has no `X-Twilio-Signature` header.
    SignatureMissing = "signature_missing",
        "the request has no X-Twilio-Signature header",
        "this request is not Twilio's, or a proxy removed the header";
    /// The `X-Twilio-Signature` header is not one canonical base64 text of the algorithm's length.
    SignatureMalformed = "signature_malformed",
        "the X-Twilio-Signature header is not a signature",
        "this request is not Twilio's, or a proxy changed the header";
    /// The `X-Twilio-Signature` header stands there several times with different values.
    SignatureConflicting = "signature_conflicting",
        "there are several different X-Twilio-Signature headers",
        "this request is not Twilio's, or a proxy added a header";
    /// No key's signature over the URL and the parameters is the one in the header.
    SignatureMismatch = "signature_mismatch",
        "the signature matches neither this URL and these parameters nor a configured key",
        "compare the URL with the one set at Twilio: if it differs, set TWILIO_WEBHOOK_BASE_URL or TwilioConfig's public_url; else check that the Auth Token is of the account that sent this";
    /// The `X-Twilio-Webhooks-Signature-Settings` header can't be read or names no key.
    SettingsMalformed = "settings_malformed",
        "the X-Twilio-Webhooks-Signature-Settings header can't be read",
        "this request is not Twilio's, or a proxy changed the header";
    /// No Auth Token, or no SharedKey of the id that the request names, is configured.
    KeyUnknown = "key_unknown",
        "the key that the request claims to be signed with is not configured",
        "add the SharedKey or the Auth Token that the account signs with to TwilioConfig";
    /// An `AccountSid` in the request is not `AC` and 32 hex digits, or the body that may have one
    /// can't be read. Only where keys are looked up by account.
    AccountMalformed = "account_malformed",
        "the account that the request claims to come from can't be read",
        "this request is not Twilio's";
    /// The request has several different `AccountSid`. Only where keys are looked up by account.
    AccountConflicting = "account_conflicting",
        "the request claims to come from several accounts",
        "this request is not Twilio's, or the URL that is set at Twilio has an AccountSid of its own";
    /// The key store has no keys for the account. Only where keys are looked up by account.
    AccountUnknown = "account_unknown",
        "the key store knows no keys for the account or key that the request names",
        "add the account and its Auth Token to the key store, or a default for requests that name none";
    /// The key store failed or took too long; the request was not judged.
    KeyStoreFailed = "key_store_failed",
        "the key store failed or took too long",
        "see the error of the key store in the log";
    /// The algorithm that the request names is not `HMAC_SHA1` or `HMAC_SHA256`.
    AlgorithmUnknown = "algorithm_unknown",
        "the request names a signature algorithm other than HMAC_SHA1 and HMAC_SHA256",
        "this request is not Twilio's, or Twilio has a new algorithm: look for a new release";
    /// The `Content-Type` header stands there several times with different values.
    ContentTypeConflicting = "content_type_conflicting",
        "there are several different Content-Type headers",
        "this request is not Twilio's, or a proxy added a header";
    /// A form is in another charset than UTF-8.
    CharsetUnsupported = "charset_unsupported",
        "the form is in a charset other than utf-8",
        "Twilio sends UTF-8: this request is not Twilio's, or a proxy changed it";
    /// The body is compressed or otherwise encoded.
    EncodingUnsupported = "encoding_unsupported",
        "the body has a Content-Encoding",
        "Twilio signs the body as it is: keep the proxy from compressing requests";
    /// The body is not a form, and no `bodySHA256` in the URL covers it.
    BodyHashMissing = "body_hash_missing",
        "the URL has no bodySHA256, so that no signature covers the body",
        "only forms are signed directly: Twilio adds bodySHA256 to the URL of other bodies, so let the proxy keep the query as it is";
    /// The body is not the one whose hash stands in the URL.
    BodyHashMismatch = "body_hash_mismatch",
        "the body is not the one that bodySHA256 in the URL is the hash of",
        "something between Twilio and this app changed the body, or someone replaced it";
    /// The URL has several different `bodySHA256`.
    BodyHashConflicting = "body_hash_conflicting",
        "the URL has several different bodySHA256",
        "remove bodySHA256 from the URL that is set at Twilio";
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large",
        "the body is larger than the limit",
        "raise TwilioConfig's body_limit if Twilio really sends this much";
    /// The body did not arrive within the time limit.
    BodyTooSlow = "body_too_slow",
        "the body did not arrive within the time limit",
        "look for a slow network or proxy, or raise TwilioConfig's body_timeout";
    /// The body broke off, or its transfer coding was wrong.
    BodyIncomplete = "body_incomplete",
        "the body broke off",
        "the sender or a proxy closed the connection, or sent a malformed body";
    /// The request does not tell the URL that Twilio requested: its `Host` or a trusted forwarded
    /// header is missing or malformed.
    OriginMalformed = "origin_malformed",
        "the host or the scheme that the request was sent to can't be told",
        "set TWILIO_WEBHOOK_BASE_URL or TwilioConfig's public_url, or correct the header that the proxy sets";
    /// The server's own configuration is at fault; the request was not judged.
    Config = "config",
        "the configuration of actix-twilio is missing or wrong",
        "set TWILIO_AUTH_TOKEN, or add a TwilioConfig to the app's app_data";
}

/// The error of a configuration that can't work: it names the setting, what is wrong with its
/// value, and what to do. It never shows a secret.
///
/// # Examples
///
/// ```
/// use actix_twilio::AuthToken;
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
    pub(crate) fn new(
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

    /// Renames the setting: to that of the environment variable that the value came from.
    pub(crate) fn of(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }

    /// Returns the name of the setting that is wrong.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting
    }
}

/// Prints the sentences: this is what a `main` that returns the error shows.
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
    fn guide_explains_each_kind() {
        let guide = include_str!("../guide/troubleshooting.md");
        for kind in ValidationErrorKind::ALL {
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
