//! Parses a request from a JSON object, as `verify --jsonl` and `explain` take it.

use std::{fmt, mem};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};
use twilio_signature::{AuthToken, ConfigError, RequestValidator, SharedKey, header, redact};
use zeroize::Zeroizing;

use crate::input::{
    request::{Header, Request},
    source,
};

/// The largest number of values in a field, and of names in an object. Each takes many times the memory of its text.
const MAX_VALUES: usize = 1000;

/// The largest number of tokens. Each one is tried on the whole request, and two are enough while a token is replaced.
const MAX_TOKENS: usize = 10;

/// The longest name of a header, in bytes. Each of its values has a copy.
const MAX_NAME: usize = 1000;

/// The largest number of unknown fields that are named.
const MAX_NAMED: usize = 5;

/// Parses an object. A field that is not known is a warning.
///
/// # Errors
///
/// The error names the field and shows no value, which may be secret.
pub(crate) fn parse(json: &[u8]) -> Result<Request, String> {
    let json = source::without_mark(json);
    if !is_object(json) {
        return Err("not a JSON object".to_owned());
    }
    let mut fields: Fields = serde_json::from_slice(json).map_err(|err| describe(&err))?;
    let token = fields.text("token")?.map(Zeroizing::new);
    let tokens = fields.tokens()?;
    let shared_key_id = fields.text("shared_key_id")?;
    let body = match (fields.text("body")?, fields.text("body_b64")?) {
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
        url: fields.text("url")?.ok_or("`url` is missing")?,
        method: fields
            .text("method")?
            .unwrap_or_else(|| default_method(&body).to_owned()),
        body,
        validator: own_validator(shared_key_id, token, &tokens),
        warnings: fields.unknown().into_iter().collect(),
        ..Request::default()
    };
    request.add_header(header::SIGNATURE, fields.text("signature")?);
    request.add_header(header::SIGNATURE_SETTINGS, fields.text("settings_header")?);
    request.add_header("Content-Type", fields.text("content_type")?);
    request.headers.append(&mut fields.headers()?);
    request.id = fields.id;
    request.check_length();
    Ok(request)
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
    let json = source::without_mark(json);
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

/// The fields of an object. Nothing is kept of a value that no field can have, so that a capture takes little more memory
/// than its text.
#[derive(Default)]
struct Fields {
    /// Exactly as it is written.
    id: Option<Box<RawValue>>,
    known: Vec<(&'static str, Field)>,
    /// The first of the names that are not known.
    unknown: Vec<String>,
    /// The number of fields that are not known.
    unknown_count: usize,
}

/// The value of a field. An error about it does not show it.
enum Field {
    Null,
    Text(String),
    /// A list of strings, and `None` for the first value in it that is none.
    List(Vec<Option<String>>),
    /// An object of strings and lists of strings.
    Object(Vec<(String, Self)>),
    /// A list or an object with more values than any request has.
    TooMany,
    /// An object with a name that is longer than that of any header.
    LongName,
    Other,
}

/// Reads a value, and keeps nothing of what no field can have.
struct FieldSeed<'a> {
    /// How deep it may be nested: an object has lists, and a list has strings.
    depth: u8,
    /// How many more strings the field may have.
    left: &'a mut usize,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some(name) = map.next_key::<String>()? {
                    let Some(name) = FIELDS.into_iter().find(|known| *known == name) else {
                        map.next_value::<IgnoredAny>()?;
                        fields.unknown_count += 1;
                        if fields.unknown.len() < MAX_NAMED {
                            fields.unknown.push(name);
                        }
                        continue;
                    };
                    if fields.known.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a field is there twice"));
                    }
                    let value = match name {
                        "id" => {
                            fields.id = Some(map.next_value()?);
                            Field::Other
                        }
                        // What `listen` adds does not matter for the signature.
                        "listen" => {
                            map.next_value::<IgnoredAny>()?;
                            Field::Other
                        }
                        _ => map.next_value()?,
                    };
                    fields.known.push((name, value));
                }
                Ok(fields)
            }
        }

        json.deserialize_map(FieldsVisitor)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let mut left = MAX_VALUES;
        let seed = FieldSeed {
            depth: 2,
            left: &mut left,
        };
        seed.deserialize(json)
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Field, D::Error> {
        json.deserialize_any(self)
    }
}

impl FieldSeed<'_> {
    /// Returns the seed of a value within this one.
    fn within(&mut self, depth: u8) -> FieldSeed<'_> {
        FieldSeed {
            depth,
            left: self.left,
        }
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(Field::TooMany);
        };
        *self.left = left;
        Ok(Field::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Field, A::Error> {
        if self.depth == 0 {
            skip_list(list)?;
            return Ok(Field::Other);
        }
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.within(0))? {
            match value {
                Field::Text(text) => values.push(Some(text)),
                Field::TooMany => {
                    skip_list(list)?;
                    return Ok(Field::TooMany);
                }
                _ => {
                    values.push(None);
                    skip_list(list)?;
                    break;
                }
            }
        }
        Ok(Field::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Field, A::Error> {
        if self.depth < 2 {
            skip_map(map)?;
            return Ok(Field::Other);
        }
        let mut members: Vec<(String, Field)> = Vec::new();
        // Those of the same name count, too: each is compared with all others.
        let mut count = 0;
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.within(1))?;
            count += 1;
            let refused = if matches!(value, Field::TooMany) || count > MAX_VALUES {
                Some(Field::TooMany)
            } else {
                (name.len() > MAX_NAME).then_some(Field::LongName)
            };
            if let Some(refused) = refused {
                skip_map(map)?;
                return Ok(refused);
            }
            // The last one of a name counts.
            members.retain(|(other, _)| *other != name);
            members.push((name, value));
        }
        Ok(Field::Object(members))
    }
}

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl Fields {
    fn take(&mut self, name: &str) -> Field {
        let value = self.known.iter_mut().find(|(known, _)| *known == name);
        value.map_or(Field::Null, |(_, value)| mem::replace(value, Field::Null))
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            Field::Null => Ok(None),
            Field::Text(text) => Ok(Some(text)),
            _ => Err(format!("`{name}` is not a string")),
        }
    }

    /// Reads the tokens that are valid besides the one in `token`.
    fn tokens(&mut self) -> Result<Vec<Zeroizing<String>>, String> {
        let values = match self.take("tokens") {
            Field::Null => return Ok(Vec::new()),
            Field::List(values) if values.len() > MAX_TOKENS => {
                return Err(too_many("tokens", MAX_TOKENS));
            }
            Field::List(values) => values,
            Field::TooMany => return Err(too_many("tokens", MAX_TOKENS)),
            _ => return Err("`tokens` is not an array".to_owned()),
        };
        let token = |value: Option<String>| {
            let token = value.map(Zeroizing::new);
            token.ok_or_else(|| "a value in `tokens` is not a string".to_owned())
        };
        values.into_iter().map(token).collect()
    }

    /// Reads `{"Name": "value", "Repeated": ["one", "two"]}`.
    fn headers(&mut self) -> Result<Vec<Header>, String> {
        let members = match self.take("headers") {
            Field::Null => return Ok(Vec::new()),
            Field::Object(members) => members,
            Field::TooMany => return Err(too_many("headers", MAX_VALUES)),
            Field::LongName => {
                return Err(format!(
                    "a name in `headers` is longer than {MAX_NAME} bytes"
                ));
            }
            _ => return Err("`headers` is not an object".to_owned()),
        };
        let mut headers = Vec::new();
        for (name, value) in members {
            let values = match value {
                Field::List(values) => values,
                Field::Text(text) => vec![Some(text)],
                _ => vec![None],
            };
            for value in values {
                let value = value.ok_or("a value in `headers` is not a string")?;
                headers.push((name.clone(), value.into_bytes()));
            }
        }
        Ok(headers)
    }

    /// Returns a warning that names the fields that are not known.
    fn unknown(&self) -> Option<String> {
        let names = self.unknown.iter();
        let mut names: Vec<_> = names
            .map(|name| format!("`{}`", redact::text(name)))
            .collect();
        if self.unknown_count > MAX_NAMED {
            names.push(format!("{} more", self.unknown_count - MAX_NAMED));
        }
        let are_ignored = match self.unknown_count {
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
}

fn too_many(name: &str, most: usize) -> String {
    format!("`{name}` has more than {most} values")
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
    fn values_of_another_kind_are_named_and_not_shown() {
        let cases = [
            (r#""body": 17"#, "`body` is not a string"),
            (r#""body": ["s3cr3t"]"#, "`body` is not a string"),
            (r#""token": {"s3cr3t": 1}"#, "`token` is not a string"),
            (r#""tokens": "s3cr3t""#, "`tokens` is not an array"),
            (
                r#""tokens": ["s3cr3t", 1.5, "a"]"#,
                "a value in `tokens` is not a string",
            ),
            (r#""headers": ["s3cr3t"]"#, "`headers` is not an object"),
            (
                r#""headers": {"a": true}"#,
                "a value in `headers` is not a string",
            ),
            (
                r#""headers": {"a": ["b", ["s3cr3t"]]}"#,
                "a value in `headers` is not a string",
            ),
            (r#""body": "a", "body": "s3cr3t""#, "a field is there twice"),
            (r#""listen": 1, "listen": 2"#, "a field is there twice"),
        ];
        for (field, expected) in cases {
            let json = format!("{{\"url\": \"http://h/\", {field}}}");
            let err = parse(json.as_bytes()).err();
            assert_eq!(err.as_deref(), Some(expected), "{field}");
        }
        for (start, value, end, name, most) in [
            ("\"tokens\": [", "\"a\"", "]", "tokens", MAX_TOKENS),
            (
                "\"headers\": {\"a\": [",
                "\"a\"",
                "]}",
                "headers",
                MAX_VALUES,
            ),
            ("\"headers\": {", "\"a\": \"a\"", "}", "headers", MAX_VALUES),
            ("\"headers\": {", "\"a\": []", "}", "headers", MAX_VALUES),
        ] {
            let values = |count| vec![value; count].join(",");
            let json = |count| format!("{{\"url\": \"http://h/\", {start}{}{end}}}", values(count));
            assert!(parse(json(most).as_bytes()).is_ok());
            let err = parse(json(most + 1).as_bytes()).err();
            assert_eq!(err, Some(format!("`{name}` has more than {most} values")));
        }
        let names = |length| {
            format!(
                "{{\"url\": \"http://h/\", \"headers\": {{\"{}\": []}}}}",
                "n".repeat(length)
            )
        };
        assert!(parse(names(MAX_NAME).as_bytes()).is_ok());
        let err = parse(names(MAX_NAME + 1).as_bytes()).err();
        assert_eq!(
            err.as_deref(),
            Some("a name in `headers` is longer than 1000 bytes")
        );
    }

    #[test]
    fn the_last_header_of_a_name_counts_and_lists_are_kept() {
        let json = br#"{"url": "http://h/", "id": null, "headers": {"A": "1", "B": ["2", "3"], "A": "4"}}"#;
        let request = parse(json).unwrap();
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(headers, [("B", &b"2"[..]), ("B", b"3"), ("A", b"4")]);
        assert_eq!(request.id.unwrap().get(), "null");
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
