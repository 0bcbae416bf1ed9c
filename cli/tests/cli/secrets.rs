//! No command prints tokens, passwords or bodies, and only `sign` prints signatures.

use actix_twilio::WebhookRequest;
use std::fs;

use actix_web::{HttpResponse, http::StatusCode, web};

use crate::support::{
    FORGED, FORM, OK, Output, PASSWORD, TOKEN, file, header, record, run, run_with_input, serve,
    serve_raw, tool, validator,
};

/// The value in every body.
const BODY: &str = "s3cr3t-value";

/// Returns the right signature of a form with [`BODY`] that is posted to a URL.
fn signature(url: &str) -> String {
    let form = format!("Body={BODY}");
    let request = WebhookRequest::new("POST", url)
        .content_type(FORM)
        .body(&form);
    validator().sign(&request).unwrap()
}

/// Checks that a command printed no body and no signature. Running it has checked tokens and passwords.
#[track_caller]
fn assert_no_secret(args: &[&str], output: &Output, signatures: &[String]) {
    let printed = format!("{}{}", output.stdout, output.stderr);
    assert!(!printed.is_empty(), "{args:?}");
    assert!(!printed.contains(BODY), "{args:?}: {printed}");
    for signature in signatures {
        assert!(!printed.contains(signature), "{args:?}: {printed}");
    }
}

#[test]
fn judging_prints_neither_bodies_nor_signatures() {
    let url = "https://example.com/message";
    let form = format!("Body={BODY}");
    let capture = |signature: &str, sent: &str| {
        format!(
            "POST /message HTTP/1.1\nHost: {sent}\nX-Forwarded-Proto: https\nAuthorization: Basic {BODY}\n\
             Content-Type: {FORM}\nX-Twilio-Signature: {signature}\n\n{form}"
        )
    };
    let genuine = signature(url);
    let captured = file("secrets_captured", &capture(&genuine, "example.com"));
    let elsewhere = file("secrets_elsewhere", &capture(&genuine, "10.0.0.7:8080"));
    let forged = file("secrets_forged", &capture(FORGED, "example.com"));
    let malformed = file("secrets_malformed", &format!("{BODY}\n{form}"));
    let other_tokens = file("secrets_tokens", &format!("marker-one\n{TOKEN}\n"));
    let line = |signature: &str| {
        let lines = [
            serde_json::json!({ "id": 1, "method": "POST", "url": url, "signature": signature, "body": form,
                "content_type": FORM }),
            serde_json::json!({ "id": 2, "url": url, "body": form, "signature": signature }),
            serde_json::json!({ "id": 3, "url": 1, "body": form }),
        ];
        lines.map(|line| line.to_string()).join("\n") + &format!("\n{{{BODY}\n")
    };
    let verify = ["verify", url, "-d", &form, "--signature"];
    let explain = ["explain", "--public-url", "https://example.com"];
    let cases: &[(&[&str], String)] = &[
        (&["verify"], line(&genuine)),
        (&["verify"], line(FORGED)),
        (&[&verify[..], &[&genuine]].concat(), String::new()),
        (&[&verify[..], &[FORGED]].concat(), String::new()),
        (&[&verify[..], &["?"]].concat(), String::new()),
        (&[&explain[..], &[&captured]].concat(), String::new()),
        (&[&explain[..], &[&elsewhere]].concat(), String::new()),
        (&[&explain[..], &[&forged]].concat(), String::new()),
        (&[&explain[..], &[&malformed]].concat(), String::new()),
        (
            &[&explain[..], &["--format", "json", &elsewhere]].concat(),
            String::new(),
        ),
        (
            &[
                &explain[..],
                &["--format", "json", &forged, "--try-tokens", &other_tokens],
            ]
            .concat(),
            String::new(),
        ),
        (&["explain", &captured], String::new()),
        (&["explain", "-"], capture(FORGED, "example.com")),
    ];
    for (args, input) in cases {
        let output = run_with_input(args, input);
        assert_no_secret(
            args,
            &output,
            &[genuine.clone(), signature("http://example.com/message")],
        );
    }
}

#[test]
fn requests_are_sent_without_printing_what_is_in_them() {
    let form = format!("Body={BODY}");
    let json = file("secrets_json", &format!("{{\"Body\":\"{BODY}\"}}"));
    let cases: &[&[&str]] = &[
        &["send", "sms", "-d", &form],
        &["send", "sms", "--method", "get", "-d", &form],
        &["send", "event-stream", "-d", &form],
        &["check", "-d", &form],
        &["check", "-d", &form, "--format", "json"],
        &["check", "--json-body", &json],
    ];
    for args in cases {
        let (url, sent) = record(vec![OK; 100]);
        let args = [*args, &[&url]].concat();
        let output = run(&args);
        let sent: Vec<_> = sent.try_iter().collect();
        assert!(!sent.is_empty(), "{args:?}: {output:?}");
        assert!(
            sent.iter().any(|request| request.contains(BODY)),
            "{args:?}"
        );
        let signatures: Vec<_> = sent
            .iter()
            .flat_map(|request| header(request, "X-Twilio-Signature"))
            .map(str::to_owned)
            .filter(|value| value.len() > 20)
            .collect();
        assert!(!signatures.is_empty(), "{args:?}");
        assert_no_secret(&args, &output, &signatures);
    }
}

/// `sign` prints the signature, since that is its purpose, and no other part of the request.
#[test]
fn sign_prints_the_signature_alone() {
    let url = "https://example.com/message";
    let output = run(&["sign", url, "-d", &format!("Body={BODY}")]);
    assert_eq!(output.stdout, signature(url) + "\n");
    assert_eq!(output.stderr, "");
}

/// Without a terminal the password could not be typed unseen; it is not read from the input either.
#[test]
fn without_a_terminal_no_password_is_asked_for() {
    let url = serve_raw();
    for input in [Some(PASSWORD), None] {
        let mut check = tool(&["check", &url, "--auth", "basic:ada"]);
        if let Some(input) = input {
            check = check.input(input);
        }
        let output = check.run();
        assert_eq!(output.status, 2, "{output:?}");
        assert_eq!(output.stdout, "");
        assert!(
            output
                .stderr
                .contains("there is no password: set TWILIO_WEBHOOK_PASSWORD"),
            "{output:?}"
        );
        assert!(!output.stderr.contains("Password for"), "{output:?}");
    }
}

#[test]
fn passwords_in_options_are_not_repeated() {
    let url = "http://127.0.0.1:1/";
    for auth in [
        "basic:ada:marker-password",
        "marker-password",
        "digest:",
        "Basic:marker-password",
    ] {
        let output = run(&["check", url, "--auth", auth]);
        assert_eq!(output.status, 2, "{auth}: {output:?}");
    }
}

/// A fault repeats the start of a text that is wrong.
#[test]
fn a_password_whose_end_is_cut_off_is_not_shown() {
    let url = "https://ada:marker-password@h.example/a.mp3";
    let before = "x".repeat(81);
    let long = format!("wss://ada:{}@h/x", "marker-password".repeat(30));
    for twiml in [
        format!("<Response>{before} {url}</Response>"),
        format!("<Response><Redirect>{before} {url}</Redirect></Response>"),
        format!("<Response><Say loop='{before} {url}'>x</Say></Response>"),
        format!("<Response><Gather method='{before} {url}'/></Response>"),
        format!("<Response><Connect><Stream url='{long}'/></Connect></Response>"),
        // A call says the first 2,000 characters.
        format!("{}{url}", " x".repeat(985)),
    ] {
        let answer = twiml.clone();
        let kind = match twiml.strip_prefix('<') {
            Some(_) => "text/xml",
            None => "text/plain",
        };
        let app = serve(move |app| {
            let answer = answer.clone();
            app.default_service(web::to(move || {
                let answer = HttpResponse::Ok().content_type(kind).body(answer.clone());
                std::future::ready(answer)
            }));
        });
        for format in ["text", "json"] {
            // Running it checks that the password is not printed.
            let output = run(&["call", &app, "--format", format]);
            let shown = output.stdout + &output.stderr;
            assert!(!shown.contains("marker"), "{twiml}: {shown}");
        }
    }
}

/// Only what sends the request has them.
#[test]
fn a_password_in_a_url_is_shown_by_nothing_but_what_sends_the_request() {
    let url = "https://ada:marker-password@example.com/message";
    let signature = run(&["sign", url, "-d", "Body=Hi"]).stdout;
    let signature = signature.trim();
    let line = serde_json::json!({
        "url": url, "body": "Body=Hi", "content_type": FORM, "signature": signature
    });
    let form = ["-d", "Body=Hi", "--signature", signature];
    for (args, input, status) in [
        (&["verify", "--jsonl", "-"][..], line.to_string(), 0),
        (&[&["verify", url], &form[..]].concat(), String::new(), 0),
        (&["explain", "-"], line.to_string(), 0),
        (&["sign", url, "--body", "-"], "{}".to_owned(), 2),
    ] {
        for format in ["text", "json"] {
            // Running it checks that the password is not printed.
            let output = run_with_input(&[args, &["--format", format]].concat(), &input);
            assert_eq!(output.status, status, "{args:?}: {output:?}");
            let shown = output.stdout + &output.stderr;
            assert!(
                shown.contains("https://..@example.com/message"),
                "{args:?}: {shown}"
            );
        }
    }
    // A URL in a signed one has a password, too.
    for (url, seen) in [
        (
            "https://example.com/message?next=https://ada:marker-password@h/m",
            "/message?",
        ),
        (
            "https://example.com/a/https://ada:marker-password@h/m",
            "/m/",
        ),
    ] {
        let signature = run(&["sign", url, "-d", "Body=Hi"]).stdout;
        let url = url.replace("https://example.com", "http://127.0.0.1:8080");
        let line = serde_json::json!({
            "url": url.replace(seen.trim_end_matches('/'), seen),
            "body": "Body=Hi", "content_type": FORM, "signature": signature.trim()
        });
        for format in ["text", "json"] {
            let public = ["--public-url", "https://example.com", "--format", format];
            let args = [&["explain", "-"][..], &public].concat();
            let output = run_with_input(&args, line.to_string());
            let shown = output.stdout + &output.stderr;
            assert!(shown.contains("https://..@h/m"), "{shown}");
        }
    }
    let url = "https://ada:needed@example.com/message";
    for options in [&["--add-hash"][..], &["--add-hash", "--curl"]] {
        let args = [&["sign", url, "--body", "-"], options].concat();
        let output = run_with_input(&args, "{}");
        assert!(
            output.stdout.contains("ada:needed@example.com"),
            "{output:?}"
        );
    }
}

/// A URL in the path or the query of the one that requests are sent to, or that is signed, has a password.
#[test]
fn a_password_in_any_part_of_a_url_is_shown_by_no_command() {
    let answering = |status: u16, location: &'static str| {
        serve(move |app| {
            let answer = move || {
                let status = StatusCode::from_u16(status).unwrap();
                let mut answer = HttpResponse::build(status);
                std::future::ready(answer.insert_header(("Location", location)).finish())
            };
            app.default_service(web::to(answer));
        })
    };
    let apps = [
        answering(403, ""),
        answering(302, "https://example.com/https://ada:marker-pw@h"),
        answering(200, ""),
        "http://127.0.0.1:1".to_owned(),
    ];
    let long = format!("/{}/https://ada:marker-pw@h", "x".repeat(150));
    let paths = [
        "/https://ada:marker-pw@h",
        "/m?u=https://ada:marker-pw@h",
        "/sip:ada:marker-pw@h",
        // A sentence has no room for its end.
        &*long,
    ];
    let report = file("secrets_junit", "");
    for path in paths {
        let public = ["https://example.com", path].concat();
        let private = ["http://10.0.0.1", path].concat();
        let options: [&[&str]; 4] = [
            &[],
            &["--public-url", &public],
            &["--public-url", &private],
            &["-H", "X-Forwarded-Host: a.example"],
        ];
        let sending = |url: &str, args: &[&str]| {
            run(&[&["check", url, "--junit", &report], args].concat());
            let report = fs::read_to_string(&report).unwrap();
            assert!(
                report.contains("127.0.0.1") && !report.contains("marker"),
                "{report}"
            );
            for command in [&["send", "sms"][..], &["call"], &["text", "--say", "Hi"]] {
                // Running it checks that the password is not printed.
                run(&[command, &[url], args].concat());
            }
        };
        for (index, app) in apps.iter().enumerate() {
            let url = [&**app, path].concat();
            sending(&url, options[index]);
            for options in options {
                sending(&url, &[options, &["--format", "json"]].concat());
            }
        }
        // It answers once, and then no more.
        let (app, _sent) = record(vec![OK]);
        sending(&[&*app, path].concat(), &[]);

        let base = ["https://example.com", path].concat();
        let signature = signature(&[&*base, "/message"].concat());
        let capture = |head: &str| {
            format!(
                "POST /message HTTP/1.1\nContent-Type: {FORM}\nX-Twilio-Signature: {signature}\n{head}\n\nBody={BODY}"
            )
        };
        let forwarded =
            format!("Host: example.com\nX-Forwarded-Proto: https\nX-Forwarded-Prefix: {path}");
        for format in ["text", "json"] {
            let explain = ["explain", "-", "--format", format];
            let public = [&explain[..], &["--public-url", &base]].concat();
            for (args, head) in [(&public[..], "Host: 10.0.0.7"), (&explain, &forwarded)] {
                let output = run_with_input(args, capture(head));
                assert_eq!(output.status, 1, "{output:?}");
                assert!(!output.stdout.contains("marker"), "{output:?}");
            }
        }
    }
}

#[test]
fn a_token_in_place_of_its_file_is_not_repeated() {
    let url = "http://127.0.0.1:1/";
    let token = "0123456789abcdef0123456789ABCDEF";
    let with = |prefix: &str| [prefix, token].concat();
    let equal = [
        with("--token-file="),
        with("--token-stdin="),
        with("TWILIO_AUTH_TOKEN="),
    ];
    let cases: &[(&[&str], &str)] = &[
        (
            &["send", "sms", url, "--token-file", token],
            "--token-file: the file cannot be read",
        ),
        (
            &["send", "sms", url, &equal[0]],
            "--token-file: the file cannot be read",
        ),
        (
            &["send", "sms", url, "--token-stdin", token],
            "unexpected argument '<token>'",
        ),
        (&["send", "sms", url, &equal[1]], "'<token>'"),
        (
            &["send", "sms", url, &equal[2]],
            "'TWILIO_AUTH_TOKEN=<token>'",
        ),
        (&["send", token, url], "'<token>'"),
        (&["send", "sms", url, "--tokens", token], "--tokens"),
        (&["explain", token], "cannot read <token>"),
        (
            &["explain", "-", "--try-tokens", token],
            "--try-tokens: the file cannot be read",
        ),
        (&["verify", "--jsonl", token], "cannot read <token>"),
    ];
    for (args, said) in cases {
        let output = run_with_input(args, "GET / HTTP/1.1\nHost: h\n\n");
        assert_eq!(
            (output.status, &*output.stdout),
            (2, ""),
            "{args:?}: {output:?}"
        );
        assert!(output.stderr.contains(said), "{args:?}: {output:?}");
        assert!(
            !output.stderr.contains("0123456789abcdef"),
            "{args:?}: {output:?}"
        );
    }
    let binary = file("secrets_binary", "x");
    fs::write(&binary, [0xff]).unwrap();
    let output = run(&["send", "sms", url, "--token-file", &binary]);
    assert_eq!(
        output.stderr,
        "error: --token-file: the file is not UTF-8 text\n"
    );
}

#[test]
fn a_password_in_a_url_at_a_wrong_place_is_not_repeated() {
    let url = "https://ada:marker/pw@example.com/m";
    let cases: &[&[&str]] = &[
        &[url],
        &["send", url],
        &["send", "sms", url, url],
        &["send", "sms", "http://127.0.0.1:1/", "--format", url],
        &["explain", url],
        &["verify", "--jsonl", url],
        &["sign", "https://example.com/", "--body", url],
        &["listen", "--forward-to", url],
        &["check", "http://127.0.0.1:1/", "--cacert", url],
        &["check", "http://127.0.0.1:1/", "--junit", url],
        &[
            "call",
            "http://127.0.0.1:1/",
            "--fallback-url",
            "https://ada:marker-pw@h:xx/",
        ],
    ];
    for args in cases {
        let output = run(args);
        assert_ne!(output.status, 0, "{args:?}");
        let printed = output.stdout + &output.stderr;
        assert!(!printed.contains("marker"), "{args:?}: {printed}");
    }
}
