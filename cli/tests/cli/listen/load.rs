//! What passes through takes a bounded amount of memory, and little time.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Listening, connect, read_head};
#[cfg(target_os = "linux")]
use crate::support::peak;

/// Starts an app that answers each request without a body at once, on any number of connections.
fn fast() -> String {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n<Response/>";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                // The client waits for each answer, so a read has one request.
                while stream.read(&mut bytes).is_ok_and(|count| count > 0) {
                    stream.write_all(OK).unwrap();
                }
            });
        }
    });
    host
}

/// The size of a piece of a huge body.
const PIECE: usize = 50_000;

/// Writes a body in pieces, with the framing of chunks or without.
fn write_body(stream: &mut TcpStream, length: usize, is_chunked: bool) {
    let (head, tail) = if is_chunked {
        (format!("{PIECE:x}\r\n"), "\r\n")
    } else {
        (String::new(), "")
    };
    let piece = [head.as_bytes(), &vec![b'x'; PIECE], tail.as_bytes()].concat();
    for _ in 0..length / PIECE {
        stream.write_all(&piece).unwrap();
    }
    if is_chunked {
        stream.write_all(b"0\r\n\r\n").unwrap();
    }
}

fn framing(length: usize, is_chunked: bool) -> String {
    if is_chunked {
        "Transfer-Encoding: chunked\r\n\r\n".to_owned()
    } else {
        format!("Content-Length: {length}\r\n\r\n")
    }
}

/// Returns the number of bytes of a body with its framing.
fn on_the_wire(length: usize, is_chunked: bool) -> usize {
    let framing = format!("{PIECE:x}\r\n\r\n").len();
    if is_chunked {
        length + length / PIECE * framing + "0\r\n\r\n".len()
    } else {
        length
    }
}

fn discard(stream: &mut TcpStream, count: usize) {
    let (mut got, mut piece) = (0, vec![0; 65_536]);
    while got < count {
        match stream.read(&mut piece).unwrap() {
            0 => panic!("{got} of {count} bytes came"),
            more => got += more,
        }
    }
}

/// Passes a body of this length through in both directions, and returns the peak of the memory before and after, in kB.
#[cfg(target_os = "linux")]
fn pass_huge_body(length: usize, is_chunked: bool) -> (u64, u64) {
    let wire = on_the_wire(length, is_chunked);
    let app = super::app(move |mut stream| {
        read_head(&mut stream);
        discard(&mut stream, wire);
        let head = format!("HTTP/1.1 200 OK\r\n{}", framing(length, is_chunked));
        stream.write_all(head.as_bytes()).unwrap();
        write_body(&mut stream, length, is_chunked);
    });
    let listening = Listening::json(&app, &[]);
    let before = peak(listening.child.id());
    let mut client = listening.connect();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: h\r\n{}",
        framing(length, is_chunked)
    );
    client.write_all(head.as_bytes()).unwrap();
    write_body(&mut client, length, is_chunked);
    read_head(&mut client);
    discard(&mut client, wire);
    let exchange = listening.exchange();
    assert_eq!(exchange["listen"]["body_length"], wire);
    assert_eq!(exchange["listen"]["answer"]["body_length"], wire);
    assert_eq!(exchange["listen"]["whole"], false);
    (before, peak(listening.child.id()))
}

#[cfg(target_os = "linux")]
#[test]
fn a_huge_body_passes_without_being_kept() {
    for is_chunked in [false, true] {
        let (before, after) = pass_huge_body(200_000_000, is_chunked);
        assert!(after - before < 8 * 1024, "{before} kB, then {after} kB");
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes a while: `cargo test -p twilio-webhook --test cli -- --ignored --nocapture gigabyte`"]
fn a_gigabyte_passes_without_being_kept() {
    for is_chunked in [false, true] {
        let (before, after) = pass_huge_body(1_000_000_000, is_chunked);
        println!("chunked {is_chunked}: {before} kB at the start, and {after} kB at the peak");
        assert!(after - before < 8 * 1024, "{before} kB, then {after} kB");
    }
}

const HANDSHAKE: &[u8] =
    b"GET /media HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: a\r\n\r\n";

/// Starts an app that switches to WebSockets if asked, and keeps them open. `refuses` lets it answer 403 instead.
fn sockets(refuses: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                loop {
                    let head = read_head(&mut stream);
                    let answer: &[u8] = match head.contains("Upgrade: websocket") {
                        _ if head.is_empty() => return,
                        true if refuses => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
                        true => b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
                        false => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                    };
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    format!("http://{host}")
}

#[test]
fn idle_websockets_leave_room_for_webhooks() {
    const PLACES: usize = 48;
    let listening = Listening::text(&sockets(false), &[]);
    let open = || {
        let mut stream = listening.connect();
        stream.write_all(HANDSHAKE).unwrap();
        let head = read_head(&mut stream);
        (stream, head)
    };
    let mut streams = Vec::new();
    for _ in 0..PLACES {
        let (stream, head) = open();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        streams.push(stream);
    }
    for _ in 0..PLACES {
        let (mut stream, head) = open();
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        let mut body = String::new();
        stream.read_to_string(&mut body).unwrap();
        assert_eq!(body, "twilio-webhook: too many WebSockets are open\n");
    }
    for _ in 0..3 {
        assert!(listening.send(super::GET).starts_with("HTTP/1.1 200 "));
    }
    let lines = listening.until("Failed:");
    assert!(
        lines.contains("half of the connections are WebSockets already, so close some"),
        "{lines}"
    );
    // A place is free again once its WebSocket has closed.
    streams.pop();
    let number = 2 * PLACES + 4;
    listening.until(&format!("#{PLACES} closed after 0 frames"));
    let (_stream, head) = open();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    listening.until(&format!("#{number} websocket"));
}

#[test]
fn silent_clients_leave_room_for_webhooks() {
    const CONNECTIONS: usize = 96;
    let listening = Listening::text(&sockets(false), &["--answer-timeout", "0.5"]);
    let mut kept = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = listening.connect();
        stream.write_all(super::GET).unwrap();
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        kept.push(stream);
    }
    assert!(listening.send(super::GET).starts_with("HTTP/1.1 200 "));
    // Nobody is cut off in the middle of something.
    for mut stream in kept {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    }
}

/// The longer the app may take, the longer an idle client may stay: four minutes here.
#[test]
fn a_new_client_takes_the_place_of_the_one_that_waits_longest() {
    const CONNECTIONS: usize = 96;
    let listening = Listening::text(&sockets(false), &["--answer-timeout", "60"]);
    let ask = |stream: &mut TcpStream| {
        stream.write_all(super::GET).unwrap();
        let head = read_head(stream);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    };
    let mut kept: Vec<_> = (0..CONNECTIONS).map(|_| listening.connect()).collect();
    kept.iter_mut().for_each(ask);
    // The first one waits no longer.
    ask(&mut kept[0]);
    assert!(listening.send(super::GET).starts_with("HTTP/1.1 200 "));
    let mut longest = kept.remove(1);
    assert_eq!(longest.read_to_end(&mut Vec::new()).unwrap(), 0);
    kept.iter_mut().for_each(ask);
}

/// Starts an app that says when it has a request for `/slow`, and answers it once the lock is free. It answers all else at
/// once. The answer to `/large` has 8 MiB.
fn locked(lock: &Arc<Mutex<()>>) -> (String, Receiver<()>) {
    let lock = lock.clone();
    let (sender, arrived) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, lock, sender) = (stream.unwrap(), lock.clone(), sender.clone());
            thread::spawn(move || {
                loop {
                    let head = read_head(&mut stream);
                    match head.split(' ').nth(1) {
                        None => return,
                        Some("/slow") => {
                            sender.send(()).unwrap();
                            drop(lock.lock().unwrap());
                        }
                        Some(_) => {}
                    }
                    let is_large = head.starts_with("GET /large ");
                    let length = if is_large { 8 * 1024 * 1024 } else { 0 };
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                    // The client may be gone.
                    let _ = stream.write_all(&[head.into_bytes(), vec![b'a'; length]].concat());
                }
            });
        }
    });
    (format!("http://{host}"), arrived)
}

const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn no_client_that_is_waited_for_takes_the_place_of_a_request_that_the_app_works_on() {
    const LARGE: &[u8] = b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
    // What each sends, and what it sends when the answer waits for it.
    let newer: [(&[u8], &[u8]); 6] = [
        (b"", b""),
        (b"POST / HT", b""),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na",
            b"",
        ),
        (LARGE, b""),
        (LARGE, super::GET),
        (super::GET, b""),
    ];
    for (first, then) in newer {
        let lock = Arc::default();
        let (app, arrived) = locked(&lock);
        let listening = Listening::text(&app, &[]);
        let working = lock.lock().unwrap();
        let mut webhook = listening.connect();
        webhook.write_all(SLOW).unwrap();
        arrived.recv().unwrap();
        let mut kept: Vec<_> = (0..95)
            .map(|_| {
                let mut stream = listening.connect();
                stream.write_all(first).unwrap();
                if first.starts_with(b"GET ") {
                    assert!(read_head(&mut stream).starts_with("HTTP/1.1 200 "));
                }
                stream
            })
            .collect();
        if !then.is_empty() {
            // By now nothing more fits between the app and the clients.
            thread::sleep(Duration::from_millis(500));
            for stream in &mut kept {
                stream.write_all(then).unwrap();
            }
            thread::sleep(Duration::from_millis(100));
        }
        kept.extend((0..20).map(|_| listening.connect()));
        drop(working);
        let head = read_head(&mut webhook);
        assert!(head.starts_with("HTTP/1.1 200 "), "{first:?}: {head}");
        drop(kept);
    }
}

/// Starts as many requests as there are connections, the first one before the others, and then some more. Returns them
/// when the app has as many as there are connections.
fn more_than_all(listening: &Listening, arrived: &Receiver<()>, more: usize) -> Vec<TcpStream> {
    const CONNECTIONS: usize = 96;
    let ask = || {
        let mut stream = listening.connect();
        stream.write_all(SLOW).unwrap();
        stream
    };
    let mut streams = vec![ask()];
    arrived.recv().unwrap();
    streams.extend((1..CONNECTIONS).map(|_| ask()));
    for _ in 1..CONNECTIONS {
        arrived.recv().unwrap();
    }
    // The tool, too, knows by now that the app has them.
    thread::sleep(Duration::from_millis(100));
    streams.extend((0..more).map(|_| ask()));
    streams
}

/// Counts the answers with this status.
fn count(heads: &[String], status: u16) -> usize {
    let start = format!("HTTP/1.1 {status} ");
    heads.iter().filter(|head| head.starts_with(&start)).count()
}

#[test]
fn new_clients_wait_while_the_app_works_on_all_requests() {
    let lock = Arc::default();
    let (app, arrived) = locked(&lock);
    let listening = Listening::text(&app, &[]);
    let working = lock.lock().unwrap();
    let mut streams = more_than_all(&listening, &arrived, 100);
    drop(working);
    let heads: Vec<_> = streams.iter_mut().map(read_head).collect();
    assert_eq!(count(&heads, 200), heads.len());
}

#[test]
fn a_request_that_the_app_works_on_for_long_makes_room_and_gets_an_answer() {
    let lock = Arc::default();
    let (app, arrived) = locked(&lock);
    let listening = Listening::text(&app, &[]);
    let working = lock.lock().unwrap();
    let mut streams = more_than_all(&listening, &arrived, 1);
    // Another request behind it renews nothing.
    streams[0].write_all(super::GET).unwrap();
    arrived.recv().unwrap();
    let lines = listening.until("Failed:");
    assert!(
        lines.contains("a new connection took the place of this one, since all 96 were taken"),
        "{lines}"
    );
    drop(working);
    let heads: Vec<_> = streams.iter_mut().map(read_head).collect();
    assert_eq!(
        (count(&heads, 503), count(&heads, 200)),
        (1, heads.len() - 1)
    );
}

#[test]
fn a_request_with_a_body_takes_no_place_among_websockets() {
    const SLOW: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nContent-Length: 9\r\n\r\na";
    let listening = Listening::text(&sockets(true), &[]);
    let mut kept = Vec::new();
    for _ in 0..100 {
        let mut stream = listening.connect();
        stream.write_all(SLOW).unwrap();
        kept.push(stream);
    }
    let mut stream = listening.connect();
    stream.write_all(HANDSHAKE).unwrap();
    let head = read_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}

#[test]
fn a_handshake_that_is_refused_takes_no_place() {
    let listening = Listening::text(&sockets(true), &[]);
    let mut kept = Vec::new();
    for _ in 0..100 {
        let mut stream = listening.connect();
        stream.write_all(HANDSHAKE).unwrap();
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        kept.push(stream);
    }
}

#[test]
fn a_handshake_behind_an_answer_that_nobody_reads_takes_no_place() {
    let (app, _arrived) = locked(&Arc::default());
    let listening = Listening::text(&app, &[]);
    let pipelined = [b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n", HANDSHAKE].concat();
    let kept: Vec<_> = (0..60)
        .map(|_| {
            let mut stream = listening.connect();
            stream.write_all(&pipelined).unwrap();
            assert!(read_head(&mut stream).starts_with("HTTP/1.1 200 "));
            stream
        })
        .collect();
    let mut stream = listening.connect();
    stream.write_all(HANDSHAKE).unwrap();
    let head = read_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    drop(kept);
}

/// Its answer is large and nobody reads it, or the app closes the connection after it.
#[test]
fn a_handshake_that_was_refused_leaves_its_place_at_once() {
    const LARGE: usize = 8 * 1024 * 1024;
    for (length, rest) in [(LARGE, ""), (0, "Connection: close\r\n")] {
        let app = super::app(move |mut stream| {
            let head = read_head(&mut stream);
            if head.starts_with("GET /media ") {
                stream
                    .write_all(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n")
                    .unwrap();
                return;
            }
            thread::spawn(move || {
                let head =
                    format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n{rest}\r\n");
                // Nobody may read it.
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(&vec![b'a'; length]);
            });
        });
        let listening = Listening::text(&app, &[]);
        let refused = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n";
        let kept: Vec<_> = (0..60)
            .map(|_| {
                let mut stream = listening.connect();
                stream.write_all(refused).unwrap();
                assert!(read_head(&mut stream).starts_with("HTTP/1.1 403 "));
                stream
            })
            .collect();
        let mut stream = listening.connect();
        stream.write_all(HANDSHAKE).unwrap();
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        drop(kept);
    }
}

#[test]
fn a_flood_of_frames_is_counted_and_not_kept() {
    /// A ping without a payload: six bytes from the client, and two from the app.
    const CLIENT: &[u8] = b"\x89\x80abcd";
    const APP: &[u8] = b"\x89\x00";
    const COUNT: usize = 500_000;
    let app = super::app(|mut stream| {
        read_head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n")
            .unwrap();
        let mut sender = stream.try_clone().unwrap();
        let sends = thread::spawn(move || sender.write_all(&APP.repeat(COUNT)).unwrap());
        discard(&mut stream, CLIENT.len() * COUNT);
        sends.join().unwrap();
    });
    let listening = Listening::json(&app, &[]);
    let mut client = listening.connect();
    client.write_all(HANDSHAKE).unwrap();
    read_head(&mut client);
    let mut sender = client.try_clone().unwrap();
    let sends = thread::spawn(move || sender.write_all(&CLIENT.repeat(COUNT)).unwrap());
    discard(&mut client, APP.len() * COUNT);
    sends.join().unwrap();
    drop(client);
    let exchange = listening.exchange();
    let frames = &exchange["listen"]["frames"];
    assert_eq!(
        (&frames["count"], &frames["closed"]),
        (&(2 * COUNT).into(), &true.into())
    );
    let kept = frames["last"].as_array().unwrap().len();
    assert!((64..=500).contains(&kept), "{kept}");
}

/// Sends one request after the other, each of them signed, and returns the time of each in microseconds.
fn times(stream: &mut TcpStream, count: usize) -> Vec<u128> {
    let request =
        b"GET /a HTTP/1.1\r\nHost: h\r\nX-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    let mut answer = [0; 4096];
    let mut times: Vec<_> = (0..count)
        .map(|_| {
            let start = Instant::now();
            stream.write_all(request).unwrap();
            assert!(stream.read(&mut answer).unwrap() > 0);
            start.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    times
}

#[test]
#[ignore = "a benchmark: `cargo test --release -p twilio-webhook --test cli -- --ignored --nocapture latency`"]
fn latency_that_is_added() {
    let app = fast();
    let listening = Listening::text(&format!("http://{app}"), &[]);
    for (name, host) in [("directly", &app), ("through listen", &listening.host)] {
        let mut stream = connect(host);
        times(&mut stream, 1000);
        let times = times(&mut stream, 20_000);
        let at = |part: usize| times[times.len() * part / 1000];
        println!(
            "{name}: median {} us, 99 % {} us, 99.9 % {} us",
            at(500),
            at(990),
            at(999)
        );
    }
}

/// `LISTEN_SECONDS` is how long it takes.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a benchmark: `cargo test --release -p twilio-webhook --test cli -- --ignored --nocapture session`"]
fn session_of_a_thousand_requests_a_second() {
    const CLIENTS: u64 = 10;
    let seconds: u64 = std::env::var("LISTEN_SECONDS").map_or(60, |text| text.parse().unwrap());
    let app = fast();
    let listening = Listening::text(&format!("http://{app}"), &[]);
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = connect(&listening.host);
            thread::spawn(move || {
                let (mut sent, mut next) = (0_u64, Instant::now());
                while next < end {
                    times(&mut stream, 1);
                    sent += 1;
                    next += Duration::from_millis(CLIENTS);
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                }
                sent
            })
        })
        .collect();
    let pid = listening.child.id();
    let mut next_report = 30;
    while Instant::now() < end {
        let line = listening.line();
        assert!(!line.contains("Failed:"), "{line}");
        if start.elapsed().as_secs() >= next_report {
            println!("{next_report} s: peak {} kB", peak(pid));
            next_report += 30;
        }
    }
    let sent: u64 = clients
        .into_iter()
        .map(|client| client.join().unwrap())
        .sum();
    println!("{sent} requests in {seconds} s: peak {} kB", peak(pid));
}
