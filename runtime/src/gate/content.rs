//! The content of a body: a form, which is split once for everything that reads its parameters, or anything else.

use actix_web::web::Bytes;
use twilio_signature::{
    Accepted, AccountSid, Form, SignatureError, WebhookRequest,
    stages::{BodyKind, CheckedUrl},
};

/// The content of a body.
pub(crate) enum Content {
    Form(Form<Bytes>),
    /// A form that would take too much memory if it were kept split.
    LargeForm(Bytes),
    /// Anything else, or nothing.
    Other(Bytes),
}

impl Content {
    pub(super) fn of(body: Bytes, kind: BodyKind) -> Self {
        match kind {
            BodyKind::Form => Self::Form(Form::split(body)),
            BodyKind::Other => Self::Other(body),
        }
    }

    pub(crate) fn body(&self) -> &Bytes {
        match self {
            Self::Form(form) => form.body(),
            Self::LargeForm(body) | Self::Other(body) => body,
        }
    }

    /// Returns the content for a time in which others run. What is kept split is small, because a forger could
    /// otherwise fill the memory with short parameters, which take many times the size of their body.
    pub(super) fn kept(self) -> Self {
        match self {
            Self::Form(form) if !form.is_small() => Self::LargeForm(form.into_body()),
            content => content,
        }
    }

    /// Runs the last stage of a verdict.
    pub(super) fn check<'a>(
        &self,
        url: CheckedUrl<'_, 'a>,
    ) -> Result<Accepted<'a>, SignatureError> {
        match self {
            Self::Form(form) => url.check_form(form),
            Self::LargeForm(body) | Self::Other(body) => url.check_body(body),
        }
    }

    /// Returns the account that a request with this content claims to come from.
    pub(super) fn account(
        &self,
        req: &WebhookRequest<'_>,
    ) -> Result<Option<AccountSid>, SignatureError> {
        match self {
            Self::Form(form) => AccountSid::claimed_by_form(req, form),
            Self::LargeForm(body) | Self::Other(body) => AccountSid::claimed_by(&req.body(body)),
        }
    }
}
