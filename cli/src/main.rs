//! `twilio-webhook`: tries an endpoint for Twilio webhooks, and signs and verifies requests by hand.

mod commands;
mod endpoint;
mod header;
mod input;
mod outcome;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    commands::{check, explain, send, sign, verify},
    outcome::Failure,
};

/// Tries an endpoint for Twilio webhooks: is every genuine request answered and every forgery refused?
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
    Sign(sign::Args),
    Verify(verify::Args),
    Explain(explain::Args),
}

const GUIDE: &str = "\
From nothing to a verified local endpoint:

  1. Give your app and this tool the same token. A made-up one does without Twilio:
       export TWILIO_AUTH_TOKEN=$(openssl rand -hex 16)
  2. Start the app in the background, or in another terminal with the same variable:
       cargo run &
  3. Send it an event, signed as Twilio signs it, and see what it answers:
       twilio-webhook send sms http://localhost:8080/message -d Body=Hi
  4. Check that it takes every genuine request and refuses every forgery:
       twilio-webhook check http://localhost:8080/message
     The exit status tells a script the result; --format json tells it more.
  5. With the account's real token, behind a tunnel or a proxy, sign the URL that is set at Twilio:
       twilio-webhook check http://localhost:8080/message --public-url https://example.com/message

A request that Twilio sent and your app refused can be judged by itself:
  twilio-webhook verify https://example.com/message -d From=+14158675310 -d Body=Hi --signature ...
And if it is captured as text, by ngrok's inspector say, you are told why it was refused and what to set:
  twilio-webhook explain request.txt

The token comes from TWILIO_AUTH_TOKEN (several with commas between them; the first one signs), \
--token-file or --token-stdin. It is never taken from the command line and never printed. A password for \
--auth comes from TWILIO_WEBHOOK_PASSWORD or a prompt. NO_COLOR turns colours off.

Exit status: 0 all well, 1 a check failed, 2 wrong usage, 3 the endpoint could not be reached.
Each command has a --help with examples.";

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Explain(args) => explain::run(&args),
    }
}
