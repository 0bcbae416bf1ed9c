//! The URLs that Twilio may have signed for the one that the app saw.

use std::borrow::Cow;

use super::{
    hints::Hints,
    location::Location,
    product::Costs,
    query::{Encoding, Order},
};
use crate::{coverage::body_sha256, url::split_port};

/// Ports that servers and tunnels listen on by habit.
const USUAL_PORTS: [&str; 8] = ["8080", "8443", "3000", "5000", "8000", "4040", "443", "80"];
/// Names of the own machine, which are taken for one another.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// Segments of a path at most that are cut off its start.
const MAX_CUT: usize = 6;
/// Parameters of a query at most that are left out one by one.
const MAX_LEFT_OUT: usize = 32;

/// How the query is found.
#[derive(Debug, Clone)]
enum Source {
    Own,
    Given(Option<String>),
    /// With the hash of the body at its end.
    Hashed(String),
    Without(usize),
}

/// Whose user info the URL has.
#[derive(Debug, Clone)]
enum User {
    Own,
    None,
    Given(String),
}

/// A dimension of the search: alternatives and their costs.
type Dimension<T> = Vec<(u8, T)>;

/// The dimensions in which URLs vary. The first alternative of each is what the app saw.
pub(super) struct Locations {
    /// What everything else is applied to.
    bases: Dimension<Location>,
    /// Whether security and kind (WebSocket or not) of the scheme change.
    schemes: Dimension<(bool, bool)>,
    hosts: Dimension<Option<String>>,
    users: Dimension<User>,
    paths: Dimension<Option<String>>,
    /// Whether the slash at the end of the path is toggled.
    slashes: Dimension<bool>,
    queries: Dimension<Source>,
    encodings: Dimension<Encoding>,
    orders: Dimension<Order>,
}

/// Dimensions of [`Locations`].
pub(super) const DIMENSIONS: usize = 9;

impl Locations {
    /// Tells the dimensions. `get` says whether the request is a `GET`, as WebSocket handshakes
    /// are; `hashed_body` is a body whose hash belongs into the query.
    pub(super) fn of(
        seen: &Location,
        hints: &Hints,
        get: bool,
        hashed_body: Option<&[u8]>,
    ) -> Self {
        let query = seen.query.as_deref().unwrap_or_default();
        Self {
            bases: bases(seen, hints),
            schemes: schemes(seen, hints, get),
            hosts: hosts(seen, hints),
            users: users(seen, hints),
            paths: paths(seen, hints),
            slashes: vec![(0, false), (1, true)],
            queries: queries(seen, hints, hashed_body),
            encodings: encodings(seen, hints),
            orders: with_own(Order::AsIs, Order::all(query)),
        }
    }

    pub(super) fn costs(&self) -> [Costs; DIMENSIONS] {
        [
            costs(&self.bases),
            costs(&self.schemes),
            costs(&self.hosts),
            costs(&self.users),
            costs(&self.paths),
            costs(&self.slashes),
            costs(&self.queries),
            costs(&self.encodings),
            costs(&self.orders),
        ]
    }

    /// Builds a URL from picks, one of each dimension in the order of [`costs`](Self::costs).
    pub(super) fn build(&self, picks: &[usize]) -> Option<Location> {
        let [
            base,
            scheme,
            host,
            user,
            path,
            slash,
            query,
            encoding,
            order,
        ] = *picks.first_chunk()?;
        let mut url = self.bases.get(base)?.1.clone();
        let (security, kind) = self.schemes.get(scheme)?.1;
        if security || kind {
            url.scheme = url.other_scheme(security, kind).to_owned();
        }
        if let Some(host) = &self.hosts.get(host)?.1 {
            url.host.clone_from(host);
        }
        match &self.users.get(user)?.1 {
            User::Own => {}
            User::None => url.user = None,
            User::Given(user) => url.user = Some(user.clone()),
        }
        if let Some(path) = &self.paths.get(path)?.1 {
            url.path.clone_from(path);
        }
        if self.slashes.get(slash)?.1 {
            url.path = url.toggled_slash();
        }
        match &self.queries.get(query)?.1 {
            Source::Own => {}
            Source::Given(query) => url.query.clone_from(query),
            Source::Hashed(pair) => {
                url.query = Some(match url.query {
                    Some(query) if !query.is_empty() => [query.as_str(), pair].join("&"),
                    _ => pair.clone(),
                });
            }
            Source::Without(index) => {
                let mut pairs: Vec<_> = url.query.as_deref()?.split('&').collect();
                if *index < pairs.len() {
                    pairs.remove(*index);
                }
                url.query = (!pairs.is_empty()).then(|| pairs.join("&"));
            }
        }
        if let Some(query) = &url.query {
            let query = self.orders.get(order)?.1.apply(query);
            let query = self.encodings.get(encoding)?.1.apply(&query).into_owned();
            url.query = Some(query);
        }
        Some(url)
    }
}

fn costs<T>(dimension: &Dimension<T>) -> Costs {
    dimension.iter().map(|(cost, _)| *cost).collect()
}

/// Puts what the app saw before the alternatives, and the cheap ones of these first.
fn with_own<T>(own: T, alternatives: impl IntoIterator<Item = (u8, T)>) -> Dimension<T> {
    let mut dimension = vec![(0, own)];
    dimension.extend(alternatives);
    dimension.sort_by_key(|(cost, _)| *cost);
    dimension
}

/// Returns whole URLs that hints make up together.
fn bases(seen: &Location, hints: &Hints) -> Dimension<Location> {
    let mut found = Vec::new();
    let scheme = |secure: bool| match (secure, seen.is_websocket() || hints.websocket) {
        (true, false) => "https",
        (true, true) => "wss",
        (false, false) => "http",
        (false, true) => "ws",
    };
    for public in &hints.public_urls {
        let prefix = public.path.strip_suffix('/').unwrap_or(&public.path);
        let schemes = [scheme(public.is_secure()), &*public.scheme];
        let paths = [format!("{prefix}{}", seen.path), public.path.clone()];
        for scheme in schemes {
            for path in &paths {
                for query in [&seen.query, &public.query] {
                    found.push(Location {
                        scheme: scheme.to_owned(),
                        path: path.clone(),
                        query: query.clone(),
                        fragment: String::new(),
                        ..public.clone()
                    });
                }
            }
        }
    }
    let hosts = hints.hosts.iter().chain([&seen.host]);
    for host in hosts.collect::<Vec<_>>() {
        let url = Location {
            scheme: scheme(hints.secure.unwrap_or(true)).to_owned(),
            host: host.clone(),
            ..seen.clone()
        };
        for target in &hints.targets {
            found.push(Location {
                path: target.path.clone(),
                query: target.query.clone(),
                ..url.clone()
            });
        }
        for prefix in &hints.prefixes {
            found.push(Location {
                path: [prefix, &*seen.path].concat(),
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
    with_own(seen.clone(), distinct(found, seen).map(|url| (1, url)))
}

fn schemes(seen: &Location, hints: &Hints, get: bool) -> Dimension<(bool, bool)> {
    let mut found = vec![(1, (true, false))];
    if get || seen.is_websocket() {
        found.push((1, (false, true)));
        let cost = if hints.websocket { 1 } else { 2 };
        found.push((cost, (true, true)));
    }
    with_own((false, false), found)
}

fn hosts(seen: &Location, hints: &Hints) -> Dimension<Option<String>> {
    let given = hints.hosts.iter().cloned();
    let public = hints.public_urls.iter().chain(&hints.targets);
    let public = public
        .map(|url| url.host.clone())
        .filter(|host| !host.is_empty());
    let (name, port_seen) = split_port(&seen.host);
    let on_port = |port: &str| format!("{name}:{port}");
    let ports = hints.ports.iter().map(|port| on_port(port));
    let loopback = LOOPBACK
        .iter()
        .filter(|_| LOOPBACK.contains(&name))
        .map(|other| seen.host.replacen(name, other, 1));
    let other_hosts_on_port = hints.hosts.iter().flat_map(|host| {
        let (name, _) = split_port(host);
        let ports = hints.ports.iter().map(String::as_str).chain(port_seen);
        ports.map(move |port| format!("{name}:{port}"))
    });
    let likely: Vec<_> = public
        .chain(given)
        .chain(ports)
        .chain(other_hosts_on_port)
        .chain(loopback)
        .collect();
    let usual = USUAL_PORTS
        .iter()
        .map(|port| on_port(port))
        .filter(|host| !likely.contains(host));
    let usual: Vec<_> = usual
        .filter(|host| *host != seen.host)
        .map(|host| (2, Some(host)))
        .collect();
    let likely = distinct(likely, &seen.host).map(|host| (1, Some(host)));
    with_own(None, likely.chain(usual))
}

fn users(seen: &Location, hints: &Hints) -> Dimension<User> {
    let public = hints.public_urls.iter().filter_map(|url| url.user.as_ref());
    let given = public
        .chain(&hints.users)
        .filter(|user| seen.user.as_ref() != Some(user));
    let given = given.map(|user| (1, User::Given(user.clone())));
    let none = seen.user.as_ref().map(|_| (1, User::None));
    with_own(User::Own, given.chain(none))
}

fn paths(seen: &Location, hints: &Hints) -> Dimension<Option<String>> {
    let mut given: Vec<_> = hints
        .targets
        .iter()
        .map(|target| target.path.clone())
        .collect();
    for prefix in &hints.prefixes {
        given.push([prefix, &*seen.path].concat());
    }
    for public in &hints.public_urls {
        let prefix = public.path.strip_suffix('/').unwrap_or(&public.path);
        given.extend([[prefix, &*seen.path].concat(), public.path.clone()]);
    }
    let cuts = seen.path.match_indices('/').skip(1).take(MAX_CUT);
    let cuts = cuts.filter_map(|(at, _)| seen.path.get(at..).map(str::to_owned));
    let cuts: Vec<_> = cuts
        .filter(|path| !given.contains(path))
        .map(|path| (2, Some(path)))
        .collect();
    let given = distinct(given, &seen.path).map(|path| (1, Some(path)));
    with_own(None, given.chain(cuts))
}

fn queries(seen: &Location, hints: &Hints, hashed_body: Option<&[u8]>) -> Dimension<Source> {
    let given = hints.public_urls.iter().chain(&hints.targets);
    let given = given
        .filter(|url| url.query.is_some())
        .map(|url| url.query.clone())
        .collect();
    let mut found: Vec<_> = distinct(given, &seen.query)
        .map(|query| (1, Source::Given(query)))
        .collect();
    let query = seen.query.as_deref().unwrap_or_default();
    if let Some(body) = hashed_body
        && !query.contains("bodySHA256=")
    {
        found.push((
            1,
            Source::Hashed(format!("bodySHA256={}", body_sha256(body))),
        ));
    }
    if seen.query.is_some() {
        found.push((2, Source::Given(None)));
        let pairs = query.split('&').count();
        if pairs > 1 {
            found.extend((0..pairs.min(MAX_LEFT_OUT)).map(|index| (2, Source::Without(index))));
        }
    } else {
        // A proxy cut the mark off a query without text.
        found.push((2, Source::Given(Some(String::new()))));
    }
    with_own(Source::Own, found)
}

/// Returns the ways to encode that change the app's query or a given one.
fn encodings(seen: &Location, hints: &Hints) -> Dimension<Encoding> {
    let given = hints.public_urls.iter().chain(&hints.targets);
    let queries: Vec<_> = given
        .chain([seen])
        .filter_map(|url| url.query.as_deref())
        .collect();
    let mut known: Vec<Vec<Cow<'_, str>>> = Vec::new();
    let mut found = Vec::new();
    for encoding in Encoding::ALL {
        let texts: Vec<_> = queries.iter().map(|query| encoding.apply(query)).collect();
        let changes = texts
            .iter()
            .zip(&queries)
            .any(|(text, query)| text != query);
        if changes && !known.contains(&texts) {
            known.push(texts);
            found.push((1, encoding));
        }
    }
    with_own(Encoding::AsIs, found)
}

/// Leaves out what is there twice or is what the app saw.
fn distinct<T: PartialEq>(found: Vec<T>, own: &T) -> impl Iterator<Item = T> {
    let mut distinct: Vec<T> = Vec::new();
    for one in found {
        if one != *own && !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct.into_iter()
}
