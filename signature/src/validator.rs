//! The verdict on a request, in stages that are types: each can only be made by the one before.

use std::{borrow::Cow, fmt};

use crate::{
    body::BodyKind,
    candidates::candidates,
    claim::{KeyClaim, SignatureClaim},
    error::{ConfigError, SignatureError, SignatureErrorKind},
    form::{Buf, write_signed},
    key::{Algorithm, AuthToken, SharedKey},
    mac::Signature,
    redact,
    request::WebhookRequest,
};

/// Validates webhook requests against a set of keys, and signs them.
///
/// Build it once and use it for each request: the keys are prepared when it is built.
///
/// A request is accepted if its `X-Twilio-Signature` is that of its URL and parameters under one
/// of the keys, and if everything in its body is covered by that signature. Several Auth Tokens are
/// tried in turn, so that both are valid while a token is rotated. A request that names a SharedKey
/// is validated with that very key and algorithm, any other one with the Auth Tokens and HMAC-SHA1.
///
/// The rules are Twilio's: <https://www.twilio.com/docs/usage/security#validating-requests>.
///
/// # Security
///
/// All Auth Tokens in one validator are equal: whoever holds one may speak for all. List only
/// tokens of one account.
///
/// # Examples
///
/// ```
/// use twilio_signature::{AuthToken, RequestValidator, SignatureErrorKind, WebhookRequest};
///
/// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
///
/// let request = WebhookRequest::new("POST", "https://example.com/myapp.php?foo=1&bar=2")
///     .content_type("application/x-www-form-urlencoded")
///     .body("CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234\
///            &From=%2B14158675310&To=%2B18005551212");
///
/// let genuine = request.signature("L/OH5YylLD5NRKLltdqwSvS0BnU=");
/// assert!(validator.validate(&genuine).is_ok());
///
/// let forged = request.signature("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
/// let err = validator.validate(&forged).unwrap_err();
/// assert_eq!(err.kind(), SignatureErrorKind::SignatureMismatch);
/// # Ok::<(), twilio_signature::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RequestValidator {
    auth_tokens: Vec<AuthToken>,
    shared_keys: Vec<SharedKey>,
}

impl RequestValidator {
    /// Constructs a validator from the Auth Tokens that are valid at present.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none.
    pub fn new(auth_tokens: impl IntoIterator<Item = AuthToken>) -> Result<Self, ConfigError> {
        Self::with_keys(auth_tokens, [])
    }

    /// Constructs a validator from Auth Tokens and SharedKeys.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no keys at all, or two SharedKeys of the same id.
    pub fn with_keys(
        auth_tokens: impl IntoIterator<Item = AuthToken>,
        shared_keys: impl IntoIterator<Item = SharedKey>,
    ) -> Result<Self, ConfigError> {
        let auth_tokens: Vec<_> = auth_tokens.into_iter().collect();
        let shared_keys: Vec<_> = shared_keys.into_iter().collect();
        if auth_tokens.is_empty() && shared_keys.is_empty() {
            return Err(ConfigError::new(
                "Auth Token",
                "there is none",
                "set TWILIO_AUTH_TOKEN, or give one to the builder",
            ));
        }
        // R17
        let mut ids: Vec<_> = shared_keys.iter().map(SharedKey::id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(ConfigError::new(
                "SharedKey id",
                "two keys have the same one",
                "give each SharedKey once",
            ));
        }
        Ok(Self {
            auth_tokens,
            shared_keys,
        })
    }

    /// Validates a request.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind that says why the request is not genuine. The kinds come from three
    /// stages, of which a later one is only reached if those before pass:
    ///
    /// 1. the head, [`CheckedHead::of`]: `SignatureMissing`, `SignatureConflicting`, `SignatureMalformed`,
    ///    `SettingsMalformed`, `AlgorithmUnknown`, `EncodingUnsupported`, `ContentTypeConflicting`,
    ///    `CharsetUnsupported`;
    /// 2. keys and URL, [`CheckedHead::check_url`]: `KeyUnknown`, and `SignatureMismatch` for what is signed
    ///    by its URL;
    /// 3. the body, [`CheckedUrl::check_body`]: `SignatureMismatch` for a form, `BodyHashMissing`,
    ///    `BodyHashMismatch`, `BodyHashConflicting`.
    ///
    /// Every request that is not provably genuine is refused.
    pub fn validate<'a>(&self, req: &WebhookRequest<'a>) -> Result<Accepted<'a>, SignatureError> {
        CheckedHead::of(req)?.check(self, req)
    }

    /// Signs a request, so that a test or a client can send it: returns the value for its
    /// `X-Twilio-Signature` header.
    ///
    /// The signature is made over the URL as it is, with the first Auth Token; or, if the request
    /// has [signature settings](WebhookRequest::signature_settings), with the SharedKey and the
    /// algorithm that they name. A signature that the request carries already plays no part.
    ///
    /// # Errors
    ///
    /// Returns an error if [`validate`](Self::validate) would refuse the request whatever its
    /// signature: a body that is no form and whose [hash](crate::body_sha256) is not in the URL, an
    /// unknown key, an encoded body.
    ///
    /// # Examples
    ///
    /// ```
    /// use twilio_signature::{AuthToken, RequestValidator, WebhookRequest};
    ///
    /// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
    /// let request = WebhookRequest::new("GET", "https://example.com/status?CallStatus=busy");
    /// let signature = validator.sign(&request)?;
    /// assert!(validator.validate(&request.signature(&signature)).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, req: &WebhookRequest<'_>) -> Result<String, SignatureError> {
        let keys = self.keys(KeyClaim::parse(req.settings)?)?;
        let body_kind = BodyKind::of(req)?;
        let mut buf = Buf::new();
        let params = body_kind.signed_params(req.body, &mut buf);
        body_kind.check_rest(req, params)?;
        let text = [req.url.as_bytes(), params];
        let signature = match keys {
            Keys::AuthTokens(tokens) => tokens.first().map(|token| token.sign(text)),
            Keys::SharedKey(key, algorithm) => Some(key.sign(algorithm, text)),
        };
        match signature {
            Some(signature) => Ok(signature.to_base64()),
            None => Err(SignatureErrorKind::KeyUnknown.into()),
        }
    }

    #[cfg(feature = "explain")]
    pub(crate) fn auth_tokens(&self) -> &[AuthToken] {
        &self.auth_tokens
    }

    #[cfg(feature = "explain")]
    pub(crate) fn shared_keys(&self) -> &[SharedKey] {
        &self.shared_keys
    }

    /// Chooses the keys that may have made a signature. There is no fallback: a claim on a
    /// SharedKey is never tried against another key (R17).
    pub(crate) fn keys(&self, claim: KeyClaim<'_>) -> Result<Keys<'_>, SignatureError> {
        // R17
        let keys = match claim {
            KeyClaim::AuthToken if self.auth_tokens.is_empty() => None,
            KeyClaim::AuthToken => Some(Keys::AuthTokens(&self.auth_tokens)),
            KeyClaim::SharedKey { id, algorithm } => self
                .shared_keys
                .iter()
                .find(|key| key.id().as_bytes() == id)
                .map(|key| Keys::SharedKey(key, algorithm)),
        };
        keys.ok_or_else(|| SignatureErrorKind::KeyUnknown.into())
    }
}

/// The first stage of a verdict: a request whose head is well-formed. It needs no key, no URL and no body.
///
/// A framework that reads the body itself runs the stages one by one, and stops at the first error: before
/// the body is read, before keys are looked up. [`RequestValidator::validate`] runs them in a row.
///
/// # Examples
///
/// ```
/// use twilio_signature::{AuthToken, RequestValidator, WebhookRequest, stages::CheckedHead};
///
/// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
/// let head = WebhookRequest::new("GET", "").signature("GWPK65ZeLeY8mgFb30piWRkT1X4=");
///
/// let head = CheckedHead::of(&head)?;
/// let url = head.check_url(&validator, "https://example.com/status", "")?;
/// assert!(url.check_body(b"").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CheckedHead<'a> {
    /// Without its URL and its body.
    request: WebhookRequest<'a>,
    claim: SignatureClaim<'a>,
    body_kind: BodyKind,
}

impl<'a> CheckedHead<'a> {
    /// Checks the head of a request: the signature headers, then `Content-Encoding` and `Content-Type`.
    ///
    /// # Errors
    ///
    /// Returns an error if a header is missing, malformed, conflicting or unsupported.
    #[inline]
    pub fn of(req: &WebhookRequest<'a>) -> Result<Self, SignatureError> {
        Ok(Self {
            claim: SignatureClaim::parse(req.signature, req.settings)?,
            body_kind: BodyKind::of(req)?,
            request: *req,
        })
    }

    /// Returns how the signature covers the body.
    #[must_use]
    pub fn body_kind(&self) -> BodyKind {
        self.body_kind
    }

    /// Returns the id of the SharedKey that the request claims to be signed with; nothing if it is an Auth
    /// Token.
    #[must_use]
    pub fn shared_key_id(&self) -> Option<&'a [u8]> {
        match self.claim.key {
            KeyClaim::AuthToken => None,
            KeyClaim::SharedKey { id, .. } => Some(id),
        }
    }

    /// Runs the other two stages on the same request, whose URL and body are known now.
    ///
    /// # Errors
    ///
    /// Returns an error as [`check_url`](Self::check_url) and [`CheckedUrl::check_body`] do.
    #[inline]
    pub fn check(
        &self,
        validator: &RequestValidator,
        req: &WebhookRequest<'a>,
    ) -> Result<Accepted<'a>, SignatureError> {
        self.check_url(validator, req.url, req.base_path)?
            .check_body(req.body)
    }

    /// Checks the keys and, for a request that is signed by its URL alone, the signature. `url` and
    /// `base_path` are those of [`WebhookRequest`].
    ///
    /// # Errors
    ///
    /// Returns an error if the key is not configured or the signature does not match.
    #[inline]
    pub fn check_url<'k>(
        &self,
        validator: &'k RequestValidator,
        url: &'a str,
        base_path: &'a str,
    ) -> Result<CheckedUrl<'k, 'a>, SignatureError> {
        let keys = validator.keys(self.claim.key)?;
        let request = self.request.url(url).base_path(base_path);
        let signature = self.claim.signature.clone();
        let signed = match self.body_kind {
            BodyKind::Form => Signed::WithBody(keys, signature),
            // Before the body is read, since it takes no part.
            BodyKind::Other => Signed::ByUrl(keys.check(&signature, &request, &[])?),
        };
        Ok(CheckedUrl {
            request,
            body_kind: self.body_kind,
            signed,
        })
    }
}

/// Prints no header.
impl fmt::Debug for CheckedHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedHead")
            .field("body_kind", &self.body_kind)
            .finish_non_exhaustive()
    }
}

/// The second stage of a verdict: a request whose key is known, and whose signature matches if the URL alone
/// is signed. Only [`CheckedHead::check_url`] makes one.
pub struct CheckedUrl<'k, 'a> {
    /// Without its body.
    request: WebhookRequest<'a>,
    body_kind: BodyKind,
    signed: Signed<'k, 'a>,
}

/// What is known of the signature before the body is.
enum Signed<'k, 'a> {
    /// It matches: the URL alone is signed.
    ByUrl(Accepted<'a>),
    /// It can't be checked without the parameters in the body.
    WithBody(Keys<'k>, Signature),
}

impl<'a> CheckedUrl<'_, 'a> {
    /// Checks the body, the last stage of a verdict.
    ///
    /// # Errors
    ///
    /// Returns an error if the signature does not match, or does not cover the whole body.
    #[inline]
    pub fn check_body(self, body: &[u8]) -> Result<Accepted<'a>, SignatureError> {
        let Self {
            request,
            body_kind,
            signed,
        } = self;
        let mut buf = Buf::new();
        let params = body_kind.signed_params(body, &mut buf);
        let accepted = match signed {
            Signed::ByUrl(accepted) => accepted,
            Signed::WithBody(keys, signature) => keys.check(&signature, &request, params)?,
        };
        body_kind.check_rest(&request.body(body), params)?;
        Ok(accepted)
    }
}

/// Prints no URL.
impl fmt::Debug for CheckedUrl<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedUrl")
            .field("body_kind", &self.body_kind)
            .finish_non_exhaustive()
    }
}

/// The keys that may have made a request's signature.
#[derive(Clone, Copy)]
pub(crate) enum Keys<'k> {
    AuthTokens(&'k [AuthToken]),
    SharedKey(&'k SharedKey, Algorithm),
}

impl Keys<'_> {
    /// Checks a signature over a request's URL and these parameters.
    fn check<'a>(
        self,
        signature: &Signature,
        req: &WebhookRequest<'a>,
        params: &[u8],
    ) -> Result<Accepted<'a>, SignatureError> {
        // R10
        for candidate in candidates(req) {
            let url = candidate.url.as_bytes();
            let key = match candidate.query_as_params {
                None => self.find(signature, [url, params]),
                // R10.4
                Some(query) => {
                    let mut buf = Buf::new();
                    self.find(signature, [url, write_signed(query.as_bytes(), &mut buf)])
                }
            };
            if let Some(key) = key {
                return Ok(Accepted {
                    key,
                    url: candidate.url,
                });
            }
        }
        Err(SignatureErrorKind::SignatureMismatch.into())
    }

    /// Returns the key that yields this signature for a text.
    fn find(self, signature: &Signature, text: [&[u8]; 2]) -> Option<MatchedKey> {
        match self {
            // R16
            Self::AuthTokens(tokens) => tokens
                .iter()
                .position(|token| token.sign(text).matches(signature))
                .map(MatchedKey::AuthToken),
            // R17
            Self::SharedKey(key, algorithm) => key
                .sign(algorithm, text)
                .matches(signature)
                .then(|| MatchedKey::SharedKey(key.id().to_owned())),
        }
    }
}

/// The verdict on a genuine request: by which key, and for which form of its URL.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted<'a> {
    /// The key that made the signature.
    pub key: MatchedKey,
    /// The URL that was signed: the request's own, or a candidate for it, with the default port,
    /// say.
    pub url: Cow<'a, str>,
}

/// Prints the URL without the values of its query, which may be personal data.
impl fmt::Debug for Accepted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("key", &self.key)
            .field("url", &redact::url(&self.url))
            .finish()
    }
}

/// A key, named without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchedKey {
    /// The Auth Token at this position, from 0, of those that the validator was built with. While a
    /// token is rotated, this tells which one Twilio signs with.
    AuthToken(usize),
    /// The SharedKey of this id.
    SharedKey(String),
}
