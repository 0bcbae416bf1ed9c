//! The URL that a request was sent to, told once more in plain code from the documented rules.

use actix_web::http::Uri;

/// A request as it arrives, without its body.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The method.
    pub method: &'a str,
    /// The request's target.
    pub target: &'a Uri,
    /// Names in lower case, and values, in the order of the wire.
    pub headers: &'a [(String, Vec<u8>)],
    /// How many trusted proxies are in a row, if the peer is one.
    pub hops: Option<usize>,
    /// Whether `X-Forwarded-Prefix` counts.
    pub prefix: bool,
}

impl Arrival<'_> {
    /// Returns all values of a header.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Returns the URL, over a connection without TLS, and the prefix in it; nothing if it can't be told.
    #[must_use]
    pub fn url(&self) -> Option<(String, String)> {
        // Of each header, the whole is read before anything is chosen.
        let original_host = self.outermost("x-original-host")?;
        let forwarded_host = self.outermost("x-forwarded-host")?;
        let forwarded_proto = self.outermost("x-forwarded-proto")?;
        let told_host = original_host.or(forwarded_host);
        let standard = if told_host.is_some() && forwarded_proto.is_some() {
            Standard::default()
        } else {
            self.standard()?
        };

        let mut host = match told_host.or(standard.host) {
            Some(host) => Some(host).filter(|host| is_host(host))?,
            None => self.own_host()?,
        };
        let secure = match forwarded_proto.or(standard.proto) {
            None => false,
            Some(proto) => match &*proto.to_ascii_lowercase() {
                "https" | "wss" => true,
                "http" | "ws" => false,
                _ => return None,
            },
        };
        if port_of(&host).is_none()
            && let Some(port) = self.outermost("x-forwarded-port")?
        {
            let number: u16 = port.parse().ok()?;
            if number.to_string() != port {
                return None;
            }
            if number != if secure { 443 } else { 80 } {
                host = format!("{host}:{port}");
            }
        }
        let mut prefix = String::new();
        if self.prefix
            && let Some(told) = self.outermost("x-forwarded-prefix")?
        {
            let odd = |c: char| !c.is_ascii_graphic() || "?#\\\"<>".contains(c);
            if !told.starts_with('/') || told.contains(odd) {
                return None;
            }
            told.strip_suffix('/')
                .unwrap_or(&told)
                .clone_into(&mut prefix);
        }
        let scheme = match (secure, self.is_handshake()) {
            (true, false) => "https",
            (true, true) => "wss",
            (false, false) => "http",
            (false, true) => "ws",
        };
        let target = self.target.path_and_query();
        let target = target.map_or("", |target| target.as_str());
        Some((format!("{scheme}://{host}{prefix}{target}"), prefix))
    }

    /// R12.
    #[must_use]
    pub fn is_handshake(&self) -> bool {
        let lower = |value: &[u8]| String::from_utf8_lossy(value).to_ascii_lowercase();
        let upgrades: Vec<_> = self.all("upgrade").map(lower).collect();
        let mut connections = self.all("connection").map(lower);
        self.method == "GET"
            && upgrades == ["websocket"]
            && connections.any(|line| line.split(',').any(is_upgrade))
            && self
                .all("sec-websocket-key")
                .next()
                .is_some_and(|key| !key.is_empty())
            && self.all("transfer-encoding").next().is_none()
            && self.all("content-length").all(|length| length == b"0")
    }

    /// Returns what the outermost trusted proxy wrote in a list; nothing inside of `Some` if there is no
    /// list, and nothing at all if the list can't be read.
    #[expect(clippy::option_option, reason = "two kinds of nothing")]
    fn outermost(&self, name: &str) -> Option<Option<String>> {
        let Some(hops) = self.hops else {
            return Some(None);
        };
        let mut list = Vec::new();
        for line in self.all(name) {
            list.extend(
                text(line)?
                    .split(',')
                    .map(|element| element.trim().to_owned()),
            );
        }
        Some(nth_from_right(list, hops))
    }

    fn standard(&self) -> Option<Standard> {
        let mut standard = Standard::default();
        let Some(hops) = self.hops else {
            return Some(standard);
        };
        let mut list = Vec::new();
        for line in self.all("forwarded") {
            list.extend(split_outside_quotes(text(line)?, ',')?);
        }
        let Some(element) = nth_from_right(list, hops) else {
            return Some(standard);
        };
        if element.is_empty() {
            return None;
        }
        let pairs = split_outside_quotes(&element, ';')?;
        for pair in pairs.iter().filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let place = match &*name.to_ascii_lowercase() {
                "host" => &mut standard.host,
                "proto" => &mut standard.proto,
                _ => continue,
            };
            if place.is_some() {
                return None;
            }
            *place = Some(unquoted(value)?);
        }
        Some(standard)
    }

    /// The target's authority, with which `Host` must agree; else the only `Host`.
    fn own_host(&self) -> Option<String> {
        let hosts: Vec<_> = self.all("host").collect();
        let host = match hosts[..] {
            [] => None,
            [host] => Some(text(host)?),
            _ => return None,
        };
        match self.target.authority() {
            None => host.filter(|host| is_host(host)).map(str::to_owned),
            Some(authority) => {
                let authority = authority.as_str();
                let bare = authority.rsplit('@').next()?;
                let agrees = host.is_none_or(|host| host.eq_ignore_ascii_case(bare));
                (is_host(bare) && agrees).then(|| authority.to_owned())
            }
        }
    }
}

fn is_upgrade(option: &str) -> bool {
    option.trim_matches(|c: char| c.is_ascii_whitespace()) == "upgrade"
}

#[derive(Default)]
struct Standard {
    host: Option<String>,
    proto: Option<String>,
}

/// A header's value is text if all of it is printable ASCII, blanks and tabs.
fn text(value: &[u8]) -> Option<&str> {
    let text = str::from_utf8(value).ok()?;
    let plain = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    text.bytes().all(plain).then_some(text)
}

fn nth_from_right(mut list: Vec<String>, n: usize) -> Option<String> {
    // An empty header counts as absent.
    if list.iter().all(String::is_empty) {
        return None;
    }
    let at = if n > list.len() { 0 } else { list.len() - n };
    Some(list.swap_remove(at))
}

/// Returns nothing if a quoted string does not end.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<String>> {
    let mut pieces = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == separator {
            pieces.push(String::new());
            continue;
        }
        let piece = pieces.last_mut()?;
        piece.push(c);
        if c == '"' {
            loop {
                let quoted = chars.next()?;
                piece.push(quoted);
                match quoted {
                    '\\' => piece.push(chars.next()?),
                    '"' => break,
                    _ => {}
                }
            }
        }
    }
    Some(pieces.iter().map(|piece| piece.trim().to_owned()).collect())
}

/// Returns the text of a token, or of a quoted string that is the whole value.
fn unquoted(value: &str) -> Option<String> {
    if !value.contains('"') {
        return Some(value.to_owned());
    }
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut said = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => said.push(chars.next()?),
            c => said.push(c),
        }
    }
    Some(said)
}

/// A name, an IPv4 address or an IPv6 address in brackets, with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match port_of(text) {
        Some(port) => (&text[..text.len() - port.len() - 1], Some(port)),
        None => (text, None),
    };
    let digits = |port: &str| port.parse::<u16>().is_ok_and(|n| n.to_string() == port);
    let name = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let valid = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.chars().all(name),
    };
    valid && !host.is_empty() && host.len() <= 253 && port.is_none_or(digits)
}

/// Returns what follows the last colon, unless a bracket follows it.
fn port_of(host: &str) -> Option<&str> {
    let (_, port) = host.rsplit_once(':')?;
    (!port.contains([']', '@'])).then_some(port)
}
