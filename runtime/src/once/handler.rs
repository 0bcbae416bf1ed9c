//! What the attribute's option `once` expands to: an extractor that takes the turn, and what stores the answer.

use std::{fmt, future::Future, marker::PhantomData, pin::Pin};

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, Responder,
    body::{BoxBody, MessageBody},
    dev::Payload,
    error::InternalError,
};

use crate::error::ValidationError;

use super::{
    guard::{Ticket, Turn, take_turn},
    key::{EventKey, VerifiedKey},
    parked::{LocalFuture, Parked},
};

/// Wraps the handler's own extractors, and keeps them from running for a duplicate, which gets the first answer.
pub struct Guarded<T, K = VerifiedKey> {
    /// What the handler's extractors extracted.
    pub inner: T,
    /// What [`settle`] needs.
    pub settling: Settling,
    key: PhantomData<fn() -> K>,
}

/// The reason for an answer that is not the handler's own.
#[derive(Debug)]
pub(crate) struct Duplicate;

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duplicate, which got the first answer")
    }
}

/// Returns whether an error is that of the guard, and not that of an extractor.
pub(crate) fn is_own(err: &Error) -> bool {
    err.as_error::<InternalError<Duplicate>>().is_some()
        || err.as_error::<ValidationError>().is_some()
}

/// What is needed to settle a request after its handler has run. It is `Send`, so that a handler which holds it can be.
pub struct Settling {
    req: Parked<HttpRequest>,
    ticket: Option<Ticket>,
}

impl<T: FromRequest + 'static, K: EventKey> FromRequest for Guarded<T, K> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let ticket = match take_turn::<K>(&req).await? {
                Turn::Handle(ticket) => Some(ticket),
                Turn::Pass => None,
                Turn::Answered(answer) => {
                    return Err(InternalError::from_response(Duplicate, answer).into());
                }
            };
            match T::from_request(&req, &mut payload).await {
                Ok(inner) => Ok(Self {
                    inner,
                    settling: Settling {
                        req: Parked::new(req),
                        ticket,
                    },
                    key: PhantomData,
                }),
                Err(err) => Err(err.into()),
            }
        })
    }
}

impl<T, K> fmt::Debug for Guarded<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded(..)")
    }
}

impl fmt::Debug for Settling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settling(..)")
    }
}

impl<R> fmt::Debug for Answer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// The answer of a handler that returns an `R`, stored for duplicates.
pub struct Answer<R>(HttpResponse, PhantomData<fn() -> R>);

impl<R> Responder for Answer<R> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

/// Runs a handler's body, and stores its answer.
pub async fn settle<R>(settling: Settling, body: impl Future<Output = R>) -> Answer<R>
where
    R: Responder,
    R::Body: 'static,
{
    let Settling { req, ticket } = settling;
    let answer = body.await;
    let answering = req
        .take()
        .map(|req| Parked::new(answering(answer.respond_to(&req), ticket)));
    let answer = match answering {
        Some(answering) => answering.await,
        None => None,
    };
    // A handler runs on the thread of its extractors, so there is always an answer.
    let answer = answer.unwrap_or_else(|| HttpResponse::InternalServerError().finish());
    Answer(answer, PhantomData)
}

fn answering<B: MessageBody + 'static>(
    res: HttpResponse<B>,
    ticket: Option<Ticket>,
) -> LocalFuture<HttpResponse> {
    Box::pin(async move {
        match ticket {
            Some(ticket) => ticket.settle(res).await,
            None => res.map_into_boxed_body(),
        }
    })
}
