//! The JSON form of an exchange: what `verify --jsonl` and `explain` read, and what else is known in the field `listen`.

use std::{borrow::Cow, fmt, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use crate::inspect::{
    exchange::{Answer, Exchange, Failure, Frame, Frames, Outcome, Source, Verdict},
    framing::Headers,
};

impl Serialize for Exchange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record::of(self).serialize(serializer)
    }
}

/// The fields in the order of the output.
#[derive(Serialize)]
struct Record<'e> {
    id: u64,
    method: &'e str,
    url: &'e str,
    headers: Named<'e>,
    #[serde(flatten)]
    body: Body<'e>,
    listen: Listen<'e>,
}

#[derive(Serialize)]
struct Listen<'e> {
    /// In milliseconds since 1970.
    started: u64,
    kind: &'e str,
    target: &'e str,
    http_version: &'e str,
    status: u16,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'e Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerRecord<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureRecord<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<&'e Frames>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<u64>,
    source: Source,
    peer: &'e str,
    /// The length of what followed the head.
    body_length: u64,
    /// Whether `request_b64` has everything that was sent.
    whole: bool,
    request_b64: String,
}

#[derive(Serialize)]
struct AnswerRecord<'e> {
    status: u16,
    http_version: &'e str,
    headers: Named<'e>,
    #[serde(flatten)]
    body: Body<'e>,
    body_length: u64,
    first_byte_ms: f64,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'e str>,
}

#[derive(Serialize)]
struct FailureRecord<'e> {
    kind: &'static str,
    message: &'e str,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    garbage_b64: Option<String>,
}

/// A body as text, or in base64 if it is not UTF-8.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Body<'e> {
    Body(Cow<'e, str>),
    BodyB64(String),
}

/// Headers as an object. The values of a repeated header are a list.
struct Named<'e>(&'e Headers);

impl<'e> Record<'e> {
    fn of(exchange: &'e Exchange) -> Self {
        let request = &exchange.request;
        let (answer, failure) = match &exchange.outcome {
            Outcome::Answered(answer) => (Some(AnswerRecord::of(answer)), None),
            Outcome::Failed(failure) => (None, Some(FailureRecord::of(failure))),
        };
        Self {
            id: exchange.id,
            method: &request.method,
            url: &exchange.url,
            headers: Named(&request.wire.headers),
            body: Body::of(request.wire.body()),
            listen: Listen {
                started: exchange.started,
                kind: &exchange.kind,
                target: &request.target,
                http_version: &request.version,
                status: exchange.status(),
                ms: ms(exchange.duration()),
                verdict: exchange.verdict.as_ref(),
                answer,
                failure,
                frames: exchange.switched().then_some(&exchange.frames),
                retry_of: exchange.retry_of,
                source: exchange.source,
                peer: &exchange.peer,
                body_length: request.wire.raw_length,
                whole: request.wire.is_whole(),
                request_b64: BASE64_STANDARD.encode(request.wire.bytes()),
            },
        }
    }
}

impl<'e> AnswerRecord<'e> {
    fn of(answer: &'e Answer) -> Self {
        Self {
            status: answer.status,
            http_version: &answer.version,
            headers: Named(&answer.wire.headers),
            body: Body::of(answer.wire.body()),
            body_length: answer.wire.raw_length,
            first_byte_ms: ms(answer.first_byte),
            ms: ms(answer.end),
            problem: answer.problem.as_deref(),
        }
    }
}

impl<'e> FailureRecord<'e> {
    fn of(failure: &'e Failure) -> Self {
        let garbage = &failure.garbage;
        Self {
            kind: failure.kind.as_str(),
            message: &failure.message,
            ms: ms(failure.after),
            garbage_b64: (!garbage.is_empty()).then(|| BASE64_STANDARD.encode(garbage)),
        }
    }
}

impl<'e> Body<'e> {
    fn of(bytes: Cow<'e, [u8]>) -> Self {
        let text = match bytes {
            Cow::Borrowed(bytes) => str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|_| bytes.to_vec()),
            Cow::Owned(bytes) => String::from_utf8(bytes)
                .map(Cow::Owned)
                .map_err(std::string::FromUtf8Error::into_bytes),
        };
        match text {
            Ok(text) => Self::Body(text),
            Err(bytes) => Self::BodyB64(BASE64_STANDARD.encode(bytes)),
        }
    }
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, (name, _)) in self.0.iter().enumerate() {
            let before = self.0.iter().take(index);
            if before.into_iter().any(|(other, _)| other == name) {
                continue;
            }
            let named = self.0.iter().filter(|(other, _)| other == name);
            let values: Vec<_> = named
                .map(|(_, value)| String::from_utf8_lossy(value))
                .collect();
            match &*values {
                [value] => map.serialize_entry(name, value)?,
                values => map.serialize_entry(name, values)?,
            }
        }
        map.end()
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self {
            Self::Arrived => "arrived".to_owned(),
            Self::Replayed { of } => format!("replay of {of}"),
            Self::Edited { of } => format!("edited from {of}"),
            Self::Forged { of } => format!("forged from {of}"),
            Self::Made => "made".to_owned(),
        };
        serializer.serialize_str(&name)
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("accepted", &self.accepted)?;
        map.serialize_entry("kind", self.kind)?;
        map.serialize_entry("causes", &self.causes)?;
        map.serialize_entry("signed_url", &self.signed_url)?;
        map.serialize_entry("advice", &self.advice.join("; otherwise, "))?;
        map.end()
    }
}

impl Serialize for Frames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("count", &self.count)?;
        map.serialize_entry("closed", &self.closed)?;
        map.serialize_entry("last", &self.last)?;
        map.end()
    }
}

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from", if self.from_app { "app" } else { "client" })?;
        map.serialize_entry("ms", &ms(self.after))?;
        map.serialize_entry("opcode", &self.opcode)?;
        map.serialize_entry("final", &self.is_final)?;
        map.serialize_entry("length", &self.length)?;
        if self.compressed {
            map.serialize_entry("compressed", &true)?;
        } else if self.opcode == 1
            && let Ok(text) = str::from_utf8(&self.payload)
        {
            map.serialize_entry("text", text)?;
        } else {
            map.serialize_entry("payload_b64", &BASE64_STANDARD.encode(&self.payload))?;
        }
        map.end()
    }
}

/// Returns milliseconds with one digit after the point.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A request of a saved file, as it can be sent again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Why a line of a saved file can't be sent again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSaved {
    /// `listen` did not write it.
    Unknown,
    /// The request was longer than what is kept, or it did not arrive as a whole.
    NotWhole,
}

impl Saved {
    /// Parses a line of a saved file.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, NotSaved> {
        #[derive(Deserialize)]
        struct Line {
            id: u64,
            listen: Sent,
        }
        #[derive(Deserialize)]
        struct Sent {
            whole: bool,
            request_b64: String,
        }
        let Line { id, listen } = serde_json::from_slice(line).map_err(|_| NotSaved::Unknown)?;
        if !listen.whole {
            return Err(NotSaved::NotWhole);
        }
        let bytes = BASE64_STANDARD.decode(listen.request_b64);
        let bytes = bytes.map_err(|_| NotSaved::Unknown)?;
        Ok(Self { id, bytes })
    }
}

impl fmt::Display for NotSaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "`listen` did not write it",
            Self::NotWhole => {
                "the request was not kept as a whole: its body is longer than 64 KiB, or it did not arrive to its end"
            }
        })
    }
}
