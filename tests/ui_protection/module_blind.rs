//! What the attribute on a module can't see is an error.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
mod webhooks {
    use actix_web::{Responder, get, post, post as webhook};

    #[post("/message")]
    async fn message() -> impl Responder {
        "protected"
    }

    macro_rules! ping {
        ($name:ident) => {
            #[get("/ping")]
            async fn $name() -> &'static str {
                "pong"
            }
        };
    }

    ping!(ping);

    ::std::thread_local! {
        static NUMBER: u32 = 1;
    }

    pub async fn plain(body: String) -> String {
        body
    }

    pub(crate) async fn in_the_crate(body: String) -> String {
        body
    }

    #[webhook("/renamed")]
    async fn renamed() -> impl Responder {
        "open?"
    }

    #[inline]
    #[cfg_attr(all(), webhook("/conditional"))]
    async fn conditional() -> impl Responder {
        "open?"
    }

    pub mod nested {
        pub async fn plain() -> &'static str {
            "open?"
        }
    }

    fn configure() {
        pub async fn inside() -> &'static str {
            "open?"
        }
    }
}

fn main() {}
