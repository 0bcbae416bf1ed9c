//! `text`: has a conversation of messages with an app.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use twilio_twiml::{
    MAX_MESSAGE,
    walk::{MessageWalk, Next},
};

use crate::{
    commands::walk::{Walker, method},
    endpoint::{self, events, message::Method, options::EndpointArgs},
    input::params,
    outcome::Failure,
    terminal::FormatArgs,
};

/// The longest line that is read, in bytes. 1,600 characters take less.
const MAX_LINE: u64 = 16 * 1024;

const EXAMPLES: &str = "\
Examples:
  twilio-webhook text http://localhost:8080/message --say Hi --say \"two tickets\"
  twilio-webhook text http://localhost:8080/message                    # a message for each line that you type
  twilio-webhook text http://localhost:8080/message --say Hi -d From=whatsapp:+14158675310

Redirects, actions and status callbacks are requested as Twilio would request them. They are indented lines below the \
messages. So is each FAULT, with its line in the document and Twilio's error code. A message may have up to 1,600 \
characters in either direction, as at Twilio. The last line, on the standard error, is the result.

Requests go only to the host of the URL, or of --public-url. No message is delivered.

With --format json the output is one object of at most 32 MiB: ok, steps (each with its kind), faults, and \
likely_causes of a 403.

Exit status: 0 no fault; 1 a fault was found; 2 wrong usage; 3 the endpoint could not be reached.";

/// Holds a conversation of messages: sends each message, and shows the replies of the app.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Sends a message. Can be repeated. Without it, each line of the standard input is a message.
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,
    /// Requests this URL or path after an error.
    #[arg(long, value_name = "URL")]
    fallback_url: Option<String>,
    /// Stops after this many requests for one message, and reports a fault. Twilio allows 50.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    max_steps: u16,
    /// Sets a parameter of each request, such as From. Can be repeated.
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE")]
    data: Vec<String>,
    /// The method that is configured for the webhook at Twilio.
    #[arg(long, value_enum, default_value_t = Method::Post)]
    method: Method,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.say.is_empty() && args.endpoint.stdin().contains(&true) {
        return Err(Failure::usage(
            "the messages come from the standard input, too: pass them with --say",
        ));
    }
    for text in &args.say {
        message(text).map_err(|problem| Failure::usage(format_args!("--say: {problem}")))?;
    }
    let data = params::parse(&args.data)?;
    let own_account = data.iter().any(|(name, _)| events::is_account(name));
    let endpoint = args.endpoint.open(&["http", "https"])?;
    let walk = MessageWalk::new(endpoint.public_url.as_str()).map_err(Failure::usage)?;
    let mut walk = walk
        .method(method(args.method))
        .max_requests(args.max_steps.into());
    let sid = endpoint::random_sid("SM")?;
    for name in ["MessageSid", "SmsSid", "SmsMessageSid"] {
        walk = walk.param(name, &sid);
    }
    for (name, value) in &data {
        walk = walk.param(name, value);
    }
    if let Some(url) = &args.fallback_url {
        walk = walk.fallback_url(url).map_err(Failure::usage)?;
    }
    let mut walker = Walker::new(endpoint, args.format.format);
    if args.say.is_empty() {
        let mut is_silent = true;
        while let Some(text) = typed()? {
            is_silent = false;
            converse(&mut walk, &mut walker, &text)?;
        }
        if is_silent {
            return Err(Failure::usage(
                "there is no message: pass it with --say, or write it to standard input",
            ));
        }
    }
    for text in &args.say {
        converse(&mut walk, &mut walker, text)?;
    }
    walker.finish(!own_account)
}

/// Sends a message, and shows what follows.
fn converse(walk: &mut MessageWalk, walker: &mut Walker, text: &str) -> Result<(), Failure> {
    walk.send(text, &[]);
    while let Next::Answer(request) = walk.advance() {
        let sent = walker.send(&request)?;
        walk.answer(sent.answer());
        walker.show(&walk.steps())?;
    }
    walker.show(&walk.steps())
}

/// Reads the next message. Empty lines are none.
fn typed() -> Result<Option<String>, Failure> {
    let mut input = io::stdin().lock();
    let is_terminal = io::stdin().is_terminal();
    loop {
        if is_terminal {
            write!(io::stderr(), "> ")?;
        }
        let mut line = Vec::new();
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(Failure::usage)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        match message(line) {
            Ok("") => {}
            Ok(line) => return Ok(Some(line.to_owned())),
            // Somebody who types can try again.
            Err(problem) if is_terminal => writeln!(io::stderr(), "{problem}")?,
            Err(problem) => return Err(Failure::usage(problem)),
        }
    }
}

/// Checks that Twilio takes a message of this length: <https://www.twilio.com/docs/api/errors/21617>.
fn message(text: &str) -> Result<&str, String> {
    let count = text.chars().count();
    if count > MAX_MESSAGE {
        return Err(format!(
            "the message has {count} characters, and Twilio takes {MAX_MESSAGE}: shorten it"
        ));
    }
    Ok(text)
}
