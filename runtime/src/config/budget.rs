//! Bounds the total size of all bodies that are being read at once, and the number of requests that wait.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{dev::RequestHead, http::header::HeaderMap};

/// The number of bytes for each of which one request may wait. What actix keeps for a request takes about as much.
const BYTES_FOR_A_REQUEST: usize = 8 * 1024;
/// The number of bytes that a header takes apart from its text.
const BYTES_FOR_A_HEADER: usize = 64;
/// The number of bytes that each other name of a header takes as well, in a table up to half of which is empty.
const BYTES_FOR_A_NAME: usize = 512;
/// The number of requests that may wait, however few bytes they may hold.
const FEWEST_REQUESTS: usize = 1024;

/// The number of bytes that waiting requests may hold at once. Clones share one budget.
#[derive(Debug, Clone)]
pub(crate) struct ByteBudget {
    limit: usize,
    held: Arc<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    bytes: AtomicUsize,
    requests: AtomicUsize,
}

impl ByteBudget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Arc::default(),
        }
    }

    /// Returns a share of the budget for one request with this head, which does not wait yet.
    pub(crate) fn hold<'b>(&'b self, head: &'b RequestHead) -> Held<'b> {
        Held {
            budget: self,
            head,
            beside_body: 0,
            bytes: 0,
            requests: 0,
        }
    }
}

/// The bytes that one request holds until this is dropped.
pub(crate) struct Held<'b> {
    budget: &'b ByteBudget,
    head: &'b RequestHead,
    /// The bytes of a large head, as soon as the request waits.
    beside_body: usize,
    bytes: usize,
    /// One, as soon as it waits.
    requests: usize,
}

impl Held<'_> {
    /// Holds this many bytes of a body in all instead of fewer, if the budget has the difference left. Returns whether it
    /// has.
    #[must_use]
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        if self.requests == 0 {
            let size = size_in_memory(self.head);
            self.beside_body = size.saturating_sub(BYTES_FOR_A_REQUEST);
        }
        let bytes = bytes.saturating_add(self.beside_body);
        let ByteBudget { limit, held } = self.budget;
        let most_requests = (limit / BYTES_FOR_A_REQUEST).max(FEWEST_REQUESTS);
        grow(&held.requests, most_requests, &mut self.requests, 1)
            && grow(&held.bytes, *limit, &mut self.bytes, bytes)
    }
}

/// Returns about how many bytes headers take. In HTTP/2, a byte on the wire can repeat a header.
pub(crate) fn head_size(head: &HeaderMap) -> usize {
    let headers = head.iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + BYTES_FOR_A_HEADER)
        .sum()
}

/// Returns about how many bytes a head takes while its request waits. In HTTP/2, the value of a header keeps the buffer that
/// it is a part of. So does the URI, of which there is also a copy in the URL of the request.
fn size_in_memory(RequestHead { headers, uri, .. }: &RequestHead) -> usize {
    let values = headers.iter().map(|(_, value)| value.len());
    let target = uri.path_and_query().map(|target| target.as_str().len());
    let authority = uri.authority().map(|authority| authority.as_str().len());
    let uri = target.unwrap_or_default() + authority.unwrap_or_default();
    let names = headers.len_keys() * BYTES_FOR_A_NAME;
    head_size(headers) + names + values.sum::<usize>() + 3 * uri
}

/// Adds to a sum what a part of it lacks, unless the sum would be over its limit.
fn grow(sum: &AtomicUsize, limit: usize, part: &mut usize, to: usize) -> bool {
    let more = to.saturating_sub(*part);
    let added = more == 0
        || sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sum| {
                sum.checked_add(more).filter(|sum| *sum <= limit)
            })
            .is_ok();
    if added {
        *part += more;
    }
    added
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Sums { bytes, requests } = &*self.budget.held;
        bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        requests.fetch_sub(self.requests, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn bytes_are_held_up_to_the_limit_and_given_back() {
        let head = RequestHead::default();
        let budget = ByteBudget::new(10);
        let mut first = budget.hold(&head);
        let mut second = budget.hold(&head);
        assert!(first.grow_to(4) && second.grow_to(6));
        assert!(!first.grow_to(5) && !second.grow_to(usize::MAX));
        assert!(second.grow_to(6) && second.grow_to(1));
        drop(first);
        assert!(second.grow_to(10) && !second.grow_to(11));
        drop(second);
        assert!(budget.clone().hold(&head).grow_to(10));
    }

    #[test]
    fn requests_that_wait_are_bounded_even_if_they_hold_nothing() {
        let head = RequestHead::default();
        for (limit, most) in [(10, 1024), (BYTES_FOR_A_REQUEST * 2000, 2000)] {
            let budget = ByteBudget::new(limit);
            let mut waiting: Vec<_> = (0..most).map(|_| budget.hold(&head)).collect();
            assert!(waiting.iter_mut().all(|share| share.grow_to(0)));
            assert!(waiting.iter_mut().all(|share| share.grow_to(0)));
            assert!(!budget.hold(&head).grow_to(0), "{limit}");
            waiting.pop();
            assert!(budget.hold(&head).grow_to(1), "{limit}");
        }
    }

    #[test]
    fn large_heads_count_beside_the_body() {
        let budget = ByteBudget::new(10_000);
        let name = HeaderName::from_static("a");
        let mut head = RequestHead::default();
        for _ in 0..114 {
            head.headers
                .append(name.clone(), HeaderValue::from_static("b"));
        }
        // As large as what is kept for each request anyway.
        assert!(budget.hold(&head).grow_to(10_000));
        for _ in 0..100 {
            head.headers
                .append(name.clone(), HeaderValue::from_static("b"));
        }
        let mut share = budget.hold(&head);
        assert!(share.grow_to(0) && share.grow_to(3_000) && !share.grow_to(4_000));
        assert!(!budget.hold(&head).grow_to(1_000));
        drop(share);
        assert!(budget.hold(&RequestHead::default()).grow_to(10_000));
    }

    #[test]
    fn what_a_head_takes_beside_the_body_counts() {
        let budget = ByteBudget::new(10_000);
        let with_uri = |uri: String| {
            let mut head = RequestHead::default();
            head.uri = uri.parse().unwrap();
            head
        };
        let mut with_header = RequestHead::default();
        let value = HeaderValue::from_str(&"a".repeat(7_200)).unwrap();
        with_header
            .headers
            .append(HeaderName::from_static("a"), value);
        let mut with_names = RequestHead::default();
        for number in 0..25 {
            let name: HeaderName = format!("name-{number}").parse().unwrap();
            with_names
                .headers
                .append(name, HeaderValue::from_static(""));
        }
        for head in [
            with_uri(format!("/{}", "a".repeat(5_000))),
            with_uri(format!("http://{}/", "a".repeat(5_000))),
            with_header,
            with_names,
        ] {
            let mut share = budget.hold(&head);
            assert!(share.grow_to(3_000) && !share.grow_to(4_000), "{head:?}");
        }
    }
}
