//! The app beside the same in Node: what they answer, how long they are, and which mistakes they notice.
//!
//! What needs Node is run by `scripts/tutorial`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod mistakes;
#[path = "../../../tests/support/mod.rs"]
#[expect(dead_code, reason = "the other examples need more of it")]
mod support;

use std::{
    collections::BTreeSet,
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_twilio::{WebhookRequest, testing::Signer, twiml::Parsed};
use serde_json::Value;
use tungstenite::{Error, HandshakeError, client::IntoClientRequest};

use support::{Example, TOKEN, sign};

const BASE_URL: &str = "https://example.com";
const SETTINGS: &[(&str, &str)] = &[
    ("TWILIO_AUTH_TOKEN", TOKEN),
    ("TWILIO_WEBHOOK_BASE_URL", BASE_URL),
    ("SALES_NUMBER", "+14158675310"),
];

/// Webhooks: a path, parameters besides the usual ones, and the number of the message.
const WEBHOOKS: &[(&str, &str, u8)] = &[
    ("/voice/incoming", "", 0),
    ("/voice/choice", "&Digits=1", 0),
    ("/voice/choice", "&Digits=2", 0),
    ("/voice/choice", "&Digits=3", 0),
    ("/voice/choice", "&Digits=4", 0),
    ("/voice/choice", "&Digits=9", 0),
    ("/voice/choice", "&SpeechResult=Sales.", 0),
    ("/voice/choice", "&SpeechResult=repairs", 0),
    ("/voice/choice", "", 0),
    ("/voice/repair", "&Digits=1001", 0),
    ("/voice/repair", "&Digits=1002", 0),
    ("/voice/repair", "&Digits=0000", 0),
    ("/voice/dialed", "&DialCallStatus=completed", 0),
    ("/voice/dialed", "&DialCallStatus=answered", 0),
    ("/voice/dialed", "&DialCallStatus=busy", 0),
    ("/voice/dialed", "&DialCallStatus=no-answer", 0),
    ("/voice/dialed", "&DialCallStatus=failed", 0),
    ("/voice/dialed", "", 0),
    ("/voicemail/greeting", "", 0),
    ("/voicemail/recorded", "&RecordingDuration=12", 0),
    ("/voicemail/saved", "&RecordingStatus=completed", 0),
    ("/voicemail/saved", "&RecordingStatus=absent", 0),
    ("/voicemail/transcribed", "&TranscriptionText=Hi", 0),
    ("/messages/incoming", "&Body=hours", 1),
    ("/messages/incoming", "&Body=%20Repair%20%201001", 2),
    ("/messages/incoming", "&Body=repair+1", 3),
    ("/messages/incoming", "&Body=", 4),
    ("/messages/incoming", "&Body=STOP&OptOutType=STOP", 5),
    ("/messages/incoming", ONE_PICTURE, 6),
    // It is delivered twice.
    ("/messages/incoming", ONE_PICTURE, 6),
    ("/messages/incoming", PICTURE_AND_CARD, 7),
    ("/relay/start", "", 0),
    ("/relay/ended", "&SessionStatus=ended&HandoffData=%7B%7D", 0),
    ("/relay/ended", "&SessionStatus=ended", 0),
    ("/relay/ended", "&SessionStatus=failed", 0),
    ("/status/call", "&CallDuration=12", 0),
    ("/status/message", "&MessageStatus=undelivered", 1),
    ("/status/message", "&MessageStatus=delivered", 1),
];

const ONE_PICTURE: &str = "&NumMedia=1&MediaContentType0=image/png&MediaUrl0=https://example.com/1";
const PICTURE_AND_CARD: &str = "&NumMedia=2&MediaContentType0=text/vcard&MediaUrl0=https://example.com/2\
                                &MediaContentType1=image/png&MediaUrl1=https://example.com/3";

/// Returns a form as Twilio sends it, with the usual parameters.
fn form(params: &str, message: u8) -> String {
    format!(
        "AccountSid=AC00000000000000000000000000000001&CallSid=CA00000000000000000000000000000001\
         &CallStatus=in-progress&From=%2B14158675309&To=%2B14158675308\
         &RecordingSid=RE00000000000000000000000000000001&RecordingUrl=https://api.example.com/1\
         &TranscriptionSid=TR00000000000000000000000000000001&MessageSid=SM{message:032}{params}"
    )
}

/// The folder in which the app for Node is installed.
fn node() -> PathBuf {
    env::var_os("TUTORIAL_NODE")
        .expect("TUTORIAL_NODE is a folder: see scripts/tutorial")
        .into()
}

/// Starts the app for Node from the files in a folder.
fn start_node(folder: &Path) -> Example {
    Example::start(folder.join("app.js").to_str().unwrap(), SETTINGS)
}

fn sources(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|found| found == extension));
    files.filter(|file| !file.ends_with("tests.rs")).collect()
}

/// Counts lines that are neither blank nor a comment.
fn lines(folder: &str, extension: &str) -> usize {
    let text = |file| fs::read_to_string(file).unwrap();
    let is_code = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !["//", "/*", "*"]
                .iter()
                .any(|start| line.starts_with(start))
    };
    let files = sources(folder, extension).into_iter().map(text);
    files.map(|text| text.lines().filter(is_code).count()).sum()
}

#[test]
fn each_route_gets_a_webhook() {
    let routes = sources("src", "rs").into_iter().map(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.matches(".post(\"").count()
    });
    let paths: BTreeSet<_> = WEBHOOKS.iter().map(|(path, ..)| path).collect();
    assert_eq!(paths.len(), routes.sum::<usize>());
}

#[test]
fn the_readme_has_the_lines_and_the_mistakes_as_they_are() {
    let (rust, node) = (lines("src", "rs"), lines("node", "js"));
    let mut expected = vec![format!("| lines of code | {rust} | {node} |")];
    expected.extend(mistakes::MISTAKES.iter().map(mistakes::Mistake::row));
    let readme = include_str!("../../README.md");
    let missing: Vec<_> = expected
        .iter()
        .filter(|row| !readme.contains(*row))
        .collect();
    assert!(missing.is_empty(), "README.md lacks\n{missing:#?}");
}

#[test]
#[ignore = "needs Node: scripts/tutorial"]
fn both_apps_give_the_same_answers() {
    let rust = Example::start(env!("CARGO_BIN_EXE_tutorial"), SETTINGS);
    let node = start_node(&node());
    for (path, params, message) in WEBHOOKS {
        let form = form(params, *message);
        let signature = sign(TOKEN, &format!("{BASE_URL}{path}"), &form);
        let (status, ours) = rust.post(path, &form, &signature);
        let (node_status, theirs) = node.post(path, &form, &signature);
        assert_eq!(status, node_status, "{path} {params}: {theirs}");
        if status == 200 {
            let [ours, theirs] = [ours, theirs].map(|body| Parsed::parse(body).unwrap());
            assert_eq!(ours, theirs, "{path} {params}\n{ours}\n{theirs}");
        }
        let forged = sign(TOKEN, &format!("{BASE_URL}{path}"), "");
        for app in [&rust, &node] {
            assert_eq!(app.post(path, &form, &forged).0, 403, "{path} {params}");
        }
    }
}

/// What Twilio sends through the WebSocket.
const FRAMES: [&str; 6] = [
    "not JSON",
    r#"{"type":"setup","callSid":"CA00000000000000000000000000000001"}"#,
    r#"{"type":"prompt","voicePrompt":"When are","last":false}"#,
    r#"{"type":"prompt","voicePrompt":"When are you open?","last":true}"#,
    r#"{"type":"prompt","voicePrompt":"My number is 1002.","last":true}"#,
    r#"{"type":"dtmf","digit":"0"}"#,
];

#[test]
#[ignore = "needs Node: scripts/tutorial"]
fn both_assistants_say_the_same() {
    let rust = Example::start(env!("CARGO_BIN_EXE_tutorial"), SETTINGS);
    let node = start_node(&node());
    let signer = Signer::new(TOKEN);
    let ours = talk(&rust, &signer).unwrap();
    assert_eq!(ours.len(), 4, "{ours:?}");
    assert_eq!(ours, talk(&node, &signer).unwrap());
    for app in [&rust, &node] {
        assert_eq!(talk(app, &signer.forged()), Err(403));
    }
}

/// Talks with the assistant until it passes the caller on. Returns what it says, or the status of a refusal.
fn talk(app: &Example, signer: &Signer) -> Result<Vec<Value>, u16> {
    let url = format!("ws://{}/relay/socket", app.address);
    let mut request = url.into_client_request().unwrap();
    let handshake = WebhookRequest::new("GET", "wss://example.com/relay/socket");
    for (name, value) in signer.headers(&handshake) {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(&app.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut socket = match tungstenite::client(request, stream) {
        Ok((socket, _)) => socket,
        Err(HandshakeError::Failure(Error::Http(res))) => return Err(res.status().as_u16()),
        Err(err) => panic!("{err}"),
    };
    for frame in FRAMES {
        socket.send(frame.into()).unwrap();
    }
    let mut said: Vec<Value> = Vec::new();
    while said.last().is_none_or(|last| last["type"] != "end") {
        let frame = socket.read().unwrap().into_text().unwrap();
        said.push(serde_json::from_str(&frame).unwrap());
    }
    Ok(said)
}
