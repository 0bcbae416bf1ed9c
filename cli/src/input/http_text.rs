//! Parses the text of an HTTP/1 request, as an inspector or a packet capture shows it.

/// The parts of an HTTP/1 request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HttpText<'t> {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, &'t [u8])>,
    pub(crate) body: Vec<u8>,
    /// Whether no empty line follows the headers.
    pub(crate) ends_in_head: bool,
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
        let length = self.header("Content-Length");
        let length = length.and_then(|length| str::from_utf8(length).ok()?.parse::<usize>().ok());
        if is("Transfer-Encoding", b"chunked") {
            if let Some(body) = unchunked(&self.body) {
                self.body = body;
            }
        } else if let Some(length) = length {
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

/// Joins the chunks of a chunked body.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut lines = Lines(rest);
        let size = lines.next()?.split(|byte| *byte == b';').next()?;
        let size = usize::from_str_radix(str::from_utf8(size).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let (chunk, after) = lines.0.split_at_checked(size)?;
        body.extend_from_slice(chunk);
        rest = after
            .strip_prefix(b"\r")
            .unwrap_or(after)
            .strip_prefix(b"\n")?;
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
        assert_body(
            &format!("{chunked}ffffffffffffffff\r\na=1"),
            "ffffffffffffffff\r\na=1",
        );
        let bytes = HttpText::parse(b"POST / HTTP/1.1\nContent-Length: 3\n\n\0\xff\r\n").unwrap();
        assert_eq!(bytes.body, b"\0\xff\r");
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
