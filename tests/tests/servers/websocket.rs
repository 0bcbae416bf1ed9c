//! WebSocket handshakes, as Media Streams opens them, by a real client on a real server.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, TwilioValidation,
    WebhookRequest, keys::KeyMap, validate_twilio_request,
};
use actix_twilio_tests::{
    FORM,
    client::connect,
    keys, server,
    webhook::{BASE, REFUSED, builder},
};
use actix_web::{
    App, Error, HttpRequest, HttpResponse, get,
    web::{self, Bytes, Data, Payload},
};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error as ClientError, Message, client::IntoClientRequest},
};

/// Counts the handlers that ran.
type Runs = Data<AtomicUsize>;

/// Sends frames back, as a media stream's app would.
#[get("/media{rest:.*}")]
#[validate_twilio_request]
async fn echo(req: HttpRequest, payload: Payload, runs: Runs) -> Result<HttpResponse, Error> {
    runs.fetch_add(1, Ordering::Relaxed);
    let (res, mut session, mut messages) = actix_ws::handle(&req, payload)?;
    actix_web::rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let sent = match message {
                actix_ws::Message::Text(text) => session.text(text).await,
                actix_ws::Message::Binary(bytes) => session.binary(bytes).await,
                _ => break,
            };
            if sent.is_err() {
                return;
            }
        }
        let _ = session.close(None).await;
    });
    Ok(res)
}

/// An ordinary handler, which reads its body to the end.
#[validate_twilio_request]
async fn ordinary(body: Bytes, runs: Runs) -> Bytes {
    runs.fetch_add(1, Ordering::Relaxed);
    body
}

/// A running server and what it counts.
struct Server {
    address: SocketAddr,
    runs: Runs,
}

impl Server {
    fn new(builder: TwilioConfigBuilder, middleware: bool) -> Self {
        let config = builder
            .body_timeout(Duration::from_millis(30))
            .build()
            .unwrap();
        let runs = Data::new(AtomicUsize::new(0));
        let counter = runs.clone();
        let server = server::Server::start(move || {
            let validation = TwilioValidation::with_config(config.clone());
            App::new()
                .app_data(config.clone())
                .app_data(counter.clone())
                .wrap(actix_web::middleware::Condition::new(
                    middleware, validation,
                ))
                .service(echo)
                .route("/bytes", web::to(ordinary))
        });
        Self {
            address: server.address,
            runs,
        }
    }

    fn runs(&self) -> usize {
        self.runs.swap(0, Ordering::Relaxed)
    }

    /// Opens a WebSocket; sends a frame, and returns what comes back, or the status of a refusal.
    async fn open(&self, target: &str, signature: Option<&str>) -> Result<String, (u16, String)> {
        let url = format!("ws://{}{target}", self.address);
        let mut req = url.into_client_request().unwrap();
        if let Some(signature) = signature {
            req.headers_mut()
                .insert("x-twilio-signature", signature.parse().unwrap());
        }
        let mut socket = match connect_async(req).await {
            Err(ClientError::Http(res)) => {
                let body = res.body().clone().unwrap_or_default();
                return Err((res.status().as_u16(), String::from_utf8(body).unwrap()));
            }
            connected => connected.unwrap().0,
        };
        let frame = r#"{"event":"media"}"#;
        socket.send(Message::text(frame)).await.unwrap();
        socket
            .send(Message::binary(b"\0\xff".to_vec()))
            .await
            .unwrap();
        let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let binary = socket.next().await.unwrap().unwrap().into_data();
        assert_eq!(
            (text.as_str(), &*binary),
            (frame, &b"\0\xff"[..]),
            "{target}"
        );
        Ok(text.to_string())
    }

    /// Sends a request as it is, and returns its answer's status; 0 if there is none in time.
    async fn status(&self, request: &str) -> u16 {
        let mut stream = connect(self.address).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        let read = stream.read_exact(&mut head);
        match tokio::time::timeout(Duration::from_secs(10), read).await {
            Ok(Ok(_)) => str::from_utf8(&head[9..]).unwrap().parse().unwrap(),
            _ => 0,
        }
    }
}

/// Signs a `GET` of a URL; `moved` are parameters that are signed after it.
fn sign(token: &str, url: &str, moved: &str) -> String {
    let request = match moved {
        "" => WebhookRequest::new("GET", url),
        moved => WebhookRequest::new("POST", url)
            .content_type(FORM)
            .body(moved),
    };
    keys(token).sign(&request).unwrap()
}

/// What Twilio, and others, sign for handshakes of these targets, and whether it is let in.
#[rustfmt::skip]
const CASES: [(&str, &str, &str, &str, bool); 22] = [
    ("as it is", "/media", "wss://example.com/media", "", true),
    ("with a query", "/media?a=1&b=%20", "wss://example.com/media?a=1&b=%20", "", true),
    ("with a slash more", "/media", "wss://example.com/media/", "", true),
    ("with a slash less", "/media/", "wss://example.com/media", "", true),
    ("slash before a query", "/media?a=1", "wss://example.com/media/?a=1", "", true),
    ("with its port", "/media", "wss://example.com:443/media", "", true),
    ("with port and slash", "/media", "wss://example.com:443/media/", "", true),
    ("with its query moved", "/media?b=2&a=1", "wss://example.com/media", "b=2&a=1", true),
    ("all at once", "/media?b=2&a=%20", "wss://example.com:443/media/", "a=%20&b=2", true),
    ("for https", "/media", "https://example.com/media", "", false),
    ("for ws", "/media", "ws://example.com/media", "", false),
    ("for another port", "/media", "wss://example.com:8443/media", "", false),
    ("for the other port", "/media", "wss://example.com:80/media", "", false),
    ("for another host", "/media", "wss://evil.example/media", "", false),
    ("for another path", "/media/x", "wss://example.com/media/y", "", false),
    ("for two slashes", "/media", "wss://example.com/media//", "", false),
    ("for upper case", "/media", "wss://example.com/MEDIA", "", false),
    ("for no query", "/media?a=1", "wss://example.com/media", "", false),
    ("for another query", "/media?a=1", "wss://example.com/media?a=2", "", false),
    ("for another order", "/media?a=1&b=2", "wss://example.com/media?b=2&a=1", "", false),
    ("for a query twice", "/media?a=1", "wss://example.com/media?a=1", "a=1", false),
    ("for a parameter", "/media", "wss://example.com/media", "a=1", false),
];

#[actix_web::test]
async fn genuine_handshakes_are_upgraded_and_forged_ones_are_not() {
    for middleware in [false, true] {
        let server = Server::new(builder("12345"), middleware);
        for (name, target, url, moved, genuine) in CASES {
            let name = format!("{name}, under the middleware: {middleware}");
            let answer = server.open(target, Some(&sign("12345", url, moved))).await;
            assert_answer(&answer, genuine, &name);
            assert_eq!(server.runs(), usize::from(genuine), "{name}");
            let answer = server.open(target, Some(&sign("67890", url, moved))).await;
            assert_answer(&answer, false, &format!("by a stranger: {name}"));
        }
        let signature = sign("12345", "wss://example.com/media", "");
        for (name, signature) in [
            ("none", None),
            ("empty", Some("")),
            ("rubbish", Some("signature")),
            ("a list", Some(&*format!("{signature}, {signature}"))),
        ] {
            assert_answer(&server.open("/media", signature).await, false, name);
        }
        assert_eq!(server.runs(), 0);
    }
}

#[track_caller]
fn assert_answer(answer: &Result<String, (u16, String)>, genuine: bool, name: &str) {
    match answer {
        Ok(_) => assert!(genuine, "{name} was let in"),
        Err((status, body)) => {
            assert_eq!(
                (genuine, *status, body.as_str()),
                (false, REFUSED.0, REFUSED.1),
                "{name}"
            );
        }
    }
}

#[actix_web::test]
async fn without_a_public_url_a_handshake_is_signed_for_its_host_and_connection() {
    let builder = TwilioConfig::builder().auth_token(AuthToken::new("12345").unwrap());
    let server = Server::new(builder, false);
    let host = server.address;
    for (name, url, genuine) in [
        ("ws", format!("ws://{host}/media"), true),
        ("slash", format!("ws://{host}/media/"), true),
        ("no port", "ws://127.0.0.1/media".to_owned(), true),
        ("wss", format!("wss://{host}/media"), false),
        ("http", format!("http://{host}/media"), false),
        ("port 80", "ws://127.0.0.1:80/media".to_owned(), false),
    ] {
        let answer = server.open("/media", Some(&sign("12345", &url, ""))).await;
        assert_answer(&answer, genuine, name);
    }
}

#[actix_web::test]
async fn handshakes_name_their_account_in_the_query_or_are_the_defaults() {
    const A: &str = "AC0000000000000000000000000000000a";
    let map = KeyMap::new()
        .account(A.parse().unwrap(), keys("a"))
        .default_keys(RequestValidator::new([AuthToken::new("main").unwrap()]).unwrap());
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    let server = Server::new(builder.key_store(map), false);
    let of_a = format!("/media?AccountSid={A}");
    for (name, target, moved, token, genuine) in [
        ("nobody's", "/media", false, "main", true),
        ("nobody's by A", "/media", false, "a", false),
        ("A's", &*of_a, false, "a", true),
        ("A's, moved", &*of_a, true, "a", true),
        ("A's by main", &*of_a, false, "main", false),
        ("A's by main, moved", &*of_a, true, "main", false),
    ] {
        let url = format!("wss://example.com{target}");
        let signature = match url.split_once('?') {
            Some((url, query)) if moved => sign(token, url, query),
            _ => sign(token, &url, ""),
        };
        assert_answer(&server.open(target, Some(&signature)).await, genuine, name);
    }
}

#[actix_web::test]
async fn near_handshakes_are_ordinary_requests_whose_body_is_bounded() {
    let https = sign("12345", "https://example.com/bytes", "");
    let wss = sign("12345", "wss://example.com/bytes", "");
    let upgrade = "Upgrade: websocket\r\n";
    let connection = "Connection: Upgrade\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let all = format!("{upgrade}{connection}{key}");
    let get = |name, headers, body, status| (name, "GET", "1.1", headers, body, status);
    let chunked = || format!("{all}Transfer-Encoding: chunked\r\n");
    let kept_alive = format!("{upgrade}{key}Connection: keep-alive\r\n");
    let empty_key = format!("{upgrade}{connection}Sec-WebSocket-Key:\r\n");
    // The decoder waits for the end of a WebSocket in most of them; it never comes. The last one is
    // the status if it is signed for https.
    let near = [
        ("POST", "POST", "1.1", all.clone(), "", 408),
        ("HEAD", "HEAD", "1.1", all.clone(), "", 408),
        ("lower case", "get", "1.1", all.clone(), "", 408),
        ("HTTP/1.0", "GET", "1.0", all.clone(), "", 408),
        get("no Connection", format!("{upgrade}{key}"), "", 408),
        get("kept alive", kept_alive, "", 408),
        get("no key", format!("{upgrade}{connection}"), "", 408),
        get("an empty key", empty_key, "", 408),
        get("two Upgrades", format!("{all}Upgrade: h2c\r\n"), "", 408),
        get(
            "a length",
            format!("{all}Content-Length: 3\r\n"),
            "a=1",
            408,
        ),
        get("chunks", chunked(), "3\r\na=1\r\n0\r\n\r\n", 403),
        get("endless chunks", chunked(), "3\r\na=1\r\n", 408),
        get(
            "a list",
            format!("Upgrade: websocket, h2c\r\n{connection}{key}"),
            "",
            200,
        ),
    ];
    for middleware in [false, true] {
        let server = Server::new(builder("12345"), middleware);
        for (name, method, version, headers, body, status) in &near {
            for (kind, signature, status) in [("https", &https, *status), ("wss", &wss, 403)] {
                let name = format!("{name}, signed for {kind}, middleware: {middleware}");
                let request = format!(
                    "{method} /bytes HTTP/{version}\r\nHost: h\r\n{headers}\
                     X-Twilio-Signature: {signature}\r\n\r\n{body}"
                );
                assert_eq!(server.status(&request).await, status, "{name}");
                assert_eq!(server.runs(), usize::from(status == 200), "{name}");
            }
        }
        // A whole one is no request for `https`, and its body never reaches such a handler.
        let whole = |signature: &str| {
            format!(
                "GET /bytes HTTP/1.1\r\nHost: h\r\n{all}X-Twilio-Signature: {signature}\r\n\r\nforged"
            )
        };
        assert_eq!(server.status(&whole(&https)).await, 403);
        assert_eq!(server.runs(), 0);
    }
}
