//! `verify`: gives the library's verdict, with one line for each request.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use crate::support::{FORGED, FORM, Output, TOKEN, run, run_with_input, sign_text, tool};

#[track_caller]
fn verify(lines: impl AsRef<[u8]>) -> (Output, Vec<Value>) {
    let output = run_with_input(&["verify", "--jsonl", "-"], lines);
    let results = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (output, results)
}

/// Signs a GET with the environment's token.
fn sign(url: &str) -> String {
    sign_text(TOKEN, url)
}

/// Writes one JSON object per line.
fn lines(objects: impl IntoIterator<Item = Value>) -> String {
    objects
        .into_iter()
        .map(|object| object.to_string() + "\n")
        .collect()
}

#[test]
fn vectors_get_the_documented_verdicts() {
    let file: Value = serde_json::from_str(include_str!("../../../vectors/v1.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let named = vectors.iter().map(|vector| {
        let mut line = vector.clone();
        line["id"] = vector["name"].clone();
        for judged in ["name", "rules", "why", "expected"] {
            line.as_object_mut().unwrap().remove(judged);
        }
        line
    });
    let (output, results) = verify(lines(named));
    assert_eq!(output.status, 1, "some vectors are forgeries");
    assert_eq!(results.len(), vectors.len());
    for (vector, result) in vectors.iter().zip(&results) {
        assert_eq!(result["id"], vector["name"]);
        let genuine = vector["expected"] == "accept";
        assert_eq!(result["valid"], genuine, "{result}");
        assert_eq!(result["kind"] == "valid", genuine, "{result}");
        assert!(result["warnings"].is_null(), "{result}");
        assert_eq!(result["matched_url"].is_string(), genuine, "{result}");
    }
    let matched = |name: &str| results.iter().find(|result| result["id"] == name).unwrap();
    assert_eq!(
        matched("published-port-added")["matched_url"],
        "https://mycompany.com:443/myapp.php?foo=1&bar=2"
    );
    assert_eq!(matched("json-body-changed")["kind"], "body_hash_mismatch");
    assert_eq!(matched("signature-empty")["kind"], "signature_malformed");

    let genuine = vectors
        .iter()
        .filter(|vector| vector["expected"] == "accept")
        .cloned();
    assert_eq!(verify(lines(genuine)).0.status, 0);
}

/// The text for `$url` in [`FIELDS`].
const URL: &str = "https://example.com/a?b=c";

/// The documented example: its URL, its form and its signature by the token `12345`.
const EXAMPLE: [(&str, &str); 3] = [
    ("$example", "https://example.com/myapp.php?foo=1&bar=2"),
    (
        "$body",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212",
    ),
    ("$basic", "L/OH5YylLD5NRKLltdqwSvS0BnU="),
];

/// Lines with their name and the kind of their result. `$signature` is that of a GET of `$url`.
#[rustfmt::skip]
const FIELDS: &[(&str, &str, &str)] = &[
    ("GET by default", r#"{"url": "$url", "signature": "$signature"}"#, "valid"),
    ("POST with a body", r#"{"url": "$example", "token": "12345", "content_type": "$form", "body": "$body", "signature": "$basic"}"#, "valid"),
    ("GET with a form", r#"{"url": "$example", "token": "12345", "method": "GET", "content_type": "$form", "body": "$body", "signature": "$basic"}"#, "signature_mismatch"),
    ("body in base64", r#"{"url": "$example", "token": "12345", "content_type": "$form", "body_b64": "Q2FsbFNpZD1DQTEyMzQ1Njc4OTBBQkNERSZDYWxsZXI9JTJCMTQxNTg2NzUzMTAmRGlnaXRzPTEyMzQmRnJvbT0lMkIxNDE1ODY3NTMxMCZUbz0lMkIxODAwNTU1MTIxMg==", "signature": "$basic"}"#, "valid"),
    ("null is absent", r#"{"url": "$url", "signature": "$signature", "method": null, "content_type": null, "body": null, "body_b64": null, "settings_header": null, "token": null, "shared_key_id": null}"#, "valid"),
    ("no signature", r#"{"url": "$url"}"#, "signature_missing"),
    ("null signature", r#"{"url": "$url", "signature": null}"#, "signature_missing"),
    ("empty signature", r#"{"url": "$url", "signature": ""}"#, "signature_malformed"),
    ("another signature", r#"{"url": "$url", "signature": "$forged"}"#, "signature_mismatch"),
    ("unhashed body", r#"{"url": "$url", "signature": "$signature", "body": "{}"}"#, "body_hash_missing"),
    ("empty body", r#"{"url": "$url", "signature": "$signature", "body": ""}"#, "valid"),
    ("another charset", r#"{"url": "$url", "signature": "$signature", "content_type": "application/x-www-form-urlencoded; charset=latin1", "body": "a=b"}"#, "charset_unsupported"),
    ("another token", r#"{"url": "$url", "signature": "$signature", "token": "12345"}"#, "signature_mismatch"),
    ("the same token", r#"{"url": "$url", "signature": "$signature", "token": "$token"}"#, "valid"),
    ("a token is not trimmed", r#"{"url": "$url", "signature": "$signature", "token": "$token "}"#, "signature_mismatch"),
    ("a token is no list", r#"{"url": "$url", "signature": "$signature", "token": "$token,x"}"#, "signature_mismatch"),
    ("empty token", r#"{"url": "$url", "signature": "$signature", "token": ""}"#, "config"),
    ("blank token", r#"{"url": "$url", "signature": "$signature", "token": " \t"}"#, "config"),
    ("shared key without a secret", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K"}"#, "config"),
    ("shared key with an empty id", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "", "token": "x"}"#, "config"),
    ("shared key that is not named", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "$token"}"#, "key_unknown"),
    ("shared key that is named by sha1", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "$token", "settings_header": "key=K"}"#, "valid"),
    ("one of several tokens", r#"{"url": "$url", "signature": "$signature", "token": "12345", "tokens": ["$token"]}"#, "valid"),
    ("several tokens without a first one", r#"{"url": "$url", "signature": "$signature", "tokens": ["12345", "$token"]}"#, "valid"),
    ("none of several tokens", r#"{"url": "$url", "signature": "$signature", "tokens": ["12345", "x"]}"#, "signature_mismatch"),
    ("no tokens", r#"{"url": "$url", "signature": "$signature", "tokens": []}"#, "valid"),
    ("an empty one of several tokens", r#"{"url": "$url", "signature": "$signature", "tokens": ["", "$token"]}"#, "config"),
    ("tokens beside a shared key", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "x", "tokens": ["$token"]}"#, "valid"),
    ("a token does not replace a shared key", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "x", "tokens": ["$token"], "settings_header": "key=K"}"#, "signature_mismatch"),
    ("another shared key", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "$token", "settings_header": "key=L"}"#, "key_unknown"),
    ("a token for a named key", r#"{"url": "$url", "signature": "$signature", "settings_header": "key=K"}"#, "key_unknown"),
    ("unknown algorithm", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "$token", "settings_header": "key=K,algorithm=none"}"#, "algorithm_unknown"),
    ("blank settings", r#"{"url": "$url", "signature": "$signature", "settings_header": " "}"#, "valid"),
    ("signature in the headers", r#"{"url": "$url", "headers": {"x-twilio-signature": "$signature"}}"#, "valid"),
    ("everything in the headers", r#"{"url": "$example", "token": "12345", "headers": {"Content-Type": ["$form"], "X-Twilio-Signature": "$basic"}, "body": "$body"}"#, "valid"),
    ("two signatures", r#"{"url": "$url", "signature": "$signature", "headers": {"X-Twilio-Signature": "$forged"}}"#, "signature_conflicting"),
    ("the same signature twice", r#"{"url": "$url", "signature": "$signature", "headers": {"X-Twilio-Signature": "$signature"}}"#, "valid"),
    ("encoded body", r#"{"url": "$url", "signature": "$signature", "headers": {"Content-Encoding": "gzip"}, "body": "a"}"#, "encoding_unsupported"),
    ("headers of a shared key", r#"{"url": "$url", "signature": "$signature", "shared_key_id": "K", "token": "$token", "headers": {"X-Twilio-Webhooks-Signature-Settings": "key=K"}}"#, "valid"),
    ("unknown field", r#"{"url": "$url", "signature": "$signature", "note": ["x"]}"#, "valid"),
    ("odd url", r#"{"url": "no url at all", "signature": "$forged"}"#, "signature_mismatch"),
];

#[test]
fn fields_mean_what_they_say() {
    let signature = sign(URL);
    let values = [
        ("$url", URL),
        ("$signature", &*signature),
        ("$token", TOKEN),
        ("$form", FORM),
        ("$forged", FORGED),
    ];
    let line = |text: &str| {
        let values = values.iter().chain(&EXAMPLE);
        values.fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        }) + "\n"
    };
    let input: String = FIELDS.iter().map(|(_, text, _)| line(text)).collect();
    let (output, results) = verify(input);
    assert_eq!(output.status, 1);
    assert_eq!(results.len(), FIELDS.len());
    for ((name, _, kind), result) in FIELDS.iter().zip(results) {
        assert_eq!(result["kind"], *kind, "{name}");
        assert_eq!(result["valid"], *kind == "valid", "{name}");
        assert_eq!(result.get("id"), None, "{name}");
    }
}

#[test]
fn ids_come_back_as_they_were_given() {
    let ids = [
        "null",
        "\"a\\u0062\"",
        "123456789012345678901234567890",
        "1.50",
        "{\"a\": [1]}",
    ];
    for id in ids {
        for rest in ["\"url\": \"x\"", "\"url\": 1"] {
            let output = run_with_input(
                &["verify", "--jsonl", "-"],
                format!("{{\"id\": {id}, {rest}}}"),
            );
            assert!(
                output.stdout.starts_with(&format!("{{\"id\":{id},\"")),
                "{output:?}"
            );
        }
    }
    let (output, _) = verify("{\"url\":\"x\",\"id\":1,\"signature\":\"y\"}");
    assert_eq!(
        output.stdout,
        "{\"id\":1,\"valid\":false,\"kind\":\"signature_malformed\",\"matched_url\":null}\n"
    );
}

const MALFORMED: &[&[u8]] = &[
    b"marker-secret",
    b"\"marker-secret\"",
    b"[\"marker-secret\"]",
    b"[1, \"https://h/\", \"GET\"]",
    b"[]",
    b"null",
    b"{",
    b"{}",
    b"{} {}",
    b"{\"url\": null}",
    b"{\"url\": 5}",
    b"{\"url\": \"x\", \"token\": {\"marker-secret\": 1}}",
    b"{\"url\": \"x\", \"token\": [\"marker-secret\"]}",
    b"{\"url\": \"x\", \"token\": \"marker-secret\", \"token\": \"b\"}",
    b"{\"url\": \"x\", \"body\": \"a\", \"body_b64\": \"YQ==\"}",
    b"{\"url\": \"x\", \"body_b64\": \"marker-secret\"}",
    b"{\"url\": \"x\", \"signature\": false}",
    b"{\"url\": \"\xff\"}",
    b"\xff\xfe",
    b"{\"url\": \"\\ud800\"}",
];

#[test]
fn malformed_lines_do_not_keep_the_rest() {
    let good = json!({"url": "https://h/", "signature": sign("https://h/")}).to_string();
    let deep = format!(
        "{{\"url\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let malformed = [MALFORMED, &[deep.as_bytes()]].concat();
    let mut lines = Vec::new();
    for line in &malformed {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"\r\n\n");
        lines.extend_from_slice(good.as_bytes());
        lines.push(b'\n');
    }
    let (output, results) = verify(&lines);
    assert_eq!(output.status, 2);
    assert_eq!(results.len(), malformed.len() * 2);
    for (index, pair) in results.chunks(2).enumerate() {
        assert!(pair[0]["error"].is_string(), "{index}: {}", pair[0]);
        assert_eq!(pair[0].get("valid"), None, "{index}");
        assert_eq!(pair[1]["valid"], true, "{index}");
    }
}

#[test]
fn long_lines_do_not_keep_the_rest() {
    let good = json!({"url": "https://h/", "signature": sign("https://h/")}).to_string();
    let long = json!({"url": "x", "body": "a".repeat(2_000_000)}).to_string();
    let too_long = json!({"url": "x", "body": "a".repeat(70_000_000)}).to_string();
    let (output, results) = verify(format!("{good}\n{long}\n{too_long}\n{good}"));
    assert_eq!(output.status, 2);
    assert_eq!(results.len(), 4);
    assert_eq!(results[1]["kind"], "signature_missing");
    assert!(results[2]["error"].as_str().unwrap().contains("longer"));
    assert_eq!(results[3]["valid"], true);
}

#[test]
fn results_come_while_the_input_is_open() {
    let mut child = tool(&["verify", "--jsonl", "-"]).spawn();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for id in 0..3 {
        writeln!(input, "{{\"id\":{id},\"url\":\"x\"}}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("{{\"id\":{id},")), "{line}");
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn environment_may_have_no_token() {
    let lines = "{\"url\":\"https://h/\"}\n{\"url\":\"https://h/\",\"token\":\"x\"}\n";
    for token in [None, Some(""), Some(" ")] {
        let verify = tool(&["verify", "--jsonl", "-"]).token(token);
        let output = verify.input(lines).run();
        let kinds: Vec<Value> = output
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(kinds[0]["kind"], "config", "{token:?}");
        assert_eq!(kinds[1]["kind"], "signature_missing", "{token:?}");
        assert_eq!(output.status, 1);
    }
}

#[test]
fn one_request_comes_from_options() {
    let url = "https://example.com/";
    let signature = sign(url);
    let output = run(&["verify", url, "--signature", &signature]);
    assert_eq!(output.status, 0);
    assert_eq!(
        output.stdout,
        "{\"valid\":true,\"kind\":\"valid\",\"matched_url\":\"https://example.com/\"}\n"
    );
    let cases: &[(&[&str], i32)] = &[
        (&["verify", url], 1),
        (&["verify", url, "--signature", FORGED], 1),
        (&["verify", url, "--signature", &signature, "-d", "A=b"], 1),
        (&["verify"], 2),
        (&["verify", "request.txt"], 2),
        (&["verify", url, "--jsonl", "-"], 2),
        (&["verify", "--jsonl", "-", "--signature", FORGED], 2),
        (&["verify", "--jsonl", "-", "--shared-key-id", "K"], 2),
        (&["verify", "--jsonl", "-", "--token-stdin"], 2),
        (&["verify", "--jsonl", "no-such-file"], 2),
        (&["verify", url, "--token", "marker-secret"], 2),
    ];
    for (args, status) in cases {
        assert_eq!(run(args).status, *status, "{args:?}");
    }
    let output = tool(&["verify", url]).token(Some(" ")).run();
    assert_eq!(output.status, 2);
    assert!(output.stdout.contains("\"kind\":\"config\""), "{output:?}");
}

#[test]
fn lines_with_warnings_are_still_verified() {
    let url = "https://h/";
    let genuine = json!({"url": url, "signature": sign(url), "note": 1, "content": "marker-x"});
    let cut = json!({
        "url": url, "signature": sign(url), "method": "POST", "headers": {"Content-Length": "5"},
    });
    let plain = json!({"url": url, "signature": sign(url)});
    let (output, results) = verify(lines([genuine, cut, plain]));
    assert_eq!(output.status, 0, "{output:?}");
    let warning = |index: usize| results[index]["warnings"][0].as_str().unwrap();
    assert!(
        warning(0).starts_with("`content`, `note` are not known fields"),
        "{output:?}"
    );
    assert!(
        warning(1).starts_with("Content-Length announces a body of 5 bytes"),
        "{output:?}"
    );
    assert_eq!(results[2].get("warnings"), None);
}

#[test]
fn results_are_printed_as_text() {
    let url = "https://h/";
    let input = lines([
        json!({"id": "a", "url": url, "signature": sign(url), "note": 1}),
        json!({"id": 2, "url": url}),
        json!({"url": url, "token": ""}),
        json!({"id": 4, "url": 1}),
    ]);
    let output = run_with_input(&["verify", "--jsonl", "-", "--format", "text"], input);
    assert_eq!(output.status, 2);
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "\"a\": valid: the signature is that of https://h/"
    );
    assert!(
        lines[1].starts_with("  warning: `note` is not a known field"),
        "{output:?}"
    );
    assert_eq!(
        lines[2..],
        [
            "2: not valid: the request has no X-Twilio-Signature header (signature_missing)",
            "not valid: no usable key is configured",
            "4: malformed: `url` is not a string",
        ]
    );
}

#[test]
fn the_matched_url_loses_no_sip_address_in_its_query() {
    for (url, shown) in [
        (
            "https://example.com/m?a=1&to=sip:alice:work@pbx.example",
            "https://example.com/m?a=1&to=sip:alice:work@pbx.example",
        ),
        (
            "https://ada:marker-pw@example.com:8443/a@b?to=sip:bob@pbx.example",
            "https://..@example.com:8443/a@b?to=sip:bob@pbx.example",
        ),
    ] {
        let (output, results) = verify(lines([json!({ "url": url, "signature": sign(url) })]));
        assert_eq!(output.status, 0, "{output:?}");
        assert_eq!(results[0]["matched_url"], shown);
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_line() {
    let url = "https://example.com/m";
    let line = json!({ "id": 1, "url": url, "signature": sign(url) }).to_string();
    let (output, results) = verify(format!("\u{feff}{line}\n{line}\n"));
    assert_eq!(output.status, 0, "{output:?}");
    assert_eq!(results.len(), 2);
    let (_, results) = verify("\u{feff}{\"id\": 2}\n");
    assert_eq!(results[0]["id"], 2, "{results:?}");
}
