//! Connections that break off, carry many requests, or see the server end.

use std::time::Duration;

use actix_twilio_tests::{
    FORGED, FORM,
    client::{soon, talk},
    config, hashed, sign_text,
};
use actix_web::rt::spawn;
use futures_util::future::join_all;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::server::{BASE, Server, TIME, assert_no_panics, chunked, form, post, rest};

#[actix_web::test]
async fn half_open_and_reset_connections_do_no_harm() {
    let server = Server::start(config().body_timeout(TIME));
    let genuine = form("/a", "a=1");
    let (head, _) = genuine.split_at(genuine.find("a=1").unwrap());
    let mut open = Vec::new();
    for (name, text) in [
        ("nothing", ""),
        ("half a head", genuine.split_at(40).0),
        ("a head", head),
        ("half a body", genuine.strip_suffix('1').unwrap()),
    ] {
        for number in 0..100 {
            let mut connection = server.connect().await;
            connection.write_all(text.as_bytes()).await.unwrap();
            if number % 2 == 0 {
                open.push((name, connection));
            } else {
                // Closing sends a reset.
                connection.set_zero_linger().unwrap();
            }
        }
        server.assert_goes_on(name).await;
    }
    // The server ends what nobody goes on with.
    let ends = open
        .iter_mut()
        .map(async |(name, open)| (*name, rest(name, open).await));
    for (name, answers) in join_all(ends).await {
        assert!(
            answers == [408] || (name == "nothing" && answers.is_empty()),
            "{name}: {answers:?}"
        );
    }
    server.assert_goes_on("after all").await;
    server.stop().await;
    assert_no_panics();
}

#[actix_web::test]
async fn pipelined_requests_are_judged_one_by_one() {
    let server = Server::start(config());
    let genuine = form("/a", "a=1");
    let replayed = genuine.replace("/a HTTP", "/b HTTP");
    let forged = post("/a", FORM, FORGED, "a=1");
    let in_chunks = chunked("/c", "a=1&b=2", 2, "");
    let json_url = hashed(&format!("{BASE}/j?x=1"), "{}");
    let target = json_url.strip_prefix(BASE).unwrap();
    let json = |body| post(target, "application/json", &sign_text(&json_url), body);
    let all = [
        (&genuine, 200),
        (&forged, 403),
        (&in_chunks, 200),
        (&replayed, 403),
        (&json("{}"), 200),
        (&json("[]"), 403),
        (&genuine, 200),
    ];
    let text: String = all.iter().map(|(text, _)| text.as_str()).collect();
    let expected: Vec<_> = all.iter().map(|(_, status)| *status).collect();
    let texts = [
        format!("{BASE}/aa1"),
        format!("{BASE}/ca1b2"),
        format!("{json_url} b\"{{}}\""),
        format!("{BASE}/aa1"),
    ];
    assert_eq!(server.send("at once", &text).await, expected);
    assert_eq!(server.reached(), texts);
    for size in [1, 7, 100] {
        let name = format!("pieces of {size}");
        let answers = server.send_pieces(&name, &text, size).await;
        // actix may close early, after an answer that is ready when the next request's body is on its way.
        assert!(!answers.is_empty(), "{name}");
        assert!(expected.starts_with(&answers), "{name}: {answers:?}");
        let passed = answers.iter().filter(|status| **status == 200).count();
        let reached = server.reached();
        assert!(reached.len() >= passed, "{name}: {reached:?}");
        assert!(texts.starts_with(&reached), "{name}: {reached:?}");
    }
    server.stop().await;
    assert_no_panics();
}

#[actix_web::test]
async fn refusals_by_headers_leave_the_connection_open() {
    let server = Server::start(config());
    for signature in ["", "forged"] {
        let mut connection = server.connect().await;
        for (request, status) in [
            (post("/a", FORM, signature, "a=1"), "403"),
            (form("/a", "a=1"), "200"),
        ] {
            let answer = talk(signature, &mut connection, &request).await;
            assert_eq!(answer.get(9..12), Some(status), "{signature:?}: {answer}");
        }
    }
    server.stop().await;
    assert_no_panics();
}

#[actix_web::test]
async fn shutdown_in_the_middle_of_a_body_judges_it_or_breaks_it_off() {
    for graceful in [true, false] {
        let server = Server::start(config().body_timeout(Duration::from_secs(3)));
        let genuine = form("/a", "a=1");
        let (begun, end) = genuine.split_at(genuine.len() - 1);
        let forged = post("/a", FORM, FORGED, "a=1");
        let mut connections = Vec::new();
        // One goes on after the shutdown began, one was never genuine, and one falls silent.
        for begun in [begun, forged.split_at(forged.len() - 1).0, begun] {
            let mut connection = server.connect().await;
            connection.write_all(begun.as_bytes()).await.unwrap();
            connections.push(connection);
        }
        // All of them have been accepted: they came before this one.
        server.assert_goes_on("before the shutdown").await;
        let stop = spawn(server.server.handle.stop(graceful));
        tokio::task::yield_now().await;
        for connection in connections.iter_mut().take(2) {
            let _ = connection.write_all(end.as_bytes()).await;
            let _ = connection.shutdown().await;
        }
        let answers = join_all(connections.iter_mut().map(|one| rest("shutdown", one))).await;
        soon("shutdown", stop).await.unwrap();
        let reached = server.reached();
        let passed = usize::from(answers.first().unwrap() == &[200]);
        assert!(passed == 1 || !graceful, "graceful: {answers:?}");
        assert_eq!(reached, vec![format!("{BASE}/aa1"); passed], "{answers:?}");
        for answers in answers.iter().skip(1) {
            let refused = answers.is_empty() || answers == &[403] || answers == &[408];
            assert!(refused, "{answers:?}");
        }
        assert!(
            TcpStream::connect(server.server.address).await.is_err(),
            "it is down"
        );
    }
    assert_no_panics();
}
