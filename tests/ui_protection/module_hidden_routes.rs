//! Routes that are hidden in a module are found or an error.

use actix_twilio::validate_twilio_request;

macro_rules! register {
    ($($anything:tt)*) => {};
}

#[validate_twilio_request]
mod webhooks {
    use actix_twilio::validate_twilio_request;
    use actix_web::{
        App, HttpResponse, Responder, post,
        web::{self, ServiceConfig},
    };

    #[post("/message")]
    async fn message() -> impl Responder {
        "protected"
    }

    async fn private() -> &'static str {
        "open?"
    }

    async fn called() -> String {
        format!("{}", private().await)
    }

    fn plain() -> std::future::Ready<HttpResponse> {
        std::future::ready(HttpResponse::Ok().finish())
    }

    pub fn configure(cfg: &mut ServiceConfig) {
        cfg.route("/private", web::post().to(private));
        cfg.route("/plain", web::post().to(plain));
        cfg.route("/path", web::to(self::private));
        cfg.route("/closure", web::post().to(|| async { "open?" }));
        cfg.service(web::resource("/resource").to(async || "open?"));
        cfg.default_service(web::to(move || async { "open?" }));
        cfg.service(web::resource("/post").post(|| async { "open?" }));
        cfg.service(web::resource("/get").get(plain));
        cfg.route("/block", web::post().to({ move || async { "open?" } }));
        cfg.route("/cast", web::post().to(plain as fn() -> std::future::Ready<HttpResponse>));
        let handler = private;
        cfg.route("/alias", web::post().to(handler));
        register! { cfg }
        register!(cfg);
        drop(vec![web::get().to(private)]);
        // A call registers nothing.
        drop((called(), vec![private()]));
    }

    const CONFIGURE: fn(&mut ServiceConfig) = |cfg| {
        cfg.route("/constant", web::post().to(private));
    };

    struct Routes;

    impl Routes {
        pub async fn associated() -> &'static str {
            "open?"
        }

        async fn inside() -> &'static str {
            "open?"
        }

        pub async fn with_receiver(&self) -> &'static str {
            "not a handler"
        }

        pub async fn of_an_extractor(self) -> &'static str {
            "open?"
        }

        fn configure(cfg: &mut ServiceConfig) {
            cfg.route("/associated", web::post().to(Self::inside));
        }
    }

    mod nested {
        pub(super) fn configure(cfg: &mut super::ServiceConfig) {
            cfg.route("/super", super::web::post().to(super::private));
        }
    }

    #[validate_twilio_request]
    mod nested_with_attribute {
        use super::{ServiceConfig, post, validate_twilio_request, web};

        #[post("/nested")]
        async fn nested() -> &'static str {
            "protected"
        }

        pub(super) fn configure(cfg: &mut ServiceConfig) {
            cfg.service(nested);
            cfg.route("/super", web::post().to(super::private));
        }
    }

    fn raw(cfg: &mut ServiceConfig) {
        cfg.route("/raw", web::post().r#to(|| async { "open?" }));
        cfg.route("/raw", web::post().to(r#private));
    }

    async fn main() {
        macro_rules! route {
            () => {
                #[post("/macro")]
                async fn by_macro() -> &'static str {
                    "open?"
                }
            };
        }
        route!();
        println!("{}", 1);
        App::new().service(by_macro);
    }
}

fn main() {}
