//! How a command ends when not all is well: its message and its exit status.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

/// The reason for which a command ends with another exit status than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A check failed; the output says which.
    Check,
    /// The arguments, the token or an input can't be used.
    Usage(String),
    /// The endpoint gave no answer.
    Unreachable(String),
    /// The output could not be written.
    Output(io::Error),
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    /// Prints the message to stderr and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        let (status, message) = match self {
            Self::Check => (1, None),
            // Whoever reads the output has seen enough, as `head` does.
            Self::Output(err) if err.kind() == io::ErrorKind::BrokenPipe => (1, None),
            Self::Output(err) => (1, Some(format!("the output can't be written: {err}"))),
            Self::Usage(message) => (2, Some(message)),
            Self::Unreachable(message) => (3, Some(message)),
        };
        if let Some(message) = message {
            // There is nowhere left to say that stderr is closed.
            let _ = writeln!(io::stderr(), "error: {message}");
        }
        ExitCode::from(status)
    }
}

impl From<io::Error> for Failure {
    fn from(err: io::Error) -> Self {
        Self::Output(err)
    }
}
