//! Hints about the URL that Twilio may have requested, from headers and public URLs. They need not be trusted: a
//! hint counts only if the signature matches with it.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::query::encoded;
use crate::url::{
    UrlParts,
    forwarded::{self, Header, Origin},
    is_port, scheme as scheme_of, split_port,
};

/// The largest number of hints of one kind.
const MAX: usize = 8;
/// The largest length of a hint in bytes.
const MAX_LEN: usize = 2048;

/// Hints, the most likely ones of each kind first.
#[derive(Debug, Clone, Default)]
pub(super) struct Hints {
    /// Hosts, each with its port if it has one.
    pub(super) hosts: Vec<String>,
    pub(super) ports: Vec<String>,
    /// Paths that preceded the app's own, without a slash at the end.
    pub(super) prefixes: Vec<String>,
    /// Whole paths, with their queries, or URLs.
    pub(super) targets: Vec<UrlParts<'static>>,
    /// User infos.
    pub(super) users: Vec<String>,
    /// URLs that the operator gave.
    pub(super) public_urls: Vec<UrlParts<'static>>,
    /// Whether a proxy says that the request reached it over TLS, or over plain HTTP.
    pub(super) secure: Option<bool>,
    pub(super) websocket: bool,
    /// The headers that apps read if they trust a proxy, in the order of [`Header::ALL`].
    told: [Told; Header::ALL.len()],
}

/// The lines of a header, and their length with an end for each.
#[derive(Debug, Clone, Default)]
struct Told {
    lines: Vec<Vec<u8>>,
    len: usize,
}

impl Hints {
    pub(super) fn add_public_url(&mut self, url: &str) {
        push(&mut self.public_urls, UrlParts::of(url).into_owned());
    }

    /// Returns the URL that an app sees if it trusts the nearest proxy, in place of this one. Returns `None` if no proxy
    /// says anything, or if the app refuses what it says.
    pub(super) fn url_behind_a_proxy(&self, seen: &UrlParts<'static>) -> Option<UrlParts<'static>> {
        let lines = |header: Header| {
            let told = self.told.get(header as usize).into_iter();
            told.flat_map(|told| &told.lines).map(Vec::as_slice)
        };
        let own_host = || Ok((seen.host_and_port(), "Host"));
        let origin = Origin::of(Some(1), lines, seen.is_secure()?, own_host).ok()?;
        origin.headers().next()?;
        let mut url = seen.clone();
        let is_websocket = seen.is_websocket() || self.websocket;
        url.scheme = scheme_of(origin.secure, is_websocket).into();
        let (host, port) = split_port(&origin.host);
        url.host = host.to_owned().into();
        url.port = port.map(|port| port.to_owned().into());
        Some(url)
    }

    /// Returns whether the operator named the URL, so that nothing needs to be guessed in its place.
    pub(super) fn is_url_named(&self) -> bool {
        !self.public_urls.is_empty()
    }

    /// Adds the hints in a header. If the header is a list, each element counts.
    pub(super) fn add_header(&mut self, name: &str, value: &[u8]) {
        self.add_line(name, value);
        if let Ok(value) = str::from_utf8(value) {
            self.add_hints(name, value);
        }
    }

    /// Keeps a line of a header that apps read, up to where they refuse the header.
    fn add_line(&mut self, name: &str, line: &[u8]) {
        let header = Header::named(name);
        let told = header.and_then(|header| self.told.get_mut(header as usize));
        if let Some(told) = told
            && told.len <= forwarded::MAX_LEN
        {
            let end = line.len().min(forwarded::MAX_LEN);
            told.lines.push(line.get(..end).unwrap_or(line).to_vec());
            told.len += end + 1;
        }
    }

    fn add_hints(&mut self, name: &str, value: &str) {
        if value.len() > MAX_LEN {
            return;
        }
        let elements = || {
            value
                .split(',')
                .map(str::trim)
                .filter(|element| !element.is_empty())
        };
        match name.to_ascii_lowercase().as_str() {
            "host" | "x-original-host" | "x-forwarded-host" | "x-host" | ":authority" => {
                elements().for_each(|host| self.add_host(host));
            }
            "x-forwarded-proto" | "x-forwarded-scheme" | "x-scheme" | "x-url-scheme" => {
                elements().for_each(|scheme| self.add_scheme(scheme));
            }
            "x-forwarded-ssl" | "front-end-https" if value.eq_ignore_ascii_case("on") => {
                self.add_scheme("https");
            }
            "x-forwarded-port" => {
                elements()
                    .filter(|port| is_port(port))
                    .for_each(|port| push(&mut self.ports, port.to_owned()));
            }
            "x-forwarded-prefix" | "x-script-name" => {
                elements().for_each(|path| self.add_prefix(path));
            }
            "x-original-uri"
            | "x-original-url"
            | "x-forwarded-uri"
            | "x-forwarded-path"
            | "x-request-uri"
            | "x-rewrite-url"
            | "x-replaced-path"
            | "x-envoy-original-path"
            | "x-waws-unencoded-url" => self.add_target(value.trim()),
            "forwarded" => {
                for pair in value.split([',', ';']) {
                    if let Some((name, value)) = pair.split_once('=') {
                        let value = value.trim().trim_matches('"');
                        match name.trim().to_ascii_lowercase().as_str() {
                            "host" => self.add_host(value),
                            "proto" => self.add_scheme(value),
                            _ => {}
                        }
                    }
                }
            }
            "authorization" => self.add_authorization(value),
            "upgrade" => self.websocket |= value.eq_ignore_ascii_case("websocket"),
            _ => {}
        }
    }

    fn add_host(&mut self, host: &str) {
        if !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"/?#@\"\\".contains(&byte))
        {
            push(&mut self.hosts, host.to_owned());
        }
    }

    fn add_scheme(&mut self, scheme: &str) {
        let secure = matches!(scheme.to_ascii_lowercase().as_str(), "https" | "wss");
        // TLS ends at the outermost proxy: if a request reached any proxy over TLS, it reached that one over TLS.
        self.secure = Some(secure || self.secure == Some(true));
    }

    fn add_prefix(&mut self, path: &str) {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.starts_with('/') && !path.contains(['?', '#']) {
            push(&mut self.prefixes, path.to_owned());
        }
    }

    /// Adds a path with its query, or a URL.
    pub(super) fn add_target(&mut self, target: &str) {
        if target.len() > MAX_LEN {
            return;
        }
        let target = UrlParts::of(target).into_owned();
        if target.path.starts_with('/') {
            push(&mut self.targets, target);
        }
    }

    fn add_authorization(&mut self, value: &str) {
        let Some((scheme, credentials)) = value.split_once(' ') else {
            return;
        };
        if !scheme.eq_ignore_ascii_case("basic") {
            return;
        }
        let user = STANDARD.decode(credentials.trim()).ok();
        if let Some(user) = user.and_then(|user| String::from_utf8(user).ok()) {
            let escaped = encoded(&user, "-_.~!$&'()*+,;=:", "%20");
            // In a URL, these would end the authority: a part of the password would count as the host or the path,
            // and be printed.
            if !user.contains(['/', '?', '#']) {
                push(&mut self.users, user);
            }
            if let Some(escaped) = escaped {
                push(&mut self.users, escaped);
            }
        }
    }
}

fn push<T: PartialEq>(hints: &mut Vec<T>, hint: T) {
    if hints.len() < MAX && !hints.contains(&hint) {
        hints.push(hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn hints(headers: &[(&str, &str)]) -> Hints {
        let mut hints = Hints::default();
        for (name, value) in headers {
            hints.add_header(name, value.as_bytes());
        }
        hints
    }

    #[test]
    fn headers_of_proxies_are_hints() {
        let found = hints(&[
            ("X-Forwarded-Host", "a.example, b.example:8443"),
            (
                "forwarded",
                "for=1.2.3.4;host=\"c.example\";proto=https, host=d.example",
            ),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", "8443, x"),
            ("X-Forwarded-Prefix", "/p/, q"),
            ("X-Original-URI", "/o?a=1"),
            ("X-Original-URL", "https://e.example/u"),
            ("Authorization", "Basic dXNlcjpwQHNz"),
            ("Upgrade", "WebSocket"),
        ]);
        assert_eq!(
            found.hosts,
            ["a.example", "b.example:8443", "c.example", "d.example"]
        );
        assert_eq!((found.secure, found.websocket), (Some(true), true));
        assert_eq!(found.ports, ["8443"]);
        assert_eq!(found.prefixes, ["/p"]);
        let targets: Vec<_> = found.targets.iter().map(UrlParts::text).collect();
        assert_eq!(targets, ["/o?a=1", "https://e.example/u"]);
        assert_eq!(found.users, ["user:p@ss", "user:p%40ss"]);
    }

    #[test]
    fn trusted_proxy_determines_the_url_by_the_last_element_of_each_header() {
        #[rustfmt::skip]
        let cases: &[(&str, Headers, Option<&str>)] = &[
            ("http://a:1/m?b", &[], None),
            ("http://a:1/m?b", &[("X-Forwarded-For", "e"), ("Host", "e")], None),
            ("http://a:1/m?b", &[("X-Forwarded-Host", "x, e")], Some("http://e/m?b")),
            ("http://a:1/m?b", &[("X-Forwarded-Proto", "http, https")], Some("https://a:1/m?b")),
            ("https://a/m", &[("X-Forwarded-Port", "1, 2")], Some("https://a:2/m")),
            ("https://a/m", &[("X-Forwarded-Port", "443")], Some("https://a/m")),
            ("https://a/m", &[("X-Forwarded-Port", "80")], Some("https://a:80/m")),
            ("http://a/m", &[("X-Forwarded-Port", "80")], Some("http://a/m")),
            ("http://a:1/m", &[("X-Forwarded-Host", "e"), ("X-Forwarded-Port", "2")], Some("http://e:2/m")),
            ("http://a:1/m", &[("X-Forwarded-Host", "e:3"), ("X-Forwarded-Port", "2")], Some("http://e:3/m")),
            ("http://a/m", &[("Forwarded", "host=x;proto=https, Host=\"e:1\";Proto=http")], Some("http://e:1/m")),
            ("http://a/m", &[("Forwarded", "for=1.2.3.4")], None),
            ("http://a/m", &[("Forwarded", "proto=https;host=x"), ("X-Forwarded-Proto", "http")], Some("http://x/m")),
            ("http://a/m", &[("Forwarded", "host=x"), ("X-Forwarded-Host", "e")], Some("http://e/m")),
            ("http://a/m", &[("X-Original-Host", "e"), ("X-Forwarded-Host", "x")], Some("http://e/m")),
            ("http://a/m", &[("Upgrade", "websocket"), ("X-Forwarded-Proto", "https")], Some("wss://a/m")),
            ("ws://a/m", &[("X-Forwarded-Proto", "https")], Some("wss://a/m")),
            ("http://a/m", &[("X-Forwarded-Proto", "ftp")], None),
            ("a/m", &[("X-Forwarded-Host", "e")], None),
            // What the app refuses.
            ("http://a/m", &[("X-Forwarded-Proto", "https,")], None),
            ("http://a/m", &[("X-Forwarded-Host", "\u{e9}, e")], None),
            ("http://a/m", &[("Forwarded", "host=e;proto=https;secret")], None),
            ("http://a/m", &[("Forwarded", "host=e;host=e")], None),
            ("http://a/m", &[("Forwarded", "for=\"x,host=e")], None),
            ("http://a/m", &[("Forwarded", "for=\"x,host=y\";host=e")], Some("http://e/m")),
            ("http://a/m", &[("X-Forwarded-Host", "x"), ("X-Forwarded-Host", "e")], Some("http://e/m")),
        ];
        for (seen, headers, expected) in cases {
            let seen = UrlParts::of(seen).into_owned();
            let url = hints(headers).url_behind_a_proxy(&seen);
            let url = url.map(|url| url.text());
            assert_eq!(url.as_deref(), *expected, "{headers:?}");
        }
    }

    #[test]
    fn headers_that_are_too_long_for_an_app_are_not_kept() {
        for (len, count) in [(10, 10_000), (forwarded::MAX_LEN, 9), (usize::MAX >> 40, 3)] {
            let line = "a".repeat(len);
            let mut found = Hints::default();
            for _ in 0..count {
                found.add_header("X-Forwarded-Host", line.as_bytes());
                found.add_header("X-Forwarded-Proto", b"https");
            }
            for told in &found.told {
                let kept: usize = told.lines.iter().map(|line| line.len() + 1).sum();
                assert!(kept <= 2 * forwarded::MAX_LEN + 1, "{kept}");
            }
            let seen = UrlParts::of("http://a/m").into_owned();
            assert_eq!(found.url_behind_a_proxy(&seen), None);
        }
    }

    #[test]
    fn target_of_any_length_is_one_hint_or_none() {
        for (len, targets) in [(MAX_LEN, 1), (MAX_LEN + 1, 0), (2 * MAX_LEN, 0)] {
            let mut found = Hints::default();
            found.add_target(&format!("/{}", "a".repeat(len - 1)));
            assert_eq!(found.targets.len(), targets, "{len}");
        }
    }

    #[test]
    fn hosts_are_texts_without_what_ends_a_host() {
        for host in ["a.example", "a:1", "[::1]", "_"] {
            assert_eq!(hints(&[("Host", host)]).hosts, [host]);
        }
        for wrong in [
            "", "a/b", "a?b", "a#b", "a@b", "a\\b", "a b", "\u{e9}", "\u{7f}",
        ] {
            let found = hints(&[("Forwarded", &format!("host={wrong};proto=https"))]);
            assert!(found.hosts.is_empty(), "{wrong}");
            assert!(hints(&[("Host", wrong)]).hosts.is_empty(), "{wrong}");
        }
    }

    #[test]
    fn outermost_proxy_that_was_asked_over_tls_counts() {
        for (name, value, secure) in [
            ("X-Forwarded-Proto", "https", Some(true)),
            ("X-Forwarded-Scheme", "HTTP", Some(false)),
            ("X-Scheme", "wss", Some(true)),
            ("X-Url-Scheme", "ws", Some(false)),
            ("X-Forwarded-Proto", "https, http", Some(true)),
            ("X-Forwarded-Proto", "http, https", Some(true)),
            ("X-Forwarded-Proto", ",", None),
            ("X-Forwarded-Ssl", "on", Some(true)),
            ("Front-End-Https", "On", Some(true)),
            ("X-Forwarded-Ssl", "off", None),
            ("Forwarded", "proto=http", Some(false)),
            ("X-Forwarded-Port", "443", None),
        ] {
            assert_eq!(hints(&[(name, value)]).secure, secure, "{name}: {value}");
        }
    }

    #[test]
    fn hostile_headers_are_few_hints_or_none() {
        let many: Vec<_> = (0..1000).map(|n| format!("h{n}")).collect();
        let many = many.join(",");
        let found = hints(&[
            ("Host", &many[..2000]),
            ("Host", "a/b"),
            ("X-Forwarded-Host", "a@b"),
            ("X-Forwarded-Host", "\u{e9}"),
            ("X-Original-URI", "no path"),
            ("X-Forwarded-Prefix", "/a?b"),
            ("Authorization", "Basic !"),
            ("Authorization", "Basic"),
            ("Authorization", "Basic /w=="),
            ("Authorization", "Bearer dXNlcjpwQHNz"),
            ("Forwarded", "=;=,host"),
            ("X-Forwarded-Port", "65536"),
        ]);
        assert_eq!(found.hosts.len(), MAX);
        assert!(found.targets.is_empty() && found.prefixes.is_empty());
        assert!(found.users.is_empty() && found.ports.is_empty());
        for (len, hosts) in [(MAX_LEN, 1), (MAX_LEN + 1, 0)] {
            assert_eq!(hints(&[("Host", &"h".repeat(len))]).hosts.len(), hosts);
            // A target may also come from elsewhere than a header.
            let mut found = Hints::default();
            found.add_target(&format!("/{}", "h".repeat(len - 1)));
            assert_eq!(found.targets.len(), hosts);
        }
    }
}
