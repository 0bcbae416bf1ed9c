//! A voice assistant over Twilio's `ConversationRelay`: it repeats what the caller says, word by word, as a language
//! model would answer. A caller who says "agent", or presses 0, is connected to a person.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin conversation_relay`. `RELAY_URL` is the public URL
//! of `/relay`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig,
    stream::{End, Handshake, Relay, RelayMessage, Session, StreamError, Text},
    twiml::{Connect, ConversationRelay, Dial, Hangup, Parameter, Say, VoiceResponse},
    validate_twilio_request,
    webhook::{ConversationRelayResult, IncomingCall},
};
use actix_web::{App, HttpResponse, HttpServer, get, post, web};
use serde::{Deserialize, Serialize};

/// The public URL of the WebSocket.
struct RelayUrl(String);

/// What the dialogue tells the one who continues the call.
#[derive(Serialize, Deserialize)]
struct Handoff {
    reason: String,
    turns: u32,
}

#[post("/voice")]
#[validate_twilio_request]
async fn receive_call(call: IncomingCall, url: web::Data<RelayUrl>) -> VoiceResponse {
    let relay = ConversationRelay::new(url.0.as_str())
        .welcome_greeting("Hello! Say something, or say agent.")
        .dtmf_detection(true)
        .child(Parameter::new("caller", call.from));
    VoiceResponse::new().child(Connect::new(relay).action("/relay/ended"))
}

#[get("/relay")]
#[validate_twilio_request]
async fn open_relay(handshake: Handshake<Relay>) -> HttpResponse {
    handshake.run(talk)
}

async fn talk(call: &mut Session<Relay>) -> Result<(), StreamError> {
    let mut turns = 0;
    while let Some(message) = call.receive().await {
        let wants_agent = match message {
            Ok(RelayMessage::Prompt(prompt)) if prompt.last => {
                turns += 1;
                let wants_agent = prompt.voice_prompt.to_lowercase().contains("agent");
                if !wants_agent {
                    answer(call, &prompt.voice_prompt).await?;
                }
                wants_agent
            }
            Ok(RelayMessage::Interrupt(heard)) => {
                // A language model would have to know what the caller heard of its answer.
                tracing::info!("interrupted after {} ms", heard.duration_until_interrupt_ms);
                false
            }
            Ok(RelayMessage::Dtmf(key)) => key.digit == "0",
            Ok(RelayMessage::Error(_)) => {
                tracing::warn!("Twilio could not read a command: see its Debugger");
                false
            }
            Ok(_) => false,
            Err(err) if err.ends_session() => return Err(err),
            Err(err) => {
                tracing::warn!("ignored: {err}");
                false
            }
        };
        if wants_agent {
            let reason = "agent".to_owned();
            let handoff = serde_json::to_string(&Handoff { reason, turns }).unwrap_or_default();
            call.send(Text::last("One moment, please.").interruptible(false))
                .await?;
            return call.send(End::with_handoff(handoff)).await;
        }
    }
    Ok(())
}

/// Streams an answer.
async fn answer(call: &mut Session<Relay>, prompt: &str) -> Result<(), StreamError> {
    call.send(Text::token("You said: ")).await?;
    for word in prompt.split_inclusive(' ') {
        call.send(Text::token(word)).await?;
    }
    call.send(Text::last("")).await
}

/// Twilio requests this when the session has ended.
#[post("/relay/ended")]
#[validate_twilio_request]
async fn relay_ended(result: ConversationRelayResult) -> VoiceResponse {
    let handoff = result.handoff_data.as_deref().unwrap_or_default();
    match serde_json::from_str(handoff) {
        Ok(Handoff { turns, .. }) => VoiceResponse::new()
            .child(Say::new(format!(
                "After {turns} turns, a person takes over."
            )))
            .child(Dial::new("+14158675310")),
        Err(_) => VoiceResponse::new().child(Hangup::new()),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let url = env::var("RELAY_URL").unwrap_or("wss://example.com/relay".to_owned());
    let url = web::Data::new(RelayUrl(url));
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(url.clone())
            .service(receive_call)
            .service(open_relay)
            .service(relay_ended)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
