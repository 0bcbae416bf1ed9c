//! Requests with bytes changed at random.

use actix_twilio_tests::{FORGED, FORM, config, hashed, sign_text};
use futures_util::{StreamExt, stream};
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::server::{BASE, LIMIT, Server, assert_no_panics, chunked, form, form_text, post};

/// What mutations put in.
const PIECES: [&str; 22] = [
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    "\0",
    "\u{ff}",
    " ",
    "%",
    "&",
    "=",
    "0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 18446744073709551616\r\n",
    "Content-Encoding: gzip\r\n",
    "Expect: 100-continue\r\n",
    "Connection: close, upgrade\r\n",
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a2V5\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

/// Changes a text in one of the ways in which requests are smuggled, cut and garbled.
fn mutate(text: &mut Vec<u8>, others: &[String], rng: &mut SmallRng) {
    let at = rng.random_range(0..=text.len());
    let end = rng.random_range(at..=text.len().min(at + 64));
    let line = text[..at].windows(2).rposition(|pair| pair == b"\r\n");
    let line = line.map_or(0, |end| end + 2);
    let piece = PIECES.choose(rng).unwrap().as_bytes();
    match rng.random_range(0..9) {
        0 => text.truncate(at),
        1 => drop(text.drain(at..end)),
        2 => drop(text.splice(at..at, piece.iter().copied())),
        // Most pieces are lines of a head.
        3 | 4 => drop(text.splice(line..line, piece.iter().copied())),
        5 => {
            let copied = text[at..end].to_vec();
            drop(text.splice(at..at, copied));
        }
        6 => text[at..end]
            .iter_mut()
            .for_each(|byte| *byte ^= 1 << rng.random_range(0..8)),
        7 => text.extend_from_slice(others.choose(rng).unwrap().as_bytes()),
        _ => {
            let other = others.choose(rng).unwrap().as_bytes();
            let from = rng.random_range(0..other.len());
            drop(text.splice(at..end, other[from..].iter().copied()));
        }
    }
}

/// The cases that [`garbled_bytes_reach_no_handler_and_end_no_worker`] runs; a longer run sets `FUZZ_CASES`.
fn fuzz_cases() -> u64 {
    let cases = std::env::var("FUZZ_CASES").ok();
    cases.map_or(2_000, |cases| cases.parse().unwrap())
}

#[actix_web::test]
async fn garbled_bytes_reach_no_handler_and_end_no_worker() {
    let server = Server::start(config().body_limit(LIMIT));
    let json_url = hashed(&format!("{BASE}/j?x=1"), "{}");
    let target = json_url.strip_prefix(BASE).unwrap();
    let get = |target: &str, signature: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: a\r\nX-Twilio-Signature: {signature}\r\n\r\n")
    };
    let requests = [
        form("/f?x=1", "From=%2B1&Body=a+b&A=&A=1"),
        chunked("/c", "a=1&b=2", 3, ";x=y"),
        post(target, "application/json", &sign_text(&json_url), "{}"),
        get("/g?a=1", &sign_text(&format!("{BASE}/g?a=1"))),
        post("/forged", FORM, FORGED, "a=1"),
        get("/forged", FORGED),
        get("/forged", FORGED).replace("Host: a\r\n", &format!("Host: a\r\n{}", PIECES[20])),
    ];
    let genuine = [
        form_text("/f?x=1", "From=%2B1&Body=a+b&A=&A=1"),
        form_text("/c", "a=1&b=2"),
        format!("{json_url} b\"{{}}\""),
        format!("{BASE}/g?a=1"),
    ];
    let sent: Vec<Vec<u8>> = (0..fuzz_cases())
        .map(|seed| {
            let mut rng = SmallRng::seed_from_u64(seed);
            if seed % 20 == 0 {
                let mut bytes = vec![0; rng.random_range(1..2048)];
                rng.fill_bytes(&mut bytes);
                return bytes;
            }
            let mut text = requests.choose(&mut rng).unwrap().clone().into_bytes();
            for _ in 0..rng.random_range(1..4) {
                mutate(&mut text, &requests, &mut rng);
            }
            text
        })
        .collect();
    let (mut passed, mut refused) = (0, 0);
    for (number, batch) in sent.chunks(100).enumerate() {
        let name = &format!("seeds from {}", number * 100);
        let answers: Vec<_> = stream::iter(batch)
            .map(|bytes| server.send_last(name, bytes))
            .buffer_unordered(20)
            .collect()
            .await;
        for text in server.reached() {
            assert!(genuine.contains(&text), "{name}: {text}");
            passed += 1;
        }
        refused += answers
            .concat()
            .iter()
            .filter(|status| **status != 200)
            .count();
        for status in answers.concat() {
            assert!(
                [200, 400, 403, 408, 413, 415, 431].contains(&status),
                "{name}: {status}"
            );
        }
        server.assert_goes_on(name).await;
        assert_no_panics();
    }
    // Some of them must be close enough to be worth the trouble.
    assert!(
        passed * 20 > sent.len() && refused * 4 > sent.len(),
        "{passed} {refused}"
    );
    println!("{} cases, {passed} passed, {refused} refused", sent.len());
    server.stop().await;
}
