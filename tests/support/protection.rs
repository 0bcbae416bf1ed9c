//! What the tests of protected routes share: signed requests, an account of who ran, and servers.

#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "each test uses a part"
)]

use std::{cell::Cell, net::SocketAddr, sync::Arc, sync::atomic::AtomicUsize};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, WebhookRequest,
    signature::body_sha256,
};
use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::Method,
    test::{TestRequest, call_service, read_body},
};

/// Where Twilio believes that the app is.
pub(crate) const BASE: &str = "https://example.com";
/// What a forger reads, whatever was wrong.
pub(crate) const REFUSED: (u16, &str) = (403, "This request is not authentic.");
/// What a sender reads whom nobody could judge.
pub(crate) const UNJUDGED: (u16, &str) = (500, "The server can't validate requests.");

const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) fn keys(token: &str) -> RequestValidator {
    RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap()
}

pub(crate) fn builder(token: &str) -> TwilioConfigBuilder {
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    builder.auth_token(AuthToken::new(token).unwrap())
}

pub(crate) fn config(token: &str) -> TwilioConfig {
    builder(token).build().unwrap()
}

/// A configuration that counts its verdicts.
pub(crate) fn counted(builder: TwilioConfigBuilder) -> (TwilioConfig, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let builder = builder.on_verdict(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    (builder.build().unwrap(), count)
}

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// Says that a handler runs, for apps on the test's own thread.
pub(crate) fn ran() {
    RUNS.set(RUNS.get() + 1);
}

/// Returns how often handlers ran since the last call.
pub(crate) fn runs() -> usize {
    RUNS.take()
}

/// A request as Twilio, or a forger, would send it.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Webhook {
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            body: String::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn form(target: impl Into<String>, body: &str) -> Self {
        Self::new("POST", target)
            .body(body)
            .with("Content-Type", FORM)
    }

    /// Makes a request whose body's hash stands in the query.
    pub(crate) fn json(target: &str, body: &str) -> Self {
        let mark = if target.contains('?') { '&' } else { '?' };
        Self::new(
            "POST",
            format!("{target}{mark}bodySHA256={}", body_sha256(body)),
        )
        .body(body)
        .with("Content-Type", "application/json")
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub(crate) fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn signed(self, token: &str) -> Self {
        let url = format!("{BASE}{}", self.target);
        self.signed_for(&url, &keys(token))
    }

    /// Signs as if this was sent to another URL.
    #[track_caller]
    pub(crate) fn signed_for(self, url: &str, keys: &RequestValidator) -> Self {
        let mut request = WebhookRequest::new(self.method, url).body(&self.body);
        for (name, value) in &self.headers {
            request = match *name {
                "Content-Type" => request.content_type(value),
                "X-Twilio-Webhooks-Signature-Settings" => request.signature_settings(value),
                _ => request,
            };
        }
        let signature = keys.sign(&request).unwrap();
        self.with("X-Twilio-Signature", signature)
    }

    pub(crate) fn request(&self) -> TestRequest {
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
    pub(crate) async fn call<S, B>(&self, app: &S) -> (u16, String)
    where
        S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
        B: MessageBody,
    {
        let res = call_service(app, self.request().to_request()).await;
        let status = res.status().as_u16();
        let body = read_body(res).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Sends this to a server.
    pub(crate) async fn send(&self, server: SocketAddr) -> (u16, String) {
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap();
        let url = format!("http://{server}{}", self.target);
        let mut req = reqwest::Client::new().request(method, url);
        for (name, value) in &self.headers {
            req = req.header(*name, value);
        }
        let res = req.body(self.body.clone()).send().await.unwrap();
        (res.status().as_u16(), res.text().await.unwrap())
    }
}

/// Compares an answer with the expected status and body.
#[track_caller]
pub(crate) fn assert_answer(found: &(u16, String), expected: (u16, &str), name: &str) {
    assert_eq!((found.0, found.1.as_str()), expected, "{name}");
}

/// Serves an app on a port of its own, and returns its address.
macro_rules! serve {
    ($app:expr) => {{
        let server = actix_web::HttpServer::new(move || $app)
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
        let address = *server.addrs().first().unwrap();
        actix_web::rt::spawn(server.run());
        address
    }};
}
pub(crate) use serve;
