//! An app behind `listen`, and what Twilio and a browser send to both. The tests in a browser use it too.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use actix_twilio::{
    WebhookRequest,
    testing::Signer,
    twiml::{Gather, Hangup, Message, MessagingResponse, NoContent, Say, VoiceResponse},
    validate_twilio_request,
    webhook::{CallStatusCallback, GatherResult, IncomingCall, IncomingMessage},
};
use actix_web::{App, HttpResponse, HttpServer, get, post, web};

/// The token of the account. The page must never have it.
pub(crate) const TOKEN: &str = "marker-0123456789abcdef";

/// The URL that is set at Twilio.
pub(crate) const PUBLIC: &str = "https://example.com";

const CALL_SID: &str = "CA27c9e4f1835d4b06a1f8e3d0c6b59a72";
const ACCOUNT_SID: &str = "AC4d1f0c82b95e47a3862b70d9e5c1a836";

/// A message, as Twilio sends it.
pub(crate) const SMS: &[(&str, &str)] = &[
    ("MessageSid", "SM6e1c0f5b2a7d48939c04d1e8b7a65f32"),
    ("AccountSid", ACCOUNT_SID),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
    ("Body", "Two tickets, please"),
    ("NumMedia", "0"),
];

/// The webhooks of a call, with their paths.
pub(crate) const CALL: &[(&str, &[(&str, &str)])] = &[
    (
        "/voice",
        &[
            ("CallSid", CALL_SID),
            ("AccountSid", ACCOUNT_SID),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
            ("CallStatus", "ringing"),
            ("Direction", "inbound"),
        ],
    ),
    (
        "/voice/menu",
        &[
            ("CallSid", CALL_SID),
            ("AccountSid", ACCOUNT_SID),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
            ("CallStatus", "in-progress"),
            ("Direction", "inbound"),
            ("Digits", "1"),
            ("msg", "Gather End"),
        ],
    ),
    (
        "/status",
        &[
            ("CallSid", CALL_SID),
            ("AccountSid", ACCOUNT_SID),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
            ("CallStatus", "completed"),
            ("CallDuration", "42"),
            ("CallbackSource", "call-progress-events"),
        ],
    ),
];

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(sms: IncomingMessage) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!("Hello {}", sms.from)))
}

#[post("/voice")]
#[validate_twilio_request]
async fn receive_call(_call: IncomingCall) -> VoiceResponse {
    let question = Say::new("Press 1 for sales, or 2 for support.").language("en-GB");
    VoiceResponse::new()
        .child(
            Gather::new()
                .num_digits(1)
                .action("/voice/menu")
                .child(question),
        )
        .child(Hangup::new())
}

#[post("/voice/menu")]
#[validate_twilio_request]
async fn receive_digits(_digits: GatherResult) -> HttpResponse {
    // An attribute is misspelt, as a template may have it.
    HttpResponse::Ok().content_type("text/xml").body(
        "<Response><Say langauge=\"en-GB\">Sales is closed. Goodbye.</Say><Hangup/></Response>",
    )
}

#[post("/status")]
#[validate_twilio_request]
async fn receive_status(_status: CallStatusCallback) -> NoContent {
    NoContent
}

/// A webhook that is set to `GET`.
#[get("/hours")]
#[validate_twilio_request]
async fn tell_hours(_call: IncomingCall) -> VoiceResponse {
    VoiceResponse::new().child(Say::new("We open at nine."))
}

/// Takes JSON, which is signed by its hash.
#[post("/events")]
#[validate_twilio_request]
async fn receive_events(_events: web::Bytes) -> NoContent {
    NoContent
}

/// How long a slow route takes.
const SLOW: Duration = Duration::from_millis(1500);

#[post("/slow")]
#[validate_twilio_request]
async fn receive_slowly(_call: IncomingCall) -> VoiceResponse {
    actix_web::rt::time::sleep(SLOW).await;
    VoiceResponse::new().child(Say::new("Thank you for waiting."))
}

/// A route that somebody forgot to protect.
#[post("/open")]
async fn open() -> &'static str {
    "open"
}

/// Takes any body, and answers with it: TwiML, or whatever a stranger has written.
#[post("/echo")]
async fn echo(body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html").body(body)
}

/// Adds the routes of the app.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.app_data(web::PayloadConfig::new(16 * 1024 * 1024))
        .service(receive_message)
        .service(receive_call)
        .service(receive_digits)
        .service(receive_status)
        .service(receive_slowly)
        .service(tell_hours)
        .service(receive_events)
        .service(open)
        .service(echo);
}

/// Starts the app on a free port and returns its URL.
pub(crate) fn serve_app() -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let config = Signer::new(TOKEN).config(PUBLIC);
            let server =
                HttpServer::new(move || App::new().app_data(config.clone()).configure(configure))
                    .workers(1)
                    .bind("127.0.0.1:0")
                    .unwrap();
            sender.send(*server.addrs().first().unwrap()).unwrap();
            server.run().await.unwrap();
        });
    });
    format!("http://{}", receiver.recv().unwrap())
}

/// A running `listen`, which ends with the test.
pub(crate) struct Listen {
    child: Child,
    /// Where the tunnel points.
    pub(crate) relay: SocketAddr,
    /// Where the page is.
    pub(crate) page: SocketAddr,
    /// The secret in the URL that was printed.
    pub(crate) secret: String,
}

impl Listen {
    /// Starts the tool in front of an app.
    pub(crate) fn start(app: &str, more: &[&str]) -> Self {
        let tool = option_env!("CARGO_BIN_EXE_twilio-webhook").map(str::to_owned);
        let tool = tool.unwrap_or_else(|| std::env::var("TWILIO_WEBHOOK").unwrap());
        let mut child = Command::new(tool)
            .args([
                "listen",
                "--forward-to",
                app,
                "--port",
                "0",
                "--page-port",
                "0",
            ])
            .args(more)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut value = |start: &str| -> String {
            let found = lines
                .by_ref()
                .map(Result::unwrap)
                .find_map(|line| Some(line.split_once(start)?.1.to_owned()));
            found.unwrap()
        };
        let relay = value("Listening on http://")
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let url = value("See the requests at ");
        // Somebody must read what it prints.
        thread::spawn(move || lines.for_each(drop));
        let (address, secret) = url
            .strip_prefix("http://")
            .unwrap()
            .split_once("/#")
            .unwrap();
        Self {
            child,
            relay,
            page: address.parse().unwrap(),
            secret: secret.to_owned(),
        }
    }

    /// Sends a form to the relay, signed for the public URL with this path, and returns the answer.
    pub(crate) fn receive(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let url = format!("{PUBLIC}{path}");
        send(
            self.relay,
            &form(&Signer::new(TOKEN), "example.com", &url, params),
        )
    }

    /// Sends a request of the page, with the secret.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let secret = format!("X-Inspect-Key: {}", self.secret);
        self.ask_with(method, path, &[&self.host(), &secret], body)
    }

    /// Returns something of an exchange, which is recorded a moment after its answer has gone out.
    pub(crate) fn exchange(&self, id: u64, path: &str) -> Answer {
        let start = Instant::now();
        loop {
            let answer = self.ask("GET", &format!("/api/exchanges/{id}{path}"), "");
            if answer.status != 404 {
                return answer;
            }
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "request {id} does not appear"
            );
            thread::yield_now();
        }
    }

    /// Sends a request to the page with these headers.
    pub(crate) fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Answer {
        let headers: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        send(self.page, request.as_bytes())
    }

    /// Returns the `Host` header that a browser sends to the page.
    pub(crate) fn host(&self) -> String {
        format!("Host: {}", self.page)
    }
}

impl Drop for Listen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a signed form as bytes.
pub(crate) fn form(signer: &Signer, host: &str, url: &str, params: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    let content_type = "application/x-www-form-urlencoded";
    let webhook = WebhookRequest::new("POST", url)
        .content_type(content_type)
        .body(&body);
    let target = url.splitn(4, '/').nth(3).unwrap();
    let mut request = format!(
        "POST /{target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in signer.headers(&webhook) {
        request.extend([name, ": ", &value, "\r\n"]);
    }
    format!("{request}\r\n{body}").into_bytes()
}

/// An answer as text.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends the bytes of a request, and returns the answer.
pub(crate) fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    // An answer may come before everything is sent.
    let mut writer = stream.try_clone().unwrap();
    let request = request.to_owned();
    let sent = thread::spawn(move || writer.write_all(&request).ok());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    sent.join().unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_default();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
