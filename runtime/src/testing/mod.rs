//! Signs the requests that tests send, so that they run with validation on, and reads the TwiML of the answers.
//!
//! This module needs the feature `testing`, which adds an XML parser. No other part of this crate depends on the
//! feature: the same requests are refused with it and without it. Switch it on for tests:
//!
//! ```toml
//! [dev-dependencies]
//! actix-twilio = { version = "0.1", features = ["testing"] }
//! ```
//!
//! # Examples
//!
//! ```
//! use actix_twilio::{
//!     testing::{Signer, TwilioTestRequest}, twiml::MessagingResponse, validate_twilio_request,
//! };
//! use actix_web::{App, post, test::{TestRequest, call_service, init_service}};
//!
//! #[post("/message")]
//! #[validate_twilio_request]
//! async fn receive_message() -> MessagingResponse {
//!     MessagingResponse::new()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() {
//! // In a test: #[actix_web::test]
//! let signer = Signer::new("a token for tests");
//! let config = signer.config("https://example.com");
//! let app = init_service(App::new().app_data(config).service(receive_message)).await;
//!
//! let url = "https://example.com/message";
//! let params = [("From", "+14158675310"), ("Body", "Hi")];
//! let genuine = TestRequest::default().twilio_form(&signer, url, &params);
//! assert_eq!(call_service(&app, genuine.to_request()).await.status(), 200);
//!
//! let forged = TestRequest::default().twilio_form(&signer.forged(), url, &params);
//! assert_eq!(call_service(&app, forged.to_request()).await.status(), 403);
//! # }
//! ```

mod answer;
mod call;
mod conversation;
mod script;

use actix_web::{
    http::{
        Method, Uri,
        header::{
            CONNECTION, CONTENT_TYPE, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
        },
    },
    test::TestRequest,
    web::Bytes,
};
use serde::Serialize;

pub use self::{
    answer::{assert_twiml, read_twiml},
    call::Call,
    conversation::Conversation,
    script::Transcript,
};
pub use twilio_signature::with_body_sha256;
use twilio_signature::{
    AuthToken, RequestValidator, SharedKey, WebhookRequest,
    header::{FORM, SIGNATURE, SIGNATURE_SETTINGS},
    url::UrlParts,
};
pub use twilio_twiml::walk::{Fault, FaultKind, Reply, Step};

use crate::{
    config::{TwilioConfig, TwilioConfigBuilder},
    once::MemoryStore,
};

const JSON: &str = "application/json";

/// Signs requests as Twilio does, for tests.
///
/// Its methods panic if a request can't be signed or built. Then the test fails, and the message says what to
/// write.
#[derive(Debug, Clone)]
#[must_use]
pub struct Signer {
    key: Key,
    forges: bool,
}

#[derive(Debug, Clone)]
enum Key {
    AuthToken(AuthToken),
    SharedKey(SharedKey),
}

impl Signer {
    /// Constructs a signer with an Auth Token. Make one up for the test: never write a real token into code.
    ///
    /// # Panics
    ///
    /// Panics if the token is empty or blank.
    #[track_caller]
    pub fn new(auth_token: impl AsRef<str>) -> Self {
        Self::with_key(Key::AuthToken(or_panic(AuthToken::new(auth_token))))
    }

    /// Constructs a signer with a SharedKey. It signs with HMAC-SHA256 and names the key in the
    /// `X-Twilio-Webhooks-Signature-Settings` header.
    pub fn shared_key(key: SharedKey) -> Self {
        Self::with_key(Key::SharedKey(key))
    }

    fn with_key(key: Key) -> Self {
        Self { key, forges: false }
    }

    /// Returns a signer of the same kind whose signatures are well-formed but wrong, like those of a forger without
    /// the key.
    pub fn forged(&self) -> Self {
        Self {
            key: self.key.clone(),
            forges: true,
        }
    }

    /// Returns a configuration with this signer's key and this [public URL](TwilioConfigBuilder::public_url), for
    /// requests to URLs that start with it. Each configuration remembers [handled events](crate::once) by itself, so tests that
    /// send the same event do not affect each other.
    ///
    /// If a test needs the error handler, a limit or a hook of the app's own configuration, build that configuration
    /// with the signer's token instead, and with a [store](TwilioConfigBuilder::once_store) of its own.
    ///
    /// # Panics
    ///
    /// Panics if the URL is not a valid public URL.
    #[track_caller]
    #[must_use]
    pub fn config(&self, public_url: impl AsRef<str>) -> TwilioConfig {
        let builder = TwilioConfig::builder();
        let builder = match &self.key {
            Key::AuthToken(token) => builder.auth_token(token.clone()),
            Key::SharedKey(key) => builder.shared_key(key.clone()),
        };
        or_panic(
            builder
                .once_store(MemoryStore::default())
                .public_url(public_url)
                .and_then(TwilioConfigBuilder::build),
        )
    }

    /// Returns the names and values of the headers that sign a request, for a real client. A [`TestRequest`] has
    /// [methods](TwilioTestRequest) of its own.
    ///
    /// Send exactly the URL, the content type and the body that are signed. If the body is not a form, make the URL
    /// with [`with_body_sha256`].
    ///
    /// # Panics
    ///
    /// Panics if the request would be refused with any signature.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::{WebhookRequest, testing::{Signer, with_body_sha256}};
    ///
    /// let body = r#"[{"type":"com.twilio.messaging.message.sent"}]"#;
    /// let url = with_body_sha256("http://127.0.0.1:8080/events", body);
    /// let webhook = WebhookRequest::new("POST", &url).content_type("application/json").body(body);
    ///
    /// // let mut request = client.post(&url).header("Content-Type", "application/json").body(body);
    /// for (name, value) in Signer::new("a token for tests").headers(&webhook) {
    ///     // request = request.header(name, value);
    ///     assert_eq!((name, value.len()), ("X-Twilio-Signature", 28));
    /// }
    /// ```
    #[track_caller]
    #[must_use]
    pub fn headers(&self, request: &WebhookRequest<'_>) -> Vec<(&'static str, String)> {
        let (keys, settings) = match &self.key {
            Key::AuthToken(token) => (RequestValidator::new([token.clone()]), None),
            Key::SharedKey(key) => (
                RequestValidator::with_keys([], [key.clone()]),
                Some(format!("key={},algorithm=HMAC_SHA256", key.id())),
            ),
        };
        let request = match &settings {
            Some(settings) => request.signature_settings(settings),
            None => *request,
        };
        let mut signature = match or_panic(keys).sign(&request) {
            Ok(signature) => signature,
            Err(err) => fail(&format!("this request can't be signed: {err}")),
        };
        if self.forges {
            // All bits of the first character count, so another one also makes a well-formed signature.
            let first = if signature.starts_with('A') { "B" } else { "A" };
            signature.replace_range(..1, first);
        }
        let mut headers = vec![(SIGNATURE, signature)];
        headers.extend(settings.map(|settings| (SIGNATURE_SETTINGS, settings)));
        headers
    }
}

/// Turns a [`TestRequest`] into a request as Twilio sends it.
///
/// Each method sets the HTTP method, the path and query, `Host`, the body with its content type, and the signature.
/// The URL is signed and sent byte for byte, so write it percent-encoded. A fragment is cut off, because Twilio
/// neither sends nor signs it.
///
/// A test server has no TLS. For `https` and `wss`, the app's configuration must have the
/// [public URL](Signer::config), or the request must have the header of a proxy: `X-Forwarded-Proto: https`.
///
/// Later changes to the request change what is sent, but not what is signed. For example, a proxy that strips a path
/// prefix is `.twilio_get(&signer, "https://example.com/prefix/voice").uri("/voice")`, and a replaced body is
/// `.set_payload("..")`.
///
/// # Panics
///
/// The methods panic if Twilio would not send such a request: the URL has no host or no path, it has the scheme of a
/// WebSocket in an HTTP request or the reverse, or a value can't be serialized. The message says which.
pub trait TwilioTestRequest: Sized {
    /// Makes the request a `POST` of a form. The parameters are anything that serializes to pairs: a slice of pairs,
    /// in which a name may occur several times, a map, or a struct.
    #[must_use]
    #[track_caller]
    fn twilio_form<P: Serialize + ?Sized>(self, signer: &Signer, url: &str, params: &P) -> Self {
        match serde_urlencoded::to_string(params) {
            Ok(form) => self.twilio_body(signer, url, FORM, form),
            Err(err) => fail(&format!("these parameters are not a form: {err}")),
        }
    }

    /// Makes the request a `POST` of JSON, whose hash is appended to the URL as `bodySHA256`. The value is anything
    /// that serializes, such as a `serde_json::Value`.
    #[must_use]
    #[track_caller]
    fn twilio_json<V: Serialize + ?Sized>(self, signer: &Signer, url: &str, value: &V) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.twilio_body(
                signer,
                &with_body_sha256(without_fragment(url), &json),
                JSON,
                json,
            ),
            Err(err) => fail(&format!("this value can't be written as JSON: {err}")),
        }
    }

    /// Makes the request a `POST` of exactly these bytes. Unless they are a form, make the URL with
    /// [`with_body_sha256`].
    #[must_use]
    #[track_caller]
    fn twilio_body(
        self,
        signer: &Signer,
        url: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Self;

    /// Makes the request a `GET`, whose parameters are in the URL.
    #[must_use]
    #[track_caller]
    fn twilio_get(self, signer: &Signer, url: &str) -> Self;

    /// Makes the request a WebSocket handshake, as Media Streams and ConversationRelay send it. The URL's scheme is
    /// `wss` or `ws`.
    #[must_use]
    #[track_caller]
    fn twilio_websocket(self, signer: &Signer, url: &str) -> Self;
}

impl TwilioTestRequest for TestRequest {
    #[track_caller]
    fn twilio_body(
        self,
        signer: &Signer,
        url: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Self {
        let (body, url) = (body.into(), without_fragment(url));
        let webhook = WebhookRequest::new("POST", url)
            .content_type(content_type)
            .body(&body);
        signed(self.method(Method::POST), signer, url, &webhook, HTTP)
            .insert_header((CONTENT_TYPE, content_type))
            .set_payload(body)
    }

    #[track_caller]
    fn twilio_get(self, signer: &Signer, url: &str) -> Self {
        let url = without_fragment(url);
        let webhook = WebhookRequest::new("GET", url);
        signed(self.method(Method::GET), signer, url, &webhook, HTTP)
    }

    #[track_caller]
    fn twilio_websocket(self, signer: &Signer, url: &str) -> Self {
        let url = without_fragment(url);
        let webhook = WebhookRequest::new("GET", url);
        signed(self.method(Method::GET), signer, url, &webhook, WEBSOCKET)
            .insert_header((CONNECTION, "Upgrade"))
            .insert_header((UPGRADE, "websocket"))
            .insert_header((SEC_WEBSOCKET_VERSION, "13"))
            .insert_header((SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="))
    }
}

const HTTP: [&str; 2] = ["https", "http"];
const WEBSOCKET: [&str; 2] = ["wss", "ws"];

/// Sets the target and the signature of a request. The URL must have one of these schemes.
#[track_caller]
fn signed(
    req: TestRequest,
    signer: &Signer,
    url: &str,
    webhook: &WebhookRequest<'_>,
    schemes: [&str; 2],
) -> TestRequest {
    let parts = UrlParts::of(url);
    if !schemes.contains(&&*parts.scheme) {
        let [secure, plain] = schemes;
        fail(&format!(
            "{url:?} does not start with {secure}:// or {plain}://"
        ));
    }
    let target = match &*parts.path {
        "" if parts.query.is_none() => "/".to_owned(),
        _ => parts.target(),
    };
    let host = parts.host_and_port();
    if parts.host.is_empty() || !target.starts_with('/') {
        fail(&format!("{url:?} has no host or no path"));
    }
    if let Err(err) = target.parse::<Uri>() {
        fail(&format!(
            "the path and the query of {url:?} can't be sent, so percent-encode or shorten them: {err}"
        ));
    }
    let mut req = req.uri(&target).insert_header((HOST, host));
    for header in signer.headers(webhook) {
        req = req.insert_header(header);
    }
    req
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
}

#[track_caller]
fn or_panic<T>(result: Result<T, crate::ConfigError>) -> T {
    result.unwrap_or_else(|err| fail(&err.to_string()))
}

#[track_caller]
#[expect(clippy::panic, reason = "a test fails by panicking")]
fn fail(reason: &str) -> ! {
    panic!("{reason}")
}
