//! A connection to one Redis that is replaced when it no longer leads anywhere.

use std::{
    fmt, slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::{
    Client, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
};

/// The time for one try to reach Redis. A second try must fit into the time limit of a store.
const TRY: Duration = Duration::from_millis(900);

/// One connection for all requests, which is opened again if it breaks or could not be opened, if Redis does not answer
/// in time, and if it leads to a replica.
///
/// The last two are what a failover looks like: the primary is dead and its address belongs to another machine, or it
/// has come back as a replica. A [`ConnectionManager`] alone would wait for the old one. It also keeps the error of a
/// reconnect for ever, unless that is an I/O error: a password that was refused once, for example.
#[derive(Clone)]
pub struct RedisConnection {
    client: Client,
    current: Arc<Mutex<Current>>,
}

struct Current {
    manager: ConnectionManager,
    /// The number of managers before this one.
    generation: u64,
}

impl RedisConnection {
    pub(super) async fn open(url: &str) -> RedisResult<Self> {
        let client = Client::open(url)?;
        let manager = ConnectionManager::new_with_config(client.clone(), config()).await?;
        let current = Current {
            manager,
            generation: 0,
        };
        Ok(Self {
            client,
            current: Arc::new(Mutex::new(current)),
        })
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn manager(&self) -> (ConnectionManager, u64) {
        let current = self.current();
        (current.manager.clone(), current.generation)
    }

    /// Replaces the manager that had this result, if it leads nowhere and nobody has replaced it yet.
    fn judge(&self, generation: u64, result: Result<&[Value], &RedisError>) {
        let leads_nowhere = match result {
            Ok(values) => values.iter().any(|value| {
                matches!(value, Value::ServerError(err) if is_of_replica(&err.clone().into()))
            }),
            // What Redis answers to a command, errors too, is a value. So this is about the connection.
            Err(_) => true,
        };
        if !leads_nowhere {
            return;
        }
        let mut current = self.current();
        if current.generation == generation
            && let Ok(manager) =
                ConnectionManager::new_lazy_with_config(self.client.clone(), config())
        {
            *current = Current {
                manager,
                generation: generation + 1,
            };
        }
    }
}

fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(TRY))
        .set_response_timeout(Some(TRY))
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(100))
}

/// Returns whether a replica refused to write, to wait for replicas of its own, or to answer without its primary. Old
/// versions of Redis say the first in the text of a script's error.
pub(super) fn is_of_replica(err: &RedisError) -> bool {
    if let ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) = err.kind() {
        return true;
    }
    let text = err.to_string();
    ["READONLY", "WAIT cannot be used with replica"]
        .iter()
        .any(|reason| text.contains(reason))
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let (mut manager, generation) = self.manager();
            let result = manager.send_packed_command(cmd).await;
            self.judge(generation, result.as_ref().map(slice::from_ref));
            result
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let (mut manager, generation) = self.manager();
            let result = manager.send_packed_commands(pipeline, offset, count).await;
            self.judge(generation, result.as_ref().map(Vec::as_slice));
            result
        })
    }

    fn get_db(&self) -> i64 {
        self.current().manager.get_db()
    }
}

/// Prints no URL, which may have a password.
impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisConnection(..)")
    }
}
