use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
async fn message(_message: Message) {}

fn main() {}
