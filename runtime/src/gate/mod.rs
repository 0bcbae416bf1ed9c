//! The one way in: from a request with an unread body to a body that may be handed on.

use std::{any::TypeId, sync::Arc, time::Instant};

use actix_web::{
    Error, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName},
    web::Bytes,
};

use crate::{
    account::{AccountSid, claimed_account},
    body,
    config::{KeySource, TwilioConfig},
    coverage::{Coverage, check_body_hash},
    diagnosis::{Diagnosis, is_explainable},
    error::{ConfigError, ValidationError, ValidationErrorKind},
    origin::{Origin, is_websocket_handshake},
    policy::Policy,
    proof::{Proof, Verified},
    report,
    request::WebhookRequest,
    signature::{KeyClaim, SignatureClaim},
    store::{Answer, KeyQuery, KeyStoreError, Lookup, MAX_SHARED_KEY_ID},
    validator::{Accepted, RequestValidator},
    verdict::Verdict,
};

const X_TWILIO_SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
const X_TWILIO_SETTINGS: HeaderName =
    HeaderName::from_static("x-twilio-webhooks-signature-settings");

/// Bytes of the largest body of which is said why it was refused.
const MAX_EXPLAINED_BODY: usize = 16 * 1024;

/// A request that may go on.
pub(crate) struct Admitted {
    /// All of its body that may reach an extractor or a handler.
    pub(crate) payload: Payload,
    /// Nothing while validation is not enforced.
    pub(crate) proof: Option<Proof>,
}

/// Returns the error that becomes the response to a request for which there is no configuration.
pub(crate) fn misconfigured(err: &ConfigError) -> Error {
    report::misconfiguration(err);
    ValidationError::from(ValidationErrorKind::Config).into()
}

/// Lets a request through, or returns the error that becomes its response.
///
/// A request that this very configuration has let through before is not validated again.
pub(crate) async fn admit<P: Policy>(
    config: &TwilioConfig,
    req: &HttpRequest,
    payload: Payload,
) -> Result<Admitted, Error> {
    let policy = TypeId::of::<P>();
    if let KeySource::Off = config.keys() {
        report::validation_off();
        Proof::withdraw(req);
        let proof = None;
        return Ok(Admitted { payload, proof });
    }
    if let proof @ Some(_) = Proof::find(req, config, policy) {
        return Ok(Admitted { payload, proof });
    }

    let mut attempt = Attempt {
        req,
        config,
        origin: None,
        body: Body::Unread(payload),
        looked_up: None,
    };
    let proof = match attempt.judge_and_tell().await {
        Ok(_) if config.report_only() => None,
        Ok(verified) => Some(Proof::leave(req, verified, config, policy)),
        Err(err) => {
            // Without keys nobody can say what enforcing would do.
            let undecided = err.kind() == ValidationErrorKind::KeyStoreFailed;
            let passes = config.report_only() && !undecided && !attempt.body.is_lost();
            if !passes {
                attempt.report(&err, passes);
                attempt.body.let_arrive().await;
                return Err(config.response_error(err, req));
            }
            // What is in the body helps to explain what would have been refused.
            let bounded = attempt.bound_body().await;
            attempt.report(&err, passes);
            if let Err(err) = bounded {
                attempt.report(&err, false);
                return Err(config.response_error(err, req));
            }
            None
        }
    };
    if proof.is_none() {
        Proof::withdraw(req);
    }
    let payload = attempt.body.into_payload();
    Ok(Admitted { payload, proof })
}

/// A request on its way through the checks.
struct Attempt<'a> {
    req: &'a HttpRequest,
    config: &'a TwilioConfig,
    /// Known from the point on where it is needed.
    origin: Option<Origin>,
    body: Body,
    /// The keys that a key store had for the request.
    looked_up: Option<Arc<RequestValidator>>,
}

enum Body {
    Unread(Payload),
    /// All of it, and the payload that it was read from.
    Read(Bytes, Payload),
    /// It could not be read within the limits.
    Lost,
}

impl Attempt<'_> {
    async fn judge_and_tell(&mut self) -> Result<Verified, ValidationError> {
        let Some(hook) = self.config.verdict_hook() else {
            return self.judge().await;
        };
        let start = Instant::now();
        let verdict = self.judge().await;
        hook(&Verdict {
            refusal: verdict.as_ref().err().map(ValidationError::kind),
            route: self.req.match_pattern(),
            duration: start.elapsed(),
        });
        verdict
    }

    /// Runs the checks, the cheap ones first, and reads the body only if none of those before fails.
    async fn judge(&mut self) -> Result<Verified, ValidationError> {
        let mut request = head(self.req);
        let claim = SignatureClaim::parse(request.signature, request.settings)?;
        let fixed_keys = match self.config.keys() {
            KeySource::Fixed(validator) => Some(validator.keys(claim.key)?),
            KeySource::Store(_) | KeySource::Off => None,
        };

        let coverage = Coverage::of(&request)?;
        self.check_content_length()?;

        let origin = self.origin.insert(Origin::of(self.req, self.config)?);
        request.url = &origin.url;
        let handshake = is_websocket_handshake(self.req);
        let (account, accepted) = match (self.config.keys(), fixed_keys) {
            (KeySource::Store(store), _) => {
                // The account stands in the body at times: it is read before there are keys.
                if !handshake {
                    let body = self.body.read(self.config).await?;
                    request = request.body(body);
                }
                let looked_up = &mut self.looked_up;
                // In a box, so that requests without a key store need no room for it.
                Box::pin(check_with_store(
                    store, &claim, coverage, &request, looked_up,
                ))
                .await?
            }
            (_, Some(keys)) if coverage == Coverage::Url => {
                let accepted = keys.check_url(&claim.signature, &request)?;
                if !handshake {
                    let body = self.body.read(self.config).await?;
                    check_body_hash(&request.body(body))?;
                }
                (None, accepted)
            }
            (_, Some(keys)) => {
                let body = self.body.read(self.config).await?;
                let accepted = keys.check_form(&claim.signature, &request.body(body))?;
                (None, accepted)
            }
            (KeySource::Fixed(_) | KeySource::Off, None) => {
                return Err(ValidationErrorKind::Config.into());
            }
        };
        let Accepted { key, url } = accepted;
        // Nearly always the request's own, which is not copied.
        let candidate = (*url != *request.url).then(|| url.into_owned());
        let url = candidate
            .or_else(|| Some(self.origin.take()?.url))
            .ok_or(ValidationErrorKind::OriginMalformed)?;
        Ok(Verified { account, key, url })
    }

    /// Holds the body of a request that is let through unjudged to the limits all the same.
    async fn bound_body(&mut self) -> Result<(), ValidationError> {
        if matches!(self.body, Body::Unread(_)) && !is_websocket_handshake(self.req) {
            self.check_content_length()?;
            self.body.read(self.config).await?;
        }
        Ok(())
    }

    /// Reports a refusal; that of a key store is reported with the store's own error.
    fn report(&self, err: &ValidationError, passes: bool) {
        if err.kind() != ValidationErrorKind::KeyStoreFailed {
            let explain = self.explainable(err.kind()).map(|(validator, request)| {
                move |origin: &Origin| {
                    Diagnosis::of(self.req, self.config, validator, request, origin)
                }
            });
            let origin = self.origin.as_ref();
            report::refusal(err.kind(), passes, self.req, self.config, origin, explain);
        }
    }

    /// Returns what a refusal may be explained with, if that was asked for and the request is small.
    fn explainable(
        &self,
        kind: ValidationErrorKind,
    ) -> Option<(&RequestValidator, WebhookRequest<'_>)> {
        if !self.config.explains_mismatches() || !is_explainable(kind) {
            return None;
        }
        let validator = match self.config.keys() {
            KeySource::Fixed(validator) => validator,
            KeySource::Store(_) => self.looked_up.as_deref()?,
            KeySource::Off => return None,
        };
        let request = head(self.req);
        match &self.body {
            Body::Read(body, _) => {
                (body.len() <= MAX_EXPLAINED_BODY).then(|| (validator, request.body(body)))
            }
            // Of a form that was not read, the signed parameters are not known.
            Body::Unread(_) => {
                let url_alone = Coverage::of(&request) == Ok(Coverage::Url);
                let declared = self.declared_length().unwrap_or_default();
                (url_alone && declared <= MAX_EXPLAINED_BODY as u64).then_some((validator, request))
            }
            Body::Lost => None,
        }
    }

    fn declared_length(&self) -> Option<u64> {
        let declared = self.req.headers().get(CONTENT_LENGTH)?;
        declared.to_str().ok()?.parse().ok()
    }

    /// Refuses a body whose declared length is over the limit. A length that can't be read is left
    /// to the limit on what arrives.
    fn check_content_length(&mut self) -> Result<(), ValidationErrorKind> {
        let declared = self.declared_length();
        let limit = u64::try_from(self.config.body_limit()).unwrap_or(u64::MAX);
        if declared.is_some_and(|length| length > limit) {
            self.body = Body::Lost;
            return Err(ValidationErrorKind::BodyTooLarge);
        }
        Ok(())
    }
}

/// Returns what a verdict depends on in the head of a request, but for the URL.
fn head(req: &HttpRequest) -> WebhookRequest<'_> {
    let headers = req.headers();
    let mut request = WebhookRequest::new(req.method().as_str(), "");
    for value in headers.get_all(X_TWILIO_SIGNATURE) {
        request = request.signature(value);
    }
    for value in headers.get_all(X_TWILIO_SETTINGS) {
        request = request.signature_settings(value);
    }
    for value in headers.get_all(CONTENT_TYPE) {
        request = request.content_type(value);
    }
    for value in headers.get_all(CONTENT_ENCODING) {
        request = request.content_encoding(value);
    }
    request
}

/// Looks up the keys of the account and the key that a request claims, and validates it with those.
async fn check_with_store<'a>(
    store: &Lookup,
    claim: &SignatureClaim<'_>,
    coverage: Coverage,
    request: &WebhookRequest<'a>,
    looked_up: &mut Option<Arc<RequestValidator>>,
) -> Result<(Option<AccountSid>, Accepted<'a>), ValidationError> {
    let query = KeyQuery {
        account: claimed_account(request)?,
        shared_key: match claim.key {
            KeyClaim::AuthToken => None,
            KeyClaim::SharedKey { id, .. } => match str::from_utf8(id) {
                Ok(id) if id.len() <= MAX_SHARED_KEY_ID => Some(id.to_owned()),
                _ => return Err(ValidationErrorKind::KeyUnknown.into()),
            },
        },
    };
    let failed = |err: KeyStoreError| {
        report::key_store_failure(&err);
        ValidationError::from(ValidationErrorKind::KeyStoreFailed)
    };
    let mut check = |answer: &Answer| match &answer.keys {
        Some(validator) => {
            *looked_up = Some(Arc::clone(validator));
            validator
                .keys(claim.key)?
                .check_all(coverage, &claim.signature, request)
        }
        None => Err(ValidationErrorKind::AccountUnknown.into()),
    };

    let arrived = Instant::now();
    let answer = store.answer(&query, arrived).await.map_err(failed)?;
    let outdated_keys = |err: &ValidationError| {
        use ValidationErrorKind as Kind;
        matches!(
            err.kind(),
            Kind::SignatureMismatch | Kind::KeyUnknown | Kind::AccountUnknown
        )
    };
    let verdict = match check(&answer) {
        Err(err) if outdated_keys(&err) => {
            let newer = store.newer_answer(&query, arrived, &answer).await;
            match newer.map_err(failed)? {
                Some(answer) => check(&answer),
                None => Err(err),
            }
        }
        verdict => verdict,
    };
    Ok((query.account, verdict?))
}

impl Body {
    async fn read(&mut self, config: &TwilioConfig) -> Result<&[u8], ValidationErrorKind> {
        if let Self::Unread(payload) = self {
            let mut payload = payload.take();
            *self = Self::Lost;
            let bytes =
                body::read(&mut payload, config.body_limit(), config.body_timeout()).await?;
            *self = Self::Read(bytes, payload);
        }
        match self {
            Self::Read(bytes, _) => Ok(bytes),
            Self::Unread(_) | Self::Lost => Err(ValidationErrorKind::BodyIncomplete),
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    /// Before a refusal: actix closes the connection if the body has not arrived, and a proxy would have to
    /// open another one. Nothing is read here, and nothing is waited for.
    async fn let_arrive(&self) {
        if let Self::Unread(payload) = self
            && !matches!(payload, Payload::None)
        {
            body::let_arrive().await;
        }
    }

    fn into_payload(self) -> Payload {
        match self {
            Self::Unread(payload) => payload,
            Self::Read(bytes, _) if bytes.is_empty() => Payload::None,
            Self::Read(bytes, payload) => body::put_back(bytes, payload),
            Self::Lost => Payload::None,
        }
    }
}
