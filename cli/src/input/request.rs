//! The request that a user passes in, whether as options, as a JSON object or as HTTP text.

use serde_json::value::RawValue;
use twilio_signature::{ConfigError, RequestValidator, WebhookRequest, header};

/// A header: its name and its value.
pub(crate) type Header = (String, Vec<u8>);

/// A request as data, with a key of its own if it has one.
#[derive(Default)]
pub(crate) struct Request {
    /// The `id` of the JSON object, exactly as it is written there.
    pub(crate) id: Option<Box<RawValue>>,
    pub(crate) method: String,
    pub(crate) url: String,
    /// The headers in order; a repeated header is there more than once.
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
    /// What is odd about the input and may be the reason for a wrong verdict: sentences.
    pub(crate) warnings: Vec<String>,
    /// Whether the body is shorter than announced.
    pub(crate) incomplete: bool,
    /// The key to use instead of the environment's, or the error of making it.
    pub(crate) validator: Option<Result<RequestValidator, ConfigError>>,
}

impl Request {
    /// Adds a header, unless the value is `None`.
    pub(crate) fn add_header(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.headers.push((name.to_owned(), value.into_bytes()));
        }
    }

    /// Adds a warning if the body does not have the length that `Content-Length` announces.
    pub(crate) fn check_length(&mut self) {
        if self.values("Transfer-Encoding").next().is_some() {
            return;
        }
        let length = self.values("Content-Length").next();
        let Some(length) = length.and_then(|text| str::from_utf8(text).ok()?.parse::<usize>().ok())
        else {
            return;
        };
        self.incomplete = self.body.len() < length;
        let warning = match self.body.len() {
            captured if captured == length => return,
            0 => format!(
                "Content-Length announces a body of {length} bytes, and the capture has none: add it, \
                 in JSON as `body` or `body_b64`"
            ),
            captured if captured < length => format!(
                "the capture has only {captured} of the body's {length} bytes: capture the whole request"
            ),
            captured => format!(
                "Content-Length announces a body of {length} bytes, and the capture has {captured}: \
                 check which one arrived"
            ),
        };
        self.warnings.push(warning);
    }

    /// Returns whether the request opens a WebSocket.
    pub(crate) fn is_websocket_handshake(&self) -> bool {
        let upgrades = |value: &[u8]| value.eq_ignore_ascii_case(b"websocket");
        let mut options = self
            .values("Connection")
            .flat_map(|line| line.split(|byte| *byte == b','));
        self.method == "GET"
            && self.values("Upgrade").any(upgrades)
            && options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
            && self.values("Sec-WebSocket-Key").any(|key| !key.is_empty())
    }

    /// Returns the headers in order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the values of a header.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let headers = self.headers.iter();
        let named = headers.filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| &**value)
    }

    /// Returns the request as the validator takes it.
    pub(crate) fn webhook(&self) -> WebhookRequest<'_> {
        let request = WebhookRequest::new(&self.method, &self.url).body(&self.body);
        let request = self
            .values("Content-Type")
            .fold(request, WebhookRequest::content_type);
        let request = self
            .values("Content-Encoding")
            .fold(request, WebhookRequest::content_encoding);
        let request = self
            .values(header::SIGNATURE)
            .fold(request, WebhookRequest::signature);
        self.values(header::SIGNATURE_SETTINGS)
            .fold(request, WebhookRequest::signature_settings)
    }
}
