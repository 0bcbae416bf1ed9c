//! The attribute on a module: every route in it is protected, and nothing else is touched.

#![deny(warnings)]

use actix_twilio::{ConfigError, Policy, TwilioConfig, validate_twilio_request};
use actix_twilio_tests::{
    in_child, keys,
    webhook::{REFUSED, Webhook, assert_answer, config, ran, runs},
};
use actix_web::{App, HttpRequest, rt::System, test::init_service, web};

#[validate_twilio_request]
mod webhooks {
    //! Routes of each attribute that actix-web has, and what stands beside routes.

    use actix_twilio::validate_twilio_request;
    use actix_web::{
        Responder, connect, delete, get, head, options, patch, post, put, route, routes, trace,
        web::{self, Bytes, ServiceConfig},
    };

    use actix_twilio_tests::webhook::ran;

    #[get("/get")]
    async fn by_get() -> impl Responder {
        answer()
    }

    /// With docs.
    #[post("/post")]
    #[allow(clippy::unused_async, reason = "an attribute between")]
    pub(crate) async fn by_post(body: Bytes) -> Bytes {
        ran();
        body
    }

    #[put("/put")]
    async fn by_put() -> &'static str {
        answer()
    }

    #[patch("/patch")]
    async fn by_patch() -> &'static str {
        answer()
    }

    #[delete("/delete", name = "deletes")]
    async fn by_delete() -> &'static str {
        answer()
    }

    #[options("/options")]
    async fn by_options() -> &'static str {
        answer()
    }

    #[trace("/trace")]
    async fn by_trace() -> &'static str {
        answer()
    }

    #[connect("/connect")]
    async fn by_connect() -> &'static str {
        answer()
    }

    #[head("/head")]
    async fn by_head() -> &'static str {
        answer()
    }

    #[route("/route", method = "GET", method = "POST", method = "PURGE")]
    async fn by_route() -> &'static str {
        answer()
    }

    #[routes]
    #[get("/routes")]
    #[post("/routes/{id}")]
    async fn by_routes() -> &'static str {
        answer()
    }

    #[actix_web::post("/path")]
    async fn by_path() -> &'static str {
        answer()
    }

    #[::actix_web::get("/absolute")]
    async fn by_absolute_path() -> &'static str {
        answer()
    }

    #[cfg_attr(all(), post("/cfg_attr"))]
    async fn by_cfg_attr() -> &'static str {
        answer()
    }

    #[cfg_attr(any(), inline)]
    #[cfg_attr(all(), cfg_attr(all(), inline, actix_web::post("/cfg_attr/nested")))]
    async fn by_nested_cfg_attr() -> &'static str {
        answer()
    }

    #[cfg(any())]
    #[post("/never")]
    async fn never() -> Nothing {
        Nothing
    }

    #[get("/public")]
    #[validate_twilio_request(skip)]
    pub(crate) async fn open() -> &'static str {
        answer()
    }

    #[validate_twilio_request(skip)]
    pub(crate) async fn helper_of_others() -> &'static str {
        answer()
    }

    #[validate_twilio_request]
    pub(crate) async fn by_hand() -> &'static str {
        answer()
    }

    mod inner {
        pub(crate) mod deepest {
            use actix_twilio_tests::webhook::ran;

            #[actix_web::post("/deepest")]
            pub(crate) async fn deepest() -> &'static str {
                ran();
                "nested"
            }
        }
    }

    #[actix_web::scope("/scope")]
    mod scoped {
        use actix_web::post;

        use actix_twilio_tests::webhook::ran;

        #[post("/in")]
        pub(crate) async fn inside() -> &'static str {
            ran();
            "scoped"
        }
    }

    macro_rules! sum {
        ($($number:expr),*) => { 0 $(+ $number)* };
    }

    /// A plain function; what it registers may stand in it.
    pub(crate) fn configure(cfg: &mut ServiceConfig) {
        #[post("/function")]
        async fn in_a_function() -> &'static str {
            #[validate_twilio_request(skip)]
            #[get("/unused")]
            async fn _in_a_handler() -> &'static str {
                ""
            }
            answer()
        }

        cfg.service((
            by_get, by_post, by_put, by_patch, by_delete, by_options, by_trace,
        ));
        cfg.service((
            by_connect,
            by_head,
            by_route,
            by_routes,
            by_path,
            by_absolute_path,
        ));
        cfg.service((by_cfg_attr, by_nested_cfg_attr, in_a_function));
        if cfg!(not(any())) {
            #[post("/block")]
            async fn in_a_block() -> &'static str {
                answer()
            }
            cfg.service(in_a_block);
        }
        cfg.configure(CONFIGURE);
        cfg.service((inner::deepest::deepest, scoped::inside, open));
        cfg.route("/hand", web::post().to(by_hand));
        cfg.route("/helper", web::post().to(helper_of_others));
        assert_eq!(sum!(1, 2), 3);
    }

    const CONFIGURE: fn(&mut ServiceConfig) = |cfg| {
        #[post("/constant")]
        async fn in_a_constant() -> &'static str {
            answer()
        }
        cfg.service(in_a_constant);
        cfg.route("/associated", web::post().to(Associated::open));
    };

    pub(crate) struct Associated;

    impl Associated {
        #[validate_twilio_request(skip)]
        #[expect(clippy::unused_async, reason = "a handler")]
        pub(crate) async fn open() -> &'static str {
            answer()
        }
    }

    fn answer() -> &'static str {
        ran();
        "ran"
    }

    async fn private_helper(number: u32) -> u32 {
        std::future::ready(number + 1).await
    }

    pub(crate) trait Doubled {
        async fn doubled(&self) -> u32;
    }

    impl Doubled for u32 {
        async fn doubled(&self) -> u32 {
            self * 2
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[actix_web::test]
        async fn helpers_are_as_they_were() {
            assert_eq!(private_helper(1).await, 2);
            assert_eq!(21.doubled().await, 42);
        }

        #[test]
        fn plain_tests_are_too() {
            assert_eq!(answer(), "ran");
        }
    }
}

#[actix_web::test]
async fn every_route_in_a_module_refuses_forged_requests() {
    let app = App::new()
        .app_data(config("12345"))
        .configure(webhooks::configure);
    let app = init_service(app).await;
    let routes = [
        ("GET", "/get", "ran"),
        ("POST", "/post", ""),
        ("PUT", "/put", "ran"),
        ("PATCH", "/patch", "ran"),
        ("DELETE", "/delete", "ran"),
        ("OPTIONS", "/options", "ran"),
        ("TRACE", "/trace", "ran"),
        ("CONNECT", "/connect", "ran"),
        ("HEAD", "/head", "ran"),
        ("GET", "/route", "ran"),
        ("POST", "/route", "ran"),
        ("PURGE", "/route", "ran"),
        ("GET", "/routes", "ran"),
        ("POST", "/routes/7", "ran"),
        ("POST", "/path", "ran"),
        ("GET", "/absolute", "ran"),
        ("POST", "/cfg_attr", "ran"),
        ("POST", "/cfg_attr/nested", "ran"),
        ("POST", "/hand", "ran"),
        ("POST", "/deepest", "nested"),
        ("POST", "/scope/in", "scoped"),
        ("POST", "/function", "ran"),
        ("POST", "/block", "ran"),
        ("POST", "/constant", "ran"),
    ];
    for (method, path, answer) in routes {
        let name = format!("{method} {path}");
        let webhook = Webhook::new(method, path);
        assert_answer(&webhook.call(&app).await, REFUSED, &name);
        let forged = webhook.clone().signed("67890").call(&app).await;
        assert_answer(&forged, REFUSED, &name);
        assert_eq!(runs(), 0, "{name}");
        let genuine = webhook.signed("12345").call(&app).await;
        assert_answer(&genuine, (200, answer), &name);
        assert_eq!(runs(), 1, "{name}");
    }
    let open = [
        ("GET", "/public"),
        ("POST", "/helper"),
        ("POST", "/associated"),
    ];
    for (method, path) in open {
        let answer = Webhook::new(method, path).call(&app).await;
        assert_answer(&answer, (200, "ran"), path);
    }
    assert_eq!(runs(), 3);
    let body = Webhook::form("/post", "Body=Hi").signed("12345");
    assert_answer(&body.call(&app).await, (200, "Body=Hi"), "with a body");
    assert_answer(
        &body.body("Body=Bye").call(&app).await,
        REFUSED,
        "with another",
    );
}

struct Second;

impl Policy for Second {
    fn config(_: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        Ok(config("second"))
    }
}

struct Main;

impl Policy for Main {
    fn config(_: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        Ok(config("main"))
    }
}

#[validate_twilio_request(public_url = "https://module.example/hooks")]
#[actix_web::scope("/above")]
mod with_options {
    use actix_twilio::validate_twilio_request;
    use actix_web::post;

    use actix_twilio_tests::webhook::ran;

    #[post("/modules")]
    pub(crate) async fn modules() -> &'static str {
        ran();
        "ran"
    }

    #[post("/own")]
    #[validate_twilio_request(url = "https://own.example/whole")]
    pub(crate) async fn own() -> &'static str {
        ran();
        "ran"
    }

    #[post("/bare")]
    #[validate_twilio_request]
    pub(crate) async fn bare() -> &'static str {
        ran();
        "ran"
    }

    pub(crate) mod nested {
        #[actix_web::post("/nested")]
        pub(crate) async fn nested() -> &'static str {
            crate::module::ran();
            "ran"
        }
    }

    #[validate_twilio_request(public_url = "https://inner.example")]
    pub(crate) mod inner {
        #[actix_web::post("/inner")]
        pub(crate) async fn inner() -> &'static str {
            crate::module::ran();
            "ran"
        }
    }
}

#[actix_web::scope("/below")]
#[validate_twilio_request(policy = super::Main, crate = ::actix_twilio)]
mod with_policy {
    use actix_web::post;

    #[post("/policy")]
    pub(crate) async fn policy() -> &'static str {
        crate::module::ran();
        "ran"
    }

    #[post("/second")]
    #[actix_twilio::validate_twilio_request(policy = crate::module::Second)]
    pub(crate) async fn policies() -> &'static str {
        crate::module::ran();
        "ran"
    }

    pub(crate) trait Receives {
        #[actix_twilio::validate_twilio_request]
        async fn receive() -> &'static str {
            crate::module::ran();
            "ran"
        }
    }

    impl Receives for () {}

    pub(crate) mod nested {
        pub(crate) mod deepest {
            #[actix_web::post("/deepest")]
            pub(crate) async fn policy() -> &'static str {
                crate::module::ran();
                "ran"
            }
        }
    }
}

#[validate_twilio_request(policy = self::Own)]
mod with_own_policy {
    pub(crate) type Own = crate::module::Main;

    pub(crate) mod nested {
        #[actix_web::post("/self")]
        pub(crate) async fn policy() -> &'static str {
            crate::module::ran();
            "ran"
        }
    }
}

/// The way by which another crate may hand this one on.
mod reexport {
    pub(crate) use actix_twilio as twilio;
}

#[validate_twilio_request(crate = super::reexport::twilio)]
mod with_crate {
    pub(crate) mod nested {
        #[actix_web::post("/crate")]
        pub(crate) async fn by_its_path() -> &'static str {
            crate::module::ran();
            "ran"
        }
    }
}

#[actix_web::test]
async fn options_go_to_each_route_and_its_own_win() {
    use with_options::{bare, inner::inner, modules, nested::nested, own};
    use with_policy::Receives;
    let app = App::new()
        .app_data(config("12345"))
        .service((modules, own, bare, nested, inner))
        .service((
            with_policy::policy,
            with_policy::policies,
            with_policy::nested::deepest::policy,
            with_own_policy::nested::policy,
            with_crate::nested::by_its_path,
        ))
        .route("/trait", web::post().to(<() as Receives>::receive));
    let app = init_service(app).await;
    let routes = [
        (
            "/above/modules",
            "https://module.example/hooks/above/modules",
            "12345",
        ),
        ("/above/own", "https://own.example/whole", "12345"),
        (
            "/above/bare",
            "https://module.example/hooks/above/bare",
            "12345",
        ),
        ("/nested", "https://module.example/hooks/nested", "12345"),
        ("/inner", "https://inner.example/inner", "12345"),
        ("/below/policy", "https://example.com/below/policy", "main"),
        (
            "/below/second",
            "https://example.com/below/second",
            "second",
        ),
        ("/trait", "https://example.com/trait", "main"),
        ("/deepest", "https://example.com/deepest", "main"),
        ("/self", "https://example.com/self", "main"),
        ("/crate", "https://example.com/crate", "12345"),
    ];
    for (path, own_url, own_token) in routes {
        assert_answer(&Webhook::new("POST", path).call(&app).await, REFUSED, path);
        for (_, url, _) in routes {
            for token in ["12345", "main", "second"] {
                let webhook = Webhook::new("POST", path).signed_for(url, &keys(token));
                let genuine = url == own_url && token == own_token;
                let expected = if genuine { (200, "ran") } else { REFUSED };
                let name = format!("{path} signed for {url} with {token}");
                assert_answer(&webhook.call(&app).await, expected, &name);
                assert_eq!(runs(), usize::from(genuine), "{name}");
            }
        }
    }
}

#[validate_twilio_request(once, auth_token_env = "ACTIX_TWILIO_TEST_TOKEN")]
mod support {
    use actix_twilio::validate_twilio_request;
    use actix_web::post;

    use actix_twilio_tests::webhook::ran;

    #[post("/plain")]
    pub(crate) async fn plain() -> &'static str {
        ran();
        "ran"
    }

    #[post("/bare")]
    #[validate_twilio_request]
    pub(crate) async fn bare() -> &'static str {
        ran();
        "ran"
    }

    #[post("/url")]
    #[validate_twilio_request(url = "https://own.example/whole")]
    pub(crate) async fn url() -> &'static str {
        ran();
        "ran"
    }

    #[post("/token")]
    #[validate_twilio_request(auth_token_env = "ACTIX_TWILIO_OTHER_TOKEN")]
    pub(crate) async fn token() -> &'static str {
        ran();
        "ran"
    }

    #[validate_twilio_request(public_url = "https://inner.example")]
    pub(crate) mod inner {
        use actix_twilio::validate_twilio_request;
        use actix_web::post;

        use actix_twilio_tests::webhook::ran;

        #[post("/inner/plain")]
        pub(crate) async fn plain() -> &'static str {
            ran();
            "ran"
        }

        #[post("/inner/url")]
        #[validate_twilio_request(url = "https://own.example/inner")]
        pub(crate) async fn url() -> &'static str {
            ran();
            "ran"
        }
    }
}

#[test]
fn a_handler_with_its_own_attribute_keeps_the_token_of_the_module_and_handles_events_once() {
    let variables = [
        ("ACTIX_TWILIO_TEST_TOKEN", "support"),
        ("ACTIX_TWILIO_OTHER_TOKEN", "other"),
    ];
    in_child(variables, || {
        System::new().block_on(async {
            let app = App::new()
                .app_data(config("12345"))
                .service((support::plain, support::bare, support::url, support::token))
                .service((support::inner::plain, support::inner::url));
            let app = init_service(app).await;
            for (path, url, own_token) in [
                ("/plain", "https://example.com/plain", "support"),
                ("/bare", "https://example.com/bare", "support"),
                ("/url", "https://own.example/whole", "support"),
                ("/token", "https://example.com/token", "other"),
                (
                    "/inner/plain",
                    "https://inner.example/inner/plain",
                    "support",
                ),
                ("/inner/url", "https://own.example/inner", "support"),
            ] {
                for token in ["12345", "support", "other"] {
                    let event = Webhook::form(path, &format!("MessageSid=SM1&Body={path}"));
                    let event = event.signed_for(url, &keys(token));
                    let expected = if token == own_token {
                        (200, "ran")
                    } else {
                        REFUSED
                    };
                    for copy in 1..=3 {
                        let name = format!("{path}, copy {copy} signed with {token}");
                        assert_answer(&event.call(&app).await, expected, &name);
                    }
                    assert_eq!(runs(), usize::from(token == own_token), "{path} {token}");
                }
            }
        });
    });
}
