//! The proof that a request is genuine, as a value that this crate alone makes.

use std::{any::TypeId, fmt, future::Future, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};

use crate::{
    account::AccountSid, body::let_arrive, config::TwilioConfig, error::ValidationError,
    printable::printable_url, validator::MatchedKey,
};

/// Proves that a request is genuine: whoever has one need not trust, but knows.
///
/// It is made by this crate alone, for a request that was validated and would have been refused
/// otherwise. A function that must not run for a forged request takes a `&Proof`. A handler gets it
/// from [`Validated::proof`](crate::Validated::proof), or takes it as an argument under the attribute.
///
/// While validation only reports or is off, there is no proof: take an `Option<Proof>` if the
/// handler is to work then too.
///
/// # Examples
///
/// ```
/// use actix_twilio::{Proof, validate_twilio_request};
/// use actix_web::{Responder, post};
///
/// #[post("/message")]
/// #[validate_twilio_request]
/// async fn message(proof: Proof) -> impl Responder {
///     format!("signed for {}", charge(&proof))
/// }
///
/// /// Costs money, so that only a genuine request may lead here.
/// fn charge(proof: &Proof) -> &str {
///     proof.url()
/// }
/// ```
///
/// It can't be made by hand:
///
/// ```compile_fail
/// let proof = actix_twilio::Proof {};
/// ```
#[derive(Debug, Clone)]
pub struct Proof(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    verified: Verified,
    config: TwilioConfig,
    policy: TypeId,
}

/// What is known of a genuine request.
pub(crate) struct Verified {
    pub(crate) account: Option<AccountSid>,
    pub(crate) key: MatchedKey,
    pub(crate) url: String,
}

/// Prints the URL without the values of its query, which may be personal data.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("account", &self.account)
            .field("key", &self.key)
            .field("url", &printable_url(&self.url))
            .finish()
    }
}

impl Proof {
    /// Leaves a proof in a request for what runs after this.
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

    /// Takes away the proof that another configuration left: where validation is not enforced, a handler
    /// gets none.
    pub(crate) fn withdraw(req: &HttpRequest) {
        req.extensions_mut().remove::<Self>();
    }

    /// Finds the proof that this very configuration and policy left.
    pub(crate) fn find(req: &HttpRequest, config: &TwilioConfig, policy: TypeId) -> Option<Self> {
        let extensions = req.extensions();
        let proof = extensions.get::<Self>()?;
        (proof.0.config.is(config) && proof.0.policy == policy).then(|| proof.clone())
    }

    /// Returns the account that signed the request, where the keys were looked up by account and the
    /// request named one.
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
}

impl FromRequest for Proof {
    type Error = ValidationError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ValidationError>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let proof = req.extensions().get::<Self>().cloned();
        Box::pin(async move {
            if proof.is_none() {
                // No sooner than a refusal by an extractor beside this one, which says more.
                let_arrive().await;
            }
            proof.ok_or_else(ValidationError::unproven)
        })
    }
}
