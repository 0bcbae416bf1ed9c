//! The public URL: the part of a webhook's URL that the operator knows and the request need not tell.

use crate::{
    error::ConfigError,
    url::{is_port, split_port},
};

/// The origin that Twilio requests, and the path prefix that a proxy strips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Whether Twilio comes over TLS. Of `https` and `wss`, the request decides.
    pub(crate) secure: bool,
    /// Host, port and path prefix, without a slash at the end.
    pub(crate) base: String,
}

impl PublicUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let error = |problem: &'static str| {
            ConfigError::new(
                "public_url",
                problem,
                "give the base that Twilio requests, such as https://example.com or https://example.com/prefix",
            )
        };
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| error("it has no scheme"))?;
        let secure = is_secure_scheme(scheme)
            .ok_or_else(|| error("its scheme is none of https, http, wss and ws"))?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(error("it has blanks or characters that are not ASCII"));
        }
        if rest.contains(['?', '#']) {
            return Err(error("it has a query or a fragment"));
        }
        let base = rest.strip_suffix('/').unwrap_or(rest);
        let (authority, prefix) = base.split_at(base.find('/').unwrap_or(base.len()));
        if authority.contains('@') {
            return Err(error("it has user info"));
        }
        if !is_host(authority) {
            return Err(error("its host or port is malformed"));
        }
        if prefix.ends_with('/') {
            return Err(error("its path ends with several slashes"));
        }
        Ok(Self {
            secure,
            base: base.to_owned(),
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
            };
            assert_eq!(PublicUrl::parse(text), Ok(expected), "{text}");
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
            "https://example.com//",
            "https://::1",
            "https://[::1",
            "https://[a]",
        ];
        for text in wrong {
            assert!(PublicUrl::parse(text).is_err(), "{text:?}");
        }
    }
}
