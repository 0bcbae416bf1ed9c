//! Why a message could not be read or sent, or why a session ended.

use std::{borrow::Cow, error::Error, fmt};

/// An error of a session: a message that could not be read or sent, or the end of the session.
///
/// It contains no part of any message, so it may be logged.
///
/// # Examples
///
/// An app that ignores what it can't read, and ends with the session:
///
/// ```
/// use actix_twilio::stream::{Media, Session, StreamError};
///
/// async fn listen(call: &mut Session<Media>) -> Result<(), StreamError> {
///     while let Some(message) = call.receive().await {
///         match message {
///             Ok(message) => println!("{message:?}"),
///             Err(err) if err.ends_session() => return Err(err),
///             Err(err) => println!("ignored: {err}"),
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    kind: StreamErrorKind,
    detail: Option<Cow<'static, str>>,
}

impl StreamError {
    pub(super) fn new(kind: StreamErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: Some(detail.into()),
        }
    }

    /// Says what is wrong with JSON, without its values: serde prints those of a wrong type.
    pub(super) fn malformed(err: &serde_json::Error) -> Self {
        let said = err.to_string();
        let names_no_value = [
            "missing field `",
            "duplicate field `",
            super::json::NOT_BASE64,
        ]
        .iter()
        .any(|start| said.starts_with(start));
        let detail = if names_no_value {
            said.into()
        } else if err.is_data() {
            let (line, column) = (err.line(), err.column());
            format!("a value has another type, at line {line} column {column}").into()
        } else {
            Cow::Borrowed("it is not JSON")
        };
        Self::new(StreamErrorKind::Malformed, detail)
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> StreamErrorKind {
        self.kind
    }

    /// Returns whether the session is over. After another error it goes on.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.kind.ends_session()
    }
}

impl From<StreamErrorKind> for StreamError {
    fn from(kind: StreamErrorKind) -> Self {
        Self { kind, detail: None }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for StreamError {}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $ends:literal, $text:literal;)+) => {
        /// What went wrong in a session.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StreamErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl StreamErrorKind {
            /// Returns the kind's name in `snake_case`, a stable label for logs and metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            fn ends_session(self) -> bool {
                match self {
                    $(Self::$kind => $ends,)+
                }
            }
        }

        impl fmt::Display for StreamErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$kind => $text,)+
                })
            }
        }
    };
}

kinds! {
    /// A message is not what Twilio documents. The session goes on.
    Malformed = "malformed", false, "a message could not be read";
    /// A message is binary: Twilio sends text. The session goes on.
    Binary = "binary", false, "a message is binary";
    /// A command was not sent, because Twilio would not act on it. The session goes on.
    NotSendable = "not_sendable", false, "a command can't be sent";
    /// A message is larger than the limit.
    TooLarge = "too_large", true, "a message is larger than the limit";
    /// The peer does not follow the WebSocket protocol, or a text is not UTF-8.
    Protocol = "protocol", true, "the peer does not follow the WebSocket protocol";
    /// The peer gave no sign of life within the time limit, or did not answer a close.
    Silent = "silent", true, "the peer gave no sign of life within the time limit";
    /// The peer did not read within the time limit what was sent to it.
    NotReading = "not_reading", true, "the peer does not read what is sent to it";
    /// The connection ended without a close.
    Disconnected = "disconnected", true, "the connection ended without a close";
    /// The session is closed, so nothing can be sent.
    Closed = "closed", true, "the session is closed";
}
