//! Delivers messages to an example several times, while it is killed again and again: each counts once.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
    sync::{Mutex, RwLock},
    thread,
};

use super::support::{TOKEN, command, sign};

const MESSAGES: usize = 40;
const PROCESSES: usize = 2;
const CLIENTS: usize = 4;
const KILLS: usize = 8;

struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(binary: &str, variable: (&str, &str)) -> Self {
        let mut child = command(binary)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env("TWILIO_WEBHOOK_BASE_URL", "https://example.com")
            .env(variable.0, variable.1)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let address = said.trim().strip_prefix("Listening on http://");
        let address = address.unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Delivers each message at least twice, by clients in parallel, to processes of which one is killed now and then.
/// Checks that each message has one answer, and that no two have the same: so each was counted once.
#[track_caller]
pub(crate) fn assert_each_message_counts_once(binary: &str, variable: (&str, &str)) {
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| RwLock::new(Process::start(binary, variable)))
        .collect();
    let answers: Vec<_> = (0..MESSAGES).map(|_| Mutex::new(BTreeSet::new())).collect();
    let deliveries = Mutex::new(Vec::new());
    for round in 0..2 {
        let all = (0..MESSAGES).map(|message| (message, message + round));
        deliveries.lock().unwrap().extend(all);
    }
    // Copies of a message come one after the other, so that two are often under way at once.
    deliveries.lock().unwrap().sort_unstable();
    let every = 2 * MESSAGES / KILLS;
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let mut left = deliveries.lock().unwrap();
                    let Some((message, process)) = left.pop() else {
                        return;
                    };
                    let is_time = left.len() % every == every / 2;
                    drop(left);
                    if is_time {
                        let killed = &processes[message % PROCESSES];
                        scope.spawn(move || {
                            // Clients read the address, and do not hold the lock while they wait for an answer.
                            *killed.write().unwrap() = Process::start(binary, variable);
                        });
                    }
                    let answer = (process..process + 1000).find_map(|process| {
                        let process = &processes[process % PROCESSES];
                        let address = process.read().unwrap().address.clone();
                        deliver(&address, message)
                    });
                    answers[message].lock().unwrap().insert(answer.unwrap());
                }
            });
        }
    });
    let mut all = BTreeSet::new();
    for answer in answers {
        let answers = answer.into_inner().unwrap();
        assert_eq!(answers.len(), 1, "{answers:?}");
        all.extend(answers);
    }
    let expected: BTreeSet<_> = (1..=MESSAGES)
        .map(|number| format!("message no. {number}<"))
        .collect();
    assert_eq!(all, expected, "{}", env::args().next().unwrap());
}

/// Sends a message, and returns its number from the answer, or nothing if the process died.
fn deliver(address: &str, message: usize) -> Option<String> {
    let body = format!(
        "AccountSid=AC00000000000000000000000000000001&Body=Hi&From=%2B41445550100&MessageSid=SM{message:032x}&To=%2B41445550101"
    );
    let signature = sign(TOKEN, "https://example.com/message", &body);
    let request = format!(
        "POST /message HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nX-Twilio-Signature: {signature}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    stream.read_to_string(&mut answer).ok()?;
    let start = answer.find("message no. ")?;
    let end = answer[start..].find('<')?;
    Some(answer[start..=start + end].to_owned())
}
