//! Sends the rows and compares each answer with what the row expects.

use crate::{
    commands::check::{
        progress::Progress,
        rows::{Expected, Row},
    },
    endpoint::{
        Endpoint,
        client::{Answer, NoAnswer},
    },
    outcome::Failure,
};

/// The result of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowResult {
    Passed,
    Failed,
    NotTaken,
    LeftOut,
}

/// A row and its result.
pub(crate) struct Trial<'r> {
    pub(crate) row: &'r Row,
    pub(crate) status: Option<u16>,
    pub(crate) result: RowResult,
    pub(crate) note: String,
}

/// Sends the rows in order. The genuine rows of a shape must come before its forgeries.
pub(crate) fn run_all<'r>(
    endpoint: &Endpoint,
    rows: &'r [Row],
    try_left_out: bool,
) -> Result<Vec<Trial<'r>>, Failure> {
    let progress = Progress::new(rows.len());
    let mut trials: Vec<Trial<'r>> = Vec::new();
    let mut answered = false;
    for (at, row) in rows.iter().enumerate() {
        progress.show(at, row);
        let genuine = |result| {
            trials.iter().any(|other| {
                other.row.shape == row.shape
                    && other.row.expected == Expected::Accept
                    && other.result == result
            })
        };
        let (accepted, refused) = (genuine(RowResult::Passed), genuine(RowResult::Failed));
        let leave_out = row.expected == Expected::Refuse && !accepted && !refused;
        if leave_out && !try_left_out {
            trials.push(Trial::left_out(row, None));
            continue;
        }
        let signatures: Vec<_> = row.signatures.iter().map(String::as_str).collect();
        trials.push(match endpoint.send(&row.message, &signatures) {
            Ok(answer) => {
                answered = true;
                if leave_out {
                    Trial::left_out(row, Some(answer.status))
                } else {
                    Trial::judge(row, &answer, accepted)
                }
            }
            Err(NoAnswer::Broken(reason)) if answered => Trial {
                row,
                status: None,
                result: RowResult::Failed,
                note: reason,
            },
            Err(err) => return Err(err.into()),
        });
    }
    Ok(trials)
}

impl<'r> Trial<'r> {
    fn left_out(row: &'r Row, status: Option<u16>) -> Self {
        Self {
            row,
            status,
            result: RowResult::LeftOut,
            note: "no genuine request of this shape was taken".to_owned(),
        }
    }

    /// Compares an answer with the expectation. `accepted` is whether a genuine request of the same shape
    /// was accepted: only then does a 401 show that the signature was refused, and not the credentials.
    fn judge(row: &'r Row, answer: &Answer, accepted: bool) -> Self {
        let (result, note) = match (row.expected, answer.status) {
            (Expected::Accept, 200..=399) | (Expected::Refuse, 403) => (RowResult::Passed, ""),
            (Expected::Refuse, 401) if accepted => (RowResult::Passed, ""),
            (Expected::Accept, 400 | 404 | 405 | 415 | 422) => (
                RowResult::NotTaken,
                "the endpoint does not handle such requests",
            ),
            (_, 401) if answer.authenticated => {
                (RowResult::Failed, "the endpoint refused the credentials")
            }
            (_, 401) => (
                RowResult::Failed,
                "the endpoint asks for credentials: pass --auth",
            ),
            (Expected::Accept, 403) => (RowResult::Failed, "a genuine request was refused"),
            (Expected::Accept, 500..) => (RowResult::Failed, "the app failed: see its log"),
            (Expected::Accept, _) => (RowResult::Failed, "a genuine request was not accepted"),
            (Expected::Refuse, 200..=399) => (RowResult::Failed, "a forgery was accepted"),
            (Expected::Refuse, _) => (
                RowResult::Failed,
                "a forgery must be refused with 403 or 401",
            ),
        };
        Self {
            row,
            status: Some(answer.status),
            result,
            note: note.to_owned(),
        }
    }
}
