//! An official SDK in a process of its own, which answers questions line by line.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use actix_twilio_tests::TOKEN;
use serde::{Deserialize, Serialize};

use super::requests::{Pair, Request};

/// Asks what the signature of one request is, and whether a signature is valid for another one.
#[derive(Debug, Serialize)]
pub(crate) struct Question<'a> {
    pub(crate) token: &'a str,
    /// The header that names a SharedKey and its algorithm.
    pub(crate) settings: &'a str,
    pub(crate) signed: &'a Request,
    pub(crate) seen: &'a Request,
    pub(crate) signature: &'a str,
}

impl<'a> Question<'a> {
    /// Asks about the Auth Token of the tests.
    pub(crate) fn new(Pair { signed, seen }: &'a Pair, signature: &'a str) -> Self {
        Self {
            token: TOKEN,
            settings: "",
            signed,
            seen,
            signature,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) signature: String,
    pub(crate) valid: bool,
}

/// A process that signs and validates with an SDK. It ends with its input.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(name: &'static str, program: &Path, script: &str) -> Self {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/peers");
        let mut process = Command::new(program)
            .arg(data.join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            name,
            input: process.stdin.take(),
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    pub(crate) fn python() -> Self {
        let peers =
            env::var_os("PEERS").unwrap_or_else(|| unreachable!("set PEERS: see scripts/sdks"));
        let program = PathBuf::from(peers).join("venv/bin/python");
        Self::start("Python", &program, "peer.py")
    }

    pub(crate) fn node() -> Self {
        Self::start("Node", Path::new("node"), "peer.mjs")
    }

    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Answer {
        let question = serde_json::to_string(question).unwrap();
        let mut answer = String::new();
        writeln!(self.input.as_ref().unwrap(), "{question}").unwrap();
        self.output.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "{} ended: {question}", self.name);
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.process.wait();
    }
}
