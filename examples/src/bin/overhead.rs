//! One handler three times: bare, behind the attribute and behind the middleware. `scripts/overhead` sends it
//! requests and compares.
//!
//! `cargo run --bin overhead`; for measuring, with `--release`.

use std::error::Error;

use actix_twilio::{AuthToken, TwilioConfig, TwilioValidation, validate_twilio_request};
use actix_web::{App, HttpServer, web};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    from: String,
    body: String,
}

async fn bare(web::Form(message): web::Form<Message>) -> String {
    format!("{} wrote {:?}", message.from, message.body)
}

#[validate_twilio_request]
async fn validated(web::Form(message): web::Form<Message>) -> String {
    format!("{} wrote {:?}", message.from, message.body)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = TwilioConfig::builder()
        .auth_token(AuthToken::new("12345")?)
        .public_url("https://example.com")?
        .build()?;
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
    let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", 0))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    server.run().await?;
    Ok(())
}
