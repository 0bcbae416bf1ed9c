//! Replaces `diagnosis` in builds without the feature `explain`: no refusal is explained.

use actix_web::HttpRequest;

use twilio_signature::{RequestValidator, WebhookRequest};

use crate::{config::TwilioConfig, error::ValidationErrorKind, origin::Origin};

/// Never made, because nothing is explainable.
pub(crate) struct Diagnosis {
    pub(crate) finding: Option<String>,
    pub(crate) causes: String,
    pub(crate) advice: String,
}

impl Diagnosis {
    pub(crate) fn of(
        _: &HttpRequest,
        _: &TwilioConfig,
        _: &RequestValidator,
        _: WebhookRequest<'_>,
        _: &Origin,
    ) -> Self {
        Self {
            finding: None,
            causes: String::new(),
            advice: String::new(),
        }
    }
}

pub(crate) fn is_explainable(_: ValidationErrorKind) -> bool {
    false
}
