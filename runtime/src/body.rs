//! Collecting the raw body of a request within limits.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use actix_web::{
    body::{BodyStream, MessageBody},
    dev::Payload,
    error::PayloadError,
    rt::time::timeout,
    web::{Bytes, BytesMut},
};

use crate::error::ValidationErrorKind;

/// Reads a payload to its end, as it came over the wire but for its transfer coding.
///
/// `limit` is in bytes, `time_limit` for the whole body.
pub(crate) async fn read(
    payload: Payload,
    limit: usize,
    time_limit: Duration,
) -> Result<Bytes, ValidationErrorKind> {
    let mut collecting = pin!(collect(payload, limit));
    // Most bodies arrive with the head: they need no timer.
    for _ in 0..2 {
        let body = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await;
        if let Poll::Ready(body) = body {
            return body;
        }
        let_arrive().await;
    }
    timeout(time_limit, collecting)
        .await
        .unwrap_or(Err(ValidationErrorKind::BodyTooSlow))
}

/// Lets actix take in what has arrived already: it runs a handler as soon as it has read the head, and
/// looks at what followed in the same packet once the handler waits.
pub(crate) async fn let_arrive() {
    let mut waited = false;
    poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn collect(payload: Payload, limit: usize) -> Result<Bytes, ValidationErrorKind> {
    let mut stream = pin!(BodyStream::new(payload));
    let mut next = async || {
        poll_fn(|cx| stream.as_mut().poll_next(cx))
            .await
            .transpose()
            .map_err(|err| match err {
                PayloadError::Overflow => ValidationErrorKind::BodyTooLarge,
                _ => ValidationErrorKind::BodyIncomplete,
            })
    };

    // A body of a single chunk is not copied.
    let first = next().await?.unwrap_or_default();
    if first.len() > limit {
        return Err(ValidationErrorKind::BodyTooLarge);
    }
    let Some(second) = next().await? else {
        return Ok(first);
    };
    let mut body = BytesMut::from(first);
    let mut chunk = Some(second);
    while let Some(bytes) = chunk {
        if bytes.len() > limit - body.len() {
            return Err(ValidationErrorKind::BodyTooLarge);
        }
        body.extend_from_slice(&bytes);
        chunk = next().await?;
    }
    Ok(body.freeze())
}
