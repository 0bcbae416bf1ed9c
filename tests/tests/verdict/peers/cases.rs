//! What this library and the SDKs agree about, and where they differ.

use actix_twilio_tests::TOKEN;
use rand::rngs::SmallRng;

use super::requests::{HOST, Kind, Pair, Request};

/// Makes a random request.
pub(crate) type Make = fn(&mut SmallRng) -> Pair;

/// What all take.
#[rustfmt::skip]
pub(crate) const GENUINE: [(&str, Make); 11] = [
    ("a form", |rng| Pair::of(Kind::Form, rng)),
    ("a GET", |rng| Pair::of(Kind::Get, rng)),
    ("JSON", |rng| Pair::of(Kind::Json, rng)),
    ("a handshake", |rng| Pair::of(Kind::Socket, rng)),
    ("default port signed", |rng| Pair::at(HOST, Kind::Form, rng).url(HOST, "example.com:443", HOST)),
    ("default port seen", |rng| Pair::at(HOST, Kind::Json, rng).url(HOST, HOST, "example.com:443")),
    ("another port seen", |rng| Pair::at(HOST, Kind::Get, rng).url(HOST, HOST, "example.com:8443")),
    ("parameters in another order", |rng| Pair::of(Kind::Form, rng).body(backwards)),
    ("parameters twice", |rng| Pair::of(Kind::Form, rng).body(|body| format!("{body}&{body}"))),
    ("no values, no names", |rng| Pair::of(Kind::Form, rng).parameters("&a=&b=&a=&=&c")),
    ("a form with a hash in its URL", |rng| {
        Pair::of(Kind::Form, rng).end("&bodySHA256=0123", "&bodySHA256=0123")
    }),
];

/// What all refuse.
#[rustfmt::skip]
pub(crate) const FORGED: [(&str, Make); 11] = [
    ("another port signed", |rng| Pair::at(HOST, Kind::Get, rng).url(HOST, "example.com:8443", HOST)),
    ("another host", |rng| Pair::at(HOST, Kind::Form, rng).url(HOST, "other.example", HOST)),
    ("another scheme", |rng| Pair::of(Kind::Form, rng).url("https", "http", "https")),
    ("a longer path", |rng| Pair::of(Kind::Json, rng).url("?", "?", "/a?")),
    ("a longer query", |rng| Pair::of(Kind::Get, rng).end("", "a")),
    ("a longer value", |rng| Pair::of(Kind::Form, rng).body(|body| format!("{body}a"))),
    ("a parameter more", |rng| Pair::of(Kind::Form, rng).body(|body| format!("{body}&New=1"))),
    ("another value of the same name", |rng| {
        Pair::of(Kind::Form, rng).body(|body| format!("From=%2B1&{body}&From=%2B2"))
    }),
    ("another JSON body", |rng| Pair::of(Kind::Json, rng).body(|body| format!("{body} "))),
    ("no JSON body", |rng| Pair::of(Kind::Json, rng).body(|_| String::new())),
    ("the signed host as the user", |rng| {
        Pair::at(HOST, Kind::Form, rng).url(HOST, HOST, "example.com:a@evil.example")
    }),
];

/// Where they differ: the rule of ours, and whether this library, Python and Node take the request.
#[rustfmt::skip]
pub(crate) const DIFFERENCES: [(&str, &str, [bool; 3], Make); 15] = [
    ("R6", "JSON without a hash in its URL", [false, true, true], |rng| Pair::of(Kind::Bare, rng)),
    ("R7", "two hashes in a URL", [false, true, true], |rng| {
        Pair::of(Kind::Json, rng).end("&bodySHA256=0123", "&bodySHA256=0123")
    }),
    ("R9", "an empty query", [true, false, true], |rng| {
        Pair::get("https://WORD.example/a?", "https://WORD.example/a?", rng)
    }),
    ("R9", "a scheme in capitals", [true, false, true], |rng| {
        Pair::of(Kind::Form, rng).url("https", "HTTPS", "HTTPS")
    }),
    ("R10", "a fragment", [true, false, false], |rng| Pair::of(Kind::Form, rng).end("", "#rc=2")),
    ("R10", "default port after an IPv6 address", [true, false, true], |rng| {
        Pair::at("[::1]", Kind::Get, rng).url("[::1]", "[::1]", "[::1]:443")
    }),
    ("R10", "slash of a bare host", [true, false, false], |rng| {
        Pair::get("https://WORD.example", "https://WORD.example/", rng)
    }),
    ("R10", "an apostrophe signed bare", [true, false, true], |rng| {
        Pair::get("https://a.example/?a=WORD's", "https://a.example/?a=WORD%27s", rng)
    }),
    ("R10", "`@` and `:` signed bare", [true, false, false], |rng| {
        Pair::get("https://a.example/?a=WORD@:", "https://a.example/?a=WORD%40%3A", rng)
    }),
    ("R10", "default port of `wss`", [true, false, false], |rng| {
        Pair::at(HOST, Kind::Socket, rng).url(HOST, "example.com:443", HOST)
    }),
    ("R10", "slash at the end of a handshake's path", [true, false, false], |rng| {
        Pair::of(Kind::Socket, rng).url("?", "a/?", "a?")
    }),
    ("R10", "a handshake's query signed as parameters", [true, false, false], |rng| {
        let seen = Request::random(Kind::Socket, rng);
        let (url, query) = seen.url.split_once('?').unwrap();
        Pair { signed: Request { kind: Kind::Form, url: url.into(), body: query.into() }, seen }
    }),
    ("R11", "default port after user info", [true, false, true], |rng| {
        Pair::at("me:word@example.com", Kind::Form, rng).url(HOST, HOST, "example.com:443")
    }),
    ("R11", "the signed host as the user, and a port", [false, true, false], |rng| {
        Pair::at(HOST, Kind::Form, rng).url(HOST, HOST, "example.com:a@evil.example:443")
    }),
    ("R11", "the signed host as the user of JSON, and a port", [false, true, false], |rng| {
        Pair::at(HOST, Kind::Json, rng).url(HOST, HOST, "example.com:a@evil.example:443")
    }),
];

/// Of what they sign other texts: the rule of ours, and whether Python and Node sign what we do.
#[rustfmt::skip]
pub(crate) const OTHER_TEXTS: [(&str, &str, [bool; 2], Make); 3] = [
    ("R1", "bytes that are not UTF-8", [false, false], |rng| {
        Pair::of(Kind::Form, rng).parameters("&a=%FF")
    }),
    ("R2", "names that UTF-16 has in another order", [true, false], |rng| {
        Pair::of(Kind::Form, rng).parameters("&%EF%AC%81=1&%F0%9F%98%80=2")
    }),
    ("R3", "values that UTF-16 has in another order", [true, false], |rng| {
        Pair::of(Kind::Form, rng).parameters("&a=%EF%AC%81&a=%F0%9F%98%80")
    }),
];

/// The secret of the SharedKey `K1`.
pub(crate) const SECRET: &str = "the secret of a SharedKey";

/// SharedKeys: the settings header, the key that signs, and whether this library and Python take the request.
#[rustfmt::skip]
pub(crate) const SETTINGS: [(&str, &str, &str, [bool; 2]); 12] = [
    ("SHA-256", "key=K1,algorithm=HMAC_SHA256", SECRET, [true; 2]),
    ("SHA-1", "key=K1,algorithm=HMAC_SHA1", SECRET, [true; 2]),
    ("fields in another order", "algorithm=HMAC_SHA256 , key=K1", SECRET, [true; 2]),
    ("no algorithm", "key=K1", SECRET, [true; 2]),
    ("no settings", "", TOKEN, [true; 2]),
    ("an unknown algorithm", "key=K1,algorithm=HMAC_SHA512", SECRET, [false; 2]),
    ("the algorithm none", "key=K1,algorithm=none", SECRET, [false; 2]),
    // R17. The SDK is handed a key, and does not look at which one is named.
    ("no key", "algorithm=HMAC_SHA256", SECRET, [false, true]),
    ("an unknown key", "key=K2,algorithm=HMAC_SHA256", SECRET, [false, true]),
    ("the Auth Token as a SharedKey", "key=K1,algorithm=HMAC_SHA256", TOKEN, [false, true]),
    ("a SharedKey as the Auth Token", "", SECRET, [false, true]),
    // R17. These are not the algorithms' names.
    ("small letters", "key=K1,algorithm=hmac_sha256", SECRET, [false, true]),
];

fn backwards(form: &str) -> String {
    let pairs: Vec<_> = form.split('&').rev().collect();
    pairs.join("&")
}
