//! A WebSocket for Twilio's Media Streams that sends the audio back: the caller hears an echo.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin media_stream`, and answer a call with
//! `<Response><Connect><Stream url="wss://your.host/media"/></Connect></Response>`.

use std::{env, error::Error, io};

use actix_twilio::{TwilioConfig, validate_twilio_request};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get, rt, web};
use actix_ws::{Message, MessageStream, Session};
use serde_json::{Value, json};

/// The handshake is validated. Twilio does not sign what it sends through the open WebSocket.
#[get("/media")]
#[validate_twilio_request]
async fn open_media_stream(
    req: HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (res, session, messages) = actix_ws::handle(&req, payload)?;
    rt::spawn(echo(session, messages));
    Ok(res)
}

async fn echo(mut session: Session, mut messages: MessageStream) {
    while let Some(Ok(message)) = messages.recv().await {
        let sent = match message {
            Message::Text(text) => match echoed(&text) {
                Some(answer) => session.text(answer).await,
                None => Ok(()),
            },
            Message::Ping(bytes) => session.pong(&bytes).await,
            Message::Close(_) => break,
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
    // The other side may be gone already.
    let _closed = session.close(None).await;
}

/// Turns audio from the caller into audio for the caller. Other events have no answer.
fn echoed(text: &str) -> Option<String> {
    let event: Value = serde_json::from_str(text).ok()?;
    (event.get("event")? == "media").then(|| {
        let payload = event.pointer("/media/payload");
        json!({
            "event": "media",
            "streamSid": event.get("streamSid"),
            "media": { "payload": payload },
        })
        .to_string()
    })
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
