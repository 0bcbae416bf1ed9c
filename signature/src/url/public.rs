//! The public URL: the part of a webhook's URL that the operator configures.

use super::{UrlParts, is_host, scheme};
use crate::error::ConfigError;

/// The base of the URLs that Twilio requests, or one whole URL without its query.
///
/// # Examples
///
/// ```
/// use twilio_signature::url::PublicUrl;
///
/// let base = PublicUrl::parse_base("https://example.com/twilio")?;
/// assert_eq!(base.with_target("/message?a=1", false), "https://example.com/twilio/message?a=1");
/// assert!(PublicUrl::parse_base("example.com").is_err());
/// # Ok::<(), twilio_signature::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    secure: bool,
    host_and_port: String,
    /// Without a slash at its end, unless the URL is whole.
    path: String,
    /// Whether the path is complete, so that only the request's query is appended.
    whole: bool,
}

impl PublicUrl {
    /// Parses the origin that Twilio requests, such as `https://example.com`. If a proxy strips a path prefix,
    /// the prefix follows the origin: `https://example.com/prefix`.
    ///
    /// The scheme only says whether there is TLS: `https` and `wss` mean the same here, and so do `http` and `ws`
    /// (R12).
    ///
    /// # Errors
    ///
    /// Returns an error if this is not an absolute URL with the scheme `https`, `http`, `wss` or `ws`, or if it
    /// has user info, a query or a fragment.
    pub fn parse_base(text: &str) -> Result<Self, ConfigError> {
        let mut url = Self::parse(text, "public_url")?;
        if url.path.ends_with('/') {
            url.path.pop();
        }
        if url.path.ends_with('/') {
            return Err(ConfigError::new(
                "public_url",
                "its path ends with more than one slash",
                "end it with one slash or none",
            ));
        }
        Ok(url)
    }

    /// Parses the whole URL that Twilio requests, without its query.
    ///
    /// # Errors
    ///
    /// Returns an error for the same URLs as [`parse_base`](Self::parse_base), except that several slashes at the
    /// end are allowed.
    pub fn parse_whole(text: &str) -> Result<Self, ConfigError> {
        let url = Self::parse(text, "url")?;
        Ok(Self { whole: true, ..url })
    }

    /// Returns the URL of a request from the request's target, which is its path and query.
    #[must_use]
    pub fn with_target(&self, target: &str, websocket: bool) -> String {
        let rest = if self.whole {
            target
                .find('?')
                .and_then(|at| target.get(at..))
                .unwrap_or("")
        } else {
            target
        };
        let scheme = scheme(self.secure, websocket);
        [scheme, "://", &self.host_and_port, &self.path, rest].concat()
    }

    /// Returns whether this is a whole URL, so that the path of the request does not count.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Returns the path that is put before the app's own: see
    /// [`WebhookRequest::base_path`](crate::WebhookRequest::base_path).
    #[must_use]
    pub fn base_path(&self) -> &str {
        if self.whole { "" } else { &self.path }
    }

    fn parse(text: &str, setting: &'static str) -> Result<Self, ConfigError> {
        let error =
            |problem: &'static str, fix: &'static str| Err(ConfigError::new(setting, problem, fix));
        if text.starts_with(['"', '\'']) {
            return error("it is in quotes", "remove them");
        }
        let url = UrlParts::of(text);
        if url.scheme.is_empty() {
            return error(
                "it has no scheme",
                "write a full URL, such as https://example.com",
            );
        }
        let Some(secure) = url.is_secure() else {
            return error(
                "its scheme is not supported",
                "write https, http, wss or ws",
            );
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return error(
                "it contains a space or a character that is not ASCII",
                "percent-encode it, or, in a host, use Punycode",
            );
        }
        if url.query.is_some() || url.fragment.is_some() {
            return error(
                "it has a query or a fragment",
                "remove it, since each request has its own query",
            );
        }
        if url.user_info.is_some() {
            return error(
                "it contains a user name or a password",
                "remove them here and from the URL at Twilio, which would sign them",
            );
        }
        let host_and_port = url.host_and_port();
        if !is_host(&host_and_port) {
            return error(
                "its host or port is not valid",
                "write them as in https://example.com:8443",
            );
        }
        Ok(Self {
            secure,
            host_and_port,
            path: url.path.into_owned(),
            whole: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_around_a_public_url_are_named() {
        for text in ["\"https://example.com\"", "'https://example.com'", "\""] {
            let err = PublicUrl::parse_base(text).unwrap_err().to_string();
            assert!(err.contains("in quotes"), "{text}: {err}");
        }
    }

    #[test]
    fn public_urls_are_an_origin_and_a_prefix() {
        let cases = [
            ("https://example.com", true, "example.com", ""),
            ("https://example.com/", true, "example.com", ""),
            ("HTTPS://Example.com:8443", true, "Example.com:8443", ""),
            ("wss://example.com/a/b/", true, "example.com", "/a/b"),
            ("http://[::1]:8080", false, "[::1]:8080", ""),
            ("ws://localhost", false, "localhost", ""),
        ];
        for (text, secure, host_and_port, path) in cases {
            let expected = PublicUrl {
                secure,
                host_and_port: host_and_port.to_owned(),
                path: path.to_owned(),
                whole: false,
            };
            assert_eq!(PublicUrl::parse_base(text), Ok(expected), "{text}");
        }
        let wrong = [
            "",
            "example.com",
            "/prefix",
            "ftp://example.com",
            "https://",
            "https:///prefix",
            "https://user:pass@example.com",
            "https://example.com?a=1",
            "https://example.com/#a",
            "https://example.com ",
            " https://example.com",
            "https://exa mple.com",
            "https://ex\u{e4}mple.com",
            "https://example.com:",
            "https://example.com:0443",
            "https://example.com:65536",
            "https://::1",
            "https://[::1",
            "https://[a]",
            "https://[1:2]",
            "https://example.com//",
        ];
        for text in wrong {
            assert!(PublicUrl::parse_base(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn whole_urls_take_the_query_alone() {
        let url = PublicUrl::parse_whole("https://example.com/a/").unwrap();
        let with = |url: &PublicUrl, target| url.with_target(target, false);
        assert_eq!(with(&url, "/message?b=1?c"), "https://example.com/a/?b=1?c");
        assert_eq!(with(&url, "/message"), "https://example.com/a/");
        let base = PublicUrl::parse_base("https://example.com/a/").unwrap();
        let message = "https://example.com/a/message?b=1";
        assert_eq!(with(&base, "/message?b=1"), message);
        assert!(PublicUrl::parse_whole("https://example.com/a?b").is_err());
        // Only a base stands before the app's own path.
        assert_eq!((base.base_path(), url.base_path()), ("/a", ""));
        assert!(url.is_whole() && !base.is_whole());
    }
}
