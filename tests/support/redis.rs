//! A real Redis: a process of its own, on a free port of the loopback.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A Redis that runs until this is dropped. It writes each change to its disk before it answers.
#[derive(Debug)]
pub struct Redis {
    process: Child,
    port: u16,
    folder: PathBuf,
    /// Options besides the usual ones.
    options: Vec<String>,
}

impl Redis {
    /// Starts one, whose files go below a folder.
    #[must_use]
    #[track_caller]
    pub fn start(below: &str) -> Self {
        Self::start_with(below, &[])
    }

    /// Starts one with options of its own, such as `--cluster-enabled yes`.
    #[must_use]
    #[track_caller]
    pub fn start_with(below: &str, options: &[&str]) -> Self {
        let port = free_port();
        let folder = Path::new(below).join(format!("redis-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let options = options.iter().map(ToString::to_string).collect();
        let process = spawn(&folder, port, &options);
        let redis = Self {
            process,
            port,
            folder,
            options,
        };
        redis.wait();
        redis
    }

    /// Starts a primary and a replica of it.
    #[must_use]
    #[track_caller]
    pub fn start_pair(below: &str) -> [Self; 2] {
        // A replica gets the data at once, and not after the usual five seconds.
        let [primary, replica] =
            [(); 2].map(|()| Self::start_with(below, &["--repl-diskless-sync-delay", "0"]));
        replica.follow(&primary);
        [primary, replica]
    }

    /// Makes it a replica of another one, and waits until both say so: it has the other's data, and the other counts it.
    #[track_caller]
    pub fn follow(&self, primary: &Self) {
        let answer = self.command(&format!("REPLICAOF 127.0.0.1 {}", primary.port));
        assert!(answer.starts_with("+OK"), "{answer}");
        wait_until(|| {
            self.command("INFO replication")
                .contains("master_link_status:up")
        });
        wait_until(|| primary.command("WAIT 1 100").starts_with(":1"));
    }

    /// Makes it a primary.
    #[track_caller]
    pub fn lead(&self) {
        assert!(self.command("REPLICAOF NO ONE").starts_with("+OK"));
    }

    /// Returns its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns its URL.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// Sends a command, and returns the start of the answer.
    #[must_use]
    #[track_caller]
    pub fn command(&self, command: &str) -> String {
        try_command(self.port, command).unwrap()
    }

    /// Kills it, as a crash does, and waits until it is gone.
    #[track_caller]
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on its old port, with the data on its disk.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.process = spawn(&self.folder, self.port, &self.options);
        self.wait();
    }

    /// Sends a signal, such as `STOP` or `CONT`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    #[track_caller]
    fn wait(&self) {
        wait_until(|| {
            try_command(self.port, "PING").is_ok_and(|answer| answer.starts_with("+PONG"))
        });
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the URL of a Redis at a port of the loopback.
#[must_use]
pub fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

/// Sends a signal to a process that a test started.
#[track_caller]
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn spawn(folder: &Path, port: u16, options: &Vec<String>) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--dir", folder.to_str().unwrap(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always"])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}

/// Returns a port of the loopback that nothing uses at the moment.
#[must_use]
#[track_caller]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn try_command(port: u16, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = vec![0; 64 * 1024];
    let len = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(answer.get(..len).unwrap_or_default()).into_owned())
}

/// Asks again and again, because another process does not say when it is ready.
#[track_caller]
pub fn wait_until(is_ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_ready() {
        assert!(start.elapsed() < Duration::from_secs(20), "it is not ready");
        sleep(Duration::from_millis(10));
    }
}
