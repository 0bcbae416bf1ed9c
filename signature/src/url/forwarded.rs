//! Reads the headers in which proxies pass on the scheme, the host and the path of the request that they received.
//!
//! A list is read from its right end, where the nearest proxy writes. An empty header counts as absent, and a malformed
//! one is an error: it must not lead to another URL than the one that its proxy means.

use std::fmt;

use super::{is_host, is_port, is_secure_scheme, split_port};

/// The largest length in bytes of a header with all its lines. In HTTP/2, a line of 4 KB that is repeated takes one byte on
/// the wire, and a split line takes 16 bytes of memory for each comma.
pub(crate) const MAX_LEN: usize = 8 * 1024;

/// A header in which proxies pass on a part of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// `X-Original-Host`.
    XOriginalHost,
    /// `X-Forwarded-Host`.
    XForwardedHost,
    /// `X-Forwarded-Proto`.
    XForwardedProto,
    /// `X-Forwarded-Port`.
    XForwardedPort,
    /// `X-Forwarded-Prefix`.
    XForwardedPrefix,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Header {
    /// All headers that are read, each at the place of its number.
    pub const ALL: [Self; 6] = [
        Self::XOriginalHost,
        Self::XForwardedHost,
        Self::XForwardedProto,
        Self::XForwardedPort,
        Self::XForwardedPrefix,
        Self::Forwarded,
    ];

    /// Returns the header with this name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|header| header.as_str().eq_ignore_ascii_case(name))
    }

    /// Returns the name of the header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XOriginalHost => "X-Original-Host",
            Self::XForwardedHost => "X-Forwarded-Host",
            Self::XForwardedProto => "X-Forwarded-Proto",
            Self::XForwardedPort => "X-Forwarded-Port",
            Self::XForwardedPrefix => "X-Forwarded-Prefix",
            Self::Forwarded => "Forwarded",
        }
    }
}

/// The error of a header whose value can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    header: &'static str,
    problem: &'static str,
}

impl Malformed {
    /// Constructs the error of a header. The problem is a clause that follows its name, such as `is missing`.
    #[must_use]
    pub const fn new(header: &'static str, problem: &'static str) -> Self {
        Self { header, problem }
    }

    /// Returns what is wrong, and what to do: a clause without a full stop.
    #[must_use]
    pub fn advice(self) -> String {
        let Self { header, problem } = self;
        let sender = match header {
            "Host" => "the proxy or the client send",
            _ => "the proxy send",
        };
        format!(
            "{header} {problem}: make {sender} {}, or set TWILIO_WEBHOOK_BASE_URL, or public_url",
            match header {
                "X-Forwarded-Proto" => "https or http",
                "X-Forwarded-Port" => "a port alone",
                "X-Forwarded-Prefix" => "a path that starts with a slash",
                "Forwarded" => "it as in host=example.com;proto=https",
                _ => "one host alone, such as example.com",
            }
        )
    }
}

const NOT_ASCII: &str = "is not plain ASCII";
const TOO_LONG: &str = "is longer than 8 KiB";
const BROKEN: Malformed = Malformed::new(
    Header::Forwarded.as_str(),
    "is not a list of pairs, as RFC 7239 has them",
);

/// The scheme and the host of a request, and where each was found.
///
/// `Debug` does not print the host: the one of a request's own may have user info.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Whether the scheme means TLS.
    pub secure: bool,
    /// The name of the header with the scheme, or `connection`.
    pub scheme_from: &'static str,
    /// The host, with its port if it has one.
    pub host: String,
    /// The name of the header with the host.
    pub host_from: &'static str,
    /// Whether the port is from `X-Forwarded-Port`.
    pub has_forwarded_port: bool,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin")
            .field("secure", &self.secure)
            .field("scheme_from", &self.scheme_from)
            .field("host_from", &self.host_from)
            .finish_non_exhaustive()
    }
}

impl Origin {
    /// Determines the origin from the headers of `hops` trusted proxies, or of none, and else from the request itself: its
    /// own scheme, and its own host with the name of the header that has it.
    ///
    /// # Errors
    ///
    /// Returns an error if a header that counts is malformed, or the one of `own_host`.
    ///
    /// # Examples
    ///
    /// ```
    /// use twilio_signature::url::forwarded::{Header, Origin};
    ///
    /// let lines = |header| {
    ///     let line: &[u8] = match header {
    ///         Header::XForwardedHost => b"example.com, inner.example",
    ///         Header::XForwardedProto => b"https",
    ///         _ => b"",
    ///     };
    ///     [line].into_iter()
    /// };
    /// let own_host = || Ok(("10.0.0.7".to_owned(), "Host"));
    /// let origin = Origin::of(Some(2), lines, false, own_host).unwrap();
    /// assert!(origin.secure);
    /// assert_eq!((&*origin.host, origin.host_from), ("example.com", "X-Forwarded-Host"));
    /// ```
    pub fn of<'a, L: Iterator<Item = &'a [u8]>>(
        hops: Option<usize>,
        lines: impl Fn(Header) -> L,
        own_secure: bool,
        own_host: impl FnOnce() -> Result<(String, &'static str), Malformed>,
    ) -> Result<Self, Malformed> {
        let forwarded = |header| match hops {
            Some(hops) => element(header, lines(header), hops),
            None => Ok(None),
        };
        let original_host = forwarded(Header::XOriginalHost)?;
        let forwarded_host = forwarded(Header::XForwardedHost)?;
        let forwarded_proto = forwarded(Header::XForwardedProto)?;
        let standard = match hops {
            Some(hops)
                if (original_host.is_none() && forwarded_host.is_none())
                    || forwarded_proto.is_none() =>
            {
                Standard::read(lines(Header::Forwarded), hops)?
            }
            _ => Standard::default(),
        };

        let (mut host, host_from) = if let Some(host) = original_host {
            checked_host(host, Header::XOriginalHost.as_str())?
        } else if let Some(host) = forwarded_host {
            checked_host(host, Header::XForwardedHost.as_str())?
        } else if let Some(host) = standard.host {
            checked_host(&host, Header::Forwarded.as_str())?
        } else {
            own_host()?
        };
        let (secure, scheme_from) = if let Some(proto) = forwarded_proto {
            checked_scheme(proto, Header::XForwardedProto)?
        } else if let Some(proto) = standard.proto {
            checked_scheme(&proto, Header::Forwarded)?
        } else {
            (own_secure, "connection")
        };
        let mut has_forwarded_port = false;
        if split_port(&host).1.is_none()
            && let Some(port) = forwarded(Header::XForwardedPort)?
        {
            if !is_port(port) {
                return Err(Malformed::new(
                    Header::XForwardedPort.as_str(),
                    "is not a port",
                ));
            }
            has_forwarded_port = true;
            if port != if secure { "443" } else { "80" } {
                host.push(':');
                host.push_str(port);
            }
        }
        Ok(Self {
            secure,
            scheme_from,
            host,
            host_from,
            has_forwarded_port,
        })
    }

    /// Returns the names of the headers of proxies that the origin is from, each once.
    pub fn headers(&self) -> impl Iterator<Item = &'static str> {
        let port = self.has_forwarded_port.then_some(Header::XForwardedPort);
        let scheme_from = (self.scheme_from != self.host_from).then_some(self.scheme_from);
        let named = [Some(self.host_from), scheme_from].into_iter().flatten();
        let named = named.filter_map(Header::named);
        named.chain(port).map(Header::as_str)
    }
}

/// Returns the path that the outermost of `hops` trusted proxies claims to have stripped, without a slash at the end.
///
/// # Errors
///
/// Returns an error if `X-Forwarded-Prefix` is malformed.
pub fn prefix<'a, L: Iterator<Item = &'a [u8]>>(
    hops: usize,
    lines: impl Fn(Header) -> L,
) -> Result<&'a str, Malformed> {
    const NAME: Header = Header::XForwardedPrefix;

    let Some(prefix) = element(NAME, lines(NAME), hops)? else {
        return Ok("");
    };
    let is_path = prefix.starts_with('/')
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>".contains(&byte));
    if is_path {
        Ok(prefix.strip_suffix('/').unwrap_or(prefix))
    } else {
        Err(Malformed::new(NAME.as_str(), "is not a path"))
    }
}

/// Returns a host with the name of its header.
///
/// # Errors
///
/// Returns an error if this is not a host.
pub fn checked_host(host: &str, header: &'static str) -> Result<(String, &'static str), Malformed> {
    if is_host(host) {
        return Ok((host.to_owned(), header));
    }
    let problem = match host {
        "" => "has no host",
        _ if host.contains("://") => "has a whole URL",
        _ if host.contains('/') => "has a path",
        _ if host.contains('@') => "has user info",
        _ => "is not a host",
    };
    Err(Malformed::new(header, problem))
}

/// Returns whether a scheme means TLS, with the name of its header.
fn checked_scheme(scheme: &str, header: Header) -> Result<(bool, &'static str), Malformed> {
    match is_secure_scheme(scheme) {
        Some(secure) => Ok((secure, header.as_str())),
        None => Err(Malformed::new(header.as_str(), "is neither https nor http")),
    }
}

/// Returns the lines of a header as text.
fn texts<'a>(
    header: Header,
    lines: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Result<&'a str, Malformed>> {
    let mut len = 0;
    lines.map(move |line| {
        len += line.len() + 1;
        if len > MAX_LEN {
            return Err(Malformed::new(header.as_str(), TOO_LONG));
        }
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        let text = str::from_utf8(line)
            .ok()
            .filter(|_| line.iter().all(is_plain));
        text.ok_or(Malformed::new(header.as_str(), NOT_ASCII))
    })
}

/// Returns the element of a comma-separated list that the outermost of `hops` trusted proxies added: the `hops`-th
/// from the right, or the leftmost if there are fewer. All lines of the header form one list.
fn element<'a>(
    header: Header,
    lines: impl Iterator<Item = &'a [u8]>,
    hops: usize,
) -> Result<Option<&'a str>, Malformed> {
    let mut elements = Vec::new();
    for line in texts(header, lines) {
        elements.extend(line?.split(',').map(str::trim));
    }
    Ok(nth_from_right(&elements, hops))
}

/// The element of one proxy in the standard `Forwarded` header (RFC 7239).
#[derive(Debug, Default, PartialEq, Eq)]
struct Standard {
    host: Option<String>,
    proto: Option<String>,
}

impl Standard {
    /// Parses the element of the `Forwarded` header that [`element`] would choose.
    fn read<'a>(lines: impl Iterator<Item = &'a [u8]>, hops: usize) -> Result<Self, Malformed> {
        let mut elements = Vec::new();
        for line in texts(Header::Forwarded, lines) {
            elements.extend(split_unquoted(line?, ',')?);
        }
        match nth_from_right(&elements, hops) {
            Some("") => Err(BROKEN),
            Some(element) => Self::parse(element),
            None => Ok(Self::default()),
        }
    }

    fn parse(element: &str) -> Result<Self, Malformed> {
        let mut forwarded = Self::default();
        for pair in split_unquoted(element, ';')? {
            // RFC 7239, section 4, allows empty pairs.
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').ok_or(BROKEN)?;
            let slot = if name.eq_ignore_ascii_case("host") {
                &mut forwarded.host
            } else if name.eq_ignore_ascii_case("proto") {
                &mut forwarded.proto
            } else {
                continue;
            };
            if slot.replace(unquote(value)?).is_some() {
                return Err(BROKEN);
            }
        }
        Ok(forwarded)
    }
}

/// Returns nothing for an empty header, which counts as absent.
fn nth_from_right<'a>(elements: &[&'a str], n: usize) -> Option<&'a str> {
    if elements.iter().all(|element| element.is_empty()) {
        return None;
    }
    elements.get(elements.len().saturating_sub(n)).copied()
}

/// Splits a text at each separator outside of quoted strings, and trims the pieces.
fn split_unquoted(text: &str, separator: char) -> Result<Vec<&str>, Malformed> {
    let (mut quoted, mut escaped) = (false, false);
    let pieces = text
        .split(|c| {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => return c == separator && !quoted,
            }
            false
        })
        .map(str::trim)
        .collect();
    if quoted { Err(BROKEN) } else { Ok(pieces) }
}

/// Returns the value of a token or a quoted string.
fn unquote(value: &str) -> Result<String, Malformed> {
    let Some(rest) = value.strip_prefix('"') else {
        return if value.contains('"') {
            Err(BROKEN)
        } else {
            Ok(value.to_owned())
        };
    };
    let mut unquoted = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next().ok_or(BROKEN)? {
            '"' => break,
            '\\' => unquoted.push(chars.next().ok_or(BROKEN)?),
            c => unquoted.push(c),
        }
    }
    if chars.next().is_some() {
        return Err(BROKEN);
    }
    Ok(unquoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Header = Header::XForwardedHost;

    fn bytes<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = &'a [u8]> {
        lines.iter().map(|line| line.as_bytes())
    }

    #[test]
    fn lists_are_read_from_their_right_end() {
        let cases: &[(&[&str], usize, Option<&str>)] = &[
            (&[], 1, None),
            (&["a"], 1, Some("a")),
            (&["a"], 2, Some("a")),
            (&["evil, a"], 1, Some("a")),
            (&["evil,a , b"], 2, Some("a")),
            (&["evil", "a"], 1, Some("a")),
            (&["evil, a", "b"], 2, Some("a")),
            (&["a, "], 1, Some("")),
            (&[""], 1, None),
            (&["", " ,"], 1, None),
            (&["evil", ""], 1, Some("")),
            (&["a,b"], usize::MAX, Some("a")),
        ];
        for (lines, hops, expected) in cases {
            let found = element(HOST, bytes(lines), *hops);
            assert_eq!(found, Ok(*expected), "{lines:?} {hops}");
        }
        for line in ["\u{e9}", "\0", "\u{7f}"] {
            let not_ascii = Err(Malformed::new(HOST.as_str(), NOT_ASCII));
            assert_eq!(element(HOST, bytes(&[line]), 1), not_ascii, "{line:?}");
        }
    }

    #[test]
    fn a_header_of_more_than_8_kib_is_refused() {
        const LINE: usize = 1024;

        let line = "a=b,".repeat(LINE / 4);
        for (len, count, is_read) in [
            (LINE - 1, 8, true),
            (LINE, 8, false),
            (0, MAX_LEN, true),
            (0, MAX_LEN + 1, false),
        ] {
            let lines = vec![&line[..len]; count];
            let too_long = Malformed::new(HOST.as_str(), TOO_LONG);
            let is_too_long = element(HOST, bytes(&lines), 1) == Err(too_long);
            assert_eq!(is_too_long, !is_read, "{len} {count}");
            let forwarded = Standard::read(bytes(&lines), 1);
            let too_long = Malformed::new("Forwarded", TOO_LONG);
            assert_eq!(forwarded == Err(too_long), !is_read, "{len} {count}");
        }
    }

    #[test]
    fn forwarded_is_read_with_its_quotes() {
        let said = |host: Option<&str>, proto: Option<&str>| {
            Ok(Standard {
                host: host.map(str::to_owned),
                proto: proto.map(str::to_owned),
            })
        };
        let cases = [
            ("for=1.2.3.4", said(None, None)),
            ("host=a;proto=https", said(Some("a"), Some("https"))),
            (
                "Host=\"a:8443\" ; PROTO=https",
                said(Some("a:8443"), Some("https")),
            ),
            (
                "host=evil, for=\"[::1],x;host=b\";host=a",
                said(Some("a"), None),
            ),
            ("host=\"a\\\"b\\\\\"", said(Some("a\"b\\"), None)),
            ("host=a;host=a", Err(BROKEN)),
            ("host=\"a", Err(BROKEN)),
            ("host=\"a\\\"", Err(BROKEN)),
            ("host=a\"b\"", Err(BROKEN)),
            ("host=\"a\"b", Err(BROKEN)),
            ("host", Err(BROKEN)),
            ("host=a;", said(Some("a"), None)),
            (";; host=a ; ;proto=https;", said(Some("a"), Some("https"))),
            ("", said(None, None)),
            (" , ", said(None, None)),
            ("host=a,", Err(BROKEN)),
        ];
        for (line, expected) in cases {
            assert_eq!(Standard::read(bytes(&[line]), 1), expected, "{line}");
        }
        let three = ["host=evil", "host=a", "host=b"];
        assert_eq!(Standard::read(bytes(&three), 2), said(Some("a"), None));
    }

    type Lines = &'static [(Header, &'static str)];

    #[test]
    fn origin_names_the_headers_that_it_is_from() {
        let cases: [(Lines, &[&str]); 5] = [
            (&[], &[]),
            (&[(Header::XForwardedHost, "h")], &["X-Forwarded-Host"]),
            (&[(Header::Forwarded, "host=h;proto=https")], &["Forwarded"]),
            (
                &[
                    (Header::XForwardedHost, "h"),
                    (Header::XForwardedPort, "80"),
                    (Header::Forwarded, "proto=http;host=x"),
                ],
                &["X-Forwarded-Host", "Forwarded", "X-Forwarded-Port"],
            ),
            // A port in the host wins.
            (
                &[
                    (Header::XForwardedHost, "h:1"),
                    (Header::XForwardedPort, "2"),
                ],
                &["X-Forwarded-Host"],
            ),
        ];
        for (headers, expected) in cases {
            let lines = |wanted| {
                let named = headers.iter().filter(move |(header, _)| *header == wanted);
                named.map(|(_, line)| line.as_bytes())
            };
            let own_host = || Ok(("own".to_owned(), "Host"));
            let origin = Origin::of(Some(1), lines, false, own_host).unwrap();
            assert_eq!(origin.headers().collect::<Vec<_>>(), expected);
            let untrusting = Origin::of(None, lines, false, own_host).unwrap();
            assert_eq!(
                (&*untrusting.host, untrusting.headers().count()),
                ("own", 0)
            );
        }
    }
}
