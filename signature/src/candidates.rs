//! The texts that Twilio may have signed for a URL, made by a list of steps that change the URL (R10).

use std::borrow::Cow;

use crate::{request::WebhookRequest, url::UrlParts};

/// A text that a signature is tried against.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    /// The URL, with which the signed text starts.
    pub(crate) url: Cow<'a, str>,
    /// The query whose pairs are signed as parameters after `url`, if `url` does not contain it.
    pub(crate) query_as_params: Option<Cow<'a, str>>,
}

/// The largest number of steps that apply to one URL. There is a candidate for each subset of these steps, so
/// there are never more than 8 (R10).
const MAX_STEPS: usize = 3;

/// The steps, in the order in which they are tried: a later one varies more slowly.
const STEPS: [Step; 5] = [
    Step::Port,
    Step::Slash,
    Step::BareEscapes,
    Step::Fragment,
    Step::QueryAsParams,
];

/// A way in which the URL that Twilio signed may differ from the one that the app sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The port is cut off, or the default one is added.
    Port,
    /// The slash at the end of the path, which Twilio may not have signed, is cut off, or added for a WebSocket.
    Slash,
    /// Some escapes in the query are decoded.
    BareEscapes,
    /// The fragment is cut off.
    Fragment,
    /// The query is signed as parameters.
    QueryAsParams,
}

/// Escapes in the query that Twilio sometimes signs decoded.
const BARE: [(&str, &str); 3] = [("%27", "'"), ("%40", "@"), ("%3A", ":")];

/// Returns the texts that Twilio may have signed for a request's URL: first the URL as it is, then at most
/// seven others.
///
/// Only the text is changed. A URL that is odd in any way has no further candidates (R9).
pub(crate) fn candidates<'a>(
    request: &WebhookRequest<'a>,
) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
    let WebhookRequest {
        method,
        url,
        base_path,
        ..
    } = *request;
    // Nearly all requests match with the URL as it is, so the URL is split only if one does not.
    let further = std::iter::once_with(move || Original::of(url, method == "GET", base_path))
        .flatten()
        .flat_map(|original| {
            let subsets = 1..1_usize << original.steps().count();
            subsets.map(move |subset| original.with(subset))
        });
    // R10.1
    let as_it_is = Candidate {
        url: Cow::Borrowed(url),
        query_as_params: None,
    };
    std::iter::once(as_it_is).chain(further)
}

/// The URL that the app sees, and what decides which steps apply to it.
#[derive(Clone)]
struct Original<'a> {
    url: UrlParts<'a>,
    /// Whether the request is a WebSocket handshake (R10).
    websocket: bool,
    base_path: &'a str,
}

impl<'a> Original<'a> {
    fn of(url: &'a str, get: bool, base_path: &'a str) -> Option<Self> {
        let url = UrlParts::of(url);
        // R9
        url.is_regular().then(|| Self {
            // R10
            websocket: get && url.is_websocket(),
            url,
            base_path,
        })
    }

    /// Returns the steps that apply, in order.
    fn steps(&self) -> impl Iterator<Item = Step> {
        STEPS
            .into_iter()
            .filter(|step| self.applies(*step))
            .take(MAX_STEPS)
    }

    fn applies(&self, step: Step) -> bool {
        let Self { url, websocket, .. } = self;
        match step {
            // R10.2
            Step::Port => true,
            // R10.3
            Step::Slash => *websocket || url.path == "/" || self.is_root_of_base_path(),
            // R10.3
            Step::BareEscapes => {
                let has_escapes =
                    |query: &str| BARE.iter().any(|(escaped, _)| query.contains(escaped));
                !websocket
                    && url.query.as_deref().is_some_and(has_escapes)
                    && !(url.fragment.is_some() && self.applies(Step::Slash))
            }
            // R10.1
            Step::Fragment => url.fragment.is_some(),
            // R10.4
            Step::QueryAsParams => *websocket && url.query.is_some() && url.fragment.is_none(),
        }
    }

    /// Returns whether there is a base path and the app's own path is `/`.
    fn is_root_of_base_path(&self) -> bool {
        !self.base_path.is_empty() && self.url.path.strip_suffix('/') == Some(self.base_path)
    }

    /// Applies a subset of the steps: the first step if the lowest bit is set, and so on.
    fn with(&self, subset: usize) -> Candidate<'a> {
        let mut url = self.url.clone();
        let mut query_as_params = None;
        for (index, step) in self.steps().enumerate() {
            if subset >> index & 1 == 1 {
                match step {
                    Step::Port => toggle_port(&mut url),
                    Step::Slash => toggle_slash(&mut url),
                    Step::BareEscapes => url.query = url.query.map(|query| bare(&query).into()),
                    Step::Fragment => url.fragment = None,
                    Step::QueryAsParams => query_as_params = url.query.take(),
                }
            }
        }
        Candidate {
            url: Cow::Owned(url.text()),
            query_as_params,
        }
    }
}

/// Cuts the port off, or adds the default one (R10.2).
fn toggle_port(url: &mut UrlParts<'_>) {
    // R10.2
    url.port = match (&url.port, &*url.scheme) {
        (Some(_), _) => None,
        (None, "https" | "wss") => Some("443".into()),
        (None, _) => Some("80".into()),
    };
}

/// Cuts the slash at the end of the path off, or adds one.
fn toggle_slash(url: &mut UrlParts<'_>) {
    url.path = match url.path.strip_suffix('/') {
        Some(path) => path.to_owned().into(),
        None => [&*url.path, "/"].concat().into(),
    };
}

/// Decodes the escapes in a query that Twilio sometimes signs decoded.
fn bare(query: &str) -> String {
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
        assert_candidates_below("", url, get, expected);
    }

    #[track_caller]
    fn assert_candidates_below(base_path: &str, url: &str, get: bool, expected: &[&str]) {
        let method = if get { "GET" } else { "POST" };
        let request = WebhookRequest::new(method, url).base_path(base_path);
        let found: Vec<_> = candidates(&request)
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
        assert_candidates(
            "https://h/?",
            true,
            &["https://h:443/?", "https://h?", "https://h:443?"],
        );
        assert_candidates(
            "https://h/?a=%27",
            false,
            &[
                "https://h:443/?a=%27",
                "https://h?a=%27",
                "https://h:443?a=%27",
                "https://h/?a='",
                "https://h:443/?a='",
                "https://h?a='",
                "https://h:443?a='",
            ],
        );
        // With a fragment there would be more than 8.
        assert_candidates(
            "https://h/?a=%27#f",
            false,
            &[
                "https://h:443/?a=%27#f",
                "https://h?a=%27#f",
                "https://h:443?a=%27#f",
                "https://h/?a=%27",
                "https://h:443/?a=%27",
                "https://h?a=%27",
                "https://h:443?a=%27",
            ],
        );
        assert_candidates(
            "https://h/x?a=%27%40&b=%3A%3a%20",
            false,
            &[
                "https://h:443/x?a=%27%40&b=%3A%3a%20",
                "https://h/x?a='@&b=:%3a%20",
                "https://h:443/x?a='@&b=:%3a%20",
            ],
        );
        // Escapes outside of the query stay as they are, and so does `%2527`, which does not encode a `'`.
        assert_candidates("https://h/%27", false, &["https://h:443/%27"]);
        assert_candidates("https://h/x?a=%2527", false, &["https://h:443/x?a=%2527"]);
    }

    #[test]
    fn root_of_a_base_path_is_tried_without_its_slash() {
        assert_candidates_below(
            "/twilio",
            "https://h/twilio/?a=1",
            false,
            &[
                "https://h:443/twilio/?a=1",
                "https://h/twilio?a=1",
                "https://h:443/twilio?a=1",
            ],
        );
        for (base_path, url, toggled) in [
            ("", "https://h/twilio/", "https://h:443/twilio/"),
            ("/twilio", "https://h/twilio/x/", "https://h:443/twilio/x/"),
            ("/twilio", "https://h/twilio", "https://h:443/twilio"),
            ("/a", "https://h/twilio/", "https://h:443/twilio/"),
        ] {
            assert_candidates_below(base_path, url, false, &[toggled]);
        }
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
}
