//! The extractor that the attribute puts in front of a handler's own.

use std::{
    future::Future,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    pin::Pin,
};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use crate::{
    config::{AppPolicy, Policy},
    gate::{Proof, admit, misconfigured},
};

/// Wraps an extractor, or a tuple of up to 16, and validates the request before it runs.
///
/// The raw body is read and validated first; then `T` extracts from the very bytes that were
/// validated. `T` may be anything that a handler takes: `web::Form`, `web::Json`, `web::Bytes`,
/// `String`, `web::Payload`, `HttpRequest`, `web::Data`, `web::Path`, an `Option` or a `Result` of
/// one. The payload of a WebSocket handshake is passed through unread.
///
/// [`#[validate_twilio_request]`](crate::validate_twilio_request) writes this for you. The
/// [`Policy`] `P` chooses the configuration.
///
/// # Errors
///
/// A request that is not genuine is answered as its [`ValidationError`](crate::ValidationError)
/// says, or as the configuration's error handler does; an error of `T` is passed on.
///
/// # Security
///
/// Make it the handler's only argument: extractors beside it run before the verdict. Do not wrap it
/// in `Option` or `Result`: a handler that takes `Option<Validated<T>>` runs for forged requests too.
///
/// # WebSockets
///
/// The handshakes of Media Streams and ConversationRelay are validated as any other `GET`, for the scheme
/// `wss` (or `ws`); then `T` gets the open payload. Mind that
///
/// - what comes through the open WebSocket is not signed: whoever can write into the connection is
///   believed, so use TLS;
/// - a proxy must pass on `Upgrade` and `Connection`; a request without them is an ordinary one, whose body
///   is read to its end;
/// - a handshake usually names no account: with a [key store](crate::KeyStore), its default answers.
///
/// # Examples
///
/// ```
/// use actix_twilio::Validated;
/// use actix_web::{HttpRequest, Responder, post, web};
///
/// #[derive(serde::Deserialize)]
/// struct Message {
///     #[serde(rename = "Body")]
///     body: String,
/// }
///
/// #[post("/message")]
/// async fn message(validated: Validated<(web::Form<Message>, HttpRequest)>) -> impl Responder {
///     let (message, _req) = validated.into_inner();
///     message.into_inner().body
/// }
/// ```
#[derive(Debug)]
pub struct Validated<T, P = AppPolicy> {
    inner: T,
    proof: Option<Proof>,
    policy: PhantomData<fn() -> P>,
}

impl<T, P> Validated<T, P> {
    /// Returns what `T` extracted.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Returns the proof that the request is genuine; nothing while validation only reports or is off.
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }
}

impl<T, P> Deref for Validated<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T, P> DerefMut for Validated<T, P> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: FromRequest + 'static, P: Policy> FromRequest for Validated<T, P> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = payload.take();
        Box::pin(async move {
            let config = P::config(&req).map_err(|err| misconfigured(&err))?;
            let mut admitted = admit::<P>(&config, &req, payload).await?;
            match T::from_request(&req, &mut admitted.payload).await {
                Ok(inner) => Ok(Self {
                    inner,
                    proof: admitted.proof,
                    policy: PhantomData,
                }),
                Err(err) => Err(err.into()),
            }
        })
    }
}
