//! Delivers many messages several times to several processes that share a real Redis, while processes and Redis are
//! killed: each message is handled once.
//!
//! `ONCE_MESSAGES` is the number of messages, 300 by default.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../../tests/support/forwarder.rs"]
#[expect(unreachable_pub, reason = "other tests share it")]
mod forwarder;
#[path = "../../../tests/support/redis.rs"]
#[expect(unreachable_pub, clippy::expect_used, reason = "other tests share it")]
mod redis;
#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

use forwarder::Forwarder;
use redis::{Redis, url};
use support::{TOKEN, command, sign};

const PROCESSES: usize = 3;
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const CLIENTS: usize = 24;
/// The time between deliveries of as many at once as there are clients, so that they last through all kinds of trouble on
/// a fast machine, too.
const BETWEEN_DELIVERIES: Duration = Duration::from_millis(150);
/// No answer may take longer: the longest wait of a duplicate, and the time limits of the store.
const LONGEST: Duration = Duration::from_secs(14);

/// A process of the example, whose log goes to a file.
struct App {
    process: Child,
    address: String,
}

/// Some processes that share a Redis and a list of what they handled.
struct Apps {
    folder: PathBuf,
    redis_url: String,
    /// How many replicas must have what is written.
    replicas: usize,
    processes: Vec<Mutex<App>>,
    /// How often each was started.
    lives: Vec<AtomicUsize>,
}

/// A delivery as its sender saw it.
#[derive(Debug, Clone)]
enum Seen {
    Answer(u16, String),
    /// The process died, before or after it had handled the event.
    Broken,
}

impl Apps {
    fn start(name: &str, redis_url: String, replicas: usize) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("once-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut apps = Self {
            folder,
            redis_url,
            replicas,
            processes: Vec::new(),
            lives: (0..PROCESSES).map(|_| AtomicUsize::new(0)).collect(),
        };
        apps.processes = (0..PROCESSES)
            .map(|number| Mutex::new(apps.start_one(number)))
            .collect();
        apps
    }

    fn start_one(&self, number: usize) -> App {
        let life = self.lives[number].fetch_add(1, Ordering::SeqCst) + 1;
        let log = File::create(self.folder.join(format!("{number}-{life}.log"))).unwrap();
        let mut process = command(env!("CARGO_BIN_EXE_once"))
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env("TWILIO_WEBHOOK_BASE_URL", "https://example.com")
            .env("REDIS_URL", &self.redis_url)
            .env("REDIS_REPLICAS", self.replicas.to_string())
            .env("HANDLED_LOG", self.folder.join("handled"))
            .env("SLOW_MS", "5")
            .env("LEASE_MS", "1500")
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut said).unwrap();
        let address = said.trim().strip_prefix("Listening on http://");
        let address = address.unwrap().to_owned();
        App { process, address }
    }

    /// Kills a process as `kill -9` does, and starts another one in its place.
    fn kill(&self, number: usize) {
        let mut app = self.processes[number].lock().unwrap();
        app.process.kill().unwrap();
        app.process.wait().unwrap();
        *app = self.start_one(number);
    }

    fn deliver(&self, number: usize, sid: &str) -> Seen {
        let address = self.processes[number].lock().unwrap().address.clone();
        let body = format!("AccountSid={ACCOUNT}&Body=Hi&MessageSid={sid}");
        let signature = sign(TOKEN, "https://example.com/message", &body);
        let start = Instant::now();
        let answer = post(&address, &body, &signature);
        assert!(start.elapsed() < LONGEST, "{sid}: {:?}", start.elapsed());
        match answer {
            Ok((status, answer)) => Seen::Answer(status, answer),
            // It did not run, so it handled nothing.
            Err(err) if err.kind() == io::ErrorKind::ConnectionRefused => {
                Seen::Answer(503, String::new())
            }
            Err(_) => Seen::Broken,
        }
    }

    /// Returns how often each message was handled.
    fn handled(&self) -> BTreeMap<String, usize> {
        let mut handled = BTreeMap::new();
        for sid in fs::read_to_string(self.folder.join("handled"))
            .unwrap()
            .lines()
        {
            *handled.entry(sid.to_owned()).or_default() += 1;
        }
        handled
    }

    /// Returns the number of log lines that say this.
    fn logged(&self, text: &str) -> usize {
        let logs = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let logs = logs.filter(|path| path.extension().is_some_and(|end| end == "log"));
        let count = |path| fs::read_to_string(path).unwrap().matches(text).count();
        logs.map(count).sum()
    }
}

impl Drop for Apps {
    fn drop(&mut self) {
        for app in &mut self.processes {
            let app = app.get_mut().unwrap();
            let _ = app.process.kill();
            let _ = app.process.wait();
        }
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn post(address: &str, body: &str, signature: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONGEST))?;
    let head = format!(
        "POST /message HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nX-Twilio-Signature: {signature}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let parts = answer.split_once("\r\n\r\n");
    let (head, body) = parts.ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    // An answer that was cut off is none.
    let length = format!("content-length: {}\r\n", body.len());
    match status {
        Some(status) if format!("{head}\r\n").contains(&length) => Ok((status, body.to_owned())),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

fn messages() -> usize {
    env::var("ONCE_MESSAGES").map_or(300, |messages| messages.parse().unwrap())
}

/// Delivers each message 2 to 6 times, in random order, to random processes, and several at once. Each delivery is
/// tried again until it is answered, as Twilio does at most. `trouble` runs meanwhile, again and again.
///
/// Returns what was seen for each message.
fn deliver_all(
    apps: &Apps,
    messages: usize,
    trouble: impl Fn() + Sync,
) -> BTreeMap<String, Vec<Seen>> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut deliveries = Vec::new();
    for number in 0..messages {
        let sid = format!("SM{number:032x}");
        for _ in 0..2 + random.below(5) {
            // Copies of a message are near each other, so that several are under way at once.
            deliveries.push((number * 10 + random.below(40), sid.clone()));
        }
    }
    deliveries.sort();
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(BTreeMap::<String, Vec<Seen>>::new());
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let deliver = |client: usize| {
        let mut random = Random(client as u64 + 1);
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let Some((_, sid)) = deliveries.get(index) else {
                break;
            };
            let due = BETWEEN_DELIVERIES * u32::try_from(index / CLIENTS).unwrap();
            sleep(due.saturating_sub(start.elapsed()));
            for attempt in 0.. {
                assert!(attempt < 100, "{sid} is never answered");
                let answer = apps.deliver(random.below(PROCESSES), sid);
                let is_answer = matches!(answer, Seen::Answer(200, _));
                let mut seen = seen.lock().unwrap();
                seen.entry(sid.clone()).or_default().push(answer);
                drop(seen);
                if is_answer {
                    break;
                }
                sleep(Duration::from_millis(50));
            }
        }
    };
    let deliver = &deliver;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                trouble();
                sleep(Duration::from_millis(20));
            }
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || deliver(number)))
            .collect();
        let ends: Vec<_> = clients
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        is_over.store(true, Ordering::SeqCst);
        for end in ends {
            end.unwrap();
        }
    });
    seen.into_inner().unwrap()
}

/// Checks that each message has one answer, whoever gave it, and that there were no other answers but 503.
#[track_caller]
fn assert_one_answer_each(seen: &BTreeMap<String, Vec<Seen>>) {
    for (sid, seen) in seen {
        let mut answers = BTreeSet::new();
        for delivery in seen {
            match delivery {
                Seen::Answer(200, answer) => {
                    answers.insert(answer);
                }
                Seen::Answer(503, _) | Seen::Broken => {}
                Seen::Answer(..) => panic!("{sid}: {seen:?}"),
            }
        }
        assert_eq!(answers.len(), 1, "{sid}: {seen:?}");
    }
}

/// Returns the messages that were handled more than once, and how often. Each one was handled.
#[track_caller]
fn handled_twice(apps: &Apps, messages: usize) -> BTreeMap<String, usize> {
    let handled = apps.handled();
    assert_eq!(handled.len(), messages, "none is lost");
    handled
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .collect()
}

#[test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
fn each_message_is_handled_once_by_several_processes() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let apps = Apps::start("calm", redis.url(), 0);
    let seen = deliver_all(&apps, messages(), || {});
    assert_one_answer_each(&seen);
    assert!(handled_twice(&apps, messages()).is_empty());
    let all_answered = seen
        .values()
        .flatten()
        .all(|seen| matches!(seen, Seen::Answer(200, _)));
    assert!(all_answered, "{seen:?}");
}

#[test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
fn of_killed_processes_no_message_is_lost_and_only_theirs_are_handled_twice() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let apps = Apps::start("kill", redis.url(), 0);
    let random = Mutex::new(Random(7));
    let kills = AtomicUsize::new(0);
    let seen = deliver_all(&apps, messages(), || {
        let mut random = random.lock().unwrap();
        sleep(Duration::from_millis(random.below(200) as u64));
        apps.kill(random.below(PROCESSES));
        kills.fetch_add(1, Ordering::SeqCst);
    });
    assert_one_answer_each(&seen);
    let twice = handled_twice(&apps, messages());
    for (sid, times) in &twice {
        let broken = seen[sid].iter().filter(|seen| matches!(seen, Seen::Broken));
        assert!(
            broken.count() + 1 >= *times,
            "{sid} was handled {times} times: {:?}",
            seen[sid]
        );
    }
    let kills = kills.into_inner();
    assert!(kills > 3, "{kills}");
    println!(
        "{} messages, {kills} kills, {} handled twice",
        messages(),
        twice.len()
    );
}

#[test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
fn while_redis_dies_or_hangs_nothing_is_lost_and_nothing_handled_twice_without_a_log_line() {
    let redis = Mutex::new(Redis::start(env!("CARGO_TARGET_TMPDIR")));
    let apps = Apps::start("redis", redis.lock().unwrap().url(), 0);
    let rounds = AtomicUsize::new(0);
    let seen = deliver_all(&apps, messages(), || {
        let mut redis = redis.lock().unwrap();
        sleep(Duration::from_millis(300));
        if rounds.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            redis.kill();
            sleep(Duration::from_millis(300));
            redis.start_again();
        } else {
            redis.signal("STOP");
            sleep(Duration::from_millis(1500));
            redis.signal("CONT");
        }
    });
    assert!(rounds.into_inner() > 1);
    assert!(assert_nothing_is_silent(&apps, &seen) > 0);
}

/// Checks that no message is lost, and none handled twice without a line in the log. Returns how many deliveries got a
/// 503.
#[track_caller]
fn assert_nothing_is_silent(apps: &Apps, seen: &BTreeMap<String, Vec<Seen>>) -> usize {
    let twice = handled_twice(apps, messages());
    let said = apps.logged("handled an event, but the store of handled events failed")
        + apps.logged("handled an event whose claim was lost");
    assert!(
        twice.len() <= said,
        "{} handled twice, {said} log lines",
        twice.len()
    );
    if twice.is_empty() {
        assert_one_answer_each(seen);
    }
    let refused = seen
        .values()
        .flatten()
        .filter(|seen| matches!(seen, Seen::Answer(503, _)));
    let refused = refused.count();
    println!(
        "{} messages, {refused} answered with 503, {} handled twice, {said} log lines",
        messages(),
        twice.len()
    );
    refused
}

#[test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
fn while_redis_fails_over_nothing_is_lost_and_nothing_handled_twice_without_a_log_line() {
    let pair = Mutex::new(Redis::start_pair(env!("CARGO_TARGET_TMPDIR")));
    let forwarder = Forwarder::start(pair.lock().unwrap()[0].port());
    let apps = Apps::start("failover", url(forwarder.port()), 1);
    let failovers = AtomicUsize::new(0);
    let seen = deliver_all(&apps, messages(), || {
        sleep(Duration::from_millis(500));
        let mut pair = pair.lock().unwrap();
        let [old, new] = &mut *pair;
        // The new one is a primary without a replica for a moment, and refuses all until it has one again.
        let failover = failovers.fetch_add(1, Ordering::SeqCst) % 3;
        match failover {
            0 => old.kill(),
            1 => forwarder.abandon_connections(),
            // It stays, and says that it is a replica.
            _ => {}
        }
        new.lead();
        forwarder.lead_to(new.port());
        if failover == 0 {
            old.start_again();
        }
        old.follow(new);
        pair.swap(0, 1);
    });
    assert!(failovers.into_inner() > 2);
    assert_nothing_is_silent(&apps, &seen);
}

#[test]
#[ignore = "needs redis-server; `.ci/run redis` installs and runs it"]
fn while_redis_is_slow_or_cut_off_nothing_is_lost_and_nothing_handled_twice_without_a_log_line() {
    let redis = Redis::start(env!("CARGO_TARGET_TMPDIR"));
    let forwarder = Forwarder::start(redis.port());
    let apps = Apps::start("slow", url(forwarder.port()), 0);
    let rounds = AtomicUsize::new(0);
    let seen = deliver_all(&apps, messages(), || {
        sleep(Duration::from_millis(300));
        match rounds.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => forwarder.delay(Duration::from_millis(100)),
            1 => forwarder.delay(Duration::from_millis(1200)),
            _ => forwarder.set_silent(true),
        }
        sleep(Duration::from_millis(1200));
        forwarder.delay(Duration::ZERO);
        forwarder.set_silent(false);
    });
    assert!(rounds.into_inner() > 2);
    assert!(assert_nothing_is_silent(&apps, &seen) > 0);
}
