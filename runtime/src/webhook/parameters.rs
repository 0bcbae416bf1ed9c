//! Parameters by name, for those that have no field.

use std::fmt;

use serde::{
    Serialize, Serializer,
    de::{Deserialize, Deserializer},
};

use super::{family::print_by, serial};

/// The parameters of a webhook by name. A name may have several values.
///
/// This type can be extracted on its own: it takes any form.
///
/// Its `Debug` prints the names only; [`unredacted`](Self::unredacted) prints the values too.
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
#[derive(Clone, Default)]
pub struct Parameters {
    /// All names and values, one after the other: two allocations for any number of them.
    text: String,
    /// Sorted by name.
    places: Vec<Place>,
}

/// More parameters than any webhook has.
const MANY: usize = 200;

/// Where a name and its value are in the text.
#[derive(Clone, Copy)]
struct Place {
    name: usize,
    value: usize,
    end: usize,
}

impl Place {
    fn of(self, text: &str) -> (&str, &str) {
        let name = text.get(self.name..self.value).unwrap_or_default();
        (name, text.get(self.value..self.end).unwrap_or_default())
    }
}

impl Parameters {
    /// Returns the value of a name, or the first one if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns all values of a name, in the order in which they arrived.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        let first = self
            .places
            .partition_point(|place| place.of(&self.text).0 < name);
        let from_first = self.places.get(first..).unwrap_or_default().iter();
        from_first
            .map(|place| place.of(&self.text))
            .take_while(move |(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Returns whether there is a name, without comparing names of another length.
    pub(super) fn has(&self, name: &str) -> bool {
        self.iter().any(|(found, _)| found == name)
    }

    /// Returns whether a name starts with this text. Most differ in the first byte, which needs no call.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        let first = prefix.as_bytes().first();
        self.iter()
            .any(|(name, _)| name.as_bytes().first() == first && name.starts_with(prefix))
    }

    /// Returns all names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.places.iter().map(|place| place.of(&self.text))
    }

    /// Returns whether there are no parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns a value whose `Debug` prints everything.
    #[must_use]
    pub fn unredacted(&self) -> impl fmt::Debug {
        print_by(|f| f.debug_map().entries(self.iter()).finish())
    }

    /// Adds a parameter. The order is restored by [`sort`](Self::sort).
    pub(super) fn push(&mut self, name: &str, value: &str) {
        if self.places.is_empty() {
            // Room for what a typical request has.
            self.places.reserve(8);
            self.text.reserve(256);
        }
        let start = self.text.len();
        self.text.push_str(name);
        let middle = self.text.len();
        self.text.push_str(value);
        self.places.push(Place {
            name: start,
            value: middle,
            end: self.text.len(),
        });
    }

    /// Sorts by name, and keeps the order of values that have the same name. Of more than [`MANY`], it keeps identical
    /// repeats once: their number is not signed, so anyone can add any number of them.
    pub(super) fn sort(&mut self) {
        let text = &*self.text;
        let name = |place: &Place| place.of(text).0;
        self.places.sort_by_key(name);
        if self.places.len() <= MANY {
            return;
        }
        self.places.sort_by_key(|place| place.of(text));
        self.places.dedup_by_key(|place| place.of(text));
        // A place counts up in the order of arrival.
        self.places.sort_by_key(|place| (name(place), place.name));
        self.places.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    /// Removes the parameters that a function takes.
    pub(super) fn take(&mut self, mut takes: impl FnMut(&str, &str) -> bool) {
        self.places.retain(|place| {
            let (name, value) = place.of(&self.text);
            !takes(name, value)
        });
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Parameters {}

/// Prints the names only.
impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serial::write(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serial::read(deserializer)
    }
}
