//! A shop that answers calls and messages: an app of the size of Twilio's tutorials.
//!
//! Run it with `cargo run -p tutorial`. It needs `TWILIO_AUTH_TOKEN`, `TWILIO_WEBHOOK_BASE_URL`, which is the public
//! URL such as `https://example.com`, and `SALES_NUMBER`, which calls for the sales team go to. It listens on
//! 127.0.0.1:8080, or on `PORT`.
//!
//! | in the Twilio console | URL |
//! |---|---|
//! | a call comes in | `/voice/incoming` |
//! | the status of a call changes | `/status/call` |
//! | a message comes in | `/messages/incoming` |
//!
//! All other routes are in the answers. Twilio requests them with `POST`.

mod messages;
mod relay;
mod shop;
mod status;
#[cfg(test)]
mod tests;
mod voice;
mod voicemail;

use std::{env, error::Error, io};

use actix_twilio::TwilioConfig;
use actix_web::{App, HttpServer, web};

use shop::Shop;

/// Registers the routes that the app and its tests share. They are in scopes that take protected handlers only.
fn routes(app: &mut web::ServiceConfig) {
    app.service(voice::routes())
        .service(voicemail::routes())
        .service(messages::routes())
        .service(relay::routes())
        .service(status::routes());
}

/// Returns what the app needs in its environment and is not there, so that all of it can be set at once.
fn missing(is_set: impl Fn(&str) -> bool) -> String {
    const NEEDED: [&str; 3] = [
        "TWILIO_AUTH_TOKEN",
        "TWILIO_WEBHOOK_BASE_URL",
        "SALES_NUMBER",
    ];
    let missing = NEEDED.into_iter().filter(|name| !is_set(name));
    missing.collect::<Vec<_>>().join(", ")
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let missing = missing(|name| env::var_os(name).is_some());
    if !missing.is_empty() {
        return Err(format!("set in the environment: {missing}").into());
    }
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let shop = web::Data::new(Shop::from_env()?);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(shop.clone())
            .configure(routes)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
