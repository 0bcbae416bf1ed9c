//! Commands for curl send what they show: those of `sign`, and those of the page of `listen`.

use std::process::Command;

use crate::{
    inspected::{Listen, send},
    support::{FORM, OK, header, record, run},
};

/// Targets that curl changes, or that look as if it did.
const TARGETS: [&str; 38] = [
    "/a",
    "/a/../b",
    "/a/./b",
    "/..",
    "/.",
    "/a/..?b",
    "/a/%2e%2e/b",
    "/a/%2E%2E/b",
    "/a/.%2e/b",
    "/%2e",
    "/%2E?a",
    "/a..b/.well-known/...",
    "/caf%c3%a9",
    "/caf%C3%A9",
    "/a?b=caf%c3%a9",
    "/a?b=caf%C3%A9",
    "/a%2fb",
    "/caf\u{e9}",
    "/a?b=\u{e9}",
    "/a#b",
    "/a?b#c?d",
    "/[1-3]",
    "/a?b[0]=c",
    "/{a,b}",
    "/a?b={c}",
    "//a/b",
    "//",
    "/@a",
    "/a@b:c",
    "/\\a\\b",
    "/*",
    "/?",
    "/a?",
    "/a?b=/../c",
    "/%/%zz?%",
    "/a?b=it's+\"$HOME\"`id`;!&c=|^<>",
    "/-a",
    "/a;b=c,d!$&()*+",
];

/// Runs a command in a shell.
#[track_caller]
fn paste(command: &str) {
    let command = command.trim_end().to_owned() + " --silent --show-error";
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

fn target(request: &str) -> &str {
    let line = request.lines().next().unwrap();
    line.split(' ').nth(1).unwrap()
}

#[test]
#[ignore = "needs curl and a POSIX shell"]
fn command_of_sign_requests_the_url_that_was_signed() {
    let queries = [
        ("", "/"),
        ("?", "/?"),
        ("?a=1", "/?a=1"),
        ("?a=[1]", "/?a=[1]"),
    ];
    let cases = TARGETS.map(|target| (target, target));
    let cases: Vec<_> = cases.into_iter().chain(queries).collect();
    let (origin, requests) = record(vec![OK; cases.len()]);
    for (rest, expected) in cases {
        let command = run(&["sign", &[&origin, rest].concat(), "-d", "A=b", "--curl"]);
        assert_eq!(command.status, 0, "{rest}: {command:?}");
        paste(&command.stdout);
        let request = requests.recv().unwrap();
        assert_eq!(target(&request), expected, "{}", command.stdout);
    }
}

/// The app sees the host and the user in the form that was signed.
#[test]
#[ignore = "needs curl and a POSIX shell"]
fn command_of_sign_sends_the_host_and_the_user_of_the_url() {
    let cases = [
        ("127.0.0.1", "127.0.0.1", None),
        ("127.1", "127.1", None),
        ("0x7f000001", "0x7f000001", None),
        ("u:p@127.0.0.1", "127.0.0.1", Some("Basic dTpw")),
        ("{u}:[p]@127.1", "127.1", Some("Basic e3V9OltwXQ==")),
        ("u@v:p@127.0.0.1", "127.0.0.1", Some("Basic dUB2OnA=")),
    ];
    let (origin, requests) = record(vec![OK; cases.len()]);
    let (_, port) = origin.rsplit_once(':').unwrap();
    for (authority, host, authorization) in cases {
        let url = format!("http://{authority}:{port}/a/../b");
        let command = run(&["sign", &url, "-d", "A=b", "--curl"]).stdout;
        paste(&command);
        let request = requests.recv().unwrap();
        let host = format!("{host}:{port}");
        assert_eq!(header(&request, "Host"), [host], "{command}");
        let sent = header(&request, "Authorization");
        assert_eq!(sent.first().copied(), authorization, "{command}");
    }
}

#[test]
#[ignore = "needs curl and a POSIX shell"]
fn copied_command_requests_what_the_app_got() {
    let (app, requests) = record(vec![OK; 3 * TARGETS.len()]);
    // The tool also tries whether the app listens.
    let next = || requests.iter().find(|request| !request.is_empty()).unwrap();
    let listen = Listen::start(&app, &["--public-url", "https://example.com"]);
    for (index, expected) in TARGETS.iter().enumerate() {
        let bytes = format!(
            "POST {expected} HTTP/1.1\r\nHost: example.com\r\nX-Empty:\r\nContent-Type: {FORM}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nA=b"
        );
        send(listen.relay, bytes.as_bytes());
        let passed_on = next();
        assert_eq!(target(&passed_on), *expected);
        let copied = listen.exchange(index as u64 + 1, "/copy/curl");
        assert_eq!(copied.status, 200, "{expected}: {copied:?}");
        let copied: serde_json::Value = serde_json::from_str(&copied.body).unwrap();
        let command = copied["text"].as_str().unwrap();
        paste(command);
        let request = next();
        assert_eq!(target(&request), *expected, "{command}");
        assert_eq!(header(&request, "Host"), ["example.com"], "{command}");
        assert_eq!(header(&request, "X-Empty"), [""], "{command}");
    }
}

#[test]
fn command_of_sign_is_refused_for_a_url_that_no_request_can_have() {
    for rest in ["/a b", "/a\tb", "/a\nX-Forwarded-Proto: https"] {
        let url = ["http://h", rest].concat();
        let output = run(&["sign", &url, "-d", "A=b", "--curl"]);
        assert_eq!((output.status, &*output.stdout), (2, ""), "{output:?}");
        assert!(output.stderr.contains("white space"), "{output:?}");
    }
}
