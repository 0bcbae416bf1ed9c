//! The messages of Media Streams and ConversationRelay, as Twilio documents them, and the extractor without a server.

use actix_twilio::{
    TwilioConfig, TwilioValidation, ValidationErrorKind,
    config::Mode,
    stream::{
        Audio, Digits, End, Handshake, Language, Mark, Media, MediaCommand, MediaMessage, Play,
        Relay, RelayCommand, RelayMessage, Text, Track,
    },
    testing::{Signer, TwilioTestRequest},
    validate_twilio_request,
};
use actix_twilio_tests::refusal;
use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    get,
    test::{TestRequest, call_service, init_service},
    web,
};
use serde_json::{Value, json};

/// Messages of Media Streams, from
/// <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
const MEDIA: [(&str, &str); 6] = [
    (
        "Connected",
        r#"{"event": "connected", "protocol": "Call", "version": "1.0.0"}"#,
    ),
    (
        "Start",
        r#"{"event": "start", "sequenceNumber": "1", "start": {
            "accountSid": "AC00000000000000000000000000000001",
            "streamSid": "MZ00000000000000000000000000000001",
            "callSid": "CA00000000000000000000000000000001",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"FirstName": "Jane", "RemoteParty": "Bob"}},
            "streamSid": "MZ00000000000000000000000000000001"}"#,
    ),
    (
        "Media",
        r#"{"event": "media", "sequenceNumber": "3", "media": {
            "track": "outbound", "chunk": "1", "timestamp": "5", "payload": "no+JhoaJjpzS"},
            "streamSid": "MZ00000000000000000000000000000001"}"#,
    ),
    (
        "Dtmf",
        r#"{"event": "dtmf", "streamSid": "MZ00000000000000000000000000000001", "sequenceNumber": "5",
            "dtmf": {"track": "inbound_track", "digit": "1"}}"#,
    ),
    (
        "Mark",
        r#"{"event": "mark", "sequenceNumber": "4", "streamSid": "MZ00000000000000000000000000000001",
            "mark": {"name": "my label"}}"#,
    ),
    (
        "Stop",
        r#"{"event": "stop", "sequenceNumber": "5", "stop": {
            "accountSid": "AC00000000000000000000000000000001",
            "callSid": "CA00000000000000000000000000000001"},
            "streamSid": "MZ00000000000000000000000000000001"}"#,
    ),
];

/// Messages of `ConversationRelay`, from
/// <https://www.twilio.com/docs/voice/conversationrelay/websocket-messages>. `info` is from implementations of Twilio.
const RELAY: [(&str, &str); 6] = [
    (
        "Setup",
        r#"{"type": "setup", "sessionId": "VX00000000000000000000000000000000",
            "accountSid": "AC00000000000000000000000000000001", "parentCallSid": "",
            "callSid": "CA00000000000000000000000000000000", "from": "+18005550100", "to": "+18005550101",
            "forwardedFrom": "+18005550102", "callType": "PSTN", "callerName": "", "direction": "inbound",
            "callStatus": "RINGING", "customParameters": {"callReference": "bar"}}"#,
    ),
    (
        "Prompt",
        r#"{"type": "prompt", "voicePrompt": "Hi! Can you tell me about life?", "lang": "en-US", "last": true}"#,
    ),
    ("Dtmf", r#"{"type": "dtmf", "digit": "1"}"#),
    (
        "Interrupt",
        r#"{"type": "interrupt", "utteranceUntilInterrupt": "Life is a complex set of",
            "durationUntilInterruptMs": 460}"#,
    ),
    (
        "Error",
        r#"{"type": "error", "description": "Invalid message received: { \"foo\" : \"bar\" }"}"#,
    ),
    (
        "Info",
        r#"{"type": "info", "name": "agentSpeaking", "value": "on"}"#,
    ),
];

/// Commands, from the same pages.
const COMMANDS: [&str; 6] = [
    r#"{"type": "text", "token": "Hello!", "last": true, "lang": "en-US", "interruptible": true, "preemptible": false}"#,
    r#"{"type": "play", "source": "https://api.twilio.com/cowbell.mp3", "loop": 1, "preemptible": false,
        "interruptible": true}"#,
    r#"{"type": "sendDigits", "digits": "9www4085551212"}"#,
    r#"{"type": "language", "ttsLanguage": "sv-SE", "transcriptionLanguage": "en-US"}"#,
    r#"{"type": "end", "handoffData": "{\"reasonCode\":\"live-agent-handoff\"}"}"#,
    r#"{"type": "end"}"#,
];

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn name(debug: &str) -> &str {
    debug.split(['(', ' ']).next().unwrap()
}

#[test]
fn each_documented_message_is_read_and_written_again() {
    for (variant, json) in MEDIA {
        let message: MediaMessage = serde_json::from_str(json).unwrap();
        assert_eq!(name(&format!("{message:?}")), variant);
        assert_eq!(serde_json::to_value(&message).unwrap(), value(json));
    }
    for (variant, json) in RELAY {
        let message: RelayMessage = serde_json::from_str(json).unwrap();
        assert_eq!(name(&format!("{message:?}")), variant);
        assert_eq!(serde_json::to_value(&message).unwrap(), value(json));
    }
    for json in COMMANDS {
        let command: RelayCommand = serde_json::from_str(json).unwrap();
        assert!(!matches!(command, RelayCommand::Other(_)), "{json}");
        assert_eq!(serde_json::to_value(&command).unwrap(), value(json));
    }
}

#[test]
fn members_that_are_new_or_missing_or_null_are_tolerated() {
    for (variant, json) in MEDIA {
        let mut message = value(json);
        message["new"] = json!({"a": [1]});
        let body = variant.to_lowercase();
        if message.get(&body).is_some() {
            message[&body]["new"] = json!(null);
        }
        let message: MediaMessage = serde_json::from_value(message).unwrap();
        assert_eq!(message, serde_json::from_str(json).unwrap());
    }
    for (_, json) in RELAY {
        let mut message = value(json);
        message["new"] = json!({"a": [1]});
        let message: RelayMessage = serde_json::from_value(message).unwrap();
        assert_eq!(message, serde_json::from_str(json).unwrap());
    }
    let RelayMessage::Setup(setup) = serde_json::from_str(
        r#"{"type": "setup", "callSid": "CA1", "from": null, "customParameters": {"n": 1}}"#,
    )
    .unwrap() else {
        panic!()
    };
    assert_eq!((setup.from.as_str(), setup.to.as_str()), ("", ""));
    assert_eq!(setup.custom_parameters["n"], "1");
    for duration in ["460", "\"460\""] {
        let json = format!(r#"{{"type": "interrupt", "durationUntilInterruptMs": {duration}}}"#);
        let RelayMessage::Interrupt(interrupt) = serde_json::from_str(&json).unwrap() else {
            panic!()
        };
        assert_eq!(interrupt.duration_until_interrupt_ms, 460);
    }
    let json = r#"{"event": "media", "sequenceNumber": 7, "media": {"track": "new", "chunk": 8, "payload": ""}}"#;
    let MediaMessage::Media(media) = serde_json::from_str(json).unwrap() else {
        panic!()
    };
    assert_eq!((media.sequence_number, media.chunk), (7, 8));
    assert_eq!(media.track, Track::Other("new".to_owned()));
}

#[test]
fn messages_of_a_new_type_keep_their_json() {
    let json = r#"{"event": "weather", "media": "not what it was", "sequenceNumber": [1]}"#;
    let MediaMessage::Other(unknown) = serde_json::from_str(json).unwrap() else {
        panic!()
    };
    assert_eq!(unknown.name, "weather");
    assert_eq!(value(&unknown.json), value(json));
    let json = r#"{"type": "weather", "voicePrompt": 1}"#;
    let message: RelayMessage = serde_json::from_str(json).unwrap();
    assert!(matches!(message, RelayMessage::Other(_)));
    assert_eq!(serde_json::to_value(&message).unwrap(), value(json));
}

#[test]
fn what_is_not_a_message_is_an_error_that_says_why_and_quotes_nothing() {
    for (json, why) in [
        ("[]", "a value has another type"),
        (r#"{"SECRET": 1}"#, "missing field `event`"),
        (r#"{"event": 7}"#, "a value has another type"),
        (r#"{"event": "media"}"#, "missing field `media`"),
        (
            r#"{"event": "media", "media": {}}"#,
            "missing field `payload`",
        ),
        (
            r#"{"event": "media", "media": {"payload": "SECRET!"}}"#,
            "the payload is not base64",
        ),
        (
            r#"{"event": "media", "media": {"payload": {"SECRET": 1}}}"#,
            "a value has another type",
        ),
        (
            r#"{"event": "media", "media": {"payload": "", "chunk": "SECRET"}}"#,
            "a value has another type",
        ),
        (
            r#"{"event": "start", "start": {"callSid": "CA1"}}"#,
            "missing field `streamSid`",
        ),
        (
            r#"{"event": "dtmf", "dtmf": {"digit": ["SECRET"]}}"#,
            "a value has another type",
        ),
    ] {
        let err = serde_json::from_value::<MediaMessage>(value(json)).unwrap_err();
        let said = format!("{err} {err:?}");
        assert!(said.contains(why), "{json}: {said}");
        assert!(!said.contains("SECRET"), "{json}: {said}");
    }
}

/// Reads JSON, and prints what was read.
fn printed<T: serde::de::DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
    format!("{:?}", serde_json::from_str::<T>(json).unwrap())
}

#[test]
fn debug_prints_no_contents() {
    let secrets = [
        "Jane",
        "no+J",
        "159, 143",
        "Hi! Can",
        "+1800",
        "Life is",
        "foo",
        "bar",
        "Hello!",
        "9www",
        "agent-handoff",
    ];
    let media = MEDIA.iter().map(|(_, json)| printed::<MediaMessage>(json));
    let relay = RELAY.iter().map(|(_, json)| printed::<RelayMessage>(json));
    let commands = COMMANDS.iter().map(|json| printed::<RelayCommand>(json));
    let audio = format!("{:?}", MediaCommand::from(Audio::new("no+J")));
    let printed: String = media.chain(relay).chain(commands).chain([audio]).collect();
    for secret in secrets {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
    assert!(printed.contains("CA00000000000000000000000000000001"));
    assert!(!printed.contains("digit"), "{printed}");
}

#[test]
fn commands_are_written_as_twilio_reads_them() {
    let sid = "MZ00000000000000000000000000000001";
    for (command, json) in [
        (
            MediaCommand::from(Audio::new(vec![0, 255])),
            r#"{"event":"media","streamSid":"MZ00000000000000000000000000000001","media":{"payload":"AP8="}}"#,
        ),
        (
            Mark::new("a \"b\"").into(),
            r#"{"event":"mark","streamSid":"MZ00000000000000000000000000000001","mark":{"name":"a \"b\""}}"#,
        ),
        (
            MediaCommand::Clear,
            r#"{"event":"clear","streamSid":"MZ00000000000000000000000000000001"}"#,
        ),
        (
            MediaCommand::Other(r#"{"event":"new"}"#.to_owned()),
            r#"{"event":"new"}"#,
        ),
    ] {
        assert_eq!(command.to_json(sid), json);
        assert_eq!(serde_json::from_str::<MediaCommand>(json).unwrap(), command);
    }
    for (command, json) in [
        (
            RelayCommand::from(Text::token("Hel")),
            r#"{"type":"text","token":"Hel","last":false}"#,
        ),
        (
            Text::last("lo")
                .lang("es-MX")
                .interruptible(false)
                .preemptible(true)
                .into(),
            r#"{"type":"text","token":"lo","last":true,"lang":"es-MX","interruptible":false,"preemptible":true}"#,
        ),
        (
            Play::new("https://example.com/a.mp3").loops(2).into(),
            r#"{"type":"play","source":"https://example.com/a.mp3","loop":2}"#,
        ),
        (
            Digits::new("1w#").into(),
            r#"{"type":"sendDigits","digits":"1w#"}"#,
        ),
        (
            Language::both("de-DE").into(),
            r#"{"type":"language","ttsLanguage":"de-DE","transcriptionLanguage":"de-DE"}"#,
        ),
        (
            Language::spoken("de-DE").into(),
            r#"{"type":"language","ttsLanguage":"de-DE"}"#,
        ),
        (
            Language::understood("de-DE").into(),
            r#"{"type":"language","transcriptionLanguage":"de-DE"}"#,
        ),
        (End::new().into(), r#"{"type":"end"}"#),
        (
            End::with_handoff("{}").into(),
            r#"{"type":"end","handoffData":"{}"}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&command).unwrap(), json);
    }
}

const URL: &str = "wss://example.com/media";

#[get("/media")]
#[validate_twilio_request]
async fn validated(handshake: Handshake<Media>) -> HttpResponse {
    handshake.accept().0
}

#[get("/media")]
async fn open(handshake: Handshake<Relay>) -> HttpResponse {
    handshake.accept().0
}

#[get("/media")]
#[validate_twilio_request]
async fn declined(_handshake: Handshake<Media>) -> HttpResponse {
    HttpResponse::NotFound().finish()
}

/// Sends a handshake, and returns the status.
async fn status(
    config: &TwilioConfig,
    routes: impl FnOnce(&mut web::ServiceConfig),
    request: TestRequest,
) -> u16 {
    let app = init_service(App::new().app_data(config.clone()).configure(routes)).await;
    call_service(&app, request.to_request())
        .await
        .status()
        .into()
}

#[actix_web::test]
async fn a_session_needs_a_request_that_was_validated() {
    let signer = Signer::new("a token for tests");
    let config = signer.config("https://example.com");
    let genuine = || TestRequest::default().twilio_websocket(&signer, URL);
    let forged = || TestRequest::default().twilio_websocket(&signer.forged(), URL);
    let app = |cfg: &mut web::ServiceConfig| {
        cfg.service(validated);
    };
    assert_eq!(status(&config, app, genuine()).await, 101);
    assert_eq!(status(&config, app, forged()).await, 403);
    // Nobody has validated it.
    for request in [genuine(), forged()] {
        let app = init_service(App::new().app_data(config.clone()).service(open)).await;
        let res = call_service(&app, request.to_request()).await;
        assert_eq!(res.status(), 500);
        assert_eq!(refusal(&res), Some(ValidationErrorKind::Config));
    }
    // A middleware has.
    let validation = TwilioValidation::with_config(config.clone());
    let app = init_service(App::new().wrap(validation).service(open)).await;
    let res = call_service(&app, genuine().to_request()).await;
    assert_eq!(res.status(), 101);
    // The handler says no.
    let saying_no = |cfg: &mut web::ServiceConfig| {
        cfg.service(declined);
    };
    assert_eq!(status(&config, saying_no, genuine()).await, 404);
}

#[actix_web::test]
async fn a_request_that_opens_no_websocket_gets_no_session() {
    let signer = Signer::new("a token for tests");
    let config = signer.config("https://example.com");
    let app = init_service(App::new().app_data(config).service(validated)).await;
    let ordinary = TestRequest::default().twilio_get(&signer, "https://example.com/media");
    let res = call_service(&app, ordinary.to_request()).await;
    assert_eq!(res.status(), 400);
    assert!(res.into_body().try_into_bytes().is_ok());
    // Signed as an ordinary request, and nearly a handshake.
    let nearly = TestRequest::default()
        .twilio_get(&signer, "https://example.com/media")
        .insert_header(("upgrade", "websocket, h2c"))
        .insert_header(("connection", "upgrade"))
        .insert_header(("sec-websocket-version", "13"))
        .insert_header(("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(call_service(&app, nearly.to_request()).await.status(), 400);
}

#[actix_web::test]
async fn a_configuration_that_does_not_enforce_lets_any_handshake_in() {
    let signer = Signer::new("a token for tests");
    let forged = || TestRequest::default().twilio_websocket(&signer.forged(), URL);
    for mode in [Mode::ReportOnly, Mode::Off] {
        let config = actix_twilio_tests::config()
            .public_url("https://example.com")
            .unwrap();
        let config = match mode {
            Mode::Off => config.dangerously_disable_validation(),
            mode => config.allow_report_only().mode(mode),
        };
        let config = config.build().unwrap();
        let app = init_service(App::new().app_data(config).service(validated)).await;
        let res = call_service(&app, forged().to_request()).await;
        assert_eq!(res.status(), 101, "{mode:?}");
    }
}
