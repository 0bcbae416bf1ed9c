//! TwiML as the answer of an actix-web handler.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::StatusCode};

use crate::{CONTENT_TYPE, MAX_BYTES, MessagingResponse, Twiml, VoiceResponse};

impl Twiml {
    /// Makes a response with any status, for example for an error handler. Twilio acts on TwiML only if the status is
    /// 2xx.
    ///
    /// For an answer above [`MAX_BYTES`], the log has a warning.
    #[must_use]
    pub fn response(self, status: StatusCode) -> HttpResponse {
        let bytes = self.as_str().len();
        if bytes > MAX_BYTES {
            tracing::warn!(
                target: "actix_twilio",
                bytes,
                "a TwiML answer is larger than 64 kB, and Twilio may refuse it with error 11750: shorten it"
            );
        }
        HttpResponse::build(status)
            .content_type(CONTENT_TYPE)
            .body(self.into_string())
    }
}

impl Responder for Twiml {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response(StatusCode::OK)
    }
}

macro_rules! responders {
    ($($type:ident),+) => {$(
        impl $type {
            /// Makes a response with any status, as [`Twiml::response`] does.
            #[must_use]
            pub fn response(self, status: StatusCode) -> HttpResponse {
                Twiml::from(self).response(status)
            }
        }

        impl Responder for $type {
            type Body = BoxBody;

            fn respond_to(self, _: &HttpRequest) -> HttpResponse {
                self.response(StatusCode::OK)
            }
        }
    )+};
}

responders!(VoiceResponse, MessagingResponse);
