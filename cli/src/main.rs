//! `twilio-webhook`: tries an endpoint for Twilio webhooks, and signs and verifies requests by hand.

mod auth;
mod captured;
mod check;
mod client;
mod endpoint;
mod events;
mod explain;
mod http_text;
mod outcome;
mod params;
mod screen;
mod send;
mod sign;
mod source;
mod token;
mod url;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::outcome::Failure;

/// Tries an endpoint for Twilio webhooks: is every genuine request answered and every forgery refused?
#[derive(Parser)]
#[command(version, after_long_help = GUIDE, max_term_width = 100)]
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
The token comes from TWILIO_AUTH_TOKEN, --token-file or --token-stdin. It is never taken from the
command line and never printed.

Exit status: 0 all well, 1 a check failed, 2 wrong usage, 3 the endpoint could not be reached.";

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
