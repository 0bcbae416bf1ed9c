//! Shows in a terminal how far a check has come.

use std::io::{self, IsTerminal, Write};

use crate::commands::check::rows::Row;

/// A line in the terminal that is removed at the end.
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
            // A progress that cannot be shown changes no result.
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
