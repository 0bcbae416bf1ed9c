//! `check`: sends genuine requests and forgeries, and checks that the endpoint accepts or refuses each.
//!
//! One word for one thing: a request is genuine or forged, the endpoint accepts or refuses it, and
//! the row passes or fails.

mod junit;
mod progress;
mod report;
mod rows;
mod trial;

use std::{
    fs::File,
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    commands::check::{
        report::Report,
        rows::{Material, Row, Shape},
    },
    endpoint::{
        Endpoint,
        events::{self, EventForm},
        message::Method,
        options::{EndpointArgs, seconds},
    },
    input::{
        params::{self, Param},
        source,
    },
    outcome::Failure,
    terminal::{Format, FormatArgs},
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook check http://localhost:8080/message
  twilio-webhook check http://localhost:8080/voice --method post
  twilio-webhook check http://10.0.0.7:8080/message --public-url https://example.com/message
  twilio-webhook check https://localhost:8443/message --cacert my-authority.pem
  twilio-webhook check https://example.com/message --auth digest:ada --format json
  twilio-webhook check http://localhost:8080/message --junit report.xml
  twilio-webhook check ws://localhost:8080/media
  twilio-webhook check http://localhost:8080/message --preset tutorial

An app with several accounts looks up keys by account. Pass an account that the app has with -d AccountSid=AC.., and \
the forms, the queries and the JSON get it.

The requests have the SIDs of a message and of a call. If the app requires others, pass them with -d, such \
as -d RecordingSid=RE...

A genuine request must get a 2xx answer, and a WebSocket handshake must open the WebSocket. A redirect (3xx) is a \
failure: Twilio follows it with GET and drops the parameters. With 400, 404, 405, 415, 422 or 426, the request \
is \"not taken\": the endpoint does not handle such requests. That is not a pass, and with --strict it is a failure. \
If no genuine request of a shape (form, GET, JSON) is taken, the forgeries of that shape are left out.

A forgery must get a 403. A 401 is enough if a genuine request of the same shape was accepted.

The check ends early if the first genuine request gets a 401, if three requests get no answer, or after --max-time. \
It sends at most 100 requests.

Exit status: 0 something was accepted and nothing failed; 1 a request failed, nothing was accepted, or the check \
ended early; 2 wrong usage; 3 the endpoint could not be reached.";

/// Checks that an endpoint accepts genuine requests and refuses forgeries.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Sends requests with this method only.
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Adds a parameter to the requests, or replaces one of the same name. Can be repeated.
    ///
    /// The value is the text itself: it is escaped when it is sent. In the JSON, only the account is set.
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE")]
    data: Vec<String>,
    /// Reads the body of the JSON requests, up to 2 MiB, from a file, or from the standard input if FILE is -
    /// [default: an event of Event Streams].
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    json_body: Option<PathBuf>,
    /// Fails if the endpoint does not handle a genuine request ("not taken").
    #[arg(long)]
    strict: bool,
    /// Sends a different set of requests.
    #[arg(long, value_enum, conflicts_with = "method")]
    preset: Option<Preset>,
    /// Ends the check after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    max_time: Duration,
    /// Lists each request on a line of its own.
    #[arg(long, short = 'v')]
    verbose: bool,
    /// Also writes a JUnit report to a file, for CI systems.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    /// The four tests of Twilio's Flask tutorial, with the tutorial's output
    Tutorial,
}

impl Args {
    fn is_tutorial(&self) -> bool {
        self.preset == Some(Preset::Tutorial)
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut junit = None;
    let report = report(args, &mut junit).inspect_err(|failure| {
        // An older report must not be taken for one of this check, even if this one did not begin.
        let path = args.junit.as_deref();
        if let Some(file) = junit.take().or_else(|| junit::create(path?).ok()) {
            // What kept the check from being done is more than what keeps it from being reported.
            let _ = junit::write_failure(file, args.endpoint.url(), failure);
        }
    })?;
    if let Some(file) = &junit {
        junit::write_report(file, &report)?;
    }
    let mut output = anstream::stdout().lock();
    match args.format.format {
        Format::Json => report.write_json(&mut output)?,
        Format::Text if args.is_tutorial() => report.write_tutorial(&mut output)?,
        Format::Text => report.write_text(&mut output, args.verbose)?,
    }
    output.flush()?;
    if report.ok {
        Ok(())
    } else {
        Err(Failure::Check)
    }
}

/// Sends the requests, and sums up what happened to them. The file of the JUnit report is opened before anything is sent.
fn report(args: &Args, junit: &mut Option<File>) -> Result<Report, Failure> {
    let overrides = params::parse(&args.data)?;
    let own_account = overrides.iter().any(|(name, _)| events::is_account(name));
    let websocket = args.endpoint.is_websocket();
    if websocket {
        check_websocket_args(args)?;
    }
    let [token, cacert] = args.endpoint.stdin();
    let json = args.json_body.as_deref().is_some_and(source::is_stdin);
    source::at_most_one_stdin(&[json, token, cacert])?;
    let schemes = if websocket {
        ["ws", "wss"]
    } else {
        ["http", "https"]
    };
    let mut endpoint = args.endpoint.open(&schemes)?;
    if websocket {
        endpoint.as_websocket()?;
    }
    endpoint.set_deadline(Instant::now() + args.max_time);
    let tutorial = args.is_tutorial();
    let rows = if tutorial {
        rows::tutorial(&endpoint, overrides)?
    } else {
        matrix(args, &endpoint, overrides)?
    };
    *junit = args.junit.as_deref().map(junit::create).transpose()?;
    // The tutorial prints the status of each test, even of those that would be left out.
    let trials = trial::run_all(&endpoint, &rows, tutorial)?;
    let account_is_made_up = !own_account && !websocket && !tutorial;
    Ok(Report::new(
        &endpoint,
        &trials,
        args.strict,
        account_is_made_up,
    ))
}

/// Refuses the options that a WebSocket handshake has no use for.
fn check_websocket_args(args: &Args) -> Result<(), Failure> {
    let unused = [
        (!args.data.is_empty(), "-d"),
        (args.json_body.is_some(), "--json-body"),
        (args.method.is_some(), "--method"),
        (args.preset.is_some(), "--preset"),
    ];
    match unused.iter().find(|(given, _)| *given) {
        Some((_, option)) => Err(Failure::usage(format_args!(
            "a WebSocket handshake has no parameters and no body: leave out {option}"
        ))),
        None => Ok(()),
    }
}

fn matrix(args: &Args, endpoint: &Endpoint, overrides: Vec<Param>) -> Result<Vec<Row>, Failure> {
    let json = match &args.json_body {
        Some(path) => source::read_up_to(path, source::CAPTURE_LIMIT)?,
        None => {
            let account = overrides
                .iter()
                .filter(|(name, _)| events::is_account(name));
            events::event_stream(EventForm::Single, account.cloned().collect())?
        }
    };
    if json.is_empty() {
        return Err(Failure::usage(
            "the file of --json-body is empty: a JSON request needs a body",
        ));
    }
    let params = params::overridden(&events::message_or_call(), overrides);
    let shapes: Vec<_> = if endpoint.is_websocket() {
        vec![Shape::WebSocket]
    } else {
        Shape::HTTP
            .into_iter()
            .filter(|shape| args.method.is_none_or(|method| shape.method() == method))
            .collect()
    };
    rows::matrix(endpoint, &Material { params, json }, &shapes)
}
