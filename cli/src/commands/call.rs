//! `call`: walks through a call as Twilio would, and shows what the caller hears.

use std::collections::VecDeque;

use twilio_twiml::walk::{Act, CallWalk, DialOutcome, Next, Wait};

use crate::{
    commands::walk::{Walker, method, note_unused},
    endpoint::{self, events, message::Method, options::EndpointArgs},
    input::params,
    outcome::Failure,
    terminal::FormatArgs,
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook call http://localhost:8080/voice                      # a silent caller
  twilio-webhook call http://localhost:8080/voice --keys 1,2#          # 1 at the first <Gather>, 2# at the second
  twilio-webhook call http://localhost:8080/voice --say \"two tickets\" --dial busy --status-callback /status
  twilio-webhook call http://localhost:8080/voice --record --public-url https://example.com/voice

Each line begins with the party that acts: app, caller or twilio. Requests are indented below. So is each FAULT, with \
its line in the document and Twilio's error code. Faults are the lint's findings, an action that is not found, a \
redirect that drops digits, a loop, and a <Gather> that hangs up on silence.

The walk sends requests only to the host of the URL, or of --public-url. It ends where a document leads to another host. \
It makes and recognizes no sound, waits for no timeout, and opens no WebSocket.

With --format json the output is one object of at most 32 MiB: ok, steps (each with its kind), faults, and \
likely_causes of a 403. \
Everything that is not the dialogue goes to the standard error: keys or speech that no <Gather> took, which is not a \
fault, and the result in the last line.

An answer that takes longer than 15 s is a fault, too, since Twilio waits no longer.

Exit status: 0 no fault; 1 a fault was found; 2 wrong usage; 3 the endpoint could not be reached.";

/// Walks through a call: sends the webhooks that Twilio would send, and shows what the caller hears.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Presses keys, separated by commas: one entry for each <Gather> that takes keys, in order.
    ///
    /// After the last one, the caller is silent.
    #[arg(long, value_delimiter = ',', value_name = "KEYS", value_parser = keys)]
    keys: Vec<String>,
    /// Says something in a <Gather> that takes speech, when no keys are left for it. Can be repeated.
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,
    /// Speaks in each <Record>. Otherwise the caller is silent, and the recording is empty.
    #[arg(long)]
    record: bool,
    /// How each <Dial> ends.
    #[arg(long, value_enum, default_value_t = Dial::Answered)]
    dial: Dial,
    /// Sends a request to this URL or path when the call has ended.
    #[arg(long, value_name = "URL")]
    status_callback: Option<String>,
    /// Requests this URL or path after an error.
    #[arg(long, value_name = "URL")]
    fallback_url: Option<String>,
    /// Stops after this many requests, and reports a fault.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
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

/// How a dialed call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Dial {
    Answered,
    Busy,
    NoAnswer,
    Failed,
}

/// What the caller has still to do.
struct Caller {
    keys: VecDeque<String>,
    speech: VecDeque<String>,
    records: bool,
    dial: DialOutcome,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let data = params::parse(&args.data)?;
    let own_account = data.iter().any(|(name, _)| events::is_account(name));
    let endpoint = args.endpoint.open(&["http", "https"])?;
    let walk = CallWalk::new(endpoint.public_url.as_str()).map_err(Failure::usage)?;
    let mut walk = walk
        .method(method(args.method))
        .max_requests(args.max_steps.into())
        .param("CallSid", &endpoint::random_sid("CA")?);
    for (name, value) in &data {
        walk = walk.param(name, value);
    }
    if let Some(url) = &args.status_callback {
        walk = walk.status_callback(url).map_err(Failure::usage)?;
    }
    if let Some(url) = &args.fallback_url {
        walk = walk.fallback_url(url).map_err(Failure::usage)?;
    }
    let mut caller = Caller::new(args);
    let mut walker = Walker::new(endpoint, args.format.format);
    loop {
        match walk.advance() {
            Next::Answer(request) => {
                let sent = walker.send(&request)?;
                walk.answer(sent.answer());
            }
            Next::Act(wait) => walk.act(&caller.act(wait)).map_err(Failure::usage)?,
            Next::End => break,
        }
        walker.show(&walk.steps())?;
    }
    walker.show(&walk.steps())?;
    note_unused(&caller.unused())?;
    walker.finish(!own_account)
}

/// Checks that a telephone has these keys.
fn keys(text: &str) -> Result<String, String> {
    let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#');
    if text.is_empty() || !text.chars().all(is_key) {
        return Err("a telephone has digits, * and #".to_owned());
    }
    Ok(text.to_owned())
}

impl Caller {
    fn new(args: &Args) -> Self {
        Self {
            keys: args.keys.iter().cloned().collect(),
            speech: args.say.iter().cloned().collect(),
            records: args.record,
            dial: match args.dial {
                Dial::Answered => DialOutcome::Answered,
                Dial::Busy => DialOutcome::Busy,
                Dial::NoAnswer => DialOutcome::NoAnswer,
                Dial::Failed => DialOutcome::Failed,
            },
        }
    }

    /// Returns what is left to do, as it was given.
    fn unused(&self) -> Vec<String> {
        let keys = self.keys.iter().map(|keys| format!("--keys {keys}"));
        let speech = self.speech.iter().map(|text| format!("--say {text:?}"));
        keys.chain(speech).collect()
    }

    fn act(&mut self, wait: Wait) -> Act {
        match wait {
            Wait::Gather { keys, speech } => {
                let pressed = keys.then(|| self.keys.pop_front()).flatten();
                let pressed = pressed.map(Act::Press);
                let mut said = || speech.then(|| self.speech.pop_front()).flatten();
                pressed
                    .or_else(|| said().map(Act::Say))
                    .unwrap_or(Act::Silence)
            }
            Wait::Record if self.records => Act::Record(12),
            Wait::Record => Act::Silence,
            Wait::Dial => Act::Dial(self.dial),
            Wait::Queue => Act::Connect,
            _ => Act::HangUp,
        }
    }
}
