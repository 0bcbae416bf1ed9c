//! URLs as text: a URL must be sent exactly as it was signed.

use std::{borrow::Cow, net::ToSocketAddrs};

use twilio_signature::url::{UrlParts, host, is_port, scheme};

use crate::outcome::Failure;

/// A URL that requests can be sent to: it has a scheme, a host and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    parts: UrlParts<'static>,
    text: String,
}

impl Url {
    /// Parses a URL. A fragment is cut off, since it is never sent; a missing path becomes `/`, which
    /// is sent in its place.
    pub(crate) fn parse(text: &str, schemes: &[&str]) -> Result<Self, Failure> {
        let usage = |problem: &str| Failure::usage(format_args!("the URL {problem}"));
        let mut parts = UrlParts::of(text).into_owned();
        parts.fragment = None;
        if parts.scheme.is_empty() {
            return Err(usage(
                "has no scheme: write the whole URL, such as http://localhost:8080/message",
            ));
        }
        if !schemes.contains(&&*parts.scheme) {
            return Err(usage(&format!(
                "must start with {}://",
                schemes.join(":// or ")
            )));
        }
        if parts.user_info.is_some() {
            return Err(usage(
                "has a user name in it: pass the user name with --auth",
            ));
        }
        if parts.host.is_empty() {
            return Err(usage("has no host"));
        }
        if !has_port(&parts) {
            return Err(usage("has a port that is not a number up to 65535"));
        }
        if parts
            .target()
            .contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return Err(usage(
                "has white space or a control character in it: escape it, a space as %20",
            ));
        }
        if parts.path.is_empty() {
            parts.path = "/".into();
        }
        Ok(Self::from(parts))
    }

    /// Returns whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = &*self.parts.host;
        // The system reads these without a look-up.
        let addresses = is_number(host)
            .then(|| (host, 0).to_socket_addrs().ok())
            .flatten();
        let mut addresses = addresses.into_iter().flatten();
        host::is_loopback(host) || addresses.any(|address| address.ip().is_loopback())
    }

    /// Returns whether Twilio can't request the URL, because its host is one of a private network.
    pub(crate) fn is_private(&self) -> bool {
        host::is_private(&self.parts.host)
    }

    /// Returns the URL with this scheme, host and port in place of its own.
    pub(crate) fn with_base(&self, base: &str) -> String {
        base.to_owned() + &self.target()
    }

    /// Returns the URL as the app sees it if this is its `Host`.
    pub(crate) fn with_host(&self, host: &str) -> String {
        self.with_base(&[&self.parts.scheme, "://", host].concat())
    }

    /// Returns the public URL that an app needs so that it expects this URL where it sees `local`. Returns `None` if no
    /// prefix leads from that path to this one.
    pub(crate) fn base_url(&self, local: &Self) -> Option<String> {
        let prefix = self.parts.path.strip_suffix(&*local.parts.path)?;
        let scheme = scheme(self.parts.is_secure()?, false);
        Some([scheme, "://", &self.parts.host_and_port(), prefix].concat())
    }

    /// Returns the URL with the scheme that means TLS.
    pub(crate) fn over_tls(&self) -> String {
        let mut parts = self.parts.clone();
        parts.scheme = scheme(true, parts.is_websocket()).into();
        parts.text()
    }

    /// Returns the host with its port.
    pub(crate) fn host_and_port(&self) -> String {
        self.parts.host_and_port()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path and the query, as the first line of a request has them.
    pub(crate) fn target(&self) -> String {
        self.parts.target()
    }

    /// Returns the URL with the place `to` in place of `from`: another scheme, host and port, and another prefix of the
    /// path if the two paths end alike. Returns `None` if the URL is not at the place `from`.
    pub(crate) fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        if self.origin() != from.origin() {
            return None;
        }
        let (from_path, to_path) = (&*from.parts.path, &*to.parts.path);
        let (from_prefix, to_prefix) = prefixes(from_path, to_path);
        let path = match self.parts.path.strip_prefix(from_prefix) {
            _ if self.parts.path == from_path => to_path.to_owned(),
            Some(rest) if rest.starts_with('/') => format!("{to_prefix}{rest}"),
            _ => return None,
        };
        let mut parts = to.parts.clone();
        parts.path = path.into();
        parts.query.clone_from(&self.parts.query);
        Some(Self::from(parts))
    }

    /// Returns what two URLs of the same server have in common.
    fn origin(&self) -> (String, String, String) {
        let scheme = self.parts.scheme.to_ascii_lowercase();
        let default = match &*scheme {
            "https" | "wss" => "443",
            _ => "80",
        };
        let port = self.parts.port.as_deref().filter(|port| !port.is_empty());
        let port = port.unwrap_or(default).to_owned();
        (scheme, self.parts.host.to_ascii_lowercase(), port)
    }

    /// Appends pairs to the query.
    pub(crate) fn with_query(&self, pairs: &str) -> Self {
        let mut parts = self.parts.clone();
        if !pairs.is_empty() {
            let query = parts.query.unwrap_or(Cow::Borrowed(""));
            let separator = match &*query {
                query if query.is_empty() || query.ends_with('&') => "",
                _ => "&",
            };
            parts.query = Some([&*query, separator, pairs].concat().into());
        }
        Self::from(parts)
    }

    /// Writes the scheme of WebSockets as that of the HTTP that they start with, or the reverse.
    pub(crate) fn with_scheme_of(&self, websocket: bool) -> Self {
        let mut parts = self.parts.clone();
        if let Some(secure) = parts.is_secure() {
            parts.scheme = scheme(secure, websocket).into();
        }
        Self::from(parts)
    }
}

/// Returns whether the port of a URL is a number up to 65535, or is left out. The HTTP client takes port 80 in place of any
/// other text.
pub(crate) fn has_port(parts: &UrlParts<'_>) -> bool {
    let port = parts.port.as_deref().unwrap_or_default();
    port.is_empty() || is_port(port)
}

/// Returns what precedes the segments that two paths end with alike. If they end differently, nothing precedes.
fn prefixes<'p>(one: &'p str, other: &'p str) -> (&'p str, &'p str) {
    let ends = one.rsplit('/').zip(other.rsplit('/'));
    let alike = ends.take_while(|(one, other)| one == other);
    let len: usize = alike.map(|(segment, _)| segment.len() + 1).sum();
    if len == 0 {
        return ("", "");
    }
    let prefix = |path: &'p str| {
        path.get(..path.len().saturating_sub(len))
            .unwrap_or_default()
    };
    (prefix(one), prefix(other))
}

impl From<UrlParts<'static>> for Url {
    fn from(parts: UrlParts<'static>) -> Self {
        Self {
            text: parts.text(),
            parts,
        }
    }
}

/// Returns whether a host is an address of numbers, such as `127.1` and `0x7f000001`, and not a name.
fn is_number(host: &str) -> bool {
    host.split('.').all(|part| {
        let (digits, radix) = match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None => (part, 10),
        };
        !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP: &[&str] = &["http", "https"];

    #[test]
    fn only_addresses_are_numbers() {
        for host in ["127.1", "2130706433", "0x7f000001", "0X7f.0.1", "0177.1"] {
            assert!(is_number(host), "{host}");
        }
        for host in [
            "7.de",
            "0.cafe",
            "12.face",
            "0x.1",
            "1.",
            "",
            "localhost",
            "[::1]",
        ] {
            assert!(!is_number(host), "{host}");
        }
    }

    #[test]
    fn only_urls_that_can_be_sent_to_are_parsed() {
        let wrong = [
            "",
            "localhost:8080/message",
            "ftp://h/",
            "ws://h/",
            "HTTP://h/",
            "http://",
            "http:///message",
            "http://:8080/",
            "http://user:secret@h/",
            "http://h/a b",
            "http://h/a\nb",
            "http://h:65536/",
            "http://h:+80/",
            "http://h:-1/",
            "http://h:8o/",
            "http://h:80:secret/",
        ];
        for text in wrong {
            let Err(Failure::Usage(message)) = Url::parse(text, HTTP) else {
                panic!("{text:?} is parsed");
            };
            assert!(!message.contains("secret"), "{message}");
        }
        let right = [
            ("http://h", "http://h/", "/"),
            ("http://h?x=1", "http://h/?x=1", "/?x=1"),
            ("http://h:65535/", "http://h:65535/", "/"),
            ("http://h:/", "http://h:/", "/"),
            ("http://h:1/a?#rc=2", "http://h:1/a?", "/a?"),
            (
                "https://[::1]:1/a'b/%2F?q=+%20'",
                "https://[::1]:1/a'b/%2F?q=+%20'",
                "/a'b/%2F?q=+%20'",
            ),
        ];
        for (text, url, target) in right {
            let parsed = Url::parse(text, HTTP).unwrap();
            assert_eq!(
                (parsed.as_str(), &*parsed.target()),
                (url, target),
                "{text}"
            );
        }
    }

    #[test]
    fn urls_are_moved_from_the_public_place_to_the_local_one() {
        let cases = [
            (
                "https://e.com/voice",
                "http://l:1/voice",
                "https://e.com/menu?a=1",
                Some("http://l:1/menu?a=1"),
            ),
            (
                "https://e.com/x/voice",
                "http://l:1/voice",
                "https://E.com:443/x/menu",
                Some("http://l:1/menu"),
            ),
            (
                "https://e.com/voice",
                "http://l:1/x/voice",
                "https://e.com/menu",
                Some("http://l:1/x/menu"),
            ),
            (
                "https://e.com/x/voice",
                "http://l:1/voice",
                "https://e.com/menu",
                None,
            ),
            (
                "https://e.com/x/voice",
                "http://l:1/voice",
                "https://e.com/xy/menu",
                None,
            ),
            (
                "https://e.com/a",
                "http://l:1/b",
                "https://e.com/a",
                Some("http://l:1/b"),
            ),
            (
                "https://e.com/a",
                "http://l:1/b",
                "https://e.com/c",
                Some("http://l:1/c"),
            ),
            (
                "https://e.com/",
                "http://l:1/",
                "https://e.com/c",
                Some("http://l:1/c"),
            ),
            (
                "http://l:1/a",
                "http://l:1/a",
                "http://l:1/b",
                Some("http://l:1/b"),
            ),
            ("http://l:1/a", "http://l:1/a", "http://l:2/b", None),
            ("http://l:1/a", "http://l:1/a", "https://l:1/b", None),
            ("https://e.com/a", "http://l:1/a", "http://l:1/b", None),
            (
                "https://e.com/a",
                "http://l:1/a",
                "https://e.com.evil.example/b",
                None,
            ),
        ];
        for (from, to, url, expected) in cases {
            let [from, to, url] =
                [from, to, url].map(|text| Url::parse(text, &["http", "https"]).unwrap());
            let moved = url.moved(&from, &to);
            assert_eq!(
                moved.as_ref().map(Url::as_str),
                expected,
                "{from:?} {to:?} {url:?}"
            );
        }
    }

    #[test]
    fn pairs_are_appended_to_the_query() {
        let cases = [
            ("http://h/", "a=1", "http://h/?a=1"),
            ("http://h/?", "a=1", "http://h/?a=1"),
            ("http://h/?b", "a=1", "http://h/?b&a=1"),
            ("http://h/?b&", "a=1", "http://h/?b&a=1"),
            ("http://h/?", "", "http://h/?"),
        ];
        for (url, pairs, expected) in cases {
            let url = Url::parse(url, HTTP).unwrap();
            assert_eq!(url.with_query(pairs).as_str(), expected);
        }
    }
}
