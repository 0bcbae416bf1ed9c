//! Apps and clients that are down, slow or broken: each is shown as what it is, and the relay goes on.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener},
    sync::mpsc::channel,
};

use super::{GET, Listening, PATIENCE, answering, app, read_head};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn an_app_that_is_down_is_said_to_be_at_start_and_for_each_request() {
    // The system gives none of these ports to the other tests' apps.
    let address = (20_000..30_000)
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap();
    let listening = Listening::text(&format!("http://{address}"), &[]);
    listening.until("can't be reached");
    let answer = listening.send(b"POST /m HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("can't be reached") && !answer.contains("127.0.0.1"),
        "{answer}"
    );
    let lines = listening.until("Failed:");
    assert!(lines.contains("POST /m  502"), "{lines}");
    assert!(
        lines.contains("start it, or correct --forward-to"),
        "{lines}"
    );
    // It is reached as soon as it is there, at the same address.
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        stream.write_all(OK).unwrap();
    });
    assert!(listening.send(GET).ends_with("ok"));
}

#[test]
fn answers_that_are_none_get_a_502_that_says_so() {
    let cases: [(&[u8], &str, &str); 7] = [
        (b"", "closed", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nConte", "closed", "without an answer"),
        (b"SSH-2.0-OpenSSH\r\n", "garbage", "not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "garbage", "not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "garbage",
            "not HTTP",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "garbage",
            "not HTTP",
        ),
        (
            b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
            "garbage",
            "not HTTP",
        ),
    ];
    for (answer, kind, sentence) in cases {
        let listening = Listening::json(&answering(answer), &[]);
        for _ in 0..2 {
            let got = listening.send(GET);
            assert!(
                got.starts_with("HTTP/1.1 502 ") && got.contains(sentence),
                "{kind}: {got}"
            );
            let exchange = listening.exchange();
            assert_eq!(exchange["listen"]["failure"]["kind"], kind, "{exchange:#}");
            assert_eq!(
                exchange["listen"]["failure"]["garbage_b64"].is_null(),
                answer.is_empty()
            );
        }
    }
}

#[test]
fn answers_that_end_early_are_passed_on_and_named() {
    let cases: [(&[u8], &str); 4] = [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "in the middle",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "in the middle",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "in the middle",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef",
            "3 bytes follow",
        ),
    ];
    for (answer, problem) in cases {
        let listening = Listening::json(&answering(answer), &[]);
        let got = listening.send(GET);
        assert!(
            answer.starts_with(got.as_bytes()) && got.contains("abc"),
            "{got}"
        );
        let exchange = listening.exchange();
        let said = exchange["listen"]["answer"]["problem"].as_str().unwrap();
        assert!(said.contains(problem), "{said}");
    }
    let until_close = Listening::json(&answering(b"HTTP/1.0 200 OK\r\n\r\nabc"), &[]);
    assert!(until_close.send(GET).ends_with("\r\n\r\nabc"));
    assert_eq!(
        until_close.exchange()["listen"]["answer"]["problem"],
        serde_json::Value::Null
    );
}

#[test]
fn an_app_that_is_slower_than_twilio_waits_gets_a_504() {
    let silent = app(|mut stream| {
        read_head(&mut stream);
        let _closed = stream.read_to_end(&mut Vec::new());
    });
    let listening = Listening::text(&silent, &["--answer-timeout", "0.2"]);
    let mut client = listening.connect();
    client.write_all(GET).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"),
        "{answer}"
    );
    let lines = listening.until("Failed:");
    assert!(
        lines.contains("GET /a  504") && lines.contains("did not answer within 0.2 s"),
        "{lines}"
    );
    // The time counts from the end of the request: a slow client is not a slow app.
    let echo = app(|mut stream| {
        read_head(&mut stream);
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(OK).unwrap();
    });
    let listening = Listening::json(&echo, &["--answer-timeout", "0.2"]);
    let mut client = listening.connect();
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n")
        .unwrap();
    client
        .set_read_timeout(Some(std::time::Duration::from_millis(500)))
        .unwrap();
    assert!(
        client.read(&mut [0]).is_err(),
        "it did not wait for the body"
    );
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"hello").unwrap();
    assert!(read_head(&mut client).starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn requests_whose_end_is_ambiguous_do_not_reach_the_app() {
    let (sender, received) = channel();
    let recording = app(move |mut stream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        if !bytes.is_empty() {
            sender.send(bytes).unwrap();
        }
    });
    let listening = Listening::json(&recording, &[]);
    for headers in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3, 3",
        "Content-Length: 0x3",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "X: y\nContent-Length: 3",
        "X: y\r\n folded",
    ] {
        let request = format!(
            "POST /m HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
        );
        let answer = listening.send(request.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{headers}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert_eq!(
            listening.exchange()["listen"]["failure"]["kind"],
            "not_forwarded",
            "{headers}"
        );
    }
    let tls = listening.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert!(tls.contains("http://, not https://"), "{tls}");
    assert!(received.try_recv().is_err());
}

/// The requests before the one that is refused are answered, and nothing after it is read.
#[test]
fn a_chunk_that_is_malformed_ends_the_connection() {
    let recording = app(|mut stream| {
        read_head(&mut stream);
        stream.write_all(OK).unwrap();
        let _closed = stream.read_to_end(&mut Vec::new());
    });
    let listening = Listening::json(&recording, &[]);
    let request = [
        GET,
        b"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
        b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
    ];
    let answer = listening.send(&request.concat());
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("HTTP/1.1 400 Bad Request"), "{answer}");
    assert_eq!(listening.exchange()["listen"]["status"], 200);
    let refused = listening.exchange();
    assert_eq!(
        (&refused["listen"]["target"], &refused["listen"]["status"]),
        (&"/b".into(), &400.into())
    );
}

#[test]
fn an_answer_before_the_end_of_the_request_reaches_the_client() {
    let early = app(|mut stream| {
        read_head(&mut stream);
        stream
            .write_all(
                b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig",
            )
            .unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _rest = stream.read(&mut [0; 10]);
    });
    let listening = Listening::json(&early, &[]);
    let mut client = listening.connect();
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc")
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("big"), "{answer}");
    let exchange = listening.exchange();
    assert_eq!(
        (&exchange["listen"]["status"], &exchange["listen"]["whole"]),
        (&413.into(), &false.into())
    );
    assert!(exchange["listen"]["verdict"].is_null());
}

#[test]
fn clients_that_go_away_leave_the_relay_running() {
    let slow = app(|mut stream| {
        if read_head(&mut stream).starts_with("GET /a ") {
            let _ = stream.write_all(OK);
        } else {
            let _closed = stream.read_to_end(&mut Vec::new());
        }
    });
    let listening = Listening::json(&slow, &["--answer-timeout", "0.2"]);
    for sent in [
        "",
        "G",
        "POST / HTTP/1.1\r\nHost",
        "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
    ] {
        let mut client = listening.connect();
        client.write_all(sent.as_bytes()).unwrap();
        drop(client);
    }
    assert!(listening.send(GET).ends_with("ok"));
    let mut seen = Vec::new();
    while seen.last() != Some(&200) {
        seen.push(listening.exchange()["listen"]["status"].as_u64().unwrap());
    }
    assert!(seen.len() <= 4, "{seen:?}");
}

/// A head that arrives byte by byte, and an answer that is read slowly, are passed on.
#[test]
fn slow_clients_are_served() {
    let big = app(|mut stream| {
        read_head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")
            .unwrap();
        stream.write_all(&vec![b'x'; 3_000_000]).unwrap();
    });
    let listening = Listening::json(&big, &[]);
    let mut client = listening.connect();
    for byte in GET {
        client.write_all(&[*byte]).unwrap();
    }
    read_head(&mut client);
    let mut read = 0;
    while read < 3_000_000 {
        read += client.read(&mut [0; 777]).unwrap();
    }
    let exchange = listening.exchange();
    assert_eq!(exchange["listen"]["answer"]["body_length"], 3_000_000);
    assert_eq!(
        exchange["listen"]["answer"]["body"].as_str().unwrap().len(),
        64 * 1024
    );
}

#[test]
fn wrong_usage_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["--forward-to", "https://h"], "without TLS"),
        (&["--forward-to", "localhost:8080"], "starts with http://"),
        (
            &["--forward-to", "http://h/path"],
            "paths are passed on unchanged",
        ),
        (&["--forward-to", "http://u:p@h"], "host and a port alone"),
        (&["--forward-to", "http://127.0.0.1:99999"], "up to 65535"),
        (
            &["--forward-to", "http://127.0.0.1:1", "--port", &port],
            "pass another port with --port",
        ),
        (
            &[
                "--forward-to",
                "http://127.0.0.1:1",
                "--port",
                "0",
                "--page-port",
                &port,
            ],
            "with --page-port",
        ),
        (
            &[
                "--forward-to",
                "http://127.0.0.1:1",
                "--public-url",
                "example.com",
            ],
            "URL",
        ),
        (
            &[
                "--forward-to",
                "http://127.0.0.1:1",
                "--port",
                "0",
                "--save",
                "/",
            ],
            "cannot write /",
        ),
        (
            &[
                "--forward-to",
                "http://127.0.0.1:1",
                "--replay",
                "/nonexistent",
            ],
            "cannot read",
        ),
    ];
    for (args, text) in cases {
        let output = crate::support::run(&[&["listen"], *args].concat());
        assert_eq!(output.status, 2, "{args:?}: {output:?}");
        assert!(output.stderr.contains(text), "{args:?}: {output:?}");
    }
}
