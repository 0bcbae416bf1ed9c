//! A store in Redis, for all processes that use it.

use std::{fmt, sync::LazyLock, time::Duration};

use ::redis::{
    Client, FromRedisValue, RedisError, Script, ScriptInvocation, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
};
use actix_web::{
    http::{StatusCode, header::HeaderValue},
    web::Bytes,
};

use crate::error::ConfigError;

use super::{
    key::OnceKey,
    memory::ABANDONED,
    store::{Claim, OnceStore, OnceStoreError, Owner, StoredAnswer},
};

/// The time for one try to reach Redis. A second try must fit into the time limit of a store.
const TRY: Duration = Duration::from_millis(900);

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

/// Stores an answer, if the owner is still the same.
static FINISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 2, 33) ~= ARGV[1] then
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
/// second time. Each key is a value of its own, so a cluster works: pass its connection to
/// [`with_connection`](Self::with_connection).
///
/// # Pitfalls
///
/// - What Redis forgets is handled again. [`connect`](Self::connect) refuses a Redis that removes keys to save memory.
///   After a crash, Redis has what it wrote to disk (`appendonly yes`); after a failover, what the replica had.
///   `min-replicas-to-write 1` keeps the window short. The log says when a claim was lost.
/// - A full Redis (`maxmemory-policy noeviction`) fails for new events. Then the setting
///   [`if_once_store_fails`](crate::TwilioConfigBuilder::if_once_store_fails) counts.
/// - Anyone who can write into this Redis can suppress events and choose the answers to duplicates. Use a user of its own
///   (ACL), a password and TLS. `rediss://` needs the feature `tokio-rustls-comp` or `tokio-native-tls-comp` of the crate
///   `redis`.
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
pub struct RedisStore<C = ConnectionManager> {
    connection: C,
    prefix: String,
}

impl RedisStore {
    /// Connects to the Redis at a URL, such as `redis://user:password@host:6379/0`.
    ///
    /// # Errors
    ///
    /// Returns an error if Redis can't be reached, or if it removes keys before their time to save memory
    /// (`maxmemory-policy` is not `noeviction`): then events would be handled twice.
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
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TRY))
            .set_response_timeout(Some(TRY))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100));
        let client = Client::open(url)?;
        let mut connection = ConnectionManager::new_with_config(client, config).await?;
        refuse_eviction(&mut connection).await?;
        Ok(Self::with_connection(connection))
    }
}

impl<C> RedisStore<C> {
    /// Constructs a store with a connection of your own, whose clones share it: a cluster's, for example. Set its time
    /// limits to under one second, and see to it that this Redis removes no keys before their time.
    #[must_use]
    pub fn with_connection(connection: C) -> Self {
        Self {
            connection,
            prefix: "twilio:once:".to_owned(),
        }
    }

    /// Sets what all keys start with, for apps that share a Redis but no events. The default is `twilio:once:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
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
        match script.invoke_async(&mut connection).await {
            // A second run has the same effect as the first.
            Err(err) if is_broken(&err) => Ok(script.invoke_async(&mut connection).await?),
            answer => Ok(answer?),
        }
    }
}

fn is_broken(err: &RedisError) -> bool {
    err.is_connection_dropped() || (err.is_io_error() && !err.is_timeout())
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> OnceStore for RedisStore<C> {
    async fn claim(
        &self,
        key: &OnceKey,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        let (code, answer): (u8, Vec<u8>) = self
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
            _ => decode(&answer)
                .map(Claim::Done)
                .ok_or_else(|| "a stored answer is malformed".into()),
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
async fn refuse_eviction(connection: &mut ConnectionManager) -> Result<(), OnceStoreError> {
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

fn millis(time: Duration) -> u64 {
    // A century, which Redis takes as an expiration.
    const LONGEST: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(time.as_millis())
        .unwrap_or(LONGEST)
        .clamp(1, LONGEST)
}

/// Writes the status, the length of the content type, the content type and the body.
fn encode(answer: &StoredAnswer) -> Vec<u8> {
    let content_type = answer.content_type.as_ref();
    let content_type = content_type.map_or(&[][..], HeaderValue::as_bytes);
    let (content_type, len) = match u16::try_from(content_type.len()) {
        Ok(len) => (content_type, len),
        Err(_) => (&[][..], 0),
    };
    [
        &answer.status.as_u16().to_be_bytes()[..],
        &len.to_be_bytes(),
        content_type,
        &answer.body,
    ]
    .concat()
}

fn decode(answer: &[u8]) -> Option<StoredAnswer> {
    let (status, rest) = answer.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (content_type, body) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
    Some(StoredAnswer {
        status: StatusCode::from_u16(u16::from_be_bytes(*status)).ok()?,
        content_type: match content_type {
            [] => None,
            content_type => Some(HeaderValue::from_bytes(content_type).ok()?),
        },
        body: Bytes::copy_from_slice(body),
    })
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_stored_as_they_were_and_malformed_ones_are_refused() {
        let answers = [
            StoredAnswer::EMPTY,
            StoredAnswer {
                status: StatusCode::OK,
                content_type: Some(HeaderValue::from_static("application/xml")),
                body: Bytes::from_static(b"<Response/>"),
            },
            StoredAnswer {
                status: StatusCode::NOT_FOUND,
                content_type: None,
                body: Bytes::from_static(b"\xFF\0"),
            },
        ];
        for answer in answers {
            let encoded = encode(&answer);
            assert_eq!(decode(&encoded).as_ref(), Some(&answer));
            for len in 0..4 + answer.content_type.map_or(0, |value| value.len()) {
                assert_eq!(decode(&encoded[..len]), None);
            }
        }
        for malformed in [&b"\0\x01\0\0"[..], b"\0\xC8\xFF\xFFx", b"\0\xC8\0\x01\n"] {
            assert_eq!(decode(malformed), None);
        }
    }
}
