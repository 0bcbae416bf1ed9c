//! Answers the client: with a status and a fixed sentence for each refusal.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header::ContentType},
};

use twilio_signature::SignatureErrorKind;

use crate::{
    error::{ConfigError, ValidationError, ValidationErrorKind},
    report,
};

impl ResponseError for ValidationError {
    fn status_code(&self) -> StatusCode {
        use SignatureErrorKind::{CharsetUnsupported, ContentTypeConflicting, EncodingUnsupported};
        use ValidationErrorKind as Kind;
        match self.kind() {
            Kind::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Kind::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Signature(EncodingUnsupported | CharsetUnsupported | ContentTypeConflicting) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Kind::Overloaded | Kind::OnceInProgress | Kind::OnceStoreFailed => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Kind::Config | Kind::KeyStoreFailed | Kind::BodyConsumed | Kind::BodyReplaced => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Kind::Signature(_)
            | Kind::AccountUnknown
            | Kind::BodyIncomplete
            | Kind::OriginMalformed
            | Kind::SidMalformed => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.answered();
        match self.unproven_type() {
            Some("Proof") => report::misconfiguration(&ConfigError::new(
                "Proof",
                "a handler takes one, but its request was not validated or validation is not enforced",
                "write #[validate_twilio_request] above the handler, or take an Option<Proof>",
            )),
            Some(webhook) => report::misconfiguration(&ConfigError::new(
                webhook,
                "a handler takes one, but its request was not validated",
                "write #[validate_twilio_request] above the handler",
            )),
            None => {}
        }
        let status = self.status_code();
        HttpResponse::build(status)
            .content_type(ContentType::plaintext())
            .body(match status {
                StatusCode::REQUEST_TIMEOUT => "The request's body took too long to arrive.",
                StatusCode::PAYLOAD_TOO_LARGE => "The request's body is too large.",
                StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                    "The request's body is in an unsupported encoding."
                }
                StatusCode::SERVICE_UNAVAILABLE => "The server is busy.",
                StatusCode::INTERNAL_SERVER_ERROR => "The server can't validate requests.",
                _ => "This request is not authentic.",
            })
    }
}
