//! Real proxies in front of a real server, with the configurations of `data/proxies`.
//!
//! The client is curl: it speaks HTTP/1.1 and HTTP/2 over TLS, and sends targets and headers as they are
//! given, which most HTTP libraries do not.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_twilio::{TwilioConfigBuilder, validate_twilio_request};
use actix_twilio_tests::{FORGED, FORM, config, hashed, server, sign_form, sign_text};
use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    rt::spawn,
    web::{self, Bytes, Data, Payload},
};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

mod proxy;

use self::proxy::{Kind, Proxy, Request, Version, curl, tls};

/// How often a handler ran.
type Runs = Data<AtomicUsize>;

struct Server {
    server: server::Server,
    runs: Runs,
}

impl Server {
    fn start(config: TwilioConfigBuilder) -> Self {
        #[validate_twilio_request]
        async fn echo(runs: Runs, body: Bytes) -> Bytes {
            runs.fetch_add(1, Ordering::SeqCst);
            body
        }

        #[validate_twilio_request]
        async fn media(
            runs: Runs,
            req: HttpRequest,
            payload: Payload,
        ) -> Result<HttpResponse, Error> {
            runs.fetch_add(1, Ordering::SeqCst);
            let (res, mut session, mut messages) = actix_ws::handle(&req, payload)?;
            spawn(async move {
                while let Some(Ok(actix_ws::Message::Text(text))) = messages.next().await {
                    session.text(text).await.unwrap();
                }
            });
            Ok(res)
        }

        let config = config.build().unwrap();
        let runs = Data::new(AtomicUsize::new(0));
        let of_app = runs.clone();
        let server = server::Server::start(move || {
            App::new()
                .app_data(config.clone())
                .app_data(of_app.clone())
                .route("/media", web::get().to(media))
                .default_service(web::to(echo))
        });
        Self { server, runs }
    }

    async fn stop(self) {
        self.server.stop().await;
    }

    /// Sends a request through a proxy. A handler must have run if, and only if, one is to answer.
    async fn assert(
        &self,
        name: &str,
        proxy: &Proxy,
        version: Version,
        req: &Request,
        passes: bool,
    ) {
        let (status, body) = curl(version, proxy, req).await;
        let name = format!("{name}, {version:?}: {status} {req:?}");
        let runs = self.runs.swap(0, Ordering::SeqCst);
        assert_eq!(runs, usize::from(passes), "runs of the handler: {name}");
        if passes {
            assert_eq!((status, body), (200, req.body.clone()), "{name}");
        } else {
            // The proxy itself refuses what is no proper request: 400, 404, 421.
            assert!((400..500).contains(&status), "{name}");
        }
    }

    /// Sends requests to a base URL through a proxy: genuine ones pass, with hostile headers too, and no others.
    async fn assert_genuine_alone_pass(&self, name: &str, proxy: &Proxy, base: &str) {
        for version in Version::ALL {
            let name = |case| format!("{name}, {case}");
            for (case, req) in genuine(base) {
                self.assert(&name(case), proxy, version, &req, true).await;
            }
            for (case, req) in forged(base) {
                self.assert(&name(case), proxy, version, &req, false).await;
            }
            for (case, headers, claimed) in HOSTILE {
                let req = hostile(base, headers, claimed);
                self.assert(&name(case), proxy, version, &req, false).await;
                // Nor do they disturb a genuine request.
                let req = add(form(&format!("{base}/message"), "a=1"), headers);
                self.assert(&name(case), proxy, version, &req, true).await;
            }
        }
    }
}

/// What a user writes in the proxy and in the app.
struct Setting {
    name: &'static str,
    /// The URL that Twilio is given, up to the path that the app sees.
    base: &'static str,
    config: TwilioConfigBuilder,
    site: String,
}

/// The documented settings, for one proxy before the app.
fn settings(kind: Kind) -> Vec<Setting> {
    let public = |base| config().public_url(base).unwrap();
    let forwarded = || config().trusted_proxies(["127.0.0.1"]).unwrap();
    let on_port = |site: &str| site.replace("Host example.com", "Host example.com:8443");
    let setting = |name, base, config, site: String| Setting {
        name,
        base,
        config,
        site,
    };
    let [root, prefix] = ["https://example.com", "https://example.com/twilio"];
    let [port, both] = [
        "https://example.com:8443",
        "https://example.com:8443/twilio",
    ];
    let prefixed = || forwarded().forwarded_prefix(true);
    #[rustfmt::skip]
    let settings = vec![
        setting("public URL", root, public(root), kind.plain().into()),
        setting("public URL, prefix", prefix, public(prefix), kind.prefix().into()),
        setting("public URL, port", port, public(port), kind.plain().into()),
        setting("public URL, proxy without header lines", root, public(root), without_headers(kind, kind.plain())),
        setting("forwarded", root, forwarded(), kind.plain().into()),
        setting("forwarded, prefix", prefix, prefixed(), kind.prefix().into()),
        setting("forwarded, port", port, forwarded(), on_port(kind.plain())),
        setting("forwarded, both", both, prefixed(), on_port(kind.prefix())),
    ];
    settings
}

/// A configuration without its lines on forwarded headers, as many proxies run.
fn without_headers(kind: Kind, site: &str) -> String {
    site.split_inclusive('\n')
        .filter(|line| !kind.is_header_line(line))
        .collect()
}

fn request(method: &'static str, url: impl Into<String>) -> Request {
    Request {
        method,
        url: url.into(),
        headers: Vec::new(),
        body: String::new(),
    }
}

impl Request {
    fn with(mut self, header: impl Into<String>) -> Self {
        self.headers.push(header.into());
        self
    }

    fn signed(self, signature: &str) -> Self {
        self.with(format!("X-Twilio-Signature: {signature}"))
    }
}

/// A form, signed as if it was sent to a URL of its own.
fn form_signed_for(signed: &str, url: &str, body: &str) -> Request {
    let req = request("POST", url).with(format!("Content-Type: {FORM}"));
    let mut req = req.signed(&sign_form(signed, body));
    body.clone_into(&mut req.body);
    req
}

fn form(url: &str, body: &str) -> Request {
    form_signed_for(url, url, body)
}

fn get(url: &str) -> Request {
    request("GET", url).signed(&sign_text(url))
}

/// Requests as Twilio sends them to a base URL.
fn genuine(base: &str) -> Vec<(&'static str, Request)> {
    let url = |target: &str| format!("{base}{target}");
    let json_body = "{\"events\":[1,2]}";
    let json_url = hashed(&url("/events?x=1"), json_body);
    let mut json = request("POST", &*json_url)
        .with("Content-Type: application/json")
        .signed(&sign_text(&json_url));
    json_body.clone_into(&mut json.body);
    vec![
        (
            "form",
            form(&url("/message"), "Body=caf%C3%A9+a%20b&From=%2B1&A=&A=x"),
        ),
        (
            "form to a URL of odd letters",
            form(
                &url("/message?a=%7Ea%2fb+c'%27;@:/?&=&%E2%9C%93&e=|"),
                "b=2&a=1",
            ),
        ),
        (
            "form of 100 kB",
            form(&url("/message"), &format!("a={}", "b".repeat(100_000))),
        ),
        ("JSON", json),
        ("GET", get(&url("/voice?CallSid=CA1&From=%2B1"))),
        ("GET of the root", get(&url("/"))),
        (
            "path with escapes",
            get(&url("/a%20b%7Ec%2Fd%3Fe/%C3%A9;f=g,h")),
        ),
        ("path with empty segments", get(&url("/a//b///"))),
    ]
}

/// Requests that somebody without the token sends to a base URL.
fn forged(base: &str) -> Vec<(&'static str, Request)> {
    let url = &*format!("{base}/message");
    let mut changed = form(url, "Amount=1");
    changed.body = "Amount=9".into();
    let mut moved = form(url, "a=1");
    moved.url = format!("{base}/admin");
    let mut queried = get(url);
    queried.url += "?a=1";
    vec![
        ("no signature", request("GET", url)),
        ("forged", request("GET", url).signed(FORGED)),
        ("body changed", changed),
        ("path changed", moved),
        ("query added", queried),
        (
            "signed for http",
            form_signed_for(&url.replace("https", "http"), url, "a=1"),
        ),
        (
            "signed for another host",
            form_signed_for("https://other.example/message", url, "a=1"),
        ),
        ("second signature", get(url).signed(FORGED)),
    ]
}

/// Headers that a client sends to be taken for somebody else, and the URL that they make where they are
/// believed. `AUTHORITY` and `PREFIX` stand for those of the base URL.
#[rustfmt::skip]
const HOSTILE: [(&str, &[&str], &str); 14] = [
    ("host", &["X-Forwarded-Host: evil.example"], "https://evil.examplePREFIX/message"),
    ("host, twice", &["X-Forwarded-Host: evil.example", "X-Forwarded-Host: evil.example"],
        "https://evil.examplePREFIX/message"),
    ("host in a list", &["X-Forwarded-Host: evil.example, evil.example"], "https://evil.examplePREFIX/message"),
    ("host in small letters", &["x-forwarded-host: evil.example"], "https://evil.examplePREFIX/message"),
    ("original host", &["X-Original-Host: evil.example"], "https://evil.examplePREFIX/message"),
    ("standard", &["Forwarded: host=evil.example;proto=https"], "https://evil.examplePREFIX/message"),
    ("scheme", &["X-Forwarded-Proto: http"], "http://AUTHORITYPREFIX/message"),
    ("port", &["X-Forwarded-Port: 1234"], "https://example.com:1234PREFIX/message"),
    ("prefix", &["X-Forwarded-Prefix: /evil"], "https://AUTHORITY/evil/message"),
    ("Host", &["Host: evil.example"], "https://evil.examplePREFIX/message"),
    ("all", &["X-Original-Host: evil.example", "X-Forwarded-Host: evil.example",
        "Forwarded: host=evil.example;proto=http", "X-Forwarded-Proto: http", "X-Forwarded-Port: 1234",
        "X-Forwarded-Prefix: /evil"], "http://evil.example:1234/evil/message"),
    // What a proxy is asked to treat as its own is left out by some, set by the proxy or not.
    ("host to be dropped", &["Connection: X-Forwarded-Host", "Host: evil.example"],
        "https://evil.examplePREFIX/message"),
    ("scheme to be dropped", &["Connection: keep-alive, X-Forwarded-Proto"], "http://AUTHORITYPREFIX/message"),
    ("all to be dropped", &["Connection: X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Prefix",
        "Host: evil.example"], "http://evil.example/message"),
];

/// Adds a hostile case's headers to a request.
fn add(mut req: Request, headers: &[&str]) -> Request {
    req.headers
        .extend(headers.iter().map(|&header| header.to_owned()));
    req
}

/// A request with hostile headers, signed for the URL that they make.
fn hostile(base: &str, headers: &[&str], claimed: &str) -> Request {
    let rest = base.strip_prefix("https://").unwrap();
    let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let claimed = claimed
        .replace("AUTHORITY", authority)
        .replace("PREFIX", prefix);
    add(
        form_signed_for(&claimed, &format!("{base}/message"), "a=1"),
        headers,
    )
}

/// The guide has a block for each configuration of a proxy: each line of it is one that is tested, in the
/// same order, and no line is left out that users need.
#[test]
fn guide_shows_the_tested_configurations() {
    let guide = include_str!("../../../runtime/guide/proxies.md");
    for kind in Kind::ALL {
        let files = [kind.plain(), kind.prefix(), kind.inner()];
        let blocks = kind.blocks_of(guide);
        assert_eq!(blocks.len(), files.len(), "{kind:?}: {blocks:#?}");
        for (block, file) in blocks.into_iter().zip(files) {
            let shown: Vec<_> = lines(block).collect();
            let mut tested = lines(file);
            for line in &shown {
                let found = tested.any(|tested| tested == *line);
                assert!(found, "{kind:?}: not tested, or not in this order: {line}");
            }
            for line in lines(file).filter(|line| kind.is_essential_line(line)) {
                assert!(shown.contains(&line), "{kind:?}: not shown: {line}");
            }
        }
    }
}

/// The lines of a configuration that are not blank, without their indentation.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn documented_settings_let_genuine_requests_through_and_no_others() {
    for kind in Kind::ALL {
        for setting in settings(kind) {
            let server = Server::start(setting.config);
            let proxy = Proxy::start(kind, &setting.site, server.server.address);
            let name = format!("{kind:?}, {}", setting.name);
            server
                .assert_genuine_alone_pass(&name, &proxy, setting.base)
                .await;
            server.stop().await;
        }
    }
}

/// Whether a hostile request passes, or a genuine one does not: over HTTP/1.1, with what the documentation
/// says of forwarded headers.
async fn is_broken(kind: Kind, site: &str, base: &str) -> bool {
    let config = config().trusted_proxies(["127.0.0.1"]).unwrap();
    let server = Server::start(config.forwarded_prefix(true));
    let proxy = Proxy::start(kind, site, server.server.address);
    let genuine = form(&format!("{base}/message"), "a=1");
    let mut broken = curl(Version::Http1, &proxy, &genuine).await.0 != 200;
    for (_, headers, claimed) in HOSTILE {
        let hostile = hostile(base, headers, claimed);
        broken |= curl(Version::Http1, &proxy, &hostile).await.0 == 200;
    }
    server.stop().await;
    broken
}

#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn every_header_line_of_the_documented_configurations_is_needed() {
    for kind in Kind::ALL {
        for (site, base) in [
            (kind.plain(), "https://example.com"),
            (kind.prefix(), "https://example.com/twilio"),
        ] {
            assert!(!is_broken(kind, site, base).await, "{kind:?}");
            let lines: Vec<_> = site
                .lines()
                .filter(|line| kind.is_header_line(line))
                .collect();
            assert!(lines.len() >= 5, "{kind:?}: {lines:?}");
            for line in lines {
                let without = site.replace(&format!("{line}\n"), "");
                assert!(is_broken(kind, &without, base).await, "{kind:?}: {line}");
            }
        }
    }
}

#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn genuine_requests_without_forwarded_headers_are_refused() {
    let base = "https://example.com";
    for kind in Kind::ALL {
        for (name, config) in [
            ("trusted", config().trusted_proxies(["127.0.0.1"]).unwrap()),
            ("by default", config()),
        ] {
            let server = Server::start(config);
            let site = without_headers(kind, kind.plain());
            let bare = Proxy::start(kind, &site, server.server.address);
            for version in Version::ALL {
                for (case, req) in genuine(base) {
                    let name = format!("{kind:?}, {name}, {case}");
                    server.assert(&name, &bare, version, &req, false).await;
                }
            }
            server.stop().await;
        }
        // The headers are there, but the app trusts others.
        let server = Server::start(config().trusted_proxies(["10.0.0.0/8"]).unwrap());
        let proxy = Proxy::start(kind, kind.plain(), server.server.address);
        for version in Version::ALL {
            let req = form("https://example.com/message", "a=1");
            server
                .assert("from a stranger", &proxy, version, &req, false)
                .await;
        }
        server.stop().await;
    }
}

/// What the documentation warns of: with the defaults, behind a proxy that passes on what clients say, a
/// client chooses the URL. It needs a signature by the token all the same, such as one that was recorded at
/// another URL of the account. A public URL ends that.
#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn by_default_a_client_may_choose_the_url_behind_a_careless_proxy() {
    const BASE: &str = "https://example.com";
    // Apache adds the Host header to the right of X-Forwarded-Host: that is where the name comes from.
    let headers = [
        "Host: evil.example",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
    ];
    let claimed = "https://evil.example/message";
    for kind in Kind::ALL {
        let careless = without_headers(kind, kind.plain());
        for (name, config, passes) in [
            ("defaults", config(), true),
            ("public URL", config().public_url(BASE).unwrap(), false),
        ] {
            let server = Server::start(config);
            let proxy = Proxy::start(kind, &careless, server.server.address);
            for version in Version::ALL {
                let name = format!("{kind:?}, {name}");
                let replayed = hostile(BASE, &headers, claimed);
                server
                    .assert(&name, &proxy, version, &replayed, passes)
                    .await;
                // No header helps who has no signature, or changes what was signed.
                let mut changed = replayed.clone();
                changed.body = "a=2".into();
                server.assert(&name, &proxy, version, &changed, false).await;
                for (case, headers, _) in HOSTILE {
                    let req = add(request("GET", format!("{BASE}/message")), headers);
                    let req = req.signed(FORGED);
                    server.assert(case, &proxy, version, &req, false).await;
                }
            }
            server.stop().await;
        }
    }
}

/// Lines that are often written, and lose what Twilio signed: genuine requests are refused.
#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn shortcuts_in_proxies_refuse_genuine_requests() {
    let cases = [
        (
            "the name without its port",
            Kind::Nginx,
            ("X-Forwarded-Host example.com", "X-Forwarded-Host $host"),
            Kind::Nginx.plain(),
            config().trusted_proxies(["127.0.0.1"]).unwrap(),
            "https://example.com:8443",
            "/message",
        ),
        (
            "a path that nginx writes anew",
            Kind::Nginx,
            ("8080$stripped", "8080/"),
            Kind::Nginx.prefix(),
            config().public_url("https://example.com/twilio").unwrap(),
            "https://example.com/twilio",
            "/a%7Eb",
        ),
        (
            "a path that Apache writes anew",
            Kind::Apache,
            ("nocanon ", ""),
            Kind::Apache.plain(),
            config().public_url("https://example.com").unwrap(),
            "https://example.com",
            "/a%7Eb",
        ),
    ];
    for (name, kind, (from, to), site, config, base, target) in cases {
        assert!(site.contains(from), "{name}");
        let server = Server::start(config);
        let right = site.replace("Host example.com;", "Host example.com:8443;");
        let right = if target == "/message" { &*right } else { site };
        for (site, passes) in [(right, true), (&site.replace(from, to), false)] {
            let proxy = Proxy::start(kind, site, server.server.address);
            for version in Version::ALL {
                let req = get(&format!("{base}{target}"));
                server.assert(name, &proxy, version, &req, passes).await;
            }
        }
        server.stop().await;
    }
}

/// Apache leaves out the headers that a client names in `Connection`, its own among them. If it also
/// passes on the client's `Host`, then the client chooses the name, but for a public URL.
#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn apache_that_preserves_the_host_needs_a_public_url() {
    const BASE: &str = "https://example.com";
    let site = Kind::Apache.plain();
    let preserving = site.replace("RequestHeader unset Connection", "ProxyPreserveHost On");
    let trusted = || config().trusted_proxies(["127.0.0.1"]).unwrap();
    for (name, config, site, passes) in [
        ("preserved, forwarded", trusted(), &*preserving, true),
        (
            "preserved, public URL",
            config().public_url(BASE).unwrap(),
            &preserving,
            false,
        ),
        ("as documented", trusted(), site, false),
    ] {
        let server = Server::start(config);
        let proxy = Proxy::start(Kind::Apache, site, server.server.address);
        let headers = ["Connection: X-Forwarded-Host", "Host: evil.example"];
        let req = hostile(BASE, &headers, "https://evil.example/message");
        server
            .assert(name, &proxy, Version::Http1, &req, passes)
            .await;
        server.stop().await;
    }
}

/// The documented configuration of an app behind two proxies.
fn behind_two() -> TwilioConfigBuilder {
    let config = config().trusted_proxies(["127.0.0.1"]).unwrap();
    config.trusted_hops(2).unwrap()
}

#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn two_proxies_in_a_row_are_two_hops() {
    let [root, prefix] = ["https://example.com", "https://example.com/twilio"];
    for (outer, inner) in [
        (Kind::Nginx, Kind::Haproxy),
        (Kind::Haproxy, Kind::Apache),
        (Kind::Apache, Kind::Nginx),
    ] {
        for (name, site, base, config) in [
            ("hops", outer.plain(), root, behind_two()),
            (
                "hops, prefix",
                outer.prefix(),
                prefix,
                behind_two().forwarded_prefix(true),
            ),
            (
                "public URL",
                outer.plain(),
                root,
                config().public_url(root).unwrap(),
            ),
        ] {
            let server = Server::start(config);
            let behind = Proxy::start(inner, inner.inner(), server.server.address);
            let proxy = Proxy::start(outer, site, behind.address);
            let name = format!("{outer:?} before {inner:?}, {name}");
            server.assert_genuine_alone_pass(&name, &proxy, base).await;
            server.stop().await;
        }
    }
}

/// With one hop the URL is the one that the inner proxy was asked for.
#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn two_proxies_taken_for_one_refuse_genuine_requests() {
    let config = config().trusted_proxies(["127.0.0.1"]).unwrap();
    let server = Server::start(config.trusted_hops(1).unwrap());
    let behind = Proxy::start(Kind::Haproxy, Kind::Haproxy.inner(), server.server.address);
    let proxy = Proxy::start(Kind::Nginx, Kind::Nginx.plain(), behind.address);
    for version in Version::ALL {
        for (case, req) in genuine("https://example.com") {
            server.assert(case, &proxy, version, &req, false).await;
        }
    }
    server.stop().await;
}

/// HAProxy passes a client's `Connection` on, and the next proxy leaves out what is named there.
#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn connection_lines_of_haproxy_are_needed_before_another_proxy() {
    let site = Kind::Haproxy.plain();
    let url = "https://example.com/message";
    let dropping = "Connection: X-Forwarded-Host, X-Forwarded-Proto";
    let lines = site.lines().filter(|line| line.contains("Connection"));
    let lines: Vec<_> = lines.filter(|line| !line.contains('#')).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let without = lines.iter().fold(site.to_owned(), |site, line| {
        site.replace(&format!("{line}\n"), "")
    });
    for (name, site, passes) in [("as documented", site, true), ("without", &without, false)] {
        let server = Server::start(behind_two());
        let behind = Proxy::start(Kind::Apache, Kind::Apache.inner(), server.server.address);
        let proxy = Proxy::start(Kind::Haproxy, site, behind.address);
        let req = form(url, "a=1").with(dropping);
        server
            .assert(name, &proxy, Version::Http1, &req, passes)
            .await;
        server.stop().await;
    }
}

#[actix_web::test]
#[ignore = "needs nginx, HAProxy and Apache"]
async fn websockets_are_opened_through_proxies_by_genuine_handshakes_only() {
    for kind in Kind::ALL {
        for setting in settings(kind) {
            let server = Server::start(setting.config);
            let proxy = Proxy::start(kind, &setting.site, server.server.address);
            let url = format!("{}/media", setting.base.replace("https", "wss"));
            for (case, signature, opens) in [
                ("genuine", sign_text(&url), true),
                ("forged", FORGED.to_owned(), false),
                (
                    "signed for the page",
                    sign_text(&url.replace("wss", "https")),
                    false,
                ),
                ("signed for ws", sign_text(&url.replace("wss", "ws")), false),
            ] {
                let name = format!("{kind:?}, {}, {case}", setting.name);
                let mut req = url.as_str().into_client_request().unwrap();
                let signature = signature.parse().unwrap();
                req.headers_mut().insert("X-Twilio-Signature", signature);
                let mut tls = tls(&proxy);
                let (input, output) = (tls.stdout.take().unwrap(), tls.stdin.take().unwrap());
                let opened = client_async(req, tokio::io::join(input, output)).await;
                assert_eq!(opened.is_ok(), opens, "{name}: {opened:?}");
                if let Ok((mut socket, _)) = opened {
                    socket.send(Message::text("hello")).await.unwrap();
                    let answer = socket.next().await.unwrap().unwrap();
                    assert_eq!(answer, Message::text("hello"), "{name}");
                }
                let runs = server.runs.swap(0, Ordering::SeqCst);
                assert_eq!(runs, usize::from(opens), "{name}");
            }
            server.stop().await;
        }
    }
}
