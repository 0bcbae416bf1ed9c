//! An assistant that talks with callers: Twilio turns speech into text and back.

use std::time::Duration;

use actix_twilio::{
    ProtectedScope,
    stream::{End, Handshake, Relay, RelayMessage, Session, StreamError, Text},
    twiml::{
        Connect, ConversationRelay, Dial, Hangup, Language, Parameter, Redirect, Say,
        VoiceResponse, attributes::Interruption,
    },
    validate_twilio_request,
    webhook::{ConversationRelayResult, IncomingCall, SessionStatus},
};
use actix_web::{HttpResponse, web};

use crate::shop::Shop;

pub(crate) fn routes() -> ProtectedScope {
    ProtectedScope::new("/relay")
        .post("/start", connect_assistant)
        .get("/socket", open_socket)
        .post("/ended", receive_result)
}

#[validate_twilio_request]
async fn connect_assistant(call: IncomingCall, shop: web::Data<Shop>) -> VoiceResponse {
    let relay = ConversationRelay::new(shop.assistant_url.as_str())
        .welcome_greeting("Hello! What can I do for you?")
        .interruptible(Interruption::Speech)
        .dtmf_detection(true)
        .child(Language::new("en-US"))
        .child(Parameter::new("caller", call.from));
    VoiceResponse::new().child(Connect::new(relay).action("/relay/ended"))
}

/// The handshake is validated. Twilio does not sign what it sends through the open WebSocket.
#[validate_twilio_request]
async fn open_socket(handshake: Handshake<Relay>) -> HttpResponse {
    handshake.run(talk)
}

/// Answers questions. Callers who ask for a person, or press 0, are passed on.
async fn talk(call: &mut Session<Relay>) -> Result<(), StreamError> {
    while let Some(message) = call.receive().await {
        let question = match message {
            Ok(RelayMessage::Prompt(prompt)) if prompt.last => prompt.voice_prompt.to_lowercase(),
            Ok(RelayMessage::Dtmf(key)) if key.digit == "0" => "person".to_owned(),
            Ok(_) => continue,
            Err(err) if err.ends_session() => return Err(err),
            Err(err) => {
                tracing::warn!("ignored what Twilio sent: {err}");
                continue;
            }
        };
        if question.contains("person") {
            call.send(Text::last("One moment, please.")).await?;
            return call
                .send(End::with_handoff("{\"reason\":\"person\"}"))
                .await;
        }
        call.send(Text::last(reply(&question))).await?;
    }
    Ok(())
}

/// Returns what the assistant says. A real one asks a language model.
fn reply(question: &str) -> &'static str {
    if question.contains("open") {
        return "We are open from 9 to 6, Monday to Saturday.";
    }
    let mut words = question.split(|character: char| !character.is_ascii_digit());
    words.find_map(Shop::repair).unwrap_or(
        "Ask me when we are open, tell me the number of your repair, or ask for a person.",
    )
}

/// Connects callers with the sales team if the assistant has passed them on.
#[validate_twilio_request]
async fn receive_result(result: ConversationRelayResult, shop: web::Data<Shop>) -> VoiceResponse {
    let response = VoiceResponse::new();
    match result.session_status {
        Some(SessionStatus::Ended) if result.handoff_data.is_some() => response
            .child(Say::new("I am connecting you with a colleague."))
            .child(
                Dial::new(shop.sales.as_str())
                    .timeout(Duration::from_secs(20))
                    .action("/voice/dialed"),
            ),
        Some(SessionStatus::Failed) => response
            .child(Say::new("Our assistant is not available."))
            .child(Redirect::new("/voicemail/greeting")),
        _ => response.child(Hangup::new()),
    }
}
