//! Forms as Twilio sends them: fields for documented parameters, and a map for all others.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// The parameters of a webhook by name. A name may have several values.
///
/// This type can be extracted on its own: `web::Form<Parameters>` takes any form.
///
/// # Examples
///
/// ```
/// use actix_twilio::webhook::Parameters;
/// use actix_web::web::Query;
///
/// let parameters = Query::<Parameters>::from_query("Address=1&Address=2&Body=")?;
/// assert_eq!(parameters.get("Address"), Some("1"));
/// assert!(parameters.get_all("Address").eq(["1", "2"]));
/// assert_eq!(parameters.get("Body"), Some(""));
/// assert_eq!(parameters.get("From"), None);
/// # Ok::<(), actix_web::error::QueryPayloadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(BTreeMap<String, Vec<String>>);

impl Parameters {
    /// Returns the value of a name, or the first one if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns all values of a name, in the order in which they arrived.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Returns all names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| {
            let values = values.iter().map(String::as_str);
            values.map(move |value| (name.as_str(), value))
        })
    }

    /// Returns whether there are no parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the first value of a name.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let values = self.0.get_mut(name)?;
        let first = (!values.is_empty()).then(|| values.remove(0));
        if values.is_empty() {
            self.0.remove(name);
        }
        first
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Parameters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Parameters, A::Error> {
                let mut parameters = BTreeMap::<String, Vec<String>>::new();
                while let Some((name, value)) = pairs.next_entry()? {
                    parameters.entry(name).or_default().push(value);
                }
                Ok(Parameters(parameters))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// A field of a webhook, taken out of its parameters. It always gets a value, because no form is refused.
pub(super) trait Field {
    fn extract(name: &str, parameters: &mut Parameters) -> Self;
}

impl Field for String {
    fn extract(name: &str, parameters: &mut Parameters) -> Self {
        parameters.take(name).unwrap_or_default()
    }
}

impl Field for u32 {
    fn extract(name: &str, parameters: &mut Parameters) -> Self {
        Option::extract(name, parameters).unwrap_or_default()
    }
}

/// An empty value counts as none. A value that does not fit stays in the parameters.
impl<T: FromText> Field for Option<T> {
    fn extract(name: &str, parameters: &mut Parameters) -> Self {
        let text = parameters.get(name)?;
        let value = T::from_text(text);
        if value.is_some() || text.is_empty() {
            parameters.take(name);
        }
        value
    }
}

/// A value that is parsed from text that is not empty.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

impl FromText for String {
    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl FromText for u32 {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FromText for f64 {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Declares a webhook: its fields, each with the name of its parameter.
macro_rules! webhook {
    (
        $(#[$meta:meta])*
        pub struct $webhook:ident {
            $($(#[$doc:meta])+ $name:literal => $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        #[non_exhaustive]
        pub struct $webhook {
            $($(#[$doc])+ #[doc = concat!("\n\nThe parameter `", $name, "`.")] pub $field: $type,)+
            /// All parameters that have no field above, or do not fit their field.
            pub other: $crate::webhook::Parameters,
        }

        impl<'de> serde::Deserialize<'de> for $webhook {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut other = $crate::webhook::Parameters::deserialize(deserializer)?;
                Ok(Self {
                    $($field: $crate::webhook::form::Field::extract($name, &mut other),)+
                    other,
                })
            }
        }
    };
}

/// Declares an enumeration that is open to new values.
macro_rules! choices {
    (
        $(#[$meta:meta])*
        pub enum $choice:ident {
            $($(#[$doc:meta])+ $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $choice {
            $($(#[$doc])+ #[doc = concat!("\n\nThe text `", $text, "`.")] $variant,)+
            /// Another value, as Twilio sent it.
            Other(String),
        }

        impl $choice {
            /// Returns the text that Twilio sends for this value.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $choice {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::webhook::form::FromText for $choice {
            fn from_text(text: &str) -> Option<Self> {
                (!text.is_empty()).then(|| text.into())
            }
        }
    };
}

pub(super) use {choices, webhook};
