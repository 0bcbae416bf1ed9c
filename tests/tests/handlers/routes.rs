//! Twelve routes, registered in every way that actix-web offers, on a real server: none is open.

use std::{net::SocketAddr, sync::atomic::AtomicUsize, sync::atomic::Ordering};

use actix_twilio::{ProtectedRoute, TwilioValidation, Validated, validate_twilio_request};
use actix_twilio_tests::{
    server::Server,
    webhook::{REFUSED, Webhook, assert_answer, config},
};
use actix_web::{
    App, HttpRequest, Responder, get, guard,
    middleware::Condition,
    post, put, route, routes,
    web::{self, Bytes, ServiceConfig},
};

static RUNS: AtomicUsize = AtomicUsize::new(0);

fn answer() -> &'static str {
    RUNS.fetch_add(1, Ordering::Relaxed);
    "ran"
}

#[get("/macro")]
#[validate_twilio_request]
async fn by_macro() -> impl Responder {
    answer()
}

#[validate_twilio_request]
#[post("/macro/{id}")]
async fn by_macro_below(_id: web::Path<u32>) -> impl Responder {
    answer()
}

#[route("/route", method = "PUT", method = "PURGE")]
#[validate_twilio_request]
async fn by_route() -> impl Responder {
    answer()
}

#[routes]
#[get("/routes")]
#[post("/routes/{rest:.*}")]
#[validate_twilio_request]
async fn by_routes() -> impl Responder {
    answer()
}

#[validate_twilio_request]
mod module {
    #[actix_web::post("/module")]
    pub(crate) async fn by_module() -> &'static str {
        super::answer()
    }
}

#[validate_twilio_request]
async fn plain(_req: HttpRequest) -> impl Responder {
    answer()
}

async fn extractor(_validated: Validated<Bytes>) -> impl Responder {
    answer()
}

#[put("/below")]
#[validate_twilio_request]
async fn below_scopes() -> impl Responder {
    answer()
}

/// The route that somebody forgot to annotate.
async fn forgotten() -> impl Responder {
    answer()
}

fn configured(cfg: &mut ServiceConfig) {
    cfg.route("/configured", web::post().to_validated(plain))
        .service(web::resource("/configured/resource").to(plain));
}

/// Registers all of the routes; one of them with a handler that is not annotated, if it is wanted.
fn register(forget: bool) -> impl Fn(&mut ServiceConfig) + Clone {
    move |cfg| {
        let route = if forget {
            web::post().to(forgotten)
        } else {
            web::post().to(plain)
        };
        cfg.service((
            by_macro,
            by_macro_below,
            by_route,
            by_routes,
            module::by_module,
        ))
        .service(
            web::resource("/resource/{id}")
                .name("resource")
                .guard(guard::Header("x-twilio", "yes"))
                .route(web::get().to_validated(extractor))
                .route(web::post().to(plain)),
        )
        .configure(configured)
        .service(
            web::scope("/scope")
                .route("/route", route)
                .service(
                    web::scope("/{tenant}").service(
                        web::scope("/{number}")
                            .service(below_scopes)
                            .configure(configured),
                    ),
                )
                .default_service(web::to(plain)),
        )
        .default_service(web::route().to_validated(plain));
    }
}

/// Each route, and more than one request for some.
fn requests() -> Vec<Webhook> {
    let tagged = |webhook: Webhook| webhook.with("X-Twilio", "yes");
    vec![
        Webhook::get("/macro?a=1"),
        Webhook::form("/macro/7", "Body=Hi"),
        Webhook::form("/macro/7", ""),
        Webhook::new("PUT", "/route"),
        Webhook::new("PURGE", "/route"),
        Webhook::get("/routes"),
        Webhook::form("/routes/a/b?c=d", "Body=Hi"),
        Webhook::json("/module", r#"{"Body":"Hi"}"#),
        tagged(Webhook::get("/resource/7")),
        tagged(Webhook::json("/resource/7", "{}")),
        Webhook::form("/configured", "Body=Hi"),
        Webhook::form("/configured/resource", "Body=Hi"),
        Webhook::new("DELETE", "/configured/resource"),
        Webhook::form("/scope/route", "Body=Hi"),
        Webhook::new("PUT", "/scope/acme/7/below"),
        Webhook::form("/scope/acme/7/configured", "Body=Hi"),
        Webhook::get("/scope/acme/7/configured/resource"),
        Webhook::get("/scope/no/such/path/at/all"),
        Webhook::get("/nowhere"),
        Webhook::new("PATCH", "/"),
    ]
}

/// What a forger makes of a genuine request.
fn forgeries(webhook: &Webhook) -> Vec<(&'static str, Webhook)> {
    let genuine = webhook.clone().signed("12345");
    let mark = if webhook.target.contains('?') {
        '&'
    } else {
        '?'
    };
    let target = format!("{}{mark}To=me", webhook.target);
    let mut form = Webhook::form(&*webhook.target, "To=me").with("X-Twilio", "yes");
    form.method = webhook.method;
    form.headers.extend(genuine.headers.last().cloned());
    let signature = ("X-Twilio-Signature", "L/OH5YylLD5NRKLltdqwSvS0BnU=");
    let mut forgeries = vec![
        ("not signed", webhook.clone()),
        ("signed by a stranger", webhook.clone().signed("67890")),
        ("another query", genuine.clone().target(&target)),
        (
            "a second signature",
            genuine.clone().with(signature.0, signature.1),
        ),
        ("a form more", form),
    ];
    if !webhook.body.is_empty() {
        forgeries.push(("another body", genuine.body("Body=Bye")));
    }
    forgeries
}

async fn assert_closed_but_for(server: SocketAddr, path: &str, name: &str) {
    for webhook in requests() {
        let name = format!("{name}: {webhook:?}");
        for (how, forged) in forgeries(&webhook) {
            let answer = forged.send(server).await;
            if webhook.target == path {
                assert_answer(&answer, (200, "ran"), &format!("{how} {name}"));
                assert_eq!(RUNS.swap(0, Ordering::Relaxed), 1, "{how} {name}");
            } else {
                assert_answer(&answer, REFUSED, &format!("{how} {name}"));
                assert_eq!(RUNS.swap(0, Ordering::Relaxed), 0, "{how} {name}");
            }
        }
        let genuine = webhook.signed("12345").send(server).await;
        assert_answer(&genuine, (200, "ran"), &name);
        assert_eq!(RUNS.swap(0, Ordering::Relaxed), 1, "{name}");
    }
}

#[actix_web::test]
async fn every_route_of_twelve_refuses_forged_requests_and_accepts_genuine_ones() {
    // One test, since the handlers of all servers count in one place.
    for (name, forget, middleware, open) in [
        ("all annotated", false, false, ""),
        ("all annotated, under the middleware", false, true, ""),
        ("one forgotten", true, false, "/scope/route"),
        ("one forgotten, under the middleware", true, true, ""),
    ] {
        let config = config("12345");
        let server = Server::start(move || {
            let validation = TwilioValidation::with_config(config.clone());
            App::new()
                .app_data(config.clone())
                .wrap(Condition::new(middleware, validation))
                .configure(register(forget))
        });
        assert_closed_but_for(server.address, open, name).await;
    }
}
