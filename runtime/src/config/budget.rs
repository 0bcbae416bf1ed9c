//! Bounds the bytes of all bodies that are being read at a time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The bytes that may be held at a time. Clones share one budget.
#[derive(Debug, Clone)]
pub(crate) struct ByteBudget {
    limit: usize,
    held: Arc<AtomicUsize>,
}

impl ByteBudget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Arc::default(),
        }
    }

    /// Starts to hold bytes: none yet.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held {
            budget: self,
            bytes: 0,
        }
    }
}

/// Bytes that one request holds, until this is dropped.
pub(crate) struct Held<'b> {
    budget: &'b ByteBudget,
    bytes: usize,
}

impl Held<'_> {
    /// Holds more bytes. Returns whether the budget has that many left; if not, nothing changes.
    #[must_use]
    pub(crate) fn add(&mut self, bytes: usize) -> bool {
        let ByteBudget { limit, held } = self.budget;
        let added = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(bytes).filter(|held| held <= limit)
        });
        if added.is_ok() {
            self.bytes += bytes;
        }
        added.is_ok()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_held_up_to_the_limit_and_given_back() {
        let budget = ByteBudget::new(10);
        let mut first = budget.hold();
        let mut second = budget.hold();
        assert!(first.add(4) && second.add(6));
        assert!(!first.add(1) && !second.add(usize::MAX));
        assert!(second.add(0));
        drop(first);
        assert!(second.add(4) && !second.add(1));
        drop(second);
        assert!(budget.clone().hold().add(10));
    }
}
