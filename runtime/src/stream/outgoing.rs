//! The response's body: what is sent through the WebSocket.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// The driver's end of the body. It decides how the body ends: actix-ws ends it with the close frame, and then actix
/// would not wait for what the peer still sends and reads.
#[derive(Clone)]
pub(super) struct Outgoing(Rc<Shared>);

struct Shared {
    state: RefCell<State>,
    /// That of the connection.
    connection: Cell<Option<Waker>>,
    /// That of the driver.
    driver: Cell<Option<Waker>>,
}

enum State {
    /// Frames are sent.
    Open(BoxBody),
    /// All frames were given to the connection, the close frame last.
    HandedOver,
    /// The connection may end in peace.
    Released,
    /// The connection is ended at once.
    Killed,
    /// The connection has ended.
    Gone,
}

impl Outgoing {
    /// Takes the body of actix-ws, and returns the one of the response.
    pub(super) fn of(body: BoxBody) -> (Self, Body) {
        let shared = Rc::new(Shared {
            state: RefCell::new(State::Open(body)),
            connection: Cell::new(None),
            driver: Cell::new(None),
        });
        (Self(shared.clone()), Body(shared))
    }

    /// Waits until all frames were given to the connection, and returns whether they were: it may have ended.
    pub(super) async fn handed_over(&self) -> bool {
        std::future::poll_fn(|cx| match &*self.0.state.borrow() {
            State::Open(_) => {
                self.0.driver.set(Some(cx.waker().clone()));
                Poll::Pending
            }
            State::HandedOver | State::Released => Poll::Ready(true),
            State::Killed | State::Gone => Poll::Ready(false),
        })
        .await
    }

    /// Returns whether the connection has ended, or wakes up the caller when it does.
    pub(super) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &*self.0.state.borrow() {
            State::Gone => Poll::Ready(()),
            _ => {
                self.0.driver.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }

    /// Lets actix end the connection after what was handed over was sent.
    pub(super) fn release(&self) {
        self.end(State::Released);
    }

    /// Ends the connection at once, and frees what was not sent.
    pub(super) fn kill(&self) {
        self.end(State::Killed);
    }

    fn end(&self, end: State) {
        let before = self.0.state.replace(end);
        if let State::Gone = before {
            self.0.state.replace(before);
        }
        wake(&self.0.connection);
    }
}

fn wake(waker: &Cell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The response's body.
pub(super) struct Body(Rc<Shared>);

impl MessageBody for Body {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let shared = &self.0;
        let mut state = shared.state.borrow_mut();
        match &mut *state {
            State::Open(body) => match body.as_pin_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(ended()))),
                Poll::Ready(None) => {
                    *state = State::HandedOver;
                    wake(&shared.driver);
                }
                Poll::Pending => {}
            },
            State::HandedOver => {}
            State::Released | State::Gone => return Poll::Ready(None),
            State::Killed => return Poll::Ready(Some(Err(ended()))),
        }
        shared.connection.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

/// The reason that actix logs when a session ends its connection.
fn ended() -> Error {
    #[derive(Debug)]
    struct Ended;

    impl fmt::Display for Ended {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the session of a WebSocket ended the connection")
        }
    }

    impl std::error::Error for Ended {}

    io::Error::other(Ended).into()
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.state.replace(State::Gone);
        wake(&self.0.driver);
    }
}
