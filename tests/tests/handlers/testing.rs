//! The test kit: what it signs is let through, what it forges is not, and what Twilio would not send makes a
//! test fail with a message that helps.

use std::{
    fs,
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, Validated,
    ValidationErrorKind::{self as Kind, Signature},
    WebhookRequest,
    keys::SharedKey,
    signature::SignatureErrorKind,
    signature::SignatureErrorKind::{BodyHashMismatch, SignatureMismatch},
    testing::{Signer, TwilioTestRequest, assert_twiml, read_twiml, with_body_sha256},
    twiml::{Gather, Message, MessagingResponse, Say, VoiceResponse},
    validate_twilio_request,
};
use actix_twilio_tests::{FORM, refusal, server::Server};
use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::{Service, ServiceResponse},
    http::{StatusCode, header::X_FORWARDED_PROTO},
    test::{TestRequest, call_service, init_service, read_body},
    web,
};

const BASE: &str = "https://example.com";

/// Answers with the method, the target, the host and the body that reached the handler.
async fn echo(validated: Validated<(HttpRequest, String)>) -> String {
    let (req, body) = validated.into_inner();
    let host = req.headers().get("Host").unwrap().to_str().unwrap();
    format!("{} {} {host} {body}", req.method(), req.uri())
}

async fn send(config: &TwilioConfig, req: TestRequest) -> ServiceResponse {
    let app = App::new()
        .app_data(config.clone())
        .default_service(web::to(echo));
    call_service(&init_service(app).await, req.to_request()).await
}

async fn text(config: &TwilioConfig, req: TestRequest) -> String {
    let res = send(config, req).await;
    assert_eq!(res.status(), StatusCode::OK, "{:?}", refusal(&res));
    String::from_utf8(read_body(res).await.into()).unwrap()
}

async fn kind(config: &TwilioConfig, req: TestRequest) -> Kind {
    refusal(&send(config, req).await).unwrap()
}

fn signers() -> [(&'static str, Signer); 2] {
    let key = SharedKey::new("K1", "a secret for tests").unwrap();
    [
        ("Auth Token", Signer::new("a token for tests")),
        ("SharedKey", Signer::shared_key(key)),
    ]
}

/// Each kind of request, made by a signer.
fn requests(signer: &Signer) -> Vec<(&'static str, TestRequest)> {
    let pairs = [("B", "2"), ("A", "+1 \u{e9}&="), ("B", "1"), ("C", "")];
    let new = TestRequest::default;
    vec![
        (
            "form",
            new().twilio_form(signer, "https://example.com/a", &pairs),
        ),
        (
            "form without parameters",
            new().twilio_form(signer, "https://example.com/a", &[(); 0]),
        ),
        (
            "JSON",
            new().twilio_json(
                signer,
                "https://example.com/a?b=1",
                &serde_json::json!({"a": 1}),
            ),
        ),
        (
            "JSON as text",
            new().twilio_body(
                signer,
                &with_body_sha256("https://example.com/a", " { } "),
                "application/json",
                " { } ",
            ),
        ),
        (
            "GET",
            new().twilio_get(signer, "https://example.com/a?b=%2B1%27+%20&b=2"),
        ),
    ]
}

#[actix_web::test]
async fn what_is_signed_passes_and_what_is_forged_does_not() {
    for (key, signer) in signers() {
        let config = signer.config(BASE);
        for (name, req) in requests(&signer) {
            let res = send(&config, req).await;
            assert_eq!(
                res.status(),
                StatusCode::OK,
                "{key}, {name}: {:?}",
                refusal(&res)
            );
        }
        for (name, req) in requests(&signer.forged()) {
            assert_eq!(
                kind(&config, req).await,
                Signature(SignatureMismatch),
                "{key}, {name}"
            );
        }
        for (name, req) in requests(&Signer::new("another token")) {
            let kind = kind(&config, req).await;
            assert!(
                matches!(
                    kind,
                    Signature(SignatureMismatch | SignatureErrorKind::KeyUnknown)
                ),
                "{key}, {name}: {kind:?}"
            );
        }
    }
}

#[actix_web::test]
async fn requests_go_where_the_url_says_with_every_byte_as_it_is() {
    let signer = Signer::new("a token for tests");
    let config = signer.config(BASE);
    let new = TestRequest::default;
    let get = |url: &str| new().twilio_get(&signer, url);
    let hash = with_body_sha256("", "[1]");
    let cases = [
        (
            get("https://example.com/a?b=%27%2f+%20'"),
            "GET /a?b=%27%2f+%20' example.com ",
        ),
        (get("https://example.com"), "GET / example.com "),
        (get("https://example.com/?"), "GET /? example.com "),
        (get("https://example.com/a#rc=2"), "GET /a example.com "),
        (
            // What a test set before counts no more.
            TestRequest::delete()
                .uri("/b")
                .insert_header(("Host", "h"))
                .twilio_form(
                    &signer,
                    "https://example.com/a",
                    &[("A", "+1"), ("A", "\u{e9} ")],
                ),
            "POST /a example.com A=%2B1&A=%C3%A9+",
        ),
        (
            new().twilio_json(&signer, "https://example.com/a#rc=2", &[1]),
            &format!("POST /a{hash} example.com [1]"),
        ),
        (
            new().twilio_body(&signer, "https://example.com/a", FORM, "A=%41&&B"),
            "POST /a example.com A=%41&&B",
        ),
    ];
    for (req, expected) in cases {
        assert_eq!(text(&config, req).await, expected);
    }

    // With a port that is not the scheme's own, and user info that is not sent but signed.
    let config = signer.config("https://example.com:8443");
    let req = get("https://example.com:8443/a");
    assert_eq!(text(&config, req).await, "GET /a example.com:8443 ");
    let get = || get("https://user:pass@example.com:8443/a");
    let sent = get().to_srv_request();
    assert_eq!(sent.headers().get("Host").unwrap(), "example.com:8443");
    let req = get();
    assert_eq!(kind(&config, req).await, Signature(SignatureMismatch));
}

#[actix_web::test]
async fn what_is_set_afterwards_is_sent_but_not_signed() {
    let signer = Signer::new("a token for tests");
    let prefixed = signer.config("https://example.com/twilio");
    let url = "https://example.com/twilio/a?b=1";
    let req = TestRequest::default()
        .twilio_get(&signer, url)
        .uri("/a?b=1");
    assert_eq!(text(&prefixed, req).await, "GET /a?b=1 example.com ");

    let config = signer.config(BASE);
    let replaced = |req: TestRequest| req.set_payload("A=2");
    let mut found = Vec::new();
    for (name, req) in requests(&signer) {
        found.push((name, kind(&config, replaced(req)).await));
    }
    let expected = [
        ("form", Signature(SignatureMismatch)),
        ("form without parameters", Signature(SignatureMismatch)),
        ("JSON", Signature(BodyHashMismatch)),
        ("JSON as text", Signature(BodyHashMismatch)),
        ("GET", Signature(SignatureErrorKind::BodyHashMissing)),
    ];
    assert_eq!(found, expected);

    // Without a public URL, a header says that a proxy ended TLS.
    let token = AuthToken::new("a token for tests").unwrap();
    let config = TwilioConfig::builder().auth_token(token).build().unwrap();
    let get = || TestRequest::default().twilio_get(&signer, "https://example.com/a");
    assert_eq!(kind(&config, get()).await, Signature(SignatureMismatch));
    let req = get().insert_header((X_FORWARDED_PROTO, "https"));
    assert_eq!(text(&config, req).await, "GET /a example.com ");
}

#[actix_web::test]
async fn websockets_are_opened_by_genuine_handshakes() {
    async fn open(validated: Validated<(HttpRequest, web::Payload)>) -> HttpResponse {
        let (req, payload) = validated.into_inner();
        actix_ws::handle(&req, payload).unwrap().0
    }
    for (key, signer) in signers() {
        let app = App::new()
            .app_data(signer.config(BASE))
            .route("/media", web::get().to(open));
        let app = init_service(app).await;
        let url = "wss://example.com/media?room=1";
        let cases = [(&signer, 101), (&signer.forged(), 403)];
        for (signer, status) in cases {
            let req = TestRequest::default().twilio_websocket(signer, url);
            let res = app.call(req.to_request()).await.unwrap();
            assert_eq!(res.status(), status, "{key}");
        }
    }
}

#[actix_web::test]
async fn real_clients_get_their_headers() {
    for (key, signer) in signers() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let config = signer.config(&base);
        let app = move || {
            App::new()
                .app_data(config.clone())
                .default_service(web::to(echo))
        };
        let server = Server::start_with(app, |server| server.listen(listener));

        let body = r#"{"a":"\u00e9"}"#;
        let url = with_body_sha256(&format!("{base}/events?b=%27"), body);
        let json = WebhookRequest::new("POST", &url)
            .content_type("application/json")
            .body(body);
        for (signer, status) in [(signer.clone(), 200), (signer.forged(), 403)] {
            let mut request = reqwest::Client::new()
                .post(&url)
                .header("Content-Type", "application/json")
                .body(body);
            for (name, value) in signer.headers(&json) {
                request = request.header(name, value);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{key}");
        }
        server.stop().await;
    }
}

#[test]
fn forged_signatures_are_wrong_and_well_formed() {
    let keys = RequestValidator::new([AuthToken::new("a token for tests").unwrap()]).unwrap();
    let signer = Signer::new("a token for tests");
    // Some genuine signatures start with the letter that others are forged with.
    for number in 0..500 {
        let url = format!("https://example.com/{number}");
        let request = WebhookRequest::new("GET", &url);
        let [genuine, forged] = [&signer, &signer.forged()].map(|signer| signer.headers(&request));
        assert!(keys.validate(&request.signature(&genuine[0].1)).is_ok());
        let err = keys.validate(&request.signature(&forged[0].1)).unwrap_err();
        assert_eq!(err.kind(), SignatureMismatch, "{url}");
    }
}

type Call<'a> = Box<dyn Fn() + 'a>;

#[test]
fn what_twilio_would_not_send_fails_with_a_message() {
    let signer = Signer::new("a token for tests");
    let get = |url: &str| {
        let (signer, url) = (&signer, url.to_owned());
        move || drop(TestRequest::default().twilio_get(signer, &url))
    };
    let too_long = format!("https://example.com/{}", "a".repeat(65_535));
    let nested = [("A", [1])];
    let hashed = with_body_sha256("https://example.com/", "{}");
    let cases: Vec<(Call<'_>, &str)> = vec![
        (Box::new(get("/message")), "https:// or http://"),
        (Box::new(get("wss://example.com/")), "https:// or http://"),
        (Box::new(get("https:///message")), "no host or no path"),
        (
            Box::new(get("https://example.com?a=1")),
            "no host or no path",
        ),
        (
            Box::new(get("https://example.com/a b")),
            "percent-encode or shorten them: invalid uri character",
        ),
        (
            Box::new(get(&too_long)),
            "percent-encode or shorten them: uri too long",
        ),
        (
            Box::new(|| drop(TestRequest::default().twilio_websocket(&signer, "https://h/"))),
            "wss:// or ws://",
        ),
        (
            Box::new(|| drop(TestRequest::default().twilio_form(&signer, "https://h/", &nested))),
            "not a form",
        ),
        (
            Box::new(|| drop(TestRequest::default().twilio_json(&signer, &hashed, &[1]))),
            "several different values of bodySHA256",
        ),
        (
            Box::new(|| {
                let req = TestRequest::default();
                drop(req.twilio_body(&signer, "https://h/", "application/json", "{}"));
            }),
            "no bodySHA256",
        ),
        (Box::new(|| drop(Signer::new(" "))), "empty or blank"),
        (Box::new(|| drop(signer.config("example.com"))), "no scheme"),
    ];
    assert_each_fails(&cases);
}

/// Calls each, which panics with a message that contains this text.
#[track_caller]
fn assert_each_fails(cases: &[(Call<'_>, &str)]) {
    for (number, (call, expected)) in cases.iter().enumerate() {
        let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains(expected), "case {number}: {message}");
    }
}

fn menu() -> VoiceResponse {
    let gather = Gather::new().num_digits(1).action("/choice");
    VoiceResponse::new().child(gather.child(Say::new("Press 1 & wait")))
}

#[test]
fn answers_are_compared_by_what_they_say() {
    let same = [
        menu().to_xml(),
        "<Response>\n  <!-- the menu -->\n  <Gather action='/choice' numDigits='1'>\n    \
         <Say>Press 1 &#38; wait</Say>\n  </Gather>\n</Response>\n"
            .to_owned(),
        "<Response><Gather numDigits=\"1\" action=\"/choice\"><Say><![CDATA[Press 1 & wait]]></Say></Gather></Response>"
            .to_owned(),
    ];
    for answer in same {
        assert_twiml(&answer, menu());
        let read = read_twiml(answer);
        let gather = read.children().next().unwrap();
        assert_eq!((read.name(), gather.name()), ("Response", "Gather"));
        let attributes: Vec<_> = gather.attributes().collect();
        assert_eq!(attributes, [("action", "/choice"), ("numDigits", "1")]);
        assert_eq!(gather.attribute("method"), None);
        assert_eq!(gather.text(), "");
        assert_eq!(read.find("Say").unwrap().text(), "Press 1 & wait");
        assert!(read.find("Dial").is_none());
    }
}

#[test]
fn answers_that_say_something_else_or_that_twilio_refuses_fail_with_a_message() {
    let differs = |answer: &'static str| move || assert_twiml(answer, menu());
    let refused = |answer: &'static str| move || drop(read_twiml(answer));
    let cases: Vec<(Call<'_>, &str)> = vec![
        (Box::new(differs("<Response/>")), "not as expected"),
        (
            Box::new(differs("<Response><Say>Press 1</Say></Response>")),
            "--- answer\n<Response>\n  <Say>\n    \"Press 1\"\n",
        ),
        (
            Box::new(differs(
                "<Response><Gather action='/choice' numDigits='2'><Say>Press 1 &amp; wait</Say></Gather></Response>",
            )),
            "<Gather action=\"/choice\" numDigits=\"2\">",
        ),
        (
            Box::new(differs("<Response><Says>Hi</Says></Response>")),
            "error 12200",
        ),
        (Box::new(refused("Internal Server Error")), "error 12100"),
        (
            Box::new(refused("<Response><Hangup/><Say>Hi</Say></Response>")),
            "never reached",
        ),
        (
            Box::new(|| {
                let long = "x".repeat(64_000);
                assert_twiml(
                    "<Response/>",
                    MessagingResponse::new().child(Message::new(long)),
                );
            }),
            "what is expected is not TwiML",
        ),
    ];
    assert_each_fails(&cases);
}

#[test]
fn tokens_are_not_printed() {
    let printed = format!("{:?}", signers());
    assert!(!printed.contains("for tests"), "{printed}");
}

/// The feature must never weaken validation: it adds a module, and that is all.
#[test]
fn nothing_but_the_module_looks_at_the_feature() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders = vec![
        root.join("runtime/src"),
        root.join("signature/src"),
        root.join("macros/src"),
    ];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for line in fs::read_to_string(&path).unwrap().lines() {
                if line.contains("feature = \"testing\"") {
                    found.push((path.file_name().unwrap().to_owned(), line.trim().to_owned()));
                }
            }
        }
    }
    let expected = [
        // The docs may link to it, and there it is.
        "feature = \"testing\",",
        "#[cfg(feature = \"testing\")]",
    ];
    assert_eq!(
        found,
        expected.map(|line| ("lib.rs".into(), line.to_owned()))
    );
}

#[validate_twilio_request(once)]
async fn count(number: web::Data<AtomicUsize>) -> String {
    number.fetch_add(1, Ordering::Relaxed).to_string()
}

#[actix_web::test]
async fn tests_that_send_the_same_event_do_not_affect_each_other() {
    let signer = Signer::new("a token for tests");
    for first in [1, 11] {
        let app = App::new()
            .app_data(signer.config(BASE))
            .app_data(web::Data::new(AtomicUsize::new(first)))
            .default_service(web::to(count));
        let app = init_service(app).await;
        for (sid, number) in [("SM1", first), ("SM1", first), ("SM2", first + 1)] {
            let params = [("MessageSid", sid)];
            let req = TestRequest::default().twilio_form(&signer, BASE, &params);
            let res = call_service(&app, req.to_request()).await;
            assert_eq!(read_body(res).await, number.to_string(), "{sid}");
        }
    }
}
