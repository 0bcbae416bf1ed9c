//! Compares each store of handled events with a model, over all short sequences of what three owners may do.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::{HashMap, HashSet},
    process::Command,
    time::Duration,
};

use actix_twilio::once::{Claim, MemoryStore, OnceKey, OnceStore, Owner, RedisStore, StoredAnswer};
use actix_twilio_tests::{
    forwarder::Forwarder,
    in_child,
    memory::resident,
    redis::{Redis, free_port, url, wait_until},
};
use actix_web::{http::StatusCode, rt::System, web::Bytes};
use futures_util::future::join_all;
use redis::cluster::ClusterClient;
use tokio::time;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// A lease or a retention that has ended after [`LAPSE`].
const SHORT: Duration = Duration::from_millis(1);
const LAPSE: Duration = Duration::from_millis(3);

/// What an owner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// It claims the key, perhaps again because an answer was lost.
    Claim,
    /// It claims the key, and does nothing until its lease has ended. It may have crashed.
    ClaimAndLapse,
    Finish,
    /// It finishes, and then the retention ends.
    FinishAndForget,
    Release,
}

const ACTS: [Act; 5] = [
    Act::Claim,
    Act::ClaimAndLapse,
    Act::Finish,
    Act::FinishAndForget,
    Act::Release,
];

/// What the store must know about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    Unknown,
    Claimed { by: usize, lapsed: bool },
    Done { by: usize },
}

/// What the store must answer.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Claim(Claim),
    Is(bool),
}

fn answer(by: usize) -> StoredAnswer {
    StoredAnswer {
        body: format!("by {by}").into(),
        ..StoredAnswer::EMPTY
    }
}

impl Model {
    fn step(&mut self, by: usize, act: Act) -> Reply {
        let owner = match *self {
            Self::Unknown => None,
            Self::Claimed { by, .. } | Self::Done { by } => Some(by),
        };
        match act {
            Act::Claim | Act::ClaimAndLapse => {
                let claim = match *self {
                    Self::Done { by } => return Reply::Claim(Claim::Done(answer(by))),
                    Self::Claimed { by: other, lapsed } if other != by => {
                        if !lapsed {
                            return Reply::Claim(Claim::InProgress);
                        }
                        Claim::TakenOver
                    }
                    Self::Unknown | Self::Claimed { .. } => Claim::First,
                };
                let lapsed = act == Act::ClaimAndLapse;
                *self = Self::Claimed { by, lapsed };
                Reply::Claim(claim)
            }
            Act::Finish | Act::FinishAndForget if owner.is_none_or(|owner| owner == by) => {
                *self = match act {
                    Act::Finish => Self::Done { by },
                    _ => Self::Unknown,
                };
                Reply::Is(true)
            }
            Act::Release if matches!(self, Self::Claimed { .. }) && owner == Some(by) => {
                *self = Self::Unknown;
                Reply::Is(true)
            }
            Act::Finish | Act::FinishAndForget | Act::Release => Reply::Is(false),
        }
    }
}

async fn run(
    store: &impl OnceStore,
    key: &OnceKey,
    owners: [Owner; 3],
    by: usize,
    act: Act,
    lapse: impl AsyncFn(),
) -> Reply {
    let owner = owners[by];
    match act {
        Act::Claim => Reply::Claim(store.claim(key, owner, HOUR).await.unwrap()),
        Act::ClaimAndLapse => {
            let claim = store.claim(key, owner, SHORT).await.unwrap();
            if matches!(claim, Claim::First | Claim::TakenOver) {
                lapse().await;
            }
            Reply::Claim(claim)
        }
        Act::Finish => Reply::Is(store.finish(key, owner, &answer(by), HOUR).await.unwrap()),
        Act::FinishAndForget => {
            let finished = store.finish(key, owner, &answer(by), SHORT).await.unwrap();
            if finished {
                lapse().await;
            }
            Reply::Is(finished)
        }
        Act::Release => Reply::Is(store.release(key, owner).await.unwrap()),
    }
}

/// Runs all sequences of this length, each on a key of its own. Returns their number.
async fn compare(store: &impl OnceStore, length: u32, lapse: impl AsyncFn()) -> u32 {
    let choices = u32::try_from(3 * ACTS.len()).unwrap();
    let sequences = choices.pow(length);
    for sequence in 0..sequences {
        let key = OnceKey::new("model", &sequence.to_le_bytes());
        let owners = [(); 3].map(|()| Owner::new());
        let mut model = Model::Unknown;
        let mut history = Vec::new();
        for step in 0..length {
            let choice = usize::try_from(sequence / choices.pow(step) % choices).unwrap();
            let (by, act) = (choice % 3, ACTS[choice / 3]);
            history.push((by, act));
            let found = run(store, &key, owners, by, act, &lapse).await;
            assert_eq!(found, model.step(by, act), "{history:?}");
        }
    }
    sequences
}

/// Lets many owners claim each key at the same time: exactly one gets it.
async fn race(store: &(impl OnceStore + Clone)) {
    for round in 0_u32..50 {
        let key = OnceKey::new("race", &round.to_le_bytes());
        // Half of the rounds are about a claim that is taken over.
        if round % 2 == 1 {
            let crashed = store.claim(&key, Owner::new(), SHORT).await.unwrap();
            assert_eq!(crashed, Claim::First);
            time::sleep(LAPSE).await;
        }
        let claims = (0..32).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.claim(&key, Owner::new(), HOUR).await.unwrap() })
        });
        let claims: Vec<_> = join_all(claims)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let expected =
            [Claim::First, Claim::TakenOver][usize::try_from(round % 2).unwrap()].clone();
        assert_eq!(claims.iter().filter(|claim| **claim == expected).count(), 1);
        let rest = claims.iter().filter(|claim| **claim == Claim::InProgress);
        assert_eq!(rest.count(), 31, "{claims:?}");
    }
}

#[actix_web::test]
async fn memory_does_what_the_model_does_for_all_sequences_of_three_owners() {
    time::pause();
    let store = MemoryStore::default();
    let sequences = compare(&store, 4, async || time::advance(LAPSE).await).await;
    assert_eq!(sequences, 50_625);
}

#[test]
fn of_threads_that_claim_one_key_in_memory_exactly_one_gets_it() {
    let store = MemoryStore::default();
    for round in 0_u32..200 {
        let key = OnceKey::new("race", &round.to_le_bytes());
        let claim = || futures_util::FutureExt::now_or_never(store.claim(&key, Owner::new(), HOUR));
        let firsts = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(claim)).collect();
            let claims = threads.into_iter().map(|thread| thread.join().unwrap());
            claims
                .filter(|claim| matches!(claim, Some(Ok(Claim::First))))
                .count()
        });
        assert_eq!(firsts, 1);
    }
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn redis_does_what_the_model_does_for_all_sequences_of_three_owners() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    // The leases are by the clock of Redis, so there is nothing to do but wait.
    let sequences = compare(&store, 3, async || time::sleep(LAPSE).await).await;
    assert_eq!(sequences, 3375);
    race(&store).await;
    let keys = redis.command("KEYS *");
    let prefixes: HashSet<_> = keys
        .lines()
        .filter_map(|line| line.rsplit_once(':'))
        .collect();
    assert!(
        prefixes.iter().all(|(prefix, _)| *prefix == "twilio:once"),
        "{keys}"
    );
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn redis_that_forgets_keys_is_refused_and_one_that_is_full_fails() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let set = |setting: &str| {
        let answer = redis.command(&format!("CONFIG SET {setting}"));
        assert!(answer.starts_with("+OK"), "{answer}");
    };
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        set(&format!("maxmemory 100mb maxmemory-policy {policy}"));
        let err = RedisStore::connect(&redis.url())
            .await
            .unwrap_err()
            .to_string();
        assert!(err.contains(policy) && err.contains("noeviction"), "{err}");
    }
    // Without a limit, nothing is removed.
    set("maxmemory 0");
    assert!(RedisStore::connect(&redis.url()).await.is_ok());
    set("maxmemory 4mb maxmemory-policy noeviction");
    let store = RedisStore::connect(&redis.url())
        .await
        .unwrap()
        .prefix("full:");
    let owner = Owner::new();
    let large = StoredAnswer {
        body: vec![b'x'; StoredAnswer::MAX_BODY].into(),
        ..StoredAnswer::EMPTY
    };
    let mut handled = Vec::new();
    let err = loop {
        let key = OnceKey::new("full", &handled.len().to_le_bytes());
        if let Err(err) = store.claim(&key, owner, HOUR).await {
            break err;
        }
        match store.finish(&key, owner, &large, HOUR).await {
            Ok(finished) => assert!(finished),
            Err(err) => break err,
        }
        handled.push(key);
    };
    assert!(err.to_string().contains("OOM"), "{err}");
    assert!(handled.len() > 10, "{}", handled.len());
    // What was finished is still known, and what was claimed can be released.
    for key in &handled {
        let claim = store.claim(key, Owner::new(), HOUR).await.unwrap();
        assert_eq!(claim, Claim::Done(large.clone()));
    }
    let key = OnceKey::new("full", &handled.len().to_le_bytes());
    assert!(store.release(&key, owner).await.is_ok());
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn redis_with_a_poisoned_answer_fails() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let key = OnceKey::new("poison", b"1");
    let owner = Owner::new();
    for value in ["", "x", "C", "D", "D0123456789abcdef0123456789abcdef", "Cx"] {
        assert!(
            redis
                .command(&format!("SET twilio:once:{key} '{value}'"))
                .starts_with("+OK")
        );
        assert!(
            store.claim(&key, Owner::new(), HOUR).await.is_err(),
            "{value}"
        );
        assert!(!store.release(&key, owner).await.unwrap(), "{value}");
    }
    assert!(
        redis
            .command(&format!("DEL twilio:once:{key}"))
            .starts_with(":1")
    );
    assert!(
        redis
            .command(&format!("LPUSH twilio:once:{key} x"))
            .starts_with(":1")
    );
    assert!(store.claim(&key, owner, HOUR).await.is_err());
    assert!(store.finish(&key, owner, &answer(0), HOUR).await.is_err());
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn redis_that_was_killed_or_paused_is_used_again_once_it_runs() {
    let mut redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let (owner, other) = (Owner::new(), Owner::new());
    let (done, claimed) = (OnceKey::new("kill", b"1"), OnceKey::new("kill", b"2"));
    assert_eq!(store.claim(&done, owner, HOUR).await.unwrap(), Claim::First);
    assert!(store.finish(&done, owner, &answer(0), HOUR).await.unwrap());
    assert_eq!(
        store.claim(&claimed, owner, HOUR).await.unwrap(),
        Claim::First
    );

    redis.kill();
    assert!(store.claim(&done, other, HOUR).await.is_err());
    redis.start_again();
    // The first call after that finds the broken connection, and is made again.
    let claim = store.claim(&done, other, HOUR).await.unwrap();
    assert_eq!(claim, Claim::Done(answer(0)));
    let claim = store.claim(&claimed, other, HOUR).await.unwrap();
    assert_eq!(claim, Claim::InProgress);
    assert!(
        store
            .finish(&claimed, owner, &answer(0), HOUR)
            .await
            .unwrap()
    );

    redis.signal("STOP");
    let start = time::Instant::now();
    let paused = OnceKey::new("kill", b"3");
    assert!(store.claim(&paused, owner, HOUR).await.is_err());
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    redis.signal("CONT");
    // The claim may have arrived, so its owner may claim it again.
    let claim = store.claim(&paused, owner, HOUR).await.unwrap();
    assert_eq!(claim, Claim::First);
    assert_eq!(
        store.claim(&paused, other, HOUR).await.unwrap(),
        Claim::InProgress
    );
}

/// The longest time for which a call may last on a busy machine. The guard gives up after two seconds.
const LIMIT: Duration = Duration::from_secs(3);

/// Makes a call, which must not hang.
async fn in_time<T>(call: impl Future<Output = T>) -> T {
    time::timeout(LIMIT, call).await.unwrap()
}

/// Makes a call that works at the third try at the latest: the first ones find connections that lead nowhere.
async fn soon<T, E: std::fmt::Debug>(call: impl AsyncFn() -> Result<T, E>) -> T {
    for _ in 0..2 {
        if let Ok(answer) = in_time(call()).await {
            return answer;
        }
    }
    in_time(call()).await.unwrap()
}

/// What happens to a primary.
#[derive(Debug, Clone, Copy)]
enum Failover {
    Killed,
    /// It lives on, and follows the new primary.
    Demoted,
    /// Its machine is gone, and nobody closes its connections.
    Gone,
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn after_a_failover_behind_one_address_nothing_is_forgotten() {
    for failover in [Failover::Killed, Failover::Demoted, Failover::Gone] {
        let [mut primary, replica] = Redis::start_pair(env!("CARGO_TARGET_TMPDIR"));
        let forwarder = Forwarder::start(primary.port());
        let store = RedisStore::connect(&url(forwarder.port())).await.unwrap();
        let waiting = store.clone().wait_for_replicas(1);
        let (owner, other) = (Owner::new(), Owner::new());
        let [done, claimed] = [b"1", b"2"].map(|number| OnceKey::new("failover", number));
        for key in [&done, &claimed] {
            assert_eq!(waiting.claim(key, owner, HOUR).await.unwrap(), Claim::First);
        }
        assert!(
            waiting
                .finish(&done, owner, &answer(0), HOUR)
                .await
                .unwrap()
        );

        replica.lead();
        match failover {
            Failover::Killed => primary.kill(),
            Failover::Demoted => primary.follow(&replica),
            Failover::Gone => forwarder.abandon_connections(),
        }
        forwarder.lead_to(replica.port());
        // The old primary is a replica of the new one.
        let store = match failover {
            Failover::Demoted => waiting,
            Failover::Killed | Failover::Gone => store,
        };
        let first = in_time(store.claim(&done, other, HOUR)).await;
        // Only the lack of an answer says that the machine is gone.
        assert_eq!(
            first.is_err(),
            matches!(failover, Failover::Gone),
            "{first:?}"
        );
        let claim = in_time(store.claim(&done, other, HOUR)).await.unwrap();
        assert_eq!(claim, Claim::Done(answer(0)), "{failover:?}");
        let claim = in_time(store.claim(&claimed, other, HOUR)).await.unwrap();
        assert_eq!(claim, Claim::InProgress, "{failover:?}");
        assert!(
            store
                .finish(&claimed, owner, &answer(1), HOUR)
                .await
                .unwrap()
        );
        let claim = in_time(store.claim(&claimed, other, HOUR)).await.unwrap();
        assert_eq!(claim, Claim::Done(answer(1)), "{failover:?}");
    }
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn a_call_fails_if_too_few_replicas_have_what_it_wrote() {
    let [primary, replica] = Redis::start_pair(env!("CARGO_TARGET_TMPDIR"));
    let store = RedisStore::connect(&primary.url()).await.unwrap();
    let (one, two) = (
        store.clone().wait_for_replicas(1),
        store.wait_for_replicas(2),
    );
    let key = OnceKey::new("replicas", b"1");
    let claim = in_time(one.claim(&key, Owner::new(), HOUR)).await.unwrap();
    assert_eq!(claim, Claim::First);
    let owner = Owner::new();
    let key = OnceKey::new("replicas", b"2");
    let err = in_time(two.claim(&key, owner, HOUR)).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "1 replicas have what was written, instead of 2"
    );

    replica.signal("STOP");
    assert!(in_time(one.claim(&key, owner, HOUR)).await.is_err());
    assert!(
        in_time(one.finish(&key, owner, &answer(0), HOUR))
            .await
            .is_err()
    );
    replica.signal("CONT");
    // The replica gets all of it, and what was finished stays finished.
    wait_until(|| replica.command("DBSIZE").starts_with(":2"));
    let claim = in_time(one.claim(&key, Owner::new(), HOUR)).await.unwrap();
    assert_eq!(claim, Claim::Done(answer(0)));
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn redis_that_is_slow_or_cut_off_fails_in_time_and_is_used_again() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let forwarder = Forwarder::start(redis.port());
    let store = RedisStore::connect(&url(forwarder.port())).await.unwrap();
    let (owner, other) = (Owner::new(), Owner::new());
    let keys = (0_u8..).map(|number| OnceKey::new("slow", &[number]));
    let mut keys = keys.into_iter();

    let key = keys.next().unwrap();
    forwarder.delay(Duration::from_millis(300));
    assert_eq!(
        in_time(store.claim(&key, owner, HOUR)).await.unwrap(),
        Claim::First
    );

    forwarder.delay(Duration::from_millis(1500));
    assert!(in_time(store.claim(&key, other, HOUR)).await.is_err());
    assert!(
        in_time(store.finish(&key, owner, &answer(0), HOUR))
            .await
            .is_err()
    );
    forwarder.delay(Duration::ZERO);
    let claim = soon(async || store.claim(&key, other, HOUR).await).await;
    assert_eq!(claim, Claim::InProgress);
    assert!(soon(async || store.finish(&key, owner, &answer(0), HOUR).await).await);

    let key = keys.next().unwrap();
    forwarder.set_silent(true);
    for _ in 0..3 {
        assert!(in_time(store.claim(&key, owner, HOUR)).await.is_err());
    }
    forwarder.set_silent(false);
    let claim = soon(async || store.claim(&key, other, HOUR).await).await;
    assert_eq!(claim, Claim::First);
    assert_eq!(
        in_time(store.claim(&key, owner, HOUR)).await.unwrap(),
        Claim::InProgress
    );

    // Redis answers, and runs nothing.
    let key = keys.next().unwrap();
    assert!(redis.command("CLIENT PAUSE 1500").starts_with("+OK"));
    assert!(in_time(store.claim(&key, owner, HOUR)).await.is_err());
    let claim = soon(async || store.claim(&key, owner, HOUR).await).await;
    assert_eq!(claim, Claim::First);
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn an_answer_is_stored_although_redis_lost_the_claim() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let key = OnceKey::new("lost", b"1");
    let [first, second] = [Owner::new(), Owner::new()];
    store.claim(&key, first, HOUR).await.unwrap();
    assert!(redis.command("FLUSHALL").starts_with("+OK"));
    assert!(store.finish(&key, first, &answer(0), HOUR).await.unwrap());
    assert_eq!(
        store.claim(&key, second, HOUR).await.unwrap(),
        Claim::Done(answer(0))
    );
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn a_clock_that_was_set_back_lets_nothing_be_handled_twice() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let key = OnceKey::new("clock", b"1");
    let owner = Owner::new();
    // The end of this lease was far away when the clock was set back, and so it still is.
    let until = u64::from(u32::MAX) * 1_000;
    let set = format!("SET twilio:once:{key} C{owner}{until}");
    assert!(redis.command(&set).starts_with("+OK"));
    let claim = store.claim(&key, Owner::new(), HOUR).await.unwrap();
    assert_eq!(claim, Claim::InProgress);
    assert!(store.finish(&key, owner, &answer(0), HOUR).await.unwrap());
    let claim = store.claim(&key, Owner::new(), HOUR).await.unwrap();
    assert_eq!(claim, Claim::Done(answer(0)));
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn a_cluster_does_what_the_model_does() {
    let options = ["--cluster-enabled", "yes"];
    let redis = Redis::start_with(env!("CARGO_TARGET_TMPDIR"), &options);
    assert!(
        redis
            .command("CLUSTER ADDSLOTSRANGE 0 16383")
            .starts_with("+OK")
    );
    wait_until(|| redis.command("CLUSTER INFO").contains("cluster_state:ok"));
    // A cluster refuses a call that touches keys of different slots.
    assert!(redis.command("DEL a b").starts_with("-CROSSSLOT"));
    let client = ClusterClient::new([redis.url()]).unwrap();
    let store = RedisStore::with_connection(client.get_async_connection().await.unwrap());
    let sequences = compare(&store, 2, async || time::sleep(LAPSE).await).await;
    assert_eq!(sequences, 225);
    // An app whose Redis is one node may also connect to it alone.
    let store = RedisStore::connect(&redis.url())
        .await
        .unwrap()
        .prefix("one:");
    compare(&store, 1, async || time::sleep(LAPSE).await).await;
}

/// The certificate that the test of TLS trusts.
const TRUSTED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/redis-ca.pem");

#[test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
fn redis_is_reached_over_tls_if_its_certificate_is_trusted() {
    in_child([("SSL_CERT_FILE", TRUSTED)], || {
        let openssl = |options: &str| {
            let mut command = Command::new("openssl");
            let command = command.args([
                "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2",
            ]);
            let made = command
                .args(options.split(' '))
                .current_dir(env!("CARGO_TARGET_TMPDIR"))
                .output();
            let made = made.unwrap();
            assert!(made.status.success(), "{made:?}");
        };
        openssl("-subj /CN=test -keyout redis-ca.key -out redis-ca.pem");
        openssl(
            "-subj /CN=redis -keyout redis.key -out redis.pem -CA redis-ca.pem -CAkey redis-ca.key \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE",
        );
        let file = |name: &str| format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
        let port = free_port().to_string();
        let (certificate, key) = (file("redis.pem"), file("redis.key"));
        let options = [
            ["--tls-port", &port],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
            ["--tls-ca-cert-file", TRUSTED],
            ["--tls-auth-clients", "no"],
        ];
        let _redis = Redis::start_with(env!("CARGO_TARGET_TMPDIR"), &options.concat());
        System::new().block_on(async {
            let url = format!("rediss://127.0.0.1:{port}");
            let store = RedisStore::connect(&url).await.unwrap();
            compare(&store, 1, async || time::sleep(LAPSE).await).await;
            // The certificate is for another name.
            let url = format!("rediss://localhost:{port}");
            let err = RedisStore::connect(&url).await.unwrap_err().to_string();
            assert!(err.contains("certificate"), "{err}");
        });
    });
}

#[actix_web::test]
async fn times_beyond_all_bounds_are_a_century() {
    let store = MemoryStore::default();
    let (key, owner) = (OnceKey::new("century", b"1"), Owner::new());
    let claim = store.claim(&key, owner, Duration::MAX).await.unwrap();
    assert_eq!(claim, Claim::First);
    assert!(
        store
            .finish(&key, owner, &answer(0), Duration::MAX)
            .await
            .unwrap()
    );
    let claim = store.claim(&key, Owner::new(), HOUR).await.unwrap();
    assert_eq!(claim, Claim::Done(answer(0)));
}

/// An answer as an app sends it.
fn usual_answer() -> StoredAnswer {
    StoredAnswer {
        status: StatusCode::OK,
        content_type: Some("text/xml; charset=utf-8".parse().unwrap()),
        body: vec![b'x'; 100].into(),
        ..StoredAnswer::EMPTY
    }
}

/// Puts events into a store and prints what one takes, at each power of ten. Returns the bytes for an event at the end.
async fn fill(store: &impl OnceStore, events: usize, used: impl Fn() -> usize) -> usize {
    let answer = usual_answer();
    let (before, start) = (used(), std::time::Instant::now());
    let (mut done, mut next) = (0_usize, 1000);
    let mut bytes = 0;
    while done < events {
        // As many at once as a busy app has.
        let batch = (done..events.min(done + 50)).map(async |number| {
            let (key, owner) = (OnceKey::new("fill", &number.to_le_bytes()), Owner::new());
            assert_eq!(store.claim(&key, owner, HOUR).await.unwrap(), Claim::First);
            assert!(store.finish(&key, owner, &answer, HOUR).await.unwrap());
        });
        done += join_all(batch).await.len();
        if done == next || done == events {
            bytes = (used() - before) / done;
            let each = start.elapsed() / u32::try_from(done).unwrap();
            println!("| {done} | {bytes} | {:.1} |", each.as_secs_f64() * 1e6);
            next *= 10;
        }
    }
    bytes
}

/// A claim leaves room for one answer, and others are claimed at the same time.
#[actix_web::test]
async fn events_whose_answers_have_no_room_together_are_not_handled_again() {
    let store = MemoryStore::new(1024 * 1024);
    let large = StoredAnswer {
        status: StatusCode::OK,
        body: Bytes::from(vec![b'x'; StoredAnswer::MAX_BODY]),
        ..StoredAnswer::EMPTY
    };
    let mut claimed = Vec::new();
    for number in 0_u32.. {
        let (key, owner) = (OnceKey::new("test", &number.to_le_bytes()), Owner::new());
        if store.claim(&key, owner, HOUR).await.is_err() {
            break;
        }
        claimed.push((key, owner));
    }
    assert!(claimed.len() > 1000, "{}", claimed.len());
    for (key, owner) in &claimed {
        assert!(store.finish(key, *owner, &large, HOUR).await.unwrap());
    }
    let mut whole = 0;
    for (key, _) in &claimed {
        match store.claim(key, Owner::new(), HOUR).await.unwrap() {
            Claim::Done(answer) if answer == large => whole += 1,
            claim => assert_eq!(claim, Claim::Done(StoredAnswer::EMPTY)),
        }
    }
    assert!(whole > 0, "{whole}");
}

/// Several owners claim, finish and release events in random order, in a store that has no room for them all.
#[actix_web::test]
async fn a_full_store_lets_no_event_be_handled_twice_and_finishes_what_was_claimed() {
    let mut number = 6_u64;
    let mut random = |below: u64| {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((number >> 33) % below).unwrap()
    };
    let (mut refused, mut without_answer) = (0, 0);
    for _ in 0..200 {
        let store = MemoryStore::new(20_000);
        let mut claimed: HashMap<usize, Owner> = HashMap::new();
        let mut done: HashMap<usize, StoredAnswer> = HashMap::new();
        for _ in 0..500 {
            let event = random(60);
            let (key, other) = (OnceKey::new("full", &event.to_le_bytes()), Owner::new());
            let claim = store.claim(&key, other, HOUR).await;
            let Some(owner) = claimed.get(&event).copied() else {
                match claim {
                    Ok(Claim::First) => {
                        assert_eq!(done.get(&event), None);
                        claimed.insert(event, other);
                    }
                    Ok(claim) => assert_eq!(claim, Claim::Done(done[&event].clone())),
                    Err(_) => {
                        assert_eq!(done.get(&event), None);
                        refused += 1;
                    }
                }
                continue;
            };
            assert_eq!(claim.unwrap(), Claim::InProgress);
            match random(4) {
                0 => {
                    assert!(!store.release(&key, other).await.unwrap());
                    assert!(store.release(&key, owner).await.unwrap());
                    claimed.remove(&event);
                }
                1 => {}
                _ => {
                    let whole = StoredAnswer {
                        body: vec![b'x'; random(3000)].into(),
                        ..usual_answer()
                    };
                    assert!(!store.finish(&key, other, &whole, HOUR).await.unwrap());
                    assert!(store.finish(&key, owner, &whole, HOUR).await.unwrap());
                    claimed.remove(&event);
                    let Claim::Done(kept) = store.claim(&key, other, HOUR).await.unwrap() else {
                        panic!("{event} is not done");
                    };
                    assert!(kept == whole || kept == StoredAnswer::EMPTY);
                    without_answer += usize::from(kept != whole);
                    done.insert(event, kept);
                }
            }
        }
    }
    assert!(
        refused > 100 && without_answer > 100,
        "{refused} {without_answer}"
    );
}

#[actix_web::test]
#[ignore = "it takes 700 MB, and prints a figure for docs/performance.md: run it alone with --nocapture"]
async fn a_remembered_event_takes_no_more_memory_than_the_bound_counts() {
    let store = MemoryStore::new(usize::MAX);
    println!("| events in memory | bytes for each | microseconds |\n|---:|---:|---:|");
    let bytes = fill(&store, 1_000_000, || {
        resident().expect("the system says it")
    })
    .await;
    // What the store counts for it.
    let counted = 384 + 100 + 23 + size_of::<StoredAnswer>();
    println!("{counted} bytes are counted for each");
    assert!(bytes <= counted, "{bytes} > {counted}");
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn an_event_takes_two_round_trips_to_redis() {
    // A million takes 400 MB and minutes.
    let events = std::env::var("ONCE_EVENTS").map_or(10_000, |events| events.parse().unwrap());
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    // Without a write to the disk for each change, whose time is that of the disk.
    assert!(redis.command("CONFIG SET appendonly no").starts_with("+OK"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let value = |info: &str, name: &str| {
        let info = redis.command(&format!("INFO {info}"));
        let value = info.lines().find_map(|line| line.strip_prefix(name));
        value.and_then(|value| value.split(',').next()?.parse::<usize>().ok())
    };
    println!("| events in Redis | bytes for each | microseconds |\n|---:|---:|---:|");
    fill(&store, events, || value("memory", "used_memory:").unwrap()).await;
    // Each script is called some more times, when Redis does not know it yet.
    let calls = value("commandstats", "cmdstat_evalsha:calls=").unwrap();
    assert!((2 * events..=2 * events + 200).contains(&calls), "{calls}");
}
