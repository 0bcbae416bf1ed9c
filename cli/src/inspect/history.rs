//! The last exchanges, for all that show them.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::inspect::exchange::{Exchange, Frame};

/// The last exchanges: at most 1,000, and at most 64 MiB of them.
#[derive(Debug)]
pub(crate) struct History {}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// An exchange has ended, or its WebSocket has opened.
    Added(u64),
    /// Frames went through the WebSocket of an exchange, or it closed.
    Updated(u64),
}

impl History {
    /// Subscribes to the changes from now on. A slow subscriber misses some.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        todo!()
    }

    /// Returns an exchange, if it was not dropped for newer ones.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Exchange>> {
        todo!()
    }

    /// Returns the exchanges, the oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Exchange>> {
        todo!()
    }
}
