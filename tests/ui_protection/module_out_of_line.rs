//! The attribute does not see into a module in another file.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
#[path = "files/other.rs"]
mod elsewhere;

#[validate_twilio_request]
mod webhooks {
    #[actix_web::post("/message")]
    async fn message() -> &'static str {
        "protected"
    }

    mod elsewhere;
}

fn main() {}
