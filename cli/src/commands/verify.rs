//! `verify`: verifies the signatures of captured requests.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::value::RawValue;
use twilio_signature::{
    RequestValidator, SignatureErrorKind,
    header::{SIGNATURE, SIGNATURE_SETTINGS},
};

use crate::{
    input::{json, request::Request, request_args::RequestArgs, source, token::KeyArgs},
    outcome::Failure,
    terminal::{self, Format},
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook verify https://example.com/message -d Body=Hi --signature RSOYDt4T1cUTdK1PDd93...=
  twilio-webhook verify 'https://example.com/?bodySHA256=...' --body event.json --signature ...
  twilio-webhook verify --jsonl requests.jsonl

Each line of the --jsonl file is a JSON object with these fields; only url is required:
  url              the whole URL
  method           default: POST with a body, otherwise GET
  content_type     the Content-Type header
  body, body_b64   the raw body, as text or in base64
  signature        the X-Twilio-Signature header; absent or null if there was none
  settings_header  the X-Twilio-Webhooks-Signature-Settings header
  token            the one token to use instead of TWILIO_AUTH_TOKEN
  tokens           further Auth Tokens that are valid, as an array of at most 10
  shared_key_id    the ID of the SharedKey whose secret is in token
  headers          the request's headers, as an object: {\"Name\": \"value\", \"Repeated\": [\"one\", \"two\"]};
                   the fields above can be given here instead; at most 1,000 values
  id               any value, which is copied to the result
  listen           the data that `listen --save` adds, which is ignored

`explain` takes the same objects. A line may have 2 MiB. After 1,000 malformed lines in a row, the rest is not read. \
A field that is not listed here is ignored, with a warning.

The output has one line for each request, in order, as soon as it is verified: id, valid, kind (\"valid\", or \
the reason why it is not valid), matched_url (the form of the URL that was signed, without its user name \
and password) and warnings, if there are any: unknown fields, and a body that does not have the announced length. \
A malformed line gets an error instead.

Exit status: 0 all requests are valid; 1 some are not; 2 wrong usage, or a malformed line (the other lines \
are still verified).";

/// Verifies the signatures of captured requests.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES, override_usage = "twilio-webhook verify [OPTIONS] <URL>\n       \
    twilio-webhook verify [OPTIONS] --jsonl <FILE>")]
pub(crate) struct Args {
    #[command(flatten)]
    request: Option<RequestArgs>,
    /// The value of the X-Twilio-Signature header.
    #[arg(long, value_name = "VALUE", conflicts_with = "jsonl")]
    signature: Option<String>,
    /// The value of the X-Twilio-Webhooks-Signature-Settings header, which names a SharedKey.
    #[arg(long, value_name = "VALUE", conflicts_with = "jsonl")]
    settings_header: Option<String>,
    /// Reads requests from a file with a JSON object per line, or from the standard input if FILE is -.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["RequestArgs", "shared_key_id"])]
    jsonl: Option<PathBuf>,
    /// Prints the results as text or as JSON.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    #[command(flatten)]
    key: KeyArgs,
}

/// The result for a request. The order of the fields is that of the output.
#[derive(Serialize)]
struct VerifyResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    valid: bool,
    kind: &'static str,
    matched_url: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

/// The result for a line that is not a request.
#[derive(Serialize)]
struct MalformedLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    error: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let path = match (&args.jsonl, &args.request) {
        (Some(path), _) => path,
        (None, Some(request)) => return verify_one(args, request),
        (None, None) => return Err(Failure::usage("pass a URL, or requests with --jsonl")),
    };
    source::at_most_one_stdin(&[source::is_stdin(path), args.key.is_stdin()])?;
    // A line may have a key of its own. One that has none gets the kind `config`.
    let default = args.key.validator_if_set()?.and_then(Result::ok);
    verify_lines(path, default.as_ref(), args.format)
}

fn verify_one(args: &Args, request: &RequestArgs) -> Result<(), Failure> {
    source::at_most_one_stdin(&[request.is_stdin(), args.key.is_stdin()])?;
    let mut request = request.read()?;
    request.add_header(SIGNATURE, args.signature.clone());
    request.add_header(SIGNATURE_SETTINGS, args.settings_header.clone());
    let keys = args.key.validator();
    let result = judge(&request, keys.as_ref().ok());
    write_result(&mut io::stdout().lock(), args.format, &result)?;
    keys?;
    if result.valid {
        Ok(())
    } else {
        Err(Failure::Check)
    }
}

fn verify_lines(
    path: &Path,
    default: Option<&RequestValidator>,
    format: Format,
) -> Result<(), Failure> {
    let mut lines = source::open(path)?;
    let mut output = io::stdout().lock();
    let (mut line, mut all_valid, mut malformed) = (Vec::new(), true, 0_usize);
    let mut in_a_row = 0_usize;
    loop {
        line.clear();
        let complete = source::read_line(&mut lines, &mut line)
            .map_err(|err| source::unreadable(path, &err))?;
        if line.is_empty() {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let request = if complete {
            json::parse(&line)
        } else {
            Err(format!(
                "the line is longer than {} bytes",
                source::CAPTURE_LIMIT
            ))
        };
        match request {
            Ok(request) => {
                in_a_row = 0;
                let result = judge(&request, default);
                all_valid &= result.valid;
                write_result(&mut output, format, &result)?;
            }
            Err(error) => {
                malformed += 1;
                in_a_row += 1;
                let id = json::id_of(&line);
                write_malformed(&mut output, format, &MalformedLine { id, error })?;
                if in_a_row >= source::MAX_FOREIGN_LINES {
                    return Err(source::foreign(path, "is a request"));
                }
            }
        }
    }
    match malformed {
        0 if all_valid => Ok(()),
        0 => Err(Failure::Check),
        1 => Err(Failure::usage(
            "1 line is malformed: see its error in the output",
        )),
        count => Err(Failure::usage(format_args!(
            "{count} lines are malformed: see their errors in the output"
        ))),
    }
}

fn judge<'a>(request: &'a Request, default: Option<&RequestValidator>) -> VerifyResult<'a> {
    let validator = match &request.validator {
        Some(own) => own.as_ref().ok(),
        None => default,
    };
    let (kind, matched_url) = match validator.map(|keys| keys.validate(&request.webhook())) {
        None => ("config", None),
        Some(Ok(accepted)) => ("valid", Some(terminal::url_without_password(&accepted.url))),
        Some(Err(err)) => (err.kind().as_str(), None),
    };
    VerifyResult {
        id: request.id.as_deref(),
        valid: matched_url.is_some(),
        kind,
        matched_url,
        warnings: &request.warnings,
    }
}

/// Writes a result and flushes it, so that a program at the other end of a pipe can wait for it.
fn write_result(
    output: &mut impl Write,
    format: Format,
    result: &VerifyResult<'_>,
) -> io::Result<()> {
    if format == Format::Json {
        writeln!(output, "{}", terminal::json(result)?)?;
        return output.flush();
    }
    let verdict = match &result.matched_url {
        Some(url) => format!("valid: the signature is that of {url}"),
        None => format!("not valid: {}", reason(result.kind)),
    };
    writeln!(
        output,
        "{}{}",
        label(result.id),
        terminal::exact_line(&verdict)
    )?;
    for warning in result.warnings {
        writeln!(output, "  warning: {}", terminal::line(warning))?;
    }
    output.flush()
}

fn write_malformed(
    output: &mut impl Write,
    format: Format,
    line: &MalformedLine,
) -> io::Result<()> {
    match format {
        Format::Json => writeln!(output, "{}", terminal::json(line)?)?,
        Format::Text => {
            let label = label(line.id.as_deref());
            writeln!(output, "{label}malformed: {}", terminal::line(&line.error))?;
        }
    }
    output.flush()
}

/// Returns what precedes a line of text.
fn label(id: Option<&RawValue>) -> String {
    id.map(|id| terminal::line(id.get()) + ": ")
        .unwrap_or_default()
}

/// Returns the sentence for a kind, with the kind's name.
fn reason(kind: &str) -> String {
    match SignatureErrorKind::ALL
        .iter()
        .find(|known| known.as_str() == kind)
    {
        Some(known) => format!("{known} ({kind})"),
        None => "no usable key is configured".to_owned(),
    }
}
