//! Bounds the total size of all bodies that are being read at once, and the number of requests that wait. If there are too
//! many, the one that has waited longest gives way: a genuine request waits for milliseconds, and one that only takes up
//! room waits for as long as it may.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
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
    waiting: Arc<Mutex<Waiting>>,
}

/// All requests that wait.
#[derive(Debug, Default)]
struct Waiting {
    /// By number, which are given in the order in which they began to wait.
    shares: BTreeMap<u64, Share>,
    last: u64,
    /// The sum of all shares.
    bytes: usize,
}

/// What one request holds while it waits.
#[derive(Debug)]
struct Share {
    bytes: usize,
    /// Wakes the request when it has to give way.
    waker: Waker,
}

impl ByteBudget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            waiting: Arc::default(),
        }
    }

    /// Returns a share of the budget for one request with this head, which does not wait yet.
    pub(crate) fn hold<'b>(&'b self, head: &'b RequestHead) -> Held<'b> {
        Held {
            budget: self,
            head,
            beside_body: 0,
            number: None,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes that one request holds until this is dropped, or until the request has to give way.
pub(crate) struct Held<'b> {
    budget: &'b ByteBudget,
    head: &'b RequestHead,
    /// The bytes of a large head, as soon as the request waits.
    beside_body: usize,
    /// Its number, as soon as it waits.
    number: Option<u64>,
}

impl Held<'_> {
    /// Holds this many bytes of a body in all instead of fewer, while the request of this task waits. Those that have
    /// waited longest give way. Returns whether the request may wait: not if it has to give way itself.
    #[must_use]
    pub(crate) fn grow_to(&mut self, bytes: usize, task: &Context<'_>) -> bool {
        let first_time = self.number.is_none();
        if first_time {
            let size = size_in_memory(self.head);
            self.beside_body = size.saturating_sub(BYTES_FOR_A_REQUEST);
        }
        let mut share = Share {
            bytes: bytes.saturating_add(self.beside_body),
            waker: task.waker().clone(),
        };
        let limit = self.budget.limit;
        if share.bytes > limit {
            return false;
        }
        let mut waiting = self.budget.waiting();
        let number = *self.number.get_or_insert_with(|| {
            waiting.last += 1;
            waiting.last
        });
        let replaced = waiting.remove(number);
        match &replaced {
            Some(replaced) => share.bytes = share.bytes.max(replaced.bytes),
            None if first_time => {}
            None => return false,
        }
        waiting.add(number, share);
        let most = (limit / BYTES_FOR_A_REQUEST).max(FEWEST_REQUESTS);
        let gave_way = waiting.shrink_to(limit, most);
        let stays = waiting.shares.contains_key(&number);
        // A waker may drop a task, and with it what it holds.
        drop((waiting, replaced));
        for share in gave_way {
            share.waker.wake();
        }
        stays
    }
}

impl Waiting {
    fn add(&mut self, number: u64, share: Share) {
        self.bytes = self.bytes.saturating_add(share.bytes);
        self.shares.insert(number, share);
    }

    fn remove(&mut self, number: u64) -> Option<Share> {
        let share = self.shares.remove(&number)?;
        self.bytes -= share.bytes;
        Some(share)
    }

    /// Removes those that have waited longest, until the others are within these limits, and returns them.
    fn shrink_to(&mut self, bytes: usize, requests: usize) -> Vec<Share> {
        let mut removed = Vec::new();
        while self.bytes > bytes || self.shares.len() > requests {
            let Some((_, oldest)) = self.shares.pop_first() else {
                break;
            };
            self.bytes -= oldest.bytes;
            removed.push(oldest);
        }
        removed
    }
}

/// Returns about how many bytes headers take. In HTTP/2, a byte on the wire can repeat a header.
pub(crate) fn head_size(head: &HeaderMap) -> usize {
    let headers = head.iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + BYTES_FOR_A_HEADER)
        .sum()
}

/// Returns about how many bytes a head takes while its request waits. In HTTP/2, each text keeps the buffer that it is a
/// part of, and all repeats of a header share one text. There are copies of the method, of names, and of the URI, which is
/// also in the URL of the request.
fn size_in_memory(head: &RequestHead) -> usize {
    let RequestHead {
        headers,
        uri,
        method,
        ..
    } = head;
    let mut texts = HashSet::new();
    let values = headers.iter().map(|(_, value)| {
        let is_new = texts.insert(value.as_bytes().as_ptr());
        BYTES_FOR_A_HEADER + if is_new { 2 * value.len() } else { 0 }
    });
    let names = headers.keys();
    let names = names.map(|name| 2 * name.as_str().len() + BYTES_FOR_A_NAME);
    let target = uri.path_and_query().map(|target| target.as_str().len());
    let authority = uri.authority().map(|authority| authority.as_str().len());
    let uri = target.unwrap_or_default() + authority.unwrap_or_default();
    names.sum::<usize>() + values.sum::<usize>() + 2 * method.as_str().len() + 3 * uri
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let share = self.budget.waiting().remove(number);
            // Without the lock, since a waker may drop a task.
            drop(share);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use actix_web::{
        http::{
            Method,
            header::{HeaderName, HeaderValue},
        },
        web::Bytes,
    };

    use super::*;

    /// Counts how often a request is woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Held<'_> {
        fn may_hold(&mut self, bytes: usize) -> bool {
            self.grow_to(bytes, &Context::from_waker(Waker::noop()))
        }
    }

    #[test]
    fn bytes_are_held_up_to_the_limit_and_given_back() {
        let head = RequestHead::default();
        let budget = ByteBudget::new(10);
        let mut first = budget.hold(&head);
        let mut second = budget.hold(&head);
        assert!(first.may_hold(4) && second.may_hold(6));
        assert!(first.may_hold(1) && second.may_hold(1) && budget.waiting().bytes == 10);
        drop(first);
        assert!(second.may_hold(10));
        assert!(!second.may_hold(11) && !second.may_hold(usize::MAX));
        drop(second);
        assert_eq!(budget.waiting().bytes, 0);
        assert!(budget.clone().hold(&head).may_hold(10));
    }

    #[test]
    fn the_request_that_has_waited_longest_gives_way_and_is_woken() {
        let head = RequestHead::default();
        let budget = ByteBudget::new(10);
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let [mut first, mut second, mut third] = [(); 3].map(|()| budget.hold(&head));
        assert!(first.grow_to(4, &Context::from_waker(&waker)));
        assert!(second.may_hold(4) && third.may_hold(2));
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        // Who has begun to wait last may have more.
        assert!(third.may_hold(3));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(!first.may_hold(1) && !first.may_hold(0));
        // Who has waited longest may not.
        assert!(!second.may_hold(8) && third.may_hold(10));
        // What can never fit drives nobody away.
        assert!(!budget.hold(&head).may_hold(11) && third.may_hold(10));
        drop((first, second, third));
        assert_eq!(budget.waiting().bytes, 0);
    }

    #[test]
    fn requests_that_wait_are_bounded_even_if_they_hold_nothing() {
        let head = RequestHead::default();
        for (limit, most) in [(10, 1024), (BYTES_FOR_A_REQUEST * 2000, 2000)] {
            let budget = ByteBudget::new(limit);
            let mut waiting: Vec<_> = (0..most).map(|_| budget.hold(&head)).collect();
            assert!(waiting.iter_mut().all(|share| share.may_hold(0)));
            assert!(waiting.iter_mut().all(|share| share.may_hold(0)));
            let mut newest = budget.hold(&head);
            assert!(newest.may_hold(0) && budget.waiting().shares.len() == most);
            let mut stay = waiting.iter_mut().map(|share| share.may_hold(0));
            assert!(!stay.next().unwrap() && stay.all(|stays| stays), "{limit}");
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
        assert!(budget.hold(&head).may_hold(10_000));
        // A text that is repeated counts once.
        let text = "c".repeat(100);
        let value = HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap();
        for _ in 0..100 {
            head.headers.append(name.clone(), value.clone());
        }
        let mut share = budget.hold(&head);
        assert!(share.may_hold(0) && share.may_hold(3_000) && !share.may_hold(4_000));
        drop(share);
        assert!(budget.hold(&RequestHead::default()).may_hold(10_000));
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
        let mut with_long_name = RequestHead::default();
        let name: HeaderName = "n".repeat(7_000).parse().unwrap();
        with_long_name
            .headers
            .append(name, HeaderValue::from_static(""));
        let mut with_method = RequestHead::default();
        with_method.method = Method::from_bytes(&[b'M'; 7_500]).unwrap();
        for head in [
            with_uri(format!("/{}", "a".repeat(5_000))),
            with_uri(format!("http://{}/", "a".repeat(5_000))),
            with_header,
            with_names,
            with_long_name,
            with_method,
        ] {
            let mut share = budget.hold(&head);
            assert!(share.may_hold(3_000) && !share.may_hold(4_000), "{head:?}");
        }
    }
}
