//! `verify`: the verdict on captured requests.

use std::{
    io::{self, BufRead, Read, Write},
    path::PathBuf,
};

use actix_twilio::RequestValidator;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    captured::{self, CapturedRequest},
    outcome::Failure,
    source,
    token::KeyArgs,
};

/// The longest line that is read, in bytes. Twilio's requests are a thousand times shorter.
const LINE_LIMIT: u64 = 64 * 1024 * 1024;

/// Says whether captured requests are genuine, one JSON object a line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Reads requests from a file, or from the standard input for `-`, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    jsonl: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
}

/// What is said of a request. The order of the fields is that of the output.
#[derive(Serialize)]
struct Verdict<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    valid: bool,
    kind: &'static str,
    matched_url: Option<String>,
}

/// What is said of a line that is no request.
#[derive(Serialize)]
struct Malformed {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    error: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if source::is_stdin(&args.jsonl) && args.key.is_stdin() {
        return Err(Failure::usage(
            "the token and the requests can't both be the standard input",
        ));
    }
    let default = args.key.validator_if_set()?.and_then(Result::ok);
    let mut lines = source::open(&args.jsonl)?;
    let mut output = io::stdout().lock();
    let (mut line, mut all_valid, mut malformed) = (Vec::new(), true, 0_usize);
    loop {
        line.clear();
        let complete = read_line(&mut lines, &mut line)
            .map_err(|err| source::unreadable(&args.jsonl, &err))?;
        if line.is_empty() {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let request = if complete {
            CapturedRequest::from_json(&line)
        } else {
            Err(format!("the line is longer than {LINE_LIMIT} bytes"))
        };
        match request {
            Ok(request) => {
                let verdict = judge(&request, default.as_ref());
                all_valid &= verdict.valid;
                write_line(&mut output, &verdict)?;
            }
            Err(error) => {
                malformed += 1;
                let id = captured::id_of(&line);
                write_line(&mut output, &Malformed { id, error })?;
            }
        }
    }
    match malformed {
        0 if all_valid => Ok(()),
        0 => Err(Failure::Check),
        1 => Err(Failure::usage("a line is malformed")),
        count => Err(Failure::usage(format_args!("{count} lines are malformed"))),
    }
}

fn judge<'a>(request: &'a CapturedRequest, default: Option<&RequestValidator>) -> Verdict<'a> {
    let validator = match &request.validator {
        Some(own) => own.as_ref().ok(),
        None => default,
    };
    let (kind, matched_url) = match validator.map(|keys| keys.validate(&request.webhook())) {
        None => ("config", None),
        Some(Ok(accepted)) => ("valid", Some(accepted.url.into_owned())),
        Some(Err(err)) => (err.kind().as_str(), None),
    };
    Verdict {
        id: request.id.as_deref(),
        valid: matched_url.is_some(),
        kind,
        matched_url,
    }
}

/// Reads a line with its end, or nothing at the end of the input. Returns whether all of it was
/// kept: the rest of an overlong one is passed over.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let read = lines.by_ref().take(LINE_LIMIT).read_until(b'\n', line)?;
    if read as u64 == LINE_LIMIT && line.last() != Some(&b'\n') {
        return lines.skip_until(b'\n').map(|skipped| skipped == 0);
    }
    Ok(true)
}

/// Writes a line at once, so that a program at the other end of a pipe can wait for it.
fn write_line(output: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")?;
    output.flush()
}
