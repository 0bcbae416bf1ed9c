//! Sends the requests of a saved file again, byte for byte.

use std::{
    io::{self, Write},
    path::Path,
};

use crate::{
    commands::listen::{Parts, lines::Lines},
    input::source,
    inspect::{
        exchange::{FailureKind, Outcome, Source},
        history::Change,
        record::{NotSaved, Saved},
    },
    outcome::Failure,
    terminal::{self, Format},
};

/// Sends one request after the other, and prints each with its answer.
pub(super) async fn run(path: &Path, parts: &Parts, format: Format) -> Result<(), Failure> {
    let mut file = source::open(path)?;
    let mut lines = Lines::new(anstream::stdout(), format);
    let (mut line, mut number, mut failed) = (Vec::new(), 0_usize, false);
    let (mut unknown, mut in_a_row) = (0_u64, 0_usize);
    loop {
        line.clear();
        number += 1;
        source::read_line(&mut file, &mut line).map_err(|err| source::unreadable(path, &err))?;
        if line.is_empty() {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let saved = match Saved::parse(source::without_mark(&line)) {
            Ok(saved) => saved,
            Err(problem) => {
                writeln!(io::stderr(), "line {number} is not sent: {problem}")?;
                failed = true;
                match problem {
                    NotSaved::Unknown => {
                        unknown += 1;
                        in_a_row += 1;
                    }
                    NotSaved::NotWhole => in_a_row = 0,
                }
                if in_a_row >= source::MAX_FOREIGN_LINES {
                    return Err(source::foreign(path, "was written by `listen --save`"));
                }
                continue;
            }
        };
        in_a_row = 0;
        let source = Source::Replayed { of: saved.id };
        let exchange = match parts.relay.send(saved.bytes, source).await {
            Some(id) => parts.history.get(id).map(|exchange| (id, exchange)),
            None => None,
        };
        let Some((id, exchange)) = exchange else {
            writeln!(
                io::stderr(),
                "line {number} is not sent: it is not one whole request"
            )?;
            failed = true;
            continue;
        };
        if let Outcome::Failed(failure) = &exchange.outcome
            && failure.kind == FailureKind::Unreachable
        {
            return Err(Failure::Unreachable(failure.message.clone()));
        }
        let is_broken =
            matches!(&exchange.outcome, Outcome::Answered(answer) if answer.problem.is_some());
        failed |= is_broken || !matches!(exchange.status(), 101 | 200..=299);
        lines.show(&parts.history, Ok(Change::Added(id)))?;
    }
    match unknown {
        0 if failed => Err(Failure::Check),
        0 => Ok(()),
        _ => Err(Failure::usage(format_args!(
            "{} not written by `listen --save`",
            terminal::counted(unknown, "line was", "lines were")
        ))),
    }
}
