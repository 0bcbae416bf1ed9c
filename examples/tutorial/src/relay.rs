//! An assistant that talks with callers: Twilio turns speech into text and back.

use std::time::Duration;

use actix_twilio::{
    ProtectedScope,
    twiml::{
        Connect, ConversationRelay, Dial, Hangup, Language, Parameter, Redirect, Say,
        VoiceResponse, attributes::Interruption,
    },
    validate_twilio_request,
    webhook::{ConversationRelayResult, IncomingCall, SessionStatus},
};
use actix_web::web;

use crate::shop::Shop;

pub(crate) fn routes() -> ProtectedScope {
    ProtectedScope::new("/relay")
        .post("/start", connect_assistant)
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
