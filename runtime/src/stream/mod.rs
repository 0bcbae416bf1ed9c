//! Media Streams and `ConversationRelay`: voice calls over WebSockets, with types for the messages in both directions.
//!
//! The attribute validates the handshake, and the handler takes a [`Handshake`]:
//!
//! ```
//! use actix_twilio::{
//!     stream::{Audio, Handshake, Media, MediaMessage, Session, StreamError},
//!     validate_twilio_request,
//! };
//! use actix_web::{HttpResponse, get};
//!
//! #[get("/media")]
//! #[validate_twilio_request]
//! async fn open_media_stream(handshake: Handshake<Media>) -> HttpResponse {
//!     handshake.run(echo)
//! }
//!
//! /// Sends the audio back: the caller hears an echo.
//! async fn echo(call: &mut Session<Media>) -> Result<(), StreamError> {
//!     while let Some(message) = call.receive().await {
//!         if let MediaMessage::Media(media) = message? {
//!             call.send(Audio::new(media.payload)).await?;
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! | | Media Streams | ConversationRelay |
//! |---|---|---|
//! | in TwiML | [`<Connect><Stream>`](crate::twiml::Stream) | [`<Connect><ConversationRelay>`](crate::twiml::ConversationRelay) |
//! | what is sent | audio | text |
//! | the handler takes | [`Handshake<Media>`](Handshake) | [`Handshake<Relay>`](Handshake) |
//! | from Twilio | [`MediaMessage`] | [`RelayMessage`] |
//! | to Twilio | [`Audio`], [`Mark`], [`MediaCommand::Clear`] | [`Text`], [`Play`], [`Digits`], [`Language`], [`End`] |
//!
//! Twilio adds messages and members without notice. Members without a field are ignored, and a message of a new type is
//! an `Other` with its JSON. A message that can't be read is an error, which says why and contains no part of it. The
//! session then goes on, unless the app ends it.
//!
//! # Security
//!
//! Twilio does not sign what it sends through the open WebSocket: use TLS. A handler gets no session from a request that
//! nobody validated. While validation only reports or is off, it gets one from any handshake.
//!
//! What a peer can cause is bounded: a message in size (64 KiB), messages and commands that wait in number (8 and 32), and
//! a peer that neither sends a frame nor answers pings, or does not read, in time (45 seconds). The methods of
//! [`Handshake`] change that. The guide has a chapter on [WebSockets](crate::guide::websockets).
//!
//! # In logs
//!
//! The `Debug` of messages and commands prints neither audio nor text, keys, phone numbers or parameters.

mod driver;
mod error;
mod frames;
mod handshake;
mod json;
mod media;
mod outgoing;
mod relay;
mod session;

pub use self::{
    error::{StreamError, StreamErrorKind},
    handshake::{Extraction, Handshake},
    json::Unknown,
    media::{
        Audio, Connected, Dtmf, Mark, Marked, Media, MediaChunk, MediaCommand, MediaFormat,
        MediaMessage, Start, Stop, Track,
    },
    relay::{
        Digits, End, Info, Interrupt, Key, Language, Play, Prompt, Relay, RelayCommand, RelayError,
        RelayMessage, Setup, Text,
    },
    session::{Sender, Session},
};

/// The messages that go through a WebSocket: [`Media`] or [`Relay`].
pub trait Protocol: sealed::Sealed + 'static {
    /// What Twilio sends.
    type Message;
    /// What the app sends.
    type Command;

    #[doc(hidden)]
    fn read(text: &str) -> Result<Self::Message, StreamError>;

    #[doc(hidden)]
    fn write(command: &Self::Command, stream_sid: Option<&str>) -> Result<String, StreamError>;

    #[doc(hidden)]
    fn stream_sid(message: &Self::Message) -> Option<&str>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Media {}
    impl Sealed for super::Relay {}
}
