//! A menu with a menu in it, and telephone numbers at its ends.

use actix_twilio::{
    ProtectedScope,
    twiml::{Dial, Gather, Hangup, Redirect, Say, Twiml, VoiceResponse},
    validate_twilio_request,
    webhook::{GatherResult, IncomingCall},
};
use actix_web::web;

use super::planting::Planted;

pub(super) fn routes() -> ProtectedScope {
    ProtectedScope::new("/tree")
        .post("/welcome", welcome)
        .post("/menu", choose)
        .post("/city", choose_city)
}

#[validate_twilio_request]
async fn welcome(_: IncomingCall, planted: web::Data<Planted>) -> Twiml {
    let menu = Gather::new().num_digits(1).child(Say::new(
        "This is the museum of telephones. For directions, press 1. For our other houses, press 2.",
    ));
    planted.menu(menu, "/tree/menu", |response| {
        response.child(Say::new("Goodbye.")).child(Hangup::new())
    })
}

#[validate_twilio_request]
async fn choose(gather: GatherResult) -> VoiceResponse {
    let response = VoiceResponse::new();
    match gather.digits.as_deref() {
        Some("1") => response
            .child(Say::new("Take bus 17 to the old exchange. We are next to it.").loop_(3))
            .child(Hangup::new()),
        Some("2") => {
            let cities = Say::new("For Berlin, press 2. For Hamburg, press 3.");
            response
                .child(
                    Gather::new()
                        .num_digits(1)
                        .action("/tree/city")
                        .child(cities),
                )
                .child(Redirect::new("/tree/welcome"))
        }
        _ => back(),
    }
}

#[validate_twilio_request]
async fn choose_city(gather: GatherResult) -> VoiceResponse {
    match gather.digits.as_deref() {
        Some("2") => VoiceResponse::new().child(Dial::new("+4930000002")),
        Some("3") => VoiceResponse::new().child(Dial::new("+4940000003")),
        _ => back(),
    }
}

fn back() -> VoiceResponse {
    VoiceResponse::new()
        .child(Say::new("Back to the main menu."))
        .child(Redirect::new("/tree/welcome"))
}
