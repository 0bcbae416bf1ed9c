//! Whole documents, as text.

use std::fmt;

use crate::{Element, MessagingResponse, VoiceResponse};

/// The size in bytes above which Twilio refuses an answer, with error
/// [11750](https://www.twilio.com/docs/api/errors/11750).
pub const MAX_BYTES: usize = 64_000;

/// The number of characters above which Twilio refuses a message, with error
/// [21617](https://www.twilio.com/docs/api/errors/21617).
pub const MAX_MESSAGE: usize = 1_600;

/// The content type of TwiML.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// A TwiML document as text: a response that was built, or text that was written by other means.
///
/// Handlers that answer calls and messages, or with a template, return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twiml(String);

impl Twiml {
    /// Constructs a document from text that was written by other means.
    ///
    /// # Security
    ///
    /// The text is not escaped. Escape anything in it that comes from a request, or the sender of a message can add
    /// verbs. The types of this crate escape their text.
    #[must_use]
    pub fn from_xml(document: impl Into<String>) -> Self {
        Self(document.into())
    }

    /// Returns the document's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the document's text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Twiml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! responses {
    ($($type:ident),+) => {$(
        impl $type {
            /// Returns the document's text, with its declaration.
            #[must_use]
            pub fn to_xml(&self) -> String {
                Twiml::from(self.clone()).0
            }
        }

        impl Default for $type {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_xml())
            }
        }

        impl From<$type> for Twiml {
            fn from(response: $type) -> Self {
                const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
                let response = Element::from(response);
                let mut xml = String::with_capacity(DECLARATION.len() + response.capacity());
                xml.push_str(DECLARATION);
                response.write(&mut xml);
                Self(xml)
            }
        }
    )+};
}

responses!(VoiceResponse, MessagingResponse);
