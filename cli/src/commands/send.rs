//! `send`: sends one realistic event, signed, and shows the answer.

use std::io::{self, Write};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    endpoint::{
        client::Answer,
        events::{self, Event},
        message::{Message, Method},
        options::EndpointArgs,
        random,
    },
    input::params::{self, FORM_IN_UTF8},
    outcome::Failure,
    terminal,
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook send sms http://localhost:8080/message -d Body=Hi
  twilio-webhook send gather http://localhost:8080/voice --method get -d Digits=1
  twilio-webhook send event-stream http://localhost:8080/events -d messageStatus=FAILED
  twilio-webhook send media-stream ws://localhost:8080/media
  twilio-webhook send voice http://localhost:8080/voice --public-url https://example.com/voice

Exit status: 0 the answer is 2xx or 3xx, or for media-stream 101; 1 any other answer; 2 wrong usage; \
3 the endpoint could not be reached.";

/// Sends a realistic event, signed as Twilio signs it, and shows the answer.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The event to send.
    #[arg(value_enum)]
    event: Event,
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Adds a parameter to the event, or replaces one of the same name. Can be repeated.
    ///
    /// For event-stream it replaces an attribute of the event, or sets a field of the event's data.
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE")]
    data: Vec<String>,
    /// The method that is configured for the webhook at Twilio. With get, the parameters go into the query.
    #[arg(long, value_enum, default_value_t = Method::Post)]
    method: Method,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let websocket = args.event == Event::MediaStream;
    let schemes: &[&str] = if websocket {
        &["ws", "wss", "http", "https"]
    } else {
        &["http", "https"]
    };
    let message = message(args)?;
    let mut endpoint = args.endpoint.open(schemes)?;
    if websocket {
        let key: [u8; 16] = random().map_err(Failure::Usage)?;
        endpoint.as_websocket(&BASE64_STANDARD.encode(key));
    }
    let signature = endpoint.sign(&message)?;
    let answer = endpoint.send(&message, &[&signature])?;
    show(&mut io::stdout().lock(), &answer)?;
    match answer.status {
        101 if websocket => Ok(()),
        200..=399 if !websocket => Ok(()),
        _ => Err(Failure::Check),
    }
}

fn message(args: &Args) -> Result<Message, Failure> {
    let overrides = params::parse(&args.data)?;
    match args.event {
        Event::MediaStream if !overrides.is_empty() => Err(Failure::usage(
            "media-stream has no parameters: leave out -d",
        )),
        Event::MediaStream => Ok(Message::get(String::new())),
        Event::Stream if args.method == Method::Get => Err(Failure::usage(
            "event-stream is always sent with POST: leave out --method get",
        )),
        Event::Stream => Ok(Message::json(events::event_stream(overrides)?)),
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
            let value = String::from_utf8_lossy(value.as_bytes());
            writeln!(output, "{name}: {}", terminal::line(&value))?;
        }
    }
    if !answer.body.is_empty() {
        writeln!(output, "\n{}", terminal::body(&answer.body))?;
    }
    output.flush()
}
