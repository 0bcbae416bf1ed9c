//! What typed webhooks need of the gate: the content that was validated, and refusals of their own.

use actix_web::{Error, HttpMessage, HttpRequest, dev::Payload, web::Bytes};
use twilio_signature::stages::BodyKind;

use super::{Proof, body, head};
pub(crate) use super::{content::Content, let_arrive};
use crate::{
    config::TwilioConfig,
    error::{ValidationError, ValidationErrorKind},
    origin::Origin,
    report::{self, Diagnosis, Explainable},
};

/// Says that a request was let through because its configuration only reports, or is off. Typed webhooks can then be
/// had without a proof.
#[derive(Clone)]
pub(crate) struct LetThrough {
    pub(crate) config: TwilioConfig,
    /// The body, or `None` if nobody has read it yet.
    pub(crate) body: Option<Bytes>,
}

impl LetThrough {
    pub(super) fn leave(req: &HttpRequest, config: &TwilioConfig, body: Option<Bytes>) {
        req.extensions_mut().insert(Self {
            config: config.clone(),
            body,
        });
    }

    pub(crate) fn find(req: &HttpRequest) -> Option<Self> {
        req.extensions().get::<Self>().cloned()
    }

    /// Returns the content of the request. A body that nobody has read yet is read from the payload.
    pub(crate) async fn content(
        &self,
        req: &HttpRequest,
        mut payload: Payload,
    ) -> Result<Content, Error> {
        let body = match &self.body {
            Some(body) => body.clone(),
            None => match body::read(&mut payload, req.head(), self.config.options()).await {
                Ok((body, _)) => body,
                Err(kind) => return Err(self.config.response_error(kind.into(), req)),
            },
        };
        let kind = BodyKind::of(&head(req)).unwrap_or(BodyKind::Other);
        Ok(Content::of(body, kind))
    }

    /// Reports what [`refuse`] would refuse, if the configuration reports.
    pub(crate) fn tolerate(&self, req: &HttpRequest) {
        if self.config.report_only() {
            let err = ValidationErrorKind::SidMalformed.into();
            report_refusal(&err, &self.config, req, true);
        }
    }
}

/// Refuses a request that was validated, but lacks what Twilio always sends in the webhook that a handler takes.
pub(crate) fn refuse(proof: &Proof, req: &HttpRequest) -> Error {
    let config = proof.config();
    let mut err = ValidationError::from(ValidationErrorKind::SidMalformed);
    err.account = proof.account().cloned();
    report_refusal(&err, config, req, false);
    config.response_error(err, req)
}

fn report_refusal(err: &ValidationError, config: &TwilioConfig, req: &HttpRequest, passes: bool) {
    let explain = Explainable::<fn(&Origin) -> Diagnosis>::No;
    report::refusal(err, passes, req, config, None, explain);
}
