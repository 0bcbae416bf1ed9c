//! A TCP forwarder: one address that leads to one server after another, is slow, or says nothing more.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread::{sleep, spawn},
    time::Duration,
};

/// Forwards connections until it is dropped.
#[derive(Debug)]
pub struct Forwarder {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The port to which new connections lead.
    target: AtomicU16,
    /// Each answer comes so many milliseconds later.
    delay: AtomicU64,
    /// Nothing is forwarded, and no connection is closed.
    silent: AtomicBool,
    /// Connections of an earlier age are silent for ever.
    age: AtomicUsize,
    closed: AtomicBool,
}

impl Forwarder {
    /// Starts one that leads to a port of the loopback.
    #[must_use]
    #[track_caller]
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        state.target.store(target, SeqCst);
        let forwarder = Self {
            port,
            state: Arc::clone(&state),
        };
        spawn(move || {
            for client in listener.incoming() {
                if state.closed.load(SeqCst) {
                    return;
                }
                let server = TcpStream::connect(("127.0.0.1", state.target.load(SeqCst)));
                // Else the client's connection ends, as if there was no server.
                if let (Ok(client), Ok(server)) = (client, server) {
                    let clones = (client.try_clone().unwrap(), server.try_clone().unwrap());
                    let age = state.age.load(SeqCst);
                    let (there, back) = (Arc::clone(&state), Arc::clone(&state));
                    spawn(move || there.pump(client, server, age, false));
                    spawn(move || back.pump(clones.1, clones.0, age, true));
                }
            }
        });
        forwarder
    }

    /// Returns its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads new connections to another port.
    pub fn lead_to(&self, target: u16) {
        self.state.target.store(target, SeqCst);
    }

    /// Makes each answer come so much later.
    pub fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap();
        self.state.delay.store(millis, SeqCst);
    }

    /// Sets whether nothing is forwarded. What is sent in the meantime is lost.
    pub fn set_silent(&self, silent: bool) {
        self.state.silent.store(silent, SeqCst);
    }

    /// Forwards nothing more on all connections that are open, and leaves them open, as if the other machine had died.
    pub fn abandon_connections(&self) {
        self.state.age.fetch_add(1, SeqCst);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.state.closed.store(true, SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, age: usize, is_answer: bool) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(len) = from.read(&mut buffer)
            && len > 0
        {
            if is_answer {
                sleep(Duration::from_millis(self.delay.load(SeqCst)));
            }
            if self.silent.load(SeqCst) || self.age.load(SeqCst) > age {
                continue;
            }
            if to.write_all(buffer.get(..len).unwrap_or_default()).is_err() {
                break;
            }
        }
        if self.age.load(SeqCst) == age {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        } else {
            // An abandoned connection stays open until the client gives up.
            let mut rest = to;
            while rest.read(&mut buffer).is_ok_and(|len| len > 0) {}
        }
    }
}
