//! Starts each example as a user would, and sends it a genuine and a forged request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use actix_twilio::{AuthToken, RequestValidator, WebhookRequest};

const TOKEN: &str = "12345";
const FORM: &str = "application/x-www-form-urlencoded";

/// An example that runs, until it is dropped.
struct Example {
    process: Child,
    /// Host and port.
    address: String,
    output: BufReader<std::process::ChildStdout>,
}

impl Example {
    fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(binary)
            .env_remove("TWILIO_AUTH_TOKEN")
            .env_remove("TWILIO_WEBHOOK_BASE_URL")
            .env_remove("TWILIO_VALIDATION")
            .env_remove("HOST")
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("Listening on http://")
            .unwrap()
            .to_owned();
        Self {
            process,
            address,
            output,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a form, signed or not, and returns the status and the body of the answer.
    fn post(&self, path: &str, body: &str, signature: &str) -> (u16, String) {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\
             X-Twilio-Signature: {signature}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len(),
        ))
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    fn send(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Sends a genuine request, which is answered, and a forged one, which is not.
    #[track_caller]
    fn assert_protects(&self, path: &str, token: &str, signed_url: &str, expected: &str) {
        let body = "From=%2B14158675310&Body=Hi";
        let signature = sign(token, signed_url, body);
        let (status, answer) = self.post(path, body, &signature);
        assert_eq!(status, 200, "{path}: {answer}");
        assert!(answer.contains(expected), "{path}: {answer}");
        let (status, _) = self.post(path, "From=%2B14150000000&Body=Hi", &signature);
        assert_eq!(status, 403, "{path}");
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn sign(token: &str, url: &str, body: &str) -> String {
    let request = WebhookRequest::new("POST", url)
        .content_type(FORM)
        .body(body);
    let keys = RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap();
    keys.sign(&request).unwrap()
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
    let app = Example::start(
        env!("CARGO_BIN_EXE_middleware"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects(
        "/twilio/message",
        TOKEN,
        &app.url("/twilio/message"),
        "genuine",
    );
    // The path is signed as it came, before it is normalized.
    app.assert_protects(
        "/twilio/status/CA1/",
        TOKEN,
        &app.url("/twilio/status/CA1/"),
        "CA1",
    );
    assert_eq!(app.get("/twilio/nowhere").0, 403);
    assert_eq!(app.get("/health").0, 200);
}

#[test]
fn protected_leaves_open_what_says_so_alone() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_protected"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/message", TOKEN, &app.url("/message"), "charged");
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "genuine");
    assert_eq!(app.get("/health").0, 200);
}

#[test]
fn policies_validate_each_route_with_its_own_configuration() {
    let variables = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("SUPPORT_AUTH_TOKEN", "67890"),
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
fn accounts_validates_each_account_with_its_own_token() {
    let database = env::temp_dir().join(format!("accounts-{}.sqlite", std::process::id()));
    let variables = [("DATABASE", database.to_str().unwrap())];
    let app = Example::start(env!("CARGO_BIN_EXE_accounts"), &variables);
    let url = app.url("/message");
    let tenants = [("1", "token of the first"), ("2", "token of the second")];
    for (number, token) in tenants {
        for (other, _) in tenants {
            let body = format!("AccountSid=AC0000000000000000000000000000000{other}");
            let status = app.post("/message", &body, &sign(token, &url, &body)).0;
            let expected = if number == other { 200 } else { 403 };
            assert_eq!(
                status, expected,
                "account {other} with the token of {number}"
            );
        }
    }
    let nobody = "Body=Hi";
    assert_eq!(
        app.post("/message", nobody, &sign(tenants[0].1, &url, nobody))
            .0,
        403
    );
    drop(app);
    std::fs::remove_file(database).unwrap();
}

#[test]
fn media_stream_refuses_a_forged_handshake() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_media_stream"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    let keys = RequestValidator::new([AuthToken::new(TOKEN).unwrap()]).unwrap();
    let url = format!("ws://{}/media", app.address);
    let genuine = keys.sign(&WebhookRequest::new("GET", &url)).unwrap();
    for (signature, expected) in [
        (genuine.as_str(), "101"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "403"),
    ] {
        let mut stream = TcpStream::connect(&app.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let request = format!(
            "GET /media HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             X-Twilio-Signature: {signature}\r\n\r\n",
            app.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        assert_eq!(status.split(' ').nth(1), Some(expected), "{status}");
    }
}

#[test]
fn metrics_counts_verdicts_by_route() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_metrics"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    let (status, answer) = app.post("/voice", "From=1", "");
    assert_eq!(
        (status, answer.as_str()),
        (403, "<Response><Reject/></Response>")
    );
    let (_, text) = app.get("/metrics");
    for verdict in ["genuine", "signature_mismatch", "signature_malformed"] {
        let line = format!("twilio_verdicts_total{{verdict=\"{verdict}\",route=\"/voice\"}} 1");
        assert!(text.contains(&line), "{line}: {text}");
    }
}
