//! Keys that are looked up by account, for an app that serves several accounts.
//!
//! Pass a [`KeyStore`] to [`TwilioConfigBuilder::key_store`](crate::TwilioConfigBuilder::key_store): a
//! [`KeyMap`] for a fixed set of accounts, a [`KeyFile`] for a file that may change, or a type of your own for a
//! database or a secrets manager.

mod cache;
mod file;
mod lookup;
mod map;
mod store;

pub use twilio_signature::{AccountSid, AuthToken, MatchedKey, SharedKey};

pub(crate) use self::{
    cache::Answer,
    lookup::{Lookup, MAX_SHARED_KEY_ID},
};
pub use self::{
    file::KeyFile,
    map::KeyMap,
    store::{KeyQuery, KeyStore, KeyStoreError},
};
