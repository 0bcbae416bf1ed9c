//! Makes requests that are sent to the app: a request that came, changed or not, and events of the tool's own.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use twilio_signature::{
    BODY_SHA256, RequestValidator, WebhookRequest,
    header::{FORM, SIGNATURE, SIGNATURE_SETTINGS},
    url::UrlParts,
    with_body_sha256,
};

use crate::{
    endpoint::events::{self, Event, EventForm},
    input::params,
    inspect::{exchange::Exchange, parameters},
};

/// What is signed and sent, as the page edits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Draft {
    /// The request that it was, if it was one.
    #[serde(default)]
    pub(super) of: Option<u64>,
    method: String,
    /// The URL that is signed.
    url: String,
    /// The parameters of the form, or with `GET` those of the query.
    #[serde(default)]
    parameters: Option<Vec<params::Param>>,
    #[serde(default)]
    content_type: Option<String>,
    /// The body, if it is not a form.
    #[serde(default)]
    body: Option<String>,
}

/// The headers that say which URL Twilio requested.
const FORWARDED: [&str; 7] = [
    "Host",
    "Forwarded",
    "X-Original-Host",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
];

/// The headers that are made for each request.
const OWN: [&str; 6] = [
    SIGNATURE,
    SIGNATURE_SETTINGS,
    "Content-Length",
    "Content-Type",
    "Transfer-Encoding",
    "Expect",
];

/// Why a request whose body is cut off can't be sent again.
const CUT: &str = "only the start of this request is kept, so it can't be sent again";

impl Draft {
    /// Returns a request that came as it is edited.
    pub(super) fn of(exchange: &Exchange) -> Result<Self, String> {
        let wire = &exchange.request.wire;
        if !wire.is_whole() {
            return Err(CUT.to_owned());
        }
        parameters::target(exchange)?;
        let body = wire.body();
        if UrlParts::of(&exchange.url).user_info.is_some() {
            return Err(
                "the signed URL has a user name and a password, so it can't be edited".to_owned(),
            );
        }
        let url = exchange.url.clone();
        let mut draft = Self {
            of: Some(exchange.id),
            method: exchange.request.method.clone(),
            url,
            parameters: None,
            content_type: parameters::content_type(exchange),
            body: None,
        };
        if matches!(&*draft.method, "GET" | "HEAD") {
            let split = draft.url.split_once('?');
            let split = split.map(|(url, query)| (url.len(), pairs(query.as_bytes())));
            let (length, parameters) = split.unwrap_or((draft.url.len(), Vec::new()));
            draft.url.truncate(length);
            draft.parameters = Some(parameters);
            draft.content_type = None;
            return Ok(draft);
        }
        let text = str::from_utf8(&body)
            .map_err(|_| "the body is not text, so it can't be edited".to_owned())?;
        if parameters::is_form(exchange) {
            draft.parameters = Some(pairs(text.as_bytes()));
        } else {
            draft.body = Some(text.to_owned());
            draft.url = without_hash(&draft.url);
        }
        Ok(draft)
    }

    /// Returns an event as the page edits it.
    pub(super) fn of_event(event: Event) -> Option<Self> {
        let params = event.params();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let draft = Self {
            of: None,
            method: "POST".to_owned(),
            url: String::new(),
            parameters: Some(params.iter().map(owned).collect()),
            content_type: Some(params::FORM_IN_UTF8.to_owned()),
            body: None,
        };
        match event {
            Event::MediaStream => None,
            Event::Stream => {
                let body = events::event_stream(EventForm::Single, Vec::new()).ok()?;
                Some(Self {
                    parameters: None,
                    content_type: Some("application/json".to_owned()),
                    body: String::from_utf8(body).ok(),
                    ..draft
                })
            }
            _ => Some(draft),
        }
    }

    /// Signs the request and returns its bytes. The headers are those of the request that it was.
    pub(super) fn sign(
        self,
        keys: &RequestValidator,
        original: Option<&Exchange>,
    ) -> Result<Vec<u8>, String> {
        self.check()?;
        let (url, content_type, body) = self.content();
        let mut webhook = WebhookRequest::new(&self.method, &url).body(&body);
        if let Some(content_type) = &content_type {
            webhook = webhook.content_type(content_type);
        }
        let signature = keys
            .sign(&webhook)
            .map_err(|err| format!("this request can't be signed: {err}"))?;
        let parts = UrlParts::of(&url);
        let mut headers = headers(original, &parts);
        if let Some(content_type) = content_type {
            headers.push(("Content-Type".to_owned(), content_type.into_bytes()));
        }
        headers.push((SIGNATURE.to_owned(), signature.into_bytes()));
        if !body.is_empty() || self.method == "POST" {
            headers.push((
                "Content-Length".to_owned(),
                body.len().to_string().into_bytes(),
            ));
        }
        let target = target(original, &parts);
        let mut bytes = format!("{} {target} HTTP/1.1\r\n", self.method).into_bytes();
        for (name, value) in headers {
            bytes.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        Ok(bytes)
    }

    /// Returns the URL that is signed, the content type and the body.
    fn content(&self) -> (String, Option<String>, Vec<u8>) {
        let form = self.parameters.as_ref().map(|pairs| params::encode(pairs));
        if matches!(&*self.method, "GET" | "HEAD") {
            let url = match form.filter(|form| !form.is_empty()) {
                Some(form) if self.url.contains('?') => format!("{}&{form}", self.url),
                Some(form) => format!("{}?{form}", self.url),
                None => self.url.clone(),
            };
            return (url, None, Vec::new());
        }
        if let Some(form) = form {
            let content_type = self.content_type.as_deref().filter(|text| is_form(text));
            let content_type = content_type.unwrap_or(params::FORM_IN_UTF8).to_owned();
            return (self.url.clone(), Some(content_type), form.into_bytes());
        }
        let body = self.body.clone().unwrap_or_default().into_bytes();
        let content_type = self
            .content_type
            .clone()
            .filter(|text| !text.trim().is_empty());
        let is_signed_form = content_type.as_deref().is_some_and(is_form) || body.is_empty();
        let url = if is_signed_form {
            self.url.clone()
        } else {
            with_body_sha256(&without_hash(&self.url), &body)
        };
        (url, content_type, body)
    }

    /// Checks that the request can be written as HTTP: no part of it can become another one.
    fn check(&self) -> Result<(), String> {
        let parts = UrlParts::of(&self.url);
        let graphic = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if self.method.is_empty() || !self.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err("the method must be in capital letters, such as POST".to_owned());
        }
        if !matches!(&*parts.scheme, "http" | "https" | "ws" | "wss") || parts.host.is_empty() {
            return Err("write the whole URL, such as https://example.com/message".to_owned());
        }
        if !graphic(&self.url) || !parts.path.starts_with('/') || parts.user_info.is_some() {
            return Err("the URL needs a path, no user name, and escapes for white space and letters such as \u{e9}".to_owned());
        }
        let is_text = |text: &String| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !self.content_type.as_ref().is_none_or(is_text) {
            return Err("the content type must be plain text".to_owned());
        }
        Ok(())
    }
}

/// Returns the bytes of a request that came.
pub(super) fn replay(exchange: &Exchange) -> Result<Vec<u8>, String> {
    let wire = &exchange.request.wire;
    if !wire.is_whole() {
        return Err(CUT.to_owned());
    }
    Ok(wire.bytes())
}

/// Returns the bytes of a request that came, with a signature that is well-formed and wrong.
pub(super) fn forge(exchange: &Exchange) -> Result<Vec<u8>, String> {
    let bytes = replay(exchange)?;
    let signature = exchange.request.wire.values(SIGNATURE).next();
    let forged = forged_signature(signature.unwrap_or_default())?;
    let end = exchange.request.wire.head.len();
    let (head, body) = bytes.split_at_checked(end).ok_or(CUT)?;
    // Empty lines may come before a request (RFC 9112, section 2.2).
    let head = head.trim_ascii_start();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if line.trim_ascii().is_empty() {
            lines.push([SIGNATURE.as_bytes(), b": ", &forged, b"\r\n"].concat());
        }
        if !name.trim_ascii().eq_ignore_ascii_case(SIGNATURE.as_bytes()) {
            lines.push(line.to_vec());
        }
    }
    lines.push(body.to_vec());
    Ok(lines.concat())
}

/// Returns a random signature that is as long as this one.
fn forged_signature(like: &[u8]) -> Result<Vec<u8>, String> {
    let is_sha256 = like.trim_ascii().len() == BASE64_STANDARD.encode([0; 32]).len();
    let mut bytes = vec![0; if is_sha256 { 32 } else { 20 }];
    getrandom::fill(&mut bytes)
        .map_err(|err| format!("cannot get random numbers from the system: {err}"))?;
    Ok(BASE64_STANDARD.encode(bytes).into_bytes())
}

/// Returns the headers to send: those of the original, unless they say that another host was requested.
fn headers(original: Option<&Exchange>, url: &UrlParts<'_>) -> Vec<(String, Vec<u8>)> {
    let named = |names: &[&str], name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    let keeps_host = original.is_some_and(|exchange| {
        let before = UrlParts::of(&exchange.url);
        before.scheme == url.scheme && before.host_and_port() == url.host_and_port()
    });
    let mut headers = Vec::new();
    if !keeps_host {
        headers.push(("Host".to_owned(), url.host_and_port().as_bytes().to_vec()));
        if matches!(&*url.scheme, "https" | "wss") {
            headers.push(("X-Forwarded-Proto".to_owned(), b"https".to_vec()));
        }
    }
    match original {
        Some(exchange) => {
            let kept = exchange.request.wire.headers.iter();
            let kept = kept
                .filter(|(name, _)| !named(&OWN, name) && (keeps_host || !named(&FORWARDED, name)));
            headers.extend(kept.cloned());
        }
        None => {
            headers.push(("User-Agent".to_owned(), b"TwilioProxy/1.1".to_vec()));
            headers.push(("Accept".to_owned(), b"*/*".to_vec()));
            headers.push(("Connection".to_owned(), b"close".to_vec()));
        }
    }
    headers
}

/// Returns the target to send. A proxy that strips a prefix of the path did so with the original too.
fn target(original: Option<&Exchange>, url: &UrlParts<'_>) -> String {
    let target = url.target();
    let prefix = original.and_then(|exchange| {
        let signed = UrlParts::of(&exchange.url).path.into_owned();
        let prefix = signed.strip_suffix(parameters::path(exchange))?;
        Some(prefix.to_owned())
    });
    let stripped = prefix
        .as_deref()
        .and_then(|prefix| target.strip_prefix(prefix));
    match stripped.filter(|target| target.starts_with('/')) {
        Some(stripped) => stripped.to_owned(),
        None => target,
    }
}

fn pairs(form: &[u8]) -> Vec<params::Param> {
    form_urlencoded::parse(form).into_owned().collect()
}

fn is_form(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case(FORM)
}

/// Removes the hash of the body from a URL.
fn without_hash(url: &str) -> String {
    let mut parts = UrlParts::of(url);
    if let Some(query) = &parts.query {
        let others = query
            .split('&')
            .filter(|pair| pair.split('=').next() != Some(BODY_SHA256));
        let others = others.collect::<Vec<_>>().join("&");
        parts.query = (!others.is_empty()).then_some(others.into());
    }
    parts.text()
}
