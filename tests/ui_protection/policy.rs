//! A policy is a type that implements `Policy`.

use actix_twilio::validate_twilio_request;
use actix_web::post;

struct Mine;

#[post("/")]
#[validate_twilio_request(policy = Mine)]
async fn no_policy(body: String) -> String {
    body
}

#[post("/")]
#[validate_twilio_request(policy = Missing)]
async fn no_type() -> &'static str {
    ""
}

fn main() {}
