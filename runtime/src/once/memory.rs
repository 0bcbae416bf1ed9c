//! A store in the memory of this process.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    future::{Future, ready},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{http::header::HeaderValue, rt::time::Instant, web::Bytes};

use super::{
    key::OnceKey,
    store::{Claim, LONGEST_TIME, OnceStore, OnceStoreError, Owner, StoredAnswer},
};
use crate::report::once as report;

/// The time for which a claim is remembered after its lease has ended, so that it is known to have been taken over.
pub(super) const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// The bytes that an event takes besides its answer: an entry in a hash map and one in a tree, with what they leave
/// unused.
const BYTES_FOR_AN_EVENT: usize = 384;

/// Remembers events in the memory of this process. A restart forgets them, and other processes do not see them.
///
/// Its size is bounded. It never forgets an event before its time: when it is full, it fails for each new event until
/// older ones have expired. Events that finish at the same time may leave no room for an answer; a duplicate of such an event
/// gets 204.
pub struct MemoryStore {
    max_bytes: usize,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    entries: HashMap<OnceKey, Entry>,
    /// When each entry is forgotten.
    expirations: BTreeSet<(Instant, OnceKey)>,
    bytes: usize,
}

struct Entry {
    owner: Owner,
    expires: Instant,
    state: State,
}

enum State {
    Claimed { until: Instant },
    Done(Box<StoredAnswer>),
}

impl MemoryStore {
    /// The size of a store that is made by default, in bytes: 64 MiB, enough for more than 100,000 events.
    pub const DEFAULT_BYTES: usize = 64 * 1024 * 1024;

    /// Constructs a store that takes at most about this many bytes. An event takes about 500 bytes, and the
    /// text of its answer. In a process that does much else, the allocator may keep three quarters as much again.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            memory: Mutex::default(),
        }
    }

    /// Locks the memory, and forgets what has expired.
    fn memory(&self, now: Instant) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((expires, key)) = memory.expirations.first().copied()
            && expires <= now
        {
            memory.remove(&key);
        }
        memory
    }

    fn claim_now(
        &self,
        key: &OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        let now = Instant::now();
        let mut memory = self.memory(now);
        let claim = match memory.entries.get(key) {
            None => Claim::First,
            Some(entry) => match &entry.state {
                State::Done(answer) => return Ok(Claim::Done(StoredAnswer::clone(answer))),
                State::Claimed { until } if *until > now && entry.owner != owner => {
                    return Ok(Claim::InProgress);
                }
                State::Claimed { .. } if entry.owner == owner => Claim::First,
                State::Claimed { .. } => Claim::TakenOver,
            },
        };
        let until = now + lease.min(LONGEST_TIME);
        let entry = Entry {
            owner,
            expires: until + ABANDONED,
            state: State::Claimed { until },
        };
        self.put(&mut memory, *key, entry, self.reserve())?;
        Ok(claim)
    }

    fn finish_now(
        &self,
        key: &OnceKey,
        owner: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> Result<bool, OnceStoreError> {
        let now = Instant::now();
        let mut memory = self.memory(now);
        if memory
            .entries
            .get(key)
            .is_some_and(|entry| entry.owner != owner)
        {
            return Ok(false);
        }
        let done = |answer| Entry {
            owner,
            expires: now + retention.min(LONGEST_TIME),
            state: State::Done(Box::new(answer)),
        };
        let stored = self.put(&mut memory, *key, done(compact(answer)), 0);
        if stored.is_err() {
            // Others were handled at the same time, and their answers have taken the reserve. Without its answer, the event
            // takes no more than its claim did, and is not handled twice.
            self.put(&mut memory, *key, done(StoredAnswer::EMPTY), 0)?;
            report::answer_has_no_room();
        }
        Ok(true)
    }

    fn release_now(&self, key: &OnceKey, owner: Owner) -> bool {
        let mut memory = self.memory(Instant::now());
        let is_own = memory.entries.get(key).is_some_and(|entry| {
            entry.owner == owner && matches!(entry.state, State::Claimed { .. })
        });
        if is_own {
            memory.remove(key);
        }
        is_own
    }

    /// Returns the bytes that a claim leaves free for answers. A full store refuses events, and is not to find out after
    /// they were handled.
    fn reserve(&self) -> usize {
        StoredAnswer::MAX_BODY.min(self.max_bytes / 16)
    }

    /// Puts an entry in place of another one of this key, if there is memory left for it and for the reserve.
    fn put(
        &self,
        memory: &mut Memory,
        key: OnceKey,
        entry: Entry,
        reserve: usize,
    ) -> Result<(), OnceStoreError> {
        let replaced = memory.entries.get(&key).map_or(0, Entry::bytes);
        if memory.bytes - replaced + entry.bytes() + reserve > self.max_bytes {
            return Err("the MemoryStore is full of events that must still be remembered".into());
        }
        memory.remove(&key);
        memory.bytes += entry.bytes();
        memory.expirations.insert((entry.expires, key));
        memory.entries.insert(key, entry);
        Ok(())
    }
}

/// A store of the [default size](Self::DEFAULT_BYTES).
impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Self::DEFAULT_BYTES)
    }
}

impl Memory {
    fn remove(&mut self, key: &OnceKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.expirations.remove(&(entry.expires, *key));
            self.bytes -= entry.bytes();
        }
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        let answer = match &self.state {
            State::Claimed { .. } => 0,
            State::Done(answer) => {
                let values = [&answer.content_type, &answer.location]
                    .into_iter()
                    .flatten();
                answer.body.len() + values.map(HeaderValue::len).sum::<usize>()
            }
        };
        // A claim has room for the answer that is kept if there is none for that of the handler.
        BYTES_FOR_AN_EVENT + size_of::<StoredAnswer>() + answer
    }
}

/// Copies what an answer refers to, which may be a part of a much larger buffer.
fn compact(answer: &StoredAnswer) -> StoredAnswer {
    let copy = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
    StoredAnswer {
        status: answer.status,
        content_type: answer.content_type.as_ref().and_then(copy),
        location: answer.location.as_ref().and_then(copy),
        body: Bytes::copy_from_slice(&answer.body),
    }
}

impl OnceStore for MemoryStore {
    fn claim(
        &self,
        key: &OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> impl Future<Output = Result<Claim, OnceStoreError>> + Send {
        ready(self.claim_now(key, owner, lease))
    }

    fn finish(
        &self,
        key: &OnceKey,
        owner: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> impl Future<Output = Result<bool, OnceStoreError>> + Send {
        ready(self.finish_now(key, owner, answer, retention))
    }

    fn release(
        &self,
        key: &OnceKey,
        owner: Owner,
    ) -> impl Future<Output = Result<bool, OnceStoreError>> + Send {
        ready(Ok(self.release_now(key, owner)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
