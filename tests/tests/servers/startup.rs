//! What keeps an app from starting.

use actix_http::Request;
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_twilio::{
    ConfigError, Policy, ProtectedRoute, ProtectedScope, TwilioConfig, TwilioValidation,
    validate_twilio_request,
};
use actix_twilio_tests::{client::soon, log::Log, server::LOOPBACK};
use actix_web::{
    App, HttpRequest, HttpServer,
    dev::AppConfig,
    web::{self, ServiceConfig},
};

/// A policy that can't be built.
struct Broken;

impl Policy for Broken {
    fn config(_: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        TwilioConfig::builder().build()
    }

    fn check() -> Result<(), ConfigError> {
        TwilioConfig::builder().build().map(drop)
    }
}

#[validate_twilio_request(policy = Broken)]
async fn broken() -> &'static str {
    "ran"
}

#[validate_twilio_request(auth_token_env = "ACTIX_TWILIO_NEVER_SET")]
async fn of_no_account() -> &'static str {
    "ran"
}

#[validate_twilio_request]
async fn whole() -> &'static str {
    "ran"
}

/// Makes what serves an app.
async fn start<I, S>(app: I) -> Result<S::Service, S::InitError>
where
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig>,
{
    app.into_factory().new_service(AppConfig::default()).await
}

type Routes = fn(&mut ServiceConfig);

#[actix_web::test]
async fn app_with_a_policy_or_options_that_cannot_be_used_does_not_start() {
    let cases: [(&str, Routes); 5] = [
        ("a handler", |app| {
            app.route("/", web::post().to_validated(broken));
        }),
        ("a handler in a scope", |app| {
            let route = web::post().to_validated(broken);
            app.service(web::scope("/a").service(web::scope("/b").route("/", route)));
        }),
        ("a handler with options", |app| {
            app.route("/", web::post().to_validated(of_no_account));
        }),
        ("a handler with options in a protected scope", |app| {
            app.service(ProtectedScope::new("/a").post("/", of_no_account));
        }),
        ("a middleware", |app| {
            let validation = TwilioValidation::<Broken>::with_policy();
            app.service(web::scope("/a").wrap(validation));
        }),
    ];
    for (name, routes) in cases {
        let (log, _guard) = Log::start();
        let service = start(App::new().configure(routes)).await;
        assert!(service.is_err(), "{name}");
        let line = log.only(name);
        let text = line.field("message");
        assert!(
            text.contains("does not start") && text.contains("Auth Token"),
            "{name}: {text}"
        );

        let app = move || App::new().configure(routes);
        let server = HttpServer::new(app).workers(1).disable_signals();
        let server = server.bind(LOOPBACK).unwrap().run();
        assert!(soon(name, server).await.is_err(), "{name}");
    }
    // The configuration of other routes is known only when there is a request.
    let app = App::new()
        .wrap(TwilioValidation::new())
        .route("/", web::post().to_validated(whole));
    assert!(start(app).await.is_ok());
}
