//! A real server on a port of its own, driven over TCP by clients that are not ours.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix_twilio::{TwilioConfigBuilder, Validated, validate_twilio_request};
use actix_twilio_tests::{
    FORGED, FORM, SETTINGS, SIGNATURE,
    client::{connect, last_words, soon, statuses, talk},
    config, hashed,
    server::{self, LOOPBACK},
    sign_form, sign_text,
};
use actix_web::{
    App,
    dev::Service,
    web::{self, Bytes, Data},
};
use futures_util::{StreamExt, stream};
use reqwest::{Body, Client, Method, RequestBuilder};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Bytes in the largest body that the servers take.
const LIMIT: usize = 1024;

/// How often a handler ran.
type Runs = AtomicUsize;

/// Sets up an app with the same handler behind the extractor and behind the attribute, and with one
/// for WebSockets.
fn set_up(
    config: TwilioConfigBuilder,
    runs: &Data<Runs>,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
    async fn extractor(validated: Validated<(Data<Runs>, Bytes)>) -> Bytes {
        let (runs, body) = validated.into_inner();
        runs.fetch_add(1, Ordering::SeqCst);
        body
    }

    #[validate_twilio_request]
    async fn attribute(runs: Data<Runs>, body: Bytes) -> Bytes {
        runs.fetch_add(1, Ordering::SeqCst);
        body
    }

    #[validate_twilio_request]
    async fn socket(runs: Data<Runs>, mut frames: web::Payload) -> Bytes {
        runs.fetch_add(1, Ordering::SeqCst);
        frames.next().await.unwrap().unwrap()
    }

    let config = config
        .body_limit(LIMIT)
        .body_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let runs = runs.clone();
    move |app| {
        app.app_data(config.clone())
            .app_data(runs.clone())
            .route("/extractor", web::to(extractor))
            .route("/attribute", web::to(attribute))
            .route("/socket", web::to(socket));
    }
}

struct Server {
    server: server::Server,
    runs: Data<Runs>,
}

impl Server {
    fn start(config: TwilioConfigBuilder) -> Self {
        let runs = Data::new(Runs::new(0));
        let set_up = set_up(config, &runs);
        let app = move || App::new().configure(set_up.clone());
        let server = server::Server::start_with(app, |server| server.bind_auto_h2c(LOOPBACK));
        Self { server, runs }
    }

    async fn stop(self) {
        self.server.stop().await;
    }

    fn url(&self, target: &str) -> String {
        self.server.url(target)
    }

    async fn connect(&self) -> TcpStream {
        connect(self.server.address).await
    }

    /// Sends a request, and checks the status of the answer and whether the handler ran.
    async fn send(&self, name: &str, req: RequestBuilder, expected: u16) {
        let res = soon(name, req.send()).await.unwrap();
        assert_eq!(res.status().as_u16(), expected, "{name}");
        soon(name, res.bytes()).await.unwrap();
        self.assert_runs(name, usize::from(expected == 200));
    }

    /// Sends a text as it is over a connection of its own, and returns all that is answered.
    async fn send_raw(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        talk(name, &mut self.connect().await, text).await
    }

    /// Sends a text, shuts the sending side, and returns all that is answered.
    async fn last_words(&self, name: &str, text: &str) -> String {
        last_words(name, self.connect().await, text).await
    }

    #[track_caller]
    fn assert_runs(&self, name: &str, expected: usize) {
        let runs = self.runs.swap(0, Ordering::SeqCst);
        assert_eq!(runs, expected, "{name}: runs of the handler");
    }
}

/// Returns a body of unknown length in chunks, which either ends or never does.
fn chunks<const N: usize>(chunks: [&'static str; N], ends: bool) -> Body {
    let chunks = stream::iter(chunks.map(Ok::<_, Infallible>));
    let silence = stream::pending().take(usize::from(!ends));
    Body::wrap_stream(chunks.chain(silence))
}

/// Clients for HTTP/1.1 and for HTTP/2 without TLS.
fn clients() -> [(&'static str, Client); 2] {
    let http1 = Client::builder().no_proxy();
    let http2 = Client::builder().no_proxy().http2_prior_knowledge();
    [("HTTP/1.1", http1), ("HTTP/2", http2)].map(|(name, client)| (name, client.build().unwrap()))
}

fn post(client: &Client, url: &str, content_type: &str, signature: &str) -> RequestBuilder {
    client
        .post(url)
        .header("Content-Type", content_type)
        .header(SIGNATURE, signature)
}

#[actix_web::test]
async fn genuine_requests_are_let_through() {
    #[rustfmt::skip]
    let server = Server::start(config());
    for path in ["/extractor", "/attribute"] {
        for (version, client) in clients() {
            let url = server.url(&format!("{path}?x=1"));
            let form = |body| post(&client, &url, FORM, &sign_form(&url, body));
            let hashed = hashed(&url, "{}");
            let json = || post(&client, &hashed, "application/json", &sign_text(&hashed));
            let url_alone = |method| {
                client
                    .request(method, &url)
                    .header(SIGNATURE, sign_text(&url))
            };
            let full = format!("a={}", "b".repeat(LIMIT - 2));
            let requests = [
                ("form", form("b=2&a=1").body("a=1&b=2")),
                (
                    "form in chunks",
                    form("b=2&a=1").body(chunks(["a=", "1&", "b=2"], true)),
                ),
                ("form of the largest size", form(&full).body(full.clone())),
                ("empty form", form("")),
                ("JSON", json().body("{}")),
                ("JSON in chunks", json().body(chunks(["{", "}"], true))),
                ("GET", url_alone(Method::GET)),
                ("HEAD", url_alone(Method::HEAD)),
                ("empty POST", url_alone(Method::POST)),
            ];
            for (name, req) in requests {
                server
                    .send(&format!("{name} {version} {path}"), req, 200)
                    .await;
            }
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn forgeries_are_refused() {
    let server = Server::start(config());
    for (path, other_path) in [("/extractor", "/attribute"), ("/attribute", "/extractor")] {
        for (version, client) in clients() {
            let url = &*server.url(&format!("{path}?x=1"));
            let other_url = &*server.url(&format!("{other_path}?x=1"));
            let genuine = &*sign_form(url, "a=1&b=2");
            let form = |signature: &str| post(&client, url, FORM, signature).body("a=1&b=2");
            let signed_for = |url: &str| form(&sign_form(url, "a=1&b=2"));
            let unsigned = || {
                client
                    .post(url)
                    .header("Content-Type", FORM)
                    .body("a=1&b=2")
            };
            let get = || client.get(url).header(SIGNATURE, sign_text(url));
            let labelled = |label| post(&client, url, label, genuine).body("a=1&b=2");
            let url_of_json = &*hashed(url, "{}");
            let json =
                |url, body| post(&client, url, "application/json", &sign_text(url)).body(body);
            let json_as_form =
                |body| post(&client, url_of_json, FORM, &sign_text(url_of_json)).body(body);
            let over = "a".repeat(LIMIT + 1);
            let by_another_token = {
                let token = actix_twilio::AuthToken::new("another-token").unwrap();
                let request = actix_twilio::WebhookRequest::new("POST", url);
                let validator = actix_twilio::RequestValidator::new([token]).unwrap();
                validator
                    .sign(&request.content_type(FORM).body("a=1&b=2"))
                    .unwrap()
            };
            #[rustfmt::skip]
            let requests = [
                ("forged signature", form(FORGED), 403),
                ("no signature", unsigned(), 403),
                ("malformed signature", form("?"), 403),
                ("second signature", form(genuine).header(SIGNATURE, FORGED), 403),
                ("signature before", form(FORGED).header(SIGNATURE, genuine), 403),
                ("wrong token", form(&by_another_token), 403),
                ("unknown key", form(genuine).header(SETTINGS, "key=K1"), 403),
                ("body changed", form(genuine).body("a=1&b=3"), 403),
                ("body removed", form(genuine).body(""), 403),
                ("parameter added", form(genuine).body("a=1&b=2&c=3"), 403),
                ("parameter removed", form(genuine).body("a=1"), 403),
                ("value added", form(genuine).body("a=1&b=2&b=3"), 403),
                ("body changed, in chunks", form(genuine).body(chunks(["a=1&", "b=3"], true)), 403),
                ("signed for another path", signed_for(other_url), 403),
                ("signed for another query", signed_for(&url.replace("x=1", "x=2")), 403),
                ("signed for https", signed_for(&url.replace("http", "https")), 403),
                ("signed for the URL alone", form(&sign_text(url)), 403),
                ("JSON replaced", json(url_of_json, "{\"admin\":true}"), 403),
                ("JSON replaced by a form", json_as_form("&"), 403),
                ("JSON labelled as a form", json_as_form("{}"), 403),
                ("JSON removed", json(url_of_json, ""), 403),
                ("JSON without its hash", json(url, "{}"), 403),
                ("JSON under a form's signature", labelled("application/json"), 403),
                ("GET with a body", get().body("a=1"), 403),
                ("too large", form(&sign_form(url, &over)).body(over.clone()), 413),
                ("too large, JSON", json(&hashed(url, &over), "").body(over.clone()), 413),
                ("too large, in chunks", form(genuine).body(Body::wrap_stream(stream::iter(
                    vec![Ok::<_, Infallible>("0123456789"); 200]))), 413),
                ("too slow", form(genuine).body(chunks(["a=1"], false)), 408),
                ("too slow, without a byte", form(genuine).body(chunks([], false)), 408),
                ("gzip", form(genuine).header("Content-Encoding", "gzip"), 415),
                ("charset", labelled("application/x-www-form-urlencoded; charset=utf-16"), 415),
                ("second type", labelled("application/json").header("Content-Type", FORM), 415),
            ];
            for (name, req, status) in requests {
                server
                    .send(&format!("{name} {version} {path}"), req, status)
                    .await;
            }
            // All of this does no harm to the next request.
            server.send("genuine", form(genuine), 200).await;
        }
    }
    server.stop().await;
}

/// Writes a request's text. The host of the server stands for `HOST`, lines end with CR LF.
fn text(server: &Server, text: &str) -> String {
    text.replace("HOST", &server.server.address.to_string())
        .replace('\n', "\r\n")
}

#[actix_web::test]
async fn malformed_requests_are_refused() {
    let server = Server::start(config());
    for path in ["/extractor", "/attribute"] {
        let get = sign_text(&server.url(path));
        let form = sign_form(&server.url(path), "a=1");
        let head = format!("GET {path} HTTP/1.1\nX-Twilio-Signature: {get}\n");
        let post = format!(
            "POST {path} HTTP/1.1\nHost: HOST\nX-Twilio-Signature: {form}\nContent-Type: {FORM}\n",
        );
        let to = |origin: &str| head.replace(path, &format!("{origin}{path}"));
        let chunked = format!("{post}Transfer-Encoding: chunked\n");
        let gzip = format!("{post}Transfer-Encoding: gzip, chunked\n");
        let far = format!("{post}Content-Length: 1000000000000\n");
        let many = "X-Header: a\n".repeat(200);
        let long = format!("X-Header: {}\n", "a".repeat(200_000));
        #[rustfmt::skip]
        let cases = [
            ("genuine", format!("{head}Host: HOST\n\n"), 200),
            ("absolute target", to("http://HOST") + "Host: HOST\n\n", 200),
            ("another target", to("http://evil.example") + "Host: HOST\n\n", 403),
            ("target names a user", to("http://user@HOST") + "Host: HOST\n\n", 403),
            ("another Host", format!("{head}Host: evil.example\n\n"), 403),
            ("no Host", format!("{head}\n"), 400),
            ("no Host in HTTP/1.0", head.replace("1.1", "1.0") + "\n", 403),
            ("two Hosts", format!("{head}Host: HOST\nHost: evil.example\n\n"), 400),
            ("two Hosts, the same", format!("{head}Host: HOST\nHost: HOST\n\n"), 400),
            ("empty Host", format!("{head}Host:\n\n"), 403),
            ("Host with blanks", format!("{head}Host: HO ST\n\n"), 403),
            ("Host with a path", format!("{head}Host: HOST/\n\n"), 403),
            ("Host with a user", format!("{head}Host: user@HOST\n\n"), 403),
            ("Host with an odd port", format!("{head}Host: HOST:\n\n"), 403),
            ("Host with an open bracket", format!("{head}Host: [HOST\n\n"), 403),
            ("Host of an evil kind", format!("{head}Host: \u{ff}\u{fe}\n\n"), 403),
            ("Host with NUL", format!("{head}Host: HOST\0\n\n"), 400),
            ("signature not ASCII", format!("{head}{SIGNATURE}: \u{ff}\nHost: HOST\n\n"), 403),
            ("signature over two lines", head.replace("=\n", "\n =\n") + "Host: HOST\n\n", 400),
            ("many headers", format!("{head}Host: HOST\n{many}\n"), 431),
            ("long header", format!("{head}Host: HOST\n{long}\n"), 431),
            ("bare LF smuggled", format!("{head}Host: HOST\nX: a\rX-Y: b\n\n"), 400),
            ("form", format!("{post}Content-Length: 3\n\na=1"), 200),
            ("chunks", format!("{chunked}\n3\na=1\n0\n\n"), 200),
            ("chunks with a trailer", format!("{chunked}\n3\na=1\n0\nX: y\n\n"), 200),
            ("chunks of an odd length", format!("{chunked}\n-3\na=1\n0\n\n"), 403),
            ("two lengths", format!("{post}Content-Length: 3\nContent-Length: 3\n\na=1"), 400),
            ("odd length", format!("{post}Content-Length: +3\n\na=1"), 400),
            ("length and chunks", format!("{chunked}Content-Length: 3\n\n3\na=1\n0\n\n"), 400),
            ("gzip in chunks", format!("{gzip}\n3\na=1\n0\n\n"), 400),
            ("no length", format!("{post}\na=1"), 403),
            ("shorter length", format!("{post}Content-Length: 2\n\na=1"), 403),
            ("longer length", format!("{post}Content-Length: 4\n\na=1"), 408),
            ("far too long, nothing sent", format!("{far}\n"), 413),
            ("far too long, waiting", format!("{far}Expect: 100-continue\n\n"), 413),
        ];
        for (name, request, status) in cases {
            let name = &format!("{name} {path}");
            let answer = server.send_raw(name, text(&server, &request)).await;
            // What follows a request whose end is lost is one more, malformed request.
            let first = statuses(&answer).first().copied();
            assert_eq!(first, Some(status), "{name}: {answer:?}");
            server.assert_runs(name, usize::from(status == 200));
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn connection_goes_on_after_a_refusal() {
    let server = Server::start(config());
    for path in ["/extractor", "/attribute"] {
        let signature = sign_form(&server.url(path), "a=1");
        let form = |signature: &str, body: &str| {
            let head = format!(
                "POST {path} HTTP/1.1\nHost: HOST\nContent-Type: {FORM}\nContent-Length: {}\n\
                 X-Twilio-Signature: {signature}\n\n{body}",
                body.len(),
            );
            text(&server, &head)
        };
        let mut connection = server.connect().await;
        for (name, request, status) in [
            ("genuine", form(&signature, "a=1"), 200),
            ("body changed", form(&signature, "a=2"), 403),
            ("genuine after it", form(&signature, "a=1"), 200),
            ("forged", form(FORGED, "a=1"), 403),
            ("genuine after both", form(&signature, "a=1"), 200),
        ] {
            let answer = talk(name, &mut connection, request).await;
            assert_eq!(statuses(&answer), [status], "{name} {path}: {answer:?}");
            server.assert_runs(name, usize::from(status == 200));
        }
    }
    server.stop().await;
}

/// The body of a request that is refused unread must not be taken for the next request.
#[actix_web::test]
async fn refused_body_is_no_request() {
    #[rustfmt::skip]
    let server = Server::start(config());
    for path in ["/extractor", "/attribute"] {
        let signature = sign_text(&server.url(path));
        let hidden =
            format!("GET {path} HTTP/1.1\nHost: HOST\nX-Twilio-Signature: {signature}\n\n");
        let hidden = text(&server, &hidden);
        let length = hidden.len();
        let declared = format!("Content-Length: {length}\n");
        let forged = format!("{declared}X-Twilio-Signature: {FORGED}\n");
        let chunked = format!("Transfer-Encoding: chunked\nX-Twilio-Signature: {FORGED}\n");
        let chunk = format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n");
        let cases: &[(&str, &str, &str, &[u16])] = &[
            ("no signature", &declared, &hidden, &[403]),
            ("forged URL", &forged, &hidden, &[403]),
            (
                "gzip",
                &format!("{forged}Content-Encoding: gzip\n"),
                &hidden,
                &[415],
            ),
            (
                "too large",
                &forged.replace("Length: ", "Length: 9"),
                &hidden,
                &[413],
            ),
            ("chunked", &chunked, &chunk, &[403]),
            (
                "forged form",
                &format!("{forged}Content-Type: {FORM}\n"),
                &hidden,
                &[403],
            ),
            (
                "upgrade",
                &forged.replace(&declared, "Upgrade: websocket\n"),
                &hidden,
                &[403],
            ),
            // What is no body is a request.
            ("pipelined", "Content-Length: 0\n", &hidden, &[403, 200]),
        ];
        for (name, headers, body, expected) in cases {
            let head = text(
                &server,
                &format!("POST {path} HTTP/1.1\nHost: HOST\n{headers}\n"),
            );
            let answers = server.last_words(name, &(head + body)).await;
            assert_eq!(statuses(&answers), *expected, "{name} {path}: {answers:?}");
            server.assert_runs(name, expected.len() - 1);
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn truncated_bodies_reach_no_handler() {
    #[rustfmt::skip]
    let server = Server::start(config());
    for path in ["/extractor", "/attribute"] {
        let url = server.url(path);
        let head = format!("POST {path} HTTP/1.1\nHost: HOST\nContent-Type: {FORM}\n");
        let head = format!("{head}X-Twilio-Signature: {}\n", sign_form(&url, "a=1"));
        for (name, rest) in [
            ("length", "Content-Length: 4\n\na=1"),
            ("length, no body", "Content-Length: 3\n\n"),
            (
                "chunks without an end",
                "Transfer-Encoding: chunked\n\n3\na=1\n",
            ),
            ("chunk cut", "Transfer-Encoding: chunked\n\n4\na=1"),
            ("head", "Content-Length: 3\n"),
        ] {
            let request = text(&server, &format!("{head}{rest}"));
            let answer = server.last_words(name, &request).await;
            assert!(!answer.contains(" 200 "), "{name} {path}: {answer:?}");
            server.assert_runs(name, 0);
        }
        for (version, client) in clients() {
            let pieces = [Ok("a=1"), Err("broken off")];
            let body = Body::wrap_stream(stream::iter(pieces));
            let req = post(&client, &url, FORM, &sign_form(&url, "a=1")).body(body);
            if let Ok(res) = soon(version, req.send()).await {
                assert_eq!(res.status(), 403, "{version} {path}");
            }
            let genuine = post(&client, &url, FORM, &sign_form(&url, "a=1")).body("a=1");
            server.send("genuine after it", genuine, 200).await;
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn websockets_are_opened_by_genuine_handshakes_only() {
    let server = Server::start(config());
    let web = server.url("/socket");
    let (web, websocket) = (sign_text(&web), sign_text(&web.replace("http", "ws")));
    let handshake = |signature: &str| {
        format!(
            "GET /socket HTTP/1.1\nHost: HOST\nX-Twilio-Signature: {signature}\n\
             Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: a2V5\n\n",
        )
    };
    let genuine = handshake(&websocket);
    // Almost a handshake, with the signature that it would need then.
    let almost = |from: &str, to: &str| handshake(&web).replace(from, to);
    let chunked = "Transfer-Encoding: chunked\nUpgrade:";
    let large = "a".repeat(2 * LIMIT);
    #[rustfmt::skip]
    let cases = [
        ("genuine", genuine.clone() + "frame", 200),
        ("genuine, with more frames than fit in a body", genuine.clone() + &large, 200),
        ("forged", handshake(FORGED) + "frame", 403),
        ("signed for the page", handshake(&web) + "frame", 403),
        ("by POST", genuine.replace("GET", "POST") + "frame", 403),
        ("no key, signed for a WebSocket", genuine.replace("Sec-", "X-") + "frame", 403),
        ("no key", almost("Sec-", "X-") + "frame", 408),
        ("no key, large", almost("Sec-", "X-") + &large, 413),
        ("POST", almost("GET", "POST") + "frame", 408),
        ("with a length", almost("Upgrade:", "Content-Length: 5\nUpgrade:") + "frame", 408),
        ("second upgrade", almost("Upgrade:", "Upgrade: h2c\nUpgrade:") + "frame", 408),
        ("in chunks", almost("Upgrade:", chunked) + "5\nframe\n", 408),
        ("HTTP/1.0", almost("HTTP/1.1", "HTTP/1.0") + "frame", 408),
    ];
    for (name, request, status) in cases {
        let answer = server.send_raw(name, text(&server, &request)).await;
        assert_eq!(statuses(&answer), [status], "{name}: {answer:?}");
        server.assert_runs(name, usize::from(status == 200));
        if name == "genuine" {
            assert!(answer.ends_with("\r\n\r\nframe"), "{answer:?}");
        }
    }
    server.stop().await;
}

/// The headers of proxies that end TLS for `https://public.example`.
const PROXIES: [(&str, &[(&str, &str)]); 4] = [
    (
        "load balancer",
        &[
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "public.example"),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-For", "203.0.113.9"),
        ],
    ),
    (
        "Azure",
        &[
            ("X-Forwarded-Proto", "https"),
            ("X-Original-Host", "public.example"),
        ],
    ),
    (
        "standard",
        &[(
            "Forwarded",
            "for=203.0.113.9;host=public.example;proto=https",
        )],
    ),
    (
        "appending, after a forger",
        &[
            ("X-Forwarded-Proto", "http, https"),
            ("X-Forwarded-Host", "evil.example, public.example"),
        ],
    ),
];

#[actix_web::test]
async fn proxy_that_ends_tls_is_believed_if_it_is_trusted() {
    // Loopback is trusted by default.
    let trusting = Server::start(config());
    let wary = Server::start(config().trusted_proxies(["10.0.0.0/8"]).unwrap());
    let fixed = Server::start(config().public_url("https://public.example").unwrap());
    for path in ["/extractor", "/attribute"] {
        for (version, client) in clients() {
            for (proxy, headers) in PROXIES {
                // The host that each request is signed for, and whether it counts.
                for (name, server, signed_for, status) in [
                    ("trusted, public", &trusting, "https://public.example", 200),
                    ("trusted, own", &trusting, "", 403),
                    ("trusted, forger's", &trusting, "http://evil.example", 403),
                    ("untrusted, public", &wary, "https://public.example", 403),
                    ("untrusted, own", &wary, "", 200),
                    ("public URL, public", &fixed, "https://public.example", 200),
                    ("public URL, own", &fixed, "", 403),
                ] {
                    let url = server.url(path);
                    let signed = match signed_for {
                        "" => url.clone(),
                        origin => format!("{origin}{path}"),
                    };
                    let mut form =
                        post(&client, &url, FORM, &sign_form(&signed, "a=1")).body("a=1");
                    for (name, value) in headers {
                        form = form.header(*name, *value);
                    }
                    let name = format!("{proxy}, {name}, {version} {path}");
                    server.send(&name, form, status).await;
                }
            }
        }
    }
    for server in [trusting, wary, fixed] {
        server.stop().await;
    }
}

#[cfg(unix)]
#[actix_web::test]
async fn proxy_on_a_unix_socket_is_trusted_by_default() {
    let runs = Data::new(Runs::new(0));
    let trusting = set_up(config(), &runs);
    let wary = set_up(config().trusted_proxies(["127.0.0.1"]).unwrap(), &runs);
    for (name, set_up, expected) in [("trusted", trusting, 200), ("untrusted", wary, 403)] {
        let file = format!("actix-twilio-{}-{name}.sock", std::process::id());
        let file = std::env::temp_dir().join(file);
        let app = move || App::new().configure(set_up.clone());
        let server = server::Server::start_with(app, |server| server.bind_uds(&file));

        let url = "https://public.example/attribute";
        let request = format!(
            "GET /attribute HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-Host: public.example\r\nX-Twilio-Signature: {}\r\n\r\n",
            sign_text(url),
        );
        let mut connection = tokio::net::UnixStream::connect(&file).await.unwrap();
        let answer = talk(name, &mut connection, request).await;
        assert_eq!(statuses(&answer), [expected], "{name}: {answer:?}");
        assert_eq!(
            runs.swap(0, Ordering::SeqCst),
            usize::from(expected == 200),
            "{name}"
        );
        server.stop().await;
        std::fs::remove_file(file).unwrap();
    }
}

/// A peer that has reset its connection has no address, like one on a Unix socket. What it sent is read all the same.
#[actix_web::test]
async fn a_peer_that_resets_its_connection_is_not_trusted_as_one_on_a_unix_socket_is() {
    let (runs, gone) = (Data::new(Runs::new(0)), Data::new(Runs::new(0)));
    let set_up = set_up(config().trusted_proxies(["unix"]).unwrap(), &runs);
    let seen = gone.clone();
    let server = server::Server::start(move || {
        let seen = seen.clone();
        let app = App::new().configure(set_up.clone());
        app.wrap_fn(move |req, service| {
            let is_gone = req.peer_addr().is_none();
            seen.fetch_add(usize::from(is_gone), Ordering::SeqCst);
            service.call(req)
        })
    });

    let request = |told: &str, url| {
        let signature = sign_text(url);
        format!(
            "GET /attribute HTTP/1.1\r\nHost: localhost\r\n{told}X-Twilio-Signature: {signature}\r\n\r\n"
        )
    };
    let told = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\n";
    let other = request(told, "https://public.example/attribute");
    for _ in 0..200 {
        let mut connection = connect(server.address).await;
        connection.set_zero_linger().unwrap();
        connection.write_all(other.as_bytes()).await.unwrap();
    }
    // The worker takes connections in their order.
    let own = request("", "http://localhost/attribute");
    let mut connection = connect(server.address).await;
    let answer = talk("its own", &mut connection, own).await;
    assert_eq!(statuses(&answer), [200], "{answer}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    // Elsewhere, actix-web may not read what they sent.
    if cfg!(target_os = "linux") {
        assert_ne!(gone.load(Ordering::SeqCst), 0);
    }
    server.stop().await;
}
