//! What the tool shows has no character that a terminal acts on, whatever it comes from.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::support::{FORGED, Output, run, run_with_input, serve};

/// A C1 control, marks of direction, and characters without a width.
const HOSTILE: &str = "a\u{9b}31m\u{85}\u{202e}\u{2066}\u{200f}\u{200b}\u{feff}\u{e0041}z";

#[track_caller]
fn assert_shown(args: &[&str], output: &Output) {
    let printed = format!("{}{}", output.stdout, output.stderr);
    assert!(!printed.is_empty(), "{args:?}");
    for c in HOSTILE.chars().filter(|c| !c.is_ascii()) {
        assert!(!printed.contains(c), "{args:?}: {c:?} in {printed:?}");
    }
}

/// Runs a command in both forms of its output.
#[track_caller]
fn run_both(args: &[&str], input: &str) -> [Output; 2] {
    ["text", "json"].map(|format| {
        let args = [args, &["--format", format]].concat();
        let output = run_with_input(&args, input);
        assert_shown(&args, &output);
        output
    })
}

#[test]
fn captures_are_shown_without_what_a_terminal_acts_on() {
    let capture = format!(
        "GET /{HOSTILE}?q={HOSTILE} HTTP/1.1\nHost: h\nX-Forwarded-Host: {HOSTILE}\nX-Twilio-Signature: {FORGED}\n\n"
    );
    run_both(&["explain", "-"], &capture);
    let object = json!({
        "id": HOSTILE, "url": format!("https://h/{HOSTILE}"), "signature": FORGED, HOSTILE: HOSTILE,
        "headers": {"X-Forwarded-Proto": HOSTILE},
    });
    run_both(&["explain", "-"], &object.to_string());
    let [_, verified] = run_both(&["verify", "--jsonl", "-"], &object.to_string());
    // The value stays the same.
    let result: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(result["id"], HOSTILE);
    run_both(
        &["verify", "--jsonl", "-"],
        &format!("{{\"id\": \"{HOSTILE}\", \"url\": 1}}"),
    );
    run_both(&["explain", &format!("/no/such/{HOSTILE}")], "");
}

#[test]
fn signed_requests_are_shown_without_what_a_terminal_acts_on() {
    let url = format!("https://h/{HOSTILE}");
    run_both(&["sign", &url], "");
    let hash = ["sign", &url, "--add-hash", "--body", "-"];
    assert_shown(&hash, &run_with_input(&hash, "{}"));
    run_both(&["sign", &url, "--body", "-"], "{}");
    run_both(
        &["sign", "https://h/", "-d", &format!("Body={HOSTILE}")],
        "",
    );
    let curl = [
        "sign",
        "https://h/",
        "-d",
        &format!("Body={HOSTILE}"),
        "--curl",
    ];
    assert_shown(&curl, &run(&curl));
}

#[test]
fn answers_are_shown_without_what_a_terminal_acts_on() {
    let url = serve(|app| {
        app.default_service(web::to(|| async {
            HttpResponse::Found()
                .insert_header(("Location", format!("/{HOSTILE}").into_bytes()))
                .insert_header(("Content-Type", format!("text/{HOSTILE}").into_bytes()))
                .body(format!("<a>{HOSTILE}</a>"))
        }));
    });
    let [text, json] = run_both(&["send", "sms", &url], "");
    assert!(text.stdout.contains("a\\u{9b}31m"), "{text:?}");
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(answer["body"], format!("<a>{HOSTILE}</a>"));
    run_both(&["check", &url], "");
    run_both(&["check", &url, "--preset", "tutorial"], "");
    let unreachable = format!("http://{HOSTILE}:1/");
    run_both(&["send", "sms", &unreachable], "");
    run_both(&["check", &unreachable], "");
    run_both(
        &[
            "send",
            "sms",
            &url,
            "--public-url",
            &format!("https://h/{HOSTILE}"),
        ],
        "",
    );
}

#[test]
fn arguments_are_repeated_without_what_a_terminal_acts_on() {
    for args in [
        &["send", HOSTILE, "http://h/"][..],
        &[HOSTILE],
        &["explain", "x", HOSTILE],
        &["listen", "--port", HOSTILE],
        &["call", "http://h/", "--keys", HOSTILE],
    ] {
        let output = run(args);
        assert_eq!((output.status, &*output.stdout), (2, ""), "{args:?}");
        assert!(output.stderr.contains("a\\u{9b}31m"), "{output:?}");
        assert_shown(args, &output);
    }
}
