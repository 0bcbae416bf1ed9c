//! The last exchanges, for all that show them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::broadcast, time};

use crate::inspect::{
    exchange::{Exchange, Source},
    frames::Seen,
};

/// The largest number of exchanges that are kept.
pub(crate) const MAX_EXCHANGES: usize = 1000;

/// The largest sum of the exchanges that are kept, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The longest idempotency token that is remembered, in bytes. Twilio's have 36.
const MAX_TOKEN: usize = 128;

/// How long to wait until an exchange that has ended is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last exchanges: at most 1,000, and at most 64 MiB of them.
#[derive(Debug)]
pub(crate) struct History {
    kept: Mutex<Kept>,
    changes: broadcast::Sender<Change>,
    left_out: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    exchanges: BTreeMap<u64, (Arc<Exchange>, usize)>,
    /// Their ids in the order in which they were added: a request that takes long comes after those that arrived later.
    added: VecDeque<u64>,
    bytes: usize,
    /// The first exchange with each `I-Twilio-Idempotency-Token`.
    first: HashMap<Vec<u8>, u64>,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// An exchange has ended, or its WebSocket has opened.
    Added(u64),
    /// Frames went through the WebSocket of an exchange.
    Updated(u64),
    /// The WebSocket of an exchange has closed.
    Closed(u64),
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            kept: Mutex::default(),
            changes: broadcast::Sender::new(MAX_EXCHANGES),
            left_out: AtomicU64::new(0),
        }
    }

    /// Subscribes to the changes from now on. A slow subscriber misses some.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Returns an exchange, if it was not dropped for newer ones.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Exchange>> {
        let kept = self.kept();
        kept.exchanges
            .get(&id)
            .map(|(exchange, _)| exchange.clone())
    }

    /// Returns the exchanges, the oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Exchange>> {
        let kept = self.kept();
        let exchanges = kept.exchanges.values();
        exchanges.map(|(exchange, _)| exchange.clone()).collect()
    }

    /// Returns the numbers of the exchanges.
    pub(crate) fn ids(&self) -> BTreeSet<u64> {
        self.kept().exchanges.keys().copied().collect()
    }

    /// Returns how many requests went through without being recorded, since too many came at a time.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Counts a request that is not recorded.
    pub(super) fn leave_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds an exchange, and drops old ones for it.
    pub(crate) fn add(&self, mut exchange: Exchange) {
        let id = exchange.id;
        let mut kept = self.kept();
        let token = exchange
            .request
            .wire
            .values("I-Twilio-Idempotency-Token")
            .next();
        // What the user sends again is no retry of Twilio's.
        if exchange.source == Source::Arrived
            && let Some(token) = token.filter(|token| (1..=MAX_TOKEN).contains(&token.len()))
        {
            let first = *kept.first.entry(token.to_vec()).or_insert(id);
            exchange.retry_of = Some(first).filter(|first| *first < id);
        }
        let size = exchange.size();
        kept.bytes += size;
        kept.exchanges.insert(id, (Arc::new(exchange), size));
        kept.added.push_back(id);
        kept.shrink();
        drop(kept);
        // Without a subscriber there is nobody to be told.
        let _ = self.changes.send(Change::Added(id));
    }

    /// Adds frames to an exchange.
    pub(super) fn add_frames(&self, id: u64, seen: Seen) {
        self.update(id, |exchange| exchange.frames.add(seen.last, seen.count));
        let _ = self.changes.send(Change::Updated(id));
    }

    /// Says that the WebSocket of an exchange has closed.
    pub(super) fn close(&self, id: u64) {
        self.update(id, |exchange| exchange.frames.closed = true);
        let _ = self.changes.send(Change::Closed(id));
    }

    fn update(&self, id: u64, change: impl FnOnce(&mut Exchange)) {
        let mut kept = self.kept();
        let Some((exchange, size)) = kept.exchanges.get_mut(&id) else {
            return;
        };
        change(Arc::make_mut(exchange));
        let before = std::mem::replace(size, exchange.size());
        let after = *size;
        kept.bytes = kept.bytes + after - before;
        kept.shrink();
    }

    /// Waits until an exchange that has ended is there. Returns whether it is.
    pub(crate) async fn wait_for(&self, id: u64) -> bool {
        let mut changes = self.subscribe();
        let arrives = async {
            while self.get(id).is_none() {
                if matches!(
                    changes.recv().await,
                    Err(broadcast::error::RecvError::Closed)
                ) {
                    return;
                }
            }
        };
        let _ = time::timeout(PATIENCE, arrives).await;
        self.get(id).is_some()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Drops the oldest exchanges until the others are within the limits. The newest one stays.
    fn shrink(&mut self) {
        let is_over = |kept: &Self| {
            kept.exchanges.len() > MAX_EXCHANGES
                || (kept.bytes > MAX_BYTES && kept.exchanges.len() > 1)
        };
        while is_over(self) {
            let oldest = self.added.pop_front();
            let Some((id, (exchange, size))) =
                oldest.and_then(|id| self.exchanges.remove_entry(&id))
            else {
                return;
            };
            self.bytes -= size;
            let token = exchange
                .request
                .wire
                .values("I-Twilio-Idempotency-Token")
                .next();
            if let Some(token) = token
                && self.first.get(token) == Some(&id)
            {
                self.first.remove(token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::exchange::{Answer, Frame, Outcome, Request};

    fn exchange(id: u64, token: &str, body: usize) -> Exchange {
        let mut exchange = Exchange::of(id, 0, Source::Arrived, Request::default());
        let token = ("i-twilio-idempotency-token".to_owned(), token.into());
        exchange.request.wire.headers.push(token);
        exchange.request.wire.add(&vec![0; body]);
        exchange
    }

    fn ids(history: &History) -> Vec<u64> {
        history.list().iter().map(|exchange| exchange.id).collect()
    }

    #[test]
    fn the_last_thousand_are_kept() {
        let history = History::new();
        for id in 1..=2500 {
            history.add(exchange(id, &format!("token {id}"), 10));
        }
        assert_eq!(ids(&history), (1501..=2500).collect::<Vec<_>>());
        assert_eq!(history.kept().first.len(), 1000);
        assert!(history.get(1500).is_none() && history.get(1501).is_some());
    }

    #[test]
    fn the_bytes_of_all_are_bounded() {
        let history = History::new();
        for id in 1..=1000 {
            let mut big = exchange(id, "", 64 * 1024);
            big.outcome = Outcome::Answered(Answer {
                wire: big.request.wire.clone(),
                ..Answer::default()
            });
            history.add(big);
        }
        let kept = history.kept();
        let sizes: usize = kept
            .exchanges
            .values()
            .map(|(exchange, _)| exchange.size())
            .sum();
        assert_eq!(kept.bytes, sizes);
        assert!(
            kept.bytes <= MAX_BYTES && kept.exchanges.len() > 400,
            "{}",
            kept.exchanges.len()
        );
    }

    #[test]
    fn retries_name_the_first_delivery() {
        let history = History::new();
        for (id, token) in [(1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, ""), (6, "")] {
            history.add(exchange(id, token, 0));
        }
        let retries: Vec<_> = history
            .list()
            .iter()
            .map(|exchange| exchange.retry_of)
            .collect();
        assert_eq!(retries, [None, None, Some(1), Some(1), None, None]);
    }

    #[test]
    fn frames_are_bounded_and_counted() {
        let history = History::new();
        let mut changes = history.subscribe();
        history.add(exchange(1, "", 0));
        let frame = Frame {
            from_app: true,
            after: Duration::ZERO,
            opcode: 1,
            is_final: true,
            compressed: false,
            length: 4096,
            payload: vec![0; 4096],
        };
        for _ in 0..100 {
            let last = [frame.clone()].into();
            history.add_frames(1, Seen { last, count: 10 });
        }
        history.close(1);
        let frames = history.get(1).unwrap().frames.clone();
        assert_eq!(
            (frames.count, frames.last.len(), frames.closed),
            (1000, 16, true)
        );
        assert_eq!(changes.try_recv(), Ok(Change::Added(1)));
        assert_eq!(changes.try_recv(), Ok(Change::Updated(1)));
        history.close(99);
    }
}
