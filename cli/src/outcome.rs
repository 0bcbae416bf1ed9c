//! Reports why a command failed: the message and the exit status.

use std::{
    env,
    ffi::OsString,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use crate::terminal;

/// The reason why a command ends with an exit status other than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A check failed; the output shows which one.
    Check,
    /// The arguments, the token or an input is wrong.
    Usage(String),
    /// The endpoint did not answer.
    Unreachable(String),
    /// The output could not be written.
    Output(io::Error),
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    /// Returns the message without tokens and passwords, if there is one.
    pub(crate) fn message(&self) -> Option<String> {
        let message = match self {
            Self::Check => None,
            // The reader of the output has closed it, as `head` does.
            Self::Output(err) if err.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Output(err) => Some(format!("cannot write the output: {err}")),
            Self::Usage(message) | Self::Unreachable(message) => Some(message.clone()),
        };
        message.map(|message| terminal::without_secrets(&message))
    }

    /// Prints the message to stderr and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let status = match self {
            Self::Check | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        };
        if let Some(message) = self.message() {
            // If stderr is closed, there is nowhere left to report that.
            let _ = writeln!(io::stderr(), "error: {}", terminal::lines(&message));
        }
        ExitCode::from(status)
    }
}

/// Prints what clap says of the command line, or the help, and returns the exit status.
///
/// clap repeats arguments as they are. A token or a password in one is replaced, and characters that a terminal acts on are
/// escaped. Anything else keeps clap's colours.
pub(crate) fn report_usage(err: &clap::Error) -> ExitCode {
    let text = err.to_string();
    let shown = terminal::lines(&terminal::without_secrets(&text));
    let is_hostile = |arg: OsString| terminal::has_hidden(&arg.to_string_lossy());
    // If the stream is closed, there is nowhere left to report that.
    if !err.use_stderr() {
        let _ = err.print();
        return ExitCode::SUCCESS;
    }
    if shown == text && !env::args_os().any(is_hostile) {
        let _ = err.print();
    } else {
        let _ = io::stderr().write_all(shown.as_bytes());
    }
    ExitCode::from(2)
}

impl From<serde_json::Error> for Failure {
    fn from(err: serde_json::Error) -> Self {
        Self::Output(err.into())
    }
}

impl From<io::Error> for Failure {
    fn from(err: io::Error) -> Self {
        Self::Output(err)
    }
}
