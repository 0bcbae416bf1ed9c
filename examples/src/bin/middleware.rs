//! A whole scope behind the middleware: its handlers need no change.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin middleware`.

use std::{env, error::Error, io};

use actix_twilio::{TwilioConfig, TwilioValidation};
use actix_web::{
    App, HttpServer, Responder,
    middleware::{Logger, NormalizePath},
    web,
};

async fn message(form: web::Form<Vec<(String, String)>>) -> impl Responder {
    format!("a genuine message of {} parameters", form.len())
}

async fn status(sid: web::Path<String>) -> impl Responder {
    format!("genuine news of {sid}")
}

async fn health() -> impl Responder {
    "open to all"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .service(
                web::scope("/twilio")
                    .route("/message", web::post().to(message))
                    .route("/status/{sid}", web::post().to(status))
                    // Last wrapped runs first: the log sees refusals, and the validation sees the
                    // path as Twilio requested it.
                    .wrap(NormalizePath::trim())
                    .wrap(TwilioValidation::new())
                    .wrap(Logger::default()),
            )
            .route("/health", web::get().to(health))
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
