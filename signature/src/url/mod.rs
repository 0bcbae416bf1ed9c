//! Splits the text of a URL into its parts, without decoding or rebuilding it (R9).

#[cfg(feature = "validator")]
pub mod forwarded;
pub mod host;
mod public;

use std::{borrow::Cow, net::Ipv6Addr};

pub use self::public::PublicUrl;

/// The parts of a URL, each as it is in the text.
///
/// Any text can be split, and the parts together make the same text again (R9). A text without a scheme is a
/// path, with a query and a fragment if it has them.
///
/// `Debug` prints no user info and no values of the query.
///
/// # Examples
///
/// ```
/// use twilio_signature::url::UrlParts;
///
/// let url = UrlParts::of("https://user@example.com:8443/message?a=1#top");
/// assert_eq!((&*url.host, url.port.as_deref()), ("example.com", Some("8443")));
/// assert_eq!((&*url.path, url.query.as_deref()), ("/message", Some("a=1")));
/// assert_eq!(url.text(), "https://user@example.com:8443/message?a=1#top");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct UrlParts<'a> {
    /// What precedes `://`, or nothing.
    pub scheme: Cow<'a, str>,
    /// What precedes the last `@` of the authority (R11).
    pub user_info: Option<Cow<'a, str>>,
    /// The host. An IPv6 address includes its brackets.
    pub host: Cow<'a, str>,
    /// What follows the last `:` of the authority, after user info and brackets (R10.2).
    pub port: Option<Cow<'a, str>>,
    /// The path, including its first slash.
    pub path: Cow<'a, str>,
    /// What is between the first `?` and the fragment.
    pub query: Option<Cow<'a, str>>,
    /// What follows the first `#`.
    pub fragment: Option<Cow<'a, str>>,
}

impl<'a> UrlParts<'a> {
    /// Splits a URL.
    #[must_use]
    pub fn of(url: &'a str) -> Self {
        let (url, fragment) = split_at_first(url, '#');
        let (url, query) = split_at_first(url, '?');
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) if !scheme.is_empty() => (scheme, rest),
            _ => ("", url),
        };
        let authority_len = match scheme {
            "" => 0,
            _ => rest.find('/').unwrap_or(rest.len()),
        };
        let (authority, path) = rest.split_at(authority_len);
        // R11
        let (user_info, host_and_port) = match authority.rsplit_once('@') {
            Some((user_info, rest)) => (Some(user_info), rest),
            None => (None, authority),
        };
        let (host, port) = split_port(host_and_port);
        Self {
            scheme: scheme.into(),
            user_info: user_info.map(Cow::from),
            host: host.into(),
            port: port.map(Cow::from),
            path: path.into(),
            query: query.map(Cow::from),
            fragment: fragment.map(Cow::from),
        }
    }

    /// Returns the text of the URL that the parts make up.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.path.len() + 64);
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push_str("://");
        }
        if let Some(user_info) = &self.user_info {
            text.push_str(user_info);
            text.push('@');
        }
        text.push_str(&self.host);
        push_part(&mut text, ':', self.port.as_deref());
        text.push_str(&self.path);
        push_part(&mut text, '?', self.query.as_deref());
        push_part(&mut text, '#', self.fragment.as_deref());
        text
    }

    /// Returns parts that borrow nothing.
    #[must_use]
    pub fn into_owned(self) -> UrlParts<'static> {
        let owned = |part: Cow<'a, str>| Cow::Owned(part.into_owned());
        UrlParts {
            scheme: owned(self.scheme),
            user_info: self.user_info.map(owned),
            host: owned(self.host),
            port: self.port.map(owned),
            path: owned(self.path),
            query: self.query.map(owned),
            fragment: self.fragment.map(owned),
        }
    }

    /// Returns the host with its port, as in a `Host` header.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        let mut text = self.host.to_string();
        push_part(&mut text, ':', self.port.as_deref());
        text
    }

    /// Returns the path and the query, as in a request's first line.
    #[must_use]
    pub fn target(&self) -> String {
        let mut text = self.path.to_string();
        push_part(&mut text, '?', self.query.as_deref());
        text
    }

    /// Returns whether the scheme means TLS, or `None` if it is not `https`, `wss`, `http` or `ws`.
    #[must_use]
    pub fn is_secure(&self) -> Option<bool> {
        is_secure_scheme(&self.scheme)
    }

    /// Returns whether the scheme is `ws` or `wss`, in any case.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        ["ws", "wss"]
            .iter()
            .any(|name| self.scheme.eq_ignore_ascii_case(name))
    }

    /// Returns whether this is a URL as Twilio writes it. An odd URL is tried only as it is, in no other form
    /// (R9).
    #[cfg(feature = "validator")]
    pub(crate) fn is_regular(&self) -> bool {
        matches!(&*self.scheme, "http" | "https" | "ws" | "wss")
            && !self.host.is_empty()
            && self.host.is_ascii()
            && (!self.host.contains(':') || self.host.ends_with(']'))
            && self.port.as_deref().is_none_or(is_port)
    }
}

fn push_part(text: &mut String, mark: char, part: Option<&str>) {
    if let Some(part) = part {
        text.push(mark);
        text.push_str(part);
    }
}

fn split_at_first(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Returns the query of a URL: what is between the first `?` and the fragment.
#[must_use]
pub fn query(url: &str) -> Option<&str> {
    let (before_fragment, _) = split_at_first(url, '#');
    split_at_first(before_fragment, '?').1
}

/// Splits off the port: what follows the last `:` after the last `]` (R10.2).
#[must_use]
pub fn split_port(host_and_port: &str) -> (&str, Option<&str>) {
    // R10.2
    let host_end = host_and_port.rfind(']').map_or(0, |at| at + 1);
    match host_and_port.rfind(':') {
        Some(colon) if colon >= host_end => {
            let (host, port) = host_and_port.split_at(colon);
            (host, port.get(1..))
        }
        _ => (host_and_port, None),
    }
}

/// Returns whether this is a port number without leading zeros.
#[must_use]
pub fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
        && text.parse::<u16>().is_ok()
}

/// Returns whether this is a host with or without a port, as in a `Host` header: a name, an IPv4 address
/// or an IPv6 address in brackets.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let (host, port) = split_port(text);
    let host_is_valid = match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    };
    // The longest name in the DNS has 253 characters.
    host_is_valid && (1..=253).contains(&host.len()) && port.is_none_or(is_port)
}

/// Returns whether a scheme means TLS, or `None` if it is not `https`, `wss`, `http` or `ws`. Schemes are
/// case-insensitive.
#[must_use]
pub fn is_secure_scheme(scheme: &str) -> Option<bool> {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if is("https") || is("wss") {
        Some(true)
    } else if is("http") || is("ws") {
        Some(false)
    } else {
        None
    }
}

/// Returns the scheme of a URL that is secure or not, and a WebSocket's or not (R12).
#[must_use]
pub fn scheme(secure: bool, websocket: bool) -> &'static str {
    // R12
    match (secure, websocket) {
        (true, false) => "https",
        (true, true) => "wss",
        (false, false) => "http",
        (false, true) => "ws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_put_together_as_it_was() {
        for url in [
            "",
            "/",
            "https://h",
            "https://h/",
            "https://u:p@h:1/a?b=1?c#d?e",
            "//h/x",
            "h/x?y://z",
            "https://?x",
            "https://u@@h/@",
            "://x/y",
            "HTTPS://\u{e9}/#",
            "https://h/?",
            "https://h:",
            "https://@",
            "https://[::1]:/x",
            "https://h#a?b#c",
        ] {
            assert_eq!(UrlParts::of(url).text(), url);
            assert_eq!(UrlParts::of(url).into_owned().text(), url);
        }
    }

    #[test]
    fn parts_end_where_the_next_one_begins() {
        let url = UrlParts::of("wss://a@b:c@[::1]:8443/x@y:1?d=http://e:2/?f#g?h");
        assert_eq!(url.scheme, "wss");
        assert_eq!(url.user_info.as_deref(), Some("a@b:c"));
        assert_eq!(url.host, "[::1]");
        assert_eq!(url.port.as_deref(), Some("8443"));
        assert_eq!(url.path, "/x@y:1");
        assert_eq!(url.query.as_deref(), Some("d=http://e:2/?f"));
        assert_eq!(url.fragment.as_deref(), Some("g?h"));
        assert_eq!(url.host_and_port(), "[::1]:8443");
        assert_eq!(url.target(), "/x@y:1?d=http://e:2/?f");
        let path = UrlParts::of("/a?b");
        assert_eq!((&*path.host, &*path.path), ("", "/a"));
        let path = UrlParts::of("example.com:1/a?b");
        assert_eq!((&*path.host, path.port.as_deref()), ("", None));
        assert_eq!(path.path, "example.com:1/a");
    }

    #[test]
    fn colon_in_brackets_starts_no_port() {
        for (text, host, port) in [
            ("[::]", "[::]", None),
            ("[::]:1", "[::]", Some("1")),
            ("[:", "[", Some("")),
            ("]:1", "]", Some("1")),
            ("a:b:1", "a:b", Some("1")),
            ("", "", None),
        ] {
            assert_eq!(split_port(text), (host, port), "{text}");
        }
    }

    #[test]
    fn query_ends_at_the_fragment() {
        assert_eq!(query("https://h/x?a=1?b#c?d"), Some("a=1?b"));
        assert_eq!(query("https://h/x#?a=1"), None);
        assert_eq!(query("https://h/x?"), Some(""));
    }

    #[test]
    fn user_info_and_values_are_not_printed() {
        let url = UrlParts::of("https://user:secret@h/x?a=secret");
        assert_eq!(format!("{url:?}"), "UrlParts(https://..@h/x?a=..)");
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for host in [
            "h",
            "a.example:1",
            "1.2.3.4",
            "[::1]",
            "[::1]:443",
            "a_b~c-d",
        ] {
            assert!(is_host(host), "{host}");
        }
        for wrong in [
            "",
            ":1",
            "h:",
            "h:01",
            "h:65536",
            "::1",
            "[::1",
            "[a]",
            "[1:2]",
            "[fe80::1%25eth0]",
            "a b",
            "a/b",
            "u@h",
            "\u{e9}",
        ] {
            assert!(!is_host(wrong), "{wrong}");
        }
    }
}
