use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
async fn one(Some(_body): Option<String>) {}

#[validate_twilio_request]
async fn two(_body: String, Some(_bytes): Option<actix_web::web::Bytes>) {}

fn main() {}
