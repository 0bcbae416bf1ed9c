//! What a module leaves in place of `skip` has no effect elsewhere.

use actix_twilio::validate_twilio_request;

#[actix_web::get("/")]
#[validate_twilio_request(__used)]
async fn open() -> &'static str {
    "open?"
}

fn main() {}
