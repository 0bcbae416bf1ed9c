//! Prints the result of a check: as a table, as JSON, or in the tutorial's words.

use std::io::{self, Write};

use comfy_table::{Cell, Color, Table, presets};
use serde::Serialize;

use crate::{
    commands::check::{
        rows::{Expected, Shape},
        trial::{RowResult, Trial},
    },
    endpoint::Endpoint,
};

/// The result of a check. The JSON has the fields in this order.
#[derive(Serialize)]
pub(crate) struct Report<'r> {
    url: &'r str,
    signed_url: &'r str,
    pub(crate) ok: bool,
    /// Whether a genuine request was accepted; if not, nothing is verified.
    accepted: bool,
    passed: usize,
    failed: usize,
    not_taken: usize,
    left_out: usize,
    rows: Vec<Line<'r>>,
}

#[derive(Serialize)]
struct Line<'r> {
    name: &'static str,
    shape: Shape,
    expected: Expected,
    status: Option<u16>,
    result: RowResult,
    note: &'r str,
}

impl<'r> Report<'r> {
    pub(super) fn new(endpoint: &'r Endpoint, trials: &'r [Trial<'_>], strict: bool) -> Self {
        let rows: Vec<_> = trials
            .iter()
            .map(|trial| Line {
                name: trial.row.name,
                shape: trial.row.shape,
                expected: trial.row.expected,
                status: trial.status,
                result: trial.result,
                note: &trial.note,
            })
            .collect();
        let count = |result| rows.iter().filter(|row| row.result == result).count();
        let (passed, failed) = (count(RowResult::Passed), count(RowResult::Failed));
        let (not_taken, left_out) = (count(RowResult::NotTaken), count(RowResult::LeftOut));
        let accepted = rows
            .iter()
            .any(|row| row.expected == Expected::Accept && row.result == RowResult::Passed);
        Self {
            url: endpoint.url.as_str(),
            signed_url: endpoint.public_url.as_str(),
            ok: failed == 0 && accepted && !(strict && not_taken > 0),
            accepted,
            passed,
            failed,
            not_taken,
            left_out,
            rows,
        }
    }

    pub(crate) fn write_json(&self, output: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *output, self)?;
        writeln!(output)
    }

    pub(crate) fn write_table(&self, output: &mut impl Write) -> io::Result<()> {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .enforce_styling()
            .set_header(["shape", "request", "must be", "status", "result", ""]);
        for row in &self.rows {
            let (result, color) = row.result.shown();
            table.add_row([
                Cell::new(row.shape.as_str()),
                Cell::new(row.name),
                Cell::new(match row.expected {
                    Expected::Accept => "accepted",
                    Expected::Refuse => "refused",
                }),
                Cell::new(
                    row.status
                        .map_or_else(|| "-".to_owned(), |status| status.to_string()),
                ),
                Cell::new(result).fg(color),
                Cell::new(row.note),
            ]);
        }
        writeln!(output, "{}", table.trim_fmt())?;
        writeln!(output, "{}", self.summary())
    }

    /// Writes a line for each test as the tutorial's script does, and the failures to stderr.
    pub(crate) fn write_tutorial(&self, output: &mut impl Write) -> io::Result<()> {
        for row in &self.rows {
            let method = row.shape.method().as_str();
            let status = row
                .status
                .map_or_else(|| "no status".to_owned(), |status| status.to_string());
            writeln!(
                output,
                "HTTP {method} with {} signature returned {status}",
                row.name
            )?;
        }
        output.flush()?;
        let mut errors = io::stderr().lock();
        for row in self
            .rows
            .iter()
            .filter(|row| row.result != RowResult::Passed)
        {
            let method = row.shape.method().as_str();
            let (result, _) = row.result.shown();
            writeln!(
                errors,
                "{method} with {} signature: {result}: {}",
                row.name, row.note
            )?;
        }
        if self.ok {
            Ok(())
        } else {
            writeln!(errors, "{}", self.summary())
        }
    }

    fn summary(&self) -> String {
        let counts = [
            (self.passed, "passed"),
            (self.failed, "failed"),
            (self.not_taken, "not taken"),
            (self.left_out, "left out"),
        ];
        let counts = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, result)| format!("{count} {result}"))
            .collect::<Vec<_>>()
            .join(", ");
        if self.accepted {
            return counts;
        }
        let mut statuses = self.rows.iter().filter_map(|row| row.status).peekable();
        let nothing_there = statuses.peek().is_some() && statuses.all(|status| status == 404);
        let path = if nothing_there {
            "; every answer was 404; is the path right?"
        } else {
            ""
        };
        format!("{counts}: no genuine request was accepted, so nothing is verified{path}")
    }
}

impl RowResult {
    /// Returns the word for the table and its colour.
    fn shown(self) -> (&'static str, Color) {
        match self {
            Self::Passed => ("passed", Color::Green),
            Self::Failed => ("FAILED", Color::Red),
            Self::NotTaken => ("not taken", Color::Yellow),
            Self::LeftOut => ("left out", Color::DarkGrey),
        }
    }
}
