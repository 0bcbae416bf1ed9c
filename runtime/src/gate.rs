//! The one way in: from a request with an unread body to a body that may be handed on.

use actix_web::{
    Error, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName},
    web::Bytes,
};

use crate::{
    body,
    config::TwilioConfig,
    coverage::{Coverage, check_body_hash},
    error::{ValidationError, ValidationErrorKind},
    origin::{Origin, is_websocket_handshake},
    report,
    request::WebhookRequest,
    signature::SignatureClaim,
    validator::RequestValidator,
};

const X_TWILIO_SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
const X_TWILIO_SETTINGS: HeaderName =
    HeaderName::from_static("x-twilio-webhooks-signature-settings");

/// Lets a request through, or returns the error that becomes its response.
///
/// What comes back is all of the body that may reach an extractor or a handler.
pub(crate) async fn admit(req: &HttpRequest, payload: Payload) -> Result<Payload, Error> {
    let config = match TwilioConfig::find(req) {
        Ok(config) => config,
        Err(err) => {
            report::misconfiguration(&err);
            return Err(ValidationError::from(ValidationErrorKind::Config).into());
        }
    };
    let Some(validator) = config.validator() else {
        report::validation_off();
        return Ok(payload);
    };
    let mut attempt = Attempt {
        req,
        config: &config,
        validator,
        origin: None,
        body: Body::Unread(payload),
    };
    if let Err(err) = attempt.judge().await {
        report::refusal(err.kind(), req, &config, attempt.origin.as_ref());
        if !config.report_only() || attempt.body.is_lost() {
            return Err(config.response_error(err, req));
        }
    }
    Ok(attempt.body.into_payload())
}

/// A request on its way through the checks.
struct Attempt<'a> {
    req: &'a HttpRequest,
    config: &'a TwilioConfig,
    validator: &'a RequestValidator,
    /// Known from the point on where it is needed.
    origin: Option<Origin>,
    body: Body,
}

enum Body {
    Unread(Payload),
    Read(Bytes),
    /// It could not be read within the limits.
    Lost,
}

impl Attempt<'_> {
    /// Runs the checks, the cheap ones first, and reads the body only if none of those before fails.
    async fn judge(&mut self) -> Result<(), ValidationError> {
        let headers = self.req.headers();
        let mut request = WebhookRequest::new(self.req.method().as_str(), "");
        for value in headers.get_all(X_TWILIO_SIGNATURE) {
            request = request.signature(value);
        }
        for value in headers.get_all(X_TWILIO_SETTINGS) {
            request = request.signature_settings(value);
        }
        let claim = SignatureClaim::parse(request.signature, request.settings)?;
        let keys = self.validator.keys(claim.key)?;

        for value in headers.get_all(CONTENT_TYPE) {
            request = request.content_type(value);
        }
        for value in headers.get_all(CONTENT_ENCODING) {
            request = request.content_encoding(value);
        }
        let coverage = Coverage::of(&request)?;
        self.check_content_length()?;

        let origin = self.origin.insert(Origin::of(self.req, self.config)?);
        request.url = &origin.url;
        match coverage {
            Coverage::Url => {
                keys.check_url(&claim.signature, &request)?;
                if !is_websocket_handshake(self.req) {
                    let body = self.body.read(self.config).await?;
                    check_body_hash(&request.body(body))?;
                }
            }
            Coverage::Parameters => {
                let body = self.body.read(self.config).await?;
                keys.check_form(&claim.signature, &request.body(body))?;
            }
        }
        Ok(())
    }

    /// Refuses a body whose declared length is over the limit. A length that can't be read is left
    /// to the limit on what arrives.
    fn check_content_length(&mut self) -> Result<(), ValidationErrorKind> {
        let declared = self.req.headers().get(CONTENT_LENGTH);
        let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let limit = u64::try_from(self.config.body_limit()).unwrap_or(u64::MAX);
        if declared.is_some_and(|length| length > limit) {
            self.body = Body::Lost;
            return Err(ValidationErrorKind::BodyTooLarge);
        }
        Ok(())
    }
}

impl Body {
    async fn read(&mut self, config: &TwilioConfig) -> Result<&[u8], ValidationErrorKind> {
        if let Self::Unread(payload) = self {
            let payload = payload.take();
            *self = Self::Lost;
            let bytes = body::read(payload, config.body_limit(), config.body_timeout()).await?;
            *self = Self::Read(bytes);
        }
        match self {
            Self::Read(bytes) => Ok(bytes),
            Self::Unread(_) | Self::Lost => Err(ValidationErrorKind::BodyIncomplete),
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    fn into_payload(self) -> Payload {
        match self {
            Self::Unread(payload) => payload,
            Self::Read(bytes) if bytes.is_empty() => Payload::None,
            Self::Read(bytes) => Payload::from(bytes),
            Self::Lost => Payload::None,
        }
    }
}
