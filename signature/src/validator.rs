//! The verdict on a request: pure, with no framework, no clock and no globals.

use std::{borrow::Cow, fmt};

use crate::{
    coverage::{Coverage, check_body_hash},
    error::{ConfigError, ValidationError, ValidationErrorKind},
    key::{Algorithm, AuthToken, SharedKey},
    params::{Room, write_signed},
    printable::printable_url,
    request::WebhookRequest,
    signature::{KeyClaim, Signature, SignatureClaim},
    url::candidates,
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
/// use actix_twilio::{AuthToken, RequestValidator, ValidationErrorKind, WebhookRequest};
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
/// assert_eq!(err.kind(), ValidationErrorKind::SignatureMismatch);
/// # Ok::<(), actix_twilio::ConfigError>(())
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
    /// Returns an error of the [kind](ValidationErrorKind) that says why the request is not
    /// genuine, or why that can't be told. Every request that is not provably genuine is refused.
    pub fn validate<'a>(&self, req: &WebhookRequest<'a>) -> Result<Accepted<'a>, ValidationError> {
        let claim = SignatureClaim::parse(req.signature, req.settings)?;
        let keys = self.keys(claim.key)?;
        keys.check_all(Coverage::of(req)?, &claim.signature, req)
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
    /// use actix_twilio::{AuthToken, RequestValidator, WebhookRequest};
    ///
    /// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
    /// let request = WebhookRequest::new("GET", "https://example.com/status?CallStatus=busy");
    /// let signature = validator.sign(&request)?;
    /// assert!(validator.validate(&request.signature(&signature)).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, req: &WebhookRequest<'_>) -> Result<String, ValidationError> {
        let keys = self.keys(KeyClaim::parse(req.settings)?)?;
        let mut room = Room::new();
        let params = match Coverage::of(req)? {
            Coverage::Parameters => {
                let params = write_signed(req.body, &mut room);
                if params.is_empty() {
                    check_body_hash(&req.body(&[]))?;
                }
                params
            }
            Coverage::Url => {
                check_body_hash(req)?;
                &[]
            }
        };
        let text = [req.url.as_bytes(), params];
        let signature = match keys {
            Keys::AuthTokens(tokens) => tokens.first().map(|token| token.sign(text)),
            Keys::SharedKey(key, algorithm) => Some(key.sign(algorithm, text)),
        };
        match signature {
            Some(signature) => Ok(signature.to_base64()),
            None => Err(ValidationErrorKind::KeyUnknown.into()),
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
    /// SharedKey is never tried against another key.
    pub(crate) fn keys(&self, claim: KeyClaim<'_>) -> Result<Keys<'_>, ValidationError> {
        let keys = match claim {
            KeyClaim::AuthToken if self.auth_tokens.is_empty() => None,
            KeyClaim::AuthToken => Some(Keys::AuthTokens(&self.auth_tokens)),
            KeyClaim::SharedKey { id, algorithm } => self
                .shared_keys
                .iter()
                .find(|key| key.id().as_bytes() == id)
                .map(|key| Keys::SharedKey(key, algorithm)),
        };
        keys.ok_or_else(|| ValidationErrorKind::KeyUnknown.into())
    }
}

/// The keys that may have made a request's signature.
#[derive(Clone, Copy)]
pub(crate) enum Keys<'k> {
    AuthTokens(&'k [AuthToken]),
    SharedKey(&'k SharedKey, Algorithm),
}

impl Keys<'_> {
    /// Checks a signature and that it covers the whole body.
    pub(crate) fn check_all<'a>(
        self,
        coverage: Coverage,
        signature: &Signature,
        req: &WebhookRequest<'a>,
    ) -> Result<Accepted<'a>, ValidationError> {
        match coverage {
            Coverage::Parameters => self.check_form(signature, req),
            Coverage::Url => {
                let accepted = self.check_url(signature, req)?;
                check_body_hash(req)?;
                Ok(accepted)
            }
        }
    }

    /// Checks a signature over the URL and the parameters of the form in the body.
    pub(crate) fn check_form<'a>(
        self,
        signature: &Signature,
        req: &WebhookRequest<'a>,
    ) -> Result<Accepted<'a>, ValidationError> {
        let mut room = Room::new();
        let params = write_signed(req.body, &mut room);
        let accepted = self.check(signature, req, params)?;
        if params.is_empty() {
            // Such a form adds nothing to the signed text, so that anyone who saw a request with
            // another body could put this one in its place: it counts as an empty body.
            check_body_hash(&req.body(&[]))?;
        }
        Ok(accepted)
    }

    /// Checks a signature over the URL alone.
    pub(crate) fn check_url<'a>(
        self,
        signature: &Signature,
        req: &WebhookRequest<'a>,
    ) -> Result<Accepted<'a>, ValidationError> {
        self.check(signature, req, &[])
    }

    fn check<'a>(
        self,
        signature: &Signature,
        req: &WebhookRequest<'a>,
        params: &[u8],
    ) -> Result<Accepted<'a>, ValidationError> {
        for candidate in candidates(req.url, req.method == "GET") {
            let url = candidate.url.as_bytes();
            let key = match candidate.query_as_params {
                None => self.find(signature, [url, params]),
                Some(query) => {
                    let mut room = Room::new();
                    self.find(signature, [url, write_signed(query.as_bytes(), &mut room)])
                }
            };
            if let Some(key) = key {
                return Ok(Accepted {
                    key,
                    url: candidate.url,
                });
            }
        }
        Err(ValidationErrorKind::SignatureMismatch.into())
    }

    /// Returns the key that yields this signature for a text.
    fn find(self, signature: &Signature, text: [&[u8]; 2]) -> Option<MatchedKey> {
        match self {
            Self::AuthTokens(tokens) => tokens
                .iter()
                .position(|token| token.sign(text).matches(signature))
                .map(MatchedKey::AuthToken),
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
            .field("url", &printable_url(&self.url))
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
