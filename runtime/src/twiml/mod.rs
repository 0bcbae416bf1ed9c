//! Answers to webhooks: TwiML for calls and messages, and an empty response for status callbacks.
//!
//! Twilio asks what to do with a call or a message, and acts on the [TwiML](https://www.twilio.com/docs/voice/twiml)
//! in the answer. A webhook that only informs the app, such as a status callback, needs a status without a body:
//! [`NoContent`].
//!
//! # Examples
//!
//! ```
//! use actix_twilio::{twiml::{Twiml, Verb}, validate_twilio_request, webhook::IncomingCall};
//! use actix_web::post;
//!
//! #[post("/voice")]
//! #[validate_twilio_request]
//! async fn receive_call(call: IncomingCall) -> Twiml {
//!     Twiml::new([
//!         Verb::say(format!("Your number is {}.", call.from)).attribute("language", "en-GB"),
//!         Verb::hangup(),
//!     ])
//! }
//! ```

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::StatusCode};

/// The size in bytes above which Twilio may refuse an answer, with error 11750.
const LIMIT: usize = 64_000;

/// A TwiML document, which is sent with the content type `text/xml; charset=utf-8`.
///
/// Twilio accepts up to 64 kB ([error 11750](https://www.twilio.com/docs/api/errors/11750)). For a larger answer,
/// the log has a warning. Twilio acts on an answer only if its status is 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twiml(String);

impl Twiml {
    /// Constructs a document of verbs, which Twilio executes one after the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::twiml::{Twiml, Verb};
    ///
    /// let twiml = Twiml::new([Verb::message("1 < 2 & \"so on\"")]);
    /// assert_eq!(
    ///     twiml.as_str(),
    ///     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    ///      <Response><Message>1 &lt; 2 &amp; &quot;so on&quot;</Message></Response>",
    /// );
    /// ```
    #[must_use]
    pub fn new(verbs: impl IntoIterator<Item = Verb>) -> Self {
        let response = verbs.into_iter().fold(Verb::new("Response"), Verb::child);
        let response = response.into_xml();
        Self(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>{response}"
        ))
    }

    /// Constructs an empty document: Twilio then sends no reply to a message, and ends a call.
    #[must_use]
    pub fn empty() -> Self {
        Self::new([])
    }

    /// Constructs a document from text that was written by other means.
    ///
    /// # Security
    ///
    /// The text is not escaped. Escape anything in it that comes from a request, or the sender of a message can add
    /// verbs. A [`Verb`] escapes its text.
    #[must_use]
    pub fn from_xml(document: impl Into<String>) -> Self {
        Self(document.into())
    }

    /// Returns the document's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a response with any status, for example for an error handler.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::{AuthToken, TwilioConfig, twiml::{Twiml, Verb}};
    /// use actix_web::{error::InternalError, http::StatusCode};
    ///
    /// let config = TwilioConfig::builder()
    ///     .auth_token(AuthToken::new("12345")?)
    ///     .error_handler(|err, _req| {
    ///         let reject = Twiml::new([Verb::reject()]).response(StatusCode::FORBIDDEN);
    ///         InternalError::from_response(err, reject).into()
    ///     })
    ///     .build()?;
    /// # Ok::<(), actix_twilio::ConfigError>(())
    /// ```
    #[must_use]
    pub fn response(self, status: StatusCode) -> HttpResponse {
        if self.0.len() > LIMIT {
            tracing::warn!(
                target: "actix_twilio",
                bytes = self.0.len(),
                "a TwiML answer is larger than 64 kB, and Twilio may refuse it with error 11750: shorten it"
            );
        }
        HttpResponse::build(status)
            .content_type("text/xml; charset=utf-8")
            .body(self.0)
    }
}

impl fmt::Display for Twiml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Responder for Twiml {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response(StatusCode::OK)
    }
}

/// A verb of TwiML, or a noun inside a verb: an element with attributes, text and other elements.
///
/// The most common verbs have constructors of their own; [`new`](Self::new) makes any element. Text and the values
/// of attributes are escaped. Characters that XML does not allow at all, such as NUL and most control characters,
/// are left out, because a parser would refuse the whole document.
///
/// # Examples
///
/// ```
/// use actix_twilio::twiml::{Twiml, Verb};
///
/// let menu = Twiml::new([
///     Verb::gather()
///         .attribute("numDigits", 1)
///         .attribute("action", "/menu")
///         .child(Verb::say("Press 1 for sales.")),
///     Verb::new("Redirect").attribute("method", "GET").text("/voice"),
/// ]);
/// assert!(menu.as_str().ends_with(
///     "<Response><Gather numDigits=\"1\" action=\"/menu\"><Say>Press 1 for sales.</Say></Gather>\
///      <Redirect method=\"GET\">/voice</Redirect></Response>"
/// ));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verb {
    name: &'static str,
    attributes: String,
    content: String,
}

impl Verb {
    /// Constructs an element from its name, which is not escaped.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: String::new(),
            content: String::new(),
        }
    }

    /// Sends a message back: `<Message>`.
    ///
    /// A message with media has nouns instead of text:
    ///
    /// ```
    /// use actix_twilio::twiml::{Twiml, Verb};
    ///
    /// let picture = Verb::new("Message")
    ///     .child(Verb::new("Body").text("A picture"))
    ///     .child(Verb::new("Media").text("https://example.com/1.png"));
    /// assert!(Twiml::new([picture]).as_str().contains("<Body>A picture</Body><Media>"));
    /// ```
    pub fn message(text: impl AsRef<str>) -> Self {
        Self::new("Message").text(text)
    }

    /// Reads a text to the caller: `<Say>`.
    pub fn say(text: impl AsRef<str>) -> Self {
        Self::new("Say").text(text)
    }

    /// Plays a sound file to the caller: `<Play>`.
    pub fn play(url: impl AsRef<str>) -> Self {
        Self::new("Play").text(url)
    }

    /// Collects what the caller presses or says: `<Gather>`. Meanwhile, Twilio says or plays its children.
    pub fn gather() -> Self {
        Self::new("Gather")
    }

    /// Connects the caller with a number: `<Dial>`.
    pub fn dial(number: impl AsRef<str>) -> Self {
        Self::new("Dial").text(number)
    }

    /// Connects the call to a noun, such as a [`stream`](Self::stream): `<Connect>`.
    pub fn connect(noun: Self) -> Self {
        Self::new("Connect").child(noun)
    }

    /// Names the WebSocket of a media stream, `wss://...`: `<Stream>`, for [`connect`](Self::connect).
    pub fn stream(url: impl fmt::Display) -> Self {
        Self::new("Stream").attribute("url", url)
    }

    /// Continues with the TwiML of another URL: `<Redirect>`.
    pub fn redirect(url: impl AsRef<str>) -> Self {
        Self::new("Redirect").text(url)
    }

    /// Declines a call before it is answered, at no cost: `<Reject>`.
    pub fn reject() -> Self {
        Self::new("Reject")
    }

    /// Ends the call: `<Hangup>`.
    pub fn hangup() -> Self {
        Self::new("Hangup")
    }

    /// Adds an attribute. Its name is not escaped.
    pub fn attribute(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.attributes.push(' ');
        self.attributes.push_str(name);
        self.attributes.push_str("=\"");
        escape(&value.to_string(), &mut self.attributes);
        self.attributes.push('"');
        self
    }

    /// Adds text.
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        escape(text.as_ref(), &mut self.content);
        self
    }

    /// Adds an element inside this one.
    pub fn child(mut self, verb: Self) -> Self {
        self.content.push_str(&verb.into_xml());
        self
    }

    fn into_xml(self) -> String {
        let Self {
            name,
            attributes,
            content,
        } = self;
        if content.is_empty() {
            format!("<{name}{attributes}/>")
        } else {
            format!("<{name}{attributes}>{content}</{name}>")
        }
    }
}

/// Appends text so that an XML parser reads it back unchanged, except for characters that XML does not allow.
fn escape(text: &str, xml: &mut String) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // Parsers turn these into line feeds or spaces, unless they are escaped.
            '\t' => xml.push_str("&#9;"),
            '\n' => xml.push_str("&#10;"),
            '\r' => xml.push_str("&#13;"),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => xml.push(character),
        }
    }
}

/// An answer with status 204 and without a body, for webhooks that only inform: status callbacks and events.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     twiml::NoContent,
///     validate_twilio_request,
///     webhook::MessageStatusCallback,
/// };
/// use actix_web::post;
///
/// #[post("/status")]
/// #[validate_twilio_request]
/// async fn receive_status(message: MessageStatusCallback) -> NoContent {
///     println!("{} is {:?}", message.message_sid, message.message_status);
///     NoContent
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}
