//! The interface of a key store, which users implement.

use std::{error::Error, future::Future};

use twilio_signature::{AccountSid, RequestValidator};

/// What a [`KeyStore`] may fail with. The log shows its text.
pub type KeyStoreError = Box<dyn Error + Send + Sync>;

/// Whose keys are asked for: what a request that nobody has validated yet says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeyQuery {
    /// The account that the request names. WebSocket handshakes, many `GET`s and some events name
    /// none: a default answers for those.
    pub account: Option<AccountSid>,
    /// The id of the SharedKey that the request names.
    pub shared_key: Option<String>,
}

/// Finds the keys of an account, in a database or a secrets manager, say.
///
/// It is asked before a request is validated, with what the request claims. An account's format is
/// checked before; that it exists is not. At most 32 lookups run at a time, answers are cached for a
/// short time, the missing ones too, and a lookup that takes too long is broken off.
///
/// When a signature does not match keys from the cache, the store is asked again, at most once a second
/// for an account, so that a rotated token works at once.
///
/// # Security
///
/// Return keys of the very account that is asked for, and for requests without an account only keys
/// whose holder may speak for any: usually those of your own main account, or none.
///
/// # Pitfalls
///
/// - An account in the path, such as `/tenants/{sid}`, is no claim: compare it with
///   [`Proof::account`](crate::Proof::account).
/// - An account is seen in the query, in a form, and in JSON at the top or in an event's `data`. One in a
///   multipart body, in XML or deeper down in JSON is not, nor one in a text of JSON that looks like a form:
///   the account that stands elsewhere in the request answers, or the default. What counts is
///   [`Proof::account`](crate::Proof::account), never an account that the handler reads itself.
/// - A token that was taken out of the store stays valid until the answer is forgotten, 10 s by default.
/// - The body is read before there are keys, so that a forged one is read within the limits, too.
/// - While the store is slow, a flood of made-up accounts can hold the 32 lookups, and accounts that are not
///   in the cache get a 500 until it ends.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     AuthToken,
///     KeyStore,
///     RequestValidator,
///     TwilioConfig,
///     keys::{KeyQuery, KeyStoreError},
/// };
///
/// struct Tenants(/* a connection pool */);
///
/// impl KeyStore for Tenants {
///     async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
///         let Some(account) = &query.account else {
///             return Ok(None);
///         };
///         // SELECT auth_token FROM tenants WHERE account_sid = ?
///         let token = format!("the token of {account}");
///         Ok(Some(RequestValidator::new([AuthToken::new(token)?])?))
///     }
/// }
///
/// let config = TwilioConfig::builder().key_store(Tenants()).build()?;
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
pub trait KeyStore: Send + Sync + 'static {
    /// Returns the keys that may have signed such a request, or nothing if there are none.
    ///
    /// # Errors
    ///
    /// Returns an error if it can't be told. The request is then answered with 500.
    fn keys(
        &self,
        query: &KeyQuery,
    ) -> impl Future<Output = Result<Option<RequestValidator>, KeyStoreError>>;
}
