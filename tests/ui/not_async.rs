use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
fn message() -> &'static str {
    ""
}

fn main() {}
