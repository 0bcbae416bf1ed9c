//! Finds where HTTP/1 messages end. A request whose end is ambiguous is refused, since two readers could disagree on it.

use std::mem;

use httparse::{EMPTY_HEADER, Status};

/// The longest head of a message, in bytes.
pub(crate) const MAX_HEAD: usize = 64 * 1024;

/// The largest number of headers.
const MAX_HEADERS: usize = 256;

/// The longest line before a chunk, and the longest line after the last one, in bytes.
const MAX_CHUNK_LINE: usize = 4 * 1024;

/// The largest number of lines after the last chunk.
const MAX_TRAILERS: usize = 64;

/// The headers of a message, in order.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

/// The head of a request.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The digit after `HTTP/1.`.
    pub(crate) version: u8,
    pub(crate) headers: Headers,
    /// The length of the head in bytes.
    pub(crate) length: usize,
    pub(crate) body: Body,
    /// Whether it asks to switch to another protocol, such as WebSocket.
    pub(crate) upgrades: bool,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    /// The digit after `HTTP/1.`.
    pub(crate) version: u8,
    pub(crate) headers: Headers,
    /// The length of the head in bytes.
    pub(crate) length: usize,
    pub(crate) body: Body,
    /// Whether the connection ends with this answer.
    pub(crate) closes: bool,
}

/// What follows a head, up to the end of the message.
#[derive(Debug)]
pub(crate) enum Body {
    /// This many bytes are missing.
    Length(u64),
    Chunked(Chunks),
    /// It ends with the connection.
    UntilClose,
}

impl RequestHead {
    /// Parses a head, or returns `None` if it has not arrived as a whole.
    ///
    /// # Errors
    ///
    /// Returns a clause that says what is wrong.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, &'static str> {
        if bytes.starts_with(&[0x16, 0x03]) {
            return Err("it is TLS: request this port with http://, not https://");
        }
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() >= MAX_HEAD => {
                return Err("its head is longer than 64 KiB");
            }
            Ok(Status::Partial) => return Ok(None),
            Err(err) => return Err(describe(err)),
        };
        if has_bare_line_end(bytes.get(..length).unwrap_or_default()) {
            return Err("a line of its head does not end with CRLF");
        }
        let version = request.version.unwrap_or_default();
        let method = request.method.unwrap_or_default().to_owned();
        let target = request.path.unwrap_or_default().to_owned();
        let headers = owned(request.headers);
        if method == "CONNECT" {
            return Err("its method is CONNECT, which is for proxies");
        }
        let body = request_body(&headers, version)?;
        if has_option(&headers, "Upgrade", "websocket")
            && !(method == "GET" && version == 1 && is_handshake(&headers))
        {
            // Some apps, such as those of actix-web, take all that follows for its body.
            return Err(
                "it has Upgrade: websocket, and is no handshake: a GET of HTTP/1.1 without a body, with Connection: Upgrade \
                 and Sec-WebSocket-Key, which a proxy has to pass on",
            );
        }
        // A handshake has no body, which could keep a place among WebSockets for as long as it lasts.
        let upgrades = body.is_done() && values(&headers, "Upgrade").next().is_some();
        Ok(Some(Self {
            method,
            target,
            version,
            headers,
            length,
            body,
            upgrades,
        }))
    }
}

/// Returns whether these bytes are one request, as a whole and with nothing behind it.
pub(crate) fn is_one_request(bytes: &[u8]) -> bool {
    let Ok(Some(mut head)) = RequestHead::parse(bytes) else {
        return false;
    };
    let body = bytes.get(head.length..).unwrap_or_default();
    let taken = head.body.take(body, |_| {});
    taken == Ok(body.len()) && head.body.is_done()
}

impl AnswerHead {
    /// Parses a head, or returns `None` if it has not arrived as a whole. `method` is that of the request.
    ///
    /// # Errors
    ///
    /// Returns a clause that says what is wrong.
    pub(crate) fn parse(bytes: &[u8], method: &str) -> Result<Option<Self>, &'static str> {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let length = match answer.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() >= MAX_HEAD => {
                return Err("its head is longer than 64 KiB");
            }
            Ok(Status::Partial) => return Ok(None),
            Err(err) => return Err(describe(err)),
        };
        let version = answer.version.unwrap_or_default();
        let status = answer.code.unwrap_or_default();
        let headers = owned(answer.headers);
        let body = answer_body(&headers, status, method)?;
        let option = |option| has_option(&headers, "Connection", option);
        let keeps = option("keep-alive") || version > 0;
        let closes = option("close") || !keeps || matches!(body, Body::UntilClose);
        Ok(Some(Self {
            status,
            version,
            headers,
            length,
            body,
            closes,
        }))
    }
}

/// Returns whether a GET with `Upgrade: websocket` is a handshake: RFC 6455, section 4.1.
fn is_handshake(headers: &Headers) -> bool {
    values(headers, "Upgrade").count() == 1
        && has_option(headers, "Connection", "Upgrade")
        && values(headers, "Sec-WebSocket-Key").any(|key| !key.trim_ascii().is_empty())
        && values(headers, "Transfer-Encoding").next().is_none()
        && values(headers, "Content-Length").all(|length| length == b"0")
}

/// RFC 9112, section 6.3, without what it leaves to the reader.
fn request_body(headers: &Headers, version: u8) -> Result<Body, &'static str> {
    let mut encodings = values(headers, "Transfer-Encoding");
    let encoding = encodings.next();
    let length = content_length(headers)?;
    match (encoding, length) {
        (Some(_), Some(_)) => Err("it has both Content-Length and Transfer-Encoding"),
        (Some(_), _) if encodings.next().is_some() => Err("it has two Transfer-Encoding headers"),
        (Some(_), _) if version == 0 => {
            Err("it has Transfer-Encoding, which HTTP/1.0 does not know")
        }
        (Some(encoding), _) if encoding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Body::Chunked(Chunks::default()))
        }
        (Some(_), _) => Err("its Transfer-Encoding is not chunked"),
        (None, length) => Ok(Body::Length(length.unwrap_or_default())),
    }
}

/// RFC 9112, section 6.3.
fn answer_body(headers: &Headers, status: u16, method: &str) -> Result<Body, &'static str> {
    let encoding = values(headers, "Transfer-Encoding").last();
    let length = content_length(headers)?;
    if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Body::Length(0));
    }
    match (encoding, length) {
        (Some(_), Some(_)) => Err("it has both Content-Length and Transfer-Encoding"),
        (Some(_), None) if has_option(headers, "Transfer-Encoding", "chunked") => {
            Ok(Body::Chunked(Chunks::default()))
        }
        (None, Some(length)) => Ok(Body::Length(length)),
        (_, None) => Ok(Body::UntilClose),
    }
}

/// Returns the value of the only `Content-Length`. Nothing but digits counts, not even a list of equal numbers.
fn content_length(headers: &Headers) -> Result<Option<u64>, &'static str> {
    let mut lengths = values(headers, "Content-Length");
    let Some(length) = lengths.next() else {
        return Ok(None);
    };
    if lengths.next().is_some() {
        return Err("it has two Content-Length headers");
    }
    let digits = str::from_utf8(length).ok();
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits.and_then(|digits| digits.parse().ok());
    length
        .map(Some)
        .ok_or("its Content-Length is not a number of bytes")
}

/// Returns the values of a header.
pub(super) fn values<'h>(headers: &'h Headers, name: &str) -> impl Iterator<Item = &'h [u8]> {
    let named = headers
        .iter()
        .filter(move |(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, value)| &**value)
}

/// Returns whether a header lists an option.
pub(super) fn has_option(headers: &Headers, name: &str, option: &str) -> bool {
    values(headers, name)
        .flat_map(|line| line.split(|byte| *byte == b','))
        .any(|listed| listed.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
}

fn owned(headers: &[httparse::Header<'_>]) -> Headers {
    let headers = headers.iter();
    headers
        .map(|header| (header.name.to_owned(), header.value.to_owned()))
        .collect()
}

/// Returns whether a CR or an LF is on its own. Readers disagree on whether it ends a line.
fn has_bare_line_end(bytes: &[u8]) -> bool {
    let mut before = 0;
    for byte in bytes {
        if (before == b'\r') != (*byte == b'\n') {
            return true;
        }
        before = *byte;
    }
    before == b'\r'
}

fn describe(err: httparse::Error) -> &'static str {
    match err {
        httparse::Error::TooManyHeaders => "it has more than 256 headers",
        httparse::Error::HeaderName => "it has a malformed header name",
        httparse::Error::HeaderValue => "it has a malformed header value",
        _ => "it is not HTTP/1",
    }
}

impl Body {
    /// Takes the bytes that follow, and returns how many of them belong to the message. `data` gets those of the body
    /// without framing.
    ///
    /// # Errors
    ///
    /// Returns a clause that says what is wrong.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        data: impl FnMut(&[u8]),
    ) -> Result<usize, &'static str> {
        let mut data = data;
        match self {
            Self::UntilClose => {
                data(bytes);
                Ok(bytes.len())
            }
            Self::Length(missing) => {
                let taken = up_to(bytes, *missing);
                data(taken);
                *missing -= taken.len() as u64;
                Ok(taken.len())
            }
            Self::Chunked(chunks) => chunks.take(bytes, data),
        }
    }

    pub(crate) fn is_chunked(&self) -> bool {
        matches!(self, Self::Chunked(_))
    }

    /// Returns whether the message has ended.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Length(missing) => *missing == 0,
            Self::Chunked(chunks) => matches!(chunks.state, State::Done),
            Self::UntilClose => false,
        }
    }
}

/// A body in chunks: RFC 9112, section 7.1.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
    /// The part of a line that has arrived.
    line: Vec<u8>,
    trailers: usize,
}

#[derive(Debug, Default)]
enum State {
    /// The line with the size of a chunk.
    #[default]
    Size,
    /// This many bytes of a chunk are missing.
    Data(u64),
    /// The line end after a chunk.
    End,
    /// The lines after the last chunk, up to an empty one.
    Trailers,
    Done,
}

impl Chunks {
    fn take(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, &'static str> {
        let mut rest = bytes;
        while !rest.is_empty() && !matches!(self.state, State::Done) {
            if let State::Data(missing) = &mut self.state {
                let taken = up_to(rest, *missing);
                data(taken);
                *missing -= taken.len() as u64;
                rest = rest.get(taken.len()..).unwrap_or_default();
                if *missing == 0 {
                    self.state = State::End;
                }
                continue;
            }
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (taken, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            rest = after;
            self.line.extend_from_slice(taken);
            if self.line.len() > MAX_CHUNK_LINE {
                return Err("a line of its chunks is longer than 4 KiB");
            }
            if end.is_some() {
                let line = mem::take(&mut self.line);
                self.state = self.after_line(&line)?;
            }
        }
        Ok(bytes.len() - rest.len())
    }

    fn after_line(&mut self, line: &[u8]) -> Result<State, &'static str> {
        if has_bare_line_end(line) {
            return Err("a line of its chunks does not end with CRLF");
        }
        match self.state {
            State::Size => match httparse::parse_chunk_size(line) {
                Ok(Status::Complete((_, size)))
                    if line.first().is_some_and(u8::is_ascii_hexdigit) =>
                {
                    Ok(match size {
                        0 => State::Trailers,
                        size => State::Data(size),
                    })
                }
                _ => Err("the size of a chunk is malformed"),
            },
            State::End if line == b"\r\n" => Ok(State::Size),
            State::End => Err("a chunk is longer than its size"),
            State::Trailers if line == b"\r\n" => Ok(State::Done),
            _ if !is_header(line) => Err("a line after its last chunk is not a header"),
            _ => {
                self.trailers += 1;
                if self.trailers > MAX_TRAILERS {
                    return Err("it has more than 64 lines after its last chunk");
                }
                Ok(State::Trailers)
            }
        }
    }
}

/// Whether a line is a header, so that no server takes it for the start of another request.
fn is_header(line: &[u8]) -> bool {
    let with_end = [line, b"\r\n"].concat();
    let mut header = [EMPTY_HEADER];
    httparse::parse_headers(&with_end, &mut header).is_ok_and(|status| status.is_complete())
}

/// Returns the first bytes, as many as are missing.
fn up_to(bytes: &[u8], missing: u64) -> &[u8] {
    let length = usize::try_from(missing).unwrap_or(usize::MAX);
    bytes.get(..length).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn requests_whose_end_is_ambiguous_are_refused() {
        let cases = [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\ncontent-length: 3",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3, 3",
            "Content-Length: +3",
            "Content-Length: -3",
            "Content-Length: 0x3",
            "Content-Length: 3 3",
            "Content-Length: ",
            "Content-Length: 99999999999999999999",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding : chunked",
            "Content-Length : 3",
            "X: a\r\n Transfer-Encoding: chunked",
            "X: a\nTransfer-Encoding: chunked",
            "X: a\rTransfer-Encoding: chunked",
            "Transfer-Encoding:\r\n chunked",
            "X\0: a",
            "Upgrade: websocket",
            "Upgrade: WebSocket\r\nContent-Length: 1",
            "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a",
        ];
        for case in cases {
            let head = format!("POST / HTTP/1.1\r\nHost: h\r\n{case}\r\n\r\n");
            let parsed = RequestHead::parse(head.as_bytes());
            assert!(parsed.is_err(), "{case:?}: {parsed:?}");
        }
        for head in [
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "CONNECT h:1 HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\nHost: h\n\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET /\r\n\r\n",
            "\x16\x03\x01",
            "SSH-2.0-x\r\n",
        ] {
            assert!(RequestHead::parse(head.as_bytes()).is_err(), "{head:?}");
        }
    }

    #[test]
    fn what_is_not_a_whole_handshake_does_not_ask_for_a_websocket() {
        const KEY: &str = "Connection: x, upgrade\r\nSec-WebSocket-Key: a";
        let parsed = |line: &str, headers: &str| {
            let head = format!("{line}\r\nUpgrade: websocket\r\n{headers}\r\n\r\n");
            RequestHead::parse(head.as_bytes())
        };
        for headers in [KEY, &format!("{KEY}\r\nContent-Length: 0")] {
            let head = parsed("GET / HTTP/1.1", headers).unwrap().unwrap();
            assert!(head.upgrades && head.body.is_done(), "{headers}");
        }
        for (line, headers) in [
            ("POST / HTTP/1.1", KEY),
            ("HEAD / HTTP/1.1", KEY),
            ("GET / HTTP/1.0", KEY),
            ("GET / HTTP/1.1", "Connection: upgrade"),
            (
                "GET / HTTP/1.1",
                "Connection: upgrade\r\nSec-WebSocket-Key: ",
            ),
            (
                "GET / HTTP/1.1",
                "Connection: close\r\nSec-WebSocket-Key: a",
            ),
            ("GET / HTTP/1.1", &format!("{KEY}\r\nContent-Length: 1")),
            (
                "GET / HTTP/1.1",
                &format!("{KEY}\r\nTransfer-Encoding: chunked"),
            ),
            ("GET / HTTP/1.1", &format!("{KEY}\r\nUpgrade: websocket")),
        ] {
            let parsed = parsed(line, headers);
            assert!(parsed.is_err(), "{line}, {headers:?}: {parsed:?}");
        }
    }

    #[test]
    fn one_request_is_neither_a_part_nor_two() {
        for (rest, expected) in [
            ("Content-Length: 2\r\n\r\nab", true),
            ("\r\n", true),
            (
                "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
                true,
            ),
            ("Content-Length: 2\r\n\r\na", false),
            ("Content-Length: 2\r\n\r\nabc", false),
            ("\r\nGET / HTTP/1.1\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", false),
            (
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                false,
            ),
            ("Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", false),
            ("Content-Len", false),
        ] {
            let request = format!("POST / HTTP/1.1\r\nHost: h\r\n{rest}");
            assert_eq!(is_one_request(request.as_bytes()), expected, "{rest:?}");
        }
    }

    #[test]
    fn odd_heads_that_are_clear_are_parsed() {
        let head =
            "\r\nPOST /a?b HTTP/1.1\r\nhOsT:h\r\nX-Odd: \t a é b \r\nCONTENT-length: 0003 \r\n\r\n";
        let parsed = RequestHead::parse(head.as_bytes()).unwrap().unwrap();
        assert_eq!(parsed.length, head.len());
        assert!(matches!(parsed.body, Body::Length(3)));
        assert!(!parsed.upgrades && parsed.headers.len() == 3);
        for end in 0..head.len() {
            let part = RequestHead::parse(&head.as_bytes()[..end]);
            assert!(part.unwrap().is_none(), "{end}");
        }
        assert!(RequestHead::parse(&vec![b'a'; MAX_HEAD]).is_err());
    }

    /// Reads a chunked body in pieces of this size.
    fn dechunk(text: &str, piece: usize) -> Result<(Vec<u8>, usize, bool), &'static str> {
        let mut body = RequestHead::parse(CHUNKED.as_bytes())?.unwrap().body;
        let (mut data, mut taken) = (Vec::new(), 0);
        for bytes in text.as_bytes().chunks(piece) {
            let count = body.take(bytes, |part| data.extend_from_slice(part))?;
            taken += count;
            if count < bytes.len() {
                break;
            }
        }
        Ok((data, taken, body.is_done()))
    }

    #[test]
    fn chunks_end_at_the_same_byte_in_whatever_pieces_they_arrive() {
        let text = "3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n1 \r\n\n\r\n000\r\nX: y\r\n\r\nGET /";
        for piece in 1..=text.len() {
            let (data, taken, done) = dechunk(text, piece).unwrap();
            assert_eq!(data, b"abc0123456789\n", "{piece}");
            assert_eq!((&text[taken..], done), ("GET /", true), "{piece}");
        }
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for text in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            " 1\r\n",
            "0x1\r\n",
            ";a\r\n",
            "1\na\r\n",
            "1;\n\r\n",
            "1;a\nb\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "1\r\na\r\r\n",
            "fffffffffffffffff\r\n",
            "0\r\nX: y\n\r\n",
            "0\r\nX\r\n\r\n",
            "0\r\nX : y\r\n\r\n",
            "0\r\n X: y\r\n\r\n",
            "0\r\n: y\r\n\r\n",
            "0\r\nGET / HTTP/1.1\r\n\r\n",
            "0\r\nGET http://h/ HTTP/1.1\r\n\r\n",
        ] {
            for piece in 1..=text.len() {
                assert!(dechunk(text, piece).is_err(), "{text:?} by {piece}");
            }
        }
        assert!(dechunk(&"1".repeat(5000), 1000).is_err());
        assert!(dechunk(&format!("0\r\n{}", "a: b\r\n".repeat(65)), 7).is_err());
        assert!(!dechunk("0\r\n", 1).unwrap().2);
    }

    #[test]
    fn answers_end_as_their_status_and_headers_say() {
        let body = |head: &str, method: &str| {
            let head = AnswerHead::parse(head.as_bytes(), method).unwrap().unwrap();
            (format!("{:?}", head.body), head.closes)
        };
        let cases = [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5",
                "GET",
                "Length(5)",
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5",
                "HEAD",
                "Length(0)",
                false,
            ),
            ("HTTP/1.1 204 No Content", "POST", "Length(0)", false),
            (
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5",
                "GET",
                "Length(0)",
                false,
            ),
            ("HTTP/1.1 100 Continue", "POST", "Length(0)", false),
            ("HTTP/1.1 200", "GET", "UntilClose", true),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1",
                "GET",
                "Length(1)",
                true,
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive",
                "GET",
                "Length(1)",
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close",
                "GET",
                "Length(1)",
                true,
            ),
        ];
        for (head, method, expected, closes) in cases {
            let head = format!("{head}\r\n\r\n");
            assert_eq!(
                body(&head, method),
                (expected.to_owned(), closes),
                "{head:?}"
            );
        }
        let chunked = body(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "GET",
        );
        assert!(chunked.0.starts_with("Chunked"), "{chunked:?}");
        for garbage in [
            "hello",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(
                AnswerHead::parse(garbage.as_bytes(), "GET").is_err(),
                "{garbage:?}"
            );
        }
    }
}
