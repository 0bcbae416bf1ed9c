//! A whole scope behind the middleware: its handlers need no change.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin middleware`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig, TwilioValidation,
    twiml::{Message, MessagingResponse, NoContent},
    webhook::{CallStatusCallback, IncomingMessage},
};
use actix_web::{
    App, HttpServer, Responder,
    middleware::{Logger, NormalizePath},
    web,
};

async fn receive_message(sms: IncomingMessage) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!("Hello {}", sms.from)))
}

/// Twilio calls this when an order's call rings, is answered and ends.
async fn receive_status(order: web::Path<String>, callback: CallStatusCallback) -> NoContent {
    // The path is decoded, so it may have line ends. {:?} escapes them.
    println!(
        "order {:?}: call {:?}",
        order.as_str(),
        callback.call_status
    );
    NoContent
}

async fn show_health() -> impl Responder {
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
                    .route("/message", web::post().to(receive_message))
                    .route("/orders/{order}/status", web::post().to(receive_status))
                    // What is wrapped last runs first: the logger sees refusals too, and the validation
                    // sees the path that Twilio requested, before NormalizePath changes it.
                    .wrap(NormalizePath::trim())
                    .wrap(TwilioValidation::new())
                    // It logs the path alone: with a recorded query, others could send the request again.
                    .wrap(Logger::new("%a %U %s %b %T")),
            )
            .route("/health", web::get().to(show_health))
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
