//! `check`: sends genuine requests and forgeries, and checks that the endpoint accepts or refuses each.
//!
//! One word for one thing: a request is genuine or forged, the endpoint accepts or refuses it, and
//! the row passes or fails.

mod progress;
mod report;
mod rows;
mod trial;

use std::{io::Write, path::PathBuf};

use crate::{
    commands::check::{
        report::Report,
        rows::{Material, Shape},
    },
    endpoint::{
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

A genuine request must get a 2xx or 3xx answer. With 400, 404, 405, 415 or 422 it is \"not taken\": the \
endpoint does not handle such requests. That is not a pass, and with --strict it is a failure. If no genuine \
request of a shape (form, GET, JSON) is taken, the forgeries of that shape are left out.

A forgery must get a 403. A 401 is enough if a genuine request of the same shape was accepted.

Exit status: 0 something was accepted and nothing failed; 1 a request failed, or nothing was accepted; \
2 wrong usage; 3 the endpoint could not be reached.";

/// Checks that an endpoint accepts genuine requests and refuses forgeries.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Sends requests with this method only.
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Adds a parameter to the requests, or replaces one of the same name. Can be repeated.
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE")]
    data: Vec<String>,
    /// Reads the body of the JSON requests from a file, or from the standard input if FILE is -
    /// [default: a batch from Event Streams].
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    json: Option<PathBuf>,
    /// Fails if the endpoint does not handle a genuine request ("not taken", see below).
    #[arg(long)]
    strict: bool,
    /// Sends a different set of requests.
    #[arg(long, value_enum, conflicts_with = "method")]
    preset: Option<Preset>,
    /// Selects the output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    /// The four tests of Twilio's Flask tutorial, with the tutorial's output
    Tutorial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One JSON object for programs
    Json,
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
        rows::tutorial(&endpoint, overrides)?
    } else {
        let json = match &args.json {
            Some(path) => source::read(path)?,
            None => events::event_stream(Vec::new())?,
        };
        if json.is_empty() {
            return Err(Failure::usage(
                "the file of --json is empty: a JSON request needs a body",
            ));
        }
        let params = params::overridden(&Event::Sms.params(), overrides);
        let shapes: Vec<_> = Shape::ALL
            .into_iter()
            .filter(|shape| args.method.is_none_or(|method| shape.method() == method))
            .collect();
        rows::matrix(&endpoint, &Material { params, json }, &shapes)?
    };

    // The tutorial prints the status of each test, even of those that would be left out.
    let trials = trial::run_all(&endpoint, &rows, tutorial)?;
    let report = Report::new(&endpoint, &trials, args.strict);
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
