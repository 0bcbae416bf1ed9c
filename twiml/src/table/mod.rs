//! Twilio's verbs and nouns, as a table: what each is called and documented, what it needs, takes and holds.
//!
//! The types, their methods, what compiles inside of what, and the lint all follow from it.

pub(crate) mod connect;
pub(crate) mod dial;
pub(crate) mod messaging;
pub(crate) mod pay;
pub(crate) mod ssml;
pub(crate) mod voice;

#[cfg(feature = "lint")]
use crate::values::Kind;

/// A row of the table, for the lint.
#[cfg(feature = "lint")]
#[derive(Debug)]
pub struct Spec {
    pub(crate) name: &'static str,
    pub(crate) docs: &'static str,
    /// What must be there, as one of these lists: each is a constructor.
    pub(crate) needs: &'static [Needs],
    /// The attributes that may be there, besides those that constructors set.
    pub(crate) attributes: &'static [(&'static str, Kind)],
    pub(crate) holds_text: bool,
    pub(crate) children: &'static [fn() -> &'static Spec],
    /// An element from each constructor, with each attribute.
    #[cfg(test)]
    pub(crate) samples: fn() -> Vec<crate::Element>,
}

/// What a constructor takes.
#[cfg(feature = "lint")]
#[derive(Debug)]
pub(crate) struct Needs {
    /// Whether it takes some content: text or an element.
    pub(crate) content: bool,
    /// Attributes, and the text if its value has a type.
    pub(crate) values: &'static [(&'static str, Kind)],
}

/// Defines elements.
///
/// ```text
/// /// What it does.
/// Type = "ElementInXml", "https://its.documentation" {
///     fn constructor(<content>, "attribute" => parameter: Type, "#text" => parameter: Type);
///     "attribute" => method: Type,
///     ["#text", TypeOfChild, TypeOfChild]
/// }
/// ```
///
/// Each constructor takes what Twilio requires: `<content>` is one child at least, `"#text"` is text of a type. If an
/// element has several constructors, Twilio requires one of several things.
macro_rules! elements {
    ($(
        $(#[$doc:meta])*
        $type:ident = $name:literal, $docs:literal {
            $(
                fn $constructor:ident($(<$content:ident>$(,)?)? $($slot:literal => $parameter:ident: $parameter_type:ty),*);
            )+
            $($(#[$method_doc:meta])* $attribute:literal => $method:ident: $method_type:ty,)*
            $([$($text:literal,)? $($child:ident),*])?
        }
    )+) => {$(
        $(#[$doc])*
        #[doc = concat!("\n\nXML: `<", $name, ">`, [documentation](", $docs, ").")]
        $(#[doc = concat!("\n\nHolds:" $(, "\n* text, `", $text, "`")? $(, "\n* [`", stringify!($child), "`]")*)])?
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[must_use]
        pub struct $type {
            element: crate::Element,
        }

        impl $type {
            $(
                #[doc = concat!("Constructs `<", $name, ">`" $(, " with `", $slot, "`")*, ".")]
                #[allow(clippy::new_without_default, reason = "elements are written out")]
                pub fn $constructor(
                    $($content: impl crate::ChildOf<Self>,)?
                    $($parameter: impl Into<$parameter_type>),*
                ) -> Self {
                    #[allow(unused_mut, reason = "some elements require nothing")]
                    let mut element = crate::Element::new($name);
                    $(element.push($content);)?
                    $(crate::values::put::<$parameter_type>(&mut element, $slot, $parameter.into());)*
                    Self { element }
                }
            )+

            $(
                #[doc = concat!("Sets the attribute `", $attribute, "`.")]
                $(#[$method_doc])*
                pub fn $method(mut self, value: impl Into<$method_type>) -> Self {
                    crate::values::put::<$method_type>(&mut self.element, $attribute, value.into());
                    self
                }
            )*

            $(
                #[doc = concat!("Adds to what is inside: ", $($text, ", ",)? stringify!($($child),*), ".")]
                pub fn child(mut self, child: impl crate::ChildOf<Self>) -> Self {
                    self.element.push(child);
                    self
                }

                /// Adds several of the same type.
                pub fn children<C: crate::ChildOf<Self>>(
                    mut self,
                    children: impl IntoIterator<Item = C>,
                ) -> Self {
                    for child in children {
                        self.element.push(child);
                    }
                    self
                }
            )?

            /// Sets an attribute that is newer than this crate. Its name is not escaped.
            pub fn attribute(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
                self.element.set(name, value.to_string());
                self
            }
        }

        impl From<$type> for crate::Element {
            fn from(typed: $type) -> Self {
                typed.element
            }
        }

        impl crate::element::Typed for $type {
            #[cfg(feature = "lint")]
            fn spec() -> &'static crate::table::Spec {
                static SPEC: crate::table::Spec = crate::table::Spec {
                    name: $name,
                    docs: $docs,
                    needs: &[$(crate::table::Needs {
                        content: false $(|| !stringify!($content).is_empty())?,
                        values: &[$(($slot, <$parameter_type as crate::values::Value>::KIND)),*],
                    }),+],
                    attributes: &[$(($attribute, <$method_type as crate::values::Value>::KIND)),*],
                    holds_text: false $($(|| !$text.is_empty())?)?,
                    children: &[$($(<$child as crate::element::Typed>::spec),*)?],
                    #[cfg(test)]
                    samples: || vec![$(
                        crate::Element::from($type::$constructor(
                            $({ let $content = crate::samples::content::<$type>(); $content },)?
                            $(<$parameter_type as crate::values::Value>::sample()),*
                        ).with_each_attribute())
                    ),+],
                };
                &SPEC
            }
        }

        #[cfg(all(test, feature = "lint"))]
        impl $type {
            fn with_each_attribute(self) -> Self {
                self $(.$method(<$method_type as crate::values::Value>::sample()))*
            }
        }

        $(
            $(
                const _: &str = $text;
                impl crate::HoldsText for $type {}
            )?
            $(impl crate::ChildOf<$type> for $child {})*
        )?
    )+};
}

pub(crate) use elements;
