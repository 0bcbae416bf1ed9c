//! Admits or refuses each request: validates it, reads its body meanwhile, and passes on what was validated.

mod body;
mod content;
#[cfg(feature = "explain")]
mod explain;
mod lookup;
mod proof;
#[cfg(feature = "webhook")]
pub(crate) mod webhook;

use std::{
    any::TypeId,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpRequest,
    dev::Payload,
    http::{
        Version,
        header::{
            CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING, UPGRADE,
        },
    },
    web::Bytes,
};

use twilio_signature::{
    Accepted, AccountSid, MatchedKey, RequestValidator, SignatureErrorKind, WebhookRequest,
    header::lower_case,
    stages::{BodyKind, CheckedHead, CheckedUrl},
};

pub use self::proof::Proof;
pub(crate) use self::{body::let_arrive, proof::NotEnforced};
use self::{content::Content, proof::Verified};
use crate::{
    config::{Held, Hook, KeySource, Policy, TwilioConfig, Verdict, head_size},
    error::{ConfigError, ValidationError, ValidationErrorKind},
    keys::Lookup,
    origin::{Origin, is_websocket_handshake},
    report::{self, Diagnosis, Explainable, is_explainable},
};

const X_TWILIO_SIGNATURE: HeaderName = HeaderName::from_static(lower_case::SIGNATURE);
const X_TWILIO_SETTINGS: HeaderName = HeaderName::from_static(lower_case::SIGNATURE_SETTINGS);

/// The size in bytes of the largest body whose refusal is explained.
const MAX_EXPLAINED_BODY: usize = 16 * 1024;
/// The size in bytes of the largest headers with which a refusal is explained. In HTTP/2, headers may have 16 MiB, of which a
/// repeated one takes a byte on the wire.
const MAX_EXPLAINED_HEAD: usize = 64 * 1024;

/// A request that was let through.
pub(crate) struct Admitted {
    /// The part of its body that may reach an extractor or a handler: all of it, or nothing.
    pub(crate) payload: Payload,
    /// `None` while validation is not enforced.
    pub(crate) proof: Option<Proof>,
}

/// Returns the error that becomes the response to a request for which there is no configuration.
pub(crate) fn misconfigured(err: &ConfigError) -> Error {
    report::misconfiguration(err);
    ValidationError::from(ValidationErrorKind::Config).into()
}

/// Lets a request through, or returns the error that becomes its response.
///
/// A request that the same configuration has already let through is not validated again.
pub(crate) async fn admit<P: Policy>(
    config: &TwilioConfig,
    req: &HttpRequest,
    payload: Payload,
) -> Result<Admitted, Error> {
    let policy = TypeId::of::<P>();
    if let KeySource::Off = config.keys() {
        report::validation_off();
        let_through(req, config, None);
        let proof = None;
        return Ok(Admitted { payload, proof });
    }
    if let Some(proof) = Proof::find(req, config, policy) {
        return match proof.check_body(payload, req, config).await {
            Ok(payload) => Ok(Admitted {
                payload,
                proof: Some(proof),
            }),
            Err(kind) => {
                report::fault(kind);
                Err(config.response_error(kind.into(), req))
            }
        };
    }

    let mut attempt = Attempt {
        req,
        config,
        origin: None,
        body: Body::Unread(payload),
        looked_up: None,
    };
    // What is not needed any more is dropped before the next `await`, so that the future needs no space for it.
    let refusal = match attempt.judge_and_tell().await {
        Ok(_) if config.report_only() => None,
        Ok(verified) => {
            if matches!(verified.key, MatchedKey::AuthToken(_)) {
                config.note_verified(|| attempt.claimed_account_at(&verified.url));
            }
            let proof = Some(Proof::leave(req, verified, config, policy));
            let payload = attempt.body.into_payload();
            return Ok(Admitted { payload, proof });
        }
        Err(err) => Some(err),
    };
    if let Some(err) = refusal {
        // In a box, so that genuine requests need no space for it.
        Box::pin(attempt.refuse_or_tolerate(err)).await?;
    }
    let body = attempt.body.bytes().unwrap_or_default();
    let_through(req, config, Some(body));
    let payload = attempt.body.into_payload();
    let proof = None;
    Ok(Admitted { payload, proof })
}

/// Lets a request through that no signature was enforced for.
fn let_through(req: &HttpRequest, config: &TwilioConfig, body: Option<Bytes>) {
    Proof::withdraw(req);
    #[cfg(feature = "webhook")]
    webhook::LetThrough::leave(req, config, body);
    #[cfg(not(feature = "webhook"))]
    drop((config, body));
}

/// A request on its way through the checks.
struct Attempt<'a> {
    req: &'a HttpRequest,
    config: &'a TwilioConfig,
    /// Determined when it is first needed.
    origin: Option<Origin>,
    body: Body<'a>,
    /// The keys that a key store had for the request.
    looked_up: Option<Arc<RequestValidator>>,
}

/// How far a verdict comes before the body is read.
enum Stage<'a> {
    Url(CheckedUrl<'a, 'a>),
    Head(CheckedHead<'a>, &'a Lookup),
}

impl<'a> Stage<'a> {
    /// Runs all checks that need no body. It is not part of the future that reads the body, which needs no space for
    /// what only these checks need.
    fn before_body(
        req: &'a HttpRequest,
        config: &'a TwilioConfig,
        body: &mut Body<'_>,
        origin: &'a mut Option<Origin>,
    ) -> Result<(Self, BodyKind, &'a Origin), ValidationError> {
        let head = CheckedHead::of(&head(req)).map_err(ValidationErrorKind::from)?;
        body.check_declared_length(req, config)?;
        let origin = origin.insert(Origin::of(req, config)?);
        let kind = head.body_kind();
        let stage = match config.keys() {
            KeySource::Fixed(validator) => {
                let url = head.check_url(validator, &origin.url, origin.base_path());
                Self::Url(url.map_err(ValidationErrorKind::from)?)
            }
            // The account may be in the body, which is therefore read before there are keys (R16).
            KeySource::Store(store) => Self::Head(head, store),
            KeySource::Off => return Err(ValidationErrorKind::Config.into()),
        };
        Ok((stage, kind, origin))
    }
}

enum Body<'a> {
    Unread(Payload),
    /// The whole body, the payload that it was read from, and its part of the limit on all bodies: a key store may
    /// let it wait.
    Read(Bytes, Payload, Held<'a>),
    /// The body could not be read within the limits.
    Lost,
}

impl Attempt<'_> {
    async fn judge_and_tell(&mut self) -> Result<Verified, ValidationError> {
        let hook = self.config.options().on_verdict.as_ref();
        let hook = hook.map(|Hook(hook)| (hook, Instant::now()));
        // A verified request is returned here, so that the future needs no space for it.
        let mut err = match self.judge_what_is_left().await {
            Ok(verified) => {
                if let Some((hook, start)) = hook {
                    self.tell(&**hook, start.elapsed(), None, self.account_of(&verified));
                }
                report::span::genuine(|| self.account_of(&verified), || verified.sid());
                return Ok(verified);
            }
            Err(err) => err,
        };
        let hook = hook.map(|(hook, start)| (hook, start.elapsed()));
        // In a box, so that genuine requests need no space for it.
        Box::pin(self.read_to_explain(err.kind())).await;
        err.account = self.claimed_account();
        if let Some((hook, duration)) = hook {
            self.tell(&**hook, duration, Some(err.kind()), err.account.clone());
        }
        Err(err)
    }

    fn tell(
        &self,
        hook: &dyn Fn(&Verdict),
        duration: Duration,
        refusal: Option<ValidationErrorKind>,
        account: Option<AccountSid>,
    ) {
        hook(&Verdict {
            refusal,
            route: self.req.match_pattern(),
            account,
            duration,
        });
    }

    /// Returns the account that a genuine request names.
    fn account_of(&self, verified: &Verified) -> Option<AccountSid> {
        let looked_up = verified.account.clone();
        looked_up.or_else(|| self.claimed_account_at(&verified.url))
    }

    /// Returns the account that a refused request names.
    fn claimed_account(&self) -> Option<AccountSid> {
        match &self.origin {
            Some(origin) => self.claimed_account_at(&origin.url),
            None => self.claimed_account_at(&self.req.uri().to_string()),
        }
    }

    fn claimed_account_at(&self, url: &str) -> Option<AccountSid> {
        let body = match &self.body {
            Body::Read(body, ..) => &body[..],
            Body::Unread(_) | Body::Lost => &[],
        };
        let request = head(self.req).url(url).body(body);
        AccountSid::claimed_by(&request).ok().flatten()
    }

    /// Reads a small body that has already arrived, if it helps to explain a refusal. Twilio declares the length of
    /// each body, so one without a length is not worth the work.
    async fn read_to_explain(&mut self, kind: ValidationErrorKind) {
        // A request that is let through keeps its body.
        let explains = self.config.options().explain_mismatches
            && !self.config.report_only()
            && is_explainable(kind);
        let is_small = declared_length(self.req)
            .is_some_and(|length| (1..=MAX_EXPLAINED_BODY as u64).contains(&length));
        if explains && is_small && !is_websocket_handshake(self.req) {
            self.body.read_what_arrived(self.req, self.config).await;
        }
    }

    /// Judges the request. If another middleware may have spoiled it, that is the reason for the refusal.
    async fn judge_what_is_left(&mut self) -> Result<Verified, ValidationError> {
        use SignatureErrorKind::{BodyHashMismatch, SignatureMismatch};
        use ValidationErrorKind::{AccountUnknown, BodyConsumed, Signature};

        self.judge().await.map_err(|err| match err.kind() {
            Signature(SignatureMismatch | BodyHashMismatch) | AccountUnknown
                if self.body_was_consumed() =>
            {
                BodyConsumed.into()
            }
            _ => err,
        })
    }

    /// Runs the stages of a verdict, and reads the body only if all checks before that pass.
    async fn judge(&mut self) -> Result<Verified, ValidationError> {
        let (req, config) = (self.req, self.config);
        let (stage, kind, origin) =
            Stage::before_body(req, config, &mut self.body, &mut self.origin)?;
        // R12
        let is_handshake = is_websocket_handshake(req);
        let body = if is_handshake {
            Bytes::new()
        } else {
            self.body.read(req, config).await?
        };
        let content = Content::of(body, kind);
        let (account, accepted, content) = match stage {
            Stage::Url(url) => {
                let accepted = content.check(url).map_err(ValidationErrorKind::from)?;
                (None, accepted, content)
            }
            Stage::Head(head, store) => {
                let request = self::head(self.req).url(&origin.url);
                let account = content.account(&request);
                let account = account.map_err(ValidationErrorKind::from)?;
                let body = content.body().clone();
                let looked_up = &mut self.looked_up;
                let check = lookup::check(store, account, head, origin, content, looked_up);
                let budget = &self.config.options().total_body_limit;
                let mut none = budget.hold(self.req.head());
                let share = match &mut self.body {
                    Body::Read(.., share) => share,
                    Body::Unread(_) | Body::Lost => &mut none,
                };
                // In a box, so that requests without a key store need no space for it.
                Box::pin(body::count_while_waiting(&body, share, check)).await??
            }
        };
        let Accepted {
            key,
            url,
            signature,
            ..
        } = accepted;
        // This is nearly always the request's own URL, which is not copied.
        let candidate = (*url != *origin.url).then(|| url.into_owned());
        let url = candidate
            .or_else(|| Some(self.origin.take()?.url))
            .ok_or(ValidationErrorKind::OriginMalformed)?;
        let content = (!is_handshake).then(|| content.kept());
        Ok(Verified {
            account,
            key,
            signature,
            url,
            content,
        })
    }

    /// Returns the error that becomes the response to a refused request, unless validation only reports.
    async fn refuse_or_tolerate(&mut self, err: ValidationError) -> Result<(), Error> {
        // Without keys it is unknown what enforcing would do.
        let undecided = err.kind() == ValidationErrorKind::KeyStoreFailed;
        let passes = self.config.report_only() && !undecided && !self.body.is_lost();
        if !passes {
            self.report(&err, passes);
            self.body.let_arrive().await;
            return Err(self.config.response_error(err, self.req));
        }
        // The body helps to explain why the request would have been refused.
        let bounded = self.bound_body().await;
        self.report(&err, passes);
        bounded.map_err(|err| {
            self.report(&err, false);
            self.config.response_error(err, self.req)
        })
    }

    /// Applies the limits to the body of a request that is let through although it was not validated.
    async fn bound_body(&mut self) -> Result<(), ValidationError> {
        if matches!(self.body, Body::Unread(_)) && !is_websocket_handshake(self.req) {
            self.body.check_declared_length(self.req, self.config)?;
            self.body.read(self.req, self.config).await?;
        }
        Ok(())
    }

    /// Reports a refusal. A failure of a key store is reported elsewhere, with the store's own error.
    fn report(&self, err: &ValidationError, passes: bool) {
        if err.kind() == ValidationErrorKind::KeyStoreFailed {
            report::span::refused(err.kind(), err.account(), passes);
        } else {
            let explain = self.explainable(err.kind()).map(|(validator, request)| {
                move |origin: &Origin| {
                    Diagnosis::of(self.req, self.config, validator, request, origin)
                }
            });
            let origin = self.origin.as_ref();
            report::refusal(err, passes, self.req, self.config, origin, explain);
        }
    }

    /// Returns what the explanation of a refusal needs, if the request is small.
    fn explainable(
        &self,
        kind: ValidationErrorKind,
    ) -> Explainable<(&RequestValidator, WebhookRequest<'_>)> {
        const LARGE: &str = "the body was not looked at: it is over 16 KiB";
        const NOT_THERE: &str = "the body was not looked at: it had not arrived";
        const LARGE_HEAD: &str = "nothing was looked at: the headers are over 64 KiB";

        if !is_explainable(kind) {
            return Explainable::No;
        }
        if Proof::of(self.req).is_some() {
            return Explainable::AcceptedBefore;
        }
        if !self.config.options().explain_mismatches {
            return Explainable::No;
        }
        if head_size(self.req.headers()) > MAX_EXPLAINED_HEAD {
            return Explainable::Never(LARGE_HEAD);
        }
        let validator = match self.config.keys() {
            KeySource::Fixed(validator) => Some(validator),
            KeySource::Store(_) => self.looked_up.as_deref(),
            KeySource::Off => None,
        };
        let Some(validator) = validator else {
            return Explainable::No;
        };
        let request = head(self.req);
        match &self.body {
            Body::Read(body, ..) if body.len() <= MAX_EXPLAINED_BODY => {
                Explainable::Yes((validator, request.body(body)), None)
            }
            Body::Read(..) => Explainable::Never(LARGE),
            // The signed parameters of a form are not known before it is read.
            Body::Unread(_) if BodyKind::of(&request) == Ok(BodyKind::Other) => {
                let length = declared_length(self.req).unwrap_or_default();
                let has_body = length > 0 || self.req.headers().contains_key(TRANSFER_ENCODING);
                if length > MAX_EXPLAINED_BODY as u64 {
                    return Explainable::Never(LARGE);
                }
                let unseen = has_body && !is_websocket_handshake(self.req);
                Explainable::Yes((validator, request), unseen.then_some(NOT_THERE))
            }
            Body::Unread(_) | Body::Lost => Explainable::No,
        }
    }

    /// Returns whether another middleware read or changed the body before: its length is not the declared one. A
    /// client can't cause that, because actix reads exactly that many bytes or fails, with the exception of these
    /// headers, which count instead.
    fn body_was_consumed(&self) -> bool {
        let Body::Read(body, ..) = &self.body else {
            return false;
        };
        let headers = self.req.headers();
        // In HTTP/2, a head that ends its stream may declare any length.
        let never_came = body.is_empty() && self.req.version() == Version::HTTP_2;
        !never_came
            && !headers.contains_key(TRANSFER_ENCODING)
            && !headers.contains_key(UPGRADE)
            && declared_length(self.req).is_some_and(|declared| declared != body.len() as u64)
    }
}

fn declared_length(req: &HttpRequest) -> Option<u64> {
    let declared = req.headers().get(CONTENT_LENGTH)?;
    declared.to_str().ok()?.parse().ok()
}

/// Returns what a verdict depends on in the head of a request, except the URL.
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

impl<'a> Body<'a> {
    async fn read(
        &mut self,
        req: &'a HttpRequest,
        config: &'a TwilioConfig,
    ) -> Result<Bytes, ValidationErrorKind> {
        if let Self::Unread(payload) = self {
            let mut payload = payload.take();
            *self = Self::Lost;
            let (bytes, held) = body::read(&mut payload, req.head(), config.options()).await?;
            *self = Self::Read(bytes, payload, held);
        }
        match self {
            Self::Read(bytes, ..) => Ok(bytes.clone()),
            Self::Unread(_) | Self::Lost => Err(ValidationErrorKind::BodyIncomplete),
        }
    }

    /// Reads a body that has arrived as a whole. Another one is lost to an explanation, and remains unread.
    async fn read_what_arrived(&mut self, req: &'a HttpRequest, config: &'a TwilioConfig) {
        if let Self::Unread(payload) = self
            && let Some((bytes, held)) =
                body::read_what_arrived(payload, req.head(), config.options()).await
        {
            *self = Self::Read(bytes, Payload::None, held);
        }
    }

    /// Refuses a body whose declared length is over the limit. A malformed length is ignored here, because the body that
    /// arrives is also limited.
    fn check_declared_length(
        &mut self,
        req: &HttpRequest,
        config: &TwilioConfig,
    ) -> Result<(), ValidationErrorKind> {
        let limit = u64::try_from(config.options().body_limit).unwrap_or(u64::MAX);
        if declared_length(req).is_some_and(|length| length > limit) {
            *self = Self::Lost;
            return Err(ValidationErrorKind::BodyTooLarge);
        }
        Ok(())
    }

    /// Returns the bytes that were read.
    fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Read(bytes, ..) => Some(bytes.clone()),
            Self::Unread(_) | Self::Lost => None,
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    /// Lets actix take in a body that has already arrived, before a refusal. Otherwise actix would close the
    /// connection, and a proxy would have to open another one. This does not wait for the client.
    async fn let_arrive(&self) {
        if let Self::Unread(payload) = self
            && !matches!(payload, Payload::None)
        {
            let_arrive().await;
        }
    }

    fn into_payload(self) -> Payload {
        match self {
            Self::Unread(payload) => payload,
            Self::Read(bytes, payload, _) => body::put_back(bytes, payload),
            Self::Lost => Payload::None,
        }
    }
}
