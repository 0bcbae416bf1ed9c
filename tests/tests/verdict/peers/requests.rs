//! Random requests: one that is signed, and one that arrives with its signature.

use actix_twilio::WebhookRequest;
use actix_twilio_tests::{FORM, Vector, hashed, sign_form, sign_text};
use rand::{RngExt, rngs::SmallRng, seq::IndexedRandom};
use serde::Serialize;
use serde_json::json;

/// The host that a case's changes are about.
pub(crate) const HOST: &str = "example.com";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Form,
    Get,
    /// JSON whose hash is in the URL.
    Json,
    /// A WebSocket's handshake.
    #[serde(rename = "get")]
    Socket,
    /// JSON whose hash is not in the URL: the SDKs' tutorials hand on none of the body.
    #[serde(rename = "get")]
    Bare,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn random(kind: Kind, rng: &mut SmallRng) -> Self {
        const HOSTS: [&str; 4] = [HOST, "127.0.0.1", "a.example:443", "b.example:8443"];
        Self::at(HOSTS.choose(rng).unwrap(), kind, rng)
    }

    fn at(authority: &str, kind: Kind, rng: &mut SmallRng) -> Self {
        let scheme = if kind == Kind::Socket { "wss" } else { "https" };
        let url = format!("{scheme}://{authority}{}?x=1&{}", path(rng), form(rng));
        let (url, body) = match kind {
            Kind::Form => (url, form(rng)),
            Kind::Get | Kind::Socket => (url, String::new()),
            Kind::Bare => (url, json!({ "text": text(rng) }).to_string()),
            Kind::Json => {
                let body = json!({ "text": text(rng) }).to_string();
                (hashed(&url, &body), body)
            }
        };
        Self { kind, url, body }
    }

    /// Reads a vector as an app does that hands it to an SDK: a form as parameters, another body if its hash is in the
    /// URL.
    pub(crate) fn of(vector: &Vector) -> Self {
        let is_form = vector.method == "POST"
            && vector
                .content_type
                .as_ref()
                .is_some_and(|content_type| content_type.to_ascii_lowercase().starts_with(FORM));
        let query = vector.url.split_once('?').map_or("", |(_, query)| query);
        let is_hashed = query.split('&').any(|pair| pair.starts_with("bodySHA256="));
        let kind = match &vector.body {
            Some(_) if is_form => Kind::Form,
            Some(_) if is_hashed => Kind::Json,
            _ => Kind::Get,
        };
        Self {
            kind,
            url: vector.url.clone(),
            body: vector.body.clone().unwrap_or_default(),
        }
    }

    /// Signs it here. The URL alone is signed of all but forms.
    pub(crate) fn signature(&self) -> String {
        if self.kind == Kind::Form {
            sign_form(&self.url, &self.body)
        } else {
            sign_text(&self.url)
        }
    }

    pub(crate) fn webhook(&self) -> WebhookRequest<'_> {
        let content_type = match self.kind {
            Kind::Get | Kind::Socket => return WebhookRequest::new("GET", &self.url),
            Kind::Form => FORM,
            Kind::Json | Kind::Bare => "application/json",
        };
        WebhookRequest::new("POST", &self.url)
            .content_type(content_type)
            .body(&self.body)
    }
}

/// What is signed and what arrives: at first the same.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) signed: Request,
    pub(crate) seen: Request,
}

impl Pair {
    pub(crate) fn new(signed: Request) -> Self {
        let seen = signed.clone();
        Self { signed, seen }
    }

    pub(crate) fn of(kind: Kind, rng: &mut SmallRng) -> Self {
        Self::new(Request::random(kind, rng))
    }

    pub(crate) fn at(authority: &str, kind: Kind, rng: &mut SmallRng) -> Self {
        Self::new(Request::at(authority, kind, rng))
    }

    /// A GET of two URLs, in which a random word stands for `WORD`.
    pub(crate) fn get(signed: &str, seen: &str, rng: &mut SmallRng) -> Self {
        let word: String = (0..8).map(|_| rng.random_range('a'..='z')).collect();
        let get = |url: &str| Request {
            kind: Kind::Get,
            url: url.replace("WORD", &word),
            body: String::new(),
        };
        Self {
            signed: get(signed),
            seen: get(seen),
        }
    }

    /// Replaces a text of both URLs.
    pub(crate) fn url(mut self, text: &str, signed: &str, seen: &str) -> Self {
        assert!(self.signed.url.contains(text), "{text}: {:?}", self.signed);
        self.signed.url = self.signed.url.replacen(text, signed, 1);
        self.seen.url = self.seen.url.replacen(text, seen, 1);
        self
    }

    /// Appends to both URLs.
    pub(crate) fn end(mut self, signed: &str, seen: &str) -> Self {
        self.signed.url += signed;
        self.seen.url += seen;
        self
    }

    /// Changes the body that arrives.
    pub(crate) fn body(mut self, change: impl Fn(&str) -> String) -> Self {
        self.seen.body = change(&self.seen.body);
        self
    }

    /// Appends to the form, in both.
    pub(crate) fn parameters(mut self, more: &str) -> Self {
        self.signed.body += more;
        self.seen.body += more;
        self
    }
}

/// Characters of all kinds, the odd ones often. UTF-16 has them in the same order as bytes.
fn text(rng: &mut SmallRng) -> String {
    const ODD: &str = " +%&=[]\t'\"/?#@:;~*!()\r\n\0éß漢😀";
    let odd: Vec<_> = ODD.chars().collect();
    (0..rng.random_range(0..12))
        .map(|_| match rng.random_range(0..4) {
            0 => *odd.choose(rng).unwrap(),
            1 => rng.random_range('A'..='Z'),
            2 => rng.random_range('0'..='9'),
            _ => rng.random_range('a'..='z'),
        })
        .collect()
}

/// Escapes a text for a form or a query, in one of the ways in which clients do.
fn escape(text: &str, rng: &mut SmallRng) -> String {
    let loose = rng.random_bool(0.5);
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            b' ' if rng.random_bool(0.5) => "+".to_owned(),
            b'~' | b'*' | b'/' | b'!' | b'(' | b')' if loose => char::from(byte).to_string(),
            _ if loose => format!("%{byte:02x}"),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn path(rng: &mut SmallRng) -> String {
    let segments: Vec<_> = (0..rng.random_range(1..4))
        .map(|_| escape(&text(rng), rng).replace('+', "%20"))
        .collect();
    format!("/{}", segments.join("/"))
}

/// Known names, some of them more than once, and others.
fn form(rng: &mut SmallRng) -> String {
    const NAMES: [&str; 5] = ["From", "Reason", "ReasonConferenceEnded", "A", "a"];
    let pairs: Vec<_> = (0..rng.random_range(1..12))
        .map(|_| {
            let name = if rng.random_bool(0.7) {
                (*NAMES.choose(rng).unwrap()).to_owned()
            } else {
                text(rng)
            };
            format!("{}={}", escape(&name, rng), escape(&text(rng), rng))
        })
        .collect();
    pairs.join("&")
}
