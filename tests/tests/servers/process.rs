//! Floods that need no key, against the process as a whole: many HTTP/2 streams, slow connections and made-up names. What
//! they cost in memory, and who is answered meanwhile.
//!
//! Each has a process of its own, which is server and client: the client's memory is measured, too.

use std::{
    cell::Cell,
    future::poll_fn,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_twilio::{
    KeyStore, RequestValidator, TwilioConfig, TwilioConfigBuilder,
    keys::{KeyQuery, KeyStoreError},
    validate_twilio_request,
};
use actix_twilio_tests::{
    FORGED, FORM, SETTINGS, SIGNATURE, TOKEN,
    client::{self, connect, statuses},
    config, in_child, in_children, keys,
    memory::{GIVEN_BACK, forget_highest, highest, resident},
    server::{LOOPBACK, Server},
    sign_form,
};
use actix_web::{
    App,
    rt::{
        System, spawn,
        time::{sleep, timeout},
    },
    web::{self, Bytes},
};
use futures_util::{
    future::{Either, join_all, poll_immediate, select},
    pin_mut,
};
use h2::{SendStream, client::SendRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::http;

const MIB: usize = 1024 * 1024;

/// The time in which a genuine request is answered, whatever else goes on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The defaults, which the tests name because they are about them.
const BODY_LIMIT: usize = 256 * 1024;
const TOTAL_BODY_LIMIT: usize = 128 * MIB;

/// Bytes that one more HTTP/2 stream takes at most at both of its ends, apart from its body.
const STREAM: usize = 16 * 1024;

/// Bytes that one more connection takes at most at both of its ends, with the start of a body.
const CONNECTION: usize = 64 * 1024;

/// The same with a body of any size.
const LARGE_CONNECTION: usize = 448 * 1024;

/// Bytes that a flood takes at most apart from what is counted.
const CONSTANT: usize = 16 * MIB;

/// What came of the requests of a flood, whose statuses are counted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Answers {
    refused: usize,
    busy: usize,
    /// They have sent all that they wanted to, and are not answered.
    waiting: usize,
}

impl Answers {
    #[track_caller]
    fn of(statuses: Vec<Option<u16>>) -> Self {
        let mut answers = Self::default();
        for status in statuses {
            match status {
                None => answers.waiting += 1,
                Some(403) => answers.refused += 1,
                Some(500 | 503) => answers.busy += 1,
                Some(status) => panic!("answered with {status}"),
            }
        }
        answers
    }
}

/// A server whose handler has what a genuine request is asked with.
fn start(config: TwilioConfigBuilder) -> Server {
    serve(config.public_url("https://example.com").unwrap())
}

/// The same without a public URL.
fn serve(config: TwilioConfigBuilder) -> Server {
    #[validate_twilio_request]
    async fn receive(_body: Bytes) -> &'static str {
        "genuine"
    }

    let config = config
        .body_timeout(Duration::from_secs(600))
        .build()
        .unwrap();
    let app = move || {
        App::new()
            .app_data(config.clone())
            .route("/a", web::to(receive))
    };
    // On a busy machine this test is a slow client.
    Server::start_with(app, |server| {
        server
            .client_request_timeout(PATIENCE)
            .keep_alive(PATIENCE)
            .bind_auto_h2c(LOOPBACK)
    })
}

fn head(signature: &str, more: &str) -> String {
    format!(
        "POST /a HTTP/1.1\r\nHost: a\r\n{SIGNATURE}: {signature}\r\n\
         Content-Type: {FORM}\r\n{more}\r\n\r\n"
    )
}

/// Asks with a genuine request, over a connection of its own.
async fn ask(address: SocketAddr) {
    ask_for("https://example.com/a", address).await;
}

/// The same, where the app finds this URL.
async fn ask_for(url: &str, address: SocketAddr) {
    let signature = sign_form(url, "Body=Hi");
    let genuine = head(&signature, "Content-Length: 7") + "Body=Hi";
    let mut connection = connect(address).await;
    connection.write_all(genuine.as_bytes()).await.unwrap();
    let answer = timeout(PATIENCE, client::answer(&mut connection)).await;
    assert_eq!(statuses(&answer.unwrap()), [200]);
}

/// Asks with a genuine request whose body takes a moment to arrive. Returns the status.
async fn ask_slowly(address: SocketAddr) -> u16 {
    let signature = sign_form("https://example.com/a", "Body=Hi");
    let head = head(&signature, "Content-Length: 7");
    let mut connection = connect(address).await;
    for part in [&*head, "Body", "=Hi"] {
        // It may be answered before it is whole.
        let _ = connection.write_all(part.as_bytes()).await;
        sleep(Duration::from_millis(50)).await;
    }
    let answer = timeout(PATIENCE, client::answer(&mut connection)).await;
    statuses(&answer.unwrap())
        .first()
        .copied()
        .unwrap_or_default()
}

/// Runs a flood, and asks with genuine requests until it is over. Checks the memory that it took, and prints the figures.
async fn measure(
    name: &str,
    address: SocketAddr,
    most: usize,
    flood: impl Future<Output = Answers>,
) -> Answers {
    // What is made once is made first.
    for _ in 0..20 {
        ask(address).await;
    }
    let before = resident().unwrap_or_default();
    forget_highest();
    let over = Cell::new(false);
    let meanwhile = async {
        let (mut asked, mut longest) = (0, Duration::ZERO);
        while !over.get() {
            let start = Instant::now();
            ask(address).await;
            longest = longest.max(start.elapsed());
            asked += 1;
            sleep(Duration::from_millis(1)).await;
        }
        (asked, longest)
    };
    let start = Instant::now();
    let flood = async {
        let answers = flood.await;
        over.set(true);
        answers
    };
    let (answers, (asked, longest)) = tokio::join!(flood, meanwhile);
    let took = highest().unwrap_or_default().saturating_sub(before);
    println!(
        "{name}: {answers:?} in {:.1} s; memory rose by {} KiB of {} allowed; {asked} genuine requests were \
         answered, each within {} ms",
        start.elapsed().as_secs_f32(),
        took / 1024,
        most / 1024,
        longest.as_millis(),
    );
    assert!(asked > 0, "{name}");
    assert!(took <= most, "{name}: {took} of {most} bytes");
    answers
}

/// Opens an HTTP/2 connection.
async fn connect_http2(address: SocketAddr) -> SendRequest<Bytes> {
    let (client, connection) = h2::client::Builder::new()
        .initial_max_send_streams(100_000)
        // Many answers with small bodies would be a flood to this client.
        .data_frame_budget(usize::MAX)
        .handshake(connect(address).await)
        .await
        .unwrap();
    spawn(async move {
        // It ends when the server or the test has closed it.
        let _ = connection.await;
    });
    client
}

/// Sends bytes as fast as the server takes them. Stops if it takes no more.
async fn send_bytes(stream: &mut SendStream<Bytes>, bytes: usize) {
    static ZEROS: [u8; 16 * 1024] = [b'a'; 16 * 1024];

    let mut left = bytes;
    while left > 0 {
        stream.reserve_capacity(left.min(ZEROS.len()));
        let Some(Ok(capacity)) = poll_fn(|cx| stream.poll_capacity(cx)).await else {
            return;
        };
        let chunk = capacity.min(left).min(ZEROS.len());
        if stream
            .send_data(Bytes::from_static(&ZEROS[..chunk]), false)
            .is_err()
        {
            return;
        }
        left -= chunk;
    }
}

/// Opens streams at once, each with the head of a form and so many bytes of a body that never ends, and waits until the
/// server has dealt with all that was sent. Returns the open streams, too.
async fn send_streams(
    client: &SendRequest<Bytes>,
    streams: usize,
    bytes: usize,
) -> (Answers, Vec<SendStream<Bytes>>) {
    let request = |signature| {
        let request = http::Request::post("http://a/a").header("Content-Type", FORM);
        request.header(SIGNATURE, signature).body(()).unwrap()
    };
    let send = async |signature: &'static str, bytes, ends| {
        let mut client = client.clone().ready().await.unwrap();
        let (response, mut stream) = client.send_request(request(signature), ends).unwrap();
        let response = {
            let sending = send_bytes(&mut stream, bytes);
            pin_mut!(sending);
            match select(response, sending).await {
                Either::Left((response, _)) => Either::Left(response),
                Either::Right(((), response)) => Either::Right(response),
            }
        };
        (response, stream)
    };
    let all = join_all((0..streams).map(|_| send(FORGED, bytes, false))).await;
    // The server has begun with all of them when it answers one that came later.
    let (last, _) = send("", 0, true).await;
    let last = match last {
        Either::Left(response) => response,
        Either::Right(response) => timeout(PATIENCE, response).await.unwrap(),
    };
    assert_eq!(last.unwrap().status(), 403);
    let (mut responses, open): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    // It is done with those before when it has answered none of them for a second.
    let mut unanswered = usize::MAX;
    loop {
        for response in &mut responses {
            if let Either::Right(waiting) = response
                && let Some(answer) = poll_immediate(waiting).await
            {
                *response = Either::Left(answer);
            }
        }
        let left = responses
            .iter()
            .filter(|response| matches!(response, Either::Right(_)));
        let left = left.count();
        if left == unanswered {
            break;
        }
        unanswered = left;
        sleep(Duration::from_secs(1)).await;
    }
    let statuses = responses.into_iter().map(|response| match response {
        Either::Left(response) => Some(response.unwrap().status().as_u16()),
        Either::Right(_) => None,
    });
    let statuses = statuses.collect();
    (Answers::of(statuses), open)
}

#[test]
fn streams_with_endless_bodies_take_no_more_than_the_limit_on_all_bodies() {
    in_child(GIVEN_BACK, || {
        System::new().block_on(async {
            let streams = 1_200;
            let server = start(config());
            let client = connect_http2(server.address).await;
            let open = Cell::new(Vec::new());
            let flood = async {
                let (answers, streams) = send_streams(&client, streams, BODY_LIMIT - 1).await;
                open.set(streams);
                answers
            };
            let most = TOTAL_BODY_LIMIT + streams * STREAM + CONSTANT;
            let name = "1,200 streams of 256 KiB";
            let answers = measure(name, server.address, most, flood).await;
            // All that fit are read, and the others are told.
            let fit = TOTAL_BODY_LIMIT / BODY_LIMIT;
            assert!((fit / 2..=fit).contains(&answers.waiting), "{answers:?}");
            assert_eq!(answers.waiting + answers.busy, streams);
            // One that waits takes the place of the one that has waited longest.
            assert_eq!(ask_slowly(server.address).await, 200);
            drop(open);
            drop(client);
            server.stop().await;
        });
    });
}

#[test]
fn streams_that_wait_for_their_bodies_are_bounded_in_number() {
    in_child(GIVEN_BACK, || {
        System::new().block_on(async {
            let streams = 5_000;
            // One request for each 8 KiB.
            let (limit, fit) = (16 * MIB, 2_048);
            for (name, bytes) in [
                ("5,000 streams of no byte", 0),
                ("5,000 streams of a byte", 1),
            ] {
                let server = start(config().total_body_limit(limit));
                let client = connect_http2(server.address).await;
                let open = Cell::new(Vec::new());
                let flood = async {
                    let (answers, streams) = send_streams(&client, streams, bytes).await;
                    open.set(streams);
                    answers
                };
                let most = streams * STREAM + CONSTANT;
                let answers = measure(name, server.address, most, flood).await;
                let expected = Answers {
                    busy: streams - fit,
                    waiting: fit,
                    ..Answers::default()
                };
                assert_eq!(answers, expected, "{name}");
                assert_eq!(ask_slowly(server.address).await, 200);
                drop(open);
                drop(client);
                server.stop().await;
            }
        });
    });
}

#[test]
fn slow_connections_take_a_bounded_amount_each() {
    in_child(GIVEN_BACK, || {
        System::new().block_on(async {
            let connections = 400;
            let server = start(config());
            let open = Cell::new(Vec::new());
            let flood = async {
                let head = head(FORGED, "Content-Length: 1000") + "a";
                let slow = join_all((0..connections).map(async |_| {
                    let mut connection = connect(server.address).await;
                    connection.write_all(head.as_bytes()).await.unwrap();
                    connection
                }));
                open.set(slow.await);
                sleep(Duration::from_millis(500)).await;
                Answers::of(vec![None; connections])
            };
            let most = connections * CONNECTION + CONSTANT;
            measure("400 slow connections", server.address, most, flood).await;
            drop(open);
            server.stop().await;
        });
    });
}

/// The buffer that actix-web reads into grows, and is kept for as long as the connection lasts.
#[test]
fn connections_with_large_bodies_take_a_bounded_amount_each() {
    let whole = head(FORGED, &format!("Content-Length: {BODY_LIMIT}"));
    let chunked = head(FORGED, "Transfer-Encoding: chunked");
    // What is sent, and how much of it counts towards the limit on all bodies.
    let kinds = [
        (
            "300 connections with 256 KiB",
            whole + &"a".repeat(BODY_LIMIT - 1),
            BODY_LIMIT,
        ),
        (
            "300 connections with a long extension of a chunk",
            chunked + "EA60\r\n" + &"a".repeat(60_000) + "\r\n1;" + &"e".repeat(450_000),
            64 * 1024,
        ),
    ];
    in_children(
        kinds,
        |_| GIVEN_BACK,
        |(name, bytes, counted)| {
            System::new().block_on(async {
                let connections = 300;
                let server = start(config());
                let open = Cell::new(Vec::new());
                let flood = async {
                    let large = join_all((0..connections).map(async |_| {
                        let mut connection = connect(server.address).await;
                        connection.write_all(bytes.as_bytes()).await.unwrap();
                        connection
                    }));
                    open.set(large.await);
                    // The server has read all that it reads when it takes no more memory.
                    let mut taken = 0;
                    while let Some(now) = resident().filter(|now| *now > taken) {
                        taken = now;
                        sleep(Duration::from_millis(500)).await;
                    }
                    Answers::default()
                };
                let most = connections * (counted + LARGE_CONNECTION) + CONSTANT;
                measure(name, server.address, most, flood).await;
                drop(open);
                server.stop().await;
            });
        },
    );
}

/// An account of the store's.
const KNOWN: &str = "AC0000000000000000000000000000000a";

/// A store that counts how often it is asked for the known account, and for others.
#[derive(Default)]
struct Counting {
    known: AtomicUsize,
    others: AtomicUsize,
}

struct Tenants(Arc<Counting>);

impl KeyStore for Tenants {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        let is_known = query
            .account
            .as_ref()
            .is_none_or(|account| account.as_str() == KNOWN);
        let counter = if is_known {
            &self.0.known
        } else {
            &self.0.others
        };
        counter.fetch_add(1, Ordering::Relaxed);
        // A database takes a moment.
        sleep(Duration::from_millis(2)).await;
        Ok(is_known.then(|| keys(TOKEN)))
    }
}

#[test]
fn made_up_accounts_and_shared_keys_take_bounded_memory_and_no_lookups_of_known_accounts() {
    in_child(GIVEN_BACK, || {
        System::new().block_on(async {
            let counting = Arc::new(Counting::default());
            let store = Tenants(Arc::clone(&counting));
            let server = start(TwilioConfig::builder().key_store(store));
            let address = server.address;
            let forgeries = 4_200;
            let flood = async {
                let statuses = join_all((0..20).map(async |connection| {
                    let mut statuses = Vec::new();
                    let mut open = connect(address).await;
                    for number in (connection..forgeries).step_by(20) {
                        // By turns, a SharedKey of the known account and an account.
                        let id = "K".repeat(200);
                        let (settings, account) = match number % 2 {
                            0 => (format!("{SETTINGS}: key={id}{number}\r\n"), KNOWN.to_owned()),
                            _ => (String::new(), format!("AC{number:032}")),
                        };
                        let body = format!("AccountSid={account}");
                        let head = head(FORGED, &format!("{settings}Content-Length: {}", body.len()));
                        open.write_all((head + &body).as_bytes()).await.unwrap();
                        let answer = timeout(PATIENCE, client::answer(&mut open)).await;
                        statuses.push(client::statuses(&answer.unwrap()).first().copied());
                    }
                    statuses
                }));
                Answers::of(statuses.await.into_iter().flatten().collect())
            };
            let start = Instant::now();
            let name = "4,200 made-up accounts and SharedKeys";
            let answers = measure(name, address, CONSTANT, flood).await;
            assert_eq!((answers.refused + answers.busy, answers.waiting), (forgeries, 0));
            let [known, others] =
                [&counting.known, &counting.others].map(|count| count.load(Ordering::Relaxed));
            let seconds = usize::try_from(start.elapsed().as_secs()).unwrap() + 2;
            println!("the store was asked {known} times for known accounts, and {others} times for others");
            // Its made-up SharedKeys, and its own keys at the start, after 10 s, and after a mismatch.
            assert!(known <= 13 * seconds, "{known} in {seconds} s");
            assert!(others <= forgeries / 2, "{others}");
            server.stop().await;
        });
    });
}

/// Heads whose lengths are not true, and what follows them.
const WRONG_LENGTHS: [(&str, &str, &str); 8] = [
    (
        "more is declared, and the client leaves",
        "Content-Length: 27",
        "a=1",
    ),
    ("less is declared", "Content-Length: 1", "a=1"),
    (
        "chunked and declared",
        "Content-Length: 27\r\nTransfer-Encoding: chunked",
        "3\r\na=1\r\n0\r\n\r\n",
    ),
    (
        "declared and chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 27",
        "3\r\na=1\r\n0\r\n\r\n",
    ),
    (
        "declared twice",
        "Content-Length: 3\r\nContent-Length: 27",
        "a=1",
    ),
    ("declared with a sign", "Content-Length: +27", "a=1"),
    (
        "an upgrade",
        "Content-Length: 27\r\nConnection: Upgrade\r\nUpgrade: websocket",
        "a=1",
    ),
    (
        "another upgrade",
        "Content-Length: 27\r\nConnection: Upgrade\r\nUpgrade: h2c",
        "a=1",
    ),
];

#[actix_web::test]
async fn no_client_makes_a_request_look_as_if_a_middleware_had_eaten_its_body() {
    let server = start(config());
    for (name, lengths, body) in WRONG_LENGTHS {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let text = head(FORGED, lengths).replace("HTTP/1.1", version) + body;
            let connection = connect(server.address).await;
            let answers = client::last_words(name, connection, text).await;
            let statuses = statuses(&answers);
            assert!(!statuses.contains(&500), "{name} {version}: {answers}");
            assert!(!statuses.contains(&200), "{name} {version}: {answers}");
        }
    }
    for (name, declared, body) in [
        ("more", "27", Some("a=1")),
        ("less", "1", Some("a=1")),
        ("none", "27", Some("")),
        ("none, as the head says", "1", None),
    ] {
        let mut client = connect_http2(server.address).await.ready().await.unwrap();
        let request = http::Request::post("http://a/a")
            .header(SIGNATURE, FORGED)
            .header("Content-Type", FORM)
            .header("Content-Length", declared)
            .body(())
            .unwrap();
        let (response, mut stream) = client.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            // The client's own check of the length is not there either.
            let _ = stream.send_data(Bytes::from_static(body.as_bytes()), true);
        }
        if let Ok(response) = timeout(PATIENCE, response).await.unwrap() {
            assert_eq!(response.status(), 403, "{name}");
        }
    }
    server.stop().await;
}

/// Writes a header field as a literal that is not indexed.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        field.extend(len(text));
        field.extend_from_slice(text.as_bytes());
    }
    field
}

/// Writes the length of a text, with seven bits in each byte.
fn len(text: &str) -> Vec<u8> {
    let Some(mut more) = text.len().checked_sub(0x7f) else {
        return vec![u8::try_from(text.len()).unwrap()];
    };
    let mut len = vec![0x7f];
    while more > 0x7f {
        len.push(u8::try_from(more & 0x7f).unwrap() | 0x80);
        more >>= 7;
    }
    len.push(u8::try_from(more).unwrap());
    len
}

/// Writes an HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    let mut frame = vec![len[1], len[2], len[3], kind, flags];
    frame.extend_from_slice(&stream);
    frame.extend_from_slice(payload);
    frame
}

/// Writes what a client sends first.
fn start_of_http2() -> Vec<u8> {
    const SETTINGS: u8 = 4;

    let settings = frame(SETTINGS, 0, 0, &[]);
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &*settings].concat()
}

/// Counts the streams that are answered in these frames.
fn refused(mut frames: &[u8]) -> usize {
    const HEADERS: u8 = 1;

    let mut answered = 0;
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        answered += usize::from(*kind == HEADERS);
        let len = u32::from_be_bytes([0, *a, *b, *c]);
        frames = rest
            .get(usize::try_from(len).unwrap()..)
            .unwrap_or_default();
    }
    answered
}

/// Writes the head of a form whose signature is well formed, with one header repeated so often. HTTP/2 needs a byte for
/// each repeat.
fn repeated_header(stream: u32, name: &str, value: &str, times: usize) -> Vec<u8> {
    // The header becomes the newest entry of the table, which is number 62.
    let mut field = literal(name, value);
    field[0] = 0x40;
    field.resize(field.len() + times, 0x80 | 0x3e);
    head_of_form(stream, "POST", "/a", &field)
}

/// Writes the head of a form whose signature is well formed, with more fields at its end.
fn head_of_form(stream: u32, method: &str, path: &str, more: &[u8]) -> Vec<u8> {
    const HEADERS: u8 = 1;
    const CONTINUATION: u8 = 9;
    const END_HEADERS: u8 = 4;

    let mut block = [
        literal(":method", method),
        literal(":scheme", "http"),
        literal(":path", path),
        literal(":authority", "a"),
        literal("content-type", FORM),
        literal(&SIGNATURE.to_lowercase(), FORGED),
    ]
    .concat();
    block.extend_from_slice(more);
    let parts: Vec<_> = block.chunks(16 * 1024).collect();
    let last = parts.len() - 1;
    let frames = parts.iter().enumerate().map(|(number, part)| {
        let kind = if number == 0 { HEADERS } else { CONTINUATION };
        frame(
            kind,
            if number == last { END_HEADERS } else { 0 },
            stream,
            part,
        )
    });
    frames.collect::<Vec<_>>().concat()
}

#[test]
fn large_heads_of_streams_count_towards_the_limit_on_all_bodies() {
    // Few headers, because a debug build of the crate `http` takes the square of their number. Each counts as 64 bytes.
    const HEADERS: usize = 1_000;

    in_child(GIVEN_BACK, || {
        let head = |stream| repeated_header(stream, "a", "", HEADERS);
        assert_heads_count(64 * HEADERS, head);
    });
}

#[test]
fn long_texts_and_many_names_in_heads_of_streams_count_with_the_memory_that_they_take() {
    // A target is in memory three times and other texts twice. A table has room for twice the names.
    let heads = [
        ("a target", 3 * 60_000),
        ("a header", 2 * 60_000),
        ("a name", 2 * 60_000),
        ("a method", 2 * 60_000),
        ("names", 1_000 * (512 + 64 + 2 * 4)),
    ];
    in_children(
        heads,
        |_| GIVEN_BACK,
        |(what, size)| {
            let long = "b".repeat(60_000);
            let names = (0..1_000).map(|number| literal(&format!("b{number:03}"), ""));
            let names = names.collect::<Vec<_>>().concat();
            let form = |stream, path: &str, more: &[u8]| head_of_form(stream, "POST", path, more);
            assert_heads_count(size, |stream| match what {
                "a target" => form(stream, &format!("/a?{long}"), &[]),
                "a header" => form(stream, "/a", &literal("b", &long)),
                "a name" => form(stream, "/a", &literal(&long, "")),
                "a method" => head_of_form(stream, &long, "/a", &[]),
                _ => form(stream, "/a", &names),
            });
        },
    );
}

/// Checks that requests with heads of this size wait for their bodies only as long as the limit on all bodies has room.
#[track_caller]
fn assert_heads_count(size: usize, head: impl Fn(u32) -> Vec<u8>) {
    System::new().block_on(async {
        let (streams, limit) = (100, MIB);
        // Two other headers and a name count, and 8 KiB are for a request anyway.
        let expected = 100 - limit / (size + 2_000 - 8 * 1024);
        let server = start(config().total_body_limit(limit).body_limit(limit / 2));
        let open = Cell::new(None);
        let flood = async {
            let mut connection = connect(server.address).await;
            connection.write_all(&start_of_http2()).await.unwrap();
            for number in 0..streams {
                let head = head(2 * number + 1);
                connection.write_all(&head).await.unwrap();
            }
            let mut answers = Vec::new();
            while refused(&answers) < expected {
                let more = timeout(PATIENCE, connection.read_buf(&mut answers)).await;
                assert!(
                    more.unwrap().unwrap() > 0,
                    "the server closed the connection"
                );
            }
            open.set(Some(connection));
            refused(&answers)
        };
        assert_eq!(flood.await, expected);
        ask(server.address).await;
        drop(open);
        server.stop().await;
    });
}

/// Headers to which proxies append, each with the shortest element that counts.
const LISTS: [(&str, &str); 3] = [
    ("x-forwarded-host", ","),
    ("x-forwarded-proto", "a,"),
    ("forwarded", ","),
];

#[test]
fn lists_in_repeated_forwarded_headers_are_not_split() {
    // Each comma of these 4 MB took 16 bytes, and the time to find it.
    const TIMES: usize = 1_000;

    in_children(
        LISTS,
        |_| GIVEN_BACK,
        |(name, part)| {
            System::new().block_on(async {
                let server = serve(config().explain_mismatches(true));
                ask_for("http://a/a", server.address).await;
                let before = resident().unwrap_or_default();
                forget_highest();
                let mut connection = connect(server.address).await;
                connection.write_all(&start_of_http2()).await.unwrap();
                let value = part.repeat(3_800 / part.len());
                let head = repeated_header(1, name, &value, TIMES);
                assert!(head.len() < 8 * 1024, "{}", head.len());
                connection.write_all(&head).await.unwrap();
                let mut answers = Vec::new();
                while refused(&answers) == 0 {
                    let more = timeout(PATIENCE, connection.read_buf(&mut answers)).await;
                    assert!(more.unwrap().unwrap() > 0, "{name}");
                }
                let took = highest().unwrap_or_default().saturating_sub(before);
                assert!(took < CONSTANT, "{name}: {took} bytes");
                ask_for("http://a/a", server.address).await;
                server.stop().await;
            });
        },
    );
}
