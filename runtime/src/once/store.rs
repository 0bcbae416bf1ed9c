//! The interface of a store that remembers which events were handled.

use std::{
    error::Error,
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderValue, LOCATION},
    },
    rt::time::timeout,
    web::Bytes,
};

use super::key::OnceKey;

/// The error of an [`OnceStore`]. The log shows its text.
pub type OnceStoreError = Box<dyn Error + Send + Sync>;

/// The time in which a store must answer.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The longest time that a store knows: a century.
pub(super) const LONGEST_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Remembers which events are being handled and which were handled, for all processes that share it.
///
/// Each method is one atomic step: of several owners that claim a key at the same time, exactly one gets
/// [`Claim::First`] or [`Claim::TakenOver`].
///
/// If a client leaves, `finish` and `release` run in a task of Tokio. In it, [`actix_web::rt::spawn`] panics: use
/// `tokio::spawn`.
///
/// # Errors
///
/// A store that fails, that does not answer within two seconds or that is full returns an error. It must never forget
/// a key before its time to make room for another one: the event would be handled twice, and nothing would show it.
///
/// # Examples
///
/// A [`MemoryStore`](super::MemoryStore) is for one process, and a `RedisStore` (feature `redis`) for many.
///
/// ```
/// use std::time::Duration;
///
/// use actix_twilio::once::{Claim, MemoryStore, OnceKey, OnceStore, Owner, StoredAnswer};
/// use actix_web::HttpResponse;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), actix_twilio::once::OnceStoreError> {
/// let store = MemoryStore::new(1024 * 1024);
/// let (key, minute) = (OnceKey::new("order", b"17"), Duration::from_secs(60));
/// let (first, second) = (Owner::new(), Owner::new());
///
/// assert_eq!(store.claim(&key, first, minute).await?, Claim::First);
/// assert_eq!(store.claim(&key, second, minute).await?, Claim::InProgress);
/// assert!(!store.release(&key, second).await?);
/// assert!(store.finish(&key, first, &StoredAnswer::EMPTY, minute).await?);
/// assert_eq!(store.claim(&key, second, minute).await?, Claim::Done(StoredAnswer::EMPTY));
/// # Ok(())
/// # }
/// ```
pub trait OnceStore: Send + Sync + 'static {
    /// Claims a key for an owner until the lease ends.
    ///
    /// A claim whose lease has ended is [taken over](Claim::TakenOver) in the same step. A second claim by its owner
    /// succeeds too, with a new lease, so that it can be tried again if the connection broke.
    fn claim(
        &self,
        key: &OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> impl Future<Output = Result<Claim, OnceStoreError>> + Send;

    /// Stores the answer and keeps it this long, unless the key is another owner's. Returns whether it stored it.
    ///
    /// The lease may have ended, as long as nobody else has claimed the key since. If the store has lost the claim, the
    /// answer is stored all the same: it keeps a duplicate from being handled.
    fn finish(
        &self,
        key: &OnceKey,
        owner: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> impl Future<Output = Result<bool, OnceStoreError>> + Send;

    /// Forgets a key that is claimed by this owner and not finished. Returns whether it was.
    fn release(
        &self,
        key: &OnceKey,
        owner: Owner,
    ) -> impl Future<Output = Result<bool, OnceStoreError>> + Send;
}

/// What an owner gets who claims a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// Nobody has claimed the key before: it is this owner's.
    First,
    /// The lease of another owner ended before it finished: the key is now this owner's. The other one may have died
    /// after the effect.
    TakenOver,
    /// Another owner has it.
    InProgress,
    /// Another owner has finished with this answer.
    Done(StoredAnswer),
}

/// An owner of claims: a run of a handler. No two are equal, in all processes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner(u128);

impl Owner {
    /// Makes a new owner.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each one differs")]
    pub fn new() -> Self {
        // Their keys are random and differ in each process.
        static HASHERS: LazyLock<[RandomState; 2]> =
            LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let [high, low] = HASHERS.each_ref().map(|hasher| hasher.hash_one(number));
        Self((u128::from(high) << 64) | u128::from(low))
    }
}

/// Prints 32 hex digits.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({self})")
    }
}

/// The answer that a duplicate gets: status, content type and body of the first answer, and where it redirects to. Other
/// headers, such as `Set-Cookie`, are not stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The status.
    pub status: StatusCode,
    /// The value of the header `Content-Type`, if there was one.
    pub content_type: Option<HeaderValue>,
    /// The value of the header `Location`, if there was one.
    pub location: Option<HeaderValue>,
    /// The body, of up to 64 kB.
    pub body: Bytes,
}

impl StoredAnswer {
    /// An answer without a body: 204.
    pub const EMPTY: Self = Self {
        status: StatusCode::NO_CONTENT,
        content_type: None,
        location: None,
        body: Bytes::new(),
    };

    /// The size in bytes of the largest body that is stored. Twilio takes no larger TwiML.
    pub const MAX_BODY: usize = 64 * 1024;

    pub(super) fn to_response(&self) -> HttpResponse {
        let mut res = HttpResponse::build(self.status);
        for (name, value) in [
            (CONTENT_TYPE, &self.content_type),
            (LOCATION, &self.location),
        ] {
            if let Some(value) = value {
                res.insert_header((name, value.clone()));
            }
        }
        if self.body.is_empty() {
            res.finish()
        } else {
            res.body(self.body.clone())
        }
    }
}

/// Prints the body's length. The body and the location may be personal data.
impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("redirects", &self.location.is_some())
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// An [`OnceStore`] of any type, whose answers have a time limit.
#[derive(Clone)]
pub(crate) struct AnyStore(Arc<dyn ErasedStore>);

impl AnyStore {
    pub(crate) fn new(store: impl OnceStore) -> Self {
        Self(Arc::new(store))
    }

    pub(super) async fn claim(
        &self,
        key: &OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        in_time(self.0.claim(key, owner, lease)).await
    }

    pub(super) async fn finish(
        &self,
        key: &OnceKey,
        owner: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> Result<bool, OnceStoreError> {
        in_time(self.0.finish(key, owner, answer, retention)).await
    }

    pub(super) async fn release(
        &self,
        key: &OnceKey,
        owner: Owner,
    ) -> Result<bool, OnceStoreError> {
        in_time(self.0.release(key, owner)).await
    }
}

async fn in_time<T>(
    answer: impl Future<Output = Result<T, OnceStoreError>>,
) -> Result<T, OnceStoreError> {
    match timeout(TIME_LIMIT, answer).await {
        Ok(answer) => answer,
        Err(_) => Err("the store did not answer within 2 s".into()),
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyStore(..)")
    }
}

type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, OnceStoreError>> + Send + 'a>>;

trait ErasedStore: Send + Sync {
    fn claim<'a>(&'a self, key: &'a OnceKey, owner: Owner, lease: Duration)
    -> Answering<'a, Claim>;

    fn finish<'a>(
        &'a self,
        key: &'a OnceKey,
        owner: Owner,
        answer: &'a StoredAnswer,
        retention: Duration,
    ) -> Answering<'a, bool>;

    fn release<'a>(&'a self, key: &'a OnceKey, owner: Owner) -> Answering<'a, bool>;
}

impl<S: OnceStore> ErasedStore for S {
    fn claim<'a>(
        &'a self,
        key: &'a OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> Answering<'a, Claim> {
        Box::pin(OnceStore::claim(self, key, owner, lease))
    }

    fn finish<'a>(
        &'a self,
        key: &'a OnceKey,
        owner: Owner,
        answer: &'a StoredAnswer,
        retention: Duration,
    ) -> Answering<'a, bool> {
        Box::pin(OnceStore::finish(self, key, owner, answer, retention))
    }

    fn release<'a>(&'a self, key: &'a OnceKey, owner: Owner) -> Answering<'a, bool> {
        Box::pin(OnceStore::release(self, key, owner))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn owners_differ() {
        let owners: HashSet<_> = (0..1000).map(|_| Owner::new().to_string()).collect();
        assert_eq!(owners.len(), 1000);
        assert!(owners.iter().all(|owner| owner.len() == 32));
    }
}
