//! What passes through `listen` arrives as it was sent.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use super::{Listening, PATIENCE, connect, is_only_a_look};

/// The number of servers that are tried at the same time, since each one mostly waits.
const SERVERS: u64 = 4;

/// The number of connections to each server.
const CONNECTIONS: usize = 50;

/// The number of requests on each connection.
const REQUESTS: usize = 10;

/// Pseudo-random numbers: `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Returns random bytes, mostly few and at times many.
    fn body(&mut self) -> Vec<u8> {
        let length = match self.below(10) {
            0 => 0,
            1 => self.below(200_000),
            2 => self.below(40_000),
            _ => self.below(500),
        };
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Returns a body in chunks of random sizes, with sizes in random spellings.
    fn chunked(&mut self, mut body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !body.is_empty() {
            let (chunk, rest) = body.split_at(1 + self.below(body.len()));
            let size = match self.below(4) {
                0 => format!("{:x}", chunk.len()),
                1 => format!("{:X}", chunk.len()),
                2 => format!("000{:x} ", chunk.len()),
                _ => format!("{:x};name=\"a\"", chunk.len()),
            };
            bytes.extend(size.as_bytes());
            bytes.extend(b"\r\n");
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
            body = rest;
        }
        bytes.extend(self.pick(&[
            &b"0\r\n\r\n"[..],
            b"00\r\n\r\n",
            b"0;x\r\nTrailer: a\r\nb:c\r\n\r\n",
        ]));
        bytes
    }

    fn headers(&mut self) -> Vec<Vec<u8>> {
        let mut headers: Vec<Vec<u8>> = Vec::new();
        for _ in 0..self.below(12) {
            headers.push(
                self.pick(&[
                    &b"X-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA="[..],
                    b"x-twilio-signature:  odd \t spacing \t",
                    b"ACCEPT:*/*",
                    b"Accept: a",
                    b"aCCept: b",
                    b"X-Empty:",
                    b"X-Latin: caf\xe9 \xff\x80",
                    b"X-Forwarded-For: 1.2.3.4, 5.6.7.8",
                    b"I-Twilio-Idempotency-Token: 1-2-3",
                    b"Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
                    b"Cookie: a=b; c=\"d\"",
                    b"Keep-Alive: timeout=5",
                    b"TE: trailers",
                ])
                .to_vec(),
            );
        }
        headers
    }

    fn request(&mut self) -> Vec<u8> {
        let method = self.pick(&[
            "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "M-SEARCH",
        ]);
        let target = self.pick(&[
            "/",
            "/message",
            "//a//b/../c/./d",
            "/a%2Fb?x=%20+&y=%C3%A9",
            "/?",
            "/#f",
            "http://h:1/absolute?a",
            "*",
            "/caf\u{e9}?'\"<>|{}",
            "/a;b=c?bodySHA256=00&bodySHA256=11",
        ]);
        let mut headers = self.headers();
        headers.push(
            self.pick(&[&b"Host: example.com"[..], b"hOsT:h", b"HOST:   a:80  "])
                .to_vec(),
        );
        let body = self.body();
        let sent = match self.below(3) {
            0 => Vec::new(),
            1 => {
                let name =
                    self.pick(&["Content-Length: ", "content-length:", "CONTENT-LENGTH:\t00"]);
                headers.push(format!("{name}{}", body.len()).into_bytes());
                body
            }
            _ => {
                headers.push(
                    self.pick(&[
                        &b"Transfer-Encoding: chunked"[..],
                        b"transfer-encoding:  CHUNKED ",
                    ])
                    .to_vec(),
                );
                self.chunked(&body)
            }
        };
        for at in (1..headers.len()).rev() {
            headers.swap(at, self.below(at + 1));
        }
        let blank = if self.one_in(20) { "\r\n" } else { "" };
        let mut bytes = format!("{blank}{method} {target} HTTP/1.1\r\n").into_bytes();
        for header in headers {
            bytes.extend(header);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"\r\n");
        bytes.extend(sent);
        bytes
    }

    /// Returns an answer to a request, after which the connection can be used again.
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.one_in(10) {
            bytes.extend(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        }
        if request.trim_ascii_start().starts_with(b"HEAD") || self.one_in(10) {
            bytes.extend(self.pick(&[
                &b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n"[..],
                b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
            ]));
            return bytes;
        }
        bytes.extend(self.pick(&[
            &b"HTTP/1.1 200 OK\r\n"[..],
            b"HTTP/1.1 200 \r\n",
            b"HTTP/1.1 403 Forbidden \xe9\r\n",
            b"HTTP/1.1 500 a  b\r\n",
        ]));
        for header in self.headers() {
            bytes.extend(header);
            bytes.extend(b"\r\n");
        }
        let body = self.body();
        if self.one_in(2) {
            bytes.extend(format!("content-LENGTH:{}\r\n\r\n", body.len()).as_bytes());
            bytes.extend(body);
        } else {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            bytes.extend(self.chunked(&body));
        }
        bytes
    }
}

/// What goes through one connection, in order.
#[derive(Clone)]
struct Script {
    requests: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    /// Whether the client sends without waiting for answers.
    pipelined: bool,
    /// The sizes of the pieces in which bytes are sent.
    piece: usize,
}

impl Script {
    fn random(random: &mut Random) -> Self {
        let requests: Vec<_> = (0..REQUESTS).map(|_| random.request()).collect();
        let answers = requests
            .iter()
            .map(|request| random.answer(request))
            .collect();
        Self {
            requests,
            answers,
            pipelined: random.one_in(2),
            piece: random.pick(&[7, 100, 1500, 70_000]),
        }
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8], piece: usize) {
    for piece in bytes.chunks(piece.max(bytes.len() / 500).max(1)) {
        stream.write_all(piece).unwrap();
    }
}

fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Starts an app that takes scripts in turn, one for each connection, and sends back what it got.
fn scripted() -> (String, Sender<Script>, Receiver<Vec<u8>>) {
    let (scripts, next) = channel::<Script>();
    let (got, received) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for script in next {
            let mut stream = loop {
                let (stream, _) = listener.accept().unwrap();
                if !is_only_a_look(&stream) {
                    break stream;
                }
            };
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut bytes = Vec::new();
            for (request, answer) in script.requests.iter().zip(&script.answers) {
                bytes.extend(read(&mut stream, request.len()));
                write(&mut stream, answer, script.piece);
            }
            stream.read_to_end(&mut bytes).unwrap();
            got.send(bytes).unwrap();
        }
    });
    (host, scripts, received)
}

/// Runs a script against a host, and returns what came back.
fn run(host: &str, script: &Script) -> Vec<u8> {
    let mut stream = connect(host);
    if script.pipelined {
        let mut writer = stream.try_clone().unwrap();
        let script = script.clone();
        let writing = thread::spawn(move || {
            write(&mut writer, &script.requests.concat(), script.piece);
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        writing.join().unwrap();
        return answers;
    }
    let mut answers = Vec::new();
    for (request, answer) in script.requests.iter().zip(&script.answers) {
        write(&mut stream, request, script.piece);
        answers.extend(read(&mut stream, answer.len()));
    }
    stream.shutdown(Shutdown::Write).unwrap();
    stream.read_to_end(&mut answers).unwrap();
    answers
}

/// Fails with the first difference, since the bytes are many.
#[track_caller]
fn assert_same(got: &[u8], expected: &[u8], what: &str) {
    let first = got.iter().zip(expected).position(|(a, b)| a != b);
    assert!(
        got == expected,
        "{what}: {} of {} bytes, difference at {first:?}",
        got.len(),
        expected.len()
    );
}

#[test]
fn two_thousand_requests_and_answers_pass_unchanged() {
    thread::scope(|scope| {
        for server in 0..SERVERS {
            scope.spawn(move || assert_passed_unchanged(Random(22 + server)));
        }
    });
}

fn assert_passed_unchanged(mut random: Random) {
    let (app, scripts, received) = scripted();
    let listening = Listening::json(&format!("http://{app}"), &[]);
    for number in 0..CONNECTIONS {
        let script = Script::random(&mut random);
        let sides =
            [("directly", &app), ("through listen", &listening.host)].map(|(side, host)| {
                scripts.send(script.clone()).unwrap();
                let answers = run(host, &script);
                let side = format!("connection {number} {side}");
                (side, received.recv_timeout(PATIENCE).unwrap(), answers)
            });
        for (side, requests, answers) in sides {
            assert_same(
                &requests,
                &script.requests.concat(),
                &format!("{side}, requests"),
            );
            assert_same(
                &answers,
                &script.answers.concat(),
                &format!("{side}, answers"),
            );
        }
        for id in number * REQUESTS + 1..=(number + 1) * REQUESTS {
            assert_eq!(listening.exchange()["id"], id);
        }
    }
}

/// Returns a frame with a payload, masked as clients do.
fn frame(random: &mut Random, masked: bool) -> Vec<u8> {
    let payload = random.body();
    let mut bytes = vec![random.pick(&[0x81, 0x82, 0x01, 0x80, 0x89, 0x8a, 0xc1])];
    let bit = if masked { 0x80 } else { 0 };
    match payload.len() {
        length @ 0..=125 => bytes.push(bit | u8::try_from(length).unwrap()),
        length @ 126..=0xffff => {
            bytes.push(bit + 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(bit + 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend([1, 2, 3, 4]);
    }
    bytes.extend(payload);
    bytes
}

#[test]
fn websockets_pass_unchanged_and_their_frames_are_counted() {
    const FRAMES: usize = 60;
    let (app, scripts, received) = scripted();
    let listening = Listening::json(&format!("http://{app}"), &[]);
    let mut random = Random(23);
    for _ in 0..10 {
        let handshake =
            b"GET /media HTTP/1.1\r\nHost: h\r\nUPGRADE: WebSocket\r\nConnection: x, Upgrade\r\n\
            Sec-WebSocket-Key: x\r\n\r\n";
        let mut answer = b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\n\r\n".to_vec();
        // The app's first frames come with its answer.
        let mut requests = vec![handshake.to_vec()];
        answer.extend((0..3).flat_map(|_| frame(&mut random, false)));
        let mut answers = vec![answer];
        for _ in 0..FRAMES {
            requests.push(frame(&mut random, true));
            answers.push(frame(&mut random, false));
        }
        let script = Script {
            requests,
            answers,
            pipelined: false,
            piece: random.pick(&[7, 1500, 70_000]),
        };
        for host in [&app, &listening.host] {
            scripts.send(script.clone()).unwrap();
            let answers = run(host, &script);
            let requests = received.recv_timeout(PATIENCE).unwrap();
            assert_same(&requests, &script.requests.concat(), host);
            assert_same(&answers, &script.answers.concat(), host);
        }
        let exchange = listening.exchange();
        assert_eq!(exchange["listen"]["kind"], "websocket");
        let frames = &exchange["listen"]["frames"];
        assert_eq!(
            (&frames["count"], &frames["closed"]),
            (&(FRAMES * 2 + 3).into(), &true.into())
        );
        assert!(frames["last"].as_array().unwrap().len() > 3);
    }
}

#[test]
fn the_client_is_asked_to_continue_by_the_app_alone() {
    let app = super::app(|mut stream| {
        let head = super::read_head(&mut stream);
        assert!(head.contains("expect: 100-Continue"), "{head}");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        assert_eq!(read(&mut stream, 5), b"hello");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
    });
    let listening = Listening::json(&app, &[]);
    let mut client = listening.connect();
    client
        .write_all(
            b"POST / HTTP/1.1\r\nHost: h\r\nexpect: 100-Continue\r\nContent-Length: 5\r\n\r\n",
        )
        .unwrap();
    assert_eq!(
        super::read_head(&mut client),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    client.write_all(b"hello").unwrap();
    assert!(super::read_head(&mut client).starts_with("HTTP/1.1 200 OK"));
    assert_eq!(listening.exchange()["body"], "hello");
}

/// Nothing is added unless the user asks for it, and then nothing is lost.
#[test]
fn forwarded_headers_are_added_if_asked_for() {
    let (sender, heads) = channel();
    let app = super::app(move |mut stream| {
        sender.send(super::read_head(&mut stream)).unwrap();
        stream.write_all(b"HTTP/1.1 204 x\r\n\r\n").unwrap();
    });
    let request = "GET /a HTTP/1.1\r\nhost:  h:1\r\nX-Odd:a\r\n\r\n";
    let with_proto =
        "GET /a HTTP/1.1\r\nHost: h\r\nx-forwarded-proto: https\r\nX-FORWARDED-HOST: a\r\n\r\n";
    let added = "X-Forwarded-For: 127.0.0.1\r\n";
    let cases: [(&[&str], &str, &str); 4] = [
        (&[], request, ""),
        (
            &["--add-forwarded-headers"],
            request,
            &format!("{added}X-Forwarded-Host: h:1\r\nX-Forwarded-Proto: http\r\n"),
        ),
        (
            &[
                "--add-forwarded-headers",
                "--public-url",
                "https://example.com",
            ],
            request,
            &format!("{added}X-Forwarded-Host: example.com\r\nX-Forwarded-Proto: https\r\n"),
        ),
        (&["--add-forwarded-headers"], with_proto, added),
    ];
    for (args, request, added) in cases {
        let listening = Listening::json(&app, args);
        listening.send(request.as_bytes());
        let expected = request.strip_suffix("\r\n").unwrap().to_owned() + added + "\r\n";
        assert_eq!(heads.recv_timeout(PATIENCE).unwrap(), expected, "{args:?}");
    }
}
