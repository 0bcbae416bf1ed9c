//! What passes through takes a bounded amount of memory, and little time.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Instant,
};

use super::{Listening, connect, read_head};

/// The largest amount of memory in kB that a process has had.
#[cfg(target_os = "linux")]
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

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

#[cfg(target_os = "linux")]
#[test]
fn a_huge_body_passes_without_being_kept() {
    const LENGTH: usize = 200_000_000;
    let app = super::app(|mut stream| {
        read_head(&mut stream);
        let (mut got, mut piece) = (0, vec![0; 65_536]);
        while got < LENGTH {
            got += stream.read(&mut piece).unwrap();
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        for piece in vec![b'y'; LENGTH / 1000]
            .chunks(50_000)
            .cycle()
            .take(LENGTH / 50_000)
        {
            stream.write_all(piece).unwrap();
        }
    });
    let listening = Listening::json(&app, &[]);
    let before = peak(listening.child.id());
    let mut client = listening.connect();
    let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {LENGTH}\r\n\r\n");
    client.write_all(head.as_bytes()).unwrap();
    let piece = vec![b'x'; 50_000];
    for _ in 0..LENGTH / piece.len() {
        client.write_all(&piece).unwrap();
    }
    read_head(&mut client);
    let (mut got, mut piece) = (0, piece);
    while got < LENGTH {
        got += client.read(&mut piece).unwrap();
    }
    let exchange = listening.exchange();
    assert_eq!(exchange["listen"]["body_length"], LENGTH);
    assert_eq!(exchange["listen"]["answer"]["body_length"], LENGTH);
    let grown = peak(listening.child.id()) - before;
    assert!(grown < 8 * 1024, "{grown} kB");
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
    use std::time::Duration;
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
