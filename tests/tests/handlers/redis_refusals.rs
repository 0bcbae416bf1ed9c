//! A Redis that refuses: for a moment, or what the store needs.

use std::time::Duration;

use actix_twilio::once::{Claim, OnceKey, OnceStore, Owner, RedisStore};
use actix_twilio_tests::fake_redis::FakeRedis;
use futures_util::future::join_all;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a Redis says, or what answers in its place, while it is not ready.
const REFUSALS: [&[u8]; 9] = [
    b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    b"-ERR max number of clients reached\r\n",
    b"-ERR AUTH <password> called without any password configured\r\n",
    b"-NOAUTH Authentication required.\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"-DENIED Redis is running in protected mode\r\n",
    b"-MASTERDOWN Link with MASTER is down\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    // An alert of TLS.
    b"\x15\x03\x01\x00\x02\x02\x28",
];

#[actix_web::test]
async fn a_redis_that_refused_connections_for_a_moment_is_used_again() {
    let urls = [["", ""], [":password@", ""], ["", "/1"], ["u:p@", "/1"]];
    let cases = REFUSALS
        .into_iter()
        .flat_map(|refusal| urls.map(|url| assert_is_used_after(refusal, url)));
    join_all(cases).await;
}

async fn assert_is_used_after(refusal: &'static [u8], [before, after]: [&str; 2]) {
    let redis = FakeRedis::start();
    let url = format!("redis://{before}127.0.0.1:{}{after}", redis.port());
    let name = format!("{url}: {}", refusal.escape_ascii());
    let store = RedisStore::connect(&url).await.unwrap();
    let claim = async || {
        let key = OnceKey::new("refused", b"1");
        store.claim(&key, Owner::new(), HOUR).await
    };
    assert_eq!(claim().await.unwrap(), Claim::First, "{name}");
    redis.refuse(Some(refusal));
    for _ in 0..2 {
        assert!(claim().await.is_err(), "{name}");
    }
    redis.refuse(None);
    assert_eq!(claim().await.unwrap(), Claim::First, "{name}");
}

#[actix_web::test]
async fn a_redis_that_lets_the_user_run_no_scripts_is_refused_with_its_reason() {
    let cases = [
        (
            "-NOPERM User u has no permissions to run the 'evalsha' command\r\n",
            true,
        ),
        (
            "-NOPERM this user has no permissions to run the 'evalsha' command or its subcommand\r\n",
            true,
        ),
        ("-NOAUTH Authentication required.\r\n", true),
        ("-ERR unknown command 'EVALSHA'\r\n", true),
        (
            "-ERR ACL failure in script: User u has no permissions to run the 'get' command\r\n",
            true,
        ),
        // The store may get a prefix whose keys the user may touch.
        ("-NOPERM No permissions to access a key\r\n", false),
        (
            "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n",
            false,
        ),
        // These pass.
        (
            "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
            false,
        ),
        ("-LOADING Redis is loading the dataset in memory\r\n", false),
        ("-BUSY Redis is busy running a script.\r\n", false),
        (
            "-MISCONF Redis is configured to save RDB snapshots\r\n",
            false,
        ),
        (
            "-READONLY You can't write against a read only replica.\r\n",
            false,
        ),
    ];
    for (answer, is_refused) in cases {
        let redis = FakeRedis::start();
        redis.answer("EVALSHA", answer);
        let url = format!("redis://127.0.0.1:{}", redis.port());
        match RedisStore::connect(&url).await {
            Ok(_) => assert!(!is_refused, "{answer}"),
            Err(err) => {
                assert!(is_refused, "{answer}: {err}");
                let (_, reason) = answer.trim().split_once(' ').unwrap();
                assert!(err.to_string().contains(reason), "{answer}: {err}");
            }
        }
    }
}
