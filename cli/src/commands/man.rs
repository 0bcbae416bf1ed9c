//! `man`: prints the tool's manual page, or writes a page for each command.

use std::{fs, io::Write, path::PathBuf};

use clap::Command;
use clap_mangen::Man;

use crate::outcome::Failure;

const EXAMPLES: &str = "\
Examples:
  twilio-webhook man | man -l -
  twilio-webhook man --out ~/.local/share/man/man1";

/// Prints the manual page.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Writes a page for the tool and one for each command into this folder, and prints nothing.
    ///
    /// The folder is created if it does not exist.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the pages of the whole tool, `tool`.
pub(crate) fn run(args: &Args, tool: Command) -> Result<(), Failure> {
    // `help` has no page of its own: it shows those of the others.
    let tool = tool.disable_help_subcommand(true);
    if let Some(folder) = &args.out {
        let unwritable = |err| {
            let folder = folder.display();
            Failure::usage(format_args!("cannot write the pages to {folder}: {err}"))
        };
        fs::create_dir_all(folder).map_err(unwritable)?;
        return clap_mangen::generate_to(tool, folder).map_err(unwritable);
    }
    let mut page = Vec::new();
    Man::new(tool).render(&mut page)?;
    anstream::stdout().lock().write_all(&page)?;
    Ok(())
}
