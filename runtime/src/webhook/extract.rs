//! Webhooks as extractors, from what the validator has split.

use std::{
    any::type_name,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpRequest,
    dev::Payload,
    error::{JsonPayloadError, UrlencodedError},
    http::Method,
};
use serde::de::DeserializeOwned;
use twilio_signature::{Form, url};

use super::family::{Family, fill};
use crate::{
    error::ValidationError,
    gate::{
        Proof,
        webhook::{self as gate, Content, LetThrough},
    },
};

/// Implements `FromRequest`, and `From` a form, for what is filled with parameters.
macro_rules! by_request {
    ($webhook:ty) => {
        /// Reads a form that the validator has split, for code without actix-web. It does not check that the required
        /// SIDs are there.
        impl<B> From<&twilio_signature::Form<B>> for $webhook {
            fn from(form: &twilio_signature::Form<B>) -> Self {
                $crate::webhook::extract::Filled::filled_by(&mut |family| {
                    $crate::webhook::family::fill(family, form);
                })
            }
        }

        impl actix_web::FromRequest for $webhook {
            type Error = actix_web::Error;
            type Future = $crate::webhook::Extraction<Self>;

            fn from_request(
                req: &actix_web::HttpRequest,
                payload: &mut actix_web::dev::Payload,
            ) -> Self::Future {
                $crate::webhook::extract::extract(req, payload)
            }
        }
    };
}

pub(super) use by_request;

/// The extraction of a webhook. It is ready when it is first polled if the request was validated.
pub struct Extraction<T> {
    req: HttpRequest,
    state: State,
    /// A webhook is large, so it is made only when it is asked for: each place where it would wait is one more to move
    /// it from.
    make: fn(&Source<'_>) -> Result<T, Error>,
}

/// What an extraction waits for. It has the same type for all webhooks, so that most of the code is compiled once.
enum State {
    Proven(Proof),
    Waiting(Unproven),
}

/// The mark of a request that was not validated because its configuration does not demand it, and its content.
type Unproven = Pin<Box<dyn Future<Output = Result<(LetThrough, Content), Error>>>>;

impl<T> fmt::Debug for Extraction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction").finish_non_exhaustive()
    }
}

impl<T> Future for Extraction<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { req, state, make } = &mut *self;
        match state {
            State::Proven(proof) => {
                let passed = Passed::Proven(proof);
                Poll::Ready(make(&Source { req, passed }))
            }
            State::Waiting(waiting) => waiting.as_mut().poll(cx).map(|unproven| {
                let (let_through, content) = &unproven?;
                let passed = Passed::LetThrough(let_through, content);
                make(&Source { req, passed })
            }),
        }
    }
}

/// What a webhook is made of.
pub(super) struct Source<'a> {
    req: &'a HttpRequest,
    passed: Passed<'a>,
}

/// How a request came to its handler.
enum Passed<'a> {
    Proven(&'a Proof),
    LetThrough(&'a LetThrough, &'a Content),
}

impl Source<'_> {
    fn content(&self) -> Option<&Content> {
        match self.passed {
            Passed::Proven(proof) => proof.content(),
            Passed::LetThrough(_, content) => Some(content),
        }
    }

    /// Fills a webhook, or refuses a body that is not a form, as `web::Form` does.
    fn fill(&self, family: &mut dyn Family) -> Result<(), Error> {
        if matches!(*self.req.method(), Method::GET | Method::HEAD) {
            let query = match self.passed {
                // The query that was signed, whatever another middleware made of it.
                Passed::Proven(proof) => url::query(proof.url()).unwrap_or_default(),
                Passed::LetThrough(..) => self.req.query_string(),
            };
            fill(family, &Form::split(query));
            return Ok(());
        }
        match self.content() {
            Some(Content::Form(form)) => fill(family, form),
            Some(Content::LargeForm(body)) => fill(family, &Form::split(body)),
            Some(Content::Other(body)) if !body.is_empty() => {
                return Err(UrlencodedError::ContentType.into());
            }
            Some(Content::Other(_)) | None => {}
        }
        Ok(())
    }

    /// Refuses a webhook that lacks what Twilio always sends, as the configuration says.
    pub(super) fn check(&self, webhook: &dyn Family) -> Result<(), Error> {
        if webhook.has_sids() {
            return Ok(());
        }
        match self.passed {
            Passed::Proven(proof) => Err(gate::refuse(proof, self.req)),
            Passed::LetThrough(let_through, _) => {
                let_through.tolerate(self.req);
                Ok(())
            }
        }
    }
}

/// Extracts JSON, or refuses a form.
pub(super) fn json<T: DeserializeOwned>(req: &HttpRequest, payload: &mut Payload) -> Extraction<T> {
    extraction(req, payload, |source| {
        let body: &[u8] = match source.content() {
            Some(Content::Other(body)) => body,
            // No hash covers it.
            Some(Content::Form(_) | Content::LargeForm(_)) => {
                return Err(JsonPayloadError::ContentType.into());
            }
            None => &[],
        };
        serde_json::from_slice(body).map_err(|err| JsonPayloadError::Deserialize(err).into())
    })
}

/// Extracts parameters.
pub(super) fn extract<T: Filled>(req: &HttpRequest, payload: &mut Payload) -> Extraction<T> {
    extraction(req, payload, T::extracted)
}

fn extraction<T>(
    req: &HttpRequest,
    payload: &mut Payload,
    make: fn(&Source<'_>) -> Result<T, Error>,
) -> Extraction<T> {
    Extraction {
        req: req.clone(),
        state: state(req, payload, type_name::<T>()),
        make,
    }
}

fn state(req: &HttpRequest, payload: &mut Payload, webhook: &'static str) -> State {
    match Proof::of(req) {
        Some(proof) => State::Proven(proof),
        None => State::Waiting(Box::pin(unproven(req.clone(), payload.take(), webhook))),
    }
}

/// Returns the mark and the content of a request that was not validated. `webhook` is the name of its type.
async fn unproven(
    req: HttpRequest,
    payload: Payload,
    webhook: &'static str,
) -> Result<(LetThrough, Content), Error> {
    let Some(let_through) = LetThrough::find(&req) else {
        // Another extractor of the handler may refuse the request first, with an error that says more.
        gate::let_arrive().await;
        let name = webhook.rsplit(':').next().unwrap_or_default();
        return Err(ValidationError::unproven(name).into());
    };
    let content = let_through.content(&req, payload).await?;
    Ok((let_through, content))
}

/// What is filled with the parameters of a request.
pub(super) trait Filled: Sized {
    /// Returns what a function fills.
    fn filled_by(fill: &mut dyn FnMut(&mut dyn Family)) -> Self;

    /// Returns what a request fills, if it may.
    fn extracted(source: &Source<'_>) -> Result<Self, Error>;
}

impl<T: Family + Default> Filled for T {
    fn filled_by(fill: &mut dyn FnMut(&mut dyn Family)) -> Self {
        let mut family = Self::default();
        fill(&mut family);
        family
    }

    fn extracted(source: &Source<'_>) -> Result<Self, Error> {
        // It is made in the place where it is returned, because a webhook is large.
        let mut result = Ok(Self::default());
        if let Ok(family) = &mut result
            && let Err(err) = source.fill(family).and_then(|()| source.check(family))
        {
            result = Err(err);
        }
        result
    }
}
