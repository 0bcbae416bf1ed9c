//! `send`: sends one realistic event, signed, and shows the answer.

use std::io::{self, Write};

use serde::Serialize;

use crate::{
    endpoint::{
        client::Answer,
        events::{self, Event, EventForm},
        message::{Message, Method},
        options::EndpointArgs,
        refusal,
    },
    input::params::{self, FORM_IN_UTF8, Param},
    outcome::Failure,
    terminal::{self, Format, FormatArgs},
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook send sms http://localhost:8080/message -d Body=Hi
  twilio-webhook send gather http://localhost:8080/voice --method get -d Digits=1
  twilio-webhook send event-stream http://localhost:8080/events -d messageStatus=FAILED
  twilio-webhook send media-stream ws://localhost:8080/media
  twilio-webhook send voice http://localhost:8080/voice --public-url https://example.com/voice
  twilio-webhook send sms http://localhost:8080/message -d AccountSid=AC..    # an app with several accounts

A redirect (3xx) is a failure: Twilio follows it with GET and drops the parameters.

With --format json the output is one object: ok, status, headers (as lists of values), body (as text), problem (or \
null) and likely_causes. The headers are shown without the user names and passwords of URLs.

Exit status: 0 the answer is 2xx, or for media-stream the WebSocket opens; 1 any other answer; \
2 wrong usage; 3 the endpoint could not be reached.";

/// Sends a realistic event, signed as Twilio signs it, and shows the answer.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The event to send.
    #[arg(value_enum)]
    event: Event,
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Adds a parameter to the event, or replaces one of the same name. Can be repeated.
    ///
    /// The value is the text itself: it is escaped when it is sent. For event-stream it replaces an attribute of
    /// the event, or sets a field of the event's data.
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE")]
    data: Vec<String>,
    /// The method that is configured for the webhook at Twilio. With get, the parameters go into the query.
    #[arg(long, value_enum, default_value_t = Method::Post)]
    method: Method,
    /// Sends the event in an array, as a sink of Event Streams that batches events does.
    #[arg(long)]
    batch: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// The result as JSON, with the fields in this order.
#[derive(Serialize)]
struct JsonOutput<'a> {
    ok: bool,
    status: u16,
    headers: serde_json::Map<String, serde_json::Value>,
    body: &'a str,
    problem: Option<String>,
    likely_causes: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let websocket = args.event == Event::MediaStream;
    let schemes: &[&str] = if websocket {
        &["ws", "wss", "http", "https"]
    } else {
        &["http", "https"]
    };
    let overrides = params::parse(&args.data)?;
    let own_account = overrides.iter().any(|(name, _)| events::is_account(name));
    let message = message(args, overrides)?;
    let mut endpoint = args.endpoint.open(schemes)?;
    if websocket {
        endpoint.as_websocket()?;
    }
    let signature = endpoint.sign(&message)?;
    let answer = endpoint.send(&message, &[&signature])?;
    let problem = refusal::problem(&endpoint, &answer);
    let likely_causes = match answer.status {
        403 => refusal::likely_causes_of_one_kind(&endpoint, !own_account && !websocket),
        _ => Vec::new(),
    };
    let ok = problem.is_none();
    let mut output = io::stdout().lock();
    match args.format.format {
        Format::Text => show(&mut output, &answer)?,
        Format::Json => {
            let object = JsonOutput {
                ok,
                status: answer.status,
                headers: headers(&answer),
                body: &String::from_utf8_lossy(&answer.body),
                problem: problem.clone(),
                likely_causes: likely_causes.clone(),
            };
            writeln!(output, "{}", terminal::json(&object)?)?;
        }
    }
    output.flush()?;
    if ok {
        return Ok(());
    }
    if args.format.format == Format::Text {
        report(&mut io::stderr().lock(), problem.as_deref(), &likely_causes)?;
    }
    Err(Failure::Check)
}

/// Returns the headers of an answer, each with its values.
fn headers(answer: &Answer) -> serde_json::Map<String, serde_json::Value> {
    let names = answer.headers.keys();
    names
        .map(|name| {
            let values = answer.headers.get_all(name).iter();
            let values: Vec<_> = values.map(|value| shown(value.as_bytes())).collect();
            (name.to_string(), values.into())
        })
        .collect()
}

/// Returns the value of a header as text, without the passwords of URLs.
fn shown(value: &[u8]) -> String {
    terminal::without_passwords(&String::from_utf8_lossy(value))
}

/// Says why the answer is a failure, apart from the answer itself.
fn report(output: &mut impl Write, problem: Option<&str>, causes: &[String]) -> io::Result<()> {
    if let Some(problem) = problem {
        writeln!(output, "FAILED: {}", terminal::line(problem))?;
    }
    terminal::write_causes(output, causes)
}

fn message(args: &Args, overrides: Vec<Param>) -> Result<Message, Failure> {
    let form = if args.batch {
        EventForm::Batch
    } else {
        EventForm::Single
    };
    match args.event {
        event if args.batch && event != Event::Stream => {
            Err(Failure::usage("--batch is for event-stream: leave it out"))
        }
        Event::MediaStream if !overrides.is_empty() => Err(Failure::usage(
            "media-stream has no parameters: leave out -d",
        )),
        Event::MediaStream => Ok(Message::get(String::new())),
        Event::Stream if args.method == Method::Get => Err(Failure::usage(
            "event-stream is always sent with POST: leave out --method get",
        )),
        Event::Stream => Ok(Message::json(events::event_stream(form, overrides)?)),
        event => {
            let form = params::encode(&params::overridden(&event.params(), overrides));
            Ok(match args.method {
                Method::Get => Message::get(form),
                Method::Post => Message::form(FORM_IN_UTF8, form),
            })
        }
    }
}

fn show(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    writeln!(output, "HTTP {}", answer.status)?;
    for name in ["content-type", "location", "www-authenticate"] {
        for value in answer.headers.get_all(name) {
            let value = shown(value.as_bytes());
            writeln!(output, "{name}: {}", terminal::line(&value))?;
        }
    }
    if !answer.body.is_empty() {
        writeln!(output, "\n{}", terminal::body(&answer.body))?;
    }
    output.flush()
}
