//! The URL as text: its parts, and the forms in which Twilio may have signed it.

use std::borrow::Cow;

/// One of the forms of a URL that a signature is tried against.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    /// The text that the signature covers first.
    pub(crate) url: Cow<'a, str>,
    /// The query whose pairs are signed as parameters, after `url`, which lacks it.
    pub(crate) query_as_params: Option<&'a str>,
}

/// The ways in which a candidate differs from the URL as it is: a bit each, so that the candidates
/// are all subsets of those that apply, fewest bits of the lowest kind first.
mod change {
    /// The port is cut off, or the default one is added.
    pub(super) const PORT: u8 = 1;
    /// The slash at the end of the path, or some escapes in the query, are written differently.
    pub(super) const FORM: u8 = 2;
    /// The fragment is cut off, or the query is signed as parameters. No URL has both.
    pub(super) const REST: u8 = 4;
}

/// Escapes in the query that Twilio signs as the bare characters at times.
const BARE: [(&str, &str); 3] = [("%27", "'"), ("%40", "@"), ("%3A", ":")];

/// Returns the texts that Twilio may have signed for this URL: first the URL as it is, then at most
/// seven others. `get` says whether the request is a `GET`, as WebSocket handshakes are.
///
/// Only the text is worked on. A URL that is odd in any way has no further candidates.
pub(crate) fn candidates(url: &str, get: bool) -> impl Iterator<Item = Candidate<'_>> {
    // Nearly all requests match as they are: the parts are only looked for if one does not.
    let further = std::iter::once_with(move || Parts::of(url))
        .flatten()
        .flat_map(move |parts| {
            let websocket = get && matches!(parts.scheme, "ws" | "wss");
            let applicable = parts.applicable_changes(websocket);
            (1..8)
                .filter(move |changes| changes & !applicable == 0)
                .map(move |changes| parts.with(changes, websocket))
        });
    std::iter::once(Candidate {
        url: Cow::Borrowed(url),
        query_as_params: None,
    })
    .chain(further)
}

/// Returns what stands between the first `?` and the fragment.
pub(crate) fn query(url: &str) -> Option<&str> {
    let (before_fragment, _) = split_fragment(url);
    before_fragment.split_once('?').map(|(_, query)| query)
}

fn split_fragment(url: &str) -> (&str, Option<&str>) {
    match url.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (url, None),
    }
}

/// The parts of a regular URL, each as it stands in the text.
#[derive(Clone, Copy)]
struct Parts<'a> {
    scheme: &'a str,
    /// User info and host.
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Splits a URL, unless it is odd.
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if !matches!(scheme, "http" | "https" | "ws" | "wss") {
            return None;
        }
        let (rest, fragment) = split_fragment(rest);
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority);
        let bare_host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host_is_odd = bare_host.is_empty()
            || !bare_host.is_ascii()
            || (bare_host.contains(':') && !bare_host.ends_with(']'));
        if host_is_odd || port.is_some_and(|port| !is_port(port)) {
            return None;
        }
        Some(Self {
            scheme,
            host,
            port,
            path,
            query,
            fragment,
        })
    }

    fn applicable_changes(&self, websocket: bool) -> u8 {
        let mut applicable = change::PORT;
        let escapes = |query: &str| BARE.iter().any(|(escaped, _)| query.contains(escaped));
        if websocket
            || (self.path == "/" && self.query.is_none())
            || self.query.is_some_and(escapes)
        {
            applicable |= change::FORM;
        }
        if self.fragment.is_some() || (websocket && self.query.is_some()) {
            applicable |= change::REST;
        }
        applicable
    }

    /// Writes the URL with these changes, all of them applicable.
    fn with(mut self, changes: u8, websocket: bool) -> Candidate<'a> {
        if changes & change::PORT != 0 {
            self.port = match (self.port, self.scheme) {
                (Some(_), _) => None,
                (None, "https" | "wss") => Some("443"),
                (None, _) => Some("80"),
            };
        }
        let mut query_as_params = None;
        if changes & change::REST != 0 {
            query_as_params = match self.fragment.take() {
                Some(_) => None,
                None => self.query.take(),
            };
        }
        let (mut slash, mut query) = ("", self.query.map(Cow::Borrowed));
        if changes & change::FORM != 0 {
            if websocket || (self.path == "/" && self.query.is_none()) {
                match self.path.strip_suffix('/') {
                    Some(path) => self.path = path,
                    None => slash = "/",
                }
            } else {
                query = query.map(|query| Cow::Owned(unescape(&query)));
            }
        }

        let mut url = [self.scheme, "://", self.host].concat();
        if let Some(port) = self.port {
            url.push(':');
            url.push_str(port);
        }
        url.push_str(self.path);
        url.push_str(slash);
        if let Some(query) = query {
            url.push('?');
            url.push_str(&query);
        }
        if let Some(fragment) = self.fragment {
            url.push('#');
            url.push_str(fragment);
        }
        Candidate {
            url: Cow::Owned(url),
            query_as_params,
        }
    }
}

/// Splits off what follows the last `:` after the last `@` and the last `]` of an authority.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(['@', ']']).map_or(0, |at| at + 1);
    match authority.rfind(':') {
        Some(colon) if colon >= host_end => {
            let (host, port) = authority.split_at(colon);
            (host, port.get(1..))
        }
        _ => (authority, None),
    }
}

/// Returns whether this is a port number as anyone would write it.
pub(crate) fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
        && text.parse::<u16>().is_ok()
}

/// Writes those escapes bare that Twilio signs unescaped at times.
pub(crate) fn unescape(query: &str) -> String {
    BARE.iter()
        .fold(query.to_owned(), |query, (escaped, bare)| {
            query.replace(escaped, bare)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_candidates(url: &str, get: bool, expected: &[&str]) {
        let found: Vec<_> = candidates(url, get)
            .map(|candidate| match candidate.query_as_params {
                Some(query) => format!("{} + {query}", candidate.url),
                None => candidate.url.into_owned(),
            })
            .collect();
        assert_eq!(found.first().map(String::as_str), Some(url));
        assert_eq!(&found[1..], expected, "{url}");
    }

    #[test]
    fn port_is_cut_or_the_default_one_added() {
        let cases = [
            ("https://h/x?y=1", "https://h:443/x?y=1"),
            ("http://h/x", "http://h:80/x"),
            ("https://h", "https://h:443"),
            ("https://h?y", "https://h:443?y"),
            ("https://h:8443/x?q=a%26b", "https://h/x?q=a%26b"),
            ("https://h:443/x", "https://h/x"),
            ("https://u:p@h/x", "https://u:p@h:443/x"),
            ("https://u:p@h:1/x", "https://u:p@h/x"),
            ("https://[2001:db8::7]/x", "https://[2001:db8::7]:443/x"),
            ("https://[2001:db8::7]:8443/x", "https://[2001:db8::7]/x"),
            ("https://h/x?u=http://a:1/", "https://h:443/x?u=http://a:1/"),
            ("wss://h/x", "wss://h:443/x"),
        ];
        for (url, toggled) in cases {
            assert_candidates(url, false, &[toggled]);
        }
    }

    #[test]
    fn path_slash_and_some_escapes_have_one_more_form() {
        assert_candidates(
            "https://h/",
            true,
            &["https://h:443/", "https://h", "https://h:443"],
        );
        assert_candidates("https://h/?", true, &["https://h:443/?"]);
        assert_candidates(
            "https://h/x?a=%27%40&b=%3A%3a%20",
            false,
            &[
                "https://h:443/x?a=%27%40&b=%3A%3a%20",
                "https://h/x?a='@&b=:%3a%20",
                "https://h:443/x?a='@&b=:%3a%20",
            ],
        );
        // Escapes elsewhere, and in what an unescaped '%' would become, stay.
        assert_candidates("https://h/%27", false, &["https://h:443/%27"]);
        assert_candidates("https://h/x?a=%2527", false, &["https://h:443/x?a=%2527"]);
    }

    #[test]
    fn fragments_are_tried_with_and_without() {
        assert_candidates(
            "https://h/#rc=2",
            false,
            &[
                "https://h:443/#rc=2",
                "https://h#rc=2",
                "https://h:443#rc=2",
                "https://h/",
                "https://h:443/",
                "https://h",
                "https://h:443",
            ],
        );
    }

    #[test]
    fn websocket_toggles_the_slash_and_moves_the_query() {
        assert_candidates(
            "wss://h/m",
            true,
            &["wss://h:443/m", "wss://h/m/", "wss://h:443/m/"],
        );
        assert_candidates(
            "ws://h:1/m/?a=%27",
            true,
            &[
                "ws://h/m/?a=%27",
                "ws://h:1/m?a=%27",
                "ws://h/m?a=%27",
                "ws://h:1/m/ + a=%27",
                "ws://h/m/ + a=%27",
                "ws://h:1/m + a=%27",
                "ws://h/m + a=%27",
            ],
        );
        assert_candidates(
            "wss://h/m?a=1#f",
            true,
            &[
                "wss://h:443/m?a=1#f",
                "wss://h/m/?a=1#f",
                "wss://h:443/m/?a=1#f",
                "wss://h/m?a=1",
                "wss://h:443/m?a=1",
                "wss://h/m/?a=1",
                "wss://h:443/m/?a=1",
            ],
        );
    }

    #[test]
    fn odd_urls_are_tried_as_they_are_alone() {
        let odd = [
            "",
            "/",
            "example.com/x",
            "//h/",
            "HTTPS://h/",
            "ftp://h/",
            "https://",
            "https:///x",
            "https://h:/x",
            "https://h:0443/x",
            "https://h:x/",
            "https://h:+1/",
            "https://h:65536/",
            "https://2001:db8::7/",
            "https://h\u{e9}/",
            "https://u@/x",
            "https://\u{130}:1/#\u{130}",
        ];
        for url in odd {
            assert_candidates(url, true, &[]);
        }
    }

    #[test]
    fn query_ends_at_the_fragment() {
        assert_eq!(query("https://h/x?a=1?b#c?d"), Some("a=1?b"));
        assert_eq!(query("https://h/x#?a=1"), None);
        assert_eq!(query("https://h/x?"), Some(""));
    }
}
