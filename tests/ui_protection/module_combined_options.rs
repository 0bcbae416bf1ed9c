//! Options inside a module that exclude those of the module, and attributes whose options would be lost.

use actix_twilio::{Policy, config::AppPolicy, validate_twilio_request};

#[validate_twilio_request(once, auth_token_env = "SUPPORT_AUTH_TOKEN", public_url = "https://example.com")]
mod with_settings {
    use actix_twilio::validate_twilio_request;

    #[actix_web::post("/own")]
    #[validate_twilio_request(url = "https://example.org/own")]
    async fn its_own_url() -> &'static str {
        "fine"
    }

    #[actix_web::post("/policy")]
    #[validate_twilio_request(policy = super::AppPolicy)]
    async fn a_policy() -> &'static str {
        "one of the two would be lost"
    }

    #[validate_twilio_request(once, policy = super::super::AppPolicy)]
    mod nested {
        #[actix_web::post("/nested")]
        async fn nested() -> &'static str {
            "one of the two would be lost"
        }
    }
}

#[validate_twilio_request(policy = super::AppPolicy)]
mod with_policy {
    use actix_twilio::validate_twilio_request;

    #[actix_web::post("/settings")]
    #[validate_twilio_request(auth_token_env = "SUPPORT_AUTH_TOKEN", url = "https://example.com/settings")]
    async fn settings() -> &'static str {
        "one of the two would be lost"
    }

    #[cfg_attr(all(), validate_twilio_request(policy = super::super::AppPolicy))]
    mod conditional {
        #[actix_web::post("/conditional")]
        async fn conditional() -> &'static str {
            "which options?"
        }
    }
}

#[validate_twilio_request(once)]
#[validate_twilio_request(auth_token_env = "SUPPORT_AUTH_TOKEN")]
mod applied_twice {
    #[actix_web::post("/twice")]
    async fn twice() -> &'static str {
        "twice"
    }
}

fn main() {
    let _ = <AppPolicy as Policy>::check();
}
