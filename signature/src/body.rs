//! How a signature covers a body: as form parameters, or by a hash in the URL. What it does not
//! cover must not reach a handler.

use sha2::{Digest, Sha256};

use crate::{
    error::ValidationErrorKind,
    request::{
        HeaderValue::{Absent, Conflicting, One},
        WebhookRequest,
    },
    url,
};

/// The query parameter that holds the hash of a body that is no form.
const BODY_SHA256: &str = "bodySHA256";

/// The way in which the signature covers a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// The body is a form: its parameters are signed after the URL.
    Parameters,
    /// The URL alone is signed: a body must have its hash there.
    Url,
}

impl Coverage {
    /// Tells the coverage from a request's method and headers.
    pub(crate) fn of(req: &WebhookRequest<'_>) -> Result<Self, ValidationErrorKind> {
        match req.content_encoding {
            Absent => {}
            One(coding) if coding.trim_ascii().eq_ignore_ascii_case(b"identity") => {}
            One(_) | Conflicting => return Err(ValidationErrorKind::EncodingUnsupported),
        }
        let form = match req.content_type {
            Absent => false,
            One(content_type) => is_form(content_type)?,
            Conflicting => return Err(ValidationErrorKind::ContentTypeConflicting),
        };
        Ok(if form && !req.is_get_or_head() {
            Self::Parameters
        } else {
            Self::Url
        })
    }
}

/// Returns whether a content type is that of a form in UTF-8.
fn is_form(content_type: &[u8]) -> Result<bool, ValidationErrorKind> {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";

    // Written just so in nearly all requests.
    if content_type == FORM {
        return Ok(true);
    }
    let mut parts = content_type
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case(FORM) {
        return Ok(false);
    }
    // The handler decodes by the charset that it is told, and no signature covers the header: what
    // another parser could take for another charset is refused.
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
        Err(ValidationErrorKind::CharsetUnsupported)
    }
}

/// Checks a body that is not covered by signed parameters against the hash in the signed URL.
pub(crate) fn check_body_hash(req: &WebhookRequest<'_>) -> Result<(), ValidationErrorKind> {
    if req.body.is_empty() && req.is_get_or_head() {
        return Ok(());
    }
    match body_hash(req.url)? {
        Some(hash) if hash == body_sha256(req.body) => Ok(()),
        Some(_) => Err(ValidationErrorKind::BodyHashMismatch),
        None if req.body.is_empty() => Ok(()),
        None => Err(ValidationErrorKind::BodyHashMissing),
    }
}

/// Returns the value of `bodySHA256` in the URL's query.
fn body_hash(url: &str) -> Result<Option<&str>, ValidationErrorKind> {
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
        Err(ValidationErrorKind::BodyHashConflicting)
    }
}

/// Returns the SHA-256 of a body in lower-case hex: the value that Twilio gives `bodySHA256` in the
/// URL of a request whose body is no form.
///
/// # Examples
///
/// ```
/// let url = format!(
///     "https://example.com/events?bodySHA256={}",
///     actix_twilio::body_sha256("{}"),
/// );
/// assert!(url.ends_with("=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"));
/// ```
#[must_use]
pub fn body_sha256(body: impl AsRef<[u8]>) -> String {
    Sha256::digest(body)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_their_content_type() {
        let form = Ok(true);
        let other = Ok(false);
        let charset = Err(ValidationErrorKind::CharsetUnsupported);
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
    fn body_hash_is_an_exact_query_parameter() {
        let found = |url| body_hash(url);
        assert_eq!(found("https://h/?bodySHA256=a&x=1"), Ok(Some("a")));
        assert_eq!(
            found("https://h/?x=1&bodySHA256=a&bodySHA256=a"),
            Ok(Some("a"))
        );
        assert_eq!(found("https://h/?bodySHA256=a#bodySHA256=b"), Ok(Some("a")));
        assert_eq!(found("https://h/?bodySHA256="), Ok(Some("")));
        let conflict = Err(ValidationErrorKind::BodyHashConflicting);
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
