//! A WebSocket for Twilio's Media Streams that sends the audio back: the caller hears an echo.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin media_stream`, and answer a call with
//! `<Response><Connect><Stream url="wss://your.host/media"/></Connect></Response>`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig,
    stream::{Audio, Handshake, Media, MediaMessage, Session, StreamError},
    validate_twilio_request,
};
use actix_web::{App, HttpResponse, HttpServer, get};

/// The handshake is validated. Twilio does not sign what it sends through the open WebSocket.
#[get("/media")]
#[validate_twilio_request]
async fn open_media_stream(handshake: Handshake<Media>) -> HttpResponse {
    handshake.run(echo)
}

/// Sends audio back until Twilio closes the WebSocket. What can't be read is left out.
async fn echo(call: &mut Session<Media>) -> Result<(), StreamError> {
    while let Some(message) = call.receive().await {
        match message {
            Ok(MediaMessage::Media(media)) => call.send(Audio::new(media.payload)).await?,
            Err(err) if err.ends_session() => return Err(err),
            Err(err) => tracing::warn!("ignored: {err}"),
            Ok(_) => {}
        }
    }
    Ok(())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .service(open_media_stream)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
