//! A sink for Twilio's Event Streams: JSON whose hash is in the signed URL. It handles each event once.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin events`, and create a webhook sink
//! for `https://your.host/events` in the Twilio console.

use std::{
    collections::HashSet,
    env,
    error::Error,
    io,
    sync::{Mutex, PoisonError},
};

use actix_twilio::{
    TwilioConfig,
    twiml::NoContent,
    validate_twilio_request,
    webhook::{CloudEvent, CloudEvents},
};
use actix_web::{App, HttpServer, post, web};
use serde::Deserialize;

/// The source and id of each event that was handled: Twilio delivers an event at least once, and anyone who
/// has recorded a request can send it again. A real app keeps them in its database, and writes them in the
/// transaction that handles the event.
type Handled = Mutex<HashSet<(String, String)>>;

/// The part of a message's event that this app reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_sid: String,
}

#[post("/events")]
#[validate_twilio_request]
async fn receive_events(
    CloudEvents(events): CloudEvents,
    handled: web::Data<Handled>,
) -> NoContent {
    for event in events {
        let key = (event.source.clone(), event.id.clone());
        let is_new = handled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key);
        if is_new {
            handle(&event);
        }
    }
    NoContent
}

fn handle(event: &CloudEvent) {
    match event.data_as::<Message>() {
        Ok(message) => println!("{:?} {:?}", event.event_type, message.message_sid),
        Err(_) => println!("{:?}", event.event_type),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let handled = web::Data::new(Handled::default());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(handled.clone())
            .service(receive_events)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
