//! Runs the tool as its users do, and servers for it to try.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use actix_twilio::{AuthToken, TwilioConfig, TwilioConfigBuilder, validate_twilio_request};
use actix_web::{App, HttpServer, Responder, web};
use serde_json::Value;

/// The account's token. No command may print it.
pub(crate) const TOKEN: &str = "marker-0123456789abcdef";

/// The password of the user `ada`. No command may print it.
pub(crate) const PASSWORD: &str = "marker-open-sesame";

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Returns a command with nothing but the token in its environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twilio-webhook"));
    // Windows opens no socket without it.
    let system_root = std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root));
    command
        .args(args)
        .env_clear()
        .envs(system_root)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(args: &[&str]) -> Output {
    finish(command(args).spawn().unwrap(), b"")
}

/// Runs a command with this standard input.
#[track_caller]
pub(crate) fn run_with_input(args: &[&str], input: impl AsRef<[u8]>) -> Output {
    let child = command(args).stdin(Stdio::piped()).spawn().unwrap();
    finish(child, input.as_ref())
}

/// Waits for a command, and checks that it printed no secret.
#[track_caller]
pub(crate) fn finish(mut child: Child, input: &[u8]) -> Output {
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // A command that refuses its input closes it.
        thread::spawn(move || stdin.write_all(&input).ok());
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(!text.contains("marker-"), "a secret is printed: {text}");
        assert!(!text.contains('\x1b'), "no terminal is attached: {text}");
        text
    };
    Output {
        status: output.status.code().unwrap(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// Returns a configuration's builder that knows [`TOKEN`].
pub(crate) fn config() -> TwilioConfigBuilder {
    TwilioConfig::builder().auth_token(AuthToken::new(TOKEN).unwrap())
}

/// Starts an app on a free port of this machine and returns its address.
pub(crate) fn serve(
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(config().build().unwrap())
                    .configure(configure.clone())
            })
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
            sender.send(*server.addrs().first().unwrap()).unwrap();
            server.run().await.unwrap();
        });
    });
    format!("http://{}", receiver.recv().unwrap())
}

/// A handler that takes GET, forms and JSON as raw bytes.
#[validate_twilio_request]
pub(crate) async fn raw(body: web::Bytes) -> impl Responder {
    body
}

/// Starts an app whose `/raw` takes every genuine request.
pub(crate) fn serve_raw() -> String {
    serve(|app| {
        app.route("/raw", web::to(raw));
    }) + "/raw"
}

/// Answers a request for each of these texts, and returns what came over the wire.
pub(crate) fn record(answers: Vec<&'static str>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let (mut request, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().unwrap();
                }
                request.push_str(&line);
                if line == "\r\n" || line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            request.push_str(&String::from_utf8(body).unwrap());
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send(request).is_err() {
                break;
            }
        }
    });
    (url, receiver)
}

/// An answer for [`record`].
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Checks an endpoint with these further arguments and returns the status and the JSON.
#[track_caller]
pub(crate) fn check(url: &str, args: &[&str]) -> (i32, Value) {
    let output = run(&[&["check", url, "--format", "json"], args].concat());
    assert!(!output.stdout.is_empty(), "{output:?}");
    let report = serde_json::from_str(&output.stdout).unwrap();
    (output.status, report)
}

/// Returns the rows of a check with this result, as `shape: name`.
pub(crate) fn rows(report: &Value, result: &str) -> Vec<String> {
    let rows = report["rows"].as_array().unwrap();
    rows.iter()
        .filter(|row| row["result"] == result)
        .map(|row| {
            format!(
                "{}: {}",
                row["shape"].as_str().unwrap(),
                row["name"].as_str().unwrap()
            )
        })
        .collect()
}
