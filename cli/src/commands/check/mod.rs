//! `check`: sends genuine requests and forgeries, and asserts what the endpoint does with each.

mod report;
mod rows;

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use crate::{
    commands::check::{
        report::Report,
        rows::{Expected, Material, Row, Shape},
    },
    endpoint::{
        Endpoint,
        client::{Answer, NoAnswer},
        events::{self, Event},
        message::Method,
        options::EndpointArgs,
    },
    input::{params, source},
    outcome::Failure,
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook check http://localhost:8080/message
  twilio-webhook check http://localhost:8080/voice -d CallSid=CA123 --method post
  twilio-webhook check http://10.0.0.7:8080/message --public-url https://example.com/message
  twilio-webhook check https://example.com/message --auth digest:ada --format json
  twilio-webhook check http://localhost:8080/message --preset tutorial

A genuine request passes if the answer is 2xx or 3xx. On 400, 404, 405, 415 or 422 it is \"not taken by \
this endpoint\", which is no pass; if that holds for all of its shape (form, GET, JSON), the forgeries of \
that shape are left out. A forgery passes if the answer is 403, or 401 where a genuine request of its \
shape was accepted.

Exit status: 0 nothing failed and something was accepted; 1 a row failed, or nothing was accepted; 2 wrong \
usage; 3 the endpoint could not be reached.";

/// Checks that an endpoint takes genuine requests and refuses forgeries.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Tries this method alone.
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Replaces a parameter of the requests, or adds one. May be repeated.
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE")]
    data: Vec<String>,
    /// The body of the JSON requests [default: a batch from Event Streams].
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    json: Option<PathBuf>,
    /// Counts "not taken by this endpoint" as a failure.
    #[arg(long)]
    strict: bool,
    /// Runs another set of rows: the four tests of Twilio's Flask tutorial.
    #[arg(long, value_enum, conflicts_with = "method")]
    preset: Option<Preset>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    Tutorial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Passed,
    Failed,
    NotTaken,
    LeftOut,
}

/// A row that was tried, or left out.
struct Tried<'r> {
    row: &'r Row,
    status: Option<u16>,
    verdict: Verdict,
    note: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let overrides = params::parse(&args.data)?;
    source::at_most_one_stdin(&[
        args.json.as_deref().is_some_and(source::is_stdin),
        args.endpoint.token_is_stdin(),
    ])?;
    let endpoint = args.endpoint.open(&["http", "https"])?;
    let tutorial = args.preset == Some(Preset::Tutorial);
    let rows = if tutorial {
        rows::tutorial(&endpoint, &params::overridden(TUTORIAL, overrides))?
    } else {
        let json = match &args.json {
            Some(path) => source::read(path)?,
            None => events::event_stream(Vec::new())?,
        };
        if json.is_empty() {
            return Err(Failure::usage("the body of --json is empty"));
        }
        let params = params::overridden(&Event::Sms.params(), overrides);
        let shapes: Vec<_> = Shape::ALL
            .into_iter()
            .filter(|shape| args.method.is_none_or(|method| shape.method() == method))
            .collect();
        rows::matrix(&endpoint, &Material { params, json }, &shapes)?
    };

    // The tutorial prints a status for each of its tests.
    let tried = try_all(&endpoint, &rows, tutorial)?;
    let report = Report::new(&endpoint, &tried, args.strict);
    let mut output = anstream::stdout().lock();
    match args.format {
        Format::Json => report.write_json(&mut output)?,
        Format::Table if tutorial => report.write_tutorial(&mut output)?,
        Format::Table => report.write_table(&mut output)?,
    }
    output.flush()?;
    if report.ok {
        Ok(())
    } else {
        Err(Failure::Check)
    }
}

/// The parameters of the tutorial's script.
const TUTORIAL: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
];

/// Sends the rows one after the other. The genuine ones of a shape come before its forgeries.
fn try_all<'r>(
    endpoint: &Endpoint,
    rows: &'r [Row],
    try_left_out: bool,
) -> Result<Vec<Tried<'r>>, Failure> {
    let progress = Progress::new(rows.len());
    let mut tried: Vec<Tried<'r>> = Vec::new();
    let mut answered = false;
    for (at, row) in rows.iter().enumerate() {
        progress.show(at, row);
        let accepted = tried.iter().any(|other| {
            other.row.shape == row.shape
                && other.row.expected == Expected::Accept
                && other.verdict == Verdict::Passed
        });
        let refused = tried.iter().any(|other| {
            other.row.shape == row.shape
                && other.row.expected == Expected::Accept
                && other.verdict == Verdict::Failed
        });
        let leave_out = row.expected == Expected::Refuse && !accepted && !refused;
        if leave_out && !try_left_out {
            tried.push(Tried::left_out(row, None));
            continue;
        }
        let signatures: Vec<_> = row.signatures.iter().map(String::as_str).collect();
        tried.push(match endpoint.send(&row.message, &signatures) {
            Ok(answer) => {
                answered = true;
                if leave_out {
                    Tried::left_out(row, Some(answer.status))
                } else {
                    Tried::judge(row, &answer, accepted)
                }
            }
            Err(NoAnswer::Broken(reason)) if answered => Tried {
                row,
                status: None,
                verdict: Verdict::Failed,
                note: reason,
            },
            Err(err) => return Err(err.into()),
        });
    }
    Ok(tried)
}

impl<'r> Tried<'r> {
    fn left_out(row: &'r Row, status: Option<u16>) -> Self {
        Self {
            row,
            status,
            verdict: Verdict::LeftOut,
            note: "no genuine request of this shape was taken".to_owned(),
        }
    }

    /// Judges an answer. `accepted` says whether a genuine request of the same shape was accepted: a
    /// 401 only tells that the signature was refused if the same credentials, or none, are good
    /// enough for a genuine request.
    fn judge(row: &'r Row, answer: &Answer, accepted: bool) -> Self {
        let (verdict, note) = match (row.expected, answer.status) {
            (Expected::Accept, 200..=399) | (Expected::Refuse, 403) => (Verdict::Passed, ""),
            (Expected::Refuse, 401) if accepted => (Verdict::Passed, ""),
            (Expected::Accept, 400 | 404 | 405 | 415 | 422) => {
                (Verdict::NotTaken, "not taken by this endpoint")
            }
            (_, 401) if answer.authenticated => (Verdict::Failed, "the credentials were refused"),
            (_, 401) => (Verdict::Failed, "asks for credentials: see --auth"),
            (Expected::Accept, 403) => (Verdict::Failed, "a genuine request was refused"),
            (Expected::Accept, 500..) => (Verdict::Failed, "the app failed: see its log"),
            (Expected::Accept, _) => (Verdict::Failed, "a genuine request was not accepted"),
            (Expected::Refuse, 200..=399) => (Verdict::Failed, "a forgery was accepted"),
            (Expected::Refuse, _) => (Verdict::Failed, "not refused with 403 or 401"),
        };
        Self {
            row,
            status: Some(answer.status),
            verdict,
            note: note.to_owned(),
        }
    }
}

/// A line on a terminal that says how far the check is.
struct Progress {
    total: usize,
    visible: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        let visible = io::stderr().is_terminal();
        Self { total, visible }
    }

    fn show(&self, at: usize, row: &Row) {
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
