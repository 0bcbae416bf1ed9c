//! Sends the rows and compares each answer with what the row expects.

use crate::{
    commands::check::{
        progress::Progress,
        rows::{Expected, Row},
    },
    endpoint::{
        Endpoint,
        client::{Answer, NoAnswer},
        refusal,
    },
    outcome::Failure,
};

/// The number of requests without an answer after which no more are sent.
const MAX_UNANSWERED: usize = 3;

/// Why forgeries are left out.
const NOT_TAKEN: &str = "no genuine request of this shape was taken";

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

/// The results of all rows.
pub(crate) struct Trials<'r> {
    pub(crate) all: Vec<Trial<'r>>,
    /// Why the check ended before all rows were sent: a clause.
    pub(crate) stopped: Option<String>,
}

/// Sends the rows in order, until the rest could show nothing or the time is over. The genuine rows of a shape must
/// come before its forgeries.
pub(crate) fn run_all<'r>(
    endpoint: &Endpoint,
    rows: &'r [Row],
    try_left_out: bool,
) -> Result<Trials<'r>, Failure> {
    let progress = Progress::new(rows.len());
    let mut trials = Trials {
        all: Vec::new(),
        stopped: None,
    };
    for (at, row) in rows.iter().enumerate() {
        progress.show(at, row);
        if trials.stopped.is_none() && endpoint.is_out_of_time() {
            trials.stopped = Some("the time of --max-time is over".to_owned());
        }
        if let Some(reason) = &trials.stopped {
            let note = format!("not sent: {reason}");
            trials.all.push(Trial::left_out(row, None, &note));
            continue;
        }
        let trial = trials.send(endpoint, row, try_left_out)?;
        trials.all.push(trial);
        trials.stopped = trials.reason_to_stop();
    }
    Ok(trials)
}

impl<'r> Trials<'r> {
    /// Sends a row, unless it is left out.
    fn send(
        &self,
        endpoint: &Endpoint,
        row: &'r Row,
        try_left_out: bool,
    ) -> Result<Trial<'r>, Failure> {
        let genuine = |result| {
            self.all.iter().any(|other| {
                other.row.shape == row.shape
                    && other.row.expected == Expected::Accept
                    && other.result == result
            })
        };
        let (accepted, refused) = (genuine(RowResult::Passed), genuine(RowResult::Failed));
        let leave_out = row.expected == Expected::Refuse && !accepted && !refused;
        if leave_out && !try_left_out {
            return Ok(Trial::left_out(row, None, NOT_TAKEN));
        }
        let signatures: Vec<_> = row.signatures.iter().map(String::as_str).collect();
        match endpoint.send(&row.message, &signatures) {
            Ok(answer) if leave_out => Ok(Trial::left_out(row, Some(answer.status), NOT_TAKEN)),
            Ok(answer) => Ok(Trial::judge(endpoint, row, &answer, accepted)),
            Err(NoAnswer::Usage(problem)) => Err(Failure::Usage(problem)),
            // A request that ends the app is a failure of that request.
            Err(
                NoAnswer::Unreachable(reason)
                | NoAnswer::Broken(reason)
                | NoAnswer::TimedOut(reason),
            ) if self.is_answered() => Ok(Trial::unanswered(row, reason)),
            Err(err) => Err(err.into()),
        }
    }

    /// Returns whether the endpoint has answered a request.
    fn is_answered(&self) -> bool {
        self.all.iter().any(|trial| trial.status.is_some())
    }

    /// Returns why the next rows would show no more than those before them.
    fn reason_to_stop(&self) -> Option<String> {
        let last = self.all.last()?;
        let accepted = |trial: &Trial<'_>| {
            trial.row.expected == Expected::Accept && trial.result == RowResult::Passed
        };
        if last.status == Some(401) && !self.all.iter().any(accepted) {
            return Some("a genuine request got a 401".to_owned());
        }
        let unanswered =
            |trial: &&Trial<'_>| trial.status.is_none() && trial.result == RowResult::Failed;
        (self.all.iter().filter(unanswered).count() >= MAX_UNANSWERED)
            .then(|| format!("{MAX_UNANSWERED} requests got no answer"))
    }
}

impl<'r> Trial<'r> {
    fn left_out(row: &'r Row, status: Option<u16>, note: &str) -> Self {
        Self {
            row,
            status,
            result: RowResult::LeftOut,
            note: note.to_owned(),
        }
    }

    fn unanswered(row: &'r Row, reason: String) -> Self {
        Self {
            row,
            status: None,
            result: RowResult::Failed,
            note: reason,
        }
    }

    /// Compares an answer with the expectation. `accepted` is whether a genuine request of the same shape
    /// was accepted: only then does a 401 show that the signature was refused, and not the credentials.
    fn judge(endpoint: &Endpoint, row: &'r Row, answer: &Answer, accepted: bool) -> Self {
        let (result, note) = match row.expected {
            Expected::Accept => of_genuine(endpoint, answer),
            Expected::Refuse => of_forgery(answer.status, accepted),
        };
        Self {
            row,
            status: Some(answer.status),
            result,
            note,
        }
    }
}

fn of_genuine(endpoint: &Endpoint, answer: &Answer) -> (RowResult, String) {
    match (answer.status, refusal::problem(endpoint, answer)) {
        (_, None) => (RowResult::Passed, String::new()),
        (400 | 404 | 405 | 415 | 422 | 426, Some(_)) => (
            RowResult::NotTaken,
            "the endpoint does not handle such requests".to_owned(),
        ),
        (_, Some(problem)) => (RowResult::Failed, problem),
    }
}

fn of_forgery(status: u16, accepted: bool) -> (RowResult, String) {
    let (result, note) = match status {
        403 => (RowResult::Passed, ""),
        401 if accepted => (RowResult::Passed, ""),
        101 | 200..=299 => (RowResult::Failed, "a forgery was accepted"),
        _ => (
            RowResult::Failed,
            "a forgery must be refused with 403 or 401",
        ),
    };
    (result, note.to_owned())
}
