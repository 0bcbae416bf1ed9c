//! What all webhooks have in common: how they are filled from parameters, written and printed.

use std::fmt;

use twilio_signature::Form;

use super::{
    field::{Field, Given, Group},
    parameters::Parameters,
};
use crate::sid::is_sid;

/// A family of webhooks, which [`webhook!`](super::table) implements.
pub(super) trait Family {
    /// Returns the name of the type.
    fn type_name(&self) -> &'static str;

    /// Returns the field for a parameter, and its number.
    fn field(&mut self, name: &str) -> Option<(u8, &mut dyn Field)>;

    /// Returns the parameters without a field.
    fn other(&self) -> &Parameters;

    /// Sets the parameters without a field. Groups take theirs.
    fn set_other(&mut self, other: Parameters);

    /// Returns whether each SID that Twilio always sends is there, once and well-formed.
    fn has_sids(&self) -> bool;

    /// Shows all fields and groups.
    fn show(&self, see: &mut dyn FnMut(Shown<'_>));
}

/// A field or a group, with its own name and that of its parameter.
pub(super) enum Shown<'a> {
    Field(&'static str, &'static str, &'a dyn Field),
    Group(&'static str, &'static str, &'a dyn Group),
}

/// Any form fills parameters.
impl Family for Parameters {
    fn type_name(&self) -> &'static str {
        "Parameters"
    }

    fn field(&mut self, _: &str) -> Option<(u8, &mut dyn Field)> {
        None
    }

    fn other(&self) -> &Parameters {
        self
    }

    fn set_other(&mut self, other: Parameters) {
        *self = other;
    }

    fn has_sids(&self) -> bool {
        true
    }

    fn show(&self, _: &mut dyn FnMut(Shown<'_>)) {}
}

/// Fills a webhook with parameters, one by one. The first value of a field counts; what is repeated or does not fit
/// goes to the other parameters.
pub(super) struct Filling<'f> {
    family: &'f mut dyn Family,
    other: Parameters,
    /// A bit for each field that has had its value.
    seen: u64,
}

impl<'f> Filling<'f> {
    pub(super) fn of(family: &'f mut dyn Family) -> Self {
        Self {
            family,
            other: Parameters::default(),
            seen: 0,
        }
    }

    pub(super) fn add(&mut self, name: &str, text: &str) {
        if name.is_empty() && text.is_empty() {
            // It is not signed, so anyone can add any number of them.
            return;
        }
        if let Some((number, field)) = self.family.field(name)
            && self.seen & 1 << number == 0
        {
            match field.set(text) {
                Given::Taken => {
                    self.seen |= 1 << number;
                    return;
                }
                Given::Empty => return,
                Given::Misfit => self.seen |= 1 << number,
            }
        }
        self.other.push(name, text);
    }

    pub(super) fn end(mut self) {
        self.other.sort();
        self.family.set_other(self.other);
    }
}

/// Fills a webhook with the parameters of a form.
pub(super) fn fill<B>(family: &mut dyn Family, form: &Form<B>) {
    let mut filling = Filling::of(family);
    form.for_each_text(|name, value| filling.add(name, value));
    filling.end();
}

/// Returns whether a parameter that Twilio always sends is a SID, two capital letters and 32 hex digits, and has no
/// second value.
pub(super) fn required(text: &str, name: &str, other: &Parameters) -> bool {
    is_sid(text.as_bytes()) && !other.has(name)
}

/// Prints the names of the fields that have a value, and of the other parameters.
pub(super) fn print_names(family: &dyn Family, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut fields = f.debug_struct(family.type_name());
    family.show(&mut |shown| {
        let name = match shown {
            Shown::Field(name, _, field) => {
                let text = field.text();
                text.is_some_and(|text| !text.is_empty()).then_some(name)
            }
            Shown::Group(name, _, group) => (!group.is_empty()).then_some(name),
        };
        if let Some(name) = name {
            fields.field(name, &format_args!(".."));
        }
    });
    if !family.other().is_empty() {
        fields.field("other", family.other());
    }
    fields.finish()
}

/// A field with its own name and that of its parameter.
pub(super) type Named<'a> = (&'static str, &'static str, &'a dyn Field);

/// Prints the names of the fields that have a value.
pub(super) fn print_named(
    type_name: &str,
    fields: &[Named<'_>],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut printed = f.debug_struct(type_name);
    for (name, _, field) in fields {
        if field.text().is_some() {
            printed.field(name, &format_args!(".."));
        }
    }
    printed.finish()
}

/// A webhook whose `Debug` prints everything, including phone numbers and messages.
///
/// Two of them are equal if their webhooks are, so that a failed assertion shows what differs.
pub struct Unredacted<'a, T>(pub(super) &'a T);

impl<T: Family> fmt::Debug for Unredacted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_all(self.0, f)
    }
}

impl<T: PartialEq> PartialEq for Unredacted<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

fn print_all(family: &dyn Family, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut fields = f.debug_struct(family.type_name());
    family.show(&mut |shown| {
        match shown {
            Shown::Field(name, _, field) => fields.field(name, &print_by(|f| field.print(f))),
            Shown::Group(name, _, group) => fields.field(name, &print_by(|f| group.print(f))),
        };
    });
    fields.field("other", &family.other().unredacted());
    fields.finish()
}

/// Returns a value whose `Debug` is a function.
pub(super) fn print_by(print: impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result) -> impl fmt::Debug {
    struct Printed<F>(F);

    impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Debug for Printed<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    Printed(print)
}
