//! Asks a key store, within limits and through a cache.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt::time::timeout;
use tokio::sync::Semaphore;
#[cfg(feature = "explain")]
use twilio_signature::AccountSid;
use twilio_signature::RequestValidator;

#[cfg(feature = "explain")]
use super::map::KeyMap;
use super::{
    cache::{Answer, Cache},
    store::{KeyQuery, KeyStore, KeyStoreError},
};

/// The largest number of lookups that run at once.
const CONCURRENT: usize = 32;
/// The shortest time between two questions for the same keys that are asked because a signature does not match.
const FRESH: Duration = Duration::from_secs(1);
/// The largest length in bytes of a SharedKey's id. Anyone can fill the cache with made-up ids.
pub(crate) const MAX_SHARED_KEY_ID: usize = 256;

/// A key store with its limits and its cache.
pub(crate) struct Lookup {
    store: Box<dyn ErasedStore>,
    slots: Semaphore,
    cache: Mutex<Cache>,
    pub(crate) cache_time: Duration,
    pub(crate) time_limit: Duration,
}

impl Lookup {
    pub(crate) fn new(store: impl KeyStore, cache_time: Duration, time_limit: Duration) -> Self {
        Self {
            store: Box::new(store),
            slots: Semaphore::new(CONCURRENT),
            cache: Mutex::default(),
            cache_time,
            time_limit,
        }
    }

    /// Returns the cached answer, or else the store's, for a request that arrived at this time.
    pub(crate) async fn answer(
        &self,
        query: &KeyQuery,
        arrived: Instant,
    ) -> Result<Answer, KeyStoreError> {
        match self.cached(query) {
            Some(answer) if answer.at.elapsed() < self.cache_time => Ok(answer),
            _ if self.cache().may_ask(query, arrived) => self.ask(query, arrived, None).await,
            _ => Err("it was asked for too many SharedKeys of this account in one second".into()),
        }
    }

    /// Returns a newer answer than this one, whose keys do not match the signature. Returns nothing if there can't
    /// be a newer one, or if the store was asked again a short time ago.
    pub(crate) async fn newer_answer(
        &self,
        query: &KeyQuery,
        arrived: Instant,
        answer: &Answer,
    ) -> Result<Option<Answer>, KeyStoreError> {
        let asked_again = answer.again_at.is_some_and(|at| at.elapsed() < FRESH);
        if answer.at >= arrived || asked_again || !self.cache().may_ask(query, arrived) {
            return Ok(None);
        }
        self.ask(query, arrived, Some(Instant::now()))
            .await
            .map(Some)
    }

    /// Records that keys of the store have verified a request with this query.
    pub(crate) fn prove(&self, query: &KeyQuery) {
        self.cache().prove(query, self.cache_time);
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
            // While this request waited, another request may have received the answer.
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
        self.cache().insert(query, answer.clone(), self.cache_time);
        Ok(answer)
    }

    /// Returns keys that need no question to the store, each with the account that they are of: those in the cache,
    /// and those of a map. There are at most as many as `limit`.
    #[cfg(feature = "explain")]
    pub(crate) fn known(&self, limit: usize) -> Vec<(Option<AccountSid>, Arc<RequestValidator>)> {
        let cache = self.cache();
        let cached = cache
            .keys()
            .map(|(query, keys)| (query.account.clone(), Arc::clone(keys)));
        let mut known: Vec<_> = cached.take(limit).collect();
        for (account, keys) in self.store.map().into_iter().flat_map(KeyMap::all) {
            if known.len() >= limit {
                break;
            }
            if known.iter().all(|(cached, _)| cached.as_ref() != account) {
                known.push((account.cloned(), Arc::new(keys.clone())));
            }
        }
        known
    }

    fn cached(&self, query: &KeyQuery) -> Option<Answer> {
        self.cache().get(query).cloned()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Returns the store if it is a map, which has all keys in memory.
    #[cfg(feature = "explain")]
    fn map(&self) -> Option<&KeyMap>;
}

impl<S: KeyStore> ErasedStore for S {
    fn keys<'a>(&'a self, query: &'a KeyQuery) -> KeysFuture<'a> {
        Box::pin(KeyStore::keys(self, query))
    }

    #[cfg(feature = "explain")]
    fn map(&self) -> Option<&KeyMap> {
        (self as &dyn std::any::Any).downcast_ref()
    }
}
