//! `call` and `text`: a real app is walked through, and its faults are found.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use actix_twilio::{
    twiml::{
        Dial, Gather, Hangup, Message, MessagingResponse, NoContent, Number, Record, Redirect, Say,
        Twiml, VoiceResponse,
    },
    validate_twilio_request,
    webhook::{
        CallStatusCallback, DialResult, GatherResult, IncomingCall, IncomingMessage, RecordResult,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION},
    web,
};
use serde_json::Value;

use crate::support::{assert_wrong_usage, header, record, run, run_with_input, serve, tool};

#[validate_twilio_request]
async fn voice(call: IncomingCall) -> VoiceResponse {
    let question = Say::new(format!("Hello {}. Press 1 for sales.", call.from));
    VoiceResponse::new()
        .child(Gather::new().num_digits(1).action("choice").child(question))
        .child(Say::new("Leave a message."))
        .child(Record::new().action("/voicemail"))
        .child(Say::new("Goodbye."))
}

#[validate_twilio_request]
async fn choice(result: GatherResult) -> VoiceResponse {
    match result.digits.as_deref() {
        Some("1") => {
            let number = Number::new("+14158675310").status_callback("/dialed");
            VoiceResponse::new().child(Dial::new(number).action("/done"))
        }
        _ => VoiceResponse::new().child(Redirect::new("/voice")),
    }
}

#[validate_twilio_request]
async fn done(result: DialResult) -> VoiceResponse {
    let status = result
        .dial_call_status
        .map(|status| status.as_str().to_owned());
    VoiceResponse::new()
        .child(Say::new(format!("It was {}.", status.unwrap_or_default())))
        .child(Hangup::new())
}

#[validate_twilio_request]
async fn voicemail(result: RecordResult) -> VoiceResponse {
    let seconds = result.recording_duration.unwrap_or_default();
    VoiceResponse::new().child(Say::new(format!("You spoke for {seconds} seconds.")))
}

#[validate_twilio_request]
async fn status(_: CallStatusCallback) -> NoContent {
    NoContent
}

#[validate_twilio_request]
async fn message(message: IncomingMessage) -> MessagingResponse {
    let reply = Message::new(format!("You wrote {}.", message.body)).status_callback("/delivered");
    MessagingResponse::new().child(reply)
}

#[validate_twilio_request]
async fn any(_: HttpRequest) -> NoContent {
    NoContent
}

/// Starts an app with a menu, a mailbox and messages.
fn app() -> String {
    serve(|app| {
        app.route("/voice", web::to(voice))
            .route("/choice", web::post().to(choice))
            .route("/done", web::post().to(done))
            .route("/voicemail", web::post().to(voicemail))
            .route("/dialed", web::post().to(status))
            .route("/status", web::post().to(status))
            .route("/message", web::to(message))
            .route("/delivered", web::post().to(any));
    })
}

/// Starts an app that answers this TwiML at each of these paths, and has no other ones. It checks no signature.
fn pages(pages: &'static [(&'static str, &'static str)]) -> String {
    serve(move |app| {
        for (path, page) in pages {
            app.route(
                path,
                web::to(move || async move {
                    match page.strip_prefix("302 ") {
                        Some(target) => HttpResponse::Found()
                            .insert_header(("Location", target))
                            .finish(),
                        None => HttpResponse::Ok()
                            .content_type("text/xml")
                            .body(format!("<Response>{page}</Response>")),
                    }
                }),
            );
        }
    })
}

/// Returns the lines of a walk that are not requests.
fn dialogue(output: &str) -> Vec<&str> {
    output
        .lines()
        .filter(|line| !line.starts_with("  "))
        .collect()
}

#[test]
fn a_call_is_walked_with_keys() {
    let url = app() + "/voice";
    let output = run(&[
        "call",
        &url,
        "--keys",
        "1",
        "--dial",
        "busy",
        "--status-callback",
        "/status",
    ]);
    assert_eq!(
        (output.status, output.stderr.as_str()),
        (0, "OK: no fault in 5 requests. Twilio hangs up.\n"),
        "{}",
        output.stdout
    );
    assert_eq!(
        dialogue(&output.stdout),
        [
            "app: Hello +14158675310. Press 1 for sales.",
            "caller: 1",
            "twilio: dials +14158675310",
            "twilio: the caller hears that the line is busy",
            "app: It was busy.",
            "twilio: hangs up",
        ]
    );
    for line in [
        "/choice (action of <Gather>): 200",
        "/dialed (statusCallback of <Number>): 204",
        "/done (action of <Dial>): 200",
        "/status (status callback of the call): 204",
    ] {
        assert!(output.stdout.contains(line), "{line}: {}", output.stdout);
    }
}

#[test]
fn the_next_entry_of_keys_is_for_the_next_gather() {
    let url = app() + "/voice";
    let output = run(&[
        "call",
        &url,
        "--keys",
        "2,1",
        "--dial",
        "no-answer",
        "-d",
        "From=+15005550006",
    ]);
    assert_eq!(output.status, 0, "{output:?}");
    assert_eq!(
        dialogue(&output.stdout)[..5],
        [
            "app: Hello +15005550006. Press 1 for sales.",
            "caller: 2",
            "app: Hello +15005550006. Press 1 for sales.",
            "caller: 1",
            "twilio: dials +14158675310",
        ]
    );
}

#[test]
fn a_silent_caller_and_one_who_speaks_are_walked() {
    let url = app() + "/voice";
    let output = run(&["call", &url]);
    assert_eq!(output.status, 0, "{output:?}");
    assert!(
        output
            .stdout
            .contains("\ncaller: (silent)\napp: Leave a message.\n")
    );
    assert!(
        output
            .stdout
            .contains("\ncaller: (silent)\napp: Goodbye.\n"),
        "{output:?}"
    );
    let output = run(&["call", &url, "--record", "--method", "get"]);
    assert_eq!(output.status, 0, "{output:?}");
    assert!(
        output.stdout.contains("\napp: You spoke for 12 seconds.\n"),
        "{output:?}"
    );
}

#[test]
fn a_conversation_is_walked() {
    let url = app() + "/message";
    let expected = [
        "sender: Hi",
        "app: You wrote Hi.",
        "sender: two",
        "app: You wrote two.",
    ];
    let output = run(&["text", &url, "--say", "Hi", "--say", "two"]);
    assert_eq!(output.status, 0, "{output:?}");
    assert_eq!(dialogue(&output.stdout), expected);
    assert_eq!(
        output
            .stdout
            .matches("(statusCallback of <Message>): 204")
            .count(),
        4
    );
    let typed = run_with_input(&["text", &url], "Hi\n\n  two  \n");
    assert_eq!(
        (typed.status, dialogue(&typed.stdout)),
        (0, expected.to_vec())
    );
}

#[test]
fn the_json_of_a_walk_has_its_steps_and_faults() {
    let url = pages(&[(
        "/voice",
        "<Gather action='/nothing'><Say>Press</Say></Gather>",
    )]) + "/voice";
    let output = run(&["call", &url, "--keys", "1", "--format", "json"]);
    assert_eq!(
        (output.status, output.stdout.lines().count()),
        (1, 1),
        "{output:?}"
    );
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(json["ok"], false);
    let kinds: Vec<_> = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "request",
            "said",
            "fault",
            "caller",
            "request",
            "fault",
            "apologized",
            "ended"
        ]
    );
    assert_eq!(json["steps"][0]["params"]["CallStatus"], "ringing");
    assert_eq!(json["steps"][4]["params"]["Digits"], "1");
    assert_eq!(json["faults"][0]["line"], 1);
    assert_eq!(json["faults"][1]["code"], 11200);
}

/// The name of a fault, the paths of an app that has it with their answers, the options of the walk, and what is said
/// about it.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
);

const FAULTS: &[Case] = &[
    (
        "a redirect to itself",
        &[("/voice", "<Redirect/>")],
        &[],
        "answers the same document again and again",
    ),
    (
        "a menu that never ends",
        &[("/voice", "<Gather action='/k'/><Redirect>/voice</Redirect>")],
        &[],
        "answers the same document again and again",
    ),
    (
        "an action that is not found",
        &[("/voice", "<Gather action='/k'/><Hangup/>")],
        &["--keys", "1"],
        "error 11200: the app answered with the status 404",
    ),
    (
        "a Gather without a way out",
        &[("/voice", "\n<Gather action='/k'/>")],
        &[],
        "line 2: <Gather> is the last verb",
    ),
    (
        "a redirect that drops digits",
        &[
            ("/voice", "<Gather action='/k'/><Hangup/>"),
            ("/k", "302 /l"),
            ("/l", "<Hangup/>"),
        ],
        &["--keys", "1"],
        "without the parameters, among them Digits",
    ),
    (
        "not well-formed",
        &[("/voice", "<Say>")],
        &[],
        "error 12100",
    ),
    (
        "a message in a call",
        &[("/voice", "<Message>Hi</Message>")],
        &[],
        "line 1: error 12200: <Message> can't be inside of <Response> of a call",
    ),
];

#[test]
fn each_fault_is_found() {
    for (name, app, options, said) in FAULTS {
        let url = pages(app) + "/voice";
        let output = run(&[&["call", &url], *options].concat());
        assert_eq!(output.status, 1, "{name}: {output:?}");
        assert!(output.stdout.contains(said), "{name}: {output:?}");
        assert!(
            output.stderr.starts_with("FAILED: 1 fault\n"),
            "{name}: {output:?}"
        );
    }
}

#[test]
fn a_document_of_more_than_64_kb_is_a_fault() {
    let url = serve(|app| {
        app.route(
            "/voice",
            web::to(|| async {
                Twiml::from_xml(format!(
                    "<Response><Say>{}</Say></Response>",
                    "a".repeat(10_000_000)
                ))
            }),
        );
    }) + "/voice";
    let output = run(&["call", &url]);
    assert_eq!(output.status, 1, "{output:?}");
    assert!(
        output.stdout.contains("error 11750: the document has"),
        "{output:?}"
    );
    assert!(output.stdout.len() < 10_000);
}

/// Starts an app that answers these requests in turn. It reads the one after them, and never answers it.
fn stuck(answers: Vec<&'static str>) -> (String, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/voice", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel::<()>();
    thread::spawn(move || {
        for body in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.read(&mut [0; 16_384]);
            stream.write_all((head + body).as_bytes()).unwrap();
        }
        let (mut last, _) = listener.accept().unwrap();
        let _ = last.read(&mut [0; 16]);
        let _ = receiver.recv_timeout(Duration::from_secs(60));
    });
    (url, sender)
}

#[test]
fn an_app_that_stops_answering_is_a_fault() {
    let (url, sender) = stuck(vec!["<Response><Redirect>/next</Redirect></Response>"]);
    let start = Instant::now();
    let output = run(&["call", &url]);
    drop(sender);
    assert_eq!(output.status, 1, "{output:?}");
    assert!(
        output
            .stdout
            .contains("error 11200: the app took longer than the 15 seconds"),
        "{output:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(40));
}

#[test]
fn an_app_that_never_answers_is_a_fault_and_the_walk_goes_on() {
    let (call, call_sender) = stuck(vec![]);
    let (text, text_sender) = stuck(vec![]);
    let texting = thread::spawn(move || run(&["text", &text, "--say", "Hi"]));
    let output = run(&["call", &call]);
    let texted = texting.join().unwrap();
    drop((call_sender, text_sender));
    for (output, goes_on) in [
        (
            output,
            "twilio: says \"We are sorry, an application error has occurred. Goodbye.\"\n",
        ),
        (texted, "twilio: sends nothing because of the error\n"),
    ] {
        assert_eq!(
            (output.status, output.stderr.as_str()),
            (1, "FAILED: 1 fault\n"),
            "{output:?}"
        );
        for said in [
            "error 11200: the app took longer than the 15 seconds",
            goes_on,
        ] {
            assert!(output.stdout.contains(said), "{output:?}");
        }
    }
}

#[test]
fn an_answer_that_breaks_off_is_a_fault_in_every_command() {
    let cut = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\n<Response/>",
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n<Response/>\r\n",
    ];
    for answer in cut {
        let (url, _requests) = record(vec![answer; 100]);
        for (args, said) in [
            (
                &["call"][..],
                "error 11200: the app closed the connection before the end of its answer",
            ),
            (&["text", "--say", "Hi"], "before the end of its answer"),
            (
                &["send", "sms"],
                "the answer broke off before the end that it announces",
            ),
            (
                &["check"],
                "the answer broke off before the end that it announces",
            ),
        ] {
            let output = run(&[args, &[&url]].concat());
            assert_eq!(output.status, 1, "{args:?}: {output:?}");
            let shown = crate::support::unwrapped(&(output.stdout + &output.stderr));
            assert!(shown.contains(said), "{args:?}: {shown}");
        }
    }
}

#[test]
fn a_conversation_without_a_message_is_wrong_usage() {
    for input in ["", "\n  \n"] {
        let output = run_with_input(&["text", "http://127.0.0.1:1/"], input);
        assert_eq!((output.status, &*output.stdout), (2, ""), "{output:?}");
        assert!(output.stderr.contains("there is no message"), "{output:?}");
    }
}

#[test]
fn a_first_answer_that_is_not_http_leads_to_the_fallback_url() {
    const END: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    for first in ["", "SSH-2.0-OpenSSH_9.6\r\n\r\n"] {
        let (url, requests) = record(vec![first, END]);
        let output = run(&["call", &(url + "/voice"), "--fallback-url", "/fallback"]);
        assert_eq!(output.status, 1, "{output:?}");
        assert!(
            output
                .stdout
                .contains("error 11200: the app closed the connection"),
            "{output:?}"
        );
        let fallback = requests.iter().nth(1).unwrap();
        assert!(
            fallback.starts_with("POST /fallback HTTP/1.1\r\n"),
            "{fallback}"
        );
        assert!(fallback.contains("ErrorCode=11200"), "{fallback}");
    }
}

#[test]
fn a_location_that_is_not_ascii_is_named() {
    let answers: [(&'static [u8], &str); 2] = [
        ("/caf\u{e9}".as_bytes(), "its Location \"/caf\u{e9}\" has"),
        (b"/caf\xe9", "its Location \"/caf\u{fffd}\" has"),
    ];
    for (location, said) in answers {
        let url = serve(move |app| {
            app.default_service(web::to(move || async move {
                let location = HeaderValue::from_bytes(location).unwrap();
                HttpResponse::Found()
                    .insert_header((LOCATION, location))
                    .finish()
            }));
        }) + "/voice";
        let output = run(&["call", &url]);
        assert_eq!(output.status, 1, "{output:?}");
        assert!(
            output.stdout.contains("error 11216") && output.stdout.contains(said),
            "{output:?}"
        );
    }
}

/// Starts an app that leads to a URL that no request can have: by redirects of HTTP that make it longer each time, by
/// documents that do, or by a callback.
fn growing() -> String {
    serve(|app| {
        let more = "a/".repeat(15_000);
        app.default_service(web::to(move |req: HttpRequest| {
            let path = req.path();
            let document = |verbs: String| {
                HttpResponse::Ok()
                    .content_type("text/xml")
                    .body(format!("<Response>{verbs}</Response>"))
            };
            let answer = if path.starts_with("/http") {
                HttpResponse::TemporaryRedirect()
                    .insert_header((LOCATION, more.clone()))
                    .finish()
            } else if path.starts_with("/query") {
                let long = "b".repeat(30_000);
                document(format!("<Redirect method='GET'>{more}?{long}</Redirect>"))
            } else if path.starts_with("/end") {
                document(String::new())
            } else {
                document(format!("<Redirect>{more}</Redirect>"))
            };
            std::future::ready(answer)
        }));
    })
}

#[test]
fn an_app_that_leads_to_a_url_that_is_too_long_is_at_fault() {
    let origin = growing();
    for path in ["/http/", "/query/", "/document/"] {
        let url = [&origin, path].concat();
        for command in [&["call"][..], &["text", "--say", "Hi"]] {
            let args = [command, &[&url, "--fallback-url", "/end"]].concat();
            let output = run(&args);
            assert_eq!(output.status, 1, "{path}: {}", output.stderr);
            assert_eq!(output.stderr, "FAILED: 1 fault\n", "{path}");
            let said = "FAULT error 11100: no request can have the URL that the app named";
            assert!(output.stdout.contains(said), "{path}");
            assert!(
                output
                    .stdout
                    .contains("which is not requested: no request can have this URL"),
                "{path}"
            );
            assert!(output.stdout.contains("/end (fallback URL): 200"), "{path}");

            let output = run(&[&args[..], &["--format", "json"]].concat());
            assert_eq!(output.status, 1, "{path}: {}", output.stderr);
            let report: Value = serde_json::from_str(&output.stdout).unwrap();
            assert_eq!(report["faults"][0]["code"], 11100, "{path}");
        }
    }
}

#[test]
fn a_url_of_the_command_line_that_is_too_long_is_wrong_usage() {
    let url = app() + "/voice";
    let long = "/".to_owned() + &"a".repeat(66_000);
    let too_long = [&*url, &long].concat();
    for args in [
        &["call", &too_long][..],
        &["text", &too_long, "--say", "Hi"],
        &["call", &url, "--status-callback", &long],
    ] {
        let output = run(args);
        assert_eq!(output.status, 2, "{}", output.stdout);
        assert!(output.stderr.contains("too long"));
    }
}

#[test]
fn keys_and_speech_that_nobody_asked_for_are_noted() {
    let url = app() + "/voice";
    let output = run(&[
        "call",
        &url,
        "--keys",
        "1,2#,3",
        "--dial",
        "busy",
        "--say",
        "two \u{202e}tickets",
    ]);
    assert_eq!(
        (output.status, output.stderr.as_str()),
        (
            0,
            "note: the call ended before a <Gather> took --keys 2#, --keys 3, --say \"two \\u{202e}tickets\"\n\
             OK: no fault in 4 requests. Twilio hangs up.\n"
        ),
        "{output:?}"
    );
    assert!(!output.stdout.contains("note:"), "{output:?}");
}

#[test]
fn messages_have_1600_characters_at_most() {
    let long = "\u{e9}".repeat(1_601);
    let longest = "\u{e9}".repeat(1_600);
    let url = app() + "/message";
    for output in [
        run(&["text", &url, "--say", &long]),
        run_with_input(&["text", &url], &long),
        run_with_input(&["text", &url], "a".repeat(100_000)),
    ] {
        assert_eq!((output.status, &*output.stdout), (2, ""), "{output:?}");
        assert!(
            output
                .stderr
                .contains("characters, and Twilio takes 1600: shorten it"),
            "{output:?}"
        );
        // The message itself is not repeated.
        assert!(output.stderr.len() < 200, "{output:?}");
    }
    // The app answers with more.
    let output = run(&["text", &url, "--say", &longest]);
    assert_eq!(output.status, 1, "{output:?}");
    let said = "FAULT line 1: error 21617: the message has 1611 characters; shorten it";
    assert!(output.stdout.contains(said), "{output:?}");
    assert!(
        output
            .stdout
            .ends_with("\ntwilio: does not send the message, since it is too long\n"),
        "{output:?}"
    );
}

#[test]
fn a_walk_sends_nothing_to_another_host() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let address = other.local_addr().unwrap();
    let targets = [
        format!("<Redirect>http://{address}/steal</Redirect>"),
        format!(
            "<Dial><Number url='http://{address}/a' statusCallback='http://{address}/b'>+1</Number></Dial>"
        ),
        format!("<Gather action='http://{address}/c'/><Hangup/>"),
        format!("<Redirect>//{address}/d</Redirect>"),
        format!("<Enqueue waitUrl='http://{address}/e'>q</Enqueue>"),
        format!("302 http://{address}/f"),
    ];
    for target in targets {
        let url = serve(move |app| {
            let target = target.clone();
            app.route(
                "/voice",
                web::to(move || {
                    let target = target.clone();
                    async move {
                        match target.strip_prefix("302 ") {
                            Some(url) => HttpResponse::Found()
                                .insert_header(("Location", url))
                                .finish(),
                            None => HttpResponse::Ok()
                                .content_type("text/xml")
                                .body(format!("<Response>{target}</Response>")),
                        }
                    }
                }),
            );
        }) + "/voice";
        let output = tool(&[
            "call",
            &url,
            "--keys",
            "1#",
            "-H",
            "X-Key: 1",
            "--auth",
            "basic:ada",
        ])
        .env("TWILIO_WEBHOOK_PASSWORD", "marker-open-sesame")
        .run();
        assert!(
            output.stdout.contains("which is not requested"),
            "{output:?}"
        );
        assert!(other.accept().is_err(), "{output:?}");
    }
}

#[test]
fn a_walk_signs_the_public_url_and_requests_the_local_one() {
    const TWIML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: 58\r\n\r\n<Response><Redirect>menu?a=1</Redirect><!-- --></Response>";
    const END: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    let (url, requests) = record(vec![TWIML, END]);
    let output = run(&[
        "call",
        &(url + "/voice"),
        "--public-url",
        "https://example.com/twilio/voice",
    ]);
    let (first, second) = (requests.recv().unwrap(), requests.recv().unwrap());
    assert!(first.starts_with("POST /voice HTTP/1.1\r\n"), "{first}");
    assert!(
        second.starts_with("POST /menu?a=1 HTTP/1.1\r\n"),
        "{second} {output:?}"
    );
    for (request, public) in [
        (&first, "https://example.com/twilio/voice"),
        (&second, "https://example.com/twilio/menu?a=1"),
    ] {
        let body = request.split("\r\n\r\n").nth(1).unwrap();
        let webhook = actix_twilio::WebhookRequest::new("POST", public)
            .content_type("application/x-www-form-urlencoded; charset=UTF-8")
            .body(body);
        let expected = crate::support::validator().sign(&webhook).unwrap();
        assert_eq!(header(request, "X-Twilio-Signature"), [expected.as_str()]);
    }
}

#[test]
fn a_walk_that_is_refused_names_likely_causes() {
    let url = app() + "/voice";
    let output = tool(&["call", &url]).token(Some("another-token")).run();
    assert_eq!(output.status, 1, "{output:?}");
    assert!(
        output
            .stdout
            .contains("error 11200: the app answered with the status 403"),
        "{output:?}"
    );
    assert!(
        output
            .stderr
            .contains("the app has another token than this tool"),
        "{output:?}"
    );
}

#[test]
fn wrong_usage_and_an_app_that_is_down_have_statuses_of_their_own() {
    assert_wrong_usage(&[
        &["call", "localhost:8080/voice"],
        &["call", "http://127.0.0.1:1/voice", "--max-steps", "0"],
        &["call", "http://127.0.0.1:1/voice", "--keys", "1,x"],
        &["call", "http://127.0.0.1:1/voice", "--keys", ""],
        &["call", "http://127.0.0.1:1/voice", "--dial", "perhaps"],
        &[
            "call",
            "http://127.0.0.1:1/voice",
            "--status-callback",
            "ftp://x/",
        ],
        &["text", "http://127.0.0.1:1/message", "--token-stdin"],
    ]);
    let url = "http://127.0.0.1:1/voice";
    assert_eq!(run(&["call", url]).status, 3);
    assert_eq!(run(&["text", url, "--say", "Hi"]).status, 3);
}

#[test]
fn hidden_characters_of_an_app_are_shown_as_escapes() {
    let url = pages(&[("/voice", "<Say>a\u{202e}b\u{9b}31m</Say><Hangup/>")]) + "/voice";
    let output = run(&["call", &url]);
    assert!(
        output.stdout.contains("app: a\\u{202e}b\\u{9b}31m\n"),
        "{output:?}"
    );
}

#[test]
fn no_password_in_a_broken_url_of_an_app_is_shown() {
    let url = pages(&[(
        "/voice",
        "<Play>https:///bob:hunter2@example.com/a</Play><Play>https:bob:hunter2@example.com/a</Play>\
         <Play>https://\"bob:hunter2@example.com/a</Play><Play>https:// bob:hunter2@example.com/a</Play>\
         <Play>https://bob: hunter2@example.com/a</Play><Play>https://bob:\nhunter2@example.com/a</Play>\
         <Play>https://bob:hunter2&#10;@example.com/a</Play><Say>https:\\/\\/bob:hunter2@example.com/a</Say>\
         <Play>https:%2F%2Fbob:hunter2@example.com/a</Play><Play>https://bob:12/hunter2@example.com/a</Play>\
         <Play>https://bob:12?hunter2@example.com/a</Play><Dial><Sip>sip:bob:1/hunter2@example.com</Sip></Dial>",
    )]) + "/voice";
    for format in ["text", "json"] {
        let output = run(&["call", &url, "--format", format]);
        let shown = output.stdout + &output.stderr;
        assert!(shown.matches("..@example.com").count() >= 12, "{shown}");
        assert!(!shown.contains("hunt") && !shown.contains("bob"), "{shown}");
    }
}

#[test]
fn no_password_in_a_url_of_an_app_is_shown() {
    let url = pages(&[
        (
            "/voice",
            "<Play>https://bob:hunter2@example.com/a.mp3</Play>\
             <Say>see http://bob:hunter2@example.com</Say>\
             <Redirect>//bob:hunt@er2@example.com/next</Redirect>",
        ),
        (
            "/message",
            "<Message><Body>Hi</Body><Media>https://bob:hunter2@example.com/a.png</Media></Message>\
             <Redirect>ftp://bob:hunter2@example.com/next</Redirect>",
        ),
    ]);
    for (path, command) in [
        ("/voice", &["call"][..]),
        ("/message", &["text", "--say", "Hi"]),
    ] {
        let url = [&*url, path].concat();
        for format in ["text", "json"] {
            let output = run(&[command, &[&url, "--format", format]].concat());
            let shown = output.stdout + &output.stderr;
            assert!(shown.contains("//..@example.com"), "{path}: {shown}");
            assert!(
                !shown.contains("hunt") && !shown.contains("bob"),
                "{path}: {shown}"
            );
        }
    }
}
