//! `skip` uses the attribute's import, and allows nothing that is forbidden.

#![forbid(unused_imports, unused)]

use actix_twilio::validate_twilio_request;
use actix_web::App;

#[validate_twilio_request]
mod hooks {
    use actix_twilio::validate_twilio_request;
    use actix_web::get;

    #[actix_web::post("/a")]
    pub(crate) async fn protected(body: String) -> String {
        body
    }

    #[get("/health")]
    #[validate_twilio_request(skip)]
    pub(crate) async fn health() -> &'static str {
        ""
    }
}

mod only_skipped {
    use super::validate_twilio_request;

    #[validate_twilio_request]
    mod hooks {
        use super::validate_twilio_request;

        #[actix_web::get("/health")]
        #[validate_twilio_request(skip)]
        pub(crate) async fn health() -> &'static str {
            ""
        }
    }

    pub(crate) use hooks::health;
}

fn main() {
    let _ = App::new().service(hooks::protected).service(hooks::health).service(only_skipped::health);
}
