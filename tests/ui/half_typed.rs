//! Each error of a body that is being typed is reported once.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
async fn message(body: String) -> String {
    let length = body.
    length
}

#[validate_twilio_request]
async fn other(body: String) -> String {
    let length = ;
    body
}

fn main() {}
