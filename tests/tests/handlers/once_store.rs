//! Compares each store of handled events with a model, over all short sequences of what three owners may do.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{collections::HashSet, time::Duration};

use actix_twilio::once::{Claim, MemoryStore, OnceKey, OnceStore, Owner, RedisStore, StoredAnswer};
use actix_twilio_tests::{memory::resident, redis::Redis};
use futures_util::future::join_all;
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
            Act::Finish | Act::FinishAndForget if owner == Some(by) => {
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

#[actix_web::test]
#[ignore = "it takes 700 MB, and prints a figure for docs/performance.md: run it alone with --nocapture"]
async fn a_remembered_event_takes_no_more_memory_than_the_bound_counts() {
    const EVENTS: u32 = 1_000_000;
    let answer = StoredAnswer {
        content_type: Some("text/xml; charset=utf-8".parse().unwrap()),
        body: vec![b'x'; 100].into(),
        ..StoredAnswer::EMPTY
    };
    let store = MemoryStore::new(usize::MAX);
    let before = resident().expect("the system says it");
    let start = std::time::Instant::now();
    for number in 0..EVENTS {
        let (key, owner) = (OnceKey::new("memory", &number.to_le_bytes()), Owner::new());
        assert_eq!(store.claim(&key, owner, HOUR).await.unwrap(), Claim::First);
        assert!(store.finish(&key, owner, &answer, HOUR).await.unwrap());
    }
    let each = start.elapsed() / EVENTS;
    let bytes = (resident().expect("the system says it") - before) / EVENTS as usize;
    println!("{bytes} bytes, {each:?} for an event in memory");

    // What the store counts for it.
    let counted = 384 + 100 + 23 + size_of::<StoredAnswer>();
    assert!(bytes <= counted, "{bytes} > {counted}");
}

#[actix_web::test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
async fn an_event_takes_two_round_trips_to_redis() {
    const EVENTS: u32 = 10_000;
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    // Without a write to the disk for each change, whose time is that of the disk.
    assert!(redis.command("CONFIG SET appendonly no").starts_with("+OK"));
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let used = || {
        let info = redis.command("INFO memory");
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().parse::<u64>().unwrap()
    };
    let answer = StoredAnswer {
        content_type: Some("text/xml; charset=utf-8".parse().unwrap()),
        body: vec![b'x'; 100].into(),
        ..StoredAnswer::EMPTY
    };
    let calls = || {
        let info = redis.command("INFO commandstats");
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        line.and_then(|line| line.split(',').next()?.parse::<u32>().ok())
            .unwrap_or_default()
    };
    let (before, start) = (used(), std::time::Instant::now());
    for number in 0..EVENTS {
        let (key, owner) = (OnceKey::new("redis", &number.to_le_bytes()), Owner::new());
        assert_eq!(store.claim(&key, owner, HOUR).await.unwrap(), Claim::First);
        assert!(store.finish(&key, owner, &answer, HOUR).await.unwrap());
    }
    let each = start.elapsed() / EVENTS;
    let bytes = (used() - before) / u64::from(EVENTS);
    println!("{bytes} bytes, {each:?} for an event in Redis");
    // Each script is sent once more, when Redis does not know it yet.
    assert!(
        (2 * EVENTS..=2 * EVENTS + 4).contains(&calls()),
        "{}",
        calls()
    );
}
