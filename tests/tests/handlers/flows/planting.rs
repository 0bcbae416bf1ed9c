//! What is wrong with the first menu of a flow, if a test says so.

use actix_twilio::{
    ProtectedScope,
    twiml::{Gather, Redirect, Say, Twiml, VoiceResponse},
    validate_twilio_request,
};
use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION};

/// A fault of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    Nothing,
    /// A document that leads to itself.
    Loop,
    /// An `action` that no route has.
    MissingAction,
    /// A `<Gather>` after which nothing follows.
    NoWayOut,
    /// TwiML of more than 64 kB.
    TooLarge,
    /// A redirect of HTTP, which Twilio follows without what was pressed.
    DroppedDigits,
}

impl Planted {
    /// Returns a menu that leads to an action, and what follows it.
    pub(super) fn menu(
        self,
        menu: Gather,
        action: &str,
        after: impl FnOnce(VoiceResponse) -> VoiceResponse,
    ) -> Twiml {
        let response = VoiceResponse::new();
        let right = menu.clone().action(action);
        let response = match self {
            Self::Nothing => after(response.child(right)),
            Self::Loop => response.child(Redirect::again()),
            Self::MissingAction => after(response.child(menu.action("/nowhere"))),
            Self::NoWayOut => response.child(right),
            Self::TooLarge => {
                let long = Say::new("We are glad that you call. ".repeat(3_000));
                after(response.child(long).child(right))
            }
            Self::DroppedDigits => after(response.child(menu.action("/moved"))),
        };
        response.into()
    }
}

pub(super) fn routes() -> ProtectedScope {
    ProtectedScope::new("/moved")
        .post("", move_on)
        .get("", ask_again)
}

#[validate_twilio_request]
async fn move_on(req: HttpRequest) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, req.path()))
        .finish()
}

#[validate_twilio_request]
async fn ask_again() -> VoiceResponse {
    VoiceResponse::new().child(Say::new("You pressed nothing."))
}
