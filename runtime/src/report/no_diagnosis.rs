//! Replaces `diagnosis` in builds without the feature `explain`: no refusal is explained.

use actix_web::HttpRequest;

use twilio_signature::{RequestValidator, WebhookRequest};

use crate::{config::TwilioConfig, error::ValidationErrorKind, origin::Origin};

/// A type without values, because there is never a diagnosis.
pub(crate) enum Diagnosis {}

impl Diagnosis {
    pub(crate) fn of(
        _: &HttpRequest,
        _: &TwilioConfig,
        _: &RequestValidator,
        _: WebhookRequest<'_>,
        _: &Origin,
    ) -> Option<Self> {
        None
    }

    pub(crate) fn causes(&self) -> String {
        match *self {}
    }

    pub(crate) fn explanation(&self) -> &str {
        match *self {}
    }
}

pub(crate) fn is_explainable(_: ValidationErrorKind) -> bool {
    false
}
