//! The menu that callers hear first.

use std::time::Duration;

use actix_twilio::{
    ProtectedScope,
    twiml::{Dial, Gather, Hangup, Redirect, Say, VoiceResponse, attributes::GatherInput},
    validate_twilio_request,
    webhook::{DialCallStatus, DialResult, GatherResult, IncomingCall},
};
use actix_web::web;

use crate::shop::Shop;

pub(crate) fn routes() -> ProtectedScope {
    ProtectedScope::new("/voice")
        .post("/incoming", receive_call)
        .post("/choice", receive_choice)
        .post("/repair", receive_repair_number)
        .post("/dialed", receive_dial_result)
}

/// Asks what the call is about. Callers press a key or say a word; those who do neither get to the voicemail.
#[validate_twilio_request]
async fn receive_call(_: IncomingCall) -> VoiceResponse {
    let menu = Gather::new()
        .input([GatherInput::Dtmf, GatherInput::Speech])
        .num_digits(1)
        .hints(["sales", "repairs", "message", "assistant"])
        .timeout(Duration::from_secs(5))
        .action("/voice/choice")
        .child(Say::new(
            "Welcome to Ridge Bicycles. For sales, press 1 or say sales. For repairs, press 2 or say repairs. \
             To leave a message, press 3 or say message. For our assistant, press 4 or say assistant.",
        ));
    VoiceResponse::new()
        .child(menu)
        .child(Redirect::new("/voicemail/greeting"))
}

#[validate_twilio_request]
async fn receive_choice(gather: GatherResult, shop: web::Data<Shop>) -> VoiceResponse {
    let spoken = gather.speech_result.unwrap_or_default().to_lowercase();
    let choice = gather
        .digits
        .as_deref()
        .unwrap_or(spoken.trim_end_matches('.'));
    let response = VoiceResponse::new();
    match choice {
        "1" | "sales" => response.child(
            Dial::new(shop.sales.as_str())
                .timeout(Duration::from_secs(20))
                .answer_on_bridge(true)
                .action("/voice/dialed"),
        ),
        "2" | "repairs" => response
            .child(ask_repair_number())
            .child(Redirect::new("/voice/incoming")),
        "3" | "message" => response.child(Redirect::new("/voicemail/greeting")),
        "4" | "assistant" => response.child(Redirect::new("/relay/start")),
        _ => response
            .child(Say::new("Sorry, I did not get that."))
            .child(Redirect::new("/voice/incoming")),
    }
}

fn ask_repair_number() -> Gather {
    Gather::new()
        .num_digits(4)
        .finish_on_key("#")
        .action("/voice/repair")
        .child(Say::new("Enter the four digits of your repair number."))
}

#[validate_twilio_request]
async fn receive_repair_number(gather: GatherResult) -> VoiceResponse {
    let number = gather.digits.unwrap_or_default();
    let response = VoiceResponse::new();
    match Shop::repair(&number) {
        Some(state) => response.child(Say::new(state)).child(Hangup::new()),
        None => response
            .child(Say::new("We have no repair with this number."))
            .child(ask_repair_number())
            .child(Redirect::new("/voicemail/greeting")),
    }
}

/// Ends a call that was answered. Other callers can leave a message.
#[validate_twilio_request]
async fn receive_dial_result(dial: DialResult) -> VoiceResponse {
    let excuse = match dial.dial_call_status {
        Some(DialCallStatus::Completed | DialCallStatus::Answered) => {
            return VoiceResponse::new().child(Hangup::new());
        }
        Some(DialCallStatus::Busy) => "Everybody is talking to other customers.",
        Some(DialCallStatus::NoAnswer) => "Nobody can answer your call now.",
        _ => "We could not connect your call.",
    };
    VoiceResponse::new()
        .child(Say::new(excuse))
        .child(Redirect::new("/voicemail/greeting"))
}
