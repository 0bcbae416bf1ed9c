//! The middleware, and what annotated handlers below make of its proofs.

use std::{cell::RefCell, pin::pin, sync::atomic::Ordering, task::Poll, time::Duration};

use actix_cors::Cors;
use actix_twilio::{
    ConfigError, Policy, Proof, TwilioConfig, TwilioValidation, Validated,
    ValidationErrorKind as Kind, config::Mode, signature::SignatureErrorKind,
    validate_twilio_request,
};
use actix_twilio_tests::{
    keys, refusal,
    server::Server,
    webhook::{
        BASE, REFUSED, UNJUDGED, Webhook, assert_answer, builder, config, counted, ran, runs,
    },
};
use actix_web::{
    App, Error, FromRequest, HttpRequest,
    dev::{Payload, ServiceRequest},
    error::{ErrorUnauthorized, PayloadError},
    get, guard,
    http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING, UPGRADE},
    middleware::{Compress, Condition, Logger, Next, NormalizePath, from_fn},
    post,
    test::{call_service, init_service, read_body},
    web::{self, Bytes, ServiceConfig},
};
use actix_web_httpauth::{extractors::basic::BasicAuth, middleware::HttpAuthentication};
use futures_util::{StreamExt, future::poll_immediate, stream};
use serde::Deserialize;

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Body")]
    body: String,
}

async fn form(message: web::Form<Message>) -> String {
    ran();
    message.into_inner().body
}

async fn json(message: web::Json<Message>) -> String {
    ran();
    message.into_inner().body
}

async fn bytes(body: Bytes) -> Bytes {
    ran();
    body
}

async fn stream(mut payload: web::Payload) -> Result<Bytes, Error> {
    ran();
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&chunk?);
    }
    Ok(body.into())
}

async fn nothing() -> &'static str {
    ran();
    "nothing"
}

/// Where the middleware stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Around {
    App,
    Scope,
    Resource,
    Route,
}

impl Around {
    const ALL: [Self; 4] = [Self::App, Self::Scope, Self::Resource, Self::Route];

    /// Registers the plain handlers with the middleware around them.
    fn configure(self, cfg: &mut ServiceConfig, config: &TwilioConfig) {
        let validation =
            |at| Condition::new(self == at, TwilioValidation::with_config(config.clone()));
        let routes = [
            ("/form", web::post().to(form)),
            ("/json", web::post().to(json)),
            ("/bytes", web::to(bytes)),
            ("/stream", web::to(stream)),
            ("/nothing", web::get().to(nothing)),
        ];
        let mut scope = web::scope("");
        for (path, route) in routes {
            let route = route.wrap(validation(Self::Route));
            scope = scope.service(
                web::resource(path)
                    .route(route)
                    .wrap(validation(Self::Resource)),
            );
        }
        cfg.service(scope.wrap(validation(Self::Scope)));
    }
}

#[actix_web::test]
async fn genuine_requests_reach_any_handler_with_their_body_and_forged_ones_none() {
    let text = "From=%2B1415&Body=Hi+%26%20bye";
    let json = r#"{"Body":"Hi & bye"}"#;
    let genuine = [
        (Webhook::form("/form?a=%27b", text), "Hi & bye"),
        (Webhook::json("/json", json), "Hi & bye"),
        (Webhook::form("/bytes", text), text),
        (Webhook::json("/bytes?a=1", json), json),
        (Webhook::get("/bytes"), ""),
        (Webhook::form("/stream", text), text),
        (Webhook::json("/stream", json), json),
        (Webhook::form("/stream", ""), ""),
        (Webhook::get("/nothing"), "nothing"),
    ];
    let sent = || Webhook::form("/form", text).signed("12345");
    let hashed = || Webhook::json("/bytes", json).signed("12345");
    let signature = sent().headers.pop().unwrap().1;
    let forged = [
        ("no signature", Webhook::form("/form", text)),
        ("no signature, no body", Webhook::get("/nothing")),
        (
            "another token",
            Webhook::form("/form", text).signed("67890"),
        ),
        ("another body", sent().body("From=%2B1415&Body=Bye")),
        (
            "one more parameter",
            sent().body(&format!("{text}&Admin=1")),
        ),
        ("no body", sent().body("")),
        ("another path", sent().target("/bytes")),
        ("a query", sent().target("/form?Admin=1")),
        ("another JSON", hashed().body(r#"{"Body":"Bye"}"#)),
        ("no JSON", hashed().body("")),
        (
            "JSON without a hash",
            Webhook::get("/bytes").signed("12345").body(json),
        ),
        (
            "a second signature",
            sent().with("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ),
        (
            "the same as a list",
            Webhook::form("/form", text)
                .with("X-Twilio-Signature", format!("{signature},{signature}")),
        ),
        (
            "an empty signature",
            Webhook::form("/form", text).with("X-Twilio-Signature", ""),
        ),
        (
            "a SharedKey that nobody knows",
            sent().with("X-Twilio-Webhooks-Signature-Settings", "key=K1"),
        ),
        (
            "a signature in the query",
            Webhook::form(format!("/form?X-Twilio-Signature={signature}"), text),
        ),
    ];
    for around in Around::ALL {
        let config = config("12345");
        let app = App::new()
            .wrap(Condition::new(
                around == Around::App,
                TwilioValidation::with_config(config.clone()),
            ))
            .configure(|cfg| around.configure(cfg, &config));
        let app = init_service(app).await;
        for (webhook, echo) in &genuine {
            let name = format!("{around:?} {webhook:?}");
            let answer = webhook.clone().signed("12345").call(&app).await;
            assert_answer(&answer, (200, echo), &name);
            assert_eq!(runs(), 1, "{name}");
        }
        for (name, webhook) in &forged {
            let name = format!("{around:?} {name}");
            assert_answer(&webhook.call(&app).await, REFUSED, &name);
            assert_eq!(runs(), 0, "{name}");
        }
    }
}

#[actix_web::test]
async fn paths_that_no_route_serves_need_a_signature_too_under_an_app() {
    let app = App::new()
        .wrap(TwilioValidation::with_config(config("12345")))
        .service(web::resource("/form").route(web::post().to(form)))
        .default_service(web::to(nothing));
    let app = init_service(app).await;
    for (name, webhook, genuine) in [
        ("no route", Webhook::get("/other"), (200, "nothing")),
        ("another method", Webhook::new("PUT", "/form"), (405, "")),
    ] {
        assert_answer(&webhook.call(&app).await, REFUSED, name);
        assert_eq!(runs(), 0, "{name}");
        assert_answer(&webhook.signed("12345").call(&app).await, genuine, name);
        runs();
    }

    let scope = web::scope("/in")
        .wrap(TwilioValidation::with_config(config("12345")))
        .default_service(web::to(nothing));
    let app = init_service(App::new().service(scope)).await;
    assert_answer(&Webhook::get("/in/x").call(&app).await, REFUSED, "scope");
    assert_answer(&Webhook::get("/out").call(&app).await, (404, ""), "outside");
    assert_eq!(runs(), 0);
}

thread_local! {
    /// What the test's policies answer with.
    static CHOSEN: RefCell<Option<TwilioConfig>> = const { RefCell::new(None) };
}

struct Chosen;

impl Policy for Chosen {
    fn config(_: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        Ok(CHOSEN.with_borrow(|config| config.clone().unwrap()))
    }
}

struct AlsoChosen;

impl Policy for AlsoChosen {
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        Chosen::config(req)
    }
}

#[post("/attribute")]
#[validate_twilio_request]
async fn attribute(body: Bytes) -> Bytes {
    ran();
    body
}

#[post("/extractor")]
async fn extractor(validated: Validated<Bytes>) -> Bytes {
    ran();
    validated.into_inner()
}

#[post("/policy")]
#[validate_twilio_request(policy = Chosen)]
async fn policy(body: Bytes) -> Bytes {
    ran();
    body
}

#[post("/other_policy")]
#[validate_twilio_request(policy = AlsoChosen)]
async fn other_policy(body: Bytes) -> Bytes {
    ran();
    body
}

#[post("/option")]
#[validate_twilio_request(public_url = "https://example.com")]
async fn option(body: Bytes) -> Bytes {
    ran();
    body
}

const GATES: [&str; 5] = [
    "/attribute",
    "/extractor",
    "/policy",
    "/other_policy",
    "/option",
];

type Configure<'c> = &'c dyn Fn(&mut ServiceConfig);

fn gates(cfg: &mut ServiceConfig) {
    cfg.service((attribute, extractor, policy, other_policy, option));
}

#[actix_web::test]
async fn a_proof_counts_for_the_very_configuration_and_policy_that_made_it() {
    let (config, count) = counted(builder("12345"));
    CHOSEN.set(Some(config.clone()));
    let by_config = |cfg: &mut ServiceConfig| {
        cfg.service(
            web::scope("")
                .wrap(TwilioValidation::with_config(config.clone()))
                .configure(gates),
        );
    };
    let by_app_data = |cfg: &mut ServiceConfig| {
        cfg.service(
            web::scope("")
                .wrap(TwilioValidation::new())
                .configure(gates),
        );
    };
    let by_policy = |cfg: &mut ServiceConfig| {
        let validation = TwilioValidation::<Chosen>::with_policy();
        cfg.service(web::scope("").wrap(validation).configure(gates));
    };
    let twice = |cfg: &mut ServiceConfig| {
        let inner = web::scope("")
            .wrap(TwilioValidation::new())
            .configure(gates);
        let validation = TwilioValidation::with_config(config.clone());
        cfg.service(web::scope("").wrap(validation).service(inner));
    };
    let without = gates;
    // How often each of GATES has its request validated.
    let cases: [(&str, Configure<'_>, [usize; 5]); 5] = [
        ("the configuration", &by_config, [1, 1, 2, 2, 2]),
        ("that in app_data", &by_app_data, [1, 1, 2, 2, 2]),
        ("a policy", &by_policy, [2, 2, 1, 2, 2]),
        ("two of them", &twice, [1, 1, 2, 2, 2]),
        ("none", &without, [1; 5]),
    ];
    for (name, configure, expected) in cases {
        let app = App::new().app_data(config.clone()).configure(configure);
        let app = init_service(app).await;
        for (path, expected) in GATES.iter().zip(expected) {
            let name = format!("{name} {path}");
            let webhook = Webhook::form(*path, "Body=Hi").signed("12345");
            assert_answer(&webhook.call(&app).await, (200, "Body=Hi"), &name);
            assert_eq!(
                (count.swap(0, Ordering::Relaxed), runs()),
                (expected, 1),
                "{name}"
            );
            // A proof is of its request alone.
            let forged = webhook.body("Body=Bye");
            assert_answer(&forged.call(&app).await, REFUSED, &name);
            assert_eq!((count.swap(0, Ordering::Relaxed), runs()), (1, 0), "{name}");
        }
    }
}

#[actix_web::test]
async fn each_handler_validates_again_unless_its_own_configuration_did() {
    use Mode::{Enforce, Off, ReportOnly};
    const A: &str = "12345";
    const B: &str = "67890";
    let refused = REFUSED.0;
    // The middleware's token and mode, the handlers' token and mode, who signed, the status, and
    // how often each of them gave a verdict.
    let cases = [
        ((A, Enforce), (A, Enforce), Some(A), 200, [1, 1]),
        ((A, Enforce), (A, Enforce), Some(B), refused, [1, 0]),
        ((A, Enforce), (A, Enforce), None, refused, [1, 0]),
        ((A, Enforce), (B, Enforce), Some(A), refused, [1, 1]),
        ((A, Enforce), (B, Enforce), Some(B), refused, [1, 0]),
        ((A, Enforce), (B, Enforce), None, refused, [1, 0]),
        ((A, ReportOnly), (A, Enforce), Some(A), 200, [1, 1]),
        ((A, ReportOnly), (A, Enforce), Some(B), refused, [1, 1]),
        ((A, ReportOnly), (A, Enforce), None, refused, [1, 1]),
        ((A, ReportOnly), (B, Enforce), Some(A), refused, [1, 1]),
        ((A, ReportOnly), (B, Enforce), Some(B), 200, [1, 1]),
        ((A, Off), (A, Enforce), Some(A), 200, [0, 1]),
        ((A, Off), (A, Enforce), Some(B), refused, [0, 1]),
        ((A, Off), (A, Enforce), None, refused, [0, 1]),
        ((A, Enforce), (B, ReportOnly), Some(A), 200, [1, 1]),
        ((A, Enforce), (B, ReportOnly), Some(B), refused, [1, 0]),
        ((A, Enforce), (B, Off), Some(A), 200, [1, 0]),
        ((A, Enforce), (B, Off), None, refused, [1, 0]),
        ((A, ReportOnly), (A, ReportOnly), None, 200, [1, 1]),
        ((A, Off), (A, Off), None, 200, [0, 0]),
    ];
    for (outer, inner, signer, status, verdicts) in cases {
        let name = format!("{signer:?} to {outer:?} around {inner:?}");
        let (outer, outer_count) = counted(builder(outer.0).mode(outer.1));
        let (inner, inner_count) = counted(builder(inner.0).mode(inner.1));
        CHOSEN.set(Some(inner.clone()));
        let app = App::new()
            .app_data(inner)
            .wrap(TwilioValidation::with_config(outer))
            .configure(gates);
        let app = init_service(app).await;
        for path in GATES {
            let webhook = Webhook::form(path, "Body=Hi");
            let webhook = match signer {
                Some(token) => webhook.signed(token),
                None => webhook,
            };
            let answer = webhook.call(&app).await;
            let expected = if status == 200 {
                (200, "Body=Hi")
            } else {
                REFUSED
            };
            assert_answer(&answer, expected, &format!("{name} {path}"));
            let found = [&outer_count, &inner_count].map(|count| count.swap(0, Ordering::Relaxed));
            assert_eq!(found, verdicts, "{name} {path}");
            assert_eq!(runs(), usize::from(status == 200), "{name} {path}");
        }
    }
}

#[actix_web::test]
async fn only_the_innermost_enforced_verdict_gives_a_proof() {
    #[validate_twilio_request]
    async fn told(proof: Option<Proof>, req: HttpRequest) -> String {
        ran();
        let found = Proof::extract(&req).await.is_ok();
        format!("{} {found}", proof.is_some())
    }
    async fn plain(proof: Option<Proof>) -> String {
        ran();
        proof.is_some().to_string()
    }
    use Mode::{Enforce, Off, ReportOnly};
    let cases = [
        (Enforce, Enforce, "true true", "true"),
        (Enforce, ReportOnly, "false false", "true"),
        (Enforce, Off, "false false", "true"),
        (ReportOnly, Enforce, "true true", "false"),
        (Off, Enforce, "true true", "false"),
        (ReportOnly, Off, "false false", "false"),
    ];
    for (outer, inner, annotated, unannotated) in cases {
        let name = format!("{inner:?} in {outer:?}");
        let outer = builder("12345").mode(outer).build().unwrap();
        let inner = builder("12345").mode(inner).build().unwrap();
        let app = App::new()
            .app_data(inner)
            .wrap(TwilioValidation::with_config(outer))
            .route("/told", web::get().to(told))
            .route("/plain", web::get().to(plain));
        let app = init_service(app).await;
        let genuine = |path| Webhook::get(path).signed("12345");
        assert_answer(&genuine("/told").call(&app).await, (200, annotated), &name);
        assert_answer(
            &genuine("/plain").call(&app).await,
            (200, unannotated),
            &name,
        );
    }
}

#[actix_web::test]
async fn paths_are_normalized_inside_and_validated_as_they_came() {
    #[get("/{tenant}/hook")]
    #[validate_twilio_request]
    async fn hook(req: HttpRequest) -> String {
        ran();
        req.path().to_owned()
    }
    let app = |inner: TwilioConfig, outer: TwilioConfig| {
        App::new()
            .app_data(inner)
            .service(hook)
            .wrap(NormalizePath::trim())
            .wrap(TwilioValidation::with_config(outer))
    };
    let own = config("12345");
    for (name, outer) in [("its own", own.clone()), ("another", config("12345"))] {
        let app = init_service(app(own.clone(), outer)).await;
        for target in [
            "/acme/hook",
            "/acme/hook/",
            "//acme///hook//?a=1",
            "/acme//hook?b=%2F",
        ] {
            let name = format!("{name} {target}");
            let webhook = Webhook::get(target);
            let answer = webhook.clone().signed("12345").call(&app).await;
            assert_answer(&answer, (200, "/acme/hook"), &name);
            assert_eq!(runs(), 1, "{name}");
            assert_answer(&webhook.call(&app).await, REFUSED, &name);
        }
        // Signed for the path that the handler sees, sent to another one.
        let forged = Webhook::get("/acme/hook")
            .signed("12345")
            .target("/acme//hook");
        assert_answer(&forged.call(&app).await, REFUSED, name);
        assert_eq!(runs(), 0);
    }
}

#[actix_web::test]
async fn answers_are_compressed_logged_and_conditional() {
    let wrapped = |condition| {
        App::new()
            .route("/form", web::post().to(form))
            .wrap(Condition::new(
                condition,
                TwilioValidation::with_config(config("12345")),
            ))
            .wrap(Compress::default())
            .wrap(Logger::default())
    };
    let body = format!("Body={}", "Hi".repeat(1000));
    let webhook = Webhook::form("/form", &body).with(ACCEPT_ENCODING.as_str(), "gzip");
    let app = init_service(wrapped(true)).await;
    let genuine = webhook.clone().signed("12345").request().to_request();
    let res = call_service(&app, genuine).await;
    assert_eq!(res.status(), 200);
    assert_eq!(res.headers().get("content-encoding").unwrap(), "gzip");
    let res = call_service(&app, webhook.request().to_request()).await;
    assert_eq!(res.status(), 403);
    assert_eq!(runs(), 1);

    let app = init_service(wrapped(false)).await;
    let res = call_service(&app, webhook.request().to_request()).await;
    assert_eq!(
        (res.status().as_u16(), runs()),
        (200, 1),
        "no condition, no validation"
    );
}

#[actix_web::test]
async fn authentication_outside_asks_before_anything_is_refused() {
    async fn check(
        req: ServiceRequest,
        auth: BasicAuth,
    ) -> Result<ServiceRequest, (Error, ServiceRequest)> {
        match (auth.user_id(), auth.password()) {
            ("twilio", Some("secret")) => Ok(req),
            _ => Err((ErrorUnauthorized("who?"), req)),
        }
    }
    let app = App::new()
        .route("/form", web::post().to(form))
        .wrap(TwilioValidation::with_config(config("12345")))
        .wrap(HttpAuthentication::basic(check));
    let app = init_service(app).await;
    let webhook = Webhook::form("/form", "Body=Hi");
    let authorized = |webhook: Webhook| {
        // twilio:secret
        webhook.with("Authorization", "Basic dHdpbGlvOnNlY3JldA==")
    };
    let wrong = webhook
        .clone()
        .with("Authorization", "Basic dHdpbGlvOndyb25n");
    for (name, webhook, status) in [
        ("first request", webhook.clone().signed("12345"), 401),
        ("forged", webhook.clone(), 401),
        ("wrong password", wrong.signed("12345"), 401),
        ("password alone", authorized(webhook.clone()), 403),
        (
            "password and another token",
            authorized(webhook.clone()).signed("67890"),
            403,
        ),
        (
            "repeated request",
            authorized(webhook.clone()).signed("12345"),
            200,
        ),
    ] {
        assert_eq!(webhook.call(&app).await.0, status, "{name}");
        assert_eq!(runs(), usize::from(status == 200), "{name}");
    }
}

#[actix_web::test]
async fn preflight_requests_are_answered_outside_and_others_are_validated() {
    let app = App::new()
        .route("/form", web::post().to(form))
        .wrap(TwilioValidation::with_config(config("12345")))
        .wrap(Cors::permissive());
    let app = init_service(app).await;
    let origin = |webhook: Webhook| webhook.with("Origin", "https://other.example");
    let preflight =
        origin(Webhook::new("OPTIONS", "/form")).with("Access-Control-Request-Method", "POST");
    assert_eq!(preflight.call(&app).await.0, 200);
    let form = origin(Webhook::form("/form", "Body=Hi"));
    let res = call_service(&app, form.request().to_request()).await;
    assert_eq!(res.status(), 403);
    assert!(res.headers().contains_key("access-control-allow-origin"));
    assert_eq!(
        origin(Webhook::new("OPTIONS", "/form")).call(&app).await.0,
        403
    );
    assert_eq!(runs(), 0);
    assert_eq!(form.signed("12345").call(&app).await.0, 200);
}

/// Scopes with dynamic paths, which the router can enter only as the request's one owner.
fn dynamic(cfg: &mut ServiceConfig, config: &TwilioConfig) {
    async fn told(path: web::Path<(String, u32, String)>) -> String {
        ran();
        let (tenant, number, rest) = path.into_inner();
        format!("{tenant} {number} {rest}")
    }
    let validation = || TwilioValidation::with_config(config.clone());
    cfg.service(
        web::scope("/{tenant}").wrap(validation()).service(
            web::scope("/{number}").wrap(validation()).service(
                web::scope("")
                    .guard(guard::Post())
                    .wrap(validation())
                    .service(
                        web::resource("/{rest:.*}")
                            .wrap(validation())
                            .route(web::post().to(told).wrap(validation())),
                    ),
            ),
        ),
    );
}

#[actix_web::test]
async fn dynamic_paths_in_nested_scopes_do_not_panic() {
    let (config, count) = counted(builder("12345").error_handler(|err, req| {
        let _another_owner = req.clone();
        err.into()
    }));
    let app = |config: TwilioConfig| {
        App::new()
            .wrap(TwilioValidation::with_config(config.clone()))
            .configure(move |cfg| dynamic(cfg, &config))
    };
    let served = config.clone();
    let server = Server::start(move || app(served.clone()));
    let app = init_service(app(config)).await;
    for body in ["", "Body=Hi"] {
        let webhook = Webhook::form("/acme/7/a/b", body);
        let genuine = webhook.clone().signed("12345");
        assert_answer(&genuine.call(&app).await, (200, "acme 7 a/b"), "called");
        assert_eq!((count.swap(0, Ordering::Relaxed), runs()), (1, 1));
        assert_answer(&webhook.call(&app).await, REFUSED, "called");
        assert_eq!((count.swap(0, Ordering::Relaxed), runs()), (1, 0));
        // The worker serves on after each of them.
        for _ in 0..3 {
            assert_answer(
                &genuine.send(server.address).await,
                (200, "acme 7 a/b"),
                "sent",
            );
            assert_answer(&webhook.send(server.address).await, REFUSED, "sent");
        }
        assert_eq!(count.swap(0, Ordering::Relaxed), 6);
    }
}

#[actix_web::test]
async fn report_only_and_off_let_through_what_can_be_read() {
    for (validation, verdicts) in [(Mode::ReportOnly, 1), (Mode::Off, 0)] {
        let (config, count) = counted(builder("12345").mode(validation).body_limit(16));
        let app = App::new()
            .wrap(TwilioValidation::with_config(config))
            .route("/form", web::post().to(form))
            .route("/bytes", web::to(bytes))
            .route("/proof", web::to(async |_: Proof| "ran"));
        let app = init_service(app).await;
        for (name, webhook, echo) in [
            ("forged", Webhook::form("/form", "Body=Hi"), "Hi"),
            (
                "genuine",
                Webhook::form("/form", "Body=Hi").signed("12345"),
                "Hi",
            ),
            ("no hash", Webhook::new("POST", "/bytes").body("{}"), "{}"),
            (
                "no hash, signed",
                Webhook::get("/bytes").signed("12345").body("{}"),
                "{}",
            ),
        ] {
            let name = format!("{validation:?} {name}");
            assert_answer(&webhook.call(&app).await, (200, echo), &name);
            assert_eq!(
                (count.swap(0, Ordering::Relaxed), runs()),
                (verdicts, 1),
                "{name}"
            );
        }
        let genuine = Webhook::get("/proof").signed("12345");
        assert_answer(&genuine.call(&app).await, UNJUDGED, "a proof of nothing");
        count.store(0, Ordering::Relaxed);

        let large = Webhook::form("/bytes", &"a".repeat(17)).signed("12345");
        let status = if verdicts == 1 { 413 } else { 200 };
        assert_eq!(large.call(&app).await.0, status, "{validation:?}");
        runs();
    }
}

type Chunks = stream::LocalBoxStream<'static, Result<Bytes, PayloadError>>;

#[actix_web::test]
async fn bodies_are_bounded_in_size_and_time() {
    let limited = || {
        let builder = builder("12345").body_limit(16);
        builder
            .body_timeout(Duration::from_millis(20))
            .build()
            .unwrap()
    };
    let app = App::new()
        .wrap(TwilioValidation::with_config(limited()))
        .default_service(web::to(bytes));
    let app = init_service(app).await;
    let chunk = |text: &'static str| Ok::<_, PayloadError>(Bytes::from_static(text.as_bytes()));
    let ends = || stream::iter([chunk("a=12345678901"), chunk("2345")]).boxed_local();
    let stops = || {
        let never = stream::pending();
        stream::iter([chunk("a=1")]).chain(never).boxed_local()
    };
    let breaks = || stream::iter([chunk("a=1"), Err(PayloadError::Incomplete(None))]).boxed_local();
    let cases: [(&str, &str, Chunks, u16); 4] = [
        ("too large, not said", "a=1", ends(), 413),
        ("too slow", "a=1", stops(), 408),
        ("broken off", "a=1", breaks(), 403),
        (
            "whole",
            "a=1",
            stream::iter([chunk("a="), chunk("1")]).boxed_local(),
            200,
        ),
    ];
    for (name, body, payload, status) in cases {
        let req = Webhook::form("/", body).signed("12345").request();
        let (req, _) = req.to_request().replace_payload(Payload::from(payload));
        assert_eq!(call_service(&app, req).await.status(), status, "{name}");
        assert_eq!(runs(), usize::from(status == 200), "{name}");
    }
    // Nobody waits for a body that no signature can make genuine.
    for (name, webhook, status) in [
        ("without a signature", Webhook::form("/", ""), 403),
        (
            "no form, forged",
            Webhook::new("POST", "/").signed("67890"),
            403,
        ),
        (
            "encoded",
            Webhook::form("/", "")
                .signed("12345")
                .with("Content-Encoding", "gzip"),
            415,
        ),
        (
            "said to be large",
            Webhook::form("/", "")
                .signed("12345")
                .with("Content-Length", "17"),
            413,
        ),
    ] {
        let payload = stream::poll_fn(|_| -> Poll<Option<Result<Bytes, PayloadError>>> {
            panic!("the body was read")
        });
        let req = webhook.request().to_request();
        let (req, _) = req.replace_payload(Payload::from(payload.boxed_local()));
        assert_eq!(call_service(&app, req).await.status(), status, "{name}");
        assert_eq!(runs(), 0, "{name}");
    }
}

/// What a middleware between `TwilioValidation` and the handler does with the body.
const INTERFERENCES: [(&str, Interference, (u16, &str)); 7] = [
    ("nothing", |body| Some(body), (200, "Body=Hi")),
    (
        "reads and puts back",
        |body| Some(Bytes::from(body.to_vec())),
        (200, "Body=Hi"),
    ),
    ("eats", |_| None, UNJUDGED),
    ("empties", |_| Some(Bytes::new()), UNJUDGED),
    (
        "replaces",
        |_| Some(Bytes::from_static(b"Body=No")),
        UNJUDGED,
    ),
    (
        "appends",
        |body| Some([&body[..], b"&Body=No"].concat().into()),
        UNJUDGED,
    ),
    (
        "exceeds the limit",
        |_| Some(vec![b'a'; 300 * 1024].into()),
        UNJUDGED,
    ),
];

type Interference = fn(Bytes) -> Option<Bytes>;

#[actix_web::test]
async fn a_body_that_was_eaten_or_replaced_after_the_verdict_reaches_no_handler() {
    for (name, interference, expected) in INTERFERENCES {
        let interfere = from_fn(move |mut req: ServiceRequest, next: Next<_>| async move {
            let body = req.extract::<Bytes>().await?;
            req.set_payload(interference(body).map_or(Payload::None, Payload::from));
            next.call(req).await
        });
        let app = App::new().app_data(config("12345")).service(attribute);
        let app = app.wrap(interfere).wrap(TwilioValidation::new());
        let app = init_service(app).await;
        let genuine = Webhook::form("/attribute", "Body=Hi").signed("12345");
        let (status, answer) = genuine.call(&app).await;
        assert_eq!((status, &*answer), expected, "{name}");
        assert_eq!(runs(), usize::from(status == 200), "{name}");
    }
}

#[actix_web::test]
async fn a_validated_body_passes_the_second_look_while_slow_bodies_take_all_the_room() {
    let chunk = |body: Bytes| stream::iter([Ok::<_, PayloadError>(body)]);
    let config = builder("12345").body_limit(16).total_body_limit(16);
    let config = config.build().unwrap();
    let other = init_service(App::new().app_data(config.clone()).service(attribute)).await;
    let start_endless = || {
        let endless = chunk(Bytes::from_static(b"0123456789abcdef")).chain(stream::pending());
        let req = Webhook::form("/attribute", "").signed("12345").request();
        let payload = Payload::from(endless.boxed_local());
        Box::pin(call_service(
            &other,
            req.to_request().replace_payload(payload).0,
        ))
    };
    let mut waiting = start_endless();
    for _ in 0..4 {
        assert!(poll_immediate(&mut waiting).await.is_none());
    }
    for (name, slow, expected) in [
        ("put back", false, (200, "Body=Hi")),
        ("replaced by a slow one", true, (503, "The server is busy.")),
    ] {
        let between = from_fn(move |mut req: ServiceRequest, next: Next<_>| async move {
            let body = chunk(req.extract::<Bytes>().await?);
            let body = if slow {
                body.chain(stream::pending()).boxed_local()
            } else {
                body.boxed_local()
            };
            req.set_payload(Payload::from(body));
            next.call(req).await
        });
        let app = App::new().app_data(config.clone()).service(attribute);
        let app = init_service(app.wrap(between).wrap(TwilioValidation::new())).await;
        let genuine = Webhook::form("/attribute", "Body=Hi").signed("12345");
        let mut answer = pin!(genuine.call(&app));
        let mut newest = start_endless();
        if slow {
            for _ in 0..4 {
                assert!(poll_immediate(&mut answer).await.is_none());
            }
            // Now the slow body has waited longest.
            for _ in 0..4 {
                assert!(poll_immediate(&mut newest).await.is_none());
            }
        }
        assert_answer(&answer.await, expected, name);
        assert_eq!(runs(), usize::from(!slow), "{name}");
    }
}

/// What a middleware outside of the validation does with the body, and the verdict on what is left.
#[rustfmt::skip]
const EARLIER_INTERFERENCES: [(&str, Interference, bool, Option<Kind>); 7] = [
    ("puts back", |body| Some(body), true, None),
    ("eats", |_| None, true, Some(Kind::BodyConsumed)),
    ("eats what has no declared length", |_| None, false, Some(MISMATCH)),
    ("empties", |_| Some(Bytes::new()), true, Some(Kind::BodyConsumed)),
    ("appends", |_| Some(Bytes::from_static(b"Body=Hi&x=1")), true, Some(Kind::BodyConsumed)),
    ("replaces by as many bytes", |_| Some(Bytes::from_static(b"Body=No")), true, Some(MISMATCH)),
    ("escapes, which changes nothing that is signed", |_| Some(Bytes::from_static(b"Body=%48i")), true, None),
];

const MISMATCH: Kind = Kind::Signature(SignatureErrorKind::SignatureMismatch);

#[actix_web::test]
async fn a_body_that_was_eaten_before_the_verdict_is_named_as_the_cause() {
    for (name, interference, has_length, kind) in EARLIER_INTERFERENCES {
        let interfere = from_fn(move |mut req: ServiceRequest, next: Next<_>| async move {
            let body = req.extract::<Bytes>().await?;
            req.set_payload(interference(body).map_or(Payload::None, Payload::from));
            next.call(req).await
        });
        let app = App::new().app_data(config("12345")).service(attribute);
        let app = init_service(app.wrap(interfere)).await;
        let genuine = Webhook::form("/attribute", "Body=Hi").signed("12345");
        let mut req = genuine.request().to_request();
        if !has_length {
            req.headers_mut().remove(CONTENT_LENGTH);
        }
        let res = call_service(&app, req).await;
        assert_eq!(refusal(&res), kind, "{name}");
        let status = match kind {
            None => 200,
            Some(Kind::BodyConsumed) => 500,
            Some(_) => 403,
        };
        assert_eq!(res.status(), status, "{name}");
        assert_eq!(runs(), usize::from(status == 200), "{name}");
    }
    // The hash in the URL is not that of nothing.
    let eat = from_fn(|mut req: ServiceRequest, next: Next<_>| async move {
        req.set_payload(Payload::None);
        next.call(req).await
    });
    let app = App::new().app_data(config("12345")).service(attribute);
    let app = init_service(app.wrap(eat)).await;
    let json = Webhook::json("/attribute", "{}").signed("12345");
    let res = call_service(&app, json.request().to_request()).await;
    assert_eq!(refusal(&res), Some(Kind::BodyConsumed));
}

/// With these headers, a client decides how many bytes arrive, whatever length it declares. A fault of ours would be
/// reported as often as it likes.
#[actix_web::test]
async fn length_that_does_not_count_is_no_sign_that_the_body_was_eaten() {
    let app = App::new().app_data(config("12345")).service(attribute);
    let app = init_service(app).await;
    let forged = Webhook::form("/attribute", "Body=Hi").signed("67890");
    for (header, kind, status) in [
        (None, Kind::BodyConsumed, 500),
        (Some((TRANSFER_ENCODING, "chunked")), MISMATCH, 403),
        (Some((UPGRADE, "h2c")), MISMATCH, 403),
    ] {
        let mut req = forged.request().to_request();
        let headers = req.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("100"));
        if let Some((name, value)) = header.clone() {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let res = call_service(&app, req).await;
        assert_eq!(refusal(&res), Some(kind), "{header:?}");
        assert_eq!(res.status(), status, "{header:?}");
        assert_eq!(runs(), 0, "{header:?}");
    }
}

#[actix_web::test]
async fn a_handshake_is_judged_once_and_its_frames_stay_unread() {
    let first_frame = async |frames: Validated<web::Payload>| {
        ran();
        frames.into_inner().next().await.unwrap().unwrap()
    };
    let (config, verdicts) = counted(builder("12345"));
    let app = App::new()
        .app_data(config)
        .route("/media", web::get().to(first_frame));
    let app = init_service(app.wrap(TwilioValidation::new())).await;
    let url = format!("{}/media", BASE.replace("https", "wss"));
    for (token, status, count) in [("12345", 200, 1), ("67890", 403, 0)] {
        let handshake = Webhook::get("/media")
            .signed_for(&url, &keys(token))
            .with("Upgrade", "websocket")
            .with("Connection", "Upgrade")
            .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        // It has more frames than a body may have bytes, and does not end.
        let frames = stream::repeat_with(|| Ok::<_, PayloadError>(Bytes::from_static(b"frame")));
        let req = handshake.request().to_request();
        let (req, _) = req.replace_payload(Payload::from(frames.boxed_local()));
        let res = call_service(&app, req).await;
        assert_eq!(res.status(), status);
        assert_eq!(verdicts.swap(0, Ordering::Relaxed), 1);
        assert_eq!(runs(), count);
        if status == 200 {
            assert_eq!(read_body(res).await, "frame");
        }
    }
}

#[actix_web::test]
async fn a_missing_configuration_lets_nobody_in() {
    struct Broken;
    impl Policy for Broken {
        fn config(_: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
            TwilioConfig::builder().build()
        }
    }
    let app = App::new()
        .wrap(TwilioValidation::<Broken>::with_policy())
        .default_service(web::to(nothing));
    let app = init_service(app).await;
    for webhook in [Webhook::get("/"), Webhook::get("/").signed("12345")] {
        assert_answer(&webhook.call(&app).await, UNJUDGED, "broken policy");
    }
    let app = App::new()
        .app_data(config("12345"))
        .app_data(web::Data::new(config("12345")))
        .wrap(TwilioValidation::new())
        .default_service(web::to(nothing));
    let app = init_service(app).await;
    let genuine = Webhook::get("/").signed("12345");
    assert_answer(&genuine.call(&app).await, UNJUDGED, "two configurations");
    assert_eq!(runs(), 0);
}

/// Chooses by a path parameter.
struct ByTenant;

impl Policy for ByTenant {
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        Ok(match req.match_info().get("tenant") {
            Some(_) => config("tenant"),
            None => config("default"),
        })
    }
}

#[actix_web::test]
async fn a_policy_sees_the_path_parameters_of_what_its_middleware_is_wrapped_around() {
    let validation = TwilioValidation::<ByTenant>::with_policy;
    let resource = || web::resource("/message").to(nothing);
    let on_scope = web::scope("/scope/{tenant}").wrap(validation());
    let on_inner = web::scope("/{tenant}").service(resource().wrap(validation()));
    let on_outer = web::scope("/outer").wrap(validation());
    let app = App::new()
        .service(on_scope.service(resource()))
        .service(web::scope("/resource").service(on_inner))
        .service(on_outer.service(web::scope("/{tenant}").service(resource())));
    let app = init_service(app).await;
    let around = App::new().wrap(validation());
    let around = init_service(around.service(web::scope("/{tenant}").service(resource()))).await;
    for token in ["tenant", "default"] {
        for (path, chosen) in [
            ("/scope/acme/message", "tenant"),
            ("/resource/acme/message", "tenant"),
            ("/outer/acme/message", "default"),
        ] {
            let (status, _) = Webhook::get(path).signed(token).call(&app).await;
            let expected = if token == chosen { 200 } else { 403 };
            assert_eq!(status, expected, "{path} signed with {token}");
        }
        let webhook = Webhook::get("/acme/message").signed(token);
        let expected = if token == "default" { 200 } else { 403 };
        assert_eq!(webhook.call(&around).await.0, expected, "{token}");
    }
    runs();
}

#[actix_web::test]
async fn an_app_wide_middleware_does_not_see_the_data_of_scopes() {
    // The scope's token is B's: the middleware outside goes by the app's, the handler by its own.
    let app = App::new()
        .app_data(config("12345"))
        .wrap(TwilioValidation::new())
        .service(
            web::scope("/b")
                .app_data(config("67890"))
                .service(attribute),
        )
        .service(
            web::scope("/c")
                .app_data(config("67890"))
                .wrap(TwilioValidation::new())
                .default_service(web::to(bytes)),
        );
    let app = init_service(app).await;
    for path in ["/b/attribute", "/c/plain"] {
        for token in ["12345", "67890"] {
            let webhook = Webhook::form(path, "Body=Hi").signed(token);
            assert_answer(
                &webhook.call(&app).await,
                REFUSED,
                &format!("{token} {path}"),
            );
        }
    }
    assert_eq!(runs(), 0);
}
