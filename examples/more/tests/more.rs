//! Starts each example as a user would, and sends it a genuine and a forged request.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../tests/support/exactly_once.rs"]
mod exactly_once;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use actix_twilio::{
    WebhookRequest,
    testing::{Signer, with_body_sha256},
};
use rusqlite::Connection;

#[cfg(unix)]
use support::assert_refuses_other_than_utf_8;
use support::{Example, SIDS, TOKEN, assert_each_is_run_in, command, sign};

#[test]
fn each_example_says_how_to_run_it_and_is_run_here() {
    assert_each_is_run_in(
        include_str!("more.rs"),
        env!("CARGO_MANIFEST_DIR"),
        "cargo run -p more-examples",
    );
}

#[test]
fn a_wrong_setting_stops_the_start() {
    let out = command(env!("CARGO_BIN_EXE_events"))
        .env("TWILIO_AUTH_TOKEN", " ")
        .output()
        .unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(!out.status.success());
    assert!(said.contains("ConfigError(TWILIO_AUTH_TOKEN: "), "{said}");
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_utf_8_stops_the_start_and_is_not_printed() {
    let examples = [
        ("once", env!("CARGO_BIN_EXE_once"), "REDIS_URL"),
        ("once", env!("CARGO_BIN_EXE_once"), "LEASE_MS"),
        ("overhead", env!("CARGO_BIN_EXE_overhead"), "REDIS_URL"),
    ];
    for (name, binary, variable) in examples {
        assert_refuses_other_than_utf_8(name, binary, variable);
    }
}

#[test]
fn accounts_validates_each_account_with_its_own_token() {
    let database = env::temp_dir().join(format!("accounts-{}.sqlite", std::process::id()));
    let variables = [("DATABASE", database.to_str().unwrap())];
    let app = Example::start(env!("CARGO_BIN_EXE_accounts"), &variables);
    let url = app.url("/message");
    let tenants = [("1", "token of the first"), ("2", "token of the second")];
    for (number, token) in tenants {
        let sid = format!("AC0000000000000000000000000000000{number}");
        Connection::open(&database)
            .unwrap()
            .execute("INSERT INTO accounts VALUES (?, ?)", [&sid[..], token])
            .unwrap();
    }
    for (number, token) in tenants {
        for (other, _) in tenants {
            let sid = format!("AC0000000000000000000000000000000{other}");
            let body = format!("AccountSid={sid}");
            let (status, answer) = app.post("/message", &body, &sign(token, &url, &body));
            let expected = if number == other { 200 } else { 403 };
            assert_eq!(
                status, expected,
                "account {other} with the token of {number}"
            );
            assert_eq!(answer.contains(&sid), number == other, "{answer}");
        }
    }
    let nobody = "Body=Hi";
    assert_eq!(
        app.post("/message", nobody, &sign(tenants[0].1, &url, nobody))
            .0,
        403
    );
    drop(app);
    fs::remove_file(database).unwrap();
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

#[test]
fn conversation_relay_connects_the_call_and_continues_it_as_the_session_ended() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_conversation_relay"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    let relay = r#"<ConversationRelay url="wss://example.com/relay""#;
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), relay);
    let ended = app.url("/relay/ended");
    app.assert_protects("/relay/ended", TOKEN, &ended, "<Hangup/>");
    let handoff = "%7B%22reason%22%3A%22agent%22%2C%22turns%22%3A3%7D";
    let body = format!("{SIDS}&SessionStatus=ended&HandoffData={handoff}");
    let (status, answer) = app.post("/relay/ended", &body, &sign(TOKEN, &ended, &body));
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("After 3 turns"), "{answer}");
    assert!(answer.contains("<Dial>+14158675310</Dial>"), "{answer}");
}

/// Sends audio into a WebSocket, in one short text frame, and expects it back in another one.
#[track_caller]
fn assert_echoes(mut answers: BufReader<TcpStream>) {
    let audio = r#"{"event":"media","streamSid":"MZ00000000000000000000000000000001","media":{"payload":"QUJD"}}"#;
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
fn once_gives_a_duplicate_the_same_ticket_and_a_new_event_another_one() {
    let log = env::temp_dir().join(format!("once-{}.log", std::process::id()));
    let variables = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("HANDLED_LOG", log.to_str().unwrap()),
        ("SLOW_MS", "1"),
    ];
    let app = Example::start(env!("CARGO_BIN_EXE_once"), &variables);
    app.assert_protects("/message", TOKEN, &app.url("/message"), "ticket");
    let send = |path: &str, body: &str| {
        let (status, answer) = app.post(path, body, &sign(TOKEN, &app.url(path), body));
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let account = "AccountSid=AC00000000000000000000000000000001";
    let [one, two] = [
        "SM00000000000000000000000000000001",
        "SM00000000000000000000000000000002",
    ];
    let message = |sid: &str| send("/message", &format!("{account}&Body=Hi&MessageSid={sid}"));
    let first = message(one);
    assert_eq!(message(one), first);
    // The same text with other boundaries.
    let cut = format!("{account}&Body=HiMessageSid{one}");
    assert_eq!(send("/message", &cut), first);
    assert_ne!(message(two), first);
    // Without Twilio's token, a repeat within a call may be a new event.
    let sid = "CA00000000000000000000000000000001";
    let call = format!("{account}&CallSid={sid}&CallStatus=ringing");
    assert_ne!(send("/voice", &call), send("/voice", &call));
    drop(app);
    let handled = fs::read_to_string(&log).unwrap();
    let handled: Vec<_> = handled.lines().skip(1).collect();
    assert_eq!(handled, [one, two, sid, sid]);
    fs::remove_file(log).unwrap();
}

#[test]
fn exactly_once_counts_each_message_once_although_it_is_killed() {
    let database = env::temp_dir().join(format!("exactly-once-{}.sqlite", std::process::id()));
    exactly_once::assert_each_message_counts_once(
        env!("CARGO_BIN_EXE_exactly_once"),
        ("DATABASE", database.to_str().unwrap()),
    );
    let count = |query| {
        let connection = Connection::open(&database).unwrap();
        connection
            .query_row(query, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(
        count("SELECT messages FROM senders"),
        count("SELECT COUNT(*) FROM handled")
    );
    fs::remove_file(database).unwrap();
}

#[test]
fn metrics_counts_verdicts_by_route_and_account() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_metrics"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    assert_eq!(app.post("/voice", "From=1", "").0, 403);
    let (_, text) = app.get("/metrics");
    let account = "AC00000000000000000000000000000001";
    for (verdict, account) in [
        ("genuine", account),
        ("signature_mismatch", account),
        ("signature_malformed", "none"),
    ] {
        let line = format!(
            "twilio_verdicts_total{{verdict=\"{verdict}\",route=\"/voice\",account=\"{account}\"}} 1"
        );
        assert!(text.contains(&line), "{line}: {text}");
    }

    let message = "AccountSid=AC1&MessageSid=SM1";
    for _ in 0..3 {
        let signature = sign(TOKEN, &app.url("/message"), message);
        assert_eq!(app.post("/message", message, &signature).0, 200);
    }
    let (_, text) = app.get("/metrics");
    for (outcome, count) in [("first", 1), ("duplicate", 2)] {
        let line =
            format!("twilio_deliveries_total{{outcome=\"{outcome}\",route=\"/message\"}} {count}");
        assert!(text.contains(&line), "{line}: {text}");
    }
}

#[test]
fn spans_end_with_their_verdict() {
    let mut app = Example::start(env!("CARGO_BIN_EXE_spans"), &[("TWILIO_AUTH_TOKEN", TOKEN)]);
    let path = "/voice?customer=17";
    app.assert_protects(path, TOKEN, &app.url(path), "<Say>");
    let account = "AC00000000000000000000000000000001";
    let expected = [
        vec![
            r#"twilio.verdict="genuine""#.to_owned(),
            format!("twilio.account=\"{account}\""),
            r#"twilio.sid="SM00000000000000000000000000000001""#.to_owned(),
            "http.status_code=200".to_owned(),
        ],
        vec![
            r#"twilio.verdict="refused""#.to_owned(),
            r#"twilio.kind="signature_mismatch""#.to_owned(),
            format!("twilio.claimed_account=\"{account}\""),
            "http.status_code=403".to_owned(),
        ],
    ];
    for fields in expected {
        let mut line = String::new();
        // Between the spans' ends are lines on refusals, which have the span too.
        while !line.contains(" close ") {
            line.clear();
            app.output.read_line(&mut line).unwrap();
        }
        for field in fields {
            assert!(line.contains(&field), "{field}: {line}");
        }
        assert!(line.contains(r#"http.target="/voice" "#), "{line}");
        assert!(
            !line.contains("customer"),
            "a query belongs in no log: {line}"
        );
    }
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
        "\"com.twilio.messaging.message.sent\" \"SM1\"\n\
         \"com.twilio.messaging.message.sent\"\n\
         \"com.twilio.messaging.message.sent\" \"SM3\"\n"
    );
}
