use actix_twilio::validate_twilio_request;

#[validate_twilio_request(crate = actix_twilio, crate = ::actix_twilio)]
async fn message() {}

fn main() {}
