//! A connection that has switched to another protocol: bytes pass both ways, unread. Frames are recorded from a copy.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time,
};

use crate::inspect::{
    connection::PIECE,
    frames::{FrameParser, Seen},
    framing::{Headers, has_option, values},
    recorder::Recorder,
};

/// How long one side may go on after the other one has closed.
const CLOSING: Duration = Duration::from_secs(10);

/// Whether the messages of a WebSocket may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compression(bool);

impl Compression {
    /// Returns `None` if the protocol is not WebSocket.
    pub(super) fn of(answer: &Headers) -> Option<Self> {
        let deflates = values(answer, "Sec-WebSocket-Extensions")
            .any(|value| value.windows(18).any(|part| part == b"permessage-deflate"));
        has_option(answer, "Upgrade", "websocket").then_some(Self(deflates))
    }
}

/// Passes bytes on and records frames.
pub(super) struct Tunnel<'r> {
    recorder: &'r Recorder,
    id: u64,
    arrived: Instant,
    frames: Option<Compression>,
    /// The frames of both directions that are not recorded yet.
    seen: Mutex<Seen>,
}

/// One direction: the bytes that have arrived, where more come from, and where they go.
type Way<'w, R, W> = (&'w mut [u8], &'w mut R, &'w mut W);

impl<'r> Tunnel<'r> {
    pub(super) fn new(
        recorder: &'r Recorder,
        id: u64,
        arrived: Instant,
        frames: Option<Compression>,
    ) -> Self {
        Self {
            recorder,
            id,
            arrived,
            frames,
            seen: Mutex::default(),
        }
    }

    /// Passes bytes on until both sides have closed, or one of them for a while.
    pub(super) async fn run<R1, W1, R2, W2>(
        &mut self,
        to_app: Way<'_, R1, W1>,
        from_app: Way<'_, R2, W2>,
    ) where
        R1: AsyncRead + Unpin,
        W1: AsyncWrite + Unpin,
        R2: AsyncRead + Unpin,
        W2: AsyncWrite + Unpin,
    {
        let to_app = self.pass(to_app, false);
        let from_app = self.pass(from_app, true);
        tokio::pin!(to_app, from_app);
        let _ = tokio::select! {
            () = &mut to_app => time::timeout(CLOSING, from_app).await,
            () = &mut from_app => time::timeout(CLOSING, to_app).await,
        };
    }

    async fn pass<R, W>(&self, (first, from, to): Way<'_, R, W>, from_app: bool)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let parser = self.frames;
        let mut parser = parser.map(|Compression(may)| FrameParser::new(from_app, may));
        let mut piece = first.to_vec();
        loop {
            if to.write_all(&piece).await.is_err() {
                return;
            }
            if let Some(parser) = &mut parser {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                parser.take(&piece, self.arrived.elapsed(), &mut seen);
                self.recorder.frames(self.id, &mut seen);
            }
            piece.clear();
            piece.reserve(PIECE);
            match from.take(PIECE as u64).read_buf(&mut piece).await {
                Ok(count) if count > 0 => {}
                _ => break,
            }
        }
        let _ = to.shutdown().await;
    }

    /// Records that the connection has closed, and the frames that are not recorded yet.
    pub(super) async fn close(self) {
        let seen = self.seen.into_inner();
        let seen = seen.unwrap_or_else(PoisonError::into_inner);
        self.recorder.closed(self.id, seen).await;
    }
}
