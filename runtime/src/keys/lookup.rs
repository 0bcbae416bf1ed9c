//! Asks a key store, within limits and through a cache.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::rt::time::timeout;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;
#[cfg(feature = "explain")]
use twilio_signature::AccountSid;
use twilio_signature::RequestValidator;

#[cfg(any(test, feature = "explain"))]
use super::map::KeyMap;
use super::{
    cache::{Answer, Cache},
    store::{KeyQuery, KeyStore, KeyStoreError},
};

/// The largest number of lookups that run at once.
const CONCURRENT: usize = 32;
/// How many of them may be what strangers cause: for queries that are not proven, since anyone can make up accounts, or
/// because a signature does not match.
const CONCURRENT_OF_STRANGERS: usize = 24;
/// The shortest time between two questions for the same keys that are asked because a signature does not match.
const FRESH: Duration = Duration::from_secs(1);
/// The largest length in bytes of a SharedKey's id. Anyone can fill the cache with made-up ids.
pub(crate) const MAX_SHARED_KEY_ID: usize = 256;

/// A key store with its limits and its cache.
pub(crate) struct Lookup {
    store: Arc<dyn ErasedStore>,
    slots: Arc<Semaphore>,
    slots_of_strangers: Arc<Semaphore>,
    turns: Arc<Turns>,
    /// A queue of its own, so that forgeries, which may cause such lookups at any time, delay none that is needed.
    turns_to_ask_again: Arc<Turns>,
    cache: Arc<Mutex<Cache>>,
    pub(crate) cache_time: Duration,
    pub(crate) time_limit: Duration,
}

impl Lookup {
    pub(crate) fn new(store: impl KeyStore, cache_time: Duration, time_limit: Duration) -> Self {
        Self {
            store: Arc::new(store),
            slots: Arc::new(Semaphore::new(CONCURRENT)),
            slots_of_strangers: Arc::new(Semaphore::new(CONCURRENT_OF_STRANGERS)),
            turns: Arc::default(),
            turns_to_ask_again: Arc::default(),
            cache: Arc::default(),
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
        if let Some(answer) = self.cached(query).filter(is_fresh) {
            return Ok(answer);
        }
        // An answer that is not kept for a time still counts for requests that arrived before it.
        let suffices = |answer: &Answer| is_fresh(answer) || answer.at >= arrived;
        let answer = self.ask(query, suffices, false).await?;
        answer.ok_or_else(|| {
            "it was asked for too many SharedKeys of this account in one second".into()
        })
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
        if is_new(answer) {
            return Ok(None);
        }
        self.ask(query, is_new, true).await
    }

    /// Records that keys of the store have verified a request with this query.
    pub(crate) fn prove(&self, query: &KeyQuery) {
        self.cache().prove(query, self.cache_time);
    }

    /// Asks the store, unless another request for the same gets an answer that suffices. Returns nothing if the store may
    /// not be asked.
    ///
    /// The time limit applies to the wait for others, and anew to the lookup. Otherwise, the lookup of a request that has
    /// waited would be canceled before the store answers, and so would that of the next one, which has waited as long. For
    /// the same reason, a lookup goes on if its client leaves.
    async fn ask(
        &self,
        query: &KeyQuery,
        suffices: impl Fn(&Answer) -> bool,
        again: bool,
    ) -> Result<Option<Answer>, KeyStoreError> {
        let start = Instant::now();
        let turns = if again {
            &self.turns_to_ask_again
        } else {
            &self.turns
        };
        let place = Place::of(query, turns);
        let turn = timeout(self.time_limit, place.turn.wait(self.time_limit / 4)).await;
        let turn = turn.map_err(|_| "lookups of the same keys took too long")??;
        if let Some(answer) = self.cached(query).filter(suffices) {
            return Ok(Some(answer));
        }
        if !self.cache().may_ask(query, Instant::now()) {
            return Ok(None);
        }
        let left = (self.time_limit / 2).saturating_sub(start.elapsed());
        let slot = timeout(left, self.slot(query, again)).await;
        let slot = slot.map_err(|_| "lookups of other keys took too long")??;
        let (store, cache) = (Arc::clone(&self.store), Arc::clone(&self.cache));
        let (time_limit, cache_time) = (self.time_limit, self.cache_time);
        let lookup = async move {
            let _until_it_ends = (turn, slot);
            let query = &place.query;
            let at = Instant::now();
            let keys = timeout(time_limit, store.keys(query)).await??;
            let mut cache = lock(&cache);
            let again_at = again.then_some(at);
            let answer = Answer {
                keys: keys.map(Arc::new),
                at,
                again_at: again_at.or_else(|| cache.get(query)?.again_at),
            };
            // Before the turn ends, so that the next request finds it.
            cache.insert(query, answer.clone(), cache_time);
            Ok(Some(answer))
        };
        tokio::spawn(lookup.in_current_span())
            .await
            .map_err(|err| {
                if err.is_panic() {
                    "it panicked"
                } else {
                    "its worker stopped"
                }
            })?
    }

    /// Waits until a lookup may run. What strangers cause leaves some slots to known accounts.
    async fn slot(&self, query: &KeyQuery, again: bool) -> Result<Slot, KeyStoreError> {
        let is_needed = !again && self.cache().is_proven(query);
        let of_strangers = if is_needed {
            None
        } else {
            Some(Arc::clone(&self.slots_of_strangers).acquire_owned().await?)
        };
        Ok((of_strangers, Arc::clone(&self.slots).acquire_owned().await?))
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
        lock(&self.cache)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to run a lookup.
type Slot = (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit);

/// The turn of requests with the same query: one of them at a time asks the store.
struct Turn {
    semaphore: Arc<Semaphore>,
    is_hedged: AtomicBool,
}

impl Turn {
    /// Waits for a turn. If the lookup of another request takes longer than a time, a second one may run beside it: the
    /// first may hang.
    async fn wait(&self, patience: Duration) -> Result<OwnedSemaphorePermit, AcquireError> {
        // It keeps its place among those who wait.
        let mut turn = pin!(Arc::clone(&self.semaphore).acquire_owned());
        if let Ok(turn) = timeout(patience, &mut turn).await {
            return turn;
        }
        if !self.is_hedged.swap(true, Ordering::Relaxed) {
            self.semaphore.add_permits(1);
        }
        turn.await
    }
}

/// The turn for each query, with the number of its requests.
type Turns = Mutex<HashMap<KeyQuery, (Arc<Turn>, usize)>>;

/// The place of a request, or of its lookup, among those with the same query.
struct Place {
    query: KeyQuery,
    turns: Arc<Turns>,
    turn: Arc<Turn>,
}

impl Place {
    fn of(query: &KeyQuery, turns: &Arc<Turns>) -> Self {
        let new = || {
            let turn = Turn {
                semaphore: Arc::new(Semaphore::new(1)),
                is_hedged: AtomicBool::new(false),
            };
            (Arc::new(turn), 0)
        };
        let mut all = lock(turns);
        let (turn, requests) = all.entry(query.clone()).or_insert_with(new);
        *requests += 1;
        Self {
            query: query.clone(),
            turns: Arc::clone(turns),
            turn: Arc::clone(turn),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = lock(&self.turns);
        if let Some((_, requests)) = all.get_mut(&self.query) {
            *requests -= 1;
            if *requests == 0 {
                all.remove(&self.query);
            }
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
    Pin<Box<dyn Future<Output = Result<Option<RequestValidator>, KeyStoreError>> + Send + 'a>>;

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

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn ready<F: Future>(future: F) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn query(account: usize) -> KeyQuery {
        KeyQuery {
            account: Some(format!("AC{account:032}").parse().unwrap()),
            shared_key: None,
        }
    }

    #[test]
    fn what_strangers_cause_leaves_lookups_to_known_accounts() {
        let lookup = Lookup::new(
            KeyMap::new(),
            Duration::from_secs(10),
            Duration::from_secs(5),
        );
        let known = query(0);
        let token = twilio_signature::AuthToken::new("12345").unwrap();
        let answer = Answer {
            keys: Some(Arc::new(RequestValidator::new([token]).unwrap())),
            at: Instant::now(),
            again_at: None,
        };
        lookup.cache().insert(&known, answer, lookup.cache_time);
        lookup.prove(&known);
        let made_up: Vec<_> = (1..=32).map(query).collect();
        let held: Vec<_> = made_up
            .iter()
            .filter_map(|query| ready(lookup.slot(query, false)))
            .collect();
        assert_eq!(held.len(), 24);
        assert!(ready(lookup.slot(&known, true)).is_none(), "by a forgery");
        let held: Vec<_> = (0..10)
            .filter_map(|_| ready(lookup.slot(&known, false)))
            .collect();
        assert_eq!(held.len(), 8);
    }

    #[test]
    fn no_query_is_kept_once_its_requests_are_gone() {
        let turns = Arc::new(Turns::default());
        let queries = [query(1), query(2)];
        let places: Vec<_> = [0, 1, 0].map(|at| Place::of(&queries[at], &turns)).into();
        assert_eq!(turns.lock().unwrap().len(), 2);
        drop(places);
        assert!(turns.lock().unwrap().is_empty());
    }
}
