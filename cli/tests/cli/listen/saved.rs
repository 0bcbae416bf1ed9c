//! What `listen` saves can be sent again, verified and explained.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::PathBuf,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{GET, Listening, PATIENCE, answering, app, read_head};
use crate::support::{FORGED, Output, run, run_with_input, sign_text};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Returns the path of a file that is not there.
fn path(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path.to_str().unwrap().to_owned()
}

/// Starts an app that takes one request of these lengths on each connection, answers it, and sends it back.
fn recording(lengths: Vec<usize>) -> (String, Receiver<Vec<u8>>) {
    let (sender, received) = channel();
    let mut lengths = lengths.into_iter().cycle();
    let url = app(move |mut stream| {
        let mut request = vec![0; lengths.next().unwrap()];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(OK).unwrap();
        sender.send(request).unwrap();
    });
    (url, received)
}

/// Requests with all that is lost where bytes are not kept as they are.
fn requests() -> Vec<Vec<u8>> {
    let signature = sign_text(crate::support::TOKEN, "http://h/a");
    vec![
        format!("GET /a HTTP/1.1\r\nhOsT:h\r\nX-twilio-SIGNATURE:  {signature} \r\nCookie: a\r\ncookie: b\r\n\r\n").into(),
        b"POST /b?c='d HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\xff\x00\r\n".into(),
        b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n00002;x\r\nab\r\n1\r\nc\r\n0\r\nT: v\r\n\r\n".into(),
        format!("GET /d HTTP/1.1\r\nHost: h\r\nX-Latin: caf\u{e9}\r\nX-Twilio-Signature: {FORGED}\r\n\r\n").into(),
    ]
}

/// Lets requests through with `--save`, and returns the lines of the file.
fn save(app: &str, file: &str, requests: &[Vec<u8>]) -> Vec<String> {
    let listening = Listening::json(app, &["--save", file]);
    for request in requests {
        listening.send(request);
        listening.exchange();
    }
    // The line in the file may come a little later than the one on the terminal.
    loop {
        let text = fs::read_to_string(file).unwrap();
        let lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        if lines.len() >= requests.len() && text.ends_with('\n') {
            return lines;
        }
        thread::yield_now();
    }
}

fn replay(app: &str, file: &str) -> Output {
    run(&["listen", "--forward-to", app, "--replay", file])
}

#[test]
fn saved_requests_are_sent_again_byte_for_byte() {
    let requests = requests();
    let file = path("listen_saved.jsonl");
    let (app, received) = recording(requests.iter().map(Vec::len).collect());
    let lines = save(&app, &file, &requests);
    assert_eq!(lines.len(), requests.len());
    let output = replay(&app, &file);
    assert_eq!(output.status, 0, "{output:?}");
    for request in requests.iter().chain(&requests) {
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), *request);
    }
    assert!(
        output.stdout.contains("#1 other  GET /a  200"),
        "{output:?}"
    );
    assert!(
        output
            .stdout
            .contains("Source:      replayed here, from #4"),
        "{output:?}"
    );
}

/// Only the first one would be shown.
#[test]
fn a_line_with_two_requests_or_a_part_of_one_is_not_sent() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (app, received) = recording(vec![GET.len()]);
    let second = b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n";
    let requests = [
        GET.to_vec(),
        [GET, second].concat(),
        GET[..GET.len() - 2].to_vec(),
    ];
    let line = |bytes: &Vec<u8>| {
        let bytes = BASE64_STANDARD.encode(bytes);
        format!(r#"{{"id": 1, "listen": {{"whole": true, "request_b64": "{bytes}"}}}}"#)
    };
    let lines = requests.iter().map(line).collect::<Vec<_>>().join("\n");
    let output = replay(&app, &crate::support::file("listen_two.jsonl", &lines));
    assert_eq!(output.status, 1, "{output:?}");
    for line in [2, 3] {
        let said = format!("line {line} is not sent: it is not one whole request");
        assert!(output.stderr.contains(&said), "{output:?}");
    }
    assert_eq!(received.recv_timeout(PATIENCE).unwrap(), GET);
    assert!(received.try_recv().is_err());
}

#[test]
fn verify_and_explain_read_what_was_saved() {
    let requests = requests();
    let file = path("listen_verified.jsonl");
    let lines = save(&answering(OK), &file, &requests);
    let output = run(&["verify", "--jsonl", &file]);
    assert_eq!(output.status, 1, "{output:?}");
    let kinds: Vec<_> = output
        .stdout
        .lines()
        .map(|line| {
            let result: Value = serde_json::from_str(line).unwrap();
            assert!(result["warnings"].is_null(), "{line}");
            (
                result["id"].as_u64().unwrap(),
                result["kind"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [
        "valid",
        "signature_missing",
        "signature_missing",
        "signature_mismatch",
    ];
    assert!(kinds.iter().map(|(_, kind)| kind).eq(expected), "{kinds:?}");
    assert!(kinds.iter().map(|(id, _)| *id).eq(1..=4));
    let valid = run_with_input(&["explain", "--format", "json", "-"], &lines[0]);
    assert_eq!(valid.status, 0, "{valid:?}");
    assert!(valid.stdout.contains("\"warnings\":[]"), "{valid:?}");
    let forged = run_with_input(&["explain", "-"], &lines[3]);
    assert_eq!(forged.status, 1, "{forged:?}");
    assert!(
        forged.stdout.contains("The app saw:    GET http://h/d"),
        "{forged:?}"
    );
}

#[cfg(unix)]
#[test]
fn the_file_can_be_read_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |file: &str| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    let new = path("listen_mode_new.jsonl");
    let old = path("listen_mode_old.jsonl");
    File::create(&old).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).unwrap();
    for file in [new, old] {
        let listening = Listening::text(&answering(OK), &["--save", &file]);
        assert_eq!(mode(&file), 0o600);
        assert!(
            listening
                .until("Only you can read")
                .contains("with its credentials")
        );
    }
}

/// An editor, or a disk that was full, may have left the last line without its end.
#[test]
fn a_line_without_its_end_is_not_joined() {
    for (before, lines) in [("", 1), ("{\"cut", 2), ("{}\n", 2), ("\n", 2)] {
        let file = crate::support::file("listen_joined.jsonl", before);
        let listening = Listening::text(&answering(OK), &["--save", &file]);
        listening.send(GET);
        let text = loop {
            let text = fs::read_to_string(&file).unwrap();
            if text.len() > before.len() + 1 && text.ends_with('\n') {
                break text;
            }
            thread::yield_now();
        };
        assert!(text.starts_with(before), "{text}");
        assert_eq!(text.lines().count(), lines, "{text}");
        let last = text.lines().last().unwrap();
        let saved: Value = serde_json::from_str(last).unwrap();
        assert_eq!(saved["id"], 1, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_appended_to() {
    use std::process::Command;
    let directory = path("listen_directory");
    let _ = fs::create_dir(&directory);
    let target = crate::support::file("listen_target.jsonl", "mine\n");
    let (link, dangling) = (path("listen_link.jsonl"), path("listen_dangling.jsonl"));
    let nowhere = path("listen_nowhere.jsonl");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    std::os::unix::fs::symlink(&nowhere, &dangling).unwrap();
    // Opening it would wait for a reader.
    let pipe = path("listen_pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let missing = format!("{directory}/missing/requests.jsonl");
    for (file, said) in [
        (&directory, "it is a directory: pass a file in it"),
        (
            &link,
            "it is a symbolic link: pass the file that it leads to",
        ),
        (&dangling, "it is a symbolic link"),
        (&pipe, "a pipe or a device: pass another path"),
        (
            &"/dev/null".to_owned(),
            "a pipe or a device: pass another path",
        ),
        (&missing, "No such file"),
    ] {
        let output = super::listen("http://127.0.0.1:1", &["--save", file]).run();
        assert_eq!((output.status, &*output.stdout), (2, ""), "{output:?}");
        assert!(
            output.stderr.contains(said) && output.stderr.contains(file),
            "{output:?}"
        );
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine\n");
    assert!(!fs::exists(&nowhere).unwrap());
}

#[test]
fn the_file_ends_at_its_limit() {
    const LIMIT: u64 = 64 * 1024 * 1024;
    let file = path("listen_limit.jsonl");
    File::create(&file).unwrap().set_len(LIMIT - 2000).unwrap();
    let listening = Listening::text(&answering(OK), &["--save", &file]);
    for _ in 0..4 {
        listening.send(GET);
    }
    let warning = listening.until("nothing more is saved");
    assert!(
        warning.contains("it has 64 MiB") && warning.contains("save to another file"),
        "{warning}"
    );
    assert!(listening.send(GET).starts_with("HTTP/1.1 200"));
    listening.until("#5");
    let size = fs::metadata(&file).unwrap().len();
    assert!((LIMIT - 2000..=LIMIT).contains(&size), "{size}");
    drop(listening);
    fs::remove_file(&file).unwrap();
}

#[test]
fn what_was_not_saved_as_a_whole_is_not_sent() {
    let long = [
        &b"POST /long HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n"[..],
        &vec![b'x'; 70_000],
    ]
    .concat();
    let file = path("listen_long.jsonl");
    save(&answering(OK), &file, &[long, GET.to_vec()]);
    let (sender, heads) = channel();
    let app = app(move |mut stream| {
        sender.send(read_head(&mut stream)).unwrap();
        stream.write_all(OK).unwrap();
    });
    let output = replay(&app, &file);
    assert_eq!(output.status, 1, "{output:?}");
    assert!(
        output
            .stderr
            .contains("line 1 is not sent: the request was not kept as a whole"),
        "{output:?}"
    );
    assert_eq!(heads.recv_timeout(PATIENCE).unwrap().as_bytes(), GET);
    assert!(heads.try_recv().is_err());
}

#[test]
fn an_answer_without_an_end_does_not_hold_a_replay() {
    let file = path("listen_endless.jsonl");
    save(&answering(OK), &file, &[GET.to_vec()]);
    for pause in [Duration::ZERO, Duration::from_millis(200)] {
        let app = app(move |mut stream| {
            read_head(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let piece = if pause.is_zero() {
                &[b'a'; 4096][..]
            } else {
                b"a"
            };
            while stream.write_all(piece).is_ok() {
                thread::sleep(pause);
            }
        });
        let started = Instant::now();
        let output = replay(&app, &file);
        // Twilio waits for 15 s.
        assert!(started.elapsed() < Duration::from_secs(25), "{output:?}");
        assert!(output.stdout.contains("took too long"), "{output:?}");
    }
}

#[test]
fn the_exit_status_of_a_replay_is_that_of_its_answers() {
    let file = path("listen_status.jsonl");
    save(&answering(OK), &file, &[GET.to_vec()]);
    assert_eq!(replay(&answering(OK), &file).status, 0);
    let marked = ["\u{feff}", &fs::read_to_string(&file).unwrap()].concat();
    let marked = crate::support::file("listen_marked.jsonl", &marked);
    assert_eq!(replay(&answering(OK), &marked).status, 0);
    let refused = replay(
        &answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        &file,
    );
    assert_eq!(refused.status, 1, "{refused:?}");
    let garbage = replay(&answering(b"garbage"), &file);
    assert_eq!(garbage.status, 1, "{garbage:?}");
    let down = replay("http://127.0.0.1:1", &file);
    assert_eq!(down.status, 3, "{down:?}");
    let foreign = crate::support::file(
        "listen_foreign.jsonl",
        "{\"url\": \"http://h/\"}\n\nnonsense\n",
    );
    let output = replay(&answering(OK), &foreign);
    assert_eq!(output.status, 2, "{output:?}");
    assert!(output.stderr.contains("line 3 is not sent"), "{output:?}");
}
