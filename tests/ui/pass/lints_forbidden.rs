//! The expansion neither trips a lint nor allows one.

#![forbid(warnings, unused, missing_docs, unreachable_pub, unsafe_code)]

use actix_twilio::validate_twilio_request;
use actix_web::{HttpRequest, http::Uri, web};

#[validate_twilio_request]
async fn none() -> &'static str {
    ""
}

#[validate_twilio_request]
async fn one(body: String) -> String {
    body
}

#[validate_twilio_request]
async fn several(_: HttpRequest, _body: web::Bytes, mut uri: Uri) -> String {
    uri = uri.path().parse().unwrap_or_default();
    uri.to_string()
}

fn main() {
    web::to(none);
    web::to(one);
    web::to(several);
}
