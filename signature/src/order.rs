//! Remembers the order in which the pairs of a form were written. The next form with as many pairs mostly has the same
//! names in the same places, because Twilio sends each kind of webhook alike.
//!
//! What is remembered is only a guess, which its reader checks against the pairs at hand. So no request can change the
//! verdict on another one. Each thread has its own memory, of a fixed size.

use std::cell::Cell;

/// The largest number of pairs whose order is remembered: that of an index in one byte.
const MOST: usize = 128;

/// The number of orders that a thread remembers.
const ORDERS: usize = 16;

thread_local! {
    static REMEMBERED: [[Cell<u8>; MOST]; ORDERS] =
        const { [const { [const { Cell::new(0) }; MOST] }; ORDERS] };
}

/// Calls a function with the order that is remembered for this many pairs: the indexes of pairs, to read or to replace. It
/// is empty if there are too many pairs.
#[inline]
pub(crate) fn remembered(pairs: usize, with: impl FnOnce(&[Cell<u8>])) {
    REMEMBERED.with(|orders| {
        let order = orders.get(pairs % ORDERS);
        with(
            order
                .and_then(|order| order.get(..pairs))
                .unwrap_or_default(),
        );
    });
}
