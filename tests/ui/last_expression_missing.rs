//! The compiler points at the function's own tokens.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
async fn no_last_expression(body: String) -> String {
    let _length = body.len();
}

#[validate_twilio_request]
async fn semicolon(body: String) -> String {
    body;
}

#[validate_twilio_request]
async fn another_type(_body: String) -> String {
    5
}

fn main() {}
