//! The task behind a session: it reads frames, answers pings, notices a peer that is gone, and closes.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, OnceLock},
    task::Poll,
    time::Duration,
};

use actix_web::{
    rt::time::{Instant, sleep_until, timeout},
    web::Bytes,
};
use actix_ws::{CloseCode, CloseReason};
use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    StreamErrorKind,
    frames::{Fault, Frame, Frames},
    handshake::Limits,
    outgoing::Outgoing,
};

/// The number of messages that wait for the app. When there are so many, no more is read from the peer.
pub(super) const INBOX: usize = 8;

/// What a session gets.
pub(super) enum Incoming {
    Text(String),
    Binary,
    /// The session is over.
    End(StreamErrorKind),
}

/// What a session, its senders and its driver share.
#[derive(Default)]
pub(super) struct Control {
    /// The stream that commands are sent to.
    pub(super) stream_sid: OnceLock<String>,
    /// Why the session is over.
    pub(super) end: OnceLock<StreamErrorKind>,
    /// The code that the app closes with.
    pub(super) close_code: OnceLock<CloseCode>,
    /// That a sender found the peer not reading.
    pub(super) stuck: Notify,
}

pub(super) struct Driver {
    pub(super) frames: Frames,
    pub(super) socket: actix_ws::Session,
    pub(super) outgoing: Outgoing,
    pub(super) inbox: mpsc::Sender<Incoming>,
    pub(super) control: Arc<Control>,
    pub(super) limits: Limits,
}

/// What happens next.
enum Event {
    Frame(Result<Frame, Fault>),
    /// The app has closed the session, or dropped it.
    Left,
    /// A sender found the peer not reading.
    Stuck,
    /// The connection, or the response, is gone.
    Gone,
    /// It is time to look after the peer.
    Tick,
}

impl Driver {
    /// Runs until the session is over, and tells the one who closed it how it ended.
    pub(super) async fn run(mut self, closed: oneshot::Sender<Result<(), StreamErrorKind>>) {
        let end = self.drive().await;
        let _ = self
            .control
            .end
            .set(end.err().unwrap_or(StreamErrorKind::Closed));
        // Nobody may wait for it.
        let _ = closed.send(end);
        if let Err(kind) = end {
            let _ = self.inbox.send(Incoming::End(kind)).await;
        }
    }

    async fn drive(&mut self) -> Result<(), StreamErrorKind> {
        let mut heard = Instant::now();
        let mut pings = 0;
        loop {
            let tick = heard + self.limits.ping_interval.saturating_mul(pings + 1);
            match self.next(tick.min(heard + self.limits.peer_timeout)).await {
                Event::Frame(Ok(frame)) => {
                    match frame {
                        Frame::Text(text) => self.deliver(Incoming::Text(text)).await,
                        Frame::Binary => self.deliver(Incoming::Binary).await,
                        Frame::Ping(bytes) => self.answer(&bytes).await?,
                        Frame::Pong | Frame::Part => {}
                        Frame::Close(reason) => return self.close(reason, true).await,
                    }
                    // The time in which the app was busy does not count.
                    (heard, pings) = (Instant::now(), 0);
                }
                Event::Frame(Err((StreamErrorKind::Disconnected, _))) | Event::Gone => {
                    return Err(self.kill(StreamErrorKind::Disconnected));
                }
                Event::Frame(Err((kind, code))) => {
                    // The fault is what counts.
                    let _ = self.close(Some(code.into()), true).await;
                    return Err(kind);
                }
                Event::Left => {
                    let code = self.control.close_code.get().copied();
                    let reason = code.unwrap_or(CloseCode::Normal).into();
                    return self.close(Some(reason), false).await;
                }
                Event::Stuck => return Err(self.kill(StreamErrorKind::NotReading)),
                Event::Tick if heard.elapsed() >= self.limits.peer_timeout => {
                    // A peer that does not read can't answer pings either.
                    let ping = self.socket.ping(b"");
                    let kind = match timeout(Duration::ZERO, ping).await {
                        Ok(_) => StreamErrorKind::Silent,
                        Err(_) => StreamErrorKind::NotReading,
                    };
                    return Err(self.kill(kind));
                }
                Event::Tick => {
                    pings += 1;
                    self.ping().await?;
                }
            }
        }
    }

    async fn next(&mut self, tick: Instant) -> Event {
        let Self {
            frames,
            inbox,
            control,
            outgoing,
            ..
        } = self;
        let mut left = pin!(inbox.closed());
        let mut stuck = pin!(control.stuck.notified());
        let mut tick = pin!(sleep_until(tick));
        poll_fn(|cx| {
            // An app may leave because of it. A close frame would wait as long again.
            if stuck.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::Stuck);
            }
            if left.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::Left);
            }
            if let Poll::Ready(frame) = frames.poll_next(cx) {
                return Poll::Ready(Event::Frame(frame));
            }
            if outgoing.poll_gone(cx).is_ready() {
                return Poll::Ready(Event::Gone);
            }
            tick.as_mut().poll(cx).map(|()| Event::Tick)
        })
        .await
    }

    /// Waits while the app is busy with earlier messages.
    async fn deliver(&mut self, message: Incoming) {
        // If the app has left, that is noticed next.
        let _ = self.inbox.send(message).await;
    }

    async fn answer(&mut self, ping: &Bytes) -> Result<(), StreamErrorKind> {
        match timeout(self.limits.peer_timeout, self.socket.pong(ping)).await {
            // A session that is closed is noticed next.
            Ok(_) => Ok(()),
            Err(_) => Err(self.kill(StreamErrorKind::NotReading)),
        }
    }

    async fn ping(&mut self) -> Result<(), StreamErrorKind> {
        match timeout(self.limits.peer_timeout, self.socket.ping(b"")).await {
            Ok(_) => Ok(()),
            Err(_) => Err(self.kill(StreamErrorKind::NotReading)),
        }
    }

    /// Sends what is queued and a close frame, and waits for that of the peer unless it has come, or can't.
    async fn close(
        &mut self,
        reason: Option<CloseReason>,
        mut is_closed: bool,
    ) -> Result<(), StreamErrorKind> {
        let Limits {
            peer_timeout,
            close_timeout,
            ..
        } = self.limits;
        let (socket, outgoing) = (self.socket.clone(), self.outgoing.clone());
        let flush = async move {
            let _ = socket.close(reason).await;
            outgoing.handed_over().await
        };
        let flushed = self.frames.discard_while(flush, &mut is_closed);
        match timeout(peer_timeout, flushed).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Err(self.kill(StreamErrorKind::Disconnected)),
            Ok(Err((kind, _))) => return Err(self.kill(kind)),
            Err(_) => return Err(self.kill(StreamErrorKind::NotReading)),
        }
        if !is_closed {
            match timeout(close_timeout, self.frames.discard_until_close()).await {
                Ok(Ok(())) => {}
                Ok(Err((kind, _))) => return Err(self.kill(kind)),
                Err(_) => return Err(self.kill(StreamErrorKind::Silent)),
            }
        }
        self.outgoing.release();
        Ok(())
    }

    /// Ends the connection at once.
    fn kill(&self, kind: StreamErrorKind) -> StreamErrorKind {
        self.outgoing.kill();
        kind
    }
}

/// Waits at most so long.
pub(super) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    timeout(time, future).await.ok()
}
