//! `check` against apps that validate, that do not, and that are not there.

use std::sync::mpsc;

use crate::support::{
    self, FORM, GENUINE_ROWS, OK, ROWS, TOKEN, assert_wrong_usage, check, config, file, header,
    record, rows, run, run_with_input, serve, serve_open, serve_raw, tool, validator,
};
use actix_twilio::{
    TwilioConfig, ValidationErrorKind, WebhookRequest, signature::SignatureErrorKind,
    validate_twilio_request,
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
    assert!(output.stdout.contains("nothing is verified"), "{output:?}");
    assert!(!output.stdout.contains("passed"), "{output:?}");
    let asks_for_the_path = "every answer was 404; is the path right?";
    assert!(output.stdout.contains(asks_for_the_path), "{output:?}");

    let elsewhere = serve(|app| {
        app.default_service(web::to(HttpResponse::MethodNotAllowed));
    });
    let output = run(&["check", &elsewhere]);
    assert!(!output.stdout.contains(asks_for_the_path), "{output:?}");
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
    // A 401 shows nothing where the genuine requests get it too.
    let url = serve(|app| {
        app.default_service(web::to(HttpResponse::Unauthorized));
    });
    let (status, report) = check(&url, &[]);
    assert_eq!((status, rows(&report, "failed").len()), (1, ROWS));
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
fn redirects_are_answers() {
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
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(report["rows"][0]["status"], 302);
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
    &["check", "http://localhost/", "--method", "put"],
    &["check", "http://localhost/", "--json", "no-such-file"],
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
    for blank in ["", " ", "marker-a,,marker-b"] {
        let output = tool(&["check", &url]).token(Some(blank)).run();
        assert_eq!(output.status, 2);
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
            "--json",
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
