//! `twilio-webhook`: tests a webhook endpoint, walks through calls, shows what reaches an app, and signs, verifies and
//! explains single requests.
//!
//! A floor uses those below it only: `commands`; `inspect`; `endpoint`; `input`; `outcome`; `curl`; `terminal`.

// The docs of arguments are what `--help` prints, and name elements of TwiML.
#![allow(rustdoc::invalid_html_tags)]

mod commands;
mod curl;
mod endpoint;
mod input;
mod inspect;
mod outcome;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    commands::{call, check, completions, explain, listen, man, send, sign, text, verify},
    outcome::Failure,
};

/// Tests a Twilio webhook endpoint: does it accept every genuine request and refuse every forgery?
#[derive(Parser)]
#[command(version, after_help = GUIDE, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Send(send::Args),
    Call(call::Args),
    Text(text::Args),
    Sign(sign::Args),
    Verify(verify::Args),
    Explain(explain::Args),
    Listen(listen::Args),
    Completions(completions::Args),
    Man(man::Args),
}

const GUIDE: &str = "\
From nothing to a verified local endpoint:

  1. Give your app and this tool the same token. A made-up one works without a Twilio account:
       export TWILIO_AUTH_TOKEN=$(openssl rand -hex 16)
  2. Start the app in the background, or in another terminal with the same variable:
       cargo run &
  3. Send it a signed event and look at its answer:
       twilio-webhook send sms http://localhost:8080/message -d Body=Hi
  4. Check that it accepts every genuine request and refuses every forgery:
       twilio-webhook check http://localhost:8080/message
     In a script, use the exit status, the report that --junit writes, or the details that
     --format json prints, as in every command.
     If the app has several accounts, name one of them: -d AccountSid=AC..
     For a WebSocket, check its ws:// or wss:// URL.
  5. Walk through a call as a caller who presses 1, or through a conversation of messages:
       twilio-webhook call http://localhost:8080/voice --keys 1
       twilio-webhook text http://localhost:8080/message --say Hi
  6. Behind a tunnel or a proxy, sign the URL that is configured at Twilio:
       twilio-webhook check http://localhost:8080/message --public-url https://example.com/message
  7. See real calls and messages, each with its verdict. Start this, and point a tunnel to its port:
       twilio-webhook listen --forward-to http://localhost:8080
       ngrok http 8081
     Then set the tunnel's URL at Twilio, with the path of the webhook, such as
     https://abc.ngrok.app/message

If your app refused a request from Twilio, check the signature of that request:
  twilio-webhook verify https://example.com/message -d From=+14158675310 -d Body=Hi --signature ...
If you have the request as text, for example from ngrok's inspector, find out why it was refused:
  twilio-webhook explain request.txt

The token comes from TWILIO_AUTH_TOKEN, --token-file or --token-stdin. It is never taken from the command \
line and never printed. Several tokens are separated by commas, and the first one signs. The password for \
--auth comes from TWILIO_WEBHOOK_PASSWORD or a prompt. Set NO_COLOR to turn colours off.

Requests go through the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY. A proxy must have an http:// or https:// URL. \
Requests to this machine (localhost, 127.0.0.0/8, ::1) never do. NO_PROXY lists other exceptions, separated by commas or \
blanks: hosts, .example.com for all hosts below example.com, or * for all.

Exit status: 0 success, 1 a check failed, 2 wrong usage, 3 the endpoint could not be reached.
The --help of each command has examples.";

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => return outcome::report_usage(&err),
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Call(args) => call::run(&args),
        Command::Text(args) => text::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
    }
}
