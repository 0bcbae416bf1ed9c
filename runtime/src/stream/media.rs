//! The messages of Media Streams: the audio of a call.

use std::{borrow::Cow, collections::BTreeMap};

use actix_web::web::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    Protocol, StreamError, StreamErrorKind,
    json::{self, Unknown, debug_without_contents},
};

/// Media Streams: Twilio sends the audio of a call, and plays the audio that the app sends.
///
/// In TwiML, [`<Connect><Stream>`](crate::twiml::Stream) opens such a WebSocket. `<Start><Stream>` opens one in which
/// the app only listens: Twilio ends it with [error 31924](https://www.twilio.com/docs/api/errors/31924) if the app
/// sends something.
///
/// Source: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
#[derive(Debug, Clone, Copy)]
pub struct Media;

impl Protocol for Media {
    type Message = MediaMessage;
    type Command = MediaCommand;

    fn read(text: &str) -> Result<MediaMessage, StreamError> {
        MediaMessage::read(text)
    }

    fn write(command: &MediaCommand, stream_sid: Option<&str>) -> Result<String, StreamError> {
        command.check()?;
        match (command, stream_sid) {
            (MediaCommand::Other(json), _) => Ok(json.clone()),
            (_, Some(stream_sid)) => Ok(command.to_json(stream_sid)),
            (_, None) => Err(StreamError::new(
                StreamErrorKind::NotSendable,
                "it needs the stream's SID, which the `start` message brings",
            )),
        }
    }

    fn stream_sid(message: &MediaMessage) -> Option<&str> {
        message.stream_sid()
    }
}

/// A message of Twilio.
///
/// Its `Debug` prints no audio, no keys and no parameters.
///
/// Source: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MediaMessage {
    /// The WebSocket is open. This is the first message.
    Connected(Connected),
    /// The stream starts. This is the second message.
    Start(Start),
    /// Audio.
    Media(MediaChunk),
    /// A key was pressed. Only bidirectional streams have it.
    Dtmf(Dtmf),
    /// All audio that the app had sent before a [`Mark`] was played, or was cleared.
    Mark(Marked),
    /// The stream, or the call, ended.
    Stop(Stop),
    /// A message that this version does not know.
    Other(Unknown),
}

/// The protocol of the messages that follow.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connected {
    /// `Call`.
    #[serde(default)]
    pub protocol: String,
    /// The version of the protocol: `1.0.0`.
    #[serde(default)]
    pub version: String,
}

/// What the stream is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Start {
    /// The stream, `MZ` and 32 hex digits.
    pub stream_sid: String,
    /// The account, `AC` and 32 hex digits.
    #[serde(default)]
    pub account_sid: String,
    /// The call, `CA` and 32 hex digits.
    pub call_sid: String,
    /// Whose audio is sent.
    #[serde(default)]
    pub tracks: Vec<Track>,
    /// The format of the audio, in both directions.
    #[serde(default)]
    pub media_format: MediaFormat,
    /// The `<Parameter>`s of the `<Stream>`.
    #[serde(default, deserialize_with = "json::parameters")]
    pub custom_parameters: BTreeMap<String, String>,
    /// The message's number: 1, and one more for each message that follows.
    #[serde(skip)]
    pub sequence_number: u64,
}

/// The format of audio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct MediaFormat {
    /// `audio/x-mulaw`: G.711 µ-law, a byte a sample.
    pub encoding: String,
    /// In Hz: 8000.
    #[serde(deserialize_with = "json::number")]
    pub sample_rate: u64,
    /// 1.
    #[serde(deserialize_with = "json::number")]
    pub channels: u64,
}

/// What Twilio sends always.
impl Default for MediaFormat {
    fn default() -> Self {
        Self {
            encoding: "audio/x-mulaw".to_owned(),
            sample_rate: 8000,
            channels: 1,
        }
    }
}

/// Whose audio it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Track {
    /// What Twilio receives from the caller: `inbound`.
    #[default]
    Inbound,
    /// What Twilio plays to the caller: `outbound`.
    Outbound,
    /// Another value, as Twilio sent it.
    Other(String),
}

impl Track {
    /// Returns the text that Twilio sends for this value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Other(text) => text,
        }
    }
}

impl Serialize for Track {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Track {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Ok(match text.as_str() {
            "inbound" => Self::Inbound,
            "outbound" => Self::Outbound,
            _ => Self::Other(text),
        })
    }
}

/// A piece of audio: 20 milliseconds, usually.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MediaChunk {
    /// Whose audio it is.
    #[serde(default)]
    pub track: Track,
    /// The number of the piece: 1, and one more for each piece that follows.
    #[serde(default, with = "json::number")]
    pub chunk: u64,
    /// When it was spoken, in milliseconds since the start of the stream.
    #[serde(default, with = "json::number")]
    pub timestamp: u64,
    /// The audio in the format of the [`Start`], without a header: 160 bytes are 20 milliseconds. In JSON it is base64.
    #[serde(with = "json::audio")]
    pub payload: Bytes,
    /// The message's number.
    #[serde(skip)]
    pub sequence_number: u64,
    /// The stream, `MZ` and 32 hex digits.
    #[serde(skip)]
    pub stream_sid: String,
}

/// A key that was pressed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dtmf {
    /// `inbound_track`.
    #[serde(default)]
    pub track: String,
    /// The key: `0` to `9`, `*` or `#`.
    pub digit: String,
    /// The message's number.
    #[serde(skip)]
    pub sequence_number: u64,
    /// The stream, `MZ` and 32 hex digits.
    #[serde(skip)]
    pub stream_sid: String,
}

/// A [`Mark`] that was reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Marked {
    /// The name that the app gave it.
    pub name: String,
    /// The message's number.
    #[serde(skip)]
    pub sequence_number: u64,
    /// The stream, `MZ` and 32 hex digits.
    #[serde(skip)]
    pub stream_sid: String,
}

/// The end of the stream. Twilio then closes the WebSocket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stop {
    /// The account, `AC` and 32 hex digits.
    #[serde(default)]
    pub account_sid: String,
    /// The call, `CA` and 32 hex digits.
    #[serde(default)]
    pub call_sid: String,
    /// The message's number.
    #[serde(skip)]
    pub sequence_number: u64,
    /// The stream, `MZ` and 32 hex digits.
    #[serde(skip)]
    pub stream_sid: String,
}

debug_without_contents! {
    Connected: protocol, version;
    Start: stream_sid, account_sid, call_sid, tracks, media_format, sequence_number;
    MediaChunk: track, chunk, timestamp, sequence_number, stream_sid;
    Dtmf: track, sequence_number, stream_sid;
    Marked: name, sequence_number, stream_sid;
    Stop: account_sid, call_sid, sequence_number, stream_sid;
    Audio: ;
    Mark: name;
}

/// A message or a command in JSON. It has one body, which is named like the event.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(with = "json::number", skip_serializing_if = "is_zero")]
    sequence_number: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    stream_sid: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Cow<'a, Start>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<Cow<'a, MediaChunk>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dtmf: Option<Cow<'a, Dtmf>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Cow<'a, Marked>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Cow<'a, Stop>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The name of a message.
#[derive(Deserialize)]
struct Tag {
    event: String,
}

impl MediaMessage {
    fn read(text: &str) -> Result<Self, StreamError> {
        let Tag { event } = json::read(text)?;
        match event.as_str() {
            "connected" => return Ok(Self::Connected(json::read(text)?)),
            "start" | "media" | "dtmf" | "mark" | "stop" => {}
            _ => return Ok(Self::Other(Unknown::new(event, text))),
        }
        let wire: Wire<'_> = json::read(text)?;
        let number = wire.sequence_number;
        let sid = wire.stream_sid.into_owned();
        macro_rules! body {
            ($variant:ident, $name:ident) => {{
                let mut body = match wire.$name {
                    Some(body) => body.into_owned(),
                    None => return Err(missing(stringify!($name))),
                };
                body.sequence_number = number;
                body.stream_sid = sid;
                Ok(Self::$variant(body))
            }};
        }
        match event.as_str() {
            "start" => {
                let mut start = wire.start.ok_or_else(|| missing("start"))?.into_owned();
                start.sequence_number = number;
                Ok(Self::Start(start))
            }
            "media" => body!(Media, media),
            "dtmf" => body!(Dtmf, dtmf),
            "mark" => body!(Mark, mark),
            _ => body!(Stop, stop),
        }
    }

    /// Returns the stream, `MZ` and 32 hex digits, if the message names one.
    #[must_use]
    pub fn stream_sid(&self) -> Option<&str> {
        let sid = match self {
            Self::Start(Start { stream_sid, .. })
            | Self::Media(MediaChunk { stream_sid, .. })
            | Self::Dtmf(Dtmf { stream_sid, .. })
            | Self::Mark(Marked { stream_sid, .. })
            | Self::Stop(Stop { stream_sid, .. }) => stream_sid,
            Self::Connected(_) | Self::Other(_) => return None,
        };
        (!sid.is_empty()).then_some(sid)
    }
}

fn missing(body: &str) -> StreamError {
    StreamError::new(
        StreamErrorKind::Malformed,
        format!("missing field `{body}`"),
    )
}

/// Writes a message as Twilio does, for tests.
impl Serialize for MediaMessage {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Opened<'a> {
            event: &'a str,
            #[serde(flatten)]
            connected: &'a Connected,
        }

        let mut wire = Wire {
            stream_sid: self.stream_sid().unwrap_or_default().into(),
            ..Wire::default()
        };
        macro_rules! body {
            ($name:ident: $body:expr) => {{
                wire.event = stringify!($name).into();
                wire.sequence_number = $body.sequence_number;
                wire.$name = Some(Cow::Borrowed($body));
            }};
        }
        match self {
            Self::Connected(connected) => {
                let event = "connected";
                return Opened { event, connected }.serialize(to);
            }
            Self::Start(body) => body!(start: body),
            Self::Media(body) => body!(media: body),
            Self::Dtmf(body) => body!(dtmf: body),
            Self::Mark(body) => body!(mark: body),
            Self::Stop(body) => body!(stop: body),
            Self::Other(unknown) => return unknown.serialize(to),
        }
        wire.serialize(to)
    }
}

impl<'de> Deserialize<'de> for MediaMessage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(from)?.to_string();
        Self::read(&json).map_err(de::Error::custom)
    }
}

/// A command to Twilio.
///
/// Twilio plays audio in the order in which it arrives, and buffers what arrives too early.
///
/// It ends the stream if it can't read a command, with [error
/// 31924](https://www.twilio.com/docs/api/errors/31924) or [31950](https://www.twilio.com/docs/api/errors/31950).
///
/// Source: <https://www.twilio.com/docs/voice/media-streams/websocket-messages#send-websocket-messages-to-twilio>.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaCommand {
    /// Plays audio.
    Audio(Audio),
    /// Asks for a message when all audio before it was played.
    Mark(Mark),
    /// Discards the audio that was not played yet. Twilio then answers the marks in it.
    Clear,
    /// A command that this version does not know: a JSON object, which is sent as it is.
    Other(String),
}

/// Audio to play.
#[derive(Clone, PartialEq, Eq)]
pub struct Audio(Bytes);

impl Audio {
    /// Takes audio in the format `audio/x-mulaw`, 8000 Hz, without a header: a file's header would be heard as noise.
    pub fn new(payload: impl Into<Bytes>) -> Self {
        Self(payload.into())
    }

    /// Returns the audio.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.0
    }
}

/// A mark between pieces of audio.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    name: String,
}

impl Mark {
    /// Gives it a name, by which the [answer](MediaMessage::Mark) is recognized.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<Audio> for MediaCommand {
    fn from(audio: Audio) -> Self {
        Self::Audio(audio)
    }
}

impl From<Mark> for MediaCommand {
    fn from(mark: Mark) -> Self {
        Self::Mark(mark)
    }
}

impl MediaCommand {
    fn check(&self) -> Result<(), StreamError> {
        match self {
            Self::Other(json) => json::check_object(json),
            Self::Audio(Audio(payload)) if payload.is_empty() => Err(StreamError::new(
                StreamErrorKind::NotSendable,
                "the audio is empty",
            )),
            Self::Audio(_) | Self::Mark(_) | Self::Clear => Ok(()),
        }
    }

    /// Returns the command in JSON, for a stream: `MZ` and 32 hex digits. A session does this by itself.
    #[must_use]
    pub fn to_json(&self, stream_sid: &str) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Addressed<'a> {
            event: &'a str,
            stream_sid: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            media: Option<Payload>,
            #[serde(skip_serializing_if = "Option::is_none")]
            mark: Option<Name<'a>>,
        }

        #[derive(Serialize)]
        struct Payload {
            #[serde(with = "json::audio")]
            payload: Bytes,
        }

        #[derive(Serialize)]
        struct Name<'a> {
            name: &'a str,
        }

        let (event, media, mark) = match self {
            Self::Audio(Audio(payload)) => {
                let payload = payload.clone();
                ("media", Some(Payload { payload }), None)
            }
            Self::Mark(Mark { name }) => ("mark", None, Some(Name { name })),
            Self::Clear => ("clear", None, None),
            Self::Other(json) => return json.clone(),
        };
        let addressed = Addressed {
            event,
            stream_sid,
            media,
            mark,
        };
        // Text and numbers can always be written.
        serde_json::to_string(&addressed).unwrap_or_default()
    }
}

/// Reads a command that an app sent, for tests.
impl<'de> Deserialize<'de> for MediaCommand {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Payload {
            #[serde(with = "json::audio")]
            payload: Bytes,
        }

        #[derive(Deserialize)]
        struct Name {
            name: String,
        }

        #[derive(Deserialize)]
        #[serde(tag = "event", rename_all = "camelCase")]
        enum Known {
            Media { media: Payload },
            Mark { mark: Name },
            Clear {},
        }

        let value = serde_json::Value::deserialize(from)?;
        let event = value.get("event").and_then(serde_json::Value::as_str);
        if !matches!(event, Some("media" | "mark" | "clear")) {
            return Ok(Self::Other(value.to_string()));
        }
        Ok(
            match Known::deserialize(value).map_err(de::Error::custom)? {
                Known::Media { media } => Audio(media.payload).into(),
                Known::Mark { mark } => Mark { name: mark.name }.into(),
                Known::Clear {} => Self::Clear,
            },
        )
    }
}
