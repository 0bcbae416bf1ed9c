//! Parses the text of an HTTP/1 request, as an inspector or a packet capture shows it.

/// The largest size of a chunk in bytes. No request of Twilio's is that large.
const MAX_CHUNK: usize = 64 * 1024 * 1024;

/// The parts of an HTTP/1 request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HttpText<'t> {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, &'t [u8])>,
    pub(crate) body: Vec<u8>,
    /// Whether no empty line follows the headers.
    pub(crate) ends_in_head: bool,
    /// Whether the chunks of the body end before the last one.
    pub(crate) ends_in_chunks: bool,
}

impl<'t> HttpText<'t> {
    /// Parses the text of a request, with LF or CRLF as line ends.
    ///
    /// # Errors
    ///
    /// The error names the problem and shows no part of the text, which may be secret.
    pub(crate) fn parse(text: &'t [u8]) -> Result<Self, &'static str> {
        let mut lines = Lines(text.trim_ascii_start());
        let (method, target) = lines
            .next()
            .and_then(request_line)
            .ok_or("the first line is not an HTTP request line, such as POST /message HTTP/1.1")?;
        let mut headers = Vec::new();
        let mut ends_in_head = true;
        for line in lines.by_ref() {
            if line.is_empty() {
                ends_in_head = false;
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let colon = colon.ok_or("a header line has no colon")?;
            let (name, value) = line.split_at(colon);
            let name = str::from_utf8(name.trim_ascii())
                .map_err(|_| "the name of a header is not UTF-8 text")?;
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            headers.push((name.to_owned(), value));
        }
        let mut request = Self {
            method,
            target,
            headers,
            body: lines.0.to_vec(),
            ends_in_head,
            ends_in_chunks: false,
        };
        request.cut_body();
        Ok(request)
    }

    /// Returns the first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&'t [u8]> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Removes what follows the body: the next request, or the line end that an editor adds.
    fn cut_body(&mut self) {
        let is = |name: &str, text: &[u8]| {
            let value = self.header(name).unwrap_or_default();
            value.to_ascii_lowercase().starts_with(text)
        };
        let is_chunked = is("Transfer-Encoding", b"chunked");
        if is_chunked && let Some((body, is_whole)) = unchunked(&self.body) {
            self.body = body;
            self.ends_in_chunks = !is_whole && !self.ends_in_head;
            return;
        }
        // A capture may show a chunked body without its chunks.
        let length = self.header("Content-Length").filter(|_| !is_chunked);
        let length = length.and_then(|length| str::from_utf8(length).ok()?.parse::<usize>().ok());
        if let Some(length) = length {
            self.body.truncate(length);
        } else if is("Content-Type", b"application/x-www-form-urlencoded") {
            let end = self.body.strip_suffix(b"\n").unwrap_or(&self.body);
            let end = end.strip_suffix(b"\r").unwrap_or(end).len();
            self.body.truncate(end);
        } else if self.body.trim_ascii().is_empty() {
            self.body.clear();
        }
    }
}

/// Iterates over the lines of a head, without their line ends.
struct Lines<'t>(&'t [u8]);

impl<'t> Iterator for Lines<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match self.0.iter().position(|byte| *byte == b'\n') {
            Some(end) => (self.0.get(..end)?, self.0.get(end + 1..)?),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// Splits `POST /message HTTP/1.1`. If a tool has decoded the target, there may be spaces in it.
fn request_line(line: &[u8]) -> Option<(String, String)> {
    let (method, rest) = str::from_utf8(line).ok()?.split_once(' ')?;
    let (target, version) = rest.trim().rsplit_once(' ')?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_method && version.starts_with("HTTP/"))
        .then(|| (method.to_owned(), target.trim().to_owned()))
}

/// Joins the chunks of a chunked body, as far as they go. Returns them with whether the last one is there, or `None` for
/// a body that is not in chunks.
fn unchunked(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let mut lines = Lines(rest);
        let Some(size) = lines.next() else {
            return Some((body, false));
        };
        let size = size.split(|byte| *byte == b';').next()?;
        let size = usize::from_str_radix(str::from_utf8(size).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some((body, true));
        }
        if size > MAX_CHUNK {
            return None;
        }
        let Some((chunk, after)) = lines.0.split_at_checked(size) else {
            body.extend_from_slice(lines.0);
            return Some((body, false));
        };
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r").unwrap_or(after);
        if !rest.is_empty() {
            rest = rest.strip_prefix(b"\n")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

    #[track_caller]
    fn assert_body(text: &str, body: &str) {
        let parsed = HttpText::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.body, body.as_bytes(), "{text:?}");
    }

    #[test]
    fn heads_are_read_with_either_line_end() {
        for end in ["\n", "\r\n"] {
            let lines = [
                "",
                "POST /m?a=x y HTTP/1.1",
                "Host:h",
                "x-a : b:c ",
                "X-A:",
                "",
                "a=1",
            ];
            let text = lines.join(end);
            let parsed = HttpText::parse(text.as_bytes()).unwrap();
            assert_eq!((&*parsed.method, &*parsed.target), ("POST", "/m?a=x y"));
            let headers: Vec<_> = parsed
                .headers
                .iter()
                .map(|(name, value)| (&**name, *value))
                .collect();
            assert_eq!(
                headers,
                [("Host", &b"h"[..]), ("x-a", b"b:c"), ("X-A", b"")]
            );
            assert_eq!(parsed.header("X-a"), Some(&b"b:c"[..]));
            assert_eq!(parsed.body, b"a=1");
        }
    }

    #[test]
    fn bodies_end_where_they_are_declared_to() {
        assert_body(
            "POST / HTTP/1.1\nContent-Length: 3\n\na=1GET / HTTP/1.1",
            "a=1",
        );
        assert_body("POST / HTTP/1.1\nContent-Length: 9\n\na=1", "a=1");
        assert_body("POST / HTTP/1.1\nContent-Length: x\n\na=1", "a=1");
        assert_body("GET / HTTP/1.1\n\n\n\n", "");
        assert_body("GET / HTTP/1.1", "");
        assert_body(&format!("POST / HTTP/1.1\n{FORM}\n\na=1\n"), "a=1");
        assert_body(&format!("POST / HTTP/1.1\r\n{FORM}\r\n\r\na=1\r\n"), "a=1");
        assert_body("POST / HTTP/1.1\n\n{}\n", "{}\n");
        let chunked = "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n";
        assert_body(&format!("{chunked}2;x\r\na=\r\n1\r\n1\r\n0\r\n\r\n"), "a=1");
        assert_body(&format!("{chunked}a=1"), "a=1");
        let chunked_form =
            format!("POST / HTTP/1.1\nTransfer-Encoding: chunked\nContent-Length: 1\n{FORM}\n\n");
        assert_body(&format!("{chunked_form}a=1\n"), "a=1");
        assert_body(&format!("{chunked_form}a=1\r\n"), "a=1");
        assert_body(&format!("{chunked_form}4\r\na=1\n\r\n0\r\n\r\n"), "a=1\n");
        assert_body(
            &format!("{chunked}ffffffffffffffff\r\na=1"),
            "ffffffffffffffff\r\na=1",
        );
        let bytes = HttpText::parse(b"POST / HTTP/1.1\nContent-Length: 3\n\n\0\xff\r\n").unwrap();
        assert_eq!(bytes.body, b"\0\xff\r");
    }

    #[test]
    fn chunks_that_end_before_the_last_one_are_joined_as_far_as_they_go() {
        let head = "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n";
        let whole = "2;x\r\na=\r\n1\r\n1\r\n0\r\n\r\n";
        let last = whole.find("\n0").unwrap() + 2;
        for end in 0..=whole.len() {
            let text = [head, &whole[..end]].concat();
            let parsed = HttpText::parse(text.as_bytes()).unwrap();
            assert_eq!(parsed.ends_in_chunks, end < last, "{text:?}");
            // An extension that is cut has no line end either, so the size is read.
            assert!(b"a=1".starts_with(&parsed.body), "{text:?}");
        }
        for body in ["a=1", "{}", "a=1\r\n0\r\n\r\n"] {
            let text = [head, body].concat();
            assert!(!HttpText::parse(text.as_bytes()).unwrap().ends_in_chunks);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "\n\n",
            "POST",
            "POST /",
            "POST / x",
            "post / HTTP/1.1",
            "HTTP/1.1 200 OK",
            "POST / HTTP/1.1\nHost\n\n",
            "\0\0",
            "curl http://h/",
        ] {
            assert!(HttpText::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(HttpText::parse(b"POST /\xff HTTP/1.1\n\n").is_err());
    }
}
