//! `twilio-webhook explain`: each cause from a captured request, in words and as JSON.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use actix_twilio::{AuthToken, RequestValidator, SharedKey, WebhookRequest, body_sha256};
use serde_json::{Value, json};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\n";

/// Signs any text, since of a `GET` the URL alone is signed.
fn sign(token: &str, text: &str) -> String {
    let keys = RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap();
    keys.sign(&WebhookRequest::new("GET", text)).unwrap()
}

fn run(args: &[&str], token: Option<&str>, input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twilio-webhook"));
    command
        .arg("explain")
        .args(args)
        .env_remove("TWILIO_AUTH_TOKEN");
    if let Some(token) = token {
        command.env("TWILIO_AUTH_TOKEN", token);
    }
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Explains a capture as JSON.
#[track_caller]
fn explain(args: &[&str], input: &[u8]) -> Value {
    let args = [&["--json"], args, &["-"]].concat();
    let output = run(&args, Some(TOKEN), input);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let valid = value.get("valid").and_then(Value::as_bool).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!valid)), "{value}");
    assert!(!text(&output.stdout).contains(TOKEN), "{value}");
    value
}

#[track_caller]
fn assert_causes(value: &Value, causes: &[&str], matched: Option<&str>) {
    assert_eq!(value["causes"], json!(causes), "{value}");
    assert_eq!(value["matched_url"], json!(matched), "{value}");
    assert!(!value["advice"].as_str().unwrap().is_empty(), "{value}");
}

/// A file of its own, with a text in it.
fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

/// A capture: a request line, further headers, a body, and the text that was signed.
struct Case(
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const OWN: &str = "http://10.0.0.7:8080";

#[test]
fn each_cause_is_found_in_raw_text() {
    #[rustfmt::skip]
    let cases = [
        Case(&[], "POST /m", FORM, "a=1", "http://10.0.0.7:8080/m", "a1", &[]),
        Case(&[], "POST /m", FORM, "a=1", "https://10.0.0.7:8080/m", "a1", &["scheme"]),
        Case(&[], "POST /m", FORM, "a=1", "https://10.0.0.7/m", "a1", &["scheme", "port"]),
        Case(&[], "GET /m", "X-Forwarded-Host: example.com\n", "", "http://example.com/m", "", &["host"]),
        Case(&[], "GET /m", "x-forwarded-host: example.com\n", "", "https://example.com/m", "", &["scheme", "host"]),
        Case(&[], "GET /m", "", "", "http://10.0.0.7:3000/m", "", &["port"]),
        Case(&["--public-url", "https://example.com/p"], "GET /m", "", "", "https://example.com/p/m", "", &["scheme", "host", "path_prefix"]),
        Case(&[], "GET /m", "X-Forwarded-Prefix: /p\n", "", "http://10.0.0.7:8080/p/m", "", &["path_prefix"]),
        Case(&[], "GET /m/", "", "", "http://10.0.0.7:8080/m", "", &["trailing_slash"]),
        Case(&[], "GET /m?b=2&a=1&c=3", "", "", "http://10.0.0.7:8080/m?c=3&b=2&a=1", "", &["query_order"]),
        Case(&[], "GET /m?a=x y", "", "", "http://10.0.0.7:8080/m?a=x%20y", "", &["query_encoding"]),
        Case(&[], "GET /m", "X-Original-URI: /m?a=1\n", "", "http://10.0.0.7:8080/m?a=1", "", &["query_missing"]),
        Case(&["--public-url", "https://example.com/hook?a=1"], "GET /m", "", "", "https://example.com/hook?a=1", "", &["scheme", "host", "path_prefix", "query_missing"]),
        Case(&[], "GET /m", "Authorization: Basic dXNlcjpwYXNz\n", "", "http://user:pass@10.0.0.7:8080/m", "", &["userinfo"]),
        Case(&[], "POST /m", FORM, "a=+x+&b=y", "http://10.0.0.7:8080/m", "axby", &["params_trimmed"]),
        Case(&[], "POST /m", FORM, "a=x&b=&c=", "http://10.0.0.7:8080/m", "ax", &["params_dropped"]),
        Case(&[], "POST /m", FORM, "a=1&a=2", "http://10.0.0.7:8080/m", "a2", &["params_dropped"]),
        Case(&[], "POST /m", FORM, "a=%2B1", "http://10.0.0.7:8080/m", "a%2B1", &["params_decoded_twice"]),
        Case(&[], "POST /m", FORM, "a=x&b=y", "http://10.0.0.7:8080/m", "ax", &["params_extra"]),
        Case(&[], "POST /m", "Content-Type: application/json\n", "{\"a\":1}", "http://10.0.0.7:8080/m", "a1", &["body_hash"]),
        Case(&[], "POST /m", "Content-Type: application/json\n", "{\"a\":1}", "http://10.0.0.7:8080/m", "", &["body_unsigned"]),
        Case(&[], "GET /m", "Upgrade: websocket\nConnection: Upgrade\n", "", "wss://10.0.0.7/m", "", &["scheme", "port", "websocket_scheme"]),
        Case(&["--url", "https://example.com/m"], "GET /m", "", "", "wss://example.com/m", "", &["websocket_scheme"]),
        Case(&[], "GET http://10.0.0.7:8080/m", "", "", "https://10.0.0.7:8080/m", "", &["scheme"]),
    ];
    for Case(args, line, headers, body, url, params, causes) in cases {
        let signature = sign(TOKEN, &format!("{url}{params}"));
        for end in ["\n", "\r\n"] {
            let head = format!(
                "{line} HTTP/1.1\nHost: 10.0.0.7:8080\n{headers}Content-Length: {}\nx-twilio-signature: {signature}\n\n",
                body.len(),
            );
            let capture = format!("{}{body}\n", head.replace('\n', end));
            let value = explain(args, capture.as_bytes());
            assert_causes(&value, causes, Some(url));
        }
    }
}

#[test]
fn signatures_and_keys_are_explained() {
    let capture = |headers: &str| format!("GET /m HTTP/1.1\nHost: 10.0.0.7:8080\n{headers}\n");
    let explained = |headers: &str| explain(&[], capture(headers).as_bytes());
    let url = format!("{OWN}/m");
    let genuine = sign(TOKEN, &url);
    assert_causes(&explained(""), &["signature_missing"], None);
    let two = format!("X-Twilio-Signature: {genuine}\nX-Twilio-Signature: {FORGED}\n");
    assert_causes(&explained(&two), &["signature_malformed"], None);
    let quoted = format!("X-Twilio-Signature: \"{genuine}\"\n");
    assert_causes(&explained(&quoted), &["signature_malformed"], Some(&url));
    let forged = format!("X-Twilio-Signature: {FORGED}\n");
    assert_causes(&explained(&forged), &["unknown"], None);
    let settings =
        format!("X-Twilio-Signature: {genuine}\nX-Twilio-Webhooks-Signature-Settings: key=K9\n");
    assert_causes(&explained(&settings), &["shared_key"], Some(&url));

    let tokens = file("explain-tokens.txt", "\nfirst-token\r\nsecond-token\n");
    let args = ["--try-tokens", tokens.to_str().unwrap()];
    let signed = |signature: &str| capture(&format!("X-Twilio-Signature: {signature}\n"));
    let value = explain(&args, signed(&sign("second-token", &url)).as_bytes());
    assert_causes(&value, &["token"], Some(&url));
    assert!(
        value["advice"].as_str().unwrap().contains("number 2"),
        "{value}"
    );
    assert!(!value.to_string().contains("second-token"), "{value}");
    let both = explain(
        &args,
        signed(&sign("first-token", "https://10.0.0.7/m")).as_bytes(),
    );
    assert_causes(
        &both,
        &["scheme", "port", "token"],
        Some("https://10.0.0.7/m"),
    );

    // The settings header was lost on the way.
    let key = SharedKey::new("K1", "second-token").unwrap();
    let keys = RequestValidator::with_keys([], [key]).unwrap();
    let request = WebhookRequest::new("GET", &url);
    let request = request.signature_settings("key=K1,algorithm=HMAC_SHA256");
    let by_key = signed(&keys.sign(&request).unwrap());
    assert_causes(
        &explain(&args, by_key.as_bytes()),
        &["shared_key"],
        Some(&url),
    );
    assert_causes(&explain(&[], by_key.as_bytes()), &["shared_key"], None);
}

#[test]
fn json_objects_are_captures_too() {
    let body = "a=1&b=+";
    let form = "application/x-www-form-urlencoded";
    let signature = sign(TOKEN, "https://example.com/ma1b ");
    let object = json!({
        "url": "http://10.0.0.7/m",
        "body": body,
        "headers": {
            "x-twilio-signature": signature,
            "Content-Type": form,
            "X-Forwarded-Host": ["inner", "example.com"],
        },
    });
    let value = explain(&[], format!("\n {object}\n").as_bytes());
    assert_causes(&value, &["scheme", "host"], Some("https://example.com/m"));
    assert!(!value.to_string().contains("gave_up"), "{value}");

    // The fields of `verify` count as they do there.
    let own = sign("own token", "https://example.com/ma1b ");
    let object = json!({
        "url": "https://example.com/m", "content_type": form, "body": body, "signature": own,
        "token": "own token",
    });
    let value = explain(&[], object.to_string().as_bytes());
    assert_causes(&value, &[], Some("https://example.com/m"));
    assert_eq!(value["valid"], true);
    let other = explain(
        &["--url", "http://example.com/m"],
        object.to_string().as_bytes(),
    );
    assert_causes(&other, &["scheme"], Some("https://example.com/m"));
    // Without a token of the environment too.
    let output = run(&["-"], None, object.to_string().as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let hash = format!(
        "https://example.com/m?bodySHA256={}",
        body_sha256(b"\0\xff")
    );
    let object = json!({
        "url": "https://example.com/m", "method": "POST", "body_b64": "AP8=",
        "content_type": "application/octet-stream", "signature": sign(TOKEN, &hash),
    });
    let value = explain(&[], object.to_string().as_bytes());
    assert_causes(&value, &["query_missing"], Some(&hash));
}

#[test]
fn bodies_are_taken_as_they_are_declared() {
    let url = format!("{OWN}/m?bodySHA256={}", body_sha256(b"\0\r\n\xff"));
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: 10.0.0.7:8080\r\nX-Twilio-Signature: {}\r\n",
        url.strip_prefix(OWN).unwrap(),
        sign(TOKEN, &url)
    );
    let capture =
        |length: &str, body: &[u8]| [format!("{head}{length}\r\n").as_bytes(), body].concat();
    let declared = capture("Content-Length: 4\r\n", b"\0\r\n\xffGET / HTTP/1.1\r\n");
    assert_eq!(explain(&[], &declared)["valid"], true);
    assert_eq!(explain(&[], &capture("", b"\0\r\n\xff"))["valid"], true);
    let cut = capture("Content-Length: 4\r\n", b"\0\r\n");
    assert_causes(&explain(&[], &cut), &["body_hash"], Some(&url));
    let output = run(&["-"], Some(TOKEN), &cut);
    assert!(
        text(&output.stdout).contains("has only 3 of the body's 4 bytes"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn plain_words_say_what_was_seen_signed_and_is_to_be_done() {
    let capture = format!(
        "POST /m?pin=1 HTTP/1.1\nHost: 10.0.0.7:8080\nX-Forwarded-Host: example.com\n{FORM}X-Twilio-Signature: {}\n\na=s3cr3t\n",
        sign(TOKEN, "https://example.com/m?pin=1as3cr3t")
    );
    let path = file("explain-capture.txt", &capture);
    let output = run(&[path.to_str().unwrap()], Some(TOKEN), b"");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    for line in [
        "The request is not valid.",
        "The app saw:    POST http://10.0.0.7:8080/m?pin=1",
        "Twilio signed:  https://example.com/m?pin=1",
        "Why:            scheme: Twilio signed `https`",
        "                host: Twilio signed another host.",
        "What to do:     set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com.",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    for secret in [
        TOKEN,
        "s3cr3t",
        &sign(TOKEN, "https://example.com/m?pin=1as3cr3t"),
    ] {
        assert!(!said.contains(secret), "{said}");
    }

    let hostile =
        format!("GET /\u{1b}[31m\u{202e} HTTP/1.1\nHost: h\nX-Twilio-Signature: {FORGED}\n\n");
    let output = run(&["-"], Some(TOKEN), hostile.as_bytes());
    assert!(!text(&output.stdout).contains(['\u{1b}', '\u{202e}']));
    assert!(text(&output.stdout).contains("Twilio signed:  unknown"));

    let genuine = format!(
        "GET /m HTTP/1.1\nHost: h\nX-Twilio-Signature: {}\n\n",
        sign(TOKEN, "http://h/m")
    );
    let output = run(&["-"], Some(TOKEN), genuine.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("The request is valid.\n"));
}

#[test]
fn search_that_gives_up_says_so() {
    let body: Vec<_> = (0..60).map(|n| format!("name{n}=+value{n}")).collect();
    let body = body.join("&");
    let capture = format!(
        "POST /a/b?x=1&y=+2 HTTP/1.1\nHost: h:1\n{FORM}X-Twilio-Signature: {FORGED}\n\n{body}"
    );
    let value = explain(&[], capture.as_bytes());
    assert_causes(&value, &["unknown"], None);
    assert_eq!(value["gave_up"], true);
    assert!(
        value["advice"].as_str().unwrap().contains("gave up"),
        "{value}"
    );
}

#[test]
fn what_can_not_be_read_is_wrong_usage() {
    let unsigned = b"GET /m HTTP/1.1\nHost: h\n\n";
    let cases: &[(&[&str], Option<&str>, &[u8])] = &[
        (&["-"], Some(TOKEN), b""),
        (&["-"], Some(TOKEN), b"hello"),
        (&["-"], Some(TOKEN), b"{"),
        (&["-"], Some(TOKEN), b"{\"url\": 1}"),
        (
            &["-"],
            Some(TOKEN),
            b"{\"url\": \"http://h/\", \"token\": \"\"}",
        ),
        (&["-"], Some(TOKEN), b"GET /m HTTP/1.1\n\n"),
        (&["-"], None, unsigned),
        (&[], Some(TOKEN), unsigned),
        (&["/no/such/file"], Some(TOKEN), b""),
        (&["--public-url", "example.com", "-"], Some(TOKEN), unsigned),
        (
            &["--try-tokens", "/no/such/file", "-"],
            Some(TOKEN),
            unsigned,
        ),
        (&["--try-tokens", "-", "-"], Some(TOKEN), unsigned),
        (&["--token-stdin", "-"], None, unsigned),
    ];
    for (args, token, input) in cases {
        let output = run(args, *token, input);
        assert_eq!(output.status.code(), Some(2), "{args:?} {}", text(input));
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(!text(&output.stderr).contains(TOKEN), "{args:?}");
    }
    let help = run(&["--help"], None, b"");
    let help = text(&help.stdout);
    assert!(help.contains("ngrok") && help.contains("tcpdump"), "{help}");
}
