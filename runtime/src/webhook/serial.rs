//! Webhooks as serde sees them: a map of Twilio's names to text, as in the form that Twilio sends.

use std::{borrow::Cow, fmt};

use serde::{
    Serializer,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    family::{Family, Filling, Shown},
    parameters::Parameters,
};

/// Writes all parameters, sorted by name.
///
/// A format for people, such as JSON, gets several values of a name as a list, since most readers keep only one of
/// several members with the same name. Other formats get the name several times.
pub(super) fn write<S: Serializer>(family: &dyn Family, serializer: S) -> Result<S::Ok, S::Error> {
    let parameters = parameters(family);
    let as_lists = serializer.is_human_readable();
    let all: Vec<_> = parameters.iter().collect();
    let runs = || all.chunk_by(|(a, _), (b, _)| a == b);
    let len = if as_lists { runs().count() } else { all.len() };
    let mut map = serializer.serialize_map(Some(len))?;
    for run in runs() {
        match run {
            [(name, _), _, ..] if as_lists => {
                let values: Vec<_> = run.iter().map(|(_, value)| value).collect();
                map.serialize_entry(name, &values)?;
            }
            _ => {
                for (name, value) in run {
                    map.serialize_entry(name, value)?;
                }
            }
        }
    }
    map.end()
}

/// Returns all parameters of a webhook, those of its fields first.
fn parameters(family: &dyn Family) -> Parameters {
    let mut parameters = Parameters::default();
    family.show(&mut |shown| match shown {
        Shown::Field(_, name, field) => {
            if let Some(text) = field.text() {
                parameters.push(name, &text);
            }
        }
        Shown::Group(_, prefix, group) => group.write(prefix, &mut parameters),
    });
    for (name, value) in family.other().iter() {
        parameters.push(name, value);
    }
    parameters.sort();
    parameters
}

/// Reads a form, or what [`write`] has written.
pub(super) fn read<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Family + Default,
    D: Deserializer<'de>,
{
    let mut family = T::default();
    let any = deserializer.is_human_readable();
    let mut filling = Filling::of(&mut family);
    deserializer.deserialize_map(Entries {
        filling: &mut filling,
        any,
    })?;
    filling.end();
    Ok(family)
}

/// Reads names and values.
struct Entries<'a, 'f> {
    filling: &'a mut Filling<'f>,
    /// Whether the format says what a value is.
    any: bool,
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key_seed(Name(Cow::Borrowed("")))? {
            map.next_value_seed(Value {
                name: &name,
                filling: &mut *self.filling,
                any: self.any,
            })?;
        }
        Ok(())
    }
}

/// A name, which is not copied if the format has it as it is.
struct Name<'de>(Cow<'de, str>);

impl<'de> DeserializeSeed<'de> for Name<'de> {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'de> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self, E> {
        Ok(Self(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self, E> {
        Ok(Self(text.to_owned().into()))
    }
}

/// Reads a value of an enumeration.
pub(super) fn read_choice<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: for<'a> From<&'a str>,
    D: Deserializer<'de>,
{
    let Name(text) = Name(Cow::Borrowed("")).deserialize(deserializer)?;
    Ok(T::from(&*text))
}

/// The values of a name: a text, or what can be written as one, or a list of these.
struct Value<'a, 'f> {
    name: &'a str,
    filling: &'a mut Filling<'f>,
    any: bool,
}

impl Value<'_, '_> {
    fn add(self, text: &str) {
        self.filling.add(self.name, text);
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.any {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_str(self)
        }
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.add(text);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.add(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.add(&value.to_string());
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.add(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.add(&value.to_string());
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list
            .next_element_seed(Value {
                name: self.name,
                filling: &mut *self.filling,
                any: self.any,
            })?
            .is_some()
        {}
        Ok(())
    }
}
