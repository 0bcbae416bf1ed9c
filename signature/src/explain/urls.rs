//! The URLs that Twilio may have signed instead of the one that the app saw.

use std::borrow::Cow;

use super::{
    differences::is_secure,
    dimensions::{Alternatives, Costs, Dimension, Picks},
    hints::Hints,
    query::{Encoding, Order},
    sets::distinct,
};
use crate::{
    body::{BODY_SHA256, body_sha256},
    url::{self, UrlParts, split_port},
};

/// The ports that servers and tunnels usually listen on.
const USUAL_PORTS: [&str; 8] = ["8080", "8443", "3000", "5000", "8000", "4040", "443", "80"];
/// The names of the local machine, which are used for one another.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// The largest number of segments that are cut off the start of a path.
const MAX_CUT: usize = 6;
/// The largest number of parameters of a query that are left out one by one.
const MAX_LEFT_OUT: usize = 32;

/// Where the query comes from.
#[derive(Debug, Clone)]
enum Source {
    Own,
    Given(Option<String>),
    /// With the hash of the body at its end.
    Hashed,
    Without(usize),
}

/// Where the user info comes from.
#[derive(Debug, Clone)]
enum User {
    Own,
    None,
    Given(String),
}

/// A way to spell a URL that leads to the same app, although Twilio signs another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    AsIs,
    /// The host starts with a capital letter.
    CapitalHost,
    /// Each segment of the path starts with a capital letter.
    CapitalPath,
    /// The path starts with two slashes.
    TwoSlashes,
    /// A `~` in the path is escaped.
    EscapedTilde,
}

impl Spelling {
    const OTHERS: [Self; 4] = [
        Self::CapitalHost,
        Self::CapitalPath,
        Self::TwoSlashes,
        Self::EscapedTilde,
    ];

    fn apply(self, url: &mut UrlParts<'_>) {
        match self {
            Self::AsIs => {}
            Self::CapitalHost => url.host = capitalized(&url.host).into(),
            Self::CapitalPath => {
                let segments: Vec<_> = url.path.split('/').map(capitalized).collect();
                url.path = segments.join("/").into();
            }
            Self::TwoSlashes => url.path = ["/", &*url.path].concat().into(),
            Self::EscapedTilde => url.path = url.path.replace('~', "%7E").into(),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// Returns the spellings that change a URL.
fn spellings(seen: &UrlParts<'static>) -> Alternatives<Spelling> {
    let changes = |spelling: &Spelling| {
        let mut url = seen.clone();
        spelling.apply(&mut url);
        url != *seen
    };
    let mut spellings = Alternatives::of(Spelling::AsIs);
    spellings.add_all(2, Spelling::OTHERS.into_iter().filter(changes));
    spellings
}

/// The dimensions in which URLs vary. The first alternative of each is what the app saw.
pub(super) struct UrlVariants {
    /// The URLs that all other changes are applied to.
    bases: Alternatives<UrlParts<'static>>,
    schemes: Alternatives<SchemeChange>,
    hosts: Alternatives<Option<String>>,
    users: Alternatives<User>,
    paths: Alternatives<Option<String>>,
    spellings: Alternatives<Spelling>,
    /// Whether the slash at the end of the path is toggled.
    slashes: Alternatives<bool>,
    queries: Alternatives<Source>,
    encodings: Alternatives<Encoding>,
    orders: Alternatives<Order>,
    /// The pair of the query with the hash of the body, if one belongs there.
    hash: Option<String>,
}

impl UrlVariants {
    /// Determines the variants. `get` says whether the request is a `GET`, as WebSocket handshakes are;
    /// `hashed_body` is a body whose hash belongs in the query.
    pub(super) fn of(
        seen: &UrlParts<'static>,
        hints: &Hints,
        get: bool,
        hashed_body: Option<&[u8]>,
    ) -> Self {
        let query = seen.query.as_deref().unwrap_or_default();
        let mut slashes = Alternatives::of(false);
        slashes.add(1, true);
        Self {
            bases: bases(seen, hints),
            schemes: schemes(seen, hints, get),
            hosts: hosts(seen, hints),
            users: users(seen, hints),
            paths: paths(seen, hints),
            spellings: spellings(seen),
            slashes,
            queries: queries(seen, hints, hashed_body.is_some()),
            encodings: encodings(seen, hints),
            orders: Order::all(query),
            hash: hashed_body.map(|body| [BODY_SHA256, "=", &body_sha256(body)].concat()),
        }
    }

    /// Returns roughly how many bytes are written to determine the variants.
    pub(super) fn work(seen: &UrlParts<'_>, hints: &Hints) -> usize {
        let len = |url: &UrlParts<'_>| {
            let query = url.query.as_deref().map_or(0, str::len);
            (url.host.len() + url.path.len() + query, query)
        };
        let given = || hints.public_urls.iter().chain(&hints.targets);
        let longest = given().map(|url| len(url).0).max().unwrap_or_default();
        let longest = longest.max(
            hints
                .prefixes
                .iter()
                .map(String::len)
                .max()
                .unwrap_or_default(),
        );
        let (seen_len, seen_query) = len(seen);
        let queries = given().map(|url| len(url).1).sum::<usize>() + seen_query;
        let bases = 8 * hints.public_urls.len()
            + (hints.hosts.len() + 1) * (hints.targets.len() + hints.prefixes.len() + 1)
            + hints.targets.len();
        (bases + MAX_CUT + Spelling::OTHERS.len()) * (seen_len + longest)
            + Encoding::ALL.len() * queries
    }

    /// Returns the costs of a dimension, if it is one of URLs.
    pub(super) fn costs(&self, dimension: Dimension) -> Option<Costs> {
        Some(match dimension {
            Dimension::Base => self.bases.costs(),
            Dimension::Scheme => self.schemes.costs(),
            Dimension::Host => self.hosts.costs(),
            Dimension::UserInfo => self.users.costs(),
            Dimension::Path => self.paths.costs(),
            Dimension::Spelling => self.spellings.costs(),
            Dimension::Slash => self.slashes.costs(),
            Dimension::Query => self.queries.costs(),
            Dimension::QueryEncoding => self.encodings.costs(),
            Dimension::QueryOrder => self.orders.costs(),
            _ => return None,
        })
    }

    /// Builds the URL of a combination.
    pub(super) fn build(&self, picks: Picks<'_>) -> Option<UrlParts<'static>> {
        let mut url = picks.get(Dimension::Base, &self.bases)?.clone();
        picks.get(Dimension::Scheme, &self.schemes)?.apply(&mut url);
        if let Some(host) = picks.get(Dimension::Host, &self.hosts)? {
            set_host_and_port(&mut url, host);
        }
        match picks.get(Dimension::UserInfo, &self.users)? {
            User::Own => {}
            User::None => url.user_info = None,
            User::Given(user) => url.user_info = Some(user.clone().into()),
        }
        if let Some(path) = picks.get(Dimension::Path, &self.paths)? {
            url.path = path.clone().into();
        }
        picks
            .get(Dimension::Spelling, &self.spellings)?
            .apply(&mut url);
        if *picks.get(Dimension::Slash, &self.slashes)? {
            url.path = match url.path.strip_suffix('/') {
                Some(path) => path.to_owned(),
                None => [&*url.path, "/"].concat(),
            }
            .into();
        }
        match picks.get(Dimension::Query, &self.queries)? {
            Source::Own => {}
            Source::Given(query) => url.query = query.clone().map(Cow::Owned),
            Source::Hashed => {
                let hash = self.hash.as_deref()?;
                url.query = Some(match &url.query {
                    Some(query) if !query.is_empty() => [query, "&", hash].concat().into(),
                    _ => hash.to_owned().into(),
                });
            }
            Source::Without(index) => {
                let mut pairs: Vec<_> = url.query.as_deref()?.split('&').collect();
                if *index < pairs.len() {
                    pairs.remove(*index);
                }
                url.query = (!pairs.is_empty()).then(|| pairs.join("&").into());
            }
        }
        if let Some(query) = &url.query {
            let query = picks.get(Dimension::QueryOrder, &self.orders)?.apply(query);
            let encoding = picks.get(Dimension::QueryEncoding, &self.encodings)?;
            let query = encoding.apply(&query).into_owned();
            url.query = Some(query.into());
        }
        Some(url)
    }
}

/// A change of the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SchemeChange {
    /// Whether `https` becomes `http`, or the reverse.
    security: bool,
    /// Whether `https` becomes `wss`, or the reverse.
    websocket: bool,
}

impl SchemeChange {
    fn apply(self, url: &mut UrlParts<'_>) {
        if self.security || self.websocket {
            let secure = is_secure(url) != self.security;
            let websocket = url.is_websocket() != self.websocket;
            url.scheme = url::scheme(secure, websocket).into();
        }
    }
}

fn set_host_and_port(url: &mut UrlParts<'_>, host_and_port: &str) {
    let (host, port) = split_port(host_and_port);
    url.host = host.to_owned().into();
    url.port = port.map(|port| port.to_owned().into());
}

/// Returns the whole URLs that the hints make up together.
fn bases(seen: &UrlParts<'static>, hints: &Hints) -> Alternatives<UrlParts<'static>> {
    let mut found = Vec::new();
    let scheme = |secure| url::scheme(secure, seen.is_websocket() || hints.websocket);
    for public in &hints.public_urls {
        let prefix = public.path.strip_suffix('/').unwrap_or(&public.path);
        let schemes = [scheme(is_secure(public)), &*public.scheme];
        let paths = [[prefix, &*seen.path].concat(), public.path.to_string()];
        for scheme in schemes {
            for path in &paths {
                for query in [&seen.query, &public.query] {
                    found.push(UrlParts {
                        scheme: scheme.to_owned().into(),
                        path: path.clone().into(),
                        query: query.clone(),
                        fragment: None,
                        ..public.clone()
                    });
                }
            }
        }
    }
    if hints.is_url_named() {
        return bases_of(seen, found);
    }
    let own_host = seen.host_and_port();
    for host in hints.hosts.iter().chain([&own_host]) {
        let mut url = UrlParts {
            scheme: scheme(hints.secure.unwrap_or(true)).into(),
            ..seen.clone()
        };
        set_host_and_port(&mut url, host);
        for target in &hints.targets {
            found.push(UrlParts {
                path: target.path.clone(),
                query: target.query.clone(),
                ..url.clone()
            });
        }
        for prefix in &hints.prefixes {
            found.push(UrlParts {
                path: [prefix, &*seen.path].concat().into(),
                ..url.clone()
            });
        }
        found.push(url);
    }
    for target in hints
        .targets
        .iter()
        .filter(|target| !target.host.is_empty())
    {
        found.push(target.clone());
    }
    bases_of(seen, found)
}

fn bases_of(
    seen: &UrlParts<'static>,
    found: Vec<UrlParts<'static>>,
) -> Alternatives<UrlParts<'static>> {
    let mut bases = Alternatives::of(seen.clone());
    bases.add_all(1, distinct(found, Some(seen)));
    bases
}

fn schemes(seen: &UrlParts<'static>, hints: &Hints, get: bool) -> Alternatives<SchemeChange> {
    let change = |security, websocket| SchemeChange {
        security,
        websocket,
    };
    let mut schemes = Alternatives::of(change(false, false));
    schemes.add(1, change(true, false));
    if get || seen.is_websocket() {
        schemes.add(1, change(false, true));
        schemes.add(if hints.websocket { 1 } else { 2 }, change(true, true));
    }
    schemes
}

fn hosts(seen: &UrlParts<'static>, hints: &Hints) -> Alternatives<Option<String>> {
    let named = hints.is_url_named();
    let own = seen.host_and_port();
    let on_own_host = |port: &str| format!("{}:{port}", seen.host);
    let mut likely = Vec::new();
    for url in hints.public_urls.iter().chain(&hints.targets) {
        if !url.host.is_empty() {
            likely.push(url.host_and_port());
        }
    }
    if !named {
        likely.extend_from_slice(&hints.hosts);
        for port in &hints.ports {
            likely.push(on_own_host(port));
        }
        for host in &hints.hosts {
            let (name, _) = split_port(host);
            for port in hints
                .ports
                .iter()
                .map(String::as_str)
                .chain(seen.port.as_deref())
            {
                likely.push(format!("{name}:{port}"));
            }
        }
        if LOOPBACK.contains(&&*seen.host) {
            for other in LOOPBACK {
                likely.push(own.replacen(&*seen.host, other, 1));
            }
        }
        likely.push(own.to_ascii_lowercase());
    }
    let likely = distinct(likely, Some(&own));
    let mut usual = Vec::new();
    if !named {
        for port in USUAL_PORTS {
            let host = on_own_host(port);
            if host != own && !likely.contains(&host) {
                usual.push(host);
            }
        }
    }
    let mut hosts = Alternatives::of(None);
    hosts.add_all(1, likely.into_iter().map(Some));
    hosts.add_all(2, usual.into_iter().map(Some));
    hosts
}

fn users(seen: &UrlParts<'static>, hints: &Hints) -> Alternatives<User> {
    let own = seen.user_info.as_deref();
    let mut users = Alternatives::of(User::Own);
    let public = hints.public_urls.iter();
    let public = public.filter_map(|url| url.user_info.as_deref());
    for user in public.chain(hints.users.iter().map(String::as_str)) {
        if own != Some(user) {
            users.add(1, User::Given(user.to_owned()));
        }
    }
    if own.is_some() {
        users.add(1, User::None);
    }
    users
}

fn paths(seen: &UrlParts<'static>, hints: &Hints) -> Alternatives<Option<String>> {
    let own = seen.path.to_string();
    let mut given = Vec::new();
    for target in &hints.targets {
        given.push(target.path.to_string());
    }
    for prefix in &hints.prefixes {
        given.push([prefix, &*own].concat());
    }
    for public in &hints.public_urls {
        let prefix = public.path.strip_suffix('/').unwrap_or(&public.path);
        given.push([prefix, &*own].concat());
        given.push(public.path.to_string());
    }
    let given = distinct(given, Some(&own));
    let mut cut = Vec::new();
    if !hints.is_url_named() {
        for (at, _) in own.match_indices('/').skip(1).take(MAX_CUT) {
            let path = own.get(at..).unwrap_or_default();
            if !given.iter().any(|given| given == path) {
                cut.push(path.to_owned());
            }
        }
    }
    let mut paths = Alternatives::of(None);
    paths.add_all(1, given.into_iter().map(Some));
    paths.add_all(2, cut.into_iter().map(Some));
    paths
}

fn queries(seen: &UrlParts<'static>, hints: &Hints, hashed: bool) -> Alternatives<Source> {
    let mut given = Vec::new();
    for url in hints.public_urls.iter().chain(&hints.targets) {
        given.extend(url.query.as_deref().map(str::to_owned));
    }
    let own = seen.query.as_deref().map(str::to_owned);
    let mut queries = Alternatives::of(Source::Own);
    for query in distinct(given, own.as_ref()) {
        queries.add(1, Source::Given(Some(query)));
    }
    let query = own.as_deref().unwrap_or_default();
    if hashed && !query.contains(BODY_SHA256) {
        queries.add(1, Source::Hashed);
    }
    if own.is_some() {
        queries.add(2, Source::Given(None));
        let pairs = query.split('&').count();
        if pairs > 1 {
            for index in 0..pairs.min(MAX_LEFT_OUT) {
                queries.add(2, Source::Without(index));
            }
        }
    } else {
        // A proxy may have cut off the `?` of an empty query.
        queries.add(2, Source::Given(Some(String::new())));
    }
    queries
}

/// Returns the encodings that change the query that the app saw, or one from a hint.
fn encodings(seen: &UrlParts<'static>, hints: &Hints) -> Alternatives<Encoding> {
    let given = hints.public_urls.iter().chain(&hints.targets);
    let queries: Vec<_> = given
        .chain([seen])
        .filter_map(|url| url.query.as_deref())
        .collect();
    let mut known: Vec<Vec<Cow<'_, str>>> =
        vec![queries.iter().map(|query| (*query).into()).collect()];
    let mut encodings = Alternatives::of(Encoding::AsIs);
    for encoding in Encoding::ALL {
        let texts: Vec<_> = queries.iter().map(|query| encoding.apply(query)).collect();
        if !known.contains(&texts) {
            known.push(texts);
            encodings.add(1, encoding);
        }
    }
    encodings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the hints of headers; those named `public` are public URLs.
    fn hints(headers: &[(&str, &str)]) -> Hints {
        let mut hints = Hints::default();
        for (name, value) in headers {
            match *name {
                "public" => hints.add_public_url(value),
                _ => hints.add_header(name, value.as_bytes()),
            }
        }
        hints
    }

    fn seen(url: &str) -> UrlParts<'static> {
        UrlParts::of(url).into_owned()
    }

    /// Returns alternatives by their costs, each as a text.
    fn shown<T>(alternatives: Alternatives<T>, show: impl Fn(T) -> String) -> Vec<(u8, String)> {
        let show = |(cost, alternative)| (cost, show(alternative));
        alternatives.into_costed().into_iter().map(show).collect()
    }

    #[track_caller]
    fn assert_shown(found: &[(u8, String)], expected: &[(u8, &str)], name: &str) {
        let found: Vec<_> = found.iter().map(|(cost, text)| (*cost, &**text)).collect();
        assert_eq!(found, expected, "{name}");
    }

    type Headers = &'static [(&'static str, &'static str)];
    /// Texts with their costs.
    type Costed = &'static [(u8, &'static str)];

    const PROXY: Headers = &[
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "e:1"),
        ("X-Forwarded-Prefix", "/p"),
        ("X-Original-URL", "https://t/o?b=1"),
    ];

    #[test]
    fn each_dimension_of_a_url_has_its_costs() {
        let headers = [
            ("Upgrade", "websocket"),
            ("Authorization", "Basic dXNlcjpwYXNz"),
        ];
        let seen = seen("http://h/a/m?b=+1&a=2");
        let variants = UrlVariants::of(&seen, &hints(&headers), true, None);
        let found: Vec<_> = Dimension::ALL
            .iter()
            .filter_map(|dimension| Some((*dimension, variants.costs(*dimension)?)))
            .collect();
        let usual = [&[0][..], &[2; USUAL_PORTS.len()]].concat();
        let expected = [
            (Dimension::Base, vec![0, 1]),
            (Dimension::Scheme, vec![0, 1, 1, 1]),
            (Dimension::Host, usual),
            (Dimension::UserInfo, vec![0, 1]),
            (Dimension::Path, vec![0, 2]),
            (Dimension::Spelling, vec![0, 2, 2, 2]),
            (Dimension::Slash, vec![0, 1]),
            (Dimension::Query, vec![0, 2, 2, 2]),
            (Dimension::QueryEncoding, vec![0, 1, 1, 1]),
            (Dimension::QueryOrder, vec![0, 1, 1, 1, 1, 2]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn bases_are_what_hints_make_up_together() {
        let cases: &[(&str, Headers, &[&str])] = &[
            ("http://h/m?a=1#f", &[], &["https://h/m?a=1#f"]),
            ("ws://h/m", &[], &["wss://h/m"]),
            ("http://h/m", &[("Upgrade", "websocket")], &["wss://h/m"]),
            (
                "https://h/m",
                &[("X-Forwarded-Proto", "http")],
                &["http://h/m"],
            ),
            (
                "http://h:1/m?a=1#f",
                &[("public", "https://u@e/p/?b=2#g")],
                &[
                    "https://u@e/p/m?a=1",
                    "https://u@e/p/m?b=2",
                    "https://u@e/p/?a=1",
                    "https://u@e/p/?b=2",
                ],
            ),
            (
                "http://h/m",
                &[("public", "ws://e")],
                &["http://e/m", "http://e", "ws://e/m", "ws://e"],
            ),
            (
                "http://h/m",
                PROXY,
                &[
                    "http://e:1/o?b=1",
                    "http://e:1/p/m",
                    "http://e:1/m",
                    "http://h/o?b=1",
                    "http://h/p/m",
                    "https://t/o?b=1",
                ],
            ),
            ("https://h/m", &[("X-Original-URI", "/o")], &["https://h/o"]),
        ];
        for (url, headers, expected) in cases {
            let found = shown(bases(&seen(url), &hints(headers)), |url| url.text());
            let expected: Vec<_> = expected.iter().map(|text| (1, *text)).collect();
            assert_shown(&found, &[&[(0, *url)], &*expected].concat(), url);
        }
    }

    #[test]
    fn schemes_of_a_websocket_are_tried_if_it_may_be_one() {
        let change = |security, websocket| SchemeChange {
            security,
            websocket,
        };
        let plain = vec![(0, change(false, false)), (1, change(true, false))];
        let handshake = |cost| {
            let found = [(1, change(false, true)), (cost, change(true, true))];
            [&plain[..], &found].concat()
        };
        let upgrade: Headers = &[("Upgrade", "websocket")];
        let cases: &[(&str, Headers, bool, _)] = &[
            ("http://h", &[], false, plain.clone()),
            ("http://h", upgrade, false, plain.clone()),
            ("http://h", &[], true, handshake(2)),
            ("http://h", upgrade, true, handshake(1)),
            ("wss://h", &[], false, handshake(2)),
        ];
        for (url, headers, get, expected) in cases {
            let found = schemes(&seen(url), &hints(headers), *get);
            assert_eq!(found.into_costed(), *expected, "{url} {headers:?} {get}");
        }
    }

    #[test]
    fn scheme_is_changed_in_security_and_kind() {
        for (scheme, security, websocket, expected) in [
            ("http", true, false, "https"),
            ("http", false, true, "ws"),
            ("http", true, true, "wss"),
            ("https", true, false, "http"),
            ("wss", false, true, "https"),
            ("WSS", true, true, "http"),
            ("HTTPS", false, false, "HTTPS"),
        ] {
            let mut url = seen(&format!("{scheme}://h/"));
            SchemeChange {
                security,
                websocket,
            }
            .apply(&mut url);
            assert_eq!(url.scheme, expected, "{scheme} {security} {websocket}");
        }
    }

    #[test]
    fn hosts_are_those_of_hints_then_the_own_one_on_usual_ports() {
        let usual = |name: &str, without: &[&str]| -> Vec<(u8, String)> {
            let ports = USUAL_PORTS.iter().filter(|port| !without.contains(port));
            ports.map(|port| (2, format!("{name}:{port}"))).collect()
        };
        let cases: &[(&str, Headers, &[&str], Vec<_>)] = &[
            ("https://h/m", &[], &[], usual("h", &[])),
            ("https://h:8443/m", &[], &[], usual("h", &["8443"])),
            (
                "http://localhost:8080/m",
                &[],
                &["127.0.0.1:8080", "[::1]:8080"],
                usual("localhost", &["8080"]),
            ),
            (
                "http://h:8080/m",
                &[("X-Forwarded-Port", "3000, 4443")],
                &["h:3000", "h:4443"],
                usual("h", &["8080", "3000"]),
            ),
            (
                "http://h:8080/m",
                &[
                    ("Host", "e:1, h:8080"),
                    ("X-Forwarded-Port", "4443"),
                    ("X-Original-URL", "https://t/o"),
                    ("X-Original-URI", "/o"),
                ],
                &["t", "e:1", "h:4443", "e:4443", "e:8080"],
                usual("h", &["8080"]),
            ),
            (
                "http://h:8080/m",
                &[("Host", "e:1"), ("public", "https://p:9")],
                &["p:9"],
                Vec::new(),
            ),
            ("https://H/m", &[], &["h"], usual("H", &[])),
        ];
        for (url, headers, likely, usual) in cases {
            let found = hosts(&seen(url), &hints(headers));
            let found = shown(found, Option::unwrap_or_default);
            let likely = likely.iter().map(|host| (1, *host));
            let usual = usual.iter().map(|(cost, host)| (*cost, &**host));
            let expected: Vec<_> = [(0, "")].into_iter().chain(likely).chain(usual).collect();
            assert_shown(&found, &expected, url);
        }
    }

    #[test]
    fn user_info_is_that_of_hints_or_none() {
        const HINTS: Headers = &[
            ("Authorization", "Basic dXNlcjpwQHNz"),
            ("public", "https://public@h"),
        ];
        let cases: &[(&str, Headers, &[&str])] = &[
            ("https://h", &[], &[]),
            ("https://u@h", &[], &["none"]),
            ("https://h", HINTS, &["public", "user:p@ss", "user:p%40ss"]),
            (
                "https://public@h",
                HINTS,
                &["user:p@ss", "user:p%40ss", "none"],
            ),
        ];
        for (url, headers, expected) in cases {
            let found = shown(users(&seen(url), &hints(headers)), |user| match user {
                User::Own => "own".to_owned(),
                User::None => "none".to_owned(),
                User::Given(user) => user,
            });
            let expected: Vec<_> = expected.iter().map(|user| (1, *user)).collect();
            assert_shown(&found, &[&[(0, "own")], &*expected].concat(), url);
        }
    }

    #[test]
    fn paths_are_those_of_hints_or_cut_at_the_start() {
        let cases: &[(&str, Headers, Costed)] = &[
            ("https://h", &[], &[]),
            ("https://h/m", &[], &[]),
            ("https://h/a/b/c", &[], &[(2, "/b/c"), (2, "/c")]),
            (
                "https://h/a/b/c",
                &[("X-Original-URI", "/c"), ("X-Original-URL", "/a/b/c")],
                &[(1, "/c"), (2, "/b/c")],
            ),
            (
                "https://h/m",
                &[
                    ("X-Original-URI", "/o?a=1"),
                    ("X-Forwarded-Prefix", "/p/"),
                    ("public", "https://e/q/"),
                ],
                &[(1, "/o"), (1, "/p/m"), (1, "/q/m"), (1, "/q/")],
            ),
        ];
        for (url, headers, expected) in cases {
            let found = paths(&seen(url), &hints(headers));
            let found = shown(found, Option::unwrap_or_default);
            assert_shown(&found, &[&[(0, "")], *expected].concat(), url);
        }
    }

    #[test]
    fn queries_are_given_hashed_cut_or_of_fewer_pairs() {
        let hash_in_query = format!("https://h/?{BODY_SHA256}=0");
        let public: Headers = &[
            ("public", "https://e/?b=2"),
            ("public", "https://e"),
            ("X-Original-URI", "/?b=2"),
            ("X-Request-Uri", "/?"),
        ];
        #[rustfmt::skip]
        let cases: &[(&str, Headers, bool, Costed)] = &[
            ("https://h/", &[], false, &[(2, "?")]),
            ("https://h/?", &[], false, &[(2, "none")]),
            ("https://h/?a=1", &[], false, &[(2, "none")]),
            ("https://h/?a=1&b=2", &[], false, &[(2, "none"), (2, "without 0"), (2, "without 1")]),
            ("https://h/", &[], true, &[(1, "hashed"), (2, "?")]),
            ("https://h/?a=1", &[], true, &[(1, "hashed"), (2, "none")]),
            (&hash_in_query, &[], true, &[(2, "none")]),
            ("https://h/", public, false, &[(1, "?b=2"), (1, "?"), (2, "?")]),
            ("https://h/?b=2", public, false, &[(1, "?"), (2, "none")]),
        ];
        for (url, headers, hashed, expected) in cases {
            let found = queries(&seen(url), &hints(headers), *hashed);
            let found = shown(found, |source| match source {
                Source::Own => "own".to_owned(),
                Source::Given(None) => "none".to_owned(),
                Source::Given(Some(query)) => format!("?{query}"),
                Source::Hashed => "hashed".to_owned(),
                Source::Without(index) => format!("without {index}"),
            });
            assert_shown(&found, &[&[(0, "own")], *expected].concat(), url);
        }
        let many = seen(&format!("https://h/?{}", "a&".repeat(2 * MAX_LEFT_OUT)));
        let found = queries(&many, &Hints::default(), false);
        assert_eq!(found.costs().len(), 2 + MAX_LEFT_OUT);
    }

    #[test]
    fn encodings_are_those_that_change_a_query_each_text_once() {
        let public: Headers = &[("public", "https://e/?a=x+y")];
        let changes = ["a=x+y", "a=x%20y", "a=x%2By", "a=x y"];
        let cases: &[(&str, Headers, &[&str])] = &[
            ("https://h/", &[], &["a=x+y"]),
            ("https://h/?a=1", &[], &["a=x+y"]),
            ("https://h/?a=x+y", &[], &changes),
            ("https://h/", public, &changes),
        ];
        for (url, headers, expected) in cases {
            let found = encodings(&seen(url), &hints(headers));
            let found: Vec<_> = found
                .into_costed()
                .iter()
                .map(|(_, encoding)| encoding.apply("a=x+y"))
                .collect();
            assert_eq!(found, *expected, "{url}");
        }
    }

    #[test]
    fn work_counts_what_each_hint_adds() {
        // 8 bytes, of which 3 are the query.
        const SEEN: &str = "https://h/abc?d=e";
        let public: Headers = &[("public", "https://ee/f?g")];
        let uri: Headers = &[("X-Original-URI", "/i?j")];
        let url: Headers = &[("X-Original-URL", "https://kk/l?mn")];
        let prefix: Headers = &[("X-Forwarded-Prefix", "/opqrst")];
        let hosts: Headers = &[("Host", "u, v")];
        // Headers, the bases that they make up, the bytes of the longest one, and those of the queries.
        for (headers, made, longest, queries) in [
            (&[][..], 1, 0, 0),
            (public, 8 + 1, 2 + 2 + 1, 1),
            (uri, 2 + 1, 2 + 1, 1),
            (url, 2 + 1, 2 + 2 + 2, 2),
            (prefix, 2, 7, 0),
            (hosts, 3, 0, 0),
            (&[public, prefix].concat(), 8 + 2, 7, 1),
            (&[uri, url, prefix, hosts].concat(), 3 * 4 + 2, 7, 1 + 2),
        ] {
            let hints = hints(headers);
            assert!(
                bases(&seen(SEEN), &hints).costs().len() <= made + 1,
                "{headers:?}"
            );
            let urls = (made + MAX_CUT + Spelling::OTHERS.len()) * (8 + longest);
            let encoded = Encoding::ALL.len() * (queries + 3);
            let work = UrlVariants::work(&seen(SEEN), &hints);
            assert_eq!(work, urls + encoded, "{headers:?}");
        }
    }
}
