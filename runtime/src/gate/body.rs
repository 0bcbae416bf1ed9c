//! Reads the raw body of a request within limits, and puts it back.

use std::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    task::Poll,
};

use actix_web::{
    body::{BodyStream, MessageBody},
    dev::{Payload, RequestHead},
    error::PayloadError,
    rt::time::timeout,
    web::Bytes,
};

use crate::{
    config::{Held, Options},
    error::ValidationErrorKind,
};

/// Reads a payload to its end, as it came over the wire, without its transfer coding.
///
/// The options have its limits in size and time.
///
/// The bytes that had to wait count towards the limit on all bodies until the second value is dropped.
pub(crate) async fn read<'o>(
    payload: &mut Payload,
    head: &'o RequestHead,
    options: &'o Options,
) -> Result<(Bytes, Held<'o>), ValidationErrorKind> {
    let mut collecting = pin!(collect(payload, head, options));
    // Most bodies arrive with the headers and need no timer.
    for _ in 0..2 {
        if let Poll::Ready(body) = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await {
            return body;
        }
        let_arrive().await;
    }
    // In a box, so that requests without a timer need no space for one.
    Box::pin(timeout(options.body_timeout, collecting))
        .await
        .unwrap_or(Err(ValidationErrorKind::BodyTooSlow))
}

/// Reads a payload that has arrived to its end, without waiting for a client. Otherwise it returns nothing, and what it
/// took from the payload is lost: only a request that is refused can do without.
pub(crate) async fn read_what_arrived<'o>(
    payload: &mut Payload,
    head: &'o RequestHead,
    options: &'o Options,
) -> Option<(Bytes, Held<'o>)> {
    let mut collecting = pin!(collect(payload, head, options));
    for _ in 0..2 {
        let body = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await;
        if let Poll::Ready(body) = body {
            return body.ok();
        }
        let_arrive().await;
    }
    None
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

/// Runs a future, and counts a body towards the limit on all bodies if the future has to wait.
pub(crate) async fn count_while_waiting<T>(
    body: &[u8],
    held: &mut Held<'_>,
    future: impl Future<Output = T>,
) -> Result<T, ValidationErrorKind> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Pending if !held.grow_to(body.len(), cx) => {
            Poll::Ready(Err(ValidationErrorKind::Overloaded))
        }
        polled => polled.map(Ok),
    })
    .await
}

/// What actix takes for each chunk, in bytes. It queues all chunks that have arrived before the first one is taken, and keeps
/// the room for them while the request waits.
const BYTES_FOR_A_CHUNK: usize = 64;

/// The number of chunks that the least share of a request has room for.
const FREE_CHUNKS: usize = 128;

/// A body counts towards the limit on all bodies as soon as it has to wait. One that has arrived as a whole, as Twilio's
/// nearly always have, is judged at once, so that no flood of slow bodies keeps it out.
async fn collect<'o>(
    payload: &mut Payload,
    head: &'o RequestHead,
    options: &'o Options,
) -> Result<(Bytes, Held<'o>), ValidationErrorKind> {
    let limit = options.body_limit;
    let mut share = options.total_body_limit.hold(head);
    let mut stream = BodyStream::new(&mut *payload);
    // Nearly all bodies are a single chunk, which is not copied.
    let mut only = Bytes::new();
    let mut is_copied = false;
    let mut joined = Vec::new();
    let mut waited = false;
    // The chunks that were taken without waiting, and the most of them.
    let (mut at_once, mut most_at_once) = (0_usize, 0_usize);
    loop {
        let chunk = poll_fn(|cx| {
            let chunk = Pin::new(&mut stream).poll_next(cx);
            if chunk.is_pending() {
                // A chunk may be a small part of a large buffer, which it would keep while this waits.
                if !only.is_empty() && !mem::replace(&mut is_copied, true) {
                    only = Bytes::copy_from_slice(&only);
                }
                most_at_once = most_at_once.max(mem::take(&mut at_once));
                let beside = most_at_once.saturating_sub(FREE_CHUNKS) * BYTES_FOR_A_CHUNK;
                let bytes = only.len() + joined.capacity() + beside;
                // At first nothing has arrived, because actix reads on only now.
                let waits = mem::replace(&mut waited, true) || bytes > 0;
                if waits && !share.grow_to(bytes, cx) {
                    return Poll::Ready(Err(ValidationErrorKind::Overloaded));
                }
            }
            chunk.map(Ok)
        });
        let Some(chunk) = chunk.await? else {
            break;
        };
        let chunk = chunk.map_err(|err| match err {
            PayloadError::Overflow => ValidationErrorKind::BodyTooLarge,
            _ => ValidationErrorKind::BodyIncomplete,
        })?;
        at_once += 1;
        let len = only.len() + joined.len();
        if chunk.len() > limit - len {
            return Err(ValidationErrorKind::BodyTooLarge);
        }
        if len == 0 {
            only = chunk;
            continue;
        }
        let needed = len + chunk.len();
        if needed > joined.capacity() {
            // Twice as much each time, so that the bytes are seldom copied, but not beyond the limit.
            let capacity = needed.max(2 * joined.capacity()).min(limit);
            joined.reserve_exact(capacity - joined.len());
        }
        joined.extend_from_slice(&mem::take(&mut only));
        joined.extend_from_slice(&chunk);
    }
    if most_at_once.max(at_once) > FREE_CHUNKS {
        // The room for them would be kept while the request waits for its keys.
        *payload = Payload::None;
    }
    let body = if joined.is_empty() {
        only
    } else {
        joined.into()
    };
    Ok((body, share))
}
