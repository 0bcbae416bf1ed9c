//! An open WebSocket, as an app sees it.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use actix_ws::CloseCode;
use tokio::sync::{mpsc, oneshot};

use super::{
    Protocol, StreamError, StreamErrorKind,
    driver::{Control, Incoming, within},
};
use crate::sid::is_sid;

/// An open WebSocket of Twilio: messages come in, and commands are sent.
///
/// A task of the session answers pings and looks after the peer, also while the app does something else.
/// If a session is dropped, it is closed, and what was sent before arrives.
///
/// # Limits
///
/// - At most 8 messages wait for [`receive`](Self::receive). Then no more is read, and the peer has to wait.
/// - At most 32 commands wait to be written. Then [`send`](Self::send) waits.
pub struct Session<P: Protocol> {
    inbox: mpsc::Receiver<Incoming>,
    sender: Sender<P>,
    closed: oneshot::Receiver<Result<(), StreamErrorKind>>,
}

impl<P: Protocol> Session<P> {
    pub(super) fn new(
        inbox: mpsc::Receiver<Incoming>,
        sender: Sender<P>,
        closed: oneshot::Receiver<Result<(), StreamErrorKind>>,
    ) -> Self {
        Self {
            inbox,
            sender,
            closed,
        }
    }

    /// Waits for the next message. `None` means that the peer has closed the WebSocket.
    ///
    /// It may be given up before it is done, as `tokio::select!` does: no message is lost.
    ///
    /// # Errors
    ///
    /// An error is a message that could not be read, or the end of the session
    /// ([`ends_session`](StreamError::ends_session)). After the end comes `None`.
    pub async fn receive(&mut self) -> Option<Result<P::Message, StreamError>> {
        let text = match self.inbox.recv().await? {
            Incoming::Text(text) => text,
            Incoming::Binary => return Some(Err(StreamErrorKind::Binary.into())),
            Incoming::End(kind) => return Some(Err(kind.into())),
        };
        let message = P::read(&text);
        if let Ok(message) = &message
            && let Some(sid) = P::stream_sid(message)
            && self.stream_sid().is_none()
            // Each command repeats it, so it is not to be long.
            && is_sid(sid.as_bytes())
        {
            // Nobody else sets it.
            let _ = self.sender.control.stream_sid.set(sid.to_owned());
        }
        Some(message)
    }

    /// Sends a command. Waits while 32 commands wait to be written: a peer that reads slowly slows the app down.
    ///
    /// # Errors
    ///
    /// If Twilio would not act on the command, it is not sent. If the session is over, or the peer does not read within
    /// the [time limit](super::Handshake::peer_timeout), nothing can be sent any more.
    pub async fn send(&mut self, command: impl Into<P::Command>) -> Result<(), StreamError> {
        self.sender.send(command).await
    }

    /// Returns a sender, for another task.
    #[must_use]
    pub fn sender(&self) -> Sender<P> {
        self.sender.clone()
    }

    /// Returns the stream of Media Streams that commands are sent to, `MZ` and 32 hex digits, as soon as a message has
    /// named it.
    #[must_use]
    pub fn stream_sid(&self) -> Option<&str> {
        self.sender.control.stream_sid.get().map(String::as_str)
    }

    /// Closes the WebSocket: all that was sent before is written, then a close frame, and then the peer's is awaited.
    ///
    /// # Errors
    ///
    /// The peer did not read all of it, or did not close in return, within the time limits.
    pub async fn close(self) -> Result<(), StreamError> {
        self.close_with(CloseCode::Normal).await
    }

    /// Closes it because the app failed.
    pub(super) async fn close_with(self, code: CloseCode) -> Result<(), StreamError> {
        let Self {
            inbox,
            sender,
            closed,
        } = self;
        // Only this closes it.
        let _ = sender.control.close_code.set(code);
        drop(inbox);
        let end = closed.await.unwrap_or(Err(StreamErrorKind::Disconnected));
        Ok(end?)
    }
}

impl<P: Protocol> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("stream_sid", &self.stream_sid())
            .finish_non_exhaustive()
    }
}

/// Sends commands, from any task. See [`Session::send`].
pub struct Sender<P: Protocol> {
    socket: actix_ws::Session,
    control: Arc<Control>,
    timeout: Duration,
    protocol: PhantomData<fn() -> P>,
}

impl<P: Protocol> Sender<P> {
    pub(super) fn new(socket: actix_ws::Session, control: Arc<Control>, timeout: Duration) -> Self {
        Self {
            socket,
            control,
            timeout,
            protocol: PhantomData,
        }
    }

    /// Sends a command.
    ///
    /// # Errors
    ///
    /// Those of [`Session::send`].
    pub async fn send(&mut self, command: impl Into<P::Command>) -> Result<(), StreamError> {
        let stream_sid = self.control.stream_sid.get().map(String::as_str);
        let text = P::write(&command.into(), stream_sid)?;
        match within(self.timeout, self.socket.text(text)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(self.end().into()),
            None => {
                self.control.stuck.notify_one();
                Err(StreamErrorKind::NotReading.into())
            }
        }
    }

    fn end(&self) -> StreamErrorKind {
        let end = self.control.end.get().copied();
        end.unwrap_or(StreamErrorKind::Closed)
    }
}

impl<P: Protocol> Clone for Sender<P> {
    fn clone(&self) -> Self {
        Self::new(self.socket.clone(), self.control.clone(), self.timeout)
    }
}

impl<P: Protocol> fmt::Debug for Sender<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
