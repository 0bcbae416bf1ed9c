use actix_twilio::validate_twilio_request;

#[validate_twilio_request(url = 0, crate = 1)]
#[validate_twilio_request]
fn message(#[cfg(debug_assertions)] _a: String, _b: impl Sized) {}

fn main() {}
