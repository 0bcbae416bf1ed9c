use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
async fn message(_body: String, _body: actix_web::web::Bytes) {}

fn main() {}
