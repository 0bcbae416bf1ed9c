//! Requests as Twilio, or a forger, sends them: to an app on the test's own thread, or to a server.

use std::{
    cell::Cell,
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_http::Request;
use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, WebhookRequest,
    signature::body_sha256,
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::Method,
    test::{TestRequest, call_service, read_body},
};

use crate::{
    FORGED, FORM, SETTINGS, SIGNATURE,
    client::{connect, statuses, talk},
    keys,
};

/// Where Twilio believes that the app is.
pub const BASE: &str = "https://example.com";
/// What a forger reads, whatever was wrong.
pub const REFUSED: (u16, &str) = (403, "This request is not authentic.");
/// What a sender reads whom nobody could judge.
pub const UNJUDGED: (u16, &str) = (500, "The server can't validate requests.");

/// Returns the builder of a configuration that knows one token.
#[track_caller]
pub fn builder(token: &str) -> TwilioConfigBuilder {
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    builder.auth_token(AuthToken::new(token).unwrap())
}

/// Returns a configuration that knows one token.
#[must_use]
#[track_caller]
pub fn config(token: &str) -> TwilioConfig {
    builder(token).build().unwrap()
}

/// Returns a configuration, and how many verdicts it gave.
#[must_use]
#[track_caller]
pub fn counted(builder: TwilioConfigBuilder) -> (TwilioConfig, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let builder = builder.on_verdict(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    (builder.build().unwrap(), count)
}

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// Says that a handler runs, for apps on the test's own thread.
pub fn ran() {
    RUNS.set(RUNS.get() + 1);
}

/// Returns how often handlers ran on this thread since the last call.
#[expect(clippy::must_use_candidate, reason = "a call starts the count anew")]
pub fn runs() -> usize {
    RUNS.take()
}

/// A request as Twilio, or a forger, would send it.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The method.
    pub method: &'static str,
    /// The path and the query.
    pub target: String,
    /// The body.
    pub body: String,
    /// The headers, in their order.
    pub headers: Vec<(&'static str, String)>,
}

impl Webhook {
    /// Makes a request without a body.
    #[must_use]
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            body: String::new(),
            headers: Vec::new(),
        }
    }

    /// Makes a `GET`.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// Makes a form that is posted.
    #[must_use]
    pub fn form(target: impl Into<String>, body: &str) -> Self {
        Self::new("POST", target)
            .body(body)
            .with("Content-Type", FORM)
    }

    /// Makes a request whose body's hash stands in the query.
    #[must_use]
    pub fn json(target: &str, body: &str) -> Self {
        let mark = if target.contains('?') { '&' } else { '?' };
        Self::new(
            "POST",
            format!("{target}{mark}bodySHA256={}", body_sha256(body)),
        )
        .body(body)
        .with("Content-Type", "application/json")
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Sends this to another target.
    #[must_use]
    pub fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Signs this by a token.
    #[must_use]
    #[track_caller]
    pub fn signed(self, token: &str) -> Self {
        let url = format!("{BASE}{}", self.target);
        self.signed_for(&url, &keys(token))
    }

    /// Signs as if this was sent to another URL.
    #[must_use]
    #[track_caller]
    pub fn signed_for(self, url: &str, keys: &RequestValidator) -> Self {
        let mut request = WebhookRequest::new(self.method, url).body(&self.body);
        for (name, value) in &self.headers {
            request = match *name {
                "Content-Type" => request.content_type(value),
                SETTINGS => request.signature_settings(value),
                _ => request,
            };
        }
        // A request that is refused with any signature has one all the same.
        let signature = keys.sign(&request).unwrap_or_else(|_| FORGED.to_owned());
        self.with(SIGNATURE, signature)
    }

    /// Returns the request for an app on the test's own thread.
    #[must_use]
    #[track_caller]
    pub fn request(&self) -> TestRequest {
        let mut req = TestRequest::with_uri(&self.target)
            .method(Method::from_bytes(self.method.as_bytes()).unwrap());
        if !self.body.is_empty() {
            req = req.set_payload(self.body.clone());
        }
        for (name, value) in &self.headers {
            req = req.append_header((*name, value.as_str()));
        }
        req
    }

    /// Sends this to an app on the test's own thread.
    pub async fn call<S, B>(&self, app: &S) -> (u16, String)
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let res = call_service(app, self.request().to_request()).await;
        let status = res.status().as_u16();
        let body = read_body(res).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Sends this to a server, and returns the status and the body of its answer.
    pub async fn send(&self, server: SocketAddr) -> (u16, String) {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {server}\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        if !self.body.is_empty() {
            write!(text, "Content-Length: {}\r\n", self.body.len()).unwrap();
        }
        write!(text, "\r\n{}", self.body).unwrap();
        let answer = talk(&self.target, &mut connect(server).await, text).await;
        let status = statuses(&answer).first().copied().unwrap_or_default();
        let body = answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        (status, body.unwrap_or_default())
    }
}

/// Compares an answer with the expected status and body.
#[track_caller]
pub fn assert_answer(found: &(u16, String), expected: (u16, &str), name: &str) {
    assert_eq!((found.0, found.1.as_str()), expected, "{name}");
}
