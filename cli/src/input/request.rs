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
    /// Bytes of the body that `Content-Length` declares and that are not there.
    pub(crate) missing: usize,
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
