//! The handshake of a WebSocket, as an extractor.

use std::{
    fmt,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use actix_http::ws::HandshakeError;
use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, rt, web,
};
use actix_ws::CloseCode;
use tokio::sync::{mpsc, oneshot};

use super::{
    Protocol, Sender, Session,
    driver::{Control, Driver, INBOX},
    frames::Frames,
    outgoing::Outgoing,
};
use crate::{
    error::ValidationError,
    gate::{NotEnforced, Proof, let_arrive},
    origin::is_websocket_handshake,
};

/// A handshake that was validated: an extractor for handlers of [`Media`](super::Media) and [`Relay`](super::Relay).
///
/// If the handler answers otherwise, the WebSocket is not opened.
///
/// # Security
///
/// A request that nobody validated gets a 500, and the log says what to write: the attribute
/// [`#[validate_twilio_request]`](crate::validate_twilio_request) above the handler. A request that opens no
/// WebSocket gets a 400.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     stream::{Handshake, Relay, RelayMessage, Session, StreamError, Text},
///     validate_twilio_request,
/// };
/// use actix_web::{HttpResponse, get};
///
/// #[get("/relay")]
/// #[validate_twilio_request]
/// async fn open_relay(handshake: Handshake<Relay>) -> HttpResponse {
///     handshake.run(repeat)
/// }
///
/// /// Says what the caller says.
/// async fn repeat(call: &mut Session<Relay>) -> Result<(), StreamError> {
///     while let Some(message) = call.receive().await {
///         if let RelayMessage::Prompt(prompt) = message? {
///             call.send(Text::last(prompt.voice_prompt)).await?;
///         }
///     }
///     Ok(())
/// }
/// ```
pub struct Handshake<P: Protocol> {
    response: HttpResponse,
    socket: actix_ws::Session,
    payload: Payload,
    limits: Limits,
    protocol: PhantomData<fn() -> P>,
}

#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// In bytes.
    pub(super) message: usize,
    pub(super) ping_interval: Duration,
    pub(super) peer_timeout: Duration,
    pub(super) close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 64 * 1024,
            ping_interval: Duration::from_secs(15),
            peer_timeout: Duration::from_secs(45),
            close_timeout: Duration::from_secs(5),
        }
    }
}

impl<P: Protocol> Handshake<P> {
    /// Sets the size of the largest message that is accepted, in bytes. The default is 64 KiB: a message of Media
    /// Streams has about 400 bytes. A larger one ends the session.
    #[must_use]
    pub fn message_limit(mut self, bytes: usize) -> Self {
        self.limits.message = bytes;
        self
    }

    /// Sets the time without a frame of the peer after which it is pinged, again and again. The default is 15 seconds.
    #[must_use]
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        // Without a wait, nothing but pings would be sent.
        self.limits.ping_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// Sets the time after which a peer is considered gone: it sent no whole frame, or read nothing while the app wanted
    /// to send. The default is 45 seconds. The session then ends.
    #[must_use]
    pub fn peer_timeout(mut self, timeout: Duration) -> Self {
        self.limits.peer_timeout = timeout;
        self
    }

    /// Sets how long a closed session waits for the peer to close, too. The default is 5 seconds.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.limits.close_timeout = timeout;
        self
    }

    /// Opens the WebSocket and runs a function with it, which outlives the handler. Then the WebSocket is closed. An
    /// error of the function is logged.
    pub fn run<F, E>(self, app: F) -> HttpResponse
    where
        F: AsyncFnOnce(&mut Session<P>) -> Result<(), E> + 'static,
        E: fmt::Display + 'static,
    {
        let (response, mut session) = self.accept();
        rt::spawn(async move {
            let code = match app(&mut session).await {
                Ok(()) => CloseCode::Normal,
                Err(err) => {
                    crate::report::stream_failed(&err);
                    CloseCode::Error
                }
            };
            // The session may be over already.
            let _ = session.close_with(code).await;
        });
        response
    }

    /// Opens the WebSocket, and returns the response and the session. The response must be returned from the handler,
    /// and the session is for a task that outlives it.
    #[must_use]
    pub fn accept(self) -> (HttpResponse, Session<P>) {
        let Self {
            response,
            socket,
            payload,
            limits,
            ..
        } = self;
        let control = Arc::new(Control::default());
        let (messages, inbox) = mpsc::channel(INBOX);
        let (closing, closed) = oneshot::channel();
        let mut outgoing = None;
        let response = response.map_body(|_, body| {
            let (ours, body) = Outgoing::of(body);
            outgoing = Some(ours);
            actix_web::body::BoxBody::new(body)
        });
        if let Some(outgoing) = outgoing {
            let driver = Driver {
                frames: Frames::new(payload, limits.message),
                socket: socket.clone(),
                outgoing,
                inbox: messages,
                control: control.clone(),
                limits,
            };
            rt::spawn(driver.run(closing));
        }
        let sender = Sender::new(socket, control, limits.peer_timeout);
        (response, Session::new(inbox, sender, closed))
    }
}

impl<P: Protocol> fmt::Debug for Handshake<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

impl<P: Protocol> FromRequest for Handshake<P> {
    type Error = Error;
    type Future = Extraction<P>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_admitted = Proof::of(req).is_some() || req.extensions().contains::<NotEnforced>();
        if !is_admitted {
            return Extraction(State::Refused(Box::pin(let_arrive())));
        }
        Extraction(State::Ready(ready(open(req, payload))))
    }
}

/// The extraction of a [`Handshake`].
pub struct Extraction<P: Protocol>(State<P>);

#[expect(
    clippy::large_enum_variant,
    reason = "nearly all requests are admitted"
)]
enum State<P: Protocol> {
    Ready(Ready<Result<Handshake<P>, Error>>),
    /// Another extractor of the handler may refuse the request first, with an error that says more.
    Refused(Pin<Box<dyn Future<Output = ()>>>),
}

impl<P: Protocol> fmt::Debug for Extraction<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction").finish_non_exhaustive()
    }
}

impl<P: Protocol> Future for Extraction<P> {
    type Output = Result<Handshake<P>, Error>;

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(handshake) => Pin::new(handshake).poll(cx),
            State::Refused(wait) => wait
                .as_mut()
                .poll(cx)
                .map(|()| Err(ValidationError::unproven("Handshake").into())),
        }
    }
}

fn open<P: Protocol>(req: &HttpRequest, payload: &mut Payload) -> Result<Handshake<P>, Error> {
    // Anything else was validated as an ordinary request (R12).
    if !is_websocket_handshake(req) {
        return Err(HandshakeError::NoWebsocketUpgrade.into());
    }
    let nothing = web::Payload::from_request(req, &mut Payload::None).into_inner();
    let (response, socket, _) = actix_ws::handle(req, nothing?)?;
    Ok(Handshake {
        response,
        socket,
        payload: payload.take(),
        limits: Limits::default(),
        protocol: PhantomData,
    })
}
