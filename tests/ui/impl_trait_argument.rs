use actix_twilio::validate_twilio_request;
use actix_web::{FromRequest, web};

#[validate_twilio_request]
async fn whole(_extractor: impl FromRequest) {}

#[validate_twilio_request]
async fn nested(_form: web::Form<impl Sized>, _both: (impl Sized, String)) {}

fn main() {}
