//! Asks a key store, within limits and through a cache.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt::time::timeout;
use tokio::sync::Semaphore;
use twilio_signature::RequestValidator;

use super::store::{KeyQuery, KeyStore, KeyStoreError};

/// The largest number of lookups that run at once.
const CONCURRENT: usize = 32;
/// The largest number of answers in the cache.
const CAPACITY: usize = 4096;
/// The shortest time between two questions for the same keys that are asked because a signature does not match.
const FRESH: Duration = Duration::from_secs(1);
/// The largest length in bytes of a SharedKey's id. Anyone can fill the cache with made-up ids.
pub(crate) const MAX_SHARED_KEY_ID: usize = 256;

/// A key store with its limits and its cache.
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
    /// When the store was asked. Later changes in the store may be missing.
    at: Instant,
    /// When the store was last asked again because a signature did not match.
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

    /// Returns the cached answer, or else the store's, for a request that arrived at this time.
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

    /// Returns a newer answer than this one, whose keys do not match the signature. Returns nothing if there can't
    /// be a newer one, or if the store was asked again a short time ago.
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
        let mut answers = self.answers();
        if answers.len() >= CAPACITY {
            answers.retain(|_, answer| answer.at.elapsed() < self.cache_time);
            if answers.len() >= CAPACITY {
                // A flood of made-up accounts must not displace those that exist.
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
