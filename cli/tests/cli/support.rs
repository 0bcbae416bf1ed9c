//! Runs the tool as its users do, and the servers that it talks to.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, WebhookRequest,
    validate_twilio_request,
};
use actix_web::{App, HttpServer, Responder, web};
use serde_json::Value;

/// The account's token. No command may print it.
pub(crate) const TOKEN: &str = "marker-0123456789abcdef";

/// The password of the user `ada`. No command may print it.
pub(crate) const PASSWORD: &str = "marker-open-sesame";

/// Text in the form of a signature that no key of the tests makes.
pub(crate) const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The content type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// An answer for [`record`].
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The number of rows in the matrix of `check`.
pub(crate) const ROWS: usize = 39;

/// The number of those rows that are genuine requests.
pub(crate) const GENUINE_ROWS: usize = 12;

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that is about to run, with only the token in its environment.
pub(crate) struct Tool {
    command: Command,
    input: Option<Vec<u8>>,
}

/// Returns a command with these arguments.
pub(crate) fn tool(args: &[&str]) -> Tool {
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
    Tool {
        command,
        input: None,
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(args: &[&str]) -> Output {
    tool(args).run()
}

/// Runs a command with this standard input.
#[track_caller]
pub(crate) fn run_with_input(args: &[&str], input: impl AsRef<[u8]>) -> Output {
    tool(args).input(input).run()
}

impl Tool {
    /// Replaces the token in the environment, or removes it.
    pub(crate) fn token(mut self, token: Option<&str>) -> Self {
        match token {
            Some(token) => self.command.env("TWILIO_AUTH_TOKEN", token),
            None => self.command.env_remove("TWILIO_AUTH_TOKEN"),
        };
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the standard input, which is empty otherwise.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = Some(input.as_ref().to_owned());
        self
    }

    /// Starts the command with its standard input as a pipe.
    #[track_caller]
    pub(crate) fn spawn(mut self) -> Child {
        self.command.stdin(Stdio::piped()).spawn().unwrap()
    }

    /// Runs the command to its end, and checks that it printed no secret and no colour.
    #[track_caller]
    pub(crate) fn run(self) -> Output {
        let output = self.run_in_colour();
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains('\x1b'), "no terminal is attached: {text}");
        }
        output
    }

    /// Runs the command to its end, and checks that it printed no secret.
    #[track_caller]
    pub(crate) fn run_in_colour(mut self) -> Output {
        if self.input.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.spawn().unwrap();
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), self.input) {
            // A command that refuses its input closes it.
            thread::spawn(move || stdin.write_all(&input).ok());
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("marker-"), "a secret is printed: {text}");
            text
        };
        Output {
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Writes a file and returns its path. Each test uses names of its own.
#[track_caller]
pub(crate) fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Returns a validator with [`TOKEN`].
pub(crate) fn validator() -> RequestValidator {
    validator_with(TOKEN)
}

/// Returns a validator with a token.
pub(crate) fn validator_with(token: &str) -> RequestValidator {
    RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap()
}

/// Signs any text with a token: the signature of a GET covers its URL only, and any text is a URL.
pub(crate) fn sign_text(token: &str, text: &str) -> String {
    let request = WebhookRequest::new("GET", text);
    validator_with(token).sign(&request).unwrap()
}

/// Returns the builder of a configuration with [`TOKEN`].
pub(crate) fn config() -> TwilioConfigBuilder {
    TwilioConfig::builder().auth_token(AuthToken::new(TOKEN).unwrap())
}

/// Starts an app on a free port of this machine and returns its URL.
pub(crate) fn serve(configure: impl Fn(&mut web::ServiceConfig) + Send + Sync + 'static) -> String {
    serve_shared(Arc::new(configure))
}

/// The server, which is compiled once and not for each app.
fn serve_shared(configure: Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>) -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(config().build().unwrap())
                    .configure(|app| configure(app))
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

/// A handler that accepts GET, forms and JSON as raw bytes.
#[validate_twilio_request]
pub(crate) async fn raw(body: web::Bytes) -> impl Responder {
    body
}

/// Starts an app whose `/raw` accepts every genuine request.
pub(crate) fn serve_raw() -> String {
    serve(|app| {
        app.route("/raw", web::to(raw));
    }) + "/raw"
}

/// Starts an app that answers every request with 200 and validates nothing.
pub(crate) fn serve_open() -> String {
    serve(|app| {
        app.default_service(web::to(|| async { "open" }));
    })
}

/// Listens on a free port, gives these answers in turn, and sends back each request as text.
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
            // Before the answer, so that it is there once the tool has ended.
            if sender.send(request).is_err() {
                break;
            }
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, receiver)
}

/// Returns the values of a header of a recorded request.
pub(crate) fn header<'r>(request: &'r str, name: &str) -> Vec<&'r str> {
    request
        .split("\r\n")
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

/// Checks an endpoint with these further arguments and returns the status and the JSON.
#[track_caller]
pub(crate) fn check(url: &str, args: &[&str]) -> (i32, Value) {
    report(tool(&[&["check", url, "--format", "json"], args].concat()))
}

/// Runs a check that prints JSON, and returns the status and the JSON.
#[track_caller]
pub(crate) fn report(tool: Tool) -> (i32, Value) {
    let output = tool.run();
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

/// Runs commands that are wrong usage: each exits with 2, prints nothing, and says why.
#[track_caller]
pub(crate) fn assert_wrong_usage(cases: &[&[&str]]) {
    for args in cases {
        let output = run(args);
        assert_eq!(output.status, 2, "{args:?}: {output:?}");
        assert_eq!(output.stdout, "", "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

/// Returns a text in one line, for what a report may break.
pub(crate) fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sends the text of a request to a host and port, and returns the answer up to the end of its head.
#[track_caller]
pub(crate) fn send_raw(host: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines();
    let head = lines.by_ref().map(Result::unwrap);
    head.take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
