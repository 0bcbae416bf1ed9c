//! Reads the frames of a WebSocket from a request's payload, within limits.
//!
//! `actix_ws::MessageStream` is not used: it buffers all that a frame declares before it looks at the limit, so an
//! endless frame fills the memory. Here, no more is read than the largest message and one read of the connection, and
//! what was read is copied, so that a small piece does not keep a large buffer.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use actix_http::ws::{OpCode, Parser, ProtocolError};
use actix_web::{
    body::{BodyStream, MessageBody},
    dev::Payload,
    web::{Bytes, BytesMut},
};
use actix_ws::{CloseCode, CloseReason};
use tokio::task::coop::consume_budget;

use super::StreamErrorKind;

/// The size in bytes of the largest head of a frame.
const MAX_HEAD: usize = 14;

/// What a peer sent.
pub(super) enum Frame {
    Text(String),
    Binary,
    /// A part of a message that is not complete yet.
    Part,
    Ping(Bytes),
    Pong,
    Close(Option<CloseReason>),
}

/// Why nothing more can be read, and the code to close with.
pub(super) type Fault = (StreamErrorKind, CloseCode);

const VIOLATION: Fault = (StreamErrorKind::Protocol, CloseCode::Protocol);
const NOT_UTF8: Fault = (StreamErrorKind::Protocol, CloseCode::Invalid);
const TOO_LARGE: Fault = (StreamErrorKind::TooLarge, CloseCode::Size);
const DISCONNECTED: Fault = (StreamErrorKind::Disconnected, CloseCode::Abnormal);

pub(super) struct Frames {
    payload: BodyStream<Payload>,
    read: BytesMut,
    /// In bytes, of a message.
    limit: usize,
    /// The message whose parts are arriving.
    message: Option<Parts>,
}

#[derive(Default)]
struct Parts {
    is_binary: bool,
    /// In bytes.
    size: usize,
    /// The bytes of a text. Nobody reads a binary message.
    text: Vec<u8>,
}

impl Frames {
    pub(super) fn new(payload: Payload, limit: usize) -> Self {
        Self {
            payload: BodyStream::new(payload),
            read: BytesMut::new(),
            limit,
            message: None,
        }
    }

    /// Waits for the next frame. After a fault, there is none.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Fault>> {
        // Thousands of small frames may have arrived, and other requests must not wait until all are read.
        ready!(pin!(consume_budget()).poll(cx));
        loop {
            match Parser::parse(&mut self.read, true, self.limit) {
                Ok(Some((is_last, code, data))) => {
                    return Poll::Ready(self.frame(is_last, code, &data.unwrap_or_default()));
                }
                Ok(None) if self.read.len() >= self.limit.saturating_add(MAX_HEAD) => {
                    return Poll::Ready(Err(TOO_LARGE));
                }
                Ok(None) => {}
                Err(ProtocolError::Overflow) => return Poll::Ready(Err(TOO_LARGE)),
                Err(_) => return Poll::Ready(Err(VIOLATION)),
            }
            match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(bytes)) => self.read.extend_from_slice(&bytes),
                // Twilio closes a WebSocket before it ends the connection.
                Some(Err(_)) | None => return Poll::Ready(Err(DISCONNECTED)),
            }
        }
    }

    fn frame(&mut self, is_last: bool, code: OpCode, data: &[u8]) -> Result<Frame, Fault> {
        match code {
            // RFC 6455, section 5.4
            OpCode::Text | OpCode::Binary if self.message.is_some() => Err(VIOLATION),
            OpCode::Text | OpCode::Binary => {
                self.message = Some(Parts {
                    is_binary: code == OpCode::Binary,
                    ..Parts::default()
                });
                self.part(is_last, data)
            }
            OpCode::Continue => self.part(is_last, data),
            // RFC 6455, section 5.5
            OpCode::Ping | OpCode::Pong | OpCode::Close if !is_last => Err(VIOLATION),
            OpCode::Ping => Ok(Frame::Ping(Bytes::copy_from_slice(data))),
            OpCode::Pong => Ok(Frame::Pong),
            OpCode::Close => match Parser::try_parse_close_payload(data) {
                Ok(reason) => Ok(Frame::Close(reason)),
                Err(_) => Err(VIOLATION),
            },
            OpCode::Bad => Err(VIOLATION),
        }
    }

    /// Adds a part to the message.
    fn part(&mut self, is_last: bool, data: &[u8]) -> Result<Frame, Fault> {
        let Some(message) = &mut self.message else {
            return Err(VIOLATION);
        };
        message.size += data.len();
        if message.size > self.limit {
            return Err(TOO_LARGE);
        }
        if !message.is_binary {
            message.text.extend_from_slice(data);
        }
        if !is_last {
            return Ok(Frame::Part);
        }
        let message = self.message.take().unwrap_or_default();
        if message.is_binary {
            return Ok(Frame::Binary);
        }
        match String::from_utf8(message.text) {
            Ok(text) => Ok(Frame::Text(text)),
            Err(_) => Err(NOT_UTF8),
        }
    }

    /// Waits for something, and meanwhile reads what the peer sends. It is discarded, except a close, which is noted:
    /// a peer that first writes and then reads must not wait for ever.
    pub(super) async fn discard_while<T>(
        &mut self,
        awaited: impl Future<Output = T>,
        is_closed: &mut bool,
    ) -> Result<T, Fault> {
        let mut awaited = pin!(awaited);
        std::future::poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = awaited.as_mut().poll(cx) {
                    return Poll::Ready(Ok(output));
                }
                if *is_closed {
                    return Poll::Pending;
                }
                if let Frame::Close(_) = ready!(self.poll_next(cx))? {
                    *is_closed = true;
                }
            }
        })
        .await
    }

    /// Waits for the peer's close. All else is discarded.
    pub(super) async fn discard_until_close(&mut self) -> Result<(), Fault> {
        std::future::poll_fn(|cx| {
            loop {
                if let Frame::Close(_) = ready!(self.poll_next(cx))? {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[actix_web::test]
    async fn small_frames_that_have_arrived_leave_others_their_turn() {
        const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];
        let mut frames = Frames::new(Payload::from(Bytes::from(PING.repeat(1000))), 1024);
        let (mut pings, mut turns) = (0, 0);
        poll_fn(|cx| {
            loop {
                match frames.poll_next(cx) {
                    Poll::Ready(Ok(_)) => pings += 1,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {
                        turns += 1;
                        return Poll::Pending;
                    }
                }
            }
        })
        .await;
        assert_eq!(pings, 1000);
        assert!(turns >= 5, "{turns}");
    }
}
