//! Typed webhooks: what Twilio documents is read, and no form is refused.

use actix_twilio::{
    testing::{Signer, TwilioTestRequest, with_body_sha256},
    validate_twilio_request,
    webhook::{
        CallDirection, CallStatus, CallStatusCallback, CloudEvent, CloudEvents, GatherResult,
        IncomingCall, IncomingMessage, MessageStatus, MessageStatusCallback, Parameters,
        RecordingStatus, RecordingStatusCallback,
    },
};
use actix_web::{
    App, HttpResponse, Responder, get, post,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use serde::de::DeserializeOwned;
use serde_json::json;

#[track_caller]
fn form<T: DeserializeOwned>(text: &str) -> T {
    let parsed = web::Query::<T>::from_query(text);
    parsed
        .unwrap_or_else(|err| panic!("{text:?}: {err}"))
        .into_inner()
}

fn others(other: &Parameters) -> Vec<(&str, &str)> {
    other.iter().collect()
}

#[test]
fn messages_of_each_channel_are_read() {
    let sms: IncomingMessage = form(
        "ToCountry=US&ToState=CA&SmsMessageSid=SM1&NumMedia=0&ToCity=&FromZip=94107&SmsSid=SM1\
         &FromState=CA&SmsStatus=received&FromCity=SAN+FRANCISCO&Body=Hi+%2B+%C3%A9&FromCountry=US\
         &To=%2B18005551212&MessagingServiceSid=MG1&ToZip=94949&NumSegments=2&MessageSid=SM1\
         &AccountSid=AC1&From=%2B14158675310&ApiVersion=2010-04-01&OptOutType=STOP",
    );
    assert_eq!(
        (sms.account_sid.as_str(), sms.message_sid.as_str()),
        ("AC1", "SM1")
    );
    assert_eq!(
        (sms.from.as_str(), sms.to.as_str()),
        ("+14158675310", "+18005551212")
    );
    assert_eq!(sms.body, "Hi + \u{e9}");
    assert_eq!((sms.num_segments, sms.num_media), (Some(2), 0));
    assert_eq!(sms.messaging_service_sid.as_deref(), Some("MG1"));
    assert_eq!(sms.from_city.as_deref(), Some("SAN FRANCISCO"));
    assert_eq!(sms.to_city, None, "an empty value is none");
    assert_eq!(sms.opt_out_type.as_deref(), Some("STOP"));
    assert!(sms.media.is_empty());
    let expected = [
        ("ApiVersion", "2010-04-01"),
        ("SmsMessageSid", "SM1"),
        ("SmsSid", "SM1"),
        ("SmsStatus", "received"),
    ];
    assert_eq!(others(&sms.other), expected);

    let mms: IncomingMessage = form(
        "MediaUrl1=https%3A%2F%2Fh%2F1&MediaContentType0=image%2Fjpeg&NumMedia=2&Body=\
         &MediaUrl0=https%3A%2F%2Fh%2F0&MediaUrl3=https%3A%2F%2Fh%2F3",
    );
    let media: Vec<_> = mms
        .media
        .iter()
        .map(|media| (media.url.as_str(), media.content_type.as_deref()))
        .collect();
    assert_eq!(
        media,
        [("https://h/0", Some("image/jpeg")), ("https://h/1", None)]
    );
    assert_eq!(mms.num_media, 2);
    assert_eq!(others(&mms.other), [("MediaUrl3", "https://h/3")]);

    let whatsapp: IncomingMessage = form(
        "ProfileName=Ada&WaId=14158675310&From=whatsapp%3A%2B14158675310&ButtonText=Yes\
         &ButtonPayload=y&Latitude=-1.5&Longitude=2&Address=A&Label=L&Forwarded=true\
         &FrequentlyForwarded=false&OriginalRepliedMessageSid=SM2\
         &OriginalRepliedMessageSender=whatsapp%3A%2B1&MessageType=button",
    );
    assert_eq!(whatsapp.from, "whatsapp:+14158675310");
    assert_eq!(whatsapp.profile_name.as_deref(), Some("Ada"));
    assert_eq!(whatsapp.wa_id.as_deref(), Some("14158675310"));
    assert_eq!(whatsapp.button_text.as_deref(), Some("Yes"));
    assert_eq!(whatsapp.button_payload.as_deref(), Some("y"));
    assert_eq!(
        (whatsapp.latitude, whatsapp.longitude),
        (Some(-1.5), Some(2.0))
    );
    assert_eq!(
        (whatsapp.forwarded, whatsapp.frequently_forwarded),
        (Some(true), Some(false))
    );
    assert_eq!(
        whatsapp.original_replied_message_sid.as_deref(),
        Some("SM2")
    );
    assert_eq!(whatsapp.message_type.as_deref(), Some("button"));
    assert_eq!(others(&whatsapp.other), []);
}

#[test]
fn calls_and_their_callbacks_are_read() {
    let call: IncomingCall = form(
        "AccountSid=AC1&CallSid=CA1&From=%2B1&To=%2B2&CallStatus=ringing&Direction=inbound\
         &CallerName=ADA&ForwardedFrom=%2B3&StirVerstat=TN-Validation-Passed-A&ApiVersion=2010-04-01",
    );
    assert_eq!(call.call_sid, "CA1");
    assert_eq!(call.call_status, Some(CallStatus::Ringing));
    assert_eq!(call.direction, Some(CallDirection::Inbound));
    assert_eq!(call.caller_name.as_deref(), Some("ADA"));
    assert_eq!(others(&call.other), [("ApiVersion", "2010-04-01")]);

    let keys: GatherResult =
        form("CallSid=CA1&Digits=0012*&FinishedOnKey=%23&CallStatus=in-progress");
    assert_eq!(keys.digits.as_deref(), Some("0012*"));
    assert_eq!(keys.finished_on_key.as_deref(), Some("#"));
    assert_eq!(keys.call_status, Some(CallStatus::InProgress));
    let speech: GatherResult = form("SpeechResult=I+want+sales&Confidence=0.9145&Digits=");
    assert_eq!(speech.speech_result.as_deref(), Some("I want sales"));
    assert_eq!(speech.confidence, Some(0.9145));
    assert_eq!(speech.digits, None);

    let ended: CallStatusCallback = form(
        "CallSid=CA1&CallStatus=no-answer&CallDuration=61&Duration=2&SequenceNumber=3\
         &Timestamp=Tue%2C+01+Apr+2025+10%3A00%3A00+%2B0000&SipResponseCode=487\
         &Direction=outbound-api&CallbackSource=call-progress-events",
    );
    assert_eq!(ended.call_status, Some(CallStatus::NoAnswer));
    assert_eq!(
        (ended.call_duration, ended.duration_minutes),
        (Some(61), Some(2))
    );
    assert_eq!(
        (ended.sequence_number, ended.sip_response_code),
        (Some(3), Some(487))
    );
    assert_eq!(
        ended.timestamp.as_deref(),
        Some("Tue, 01 Apr 2025 10:00:00 +0000")
    );
    assert_eq!(
        ended.callback_source.as_deref(),
        Some("call-progress-events")
    );
    assert_eq!(others(&ended.other), []);

    let recorded: RecordingStatusCallback = form(
        "RecordingSid=RE1&RecordingStatus=completed&RecordingDuration=12&RecordingChannels=1\
         &RecordingUrl=https%3A%2F%2Fapi.twilio.com%2FRE1&RecordingSource=RecordVerb&ErrorCode=0",
    );
    assert_eq!(recorded.recording_status, Some(RecordingStatus::Completed));
    assert_eq!(
        (recorded.recording_duration, recorded.recording_channels),
        (Some(12), Some(1))
    );
    assert_eq!(
        recorded.recording_url.as_deref(),
        Some("https://api.twilio.com/RE1")
    );
    assert_eq!(recorded.error_code, Some(0));

    let failed: MessageStatusCallback =
        form("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003&From=%2B1&To=%2B2");
    assert_eq!(failed.message_status, Some(MessageStatus::Undelivered));
    assert_eq!(failed.error_code, Some(30003));
}

/// Forms that Twilio does not send today, or never will.
const ODD: [&str; 8] = [
    "",
    "&&=&a",
    "NumMedia=&NumSegments=&MessageStatus=&CallStatus=&CallDuration=&Confidence=&RecordingDuration=",
    "NumMedia=many&NumSegments=-1&CallDuration=1e3&Confidence=NaN&RecordingDuration=-1&Forwarded=yes",
    "NumMedia=99999999999999999999&CallDuration=4294967296&Latitude=inf&ErrorCode=0x1",
    "MessageStatus=teleported&CallStatus=Ringing&RecordingStatus=lost&Direction=sideways",
    "From=1&From=2&From=3&Address=1&Address=2&MediaUrl0=1&MediaUrl0=2&New=1&New=2&New=1",
    "From=%ff%00&%ff=%80&Body=%&MediaUrl00=1&MediaUrl-1=2&MediaUrl=3&other=4&media=5",
];

/// Their number is not signed, so anyone who has recorded a form can add as many as fit into a body.
#[test]
fn identical_repeats_are_kept_once_if_there_are_many() {
    let few = "b=2&a=1&b=1&b=2&c&b=1&c&b=3";
    let parameters: Parameters = form(few);
    assert_eq!(others(&parameters).len(), 8);
    let parameters: Parameters = form(&[few; 200].join("&"));
    let expected = [("a", "1"), ("b", "2"), ("b", "1"), ("b", "3"), ("c", "")];
    assert_eq!(others(&parameters), expected);
    let sms = format!("Body=C&MessageSid=SM1{}", "&C&MessageSid=SM1".repeat(1000));
    let sms: IncomingMessage = form(&sms);
    assert_eq!(others(&sms.other), [("C", ""), ("MessageSid", "SM1")]);
}

#[test]
fn no_form_is_refused_and_nothing_is_lost() {
    for text in ODD {
        let message: IncomingMessage = form(text);
        form::<MessageStatusCallback>(text);
        form::<IncomingCall>(text);
        form::<GatherResult>(text);
        form::<CallStatusCallback>(text);
        form::<RecordingStatusCallback>(text);
        form::<Parameters>(text);
        assert!(message.num_media <= 1, "{text}");
    }

    let message: IncomingMessage = form(ODD[3]);
    assert_eq!(
        (message.num_media, message.num_segments, message.forwarded),
        (0, None, None)
    );
    assert_eq!(message.other.get("NumMedia"), Some("many"));
    assert_eq!(message.other.get("NumSegments"), Some("-1"));
    let recorded: RecordingStatusCallback = form(ODD[3]);
    assert_eq!(recorded.recording_duration, None);
    assert_eq!(recorded.other.get("RecordingDuration"), Some("-1"));

    let said: GatherResult = form(ODD[3]);
    assert_eq!(said.confidence, None, "it is no number");
    assert_eq!(said.other.get("Confidence"), Some("NaN"));
    assert_eq!(form::<IncomingMessage>(ODD[4]).latitude, None);

    let status: MessageStatusCallback = form(ODD[5]);
    let teleported = MessageStatus::Other("teleported".to_owned());
    assert_eq!(status.message_status, Some(teleported));
    let call: IncomingCall = form(ODD[5]);
    let (call_status, direction) = (call.call_status.unwrap(), call.direction.unwrap());
    assert_eq!(
        (call_status.as_str(), direction.as_str()),
        ("ringing", "sideways"),
        "a known value is known in any case"
    );

    let repeated: IncomingMessage = form(ODD[6]);
    assert_eq!(repeated.from, "1", "the first counts");
    assert_eq!(repeated.media[0].url, "1");
    let expected = [
        ("Address", "2"),
        ("From", "2"),
        ("From", "3"),
        ("MediaUrl0", "2"),
        ("New", "1"),
        ("New", "2"),
        ("New", "1"),
    ];
    assert_eq!(others(&repeated.other), expected);
    assert!(repeated.other.get_all("New").eq(["1", "2", "1"]));
    assert_eq!(repeated.other.get_all("none").next(), None);

    assert_eq!(form::<IncomingMessage>(""), IncomingMessage::default());
}

#[test]
fn names_of_values_are_those_that_twilio_sends() {
    fn assert_round_trip<T: for<'a> From<&'a str> + std::fmt::Display>(texts: &[&str]) {
        for text in texts {
            assert_eq!(T::from(text).to_string(), *text);
        }
    }
    assert_round_trip::<CallStatus>(&["queued", "in-progress", "no-answer", "canceled", "new"]);
    assert_round_trip::<CallDirection>(&["inbound", "outbound-api", "outbound-dial", "new"]);
    assert_round_trip::<MessageStatus>(&["accepted", "delivered", "read", "new"]);
    assert_round_trip::<RecordingStatus>(&["in-progress", "completed", "absent", "new"]);
    assert_eq!(MessageStatus::from("DELIVERED"), MessageStatus::Delivered);
    assert_eq!(CallStatus::from("No-Answer"), CallStatus::NoAnswer);
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivered {
    error_code: u32,
}

#[test]
fn events_come_in_batches_and_alone() {
    let event = json!({
        "specversion": "1.0",
        "type": "com.twilio.messaging.message.delivered",
        "source": "/2010-04-01/Accounts/AC1/Messages/SM1.json",
        "id": "EZ1",
        "dataschema": "https://events-schemas.twilio.com/Messaging.MessageStatus/2",
        "datacontenttype": "application/json",
        "time": "2026-01-02T03:04:05.678Z",
        "data": {"messageSid": "SM1", "errorCode": 0},
        "extension": [1],
    });
    for (name, json, len) in [
        ("a batch", json!([event, event]), 2),
        ("a single one", event.clone(), 1),
        ("none", json!([]), 0),
    ] {
        let CloudEvents(events) = serde_json::from_value(json).unwrap();
        assert_eq!(events.len(), len, "{name}");
        for found in events {
            assert_eq!(
                found.event_type, "com.twilio.messaging.message.delivered",
                "{name}"
            );
            assert_eq!(
                (found.specversion.as_str(), found.id.as_str()),
                ("1.0", "EZ1"),
                "{name}"
            );
            assert_eq!(found.source, event["source"], "{name}");
            assert_eq!(
                found.time.as_deref(),
                Some("2026-01-02T03:04:05.678Z"),
                "{name}"
            );
            assert_eq!(
                found.datacontenttype.as_deref(),
                Some("application/json"),
                "{name}"
            );
            assert!(
                found.dataschema.as_deref().unwrap().ends_with("/2"),
                "{name}"
            );
            assert_eq!(found.data["messageSid"], "SM1", "{name}");
            assert_eq!(found.other.len(), 1, "{name}");
            assert_eq!(found.other["extension"], json!([1]), "{name}");
        }
    }

    let odd: CloudEvent = serde_json::from_value(json!({"type": 1, "id": null})).unwrap();
    assert_eq!((odd.event_type.as_str(), odd.id.as_str()), ("", ""));
    assert_eq!(odd.other["type"], 1);
    assert!(odd.data_as::<Delivered>().is_err());
    let event: CloudEvent = serde_json::from_value(event).unwrap();
    assert_eq!(event.data_as::<Delivered>().unwrap().error_code, 0);

    for none in [json!([1]), json!("a"), json!([[]]), json!(null)] {
        assert!(
            serde_json::from_value::<CloudEvents>(none.clone()).is_err(),
            "{none}"
        );
        assert!(
            serde_json::from_value::<CloudEvent>(none.clone()).is_err(),
            "{none}"
        );
    }
}

#[post("/message")]
#[validate_twilio_request]
async fn on_message(web::Form(message): web::Form<IncomingMessage>) -> impl Responder {
    format!("{} {}", message.from, message.media.len())
}

#[get("/message")]
#[validate_twilio_request]
async fn on_message_by_get(web::Query(message): web::Query<IncomingMessage>) -> impl Responder {
    message.from
}

#[post("/events")]
#[validate_twilio_request]
async fn on_events(web::Json(CloudEvents(events)): web::Json<CloudEvents>) -> impl Responder {
    HttpResponse::Ok().body(events.len().to_string())
}

#[actix_web::test]
async fn webhooks_are_taken_by_handlers_behind_the_attribute() {
    let signer = Signer::new("a token for tests");
    let app = App::new()
        .app_data(signer.config("https://example.com"))
        .service(on_message)
        .service(on_message_by_get)
        .service(on_events);
    let app = init_service(app).await;
    let new = TestRequest::default;
    let form = [
        ("From", "+1"),
        ("MediaUrl0", "https://h/0"),
        ("X", "1"),
        ("X", "2"),
    ];
    let url = with_body_sha256("https://example.com/events", r#"[{"id":"EZ1"}]"#);
    let cases = [
        (
            new().twilio_form(&signer, "https://example.com/message", &form),
            "+1 1",
        ),
        (
            new().twilio_get(&signer, "https://example.com/message?From=%2B2&X=1&X=1"),
            "+2",
        ),
        (
            new().twilio_json(&signer, "https://example.com/events", &json!([{}, {}])),
            "2",
        ),
        (
            new().twilio_body(
                &signer,
                &url,
                "application/cloudevents-batch+json",
                r#"[{"id":"EZ1"}]"#,
            ),
            "1",
        ),
    ];
    for (req, expected) in cases {
        let res = call_service(&app, req.to_request()).await;
        assert_eq!(res.status(), 200, "{expected}");
        assert_eq!(read_body(res).await, expected);
    }
}
