use actix_twilio::validate_twilio_request;

#[validate_twilio_request(crate = "actix_twilio")]
async fn text() {}

#[validate_twilio_request(crate)]
async fn no_value() {}

#[validate_twilio_request(crate(actix_twilio))]
async fn parentheses() {}

#[validate_twilio_request(crate =)]
async fn half_typed() {}

#[validate_twilio_request(crate = actix_twilio::find())]
async fn call() {}

fn main() {}
