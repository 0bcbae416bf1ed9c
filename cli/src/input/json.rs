//! Parses a request from a JSON object, as `verify --jsonl` and `explain` take it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Map, Value, error::Category, value::RawValue};
use twilio_signature::{AuthToken, ConfigError, RequestValidator, SharedKey, header, redact};
use zeroize::Zeroizing;

use crate::input::request::{Header, Request};

/// The largest number of unknown fields that are named.
const MAX_NAMED: usize = 5;

/// Parses an object. A field that is not known is a warning.
///
/// # Errors
///
/// The error names the field and shows no value, which may be secret.
pub(crate) fn parse(json: &[u8]) -> Result<Request, String> {
    if !is_object(json) {
        return Err("not a JSON object".to_owned());
    }
    let fields: Fields = serde_json::from_slice(json).map_err(|err| describe(&err))?;
    let token = text("token", fields.token)?.map(Zeroizing::new);
    let tokens = tokens(fields.tokens)?;
    let shared_key_id = text("shared_key_id", fields.shared_key_id)?;
    let body = match (
        text("body", fields.body)?,
        text("body_b64", fields.body_b64)?,
    ) {
        (Some(_), Some(_)) => {
            return Err("`body` and `body_b64` are both set: keep one of them".to_owned());
        }
        (Some(body), None) => body.into_bytes(),
        (None, Some(base64)) => BASE64_STANDARD
            .decode(base64)
            .map_err(|_| "`body_b64` is not base64".to_owned())?,
        (None, None) => Vec::new(),
    };
    let mut request = Request {
        id: fields.id,
        url: text("url", fields.url)?.ok_or("`url` is missing")?,
        method: text("method", fields.method)?.unwrap_or_else(|| default_method(&body).to_owned()),
        body,
        validator: own_validator(shared_key_id, token, &tokens),
        warnings: unknown(&fields.unknown).into_iter().collect(),
        ..Request::default()
    };
    request.add_header(header::SIGNATURE, text("signature", fields.signature)?);
    request.add_header(
        header::SIGNATURE_SETTINGS,
        text("settings_header", fields.settings_header)?,
    );
    request.add_header("Content-Type", text("content_type", fields.content_type)?);
    request.headers.append(&mut headers(fields.headers)?);
    request.check_length();
    Ok(request)
}

/// Returns a warning that names the fields that are not known.
fn unknown(fields: &Map<String, Value>) -> Option<String> {
    let names = fields.keys().take(MAX_NAMED);
    let mut names: Vec<_> = names
        .map(|name| format!("`{}`", redact::text(name)))
        .collect();
    if fields.len() > MAX_NAMED {
        names.push(format!("{} more", fields.len() - MAX_NAMED));
    }
    let are_ignored = match fields.len() {
        0 => return None,
        1 => "is not a known field and was ignored",
        _ => "are not known fields and were ignored",
    };
    Some(format!(
        "{} {are_ignored}; the fields are {}",
        names.join(", "),
        FIELDS.join(", ")
    ))
}

/// Returns the method of a request that names none.
fn default_method(body: &[u8]) -> &'static str {
    if body.is_empty() { "GET" } else { "POST" }
}

/// Returns the `id` of an object that has an error elsewhere, if there is one.
pub(crate) fn id_of(json: &[u8]) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Id {
        id: Box<RawValue>,
    }
    if !is_object(json) {
        return None;
    }
    serde_json::from_slice(json).ok().map(|Id { id }| id)
}

/// Returns whether the JSON starts like an object. The parser would accept an array of the fields too.
pub(crate) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"{")
}

/// The names of all fields.
const FIELDS: [&str; 13] = [
    "url",
    "method",
    "content_type",
    "body",
    "body_b64",
    "signature",
    "settings_header",
    "headers",
    "token",
    "tokens",
    "shared_key_id",
    "id",
    "listen",
];

/// The fields with values of any type, so that an error about one does not show its value.
#[derive(Deserialize)]
struct Fields {
    #[serde(default, deserialize_with = "present")]
    id: Option<Box<RawValue>>,
    url: Option<Value>,
    method: Option<Value>,
    content_type: Option<Value>,
    body: Option<Value>,
    body_b64: Option<Value>,
    signature: Option<Value>,
    settings_header: Option<Value>,
    token: Option<Value>,
    tokens: Option<Value>,
    shared_key_id: Option<Value>,
    headers: Option<Value>,
    /// What `listen` adds. It does not matter for the signature.
    #[serde(rename = "listen")]
    _listen: Option<IgnoredAny>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// Keeps an `id` of `null`, which an `Option` alone would turn into `None`.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(value).map(Some)
}

fn text(name: &str, value: Option<Value>) -> Result<Option<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is not a string")),
    }
}

/// Reads the tokens that are valid besides the one in `token`.
fn tokens(value: Option<Value>) -> Result<Vec<Zeroizing<String>>, String> {
    let values = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(_) => return Err("`tokens` is not an array".to_owned()),
    };
    let token = |value| match value {
        Value::String(token) => Ok(Zeroizing::new(token)),
        _ => Err("a value in `tokens` is not a string".to_owned()),
    };
    values.into_iter().map(token).collect()
}

/// Reads `{"Name": "value", "Repeated": ["one", "two"]}`.
fn headers(value: Option<Value>) -> Result<Vec<Header>, String> {
    let fields = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err("`headers` is not an object".to_owned()),
    };
    let mut headers = Vec::new();
    for (name, value) in fields {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let Value::String(value) = value else {
                return Err("a value in `headers` is not a string".to_owned());
            };
            headers.push((name.clone(), value.into_bytes()));
        }
    }
    Ok(headers)
}

/// Makes the keys that a request has of its own. A SharedKey without a secret is an error: the token of
/// the environment does not replace the secret.
fn own_validator(
    shared_key_id: Option<String>,
    token: Option<Zeroizing<String>>,
    more: &[Zeroizing<String>],
) -> Option<Result<RequestValidator, ConfigError>> {
    if shared_key_id.is_none() && token.is_none() && more.is_empty() {
        return None;
    }
    let make = || {
        let tokens = more.iter().map(|token| AuthToken::new(&**token));
        let mut tokens = tokens.collect::<Result<Vec<_>, _>>()?;
        let Some(id) = shared_key_id else {
            tokens.extend(token.map(|token| AuthToken::new(&*token)).transpose()?);
            return RequestValidator::new(tokens);
        };
        let secret = token.unwrap_or_default();
        let key = SharedKey::new(&id, &*secret)?;
        RequestValidator::with_keys(tokens, [key])
    };
    Some(make())
}

/// Describes a parser error without the parser's own text, which may show a value.
fn describe(err: &serde_json::Error) -> String {
    match err.classify() {
        Category::Data => "a field is there twice".to_owned(),
        Category::Syntax | Category::Eof | Category::Io => {
            format!(
                "not valid JSON at line {}, column {}",
                err.line(),
                err.column()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_field_is_known() {
        for name in FIELDS {
            let json = format!(
                "{{\"url\": \"http://h/\", {:?}: null}}",
                if name == "url" { "id" } else { name }
            );
            assert!(
                parse(json.as_bytes()).unwrap().warnings.is_empty(),
                "{name}"
            );
        }
    }

    #[test]
    fn unknown_fields_are_named() {
        let warnings = |json: &str| parse(json.as_bytes()).unwrap().warnings;
        let one = warnings(r#"{"url": "http://h/", "content": "s3cr3t"}"#);
        assert!(
            one[0].starts_with("`content` is not a known field"),
            "{one:?}"
        );
        assert!(
            one[0].contains("body, body_b64") && !one[0].contains("s3cr3t"),
            "{one:?}"
        );
        let many: Vec<_> = (0..9).map(|n| format!("\"x{n}\": [{{}}]")).collect();
        let many = warnings(&format!("{{\"url\": \"http://h/\", {}}}", many.join(",")));
        assert!(
            many[0].starts_with("`x0`, `x1`, `x2`, `x3`, `x4`, 4 more are not"),
            "{many:?}"
        );
    }
}
