//! The interface of a key store, which users implement.

use std::{error::Error, future::Future};

use twilio_signature::{AccountSid, RequestValidator};

/// The error of a [`KeyStore`]. The log shows its text.
pub type KeyStoreError = Box<dyn Error + Send + Sync>;

/// The account and the SharedKey that a [`KeyStore`] is asked for. A request that is not validated yet claims them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeyQuery {
    /// The account that the request names, or `None`. WebSocket handshakes, many `GET`s and some events name no
    /// account: return default keys for those.
    pub account: Option<AccountSid>,
    /// The id of the SharedKey that the request names, or `None`.
    pub shared_key: Option<String>,
}

/// Finds the keys of an account, for example in a database or a secrets manager.
///
/// A store is asked before a request is validated, with what the request claims. The format of an account is
/// already checked; whether the account exists is not. An answer is cached for a short time, even the answer that there
/// are no keys.
///
/// If a signature does not match keys from the cache, the store is asked again, so that a rotated token works at once: at
/// most once a second for an account, or twice if it takes longer than a quarter of the time limit.
///
/// At most 32 lookups run at once, 24 of them for accounts that have not sent a genuine request, or because a signature
/// does not match. The app remembers which accounts have sent one, up to 100,000 of them. Requests with the same query wait
/// for one lookup and share its answer; if it takes longer than a quarter of the time limit, a second one runs beside it. A
/// lookup goes on if its client leaves, which is why its future must be `Send`, and is canceled if it takes longer than the
/// time limit. A request gets a 500 if it has waited for the lookups of others as long as the time limit, or if other
/// accounts occupy all lookups for half as long.
///
/// Anyone can make up accounts and SharedKeys, and their requests cost lookups: one or two for each made-up account,
/// and at most 10 a second for SharedKeys of one account. They don't displace cached answers whose keys have
/// verified a request.
///
/// # Security
///
/// Return only keys of the account that is asked for. For requests without an account, return only keys whose holder
/// may sign for any account: usually those of your own main account, or none.
///
/// # Pitfalls
///
/// - An account in the path, such as `/tenants/{sid}`, is not used for the lookup. Compare it with
///   [`Proof::account`](crate::Proof::account).
/// - An account is found in the query, in a form, and in JSON: at the top level or in an event's `data`. It is not
///   found in a multipart body, in XML, deeper in JSON, or in a string of JSON that looks like a form. Then an
///   account elsewhere in the request counts, or the default keys. So rely on
///   [`Proof::account`](crate::Proof::account), never on an account that the handler reads itself.
/// - A token that was removed from the store stays valid until the cached answer expires, by default after 10 s.
/// - A lookup runs in a task of Tokio. In it, [`actix_web::rt::spawn`] panics, and the request gets a 500: use
///   `tokio::spawn`.
/// - The body is read before there are keys, so even a forged body is read, within the limits.
/// - If the store is slow, a flood of made-up accounts can occupy the 24 lookups for accounts that have not sent a genuine
///   request since the start. Until the flood ends, requests of such accounts get a 500.
/// - During a flood of made-up SharedKeys of an account, the first request with a new SharedKey of that account may
///   get a 500. Those that have verified a request are not affected.
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
    /// Returns the keys that may have signed such a request, or `None` if there are no such keys.
    ///
    /// # Errors
    ///
    /// Returns an error if the keys can't be determined. The request is then answered with 500.
    fn keys(
        &self,
        query: &KeyQuery,
    ) -> impl Future<Output = Result<Option<RequestValidator>, KeyStoreError>> + Send;
}
