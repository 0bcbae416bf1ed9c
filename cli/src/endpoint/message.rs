//! The requests that Twilio makes, without the base of the URL and without a signature.

use twilio_signature::{BODY_SHA256, body_sha256};

/// The methods that Twilio requests webhooks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    Get,
    Post,
}

/// A request as Twilio makes it, without the base of its URL and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) method: Method,
    /// Pairs that are appended to the URL's query.
    pub(crate) query: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl Message {
    /// Returns a GET with these pairs in its query.
    pub(crate) fn get(query: String) -> Self {
        Self {
            method: Method::Get,
            query,
            content_type: None,
            body: Vec::new(),
        }
    }

    /// Returns a POST of a form.
    pub(crate) fn form(content_type: &'static str, form: String) -> Self {
        Self {
            method: Method::Post,
            query: String::new(),
            content_type: Some(content_type),
            body: form.into_bytes(),
        }
    }

    /// Returns a POST of JSON, with the hash of the body in the query.
    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self {
            method: Method::Post,
            query: format!("{BODY_SHA256}={}", body_sha256(&body)),
            content_type: Some("application/json"),
            body,
        }
    }
}
