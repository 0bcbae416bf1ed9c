//! Four ways to let the compiler check that no route is left open: a scope that takes only protected handlers, routes
//! that do, an annotated module, and functions that require a proof.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin protected`.

use std::{env, error::Error, io};

use actix_twilio::{
    Proof, ProtectedRoute, ProtectedScope, TwilioConfig,
    twiml::{Say, VoiceResponse},
    validate_twilio_request,
};
use actix_web::{App, HttpServer, web};

/// Every route in this module is protected, except those with `skip`.
#[validate_twilio_request]
mod webhooks {
    use actix_twilio::{
        Proof,
        twiml::{Message, MessagingResponse},
        validate_twilio_request,
    };
    use actix_web::{Responder, get, post};

    #[post("/message")]
    pub(super) async fn receive_message(proof: Proof) -> MessagingResponse {
        MessagingResponse::new().child(Message::new(super::charge(&proof)))
    }

    #[get("/health")]
    #[validate_twilio_request(skip)]
    pub(super) async fn show_health() -> impl Responder {
        "open to all"
    }
}

/// Without the attribute, neither `to_validated` nor a `ProtectedScope` would accept this handler.
#[validate_twilio_request]
async fn receive_call() -> VoiceResponse {
    VoiceResponse::new().child(Say::new("Hello"))
}

/// Costs money. It needs a proof, and only this library makes one.
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
            .service(webhooks::receive_message)
            .service(webhooks::show_health)
            .route("/voice", web::post().to_validated(receive_call))
            .service(ProtectedScope::new("/calls").route("/incoming", receive_call))
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
