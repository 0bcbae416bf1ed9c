//! An XML element, and what may be inside which element.

use std::{borrow::Cow, fmt};

/// Any element, for what Twilio added after this version of the crate.
///
/// It fits into each typed element, and holds anything: nothing is checked but that the result is well-formed. To add an
/// attribute that a typed element does not know, use that element's method `attribute`.
///
/// # Examples
///
/// ```
/// use twilio_twiml::{Element, Say, VoiceResponse};
///
/// let response = VoiceResponse::new().child(
///     Element::new("Whisper").attribute("volume", 0.5).child(Say::new("psst")),
/// );
/// assert!(response.to_xml().contains("<Whisper volume=\"0.5\"><Say>psst</Say></Whisper>"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Element {
    name: &'static str,
    /// In the order in which they were first set.
    attributes: Vec<(&'static str, String)>,
    /// As XML.
    content: String,
}

impl Element {
    /// Constructs an element from its name, which is not escaped.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            content: String::new(),
        }
    }

    /// Sets an attribute. Its name is not escaped. If it is set twice, the last value counts.
    pub fn attribute(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.set(name, value.to_string());
        self
    }

    /// Adds text or an element.
    pub fn child(mut self, child: impl Node) -> Self {
        self.push(child);
        self
    }

    /// Sets an attribute, or appends to the text if the name is [`TEXT`].
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        if name == TEXT {
            escape(&value, &mut self.content);
        } else if let Some((_, old)) = self.attributes.iter_mut().find(|(set, _)| *set == name) {
            *old = value;
        } else {
            self.attributes.push((name, value));
        }
    }

    pub(crate) fn push(&mut self, child: impl Node) {
        child.write(&mut self.content);
    }

    #[cfg(test)]
    pub(crate) fn without_content(mut self) -> Self {
        self.content.clear();
        self
    }

    /// Returns the length of the XML without attributes.
    pub(crate) fn capacity(&self) -> usize {
        "<></>".len() + 2 * self.name.len() + self.content.len()
    }

    pub(crate) fn write(&self, xml: &mut String) {
        xml.reserve(self.capacity());
        xml.push('<');
        xml.push_str(self.name);
        for (name, value) in &self.attributes {
            xml.push(' ');
            xml.push_str(name);
            xml.push_str("=\"");
            escape(value, xml);
            xml.push('"');
        }
        if self.content.is_empty() {
            xml.push_str("/>");
        } else {
            xml.push('>');
            xml.push_str(&self.content);
            xml.push_str("</");
            xml.push_str(self.name);
            xml.push('>');
        }
    }
}

/// Where the table has the name of an attribute, this stands for the element's text, as it does in the DOM.
pub(crate) const TEXT: &str = "#text";

/// Text or an element.
pub trait Node: private::Sealed {
    #[doc(hidden)]
    fn write(self, xml: &mut String);
}

/// What may be inside of `Parent`: Twilio refuses anything else there, with error
/// [12200](https://www.twilio.com/docs/api/errors/12200).
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be inside of `{Parent}`",
    label = "Twilio refuses it there, with error 12200",
    note = "the docs of `{Parent}` say what it holds; `Element` is for what is newer than this crate"
)]
pub trait ChildOf<Parent>: Node {}

/// An element that has text in it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no text in it",
    label = "Twilio refuses text there, with error 12200",
    note = "the docs of `{Self}` say what it holds"
)]
pub trait HoldsText {}

pub(crate) mod private {
    pub trait Sealed {}
}

macro_rules! text {
    ($($type:ty),+) => {$(
        impl private::Sealed for $type {}

        impl Node for $type {
            fn write(self, xml: &mut String) {
                escape(self.as_ref(), xml);
            }
        }

        impl<Parent: HoldsText> ChildOf<Parent> for $type {}
    )+};
}

text!(&str, String, &String, Cow<'_, str>);

impl private::Sealed for Element {}

impl Node for Element {
    fn write(self, xml: &mut String) {
        Self::write(&self, xml);
    }
}

impl<Parent> ChildOf<Parent> for Element {}

impl<T: Into<Element> + Typed> private::Sealed for T {}

impl<T: Into<Element> + Typed> Node for T {
    fn write(self, xml: &mut String) {
        self.into().write(xml);
    }
}

/// An element of the table.
#[doc(hidden)]
pub trait Typed {
    /// Its row in the table.
    #[cfg(feature = "lint")]
    fn spec() -> &'static crate::table::Spec;
}

/// Appends text so that an XML parser reads it back unchanged, except for characters that XML does not allow: they are
/// left out, because a parser would refuse the whole document.
fn escape(text: &str, xml: &mut String) {
    // Most text needs no escape and is copied as a whole.
    xml.reserve(text.len());
    let mut rest = text;
    let first = |text: &str| {
        let mut characters = text.char_indices();
        characters.find_map(|(at, c)| Some((at, at + c.len_utf8(), replacement(c)?)))
    };
    while let Some((at, end, replacement)) = first(rest) {
        xml.push_str(rest.get(..at).unwrap_or_default());
        xml.push_str(replacement);
        rest = rest.get(end..).unwrap_or_default();
    }
    xml.push_str(rest);
}

/// Returns what to write in place of a character that XML needs to have escaped, or does not allow.
fn replacement(character: char) -> Option<&'static str> {
    Some(match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&apos;",
        // Parsers turn these into line feeds or spaces, unless they are escaped.
        '\t' => "&#9;",
        '\n' => "&#10;",
        '\r' => "&#13;",
        '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => "",
        _ => return None,
    })
}
