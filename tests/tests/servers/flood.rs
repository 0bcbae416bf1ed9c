//! A flood of forged requests: what it costs in memory, and that genuine requests are answered meanwhile.
//!
//! It has a process of its own, so that nothing else uses memory there.

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use actix_twilio::validate_twilio_request;
use actix_twilio_tests::{
    FORGED, FORM,
    client::{self, connect, statuses},
    config, in_child,
    memory::{GIVEN_BACK, resident},
    server::{LOOPBACK, Server},
    sign_form,
};
use actix_web::{
    App,
    rt::{
        System,
        time::{sleep, timeout},
    },
    web::{self, Data},
};
use futures_util::future::join_all;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Connections at a time.
const CONNECTIONS: usize = 100;

/// Bytes in the largest body.
const LIMIT: usize = 1024 * 1024;

/// Bytes that a flood takes at most beyond `CONNECTIONS` times `LIMIT`, and that may stay when it is over. Most of it
/// is actix's: 128 KiB to read into for each connection, and as much with each of the 256 requests that a worker
/// keeps to use them again.
const CONSTANT: usize = 32 * 1024 * 1024;

/// The time in which a genuine request is answered, whatever else goes on.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until memory is as wanted.
async fn until(wanted: impl Fn(usize) -> bool) {
    let start = Instant::now();
    while let Some(resident) = resident().filter(|resident| !wanted(*resident)) {
        assert!(start.elapsed() < PATIENCE, "memory stays at {resident}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn head(signature: &str, framing: &str) -> String {
    format!(
        "POST /a HTTP/1.1\r\nHost: a\r\nX-Twilio-Signature: {signature}\r\n\
         Content-Type: {FORM}\r\n{framing}\r\n\r\n"
    )
}

/// Reads an answer to its end, and returns its status.
async fn answer(connection: &mut TcpStream) -> u16 {
    let text = timeout(PATIENCE, client::answer(connection)).await.unwrap();
    assert!(client::is_complete(text.as_bytes()), "cut off: {text:?}");
    *statuses(&text).first().unwrap()
}

#[test]
fn flood_of_forged_requests_takes_bounded_memory_and_keeps_no_one_waiting() {
    in_child(GIVEN_BACK, || System::new().block_on(flood()));
}

/// Starts a server of a single worker, whose handler counts how often it runs.
fn start(runs: Data<AtomicUsize>) -> Server {
    #[validate_twilio_request]
    async fn count(runs: Data<AtomicUsize>) -> &'static str {
        runs.fetch_add(1, Ordering::SeqCst);
        "genuine"
    }

    let config = config()
        .public_url("https://example.com")
        .unwrap()
        .body_limit(LIMIT)
        .body_timeout(Duration::from_secs(600))
        .build()
        .unwrap();
    let app = move || {
        App::new()
            .app_data(config.clone())
            .app_data(runs.clone())
            .route("/a", web::post().to(count))
    };
    // On a busy machine this test is a slow client.
    Server::start_with(app, |server| {
        server
            .client_request_timeout(PATIENCE)
            .keep_alive(PATIENCE)
            .bind(LOOPBACK)
    })
}

/// Sends forged bodies of the largest size over all connections at once, by length and in chunks, but waits with their
/// last bytes until the server has them all. Returns the statuses.
async fn send_large_bodies(address: SocketAddr, before: usize) -> Vec<u16> {
    let body = "a".repeat(LIMIT - 1);
    let by_length = head(FORGED, &format!("Content-Length: {LIMIT}"));
    let in_chunks = head(FORGED, "Transfer-Encoding: chunked") + &format!("{LIMIT:x}\r\n");
    let ways = [(&by_length, "a"), (&in_chunks, "a\r\n0\r\n\r\n")];
    let mut open = join_all((0..CONNECTIONS).map(async |number| {
        let (head, _) = ways[number % 2];
        let mut connection = connect(address).await;
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(body.as_bytes()).await.unwrap();
        connection
    }))
    .await;
    until(|resident| resident >= before + CONNECTIONS * LIMIT * 9 / 10).await;
    for (number, connection) in open.iter_mut().enumerate() {
        let (_, end) = ways[number % 2];
        connection.write_all(end.as_bytes()).await.unwrap();
    }
    join_all(open.iter_mut().map(answer)).await
}

/// Sends many small forged bodies over each of some connections, and at last one that is too long.
async fn send_small_bodies(address: SocketAddr) {
    let small = head(FORGED, "Content-Length: 3") + "a=1";
    let too_long = head(FORGED, &format!("Content-Length: {}", LIMIT + 1));
    join_all((0..50).map(async |_| {
        let mut connection = connect(address).await;
        for _ in 0..100 {
            connection.write_all(small.as_bytes()).await.unwrap();
            assert_eq!(answer(&mut connection).await, 403);
        }
        connection.write_all(too_long.as_bytes()).await.unwrap();
        assert_eq!(answer(&mut connection).await, 413);
    }))
    .await;
}

async fn flood() {
    let runs = Data::new(AtomicUsize::new(0));
    let server = start(runs.clone());
    let address = server.address;
    let signature = sign_form("https://example.com/a", "a=1");
    let genuine = head(&signature, "Content-Length: 3") + "a=1";
    let genuine = genuine.as_bytes();
    let asked = AtomicUsize::new(0);
    let longest = AtomicUsize::new(0);
    let ask = async || {
        let start = Instant::now();
        let mut connection = connect(address).await;
        connection.write_all(genuine).await.unwrap();
        assert_eq!(answer(&mut connection).await, 200);
        asked.fetch_add(1, Ordering::SeqCst);
        let time = start.elapsed().as_millis().try_into().unwrap();
        longest.fetch_max(time, Ordering::SeqCst);
    };
    // What is made once is made first.
    for _ in 0..20 {
        ask().await;
    }
    let before = resident().unwrap_or_else(|| {
        println!("not measured: this system does not tell a process its memory");
        0
    });
    let most = before + CONNECTIONS * LIMIT + CONSTANT;
    println!("before: {} KiB", before / 1024);
    for round in 1..=2 {
        let mut highest = 0;
        let ended = Cell::new(false);
        let meanwhile = async {
            while !ended.get() {
                ask().await;
                let resident = resident().unwrap_or_default();
                highest = highest.max(resident);
                assert!(
                    resident <= most,
                    "round {round}: {resident} of {most} bytes"
                );
            }
        };
        let flood = async {
            let large = send_large_bodies(address, before);
            let answers = tokio::join!(large, send_small_bodies(address)).0;
            ended.set(true);
            answers
        };
        let (answers, ()) = tokio::join!(flood, meanwhile);
        assert!(answers.iter().all(|status| *status == 403), "{answers:?}");
        println!("round {round}: {} KiB at most", highest / 1024);
        until(|resident| resident <= before + CONSTANT).await;
        println!(
            "after round {round}: {} KiB",
            resident().unwrap_or_default() / 1024
        );
    }
    let [asked, longest] = [asked, longest].map(AtomicUsize::into_inner);
    println!("{asked} genuine requests were answered, each within {longest} ms");
    assert_eq!(runs.load(Ordering::SeqCst), asked);
    server.stop().await;
}
