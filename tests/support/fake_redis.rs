//! A server that takes itself for a Redis, and refuses its clients for a while.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::spawn,
};

/// Answers each claim as if it were the first one, until this is dropped.
#[derive(Debug)]
pub struct FakeRedis {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The answer to whatever a client sends, in place of the usual one.
    refusal: Option<&'static [u8]>,
    /// A command, and the answer to it.
    answer: Option<(&'static str, &'static str)>,
    clients: Vec<TcpStream>,
    closed: bool,
}

impl FakeRedis {
    /// Starts one on a free port of the loopback.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut state = lock(&shared);
                if state.closed {
                    return;
                }
                state.clients.push(client.try_clone().unwrap());
                let shared = Arc::clone(&shared);
                spawn(move || serve(client, &shared));
            }
        });
        Self { port, state }
    }

    /// Returns its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes all connections, and answers everything with these bytes from now on, or as usual again.
    pub fn refuse(&self, refusal: Option<&'static [u8]>) {
        let mut state = lock(&self.state);
        state.refusal = refusal;
        for client in state.clients.drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// Answers a command, such as `EVALSHA`, with this line from now on.
    pub fn answer(&self, command: &'static str, line: &'static str) {
        lock(&self.state).answer = Some((command, line));
    }
}

impl Drop for FakeRedis {
    fn drop(&mut self) {
        self.refuse(None);
        lock(&self.state).closed = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut client: TcpStream, state: &Mutex<State>) {
    let mut commands = BufReader::new(client.try_clone().unwrap());
    while let Some(command) = read_command(&mut commands) {
        let state = lock(state);
        let line = match state.answer {
            Some((set, line)) if command == set => line,
            _ => usual_answer(&command),
        };
        let answer = state.refusal.unwrap_or(line.as_bytes());
        if client.write_all(answer).is_err() {
            return;
        }
    }
}

/// Reads a command with its arguments, and returns its name.
fn read_command(commands: &mut impl BufRead) -> Option<String> {
    let arguments = read_length(commands, '*')?;
    let mut name = None;
    for _ in 0..arguments {
        let mut argument = vec![0; read_length(commands, '$')? + 2];
        commands.read_exact(&mut argument).ok()?;
        let argument = String::from_utf8_lossy(&argument);
        name = name.or(Some(argument.trim_end().to_uppercase()));
    }
    name
}

fn read_length(commands: &mut impl BufRead, kind: char) -> Option<usize> {
    let mut line = String::new();
    commands.read_line(&mut line).ok()?;
    line.strip_prefix(kind)?.trim_end().parse().ok()
}

fn usual_answer(command: &str) -> &'static str {
    match command {
        "INFO" => "$28\r\nmaxmemory:0\r\nused_memory:0\r\n\r\n",
        "EVALSHA" => "*2\r\n:0\r\n$0\r\n\r\n",
        _ => "+OK\r\n",
    }
}
