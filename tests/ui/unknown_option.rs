use actix_twilio::validate_twilio_request;

#[validate_twilio_request(token = "12345")]
async fn with_a_value() {}

#[validate_twilio_request(debug, retry(3))]
async fn with_others() {}

#[validate_twilio_request(token = "12345", crate = actix_twilio, crate = actix_twilio, a::b)]
async fn beside_others() {}

#[validate_twilio_request("12345")]
async fn with_a_literal() {}

fn main() {}
