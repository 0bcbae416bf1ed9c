//! A webhook request as text and bytes: everything that a verdict depends on.

use std::fmt;

/// Describes a webhook request to a [`RequestValidator`](crate::RequestValidator): borrows everything that a
/// verdict depends on.
///
/// A WebSocket handshake is a `GET` whose URL has the scheme `ws` or `wss`.
///
/// # Examples
///
/// ```
/// use twilio_signature::{AuthToken, RequestValidator, WebhookRequest};
///
/// let request = WebhookRequest::new("POST", "https://example.com/message")
///     .content_type("application/x-www-form-urlencoded")
///     .body("From=%2B14158675310&Body=Hi")
///     .signature("9sTYBArgrhiUr+8jrGQU8+dtr6Y=");
///
/// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
/// assert!(validator.validate(&request).is_ok());
/// # Ok::<(), twilio_signature::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct WebhookRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) base_path: &'a str,
    pub(crate) content_type: HeaderValue<'a>,
    pub(crate) content_encoding: HeaderValue<'a>,
    pub(crate) signature: HeaderValue<'a>,
    pub(crate) settings: HeaderValue<'a>,
    pub(crate) body: &'a [u8],
}

impl<'a> WebhookRequest<'a> {
    /// Constructs a request without headers and without a body.
    ///
    /// `method` is in upper case, as on the wire. `url` is the whole URL as Twilio requested it, from the scheme to
    /// the end of the query. Any text is accepted (R9).
    pub fn new(method: &'a str, url: &'a str) -> Self {
        Self {
            method,
            url,
            base_path: "",
            content_type: HeaderValue::Absent,
            content_encoding: HeaderValue::Absent,
            signature: HeaderValue::Absent,
            settings: HeaderValue::Absent,
            body: &[],
        }
    }

    /// Sets the part of the URL's path that was put before the app's own path: the path of a public URL, or the
    /// prefix that a proxy strips, without a slash at its end. It is empty by default.
    ///
    /// It makes the validator recognize a webhook whose path is exactly the base path, so that the app itself
    /// sees `/` (R10.3).
    pub fn base_path(mut self, base_path: &'a str) -> Self {
        self.base_path = base_path;
        self
    }

    /// Adds a value of the `Content-Type` header.
    pub fn content_type(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.content_type.add(value.as_ref());
        self
    }

    /// Adds a value of the `Content-Encoding` header.
    pub fn content_encoding(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.content_encoding.add(value.as_ref());
        self
    }

    /// Adds a value of the `X-Twilio-Signature` header. Call it once for each value that the request has.
    /// Different values are refused (R13).
    pub fn signature(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.signature.add(value.as_ref());
        self
    }

    /// Adds a value of the `X-Twilio-Webhooks-Signature-Settings` header, which names a SharedKey:
    /// `key=<id>,algorithm=HMAC_SHA256`. A blank value counts as absent (R17).
    pub fn signature_settings(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        let value = value.as_ref();
        // R17
        if !value.trim_ascii().is_empty() {
            self.settings.add(value);
        }
        self
    }

    /// Sets the URL, for a request whose headers are known before its URL.
    pub fn url(mut self, url: &'a str) -> Self {
        self.url = url;
        self
    }

    /// Sets the body: the raw bytes that came over the wire (R8).
    pub fn body(mut self, body: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.body = body.as_ref();
        self
    }

    /// Returns whether the request is a `GET` or a `HEAD`, whose parameters are all in the URL (R5).
    pub(crate) fn is_get_or_head(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }
}

/// Prints only the method and two lengths, because queries and bodies contain personal data.
impl fmt::Debug for WebhookRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("method", &self.method)
            .field("url_len", &self.url.len())
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The value of a header that must have only one. The same value may be repeated; a different one is a conflict.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderValue<'a> {
    Absent,
    One(&'a [u8]),
    Conflicting,
}

impl<'a> HeaderValue<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match *self {
            Self::Absent => Self::One(value),
            Self::One(first) if first == value => Self::One(first),
            Self::One(_) | Self::Conflicting => Self::Conflicting,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_value_of_a_header_is_one_and_a_second_one_conflicts() {
        let cases: &[(&[&str], HeaderValue<'_>)] = &[
            (&[], HeaderValue::Absent),
            (&["a"], HeaderValue::One(b"a")),
            (&["a", "a"], HeaderValue::One(b"a")),
            (&["a", "b"], HeaderValue::Conflicting),
            (&["a", "b", "a"], HeaderValue::Conflicting),
        ];
        for (values, expected) in cases {
            let mut found = HeaderValue::Absent;
            for value in *values {
                found.add(value.as_bytes());
            }
            assert!(found == *expected, "{values:?}");
        }
    }

    #[test]
    fn request_is_printed_as_its_method_and_two_lengths() {
        let request = WebhookRequest::new("POST", "https://h/?a=secret").body("b=secret");
        assert_eq!(
            format!("{request:?}"),
            "WebhookRequest { method: \"POST\", url_len: 19, body_len: 8, .. }"
        );
    }
}
