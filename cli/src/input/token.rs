//! Reads tokens from the environment, a file or the standard input; never from the command line, which
//! other users of the machine can see.

use std::path::{Path, PathBuf};

use twilio_signature::{AuthToken, ConfigError, RequestValidator, SharedKey};
use zeroize::Zeroizing;

use crate::{input::source, outcome::Failure};

const VARIABLE: &str = "TWILIO_AUTH_TOKEN";

const HEADING: &str = "Token [default: the environment variable TWILIO_AUTH_TOKEN]";

/// The options that name the source of the token.
#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    /// Reads the Auth Token from a file.
    #[arg(long, help_heading = HEADING, value_name = "FILE", conflicts_with = "token_stdin")]
    token_file: Option<PathBuf>,
    /// Reads the Auth Token from the standard input.
    #[arg(long, help_heading = HEADING)]
    token_stdin: bool,
}

/// The options that name the source of a token or of a SharedKey.
#[derive(clap::Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    token: TokenArgs,
    /// Uses the SharedKey with this ID. Pass its secret in place of the token.
    #[arg(long, help_heading = HEADING, value_name = "ID")]
    pub(crate) shared_key_id: Option<String>,
}

impl TokenArgs {
    /// Returns whether the token is read from the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.token_stdin || self.token_file.as_deref().is_some_and(source::is_stdin)
    }

    /// Returns a validator with the tokens; there must be at least one. Several are separated by commas,
    /// as in the environment variable of the library.
    pub(crate) fn validator(&self) -> Result<RequestValidator, Failure> {
        self.validator_if_set()?
            .ok_or_else(missing)?
            .map_err(Failure::usage)
    }

    /// Returns a validator with the tokens, the error of making it, or `None` if no token is set.
    pub(crate) fn validator_if_set(
        &self,
    ) -> Result<Option<Result<RequestValidator, ConfigError>>, Failure> {
        Ok(self.text()?.map(|text| {
            let tokens = AuthToken::parse_list(&text).map_err(|err| err.renamed(self.source()))?;
            RequestValidator::new(tokens)
        }))
    }

    /// Returns the name of what the token comes from.
    fn source(&self) -> &'static str {
        match (&self.token_file, self.token_stdin) {
            (Some(_), _) => "--token-file",
            (None, true) => "--token-stdin",
            (None, false) => VARIABLE,
        }
    }

    fn text(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let path = match &self.token_file {
            Some(path) => path,
            None if self.token_stdin => Path::new("-"),
            None => return source::variable(VARIABLE),
        };
        let text = source::read_secret(self.source(), path)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.contains(['\n', '\r']) {
            return Err(Failure::usage(format_args!(
                "{}: there are several lines: write all tokens on one, separated by commas",
                self.source()
            )));
        }
        Ok(Some(Zeroizing::new(text.to_owned())))
    }
}

impl KeyArgs {
    /// Returns whether the token is read from the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.token.is_stdin()
    }

    /// Returns a validator with the tokens or the SharedKey; there must be at least one.
    pub(crate) fn validator(&self) -> Result<RequestValidator, Failure> {
        let Some(id) = &self.shared_key_id else {
            return self.token.validator();
        };
        let secret = self.token.text()?.ok_or_else(missing)?;
        shared_key(id, &secret).map_err(Failure::usage)
    }

    /// Returns a validator with the tokens, the error of making it, or `None` if no token is set.
    pub(crate) fn validator_if_set(
        &self,
    ) -> Result<Option<Result<RequestValidator, ConfigError>>, Failure> {
        self.token.validator_if_set()
    }
}

/// Makes a validator with one SharedKey and no token.
fn shared_key(id: &str, secret: &str) -> Result<RequestValidator, ConfigError> {
    RequestValidator::with_keys([], [SharedKey::new(id, secret)?])
}

fn missing() -> Failure {
    Failure::usage(format_args!(
        "there is no token: set {VARIABLE}, or pass --token-file or --token-stdin"
    ))
}
