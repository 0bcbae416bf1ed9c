//! A request and its answer, as they went through the relay.

use std::{borrow::Cow, collections::VecDeque, time::Duration};

use crate::inspect::framing::{Body, Chunks, Headers};

/// The largest part of a body that is kept, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The largest number of frames of a WebSocket that are kept.
const MAX_FRAMES: usize = 500;

/// The largest sum of the payloads that are kept of a WebSocket, in bytes.
const MAX_PAYLOADS: usize = 64 * 1024;

/// A request, what became of it, and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// Counts up from 1, in the order in which requests arrived.
    pub(crate) id: u64,
    /// When the request's head had arrived, in milliseconds since 1970.
    pub(crate) started: u64,
    /// The address of the client.
    pub(crate) peer: String,
    pub(crate) source: Source,
    /// What the request is, such as `sms` or `message-status delivered`.
    pub(crate) kind: String,
    /// What its parameters say, in short.
    pub(crate) summary: Summary,
    /// The URL that the request is verified with. For an accepted request, it is the URL that was signed.
    pub(crate) url: String,
    pub(crate) request: Request,
    pub(crate) outcome: Outcome,
    pub(crate) frames: Frames,
    /// `None` if there is no token, or if the request can't be judged.
    pub(crate) verdict: Option<Verdict>,
    /// The first request with the same `I-Twilio-Idempotency-Token`.
    pub(crate) retry_of: Option<u64>,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It arrived at the relay's port.
    Arrived,
    /// It was sent again, byte for byte.
    Replayed { of: u64 },
    /// It was changed and signed again.
    Edited { of: u64 },
    /// It was changed so that it must be refused.
    Forged { of: u64 },
    /// It was made here: an event of `send`, or a line of a saved file.
    Made,
}

impl Source {
    /// Returns how the request was made, unless it arrived.
    pub(crate) fn origin(self) -> Option<String> {
        match self {
            Self::Arrived => None,
            Self::Replayed { of } => Some(format!("replayed here, from #{of}")),
            Self::Edited { of } => Some(format!("edited and signed here, from #{of}")),
            Self::Forged { of } => Some(format!("forged here, from #{of}")),
            Self::Made => Some("made and signed here".to_owned()),
        }
    }
}

/// A request. One that could not be read has an empty method, and all its bytes are in the head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Such as `1.1`.
    pub(crate) version: String,
    pub(crate) wire: Wire,
}

/// What one side sent, byte for byte.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    /// The first line and the headers, with the empty line at their end.
    pub(crate) head: Vec<u8>,
    /// The headers in order. A repeated header is there more than once.
    pub(crate) headers: Headers,
    /// The first [`MAX_BODY`] bytes that followed the head, with the framing of chunks.
    pub(crate) raw_body: Vec<u8>,
    /// The length of all that followed the head.
    pub(crate) raw_length: u64,
    pub(crate) chunked: bool,
    /// Whether the body came to its end.
    pub(crate) complete: bool,
}

/// What the list of requests shows of the parameters. They are read once, since a page that connects gets the list as a
/// whole, and a body of 64 KiB may have tens of thousands of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub(crate) call: Option<String>,
    pub(crate) message: Option<String>,
    /// Who sent what.
    pub(crate) text: String,
    /// The start of all values, in lower case.
    pub(crate) values: String,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Answered(Answer),
    /// The app gave no answer, and the relay gave one in its place.
    Failed(Failure),
}

/// The app's answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Such as `1.1`.
    pub(crate) version: String,
    pub(crate) wire: Wire,
    /// From the request's head to the first byte of the answer.
    pub(crate) first_byte: Duration,
    /// From the request's head to the end of the answer.
    pub(crate) end: Duration,
    /// What is wrong with the answer, such as a body that is cut off.
    pub(crate) problem: Option<String>,
}

/// Why there is no answer of the app.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// A sentence that says what happened and what to do.
    pub(crate) message: String,
    /// From the request's head to the failure.
    pub(crate) after: Duration,
    /// What the app sent, if it was not an HTTP answer.
    pub(crate) garbage: Vec<u8>,
}

/// What kept the app from answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The relay refused the request, since its borders are ambiguous or it is not HTTP.
    NotForwarded,
    /// Too many WebSockets are open.
    Busy,
    /// A newer connection took the place.
    Displaced,
    /// No connection to the app could be opened.
    Unreachable,
    /// The app did not answer within Twilio's time limit.
    TimedOut,
    /// The app closed the connection without an answer.
    Closed,
    /// What the app sent is not an HTTP answer.
    Garbage,
    /// The client went away before the app had answered.
    ClientGone,
}

/// The frames of a WebSocket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frames {
    /// The number of frames that went through.
    pub(crate) count: u64,
    /// The last frames.
    pub(crate) last: VecDeque<Frame>,
    /// Whether the connection has ended.
    pub(crate) closed: bool,
}

/// One frame of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) from_app: bool,
    /// From the request's head to the frame.
    pub(crate) after: Duration,
    pub(crate) opcode: u8,
    /// Whether it is the last frame of its message.
    pub(crate) is_final: bool,
    /// Whether the payload is compressed, and so not shown.
    pub(crate) compressed: bool,
    pub(crate) length: u64,
    /// The first bytes of the payload, unmasked.
    pub(crate) payload: Vec<u8>,
}

/// The tool's own verdict on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    /// `valid`, or the name of the kind of refusal.
    pub(crate) kind: &'static str,
    /// The URL that was signed, if it is known.
    pub(crate) signed_url: Option<String>,
    /// The names of the causes, the most likely one first.
    pub(crate) causes: Vec<&'static str>,
    /// What each cause means.
    pub(crate) descriptions: Vec<&'static str>,
    /// What to do: clauses, the likeliest one first, of which one is needed. It is empty if nothing needs to be done.
    pub(crate) advice: Vec<String>,
    /// Whether the app may rightly accept the request, for a URL that is not known here.
    pub(crate) may_be_genuine: bool,
}

impl Verdict {
    /// Returns the verdict on a request that is not genuine, without a cause.
    pub(crate) fn refused(kind: &'static str) -> Self {
        Self {
            accepted: false,
            kind,
            signed_url: None,
            causes: Vec::new(),
            descriptions: Vec::new(),
            advice: Vec::new(),
            may_be_genuine: false,
        }
    }
}

impl Exchange {
    /// Returns an exchange of which only the request is known.
    pub(crate) fn of(id: u64, started: u64, source: Source, request: Request) -> Self {
        Self {
            id,
            started,
            peer: String::new(),
            source,
            kind: String::new(),
            summary: Summary::default(),
            url: String::new(),
            request,
            outcome: Outcome::Answered(Answer::default()),
            frames: Frames::default(),
            verdict: None,
            retry_of: None,
        }
    }

    /// Returns roughly the memory that this takes.
    pub(crate) fn size(&self) -> usize {
        let outcome = match &self.outcome {
            Outcome::Answered(answer) => answer.wire.size(),
            Outcome::Failed(failure) => failure.message.len() + failure.garbage.len(),
        };
        let frames: usize = self.frames.last.iter().map(Frame::size).sum();
        let verdict = self
            .verdict
            .as_ref()
            .map_or(0, |verdict| verdict.advice.iter().map(String::len).sum());
        let summary = self.summary.text.len() + self.summary.values.len();
        let line = self.request.method.len() + self.request.target.len();
        let texts = line + self.url.len() * 2 + verdict + summary + 1024;
        self.request.wire.size() + outcome + frames + texts
    }

    /// Returns whether the connection switched to WebSocket or another protocol.
    pub(crate) fn switched(&self) -> bool {
        self.status() == 101
    }

    /// Returns the status that the client got.
    pub(crate) fn status(&self) -> u16 {
        match &self.outcome {
            Outcome::Answered(answer) => answer.status,
            Outcome::Failed(failure) => failure.kind.status(),
        }
    }

    /// Returns the time from the request's head to the end of the answer.
    pub(crate) fn duration(&self) -> Duration {
        match &self.outcome {
            Outcome::Answered(answer) => answer.end,
            Outcome::Failed(failure) => failure.after,
        }
    }
}

impl Frame {
    /// Returns roughly the memory that this takes.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + 80
    }
}

impl Frames {
    /// Adds the last of the frames that went through, of `count` in all.
    pub(crate) fn add(&mut self, last: VecDeque<Frame>, count: u64) {
        self.count += count;
        self.last.extend(last);
        let mut payloads: usize = self.last.iter().map(|frame| frame.payload.len()).sum();
        while self.last.len() > MAX_FRAMES || payloads > MAX_PAYLOADS {
            let oldest = self.last.pop_front();
            payloads -= oldest.map_or(0, |frame| frame.payload.len());
        }
    }
}

impl FailureKind {
    /// Returns the status of the relay's own answer.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::NotForwarded => 400,
            Self::Busy | Self::Displaced => 503,
            Self::TimedOut => 504,
            Self::Unreachable | Self::Closed | Self::Garbage | Self::ClientGone => 502,
        }
    }

    /// Returns the name of the failure in the output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotForwarded => "not_forwarded",
            Self::Busy => "busy",
            Self::Displaced => "displaced",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Closed => "closed",
            Self::Garbage => "garbage",
            Self::ClientGone => "client_gone",
        }
    }
}

impl Wire {
    /// Returns the body without the framing of chunks, as far as it was kept.
    pub(crate) fn body(&self) -> Cow<'_, [u8]> {
        if !self.chunked {
            return Cow::Borrowed(&self.raw_body);
        }
        let (mut chunks, mut body) = (Body::Chunked(Chunks::default()), Vec::new());
        // A chunk that is malformed, or was not kept, ends what is known of the body.
        let _ = chunks.take(&self.raw_body, |data| body.extend_from_slice(data));
        Cow::Owned(body)
    }

    /// Keeps the next bytes of the body, as far as there is room.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let room = MAX_BODY.saturating_sub(self.raw_body.len());
        self.raw_body
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.raw_length += bytes.len() as u64;
    }

    /// Returns whether everything that was sent was kept.
    pub(crate) fn is_whole(&self) -> bool {
        self.complete && self.raw_length == self.raw_body.len() as u64
    }

    /// Returns everything that was kept, as it was sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&*self.head, &self.raw_body].concat()
    }

    /// Returns roughly the memory that this takes.
    fn size(&self) -> usize {
        // What a header takes besides its texts: their places in the list, and what the allocator adds to each.
        const HEADER: usize = 112;

        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.len() + value.len() + HEADER);
        self.head.capacity() + self.raw_body.capacity() + headers.sum::<usize>()
    }

    /// Returns the values of a header.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let headers = self.headers.iter();
        let named = headers.filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| &**value)
    }
}
