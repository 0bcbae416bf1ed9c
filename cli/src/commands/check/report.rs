//! Prints the result of a check: as text, as JSON, or in the tutorial's words.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    commands::check::{
        rows::{Expected, Shape},
        trial::{RowResult, Trials},
    },
    endpoint::{Endpoint, refusal},
    terminal,
};

/// The result of a check. The JSON has the fields in this order.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(super) url: String,
    signed_url: String,
    pub(crate) ok: bool,
    /// Whether a genuine request was accepted; if not, nothing is verified.
    pub(super) accepted: bool,
    passed: usize,
    failed: usize,
    not_taken: usize,
    left_out: usize,
    pub(super) stopped: Option<String>,
    /// Why the genuine requests were refused, the most likely cause first.
    pub(super) likely_causes: Vec<String>,
    pub(super) rows: Vec<Line>,
    /// Whether a genuine request that is not taken is a failure.
    #[serde(skip)]
    pub(super) strict: bool,
}

#[derive(Serialize)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) expected: Expected,
    pub(super) status: Option<u16>,
    pub(super) result: RowResult,
    pub(super) note: String,
}

impl Report {
    /// Sums up the results. `account_is_made_up` is whether the requests name an account of the tool's own.
    pub(super) fn new(
        endpoint: &Endpoint,
        trials: &Trials<'_>,
        strict: bool,
        account_is_made_up: bool,
    ) -> Self {
        let rows: Vec<_> = trials
            .all
            .iter()
            .map(|trial| Line {
                name: trial.row.name,
                shape: trial.row.shape,
                expected: trial.row.expected,
                status: trial.status,
                result: trial.result,
                note: terminal::without_passwords(&trial.note),
            })
            .collect();
        let count = |result| rows.iter().filter(|row| row.result == result).count();
        let (passed, failed) = (count(RowResult::Passed), count(RowResult::Failed));
        let (not_taken, left_out) = (count(RowResult::NotTaken), count(RowResult::LeftOut));
        let genuine = || rows.iter().filter(|row| row.expected == Expected::Accept);
        let accepted = genuine().any(|row| row.result == RowResult::Passed);
        let refused = genuine().any(|row| row.status == Some(403));
        let likely_causes = if refused && !accepted {
            refusal::likely_causes(endpoint, account_is_made_up)
        } else {
            Vec::new()
        };
        let complete = trials.stopped.is_none();
        Self {
            url: terminal::without_passwords(endpoint.url.as_str()),
            signed_url: terminal::without_passwords(endpoint.public_url.as_str()),
            ok: failed == 0 && accepted && complete && !(strict && not_taken > 0),
            accepted,
            passed,
            failed,
            not_taken,
            left_out,
            stopped: trials.stopped.clone(),
            likely_causes,
            rows,
            strict,
        }
    }

    pub(crate) fn write_json(&self, output: &mut impl Write) -> io::Result<()> {
        writeln!(output, "{}", terminal::pretty_json(self)?)
    }

    /// Writes a table. Rows with the same outcome are one line, unless `every_row` is set or they failed while others
    /// of their kind did not.
    pub(crate) fn write_text(&self, output: &mut impl Write, every_row: bool) -> io::Result<()> {
        writeln!(
            output,
            "{:<9}  {:<41} {:<9} {:<6}  result",
            "shape", "requests", "must be", "status"
        )?;
        let mut shown_note = "";
        for (rows, of_kind) in self.lines(every_row) {
            let Some(row) = rows.first() else { continue };
            let (must_be, kind) = match row.expected {
                Expected::Accept => ("accepted", "genuine requests"),
                Expected::Refuse => ("refused", "forgeries"),
            };
            let name = match rows.len() {
                1 => row.name.to_owned(),
                count if count == of_kind => format!("all {count} {kind}"),
                count => format!("{count} other {kind}"),
            };
            let status = row
                .status
                .map_or_else(|| "-".to_owned(), |status| status.to_string());
            let (result, style) = row.result.shown();
            writeln!(
                output,
                "{:<9}  {name:<41} {must_be:<9} {status:<6}  {style}{result}{style:#}",
                row.shape.as_str(),
            )?;
            if !row.note.is_empty() && row.note != shown_note && row.result != RowResult::LeftOut {
                terminal::write_wrapped(output, "             ", &row.note)?;
                shown_note = &row.note;
            }
        }
        writeln!(output)?;
        terminal::write_wrapped(output, "", &self.summary())?;
        terminal::write_causes(output, &self.likely_causes)
    }

    /// Returns the rows of each line, and how many rows there are of their shape and expectation.
    fn lines(&self, every_row: bool) -> Vec<(Vec<&Line>, usize)> {
        let kind = |row: &Line| (row.shape, row.expected);
        let of_kind = |row: &Line| {
            self.rows
                .iter()
                .filter(|other| kind(other) == kind(row))
                .count()
        };
        let mut lines: Vec<(Vec<&Line>, usize)> = Vec::new();
        for row in &self.rows {
            let same = |other: &Line| {
                kind(other) == kind(row)
                    && (other.result, other.status, &other.note)
                        == (row.result, row.status, &row.note)
            };
            let total = of_kind(row);
            let all_alike = self.rows.iter().filter(|other| same(other)).count() == total;
            let alone = every_row || (row.result == RowResult::Failed && !all_alike);
            let group = lines
                .iter_mut()
                .find(|(rows, _)| !alone && rows.first().is_some_and(|other| same(other)));
            match group {
                Some((rows, _)) => rows.push(row),
                None => lines.push((vec![row], total)),
            }
        }
        // In the order of the shapes, the genuine requests of each before its forgeries.
        let order = |shape| Shape::ALL.iter().position(|other| *other == shape);
        lines.sort_by_key(|(rows, _)| {
            rows.first()
                .map(|row| (order(row.shape), row.expected == Expected::Refuse))
        });
        lines
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
                row.name,
                terminal::line(&row.note)
            )?;
        }
        if self.ok {
            return Ok(());
        }
        writeln!(errors, "{}", self.summary())?;
        terminal::write_causes(&mut errors, &self.likely_causes)
    }

    pub(super) fn summary(&self) -> String {
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
        let counts = match &self.stopped {
            Some(reason) => format!("{counts}; stopped early: {reason}"),
            None => counts,
        };
        if self.accepted {
            return counts;
        }
        let mut statuses = self.rows.iter().filter_map(|row| row.status).peekable();
        let nothing_there = statuses.peek().is_some() && statuses.all(|status| status == 404);
        // The status with which a WebSocket server answers a GET that is not a handshake.
        let may_be_websocket = self
            .rows
            .iter()
            .any(|row| row.shape == Shape::Get && matches!(row.status, Some(400 | 426)));
        let question = if nothing_there {
            "; every answer was 404; is the path right?"
        } else if may_be_websocket {
            "; if the endpoint opens WebSockets, check its ws:// or wss:// URL"
        } else {
            ""
        };
        format!("{counts}: no genuine request was accepted, so nothing is verified{question}")
    }
}

impl RowResult {
    /// Returns the word for the table and its style.
    fn shown(self) -> (&'static str, Style) {
        let (word, color) = match self {
            Self::Passed => ("passed", AnsiColor::Green),
            Self::Failed => ("FAILED", AnsiColor::Red),
            Self::NotTaken => ("not taken", AnsiColor::Yellow),
            Self::LeftOut => ("left out", AnsiColor::BrightBlack),
        };
        (word, color.on_default())
    }
}
