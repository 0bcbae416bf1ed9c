//! Parses the headers in which proxies pass on the scheme and the host of the request that they received.

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};

use crate::error::ValidationErrorKind;

/// The error of a header whose value can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    header: &'static str,
    problem: &'static str,
}

impl Malformed {
    pub(crate) fn new(header: &'static str, problem: &'static str) -> Self {
        Self { header, problem }
    }

    /// Returns what is wrong, and what to do: a clause without a full stop.
    pub(crate) fn advice(self) -> String {
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

impl From<Malformed> for ValidationErrorKind {
    fn from(_: Malformed) -> Self {
        Self::OriginMalformed
    }
}

const NOT_ASCII: &str = "is not plain ASCII";
const TOO_LONG: &str = "is longer than 8 KiB";
const BROKEN: Malformed = Malformed {
    header: "Forwarded",
    problem: "is not a list of pairs, as RFC 7239 has them",
};

/// The largest length in bytes of a header with all its lines. In HTTP/2, a line of 4 KB that is repeated takes one byte on
/// the wire, and a split line takes 16 bytes of memory for each comma.
const MAX_LEN: usize = 8 * 1024;

/// Returns the lines of a header.
fn lines<'a>(
    headers: &'a HeaderMap,
    (name, shown): (&HeaderName, &'static str),
) -> impl Iterator<Item = Result<&'a str, Malformed>> {
    let mut len = 0;
    headers.get_all(name).map(move |line| {
        len += line.len() + 1;
        if len > MAX_LEN {
            return Err(Malformed::new(shown, TOO_LONG));
        }
        line.to_str().map_err(|_| Malformed::new(shown, NOT_ASCII))
    })
}

/// Returns the element of a comma-separated list that the outermost of `hops` trusted proxies added: the `hops`-th
/// from the right, or the leftmost if there are fewer. All lines of the header form one list.
pub(crate) fn element<'a>(
    headers: &'a HeaderMap,
    header: (&HeaderName, &'static str),
    hops: usize,
) -> Result<Option<&'a str>, Malformed> {
    let mut elements = Vec::new();
    for line in lines(headers, header) {
        elements.extend(line?.split(',').map(str::trim));
    }
    Ok(nth_from_right(&elements, hops))
}

/// The element of one proxy in the standard `Forwarded` header (RFC 7239).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    pub(crate) host: Option<String>,
    pub(crate) proto: Option<String>,
}

impl Forwarded {
    /// Parses the element of the `Forwarded` header that [`element`] would choose.
    pub(crate) fn read(headers: &HeaderMap, hops: usize) -> Result<Self, Malformed> {
        let mut elements = Vec::new();
        for line in lines(headers, (&FORWARDED, "Forwarded")) {
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
    use actix_web::http::header::{HeaderValue, X_FORWARDED_HOST};

    use super::*;

    static NAME: HeaderName = X_FORWARDED_HOST;
    static HOST: (&HeaderName, &str) = (&NAME, "X-Forwarded-Host");

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_str(line).unwrap());
        }
        headers
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
            let headers = headers(&X_FORWARDED_HOST, lines);
            let found = element(&headers, HOST, *hops);
            assert_eq!(found, Ok(*expected), "{lines:?} {hops}");
        }
        let not_ascii = headers(&X_FORWARDED_HOST, &["\u{e9}"]);
        assert_eq!(
            element(&not_ascii, HOST, 1),
            Err(Malformed::new(HOST.1, NOT_ASCII))
        );
    }

    #[test]
    fn a_header_of_more_than_8_kib_is_refused() {
        const LINE: usize = 1024;

        let of = |name: &HeaderName, len: usize, lines: usize| {
            let line = "a=b,".repeat(LINE / 4);
            headers(name, &vec![&line[..len]; lines])
        };
        for (len, lines, is_read) in [
            (LINE - 1, 8, true),
            (LINE, 8, false),
            (0, MAX_LEN, true),
            (0, MAX_LEN + 1, false),
        ] {
            let headers = of(&X_FORWARDED_HOST, len, lines);
            let too_long = Malformed::new(HOST.1, TOO_LONG);
            let is_too_long = element(&headers, HOST, 1) == Err(too_long);
            assert_eq!(is_too_long, !is_read, "{len} {lines}");
            let forwarded = Forwarded::read(&of(&FORWARDED, len, lines), 1);
            let too_long = Malformed::new("Forwarded", TOO_LONG);
            assert_eq!(forwarded == Err(too_long), !is_read, "{len} {lines}");
        }
    }

    #[test]
    fn forwarded_is_read_with_its_quotes() {
        let said = |host: Option<&str>, proto: Option<&str>| {
            Ok(Forwarded {
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
            assert_eq!(
                Forwarded::read(&headers(&FORWARDED, &[line]), 1),
                expected,
                "{line}"
            );
        }
        let two = headers(&FORWARDED, &["host=evil", "host=a", "host=b"]);
        assert_eq!(Forwarded::read(&two, 2), said(Some("a"), None));
    }
}
