//! A conference that begins with its moderator, and ends with him.

use actix_twilio::{
    ProtectedScope,
    twiml::{
        Conference, Dial, Gather, NoContent, Redirect, Say, Twiml, VoiceResponse,
        attributes::ConferenceEvent,
    },
    validate_twilio_request,
    webhook::{ConferenceStatusCallback, GatherResult, IncomingCall},
};
use actix_web::web;

use super::planting::Planted;

pub(super) fn routes() -> ProtectedScope {
    ProtectedScope::new("/conference")
        .post("/join", join)
        .post("/enter", enter)
        .post("/guest", enter_as_guest)
        .post("/events", receive_event)
}

#[validate_twilio_request]
async fn join(_: IncomingCall, planted: web::Data<Planted>) -> Twiml {
    let menu = Gather::new().num_digits(1).child(Say::new(
        "Welcome to the weekly call. If you are the moderator, press 1. Otherwise, press 2 or wait.",
    ));
    planted.menu(menu, "/conference/enter", |response| {
        response.child(Redirect::new("/conference/guest"))
    })
}

#[validate_twilio_request]
async fn enter(gather: GatherResult) -> VoiceResponse {
    conference(gather.digits.as_deref() == Some("1"))
}

#[validate_twilio_request]
async fn enter_as_guest(_: IncomingCall) -> VoiceResponse {
    conference(false)
}

fn conference(is_moderator: bool) -> VoiceResponse {
    let conference = Conference::new("weekly")
        .start_conference_on_enter(is_moderator)
        .end_conference_on_exit(is_moderator)
        .status_callback("/conference/events")
        .status_callback_event([ConferenceEvent::Join, ConferenceEvent::Leave]);
    VoiceResponse::new().child(Dial::new(conference))
}

#[validate_twilio_request]
async fn receive_event(_: ConferenceStatusCallback) -> NoContent {
    NoContent
}
