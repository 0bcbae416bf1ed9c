//! The proof that a request is genuine, as a value that only this crate can make.

use std::{any::TypeId, fmt, future::Future, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use twilio_signature::{
    AccountSid, Form, MatchedKey, ReplayKey, VerifiedSignature, redact, stages::signed_params,
};

use super::{Content, body};
use crate::{
    config::TwilioConfig,
    error::{ValidationError, ValidationErrorKind},
    sid::is_sid,
};

/// Proves that a request is genuine.
///
/// Only this crate can make a proof: for a request that was validated, and that would have been refused if it were
/// forged. A function that must not run for a forged request takes a `&Proof`. A handler gets one from
/// [`Validated::proof`](crate::Validated::proof), or takes it as an argument under the attribute.
///
/// While validation only reports or is off, there is no proof. A handler that should also run then takes an
/// `Option<Proof>`.
///
/// # Examples
///
/// ```
/// use actix_twilio::{Proof, twiml::NoContent, validate_twilio_request};
/// use actix_web::post;
///
/// #[post("/message")]
/// #[validate_twilio_request]
/// async fn receive_message(proof: Proof) -> NoContent {
///     charge(&proof);
///     NoContent
/// }
///
/// /// Costs money, so it must run only for a genuine request.
/// fn charge(proof: &Proof) {
///     println!("charged for {}", proof.url());
/// }
/// ```
///
/// Other code can't make one:
///
/// ```compile_fail
/// let proof = actix_twilio::Proof {};
/// ```
#[derive(Clone)]
pub struct Proof(Arc<Facts>);

struct Facts {
    verified: Verified,
    config: TwilioConfig,
    policy: TypeId,
}

/// The facts about a genuine request.
pub(crate) struct Verified {
    pub(crate) account: Option<AccountSid>,
    pub(crate) key: MatchedKey,
    pub(crate) signature: VerifiedSignature,
    pub(crate) url: String,
    /// The body that was validated, or `None` for a WebSocket handshake, which has none.
    pub(crate) content: Option<Content>,
}

impl Verified {
    /// Returns the SID of the message or the call that the request is about. One that is malformed or repeated is none:
    /// a recorded request with other boundaries between its parameters looks like that.
    pub(super) fn sid(&self) -> Option<String> {
        match &self.content {
            Some(Content::Form(form)) => sid_in(form),
            Some(Content::LargeForm(body)) => sid_in(&Form::split(body)),
            Some(Content::Other(_)) | None => {
                let (_, query) = self.url.split_once('?')?;
                let query = query.split('#').next()?;
                sid_in(&Form::split(query))
            }
        }
    }
}

fn sid_in<B>(params: &Form<B>) -> Option<String> {
    [&b"MessageSid"[..], b"CallSid"].iter().find_map(|name| {
        let mut found = params.iter().filter(|(found, _)| found == name);
        let (_, sid) = found.next()?;
        let is_only_one = found.next().is_none();
        let sid = (is_only_one && is_sid(sid)).then_some(sid)?;
        String::from_utf8(sid.to_vec()).ok()
    })
}

/// Prints the URL without the values of its query, which may be personal data. What the configuration prints would
/// fill a line of a log for each request.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verified {
            account, key, url, ..
        } = &self.0.verified;
        f.debug_struct("Proof")
            .field("account", account)
            .field("key", key)
            .field("url", &redact::url(url))
            .finish_non_exhaustive()
    }
}

impl Proof {
    /// Leaves a proof in a request, for the middleware and the handler that run later.
    pub(crate) fn leave(
        req: &HttpRequest,
        verified: Verified,
        config: &TwilioConfig,
        policy: TypeId,
    ) -> Self {
        let proof = Self(Arc::new(Facts {
            verified,
            config: config.clone(),
            policy,
        }));
        req.extensions_mut().insert(proof.clone());
        proof
    }

    /// Returns the proof that a request has, of any configuration that enforces validation.
    pub(crate) fn of(req: &HttpRequest) -> Option<Self> {
        req.extensions().get::<Self>().cloned()
    }

    /// Returns the content of the body that was validated, or `None` for a WebSocket handshake.
    #[cfg(feature = "webhook")]
    pub(crate) fn content(&self) -> Option<&Content> {
        self.0.verified.content.as_ref()
    }

    /// Removes the proof that another configuration left: a handler must not get one if validation is not
    /// enforced.
    pub(super) fn withdraw(req: &HttpRequest) {
        let mut extensions = req.extensions_mut();
        extensions.remove::<Self>();
        extensions.insert(NotEnforced);
    }

    /// Finds the proof that the same configuration and policy left.
    pub(crate) fn find(req: &HttpRequest, config: &TwilioConfig, policy: TypeId) -> Option<Self> {
        let extensions = req.extensions();
        let proof = extensions.get::<Self>()?;
        (proof.0.config.is(config) && proof.0.policy == policy).then(|| proof.clone())
    }

    /// Returns a payload with the validated body, if this payload still contains the same body. Another
    /// middleware may have read or replaced it after it was validated.
    pub(crate) async fn check_body(
        &self,
        mut payload: Payload,
        req: &HttpRequest,
        config: &TwilioConfig,
    ) -> Result<Payload, ValidationErrorKind> {
        let Some(validated) = &self.0.verified.content else {
            return Ok(payload);
        };
        match body::read(&mut payload, req.head(), config.options()).await {
            // R6
            Ok((found, _)) if found == validated.body() => Ok(body::put_back(found, payload)),
            Err(kind @ ValidationErrorKind::Overloaded) => Err(kind),
            _ => Err(ValidationErrorKind::BodyReplaced),
        }
    }

    /// Returns the configuration that validated the request.
    pub(crate) fn config(&self) -> &TwilioConfig {
        &self.0.config
    }

    /// Returns the body that was validated, or `None` for a WebSocket handshake.
    pub(crate) fn body(&self) -> Option<&[u8]> {
        let content = self.0.verified.content.as_ref();
        content.map(|content| &**content.body())
    }

    /// Returns the signed text behind the URL: that of the parameters. `req` is the request that this is the proof of.
    pub(crate) fn signed_params(&self, req: &HttpRequest) -> Vec<u8> {
        match &self.0.verified.content {
            Some(content @ (Content::Form(_) | Content::LargeForm(_))) => {
                signed_params(content.body())
            }
            // Twilio may have signed the query as parameters.
            _ if !self.url().contains('?') => signed_params(req.query_string().as_bytes()),
            _ => Vec::new(),
        }
    }

    /// Returns the account whose key signed the request, if keys are looked up by account and the request names
    /// one.
    #[must_use]
    pub fn account(&self) -> Option<&AccountSid> {
        self.0.verified.account.as_ref()
    }

    /// Returns the key that signed the request.
    #[must_use]
    pub fn key(&self) -> &MatchedKey {
        &self.0.verified.key
    }

    /// Returns the URL that was signed.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.verified.url
    }

    /// Returns the key by which a copy of this request can be recognized: a hash of its signature, which is the same
    /// for each repeat of a recorded request, for each copy of it with other parameters that have the same signature,
    /// and for Twilio's own retries.
    ///
    /// Store it in the same transaction as the effect of the request. Within a call, Twilio also sends requests that
    /// are new events and have the same key: see the pitfalls of [`ReplayKey`] and the guide's chapter on
    /// [replay](https://docs.rs/actix-twilio/latest/actix_twilio/guide/replay/).
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::{Proof, twiml::NoContent, validate_twilio_request};
    /// use actix_web::post;
    ///
    /// #[post("/status")]
    /// #[validate_twilio_request]
    /// async fn receive_status(proof: Proof) -> NoContent {
    ///     let key = proof.replay_key().to_string(); // 64 hex digits
    ///     // INSERT INTO handled (key) VALUES (?) ON CONFLICT DO NOTHING
    ///     println!("{key}");
    ///     NoContent
    /// }
    /// ```
    #[must_use]
    pub fn replay_key(&self) -> ReplayKey {
        self.0.verified.signature.replay_key()
    }
}

/// The marker of a request that was let through although it may be forged, because validation only reports or is off.
pub(crate) struct NotEnforced;

impl FromRequest for Proof {
    type Error = ValidationError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ValidationError>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let proof = Self::of(req);
        Box::pin(async move {
            if proof.is_none() {
                // Another extractor of the handler may refuse the request first, with an error that says more.
                body::let_arrive().await;
            }
            proof.ok_or_else(|| ValidationError::without_proof("Proof"))
        })
    }
}
