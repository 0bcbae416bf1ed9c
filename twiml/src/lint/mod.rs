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

/// What to do about a message that is too long.
pub(crate) const SHORTEN: &str =
    "shorten it to 1,600 characters, or answer with several <Message>s";

/// Says what is wrong with a message that Twilio does not send for its length.
pub(crate) fn too_long(message: &str) -> Option<String> {
    let count = message.trim().chars().count();
    (count > MAX_MESSAGE).then(|| format!("the message has {count} characters"))
}

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
    if namespaces(text) > MAX_NAMESPACES {
        return Err(Finding::new(
            FindingKind::Schema,
            START,
            format!("the document declares more than {MAX_NAMESPACES} namespaces"),
            "remove xmlns: TwiML has none",
        ));
    }
    Document::parse(text).map_err(|err| not_well_formed(text, &err))
}

/// Counts attributes that declare namespaces, without parsing the document: the parser compares each declaration with all
/// those of each element around it, which takes minutes for thousands of them, one inside of the other.
fn namespaces(text: &str) -> usize {
    let declares = |(name, value): &(&str, &str)| {
        let name = name.trim_end().rsplit(char::is_whitespace).next();
        name.is_some_and(|name| name.contains("xmlns"))
            && value.trim_start().starts_with(['"', '\''])
    };
    let pairs = text.split('=').zip(text.split('=').skip(1));
    pairs.filter(declares).count()
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

/// Cuts a text of the document, so that it can be shown.
fn shown(text: &str) -> String {
    const LIMIT: usize = 100;
    let cut: String = text.chars().take(LIMIT).collect();
    if cut.len() < text.len() {
        format!("{cut}...")
    } else {
        cut
    }
}
