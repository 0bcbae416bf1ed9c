//! Runs the example on a real PostgreSQL, a process of its own, while the example is killed.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../tests/support/exactly_once.rs"]
mod exactly_once;
#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use support::{Example, TOKEN, sign};

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// A PostgreSQL that listens on a socket in a folder of its own, until this is dropped.
struct Postgres {
    server: Child,
    folder: PathBuf,
}

impl Postgres {
    /// Starts one for the test with this name.
    fn start(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("postgres-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let data = folder.join("data");
        let made = postgres("initdb", &folder)
            .args(["--auth=trust", "--username=app", "--no-sync", "--pgdata"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let server = postgres("postgres", &folder)
            .args(["-c", "listen_addresses=", "-c", "max_connections=50", "-k"])
            .arg(&folder)
            .arg("-D")
            .arg(&data)
            .stderr(Stdio::null())
            .spawn();
        let postgres = Self {
            server: server.unwrap(),
            folder,
        };
        let start = Instant::now();
        while !postgres.folder.join(".s.PGSQL.5432").exists() || !postgres.is_ready() {
            assert!(start.elapsed() < Duration::from_secs(30), "it is not ready");
            sleep(Duration::from_millis(20));
        }
        postgres
    }

    fn is_ready(&self) -> bool {
        let ready = postgres("pg_isready", &self.folder)
            .arg("--quiet")
            .arg("--host")
            .arg(&self.folder)
            .status();
        ready.unwrap().success()
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill")
            .args([&format!("-{name}"), &self.server.id().to_string()])
            .status();
    }

    fn url(&self) -> String {
        let folder = self.folder.to_str().unwrap();
        format!("host={folder} user=app dbname=postgres")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.signal("QUIT");
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A program of PostgreSQL, which Debian does not put on the path. It refuses to run as root, so root becomes the owner
/// of its packages.
fn postgres(program: &str, folder: &Path) -> Command {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed")
        .map(|entry| entry.unwrap().path())
        .collect();
    versions.sort();
    let program = versions.last().unwrap().join("bin").join(program);
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return Command::new(program);
    }
    let owned = Command::new("chown").arg("postgres").arg(folder).status();
    assert!(owned.unwrap().success());
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(program)
        .current_dir(folder);
    command
}

#[test]
#[ignore = "needs PostgreSQL; `.ci/run postgres` installs and runs it"]
fn each_message_counts_once_although_processes_are_killed() {
    let postgres = Postgres::start("killed");
    exactly_once::assert_each_message_counts_once(
        env!("CARGO_BIN_EXE_exactly_once_postgres"),
        ("DATABASE_URL", &postgres.url()),
    );
}

#[test]
#[ignore = "needs PostgreSQL; `.ci/run postgres` installs and runs it"]
fn many_messages_at_once_take_few_connections_and_a_database_that_is_gone_says_nothing() {
    let postgres = Postgres::start("many");
    let app = Example::start(
        env!("CARGO_BIN_EXE_exactly_once_postgres"),
        &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("DATABASE_URL", &postgres.url()),
        ],
    );
    let send = |message: usize| {
        let body = format!(
            "AccountSid=AC00000000000000000000000000000001&Body=Hi&From=%2B41445550100\
             &MessageSid=SM{message:032x}&To=%2B41445550101"
        );
        app.post("/message", &body, &sign(TOKEN, &app.url("/message"), &body))
    };
    // The server has 50 connections.
    thread::scope(|scope| {
        let all: Vec<_> = (0..120)
            .map(|message| scope.spawn(move || send(message).0))
            .collect();
        for status in all {
            assert_eq!(status.join().unwrap(), 200);
        }
    });
    let unavailable = (503, "try again later".to_owned());
    postgres.signal("STOP");
    assert_eq!(send(1), unavailable);
    postgres.signal("CONT");
    assert_eq!(send(1).0, 200);
    drop(postgres);
    assert_eq!(send(1), unavailable);
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_utf_8_stops_the_start_and_is_not_printed() {
    support::assert_refuses_other_than_utf_8(
        "exactly_once_postgres",
        env!("CARGO_BIN_EXE_exactly_once_postgres"),
        "DATABASE_URL",
    );
}

#[test]
fn the_example_says_how_to_run_it() {
    let example = include_str!("../src/bin/exactly_once_postgres.rs");
    assert!(example.contains("--bin exactly_once_postgres`"));
}
