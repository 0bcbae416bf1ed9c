//! A URL in parts that can be exchanged, and what differs between two of them.

use super::{cause::Cause, query};
use crate::url::{split_port, unescape};

/// A URL's parts, each as it stands in the text. Any text has them: put together, they are that text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Location {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    /// The host with its port.
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// With its `#`.
    pub(super) fragment: String,
}

impl Location {
    pub(super) fn of(url: &str) -> Self {
        let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let (before_query, query) = match url.split_once('?') {
            Some((before, query)) => (before, Some(query.to_owned())),
            None => (url, None),
        };
        let (scheme, rest) = match before_query.split_once("://") {
            Some((scheme, rest)) if !scheme.is_empty() => (scheme, rest),
            _ => ("", before_query),
        };
        let authority_end = match scheme {
            "" => 0,
            _ => rest.find('/').unwrap_or(rest.len()),
        };
        let (authority, path) = rest.split_at(authority_end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        Self {
            scheme: scheme.to_owned(),
            user,
            host: host.to_owned(),
            path: path.to_owned(),
            query,
            fragment: fragment.to_owned(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(64 + self.path.len());
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push_str("://");
        }
        if let Some(user) = &self.user {
            text.push_str(user);
            text.push('@');
        }
        text.push_str(&self.host);
        text.push_str(&self.path);
        if let Some(query) = &self.query {
            text.push('?');
            text.push_str(query);
        }
        text.push_str(&self.fragment);
        text
    }

    pub(super) fn is_secure(&self) -> bool {
        ["https", "wss"]
            .iter()
            .any(|name| self.scheme.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_websocket(&self) -> bool {
        ["ws", "wss"]
            .iter()
            .any(|name| self.scheme.eq_ignore_ascii_case(name))
    }

    /// Returns the scheme of the same kind, but for what is to change.
    pub(super) fn other_scheme(&self, security: bool, kind: bool) -> &'static str {
        match (self.is_secure() != security, self.is_websocket() != kind) {
            (true, false) => "https",
            (false, false) => "http",
            (true, true) => "wss",
            (false, true) => "ws",
        }
    }

    /// Returns the path with a slash added to its end, or cut off there.
    pub(super) fn toggled_slash(&self) -> String {
        match self.path.strip_suffix('/') {
            Some(path) => path.to_owned(),
            None => format!("{}/", self.path),
        }
    }

    fn port(&self) -> Option<&str> {
        split_port(&self.host).1
    }

    /// Returns the port that is connected to.
    fn effective_port(&self) -> &str {
        self.port()
            .unwrap_or(if self.is_secure() { "443" } else { "80" })
    }

    /// Tells why a validator that is given this URL does not accept a signature over the other one.
    pub(super) fn differences(&self, signed: &Self) -> Vec<Cause> {
        let mut causes = Vec::new();
        if self.scheme != signed.scheme {
            let kind_differs = self.is_websocket() != signed.is_websocket();
            if kind_differs {
                causes.push(Cause::WebsocketScheme);
            }
            if self.is_secure() != signed.is_secure() || !kind_differs {
                causes.push(Cause::Scheme);
            }
        }
        if split_port(&self.host).0 != split_port(&signed.host).0 {
            causes.push(Cause::Host);
        } else if self.port() != signed.port() && self.effective_port() != signed.effective_port() {
            // Of a default port that became another one with the scheme, the scheme is the cause.
            let default =
                |url: &Self| url.effective_port() == if url.is_secure() { "443" } else { "80" };
            if !(default(self) && default(signed)) {
                causes.push(Cause::Port);
            }
        }
        if self.user != signed.user {
            causes.push(Cause::Userinfo);
        }
        self.path_differences(signed, &mut causes);
        // Of the signed URL some escapes may be bare, but not those of the one that the app saw.
        let tolerated = !signed.is_websocket()
            && self.query.as_deref().map(unescape).as_ref() == signed.query.as_ref();
        if self.query != signed.query && !tolerated {
            causes.extend(query::differences(
                self.query.as_deref().unwrap_or_default(),
                signed.query.as_deref().unwrap_or_default(),
            ));
        }
        causes
    }

    fn path_differences(&self, signed: &Self, causes: &mut Vec<Cause>) {
        if self.path == signed.path {
            return;
        }
        let [own, other] =
            [self, signed].map(|url| url.path.strip_suffix('/').unwrap_or(&url.path));
        if own != other {
            causes.push(Cause::PathPrefix);
        }
        // The validator cuts the slash of a bare host off, and tries WebSockets with it and without it.
        let bare_host = self.path == "/" && signed.path.is_empty();
        let tolerated =
            signed.is_websocket() || (bare_host && self.query.is_none() && signed.query.is_none());
        let slash_differs = self.path.ends_with('/') != signed.path.ends_with('/');
        if slash_differs && !tolerated && (own.ends_with(other) || other.ends_with(own)) {
            causes.push(Cause::TrailingSlash);
        }
    }

    /// Returns the public URL under which a validator turns this URL into the signed one, if only
    /// the origin and a prefix of the path differ.
    pub(super) fn base_of(&self, signed: &Self) -> Option<String> {
        let own = self.path.strip_suffix('/').unwrap_or(&self.path);
        let other = signed.path.strip_suffix('/').unwrap_or(&signed.path);
        let prefix = other.strip_suffix(own)?;
        let scheme = if signed.is_secure() { "https" } else { "http" };
        Some([scheme, "://", &signed.host, prefix].concat())
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
        ] {
            assert_eq!(Location::of(url).text(), url);
        }
    }

    #[test]
    fn differences_are_named_once_each() {
        use Cause::{
            Host, ParamsExtra, PathPrefix, Port, QueryEncoding, QueryMissing, QueryOrder, Scheme,
            TrailingSlash, Userinfo, WebsocketScheme,
        };
        let cases: &[(&str, &str, &[Cause])] = &[
            ("http://h/x", "https://h/x", &[Scheme]),
            ("http://h:80/x", "https://h/x", &[Scheme]),
            ("http://h/x", "https://h:443/x", &[Scheme]),
            ("http://h:443/x", "https://h/x", &[Scheme]),
            ("http://h:8080/x", "https://h/x", &[Scheme, Port]),
            ("http://h:8080/x", "https://h:8443/x", &[Scheme, Port]),
            ("https://h/x", "https://h:8443/x", &[Port]),
            ("http://10.0.0.7:8080/x", "https://h/x", &[Scheme, Host]),
            ("http://a:8080/x", "http://b:9090/x", &[Host]),
            ("http://a:8080/x", "http://b:8080/x", &[Host]),
            ("https://h/x", "wss://h/x", &[WebsocketScheme]),
            ("http://h/x", "wss://h/x", &[WebsocketScheme, Scheme]),
            ("HTTPS://h/x", "https://h/x", &[Scheme]),
            ("https://h/x", "https://u:p@h/x", &[Userinfo]),
            ("https://u:p@h/x", "https://h/x", &[Userinfo]),
            ("https://h/x", "https://h/p/x", &[PathPrefix]),
            ("https://h/p/x", "https://h/x", &[PathPrefix]),
            (
                "https://h/x",
                "https://h/p/x/",
                &[PathPrefix, TrailingSlash],
            ),
            ("https://h/x", "https://h/y/", &[PathPrefix]),
            ("https://h/x/", "https://h/x", &[TrailingSlash]),
            ("https://h/?a", "https://h?a", &[TrailingSlash]),
            ("https://h/", "https://h", &[]),
            ("https://h", "https://h/", &[TrailingSlash]),
            ("wss://h/x", "wss://h/x/", &[]),
            ("https://h/?a=%27", "https://h/?a='", &[]),
            ("https://h/?a='", "https://h/?a=%27", &[QueryEncoding]),
            ("wss://h/?a=%27", "wss://h/?a='", &[QueryEncoding]),
            ("https://h/x", "https://h/x?a=1", &[QueryMissing]),
            ("https://h/x?a=1", "https://h/x?a=1&b=2", &[QueryMissing]),
            ("https://h/x", "https://h/x?", &[QueryMissing]),
            ("https://h/x?a=1", "https://h/x", &[ParamsExtra]),
            ("https://h/x?b=2&a=1", "https://h/x?b=2", &[ParamsExtra]),
            ("https://h/x?a=1&b=2", "https://h/x?b=2&a=1", &[QueryOrder]),
            ("https://h/x?a=%20", "https://h/x?a=+", &[QueryEncoding]),
            ("https://h/x?a=1+2", "https://h/x?a=1%2B2", &[QueryEncoding]),
            ("https://h/x?a=%2520", "https://h/x?a=%20", &[QueryEncoding]),
            ("https://h/x?a", "https://h/x?a=", &[QueryEncoding]),
            ("https://h/x?a=1&", "https://h/x?a=1", &[QueryEncoding]),
            (
                "https://h/x?a=%20&b=1",
                "https://h/x?b=1&a=+",
                &[QueryOrder, QueryEncoding],
            ),
            (
                "https://h/x?a=%20",
                "https://h/x?b=1&a=+",
                &[QueryEncoding, QueryMissing],
            ),
            ("https://h/x?a=1", "https://h/x?b=1", &[QueryMissing]),
        ];
        for (seen, signed, expected) in cases {
            let found = Location::of(seen).differences(&Location::of(signed));
            assert_eq!(found, *expected, "{seen} {signed}");
        }
    }

    #[test]
    fn base_is_what_stands_before_the_path_of_the_app() {
        let cases = [
            (
                "http://10.0.0.7:8080/m?a=1",
                "https://h/m?a=1",
                Some("https://h"),
            ),
            (
                "http://h/m",
                "wss://u:p@h:8443/a/b/m",
                Some("https://h:8443/a/b"),
            ),
            ("http://h/m/", "https://h/m", Some("https://h")),
            ("http://h/a/m", "https://h/m", None),
        ];
        for (seen, signed, base) in cases {
            assert_eq!(
                Location::of(seen).base_of(&Location::of(signed)).as_deref(),
                base,
                "{seen}"
            );
        }
    }
}
