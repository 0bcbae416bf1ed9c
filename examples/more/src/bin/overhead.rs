//! One handler three times: bare, behind the attribute and behind the middleware. `scripts/overhead` builds
//! it in release mode, sends it requests and compares.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin overhead`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig, TwilioValidation,
    twiml::{self, MessagingResponse},
    validate_twilio_request,
};
use actix_web::{App, HttpServer, web};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    from: String,
    body: String,
}

fn answer(message: &Message) -> MessagingResponse {
    MessagingResponse::new().child(twiml::Message::new(format!(
        "{} wrote {:?}",
        message.from, message.body
    )))
}

async fn bare(web::Form(message): web::Form<Message>) -> MessagingResponse {
    answer(&message)
}

#[validate_twilio_request]
async fn validated(web::Form(message): web::Form<Message>) -> MessagingResponse {
    answer(&message)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let app = move || {
        App::new()
            .app_data(config.clone())
            .route("/bare", web::post().to(bare))
            .route("/validated", web::post().to(validated))
            .service(
                web::resource("/middleware")
                    .wrap(TwilioValidation::new())
                    .route(web::post().to(bare)),
            )
    };
    let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
