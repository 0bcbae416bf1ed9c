//! URLs as text: a URL must be sent exactly as it was signed.

use crate::outcome::Failure;

/// A URL that requests can be sent to: it has a scheme, a host and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url(String);

impl Url {
    /// Parses a URL. A fragment is cut off, since it is never sent; a missing path becomes `/`, which
    /// is sent in its place.
    pub(crate) fn parse(text: &str, schemes: &[&str]) -> Result<Self, Failure> {
        let usage = |problem: &str| Failure::usage(format_args!("the URL {problem}"));
        let (text, _) = text.split_once('#').unwrap_or((text, ""));
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(usage(
                "has no scheme: write the whole URL, such as http://localhost:8080/message",
            ));
        };
        if !schemes.contains(&scheme) {
            return Err(usage(&format!(
                "must start with {}://",
                schemes.join(":// or ")
            )));
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(usage(
                "has a user name in it: pass the user name with --auth",
            ));
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(usage("has no host"));
        }
        if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(usage(
                "has white space or a control character in it: escape it, a space as %20",
            ));
        }
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Ok(Self(format!("{scheme}://{authority}{slash}{rest}")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path and the query, as the first line of a request has them.
    pub(crate) fn target(&self) -> &str {
        self.0
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
            .unwrap_or("/")
    }

    /// Appends pairs to the query.
    pub(crate) fn with_query(&self, pairs: &str) -> Self {
        let separator = match self.0.split_once('?') {
            _ if pairs.is_empty() => "",
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        Self([&self.0, separator, pairs].concat())
    }

    /// Writes the scheme of WebSockets as that of the HTTP that they start with, or the reverse.
    pub(crate) fn with_scheme_of(&self, websocket: bool) -> Self {
        let schemes = [("http", "ws"), ("https", "wss")];
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return self.clone();
        };
        let scheme = schemes
            .iter()
            .find(|(http, ws)| scheme == *http || scheme == *ws)
            .map_or(scheme, |(http, ws)| if websocket { ws } else { http });
        Self(format!("{scheme}://{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP: &[&str] = &["http", "https"];

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
            ("http://h:1/a?#rc=2", "http://h:1/a?", "/a?"),
            (
                "https://[::1]:1/a'b/%2F?q=+%20'",
                "https://[::1]:1/a'b/%2F?q=+%20'",
                "/a'b/%2F?q=+%20'",
            ),
        ];
        for (text, url, target) in right {
            let parsed = Url::parse(text, HTTP).unwrap();
            assert_eq!((parsed.as_str(), parsed.target()), (url, target), "{text}");
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
