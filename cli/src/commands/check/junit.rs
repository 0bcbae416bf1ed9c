//! Writes the result of a check as a JUnit report, which CI systems show test by test.
//!
//! The report has a failure or an error exactly if the check fails.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{
    commands::check::{
        report::{Line, Report},
        rows::Expected,
        trial::RowResult,
    },
    input::source,
    outcome::Failure,
    terminal,
};

/// The longest text of a result in characters. A check has at most 100 results, which bounds the report.
const MAX_TEXT: usize = 2_000;

/// Opens the file of a report. An older report is gone from now on, so that nobody takes it for this one.
pub(super) fn create(path: &Path) -> Result<File, Failure> {
    if source::is_stdin(path) {
        return Err(Failure::usage(
            "--junit needs a file: it does not write to the standard output",
        ));
    }
    File::create(path).map_err(|err| {
        let path = path.display();
        Failure::usage(format_args!("cannot write {path}: {err}"))
    })
}

/// Writes the report of a check that ran.
pub(super) fn write_report(output: impl Write, report: &Report) -> io::Result<()> {
    let rows = report.rows.iter().map(|row| Case::of(row, report.strict));
    let cases: Vec<_> = rows.chain([Case::whole(report)]).collect();
    write(output, &report.url, &cases)
}

/// Writes the report of a check that could not run.
pub(super) fn write_failure(output: impl Write, url: &str, failure: &Failure) -> io::Result<()> {
    let message = failure.message().unwrap_or_default();
    write(
        output,
        url,
        &[Case::new("check", WHOLE, Outcome::Error, &message)],
    )
}

/// The name of the test that is about the check as a whole.
const WHOLE: &str = "the check is complete, and a genuine request is accepted";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Outcome {
    /// Returns the name of the element that tells of it.
    fn element(self) -> Option<&'static str> {
        match self {
            Self::Passed => None,
            Self::Failure => Some("failure"),
            Self::Error => Some("error"),
            Self::Skipped => Some("skipped"),
        }
    }
}

/// A test of the report.
struct Case {
    class: String,
    name: String,
    outcome: Outcome,
    text: String,
}

impl Case {
    fn new(class: &str, name: &str, outcome: Outcome, text: &str) -> Self {
        Self {
            class: class.to_owned(),
            name: name.to_owned(),
            outcome,
            text: terminal::line(text).chars().take(MAX_TEXT).collect(),
        }
    }

    fn of(row: &Line, strict: bool) -> Self {
        let outcome = match row.result {
            RowResult::Passed => Outcome::Passed,
            RowResult::Failed => Outcome::Failure,
            RowResult::NotTaken if strict => Outcome::Failure,
            RowResult::NotTaken | RowResult::LeftOut => Outcome::Skipped,
        };
        let kind = match row.expected {
            Expected::Accept => "genuine",
            Expected::Refuse => "forged",
        };
        let status = row.status.map(|status| format!(" (status {status})"));
        let text = format!("{}{}", row.note, status.unwrap_or_default());
        let name = format!("{kind}: {}", row.name);
        Self::new(row.shape.as_str(), &name, outcome, &text)
    }

    fn whole(report: &Report) -> Self {
        let mut texts = vec![report.summary()];
        texts.extend_from_slice(&report.likely_causes);
        let outcome = match (&report.stopped, report.accepted) {
            (Some(_), _) => Outcome::Error,
            (None, false) => Outcome::Failure,
            (None, true) => Outcome::Passed,
        };
        Self::new("check", WHOLE, outcome, &texts.join("; "))
    }
}

fn write(output: impl Write, url: &str, cases: &[Case]) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(io::BufWriter::new(output), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let count = |outcome| {
        let cases = cases.iter().filter(|case| case.outcome == outcome);
        cases.count().to_string()
    };
    let tests = cases.len().to_string();
    let (failures, errors, skipped) = (
        count(Outcome::Failure),
        count(Outcome::Error),
        count(Outcome::Skipped),
    );
    let counts = [
        ("tests", &*tests),
        ("failures", &failures),
        ("errors", &errors),
        ("skipped", &skipped),
    ];
    writer
        .create_element("testsuites")
        .with_attribute(("name", "twilio-webhook check"))
        .with_attributes(counts)
        .write_inner_content(|writer| {
            writer
                .create_element("testsuite")
                .with_attribute(("name", &*suite(url)))
                .with_attributes(counts)
                .write_inner_content(|writer| {
                    cases.iter().try_for_each(|case| write_case(writer, case))
                })?;
            Ok(())
        })?;
    let mut output = writer.into_inner();
    writeln!(output)?;
    output.flush()
}

/// Returns the name of all tests: the URL, if it is one. Anything else may be a token or a password at a wrong place.
fn suite(url: &str) -> String {
    let has_scheme = ["http://", "https://", "ws://", "wss://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if has_scheme {
        terminal::line(&terminal::without_secrets(url))
    } else {
        "no URL".to_owned()
    }
}

fn write_case<W: Write>(writer: &mut Writer<W>, case: &Case) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attributes([("classname", &*case.class), ("name", &case.name)]);
    let Some(outcome) = case.outcome.element() else {
        element.write_empty()?;
        return Ok(());
    };
    element.write_inner_content(|writer| {
        writer
            .create_element(outcome)
            .with_attribute(("message", &*case.text))
            .write_text_content(BytesText::new(&case.text))?;
        Ok(())
    })?;
    Ok(())
}
