//! Determines how a signature covers a body: by the parameters of a form, or by a hash in the URL. What it does
//! not cover must not reach a handler (R6 to R8).

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::{
    error::{SignatureError, SignatureErrorKind},
    form::{Buf, Form, write_signed},
    header::FORM,
    request::{
        HeaderValue::{Absent, Conflicting, One},
        WebhookRequest,
    },
    url::{self, UrlParts},
};

/// The name of the query parameter that contains the hash of a body that is not a form (R7).
pub const BODY_SHA256: &str = "bodySHA256";

/// The way in which a signature covers a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// A form, whose parameters are signed after the URL (R1 to R5).
    Form,
    /// Any other body, or none. Only the URL is signed, and contains the body's hash (R6).
    Other,
}

impl BodyKind {
    /// Determines the kind from a request's method and headers.
    ///
    /// # Errors
    ///
    /// Returns an error if the body is encoded, if there are conflicting content types, or if a form has a charset
    /// other than UTF-8.
    pub fn of(req: &WebhookRequest<'_>) -> Result<Self, SignatureError> {
        // R8
        match req.content_encoding {
            Absent => {}
            One(coding) if coding.trim_ascii().eq_ignore_ascii_case(b"identity") => {}
            One(_) | Conflicting => return Err(SignatureErrorKind::EncodingUnsupported.into()),
        }
        let form = match req.content_type {
            Absent => false,
            One(content_type) => is_form(content_type)?,
            Conflicting => return Err(SignatureErrorKind::ContentTypeConflicting.into()),
        };
        // R5
        Ok(if form && !req.is_get_or_head() {
            Self::Form
        } else {
            Self::Other
        })
    }

    /// Returns the signed parameters of a body, written into a buffer. They are empty if it is not a form (R5).
    pub(crate) fn signed_params<'b>(self, body: &[u8], buf: &'b mut Buf) -> &'b [u8] {
        // R5
        match self {
            Self::Form => write_signed(body, buf),
            Self::Other => &[],
        }
    }

    /// Returns the same as [`signed_params`](Self::signed_params), for a body that is already split.
    pub(crate) fn split_params<'b, B>(self, form: &Form<B>, buf: &'b mut Buf) -> &'b [u8] {
        // R5
        match self {
            Self::Form => form.write_signed(buf),
            Self::Other => &[],
        }
    }

    /// Checks the part of a body that the signed parameters do not cover against the hash in the URL (R6).
    /// `req` has the URL that was signed, and `params` are the signed parameters.
    pub(crate) fn check_rest(
        self,
        req: &WebhookRequest<'_>,
        params: &[u8],
    ) -> Result<(), SignatureErrorKind> {
        // R6
        match self {
            // Such a form adds nothing to the signed text. It counts as an empty body, because anyone who
            // recorded a request with another body could replace that body by this form.
            Self::Form if params.is_empty() => check_hash(&req.body(&[])),
            // Anyone who recorded a form with a text of his own could cut it into one that a handler takes for JSON.
            Self::Form if looks_like_json(req.body) => Err(SignatureErrorKind::BodyHashMissing),
            Self::Form => Ok(()),
            Self::Other => check_hash(req),
        }
    }
}

/// Returns whether a content type is that of a form in UTF-8 (R6).
fn is_form(content_type: &[u8]) -> Result<bool, SignatureErrorKind> {
    // R6. Nearly all requests have exactly this text.
    if content_type == FORM.as_bytes() {
        return Ok(true);
    }
    let mut parts = content_type
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case(FORM.as_bytes()) {
        return Ok(false);
    }
    // R6. The handler decodes by the charset in the header, and no signature covers the header. So a header
    // is refused if another parser could find another charset in it.
    let charset_is_utf8 = |parameter: &[u8]| {
        let mut sides = parameter.splitn(2, |byte| *byte == b'=');
        let name = sides.next().unwrap_or_default();
        let value = sides.next().unwrap_or_default();
        if name.eq_ignore_ascii_case(b"charset") {
            value.eq_ignore_ascii_case(b"utf-8") || value.eq_ignore_ascii_case(b"\"utf-8\"")
        } else {
            !parameter.contains(&b'"') && !name.trim_ascii().eq_ignore_ascii_case(b"charset")
        }
    };
    if parts.all(charset_is_utf8) {
        Ok(true)
    } else {
        Err(SignatureErrorKind::CharsetUnsupported)
    }
}

/// Returns whether a body begins like JSON, so that a handler may take it for that whatever its content type. Twilio escapes
/// braces, brackets and quotes in a form.
fn looks_like_json(body: &[u8]) -> bool {
    match without_blanks(body).split_first() {
        Some((b'{', rest)) => without_blanks(rest).starts_with(b"\""),
        Some((b'[', rest)) => {
            let first = without_blanks(rest).first();
            first.is_some_and(|first| b"{[\"-0123456789tfn".contains(first))
        }
        _ => false,
    }
}

/// Returns a body without what a parser of JSON may skip at its start: blanks of any kind, and byte order marks.
pub(crate) fn without_blanks(body: &[u8]) -> &[u8] {
    // Nearly all bodies begin with a letter.
    if body.first().is_none_or(u8::is_ascii_graphic) {
        return body;
    }
    let text = body.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let is_skipped = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let skipped = text.len() - text.trim_start_matches(is_skipped).len();
    body.get(skipped..).unwrap_or_default()
}

/// Checks a body that is not signed as parameters against the hash in the signed URL (R6).
pub(crate) fn check_hash(req: &WebhookRequest<'_>) -> Result<(), SignatureErrorKind> {
    // R6
    if req.body.is_empty() && req.is_get_or_head() {
        return Ok(());
    }
    match hash_in_url(req.url)? {
        Some(_) if !req.body.is_empty() && has_text_of_form(req.url) => {
            Err(SignatureErrorKind::BodyHashMissing)
        }
        Some(hash) if hash == body_sha256(req.body) => Ok(()),
        Some(_) => Err(SignatureErrorKind::BodyHashMismatch),
        None if req.body.is_empty() => Ok(()),
        None => Err(SignatureErrorKind::BodyHashMissing),
    }
}

/// Returns whether a URL contains the signed text of a form, in which a SID follows its name: `AccountSidAC` and 32 hex digits.
///
/// Anyone who has recorded a form can send this text as a URL, because the boundary between the two is not signed. If he
/// wrote a part of it himself, such as the text of a message, it may contain the hash of a body of his choice.
fn has_text_of_form(url: &str) -> bool {
    url.as_bytes().windows(37).any(|text| {
        let (name, sid) = text.split_at(3);
        let (kind, id) = sid.split_at(2);
        name.eq_ignore_ascii_case(b"Sid")
            && kind.iter().all(u8::is_ascii_uppercase)
            && id.iter().all(u8::is_ascii_hexdigit)
    })
}

/// Returns the value of `bodySHA256` in the URL's query (R7).
fn hash_in_url(url: &str) -> Result<Option<&str>, SignatureErrorKind> {
    // R7
    let mut values = url::query(url)
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.strip_prefix(BODY_SHA256)?.strip_prefix('='));
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.all(|value| value == first) {
        Ok(Some(first))
    } else {
        Err(SignatureErrorKind::BodyHashConflicting)
    }
}

/// Returns the text that Twilio signs for the parameters of a form: names in byte order, each followed by its value,
/// both decoded, with nothing between them.
///
/// All forms with the same signed parameters have the same signature, wherever their names and values begin and end.
/// So what a decision on a genuine form finds in this text, it also finds in each copy that was cut into other
/// parameters.
///
/// # Examples
///
/// ```
/// use twilio_signature::stages::signed_params;
///
/// assert_eq!(signed_params(b"b=2&a=%31"), b"a1b2");
/// assert_eq!(signed_params(b"a=1b2"), b"a1b2");
/// ```
#[must_use]
pub fn signed_params(form: &[u8]) -> Vec<u8> {
    write_signed(form, &mut Buf::new()).to_vec()
}

/// Returns the SHA-256 of a body in lower-case hex.
///
/// This is the value of `bodySHA256` in the URL if the body is not a form
/// ([Twilio's docs](https://www.twilio.com/docs/usage/security#validating-requests)).
///
/// # Examples
///
/// ```
/// let hash = twilio_signature::body_sha256("{}");
/// assert_eq!(hash, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
/// ```
#[must_use]
pub fn body_sha256(body: impl AsRef<[u8]>) -> String {
    Sha256::digest(body)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Appends a body's hash to a URL's query as `bodySHA256`, as Twilio does for a body that is not a form.
///
/// # Examples
///
/// ```
/// use twilio_signature::{body_sha256, with_body_sha256};
///
/// let url = with_body_sha256("https://example.com/events?a=1", "{}");
/// assert_eq!(url, format!("https://example.com/events?a=1&bodySHA256={}", body_sha256("{}")));
/// ```
#[must_use]
pub fn with_body_sha256(url: &str, body: impl AsRef<[u8]>) -> String {
    let mut parts = UrlParts::of(url);
    let pair = [BODY_SHA256, "=", &body_sha256(body)].concat();
    parts.query = Some(Cow::Owned(match parts.query {
        Some(query) if !query.is_empty() => [&*query, "&", &pair].concat(),
        _ => pair,
    }));
    parts.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_recognized_by_their_content_type() {
        let form = Ok(true);
        let other = Ok(false);
        let charset = Err(SignatureErrorKind::CharsetUnsupported);
        let cases = [
            ("application/x-www-form-urlencoded", form),
            ("APPLICATION/X-WWW-Form-UrlEncoded", form),
            (" application/x-www-form-urlencoded ; charset=UTF-8", form),
            ("application/x-www-form-urlencoded;charset=\"utf-8\"", form),
            (
                "application/x-www-form-urlencoded; a=b; CHARSET=utf-8",
                form,
            ),
            ("application/x-www-form-urlencoded; charset=latin1", charset),
            ("application/x-www-form-urlencoded; charset=", charset),
            ("application/x-www-form-urlencoded; charset", charset),
            (
                "application/x-www-form-urlencoded; charset =latin1",
                charset,
            ),
            (
                "application/x-www-form-urlencoded; charset=utf-8; charset=utf-7",
                charset,
            ),
            (
                "application/x-www-form-urlencoded; a=\"; charset=utf-8; b=\"",
                charset,
            ),
            (
                "application/x-www-form-urlencoded; charset='utf-8'",
                charset,
            ),
            ("application/json", other),
            ("application/x-www-form-urlencoded2", other),
            ("application/x-www-form-urlencoded, application/json", other),
            ("multipart/form-data; charset=latin1", other),
            ("", other),
        ];
        for (content_type, expected) in cases {
            assert_eq!(
                is_form(content_type.as_bytes()),
                expected,
                "{content_type:?}"
            );
        }
    }

    #[test]
    fn body_is_a_form_if_it_is_labelled_so_and_not_encoded() {
        let encoded = Err(SignatureErrorKind::EncodingUnsupported);
        let cases: &[(&str, &[&str], Result<BodyKind, SignatureErrorKind>)] = &[
            ("POST", &[], Ok(BodyKind::Form)),
            ("POST", &["identity"], Ok(BodyKind::Form)),
            ("POST", &[" Identity "], Ok(BodyKind::Form)),
            ("POST", &["gzip"], encoded),
            ("POST", &[""], encoded),
            ("POST", &["identity", "gzip"], encoded),
            ("GET", &[], Ok(BodyKind::Other)),
            ("HEAD", &[], Ok(BodyKind::Other)),
        ];
        for (method, encodings, expected) in cases {
            let mut req = WebhookRequest::new(method, "https://h/").content_type(FORM);
            for encoding in *encodings {
                req = req.content_encoding(encoding);
            }
            let found = BodyKind::of(&req).map_err(|err| err.kind());
            assert_eq!(found, *expected, "{method} {encodings:?}");
        }
    }

    #[test]
    fn what_parameters_do_not_cover_has_its_hash_in_the_url() {
        use BodyKind::{Form, Other};
        use SignatureErrorKind::{BodyHashMismatch, BodyHashMissing};
        let (none, of_json) = ("https://h/", with_body_sha256("https://h/", "{}"));
        let cases: &[(BodyKind, &str, &str, &str, Result<(), _>)] = &[
            (Form, "POST", none, "a=1", Ok(())),
            (Form, "POST", &of_json, "a=1", Ok(())),
            (Form, "POST", none, "", Ok(())),
            (Form, "POST", none, "&", Ok(())),
            (Form, "POST", &of_json, "&", Err(BodyHashMismatch)),
            (Other, "POST", none, "", Ok(())),
            (Other, "POST", none, "{}", Err(BodyHashMissing)),
            (Other, "POST", &of_json, "{}", Ok(())),
            (Other, "POST", &of_json, "[]", Err(BodyHashMismatch)),
            (Other, "POST", &of_json, "", Err(BodyHashMismatch)),
            (Other, "GET", &of_json, "", Ok(())),
            (Other, "GET", none, "{}", Err(BodyHashMissing)),
            (Other, "GET", &of_json, "[]", Err(BodyHashMismatch)),
        ];
        for (kind, method, url, body, expected) in cases {
            let req = WebhookRequest::new(method, url).body(*body);
            let mut buf = Buf::new();
            let params = kind.signed_params(req.body, &mut buf);
            let has_params = *kind == Form && body.contains('a');
            assert_eq!(!params.is_empty(), has_params, "{body}");
            if *kind == Form {
                assert_eq!(signed_params(req.body), params, "{body}");
            }
            let form = crate::form::Form::split(req.body);
            assert_eq!(kind.split_params(&form, &mut Buf::new()), params, "{body}");
            assert_eq!(
                kind.check_rest(&req, params),
                *expected,
                "{method} {url} {body}"
            );
        }
    }

    #[test]
    fn body_hash_is_appended_to_the_query_in_lower_case_hex() {
        let pair = "bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for (url, before, after) in [
            ("https://h/x", "https://h/x?", ""),
            ("https://h/x?", "https://h/x?", ""),
            ("https://h/x?a=1", "https://h/x?a=1&", ""),
            ("https://h/x#f", "https://h/x?", "#f"),
        ] {
            let expected = [before, pair, after].concat();
            assert_eq!(with_body_sha256(url, "{}"), expected, "{url}");
        }
    }

    #[test]
    fn body_hash_is_an_exact_query_parameter() {
        let found = |url| hash_in_url(url);
        assert_eq!(found("https://h/?bodySHA256=a&x=1"), Ok(Some("a")));
        assert_eq!(
            found("https://h/?x=1&bodySHA256=a&bodySHA256=a"),
            Ok(Some("a"))
        );
        assert_eq!(found("https://h/?bodySHA256=a#bodySHA256=b"), Ok(Some("a")));
        assert_eq!(found("https://h/?bodySHA256="), Ok(Some("")));
        let conflict = Err(SignatureErrorKind::BodyHashConflicting);
        assert_eq!(found("https://h/?bodySHA256=a&bodySHA256=b"), conflict);
        assert_eq!(found("https://h/?bodySHA256=a&bodySHA256="), conflict);
        for none in [
            "https://h/bodySHA256=a",
            "https://h/#?bodySHA256=a",
            "https://h/?xbodySHA256=a",
            "https://h/?bodysha256=a",
            "https://h/?bodySHA256x=a",
            "https://h/?bodySHA256",
            "https://h/?body%53HA256=a",
        ] {
            assert_eq!(found(none), Ok(None), "{none}");
        }
    }
}
