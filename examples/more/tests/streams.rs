//! Plays whole calls against the examples with a client that is not ours, Python's `websockets`: `.ci/run streams`.
//!
//! `STREAMS_PYTHON` is a Python that has it. `STREAMS`, `STREAMS_SECONDS` and `STREAMS_PACE` change the load.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use std::{
    env,
    process::{Command, Stdio},
};

use actix_twilio::{WebhookRequest, testing::Signer};
use support::{Example, SIDS, TOKEN, sign};

fn start(binary: &str) -> Example {
    Example::start(binary, &[("TWILIO_AUTH_TOKEN", TOKEN)])
}

/// Lets the client play calls, and returns what it prints.
#[track_caller]
fn play(what: &str, app: &Example, path: &str, rest: &[String]) -> String {
    let url = format!("ws://{}{path}", app.address);
    let (_, signature) = &Signer::new(TOKEN).headers(&WebhookRequest::new("GET", &url))[0];
    let python = env::var_os("STREAMS_PYTHON").unwrap_or_else(|| "python3".into());
    let out = Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/streams/client.py"
        ))
        .args([what, &url, signature])
        .args(rest)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let printed = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{printed}");
    printed
}

#[test]
#[ignore = "needs Python's websockets: .ci/run streams"]
fn calls_of_media_streams_are_echoed_by_the_example() {
    let app = start(env!("CARGO_BIN_EXE_media_stream"));
    play("media", &app, "/media", &[]);
}

#[test]
#[ignore = "needs Python's websockets: .ci/run streams"]
fn calls_of_conversation_relay_are_answered_and_handed_off() {
    let app = start(env!("CARGO_BIN_EXE_conversation_relay"));
    let printed = play("relay", &app, "/relay", &[]);
    // What the session handed off is what the caller's next instructions follow from.
    let handoff = printed.lines().next().unwrap();
    let escaped = handoff.replace('"', "%22").replace(':', "%3A");
    let body = format!("{SIDS}&SessionStatus=ended&HandoffData={escaped}");
    let signature = sign(TOKEN, &app.url("/relay/ended"), &body);
    let (status, answer) = app.post("/relay/ended", &body, &signature);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("After 1 turns"), "{answer}");
}

#[test]
#[ignore = "needs Python's websockets: .ci/run streams"]
fn many_streams_keep_the_memory_flat() {
    let app = start(env!("CARGO_BIN_EXE_media_stream"));
    let printed = play("load", &app, "/media", &[app.process.id().to_string()]);
    println!("{printed}");
}
