//! What Twilio requests, and what it gets for an answer.

use std::fmt;

use oxiri::{Iri, IriRef};

use crate::{attributes::Method, lint::shown};

/// A webhook that Twilio requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Why it is requested.
    pub reason: Reason,
    /// The method.
    pub method: Method,
    /// The URL, without a fragment. The parameters of a `GET` are not in its query yet.
    pub url: String,
    /// The parameters, as a form for a `POST`, or appended to the query for a `GET`.
    pub params: Vec<(String, String)>,
}

impl Request {
    pub(super) fn new(
        reason: Reason,
        method: Method,
        url: String,
        params: Vec<(String, String)>,
    ) -> Self {
        Self {
            reason,
            method,
            url,
            params,
        }
    }

    /// Returns the value of a parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut params = self.params.iter();
        params
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the path of the URL.
    #[must_use]
    pub fn path(&self) -> &str {
        let url = self.url.split('?').next().unwrap_or_default();
        let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
        let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..));
        path.unwrap_or("/")
    }
}

/// Why Twilio requests something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The call or the message came in.
    Incoming,
    /// A `<Redirect>`.
    Redirect,
    /// The `action` of this verb.
    Action(&'static str),
    /// The answer was a redirect of HTTP, with this status.
    HttpRedirect(u16),
    /// Another request failed.
    Fallback,
    /// This attribute of this element names a document for somebody else, or for those who wait.
    Document(&'static str, &'static str),
    /// This attribute of this element names who is informed.
    Callback(&'static str, &'static str),
    /// The call has ended.
    CallStatus,
}

impl Reason {
    /// Returns whether the request only informs the app: its answer is not executed.
    #[must_use]
    pub const fn informs(self) -> bool {
        matches!(self, Self::Callback(..) | Self::CallStatus)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incoming => f.write_str("webhook"),
            Self::Redirect => f.write_str("<Redirect>"),
            Self::Action(verb) => write!(f, "action of <{verb}>"),
            Self::HttpRedirect(status) => write!(f, "HTTP redirect, {status}"),
            Self::Fallback => f.write_str("fallback URL"),
            Self::Document(element, attribute) | Self::Callback(element, attribute) => {
                write!(f, "{attribute} of <{element}>")
            }
            Self::CallStatus => f.write_str("status callback of the call"),
        }
    }
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer<'a> {
    /// The status of HTTP.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The value of `Location`.
    pub location: Option<&'a str>,
    /// The body. Twilio takes 64 kB, so one that is larger may be cut after that.
    pub body: &'a [u8],
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoAnswer {
    /// No connection could be made.
    Unreachable,
    /// The connection broke before the end of the answer, or what came is not HTTP.
    Broken,
    /// The answer took too long.
    TimedOut,
    /// The URL is not one of the app's, so nothing was sent.
    Elsewhere,
    /// No request can have the URL, for example because it is too long, so nothing was sent.
    Unsendable,
}

/// Resolves a URL of a document against that of the document. A fragment is cut off, since it is never sent.
///
/// # Errors
///
/// Returns why Twilio can't request the URL.
pub(super) fn resolve(base: &str, reference: &str) -> Result<String, String> {
    let reference = reference.trim();
    let wrong = |reason: &dyn fmt::Display| {
        format!("the URL {:?} is not valid: {reason}", shown(reference))
    };
    let base = Iri::parse(base).map_err(|err| wrong(&err))?;
    let reference = IriRef::parse(reference).map_err(|err| wrong(&err))?;
    let url = base.resolve(&reference).map_err(|err| wrong(&err))?;
    let is_http = ["http", "https"]
        .iter()
        .any(|scheme| url.scheme().eq_ignore_ascii_case(scheme));
    if !is_http || url.authority().is_none_or(str::is_empty) {
        return Err(wrong(&"it must start with http:// or https:// and a host"));
    }
    let text = url.into_inner();
    Ok(match text.split_once('#') {
        Some((url, _)) => url.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_resolved_against_that_of_the_document() {
        let base = "https://example.com:8443/ivr/menu?lang=en";
        let cases = [
            ("/done", Ok("https://example.com:8443/done")),
            ("done", Ok("https://example.com:8443/ivr/done")),
            ("./done?a=1", Ok("https://example.com:8443/ivr/done?a=1")),
            ("../done", Ok("https://example.com:8443/done")),
            ("../../done", Ok("https://example.com:8443/done")),
            ("?lang=de", Ok("https://example.com:8443/ivr/menu?lang=de")),
            ("", Ok("https://example.com:8443/ivr/menu?lang=en")),
            (
                "\n  http://other.example/x \n",
                Ok("http://other.example/x"),
            ),
            ("//other.example/x", Ok("https://other.example/x")),
            ("/done#rc=2&rp=all", Ok("https://example.com:8443/done")),
            (
                "/a%2Fb?x='+%20",
                Ok("https://example.com:8443/a%2Fb?x='+%20"),
            ),
            ("HTTPS://Example.com/X", Ok("HTTPS://Example.com/X")),
            ("/a b", Err(())),
            ("ftp://example.com/x", Err(())),
            ("javascript:alert(1)", Err(())),
            ("https://", Err(())),
            ("http:///x", Err(())),
            ("file:///etc/passwd", Err(())),
        ];
        for (reference, expected) in cases {
            let url = resolve(base, reference);
            assert_eq!(url.as_deref().map_err(|_| ()), expected, "{reference:?}");
        }
    }
}
