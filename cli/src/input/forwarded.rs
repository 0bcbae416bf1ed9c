//! The URLs that an app sees if it believes the forwarded headers of its peer, read as `actix-twilio` does.

use twilio_signature::url::{UrlParts, is_host, is_port, is_secure_scheme, scheme, split_port};

use crate::input::request::Request;

/// The largest number of proxies in a row.
const MAX_HOPS: usize = 8;

/// The longest list in bytes that is read. Servers refuse longer ones.
const MAX_LIST: usize = 8 * 1024;

/// What an app sees with a setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Believed {
    pub(crate) url: String,
    /// The prefix that a proxy strips, and that is in the URL.
    pub(crate) prefix: String,
    /// The number of trusted proxies.
    pub(crate) hops: usize,
    /// The headers that the URL comes from.
    pub(crate) headers: Vec<&'static str>,
}

/// Returns what the app sees with each setting that changes it, the most common settings first.
pub(crate) fn believed(request: &Request) -> Vec<Believed> {
    let lists = Lists::of(request);
    let mut found: Vec<Believed> = Vec::new();
    for with_prefix in [false, true] {
        for hops in 1..=MAX_HOPS {
            if let Some(believed) = Believed::of(&request.url, &lists, hops, with_prefix)
                && !believed.headers.is_empty()
                && found.iter().all(|other| other.url != believed.url)
            {
                found.push(believed);
            }
        }
    }
    found
}

impl Believed {
    /// Returns `None` if a header that counts is malformed.
    fn of(url: &str, lists: &Lists, hops: usize, with_prefix: bool) -> Option<Self> {
        let seen = UrlParts::of(url);
        let mut headers = Vec::new();
        let mut value = |name: &'static str| {
            let value = lists.element(name, hops)?;
            headers.push(name);
            Some(value)
        };
        let mut host = value("X-Original-Host").or_else(|| value("X-Forwarded-Host"));
        let mut proto = value("X-Forwarded-Proto");
        if host.is_none() || proto.is_none() {
            let standard = lists.element("Forwarded", hops).unwrap_or_default();
            for (slot, name) in [(&mut host, "host"), (&mut proto, "proto")] {
                if slot.is_none()
                    && let Some(found) = parameter(&standard, name)
                {
                    *slot = Some(found);
                    headers.push("Forwarded");
                }
            }
        }
        let mut host = host.unwrap_or_else(|| seen.host_and_port());
        let secure = match proto {
            Some(proto) => is_secure_scheme(&proto)?,
            None => seen.is_secure()?,
        };
        if !is_host(&host) {
            return None;
        }
        if split_port(&host).1.is_none()
            && let Some(port) = lists.element("X-Forwarded-Port", hops)
        {
            headers.push("X-Forwarded-Port");
            if !is_port(&port) {
                return None;
            }
            if port != if secure { "443" } else { "80" } {
                host = format!("{host}:{port}");
            }
        }
        let mut prefix = String::new();
        if with_prefix {
            let found = lists.element("X-Forwarded-Prefix", hops)?;
            headers.push("X-Forwarded-Prefix");
            found
                .strip_suffix('/')
                .unwrap_or(&found)
                .clone_into(&mut prefix);
            if !prefix.starts_with('/') || prefix.contains(['?', '#']) {
                return None;
            }
        }
        headers.dedup();
        let scheme = scheme(secure, seen.is_websocket());
        Some(Self {
            url: [scheme, "://", &host, &prefix, &seen.target()].concat(),
            prefix,
            hops,
            headers,
        })
    }
}

/// The names of the headers that count.
const NAMES: [&str; 6] = [
    "X-Original-Host",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "Forwarded",
];

/// The elements of each header in [`NAMES`], from all of its lines.
struct Lists([Vec<String>; 6]);

impl Lists {
    fn of(request: &Request) -> Self {
        Self(NAMES.map(|name| {
            let lines: Vec<_> = request.values(name).collect();
            if lines.iter().map(|line| line.len()).sum::<usize>() > MAX_LIST {
                return Vec::new();
            }
            let list = lines.join(&b',');
            let list = String::from_utf8_lossy(&list);
            list.split(',')
                .map(|element| element.trim().to_owned())
                .collect()
        }))
    }

    /// Returns the element that the outermost of `hops` proxies added. A header without text is absent.
    fn element(&self, name: &str, hops: usize) -> Option<String> {
        let (_, elements) = NAMES
            .iter()
            .zip(&self.0)
            .find(|(other, _)| **other == name)?;
        if elements.iter().all(String::is_empty) {
            return None;
        }
        elements.get(elements.len().saturating_sub(hops)).cloned()
    }
}

/// Returns the value of a parameter in an element of the `Forwarded` header.
fn parameter(element: &str, name: &str) -> Option<String> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(other, _)| other.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(headers: &[(&str, &str)]) -> Vec<String> {
        let mut request = Request {
            url: "http://10.0.0.7:8080/m?a=1".to_owned(),
            ..Request::default()
        };
        for (name, value) in headers {
            request.add_header(name, Some((*value).to_owned()));
        }
        believed(&request)
            .into_iter()
            .map(|believed| believed.url)
            .collect()
    }

    /// Headers, and the URLs that they lead to.
    type Case = (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
    );

    #[test]
    fn headers_are_read_from_the_right_for_each_number_of_proxies() {
        let cases: &[Case] = &[
            (&[], &[]),
            (
                &[("X-Forwarded-Proto", "https")],
                &["https://10.0.0.7:8080/m?a=1"],
            ),
            (
                &[("x-forwarded-host", "a.example, b.example")],
                &["http://b.example/m?a=1", "http://a.example/m?a=1"],
            ),
            (
                &[
                    ("X-Forwarded-Host", "a.example"),
                    ("X-Original-Host", "b.example"),
                ],
                &["http://b.example/m?a=1"],
            ),
            (
                &[("X-Forwarded-Host", "h"), ("X-Forwarded-Port", "8443")],
                &["http://h:8443/m?a=1"],
            ),
            (
                &[
                    ("X-Forwarded-Host", "h"),
                    ("X-Forwarded-Proto", "wss"),
                    ("X-Forwarded-Port", "443"),
                ],
                &["https://h/m?a=1"],
            ),
            (
                &[("Forwarded", "for=1.2.3.4;host=\"h\";proto=https;")],
                &["https://h/m?a=1"],
            ),
            (
                &[("X-Forwarded-Host", "h"), ("X-Forwarded-Prefix", "/p/")],
                &["http://h/m?a=1", "http://h/p/m?a=1"],
            ),
            (&[("X-Forwarded-Host", "")], &[]),
            (&[("X-Forwarded-Host", "a/b")], &[]),
            (&[("X-Forwarded-Proto", "gopher")], &[]),
            (&[("X-Forwarded-Host", "h"), ("X-Forwarded-Port", "x")], &[]),
        ];
        for (headers, expected) in cases {
            assert_eq!(urls(headers), *expected, "{headers:?}");
        }
    }
}
