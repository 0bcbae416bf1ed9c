//! Starts each example as a user would, and sends it a genuine and a forged request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use actix_twilio::{
    WebhookRequest,
    testing::{Signer, with_body_sha256},
};

use support::{Example, command, sign};

const TOKEN: &str = "12345";

#[test]
fn each_example_says_how_to_run_it_and_is_run_here() {
    let here = include_str!("examples.rs");
    let mut examples = 0;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        examples += 1;
        let text = fs::read_to_string(&path).unwrap();
        let (comment, _) = text.split_once("\n\nuse ").unwrap();
        let command = format!("cargo run --bin {name}`");
        assert!(comment.contains(&command), "{name}: {comment}");
        assert!(here.contains(&format!("CARGO_BIN_EXE_{name}\"")), "{name}");
    }
    assert!(examples > 10, "{examples}");
}

#[test]
fn quickstart_answers_what_it_signs_itself() {
    let mut app = Example::start(env!("CARGO_BIN_EXE_quickstart"), &[]);
    let mut requests = Vec::new();
    let mut line = String::new();
    while requests.len() < 2 && app.output.read_line(&mut line).unwrap() > 0 {
        // Both commands have two lines: the parameters, and the signature.
        let mut quoted = String::new();
        if let Some(command) = line.trim().strip_prefix("curl -i ") {
            app.output.read_line(&mut quoted).unwrap();
            let words: Vec<_> = command.split(' ').collect();
            let form = [words[2], words[4]].join("&");
            let signature = quoted.split('\'').nth(1).unwrap();
            let signature = signature.strip_prefix("X-Twilio-Signature: ").unwrap();
            requests.push((form, signature.to_owned()));
        }
        line.clear();
    }
    let [(genuine, signature), (forged, _)] = &requests[..] else {
        panic!("two commands are printed");
    };
    let (status, answer) = app.post("/message", genuine, signature);
    assert_eq!(status, 200);
    assert!(
        answer.contains("<Response><Message>Hello +14158675310"),
        "{answer}"
    );
    assert_eq!(app.post("/message", forged, signature).0, 403);
}

#[test]
fn quickstart_signs_for_its_public_url() {
    let base = [("TWILIO_WEBHOOK_BASE_URL", "https://example.com/prefix/")];
    let mut app = Example::start(env!("CARGO_BIN_EXE_quickstart"), &base);
    let mut said = String::new();
    while !said.contains("-H '") && app.output.read_line(&mut said).unwrap() > 0 {}
    assert!(
        said.contains("for https://example.com/prefix/message,"),
        "{said}"
    );
    let signature = said.split("X-Twilio-Signature: ").nth(1).unwrap();
    let signature = signature.split('\'').next().unwrap();
    let form = "From=%2B14158675310&Body=Hi";
    assert_eq!(app.post("/message", form, signature).0, 200);
}

#[test]
fn a_wrong_setting_stops_the_start() {
    let wrong = [
        (
            "quickstart",
            env!("CARGO_BIN_EXE_quickstart"),
            "TWILIO_WEBHOOK_BASE_URL",
            "example.com",
        ),
        (
            "events",
            env!("CARGO_BIN_EXE_events"),
            "TWILIO_AUTH_TOKEN",
            " ",
        ),
        (
            "tested",
            env!("CARGO_BIN_EXE_tested"),
            "TWILIO_VALIDATION",
            "off",
        ),
    ];
    for (name, binary, variable, value) in wrong {
        let out = command(binary)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env(variable, value)
            .output()
            .unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(!out.status.success(), "{name}");
        assert!(
            said.contains(&format!("ConfigError({variable}: ")),
            "{name}: {said}"
        );
    }
}

#[test]
fn quickstart_escapes_what_it_says() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_quickstart"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    for path in ["/voice", "/message"] {
        app.assert_protects(path, TOKEN, &app.url(path), "+14158675310");
        let body = "From=%3CDial%3E%26";
        let (status, answer) = app.post(path, body, &sign(TOKEN, &app.url(path), body));
        assert_eq!(status, 200);
        assert!(answer.contains("&lt;Dial&gt;&amp;"), "{answer}");
    }
}

#[test]
fn middleware_protects_its_scope_alone() {
    let mut app = Example::start(
        env!("CARGO_BIN_EXE_middleware"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects(
        "/twilio/message",
        TOKEN,
        &app.url("/twilio/message"),
        "<Message>Hello +14158675310",
    );
    // The path is signed as it came, before it is normalized.
    let path = "/twilio/orders/17/status/";
    let body = "CallSid=CA1&CallStatus=completed";
    let signature = sign(TOKEN, &app.url(path), body);
    assert_eq!(app.post(path, body, &signature), (204, String::new()));
    assert_eq!(app.post(path, "CallSid=CA2", &signature).0, 403);
    let mut line = String::new();
    app.output.read_line(&mut line).unwrap();
    assert_eq!(line, "order 17: call Some(Completed)\n");
    assert_eq!(app.get("/twilio/nowhere").0, 403);
    assert_eq!(app.get("/health").0, 200);
}

#[test]
fn protected_leaves_open_what_says_so_alone() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_protected"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/message", TOKEN, &app.url("/message"), "<Message>charged");
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    assert_eq!(app.get("/health").0, 200);
}

#[test]
fn overhead_is_measured_with_and_without_validation() {
    let variables = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_WEBHOOK_BASE_URL", "https://example.com"),
    ];
    let app = Example::start(env!("CARGO_BIN_EXE_overhead"), &variables);
    for path in ["/validated", "/middleware"] {
        let url = format!("https://example.com{path}");
        app.assert_protects(path, TOKEN, &url, "wrote");
    }
    let (status, _) = app.post("/bare", "From=1&Body=Hi", "forged");
    assert_eq!(status, 200);
}

#[test]
fn policies_validate_each_route_with_its_own_configuration() {
    let variables = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("SUPPORT_AUTH_TOKEN", "67890"),
        ("ACME_AUTH_TOKEN", "token of acme"),
        ("GLOBEX_AUTH_TOKEN", "token of globex"),
    ];
    let app = Example::start(env!("CARGO_BIN_EXE_policies"), &variables);
    app.assert_protects("/message", TOKEN, &app.url("/message"), "TWILIO");
    app.assert_protects("/support", "67890", &app.url("/support"), "SUPPORT");
    app.assert_protects(
        "/internal/voice",
        TOKEN,
        "https://example.com/voice",
        "voice",
    );
    let acme = "https://acme.example.com/tenants/acme/message";
    app.assert_protects("/tenants/acme/message", "token of acme", acme, "acme");

    let body = "From=1";
    let wrong = [
        ("/support", sign(TOKEN, &app.url("/support"), body)),
        ("/message", sign("67890", &app.url("/message"), body)),
        ("/tenants/globex/message", sign("token of acme", acme, body)),
        ("/tenants/acme/message", sign("token of globex", acme, body)),
    ];
    for (path, signature) in wrong {
        assert_eq!(app.post(path, body, &signature).0, 403, "{path}");
    }
}

#[test]
fn media_stream_echoes_and_refuses_a_forged_handshake() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_media_stream"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    let signer = Signer::new(TOKEN);
    let url = format!("ws://{}/media", app.address);
    let handshake = WebhookRequest::new("GET", &url);
    for (signer, expected) in [(&signer, "101"), (&signer.forged(), "403")] {
        let mut stream = TcpStream::connect(&app.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let (_, signature) = &signer.headers(&handshake)[0];
        let request = format!(
            "GET /media HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             X-Twilio-Signature: {signature}\r\n\r\n",
            app.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answers = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            answers.read_line(&mut head).unwrap();
        }
        assert_eq!(head.split(' ').nth(1), Some(expected), "{head}");
        if expected == "101" {
            assert_echoes(answers);
        }
    }
}

/// Sends audio into a WebSocket, in one short text frame, and expects it back in another one.
#[track_caller]
fn assert_echoes(mut answers: BufReader<TcpStream>) {
    let audio = r#"{"event":"media","streamSid":"MZ1","media":{"payload":"QUJD"}}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(audio.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(audio.as_bytes());
    answers.get_mut().write_all(&frame).unwrap();
    let mut head = [0; 2];
    answers.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x81);
    let mut echo = vec![0; head[1].into()];
    answers.read_exact(&mut echo).unwrap();
    let [sent, came] = [audio.as_bytes(), &echo[..]]
        .map(|json| serde_json::from_slice::<serde_json::Value>(json).unwrap());
    assert_eq!(came, sent);
}

#[test]
fn metrics_counts_verdicts_by_route() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_metrics"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    assert_eq!(app.post("/voice", "From=1", "").0, 403);
    let (_, text) = app.get("/metrics");
    for verdict in ["genuine", "signature_mismatch", "signature_malformed"] {
        let line = format!("twilio_verdicts_total{{verdict=\"{verdict}\",route=\"/voice\"}} 1");
        assert!(text.contains(&line), "{line}: {text}");
    }
}

#[test]
fn rejection_answers_with_twiml() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_rejection"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    let (status, answer) = app.post("/voice", "From=1", "");
    assert_eq!(status, 403);
    assert!(
        answer.ends_with("<Response><Reject/></Response>"),
        "{answer}"
    );
}

#[test]
fn tested_and_unsigned_tests_are_protected_when_they_run() {
    let variables = [("TWILIO_AUTH_TOKEN", TOKEN)];
    let app = Example::start(env!("CARGO_BIN_EXE_tested"), &variables);
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Gather");
    let app = Example::start(env!("CARGO_BIN_EXE_unsigned_tests"), &variables);
    app.assert_protects("/message", TOKEN, &app.url("/message"), "You wrote");
}

#[test]
fn events_are_handled_once_and_only_if_their_hash_is_signed() {
    let mut app = Example::start(
        env!("CARGO_BIN_EXE_events"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    let signer = Signer::new(TOKEN);
    let event = |id: u8, data: &str| {
        format!(
            r#"{{"specversion":"1.0","type":"com.twilio.messaging.message.sent","source":"SM1","id":"EZ{id}","data":{data}}}"#
        )
    };
    let batch = format!(
        "[{},{}]",
        event(1, r#"{"messageSid":"SM1"}"#),
        event(2, "{}")
    );
    let other = format!("[{}]", event(3, r#"{"messageSid":"SM3"}"#));
    let send = |signed: &str, sent: &str| {
        let url = with_body_sha256(&app.url("/events"), signed);
        let webhook = WebhookRequest::new("POST", &url)
            .content_type("application/json")
            .body(signed);
        let (name, value) = &signer.headers(&webhook)[0];
        app.send(&format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n{name}: {value}\r\n\r\n{sent}",
            url.strip_prefix(&app.url("")).unwrap(),
            app.address,
            sent.len(),
        ))
        .0
    };
    assert_eq!(send(&batch, &batch), 204);
    assert_eq!(send(&batch, &batch), 204, "the same once more");
    assert_eq!(
        send(&batch, &other),
        403,
        "another body under a valid signature"
    );
    assert_eq!(send(&other, &other), 204);
    let mut lines = String::new();
    for _ in 0..3 {
        app.output.read_line(&mut lines).unwrap();
    }
    assert_eq!(
        lines,
        "com.twilio.messaging.message.sent SM1\n\
         com.twilio.messaging.message.sent\n\
         com.twilio.messaging.message.sent SM3\n"
    );
}
