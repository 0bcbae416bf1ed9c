//! Validates a request in three stages. Each stage is a type that only the stage before it can make.

use std::{borrow::Cow, fmt};

use crate::{
    body::BodyKind,
    candidates::candidates,
    claim::{KeyClaim, SignatureClaim},
    error::{ConfigError, SignatureError, SignatureErrorKind},
    form::{Buf, Form, write_signed},
    key::{Algorithm, AuthToken, SharedKey},
    mac::Signature,
    redact,
    replay::VerifiedSignature,
    request::WebhookRequest,
};

/// Validates webhook requests against a set of keys, and signs them.
///
/// Build it once and use it for each request: the keys are prepared when it is built.
///
/// A request is accepted if one of the keys makes its `X-Twilio-Signature` from its URL and parameters, and
/// if that signature covers its whole body. Several Auth Tokens are tried in turn, so that the old and the new
/// one are both valid during a rotation. A request that names a SharedKey is validated with that key and
/// algorithm only, any other request with the Auth Tokens and HMAC-SHA1.
///
/// The rules are Twilio's: <https://www.twilio.com/docs/usage/security#validating-requests>.
///
/// # Security
///
/// All Auth Tokens in one validator are equal: a holder of one token can sign requests for all of them. So list
/// only tokens of one account.
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
    /// Constructs a validator from the Auth Tokens that are currently valid.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no token.
    pub fn new(auth_tokens: impl IntoIterator<Item = AuthToken>) -> Result<Self, ConfigError> {
        Self::with_keys(auth_tokens, [])
    }

    /// Constructs a validator from Auth Tokens and SharedKeys.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no keys at all, or if two SharedKeys have the same id.
    pub fn with_keys(
        auth_tokens: impl IntoIterator<Item = AuthToken>,
        shared_keys: impl IntoIterator<Item = SharedKey>,
    ) -> Result<Self, ConfigError> {
        let auth_tokens: Vec<_> = auth_tokens.into_iter().collect();
        let shared_keys: Vec<_> = shared_keys.into_iter().collect();
        if auth_tokens.is_empty() && shared_keys.is_empty() {
            return Err(ConfigError::new(
                "Auth Token",
                "none is configured",
                "set TWILIO_AUTH_TOKEN, or add a token in code",
            ));
        }
        // R17
        let mut ids: Vec<_> = shared_keys.iter().map(SharedKey::id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(ConfigError::new(
                "SharedKey id",
                "two SharedKeys have the same one",
                "add each SharedKey only once",
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
    /// Returns an error if the request is not provably genuine. Its kind says why. The kinds come from three
    /// stages, and a stage runs only if those before it pass:
    ///
    /// 1. the head, [`CheckedHead::of`]: `SignatureMissing`, `SignatureConflicting`, `SignatureMalformed`,
    ///    `SettingsMalformed`, `AlgorithmUnknown`, `EncodingUnsupported`, `ContentTypeConflicting`,
    ///    `CharsetUnsupported`;
    /// 2. the key and the URL, [`CheckedHead::check_url`]: `KeyUnknown`, and `SignatureMismatch` for a request
    ///    that is signed by its URL alone;
    /// 3. the body, [`CheckedUrl::check_body`]: `SignatureMismatch` for a form, `BodyHashMissing`,
    ///    `BodyHashMismatch`, `BodyHashConflicting`.
    pub fn validate<'a>(&self, req: &WebhookRequest<'a>) -> Result<Accepted<'a>, SignatureError> {
        CheckedHead::of(req)?.check(self, req)
    }

    /// Signs a request that a test or a client sends, and returns the value of its `X-Twilio-Signature` header.
    ///
    /// The URL is signed as it is, with the first Auth Token. If the request has
    /// [signature settings](WebhookRequest::signature_settings), it is signed with the SharedKey and the algorithm
    /// that they name. A signature that the request already has is ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if [`validate`](Self::validate) would refuse the request with any signature: if its key is
    /// unknown, if its body is encoded, or if its body is not a form and the URL does not have the body's
    /// [hash](crate::body_sha256).
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

    /// Chooses the keys that may have made a signature. There is no fallback: if a request names a SharedKey,
    /// no other key is tried (R17).
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
/// A framework that reads the body itself runs the stages one by one and stops at the first error. So it can
/// refuse a request before it looks up keys or reads the body. [`RequestValidator::validate`] runs all stages.
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
    /// The request without its URL and its body.
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

    /// Returns the id of the SharedKey that the request claims to be signed with, or `None` if it claims an Auth
    /// Token.
    #[must_use]
    pub fn shared_key_id(&self) -> Option<&'a [u8]> {
        match self.claim.key {
            KeyClaim::AuthToken => None,
            KeyClaim::SharedKey { id, .. } => Some(id),
        }
    }

    /// Runs the other two stages on the same request, whose URL and body are now known.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check_url`](Self::check_url) and [`CheckedUrl::check_body`].
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
            // Checked before the body is read, because only the URL is signed.
            BodyKind::Other => Signed::ByUrl(keys.check(&signature, &request, &[])?),
        };
        Ok(CheckedUrl {
            request,
            body_kind: self.body_kind,
            signed,
        })
    }
}

/// Prints none of the headers.
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
    /// The request without its body.
    request: WebhookRequest<'a>,
    body_kind: BodyKind,
    signed: Signed<'k, 'a>,
}

/// What is known about the signature before the body is read.
enum Signed<'k, 'a> {
    /// It matches, and only the URL is signed.
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
        let mut buf = Buf::new();
        let params = self.body_kind.signed_params(body, &mut buf);
        self.check_params(body, params)
    }

    /// Checks the body, the last stage of a verdict, without splitting it again.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check_body`](Self::check_body) for the same body.
    #[inline]
    pub fn check_form<B: AsRef<[u8]>>(
        self,
        form: &Form<B>,
    ) -> Result<Accepted<'a>, SignatureError> {
        let mut buf = Buf::new();
        let params = self.body_kind.split_params(form, &mut buf);
        self.check_params(form.body().as_ref(), params)
    }

    /// Checks the signature over the parameters of a body, and what they do not cover.
    #[inline]
    fn check_params(self, body: &[u8], params: &[u8]) -> Result<Accepted<'a>, SignatureError> {
        let request = self.request;
        let accepted = match self.signed {
            Signed::ByUrl(accepted) => accepted,
            Signed::WithBody(keys, signature) => keys.check(&signature, &request, params)?,
        };
        // If the query was signed as parameters, the hash in it covers no body: as in a form, its text may be the sender's.
        let signed = request.url(&accepted.url).body(body);
        self.body_kind.check_rest(&signed, params)?;
        Ok(accepted)
    }
}

/// Prints no part of the request.
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
                    signature: VerifiedSignature::new(signature),
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

/// The verdict on a genuine request: which key signed it, and which form of its URL.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted<'a> {
    /// The key that made the signature.
    pub key: MatchedKey,
    /// The URL that was signed: the request's own, or another form of it, such as with the default port.
    pub url: Cow<'a, str>,
    /// The signature, from which the [replay key](VerifiedSignature::replay_key) is made.
    pub signature: VerifiedSignature,
}

/// Prints the URL without the values of its query, which may be personal data.
impl fmt::Debug for Accepted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("key", &self.key)
            .field("url", &redact::url(&self.url))
            .finish_non_exhaustive()
    }
}

/// The key that signed a request, identified without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchedKey {
    /// The Auth Token at this index, from 0, in the list that the validator was built with. During a rotation,
    /// it shows which token Twilio signs with.
    AuthToken(usize),
    /// The SharedKey with this id.
    SharedKey(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::FORM;

    fn validator() -> RequestValidator {
        let token = AuthToken::new("secret").unwrap();
        RequestValidator::with_keys([token], [SharedKey::new("K1", "secret").unwrap()]).unwrap()
    }

    #[test]
    fn head_names_the_shared_key_that_it_claims() {
        for (settings, id) in [
            ("", None),
            ("key=K1", Some(&b"K1"[..])),
            ("key=K9", Some(b"K9")),
        ] {
            let request = WebhookRequest::new("GET", "https://h/x").signature_settings(settings);
            let request = request.signature("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
            let head = CheckedHead::of(&request).unwrap();
            assert_eq!(head.shared_key_id(), id, "{settings}");
        }
    }

    #[test]
    fn stages_are_printed_without_the_request() {
        let request = WebhookRequest::new("POST", "https://h/x?a=secret").content_type(FORM);
        let signature = validator().sign(&request).unwrap();
        let request = request.signature(&signature);
        let (validator, head) = (validator(), CheckedHead::of(&request).unwrap());
        assert_eq!(format!("{head:?}"), "CheckedHead { body_kind: Form, .. }");
        let url = head.check_url(&validator, request.url, "").unwrap();
        assert_eq!(format!("{url:?}"), "CheckedUrl { body_kind: Form, .. }");
        let accepted = url.check_body(b"").unwrap();
        assert_eq!(
            format!("{accepted:?}"),
            "Accepted { key: AuthToken(0), url: \"https://h/x?a=..\", .. }"
        );
    }
}
