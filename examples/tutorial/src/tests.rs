//! Each route gets genuine and forged requests, with validation on.

use actix_twilio::{
    TwilioConfig,
    testing::{Call, Conversation, Signer, TwilioTestRequest, assert_twiml, read_twiml},
    twiml::{Body, Hangup, Media, Message, MessagingResponse, Redirect, Say, VoiceResponse},
};
use actix_web::{
    App, Error,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    test::{TestRequest, call_service, init_service, read_body},
    web,
};

use crate::{missing, routes, shop::Shop};

const SALES: &str = "+14158675310";

/// What Twilio sends with each of these webhooks.
const SIDS: &[(&str, &str)] = &[
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("CallSid", "CA00000000000000000000000000000001"),
];
const MESSAGE: (&str, &str) = ("MessageSid", "SM00000000000000000000000000000001");
const RECORDING: (&str, &str) = ("RecordingSid", "RE00000000000000000000000000000001");
const TRANSCRIPTION: (&str, &str) = ("TranscriptionSid", "TR00000000000000000000000000000001");
const PICTURE: &[(&str, &str)] = &[
    MESSAGE,
    ("NumMedia", "1"),
    ("MediaUrl0", "https://example.com/1"),
    ("MediaContentType0", "image/png"),
];

type Params<'a> = &'a [(&'a str, &'a str)];

/// The app, with a token and data for a test.
struct Tested {
    signer: Signer,
    config: TwilioConfig,
    shop: web::Data<Shop>,
}

impl Tested {
    fn new() -> Self {
        let signer = Signer::new("a token for tests");
        let base_url = "https://example.com";
        Self {
            config: signer.config(base_url),
            shop: web::Data::new(Shop::new(base_url, SALES.to_owned())),
            signer,
        }
    }

    fn app(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        App::new()
            .app_data(self.config.clone())
            .app_data(self.shop.clone())
            .configure(routes)
    }

    /// Sends a webhook that `signer` signs, and returns the status and the body of the answer.
    async fn send(&self, signer: &Signer, path: &str, params: Params<'_>) -> (u16, String) {
        let app = init_service(self.app()).await;
        let url = format!("https://example.com{path}");
        let params = [SIDS, params].concat();
        let req = TestRequest::default().twilio_form(signer, &url, &params);
        let res = call_service(&app, req.to_request()).await;
        let status = res.status().as_u16();
        (
            status,
            String::from_utf8(read_body(res).await.to_vec()).unwrap(),
        )
    }

    /// Sends a genuine webhook, and returns the TwiML of the answer.
    async fn answer(&self, path: &str, params: Params<'_>) -> String {
        let (status, body) = self.send(&self.signer, path, params).await;
        assert_eq!(status, 200, "{path} {params:?}: {body}");
        body
    }

    /// Sends a genuine webhook that has no answer.
    async fn inform(&self, path: &str, params: Params<'_>) {
        let answer = self.send(&self.signer, path, params).await;
        assert_eq!(answer, (204, String::new()), "{path} {params:?}");
    }
}

/// A webhook for each route, and the status of its answer.
const WEBHOOKS: &[(&str, u16, Params<'_>)] = &[
    ("/voice/incoming", 200, &[]),
    ("/voice/choice", 200, &[("Digits", "1")]),
    ("/voice/repair", 200, &[("Digits", "1001")]),
    ("/voice/dialed", 200, &[("DialCallStatus", "busy")]),
    ("/voicemail/greeting", 200, &[]),
    ("/voicemail/recorded", 200, &[RECORDING]),
    (
        "/voicemail/saved",
        204,
        &[RECORDING, ("RecordingStatus", "completed")],
    ),
    ("/voicemail/transcribed", 204, &[TRANSCRIPTION, RECORDING]),
    ("/messages/incoming", 200, PICTURE),
    ("/relay/start", 200, &[]),
    ("/relay/ended", 200, &[("SessionStatus", "failed")]),
    ("/status/call", 204, &[("CallStatus", "completed")]),
    (
        "/status/message",
        204,
        &[MESSAGE, ("MessageStatus", "failed")],
    ),
];

#[actix_web::test]
async fn each_route_refuses_forgeries() {
    let tested = Tested::new();
    for (path, _, params) in WEBHOOKS {
        let (status, _) = tested.send(&tested.signer.forged(), path, params).await;
        assert_eq!(status, 403, "{path}");
    }
    assert!(tested.shop.voicemail(RECORDING.1).is_none());
}

#[actix_web::test]
async fn each_route_answers_what_twilio_takes() {
    let tested = Tested::new();
    for (path, expected, params) in WEBHOOKS {
        let (status, body) = tested.send(&tested.signer, path, params).await;
        assert_eq!(status, *expected, "{path}");
        match status {
            200 => _ = read_twiml(&body),
            _ => assert_eq!(body, "", "{path}"),
        }
    }
}

#[actix_web::test]
async fn callers_press_a_key_or_say_a_word() {
    let again = |text| {
        VoiceResponse::new()
            .child(Say::new(text))
            .child(Redirect::new("/voice/incoming"))
    };
    let go_to = |url| VoiceResponse::new().child(Redirect::new(url));
    let tested = Tested::new();
    for (key, word, expected) in [
        ("3", "Message.", go_to("/voicemail/greeting")),
        ("4", "assistant", go_to("/relay/start")),
        ("9", "Er", again("Sorry, I did not get that.")),
    ] {
        assert_twiml(
            tested.answer("/voice/choice", &[("Digits", key)]).await,
            expected.clone(),
        );
        assert_twiml(
            tested
                .answer("/voice/choice", &[("SpeechResult", word)])
                .await,
            expected,
        );
    }
    let answer = read_twiml(
        tested
            .answer("/voice/choice", &[("SpeechResult", "Sales")])
            .await,
    );
    let dial = answer.find("Dial").unwrap();
    assert_eq!(
        (dial.text().as_str(), dial.attribute("timeout")),
        (SALES, Some("20"))
    );
    let answer = read_twiml(tested.answer("/voice/choice", &[("Digits", "2")]).await);
    assert_eq!(
        answer.find("Gather").unwrap().attribute("numDigits"),
        Some("4")
    );
}

#[actix_web::test]
async fn callers_hear_about_their_repair() {
    let tested = Tested::new();
    let answer = read_twiml(tested.answer("/voice/repair", &[("Digits", "1001")]).await);
    assert_eq!(answer.find("Say").unwrap().text(), "Your bicycle is ready.");
    let answer = read_twiml(tested.answer("/voice/repair", &[("Digits", "0000")]).await);
    assert!(
        answer.find("Gather").is_some(),
        "they can try again: {answer}"
    );
}

#[actix_web::test]
async fn callers_whom_nobody_answers_can_leave_a_message() {
    let tested = Tested::new();
    for (status, excuse) in [
        ("busy", "Everybody is talking to other customers."),
        ("no-answer", "Nobody can answer your call now."),
        ("failed", "We could not connect your call."),
        ("a new status", "We could not connect your call."),
    ] {
        let expected = VoiceResponse::new()
            .child(Say::new(excuse))
            .child(Redirect::new("/voicemail/greeting"));
        assert_twiml(
            tested
                .answer("/voice/dialed", &[("DialCallStatus", status)])
                .await,
            expected,
        );
    }
    let ended = tested
        .answer("/voice/dialed", &[("DialCallStatus", "completed")])
        .await;
    assert_twiml(ended, VoiceResponse::new().child(Hangup::new()));
}

#[actix_web::test]
async fn recording_and_text_of_a_voicemail_are_kept_in_any_order() {
    let url = ("RecordingUrl", "https://api.example.com/1");
    let tested = Tested::new();
    let absent = [RECORDING, ("RecordingStatus", "absent"), url];
    tested.inform("/voicemail/saved", &absent).await;
    assert!(tested.shop.voicemail(RECORDING.1).is_none());
    let text = [TRANSCRIPTION, RECORDING, ("TranscriptionText", "Call me")];
    tested.inform("/voicemail/transcribed", &text).await;
    let completed = [RECORDING, ("RecordingStatus", "completed"), url];
    tested.inform("/voicemail/saved", &completed).await;
    let voicemail = tested.shop.voicemail(RECORDING.1).unwrap();
    assert_eq!(voicemail.recording_url.as_deref(), Some(url.1));
    assert_eq!(voicemail.text.as_deref(), Some("Call me"));
}

#[actix_web::test]
async fn keywords_have_their_answers() {
    let tested = Tested::new();
    for (number, (text, expected)) in [
        ("hours", "We are open"),
        (" Hours today?", "We are open"),
        ("REPAIR 1002", "Your bicycle is in the workshop."),
        ("repair 1", "We have no repair"),
        ("repair", "Write HOURS"),
        ("", "Write HOURS"),
    ]
    .into_iter()
    .enumerate()
    {
        let sid = format!("SM{number:032}");
        let params = [("MessageSid", &sid[..]), ("Body", text)];
        let answer = read_twiml(tested.answer("/messages/incoming", &params).await);
        let message = answer.find("Message").unwrap();
        assert!(message.text().starts_with(expected), "{text:?}: {answer}");
        assert_eq!(message.attribute("action"), Some("/status/message"));
    }
    let stop = [
        ("MessageSid", "SM00000000000000000000000000000009"),
        ("OptOutType", "STOP"),
    ];
    assert_twiml(
        tested.answer("/messages/incoming", &stop).await,
        MessagingResponse::new(),
    );
}

#[actix_web::test]
async fn a_picture_is_answered_with_a_picture_and_counts_once() {
    let tested = Tested::new();
    let thanks = |number| {
        let text = format!("Thank you! This is picture {number} in our gallery.");
        let message =
            Message::new(Body::new(text)).child(Media::new("https://example.com/thanks.png"));
        MessagingResponse::new().child(message.action("/status/message"))
    };
    assert_twiml(
        tested.answer("/messages/incoming", PICTURE).await,
        thanks(1),
    );
    assert_twiml(
        tested.answer("/messages/incoming", PICTURE).await,
        thanks(1),
    );
    let another = [
        &[("MessageSid", "MM00000000000000000000000000000002")],
        &PICTURE[1..],
    ]
    .concat();
    assert_twiml(
        tested.answer("/messages/incoming", &another).await,
        thanks(2),
    );
}

#[actix_web::test]
async fn the_assistant_passes_callers_on() {
    let tested = Tested::new();
    let answer = read_twiml(
        tested
            .answer("/relay/start", &[("From", "+14158675309")])
            .await,
    );
    let relay = answer.find("ConversationRelay").unwrap();
    assert_eq!(
        relay.attribute("url"),
        Some("wss://example.com/relay/socket")
    );
    assert_eq!(
        relay.find("Parameter").unwrap().attribute("value"),
        Some("+14158675309")
    );

    let passed_on = [("SessionStatus", "ended"), ("HandoffData", "{}")];
    let answer = read_twiml(tested.answer("/relay/ended", &passed_on).await);
    assert_eq!(answer.find("Dial").unwrap().text(), SALES);
    for (status, expected) in [
        ("ended", "Hangup"),
        ("completed", "Hangup"),
        ("failed", "Redirect"),
    ] {
        let answer = read_twiml(
            tested
                .answer("/relay/ended", &[("SessionStatus", status)])
                .await,
        );
        assert!(answer.find(expected).is_some(), "{status}: {answer}");
    }
}

#[actix_web::test]
async fn forged_handshakes_open_no_socket() {
    let tested = Tested::new();
    let app = init_service(tested.app()).await;
    let url = "wss://example.com/relay/socket";
    for (signer, expected) in [(&tested.signer, 101), (&tested.signer.forged(), 403)] {
        let req = TestRequest::default().twilio_websocket(signer, url);
        let res = call_service(&app, req.to_request()).await;
        assert_eq!(res.status(), expected);
    }
}

#[actix_web::test]
async fn calls_come_to_a_good_end() {
    let call = Call::to("/voice/incoming");
    let calls = [
        // Sales is busy, and the caller leaves a message.
        call.clone()
            .expect_say("For sales, press 1")
            .press("1")
            .expect_dial(SALES)
            .busy()
            .expect_say("talking to other customers")
            .record(12)
            .expect_request("/voicemail/saved", &[("RecordingStatus", "completed")])
            .expect_say("12 seconds")
            .expect_end(),
        call.clone()
            .say("sales")
            .expect_dial(SALES)
            .answered()
            .expect_end(),
        call.clone()
            .press("2")
            .press("0000")
            .expect_say("no repair")
            .press("1001")
            .expect_say("Your bicycle is ready.")
            .expect_end(),
        call.clone()
            .press("4")
            .expect_request("/relay/ended", &[])
            .expect_end(),
        // The caller says something else, and then nothing.
        call.clone()
            .say("hello?")
            .expect_say("did not get that")
            .silence()
            .silence()
            .expect_end(),
        call.silence()
            .expect_say("leave a message")
            .silence()
            .expect_end(),
    ];
    for call in calls {
        let tested = Tested::new();
        let app = init_service(tested.app()).await;
        call.run(&app, &tested.signer).await;
    }
}

#[actix_web::test]
async fn messages_have_replies() {
    let tested = Tested::new();
    let app = init_service(tested.app()).await;
    Conversation::with("/messages/incoming")
        .send("hours")
        .expect_reply("We are open")
        .expect_request("/status/message", &[])
        .send("repair 1001")
        .expect_reply("ready")
        .send_media("my bicycle", &[("https://example.com/1", "image/png")])
        .expect_media("https://example.com/thanks.png")
        .run(&app, &tested.signer)
        .await;
}

#[test]
fn all_that_the_environment_lacks_is_named_at_once() {
    assert_eq!(
        missing(|_| false),
        "TWILIO_AUTH_TOKEN, TWILIO_WEBHOOK_BASE_URL, SALES_NUMBER"
    );
    assert_eq!(
        missing(|name| name == "TWILIO_AUTH_TOKEN"),
        "TWILIO_WEBHOOK_BASE_URL, SALES_NUMBER"
    );
    assert_eq!(missing(|_| true), "");
}
