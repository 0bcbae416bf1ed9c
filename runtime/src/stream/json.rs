//! How Twilio writes values in JSON.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::StreamError;

/// The start of the message of an error, which is printed.
pub(super) const NOT_BASE64: &str = "the payload is not base64";

/// Implements a `Debug` that prints the fields that are listed, and says that there are others: what callers say and
/// press, their numbers, and the audio are not printed.
macro_rules! debug_without_contents {
    ($($message:ident: $($field:ident),*;)+) => {$(
        impl std::fmt::Debug for $message {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($message))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    )+};
}

pub(super) use debug_without_contents;

/// Reads JSON. The error names no value.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, StreamError> {
    serde_json::from_str(text).map_err(|err| StreamError::malformed(&err))
}

/// Audio, as base64.
pub(super) mod audio {
    use actix_web::web::Bytes;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserializer, Serializer, de::Error};

    use super::{NOT_BASE64, text};

    pub(crate) fn serialize<S: Serializer>(audio: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(audio))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let decoded = BASE64_STANDARD.decode(&*text(from)?);
        decoded
            .map(Bytes::from)
            .map_err(|_| D::Error::custom(NOT_BASE64))
    }
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<std::borrow::Cow<'de, str>, D::Error> {
    struct Text;

    impl<'de> de::Visitor<'de> for Text {
        type Value = std::borrow::Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(text.into())
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.to_owned().into())
        }
    }

    from.deserialize_str(Text)
}

/// A number that Media Streams writes as text.
pub(super) mod number {
    use serde::{Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        super::number(from)
    }
}

/// Reads a number, or the text of a number.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }

    match Number::deserialize(from)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text
            .parse()
            .map_err(|_| de::Error::custom("not a number in a text")),
    }
}

/// Reads a value that may be missing or `null`.
pub(super) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads the parameters that an app gave in TwiML. Twilio sends their values as text.
pub(super) fn parameters<'de, D>(from: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let values: Option<BTreeMap<String, Value>> = Option::deserialize(from)?;
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(values
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, text(value)))
        .collect())
}

/// A message that this version does not know.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// The name of its type.
    pub name: String,
    /// The whole message as it came, JSON.
    pub json: String,
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: String = self.name.chars().take(40).collect();
        f.debug_struct("Unknown")
            .field("name", &name)
            .finish_non_exhaustive()
    }
}

impl Unknown {
    pub(super) fn new(name: String, json: &str) -> Self {
        let json = json.to_owned();
        Self { name, json }
    }

    pub(super) fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(&self.json).map_err(serde::ser::Error::custom)?;
        serde::Serialize::serialize(&value, to)
    }
}

/// Checks a command that this version does not know.
pub(super) fn check_object(json: &str) -> Result<(), StreamError> {
    match serde_json::from_str(json) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(StreamError::new(
            super::StreamErrorKind::NotSendable,
            "it is not a JSON object",
        )),
    }
}

/// Reads a value as text: one of another type is in JSON.
pub(super) fn as_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}
