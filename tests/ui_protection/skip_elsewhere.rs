//! `skip` leaves a function of an annotated module open, and nothing else.

use actix_twilio::validate_twilio_request;
use actix_web::get;

#[get("/function")]
#[validate_twilio_request(skip)]
async fn function() -> &'static str {
    "open?"
}

#[validate_twilio_request(skip)]
mod module {
    #[actix_web::get("/module")]
    async fn function() -> &'static str {
        "open?"
    }
}

#[validate_twilio_request]
mod outer {
    use actix_twilio::validate_twilio_request;

    #[validate_twilio_request(skip)]
    mod inner {
        #[actix_web::get("/inner")]
        async fn function() -> &'static str {
            "open?"
        }
    }

    #[actix_web::get("/value")]
    #[validate_twilio_request(skip = true)]
    async fn value() -> &'static str {
        "open?"
    }

    #[actix_web::get("/conditional")]
    #[cfg_attr(all(), validate_twilio_request(skip))]
    async fn conditional() -> &'static str {
        "open?"
    }

    #[actix_web::get("/twice")]
    #[validate_twilio_request(skip)]
    #[validate_twilio_request]
    async fn twice() -> &'static str {
        "open?"
    }
}

#[get("/beside")]
#[validate_twilio_request(public_url = "https://example.com", skip)]
async fn beside() -> &'static str {
    "open?"
}

fn main() {}
