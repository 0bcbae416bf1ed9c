//! The extractor in which the attribute wraps a handler's own extractors.

use std::{
    any::type_name,
    fmt,
    future::Future,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    pin::Pin,
};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use crate::{
    config::{AppPolicy, Policy},
    error::ValidationError,
    gate::{Proof, admit, misconfigured},
    once, report,
};

/// Wraps an extractor, or a tuple of up to 16, and validates the request before it runs.
///
/// The raw body is read and validated first. Then `T` extracts from the bytes that were validated. `T` may be
/// anything that a handler takes: `web::Form`, `web::Json`, `web::Bytes`, `String`, `web::Payload`, `HttpRequest`,
/// `web::Data`, `web::Path`, or an `Option` or a `Result` of one of these. The payload of a WebSocket handshake is
/// passed through unread.
///
/// The attribute [`#[validate_twilio_request]`](crate::validate_twilio_request) writes this type for you. The
/// [`Policy`] `P` chooses the configuration.
///
/// Take it apart with the pattern `Validated { inner, .. }`. Only this crate can make one.
///
/// # Errors
///
/// The response to a request that is not genuine is that of its [`ValidationError`](crate::ValidationError), or of
/// the configuration's error handler. An error of `T` is passed on.
///
/// # Security
///
/// Make this the handler's only argument, because other extractors would run before the verdict. If one of them reads
/// the body first, nothing is left to validate: the request gets a 500, and the log says `body_consumed`. One that stands
/// after this gets an empty body. Take them inside instead: `Validated<(web::Form<Message>, HttpRequest)>`. Do not wrap it in
/// `Option`, `Result` or `Either`: a handler that takes an `Option<Validated<T>>` also runs for forged requests. The
/// log then has an error. A [`ProtectedScope`](crate::ProtectedScope) and
/// [`to_validated`](crate::ProtectedRoute::to_validated) do not compile with such handlers.
///
/// # WebSockets
///
/// The handshakes of Media Streams and ConversationRelay are validated like any other `GET`, with the scheme `wss`
/// or `ws`. Then `T` gets the open payload.
///
/// - The messages on an open WebSocket are not signed. Anyone who can write into the connection is believed, so use
///   TLS.
/// - A proxy must pass on `Upgrade` and `Connection`. A request without them is an ordinary one, whose body is read
///   to its end.
/// - A handshake usually names no account. A [key store](crate::KeyStore) then needs default keys.
///
/// # Examples
///
/// ```
/// use actix_twilio::{Validated, twiml::{self, MessagingResponse}};
/// use actix_web::{HttpRequest, post, web};
///
/// #[derive(serde::Deserialize)]
/// struct Message {
///     #[serde(rename = "Body")]
///     body: String,
/// }
///
/// #[post("/message")]
/// async fn receive_message(
///     Validated { inner: (web::Form(message), _req), .. }: Validated<(web::Form<Message>, HttpRequest)>,
/// ) -> MessagingResponse {
///     MessagingResponse::new().child(twiml::Message::new(format!("You wrote: {}", message.body)))
/// }
/// ```
// The compiler shows this line to those who write `Validated(..)`.
#[rustfmt::skip]
pub struct Validated<T, P = AppPolicy> { // take it apart with `Validated { inner, .. }`; only a genuine request has one
    /// What `T` extracted.
    pub inner: T,
    seal: Seal<P>,
}

/// Keeps other code from making a [`Validated`].
struct Seal<P> {
    proof: Option<Proof>,
    policy: PhantomData<fn() -> P>,
}

impl<T, P> Validated<T, P> {
    /// Returns what `T` extracted.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Returns the proof that the request is genuine, or `None` while validation only reports or is off.
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.seal.proof.as_ref()
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

/// Prints what was extracted. A proof has a [`Debug`](fmt::Debug) of its own.
impl<T: fmt::Debug, P> fmt::Debug for Validated<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validated").field(&self.inner).finish()
    }
}

impl<T: FromRequest + 'static, P: Policy> FromRequest for Validated<T, P> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let wrap = |inner, proof| Self {
            inner,
            seal: Seal {
                proof,
                policy: PhantomData,
            },
        };
        Box::pin(extract::<T, P, _>(req.clone(), payload.take(), wrap))
    }
}

/// The arguments of a handler under the [attribute](crate::validate_twilio_request), which writes this type; elsewhere,
/// write [`Validated`].
///
/// It keeps them in a box: actix-web moves them a dozen times on their way to the handler, and webhooks are large.
pub struct ValidatedArguments<T, P = AppPolicy> {
    inner: Box<T>,
    policy: PhantomData<fn() -> P>,
}

impl<T, P> ValidatedArguments<T, P> {
    /// Returns the arguments, and frees the box before the handler's body runs.
    #[inline]
    #[must_use]
    pub fn into_inner(self) -> T {
        *self.inner
    }
}

impl<T, P> fmt::Debug for ValidatedArguments<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatedArguments").finish_non_exhaustive()
    }
}

impl<T: FromRequest + 'static, P: Policy> FromRequest for ValidatedArguments<T, P> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let wrap = |inner, _| Self {
            inner: Box::new(inner),
            policy: PhantomData,
        };
        Box::pin(extract::<T, P, _>(req.clone(), payload.take(), wrap))
    }
}

/// Validates a request, then extracts from it.
async fn extract<T: FromRequest, P: Policy, V>(
    req: HttpRequest,
    payload: Payload,
    wrap: impl FnOnce(T, Option<Proof>) -> V,
) -> Result<V, Error> {
    let expect_answer = |err: &Error| {
        if let Some(err) = err.as_error::<ValidationError>() {
            err.expect_answer();
        }
    };
    let mut admitted = {
        let config = P::config(&req).map_err(|err| misconfigured(&err));
        let config = config.inspect_err(expect_answer)?;
        let admitted = admit::<P>(&config, &req, payload).await;
        admitted.inspect_err(expect_answer)?
    };
    match T::from_request(&req, &mut admitted.payload).await {
        Ok(inner) => Ok(wrap(inner, admitted.proof)),
        Err(err) => {
            let err = err.into();
            if admitted.proof.is_some() && !once::is_own(&err) {
                report::extractor_refusal(type_name::<T>(), &err);
            }
            Err(err)
        }
    }
}
