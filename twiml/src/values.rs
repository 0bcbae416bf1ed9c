//! The types of attributes, and how their values are written.

mod choices;

use std::time::Duration;

pub use self::choices::*;
use crate::Element;

/// What an attribute or a text may say, for the lint.
#[cfg(feature = "lint")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Absolute with one of these schemes, or relative.
    Url(&'static [&'static str]),
    Flag,
    /// A whole number, from and to.
    Number(u32, u32),
    /// A number and its unit: `500ms` or `2s`.
    Time,
    Choice(&'static [&'static str]),
    /// Values of a kind, separated by blanks.
    List(&'static Kind),
    /// Characters of this set. The flag says whether there may be none.
    Characters(&'static str, bool),
    /// A BCP 47 tag.
    Language,
    Either(&'static Kind, &'static Kind),
}

/// A type of values.
pub(crate) trait Value {
    #[cfg(feature = "lint")]
    const KIND: Kind;

    fn into_text(self) -> String;

    /// A value that Twilio takes.
    #[cfg(test)]
    fn sample() -> Self;
}

/// Sets an attribute or the text of an element.
pub(crate) fn put<V: Value>(element: &mut Element, slot: &'static str, value: V) {
    element.set(slot, value.into_text());
}

impl Value for String {
    #[cfg(feature = "lint")]
    const KIND: Kind = Kind::Text;

    fn into_text(self) -> String {
        self
    }

    #[cfg(test)]
    fn sample() -> Self {
        "1 < 2 & \"so on\"".to_owned()
    }
}

impl Value for bool {
    #[cfg(feature = "lint")]
    const KIND: Kind = Kind::Flag;

    fn into_text(self) -> String {
        self.to_string()
    }

    #[cfg(test)]
    fn sample() -> Self {
        true
    }
}

/// Defines types of text, which the lint checks.
macro_rules! texts {
    ($($(#[$doc:meta])* $type:ident: $kind:expr, $sample:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $type(String);

        impl Value for $type {
            #[cfg(feature = "lint")]
            const KIND: Kind = $kind;

            fn into_text(self) -> String {
                self.0
            }

            #[cfg(test)]
            fn sample() -> Self {
                $sample.into()
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&String> for $type {
            fn from(text: &String) -> Self {
                Self(text.clone())
            }
        }
    )+};
}

texts! {
    /// A URL, absolute with `http` or `https`, or relative to that of the document.
    Url: Kind::Url(&["https", "http"]), "https://example.com/a?b=1&c=2";
    /// The URL of a WebSocket: `wss`.
    SocketUrl: Kind::Url(&["wss"]), "wss://example.com/a";
    /// Keys of a telephone that are pressed one after the other: `0` to `9`, `*`, `#`, `A` to `D`, and `w` and `W` to
    /// wait half a second and a second.
    Digits: Kind::Characters("0123456789*#ABCDabcdwW", false), "12w#";
    /// Keys of a telephone, any of which counts: `0` to `9`, `*` and `#`. An empty text means none.
    Keys: Kind::Characters("0123456789*#", true), "*#";
    /// A language as [BCP 47](https://www.rfc-editor.org/info/bcp47) writes it, such as `en-GB`.
    LanguageTag: Kind::Language, "en-GB";
    /// Words and phrases, separated by commas.
    Phrases: Kind::Text, "one, two";
}

impl<P: AsRef<str>> From<&[P]> for Phrases {
    fn from(phrases: &[P]) -> Self {
        let phrases: Vec<_> = phrases.iter().map(AsRef::as_ref).collect();
        Self(phrases.join(", "))
    }
}

impl<P: AsRef<str>, const N: usize> From<[P; N]> for Phrases {
    fn from(phrases: [P; N]) -> Self {
        Self::from(phrases.as_slice())
    }
}

impl<P: AsRef<str>> From<Vec<P>> for Phrases {
    fn from(phrases: Vec<P>) -> Self {
        Self::from(phrases.as_slice())
    }
}

/// A whole number. Twilio takes those from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const MIN: u32, const MAX: u32 = { u32::MAX }>(u32);

impl<const MIN: u32, const MAX: u32> Value for Count<MIN, MAX> {
    #[cfg(feature = "lint")]
    const KIND: Kind = Kind::Number(MIN, MAX);

    fn into_text(self) -> String {
        self.0.to_string()
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self(MIN)
    }
}

impl<const MIN: u32, const MAX: u32> From<u32> for Count<MIN, MAX> {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// Defines types of durations.
macro_rules! durations {
    ($($(#[$doc:meta])* $type:ident: $unit:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $type<const MIN: u32, const MAX: u32 = { u32::MAX }>(Duration);

        impl<const MIN: u32, const MAX: u32> Value for $type<MIN, MAX> {
            #[cfg(feature = "lint")]
            const KIND: Kind = Kind::Number(MIN, MAX);

            fn into_text(self) -> String {
                self.0.as_nanos().div_ceil($unit).to_string()
            }

            #[cfg(test)]
            fn sample() -> Self {
                Self(Duration::from_nanos(u64::from(MIN) * $unit))
            }
        }

        impl<const MIN: u32, const MAX: u32> From<Duration> for $type<MIN, MAX> {
            fn from(duration: Duration) -> Self {
                Self(duration)
            }
        }
    )+};
}

durations! {
    /// A duration that is written in seconds, rounded up. Twilio takes those from `MIN` to `MAX`.
    Seconds: 1_000_000_000;
    /// A duration that is written in milliseconds, rounded up. Twilio takes those from `MIN` to `MAX`.
    Millis: 1_000_000;
}

/// A duration that is written with its unit, in milliseconds: `500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(Duration);

impl Value for Time {
    #[cfg(feature = "lint")]
    const KIND: Kind = Kind::Time;

    fn into_text(self) -> String {
        format!("{}ms", self.0.as_millis())
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self(Duration::from_millis(500))
    }
}

impl From<Duration> for Time {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

/// A value `T`, or `auto`: Twilio decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrAuto<T> {
    /// Twilio decides.
    Auto,
    /// This value.
    Exactly(T),
}

impl<T: Value> Value for OrAuto<T> {
    #[cfg(feature = "lint")]
    const KIND: Kind = Kind::Either(&Kind::Choice(&["auto"]), &T::KIND);

    fn into_text(self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Exactly(value) => value.into_text(),
        }
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self::Exactly(T::sample())
    }
}

impl<T: From<Duration>> From<Duration> for OrAuto<T> {
    fn from(duration: Duration) -> Self {
        Self::Exactly(duration.into())
    }
}

/// Values of a type, which are separated by blanks: one, an array or a vector of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Vec<T>);

impl<T: Value> Value for List<T> {
    #[cfg(feature = "lint")]
    const KIND: Kind = Kind::List(&T::KIND);

    fn into_text(self) -> String {
        let values: Vec<_> = self.0.into_iter().map(Value::into_text).collect();
        values.join(" ")
    }

    #[cfg(test)]
    fn sample() -> Self {
        vec![T::sample(), T::sample()].into()
    }
}

impl<T> From<T> for List<T> {
    fn from(value: T) -> Self {
        Self(vec![value])
    }
}

impl<T, const N: usize> From<[T; N]> for List<T> {
    fn from(values: [T; N]) -> Self {
        Self(values.into())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T: Clone> From<&[T]> for List<T> {
    fn from(values: &[T]) -> Self {
        Self(values.to_vec())
    }
}

impl<const MIN: u32, const MAX: u32, const N: usize> From<[u32; N]> for List<Count<MIN, MAX>> {
    fn from(numbers: [u32; N]) -> Self {
        numbers.map(Count::from).into()
    }
}
