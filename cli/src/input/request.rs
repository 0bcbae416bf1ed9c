//! A request that the user passes in, be it as options, as a JSON object or as HTTP text.

use actix_twilio::{ConfigError, RequestValidator, WebhookRequest};
use serde_json::value::RawValue;

use crate::header;

/// A request as data, with the key to judge it by if it brings one along.
#[derive(Default)]
pub(crate) struct Request {
    /// The `id` of a JSON object, as it is written there.
    pub(crate) id: Option<Box<RawValue>>,
    pub(crate) method: String,
    pub(crate) url: String,
    /// The headers in order, each value on its own.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// Bytes of the body that were declared but are not there.
    pub(crate) missing: usize,
    /// The key in place of the environment's, or why it can't be one.
    pub(crate) validator: Option<Result<RequestValidator, ConfigError>>,
}

impl Request {
    /// Adds a header if there is a value for it.
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

    /// Returns the parts that the validator looks at.
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
