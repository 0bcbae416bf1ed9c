//! Calls and conversations of the test kit: what happens is compared, and what does not makes a test fail with the
//! transcript.

use std::panic::AssertUnwindSafe;

use actix_twilio::{
    testing::{Call, Conversation, FaultKind, Signer, Step},
    twiml::{
        Dial, Enqueue, Gather, Hangup, Message, MessagingResponse, NoContent, Record, Redirect,
        Say, Twiml, VoiceResponse, attributes::GatherInput,
    },
    validate_twilio_request,
    webhook::{
        CallStatusCallback, DialResult, GatherResult, IncomingCall, IncomingMessage, RecordResult,
    },
};
use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::header::{HeaderValue, LOCATION},
    test::init_service,
    web,
};
use futures_util::FutureExt;

#[validate_twilio_request]
async fn voice(call: IncomingCall) -> VoiceResponse {
    let question = Say::new(format!("Hello {}. Press 1, or say sales.", call.from));
    let gather = Gather::new().input([GatherInput::Dtmf, GatherInput::Speech]);
    VoiceResponse::new()
        .child(gather.action("/choice").child(question))
        .child(Record::new().action("/voicemail"))
        .child(Say::new("Goodbye."))
        .child(Hangup::new())
}

#[validate_twilio_request]
async fn choice(result: GatherResult) -> VoiceResponse {
    let digits = result.digits.as_deref();
    match digits.or(result.speech_result.as_deref()) {
        Some("1" | "sales") => {
            VoiceResponse::new().child(Dial::new("+14158675310").action("/done"))
        }
        Some("2") => VoiceResponse::new().child(Enqueue::new("support")),
        _ => VoiceResponse::new().child(Redirect::new("/voice")),
    }
}

#[validate_twilio_request]
async fn done(result: DialResult) -> VoiceResponse {
    let status = result
        .dial_call_status
        .map(|status| status.as_str().to_owned());
    VoiceResponse::new().child(Say::new(format!("It was {}.", status.unwrap_or_default())))
}

#[validate_twilio_request]
async fn voicemail(result: RecordResult) -> VoiceResponse {
    let seconds = result.recording_duration.unwrap_or_default();
    VoiceResponse::new().child(Say::new(format!("{seconds} seconds.")))
}

#[validate_twilio_request]
async fn status(_: CallStatusCallback) -> NoContent {
    NoContent
}

#[validate_twilio_request]
async fn message(message: IncomingMessage) -> MessagingResponse {
    match (message.body.as_str(), message.media.as_slice()) {
        ("STOP", _) => MessagingResponse::new(),
        (_, [file, ..]) => {
            MessagingResponse::new().child(Message::new(format!("Thank you for {}.", file.url)))
        }
        (text, _) => MessagingResponse::new().child(Message::new(format!("You wrote {text}."))),
    }
}

const TOKEN: &str = "a token for tests";

async fn app() -> impl Service<
    actix_http::Request,
    Response = ServiceResponse<impl MessageBody>,
    Error = actix_web::Error,
> {
    let config = Signer::new(TOKEN).config("https://example.com");
    let page = |body: &'static str| web::to(move || async move { Twiml::from_xml(body) });
    init_service(
        App::new()
            .app_data(config)
            .route("/voice", web::to(voice))
            .route("/choice", web::post().to(choice))
            .route("/done", web::post().to(done))
            .route("/voicemail", web::post().to(voicemail))
            .route("/status", web::post().to(status))
            .route("/message", web::to(message))
            .route("/loop", page("<Response><Redirect/></Response>"))
            .route(
                "/wrong",
                page("<Response><Say langauge='en'>Hi</Say></Response>"),
            )
            .route(
                "/away",
                page("<Response><Redirect>https://other.example/x</Redirect></Response>"),
            )
            .route(
                "/slow",
                web::to(|| async { std::future::pending::<HttpResponse>().await }),
            ),
    )
    .await
}

#[actix_web::test]
async fn a_walked_call_presses_speaks_records_and_is_silent() {
    let (app, signer) = (app().await, Signer::new(TOKEN));
    let transcript = Call::to("/voice")
        .status_callback("/status")
        .expect_say("Press 1")
        .press("1#")
        .expect_request("/choice", &[("Digits", "1"), ("CallStatus", "in-progress")])
        .expect_dial("+14158675310")
        .busy()
        .expect_say("It was busy")
        .expect_end()
        .expect_request("/status", &[("CallStatus", "completed")])
        .run(&app, &signer)
        .await;
    let paths: Vec<_> = transcript
        .requests()
        .map(actix_twilio::twiml::walk::Request::path)
        .collect();
    assert_eq!(paths, ["/voice", "/choice", "/done", "/status"]);
    assert!(transcript.steps().contains(&Step::Caller("1#".to_owned())));
    for call in [
        Call::to("/voice")
            .say("sales")
            .expect_dial("+14158675310")
            .answered()
            .expect_say("It was completed"),
        Call::to("/voice")
            .press("1")
            .no_answer()
            .expect_say("It was no-answer"),
        Call::to("/voice")
            .press("1")
            .failed()
            .expect_say("It was failed"),
        Call::to("/voice")
            .press("9")
            .expect_say("Hello +14158675310")
            .press("1")
            .hang_up(),
        Call::to("/voice").press("2").connect().expect_end(),
        Call::to("/voice")
            .silence()
            .record(7)
            .expect_say("7 seconds"),
        Call::to("/voice")
            .silence()
            .silence()
            .expect_say("Goodbye")
            .expect_end(),
        Call::to("/voice")
            .with_get()
            .param("From", "+15005550006")
            .expect_say("Hello +15005550006"),
        Call::to("https://example.com/voice").expect_say("Press 1"),
        Call::to("/loop").expect_fault(FaultKind::Loop),
        Call::to("/nothing")
            .expect_fault(FaultKind::Http)
            .expect_say("application error"),
        Call::to("/nothing")
            .fallback_url("/voice")
            .expect_fault(FaultKind::Http)
            .expect_say("Press 1"),
        Call::to("/wrong")
            .expect_fault(FaultKind::Document)
            .expect_say("Hi"),
        Call::to("/away"),
    ] {
        call.run(&app, &signer).await;
    }
}

#[actix_web::test]
async fn a_walked_conversation_sends_texts_and_files() {
    let (app, signer) = (app().await, Signer::new(TOKEN));
    Conversation::with("/message")
        .send("Hi")
        .expect_reply("You wrote Hi.")
        .send("STOP")
        .expect_no_reply()
        .send_media("", &[("https://example.com/a.jpg", "image/jpeg")])
        .expect_request(
            "/message",
            &[("NumMedia", "1"), ("MediaContentType0", "image/jpeg")],
        )
        .expect_reply("Thank you for https://example.com/a.jpg.")
        .run(&app, &signer)
        .await;
    let get = Conversation::with("/message")
        .with_get()
        .param("From", "+1")
        .send("Hi");
    get.expect_reply("You wrote Hi.").run(&app, &signer).await;
}

/// Returns the message with which a run fails.
async fn failure(run: impl Future) -> String {
    match AssertUnwindSafe(run).catch_unwind().await {
        Ok(_) => panic!("it does not fail"),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

#[actix_web::test]
async fn a_walk_that_fails_says_why_where_and_what_happened() {
    let (app, signer) = (app().await, Signer::new(TOKEN));
    let cases: [(Call, &[&str]); 9] = [
        (
            Call::to("/voice").expect_say("Press 2"),
            &[
                "expected the app to say \"Press 2\", and Twilio waits for keys or speech of the caller: write .press(\"1\") or .silence()",
                "app: Hello +14158675310",
            ],
        ),
        (
            Call::to("/voice").press("1").press("2"),
            &[
                "the caller presses \"2\", and Twilio waits for the dialed call to end",
                "twilio: dials +14158675310",
            ],
        ),
        (Call::to("/voice").press("x"), &["\"x\" are not keys"]),
        (
            Call::to("/voice").press("1").busy().expect_dial("+1"),
            &["expected the app to dial \"+1\", and nothing follows any more"],
        ),
        (
            Call::to("/voice")
                .press("1")
                .expect_request("/choice", &[("Digits", "2")]),
            &["expected Twilio to request \"/choice\" with [(\"Digits\", \"2\")]"],
        ),
        (
            Call::to("/wrong"),
            &[
                "the app has 1 fault: see FAULT in the transcript",
                "FAULT line 1: error 12200",
            ],
        ),
        (
            Call::to("/nothing"),
            &["FAULT error 11200: the app answered with the status 404"],
        ),
        (
            Call::to("/voice").expect_fault(FaultKind::Loop),
            &["expected a fault of the kind Loop"],
        ),
        (
            Call::to("/voice").connect(),
            &["the caller is taken out of the queue, and Twilio waits for keys or speech"],
        ),
    ];
    for (call, expected) in cases {
        let message = failure(call.run(&app, &signer)).await;
        for text in expected
            .iter()
            .chain(&["walk.rs:", "--- transcript\n  POST https://example.com/"])
        {
            assert!(message.contains(text), "{text}: {message}");
        }
    }
    let call = Call::to("/voice").expect_say("Press 1");
    let message = failure(call.run(&app, &signer.forged())).await;
    assert!(message.contains("(webhook): 403"), "{message}");
    let conversation = Conversation::with("/message").send("Hi").expect_no_reply();
    let message = failure(conversation.run(&app, &signer)).await;
    assert!(
        message.contains("expected the app to send no reply"),
        "{message}"
    );
    let message = failure(async { Call::to("no url").run(&app, &signer).await }).await;
    assert!(
        message.contains("the URL \"no url\" is not valid"),
        "{message}"
    );
}

/// Only timers move the clock, so that nobody waits.
#[actix_web::test]
async fn a_handler_that_never_answers_ends_a_walk_after_15_seconds() {
    tokio::time::pause();
    let (app, signer) = (app().await, Signer::new(TOKEN));
    let call = Call::to("/slow")
        .expect_fault(FaultKind::Http)
        .expect_say("application error");
    let transcript = call.run(&app, &signer).await;
    assert_eq!(transcript.faults().next().unwrap().code, Some(11200));
}

#[actix_web::test]
async fn a_location_that_is_not_ascii_is_a_fault_that_names_it() {
    async fn redirect() -> HttpResponse {
        let location = HeaderValue::from_bytes(b"/caf\xe9").unwrap();
        HttpResponse::Found()
            .insert_header((LOCATION, location))
            .finish()
    }
    let app = init_service(App::new().route("/voice", web::to(redirect))).await;
    let transcript = Call::to("/voice")
        .expect_fault(FaultKind::Http)
        .run(&app, &Signer::new(TOKEN))
        .await;
    let fault = transcript.faults().next().unwrap();
    assert_eq!(fault.code, Some(11216));
    assert!(fault.message.contains("\"/caf\u{fffd}\""), "{fault}");
}
