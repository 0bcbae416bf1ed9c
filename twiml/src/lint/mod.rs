//! Finds what Twilio would refuse in a document.

mod finding;
mod names;
mod schema;
mod value;

use roxmltree::{Document, Error, TextPos};

pub use self::finding::{Finding, FindingKind};
#[cfg(test)]
pub(crate) use self::schema::specs;
use crate::{MAX_BYTES, MAX_MESSAGE};

/// What a document answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A call.
    Voice,
    /// A message.
    Messaging,
}

/// Checks a TwiML document, and returns what Twilio would refuse or never reach, in the order of the text.
///
/// Whether it answers a call or a message is seen by its verbs; [`check_for`] is told. A document of more than
/// [`MAX_BYTES`] is not read any further, so that work and memory are bounded whatever it says.
///
/// # Examples
///
/// ```
/// let findings = twilio_twiml::check("<Response>\n  <Say langauge='en-GB'>Hello</Say>\n</Response>");
/// assert_eq!(findings.len(), 1);
/// assert_eq!(findings[0].code(), Some(12200));
/// assert_eq!(
///     findings[0].to_string(),
///     "line 2, column 8: error 12200: <Say> has no attribute \"langauge\"; write \"language\"",
/// );
/// ```
#[must_use]
pub fn check(document: impl AsRef<[u8]>) -> Vec<Finding> {
    match parse(document.as_ref()) {
        Ok(document) => schema::check(&document, None),
        Err(finding) => vec![finding],
    }
}

/// Checks a TwiML document that answers a call, or one that answers a message, as [`check`] does.
#[must_use]
pub fn check_for(channel: Channel, document: impl AsRef<[u8]>) -> Vec<Finding> {
    match parse(document.as_ref()) {
        Ok(document) => schema::check(&document, Some(channel)),
        Err(finding) => vec![finding],
    }
}

/// Checks a whole answer: the value of its `Content-Type`, if it has any, and its body.
#[must_use]
pub fn check_answer(content_type: Option<&str>, body: impl AsRef<[u8]>) -> Vec<Finding> {
    let essence = content_type.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    let is_xml = ["text/xml", "application/xml"]
        .iter()
        .any(|xml| xml.eq_ignore_ascii_case(essence));
    let mut findings = Vec::new();
    if !is_xml {
        let message = match content_type {
            Some(found) => format!("the content type {:?} is not that of TwiML", shown(found)),
            None => "the answer has no content type".to_owned(),
        };
        findings.push(Finding::new(
            FindingKind::ContentType,
            START,
            message,
            "answer with \"text/xml\", or with status 204 and no body if there is nothing to say",
        ));
    }
    findings.extend(check(body));
    findings
}

/// How deep elements may be nested. Text within text of [`Say`](crate::Say) can be nested at will.
pub(crate) const MAX_DEPTH: usize = 50;

/// How many namespaces a document may declare.
const MAX_NAMESPACES: usize = 100;

/// How long the name of a namespace may be, in bytes.
const MAX_NAMESPACE: usize = 200;

/// How many attributes an element may have. No element of TwiML knows half as many.
const MAX_ATTRIBUTES: usize = 100;

/// What to do about a message that is too long.
pub(crate) const SHORTEN: &str =
    "shorten it to 1,600 characters, or answer with several <Message>s";

/// Says what is wrong with a message that Twilio does not send for its length.
pub(crate) fn too_long(message: &str) -> Option<String> {
    let count = message.trim().chars().count();
    (count > MAX_MESSAGE).then(|| format!("the message has {count} characters"))
}

/// What to do about too many namespaces.
const REMOVE_XMLNS: &str = "remove xmlns: TwiML has none";

const START: TextPos = TextPos { row: 1, col: 1 };

/// Parses a document that is small enough for Twilio.
pub(crate) fn parse(document: &[u8]) -> Result<Document<'_>, Finding> {
    if document.len() > MAX_BYTES {
        let message = format!("the document has {} bytes", document.len());
        let advice =
            format!("shorten it to {MAX_BYTES} bytes, for example with a <Redirect> to the rest");
        return Err(Finding::new(FindingKind::Size, START, message, advice));
    }
    let text = std::str::from_utf8(document).map_err(|err| {
        let valid = document.get(..err.valid_up_to()).unwrap_or_default();
        Finding::new(
            FindingKind::Syntax,
            after(&String::from_utf8_lossy(valid)),
            "the document is not UTF-8",
            "write it in UTF-8",
        )
    })?;
    let tags = Tags::of(text);
    let too_much = if tags.most_attributes > MAX_ATTRIBUTES {
        Some((
            format!("an element has more than {MAX_ATTRIBUTES} attributes"),
            "remove attributes that TwiML does not have",
        ))
    } else if tags.namespaces.len() > MAX_NAMESPACES {
        Some((
            format!("the document declares more than {MAX_NAMESPACES} namespaces"),
            REMOVE_XMLNS,
        ))
    } else if tags.namespaces.iter().any(|n| n.len() > MAX_NAMESPACE) {
        Some((
            format!("the document declares a namespace of more than {MAX_NAMESPACE} bytes"),
            REMOVE_XMLNS,
        ))
    } else {
        None
    };
    if let Some((message, advice)) = too_much {
        return Err(Finding::new(FindingKind::Schema, START, message, advice));
    }
    Document::parse(text).map_err(|err| not_well_formed(text, &err))
}

/// What makes a document costly to parse. The parser compares each declaration of a namespace with all those
/// of each element around it, and each attribute with all others of its element, with the names of their namespaces. Either
/// takes minutes if nobody limits it.
#[derive(Default)]
struct Tags<'t> {
    /// The names of the namespaces that are declared.
    namespaces: Vec<&'t str>,
    /// The largest number of attributes of an element, with its declarations of namespaces.
    most_attributes: usize,
}

impl<'t> Tags<'t> {
    /// Looks through a document without parsing it, at least up to where the parser finds an error.
    fn of(text: &'t str) -> Self {
        const ASIDES: [(&str, &str); 3] = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];
        let mut tags = Self::default();
        let mut rest = text;
        while let Some((_, markup)) = rest.split_once('<') {
            let mut asides = ASIDES.into_iter();
            let aside = asides.find_map(|(start, end)| Some((markup.strip_prefix(start)?, end)));
            rest = match aside {
                Some((aside, end)) => aside.split_once(end).map_or("", |(_, after)| after),
                None => tags.after_tag(markup),
            };
        }
        tags
    }

    /// Adds what a tag has, and returns what follows the tag.
    fn after_tag(&mut self, tag: &'t str) -> &'t str {
        let mut rest = tag;
        let mut attributes = 0;
        while let Some((before, mark, after)) = split_at_mark(rest) {
            if mark == '>' {
                return after;
            }
            let Some((value, after)) = after.split_once(mark) else {
                break;
            };
            attributes += 1;
            self.most_attributes = self.most_attributes.max(attributes);
            if before.contains("xmlns") {
                self.namespaces.push(value);
            }
            rest = after;
        }
        ""
    }
}

/// Splits a text at the next quote or end of a tag.
fn split_at_mark(text: &str) -> Option<(&str, char, &str)> {
    let (at, mark) = text
        .char_indices()
        .find(|(_, c)| matches!(c, '"' | '\'' | '>'))?;
    Some((text.get(..at)?, mark, text.get(at + 1..)?))
}

fn not_well_formed(text: &str, err: &Error) -> Finding {
    let advice = match err {
        Error::NoRootNode if text.trim().is_empty() => "answer with <Response/>",
        Error::DuplicatedAttribute(..) => "write the attribute once",
        Error::DtdDetected => "remove <!DOCTYPE>: TwiML has none",
        Error::UnexpectedDeclaration(_) => {
            "let the document start with <?xml, without anything before it"
        }
        Error::UnknownEntityReference(..) | Error::MalformedEntityReference(_) => {
            "write & as &amp;"
        }
        Error::NonXmlChar(..) => "leave the character out: XML does not allow it",
        Error::UnexpectedCloseTag(..) | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            "close each element in the order in which they were opened"
        }
        _ => "write & as &amp; and < as &lt;, and quote each attribute",
    };
    let position = match err {
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => after(text),
        Error::DtdDetected => after(text.split("<!DOCTYPE").next().unwrap_or_default()),
        _ => err.pos(),
    };
    let message = match err {
        Error::DuplicatedAttribute(name, _) => format!("the attribute {name:?} is there twice"),
        err => {
            let message = err.to_string();
            let place = format!(" at {}", err.pos());
            let message = message.strip_suffix(&place).unwrap_or(&message);
            // It quotes the document, and a finding has one line.
            message.replace(char::is_control, " ")
        }
    };
    Finding::new(
        FindingKind::Syntax,
        position,
        format!("the document is not well-formed: {}", shown(&message)),
        advice,
    )
}

/// Returns the position after a text.
fn after(text: &str) -> TextPos {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let line = text.rsplit('\n').next().unwrap_or_default();
    TextPos::new(
        number(text.matches('\n').count() + 1),
        number(line.chars().count() + 1),
    )
}

/// Cuts a text of the document, so that it can be shown. If an `@` is cut off, what may be a password before it is left out:
/// without the `@`, nobody could recognize it later.
pub(crate) fn shown(text: &str) -> String {
    const LIMIT: usize = 100;
    match split_after(text, LIMIT) {
        (_, "") => text.to_owned(),
        (start, rest) if rest.contains('@') => format!("{}...", before_user_info(start)),
        (start, _) => format!("{start}..."),
    }
}

/// Returns the first characters of a text that a walk shows. If they end within a word and an `@` follows in it, what may be
/// a password before the `@` is left out.
#[cfg(any(test, feature = "walk"))]
pub(crate) fn first_chars(text: &str, count: usize) -> String {
    let (start, rest) = split_after(text, count);
    let rest_of_word = rest.split(char::is_whitespace).next();
    if !rest_of_word.is_some_and(|rest| rest.contains('@')) {
        return start.to_owned();
    }
    let (before, word) = start.split_at(start.rfind(char::is_whitespace).unwrap_or_default());
    [before, before_user_info(word)].concat()
}

/// Splits a text after so many characters.
fn split_after(text: &str, count: usize) -> (&str, &str) {
    let end = text.char_indices().nth(count).map(|(at, _)| at);
    end.and_then(|end| text.split_at_checked(end))
        .unwrap_or((text, ""))
}

/// Returns a text up to where a user name and a password may begin.
fn before_user_info(text: &str) -> &str {
    let starts = [":", "//", "\\\\"].map(|before| text.find(before).map(|at| at + before.len()));
    let end = starts.into_iter().flatten().min();
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_cut_from_the_rest_of_its_url() {
        let long = "x".repeat(90);
        for (text, expected) in [
            (format!("{long}https://u:pw@h/m"), "https:..."),
            (format!("{long}//u:password@h/m"), "//..."),
            (format!("{long}sip:u:p@ssword@h"), "sip:..."),
            (format!("{long}\\\\u:password@h"), "\\\\..."),
            (format!("{long}https://example.com"), "https://ex..."),
            ("https://u:pw@h/m".to_owned(), "https://u:pw@h/m"),
        ] {
            assert_eq!(shown(&text).replace(&long, ""), expected);
        }
        for (text, count, expected) in [
            ("a: b https://u:pw@h", 17, "a: b https:"),
            ("a: b https://u:pw@h", 18, "a: b https://u:pw@"),
            ("a: b https://u:pw, c@d", 17, "a: b https://u:pw"),
            ("a: b sip:u:pw@h", 12, "a: b sip:"),
            ("a: b c@d", 100, "a: b c@d"),
            ("a: b c@d", 6, "a: b c"),
            ("", 1, ""),
        ] {
            assert_eq!(first_chars(text, count), expected);
        }
    }

    #[test]
    fn every_namespace_and_attribute_that_the_parser_sees_is_counted() {
        const PARTS: [&str; 16] = [
            "<a",
            "<a ",
            "/>",
            ">",
            "</a>",
            " xmlns:x\n=\n'y'",
            " xmlns=\"z'\"",
            "xmlns:\u{1680}='y'",
            "\"y\"",
            " b='>'",
            "'",
            "<!--",
            "-->",
            "<?a ",
            "?>",
            "<![CDATA[",
        ];
        const LENGTH: u32 = 4;
        let mut seen = 0;
        for mut number in 0..PARTS.len().pow(LENGTH) {
            let mut text = "<a><a ".to_owned();
            for _ in 0..LENGTH {
                text += PARTS[number % PARTS.len()];
                number /= PARTS.len();
            }
            for end in ["</a>", "</a></a>", "?></a>", "]]></a></a>", "--></a></a>"] {
                let text = format!("{text}{end}");
                let Ok(document) = Document::parse(&text) else {
                    continue;
                };
                let tags = Tags::of(&text);
                let found = &tags.namespaces;
                for node in document.descendants() {
                    for namespace in node.namespaces() {
                        seen += 1;
                        assert!(found.contains(&namespace.uri()), "{text:?}: {found:?}");
                    }
                    assert!(tags.most_attributes >= node.attributes().len(), "{text:?}");
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }
}
