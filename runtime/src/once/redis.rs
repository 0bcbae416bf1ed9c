//! A store in Redis, for all processes that use it.

mod answer;
mod connection;

use std::{fmt, sync::LazyLock, time::Duration};

use ::redis::{
    ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, Script, ScriptInvocation,
    ServerErrorKind, Value, aio::ConnectionLike,
};

pub use self::connection::RedisConnection;
use self::{
    answer::{decode, encode},
    connection::is_of_replica,
};
use super::{
    key::OnceKey,
    memory::ABANDONED,
    store::{Claim, LONGEST_TIME, OnceStore, OnceStoreError, Owner, StoredAnswer},
};
use crate::error::ConfigError;

/// What all keys start with, unless the app says otherwise.
const PREFIX: &str = "twilio:once:";

/// The time in which replicas must have what was written. It fits into the time for one try.
const WAIT_FOR_REPLICAS: Duration = Duration::from_millis(500);

/// Claims a key: for an owner, with a lease, and remembered for some time after it. All times are in milliseconds, and
/// by the clock of Redis.
///
/// A value is `C`, the owner and the end of the lease, or `D`, the owner and the answer.
static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local value = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local taken_over = 0
if value then
    if string.sub(value, 1, 1) == 'D' then
        return {3, string.sub(value, 34)}
    end
    if string.sub(value, 2, 33) ~= ARGV[1] then
        if tonumber(string.sub(value, 34)) > now then
            return {2, ''}
        end
        taken_over = 1
    end
end
local claim = 'C' .. ARGV[1] .. string.format('%d', now + ARGV[2])
redis.call('SET', KEYS[1], claim, 'PX', string.format('%d', ARGV[2] + ARGV[3]))
return {taken_over, ''}
",
    )
});

/// Stores an answer, unless the key is another owner's. If Redis lost the claim, the answer keeps the event from being
/// handled again.
static FINISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 2, 33) ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], 'D' .. ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
",
    )
});

/// Forgets a claim, if the owner is still the same and has not finished.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 1, 33) ~= 'C' .. ARGV[1] then
    return 0
end
redis.call('DEL', KEYS[1])
return 1
",
    )
});

/// Remembers events in Redis 5 or later, for all processes that use it.
///
/// Each call takes one round trip. A connection that broke is opened again, and a call that it took along is made a
/// second time. So is one that leads to a replica. A call that Redis does not answer within 900 ms fails, and so does one
/// whose connection is refused, because of the password for example. The next one opens another connection. Each call
/// touches one key, so a cluster works: pass its connection to [`with_connection`](Self::with_connection).
///
/// # Failover
///
/// A failover must happen behind one address: a name, a virtual address or a proxy that leads to the primary. A replica
/// gets what the primary writes a moment later. What it did not get is lost, and handled again without a line in the
/// log. [`wait_for_replicas`](Self::wait_for_replicas) closes that gap.
///
/// # Pitfalls
///
/// - What Redis forgets is handled again. [`connect`](Self::connect) refuses a Redis that removes keys to save memory,
///   but looks only once. If `maxmemory-policy` changes later, events are handled twice, without a line in the log.
///   After a crash, Redis has what it wrote to disk (`appendonly yes`, `appendfsync always`).
/// - All times are by the clock of Redis. If it jumps forward, claims end too early; if it jumps back, the claims of dead
///   processes end later.
/// - A full Redis (`maxmemory-policy noeviction`) fails for new events. Then the setting
///   [`if_once_store_fails`](crate::TwilioConfigBuilder::if_once_store_fails) counts.
/// - Anyone who can write into this Redis can suppress events and choose the answers to duplicates. Use a user of its own
///   (ACL), a password and TLS. `rediss://` needs the feature `tokio-rustls-comp` of the crate `redis` and the feature
///   `ring` or `aws-lc-rs` of the crate `rustls`, or `tokio-native-tls-comp` alone. The guide's chapter on
///   [replay](crate::guide::replay) has the lines.
///
/// # Examples
///
/// ```no_run
/// use actix_twilio::{TwilioConfig, once::RedisStore};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1:6379").await?;
/// let config = TwilioConfig::builder().env()?.once_store(store).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore<C = RedisConnection> {
    connection: C,
    prefix: String,
    replicas: usize,
}

impl RedisStore {
    /// Connects to the Redis at a URL, such as `redis://user:password@host:6379/0`.
    ///
    /// # Errors
    ///
    /// Returns an error if Redis can't be reached, if it does not let this user run scripts that read, or if it
    /// removes keys before their time to save memory (`maxmemory-policy` is not `noeviction`): then events would be
    /// handled twice. Whether the user may touch the keys with the [prefix](Self::prefix) shows in the first call.
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::connect_or_say_why(url).await.map_err(|err| {
            ConfigError::new(
                "RedisStore",
                err.to_string(),
                "check the URL, and whether Redis runs, keeps its keys and lets this user in",
            )
        })
    }

    async fn connect_or_say_why(url: &str) -> Result<Self, OnceStoreError> {
        let mut connection = RedisConnection::open(url).await?;
        refuse_eviction(&mut connection).await?;
        refuse_without_scripts(&mut connection).await?;
        Ok(Self::with_connection(connection))
    }
}

impl<C> RedisStore<C> {
    /// Constructs a store with a connection of your own, whose clones share it: a cluster's, for example. Set its time
    /// limits to under one second, and see to it that this Redis removes no keys before their time. A `ConnectionManager`
    /// keeps a connection that no longer answers, and the error of one that was refused;
    /// [`connect`](RedisStore::connect) makes one that does not.
    #[must_use]
    pub fn with_connection(connection: C) -> Self {
        Self {
            connection,
            prefix: PREFIX.to_owned(),
            replicas: 0,
        }
    }

    /// Sets what all keys start with, for apps that share a Redis but no events. The default is `twilio:once:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many replicas must have what a call wrote before it succeeds. The default is none.
    ///
    /// A failover to such a replica loses nothing: neither is an event handled twice, nor does its duplicate get another
    /// answer. If fewer replicas have it within 500 ms, the store fails, and
    /// [`if_once_store_fails`](crate::TwilioConfigBuilder::if_once_store_fails) counts. That is also so for a process
    /// that still reaches the old primary. All calls of a process wait for each other, each as long as a round trip to
    /// the replica takes. It is not for clusters.
    #[must_use]
    pub fn wait_for_replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &OnceKey,
        with_args: impl FnOnce(&mut ScriptInvocation<'_>) + Send,
    ) -> Result<T, OnceStoreError> {
        let mut script = script.prepare_invoke();
        script.key(format!("{}{key}", self.prefix));
        with_args(&mut script);
        let mut connection = self.connection.clone();
        let answer = match self.invoke(&script, &mut connection).await {
            // A second run has the same effect as the first.
            Err(err) if leads_elsewhere(&err) => self.invoke(&script, &mut connection).await,
            answer => answer,
        };
        let (value, replicas) = answer?;
        if replicas < self.replicas {
            let needed = self.replicas;
            return Err(
                format!("{replicas} replicas have what was written, instead of {needed}").into(),
            );
        }
        Ok(T::from_redis_value(value)?)
    }

    /// Runs a script, and returns its value and the number of replicas that have what it wrote.
    async fn invoke(
        &self,
        script: &ScriptInvocation<'_>,
        connection: &mut C,
    ) -> RedisResult<(Value, usize)> {
        if self.replicas == 0 {
            return Ok((script.invoke_async(connection).await?, 0));
        }
        // Both go over the same connection, since the second is about the writes of its own connection.
        let mut both = Pipeline::new();
        both.invoke_script(script);
        both.cmd("WAIT")
            .arg(self.replicas)
            .arg(millis(WAIT_FOR_REPLICAS));
        match both.query_async(connection).await {
            Err(err) if err.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                script.load_async(connection).await?;
                both.query_async(connection).await
            }
            answer => answer,
        }
    }
}

/// Returns whether another connection may lead to a Redis that works.
fn leads_elsewhere(err: &RedisError) -> bool {
    err.is_connection_dropped() || (err.is_io_error() && !err.is_timeout()) || is_of_replica(err)
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> OnceStore for RedisStore<C> {
    async fn claim(
        &self,
        key: &OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        let (code, answer): (i64, Vec<u8>) = self
            .run(&CLAIM, key, |script| {
                script
                    .arg(owner.to_string())
                    .arg(millis(lease))
                    .arg(millis(ABANDONED));
            })
            .await?;
        match code {
            0 => Ok(Claim::First),
            1 => Ok(Claim::TakenOver),
            2 => Ok(Claim::InProgress),
            3 => decode(&answer)
                .map(Claim::Done)
                .ok_or_else(|| "a stored answer is malformed".into()),
            _ => Err("this is not the answer of a Redis".into()),
        }
    }

    async fn finish(
        &self,
        key: &OnceKey,
        owner: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> Result<bool, OnceStoreError> {
        self.run(&FINISH, key, |script| {
            script
                .arg(owner.to_string())
                .arg(encode(answer))
                .arg(millis(retention));
        })
        .await
    }

    async fn release(&self, key: &OnceKey, owner: Owner) -> Result<bool, OnceStoreError> {
        self.run(&RELEASE, key, |script| {
            script.arg(owner.to_string());
        })
        .await
    }
}

/// Refuses a Redis that removes keys before their time.
async fn refuse_eviction(connection: &mut RedisConnection) -> Result<(), OnceStoreError> {
    let info = ::redis::cmd("INFO")
        .arg("memory")
        .query_async::<Value>(connection)
        .await;
    let info = match info.map(String::from_redis_value) {
        Ok(Ok(info)) => info,
        Err(err) if err.is_io_error() => return Err(err.into()),
        _ => {
            tracing::warn!(
                target: "actix_twilio",
                "Redis does not show whether it removes keys to save memory: see to it that its \
                 maxmemory-policy is noeviction, or events may be handled twice",
            );
            return Ok(());
        }
    };
    let value = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let (limit, policy) = (value("maxmemory"), value("maxmemory_policy"));
    if limit == "0" || policy == "noeviction" {
        return Ok(());
    }
    let problem = format!(
        "this Redis removes keys to save memory (maxmemory-policy {policy}), so events would be handled twice: set \
         maxmemory-policy to noeviction"
    );
    Err(problem.into())
}

/// Refuses a Redis that does not let this user run scripts that read. It writes nothing, so that a full Redis and replicas
/// that are not ready keep no app from starting. What passes does not count, and neither does a key that the user must
/// not touch, because the prefix of the store is not known yet.
async fn refuse_without_scripts(connection: &mut RedisConnection) -> Result<(), OnceStoreError> {
    let owner = Owner::new().to_string();
    let mut probe = RELEASE.prepare_invoke();
    // No event has this key.
    probe.key(format!("{PREFIX}probe:{owner}")).arg(owner);
    let Err(err) = probe.invoke_async::<Value>(connection).await else {
        return Ok(());
    };
    let is_lasting = matches!(
        err.kind(),
        ErrorKind::Server(ServerErrorKind::NoPerm | ServerErrorKind::ResponseError)
    ) || err.code() == Some("NOAUTH");
    let is_about_the_key = err.to_string().contains("permissions to access");
    if is_lasting && !is_about_the_key {
        return Err(err.into());
    }
    Ok(())
}

fn millis(time: Duration) -> u64 {
    let time = time.clamp(Duration::from_millis(1), LONGEST_TIME);
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
