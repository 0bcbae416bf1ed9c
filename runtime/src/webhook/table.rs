//! The tables of webhooks and of the values that they choose from.

/// Declares a webhook: its fields, each with the name of its parameter. `required` before a name says that it is a SID
/// which Twilio always sends. Parameters whose names start alike are in a group of their own, after `and`.
macro_rules! webhook {
    (
        $(#[$meta:meta])*
        pub struct $webhook:ident {
            $($(#[$doc:meta])+ $($required:ident)? $name:literal => $field:ident: $type:ty,)+
        }
        $(and {
            $($(#[$group_doc:meta])+ $prefix:literal => $group:ident: $group_type:ty,)+
        })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Default)]
        #[non_exhaustive]
        pub struct $webhook {
            $(
                $(#[$doc])+
                #[doc = concat!("\n\nThe parameter `", $name, "`.")]
                $(#[doc = concat!(
                    "It is ", stringify!($required), ": an extractor refuses a request in which it is missing, ",
                    "malformed or repeated.",
                )])?
                pub $field: $type,
            )+
            $($($(#[$group_doc])+ pub $group: $group_type,)+)?
            /// All parameters that have no field above, or do not fit their field.
            pub other: $crate::webhook::Parameters,
        }

        impl $webhook {
            /// Returns a value whose `Debug` prints everything, including phone numbers and messages.
            #[must_use]
            pub fn unredacted(&self) -> $crate::webhook::Unredacted<'_, Self> {
                $crate::webhook::family::Unredacted(self)
            }
        }

        const _: () = {
            use $crate::webhook::{
                Parameters, extract,
                family::{self, Family, Shown},
                field::Field,
                serial,
            };

            #[expect(non_camel_case_types, reason = "they are the names of the fields")]
            enum Number {
                $($field,)+
            }

            // Each field has a bit while a webhook is filled.
            const _: () = assert!([$(stringify!($field)),+].len() <= 64);

            impl Family for $webhook {
                fn type_name(&self) -> &'static str {
                    stringify!($webhook)
                }

                fn field(&mut self, name: &str) -> Option<(u8, &mut dyn Field)> {
                    Some(match name {
                        $($name => (Number::$field as u8, &mut self.$field),)+
                        _ => return None,
                    })
                }

                fn other(&self) -> &Parameters {
                    &self.other
                }

                fn set_other(&mut self, other: Parameters) {
                    self.other = other;
                    $($($crate::webhook::field::Group::take(&mut self.$group, $prefix, &mut self.other);)+)?
                }

                fn has_sids(&self) -> bool {
                    true $($(&& family::$required(&self.$field, $name, &self.other))?)+
                }

                fn show(&self, see: &mut dyn FnMut(Shown<'_>)) {
                    $(see(Shown::Field(stringify!($field), $name, &self.$field));)+
                    $($(see(Shown::Group(stringify!($group), $prefix, &self.$group));)+)?
                }
            }

            /// Prints the names of the fields that have a value, and no values.
            impl std::fmt::Debug for $webhook {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    family::print_names(self, f)
                }
            }

            impl serde::Serialize for $webhook {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serial::write(self, serializer)
                }
            }

            impl<'de> serde::Deserialize<'de> for $webhook {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    serial::read(deserializer)
                }
            }

            extract::by_request!($webhook);
        };
    };
}

/// Declares a part of a webhook: fields for parameters whose names start alike, written without that start.
macro_rules! part {
    (
        $(#[$meta:meta])*
        pub struct $part:ident {
            $($(#[$doc:meta])+ $name:literal => $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        ///
        /// Its `Debug` does not print values.
        #[derive(Clone, PartialEq, Default)]
        #[non_exhaustive]
        pub struct $part {
            $(
                $(#[$doc])+
                #[doc = concat!("\n\nThe parameter `", stringify!($part), $name, "`.")]
                pub $field: $type,
            )+
        }

        const _: () = {
            use std::fmt;
            use $crate::webhook::{
                family::{Named, print_named},
                field::{Field, Given, Group},
                Parameters,
            };

            impl $part {
                fn fields(&self) -> [Named<'_>; [$($name),+].len()] {
                    [$((stringify!($field), $name, &self.$field)),+]
                }
            }

            impl fmt::Debug for $part {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    print_named(stringify!($part), &self.fields(), f)
                }
            }

            /// The first value of each name that fits counts. A part without values is `None`.
            impl Group for Option<Box<$part>> {
                fn take(&mut self, prefix: &str, other: &mut Parameters) {
                    if !other.has_prefix(prefix) {
                        return;
                    }
                    let mut part = Box::<$part>::default();
                    other.take(|name, value| {
                        let field: &mut dyn Field = match name.strip_prefix(prefix) {
                            $(Some($name) => &mut part.$field,)+
                            _ => return false,
                        };
                        field.text().is_none() && !matches!(field.set(value), Given::Misfit)
                    });
                    let has_values = part.fields().iter().any(|(_, _, field)| field.text().is_some());
                    *self = has_values.then_some(part);
                }

                fn write(&self, prefix: &str, to: &mut Parameters) {
                    for (_, name, field) in self.iter().flat_map(|part| part.fields()) {
                        if let Some(text) = field.text() {
                            to.push(&[prefix, name].concat(), &text);
                        }
                    }
                }

                fn is_empty(&self) -> bool {
                    self.is_none()
                }

                fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let mut fields = f.debug_map();
                    for (name, _, field) in self.iter().flat_map(|part| part.fields()) {
                        fields.entry(&name, &$crate::webhook::family::print_by(|f| field.print(f)));
                    }
                    fields.finish()
                }
            }
        };
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

        /// Reads a text in any case: Event Streams writes in capitals what webhooks write in small letters.
        impl From<&str> for $choice {
            fn from(text: &str) -> Self {
                $(if text.eq_ignore_ascii_case($text) {
                    return Self::$variant;
                })+
                Self::Other(text.to_owned())
            }
        }

        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $choice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $choice {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::webhook::serial::read_choice(deserializer)
            }
        }

        impl $crate::webhook::field::FromText for $choice {
            fn from_text(text: &str) -> Option<Self> {
                Some(text.into())
            }

            fn as_text(&self) -> std::borrow::Cow<'_, str> {
                self.as_str().into()
            }
        }
    };
}

pub(super) use {choices, part, webhook};
