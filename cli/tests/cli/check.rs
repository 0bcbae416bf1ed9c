//! `check` against apps that validate, that do not, and that are not there.

use std::sync::mpsc;

use crate::support::{
    self, FORM, GENUINE_ROWS, OK, ROWS, TOKEN, assert_wrong_usage, check, config, file, header,
    record, rows, run, run_with_input, serve, serve_open, serve_raw, tool, unwrapped, validator,
};
use actix_twilio::{
    TwilioConfig, ValidationErrorKind, WebhookRequest,
    keys::KeyMap,
    signature::SignatureErrorKind,
    validate_twilio_request,
    webhook::{IncomingCall, IncomingMessage},
};
use actix_web::{HttpRequest, HttpResponse, Responder, get, http::StatusCode, post, web};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Incoming {
    from: String,
}

/// The endpoint of the quickstart.
#[post("/message")]
#[validate_twilio_request]
async fn message(web::Form(sms): web::Form<Incoming>) -> impl Responder {
    sms.from
}

#[validate_twilio_request]
async fn typed_message(sms: IncomingMessage) -> impl Responder {
    sms.from
}

#[validate_twilio_request]
async fn typed_call(call: IncomingCall) -> impl Responder {
    call.from
}

#[test]
fn handlers_of_typed_messages_and_calls_take_each_form_and_query() {
    let url = serve(|app| {
        app.route("/message", web::to(typed_message))
            .route("/voice", web::to(typed_call));
    });
    for path in ["/message", "/voice"] {
        let (status, report) = check(&format!("{url}{path}"), &[]);
        assert_eq!(rows(&report, "failed"), [""; 0], "{path}");
        assert_eq!(rows(&report, "not_taken"), ["json: bodySHA256"], "{path}");
        assert_eq!(status, 0, "{path}");
    }
}

#[test]
fn every_row_passes_where_everything_is_taken_raw() {
    let url = serve_raw();
    for args in [&[][..], &["--strict"]] {
        let (status, report) = check(&url, args);
        assert_eq!(rows(&report, "passed").len(), ROWS, "{report:#}");
        assert_eq!(report["rows"].as_array().unwrap().len(), ROWS);
        assert_eq!((status, &report["ok"]), (0, &true.into()));
    }
}

#[test]
fn every_row_passes_or_is_not_taken_by_the_quickstart() {
    let url = serve(|app| {
        app.service(message);
    }) + "/message";
    let (status, report) = check(&url, &[]);
    assert_eq!(rows(&report, "failed"), [""; 0]);
    assert_eq!(
        rows(&report, "not_taken"),
        [
            "get: parameters",
            "get: + and %20",
            "get: escaped punctuation",
            "json: bodySHA256"
        ]
    );
    assert_eq!(rows(&report, "passed").len(), 18);
    assert!(
        rows(&report, "left_out")
            .iter()
            .all(|row| !row.starts_with("form"))
    );
    assert_eq!(status, 0);

    assert_eq!(check(&url, &["--strict"]).0, 1);
    assert_eq!(check(&url, &["--method", "post"]).0, 0);
    let (status, report) = check(&url, &["--method", "get"]);
    assert_eq!((status, report["passed"].as_u64()), (1, Some(0)));
}

#[test]
fn nothing_is_verified_where_nothing_is_taken() {
    let url = serve(|_| ());
    let output = run(&["check", &url]);
    assert_eq!(output.status, 1);
    let text = unwrapped(&output.stdout);
    assert!(text.contains("nothing is verified"), "{output:?}");
    assert!(!text.contains("passed"), "{output:?}");
    let asks_for_the_path = "every answer was 404; is the path right?";
    assert!(text.contains(asks_for_the_path), "{output:?}");

    let elsewhere = serve(|app| {
        app.default_service(web::to(HttpResponse::MethodNotAllowed));
    });
    let output = run(&["check", &elsewhere]);
    assert!(
        !unwrapped(&output.stdout).contains(asks_for_the_path),
        "{output:?}"
    );
}

#[test]
fn app_without_validation_fails_every_forgery() {
    let url = serve_open();
    let (status, report) = check(&url, &[]);
    assert_eq!(status, 1);
    assert_eq!(rows(&report, "passed").len(), GENUINE_ROWS);
    assert_eq!(rows(&report, "failed").len(), ROWS - GENUINE_ROWS);
    for row in report["rows"].as_array().unwrap() {
        let expected = if row["expected"] == "accept" {
            "passed"
        } else {
            "failed"
        };
        assert_eq!(row["result"], expected, "{row}");
    }
}

#[test]
fn app_that_refuses_everything_fails_the_genuine_rows() {
    let url = serve(|app| {
        app.default_service(web::to(HttpResponse::Forbidden));
    });
    let (status, report) = check(&url, &[]);
    assert_eq!((status, rows(&report, "failed").len()), (1, GENUINE_ROWS));
    let causes = report["likely_causes"].as_array().unwrap();
    let causes: Vec<_> = causes.iter().map(|cause| cause.as_str().unwrap()).collect();
    for (cause, expected) in causes.iter().zip([
        "--public-url https://example.com/",
        "TWILIO_AUTH_TOKEN",
        "-d AccountSid=AC",
        "a proxy hides the URL from the app",
    ]) {
        assert!(cause.contains(expected), "{causes:?}");
    }
    assert_eq!(causes.len(), 4, "{causes:?}");
    // A 401 shows nothing where the genuine requests get it too, so no more of them are sent.
    let url = serve(|app| {
        app.default_service(web::to(HttpResponse::Unauthorized));
    });
    let (status, report) = check(&url, &[]);
    assert_eq!((status, rows(&report, "failed").len()), (1, 1));
    assert_eq!(rows(&report, "left_out").len(), ROWS - 1);
    assert_eq!(report["stopped"], "a genuine request got a 401");
}

/// Validates as the Flask tutorial does: the first header, and no hash of the body.
async fn without_body_hash(req: HttpRequest, body: web::Bytes) -> HttpResponse {
    let header = |name| {
        req.headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let host = req.headers().get("Host").unwrap().to_str().unwrap();
    let url = format!("http://{host}{}", req.uri());
    let form = header("Content-Type").is_some_and(|value| value.contains("form"));
    let method = if form { "POST" } else { "GET" };
    let body = if form { &body[..] } else { &[] };
    let webhook = WebhookRequest::new(method, &url)
        .content_type(FORM)
        .signature(header("X-Twilio-Signature").unwrap_or_default())
        .body(body);
    match validator().validate(&webhook) {
        Ok(_) => HttpResponse::Ok().finish(),
        Err(_) => HttpResponse::build(StatusCode::UNAUTHORIZED).finish(),
    }
}

#[test]
fn app_that_hashes_no_body_fails_the_rows_about_it() {
    let url = serve(|app| {
        app.default_service(web::to(without_body_hash));
    });
    let (status, report) = check(&url, &[]);
    assert_eq!(status, 1);
    assert_eq!(
        rows(&report, "failed"),
        [
            "form: two signatures, the genuine one first",
            "get: two signatures, the genuine one first",
            "json: two signatures, the genuine one first",
            "json: body replaced under a valid URL signature",
            "json: no bodySHA256",
        ]
    );
    // This app refuses with 401, which counts: the genuine requests were accepted.
    assert_eq!(rows(&report, "passed").len(), ROWS - 5);
}

#[test]
fn public_url_is_signed_and_the_other_one_is_sent_to() {
    let url = serve(|app| {
        let config = config().public_url("https://example.com/app").unwrap();
        app.app_data(config.build().unwrap())
            .route("/raw", web::to(support::raw));
    }) + "/raw?tenant=a%2Fb'c";
    let public = "https://example.com/app/raw?tenant=a%2Fb'c";
    let (status, report) = check(&url, &["--public-url", public]);
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(report["signed_url"], public);
    assert_eq!(report["url"], url);
    let (status, report) = check(&url, &[]);
    assert_eq!((status, rows(&report, "failed").len()), (1, GENUINE_ROWS));
}

#[test]
fn tutorial_prints_what_the_tutorial_prints() {
    let url = serve_raw();
    let output = run(&["check", &url, "--preset", "tutorial"]);
    assert_eq!(
        output.stdout,
        "HTTP GET with valid signature returned 200\n\
         HTTP GET with invalid signature returned 403\n\
         HTTP POST with valid signature returned 200\n\
         HTTP POST with invalid signature returned 403\n"
    );
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));

    let open = serve_open();
    let output = run(&["check", &open, "--preset", "tutorial"]);
    assert_eq!(output.status, 1);
    assert!(
        output
            .stdout
            .contains("HTTP POST with invalid signature returned 200\n")
    );
    assert!(
        output
            .stderr
            .contains("POST with invalid signature: FAILED: a forgery was accepted")
    );
}

#[test]
fn redirect_of_a_genuine_request_is_a_failure() {
    #[get("/")]
    #[validate_twilio_request]
    async fn moved() -> impl Responder {
        HttpResponse::Found()
            .insert_header(("Location", "http://127.0.0.1:1/"))
            .finish()
    }
    let url = serve(|app| {
        app.service(moved);
    });
    let (status, report) = check(&url, &["--method", "get"]);
    assert_eq!(status, 1, "{report:#}");
    assert_eq!(report["rows"][0]["status"], 302);
    assert_eq!(report["rows"][0]["result"], "failed");
    let note = report["rows"][0]["note"].as_str().unwrap();
    assert!(
        note.contains("to http://127.0.0.1:1/: Twilio follows it with GET")
            && note.ends_with(
                "let the app answer the request itself, at the URL that is set at Twilio"
            ),
        "{note}"
    );

    let output = run(&["send", "sms", &url, "--method", "get"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("follows it with GET"), "{output:?}");
}

#[test]
fn endpoint_that_is_not_there_is_unreachable() {
    // No system assigns this port, so no server of another test has it.
    let url = "http://127.0.0.1:1/";
    let output = run(&["check", url]);
    assert_eq!((output.status, output.stdout.as_str()), (3, ""));
    assert!(output.stderr.contains("refused"), "{output:?}");
    assert!(output.stderr.contains(url), "{output:?}");
    assert_eq!(run(&["send", "sms", url]).status, 3);
}

#[test]
fn endpoint_that_speaks_no_http_is_unreachable() {
    let (url, _requests) = record(vec!["220 mail.example.com ESMTP\r\n"]);
    assert_eq!(run(&["check", &url]).status, 3);
    let (url, _requests) = record(vec![""]);
    assert_eq!(run(&["check", &url]).status, 3);
}

#[test]
fn connection_that_breaks_later_fails_the_row() {
    let mut answers = vec![OK; ROWS];
    answers[1] = "";
    let (url, _requests) = record(answers);
    let (status, report) = check(&url, &[]);
    assert_eq!(status, 1);
    assert_eq!(report["rows"][1]["result"], "failed");
    assert_eq!(report["rows"][1]["status"], serde_json::Value::Null);
}

const WRONG_USAGE: &[&[&str]] = &[
    &[],
    &["check"],
    &["check", "localhost:8080"],
    &["check", "ftp://localhost/"],
    &["check", "http://ada:marker-secret@localhost/"],
    &["check", "http://localhost/", "--token", "marker-secret"],
    &["check", "http://localhost/", "--token=marker-secret"],
    &["check", "http://localhost/", "-d", "marker-secret"],
    &[
        "check",
        "http://localhost/",
        "--auth",
        "basic:ada:marker-secret",
    ],
    &[
        "check",
        "http://localhost/",
        "--auth",
        "bearer:marker-secret",
    ],
    &["check", "http://localhost/", "--auth", "basic:ada"],
    &["check", "http://localhost/", "--header", "marker-secret"],
    &[
        "check",
        "http://localhost/",
        "--header",
        "x-twilio-signature: marker-secret",
    ],
    &[
        "check",
        "http://localhost/",
        "--header",
        "X-Twilio-Signature : marker-secret",
    ],
    &[
        "check",
        "http://localhost/",
        "--header",
        " X-Twilio-Signature: marker-secret",
    ],
    &[
        "check",
        "http://localhost/",
        "--header",
        "X-Twilio-Signature\t: marker-secret",
    ],
    &[
        "check",
        "http://localhost/",
        "--header",
        "X-Two: marker-secret\r\nX-Three: 1",
    ],
    &[
        "check",
        "http://localhost/",
        "--header",
        "Content-Length : 5",
    ],
    &["check", "http://localhost/", "--header", ": marker-secret"],
    &["check", "http://localhost/", "--json", "{}"],
    &["check", "http://localhost/", "--max-time", "0"],
    &["check", "http://localhost/", "--connect-timeout", "1e9"],
    &["check", "ws://localhost/", "-d", "A=marker-secret"],
    &["check", "ws://localhost/", "--method", "get"],
    &["check", "ws://localhost/", "--json-body", "x"],
    &["check", "ws://localhost/", "--preset", "tutorial"],
    &[
        "check",
        "ws://localhost/",
        "--public-url",
        "https://example.com/",
    ],
    &["send", "sms", "http://localhost/", "--batch"],
    &["check", "http://localhost/", "--method", "put"],
    &["check", "http://localhost/", "--json-body", "no-such-file"],
    &["check", "http://localhost/", "--connect-timeout", "0"],
    &["check", "http://localhost/", "--connect-timeout", "soon"],
    &["check", "http://localhost/", "--token-file", "no-such-file"],
    &[
        "check",
        "http://localhost/",
        "--token-file",
        "a",
        "--token-stdin",
    ],
    &["check", "http://localhost/", "--public-url", "example.com"],
    &["check", "http://localhost/", "--format", "xml"],
    &["send", "fax", "http://localhost/"],
    &["send", "media-stream", "ws://localhost/", "-d", "A=b"],
    &["send", "sms", "ws://localhost/"],
];

#[test]
fn wrong_usage_exits_with_2() {
    assert_wrong_usage(WRONG_USAGE);
}

#[test]
fn token_comes_from_the_environment_a_file_or_the_input() {
    let url = serve_raw();
    let token_file = file("check.token", &format!("{TOKEN}\r\n"));
    let from_file = tool(&["check", &url, "--token-file", &token_file]);
    assert_eq!(from_file.token(None).run().status, 0);

    for input in [
        TOKEN.to_owned(),
        format!("{TOKEN}\n"),
        format!("{TOKEN},marker-older"),
    ] {
        assert_eq!(
            run_with_input(&["check", &url, "--token-stdin"], input).status,
            0
        );
    }
    assert_eq!(
        run_with_input(&["check", &url, "--token-stdin"], "marker-other").status,
        1
    );

    let output = tool(&["check", &url]).token(None).run();
    assert_eq!(output.status, 2);
    assert!(output.stderr.contains("TWILIO_AUTH_TOKEN"), "{output:?}");
    let sid = format!("AC{}", "0".repeat(32));
    let quoted = format!("\"{TOKEN}\"");
    for (wrong, problem) in [
        ("", "empty or blank"),
        (" ", "empty or blank"),
        ("marker-a,,marker-b", "between the commas"),
        (&quoted, "in quotes"),
        (&sid, "an AccountSid"),
    ] {
        let output = tool(&["check", &url]).token(Some(wrong)).run();
        assert_eq!(output.status, 2);
        assert!(
            output.stderr.starts_with("error: TWILIO_AUTH_TOKEN: "),
            "{output:?}"
        );
        assert!(output.stderr.contains(problem), "{output:?}");
    }
}

#[test]
fn requests_are_what_the_options_say() {
    let (url, requests) = record(vec![OK; ROWS]);
    let json = file("check.json", "{\"a\": \"é\"}");
    let (_, report) = check(
        &format!("{url}/a'b?c=%2F+%20&d"),
        &[
            "-d",
            "From=+1 4&5=6",
            "-d",
            "Extra=",
            "--json-body",
            &json,
            "--header",
            "User-Agent: mine",
            "--header",
            "X-Two: 1",
            "--header",
            "X-Two: 2",
        ],
    );
    let requests: Vec<_> = requests.try_iter().collect();
    assert_eq!(requests.len(), ROWS);
    assert!(
        requests[0].starts_with("POST /a'b?c=%2F+%20&d HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(
        requests[0].contains("From=%2B1+4%265%3D6&Extra="),
        "{}",
        requests[0]
    );
    assert!(
        requests[8].starts_with("GET /a'b?c=%2F+%20&d&MessageSid="),
        "{}",
        requests[8]
    );
    assert!(requests[11].ends_with("{\"a\": \"é\"}"), "{}", requests[11]);
    for request in &requests {
        assert_eq!(header(request, "User-Agent"), ["mine"], "{request}");
        assert_eq!(header(request, "X-Two"), ["1", "2"], "{request}");
    }
    assert_eq!(requests.len(), report["rows"].as_array().unwrap().len());
}

#[test]
fn signature_headers_go_out_as_the_rows_say() {
    let (url, requests) = record(vec![OK; ROWS]);
    let (_, report) = check(&url, &[]);
    let requests: Vec<_> = requests.try_iter().collect();
    for (row, request) in report["rows"].as_array().unwrap().iter().zip(&requests) {
        let values = header(request, "X-Twilio-Signature");
        let name = row["name"].as_str().unwrap();
        match name {
            "missing header" => assert_eq!(values, [""; 0], "{name}"),
            "empty header" => assert_eq!(values, [""], "{name}"),
            _ if name.starts_with("two signatures") => {
                assert_eq!(values.len(), 2, "{name}");
                assert_ne!(values[0], values[1], "{name}");
            }
            _ => assert_eq!(values.len(), 1, "{name}"),
        }
        if let [value] = values[..]
            && !value.is_empty()
        {
            assert_eq!(value.len(), 28, "{name}");
        }
    }
}

/// Every forgery is one: the validator refuses it for the reason that its name says.
#[test]
fn forgeries_are_what_their_names_say() {
    let (sender, kinds) = mpsc::channel();
    let url = serve(move |app| {
        let sender = sender.clone();
        let config: TwilioConfig = config()
            .on_verdict(move |verdict| sender.send(verdict.refusal()).unwrap())
            .build()
            .unwrap();
        app.app_data(config).default_service(web::to(support::raw));
    });
    let (_, report) = check(&url, &[]);
    let kinds: Vec<_> = kinds.try_iter().collect();
    assert_eq!(kinds.len(), ROWS);
    for (row, kind) in report["rows"].as_array().unwrap().iter().zip(kinds) {
        use ValidationErrorKind as Kind;
        let name = row["name"].as_str().unwrap();
        let expected = match name {
            _ if row["expected"] == "accept" => None,
            "missing header" => Some(Kind::Signature(SignatureErrorKind::SignatureMissing)),
            "empty header" => Some(Kind::Signature(SignatureErrorKind::SignatureMalformed)),
            _ if name.starts_with("two signatures") => {
                Some(Kind::Signature(SignatureErrorKind::SignatureConflicting))
            }
            "body replaced under a valid URL signature" => {
                Some(Kind::Signature(SignatureErrorKind::BodyHashMismatch))
            }
            "no bodySHA256" => Some(Kind::Signature(SignatureErrorKind::BodyHashMissing)),
            _ => Some(Kind::Signature(SignatureErrorKind::SignatureMismatch)),
        };
        assert_eq!(kind, expected, "{row}");
    }
}

/// An account of an app that looks keys up by account.
const ACCOUNT: &str = "AC00000000000000000000000000000001";

#[test]
fn account_of_the_options_reaches_every_row() {
    let (sender, kinds) = mpsc::channel();
    let url = serve(move |app| {
        let sender = sender.clone();
        let keys = KeyMap::new().account(ACCOUNT.parse().unwrap(), validator());
        let config = TwilioConfig::builder().key_store(keys);
        let config = config.on_verdict(move |verdict| sender.send(verdict.refusal()).unwrap());
        app.app_data(config.build().unwrap())
            .route("/raw", web::to(support::raw));
    }) + "/raw";
    let account = format!("AccountSid={ACCOUNT}");
    let (status, report) = check(&url, &["-d", &account]);
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(rows(&report, "passed").len(), ROWS);
    // No forgery is refused for its account.
    let kinds: Vec<_> = kinds
        .try_iter()
        .flatten()
        .map(ValidationErrorKind::as_str)
        .collect();
    assert_eq!(kinds.len(), ROWS - GENUINE_ROWS);
    assert!(
        kinds.iter().all(|kind| !kind.contains("account")),
        "{kinds:?}"
    );
    for event in ["sms", "voice", "event-stream"] {
        let output = run(&["send", event, &url, "-d", &account]);
        assert_eq!(output.status, 0, "{event}: {output:?}");
    }
    let batch = run(&["send", "event-stream", &url, "--batch", "-d", &account]);
    assert_eq!(batch.status, 0, "{batch:?}");

    // Without the option, the report names it.
    for args in [&["check", &url][..], &["send", "sms", &url]] {
        let output = run(args);
        assert_eq!(output.status, 1, "{args:?}");
        let printed = unwrapped(&(output.stdout + &output.stderr));
        assert!(printed.contains("-d AccountSid=AC.."), "{printed}");
    }
}

/// Opens a WebSocket.
async fn open_websocket(
    req: HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (res, _session, _messages) = actix_ws::handle(&req, payload)?;
    Ok(res)
}

#[validate_twilio_request]
async fn validated_websocket(
    req: HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    open_websocket(req, payload).await
}

#[test]
fn websockets_are_checked_by_their_handshake() {
    let http = serve(|app| {
        app.route("/validated", web::get().to(validated_websocket))
            .route("/open", web::get().to(open_websocket))
            .route("/answers", web::get().to(HttpResponse::Ok))
            .route("/form", web::post().to(HttpResponse::Ok));
    });
    let url = http.replace("http://", "ws://");
    let (status, report) = check(&format!("{url}/validated"), &[]);
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(rows(&report, "passed").len(), 8);
    assert_eq!(rows(&report, "passed")[0], "websocket: handshake");
    assert_eq!(report["url"], format!("{url}/validated"));
    assert_eq!(report["rows"][0]["status"], 101);

    let (status, report) = check(&format!("{url}/validated?tenant=a%2Fb"), &[]);
    assert_eq!(status, 0, "{report:#}");

    let (status, report) = check(&format!("{url}/open"), &[]);
    assert_eq!(
        (status, rows(&report, "failed").len()),
        (1, 7),
        "{report:#}"
    );

    let (status, report) = check(&format!("{url}/answers"), &[]);
    let note = report["rows"][0]["note"].as_str().unwrap();
    assert!(
        status == 1 && note.contains("without opening a WebSocket"),
        "{report:#}"
    );

    let (status, report) = check(&format!("{url}/form"), &[]);
    assert_eq!(
        (status, rows(&report, "not_taken").len()),
        (1, 1),
        "{report:#}"
    );

    let public = ["--public-url", "wss://example.com/media"];
    let (status, report) = check(&format!("{url}/validated"), &public);
    assert_eq!(
        (status, report["signed_url"].as_str()),
        (1, Some("wss://example.com/media"))
    );

    // Over HTTP, the report says how to check it.
    let output = run(&["check", &format!("{http}/validated")]);
    assert_eq!(output.status, 1);
    assert!(output.stdout.contains("ws://"), "{output:?}");
}

#[test]
fn answer_that_opens_another_websocket_is_a_failure() {
    let other = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let (url, _requests) = record(vec![other; 8]);
    let (status, report) = check(&url.replace("http://", "ws://"), &[]);
    let note = report["rows"][0]["note"].as_str().unwrap();
    assert!(
        status == 1 && note.contains("Sec-WebSocket-Accept"),
        "{report:#}"
    );
}

/// A terminal has at least 80 columns, and 30 lines fit in most windows.
#[test]
fn report_fits_into_a_window() {
    let quickstart = serve(|app| {
        app.service(message);
    }) + "/message";
    let tutorial = serve(|app| {
        app.default_service(web::to(without_body_hash));
    });
    let refusing = serve(|app| {
        app.default_service(web::to(HttpResponse::Forbidden));
    });
    let nothing = serve(|_| ());
    for url in [
        quickstart,
        tutorial,
        refusing,
        nothing,
        serve_open(),
        serve_raw(),
    ] {
        let output = run(&["check", &url]);
        let lines: Vec<_> = output.stdout.lines().collect();
        assert!(lines.len() <= 30, "{}", output.stdout);
        for line in &lines {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn rows_with_the_same_outcome_are_one_line_unless_every_row_is_asked_for() {
    let url = serve(|app| {
        app.default_service(web::to(without_body_hash));
    });
    let output = run(&["check", &url]);
    let lines: Vec<_> = output.stdout.lines().map(unwrapped).collect();
    for line in [
        "form all 8 genuine requests accepted 200 passed",
        "form 9 other forgeries refused 401 passed",
        "form two signatures, the genuine one first refused 200 FAILED",
        "JSON no bodySHA256 refused 200 FAILED",
    ] {
        assert!(
            lines.iter().any(|other| other == line),
            "{line}: {}",
            output.stdout
        );
    }
    let output = run(&["check", &url, "--verbose"]);
    let listed = |word: &str| {
        output
            .stdout
            .lines()
            .filter(|line| line.ends_with(word))
            .count()
    };
    assert_eq!(
        listed("passed") + listed("FAILED"),
        ROWS,
        "{}",
        output.stdout
    );
}

#[test]
fn answer_that_asks_for_credentials_without_a_challenge_is_said_to() {
    let url = serve(|app| {
        app.default_service(web::to(HttpResponse::Unauthorized));
    });
    let (_, report) = check(&url, &[]);
    let note = report["rows"][0]["note"].as_str().unwrap();
    assert!(note.contains("without a WWW-Authenticate header"), "{note}");
}

#[test]
fn public_url_without_a_path_is_the_likely_cause() {
    let url = serve(|app| {
        let config = config().public_url("https://example.com").unwrap();
        app.app_data(config.build().unwrap())
            .route("/raw", web::to(support::raw));
    }) + "/raw";
    let cause = |args: &[&str]| {
        let (status, report) = check(&url, args);
        assert_eq!(status, 1, "{report:#}");
        report["likely_causes"][0].as_str().unwrap().to_owned()
    };
    let base = cause(&["--public-url", "https://example.com"]);
    let advice = "pass the whole URL, such as https://example.com/raw";
    assert!(base.ends_with(advice), "{base}");
    let advised = ["--public-url", "https://example.com/raw"];
    assert_eq!(check(&url, &advised).0, 0);
    let none = cause(&[]);
    assert!(
        none.ends_with("--public-url https://example.com/raw"),
        "{none}"
    );
    let wrong = cause(&["--public-url", "https://example.com/other"]);
    assert!(
        wrong.ends_with("compare it with the url in the app's log"),
        "{wrong}"
    );
}
