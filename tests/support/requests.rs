//! Requests to an app of one route: genuine ones, and one for each way in which they are refused.

use std::{cell::Cell, collections::VecDeque, rc::Rc, task::Poll, time::Duration};

use actix_twilio::{
    TwilioConfig, TwilioConfigBuilder,
    ValidationErrorKind::{
        self as Kind, BodyIncomplete, BodyTooLarge, BodyTooSlow, OriginMalformed, Signature,
    },
    signature::SignatureErrorKind::{
        AlgorithmUnknown, BodyHashConflicting, BodyHashMismatch, BodyHashMissing,
        CharsetUnsupported, ContentTypeConflicting, EncodingUnsupported, KeyUnknown,
        SettingsMalformed, SignatureConflicting, SignatureMalformed, SignatureMismatch,
        SignatureMissing,
    },
};
use actix_web::{
    App, Route,
    dev::{Payload, ServiceResponse},
    error::PayloadError,
    http::{
        Method,
        header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, X_FORWARDED_PROTO},
    },
    test::{TestRequest, call_service, init_service},
    web::{Bytes, ServiceConfig},
};
use futures_util::stream::poll_fn;

use crate::{FORGED, FORM, SETTINGS, SIGNATURE, config, hashed, sign_form, sign_text};

/// The URL that all requests go to, but for the hash in it.
pub const URL: &str = "https://example.com/hook?x=1";

/// Bytes in the largest body that [`limited`] takes.
pub const LIMIT: usize = 32;

/// Returns the builder of a configuration that refuses large and slow bodies at once.
pub fn limited() -> TwilioConfigBuilder {
    config()
        .body_limit(LIMIT)
        .body_timeout(Duration::from_millis(50))
}

/// Returns a request without a signature, as a proxy on a Unix socket passes it on.
#[must_use]
#[track_caller]
pub fn request(method: Method, url: &str) -> TestRequest {
    TestRequest::with_uri(url.strip_prefix("https://example.com").unwrap())
        .method(method)
        .insert_header((HOST, "example.com"))
        .insert_header((X_FORWARDED_PROTO, "https"))
}

/// Returns a form with its signature.
#[must_use]
pub fn form(body: &str) -> TestRequest {
    request(Method::POST, URL)
        .insert_header((CONTENT_TYPE, FORM))
        .insert_header((SIGNATURE, sign_form(URL, body)))
        .set_payload(body.to_owned())
}

/// Returns JSON with its signature.
#[must_use]
pub fn json(body: &str) -> TestRequest {
    let url = hashed(URL, body);
    request(Method::POST, &url)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((SIGNATURE, sign_text(&url)))
        .set_payload(body.to_owned())
}

/// Returns a `GET` with its signature.
#[must_use]
pub fn get() -> TestRequest {
    request(Method::GET, URL).insert_header((SIGNATURE, sign_text(URL)))
}

/// Returns a payload of these chunks, which either ends or keeps the reader waiting for ever, and
/// the number of times that it was asked for a chunk.
#[must_use]
pub fn payload<const N: usize>(chunks: [&'static str; N], ends: bool) -> (Payload, Rc<Cell<u32>>) {
    payload_of(chunks.map(|chunk| Ok(Bytes::from(chunk))), ends)
}

fn payload_of<const N: usize>(
    chunks: [Result<Bytes, PayloadError>; N],
    ends: bool,
) -> (Payload, Rc<Cell<u32>>) {
    let mut chunks = VecDeque::from(chunks);
    let asked = Rc::new(Cell::new(0));
    let counter = Rc::clone(&asked);
    let stream = poll_fn(move |_| {
        counter.set(counter.get() + 1);
        match chunks.pop_front() {
            None if !ends => Poll::Pending,
            chunk => Poll::Ready(chunk),
        }
    });
    let payload = Box::pin(stream);
    (Payload::Stream { payload }, asked)
}

/// A request, and the payload that takes the place of its own.
#[expect(missing_debug_implementations, reason = "a payload has none")]
pub struct Sent {
    req: TestRequest,
    payload: Option<Payload>,
}

impl From<TestRequest> for Sent {
    fn from(req: TestRequest) -> Self {
        Self { req, payload: None }
    }
}

impl From<(TestRequest, Payload)> for Sent {
    fn from((req, payload): (TestRequest, Payload)) -> Self {
        let payload = Some(payload);
        Self { req, payload }
    }
}

/// Sends a request to an app of one route.
pub async fn call(config: &TwilioConfig, route: Route, sent: impl Into<Sent>) -> ServiceResponse {
    let config = config.clone();
    call_app(sent, |app| {
        app.app_data(config).route("/{name}", route);
    })
    .await
}

/// Sends a request to an app that is set up so.
pub async fn call_app(
    sent: impl Into<Sent>,
    set_up: impl FnOnce(&mut ServiceConfig),
) -> ServiceResponse {
    let app = init_service(App::new().configure(set_up)).await;
    let Sent { req, payload } = sent.into();
    let mut req = req.to_request();
    if let Some(payload) = payload {
        *req.payload() = payload;
    }
    call_service(&app, req).await
}

/// Returns a request for each reason that [`limited`] has to refuse one.
#[must_use]
pub fn refusals() -> Vec<(Kind, Sent)> {
    let url_of_other = hashed(&hashed(URL, "{}"), "[]");
    let json_to = |url: &str| {
        request(Method::POST, url)
            .insert_header((CONTENT_TYPE, "application/json"))
            .insert_header((SIGNATURE, sign_text(url)))
            .set_payload("{}")
    };
    let settings = |text| form("a=1").insert_header((SETTINGS, text));
    let labelled = |label| form("a=1").insert_header((CONTENT_TYPE, label));
    let broken = payload_of(
        [Ok(Bytes::from("a=")), Err(PayloadError::Incomplete(None))],
        true,
    );
    let unsigned = request(Method::POST, URL).set_payload("a=1");
    #[rustfmt::skip]
    let refusals = vec![
        (Signature(SignatureMissing), unsigned.into()),
        (Signature(SignatureMalformed), form("a=1").insert_header((SIGNATURE, "?")).into()),
        (Signature(SignatureConflicting), form("a=1").append_header((SIGNATURE, FORGED)).into()),
        (Signature(SignatureMismatch), form("a=1").insert_header((SIGNATURE, FORGED)).into()),
        (Signature(SettingsMalformed), settings("key=").into()),
        (Signature(KeyUnknown), settings("key=K1").into()),
        (Signature(AlgorithmUnknown), settings("key=K1,algorithm=none").into()),
        (Signature(ContentTypeConflicting), form("a=1").append_header((CONTENT_TYPE, "a/b")).into()),
        (Signature(CharsetUnsupported), labelled("application/x-www-form-urlencoded; charset=x").into()),
        (Signature(EncodingUnsupported), form("a=1").insert_header((CONTENT_ENCODING, "gzip")).into()),
        (Signature(BodyHashMissing), json_to(URL).into()),
        (Signature(BodyHashMismatch), json_to(&hashed(URL, "[]")).into()),
        (Signature(BodyHashConflicting), json_to(&url_of_other).into()),
        (BodyTooLarge, form("a=0123456789012345678901234567890").into()),
        (BodyTooSlow, (form(""), payload(["a="], false).0).into()),
        (BodyIncomplete, (form(""), broken.0).into()),
        (OriginMalformed, form("a=1").insert_header((HOST, "example.com:x")).into()),
    ];
    refusals
}
