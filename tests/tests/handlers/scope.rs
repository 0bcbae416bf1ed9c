//! A scope that takes protected handlers only: each of its routes refuses forged requests, wherever it stands.

use actix_twilio::{
    Proof, ProtectedScope, TwilioValidation, Validated, config::Mode, validate_twilio_request,
};
use actix_twilio_tests::{
    keys,
    webhook::{REFUSED, Webhook, assert_answer, builder, config, ran, runs},
};
use actix_web::{
    App, HttpRequest, guard,
    middleware::{Condition, Logger, NormalizePath},
    test::init_service,
    web::{self, Bytes},
};

#[validate_twilio_request]
async fn annotated(_req: HttpRequest) -> &'static str {
    ran();
    "annotated"
}

#[validate_twilio_request(public_url = "https://route.example")]
async fn with_option() -> &'static str {
    ran();
    "with option"
}

#[validate_twilio_request]
async fn with_data(text: web::Data<&'static str>, tenant: web::Path<String>) -> String {
    ran();
    format!("{} {tenant}", text.get_ref())
}

async fn extractor(Validated { inner: body, .. }: Validated<Bytes>) -> Bytes {
    ran();
    body
}

async fn open() -> &'static str {
    "open"
}

/// A scope of a feature, as a function of another module would return it.
fn nested() -> ProtectedScope {
    ProtectedScope::new("/of/{tenant}")
        .app_data(web::Data::new("nested"))
        .get("/data", with_data)
}

fn webhooks() -> ProtectedScope {
    ProtectedScope::new("/webhooks")
        .get("/both", annotated)
        .post("/both", extractor)
        .route("/any", annotated)
        .get("/option", with_option)
        .scope(nested())
        .default_service(annotated)
}

#[actix_web::test]
async fn every_route_in_a_protected_scope_refuses_forged_requests() {
    let genuine = |method, path: &str| {
        (
            Webhook::new(method, path),
            format!("https://example.com{path}"),
        )
    };
    let routes = [
        (genuine("GET", "/webhooks/both"), "annotated"),
        (genuine("POST", "/webhooks/both"), ""),
        (genuine("GET", "/webhooks/any?a=b"), "annotated"),
        (genuine("PURGE", "/webhooks/any"), "annotated"),
        (genuine("GET", "/webhooks/of/acme/data"), "nested acme"),
        (genuine("PUT", "/webhooks/both"), "annotated"),
        (genuine("GET", "/webhooks/nowhere/at/all"), "annotated"),
        (
            (
                Webhook::get("/webhooks/option"),
                "https://route.example/webhooks/option".to_owned(),
            ),
            "with option",
        ),
    ];
    for wrapped in [false, true] {
        let app = App::new()
            .app_data(config("12345"))
            .service(
                webhooks()
                    .wrap(Condition::new(wrapped, TwilioValidation::new()))
                    .wrap(Logger::default()),
            )
            .default_service(web::to(open));
        let app = init_service(app).await;
        for ((webhook, url), answer) in &routes {
            let name = format!("{webhook:?} wrapped: {wrapped}");
            // With the middleware, a request must be signed for its URL as well.
            if wrapped && url.contains("route.example") {
                continue;
            }
            assert_answer(&webhook.call(&app).await, REFUSED, &name);
            let forged = webhook.clone().signed_for(url, &keys("67890"));
            assert_answer(&forged.call(&app).await, REFUSED, &name);
            assert_eq!(runs(), 0, "{name}");
            let genuine = webhook.clone().signed_for(url, &keys("12345"));
            assert_answer(&genuine.call(&app).await, (200, answer), &name);
            assert_eq!(runs(), 1, "{name}");
        }
        let nowhere = Webhook::get("/webhooks/of/acme/nowhere");
        let answer = nowhere.signed("12345").call(&app).await;
        assert_answer(&answer, (404, ""), "a nested scope without a default");
        // What is outside is not its business.
        let outside = Webhook::get("/elsewhere").call(&app).await;
        assert_answer(&outside, (200, "open"), "outside");
    }
}

#[actix_web::test]
async fn guards_and_middleware_of_a_protected_scope_see_its_requests() {
    let scope = ProtectedScope::new("/webhooks")
        .guard(guard::Header("x-twilio", "yes"))
        .get("/any", annotated)
        .wrap(NormalizePath::trim())
        .wrap(TwilioValidation::new());
    let app = App::new().app_data(config("12345")).service(scope);
    let app = init_service(app.default_service(web::to(open))).await;
    let tagged = |path: &str| Webhook::get(path).with("X-Twilio", "yes");
    let untagged = Webhook::get("/webhooks/any").signed("12345");
    assert_answer(&untagged.call(&app).await, (200, "open"), "the guard");
    for path in ["/webhooks/any", "/webhooks/any/"] {
        let genuine = tagged(path).signed("12345").call(&app).await;
        assert_answer(&genuine, (200, "annotated"), path);
        assert_answer(&tagged(path).call(&app).await, REFUSED, path);
    }
    assert_eq!(runs(), 2);
}

#[actix_web::test]
async fn a_protected_scope_has_a_configuration_of_its_own() {
    #[validate_twilio_request]
    async fn proven(proof: Option<Proof>) -> String {
        ran();
        proof.is_some().to_string()
    }

    let report = builder("12345").mode(Mode::ReportOnly).build().unwrap();
    let app = App::new()
        .app_data(config("app"))
        .service(
            ProtectedScope::new("/outer")
                .config(config("outer"))
                .get("/a", annotated)
                .scope(
                    ProtectedScope::new("/inner")
                        .config(config("inner"))
                        .get("/a", annotated),
                ),
        )
        .service(
            ProtectedScope::new("/report")
                .config(report)
                .get("/a", proven),
        )
        .service(ProtectedScope::new("").get("/a", annotated));
    let app = init_service(app).await;
    for (path, own) in [
        ("/outer/a", "outer"),
        ("/outer/inner/a", "inner"),
        ("/a", "app"),
    ] {
        for token in ["app", "outer", "inner"] {
            let answer = Webhook::get(path).signed(token).call(&app).await;
            let expected = if token == own {
                (200, "annotated")
            } else {
                REFUSED
            };
            assert_answer(&answer, expected, &format!("{path} {token}"));
        }
    }
    let forged = Webhook::get("/report/a").call(&app).await;
    assert_answer(&forged, (200, "false"), "report only");
    runs();
}
