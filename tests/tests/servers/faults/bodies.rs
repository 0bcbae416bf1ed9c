//! Bodies that are slow, large, broken off, or in odd chunks.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use actix_twilio_tests::{client::soon, config};
use actix_web::rt::time::interval;
use futures_util::future::{join_all, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::{
    LIMIT, Server, TIME, assert_no_panics, assert_unanswered, chunked, form, form_text, rest,
};

#[actix_web::test]
async fn slow_bodies_are_cut_off_and_hold_no_worker() {
    // Long enough for all to be on their way, and for another request meanwhile.
    let time = 6 * TIME;
    let server = Server::start(config().body_timeout(time));
    let begun = form("/slow", "a=1").replace("Length: 3", "Length: 4");
    let start = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut connection = server.connect().await;
        connection.write_all(begun.as_bytes()).await.unwrap();
        slow.push(connection);
    }
    server.assert_goes_on("while 300 are slow").await;
    assert_unanswered("while 300 are slow", &slow);
    for answers in join_all(slow.iter_mut().map(|slow| rest("slow", slow))).await {
        assert_eq!(answers, [408]);
    }
    assert!(start.elapsed() >= time, "none was cut off early");
    server.assert_goes_on("after 300 were slow").await;
    assert!(server.reached().is_empty());
    server.stop().await;
    assert_no_panics();
}

#[actix_web::test]
async fn bodies_that_never_pause_are_cut_off_too() {
    let in_chunks = chunked("/drip", "a=1", 3, ";x=");
    let long = form("/drip", &format!("a={}", "b".repeat(1 << 17)));
    for (name, text, end, piece) in [
        ("a byte at a time", &long, "a=bb", &b"b"[..]),
        (
            "an extension without an end",
            &in_chunks,
            "\r\na=1",
            &[b'x'; 4096],
        ),
    ] {
        let server = Server::start(config().body_timeout(TIME));
        let (begun, _) = text.split_once(end).unwrap();
        let mut dripping = server.connect().await;
        let start = Instant::now();
        dripping.write_all(begun.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = dripping.split();
        let mut pace = interval(Duration::from_millis(5));
        let drip = async {
            while writer.write_all(piece).await.is_ok() {
                pace.tick().await;
            }
        };
        let mut answer = [0; 12];
        let read = async { reader.read_exact(&mut answer).await.unwrap() };
        soon(name, select(pin!(drip), pin!(read))).await;
        assert_eq!(&answer, b"HTTP/1.1 408", "{name}");
        assert!(start.elapsed() >= TIME, "{name}: a body has its time");
        assert!(server.reached().is_empty(), "{name}");
        server.stop().await;
    }
    assert_no_panics();
}

#[actix_web::test]
async fn chunks_are_bounded_with_all_their_extensions() {
    let server = Server::start(config().body_limit(LIMIT));
    let body = format!("a={}", "b".repeat(LIMIT - 2));
    let over = format!("{body}b");
    let tiny = |body, extension: &str| chunked("/c", body, 1, extension);
    let cases = [
        ("tiny", tiny(&body, ""), 200),
        ("tiny, over the limit", tiny(&over, ""), 413),
        ("with an extension", tiny(&body, ";a=b"), 200),
        ("with a quoted extension", tiny(&body, ";a=\"b;c\""), 200),
        (
            "with an extension, over the limit",
            tiny(&over, ";a=b"),
            413,
        ),
        (
            "with a request in an extension",
            tiny("a=1", ";GET / HTTP/1.1"),
            200,
        ),
        (
            "with a long extension",
            tiny("a=1", &format!(";a={}", "x".repeat(200_000))),
            200,
        ),
        ("with a return in an extension", tiny("a=1", ";a\rb"), 403),
        ("in one piece", chunked("/c", &body, LIMIT, ""), 200),
        (
            "of a size beyond 64 bits",
            tiny("a=1", "").replacen("\r\n1\r\n", "\r\n10000000000000001\r\n", 1),
            403,
        ),
        (
            "of a size with a sign",
            tiny("a=1", "").replacen("\r\n1\r\n", "\r\n+1\r\n", 1),
            403,
        ),
    ];
    for (name, text, status) in cases {
        let answers = server.send(name, &text).await;
        assert_eq!(answers.first(), Some(&status), "{name}: {answers:?}");
        let reached = server.reached();
        assert_eq!(
            reached.len(),
            usize::from(status == 200),
            "{name}: {reached:?}"
        );
        server.assert_goes_on(name).await;
    }
    server.stop().await;
    assert_no_panics();
}

#[actix_web::test]
async fn ten_thousand_parameters_are_validated() {
    let server = Server::start(config());
    let names = |number: usize| format!("Name{}={number}", number * 7919 % 10_000);
    let many: Vec<_> = (0..10_000).map(names).collect();
    let same_name: Vec<_> = (0..10_000).map(|number| format!("a={number}")).collect();
    let same: Vec<_> = (0..10_000).map(|_| "a=1".to_owned()).collect();
    let empty: Vec<_> = (0..10_000).map(|_| String::new()).collect();
    for (name, pairs) in [
        ("names", many),
        ("values", same_name),
        ("pairs", same),
        ("empty", empty),
    ] {
        let body = pairs.join("&");
        let text = form("/many", &body);
        let backwards: Vec<_> = pairs.iter().rev().map(String::as_str).collect();
        let reordered = text.replace(&body, &backwards.join("&"));
        for text in [&text, &reordered] {
            assert_eq!(server.send(name, text).await, [200], "{name}");
            assert_eq!(server.reached(), [form_text("/many", &body)], "{name}");
        }
        let changed = text.replace(
            &body,
            &format!(
                "{}b",
                body.strip_suffix(['&', '1', '9', '0']).unwrap_or(&body)
            ),
        );
        assert_eq!(server.send(name, &changed).await, [403], "{name}");
        assert!(server.reached().is_empty(), "{name}");
    }
    server.stop().await;
    assert_no_panics();
}
