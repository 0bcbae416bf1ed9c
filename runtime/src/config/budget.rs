//! Bounds the total size of all bodies that are being read at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The number of bytes that requests may hold at once. Clones share one budget.
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

    /// Returns a share of the budget for one request, without any bytes yet.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held {
            budget: self,
            bytes: 0,
        }
    }
}

/// The bytes that one request holds until this is dropped.
pub(crate) struct Held<'b> {
    budget: &'b ByteBudget,
    bytes: usize,
}

impl Held<'_> {
    /// Holds more bytes, if the budget has that many left. Returns whether it has.
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
