//! Reads the raw body of a request within limits, and puts it back.

use std::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    task::Poll,
};

use actix_web::{
    body::{BodyStream, MessageBody},
    dev::Payload,
    error::PayloadError,
    rt::time::timeout,
    web::{Bytes, BytesMut},
};

use crate::{
    config::{Held, Options},
    error::ValidationErrorKind,
};

/// Reads a payload to its end, as it came over the wire, without its transfer coding.
///
/// The options have its limits in size and time.
///
/// The bytes count towards the limit on all bodies until the second value is dropped.
pub(crate) async fn read<'o>(
    payload: &mut Payload,
    options: &'o Options,
) -> Result<(Bytes, Held<'o>), ValidationErrorKind> {
    let mut collecting = pin!(collect(payload, options));
    // Most bodies arrive with the head and need no timer.
    for _ in 0..2 {
        let body = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await;
        if let Poll::Ready(body) = body {
            return body;
        }
        let_arrive().await;
    }
    // In a box, so that requests without a timer need no space for one.
    Box::pin(timeout(options.body_timeout, collecting))
        .await
        .unwrap_or(Err(ValidationErrorKind::BodyTooSlow))
}

/// Returns a payload with the body that was read from this one.
pub(crate) fn put_back(body: Bytes, payload: Payload) -> Payload {
    match payload {
        _ if body.is_empty() => Payload::None,
        // This payload has ended, and takes the body back without an allocation.
        Payload::H1 { mut payload } => {
            payload.unread_data(body);
            Payload::H1 { payload }
        }
        _ => Payload::from(body),
    }
}

/// Lets actix take in what has already arrived. It runs a handler as soon as it has read the head, and reads the
/// rest of the same packet only when the handler waits.
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

async fn collect<'o>(
    payload: &mut Payload,
    options: &'o Options,
) -> Result<(Bytes, Held<'o>), ValidationErrorKind> {
    let limit = options.body_limit;
    let mut held = options.total_body_limit.hold();
    let mut stream = BodyStream::new(payload);
    // Nearly all bodies are a single chunk, which is not copied.
    let mut only = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        let chunk = chunk.map_err(|err| match err {
            PayloadError::Overflow => ValidationErrorKind::BodyTooLarge,
            _ => ValidationErrorKind::BodyIncomplete,
        })?;
        if chunk.len() > limit - only.len() - joined.len() {
            return Err(ValidationErrorKind::BodyTooLarge);
        }
        if !held.add(chunk.len()) {
            return Err(ValidationErrorKind::Overloaded);
        }
        if only.is_empty() && joined.is_empty() {
            only = chunk;
        } else {
            if joined.is_empty() {
                joined = BytesMut::from(mem::take(&mut only));
            }
            joined.extend_from_slice(&chunk);
        }
    }
    let body = if joined.is_empty() {
        only
    } else {
        joined.freeze()
    };
    Ok((body, held))
}
