//! Options of a module are checked once, and those of a function like anywhere.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request(url = "/message", auth_token_env = "")]
mod webhooks {
    #[actix_web::post("/one")]
    async fn one() -> &'static str {
        "one"
    }

    #[actix_web::post("/two")]
    async fn two() -> &'static str {
        "two"
    }
}

#[validate_twilio_request]
mod others {
    use actix_twilio::validate_twilio_request;

    #[actix_web::post("/one")]
    #[validate_twilio_request(auth_token = "12345")]
    async fn one() -> &'static str {
        "one"
    }

    #[actix_web::post("/two")]
    #[validate_twilio_request(skip, url = "https://example.com/two")]
    async fn two() -> &'static str {
        "two"
    }
}

// A request for one route would pass for the other.
#[validate_twilio_request(url = "https://example.com/one")]
mod with_one_url {
    #[actix_web::post("/one")]
    async fn one() -> &'static str {
        "one"
    }

    #[actix_web::post("/two/{tenant}")]
    async fn two() -> &'static str {
        "two"
    }
}

fn main() {}
