//! `listen` between clients and apps of every kind.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bytes;
mod faults;
mod load;
mod saved;
mod verdicts;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Child,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{Tool, tool};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tool that listens. It ends when it is dropped.
struct Listening {
    child: Child,
    /// The host and port for the tunnel.
    host: String,
    /// What it said at start, line by line.
    start: Vec<String>,
    lines: Receiver<String>,
}

impl Listening {
    /// Starts to listen, and prints JSON.
    #[track_caller]
    fn json(app: &str, args: &[&str]) -> Self {
        Self::start(listen(app, &[args, &["--format", "json"]].concat()))
    }

    /// Starts to listen, and prints text.
    #[track_caller]
    fn text(app: &str, args: &[&str]) -> Self {
        Self::start(listen(app, args))
    }

    #[track_caller]
    fn start(tool: Tool) -> Self {
        let mut child = tool.spawn();
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines() {
                    let line = line.unwrap();
                    assert!(!line.contains("marker-"), "a secret is printed: {line}");
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        let mut listening = Self {
            child,
            host: String::new(),
            start: Vec::new(),
            lines,
        };
        while !listening
            .start
            .last()
            .is_some_and(|line| line.starts_with("See the requests at"))
        {
            let line = listening.line();
            listening.start.push(line);
        }
        let first = listening.start.first().unwrap();
        let host = first.strip_prefix("Listening on http://").unwrap();
        host.split_once(',')
            .unwrap()
            .0
            .clone_into(&mut listening.host);
        listening
    }

    /// Waits for the next line of the output.
    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits for a line that has this text in it, and returns the lines up to it: those at start, or those that come.
    #[track_caller]
    fn until(&self, text: &str) -> String {
        let start = self.start.join("\n");
        if start.contains(text) {
            return start;
        }
        let mut lines = String::new();
        while !lines.contains(text) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => lines += &(line + "\n"),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} is not in {lines}")
                }
            }
        }
        lines
    }

    /// Waits for the next exchange as JSON.
    #[track_caller]
    fn exchange(&self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    }

    /// Sends bytes, and returns all that comes back.
    #[track_caller]
    fn send(&self, bytes: &[u8]) -> String {
        exchange(&self.host, bytes)
    }

    fn connect(&self) -> TcpStream {
        connect(&self.host)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns the command that listens in front of an app.
fn listen(app: &str, args: &[&str]) -> Tool {
    let ports = ["--port", "0", "--page-port", "0"];
    tool(&[&["listen", "--forward-to", app], &ports[..], args].concat())
}

fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes to a host, and returns all that comes back.
#[track_caller]
fn exchange(host: &str, bytes: &[u8]) -> String {
    let mut stream = connect(host);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Returns whether a client only looks whether there is an app, as `listen` does at start.
fn is_only_a_look(stream: &TcpStream) -> bool {
    stream.peek(&mut [0]).is_ok_and(|count| count == 0)
}

/// Starts a server whose connections are handled one after the other, and returns its URL.
fn app(mut handle: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            if !is_only_a_look(&stream) {
                handle(stream);
            }
        }
    });
    format!("http://{host}")
}

/// Reads up to the end of a head, and not further.
fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Starts an app that answers each connection's only request with these bytes, and closes.
fn answering(answer: &'static [u8]) -> String {
    app(move |mut stream| {
        if !read_head(&mut stream).is_empty() {
            // A client that is gone needs no answer.
            let _ = stream.write_all(answer);
        }
    })
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
