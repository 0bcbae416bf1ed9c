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
                $crate::webhook::extract::Filled::filled_by(|family| {
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
pub struct Extraction<T>(State<T>);

enum State<T> {
    /// A webhook is large, so it is made only when it is asked for: each place where it would wait is one more to move
    /// it from.
    Proven(
        HttpRequest,
        Proof,
        fn(&HttpRequest, &Proof) -> Result<T, Error>,
    ),
    /// The future is the same for all webhooks, so that it is compiled once.
    Waiting(HttpRequest, Unproven, MakeUnproven<T>),
}

/// The mark of a request that was not validated because its configuration does not demand it, and its content.
type Unproven = Pin<Box<dyn Future<Output = Result<(LetThrough, Content), Error>>>>;

/// Makes a webhook of a request that was not validated.
type MakeUnproven<T> = fn(&HttpRequest, &LetThrough, &Content) -> Result<T, Error>;

impl<T> fmt::Debug for Extraction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction").finish_non_exhaustive()
    }
}

impl<T> Future for Extraction<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Proven(req, proof, make) => Poll::Ready(make(req, proof)),
            State::Waiting(req, waiting, make) => waiting.as_mut().poll(cx).map(|unproven| {
                let (let_through, content) = unproven?;
                make(req, &let_through, &content)
            }),
        }
    }
}

/// Extracts JSON.
pub(super) fn json<T: DeserializeOwned + 'static>(
    req: &HttpRequest,
    payload: &mut Payload,
) -> Extraction<T> {
    extraction(
        req,
        payload,
        |_, proof| parse_json(proof.body().unwrap_or_default()),
        |_, _, content| parse_json(content.body()),
    )
}

fn extraction<T>(
    req: &HttpRequest,
    payload: &mut Payload,
    make: fn(&HttpRequest, &Proof) -> Result<T, Error>,
    make_unproven: MakeUnproven<T>,
) -> Extraction<T> {
    let req = req.clone();
    Extraction(match Proof::of(&req) {
        Some(proof) => State::Proven(req, proof, make),
        None => {
            let unproven = unproven(req.clone(), payload.take(), type_name::<T>());
            State::Waiting(req, Box::pin(unproven), make_unproven)
        }
    })
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|err| JsonPayloadError::Deserialize(err).into())
}

/// What is filled with the parameters of a request.
pub(super) trait Filled: Sized + 'static {
    fn filled_by(fill: impl FnOnce(&mut dyn Family)) -> Self;

    /// Returns what is filled, unless it fails a check.
    fn filled_if<E>(
        fill: impl FnOnce(&mut dyn Family),
        check: impl FnOnce(&dyn Family) -> Result<(), E>,
    ) -> Result<Self, E> {
        let filled = Self::filled_by(fill);
        check(filled.family())?;
        Ok(filled)
    }

    fn family(&self) -> &dyn Family;
}

impl<T: Family + Default + 'static> Filled for T {
    #[inline]
    fn filled_by(fill: impl FnOnce(&mut dyn Family)) -> Self {
        let mut family = Self::default();
        fill(&mut family);
        family
    }

    #[inline]
    fn filled_if<E>(
        fill: impl FnOnce(&mut dyn Family),
        check: impl FnOnce(&dyn Family) -> Result<(), E>,
    ) -> Result<Self, E> {
        // It is made in the place where it is returned, because a webhook is large.
        let mut result = Ok(Self::default());
        if let Ok(family) = &mut result {
            fill(family);
            if let Err(err) = check(family) {
                result = Err(err);
            }
        }
        result
    }

    fn family(&self) -> &dyn Family {
        self
    }
}

pub(super) fn extract<T: Filled>(req: &HttpRequest, payload: &mut Payload) -> Extraction<T> {
    extraction(req, payload, proven, tolerated)
}

fn proven<T: Filled>(req: &HttpRequest, proof: &Proof) -> Result<T, Error> {
    check_is_form(req, proof.content())?;
    T::filled_if(
        |family| fill_proven(proof, req, family),
        |filled| {
            if filled.has_sids() {
                Ok(())
            } else {
                Err(gate::refuse(proof, req))
            }
        },
    )
}

fn tolerated<T: Filled>(
    req: &HttpRequest,
    let_through: &LetThrough,
    content: &Content,
) -> Result<T, Error> {
    check_is_form(req, Some(content))?;
    let filled = T::filled_by(|family| fill_unproven(content, req, family));
    if !filled.family().has_sids() {
        let_through.tolerate(req);
    }
    Ok(filled)
}

/// Fills a webhook from a request that was validated.
fn fill_proven(proof: &Proof, req: &HttpRequest, family: &mut dyn Family) {
    if in_query(req) {
        // The query that was signed, whatever another middleware made of it.
        fill_from_query(family, url::query(proof.url()).unwrap_or_default());
    } else if let Some(content) = proof.content() {
        fill_from_body(family, content);
    }
}

/// Fills a webhook from a request that was not validated.
fn fill_unproven(content: &Content, req: &HttpRequest, family: &mut dyn Family) {
    if in_query(req) {
        fill_from_query(family, req.query_string());
    } else {
        fill_from_body(family, content);
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

/// Refuses a body that is not a form, as `web::Form` does.
fn check_is_form(req: &HttpRequest, content: Option<&Content>) -> Result<(), Error> {
    match content {
        Some(Content::Other(body)) if !body.is_empty() && !in_query(req) => {
            Err(UrlencodedError::ContentType.into())
        }
        _ => Ok(()),
    }
}

fn in_query(req: &HttpRequest) -> bool {
    matches!(*req.method(), Method::GET | Method::HEAD)
}

fn fill_from_query(family: &mut dyn Family, query: &str) {
    fill(family, &Form::split(query));
}

fn fill_from_body(family: &mut dyn Family, content: &Content) {
    match content {
        Content::Form(form) => fill(family, form),
        Content::LargeForm(body) => fill(family, &Form::split(body)),
        Content::Other(_) => {}
    }
}
