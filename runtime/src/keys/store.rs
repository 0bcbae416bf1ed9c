//! Keys looked up by account: the store that users write, and the way it is asked.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt::time::timeout;
use tokio::sync::Semaphore;

use crate::{account::AccountSid, validator::RequestValidator};

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
/// use actix_twilio::{KeyQuery, KeyStore, KeyStoreError, RequestValidator, AuthToken, TwilioConfig};
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

/// The keys of a fixed set of accounts.
///
/// # Examples
///
/// ```
/// use actix_twilio::{AuthToken, KeyMap, RequestValidator, TwilioConfig};
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

    pub(crate) fn get(&self, account: Option<&AccountSid>) -> Option<&RequestValidator> {
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

/// Lookups that run at a time.
const CONCURRENT: usize = 32;
/// Answers that are kept at a time.
const CAPACITY: usize = 4096;
/// The time in which the store is not asked again for the same, even if a signature does not match.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes of a SharedKey's id at most: anyone can fill the cache with such.
pub(crate) const MAX_SHARED_KEY_ID: usize = 256;

/// A store as it is asked: within limits, and through a cache.
pub(crate) struct Lookup {
    store: Box<dyn ErasedStore>,
    slots: Semaphore,
    answers: Mutex<HashMap<KeyQuery, Answer>>,
    pub(crate) cache_time: Duration,
    pub(crate) time_limit: Duration,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) keys: Option<Arc<RequestValidator>>,
    /// When the store was asked: what changed in it since may be missing.
    at: Instant,
    /// When the store was last asked again since a signature did not match.
    again_at: Option<Instant>,
}

impl Lookup {
    pub(crate) fn new(store: impl KeyStore, cache_time: Duration, time_limit: Duration) -> Self {
        Self {
            store: Box::new(store),
            slots: Semaphore::new(CONCURRENT),
            answers: Mutex::default(),
            cache_time,
            time_limit,
        }
    }

    /// Returns the cached answer, or else the store's, to a request that arrived then.
    pub(crate) async fn answer(
        &self,
        query: &KeyQuery,
        arrived: Instant,
    ) -> Result<Answer, KeyStoreError> {
        match self.cached(query) {
            Some(answer) if answer.at.elapsed() < self.cache_time => Ok(answer),
            _ => self.ask(query, arrived, None).await,
        }
    }

    /// Returns a newer answer than this one, to which a signature does not match, unless there can be none
    /// or the store was asked again a short time ago.
    pub(crate) async fn newer_answer(
        &self,
        query: &KeyQuery,
        arrived: Instant,
        answer: &Answer,
    ) -> Result<Option<Answer>, KeyStoreError> {
        let asked_again = answer.again_at.is_some_and(|at| at.elapsed() < FRESH);
        if answer.at >= arrived || asked_again {
            return Ok(None);
        }
        self.ask(query, arrived, Some(Instant::now()))
            .await
            .map(Some)
    }

    /// Asks the store, unless it has been asked since the request arrived.
    async fn ask(
        &self,
        query: &KeyQuery,
        arrived: Instant,
        again_at: Option<Instant>,
    ) -> Result<Answer, KeyStoreError> {
        let asked = async {
            let _slot = self.slots.acquire().await?;
            // While this request waited, others may have got the answer.
            let cached = self.cached(query);
            if let Some(answer) = cached.as_ref().filter(|answer| answer.at >= arrived) {
                return Ok(answer.clone());
            }
            let at = Instant::now();
            let keys = self.store.keys(query).await?.map(Arc::new);
            let again_at = again_at.or(cached.and_then(|answer| answer.again_at));
            Ok::<_, KeyStoreError>(Answer { keys, at, again_at })
        };
        let answer = timeout(self.time_limit, asked).await??;
        let mut answers = self.answers();
        if answers.len() >= CAPACITY {
            answers.retain(|_, answer| answer.at.elapsed() < self.cache_time);
            if answers.len() >= CAPACITY {
                // A flood of made-up accounts must not drive out those that exist.
                answers.retain(|_, answer| answer.keys.is_some());
            }
            if answers.len() >= CAPACITY {
                answers.clear();
            }
        }
        if answers.get(query).is_none_or(|kept| kept.at <= answer.at) {
            answers.insert(query.clone(), answer.clone());
        }
        Ok(answer)
    }

    fn cached(&self, query: &KeyQuery) -> Option<Answer> {
        self.answers().get(query).cloned()
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<KeyQuery, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("cache_time", &self.cache_time)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

type KeysFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<RequestValidator>, KeyStoreError>> + 'a>>;

/// A [`KeyStore`] of any type.
trait ErasedStore: Send + Sync {
    fn keys<'a>(&'a self, query: &'a KeyQuery) -> KeysFuture<'a>;
}

impl<S: KeyStore> ErasedStore for S {
    fn keys<'a>(&'a self, query: &'a KeyQuery) -> KeysFuture<'a> {
        Box::pin(KeyStore::keys(self, query))
    }
}
