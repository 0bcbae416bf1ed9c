//! The public URL: the part of a webhook's URL that the operator knows and the request need not tell.

use crate::{
    error::ConfigError,
    url::{is_port, split_port},
};

/// What stands before the request's own path, or before its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Whether Twilio comes over TLS. Of `https` and `wss`, the request decides.
    pub(crate) secure: bool,
    /// Host, port and path.
    base: String,
    /// Whether the path is the whole one, and only the request's query is appended.
    whole: bool,
}

impl PublicUrl {
    /// Parses the origin that Twilio requests, with the path prefix that a proxy strips.
    pub(crate) fn parse_base(text: &str) -> Result<Self, ConfigError> {
        let error = |problem: &'static str| {
            ConfigError::new(
                "public_url",
                problem,
                "give the base that Twilio requests, such as https://example.com or https://example.com/prefix",
            )
        };
        let mut url = Self::parse(text).map_err(error)?;
        if url.base.ends_with('/') {
            url.base.pop();
        }
        if url.base.ends_with('/') {
            return Err(error("its path ends with several slashes"));
        }
        Ok(url)
    }

    /// Parses the URL that Twilio requests, without its query.
    pub(crate) fn parse_whole(text: &str) -> Result<Self, ConfigError> {
        let error = |problem: &'static str| {
            ConfigError::new(
                "url",
                problem,
                "give the URL that Twilio requests without its query, such as https://example.com/message",
            )
        };
        let url = Self::parse(text).map_err(error)?;
        Ok(Self { whole: true, ..url })
    }

    /// Returns the URL of a request's target, its path and query.
    pub(crate) fn with_target(&self, scheme: &str, target: &str) -> String {
        let rest = if self.whole {
            target
                .find('?')
                .and_then(|at| target.get(at..))
                .unwrap_or("")
        } else {
            target
        };
        [scheme, "://", &self.base, rest].concat()
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let secure =
            is_secure_scheme(scheme).ok_or("its scheme is none of https, http, wss and ws")?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has blanks or characters that are not ASCII");
        }
        if rest.contains(['?', '#']) {
            return Err("it has a query or a fragment");
        }
        let authority = rest
            .split_once('/')
            .map_or(rest, |(authority, _)| authority);
        if authority.contains('@') {
            return Err("it has user info");
        }
        if !is_host(authority) {
            return Err("its host or port is malformed");
        }
        Ok(Self {
            secure,
            base: rest.to_owned(),
            whole: false,
        })
    }
}

/// Returns whether a scheme that someone names means TLS, or nothing for a scheme that is not of
/// HTTP or WebSocket. Schemes are case-insensitive.
pub(crate) fn is_secure_scheme(scheme: &str) -> Option<bool> {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    match () {
        () if is("https") || is("wss") => Some(true),
        () if is("http") || is("ws") => Some(false),
        () => None,
    }
}

/// Returns whether this is a host with or without a port, as it stands in a `Host` header: a name,
/// an IPv4 address or an IPv6 address in brackets.
pub(crate) fn is_host(text: &str) -> bool {
    let (host, port) = split_port(text);
    let host_is_valid = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| {
            address
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
                && address.contains(':')
        }),
        None => host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    };
    // 253 is the longest name in the DNS.
    host_is_valid && (1..=253).contains(&host.len()) && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_an_origin_and_a_prefix() {
        let cases = [
            ("https://example.com", true, "example.com"),
            ("https://example.com/", true, "example.com"),
            ("HTTPS://Example.com:8443", true, "Example.com:8443"),
            ("wss://example.com/a/b/", true, "example.com/a/b"),
            ("http://[::1]:8080", false, "[::1]:8080"),
            ("ws://localhost", false, "localhost"),
        ];
        for (text, secure, base) in cases {
            let expected = PublicUrl {
                secure,
                base: base.to_owned(),
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
            "https://example.com//",
        ];
        for text in wrong {
            assert!(PublicUrl::parse_base(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn whole_urls_take_the_query_alone() {
        let url = PublicUrl::parse_whole("https://example.com/a/").unwrap();
        let with = |url: &PublicUrl, target| url.with_target("https", target);
        assert_eq!(with(&url, "/message?b=1?c"), "https://example.com/a/?b=1?c");
        assert_eq!(with(&url, "/message"), "https://example.com/a/");
        let base = PublicUrl::parse_base("https://example.com/a/").unwrap();
        let message = "https://example.com/a/message?b=1";
        assert_eq!(with(&base, "/message?b=1"), message);
        assert!(PublicUrl::parse_whole("https://example.com/a?b").is_err());
    }
}
