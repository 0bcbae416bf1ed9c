//! `completions`: prints what makes a shell complete the tool's commands and options.

use std::io::Write;

use clap::Command;
use clap_complete::Shell;

use crate::outcome::Failure;

const EXAMPLES: &str = "\
Examples:
  twilio-webhook completions bash > ~/.local/share/bash-completion/completions/twilio-webhook
  twilio-webhook completions zsh > ~/.zfunc/_twilio-webhook
  twilio-webhook completions fish > ~/.config/fish/completions/twilio-webhook.fish";

/// Prints the completions for a shell.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of the whole tool, `tool`.
pub(crate) fn run(args: &Args, mut tool: Command) -> Result<(), Failure> {
    let name = tool.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tool, name, &mut script);
    // The generator panics if its output is closed; this does not.
    anstream::stdout().lock().write_all(&script)?;
    Ok(())
}
