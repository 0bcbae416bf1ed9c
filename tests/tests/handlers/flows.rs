//! Call flows of public samples, written with this crate's types and walked from the first webhook to the last: a phone
//! tree, a conference with a moderator, and a survey. Each fault that is put into them is found.
//!
//! Sources, for what the flows do: <https://www.twilio.com/docs/voice/tutorials/build-interactive-voice-response-ivr-phone-tree>,
//! <https://www.twilio.com/docs/voice/tutorials/how-to-create-conference-calls>,
//! <https://www.twilio.com/docs/voice/tutorials/automated-survey>.

mod conference;
mod phone_tree;
mod planting;
mod survey;

use actix_twilio::{
    testing::{Call, Signer, Transcript},
    twiml::walk::FaultKind,
};
use actix_web::{App, test::init_service, web};

use planting::Planted;

/// Makes a call to an app with all flows.
async fn walk(planted: Planted, call: Call) -> Transcript {
    let signer = Signer::new("a token for tests");
    let app = App::new()
        .app_data(signer.config("https://example.com"))
        .app_data(web::Data::new(planted))
        .app_data(web::Data::new(survey::Answers::default()))
        .service(phone_tree::routes())
        .service(conference::routes())
        .service(survey::routes())
        .service(planting::routes());
    let app = init_service(app).await;
    call.run(&app, &signer).await
}

#[actix_web::test]
async fn a_phone_tree_is_walked() {
    let tree = Call::to("/tree/welcome");
    let calls = [
        tree.clone()
            .expect_say("For directions, press 1.")
            .press("1")
            .expect_say("bus 17")
            .expect_end(),
        tree.clone()
            .press("2")
            .expect_say("For Berlin, press 2.")
            .press("3")
            .expect_dial("+4940000003")
            .answered(),
        tree.clone()
            .press("2")
            .press("9")
            .expect_request("/tree/welcome", &[])
            .expect_say("press 1"),
        tree.clone()
            .press("7")
            .expect_request("/tree/welcome", &[])
            .press("1")
            .expect_end(),
        tree.clone().silence().expect_say("Goodbye.").expect_end(),
        tree.hang_up(),
    ];
    for call in calls {
        walk(Planted::Nothing, call).await;
    }
}

#[actix_web::test]
async fn a_conference_with_a_moderator_is_walked() {
    let join = Call::to("/conference/join");
    for key in ["1", "2"] {
        let call = join
            .clone()
            .expect_say("If you are the moderator, press 1.")
            .press(key)
            .expect_dial("conference:weekly")
            .answered()
            .expect_request(
                "/conference/events",
                &[("StatusCallbackEvent", "participant-leave")],
            );
        walk(Planted::Nothing, call).await;
    }
    let call = join.silence().expect_dial("conference:weekly").answered();
    walk(Planted::Nothing, call).await;
}

#[actix_web::test]
async fn a_survey_is_walked() {
    let call = Call::to("/survey/start")
        .expect_say("How many trips")
        .press("12#")
        .expect_say("how your last trip was")
        .record(8)
        .expect_request("/survey/answer", &[("RecordingDuration", "8")])
        .expect_say("recommend")
        .say("Yes, I would")
        .expect_say("Thank you for your 3 answers.")
        .expect_end();
    walk(Planted::Nothing, call).await;

    let call = Call::to("/survey/start")
        .silence()
        .silence()
        .silence()
        .expect_say("Thank you for your 0 answers.")
        .expect_end();
    walk(Planted::Nothing, call).await;
}

#[actix_web::test]
async fn each_planted_fault_is_found_in_each_flow() {
    for (url, keys) in [
        ("/tree/welcome", "1"),
        ("/conference/join", "1"),
        ("/survey/start", "1#"),
    ] {
        let call = Call::to(url);
        for (planted, call, kind, code) in [
            (Planted::Loop, call.clone(), FaultKind::Loop, None),
            (
                Planted::MissingAction,
                call.clone().press(keys),
                FaultKind::Http,
                Some(11200),
            ),
            (Planted::NoWayOut, call.clone(), FaultKind::Silence, None),
            (
                Planted::TooLarge,
                call.clone(),
                FaultKind::Document,
                Some(11750),
            ),
            (
                Planted::DroppedDigits,
                call.clone().press(keys),
                FaultKind::DroppedParameters,
                None,
            ),
        ] {
            let transcript = walk(planted, call.expect_fault(kind)).await;
            let found = transcript.faults().find(|fault| fault.kind == kind);
            let found = found.unwrap();
            assert_eq!(found.code, code, "{url} {planted:?}: {found}");
            if planted == Planted::DroppedDigits {
                assert!(found.message.contains("Digits"), "{found}");
            }
        }
    }
}
