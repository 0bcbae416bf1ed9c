//! A server of a single worker whose handler says what it was reached with, and clients that write every byte
//! themselves.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    panic,
    sync::{
        Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use actix_twilio::{TwilioConfigBuilder, validate_twilio_request};
use actix_twilio_tests::{
    FORM,
    client::{self, connect, last_words, statuses},
    server::{self, LOOPBACK},
    sign_form,
};
use actix_web::{
    App, HttpRequest,
    web::{self, Bytes, Data, Query},
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) const BASE: &str = "https://example.com";

/// Bytes in the largest body that the servers take, but for those of `config().body_limit`.
pub(crate) const LIMIT: usize = 1024;

/// Time for a whole body, where a test waits for its end.
pub(crate) const TIME: Duration = Duration::from_millis(500);

/// The texts that handlers were reached with, as Twilio would have signed them.
type Reached = Data<Mutex<Vec<String>>>;

/// What a handler panics with on purpose.
const ON_PURPOSE: &str = "a handler's own panic";

/// How often anything else panicked.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A test's own thread panics when it fails.
            let in_worker = thread::current()
                .name()
                .is_none_or(|name| name.contains("arbiter") || name.contains("worker"));
            if info.payload().downcast_ref() != Some(&ON_PURPOSE) {
                PANICS.fetch_add(usize::from(in_worker), Ordering::SeqCst);
                report(info);
            }
        }));
    });
}

#[track_caller]
pub(crate) fn assert_no_panics() {
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "panics");
}

/// Returns what is signed for a form that is posted to a target, from a parser that is not ours.
pub(crate) fn form_text(target: &str, body: &str) -> String {
    let pairs = Query::<Vec<(String, String)>>::from_query(body).unwrap();
    let pairs: BTreeSet<_> = pairs.into_inner().into_iter().collect();
    let pairs: String = pairs
        .into_iter()
        .flat_map(|(name, value)| [name, value])
        .collect();
    format!("{BASE}{target}{pairs}")
}

/// A server with a single worker, whose handler says what it was reached with.
pub(crate) struct Server {
    pub(crate) server: server::Server,
    reached: Reached,
}

impl Server {
    pub(crate) fn start(config: TwilioConfigBuilder) -> Self {
        #[validate_twilio_request]
        async fn tell(reached: Reached, req: HttpRequest, body: Bytes) -> Bytes {
            let target = req.uri().path_and_query().unwrap().as_str();
            let is_form = req
                .headers()
                .get("Content-Type")
                .is_some_and(|kind| kind.to_str().unwrap().to_lowercase().starts_with(FORM));
            let text = if is_form {
                form_text(target, str::from_utf8(&body).unwrap())
            } else if body.is_empty() {
                format!("{BASE}{target}")
            } else {
                format!("{BASE}{target} {body:?}")
            };
            reached.lock().unwrap().push(text);
            body
        }

        #[validate_twilio_request]
        async fn fail() -> &'static str {
            panic!("a handler's own panic")
        }

        count_panics();
        let config = config.public_url(BASE).unwrap().build().unwrap();
        let reached = Reached::default();
        let of_app = reached.clone();
        let app = move || {
            App::new()
                .app_data(config.clone())
                .app_data(of_app.clone())
                .app_data(web::PayloadConfig::new(1 << 20))
                .route("/panic", web::to(fail))
                .default_service(web::to(tell))
        };
        let server = server::Server::start_with(app, |server| {
            server
                // actix's clock ticks twice a second: it never ends what waits for a shorter time.
                .client_request_timeout(Duration::from_secs(2))
                .client_disconnect_timeout(Duration::from_secs(2))
                .shutdown_timeout(20)
                .bind(LOOPBACK)
        });
        Self { server, reached }
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        connect(self.server.address).await
    }

    /// Sends requests, and returns the statuses of all answers.
    pub(crate) async fn send(&self, name: &str, text: &str) -> Vec<u16> {
        self.send_pieces(name, text, usize::MAX).await
    }

    /// Sends requests in pieces of a size in bytes, and returns the statuses of all answers.
    pub(crate) async fn send_pieces(&self, name: &str, text: &str, size: usize) -> Vec<u16> {
        let connection = self.connect().await;
        connection.set_nodelay(true).unwrap();
        let (mut reader, mut writer) = connection.into_split();
        let text = closing(text);
        let write = async {
            for piece in text.as_bytes().chunks(size) {
                // The server may have answered and closed before it has read it all.
                let _ = writer.write_all(piece).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(write, rest(name, &mut reader)).1
    }

    /// Sends bytes, shuts the sending side, and returns the statuses of all answers.
    pub(crate) async fn send_last(&self, name: &str, bytes: &[u8]) -> Vec<u16> {
        statuses(&last_words(name, self.connect().await, bytes).await)
    }

    /// Checks that genuine requests are answered.
    pub(crate) async fn assert_goes_on(&self, name: &str) {
        let body = "still=there";
        let answers = self.send(name, &form("/still", body)).await;
        assert_eq!(answers, [200], "{name}");
        let reached = self.reached();
        assert_eq!(reached, [format!("{BASE}/stillstillthere")], "{name}");
    }

    /// Returns the texts that handlers were reached with since the last call.
    pub(crate) fn reached(&self) -> Vec<String> {
        std::mem::take(&mut *self.reached.lock().unwrap())
    }
}

/// Checks that none of these connections was answered yet.
#[track_caller]
pub(crate) fn assert_unanswered(name: &str, connections: &[TcpStream]) {
    for connection in connections {
        let read = connection.try_read(&mut [0]);
        assert!(
            read.as_ref()
                .is_err_and(|err| err.kind() == ErrorKind::WouldBlock),
            "{name}: {read:?}"
        );
    }
}

/// Asks the server to close the connection after the last of these requests.
fn closing(text: &str) -> String {
    let (before, last) = text.rsplit_once("Host: a\r\n").unwrap();
    format!("{before}Host: a\r\nConnection: close\r\n{last}")
}

/// Returns the statuses of all answers up to the end of a connection.
pub(crate) async fn rest(name: &str, connection: &mut (impl AsyncRead + Unpin)) -> Vec<u16> {
    statuses(&client::rest(name, connection).await)
}

/// Writes a request with this body and signature.
pub(crate) fn post(target: &str, content_type: &str, signature: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nX-Twilio-Signature: {signature}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    )
}

pub(crate) fn form(target: &str, body: &str) -> String {
    post(
        target,
        FORM,
        &sign_form(&format!("{BASE}{target}"), body),
        body,
    )
}

/// Writes a form in chunks of a size in bytes, each with an extension.
pub(crate) fn chunked(target: &str, body: &str, size: usize, extension: &str) -> String {
    let signature = sign_form(&format!("{BASE}{target}"), body);
    let mut text = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nX-Twilio-Signature: {signature}\r\n\
         Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        let number = chunk.len();
        text = format!("{text}{number:x}{extension}\r\n{chunk}\r\n");
        rest = after;
    }
    text + "0\r\n\r\n"
}
