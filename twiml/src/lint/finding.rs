//! What the lint finds.

use std::fmt;

use roxmltree::TextPos;

/// Something in a document that Twilio refuses or ignores.
///
/// `Display` has everything in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of fault it is.
    pub kind: FindingKind,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// What to do: a sentence without its full stop.
    pub advice: String,
}

/// The kinds of faults in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// The document is larger than 64 kB: error [11750](https://www.twilio.com/docs/api/errors/11750).
    Size,
    /// The document is not well-formed, or its root is not `<Response>`: error
    /// [12100](https://www.twilio.com/docs/api/errors/12100).
    Syntax,
    /// A name, a value, or where something is: error [12200](https://www.twilio.com/docs/api/errors/12200).
    Schema,
    /// The content type is not that of TwiML: error [12300](https://www.twilio.com/docs/api/errors/12300).
    ContentType,
    /// A message is too long to be sent: error [21617](https://www.twilio.com/docs/api/errors/21617).
    Length,
    /// Twilio takes the document, and never reaches a part of it.
    Flow,
}

impl Finding {
    pub(crate) fn new(
        kind: FindingKind,
        position: TextPos,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            line: position.row,
            column: position.col,
            message: message.into(),
            advice: advice.into(),
        }
    }

    /// Returns the number of Twilio's error, if the fault has one.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self.kind {
            FindingKind::Size => Some(11750),
            FindingKind::Syntax => Some(12100),
            FindingKind::Schema => Some(12200),
            FindingKind::ContentType => Some(12300),
            FindingKind::Length => Some(21617),
            FindingKind::Flow => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if let Some(code) = self.code() {
            write!(f, "error {code}: ")?;
        }
        write!(f, "{}; {}", self.message, self.advice)
    }
}
