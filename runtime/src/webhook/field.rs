//! The fields of a webhook: what text they take, and what text they are written as.

use std::{borrow::Cow, fmt};

use super::parameters::Parameters;

/// What became of a text that a field was given.
pub(super) enum Given {
    /// It is the field's value.
    Taken,
    /// It counts as none.
    Empty,
    /// It is not a value of the field's type.
    Misfit,
}

/// A field of a webhook. It always has a value, because no form is refused for the text of a field.
pub(super) trait Field {
    /// Sets the field to a text's value.
    fn set(&mut self, text: &str) -> Given;

    /// Returns the text of the value, or `None` if there is no value.
    fn text(&self) -> Option<Cow<'_, str>>;

    /// Prints the value.
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl Field for String {
    fn set(&mut self, text: &str) -> Given {
        // It is empty, and a new text is allocated in one step.
        *self = String::from(text);
        Given::Taken
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        Some(self.as_str().into())
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Field for u32 {
    fn set(&mut self, text: &str) -> Given {
        let mut value = None;
        let given = value.set(text);
        *self = value.unwrap_or_default();
        given
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        Some(self.as_text())
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<T: FromText + fmt::Debug> Field for Option<T> {
    fn set(&mut self, text: &str) -> Given {
        if text.is_empty() {
            return Given::Empty;
        }
        *self = T::from_text(text);
        if self.is_some() {
            Given::Taken
        } else {
            Given::Misfit
        }
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().map(T::as_text)
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A value that is made from text that is not empty.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;

    /// Returns a text that yields the same value.
    fn as_text(&self) -> Cow<'_, str>;
}

impl FromText for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn as_text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl FromText for u32 {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn as_text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl FromText for f64 {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }

    fn as_text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn as_text(&self) -> Cow<'_, str> {
        if *self { "true" } else { "false" }.into()
    }
}

/// A field for several parameters, whose names start alike.
pub(super) trait Group {
    /// Takes its parameters from those that have no field, which are sorted.
    fn take(&mut self, prefix: &str, other: &mut Parameters);

    /// Adds its parameters.
    fn write(&self, prefix: &str, to: &mut Parameters);

    /// Returns whether it has no parameters.
    fn is_empty(&self) -> bool;

    /// Prints the values.
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Parameters whose names have the prefix, which is cut off.
impl Group for Parameters {
    fn take(&mut self, prefix: &str, other: &mut Parameters) {
        other.take(|name, value| match name.strip_prefix(prefix) {
            Some(name) => {
                self.push(name, value);
                true
            }
            None => false,
        });
    }

    fn write(&self, prefix: &str, to: &mut Parameters) {
        for (name, value) in self.iter() {
            to.push(&[prefix, name].concat(), value);
        }
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.unredacted(), f)
    }
}
