//! Three ways to let the compiler see to it that no route is left open: an annotated module, routes that
//! take protected handlers only, and functions that demand a proof.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin protected`.

use std::{env, error::Error, io};

use actix_twilio::{Proof, ProtectedRoute, TwilioConfig, validate_twilio_request};
use actix_web::{App, HttpServer, Responder, web};

/// Every route in here is protected, but for those that say `skip`.
#[validate_twilio_request]
mod webhooks {
    use actix_twilio::{Proof, validate_twilio_request};
    use actix_web::{Responder, get, post};

    #[post("/message")]
    pub(super) async fn message(proof: Proof) -> impl Responder {
        super::charge(&proof)
    }

    #[get("/health")]
    #[validate_twilio_request(skip)]
    pub(super) async fn health() -> impl Responder {
        "open to all"
    }
}

/// Without the attribute, `to_validated` does not take it.
#[validate_twilio_request]
async fn voice() -> impl Responder {
    "a genuine call"
}

/// Costs money: nobody can call it without a proof, and only this library makes one.
fn charge(proof: &Proof) -> String {
    format!("charged for a request to {}", proof.url())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .service(webhooks::message)
            .service(webhooks::health)
            .route("/voice", web::post().to_validated(voice))
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
