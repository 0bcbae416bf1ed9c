//! Each family of webhooks as Twilio sends it, by POST and by GET, and what is not a webhook of the family.

use std::fmt::Debug;

use actix_twilio::{
    TwilioConfig, Validated, ValidationError, ValidationErrorKind, WebhookRequest,
    config::Mode,
    signature::SignatureErrorKind,
    testing::{Signer, TwilioTestRequest},
    validate_twilio_request,
    webhook::{
        AnsweringMachineCallback, CallStatusCallback, CloudEvent, CloudEvents,
        ConferenceStatusCallback, ConversationEvent, ConversationRelayResult, DebuggerEvent,
        DialResult, EnqueueResult, GatherPartialResult, GatherResult, IncomingCall,
        IncomingMessage, MessageStatus, MessageStatusCallback, Parameters, QueueWait,
        RealTimeTranscription, RecordResult, RecordingStatusCallback, StreamStatusCallback,
        TaskAssignment, TaskRouterEvent, TranscriptionCallback, Webhook,
    },
};
use actix_twilio_tests::FORM;
use actix_web::{
    App, FromRequest, HttpResponse, Responder,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const BASE: &str = "https://example.com";

const CALL: &str = "AccountSid=AC00000000000000000000000000000001&CallSid=CA00000000000000000000000000000002\
                    &From=%2B14158675310&To=%2B18005551212&CallStatus=in-progress&Direction=inbound\
                    &ApiVersion=2010-04-01";

/// A family: the name of its type, a form as Twilio sends it, and the SIDs that are always there.
struct Case {
    name: &'static str,
    form: String,
    sids: &'static [&'static str],
}

/// Calls a macro with each family.
macro_rules! with_families {
    ($each:ident) => {
        $each!(
            AnsweringMachineCallback CallStatusCallback ConferenceStatusCallback ConversationEvent
            ConversationRelayResult DebuggerEvent DialResult EnqueueResult GatherPartialResult
            GatherResult IncomingCall IncomingMessage MessageStatusCallback QueueWait
            RealTimeTranscription RecordResult RecordingStatusCallback StreamStatusCallback
            TaskAssignment TaskRouterEvent TranscriptionCallback
        )
    };
}

const OF_A_CALL: &[&str] = &["AccountSid", "CallSid"];

/// The rows of [`cases`]. In a form, `$CALL` are the parameters of each call, and `$A` is the account.
const FAMILIES: &[(&str, &str, &[&str])] = &[
    (
        "IncomingMessage",
        "ToCountry=US&ToState=CA&SmsMessageSid=SM0000000000000000000000000000000a&NumMedia=1&ToCity=&FromZip=94107\
         &SmsSid=SM0000000000000000000000000000000a&SmsStatus=received&Body=Hi+%2B+%C3%A9&FromCountry=US\
         &To=whatsapp%3A%2B18005551212&NumSegments=1&MessageSid=SM0000000000000000000000000000000a&$A\
         &From=whatsapp%3A%2B14158675310&ApiVersion=2010-04-01&ProfileName=Ann&WaId=14158675310&MessageType=image\
         &MediaUrl0=https%3A%2F%2Fapi.twilio.com%2FME1&MediaContentType0=image%2Fjpeg&ChannelMetadata=%7B%7D\
         &ReferralCtwaClid=ARA&ReferralNumMedia=0&Latitude=37.7749",
        &["AccountSid", "MessageSid"],
    ),
    (
        "MessageStatusCallback",
        "ChannelPrefix=whatsapp&ApiVersion=2010-04-01&MessageStatus=read&SmsSid=SM0000000000000000000000000000000a\
         &SmsStatus=read&ChannelInstallSid=XE0000000000000000000000000000000b&To=whatsapp%3A%2B14158675310\
         &From=whatsapp%3A%2B18005551212&MessageSid=SM0000000000000000000000000000000a&$A&EventType=READ\
         &ChannelToAddress=%2B1415867XXXX",
        &["AccountSid", "MessageSid"],
    ),
    (
        "IncomingCall",
        "$CALL&Called=%2B18005551212&Caller=%2B14158675310&FromCity=SAN+FRANCISCO&CallToken=%7B%7D\
         &StirVerstat=TN-Validation-Passed-A&SipDomain=a.sip.twilio.com&SipHeader_X-Account=7&SipHeader_X-B=8",
        OF_A_CALL,
    ),
    (
        "CallStatusCallback",
        "$CALL&CallDuration=61&Duration=2&SequenceNumber=3&CallbackSource=call-progress-events\
         &Timestamp=Tue%2C+01+Apr+2025+10%3A00%3A00+%2B0000&AnsweredBy=machine_end_beep\
         &RecordingUrl=https%3A%2F%2Fapi.twilio.com%2FRE1&RecordingSid=RE1",
        OF_A_CALL,
    ),
    (
        "AnsweringMachineCallback",
        "$A&CallSid=CA00000000000000000000000000000002&AnsweredBy=machine_start&MachineDetectionDuration=2541",
        OF_A_CALL,
    ),
    (
        "GatherResult",
        "$CALL&SpeechResult=I+want+sales&Confidence=0.9145&Language=en-US",
        OF_A_CALL,
    ),
    (
        "GatherPartialResult",
        "$CALL&StableSpeechResult=I+want&UnstableSpeechResult=sales&Stability=0.9&SequenceNumber=2",
        OF_A_CALL,
    ),
    (
        "DialResult",
        "$CALL&DialCallStatus=no-answer&DialCallSid=CA00000000000000000000000000000003&DialCallDuration=0&DialBridged=false",
        OF_A_CALL,
    ),
    (
        "RecordResult",
        "$CALL&RecordingUrl=https%3A%2F%2Fapi.twilio.com%2FRE1&RecordingSid=RE1&RecordingDuration=7&Digits=hangup",
        OF_A_CALL,
    ),
    (
        "QueueWait",
        "$CALL&QueueSid=QU00000000000000000000000000000004&QueuePosition=1&QueueTime=0&AvgQueueTime=12\
         &CurrentQueueSize=1&MaxQueueSize=100",
        &["AccountSid", "CallSid", "QueueSid"],
    ),
    (
        "EnqueueResult",
        "$CALL&QueueResult=redirected-from-bridged&QueueSid=QU1&QueueTime=12",
        OF_A_CALL,
    ),
    (
        "ConversationRelayResult",
        "$CALL&SessionId=VX1&SessionStatus=ended&SessionDuration=25&HandoffData=%7B%22reason%22%3A1%7D",
        OF_A_CALL,
    ),
    (
        "RecordingStatusCallback",
        "$A&CallSid=CA00000000000000000000000000000002&RecordingSid=RE00000000000000000000000000000005\
         &RecordingStatus=completed&RecordingUrl=https%3A%2F%2Fapi.twilio.com%2FRE1&RecordingDuration=12\
         &RecordingChannels=1&RecordingSource=RecordVerb&ErrorCode=0",
        &["AccountSid", "RecordingSid"],
    ),
    (
        "TranscriptionCallback",
        "$CALL&TranscriptionSid=TR00000000000000000000000000000006&TranscriptionText=Hello&TranscriptionStatus=completed\
         &TranscriptionUrl=https%3A%2F%2Fh%2F&RecordingSid=RE1&TranscriptionType=fast",
        &["AccountSid", "CallSid", "TranscriptionSid"],
    ),
    (
        "RealTimeTranscription",
        "$A&CallSid=CA00000000000000000000000000000002&TranscriptionSid=GT00000000000000000000000000000007\
         &TranscriptionEvent=transcription-content&TranscriptionData=%7B%22transcript%22%3A%22Hi%22%7D&Final=true\
         &Track=inbound_track&SequenceId=2&LanguageCode=en-US&Timestamp=2026-01-02T03%3A04%3A05.6Z",
        &["AccountSid", "CallSid", "TranscriptionSid"],
    ),
    (
        "StreamStatusCallback",
        "$A&CallSid=CA00000000000000000000000000000002&StreamSid=MZ00000000000000000000000000000008&StreamName=a\
         &StreamEvent=stream-error&StreamError=late&Timestamp=2026-01-02T03%3A04%3A05.6Z",
        &["AccountSid", "CallSid", "StreamSid"],
    ),
    (
        "ConferenceStatusCallback",
        "$A&ConferenceSid=CF00000000000000000000000000000009&FriendlyName=Room&StatusCallbackEvent=participant-leave\
         &CallSid=CA00000000000000000000000000000002&Muted=false&Hold=true&Coaching=false&EndConferenceOnExit=false\
         &StartConferenceOnEnter=true&SequenceNumber=4&ReasonParticipantLeft=participant_hung_up\
         &ParticipantCallStatus=completed&Timestamp=Tue%2C+01+Apr+2025+10%3A00%3A00+%2B0000",
        &["AccountSid", "ConferenceSid"],
    ),
    (
        "ConversationEvent",
        "$A&EventType=onMessageAdded&Source=SMS&ConversationSid=CH0000000000000000000000000000000a&Index=0\
         &MessageSid=IM0000000000000000000000000000000b&Author=%2B14158675310&Body=Hi&Attributes=%7B%7D\
         &MessagingBinding.Address=1&MessagingBinding.Address=2&DateCreated=2026-01-02T03%3A04%3A05.678Z&RetryCount=0",
        &["AccountSid"],
    ),
    (
        "TaskRouterEvent",
        "$A&WorkspaceSid=WS0000000000000000000000000000000c&EventType=task.created&ResourceType=task&TaskAge=0\
         &TaskSid=WT0000000000000000000000000000000d&TaskAttributes=%7B%7D&TaskPriority=0&Sid=EV1&Timestamp=1700000000",
        &["AccountSid", "WorkspaceSid"],
    ),
    (
        "TaskAssignment",
        "$A&WorkspaceSid=WS0000000000000000000000000000000c&TaskSid=WT0000000000000000000000000000000d\
         &ReservationSid=WR0000000000000000000000000000000e&WorkerSid=WK1&TaskAge=1&TaskAttributes=%7B%7D",
        &["AccountSid", "WorkspaceSid", "TaskSid", "ReservationSid"],
    ),
    (
        "DebuggerEvent",
        "$A&Sid=NO0000000000000000000000000000000f&Level=ERROR&PayloadType=application%2Fjson&Payload=%7B%7D\
         &Timestamp=2026-01-02T03%3A04%3A05.678Z&ParentAccountSid=",
        &["AccountSid", "Sid"],
    ),
];

fn cases() -> Vec<Case> {
    let case = |&(name, form, sids): &(_, &str, _)| Case {
        name,
        form: form
            .replace("$CALL", CALL)
            .replace("$A", "AccountSid=AC00000000000000000000000000000001"),
        sids,
    };
    FAMILIES.iter().map(case).collect()
}

/// Answers with the webhook as JSON.
async fn echo<T>(validated: Validated<(T,)>) -> HttpResponse
where
    T: FromRequest + Serialize + 'static,
{
    let (webhook,) = validated.into_inner();
    HttpResponse::Ok().json(webhook)
}

/// Answers with the name of the family.
#[validate_twilio_request]
async fn name_of(webhook: Webhook) -> impl Responder {
    let printed = format!("{webhook:?}");
    printed.split('(').next().unwrap_or_default().to_owned()
}

fn routes(app: &mut web::ServiceConfig) {
    macro_rules! routes {
        ($($family:ident)+) => {
            $(app.route(concat!("/", stringify!($family)), web::to(echo::<$family>));)+
        };
    }
    with_families!(routes);
    app.route("/Webhook", web::to(name_of));
    app.route("/Parameters", web::to(echo::<Parameters>));
    app.route("/CloudEvents", web::to(echo::<CloudEvents>));
}

fn signer() -> Signer {
    Signer::new("a token for tests")
}

/// Returns the status of the answer, its text, and the reason of a refusal.
async fn answer<S, B>(app: &S, req: TestRequest) -> (u16, String, Option<ValidationErrorKind>)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let res = call_service(app, req.to_request()).await;
    let status = res.status().as_u16();
    let err = res.response().error();
    let kind = err.and_then(|err| Some(err.as_error::<ValidationError>()?.kind()));
    let body = read_body(res).await;
    (status, String::from_utf8(body.to_vec()).unwrap(), kind)
}

fn post(path: &str, form: &str) -> TestRequest {
    let url = format!("{BASE}/{path}");
    TestRequest::default().twilio_body(&signer(), &url, FORM, form.to_owned())
}

fn get(path: &str, form: &str) -> TestRequest {
    TestRequest::default().twilio_get(&signer(), &format!("{BASE}/{path}?{form}"))
}

/// Returns a form as serde reads it, written as JSON.
fn by_serde(name: &str, form: &str) -> Value {
    fn read<T: DeserializeOwned + Serialize>(form: &str) -> Value {
        let webhook = web::Query::<T>::from_query(form).unwrap().into_inner();
        serde_json::to_value(webhook).unwrap()
    }
    macro_rules! read {
        ($($family:ident)+) => {
            match name {
                $(stringify!($family) => read::<$family>(form),)+
                _ => panic!("{name}"),
            }
        };
    }
    with_families!(read)
}

#[actix_web::test]
async fn each_family_is_extracted_from_a_form_and_from_a_query() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    for Case { name, form, .. } in cases() {
        let expected = by_serde(name, &form);
        for req in [post(name, &form), get(name, &form)] {
            let (status, body, _) = answer(&app, req).await;
            assert_eq!(status, 200, "{name}");
            let found: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(found, expected, "{name}");
        }
        for req in [post("Webhook", &form), get("Webhook", &form)] {
            let (status, family, _) = answer(&app, req).await;
            assert_eq!((status, family.as_str()), (200, name));
        }
        for (parameter, value) in web::Query::<Vec<(String, String)>>::from_query(&form)
            .unwrap()
            .0
        {
            let found = &expected[&parameter];
            let lists = found
                .as_array()
                .is_some_and(|list| list.contains(&json!(value)));
            assert!(
                value.is_empty() || *found == json!(value) || lists,
                "{name}: {parameter}"
            );
        }
    }
}

#[test]
fn each_field_is_read_from_its_own_parameter() {
    for Case { name, form, .. } in cases() {
        let all = by_serde(name, &form);
        for parameter in all.as_object().unwrap().keys() {
            let other = form
                .split('&')
                .filter(|pair| !pair.starts_with(&format!("{parameter}=")));
            let without = by_serde(name, &other.collect::<Vec<_>>().join("&"));
            let left = without
                .get(parameter)
                .and_then(Value::as_str)
                .unwrap_or_default();
            assert!(["", "0"].contains(&left), "{name}: {parameter}");
        }
    }
}

#[actix_web::test]
async fn unknown_parameters_are_kept_and_missing_ones_are_none() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    for Case { name, form, sids } in cases() {
        let sids = form
            .split('&')
            .filter(|pair| sids.iter().any(|sid| pair.split('=').next() == Some(sid)));
        let form = [
            sids.collect::<Vec<_>>().join("&").as_str(),
            "&New=1&New=2&%C3%A9=%FF&Empty=",
        ]
        .concat();
        let (status, body, _) = answer(&app, post(name, &form)).await;
        assert_eq!(status, 200, "{name}");
        let found: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(found["New"], json!(["1", "2"]), "{name}");
        assert_eq!(
            (&found["\u{e9}"], &found["Empty"]),
            (&json!("\u{fffd}"), &json!("")),
            "{name}"
        );
        assert_eq!(found, by_serde(name, &form), "{name}");
    }
}

#[actix_web::test]
async fn a_required_sid_that_is_missing_malformed_or_repeated_is_refused() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    for Case { name, form, sids } in cases() {
        for sid in sids {
            let start = form.find(&format!("&{sid}=")).map_or(0, |at| at + 1);
            assert!(
                form[start..].starts_with(&format!("{sid}=")),
                "{name}: {sid}"
            );
            let pair = form[start..].split('&').next().unwrap();
            // What follows the SID in the signed text becomes a part of it, or the SID a part of what is before it.
            for (what, cut) in [
                ("longer", format!("{pair}NumMedia0")),
                ("shorter", pair[..pair.len() - 1].to_owned()),
                ("empty", format!("{sid}=")),
                ("missing", format!("A={pair}")),
                ("not hex", format!("{}g", &pair[..pair.len() - 1])),
                (
                    "repeated",
                    format!("{pair}&{sid}=SM0000000000000000000000000000000f"),
                ),
                (
                    "renamed",
                    format!("{}={}", &sid[..sid.len() - 1], &pair[sid.len() - 1..]),
                ),
                ("in another case", pair.to_lowercase()),
            ] {
                let form = form.replace(pair, &cut);
                for req in [post(name, &form), get(name, &form)] {
                    let (status, body, kind) = answer(&app, req).await;
                    assert_eq!(status, 403, "{name}: {sid} is {what}: {body}");
                    assert_eq!(
                        kind,
                        Some(ValidationErrorKind::SidMalformed),
                        "{name}: {sid} is {what}"
                    );
                    assert_eq!(body, "This request is not authentic.");
                }
            }
        }
        let (status, _, kind) = answer(&app, post(name, "")).await;
        assert_eq!(
            (status, kind),
            (403, Some(ValidationErrorKind::SidMalformed)),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn a_recording_cut_differently_has_the_same_signature_and_is_refused() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    let sids = "AccountSid=AC00000000000000000000000000000001";
    let recorded = format!(
        "{sids}&Body=Hi&From=1&MessageSid=SM0000000000000000000000000000000a&NumMedia=0&To=2"
    );
    let cuts = [
        format!(
            "{sids}&Body=Hi&From=1&MessageSid=SM0000000000000000000000000000000aNumMedia0&To=2"
        ),
        format!(
            "{sids}&Body=Hi&From=1MessageSidSM0000000000000000000000000000000a&NumMedia=0&To=2"
        ),
        format!(
            "{sids}&Body=Hi&From=1&Messag=eSidSM0000000000000000000000000000000a&NumMedia=0&To=2"
        ),
    ];
    let signature = |req: TestRequest| {
        let req = req.to_http_request();
        req.headers().get("x-twilio-signature").cloned().unwrap()
    };
    let genuine = post("IncomingMessage", &recorded);
    assert_eq!(answer(&app, genuine).await.0, 200);
    for cut in &cuts {
        let (cut, recorded) = (
            post("IncomingMessage", cut),
            post("IncomingMessage", &recorded),
        );
        assert_eq!(signature(cut), signature(recorded));
    }
    for cut in &cuts {
        assert_eq!(
            answer(&app, post("IncomingMessage", cut)).await.0,
            403,
            "{cut}"
        );
    }
}

/// Does not validate.
async fn open(sms: IncomingMessage) -> impl Responder {
    sms.message_sid
}

async fn open_events(events: CloudEvents) -> impl Responder {
    events.0.len().to_string()
}

#[actix_web::test]
async fn a_webhook_that_nobody_validated_is_a_misconfiguration() {
    let app = App::new()
        .app_data(signer().config(BASE))
        .route("/open", web::to(open))
        .route("/events", web::to(open_events))
        .route(
            "/optional",
            web::to(async |sms: Option<IncomingMessage>| sms.is_some().to_string()),
        );
    let app = init_service(app).await;
    let form = &cases()[0].form;
    for path in ["open", "events"] {
        for req in [post(path, form), get(path, form)] {
            let (status, body, kind) = answer(&app, req).await;
            assert_eq!(
                (status, kind),
                (500, Some(ValidationErrorKind::Config)),
                "{path}"
            );
            assert_eq!(body, "The server can't validate requests.");
        }
    }
    assert_eq!(answer(&app, post("optional", form)).await.1, "false");
}

/// Builds an app that only reports, or does not validate.
fn lenient(mode: Mode) -> TwilioConfig {
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    let token = actix_twilio::AuthToken::new("another token").unwrap();
    let builder = match mode {
        Mode::ReportOnly => builder.auth_token(token).allow_report_only().mode(mode),
        _ => builder.dangerously_disable_validation(),
    };
    builder.build().unwrap()
}

#[actix_web::test]
async fn modes_that_do_not_enforce_let_webhooks_be_extracted() {
    for mode in [Mode::ReportOnly, Mode::Off] {
        let app = App::new().app_data(lenient(mode)).configure(routes);
        let app = init_service(app).await;
        for Case { name, form, .. } in cases() {
            for req in [post(name, &form), get(name, &form)] {
                let (status, body, _) = answer(&app, req).await;
                assert_eq!(status, 200, "{mode:?} {name}");
                let found: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(found, by_serde(name, &form), "{mode:?} {name}");
            }
        }
        let (status, body, _) = answer(&app, post("IncomingMessage", "Body=Hi")).await;
        assert_eq!(status, 200, "nothing is refused: {body}");
        let event = TestRequest::default().twilio_json(
            &signer(),
            &format!("{BASE}/CloudEvents"),
            &json!({"id": "1"}),
        );
        assert_eq!(answer(&app, event).await.0, 200, "{mode:?}");
        let too_large = post("IncomingMessage", &"a=1&".repeat(100_000));
        let kind = answer(&app, too_large).await.2;
        assert_eq!(kind, Some(ValidationErrorKind::BodyTooLarge), "{mode:?}");
    }
}

#[actix_web::test]
async fn only_a_form_or_a_query_has_parameters() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    let form = &cases()[0].form;
    // A form in a body that is not labelled as one, and a query beside a form.
    let url = actix_twilio::testing::with_body_sha256(&format!("{BASE}/Parameters"), form);
    let text = TestRequest::default().twilio_body(&signer(), &url, "text/plain", form.clone());
    assert_eq!(answer(&app, text).await.0, 415, "as `web::Form` answers");
    let none = TestRequest::post().uri("/Parameters");
    let url = format!("{BASE}/Parameters");
    let none = none.twilio_body(&signer(), &url, "text/plain", "");
    assert_eq!(answer(&app, none).await.1, "{}");
    let both = post("Parameters?a=1", "b=2");
    assert_eq!(answer(&app, both).await.1, r#"{"b":"2"}"#);
}

/// Nobody signs them, so anyone who has recorded a form can add as many as fit into a body.
#[actix_web::test]
async fn pairs_with_neither_name_nor_value_are_left_out() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    for form in ["b=2&&=&=", "=&b=2", "&&b=2"] {
        let sent = post("Parameters", form);
        assert_eq!(answer(&app, sent).await.1, r#"{"b":"2"}"#, "{form}");
    }
}

#[actix_web::test]
async fn events_are_extracted_alone_and_in_a_batch() {
    let app = App::new().app_data(signer().config(BASE)).configure(routes);
    let app = init_service(app).await;
    let event = json!({"id": "EZ1", "type": "t", "source": "s", "specversion": "1.0", "data": {"a": 1}, "x": 1});
    for sent in [event.clone(), json!([event]), json!([event, event])] {
        let req =
            TestRequest::default().twilio_json(&signer(), &format!("{BASE}/CloudEvents"), &sent);
        let (status, body, _) = answer(&app, req).await;
        assert_eq!(status, 200);
        let expected = if sent.is_array() { sent } else { json!([sent]) };
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    }
    let req = TestRequest::default().twilio_json(
        &signer(),
        &format!("{BASE}/CloudEvents"),
        &json!("text"),
    );
    assert_eq!(answer(&app, req).await.0, 400);
}

#[validate_twilio_request]
async fn bytes(body: web::Bytes) -> String {
    String::from_utf8_lossy(&body).into_owned()
}

/// The sender of a message wrote JSON into it, and cut the recorded form so that only names are left: the JSON with the
/// rest of the text in one of its strings, and what comes before it.
#[actix_web::test]
async fn a_recorded_form_that_is_cut_into_json_reaches_no_handler() {
    let app = App::new()
        .app_data(signer().config(BASE))
        .configure(routes)
        .route("/bytes", web::to(bytes));
    let app = init_service(app).await;
    let event = r#"{"id":"EZ1","type":"t","source":"s","specversion":"1.0","data":{},"x":""#;
    let sids = "MessageSidSM00000000000000000000000000000002";
    let sms = format!(
        "AccountSid=AC00000000000000000000000000000001&Body=%22%7D{}&From=me&{}",
        event
            .replace('"', "%22")
            .replace('{', "%7B")
            .replace('}', "%7D"),
        sids.replace("SidSM", "Sid=SM")
    );
    for path in ["/CloudEvents", "/bytes"] {
        let url = format!("{BASE}{path}/sms");
        let sms = WebhookRequest::new("POST", &url)
            .content_type(FORM)
            .body(&sms);
        let cut = format!(
            r#"{event}Fromme{sids}&%2FsmsAccountSidAC00000000000000000000000000000001Body"}}"#
        );
        assert!(serde_json::from_str::<Value>(&cut).is_ok());
        let mut copy = TestRequest::post()
            .uri(path)
            .insert_header(("Host", "example.com"));
        for header in signer().headers(&sms) {
            copy = copy.insert_header(header);
        }
        let copy = copy.insert_header(("Content-Type", FORM)).set_payload(cut);
        let (status, _, kind) = answer(&app, copy).await;
        assert_eq!(
            (status, kind),
            (403, Some(SignatureErrorKind::BodyHashMissing.into())),
            "{path}"
        );
    }
}

/// Checks that what is written is read again, and what `Debug` prints.
fn assert_kept_and_hidden<T>(form: &str)
where
    T: Debug + PartialEq + Serialize + DeserializeOwned,
{
    let webhook = web::Query::<T>::from_query(form).unwrap().into_inner();
    let json = serde_json::to_string(&webhook).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), webhook, "{json}");
    let value = serde_json::to_value(&webhook).unwrap();
    assert_eq!(
        serde_json::from_value::<T>(value).unwrap(),
        webhook,
        "{json}"
    );

    for printed in [format!("{webhook:?}"), format!("{webhook:#?}")] {
        for (_, value) in web::Query::<Vec<(String, String)>>::from_query(form)
            .unwrap()
            .0
        {
            // Blanks are in what is printed, too.
            let value = value.trim();
            assert!(
                value.len() < 5 || !printed.contains(value),
                "{printed}: {value}"
            );
        }
    }
}

#[test]
fn webhooks_are_written_and_read_again_and_printed_without_values() {
    for Case { form, .. } in cases() {
        macro_rules! assert_each {
            ($($family:ident)+) => {
                $(assert_kept_and_hidden::<$family>(&form);)+
            };
        }
        // Any form for any family.
        with_families!(assert_each);
        assert_kept_and_hidden::<Parameters>(&form);
        assert_kept_and_hidden::<Webhook>(&form);
    }
}

#[test]
fn names_are_printed_always_and_values_on_request() {
    let form =
        "MessageSid=SM1&Body=Hello&NumMedia=1&MediaUrl0=https%3A%2F%2Fh%2F0&New=5&Latitude=1.5";
    let message = web::Query::<IncomingMessage>::from_query(form)
        .unwrap()
        .into_inner();
    assert_eq!(
        format!("{message:?}"),
        r#"IncomingMessage { message_sid: .., body: .., num_media: .., latitude: .., media: .., other: {"New"} }"#
    );
    let printed = format!("{:?}", message.unredacted());
    for shown in [
        r#"body: "Hello""#,
        r#""https://h/0""#,
        r#"other: {"New": "5"}"#,
        "latitude: Some(1.5)",
        "wa_id: None",
    ] {
        assert!(printed.contains(shown), "{printed}");
    }
    assert_eq!(message.unredacted(), message.clone().unredacted());
    assert_eq!(format!("{:?}", message.media), "[Media { .. }]");

    let event: CloudEvent =
        serde_json::from_value(json!({"id": "EZ1", "data": {"to": "+1"}, "x": [1]})).unwrap();
    let printed = format!("{event:?}");
    assert!(
        printed.contains("data: [\"to\"]") && !printed.contains("EZ1") && !printed.contains("+1"),
        "{printed}"
    );
    assert!(format!("{:?}", event.unredacted()).contains("EZ1"));
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    message_status: MessageStatus,
}

#[test]
fn values_of_enumerations_are_read_in_any_case_and_written_as_twilio_writes_them() {
    let status: Vec<MessageStatus> =
        serde_json::from_str(r#"["DELIVERED","partially_delivered","New"]"#).unwrap();
    let expected = [
        MessageStatus::Delivered,
        MessageStatus::PartiallyDelivered,
        MessageStatus::Other("New".to_owned()),
    ];
    assert_eq!(status, expected);
    assert_eq!(
        serde_json::to_string(&status).unwrap(),
        r#"["delivered","partially_delivered","New"]"#
    );
    let event: CloudEvent =
        serde_json::from_value(json!({"data": {"messageStatus": "SENT"}})).unwrap();
    assert_eq!(
        event.data_as::<Data>().unwrap().message_status,
        MessageStatus::Sent
    );
}

#[test]
fn json_by_hand_may_have_numbers_and_lists() {
    let message: IncomingMessage =
        serde_json::from_value(json!({"NumMedia": 2, "Forwarded": true, "Latitude": 1.5, "New": ["1", 2, null], "To": null})).unwrap();
    assert_eq!(
        (message.num_media, message.forwarded, message.latitude),
        (2, Some(true), Some(1.5))
    );
    assert!(message.other.get_all("New").eq(["1", "2"]));
    assert!(serde_json::from_value::<IncomingMessage>(json!({"To": {}})).is_err());
    assert!(serde_json::from_value::<IncomingMessage>(json!([])).is_err());
}

#[test]
fn files_are_those_up_to_the_first_gap() {
    let form = "MediaUrl1=b&MediaUrl0=a&MediaUrl3=d&MediaUrl00=x&MediaContentType1=t&MediaContentType3=u&MediaUrl0=again";
    let message = web::Query::<IncomingMessage>::from_query(form)
        .unwrap()
        .into_inner();
    let files: Vec<_> = message
        .media
        .iter()
        .map(|file| (file.url.as_str(), file.content_type.as_deref()))
        .collect();
    assert_eq!(files, [("a", None), ("b", Some("t"))]);
    let expected = [
        ("MediaContentType3", "u"),
        ("MediaUrl0", "again"),
        ("MediaUrl00", "x"),
        ("MediaUrl3", "d"),
    ];
    assert!(message.other.iter().eq(expected));
}

#[test]
fn the_ad_from_which_a_sender_came_is_a_part_of_the_message() {
    let read = |form: &str| {
        let message = web::Query::<IncomingMessage>::from_query(form);
        message.unwrap().into_inner()
    };
    let message = read(
        "ReferralCtwaClid=ARA&ReferralNumMedia=x&ReferralNumMedia=1&ReferralNew=2&ReferralBody=",
    );
    let referral = message.referral.as_deref().unwrap();
    assert_eq!(referral.ctwa_clid.as_deref(), Some("ARA"));
    assert_eq!((referral.num_media, &referral.body), (Some(1), &None));
    let expected = [("ReferralNew", "2"), ("ReferralNumMedia", "x")];
    assert!(message.other.iter().eq(expected));
    assert_eq!(
        format!("{referral:?}"),
        "Referral { num_media: .., ctwa_clid: .. }"
    );
    assert!(format!("{:?}", message.unredacted()).contains(r#"ctwa_clid": Some("ARA")"#));
    assert_eq!(read("ReferralBody=&Body=Hi").referral, None);
}

fn form_of_any_pairs() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "MessageSid",
        "AccountSid",
        "Body",
        "From",
        "NumMedia",
        "MediaUrl0",
        "MediaUrl1",
        "MediaContentType0",
        "Latitude",
        "Forwarded",
        "NumSegments",
        "ReferralNumMedia",
        "New",
        "",
        "Bod%79",
        "%FF",
        "a+b",
        "MessageStatus",
        "CallSid",
    ]);
    let value = prop_oneof![
        "[a-z%+=0-9.]{0,6}",
        Just(String::new()),
        "[0-9]{1,3}",
        Just("true".to_owned()),
        "%[0-9A-F]{2}"
    ];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    prop::collection::vec(pair, 0..90).prop_map(|pairs| pairs.join("&"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn extractor_and_serde_read_the_same(form in form_of_any_pairs()) {
        let required = "MessageSid=SM0000000000000000000000000000000a&AccountSid=AC00000000000000000000000000000001&";
        let form = [required, &form.replace("MessageSid=", "M=").replace("AccountSid=", "A=")].concat();
        let found = actix_web::rt::System::new().block_on(async {
            let app = init_service(App::new().app_data(signer().config(BASE)).configure(routes)).await;
            [answer(&app, post("IncomingMessage", &form)).await, answer(&app, get("IncomingMessage", &form)).await]
        });
        for (status, body, _) in found {
            prop_assert_eq!(status, 200);
            prop_assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), by_serde("IncomingMessage", &form));
        }
    }

    #[test]
    fn what_is_written_is_read_again(form in form_of_any_pairs()) {
        assert_kept_and_hidden::<IncomingMessage>(&form);
        assert_kept_and_hidden::<CallStatusCallback>(&form);
        assert_kept_and_hidden::<Webhook>(&form);
    }
}
