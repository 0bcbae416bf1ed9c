//! Nothing that an endpoint answers, or that a capture has, makes the tool take much time or memory.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, web};

use crate::support::{
    FORGED, GENUINE_ROWS, OK, ROWS, TOKEN, check, file, record, rows, run, run_with_input, serve,
    sign_text,
};

/// Listens on a free port, and gives each connection to `answer` with its number.
fn listen(answer: impl Fn(usize, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            answer(number, stream.unwrap());
        }
    });
    url
}

#[test]
fn deep_answer_is_shown_as_it_is() {
    let deep = "<a>".repeat(40_000);
    let body = deep.clone();
    let url = serve(move |app| {
        let body = body.clone();
        app.default_service(web::to(move || {
            std::future::ready(HttpResponse::Ok().body(body.clone()))
        }));
    });
    let output = run(&["send", "sms", &url]);
    assert_eq!(output.status, 0);
    assert!(output.stdout.ends_with(&format!("{deep}\n")));
    assert!(output.stdout.len() < 130_000, "{}", output.stdout.len());
}

#[test]
fn endless_answer_is_cut() {
    let url = listen(|_, mut stream| {
        let _request = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(&[b'<'; 4096]).is_ok() {}
    });
    let output = run(&["send", "sms", &url]);
    assert_eq!(output.status, 0);
    assert!(output.stdout.len() < 300_000, "{}", output.stdout.len());
}

#[test]
fn endless_head_is_no_answer() {
    let url = listen(|_, mut stream| {
        let _request = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        while stream.write_all(b"X-More: x\r\n").is_ok() {}
    });
    let output = run(&["send", "sms", &url]);
    assert_eq!((output.status, output.stdout.as_str()), (3, ""));
}

#[test]
fn interim_answers_and_trailers_without_an_end_are_cut() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n";
    for (start, rest, status) in [
        ("", "HTTP/1.1 100 Continue\r\n\r\n", 3),
        (chunked, "X: y\r\n", 1),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = sent.clone();
        let url = listen(move |_, mut stream| {
            let _request = stream.read(&mut [0; 4096]);
            stream.write_all(start.as_bytes()).unwrap();
            let rest = rest.repeat(1000);
            while stream.write_all(rest.as_bytes()).is_ok() {
                counted.fetch_add(rest.len(), Ordering::SeqCst);
            }
        });
        let output = run(&["send", "sms", &url]);
        assert_eq!(output.status, status, "{rest}: {}", output.stderr);
        // It read 4 MiB, and as much as the system allows was on its way.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 64 * 1024 * 1024, "{rest}: {sent}");
    }
}

#[test]
fn check_ends_when_requests_get_no_answer() {
    let (url, requests) = record([OK, "", "", "", OK, OK].to_vec());
    let (status, report) = check(&url, &[]);
    assert_eq!(status, 1);
    assert_eq!(report["stopped"], "3 requests got no answer");
    assert_eq!(rows(&report, "failed").len(), 3);
    assert_eq!(rows(&report, "left_out").len(), ROWS - 4);
    assert_eq!(requests.try_iter().count(), 4);
}

#[test]
fn app_that_ends_during_the_check_fails_the_row() {
    // The second request is the last one that is accepted.
    let (url, requests) = record([OK, ""].to_vec());
    let (status, report) = check(&url, &[]);
    assert_eq!(
        (status, rows(&report, "passed").len()),
        (1, 1),
        "{report:#}"
    );
    assert_eq!(rows(&report, "failed").len(), 3);
    assert_eq!(requests.try_iter().count(), 2);
}

#[test]
fn check_ends_when_its_time_is_over() {
    // The first request is answered. The others wait until the tool closes the connection.
    let url = listen(|number, mut stream| {
        if number == 0 {
            let _request = stream.read(&mut [0; 4096]);
            stream.write_all(OK.as_bytes()).unwrap();
        } else {
            let _closed = stream.read_to_end(&mut Vec::new());
        }
    });
    let started = Instant::now();
    let (status, report) = check(&url, &["--max-time", "1"]);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(status, 1);
    assert_eq!(report["stopped"], "the time of --max-time is over");
    assert_eq!(rows(&report, "passed").len(), 1);
    assert_eq!(report["rows"].as_array().unwrap().len(), ROWS);
}

#[test]
fn answer_whose_body_does_not_end_in_time_is_no_answer() {
    let url = listen(|_, mut stream| {
        let _request = stream.read(&mut [0; 4096]);
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx";
        stream.write_all(head).unwrap();
        let _closed = stream.read_to_end(&mut Vec::new());
    });
    let output = run(&["check", &url, "--max-time", "1"]);
    assert_eq!((output.status, output.stdout.as_str()), (3, ""));
    assert!(
        output.stderr.contains("did not answer in time"),
        "{output:?}"
    );
}

/// The number that `check --help` promises. With credentials, each row can take two requests.
#[test]
fn check_sends_few_requests() {
    const { assert!(ROWS * 2 <= 100 && GENUINE_ROWS < ROWS) };
    let help = run(&["check", "--help"]).stdout;
    assert!(help.contains("at most 100 requests"), "{help}");
}

#[test]
fn lines_of_another_program_end_the_reading() {
    let foreign = file("limits-foreign.txt", &"x\n".repeat(1_500));
    // The good line begins to count again.
    let lines = [
        &*"x\n".repeat(999),
        "{\"url\": \"http://h/\"}\n",
        &*"x\n".repeat(999),
    ]
    .concat();
    let mixed = file("limits-mixed.txt", &lines);
    for (path, shown, said) in [
        (
            &foreign,
            1_000,
            "none of 1000 lines in a row is a request, so the rest of",
        ),
        (&mixed, 1_999, "1998 lines are malformed"),
    ] {
        let output = run(&["verify", "--jsonl", path]);
        assert_eq!(output.status, 2, "{said}");
        assert_eq!(output.stdout.lines().count(), shown, "{said}");
        assert!(output.stderr.contains(said), "{}", output.stderr);
    }
    let output = run(&[
        "listen",
        "--forward-to",
        "http://127.0.0.1:1",
        "--replay",
        &foreign,
    ]);
    assert_eq!(output.status, 2);
    assert!(
        output
            .stderr
            .contains("none of 1000 lines in a row was written by `listen --save`")
    );
    assert_eq!(output.stderr.matches("is not sent").count(), 1_000);
    let one = file("limits-one.txt", "x\n");
    let output = run(&[
        "listen",
        "--forward-to",
        "http://127.0.0.1:1",
        "--replay",
        &one,
    ]);
    assert!(
        output.stderr.contains("1 line was not written by"),
        "{output:?}"
    );
}

#[test]
fn standard_output_is_not_a_file_to_write() {
    for (args, option) in [
        (
            &[
                "listen",
                "--forward-to",
                "http://127.0.0.1:1",
                "--port",
                "0",
                "--page-port",
                "0",
                "--save",
                "-",
            ][..],
            "--save",
        ),
        (&["check", "http://127.0.0.1:1", "--junit", "-"], "--junit"),
    ] {
        let output = run(args);
        assert_eq!((output.status, &*output.stdout), (2, ""), "{output:?}");
        assert!(
            output.stderr.contains(&format!("{option} needs a file")),
            "{output:?}"
        );
    }
}

#[test]
fn huge_captures_are_refused_or_explained_soon() {
    let started = Instant::now();
    let cases: &[(&[&str], usize, &str)] = &[
        (
            &["check", "https://h/", "--cacert"],
            70_000_000,
            "67108864 bytes",
        ),
        (
            &["sign", "https://h/", "--body"],
            3_000_000,
            "2097152 bytes",
        ),
        (
            &["verify", "https://h/", "--signature", FORGED, "--body"],
            3_000_000,
            "2097152 bytes",
        ),
        (
            &["check", "http://h/", "--json-body"],
            3_000_000,
            "2097152 bytes",
        ),
        (&["explain"], 3_000_000, "2097152 bytes"),
        (
            &["check", "http://h/", "--token-file"],
            2_000_000,
            "1048576 bytes",
        ),
    ];
    for (args, length, limit) in cases {
        let path = file("limits-too-long.txt", &"x".repeat(*length));
        let output = run(&[*args, &[&*path]].concat());
        assert_eq!(output.status, 2, "{args:?}");
        assert!(
            output
                .stderr
                .ends_with(&format!("is longer than {limit}\n")),
            "{output:?}"
        );
    }
    let tokens = file("limits-tokens.txt", &"marker-token\n".repeat(1001));
    let output = run_with_input(
        &["explain", "--try-tokens", &tokens, "-"],
        "GET / HTTP/1.1\nHost: h\n\n",
    );
    assert!(
        output.status == 2 && output.stderr.contains("more than 1000 tokens"),
        "{output:?}"
    );
    let headers = "X-Forwarded-Host: a,b,c\nX-Forwarded-Proto: https\n".repeat(10_000);
    let values = "a,".repeat(200_000);
    let form = "a=+1&".repeat(100_000);
    let capture = format!(
        "POST /m HTTP/1.1\nHost: h\nX-Twilio-Signature: {FORGED}\nForwarded: {values}\n{headers}\
         Content-Type: application/x-www-form-urlencoded\n\n{form}"
    );
    assert_eq!(run_with_input(&["explain", "-"], capture).status, 1);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn settings_are_tried_for_huge_requests_within_a_limit_that_is_said() {
    let explain = |length: usize| {
        let capture = format!(
            "POST /m HTTP/1.1\nHost: h\nX-Twilio-Signature: {FORGED}\nX-Forwarded-Host: a,b,c,d,e,f,g,h\n\
             Content-Type: application/x-www-form-urlencoded\n\na={}",
            "b".repeat(length)
        );
        let output = run_with_input(&["explain", "--format", "json", "-"], capture);
        assert_eq!(output.status, 1, "{output:?}");
        output.stdout.contains("not all settings were tried")
    };
    assert!(!explain(256 * 1024));
    assert!(explain(1024 * 1024));
}

/// What a field can't have is read, and not kept.
#[cfg(target_os = "linux")]
#[test]
fn a_line_of_json_takes_little_more_memory_than_its_text() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    use crate::support::peak;

    /// Nearly the longest line that is read.
    const LENGTH: usize = 2_000_000;
    let lines = [
        (r#""x":["#, "0,", "0]"),
        (r#""x":["#, "[],", "0]"),
        (r#""x":{"a":0"#, r#","a":0"#, "}"),
        (r#""tokens":["#, "0,", "0]"),
        (r#""tokens":["#, r#""","#, r#"""]"#),
        (r#""headers":{"a":["#, "0,", "0]}"),
        (r#""headers":{"a":["#, r#""","#, r#"""]}"#),
        (r#""headers":{"a":0"#, r#","a":"""#, "}"),
        (r#""headers":{"a":{"a":0"#, r#","a":"""#, "}}"),
    ]
    .map(|(start, part, end)| {
        let times = LENGTH / part.len();
        format!(
            r#"{{"url":"http://h/",{start}{}{end}}}"#,
            part.repeat(times)
        )
    });
    let many = |value: &str| -> String {
        let members: Vec<_> = (0..900).map(|n| format!(r#""{n:03}":{value},"#)).collect();
        members.concat()
    };
    let names = many(r#""""#);
    let object = format!("{{{names}\"a\":0}}");
    let objects = many(&object);
    let values = [r#""""#; 900].join(",");
    let name = "n".repeat(LENGTH / 16);
    let headers = [
        // Objects in objects, none of which has too many members.
        format!(r#""a":{{{objects}"a":0}},"b":{{{objects}"a":0}}"#),
        // Names that are compared with many others.
        format!(r#"{names}{}"a":"""#, r#""a":"","#.repeat(LENGTH / 7)),
        // A name that is copied for each of its values.
        format!(r#""{name}":[{values}]"#),
    ]
    .map(|headers| format!(r#"{{"url":"http://h/","headers":{{{headers}}}}}"#));
    for line in lines.into_iter().chain(headers) {
        let started = Instant::now();
        let start = line.get(..60).unwrap_or(&line);
        let mut child = Command::new(env!("CARGO_BIN_EXE_twilio-webhook"))
            .args(["verify", "--jsonl", "-"])
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
        let mut verdict = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut verdict).unwrap();
        let peak = peak(child.id());
        drop(input);
        child.wait().unwrap();
        assert!(verdict.starts_with('{'), "{start}: {verdict}");
        assert!(peak < 24 * 1024, "{start}: {peak} kB");
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_secs(20), "{start}: {elapsed:?}");
    }
}

/// Each start of a URL is looked at, and what follows it is looked through once for all of them.
#[test]
fn passwords_are_looked_for_in_long_texts_in_little_time() {
    let started = Instant::now();
    for part in ["sip:", "//u:p ", "://"] {
        let url = format!("http://h/{}", part.repeat(1_900_000 / part.len()));
        let signature = sign_text(TOKEN, &url);
        let line = serde_json::json!({ "url": url, "signature": signature }).to_string();
        let output = run_with_input(&["verify", "--jsonl", "-"], &line);
        assert_eq!(output.status, 0, "{part}");
        assert_eq!(run_with_input(&["explain", "-"], &line).status, 0, "{part}");
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n",
            part.repeat(60_000 / part.len())
        );
        let (url, _requests) = record(vec![answer.leak(); 100]);
        assert_eq!(check(&url, &[]).0, 1, "{part}");
    }
    assert!(started.elapsed() < Duration::from_secs(120));
}

/// A short element is a step, and each answer of a long walk may have thousands of them.
#[cfg(target_os = "linux")]
#[test]
fn the_json_of_a_walk_with_many_steps_takes_little_more_memory_than_its_text() {
    use std::process::{Command, Stdio};

    use crate::support::peak;

    for (command, element) in [
        (&["call"][..], "<Say/>"),
        (&["call"], "<a/>"),
        (&["text", "--say", "Hi"], "<Message>a</Message>"),
    ] {
        let elements = element.repeat(60_000 / element.len());
        let numbers = Arc::new(AtomicUsize::new(0));
        let url = serve(move |app| {
            let (elements, numbers) = (elements.clone(), numbers.clone());
            let handler = move || {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let twiml =
                    format!("<Response>{elements}<Redirect>/?n={number}</Redirect></Response>");
                std::future::ready(HttpResponse::Ok().content_type("text/xml").body(twiml))
            };
            app.default_service(web::to(handler));
        });
        let mut child = Command::new(env!("CARGO_BIN_EXE_twilio-webhook"))
            .args(command)
            .args([&*url, "--format", "json", "--max-steps", "20"])
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        // The tool waits until its output is read, so its memory can still be looked at.
        let mut json = vec![0; 1];
        output.read_exact(&mut json).unwrap();
        let peak = peak(child.id());
        output.read_to_end(&mut json).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{element}");
        let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(
            report["steps"].as_array().unwrap().len() > 1_000,
            "{element}"
        );
        let limit = 32 * 1024 + 3 * json.len() as u64 / 1024;
        assert!(
            peak < limit,
            "{element}: {peak} kB for {} bytes",
            json.len()
        );
    }
}

/// A control character is six times as long in JSON, and each message begins a new session with 50 requests.
#[test]
fn the_json_of_a_walk_ends_at_32_mib() {
    let numbers = Arc::new(AtomicUsize::new(0));
    let url = serve(move |app| {
        let numbers = numbers.clone();
        let handler = move || {
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            let to = "\u{7f}".repeat(63_000);
            let twiml = format!(
                "<Response><Message to='{to}'>a</Message><Redirect>/?n={number}</Redirect></Response>"
            );
            std::future::ready(HttpResponse::Ok().content_type("text/xml").body(twiml))
        };
        app.default_service(web::to(handler));
    });
    let args = [
        "text", &url, "--format", "json", "--say", "1", "--say", "2", "--say", "3",
    ];
    let output = run(&args);
    assert_eq!(output.status, 1, "{}", output.stderr);
    assert!(output.stdout.len() < 33 * 1024 * 1024);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let last = report["faults"].as_array().unwrap().last().unwrap();
    let message = last["message"].as_str().unwrap();
    assert!(message.contains("more than 32 MiB of JSON"), "{message}");
}
