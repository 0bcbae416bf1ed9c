//! Asks a key store, within limits and through a cache.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt::time::timeout;
use tokio::sync::{Semaphore, SemaphorePermit};
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
/// How many of them may be for queries that are not proven: anyone can make up accounts.
const CONCURRENT_UNPROVEN: usize = 24;
/// How many of them may be for the same query: if one hangs, another may still bring an answer.
const CONCURRENT_SAME: usize = 2;
/// The shortest time between two questions for the same keys that are asked because a signature does not match.
const FRESH: Duration = Duration::from_secs(1);
/// The largest length in bytes of a SharedKey's id. Anyone can fill the cache with made-up ids.
pub(crate) const MAX_SHARED_KEY_ID: usize = 256;

/// A key store with its limits and its cache.
pub(crate) struct Lookup {
    store: Box<dyn ErasedStore>,
    slots: Semaphore,
    slots_of_unproven: Semaphore,
    /// For each query with requests that wait for an answer: a few of them ask the store.
    turns: Turns,
    cache: Mutex<Cache>,
    pub(crate) cache_time: Duration,
    pub(crate) time_limit: Duration,
}

impl Lookup {
    pub(crate) fn new(store: impl KeyStore, cache_time: Duration, time_limit: Duration) -> Self {
        Self {
            store: Box::new(store),
            slots: Semaphore::new(CONCURRENT),
            slots_of_unproven: Semaphore::new(CONCURRENT_UNPROVEN),
            turns: Mutex::default(),
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
        let is_fresh = |answer: &Answer| answer.at.elapsed() < self.cache_time;
        match self.cached(query) {
            Some(answer) if is_fresh(&answer) => Ok(answer),
            _ if self.cache().may_ask(query, arrived) => {
                // An answer that is not kept for a time still counts for requests that arrived before it.
                let suffices = |answer: &Answer| is_fresh(answer) || answer.at >= arrived;
                self.ask(query, suffices, false).await
            }
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
        let is_new = |answer: &Answer| {
            answer.at >= arrived || answer.again_at.is_some_and(|at| at.elapsed() < FRESH)
        };
        if is_new(answer) || !self.cache().may_ask(query, arrived) {
            return Ok(None);
        }
        self.ask(query, is_new, true).await.map(Some)
    }

    /// Records that keys of the store have verified a request with this query.
    pub(crate) fn prove(&self, query: &KeyQuery) {
        self.cache().prove(query, self.cache_time);
    }

    /// Asks the store, unless another request for the same gets an answer that suffices.
    async fn ask(
        &self,
        query: &KeyQuery,
        suffices: impl Fn(&Answer) -> bool,
        again: bool,
    ) -> Result<Answer, KeyStoreError> {
        let asked = async {
            let turn = Turn::of(query, &self.turns);
            // A lookup that would begin late would be canceled, and a queue of such lookups would never get shorter.
            let waited = timeout(self.time_limit / 2, async {
                let turn = turn.semaphore.acquire().await?;
                if let Some(answer) = self.cached(query).filter(&suffices) {
                    return Ok::<_, KeyStoreError>(Waited::Answer(answer));
                }
                Ok(Waited::Turn(turn, self.slot(query).await?))
            });
            let waited = waited
                .await
                .map_err(|_| "other lookups occupied it for half of the time limit")?;
            let _held = match waited? {
                Waited::Answer(answer) => return Ok(answer),
                Waited::Turn(turn, slot) => (turn, slot),
            };
            let at = Instant::now();
            let keys = self.store.keys(query).await?.map(Arc::new);
            let again_at = again.then(Instant::now);
            let again_at = again_at.or_else(|| self.cached(query)?.again_at);
            let answer = Answer { keys, at, again_at };
            // Before the turn ends, so that the next request finds it.
            self.cache().insert(query, answer.clone(), self.cache_time);
            Ok::<_, KeyStoreError>(answer)
        };
        timeout(self.time_limit, asked).await?
    }

    /// Waits until a lookup may run. Lookups for made-up accounts leave some slots to proven queries.
    async fn slot(&self, query: &KeyQuery) -> Result<Slot<'_>, KeyStoreError> {
        let is_proven = self.cache().is_proven(query);
        let of_unproven = if is_proven {
            None
        } else {
            Some(self.slots_of_unproven.acquire().await?)
        };
        Ok((of_unproven, self.slots.acquire().await?))
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

/// The right to run a lookup.
type Slot<'l> = (Option<SemaphorePermit<'l>>, SemaphorePermit<'l>);

/// What a request got for which the store may have to be asked.
enum Waited<'l> {
    /// The answer to another request.
    Answer(Answer),
    /// The right to ask.
    Turn(SemaphorePermit<'l>, Slot<'l>),
}

/// The place of a request among those with the same query.
struct Turn<'l> {
    query: &'l KeyQuery,
    turns: &'l Turns,
    semaphore: Arc<Semaphore>,
}

type Turns = Mutex<HashMap<KeyQuery, Arc<Semaphore>>>;

impl<'l> Turn<'l> {
    fn of(query: &'l KeyQuery, turns: &'l Turns) -> Self {
        let mut all = turns.lock().unwrap_or_else(PoisonError::into_inner);
        let semaphore = all
            .entry(query.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(CONCURRENT_SAME)));
        let semaphore = Arc::clone(semaphore);
        Self {
            query,
            turns,
            semaphore,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // The map has one count, and this has one.
        if Arc::strong_count(&self.semaphore) == 2 {
            all.remove(self.query);
        }
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
