//! The line on a terminal that shows how far a check is.

use std::io::{self, IsTerminal, Write};

use crate::commands::check::rows::Row;

/// A line on a terminal that says how far the check is.
pub(crate) struct Progress {
    total: usize,
    visible: bool,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        let visible = io::stderr().is_terminal();
        Self { total, visible }
    }

    pub(crate) fn show(&self, at: usize, row: &Row) {
        if self.visible {
            // Nothing depends on the progress being seen.
            let _ = write!(
                io::stderr(),
                "\r\x1b[K{}/{} {}: {}",
                at + 1,
                self.total,
                row.shape.as_str(),
                row.name
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.visible {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
