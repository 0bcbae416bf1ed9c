use actix_twilio::validate_twilio_request;

#[validate_twilio_request(crate = crate::twilio)]
async fn message(_body: String, _bytes: actix_web::web::Bytes) {}

fn main() {}
