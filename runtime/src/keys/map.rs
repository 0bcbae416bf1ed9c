//! A key store for a fixed set of accounts.

use std::collections::HashMap;

use twilio_signature::{AccountSid, RequestValidator};

use super::store::{KeyQuery, KeyStore, KeyStoreError};

/// Holds the keys of a fixed set of accounts.
///
/// # Examples
///
/// ```
/// use actix_twilio::{AuthToken, RequestValidator, TwilioConfig, keys::KeyMap};
///
/// let main = RequestValidator::new([AuthToken::new("main account's token")?])?;
/// let tenant = RequestValidator::new([AuthToken::new("subaccount's token")?])?;
/// let keys = KeyMap::new()
///     .account("AC00000000000000000000000000000001".parse()?, main.clone())
///     .account("AC00000000000000000000000000000002".parse()?, tenant)
///     .default_keys(main);
/// let config = TwilioConfig::builder().key_store(keys).build()?;
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct KeyMap {
    accounts: HashMap<AccountSid, RequestValidator>,
    default: Option<RequestValidator>,
}

impl KeyMap {
    /// Constructs a map without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an account's keys.
    pub fn account(mut self, account: AccountSid, keys: RequestValidator) -> Self {
        self.accounts.insert(account, keys);
        self
    }

    /// Sets the keys for requests that name no account.
    pub fn default_keys(mut self, keys: RequestValidator) -> Self {
        self.default = Some(keys);
        self
    }

    /// Returns the keys of all accounts, and the default keys.
    #[cfg(feature = "explain")]
    pub(super) fn all(&self) -> impl Iterator<Item = (Option<&AccountSid>, &RequestValidator)> {
        let accounts = self
            .accounts
            .iter()
            .map(|(account, keys)| (Some(account), keys));
        accounts.chain(self.default.iter().map(|keys| (None, keys)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.default.is_none()
    }

    /// Returns the accounts, and `None` if there are default keys.
    pub(super) fn into_accounts(self) -> impl Iterator<Item = Option<AccountSid>> {
        let default = self.default.map(|_| None);
        self.accounts.into_keys().map(Some).chain(default)
    }

    pub(super) fn get(&self, account: Option<&AccountSid>) -> Option<&RequestValidator> {
        match account {
            Some(account) => self.accounts.get(account),
            None => self.default.as_ref(),
        }
    }
}

impl KeyStore for KeyMap {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        Ok(self.get(query.account.as_ref()).cloned())
    }
}
