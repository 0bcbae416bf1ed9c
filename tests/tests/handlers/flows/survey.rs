//! Three questions, one after the other: a number, a recording, and yes or no.

use std::sync::Mutex;

use actix_twilio::{
    ProtectedScope,
    twiml::{Gather, Hangup, Record, Redirect, Say, Twiml, VoiceResponse, attributes::GatherInput},
    validate_twilio_request,
    webhook::{GatherResult, IncomingCall},
};
use actix_web::web;
use serde::Deserialize;

use super::planting::Planted;

/// What callers answered.
#[derive(Default)]
pub(super) struct Answers(Mutex<Vec<String>>);

/// Which question it is, in the query of the URL.
#[derive(Deserialize)]
struct Asked {
    number: u8,
}

pub(super) fn routes() -> ProtectedScope {
    ProtectedScope::new("/survey")
        .post("/start", start)
        .post("/question", ask)
        .post("/answer", receive_answer)
}

#[validate_twilio_request]
async fn start(_: IncomingCall, planted: web::Data<Planted>) -> Twiml {
    let menu = Gather::new().child(Say::new(
        "How many trips did you make this year? Enter the number, and press the hash key.",
    ));
    planted.menu(menu, "/survey/answer?number=1", |response| {
        response.child(Redirect::new("/survey/question?number=2"))
    })
}

#[validate_twilio_request]
async fn ask(
    _: IncomingCall,
    asked: web::Query<Asked>,
    answers: web::Data<Answers>,
) -> VoiceResponse {
    let action = format!("/survey/answer?number={}", asked.number);
    let next = Redirect::new(format!("/survey/question?number={}", asked.number + 1));
    let response = VoiceResponse::new();
    match asked.number {
        2 => response
            .child(Say::new("Tell us how your last trip was."))
            .child(Record::new().action(action))
            .child(next),
        3 => {
            let question = Say::new("Would you recommend us? Say yes or no.");
            let gather = Gather::new().input(GatherInput::Speech).action(action);
            response.child(gather.child(question)).child(next)
        }
        _ => {
            let count = answers.0.lock().unwrap().len();
            response
                .child(Say::new(format!("Thank you for your {count} answers.")))
                .child(Hangup::new())
        }
    }
}

/// Keeps what was pressed, recorded or said.
#[validate_twilio_request]
async fn receive_answer(
    answer: GatherResult,
    asked: web::Query<Asked>,
    answers: web::Data<Answers>,
) -> VoiceResponse {
    let recording = answer.other.get("RecordingUrl").map(str::to_owned);
    let answer = recording.or(answer.speech_result).or(answer.digits);
    answers.0.lock().unwrap().extend(answer);
    let next = format!("/survey/question?number={}", asked.number + 1);
    VoiceResponse::new().child(Redirect::new(next))
}
