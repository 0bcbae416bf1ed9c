//! The verdict of `listen`, the cause and the advice; and nothing in them acts on a terminal.

use actix_twilio::WebhookRequest;

use super::{Listening, answering, app, listen};
use crate::support::{FORGED, FORM, validator};

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

const FORBIDDEN: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

const BODY: &str = "MessageSid=SM1&From=%2B14158675310&Body=Hi";

/// Returns the form as Twilio posts it to `/message` of this host, signed for a URL, with further headers.
fn message(host: &str, signed_url: &str, headers: &str) -> Vec<u8> {
    let request = WebhookRequest::new("POST", signed_url)
        .content_type(FORM)
        .body(BODY);
    let signature = validator().sign(&request).unwrap();
    signed(host, &signature, headers)
}

fn signed(host: &str, signature: &str, headers: &str) -> Vec<u8> {
    let length = BODY.len();
    format!(
        "POST /message HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\
         X-Twilio-Signature: {signature}\r\n{headers}\r\n{BODY}"
    )
    .into_bytes()
}

const TUNNEL: &str = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: abc.ngrok.app\r\n";

#[test]
fn genuine_requests_are_accepted_through_a_tunnel_or_with_the_public_url() {
    let app = answering(NO_CONTENT);
    let public = ["--public-url", "https://example.com/twilio"];
    let cases: [(&[&str], Vec<u8>, &str); 4] = [
        (
            &[],
            message("abc.ngrok.app", "https://abc.ngrok.app/message", TUNNEL),
            "https://abc.ngrok.app/message",
        ),
        (
            &[],
            message(
                "abc.ngrok.app",
                "https://abc.ngrok.app/message",
                "X-Forwarded-Proto: https\r\n",
            ),
            "https://abc.ngrok.app/message",
        ),
        (
            &[],
            message("h:8081", "http://h:8081/message", ""),
            "http://h:8081/message",
        ),
        (
            &public,
            message("10.0.0.7:8081", "https://example.com/twilio/message", ""),
            "https://example.com/twilio/message",
        ),
    ];
    for (args, request, url) in cases {
        let listening = Listening::json(&app, args);
        assert!(listening.send(&request).starts_with("HTTP/1.1 204"));
        let exchange = listening.exchange();
        let listen = &exchange["listen"];
        assert_eq!(
            (&exchange["url"], &listen["kind"]),
            (&url.into(), &"sms".into())
        );
        assert_eq!(listen["verdict"]["accepted"], true, "{exchange:#}");
        assert_eq!(
            (&listen["verdict"]["kind"], &listen["verdict"]["advice"]),
            (&"valid".into(), &"".into())
        );
    }
}

#[test]
fn a_forged_request_is_refused_with_its_cause_and_advice() {
    let listening = Listening::text(&answering(FORBIDDEN), &[]);
    listening.send(&signed("abc.ngrok.app", FORGED, TUNNEL));
    let lines = listening.until("What to do:");
    assert!(lines.contains("#1 sms  POST /message  403  "), "{lines}");
    assert!(
        lines.contains("ms  refused (signature_mismatch)"),
        "{lines}"
    );
    assert!(lines.contains("    Why:         unknown: "), "{lines}");
    listening.send(b"POST /message HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert!(
        listening
            .until("What to do:")
            .contains("signature_missing: There is no")
    );
}

/// Returns the advice of a verdict, in the text that its JSON has.
fn advice(listening: &Listening, request: &[u8]) -> String {
    listening.send(request);
    let mut exchange = listening.exchange();
    let advice = exchange["listen"]["verdict"]["advice"].take();
    advice.as_str().unwrap().to_owned()
}

#[test]
fn a_host_that_twilio_cannot_request_is_named_where_it_matters() {
    let local = "127.0.0.1:8081";
    let unsigned = format!("GET /message HTTP/1.1\r\nHost: {local}\r\n\r\n").into_bytes();
    let malformed = signed(local, "none", "");
    let mismatch = signed(local, FORGED, "");
    let private = ["--public-url", "http://localhost:8080"];
    let public = ["--public-url", "https://example.com"];
    let cases: [(&[&str], &[u8], Option<&str>); 9] = [
        (&[], &unsigned, None),
        (&[], &malformed, None),
        (
            &[],
            &mismatch,
            Some("Twilio can't request 127.0.0.1:8081, so a proxy"),
        ),
        (&private, &unsigned, None),
        (&private, &malformed, None),
        (
            &private,
            &mismatch,
            Some("Twilio can't request localhost:8080, and --public-url names it"),
        ),
        (&public, &unsigned, None),
        (&public, &malformed, None),
        (&public, &mismatch, None),
    ];
    let app = answering(FORBIDDEN);
    for (args, request, expected) in cases {
        let advice = advice(&Listening::json(&app, args), request);
        assert!(!advice.is_empty());
        match expected {
            Some(hint) => assert!(advice.starts_with(hint), "{args:?}: {advice}"),
            None => assert!(!advice.contains("can't request"), "{args:?}: {advice}"),
        }
    }
}

#[test]
fn several_proposals_are_a_list() {
    let listening = Listening::text(&answering(FORBIDDEN), &[]);
    listening.send(&signed("127.0.0.1:8081", FORGED, ""));
    let lines = listening.until("                 2. ");
    assert!(
        lines.contains("    What to do:  1. Twilio can't request 127.0.0.1:8081"),
        "{lines}"
    );
    listening.send(&message(
        "abc.ngrok.app",
        "https://abc.ngrok.app/Message",
        TUNNEL,
    ));
    let lines = listening.until("                 2. ");
    for line in [
        "    What to do:  1. set the webhook at Twilio to https://abc.ngrok.app/message",
        "                 2. make the proxy pass the path on unchanged",
    ] {
        assert!(lines.contains(line), "{lines}");
    }
    // With one proposal, nothing is numbered.
    listening.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let lines = listening.until("What to do:");
    assert!(lines.contains("#3 other  GET /  403"), "{lines}");
    assert!(
        lines.contains("    What to do:  if Twilio did not send it"),
        "{lines}"
    );
}

#[test]
fn a_public_url_that_differs_is_named_with_what_to_set() {
    let listening = Listening::json(
        &answering(FORBIDDEN),
        &["--public-url", "https://old.example.com"],
    );
    listening.send(&message(
        "abc.ngrok.app",
        "https://abc.ngrok.app/message",
        TUNNEL,
    ));
    let exchange = listening.exchange();
    let verdict = &exchange["listen"]["verdict"];
    assert_eq!(exchange["url"], "https://old.example.com/message");
    assert_eq!(verdict["accepted"], false);
    assert_eq!(
        verdict["causes"],
        serde_json::json!(["host"]),
        "{verdict:#}"
    );
    assert_eq!(verdict["signed_url"], "https://abc.ngrok.app/message");
    assert!(
        verdict["advice"]
            .as_str()
            .unwrap()
            .contains("https://abc.ngrok.app"),
        "{verdict:#}"
    );
}

#[test]
fn a_password_in_the_url_that_twilio_signed_is_not_shown() {
    let signed_url = "https://user:pa55w0rd@abc.ngrok.app/message";
    let with_password = format!("{TUNNEL}Authorization: Basic dXNlcjpwYTU1dzByZA==\r\n");
    let request = message("abc.ngrok.app", signed_url, &with_password);
    for listening in [
        Listening::json(&answering(NO_CONTENT), &[]),
        Listening::text(&answering(NO_CONTENT), &[]),
    ] {
        listening.send(&request);
        let lines = listening.until("https://..@abc.ngrok.app/message");
        assert!(!lines.contains("pa55w0rd"), "{lines}");
    }
    // What is cut from an answer may be the end of a URL.
    let failures: [&[u8]; 4] = [
        // The rest comes later, or never.
        b"db: https://user:pa55w0rd",
        b"db: //user:x@pa55w0rd",
        b"ERR https://user:pa55w0rd@h/x failed\r\n",
        b"an error of sixty characters, more or less, as some servers print: https://user:pa55w0rd@h/x\r\n",
    ];
    for failure in failures {
        let listening = Listening::text(&answering(failure), &[]);
        listening.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        let lines = listening.until("It sent:");
        assert!(!lines.contains("pa55"), "{lines}");
    }
    // So may the public URL, or a part of it, of a genuine request that the app refuses.
    let signed_url = "https://abc.ngrok.app/https://user:pa55w0rd@h/message";
    let prefix = format!("{TUNNEL}X-Forwarded-Prefix: /https://user:pa55w0rd@h\r\n");
    let base = ["--public-url", signed_url.trim_end_matches("/message")];
    for (options, headers) in [(&base[..], ""), (&[], &prefix)] {
        let request = message("abc.ngrok.app", signed_url, headers);
        let listening = Listening::text(&answering(FORBIDDEN), options);
        listening.send(&request);
        let lines = listening.until("another webhook than this one");
        assert!(lines.contains("https://..@h"), "{lines}");
        assert!(!lines.contains("pa55w0rd"), "{lines}");
        let listening = Listening::json(&answering(FORBIDDEN), options);
        listening.send(&request);
        let verdict = listening.exchange()["listen"]["verdict"].to_string();
        assert!(verdict.contains("https://..@h"), "{verdict}");
        assert!(!verdict.contains("pa55w0rd"), "{verdict}");
    }
    // The target of a request may be a whole URL.
    let listening = Listening::text(&answering(NO_CONTENT), &[]);
    for password in ["pa55w0rd", "pa55w0rd?a", "x/pa55w0rd", "x@pa55w0rd"] {
        let target = format!("POST http://user:{password}@h/message");
        let request = String::from_utf8(request.clone()).unwrap();
        listening.send(request.replace("POST /message", &target).as_bytes());
        let lines = listening.until("POST http://..@h/message");
        assert!(!lines.contains("pa55w0rd"), "{lines}");
    }
}

#[test]
fn an_app_that_judges_otherwise_is_named() {
    let genuine = message("h", "http://h/message", "");
    let refusing = Listening::text(&answering(FORBIDDEN), &[]);
    refusing.send(&genuine);
    let lines = refusing.until("What to do:");
    assert!(
        lines.contains("403") && lines.contains("accepted"),
        "{lines}"
    );
    assert!(
        lines.contains(
            "the app refused a genuine request, and its log says why: it has another token"
        ),
        "{lines}"
    );
    assert!(lines.contains("public URL than http://h,"), "{lines}");
    assert!(lines.contains("takes another webhook"), "{lines}");
    let asking =
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    let asking = Listening::text(&answering(asking), &[]);
    asking.send(&genuine);
    let lines = asking.until("What to do:");
    assert!(
        lines.contains("the app asks for a user name and a password"),
        "{lines}"
    );
    let public = ["--public-url", "https://example.com"];
    let open = Listening::text(&answering(NO_CONTENT), &public);
    open.send(&signed("h", FORGED, ""));
    let lines = open.until("Unprotected:");
    assert!(
        lines.contains("make sure that it validates this route"),
        "{lines}"
    );
    // The app has a public URL, and `listen` has not.
    let app = answering(NO_CONTENT);
    let unaware = Listening::text(&app, &["--public-url", "https://old.example.com"]);
    unaware.send(&message(
        "abc.ngrok.app",
        "https://abc.ngrok.app/message",
        TUNNEL,
    ));
    let lines = unaware.until("Accepted:");
    assert!(!lines.contains("Unprotected:"), "{lines}");
    assert!(
        lines.contains("the app expects https://abc.ngrok.app/message, too: start listen with"),
        "{lines}"
    );
}

#[test]
fn request_for_an_unknown_url_is_not_called_a_forgery() {
    let open = Listening::text(&answering(NO_CONTENT), &[]);
    // The app may have this public URL, and a proxy hides the host.
    open.send(&message(
        "127.0.0.1:8080",
        "https://example.com/message",
        "",
    ));
    let lines = open.until("Let through:");
    assert!(
        lines.contains("start listen with the app's --public-url"),
        "{lines}"
    );
    assert!(
        lines.contains("make sure that it validates this route"),
        "{lines}"
    );
    assert!(!lines.contains("Unprotected:"), "{lines}");
    open.send(&signed("h", "", ""));
    open.until("Unprotected:");
}

#[test]
fn setting_that_an_app_behind_proxies_needs_is_named() {
    let refusing = Listening::text(&answering(FORBIDDEN), &[]);
    #[rustfmt::skip]
    let cases = [
        ("X-Forwarded-Host: example.com, inner\r\nX-Forwarded-Proto: https, http\r\n", "https://example.com",
            "it expects http://inner/message because of X-Forwarded-Host and X-Forwarded-Proto: set \
             TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com, or trusted_hops(2) in code"),
        ("X-Forwarded-Host: example.com\r\nX-Forwarded-Prefix: /twilio\r\n", "http://example.com/twilio",
            "to http://example.com/twilio, or forwarded_prefix(true) in code"),
        ("X-Forwarded-Host: example.com, h\r\nX-Forwarded-Prefix: /a, /b\r\n", "http://example.com/a",
            "to http://example.com/a, or trusted_hops(2) and forwarded_prefix(true) in code"),
        ("X-Forwarded-Host: example.com\r\nX-Forwarded-Proto: https,\r\n", "https://example.com",
            "it can't use a header: X-Forwarded-Proto is neither https nor http: make the proxy send https or http, or \
             set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com"),
        ("X-Forwarded-Proto: https\r\n", "http://h",
            "it expects https://h/message because of X-Forwarded-Proto: set TWILIO_WEBHOOK_BASE_URL, or public_url, to \
             http://h"),
    ];
    for (headers, base, advice) in cases {
        refusing.send(&message("h", &format!("{base}/message"), headers));
        let lines = refusing.until("takes another webhook");
        assert!(lines.contains("accepted\n"), "{lines}");
        assert!(lines.contains(advice), "{lines}");
        let other = format!("or another public URL than {base}, or");
        assert!(lines.contains(&other), "{lines}");
    }
}

#[test]
fn without_a_token_nothing_is_judged_and_that_is_said_once() {
    let listening = Listening::start(listen(&answering(NO_CONTENT), &[]).token(None));
    let start = listening.until("There is no token");
    assert!(
        start.contains("set TWILIO_AUTH_TOKEN, or pass --token-file"),
        "{start}"
    );
    for _ in 0..2 {
        listening.send(&message("h", "http://h/message", ""));
        let line = listening.line();
        assert!(
            line.contains("sms  POST /message  204") && line.ends_with("not judged"),
            "{line}"
        );
    }
}

#[test]
fn a_token_that_is_none_is_wrong_usage() {
    let output = listen("http://127.0.0.1:1", &[]).token(Some("")).run();
    assert_eq!(output.status, 2, "{output:?}");
    assert!(output.stderr.contains("TWILIO_AUTH_TOKEN"), "{output:?}");
}

#[test]
fn few_of_many_refused_requests_are_explained() {
    let listening = Listening::json(
        &app(|mut stream| {
            use std::io::Write;
            while !super::read_head(&mut stream).is_empty() {
                stream.write_all(NO_CONTENT).unwrap();
            }
        }),
        &[],
    );
    let forged =
        "GET /a HTTP/1.1\r\nHost: h\r\nX-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    listening.send(forged.repeat(100).as_bytes());
    let mut explained = 0;
    for _ in 0..100 {
        let verdict = listening.exchange()["listen"]["verdict"].take();
        assert_eq!(verdict["kind"], "signature_mismatch");
        explained += usize::from(!verdict["causes"].as_array().unwrap().is_empty());
    }
    // The requests may take more than a second.
    assert!((1..80).contains(&explained), "{explained}");
}

#[test]
fn retries_name_the_first_delivery() {
    let listening = Listening::text(&answering(NO_CONTENT), &[]);
    for _ in 0..2 {
        listening.send(&message(
            "h",
            "http://h/message",
            "I-Twilio-Idempotency-Token: 1-2\r\n",
        ));
    }
    assert!(listening.until("Retry:").contains("#2 sms"));
}

/// An escape, marks of direction, a C1 control and a line end, percent-encoded; and the same as bytes.
const ESCAPED: &str = "%1b%5B31m%E2%80%AE%C2%9B%0d%0aHTTP%00%ff";

#[test]
fn nothing_from_the_network_acts_on_the_terminal() {
    let garbage = answering("\x1b[31m\u{202e}\u{9b}\r\n<script>\0".as_bytes());
    let hostile = answering(b"HTTP/1.1 500 \x1b\r\n\r\n");
    let invalid = answering(b"\xff\xfe\x9b31m\xc3\x28");
    for app in [&*garbage, &*hostile, &*invalid] {
        for format in ["text", "json"] {
            let listening = Listening::start(listen(app, &["--format", format]));
            let requests: [Vec<u8>; 4] = [
                "GET /\u{202e}\u{9b}\u{200b}<b>?a=\u{feff} HTTP/1.1\r\nHost: \u{202e}\u{85}h\r\n\r\n".into(),
                format!("GET /?MessageSid=SM1&MessageStatus={ESCAPED} HTTP/1.1\r\nHost: h\r\n\r\n").into(),
                b"GET / HTTP/1.1\r\nHost: \xff\x9b\xe2\x80\r\nI-Twilio-Idempotency-Token: \xe2\x80\xae\r\n\r\n".into(),
                b"\x1b[31m \xe2\x80\xae\xff\r\n\r\n".into(),
            ];
            for request in &requests {
                listening.send(request);
            }
            let printed = listening.until(if format == "text" { "#4 " } else { "\"id\":4," });
            for c in printed.chars().filter(|c| *c != '\n') {
                let hidden =
                    c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c) || c == '\u{feff}';
                assert!(!hidden, "{c:?} in {printed:?}");
            }
        }
    }
}

/// Another address of this machine is as far away as another machine.
#[cfg(target_os = "linux")]
#[test]
fn both_ports_are_open_on_one_loopback_address_only() {
    use std::net::TcpStream;
    let listening = Listening::text(&answering(NO_CONTENT), &[]);
    let page = listening
        .start
        .last()
        .unwrap()
        .rsplit_once("http://")
        .unwrap()
        .1;
    for host in [&*listening.host, page.split_once('/').unwrap().0] {
        let port = host.strip_prefix("127.0.0.1:").unwrap();
        TcpStream::connect(host).unwrap();
        assert!(
            TcpStream::connect(format!("127.0.0.2:{port}")).is_err(),
            "{host}"
        );
    }
    assert!(listening.send(super::GET).starts_with("HTTP/1.1 204"));
}
