//! Limits the rate of log events, so that a flood of forgeries is not a flood of log lines.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Lets one event pass per interval on average, and up to `burst` events at once.
pub(super) struct Limiter {
    interval: Duration,
    burst: u32,
    /// The time when the budget will be full again, in nanoseconds since the first event.
    whole_at: AtomicU64,
    left_out: AtomicU64,
}

impl Limiter {
    pub(super) const fn new(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            burst,
            whole_at: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
        }
    }

    /// Returns the number of events that were left out since the last one, or `None` if this event must be left
    /// out.
    pub(super) fn pass(&self) -> Option<u64> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.pass_at(START.elapsed())
    }

    fn pass_at(&self, now: Duration) -> Option<u64> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let now = nanos(now);
        let budget = nanos(self.interval.saturating_mul(self.burst));
        let passed = self
            .whole_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |whole_at| {
                let next = whole_at.max(now).saturating_add(nanos(self.interval));
                (next.saturating_sub(now) <= budget).then_some(next)
            });
        if passed.is_ok() {
            Some(self.left_out.swap(0, Ordering::Relaxed))
        } else {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_limited_and_those_left_out_are_counted() {
        let limiter = Limiter::new(Duration::from_secs(1), 3);
        let at = |seconds| limiter.pass_at(Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0)], [Some(0); 3]);
        assert_eq!([at(0), at(0)], [None; 2]);
        assert_eq!(at(1), Some(2));
        assert_eq!(at(1), None);
        assert_eq!([at(100), at(100), at(100)], [Some(1), Some(0), Some(0)]);
        assert_eq!(at(100), None);
    }
}
