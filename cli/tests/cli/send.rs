//! `send`: realistic events that a validated endpoint accepts.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use actix_twilio::{WebhookRequest, validate_twilio_request};
use actix_web::{
    HttpRequest, HttpResponse,
    dev::Service,
    guard,
    http::header::{HOST, HeaderValue},
    web,
};

use crate::support::{
    self, OK, config, record, run, serve, serve_open, serve_raw, tool, validator,
};

const FORMS: [&str; 9] = [
    "sms",
    "mms",
    "whatsapp",
    "voice",
    "gather",
    "recording",
    "call-status",
    "message-status",
    "studio",
];

/// Returns the one value of a header of a recorded request.
#[track_caller]
fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let values = support::header(request, name);
    assert_eq!(values.len(), 1, "{name}: {request}");
    values.first().unwrap()
}

#[test]
fn every_event_is_genuine() {
    let url = serve_raw();
    for event in FORMS.iter().chain(&["event-stream"]) {
        let output = run(&["send", event, &url]);
        assert_eq!(output.status, 0, "{event}: {output:?}");
        assert!(
            output.stdout.starts_with("HTTP 200\n"),
            "{event}: {output:?}"
        );
        assert!(
            output.stdout.contains("AC4d1f0c82b95e47a3862b70d9e5c1a836"),
            "{event}"
        );
    }
    for event in FORMS {
        assert_eq!(
            run(&["send", event, &url, "--method", "get"]).status,
            0,
            "{event}"
        );
    }
    assert_eq!(
        run(&["send", "event-stream", &url, "--method", "get"]).status,
        2
    );
}

#[test]
fn another_answer_is_a_failure() {
    let url = serve(|app| {
        app.default_service(web::to(|| async {
            HttpResponse::ImATeapot().body("not \u{1b}[31mcoffee")
        }));
    });
    let output = run(&["send", "sms", &url]);
    assert_eq!(output.status, 1);
    assert_eq!(output.stdout, "HTTP 418\n\nnot \\u{1b}[31mcoffee\n");
}

#[test]
fn headers_are_those_of_twilio() {
    let (url, requests) = record(vec![OK; 3]);
    assert_eq!(run(&["send", "sms", &url]).status, 0);
    assert_eq!(run(&["send", "sms", &url]).status, 0);
    let (first, second) = (requests.recv().unwrap(), requests.recv().unwrap());
    assert_eq!(header(&first, "User-Agent"), "TwilioProxy/1.1");
    assert_eq!(header(&first, "Accept"), "*/*");
    assert_eq!(header(&first, "X-Home-Region"), "us1");
    assert_eq!(
        header(&first, "Content-Type"),
        "application/x-www-form-urlencoded; charset=UTF-8"
    );
    let token = header(&first, "I-Twilio-Idempotency-Token");
    assert_ne!(token, header(&second, "I-Twilio-Idempotency-Token"));
    assert!(!first.to_lowercase().contains("accept-encoding"), "{first}");

    assert_eq!(
        run(&[
            "send",
            "sms",
            &url,
            "-H",
            "X-Home-Region: ie1",
            "-H",
            "Host: example.com"
        ])
        .status,
        0
    );
    let request = requests.recv().unwrap();
    assert_eq!(header(&request, "X-Home-Region"), "ie1");
    assert_eq!(header(&request, "Host"), "example.com");
}

#[test]
fn parameters_are_overridden() {
    let (url, requests) = record(vec![OK; 3]);
    run(&[
        "send",
        "sms",
        &url,
        "-d",
        "Body=1+1=2 é",
        "-d",
        "New=",
        "-d",
        "New=2",
    ]);
    let request = requests.recv().unwrap();
    assert!(
        request.contains("&Body=1%2B1%3D2+%C3%A9&New=&New=2"),
        "{request}"
    );
    assert_eq!(request.matches("Body=").count(), 1, "{request}");

    run(&[
        "send",
        "voice",
        &url,
        "--method",
        "get",
        "-d",
        "From=client:bob",
    ]);
    let request = requests.recv().unwrap();
    assert!(request.starts_with("GET /?CallSid=CA"), "{request}");
    assert!(request.contains("&From=client%3Abob HTTP/1.1"), "{request}");

    run(&[
        "send",
        "event-stream",
        &url,
        "-d",
        "type=com.example",
        "-d",
        "messageStatus=READ",
    ]);
    let request = requests.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!(
            "POST /?bodySHA256={} ",
            actix_twilio::signature::body_sha256(body)
        )),
        "{head}"
    );
    let event: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "com.example");
    assert_eq!(event["data"]["messageStatus"], "READ");
}

#[test]
fn twiml_is_indented() {
    let url = serve(|app| {
        app.default_service(web::to(|| async {
            HttpResponse::Ok()
                .content_type("text/xml")
                .body("<Response><Say>Hi</Say><Hangup/></Response>")
        }));
    });
    let output = run(&["send", "voice", &url]);
    assert_eq!(
        output.stdout,
        "HTTP 200\ncontent-type: text/xml\n\n<Response>\n  <Say>Hi</Say>\n  <Hangup/>\n</Response>\n"
    );
}

#[test]
fn handshake_is_signed_with_the_scheme_of_websockets() {
    #[validate_twilio_request]
    async fn media(req: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
        let (res, _session, _messages) = actix_ws::handle(&req, payload)?;
        Ok(res)
    }
    let url = serve(|app| {
        app.route("/media", web::get().to(media));
    }) + "/media";
    for url in [&url, &url.replace("http://", "ws://")] {
        let output = run(&["send", "media-stream", url]);
        assert_eq!(
            (output.status, output.stdout.as_str()),
            (0, "HTTP 101\n"),
            "{url}"
        );
    }
    let wrong = run(&[
        "send",
        "media-stream",
        &url,
        "--public-url",
        "wss://example.com/media",
    ]);
    assert_eq!(wrong.status, 1);
    assert!(wrong.stdout.starts_with("HTTP 403\n"), "{wrong:?}");
    // An endpoint that answers a handshake as any request does not open a WebSocket.
    assert_eq!(run(&["send", "media-stream", &serve_open()]).status, 1);
}

#[test]
fn signature_is_for_the_public_url() {
    let (sender, verdicts) = mpsc::channel();
    let url = serve(move |app| {
        let sender = sender.clone();
        app.default_service(web::to(move |req: HttpRequest, body: web::Bytes| {
            let header = |name| req.headers().get(name).unwrap().to_str().unwrap();
            let request = WebhookRequest::new("POST", "https://example.com/message?a=b")
                .content_type(header("Content-Type"))
                .body(&body)
                .signature(header("X-Twilio-Signature"));
            sender.send(validator().validate(&request).is_ok()).unwrap();
            std::future::ready(HttpResponse::NoContent())
        }));
    });
    for (public, genuine) in [
        ("https://example.com/message?a=b", true),
        ("https://example.com/message", false),
    ] {
        assert_eq!(
            run(&["send", "sms", &url, "--public-url", public]).status,
            0
        );
        assert_eq!(verdicts.recv().unwrap(), genuine, "{public}");
    }
}

/// Returns the parameters of the form that an event is sent as.
fn form(event: &str) -> Vec<(String, String)> {
    let (url, requests) = record(vec![OK]);
    assert_eq!(run(&["send", event, &url]).status, 0);
    let request = requests.recv().unwrap();
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let pairs = web::Query::<Vec<(String, String)>>::from_query(body).unwrap();
    pairs.into_inner()
}

#[test]
fn events_have_the_parameters_of_their_moment() {
    let value = |event: &str, name: &str| {
        let form = form(event);
        let values: Vec<_> = form.iter().filter(|(other, _)| other == name).collect();
        assert_eq!(values.len(), 1, "{event}: {name}");
        values[0].1.clone()
    };
    assert_eq!(value("voice", "CallStatus"), "ringing");
    // The call is answered before its caller can press keys.
    assert_eq!(value("gather", "CallStatus"), "in-progress");
    let metadata: serde_json::Value =
        serde_json::from_str(&value("whatsapp", "ChannelMetadata")).unwrap();
    assert_eq!(
        metadata["data"]["context"]["WaId"],
        value("whatsapp", "WaId")
    );
    assert_eq!(
        metadata["data"]["context"]["ProfileName"],
        value("whatsapp", "ProfileName")
    );
}

#[test]
fn event_of_event_streams_is_single_unless_a_batch_is_asked_for() {
    let (url, requests) = record(vec![OK; 2]);
    let body = |args: &[&str]| -> serde_json::Value {
        let output = run(&[
            &["send", "event-stream", &url, "-d", "AccountSid=AC1"],
            args,
        ]
        .concat());
        assert_eq!(output.status, 0, "{output:?}");
        let request = requests.recv().unwrap();
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let single = body(&[]);
    assert_eq!(single["data"]["accountSid"], "AC1");
    assert!(
        single["source"]
            .as_str()
            .unwrap()
            .contains("/Accounts/AC1/"),
        "{single}"
    );
    assert!(
        !single
            .to_string()
            .contains("AC4d1f0c82b95e47a3862b70d9e5c1a836"),
        "{single}"
    );
    assert_eq!(body(&["--batch"]), serde_json::json!([single]));
}

#[test]
fn answer_is_printed_as_json() {
    let answer = "HTTP/1.1 403 Forbidden\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 2\r\n\r\nno";
    let (url, _requests) = record(vec![answer, OK]);
    let args = ["send", "sms", &url, "--format", "json"];
    let output = run(&args);
    assert_eq!((output.status, output.stderr.as_str()), (1, ""));
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["ok"], false);
    assert_eq!(value["status"], 403);
    assert_eq!(value["body"], "no");
    assert_eq!(value["headers"]["x-two"], serde_json::json!(["1", "2"]));
    assert_eq!(value["problem"], "a genuine request was refused");
    let causes = value["likely_causes"].as_array().unwrap();
    assert!(causes.len() == 5 && causes[4].as_str().unwrap().contains("another webhook"));
    let output = run(&args);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (output.status, &value["problem"]),
        (0, &serde_json::Value::Null)
    );
}

#[test]
fn no_password_in_a_header_of_an_answer_is_shown() {
    for location in ["http://ada:marker-pw@h/a", "//ada:mark@marker-pw@h/a"] {
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nLink: <{location}>\r\nContent-Length: 0\r\n\r\n"
        );
        let (url, _requests) = record(vec![answer.leak(); 2]);
        for format in ["text", "json"] {
            // Running it checks that the password is not printed.
            let output = run(&["send", "sms", &url, "--format", format]);
            assert_eq!(output.status, 1, "{output:?}");
            let shown = output.stdout + &output.stderr;
            assert_eq!(
                shown.matches("//..@h/a").count(),
                if format == "text" { 2 } else { 3 },
                "{shown}"
            );
            assert!(!shown.contains("ada"), "{shown}");
        }
    }
}

/// Starts an app that gets another `Host` from its proxy, with this public URL or none.
fn serve_hidden(public_url: Option<&'static str>) -> String {
    serve(move |app| {
        if let Some(url) = public_url {
            let config = config().public_url(url).unwrap();
            app.app_data(config.build().unwrap());
        }
        let raw = web::scope("").route("/raw", web::to(support::raw));
        app.service(raw.wrap_fn(|mut req, app| {
            let host = HeaderValue::from_static("10.0.0.7:8080");
            req.headers_mut().insert(HOST, host);
            app.call(req)
        }));
    }) + "/raw"
}

/// Starts a proxy that opens each tunnel to this URL, as if all names led there.
fn tunnel_to(url: &str) -> String {
    let host = url["http://".len()..].split('/').next().unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pass_on = |mut from: TcpStream, mut to: TcpStream| {
        io::copy(&mut from, &mut to).ok();
    };
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            // The client waits for the answer, so nothing follows the head.
            let head = BufReader::new(&client).lines().map(Result::unwrap);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let app = TcpStream::connect(&host).unwrap();
            let (from, to) = (client.try_clone().unwrap(), app.try_clone().unwrap());
            thread::spawn(move || pass_on(from, to));
            thread::spawn(move || pass_on(app, client));
        }
    });
    format!("http://{address}")
}

/// Sends an SMS with these options, and returns the exit status and the likely causes.
#[track_caller]
fn sent(url: &str, options: &[&str], proxy: &str) -> (i32, Vec<String>) {
    let args = [&["send", "sms", url, "--format", "json"], options].concat();
    let output = tool(&args).env("HTTP_PROXY", proxy).run();
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let causes = value.get("likely_causes").unwrap().as_array().unwrap();
    let causes = causes
        .iter()
        .map(|cause| cause.as_str().unwrap().to_owned());
    (output.status, causes.collect())
}

#[test]
fn a_proxy_that_hides_the_url_is_a_likely_cause() {
    let set = "set TWILIO_WEBHOOK_BASE_URL in the app to";
    let hidden = serve_hidden(None);
    let (_, causes) = sent(&hidden, &[], "");
    let names_it = |cause: &String| cause.contains("a proxy hides the URL") && cause.contains(set);
    assert!(causes.iter().any(names_it), "{causes:?}");
    // With the public URL that is set at Twilio, the setting is named.
    let public = ["--public-url", "https://example.com/raw"];
    let (_, causes) = sent(&hidden, &public, "");
    let advice = format!("{set} https://example.com");
    assert!(causes[0].ends_with(&advice), "{causes:?}");
    let mended = serve_hidden(Some("https://example.com"));
    assert_eq!(sent(&mended, &public, "").0, 0);

    let shop = "http://shop.example.com/raw";
    for options in [&[][..], &["--public-url", shop]] {
        let (status, causes) = sent(shop, options, &tunnel_to(&hidden));
        assert_eq!(status, 1);
        let advice = format!("{set} http://shop.example.com");
        assert!(causes[0].ends_with(&advice), "{causes:?}");
    }
    let mended = serve_hidden(Some("http://shop.example.com"));
    assert_eq!(sent(shop, &[], &tunnel_to(&mended)).0, 0);
}

#[test]
fn a_signed_url_that_only_a_proxy_requests_has_a_warning() {
    let hidden = serve_hidden(None);
    for command in [&["send", "sms"][..], &["check"]] {
        let url = ["--public-url", "http://10.0.0.7:8080/raw"];
        let output = run(&[command, &[&hidden], &url].concat());
        assert_eq!(output.status, 0, "{output:?}");
        let start = "Warning: Twilio can't request http://10.0.0.7:8080/raw: ";
        assert!(output.stderr.starts_with(start), "{output:?}");
    }
    let own = hidden.replace("http:", "https:");
    for (header, url) in [
        ("X-A: b", "https://example.com/raw"),
        ("X-Forwarded-Proto: https", &own),
        ("Host: app:1", "http://app:1/raw"),
    ] {
        let output = run(&["send", "sms", &hidden, "-H", header, "--public-url", url]);
        assert!(!output.stderr.contains("Warning"), "{output:?}");
    }
}

#[test]
fn headers_of_the_user_determine_the_url_that_is_advised() {
    let url = serve_raw();
    let own = url.replace("http:", "https:");
    let advised: [(&[&str], &str); 6] = [
        (&["X-Forwarded-Proto: https"], &own),
        (&["X-Forwarded-Host: example.com"], "http://example.com/raw"),
        (&["Host: example.com"], "http://example.com/raw"),
        (
            &["host: example.com", "X-Forwarded-Proto: https"],
            "https://example.com/raw",
        ),
        (
            &["Forwarded: host=example.com;proto=https"],
            "https://example.com/raw",
        ),
        (
            &["X-Forwarded-Host: example.com", "X-Forwarded-Port: 8443"],
            "http://example.com:8443/raw",
        ),
    ];
    for (headers, expected) in advised {
        let options: Vec<_> = headers.iter().flat_map(|header| ["-H", header]).collect();
        let (status, causes) = sent(&url, &options, "");
        assert_eq!(status, 1, "{headers:?}");
        let advice = format!("pass --public-url {expected}");
        assert!(causes[0].ends_with(&advice), "{headers:?}: {causes:?}");
        let followed = [&*options, &["--public-url", expected]].concat();
        assert_eq!(sent(&url, &followed, "").0, 0, "{headers:?}");
    }
    for (header, problem) in [
        ("X-Forwarded-Proto: ftp", "X-Forwarded-Proto is neither"),
        ("Forwarded: example.com", "Forwarded is not a list of pairs"),
    ] {
        let (_, causes) = sent(&url, &["-H", header], "");
        assert!(causes[0].contains(problem), "{causes:?}");
    }
}

#[test]
fn advice_on_a_redirect_to_https_leads_to_an_answer() {
    let https = "X-Forwarded-Proto: https";
    for public_url in [None, Some("https://example.com")] {
        let url = serve(move |app| {
            if let Some(url) = public_url {
                let config = config().public_url(url).unwrap();
                app.app_data(config.build().unwrap());
            }
            let over_tls = web::route().guard(guard::Header("x-forwarded-proto", "https"));
            app.route("/raw", over_tls.to(support::raw));
            app.default_service(web::to(|| async {
                let to = ("Location", "https://example.com/raw");
                HttpResponse::PermanentRedirect().insert_header(to).finish()
            }));
        }) + "/raw";
        let output = run(&["send", "sms", &url]);
        let own = url.replace("http:", "https:");
        let advice = format!("-H '{https}' --public-url {own}\n");
        assert!(output.stderr.ends_with(&advice), "{output:?}");
        let (status, causes) = sent(&url, &["-H", https, "--public-url", &own], "");
        assert_eq!(status, i32::from(public_url.is_some()));
        if public_url.is_some() {
            let advised = "--public-url https://example.com/raw";
            assert!(causes[0].ends_with(advised), "{causes:?}");
        }
        // With the URL that is set at Twilio, only the header is missing.
        let public = ["--public-url", "https://example.com/raw"];
        let output = run(&[&["send", "sms", &url], &public[..]].concat());
        let advice = format!("-H '{https}'\n");
        assert!(output.stderr.ends_with(&advice), "{output:?}");
        let (status, _) = sent(&url, &[&["-H", https], &public[..]].concat(), "");
        assert_eq!(status, i32::from(public_url.is_none()));
    }
}
