//! Keys in a file that may change while the app runs.

use std::{fs, path::PathBuf};

use crate::{
    error::ConfigError,
    key::AuthToken,
    store::{KeyMap, KeyQuery, KeyStore, KeyStoreError},
    validator::RequestValidator,
};

/// The keys of accounts in a file, which is read again as it changes: tokens are rotated and accounts
/// added without a restart.
///
/// Each line has an account's SID, or the word `default` for requests that name no account, then blanks,
/// and its Auth Tokens, separated by commas. Empty lines and lines that start with `#` are passed over:
///
/// ```text
/// # account                          tokens
/// AC00000000000000000000000000000001 0123456789abcdef0123456789abcdef
/// AC00000000000000000000000000000002 new-token,old-token
/// default                            0123456789abcdef0123456789abcdef
/// ```
///
/// It is read when the store is asked: for an account that was not asked for in the last 10 s, and at
/// once when a signature does not match.
///
/// # Security
///
/// Replace the file in one step (write another one, then rename it): a half-written file is an error, and
/// requests get a 500 meanwhile. Let nobody but the app read it.
///
/// # Examples
///
/// ```no_run
/// use actix_twilio::{KeyFile, TwilioConfig};
///
/// let config = TwilioConfig::builder().key_store(KeyFile::new("/etc/webhooks/keys")?).build()?;
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// Constructs a store from the path of a file, which is read once to see that it is right.
    ///
    /// # Errors
    ///
    /// Returns an error if the file can't be read or a line is wrong.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let file = Self { path: path.into() };
        let _readable = file.read()?;
        Ok(file)
    }

    fn read(&self) -> Result<KeyMap, ConfigError> {
        let text = fs::read_to_string(&self.path).map_err(|err| {
            ConfigError::new(
                "key file",
                format!("{} can't be read: {err}", self.path.display()),
                "give the path of a file that the app may read",
            )
        })?;
        let mut keys = KeyMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            keys = add_line(keys, line).map_err(|err| {
                ConfigError::new(
                    "key file",
                    format!("{}, line {number}: {err}", self.path.display()),
                    "write an account SID or `default`, blanks, and tokens separated by commas",
                )
            })?;
        }
        Ok(keys)
    }
}

fn add_line(keys: KeyMap, line: &str) -> Result<KeyMap, ConfigError> {
    let (owner, tokens) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let tokens = AuthToken::parse_list(tokens)?;
    let validator = RequestValidator::new(tokens)?;
    let account = match owner {
        "default" => None,
        sid => Some(sid.parse()?),
    };
    if keys.get(account.as_ref()).is_some() {
        return Err(ConfigError::new(
            "account",
            "it has a line already",
            "write all of its tokens in one line",
        ));
    }
    Ok(match account {
        Some(account) => keys.account(account, validator),
        None => keys.default_keys(validator),
    })
}

impl KeyStore for KeyFile {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        Ok(self.read()?.get(query.account.as_ref()).cloned())
    }
}
