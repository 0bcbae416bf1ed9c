//! `send`: realistic events that a validated endpoint accepts.

use std::sync::mpsc;

use actix_twilio::{WebhookRequest, validate_twilio_request};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::support::{self, OK, record, run, serve, serve_open, serve_raw, validator};

const FORMS: [&str; 9] = [
    "sms",
    "mms",
    "whatsapp",
    "voice",
    "gather",
    "recording",
    "call-status",
    "message-status",
    "studio",
];

/// Returns the one value of a header of a recorded request.
#[track_caller]
fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let values = support::header(request, name);
    assert_eq!(values.len(), 1, "{name}: {request}");
    values.first().unwrap()
}

#[test]
fn every_event_is_genuine() {
    let url = serve_raw();
    for event in FORMS.iter().chain(&["event-stream"]) {
        let output = run(&["send", event, &url]);
        assert_eq!(output.status, 0, "{event}: {output:?}");
        assert!(
            output.stdout.starts_with("HTTP 200\n"),
            "{event}: {output:?}"
        );
        assert!(
            output.stdout.contains("AC4d1f0c82b95e47a3862b70d9e5c1a836"),
            "{event}"
        );
    }
    for event in FORMS {
        assert_eq!(
            run(&["send", event, &url, "--method", "get"]).status,
            0,
            "{event}"
        );
    }
    assert_eq!(
        run(&["send", "event-stream", &url, "--method", "get"]).status,
        2
    );
}

#[test]
fn another_answer_is_a_failure() {
    let url = serve(|app| {
        app.default_service(web::to(|| async {
            HttpResponse::ImATeapot().body("not \u{1b}[31mcoffee")
        }));
    });
    let output = run(&["send", "sms", &url]);
    assert_eq!(output.status, 1);
    assert_eq!(output.stdout, "HTTP 418\n\nnot \\u{1b}[31mcoffee\n");
}

#[test]
fn headers_are_those_of_twilio() {
    let (url, requests) = record(vec![OK; 3]);
    assert_eq!(run(&["send", "sms", &url]).status, 0);
    assert_eq!(run(&["send", "sms", &url]).status, 0);
    let (first, second) = (requests.recv().unwrap(), requests.recv().unwrap());
    assert_eq!(header(&first, "User-Agent"), "TwilioProxy/1.1");
    assert_eq!(header(&first, "Accept"), "*/*");
    assert_eq!(header(&first, "X-Home-Region"), "us1");
    assert_eq!(
        header(&first, "Content-Type"),
        "application/x-www-form-urlencoded; charset=UTF-8"
    );
    let token = header(&first, "I-Twilio-Idempotency-Token");
    assert_ne!(token, header(&second, "I-Twilio-Idempotency-Token"));
    assert!(!first.to_lowercase().contains("accept-encoding"), "{first}");

    assert_eq!(
        run(&[
            "send",
            "sms",
            &url,
            "-H",
            "X-Home-Region: ie1",
            "-H",
            "Host: example.com"
        ])
        .status,
        0
    );
    let request = requests.recv().unwrap();
    assert_eq!(header(&request, "X-Home-Region"), "ie1");
    assert_eq!(header(&request, "Host"), "example.com");
}

#[test]
fn parameters_are_overridden() {
    let (url, requests) = record(vec![OK; 3]);
    run(&[
        "send",
        "sms",
        &url,
        "-d",
        "Body=1+1=2 é",
        "-d",
        "New=",
        "-d",
        "New=2",
    ]);
    let request = requests.recv().unwrap();
    assert!(
        request.contains("&Body=1%2B1%3D2+%C3%A9&New=&New=2"),
        "{request}"
    );
    assert_eq!(request.matches("Body=").count(), 1, "{request}");

    run(&[
        "send",
        "voice",
        &url,
        "--method",
        "get",
        "-d",
        "From=client:bob",
    ]);
    let request = requests.recv().unwrap();
    assert!(request.starts_with("GET /?CallSid=CA"), "{request}");
    assert!(request.contains("&From=client%3Abob HTTP/1.1"), "{request}");

    run(&[
        "send",
        "event-stream",
        &url,
        "-d",
        "type=com.example",
        "-d",
        "messageStatus=READ",
    ]);
    let request = requests.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!(
            "POST /?bodySHA256={} ",
            actix_twilio::signature::body_sha256(body)
        )),
        "{head}"
    );
    let event: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "com.example");
    assert_eq!(event["data"]["messageStatus"], "READ");
}

#[test]
fn twiml_is_indented() {
    let url = serve(|app| {
        app.default_service(web::to(|| async {
            HttpResponse::Ok()
                .content_type("text/xml")
                .body("<Response><Say>Hi</Say><Hangup/></Response>")
        }));
    });
    let output = run(&["send", "voice", &url]);
    assert_eq!(
        output.stdout,
        "HTTP 200\ncontent-type: text/xml\n\n<Response>\n  <Say>Hi</Say>\n  <Hangup/>\n</Response>\n"
    );
}

#[test]
fn handshake_is_signed_with_the_scheme_of_websockets() {
    #[validate_twilio_request]
    async fn media(req: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
        let (res, _session, _messages) = actix_ws::handle(&req, payload)?;
        Ok(res)
    }
    let url = serve(|app| {
        app.route("/media", web::get().to(media));
    }) + "/media";
    for url in [&url, &url.replace("http://", "ws://")] {
        let output = run(&["send", "media-stream", url]);
        assert_eq!(
            (output.status, output.stdout.as_str()),
            (0, "HTTP 101\n"),
            "{url}"
        );
    }
    let wrong = run(&[
        "send",
        "media-stream",
        &url,
        "--public-url",
        "wss://example.com/media",
    ]);
    assert_eq!(wrong.status, 1);
    assert!(wrong.stdout.starts_with("HTTP 403\n"), "{wrong:?}");
    // An endpoint that answers a handshake as any request does not open a WebSocket.
    assert_eq!(run(&["send", "media-stream", &serve_open()]).status, 1);
}

#[test]
fn signature_is_for_the_public_url() {
    let (sender, verdicts) = mpsc::channel();
    let url = serve(move |app| {
        let sender = sender.clone();
        app.default_service(web::to(move |req: HttpRequest, body: web::Bytes| {
            let header = |name| req.headers().get(name).unwrap().to_str().unwrap();
            let request = WebhookRequest::new("POST", "https://example.com/message?a=b")
                .content_type(header("Content-Type"))
                .body(&body)
                .signature(header("X-Twilio-Signature"));
            sender.send(validator().validate(&request).is_ok()).unwrap();
            std::future::ready(HttpResponse::NoContent())
        }));
    });
    for (public, genuine) in [
        ("https://example.com/message?a=b", true),
        ("https://example.com/message", false),
    ] {
        assert_eq!(
            run(&["send", "sms", &url, "--public-url", public]).status,
            0
        );
        assert_eq!(verdicts.recv().unwrap(), genuine, "{public}");
    }
}

/// Returns the parameters of the form that an event is sent as.
fn form(event: &str) -> Vec<(String, String)> {
    let (url, requests) = record(vec![OK]);
    assert_eq!(run(&["send", event, &url]).status, 0);
    let request = requests.recv().unwrap();
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let pairs = web::Query::<Vec<(String, String)>>::from_query(body).unwrap();
    pairs.into_inner()
}

#[test]
fn events_have_the_parameters_of_their_moment() {
    let value = |event: &str, name: &str| {
        let form = form(event);
        let values: Vec<_> = form.iter().filter(|(other, _)| other == name).collect();
        assert_eq!(values.len(), 1, "{event}: {name}");
        values[0].1.clone()
    };
    assert_eq!(value("voice", "CallStatus"), "ringing");
    // The call is answered before its caller can press keys.
    assert_eq!(value("gather", "CallStatus"), "in-progress");
    let metadata: serde_json::Value =
        serde_json::from_str(&value("whatsapp", "ChannelMetadata")).unwrap();
    assert_eq!(
        metadata["data"]["context"]["WaId"],
        value("whatsapp", "WaId")
    );
    assert_eq!(
        metadata["data"]["context"]["ProfileName"],
        value("whatsapp", "ProfileName")
    );
}

#[test]
fn event_of_event_streams_is_single_unless_a_batch_is_asked_for() {
    let (url, requests) = record(vec![OK; 2]);
    let body = |args: &[&str]| -> serde_json::Value {
        let output = run(&[
            &["send", "event-stream", &url, "-d", "AccountSid=AC1"],
            args,
        ]
        .concat());
        assert_eq!(output.status, 0, "{output:?}");
        let request = requests.recv().unwrap();
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let single = body(&[]);
    assert_eq!(single["data"]["accountSid"], "AC1");
    assert!(
        single["source"]
            .as_str()
            .unwrap()
            .contains("/Accounts/AC1/"),
        "{single}"
    );
    assert!(
        !single
            .to_string()
            .contains("AC4d1f0c82b95e47a3862b70d9e5c1a836"),
        "{single}"
    );
    assert_eq!(body(&["--batch"]), serde_json::json!([single]));
}

#[test]
fn answer_is_printed_as_json() {
    let answer = "HTTP/1.1 403 Forbidden\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 2\r\n\r\nno";
    let (url, _requests) = record(vec![answer, OK]);
    let args = ["send", "sms", &url, "--format", "json"];
    let output = run(&args);
    assert_eq!((output.status, output.stderr.as_str()), (1, ""));
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["ok"], false);
    assert_eq!(value["status"], 403);
    assert_eq!(value["body"], "no");
    assert_eq!(value["headers"]["x-two"], serde_json::json!(["1", "2"]));
    assert_eq!(value["problem"], "a genuine request was refused");
    let causes = value["likely_causes"].as_array().unwrap();
    assert!(causes.len() == 4 && causes[3].as_str().unwrap().contains("another webhook"));
    let output = run(&args);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (output.status, &value["problem"]),
        (0, &serde_json::Value::Null)
    );
}

#[test]
fn no_password_in_a_header_of_an_answer_is_shown() {
    for location in ["http://ada:marker-pw@h/a", "//ada:mark@marker-pw@h/a"] {
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nLink: <{location}>\r\nContent-Length: 0\r\n\r\n"
        );
        let (url, _requests) = record(vec![answer.leak(); 2]);
        for format in ["text", "json"] {
            // Running it checks that the password is not printed.
            let output = run(&["send", "sms", &url, "--format", format]);
            assert_eq!(output.status, 1, "{output:?}");
            let shown = output.stdout + &output.stderr;
            assert_eq!(
                shown.matches("//..@h/a").count(),
                if format == "text" { 2 } else { 3 },
                "{shown}"
            );
            assert!(!shown.contains("ada"), "{shown}");
        }
    }
}
