//! Documents that are read, so that tests compare what Twilio sees instead of text.

use std::{collections::BTreeMap, fmt};

use roxmltree::Node;

use crate::lint::{Finding, FindingKind, MAX_DEPTH, parse};

/// An element that was read from a document.
///
/// Two are equal if Twilio sees the same in them: neither the order of attributes counts, nor comments, nor
/// indentation.
///
/// # Examples
///
/// ```
/// use twilio_twiml::Parsed;
///
/// let response = Parsed::parse("<Response><Gather numDigits='1'><Say>Press 1</Say></Gather></Response>")?;
/// let gather = response.find("Gather").unwrap();
/// assert_eq!(gather.attribute("numDigits"), Some("1"));
/// assert_eq!(gather.find("Say").unwrap().text(), "Press 1");
/// # Ok::<(), twilio_twiml::Finding>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) content: Vec<Content>,
    line: Line,
}

/// Where an element is in its document, from 1. Elements are equal wherever they are.
#[derive(Debug, Clone, Copy)]
struct Line(u32);

impl PartialEq for Line {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Line {}

/// Counts the lines up to elements that are read in the order of the text, so that each byte is looked at once.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn up_to(&mut self, at: usize) -> Line {
        let passed = self.text.get(self.at..at).unwrap_or_default();
        let ends = passed.matches('\n').count();
        self.line = self
            .line
            .saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.at = self.at.max(at);
        Line(self.line)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    Element(Parsed),
}

impl Parsed {
    /// Reads a document that is well-formed. [`check`](crate::check) says whether Twilio takes it.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the document if it is not well-formed XML, larger than
    /// [`MAX_BYTES`](crate::MAX_BYTES) or nested too deeply.
    pub fn parse(document: impl AsRef<[u8]>) -> Result<Self, Finding> {
        let document = parse(document.as_ref())?;
        if let Some(node) = document.descendants().find(|node| is_too_deep(*node)) {
            return Err(Finding::new(
                FindingKind::Schema,
                document.text_pos_at(node.range().start),
                format!("elements are nested more than {MAX_DEPTH} deep"),
                "nest them less deeply",
            ));
        }
        let mut lines = Lines {
            text: document.input_text(),
            at: 0,
            line: 1,
        };
        Ok(Self::read(document.root_element(), &mut lines))
    }

    /// Goes as deep as [`MAX_DEPTH`].
    fn read(node: Node<'_, '_>, lines: &mut Lines<'_>) -> Self {
        let line = lines.up_to(node.range().start);
        let attributes = node.attributes().map(|attribute| {
            let prefix = match attribute.namespace() {
                Some("http://www.w3.org/XML/1998/namespace") => "xml:".to_owned(),
                Some(namespace) => format!("{{{namespace}}}"),
                None => String::new(),
            };
            let name = format!("{prefix}{}", attribute.name());
            (name, attribute.value().to_owned())
        });
        let attributes = attributes.collect();
        let content = node.children().filter_map(|child| {
            if child.is_element() {
                return Some(Content::Element(Self::read(child, lines)));
            }
            let text = child.text().filter(|_| child.is_text())?;
            (!text.trim().is_empty()).then(|| Content::Text(text.to_owned()))
        });
        Self {
            name: node.tag_name().name().to_owned(),
            attributes,
            content: content.collect(),
            line,
        }
    }

    /// Returns the name, such as `Say`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the line of the document, from 1, in which the element starts.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line.0
    }

    /// Returns the value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Returns the names and values of the attributes, sorted by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let attributes = self.attributes.iter();
        attributes.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the text in this element, without that of elements inside.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text(text) => Some(text.as_str()),
            Content::Element(_) => None,
        });
        texts.collect()
    }

    /// Appends the text in this element and in those inside.
    #[cfg(feature = "walk")]
    pub(crate) fn collect_text(&self, text: &mut String) {
        for content in &self.content {
            match content {
                Content::Text(own) => text.push_str(own),
                Content::Element(element) => element.collect_text(text),
            }
        }
    }

    /// Returns the elements inside, in order.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|content| match content {
            Content::Text(_) => None,
            Content::Element(element) => Some(element),
        })
    }

    /// Returns the first element of a name, at any depth inside.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Self> {
        self.children().find_map(|child| {
            if child.name == name {
                Some(child)
            } else {
                child.find(name)
            }
        })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:1$}<{2}", "", 2 * depth, self.name)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}={value:?}")?;
        }
        writeln!(f, ">")?;
        for content in &self.content {
            match content {
                Content::Text(text) => writeln!(f, "{:1$}{text:?}", "", 2 * (depth + 1))?,
                Content::Element(element) => element.write(f, depth + 1)?,
            }
        }
        Ok(())
    }
}

/// Writes an outline: an element or a text a line.
impl fmt::Display for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Whether an element is nested more deeply than [`MAX_DEPTH`] below the root.
fn is_too_deep(node: Node<'_, '_>) -> bool {
    // The element itself, the root element and the document are among these.
    node.is_element() && node.ancestors().nth(MAX_DEPTH + 2).is_some()
}
