//! The messages of ConversationRelay: what a caller says, and what the app answers, as text.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    Protocol, StreamError, StreamErrorKind,
    json::{self, Unknown, debug_without_contents},
};

/// `ConversationRelay`: Twilio turns what the caller says into text, and text of the app into speech.
///
/// In TwiML, [`<Connect><ConversationRelay>`](crate::twiml::ConversationRelay) opens such a WebSocket.
///
/// Source: <https://www.twilio.com/docs/voice/conversationrelay/websocket-messages>.
#[derive(Debug, Clone, Copy)]
pub struct Relay;

impl Protocol for Relay {
    type Message = RelayMessage;
    type Command = RelayCommand;

    fn read(text: &str) -> Result<RelayMessage, StreamError> {
        RelayMessage::read(text)
    }

    fn write(command: &RelayCommand, _: Option<&str>) -> Result<String, StreamError> {
        command.check()?;
        if let RelayCommand::Other(json) = command {
            return Ok(json.clone());
        }
        // Text and numbers can always be written.
        Ok(serde_json::to_string(command).unwrap_or_default())
    }

    fn stream_sid(_: &RelayMessage) -> Option<&str> {
        None
    }
}

/// A message of Twilio.
///
/// Its `Debug` prints neither what was said or pressed, nor who called.
///
/// Source: <https://www.twilio.com/docs/voice/conversationrelay/websocket-messages#getting-messages-from-twilio>.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "messages are taken one by one, and patterns read better without a box"
)]
pub enum RelayMessage {
    /// The session starts. This is the first message.
    Setup(Setup),
    /// The caller said something.
    Prompt(Prompt),
    /// The caller interrupted what was being said.
    Interrupt(Interrupt),
    /// The caller pressed a key. Needs `dtmfDetection` in the TwiML.
    Dtmf(Key),
    /// Something went wrong, for example because Twilio could not read a command. The session goes on.
    Error(RelayError),
    /// What happens meanwhile, if the TwiML's `events` asks for it.
    Info(Info),
    /// A message that this version does not know.
    Other(Unknown),
}

/// What the session is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Setup {
    /// The session, `VX` and 32 hex digits.
    #[serde(default, deserialize_with = "json::or_default")]
    pub session_id: String,
    /// The account, `AC` and 32 hex digits.
    #[serde(default, deserialize_with = "json::or_default")]
    pub account_sid: String,
    /// The call, `CA` and 32 hex digits.
    pub call_sid: String,
    /// The call that this call belongs to.
    #[serde(default, deserialize_with = "json::or_default")]
    pub parent_call_sid: String,
    /// The caller: a phone number in E.164, a client or a SIP address.
    #[serde(default, deserialize_with = "json::or_default")]
    pub from: String,
    /// The number or address that was called.
    #[serde(default, deserialize_with = "json::or_default")]
    pub to: String,
    /// The number that the call was forwarded from.
    #[serde(default, deserialize_with = "json::or_default")]
    pub forwarded_from: String,
    /// The caller's name, if the number is looked up.
    #[serde(default, deserialize_with = "json::or_default")]
    pub caller_name: String,
    /// `PSTN`, for example.
    #[serde(default, deserialize_with = "json::or_default")]
    pub call_type: String,
    /// `inbound` or `outbound`.
    #[serde(default, deserialize_with = "json::or_default")]
    pub direction: String,
    /// In capitals: `RINGING`.
    #[serde(default, deserialize_with = "json::or_default")]
    pub call_status: String,
    /// The `<Parameter>`s of the `<ConversationRelay>`.
    #[serde(default, deserialize_with = "json::parameters")]
    pub custom_parameters: BTreeMap<String, String>,
}

/// What the caller said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Prompt {
    /// The text.
    pub voice_prompt: String,
    /// The language, such as `en-US`.
    #[serde(default, deserialize_with = "json::or_default")]
    pub lang: String,
    /// Whether the caller has finished. It is always so without `partialPrompts` in the TwiML.
    #[serde(default = "yes")]
    pub last: bool,
}

fn yes() -> bool {
    true
}

/// What was heard before the caller interrupted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Interrupt {
    /// The text that was spoken. A model that is told what the caller heard needs this instead of what was sent.
    #[serde(default, deserialize_with = "json::or_default")]
    pub utterance_until_interrupt: String,
    /// How long it was spoken, in milliseconds.
    #[serde(default, deserialize_with = "json::number")]
    pub duration_until_interrupt_ms: u64,
}

/// A key that the caller pressed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Key {
    /// The key: `0` to `9`, `*` or `#`.
    pub digit: String,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RelayError {
    /// In words. It may quote the command that Twilio could not read.
    #[serde(default, deserialize_with = "json::or_default")]
    pub description: String,
}

/// What happens meanwhile.
///
/// Twilio documents the events that can be asked for, not their messages:
/// `agentSpeaking` and `clientSpeaking` with the value `on` or `off`, and `tokensPlayed` with the text.
///
/// Source: <https://www.twilio.com/docs/voice/twiml/connect/conversationrelay>.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Info {
    /// What it is about.
    #[serde(default, deserialize_with = "json::or_default")]
    pub name: String,
    /// What is said about it. A value that is no text is in JSON.
    #[serde(default, deserialize_with = "json::as_text")]
    pub value: String,
}

debug_without_contents! {
    Setup: session_id, account_sid, call_sid, parent_call_sid, call_type, direction, call_status;
    Prompt: lang, last;
    Interrupt: duration_until_interrupt_ms;
    Key: ;
    RelayError: ;
    Info: name;
    Text: last, lang, interruptible, preemptible;
    Play: loops, interruptible, preemptible;
    End: ;
}

/// The name of a message.
#[derive(Deserialize)]
struct Tag {
    r#type: String,
}

/// A message or a command with its name.
#[derive(Serialize)]
struct Tagged<'a, T> {
    r#type: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

impl RelayMessage {
    fn read(text: &str) -> Result<Self, StreamError> {
        let Tag { r#type } = json::read(text)?;
        Ok(match r#type.as_str() {
            "setup" => Self::Setup(json::read(text)?),
            "prompt" => Self::Prompt(json::read(text)?),
            "interrupt" => Self::Interrupt(json::read(text)?),
            "dtmf" => Self::Dtmf(json::read(text)?),
            "error" => Self::Error(json::read(text)?),
            "info" => Self::Info(json::read(text)?),
            _ => Self::Other(Unknown::new(r#type, text)),
        })
    }
}

/// Writes a message as Twilio does, for tests.
impl Serialize for RelayMessage {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Setup(body) => tagged("setup", body, to),
            Self::Prompt(body) => tagged("prompt", body, to),
            Self::Interrupt(body) => tagged("interrupt", body, to),
            Self::Dtmf(body) => tagged("dtmf", body, to),
            Self::Error(body) => tagged("error", body, to),
            Self::Info(body) => tagged("info", body, to),
            Self::Other(unknown) => unknown.serialize(to),
        }
    }
}

fn tagged<S: Serializer>(name: &str, body: &impl Serialize, to: S) -> Result<S::Ok, S::Error> {
    Tagged { r#type: name, body }.serialize(to)
}

impl<'de> Deserialize<'de> for RelayMessage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(from)?.to_string();
        Self::read(&json).map_err(de::Error::custom)
    }
}

/// A command to Twilio.
///
/// Twilio ignores a command that it can't read, and the session goes on: the app gets a
/// [`RelayMessage::Error`], and the account [error 64107](https://www.twilio.com/docs/api/errors/64107).
///
/// Source: <https://www.twilio.com/docs/voice/conversationrelay/websocket-messages#sending-messages-to-twilio>.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayCommand {
    /// Says something.
    Text(Text),
    /// Plays a file.
    Play(Play),
    /// Presses keys.
    SendDigits(Digits),
    /// Changes the language.
    Language(Language),
    /// Ends the session. Twilio then requests the `action` of the `<Connect>`.
    End(End),
    /// A command that this version does not know: a JSON object, which is sent as it is.
    Other(String),
}

/// Text to speak, or a part of it.
///
/// Send the tokens of a language model as they come, each as a [`token`](Self::token), and the end as
/// [`last`](Self::last): Twilio begins to speak before it has them all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    token: String,
    #[serde(default)]
    last: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lang: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interruptible: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preemptible: Option<bool>,
}

impl Text {
    /// Says a part of a text. More follows.
    pub fn token(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            last: false,
            lang: None,
            interruptible: None,
            preemptible: None,
        }
    }

    /// Says a whole text, or the last part of one. It may be empty.
    pub fn last(token: impl Into<String>) -> Self {
        Self {
            last: true,
            ..Self::token(token)
        }
    }

    /// Says it in another language, such as `es-MX`: one that the TwiML has a voice for.
    #[must_use]
    pub fn lang(self, lang: impl Into<String>) -> Self {
        Self {
            lang: Some(lang.into()),
            ..self
        }
    }

    /// Sets whether the caller can interrupt it. Otherwise the TwiML decides.
    #[must_use]
    pub fn interruptible(self, interruptible: bool) -> Self {
        Self {
            interruptible: Some(interruptible),
            ..self
        }
    }

    /// Sets whether the next text stops it. By default it does not.
    #[must_use]
    pub fn preemptible(self, preemptible: bool) -> Self {
        Self {
            preemptible: Some(preemptible),
            ..self
        }
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// Returns whether nothing follows.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.last
    }
}

/// A file to play.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    source: String,
    #[serde(rename = "loop", default, skip_serializing_if = "Option::is_none")]
    loops: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interruptible: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preemptible: Option<bool>,
}

impl Play {
    /// Takes the URL of a file, in a format that [`<Play>`](crate::twiml::Play) can play.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            loops: None,
            interruptible: None,
            preemptible: None,
        }
    }

    /// Sets how often it is played: once by default, and without end with 0 (at most 1000 times).
    #[must_use]
    pub fn loops(self, loops: u32) -> Self {
        Self {
            loops: Some(loops),
            ..self
        }
    }

    /// Sets whether the caller can interrupt it. Otherwise the TwiML decides.
    #[must_use]
    pub fn interruptible(self, interruptible: bool) -> Self {
        Self {
            interruptible: Some(interruptible),
            ..self
        }
    }

    /// Sets whether the next text or file stops it. By default it does not.
    #[must_use]
    pub fn preemptible(self, preemptible: bool) -> Self {
        Self {
            preemptible: Some(preemptible),
            ..self
        }
    }

    /// Returns the URL.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Keys to press.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digits {
    digits: String,
}

impl Digits {
    /// Takes keys: `0` to `9`, `*` and `#`, and `w` for a wait of half a second.
    pub fn new(digits: impl Into<String>) -> Self {
        Self {
            digits: digits.into(),
        }
    }

    /// Returns the keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.digits
    }

    fn check(&self) -> Result<(), StreamError> {
        let is_key =
            |byte: u8| matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'w' | b'W' | b'A'..=b'D');
        if self.digits.is_empty() || !self.digits.bytes().all(is_key) {
            let reason = "the keys are not of 0 to 9, *, # and w";
            return Err(StreamError::new(StreamErrorKind::NotSendable, reason));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digits").finish_non_exhaustive()
    }
}

/// The language from now on. The TwiML must have a voice for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Language {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tts_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transcription_language: Option<String>,
}

impl Language {
    /// Sets the language that is spoken and understood, such as `es-MX`.
    pub fn both(language: impl Into<String>) -> Self {
        let language = Some(language.into());
        Self {
            tts_language: language.clone(),
            transcription_language: language,
        }
    }

    /// Sets the language of text whose own language is not set.
    pub fn spoken(language: impl Into<String>) -> Self {
        Self {
            tts_language: Some(language.into()),
            transcription_language: None,
        }
    }

    /// Sets the language in which the caller is understood.
    pub fn understood(language: impl Into<String>) -> Self {
        Self {
            tts_language: None,
            transcription_language: Some(language.into()),
        }
    }
}

/// The end of the session.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handoff_data: Option<String>,
}

impl End {
    /// Ends the session with nothing to pass on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the session and passes text on, usually JSON, to the `action` of the `<Connect>`. There it is the
    /// `handoff_data` of `ConversationRelayResult`, in the module `webhook`.
    ///
    /// Put no card data in it: Twilio [does not treat it as such](https://www.twilio.com/docs/voice/twiml/connect/conversationrelay).
    pub fn with_handoff(data: impl Into<String>) -> Self {
        Self {
            handoff_data: Some(data.into()),
        }
    }

    /// Returns what is passed on.
    #[must_use]
    pub fn handoff_data(&self) -> Option<&str> {
        self.handoff_data.as_deref()
    }
}

macro_rules! commands {
    ($($variant:ident($type:ident) = $name:literal,)+) => {
        $(impl From<$type> for RelayCommand {
            fn from(body: $type) -> Self {
                Self::$variant(body)
            }
        })+

        impl Serialize for RelayCommand {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(body) => tagged($name, body, to),)+
                    Self::Other(json) => Unknown::new(String::new(), json).serialize(to),
                }
            }
        }

        /// Reads a command that an app sent, for tests.
        impl<'de> Deserialize<'de> for RelayCommand {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(from)?;
                let name = value.get("type").and_then(serde_json::Value::as_str);
                Ok(match name.map(str::to_owned).as_deref() {
                    $(Some($name) => {
                        Self::$variant($type::deserialize(value).map_err(de::Error::custom)?)
                    })+
                    _ => Self::Other(value.to_string()),
                })
            }
        }
    };
}

commands! {
    Text(Text) = "text",
    Play(Play) = "play",
    SendDigits(Digits) = "sendDigits",
    Language(Language) = "language",
    End(End) = "end",
}

impl RelayCommand {
    fn check(&self) -> Result<(), StreamError> {
        match self {
            Self::SendDigits(digits) => digits.check(),
            Self::Other(json) => json::check_object(json),
            Self::Text(_) | Self::Play(_) | Self::Language(_) | Self::End(_) => Ok(()),
        }
    }
}
