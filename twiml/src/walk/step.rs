//! What happens in a call or a conversation.

use std::fmt;

use super::Request;
use crate::Finding;

/// Something that happens in a call or a conversation. `Display` has it in a line or two.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Twilio requested something, and got this status. There is none if there was no answer.
    Requested(Request, Option<u16>),
    /// The app said this to the caller.
    Said(String),
    /// Twilio itself said this to the caller, since the app has failed.
    Apologized(String),
    /// The app played this to the caller: a URL, or the tones of keys.
    Played(String),
    /// Somebody else heard this: the called party, or those who wait.
    Overheard(String),
    /// The caller did this.
    Caller(String),
    /// The sender of messages wrote this.
    Wrote(String),
    /// Twilio called these: numbers, or what else can be called, such as `client:joe` or `conference:room`.
    Dialed(Vec<String>),
    /// The app sent this message.
    Sent(Reply),
    /// Twilio did this.
    Twilio(String),
    /// Something is wrong.
    Found(Fault),
    /// The call, or the answer to a message, has ended, for this reason.
    Ended(String),
}

/// A message that the app sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reply {
    /// Who gets it.
    pub to: String,
    /// The text.
    pub body: String,
    /// The URLs of pictures and other files.
    pub media: Vec<String>,
}

/// Something that is wrong with an app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// The number of Twilio's error or warning, if there is one: <https://www.twilio.com/docs/api/errors>.
    pub code: Option<u16>,
    /// The line of the document, from 1, if the fault is in one.
    pub line: Option<u32>,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// What to do: a sentence without its full stop.
    pub advice: String,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The lint found it in a document.
    Document,
    /// The app did not answer as Twilio needs it.
    Http,
    /// A redirect of HTTP drops the parameters of a request.
    DroppedParameters,
    /// The same document comes again and again.
    Loop,
    /// A caller who stays silent is hung up on without a word.
    Silence,
    /// The walk was stopped, since it took too many requests.
    TooLong,
}

impl Fault {
    pub(super) fn new(
        kind: FaultKind,
        code: Option<u16>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            code,
            line: None,
            message: message.into(),
            advice: advice.into(),
        }
    }

    pub(super) fn at(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        Self {
            kind: FaultKind::Document,
            code: finding.code(),
            line: Some(finding.line),
            message: finding.message,
            advice: finding.advice,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(code) = self.code {
            write!(f, "error {code}: ")?;
        }
        write!(f, "{}; {}", self.message, self.advice)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.body)?;
        for url in &self.media {
            write!(f, " [{url}]")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested(request, status) => {
                let (method, url) = (request.method.as_str(), &request.url);
                write!(f, "  {method} {url} ({}): ", request.reason)?;
                match status {
                    Some(status) => write!(f, "{status}"),
                    None => f.write_str("no answer"),
                }
            }
            Self::Said(text) => write!(f, "app: {text}"),
            Self::Apologized(text) => write!(f, "twilio: says \"{text}\""),
            Self::Played(url) => write!(f, "app: [plays {url}]"),
            Self::Overheard(text) => write!(f, "  {text}"),
            Self::Caller(text) => write!(f, "caller: {text}"),
            Self::Wrote(text) => write!(f, "sender: {text}"),
            Self::Dialed(who) => write!(f, "twilio: dials {}", who.join(", ")),
            Self::Sent(reply) => write!(f, "app: {reply}"),
            Self::Twilio(text) => write!(f, "twilio: {text}"),
            Self::Found(fault) => write!(f, "  FAULT {fault}"),
            Self::Ended(reason) => write!(f, "twilio: {reason}"),
        }
    }
}
