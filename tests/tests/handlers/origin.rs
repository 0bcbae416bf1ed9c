//! Where the URL comes from: the configured public URL, else forwarded headers from trusted peers,
//! else the request itself.

use std::net::SocketAddr;

use actix_twilio::{
    TwilioConfig, Validated,
    ValidationErrorKind::{OriginMalformed, Signature},
    signature::SignatureErrorKind::SignatureMismatch,
};
use actix_twilio_tests::{FORGED, config, refusal, sign_text};
use actix_web::{
    App,
    http::{
        Version,
        header::{HOST, HeaderValue},
    },
    test::{TestRequest, call_service, init_service},
    web,
};

const TARGET: &str = "/hook?x=1";

/// A peer that is a trusted proxy by default, and one that is not.
const PROXY: &str = "10.0.0.7:4711";
const STRANGER: &str = "203.0.113.9:4711";

const OWN: &str = "http://own.example";
const PUBLIC: &str = "https://public.example";

type Headers<'a> = &'a [(&'a str, &'a str)];

fn peer(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// Makes a request to `own.example`, unless the headers say another host, from this peer.
fn request(from: &str, headers: Headers<'_>) -> TestRequest {
    let mut req = TestRequest::with_uri(TARGET).peer_addr(peer(from));
    if headers.iter().all(|(name, _)| *name != "Host") {
        req = req.insert_header((HOST, "own.example"));
    }
    for (name, value) in headers {
        req = req.append_header((*name, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
    }
    req
}

/// Sends a request that is signed for each of these URLs to a handler behind a configuration, and
/// returns those for which it is accepted. The first refusal must be of the other kind if none is.
async fn accepted<'u>(
    name: &str,
    config: &TwilioConfig,
    request: impl Fn() -> TestRequest,
    urls: &'u [String],
) -> Vec<&'u str> {
    let app = App::new()
        .app_data(config.clone())
        .default_service(web::to(async |_: Validated<()>| ""));
    let app = init_service(app).await;
    let (mut accepted, mut kinds) = (Vec::new(), Vec::new());
    for url in urls {
        let req = request().insert_header(("X-Twilio-Signature", sign_text(url)));
        let res = call_service(&app, req.to_request()).await;
        match res.status().as_u16() {
            200 => accepted.push(url.as_str()),
            status => {
                assert_eq!(status, 403, "{name}: {url}");
                kinds.push(refusal(&res).unwrap());
            }
        }
    }
    let expected = if accepted.is_empty() {
        OriginMalformed
    } else {
        Signature(SignatureMismatch)
    };
    assert!(
        kinds.iter().all(|kind| *kind == expected),
        "{name}: {kinds:?}"
    );
    accepted
}

/// Checks that a request is taken for one to this origin and to no other one, or that its origin
/// can't be told.
async fn assert_origin(
    name: &str,
    config: &TwilioConfig,
    request: impl Fn() -> TestRequest,
    origin: Option<&str>,
) {
    let hosts = [
        "own.example",
        "public.example",
        "a.example",
        "evil.example",
        "user:pass@own.example",
        "[2001:db8::7]",
        "",
    ];
    let mut urls = Vec::new();
    for scheme in ["http", "https", "ws", "wss"] {
        for host in hosts {
            for port in ["", ":80", ":443", ":8443"] {
                urls.push(format!("{scheme}://{host}{port}{TARGET}"));
            }
        }
    }
    let mut accepted = accepted(name, config, request, &urls).await;
    accepted.sort_unstable();
    let mut expected = Vec::new();
    if let Some(origin) = origin {
        expected.push(format!("{origin}{TARGET}"));
        // A signature counts with the port toggled, too.
        let (scheme, host) = origin.split_once("://").unwrap();
        let secure = ["https", "wss"].contains(&scheme);
        expected.push(match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{scheme}://{host}{TARGET}")
            }
            _ => format!("{origin}:{}{TARGET}", if secure { 443 } else { 80 }),
        });
    }
    // What is not tried can't be accepted.
    for url in &expected {
        assert!(urls.contains(url), "{name}: {url} is not tried");
    }
    expected.sort();
    assert_eq!(accepted, expected, "{name}");
}

/// `Host` headers, and the origin that they tell.
#[rustfmt::skip]
const OWN_HOSTS: &[(&str, Headers<'_>, Option<&str>)] = &[
    ("host", &[("Host", "own.example")], Some(OWN)),
    ("port", &[("Host", "own.example:8443")], Some("http://own.example:8443")),
    ("IPv6", &[("Host", "[2001:db8::7]")], Some("http://[2001:db8::7]")),
    ("two", &[("Host", "own.example"), ("Host", "evil.example")], None),
    ("two, the same", &[("Host", "own.example"), ("Host", "own.example")], None),
    ("empty", &[("Host", "")], None),
    ("blank", &[("Host", " ")], None),
    ("list", &[("Host", "own.example, evil.example")], None),
    ("path", &[("Host", "own.example/evil")], None),
    ("user", &[("Host", "user:pass@own.example")], None),
    ("open port", &[("Host", "own.example:")], None),
    ("odd port", &[("Host", "own.example:0080")], None),
    ("open IPv6", &[("Host", "[2001:db8::7")], None),
    ("bare IPv6", &[("Host", "2001:db8::7")], None),
    ("blank inside", &[("Host", "own .example")], None),
    ("not ASCII", &[("Host", "\u{f6}wn.example")], None),
    ("quotes", &[("Host", "\"own.example\"")], None),
];

mod forwarded {
    use super::{Headers, OWN, PUBLIC};

    const ORIGINAL: &str = "X-Original-Host";
    const HOST: &str = "X-Forwarded-Host";
    const PROTO: &str = "X-Forwarded-Proto";
    const PORT: &str = "X-Forwarded-Port";
    const PREFIX: &str = "X-Forwarded-Prefix";
    const FORWARDED: &str = "Forwarded";
    const HOST_8443: Option<&str> = Some("http://public.example:8443");
    const PUBLIC_8443: Option<&str> = Some("https://public.example:8443");
    const OWN_TLS: Option<&str> = Some("https://own.example");
    const CLEAR: Option<&str> = Some("http://public.example");

    /// The number of trusted hops, headers, and the origin that they tell if they are trusted.
    #[rustfmt::skip]
    pub(super) const CASES: &[(&str, usize, Headers<'_>, Option<&str>)] = &[
        ("none", 1, &[], Some(OWN)),
        ("unheard of", 1, &[("X-Host", "evil.example"), ("X-Forwarded-Ssl", "on")], Some(OWN)),
        // The scheme.
        ("https", 1, &[(PROTO, "https")], OWN_TLS),
        ("wss", 1, &[(PROTO, "wss")], OWN_TLS),
        ("http", 1, &[(PROTO, "http")], Some(OWN)),
        ("ws", 1, &[(PROTO, "ws")], Some(OWN)),
        ("capitals", 1, &[(PROTO, "HTTPS")], OWN_TLS),
        ("ftp", 1, &[(PROTO, "ftp")], None),
        ("blank scheme", 1, &[(PROTO, " ")], Some(OWN)),
        ("no scheme's text", 1, &[(PROTO, "")], Some(OWN)),
        ("scheme and more", 1, &[(PROTO, "https://")], None),
        ("quoted scheme", 1, &[(PROTO, "\"https\"")], None),
        ("list of schemes", 1, &[(PROTO, "http, https")], OWN_TLS),
        ("list of schemes, 2 hops", 2, &[(PROTO, "https, http")], OWN_TLS),
        ("list of schemes, 9 hops", 9, &[(PROTO, "https, http")], OWN_TLS),
        ("schemes by semicolon", 1, &[(PROTO, "http;https")], None),
        // The host, and which header wins.
        ("host", 1, &[(HOST, "public.example")], CLEAR),
        ("usual", 1, &[(HOST, "public.example"), (PROTO, "https")], Some(PUBLIC)),
        ("ngrok", 1, &[(ORIGINAL, "public.example"), (PROTO, "https")], Some(PUBLIC)),
        ("original first", 1, &[(HOST, "evil.example"), (ORIGINAL, "public.example")], CLEAR),
        ("host before standard", 1,
            &[(FORWARDED, "host=evil.example"), (HOST, "public.example")], CLEAR),
        ("scheme before standard", 1,
            &[(FORWARDED, "host=public.example;proto=http"), (PROTO, "https")], Some(PUBLIC)),
        ("host by one, scheme by the other", 1,
            &[(FORWARDED, "host=evil.example;proto=https"), (HOST, "public.example")],
            Some(PUBLIC)),
        // Lists, read from the right.
        ("forged first", 1, &[(HOST, "evil.example, public.example")], CLEAR),
        ("forged first, no blank", 1, &[(HOST, "evil.example,public.example")], CLEAR),
        ("forged first, tabs", 1, &[(HOST, "evil.example\t,\tpublic.example\t")], CLEAR),
        ("forged line", 1, &[(HOST, "evil.example"), (HOST, "public.example")], CLEAR),
        ("forged nonsense", 1, &[(HOST, "\"?/@, public.example")], CLEAR),
        ("2 hops", 2, &[(HOST, "evil.example, public.example, a.example")], CLEAR),
        ("2 hops over lines", 2,
            &[(HOST, "evil.example, public.example"), (HOST, "a.example")], CLEAR),
        ("3 hops", 3, &[(HOST, "public.example, a.example, a.example")], CLEAR),
        ("3 hops, shorter list", 3, &[(HOST, "public.example, a.example")], CLEAR),
        ("3 hops, one value", 3, &[(HOST, "public.example")], CLEAR),
        ("nothing last", 1, &[(HOST, "public.example,")], None),
        ("nothing first", 1, &[(HOST, ", public.example")], CLEAR),
        ("nothing at 2 hops", 2, &[(HOST, "public.example, , a.example")], None),
        ("commas", 1, &[(HOST, ",,,")], Some(OWN)),
        ("list in quotes", 1, &[(HOST, "\"evil.example, public.example\"")], None),
        // Malformed hosts.
        ("no host's text", 1, &[(HOST, "")], Some(OWN)),
        ("blank host", 1, &[(HOST, " \t ")], Some(OWN)),
        ("two words", 1, &[(HOST, "public example")], None),
        ("path", 1, &[(HOST, "public.example/")], None),
        ("URL", 1, &[(HOST, "https://public.example")], None),
        ("query", 1, &[(HOST, "public.example?")], None),
        ("fragment", 1, &[(HOST, "public.example#")], None),
        ("backslash", 1, &[(HOST, "public.example\\")], None),
        ("user", 1, &[(HOST, "public.example@evil.example")], None),
        ("percent", 1, &[(HOST, "public%2eexample")], None),
        ("quotes", 1, &[(HOST, "\"public.example\"")], None),
        ("not ASCII", 1, &[(HOST, "p\u{fc}blic.example")], None),
        ("not ASCII, original", 1, &[(ORIGINAL, "\u{ff}"), (HOST, "public.example")], None),
        ("not ASCII, not reached", 1, &[(ORIGINAL, "public.example"), (HOST, "\u{ff}")], None),
        ("IPv6", 1, &[(HOST, "[2001:db8::7]")], Some("http://[2001:db8::7]")),
        ("IPv6, port", 1, &[(HOST, "[2001:db8::7]:8443")], Some("http://[2001:db8::7]:8443")),
        ("IPv6, bare", 1, &[(HOST, "2001:db8::7")], None),
        ("IPv6, open", 1, &[(HOST, "[2001:db8::7")], None),
        ("IPv6, zone", 1, &[(HOST, "[fe80::1%eth0]")], None),
        ("IPv6, a name", 1, &[(HOST, "[public.example]")], None),
        ("IPv6, digits alone", 1, &[(HOST, "[abc]")], None),
        // The port.
        ("port", 1, &[(HOST, "public.example:8443")], HOST_8443),
        ("port apart", 1, &[(HOST, "public.example"), (PORT, "8443")], HOST_8443),
        ("port apart, TLS", 1,
            &[(HOST, "public.example"), (PORT, "8443"), (PROTO, "https")], PUBLIC_8443),
        ("port apart, default", 1,
            &[(HOST, "public.example"), (PORT, "443"), (PROTO, "https")], Some(PUBLIC)),
        ("port in the host wins", 1, &[(HOST, "public.example:8443"), (PORT, "80")], HOST_8443),
        ("port in the host wins over an odd one", 1,
            &[(HOST, "public.example:8443"), (PORT, "444")], HOST_8443),
        ("port for the own host", 1, &[(PORT, "8443")], Some("http://own.example:8443")),
        ("list of ports", 1, &[(HOST, "public.example"), (PORT, "80, 8443")], HOST_8443),
        ("list of ports, 2 hops", 2, &[(HOST, "public.example"), (PORT, "8443, 80")], HOST_8443),
        ("no port", 1, &[(HOST, "public.example:")], None),
        ("only a port", 1, &[(HOST, ":8443")], None),
        ("port with a zero", 1, &[(HOST, "public.example:08443")], None),
        ("port too high", 1, &[(HOST, "public.example:65536")], None),
        ("port with a sign", 1, &[(PORT, "+8443")], None),
        ("port of letters", 1, &[(PORT, "https")], None),
        ("blank port", 1, &[(PORT, " ")], Some(OWN)),
        // The standard header.
        ("standard", 1, &[(FORWARDED, "host=public.example;proto=https")], Some(PUBLIC)),
        ("standard, in full", 1,
            &[(FORWARDED, "for=192.0.2.1; HOST=public.example ;by=_x; Proto=HTTPS")],
            Some(PUBLIC)),
        ("standard, without host", 1, &[(FORWARDED, "for=192.0.2.1;proto=https")], OWN_TLS),
        ("standard, quoted", 1, &[(FORWARDED, "host=\"public.example:8443\"")], HOST_8443),
        ("standard, quoted IPv6", 1,
            &[(FORWARDED, "for=\"[2001:db8::1]:4711\";host=\"[2001:db8::7]\"")],
            Some("http://[2001:db8::7]")),
        ("standard, host in quotes", 1,
            &[(FORWARDED, "for=\"x;host=evil.example\";host=public.example")], CLEAR),
        ("standard, comma in quotes", 1,
            &[(FORWARDED, "host=public.example;for=\"x, host=evil.example\"")], CLEAR),
        ("standard, escaped quote", 1,
            &[(FORWARDED, "host=public.example;for=\"\\\", host=evil.example\"")], CLEAR),
        ("standard, forged first", 1,
            &[(FORWARDED, "host=evil.example, host=public.example")], CLEAR),
        ("standard, forged line", 1,
            &[(FORWARDED, "host=evil.example"), (FORWARDED, "host=public.example")], CLEAR),
        ("standard, forged nonsense", 1,
            &[(FORWARDED, "nonsense;;=, host=public.example")], CLEAR),
        ("standard, 2 hops", 2,
            &[(FORWARDED, "host=evil.example, host=public.example, host=a.example")], CLEAR),
        ("standard, forged open quote", 1,
            &[(FORWARDED, "for=\"x, host=public.example")], None),
        ("standard, forged open quote, closed", 1,
            &[(FORWARDED, "for=\"x, for=\"1.2.3.4:5\";host=public.example")], None),
        ("standard, forged open quote in a line", 1,
            &[(FORWARDED, "for=\"x"), (FORWARDED, "host=public.example")], None),
        ("standard, host twice", 1,
            &[(FORWARDED, "host=public.example;host=public.example")], None),
        ("standard, after the quote", 1, &[(FORWARDED, "host=\"public\".example")], None),
        ("standard, no value", 1, &[(FORWARDED, "host")], None),
        ("standard, no text", 1, &[(FORWARDED, "host=")], None),
        ("standard, empty", 1, &[(FORWARDED, "")], Some(OWN)),
        ("standard, empty pairs", 1, &[(FORWARDED, ";host=public.example;;proto=https;")], Some(PUBLIC)),
        ("standard, URL", 1, &[(FORWARDED, "host=\"https://public.example\"")], None),
        ("standard, ftp", 1, &[(FORWARDED, "proto=ftp")], None),
        ("standard, not ASCII", 1, &[(FORWARDED, "for=\u{fc}")], None),
        // The prefix, which is off.
        ("prefix", 1, &[(PREFIX, "/prefix")], Some(OWN)),
        ("prefix, malformed", 1, &[(PREFIX, "?")], Some(OWN)),
    ];
}

#[actix_web::test]
async fn forwarded_headers_count_from_a_trusted_peer() {
    for (name, hops, headers, expected) in forwarded::CASES {
        let config = config().trusted_hops(*hops).unwrap().build().unwrap();
        assert_origin(name, &config, || request(PROXY, headers), *expected).await;
    }
}

#[actix_web::test]
async fn forwarded_headers_are_ignored_from_a_stranger() {
    for (name, hops, headers, _) in forwarded::CASES {
        let config = config().trusted_hops(*hops).unwrap().build().unwrap();
        assert_origin(name, &config, || request(STRANGER, headers), Some(OWN)).await;
    }
}

#[actix_web::test]
async fn public_url_wins_over_every_header() {
    let config = config()
        .public_url("https://public.example")
        .unwrap()
        .forwarded_prefix(true)
        .build()
        .unwrap();
    for (name, _, headers, _) in forwarded::CASES {
        for peer in [PROXY, STRANGER] {
            assert_origin(name, &config, || request(peer, headers), Some(PUBLIC)).await;
        }
    }
    for (name, headers, _) in OWN_HOSTS {
        let request = || request(STRANGER, headers);
        assert_origin(name, &config, request, Some(PUBLIC)).await;
    }
    let request = || TestRequest::with_uri(TARGET);
    assert_origin("no Host", &config, request, Some(PUBLIC)).await;
}

/// ngrok adds the scheme to the client's own, sets the host where the client says none, and passes on the
/// rest (<https://ngrok.com/docs/universal-gateway/http-s/upstream-headers>): so the client may choose the
/// URL that a signature is expected for. A public URL ends that.
#[actix_web::test]
async fn behind_ngrok_a_client_chooses_the_url_unless_it_is_set() {
    #[rustfmt::skip]
    let cases: [(&str, Headers<'_>, &str); 7] = [
        ("nothing", &[], PUBLIC),
        ("scheme", &[("X-Forwarded-Proto", "http")], PUBLIC),
        ("standard", &[("Forwarded", "host=evil.example;proto=http")], PUBLIC),
        ("prefix", &[("X-Forwarded-Prefix", "/evil")], PUBLIC),
        ("host", &[("X-Forwarded-Host", "evil.example")], "https://evil.example"),
        ("original host", &[("X-Original-Host", "evil.example")], "https://evil.example"),
        ("port", &[("X-Forwarded-Port", "8443")], "https://public.example:8443"),
    ];
    let default = config().build().unwrap();
    let set = config().public_url(PUBLIC).unwrap().build().unwrap();
    for (name, client, chosen) in cases {
        let mut headers = vec![("Host", "public.example")];
        headers.extend(client);
        if client.iter().all(|(name, _)| *name != "X-Forwarded-Host") {
            headers.push(("X-Forwarded-Host", "public.example"));
        }
        headers.push(("X-Forwarded-Proto", "https"));
        let request = || request("127.0.0.1:4711", &headers);
        assert_origin(name, &default, request, Some(chosen)).await;
        assert_origin(name, &set, request, Some(PUBLIC)).await;
    }
}

#[actix_web::test]
async fn host_must_be_one_host() {
    let config = config().build().unwrap();
    for (name, headers, expected) in OWN_HOSTS {
        for peer in [PROXY, STRANGER] {
            assert_origin(name, &config, || request(peer, headers), *expected).await;
        }
        // A proxy that tells the host makes up for all of this.
        let told = [*headers, &[("X-Forwarded-Host", "public.example")]].concat();
        let request = || request(PROXY, &told);
        assert_origin(name, &config, request, Some("http://public.example")).await;
    }
    let bare = || TestRequest::with_uri(TARGET);
    assert_origin("no Host", &config, bare, None).await;
    let told = || bare().insert_header(("X-Forwarded-Host", "public.example"));
    assert_origin(
        "no Host, but told",
        &config,
        told,
        Some("http://public.example"),
    )
    .await;
}

#[actix_web::test]
async fn authority_and_host_must_agree() {
    let user = Some("http://user:pass@own.example");
    #[rustfmt::skip]
    let cases = [
        ("target alone", "http://own.example", None, Some(OWN)),
        ("target's scheme is idle", "https://own.example", None, Some(OWN)),
        ("both", "http://own.example", Some("own.example"), Some(OWN)),
        ("both, in capitals", "http://own.example", Some("OWN.Example"), Some(OWN)),
        ("port", "http://own.example:8443", None, Some("http://own.example:8443")),
        ("IPv6", "http://[2001:db8::7]", Some("[2001:db8::7]"), Some("http://[2001:db8::7]")),
        ("user", "http://user:pass@own.example", Some("own.example"), user),
        ("user in Host", "http://user:pass@own.example", Some("user:pass@own.example"), None),
        ("host like a user", "http://own.example@evil.example", Some("own.example"), None),
        ("conflict", "http://own.example", Some("evil.example"), None),
        ("conflict, turned", "http://evil.example", Some("own.example"), None),
        ("conflicting port", "http://own.example", Some("own.example:80"), None),
        ("empty Host", "http://own.example", Some(""), None),
        ("odd port", "http://own.example:080", None, None),
    ];
    let config = config().build().unwrap();
    for (name, target, host, expected) in cases {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let request = || {
                let req = TestRequest::with_uri(&format!("{target}{TARGET}"))
                    .version(version)
                    .peer_addr(peer(STRANGER));
                match host {
                    Some(host) => req.insert_header((HOST, host)),
                    None => req,
                }
            };
            assert_origin(name, &config, request, expected).await;
        }
    }
}

#[actix_web::test]
async fn handshake_decides_between_web_and_websocket() {
    let opened = |req: TestRequest| {
        req.insert_header(("Upgrade", "websocket"))
            .insert_header(("Connection", "Upgrade"))
            .insert_header(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="))
    };
    for (proto, web, websocket) in [
        ("https", "https://own.example", "wss://own.example"),
        ("wss", "https://own.example", "wss://own.example"),
        ("http", OWN, "ws://own.example"),
        ("ws", OWN, "ws://own.example"),
    ] {
        let headers = [("X-Forwarded-Proto", proto)];
        let base = format!("{proto}://own.example");
        let told = config().build().unwrap();
        let public = config().public_url(base).unwrap().build().unwrap();
        for config in [told, public] {
            let request = || request(PROXY, &headers);
            assert_origin(proto, &config, request, Some(web)).await;
            assert_origin(proto, &config, || opened(request()), Some(websocket)).await;
        }
    }
}

#[actix_web::test]
async fn trusted_peers_are_those_listed() {
    let defaults = [
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("10.255.0.1:1", true),
        ("172.16.0.1:1", true),
        ("192.168.1.1:1", true),
        ("169.254.0.1:1", true),
        ("100.64.0.1:1", true),
        ("[fd12::1]:1", true),
        ("[fe80::1]:1", true),
        ("[::ffff:10.0.0.1]:1", true),
        ("9.255.255.255:1", false),
        ("172.15.255.255:1", false),
        ("172.32.0.0:1", false),
        ("192.169.0.1:1", false),
        ("100.63.255.255:1", false),
        ("100.128.0.0:1", false),
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("[2001:db8::1]:1", false),
        ("[fec0::1]:1", false),
        ("[::ffff:203.0.113.9]:1", false),
        ("[::10.0.0.1]:1", false),
    ];
    let told = [("X-Forwarded-Host", "public.example")];
    let by_trust = |trusted| {
        Some(if trusted {
            "http://public.example"
        } else {
            OWN
        })
    };
    let config = config().build().unwrap();
    for (peer, trusted) in defaults {
        let request = || request(peer, &told);
        assert_origin(peer, &config, request, by_trust(trusted)).await;
    }
    #[rustfmt::skip]
    let listed: &[(&[&str], &str, bool)] = &[
        (&["203.0.113.9"], STRANGER, true),
        (&["192.0.2.1", "203.0.113.0/24"], STRANGER, true),
        (&["203.0.113.9"], PROXY, false),
        (&["203.0.113.8"], STRANGER, false),
        (&["unix"], PROXY, false),
        (&["2001:db8::/32"], "[2001:db8::1]:1", true),
        (&[], "127.0.0.1:1", false),
    ];
    for (proxies, peer, trusted) in listed {
        let config = actix_twilio_tests::config()
            .trusted_proxies(*proxies)
            .unwrap();
        let config = config.build().unwrap();
        let request = || request(peer, &told);
        let name = format!("{peer} among {proxies:?}");
        assert_origin(&name, &config, request, by_trust(*trusted)).await;
    }
    // A peer on a Unix socket has no address.
    for (proxies, trusted) in [("unix", true), ("0.0.0.0/0", false), ("::/0", false)] {
        let config = actix_twilio_tests::config()
            .trusted_proxies([proxies])
            .unwrap();
        let config = config.build().unwrap();
        let request = || {
            TestRequest::with_uri(TARGET)
                .insert_header((HOST, "own.example"))
                .insert_header(told[0])
        };
        assert_origin(proxies, &config, request, by_trust(trusted)).await;
    }
}

/// Checks which of these URLs is accepted for a request.
async fn assert_url(
    name: &str,
    config: &TwilioConfig,
    request: impl Fn() -> TestRequest,
    urls: &[&str],
    expected: Option<&str>,
) {
    let urls: Vec<_> = urls.iter().map(|url| (*url).to_owned()).collect();
    let accepted = accepted(name, config, request, &urls).await;
    assert_eq!(accepted, expected.as_slice(), "{name}");
}

#[actix_web::test]
async fn prefix_is_believed_only_where_it_is_switched_on() {
    let plain = "http://own.example/hook?x=1";
    let prefixed = "http://own.example/prefix/hook?x=1";
    let evil = "http://own.example/evil/hook?x=1";
    #[rustfmt::skip]
    let cases: &[(&str, Headers<'_>, Option<&str>)] = &[
        ("none", &[], Some(plain)),
        ("prefix", &[("X-Forwarded-Prefix", "/prefix")], Some(prefixed)),
        ("slash at the end", &[("X-Forwarded-Prefix", "/prefix/")], Some(prefixed)),
        ("slash alone", &[("X-Forwarded-Prefix", "/")], Some(plain)),
        ("list", &[("X-Forwarded-Prefix", "/evil, /prefix")], Some(prefixed)),
        ("lines", &[("X-Forwarded-Prefix", "/evil"), ("X-Forwarded-Prefix", "/prefix")],
            Some(prefixed)),
        ("no slash", &[("X-Forwarded-Prefix", "prefix")], None),
        ("part of a host", &[("X-Forwarded-Prefix", ".evil.example/")], None),
        ("user", &[("X-Forwarded-Prefix", "@evil.example/")], None),
        ("query", &[("X-Forwarded-Prefix", "/prefix?")], None),
        ("fragment", &[("X-Forwarded-Prefix", "/prefix#")], None),
        ("blank", &[("X-Forwarded-Prefix", "/pre fix")], None),
        ("empty", &[("X-Forwarded-Prefix", "")], Some(plain)),
        ("nothing last", &[("X-Forwarded-Prefix", "/prefix,")], None),
        ("not ASCII", &[("X-Forwarded-Prefix", "/pr\u{e4}fix")], None),
    ];
    let on = config().forwarded_prefix(true).build().unwrap();
    let off = config().build().unwrap();
    let urls = [plain, prefixed, evil];
    for (name, headers, expected) in cases {
        assert_url(name, &on, || request(PROXY, headers), &urls, *expected).await;
        assert_url(name, &on, || request(STRANGER, headers), &urls, Some(plain)).await;
        assert_url(name, &off, || request(PROXY, headers), &urls, Some(plain)).await;
    }
}

#[actix_web::test]
async fn public_url_takes_the_path_and_query_as_they_came() {
    #[rustfmt::skip]
    let cases = [
        ("https://public.example", "/hook", "https://public.example/hook"),
        ("https://public.example/", "/hook", "https://public.example/hook"),
        ("https://public.example", "/", "https://public.example/"),
        ("https://public.example/a/b/", "/hook?x", "https://public.example/a/b/hook?x"),
        ("https://public.example:8443", "/?", "https://public.example:8443/?"),
        (
            "HTTPS://Public.example",
            "//a/../b",
            "https://Public.example//a/../b",
        ),
        ("wss://public.example", "/%7e%7E~+%20", "https://public.example/%7e%7E~+%20"),
        ("http://[::1]:8080", "/x?a=%C3%A9&&b=[]|{}", "http://[::1]:8080/x?a=%C3%A9&&b=[]|{}"),
        ("https://public.example", "/x?y=a/b@c:d?e", "https://public.example/x?y=a/b@c:d?e"),
        ("https://public.example", "http://evil.example/x", "https://public.example/x"),
    ];
    for (base, target, url) in cases {
        let config = config().public_url(base).unwrap().build().unwrap();
        let request = || TestRequest::with_uri(target);
        let others = [
            format!("{url}/"),
            url.replace("%7e", "~"),
            url.replace("//a/../b", "/b"),
            url.replace("public.example", "evil.example"),
            url.replace("%C3%A9", "\u{e9}"),
            url.replace("&&", "&"),
        ];
        let others = others
            .iter()
            .map(String::as_str)
            .filter(|other| *other != url);
        let urls: Vec<_> = others.chain([url]).collect();
        assert_url(url, &config, request, &urls, Some(url)).await;
    }
}

#[actix_web::test]
async fn hostile_headers_never_panic_and_never_pass() {
    const NAMES: [&str; 7] = [
        "Host",
        "X-Original-Host",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "Forwarded",
    ];
    const PIECES: [&[u8]; 20] = [
        b",",
        b";",
        b"\"",
        b"\\",
        b"=",
        b" ",
        b"\t",
        b":",
        b"[",
        b"]",
        b"@",
        b"/",
        b"host",
        b"proto",
        b"https",
        b"public.example",
        b"8443",
        b"\xff",
        b"\xc3\xa9",
        b"%",
    ];
    let config = config().forwarded_prefix(true).trusted_hops(2).unwrap();
    let app = App::new()
        .app_data(config.build().unwrap())
        .default_service(web::to(async |_: Validated<()>| ""));
    let app = init_service(app).await;

    // A linear congruential generator, so that a failure comes again.
    let mut state = 0x5eed_u64;
    let mut below = |end: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % end
    };
    for round in 0..3_000 {
        let mut req = TestRequest::with_uri(TARGET)
            .peer_addr(peer(PROXY))
            .insert_header(("X-Twilio-Signature", FORGED));
        for _ in 0..=below(6) {
            let mut value = Vec::new();
            for _ in 0..below(12) {
                value.extend_from_slice(PIECES[below(PIECES.len())]);
            }
            if round % 100 == 0 {
                value.resize(8 * 1024, b'a');
            }
            let value = HeaderValue::from_bytes(&value).unwrap();
            req = req.append_header((NAMES[below(NAMES.len())], value));
        }
        let res = call_service(&app, req.to_request()).await;
        assert_eq!(res.status(), 403, "round {round}");
    }
}

#[actix_web::test]
async fn long_hosts_are_refused() {
    let config = config().build().unwrap();
    for (name, length, known) in [("longest name", 253, true), ("8 KiB", 8 * 1024, false)] {
        let host = "a".repeat(length);
        let url = format!("http://{host}{TARGET}");
        for header in ["X-Forwarded-Host", "X-Original-Host", "Host"] {
            let headers = [(header, &*host)];
            let request = || request(PROXY, &headers);
            let urls = [&*url, "http://own.example/hook?x=1"];
            assert_url(name, &config, request, &urls, known.then_some(&*url)).await;
        }
    }
}

#[actix_web::test]
async fn a_webhook_at_exactly_the_stripped_prefix_is_recognized() {
    let base = || config().public_url("https://own.example/twilio").unwrap();
    let whole = "https://own.example/twilio";
    let whole_with_query = "https://own.example/twilio?x=1";
    let prefix: Headers<'_> = &[
        ("X-Forwarded-Prefix", "/twilio"),
        ("X-Forwarded-Proto", "https"),
    ];
    let (base, prefixed) = (
        base().build().unwrap(),
        config().forwarded_prefix(true).build().unwrap(),
    );
    let disbelieved = config().build().unwrap();
    let on = "https://own.example";
    #[rustfmt::skip]
    let cases = [
        ("public URL", &base, "/", &[][..], "/twilio/", whole, true),
        ("public URL, query", &base, "/?x=1", &[], "/twilio/?x=1", whole_with_query, true),
        ("public URL, other query", &base, "/?x=2", &[], "/twilio/?x=2", whole_with_query, false),
        ("public URL, other path", &base, "/x", &[], "/twilio/x", whole, false),
        ("public URL, slash", &base, "/x/", &[], "/twilio/x/", "https://own.example/twilio/x", false),
        ("prefix", &prefixed, "/", prefix, "/twilio/", whole, true),
        ("prefix, query", &prefixed, "/?x=1", prefix, "/twilio/?x=1", whole_with_query, true),
        ("prefix, other path", &prefixed, "/x", prefix, "/twilio/x", whole, false),
        ("prefix that is not believed", &disbelieved, "/", prefix, "/", whole, false),
    ];
    for (name, config, target, headers, as_it_is, signed, passes) in cases {
        let request = || request(PROXY, headers).uri(target);
        let urls = [format!("{on}{as_it_is}"), signed.to_owned()];
        let accepted = accepted(name, config, request, &urls).await;
        assert_eq!(
            accepted.len(),
            1 + usize::from(passes),
            "{name}: {accepted:?}"
        );
        assert_eq!(accepted.contains(&signed), passes, "{name}: {accepted:?}");
    }
}
