//! The URLs that an app sees if it believes the forwarded headers of its peer.

use twilio_signature::url::{
    UrlParts,
    forwarded::{self, Header, Malformed, Origin},
    scheme,
};

use crate::input::request::Request;

/// The largest number of proxies in a row.
const MAX_HOPS: usize = 8;

/// What an app sees with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    let lines = Lines::of(request.headers());
    let mut found: Vec<Believed> = Vec::new();
    for with_prefix in [false, true] {
        for hops in 1..=MAX_HOPS {
            if let Ok(Some(believed)) = Believed::of(&request.url, &lines, hops, with_prefix)
                && found.iter().all(|other| other.url != believed.url)
            {
                found.push(believed);
            }
        }
    }
    found
}

/// Returns what an app that trusts its peer and has no other settings sees in place of `url`, or `None` if it believes no
/// header.
///
/// # Errors
///
/// Returns an error if the app refuses the request because a header is malformed.
pub(crate) fn by_default<'r>(
    url: &str,
    headers: impl IntoIterator<Item = (&'r str, &'r [u8])>,
) -> Result<Option<Believed>, Malformed> {
    Believed::of(url, &Lines::of(headers), 1, false)
}

/// The lines of the headers that count, in the order of [`Header::ALL`].
struct Lines<'r>([Vec<&'r [u8]>; Header::ALL.len()]);

impl<'r> Lines<'r> {
    fn of(headers: impl IntoIterator<Item = (&'r str, &'r [u8])>) -> Self {
        let mut lines = Self(Default::default());
        for (name, value) in headers {
            let header = Header::named(name);
            if let Some(of_header) = header.and_then(|header| lines.0.get_mut(header as usize)) {
                of_header.push(value);
            }
        }
        lines
    }

    fn get(&self, header: Header) -> impl Iterator<Item = &'r [u8]> {
        self.0.get(header as usize).into_iter().flatten().copied()
    }
}

impl Believed {
    /// Returns what an app that believes no header sees.
    pub(crate) fn nothing(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: String::new(),
            hops: 0,
            headers: Vec::new(),
        }
    }

    /// Returns the settings in code that the app needs besides the trust in its peer.
    pub(crate) fn settings(&self) -> Vec<String> {
        let hops = (self.hops > 1).then(|| format!("trusted_hops({})", self.hops));
        let prefix = (!self.prefix.is_empty()).then(|| "forwarded_prefix(true)".to_owned());
        hops.into_iter().chain(prefix).collect()
    }

    /// Returns the public URL with which the app sees the same.
    pub(crate) fn base_url(&self) -> String {
        let parts = UrlParts::of(&self.url);
        let scheme = scheme(parts.is_secure() == Some(true), false);
        [scheme, "://", &parts.host_and_port(), &self.prefix].concat()
    }

    fn of(
        url: &str,
        lines: &Lines<'_>,
        hops: usize,
        with_prefix: bool,
    ) -> Result<Option<Self>, Malformed> {
        let seen = UrlParts::of(url);
        let Some(secure) = seen.is_secure() else {
            return Ok(None);
        };
        let lines = |header| lines.get(header);
        let own_host = || Ok((seen.host_and_port(), "Host"));
        let origin = Origin::of(Some(hops), lines, secure, own_host)?;
        let mut headers: Vec<_> = origin.headers().collect();
        let prefix = if with_prefix {
            forwarded::prefix(hops, lines)?
        } else {
            ""
        };
        if !prefix.is_empty() {
            headers.push(Header::XForwardedPrefix.as_str());
        }
        if headers.is_empty() {
            return Ok(None);
        }
        let scheme = scheme(origin.secure, seen.is_websocket());
        Ok(Some(Self {
            url: [scheme, "://", &origin.host, prefix, &seen.target()].concat(),
            prefix: prefix.to_owned(),
            hops,
            headers,
        }))
    }
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
            (&[("Forwarded", "host=h;proto=https;secret")], &[]),
            (&[("Forwarded", "host=h;proto=https;host=h")], &[]),
            (&[("Forwarded", "for=\"x;host=h;proto=https")], &[]),
            (&[("X-Forwarded-Host", "\u{e9}, h")], &[]),
            (
                &[("Forwarded", "for=\"a,host=x\";host=h")],
                &["http://h/m?a=1"],
            ),
            (
                &[("X-Forwarded-Host", "h"), ("X-Forwarded-Proto", "https,")],
                &["https://h/m?a=1"],
            ),
        ];
        for (headers, expected) in cases {
            assert_eq!(urls(headers), *expected, "{headers:?}");
        }
    }
}
