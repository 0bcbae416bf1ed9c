//! The page of `listen`, as the page itself, other sites and other programs ask for it.

use actix_twilio::testing::Signer;
use serde_json::{Value, json};

use crate::inspected::{Answer, CALL, Listen, PUBLIC, SMS, TOKEN, form, send, serve_app};

/// Starts the tool with an app, as a developer does whose app has a public URL.
fn listen() -> Listen {
    Listen::start(&serve_app(), &["--public-url", PUBLIC])
}

#[track_caller]
fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        !answer.body.contains(TOKEN),
        "the token is on the page: {}",
        answer.body
    );
    serde_json::from_str(&answer.body).unwrap()
}

#[track_caller]
fn detail(listen: &Listen, id: u64) -> Value {
    json(&listen.exchange(id, ""))
}

/// Does something with a request, and returns what it says and the new request.
#[track_caller]
fn act(listen: &Listen, path: &str, body: &Value) -> (Value, Value) {
    if let Some((id, _)) = path
        .strip_prefix("/api/exchanges/")
        .and_then(|rest| rest.split_once('/'))
    {
        assert_eq!(listen.exchange(id.parse().unwrap(), "").status, 200);
    }
    let done = json(&listen.ask("POST", path, &body.to_string()));
    let made = detail(listen, done.get("id").unwrap().as_u64().unwrap());
    (done, made)
}

#[test]
fn other_hosts_are_refused() {
    let listen = listen();
    let port = listen.page.port();
    let secret = format!("X-Inspect-Key: {}", listen.secret);
    let own = format!("Host: 127.0.0.1:{port}");
    let hosts = [
        // DNS rebinding: the name is the attacker's, and the address is this machine's.
        "Host: attacker.example".to_owned(),
        format!("Host: attacker.example:{port}"),
        format!("Host: 127.0.0.1.attacker.example:{port}"),
        format!("Host: 0.0.0.0:{port}"),
        format!("Host: 127.0.0.1:{}", port ^ 1),
        "Host: 127.0.0.1".to_owned(),
        "Host: localhost".to_owned(),
        format!("Host: localhost:{port}.attacker.example"),
        "Host:".to_owned(),
    ];
    for path in ["/", "/main.js", "/api/about", "/api/events"] {
        for host in &hosts {
            let answer = listen.ask_with("GET", path, &[host, &secret], "");
            assert_eq!(answer.status, 403, "{path} {host}");
            assert!(!answer.body.contains("html"), "{answer:?}");
        }
    }
    for host in [
        &own,
        &format!("Host: localhost:{port}"),
        &format!("HOST: LOCALHOST:{port}"),
        &format!("Host: [::1]:{port}"),
    ] {
        assert_eq!(
            listen
                .ask_with("GET", "/api/about", &[host, &secret], "")
                .status,
            200,
            "{host}"
        );
    }
    // A proxy's form of a target names a host too.
    let target = format!("http://attacker.example:{port}/api/about");
    assert_eq!(
        listen.ask_with("GET", &target, &[&own, &secret], "").status,
        403
    );
}

#[test]
fn other_sites_are_refused() {
    let listen = listen();
    let port = listen.page.port();
    let secret = format!("X-Inspect-Key: {}", listen.secret);
    let own = listen.host();
    let foreign = [
        "Origin: http://attacker.example".to_owned(),
        "Origin: null".to_owned(),
        format!("Origin: https://127.0.0.1:{port}"),
        format!("Origin: http://127.0.0.1:{}", port ^ 1),
        "Origin: http://127.0.0.1".to_owned(),
        "Sec-Fetch-Site: cross-site".to_owned(),
        // Another port of this machine, such as the app's.
        "Sec-Fetch-Site: same-site".to_owned(),
        "Sec-Fetch-Site: ".to_owned(),
    ];
    for header in &foreign {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/api/about"),
            ("POST", "/api/exchanges/1/replay"),
            ("OPTIONS", "/api/send"),
        ] {
            let answer = listen.ask_with(method, path, &[&own, &secret, header], "");
            assert_eq!(answer.status, 403, "{method} {path} {header}");
            assert!(
                !answer.head.to_lowercase().contains("access-control"),
                "{answer:?}"
            );
        }
    }
    for header in [
        format!("Origin: http://127.0.0.1:{port}"),
        "Sec-Fetch-Site: same-origin".to_owned(),
        "Sec-Fetch-Site: none".to_owned(),
    ] {
        assert_eq!(
            listen
                .ask_with("GET", "/api/about", &[&own, &secret, &header], "")
                .status,
            200,
            "{header}"
        );
    }
}

#[test]
fn no_other_spelling_of_a_path_needs_no_secret() {
    let listen = listen();
    assert_eq!(listen.receive("/message", SMS).status, 200);
    let own = format!("Host: 127.0.0.1:{}", listen.page.port());
    for (method, path) in [
        ("GET", "about"),
        ("GET", "events"),
        ("GET", "exchanges/1"),
        ("GET", "exchanges/1/copy/curl"),
        ("POST", "exchanges/1/replay"),
        ("POST", "exchanges/1/forge"),
        ("POST", "send"),
    ] {
        for api in [
            "api",
            "%61pi",
            "a%70i",
            "ap%69",
            "a%70%69",
            "%61%70%69",
            "API",
            "/api",
            "./api",
            "x/../api",
            "%2Fapi",
            "api%2F",
            "api;x",
            "%2561pi",
        ] {
            let target = format!("/{api}/{path}");
            let answer = listen.ask_with(method, &target, &[&own], "{}");
            assert_eq!(answer.status, 403, "{method} {target}");
        }
        let target = format!("/api/{}", path.replacen('e', "%65", 1));
        let answer = listen.ask_with(method, &target, &[&own], "{}");
        assert_eq!(answer.status, 403, "{method} {target}");
    }
    assert_eq!(listen.ask("GET", "/api/exchanges/2", "").status, 404);
}

#[test]
fn whoever_does_not_know_the_secret_reads_and_does_nothing() {
    let listen = listen();
    assert_eq!(listen.receive("/message", SMS).status, 200);
    assert_eq!(listen.secret.len(), 32);
    let wrong = [
        None,
        Some("X-Inspect-Key:".to_owned()),
        Some(format!("X-Inspect-Key: {}", &listen.secret[1..])),
        Some(format!("X-Inspect-Key: {}0", listen.secret)),
        Some(format!(
            "X-Inspect-Key: {}",
            listen.secret.to_uppercase() + "A"
        )),
        Some(format!(
            "X-Inspect-Key: {0}\r\nX-Inspect-Key: {0}",
            listen.secret
        )),
        Some(format!("Cookie: key={}", listen.secret)),
    ];
    for header in wrong {
        let host = listen.host();
        let headers: Vec<&str> = [Some(&*host), header.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        for (method, path) in [
            ("GET", "/api/about"),
            ("GET", "/api/events"),
            ("GET", "/api/exchanges/1"),
            ("GET", "/api/exchanges/1/copy/test"),
            ("GET", "/api/nothing"),
            ("POST", "/api/exchanges/1/replay"),
            ("POST", "/api/exchanges/1/forge"),
            ("POST", "/api/send"),
        ] {
            let answer = listen.ask_with(method, path, &headers, "{}");
            assert_eq!(answer.status, 403, "{method} {path} {header:?}");
        }
        let query = format!("/api/about?key={}", listen.secret);
        assert_eq!(listen.ask_with("GET", &query, &headers, "").status, 403);
    }
    // Nothing was sent to the app.
    assert_eq!(listen.ask("GET", "/api/exchanges/2", "").status, 404);
}

#[test]
fn every_answer_keeps_the_page_to_itself() {
    let listen = listen();
    let answers = [
        listen.ask("GET", "/", ""),
        listen.ask("GET", "/main.js", ""),
        listen.ask("GET", "/api/about", ""),
        listen.ask("GET", "/no/such/path", ""),
        listen.ask_with("GET", "/", &["Host: attacker.example"], ""),
    ];
    for answer in &answers {
        let head = answer.head.to_lowercase();
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(header), "{header}: {head}");
        }
        assert!(!answer.body.contains(&listen.secret), "{answer:?}");
    }
}

#[test]
fn a_refused_request_has_its_cause_and_advice_that_was_tried() {
    let listen = listen();
    let signer = Signer::new(TOKEN);
    // Another host is set at Twilio than in the app.
    let url = "https://www.example.com/message";
    assert_eq!(
        send(listen.relay, &form(&signer, "www.example.com", url, SMS)).status,
        403
    );
    let detail = detail(&listen, 1);
    let verdict = &detail["verdict"];
    let names: Vec<_> = verdict["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["host"], "{verdict}");
    assert!(
        verdict["advice"][0]
            .as_str()
            .unwrap()
            .contains("https://www.example.com"),
        "{verdict}"
    );
    assert_eq!(
        verdict["signedUrl"], "https://www.example.com/message",
        "{verdict}"
    );
}

#[test]
fn parameters_have_meanings_and_the_answer_has_what_twilio_would_refuse() {
    let listen = listen();
    for (path, params) in CALL {
        listen.receive(path, params);
    }
    let detail = detail(&listen, 2);
    let parameters = detail["request"]["parameters"].as_array().unwrap();
    let digits = parameters
        .iter()
        .find(|parameter| parameter["name"] == "Digits")
        .unwrap();
    assert_eq!(digits["value"], "1");
    assert!(
        digits["meaning"].as_str().unwrap().contains("pressed"),
        "{digits}"
    );
    assert_eq!(
        detail["answer"]["findings"][0]["code"], 12200,
        "{}",
        detail["answer"]
    );
    let marked = detail["answer"]["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token[2] == 1)
        .unwrap();
    assert_eq!(marked[1], "langauge");
    assert_eq!(detail["row"]["call"], CALL[0].1[0].1);
}

#[test]
fn a_request_is_sent_again_changed_and_forged() {
    let listen = listen();
    assert_eq!(listen.receive("/message", SMS).status, 200);

    let (done, made) = act(&listen, "/api/exchanges/1/replay", &json!({}));
    assert_eq!(done["tone"], "good", "{done}");
    assert_eq!(
        (&made["row"]["status"], &made["row"]["origin"]),
        (&json!(200), &json!("replayed here, from #1"))
    );

    let mut draft = detail(&listen, 1)["edit"]["Ok"].clone();
    draft["parameters"][2][1] = json!("+442071838750");
    let (done, made) = act(&listen, "/api/send", &draft);
    assert_eq!(done["tone"], "good", "{done}");
    assert_eq!(made["row"]["origin"], "edited and signed here, from #1");
    let tokens: String = made["answer"]["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token[1].as_str().unwrap())
        .collect();
    assert!(tokens.contains("Hello +442071838750"), "{tokens}");

    let (done, made) = act(&listen, "/api/exchanges/1/forge", &json!({}));
    assert_eq!(made["row"]["origin"], "forged here, from #1");
    let verdict = &made["verdict"];
    assert_eq!(
        (&verdict["causes"], &verdict["advice"]),
        (&json!([]), &json!([])),
        "nothing is to be done about a forgery of the page's own"
    );
    assert!(
        verdict["warnings"][0]
            .as_str()
            .unwrap()
            .contains("made it from #1, with a wrong signature"),
        "{verdict}"
    );
    assert_eq!(
        (&done["tone"], &made["row"]["status"]),
        (&json!("good"), &json!(403)),
        "{done}"
    );
    assert!(
        done["note"].as_str().unwrap().contains("as it should"),
        "{done}"
    );
}

#[test]
fn a_forgery_that_the_app_lets_through_is_said() {
    let listen = listen();
    listen.receive("/open", SMS);
    let (done, _) = act(&listen, "/api/exchanges/1/forge", &json!({}));
    assert_eq!(done["tone"], "danger", "{done}");
    assert!(
        done["note"]
            .as_str()
            .unwrap()
            .contains("let a forgery through"),
        "{done}"
    );
}

#[test]
fn every_event_is_signed_and_accepted() {
    let listen = listen();
    let about = json(&listen.ask("GET", "/api/about", ""));
    let events = about["events"].as_array().unwrap();
    assert!(events.len() > 8, "{about}");
    for event in events {
        let mut draft = event.clone();
        let path = match event["name"].as_str().unwrap() {
            "voice" => "/voice",
            "gather" => "/voice/menu",
            "call-status" => "/status",
            _ => "/open",
        };
        draft["url"] = json!(format!("{PUBLIC}{path}"));
        let (done, made) = act(&listen, "/api/send", &draft);
        assert_eq!(done["tone"], "good", "{event}: {done}");
        assert_eq!(made["row"]["origin"], "made and signed here");
    }
}

#[test]
fn an_edited_request_stays_one_request() {
    let listen = listen();
    listen.receive("/message", SMS);
    let draft = detail(&listen, 1)["edit"]["Ok"].clone();
    let with = |name: &str, value: &str| {
        let mut draft = draft.clone();
        draft[name] = json!(value);
        draft.to_string()
    };
    let hostile = [
        with("url", "https://example.com/a HTTP/1.1\r\nX: y\r\n\r\n"),
        with("url", "https://example.com/a\nb"),
        with("url", "/message"),
        with("url", "file:///etc/passwd"),
        with("url", "https://user@example.com/message"),
        with("url", "https://example.com"),
        with("method", "GET / HTTP/1.1\r\n"),
        with("method", ""),
        with("contentType", "text/plain\r\nX: y"),
    ];
    for draft in &hostile {
        let answer = listen.ask("POST", "/api/send", draft);
        assert_eq!(answer.status, 422, "{draft}: {answer:?}");
    }
    for wrong in ["", "{}", "[]", "{\"method\": 1}"] {
        assert_eq!(
            listen.ask("POST", "/api/send", wrong).status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(listen.ask("GET", "/api/exchanges/2", "").status, 404);
}

#[test]
fn what_was_cut_off_is_shown_and_is_not_sent_again() {
    let listen = listen();
    let head = "POST /echo HTTP/1.1\r\nHost: example.com\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 10000000\r\n\r\n";
    let request = [head.as_bytes(), &vec![0xff; 10_000_000]].concat();
    assert_eq!(send(listen.relay, &request).status, 200);
    let answer = listen.exchange(1, "");
    assert!(answer.body.len() < 1024 * 1024, "{}", answer.body.len());
    let detail = json(&answer);
    assert_eq!(detail["request"]["body"]["bytes"], 10_000_000);
    assert_eq!(
        (&detail["request"]["body"]["cut"], &detail["answer"]["cut"]),
        (&json!(true), &json!(true))
    );
    for action in ["replay", "forge"] {
        assert_eq!(
            listen
                .ask("POST", &format!("/api/exchanges/1/{action}"), "{}")
                .status,
            422
        );
    }
    for copy in ["curl", "test"] {
        assert_eq!(
            listen
                .ask("GET", &format!("/api/exchanges/1/copy/{copy}"), "")
                .status,
            422
        );
    }
}

#[test]
fn credentials_and_tokens_are_not_on_the_page() {
    let listen = listen();
    let signer = Signer::new(TOKEN);
    let of_url = |url| String::from_utf8(form(&signer, "example.com", url, SMS)).unwrap();
    let plain = of_url("https://example.com/message");
    let authorized = "Authorization: Basic YWRhOm1hcmtlci1wdw==\r\nHost:";
    let of_user = of_url("https://ada:marker-pw@example.com/message");
    let target = |target: &str| plain.replacen("POST /message", &format!("POST {target}"), 1);
    let requests = [
        plain.replacen("Host:", authorized, 1),
        of_user.replacen("Host:", authorized, 1),
        // The target may be a whole URL.
        target("http://ada:marker-pw@example.com/message"),
        target("http://ada:marker-pw?a@example.com/message"),
    ];
    for (index, request) in requests.iter().enumerate() {
        send(listen.relay, request.as_bytes());
        for path in ["", "/copy/curl", "/copy/capture", "/copy/test"] {
            let answer = listen.exchange(index as u64 + 1, path);
            for secret in ["YWRhOm1hcmtlci1wdw==", "marker-pw"] {
                assert!(
                    !answer.body.contains(secret),
                    "{request} {path}: {}",
                    answer.body
                );
            }
        }
    }
}

#[test]
fn copied_captures_are_explained() {
    let listen = listen();
    let signer = Signer::new(TOKEN);
    let bodies: [&[(&str, &str)]; 2] = [
        SMS,
        &[
            ("Body", "\u{202e}\u{0}"),
            ("MessageSid", "SM6e1c0f5b2a7d48939c04d1e8b7a65f32"),
        ],
    ];
    for (index, params) in bodies.iter().enumerate() {
        send(
            listen.relay,
            &form(
                &signer.forged(),
                "example.com",
                "https://example.com/message",
                params,
            ),
        );
        let copied = json(&listen.exchange(index as u64 + 1, "/copy/capture"));
        let output = crate::support::run_with_input(
            &["explain", "--format", "json", "-"],
            copied["text"].as_str().unwrap(),
        );
        assert_eq!(output.status, 1, "{output:?}");
        assert!(output.stdout.contains("\"valid\":false"), "{output:?}");
    }
    listen.receive("/message", SMS);
    let copied = json(&listen.exchange(3, "/copy/capture"));
    let args = ["explain", "--public-url", PUBLIC, "--format", "json", "-"];
    let output = crate::support::run_with_input(&args, copied["text"].as_str().unwrap());
    assert!(
        output.stdout.contains("TWILIO_WEBHOOK_BASE_URL"),
        "{output:?}"
    );
}

/// Runs in a shell, with the curl of this machine.
#[test]
#[ignore = "needs curl"]
fn copied_commands_are_accepted() {
    let listen = listen();
    listen.receive("/message", SMS);
    listen.receive(
        "/message",
        &[SMS, &[("Odd", "'\u{202e}\u{7f}%\\ é")]].concat(),
    );
    listen.receive("/message?b[0]={c,d}&e=%c3%a9", SMS);
    for id in [1, 2, 3] {
        let copied = json(&listen.exchange(id, "/copy/curl"));
        let command = copied["text"].as_str().unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", command])
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.contains(" 200 OK") && output.contains("Hello +14158675310"),
            "{command}: {output}"
        );
    }
}

/// A page that connects gets the rows of a thousand requests.
#[test]
fn what_a_forger_writes_makes_no_row_long() {
    let listen = listen();
    let long = |byte: &str| byte.repeat(15_000);
    let body = format!(
        "CallSid={}&MessageSid={}&From={0}&Body={1}",
        long("\u{1}"),
        long("\u{2}")
    );
    let request = format!(
        "{} /{} HTTP/1.1\r\nHost: h\r\nI-Twilio-Idempotency-Token: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        long("M"),
        long("p"),
        long("t"),
        body.len()
    );
    send(listen.relay, request.as_bytes());
    let row = &detail(&listen, 1)["row"];
    for (name, start) in [
        ("method", "M"),
        ("path", "/ppp"),
        ("call", "\u{1}"),
        ("message", "\u{2}"),
        ("token", "t"),
        ("summary", "\u{1}"),
    ] {
        let text = row[name].as_str().unwrap();
        assert!(text.starts_with(start), "{name}: {text}");
        assert_eq!(text.chars().count(), 200, "{name}: {text}");
    }
    let length = row.to_string().len();
    assert!(length < 20_000, "{length}");
}

#[test]
fn what_is_piped_into_a_copied_command_is_no_option() {
    let listen = listen();
    let body = "-v\u{1}";
    let request = format!(
        "POST /message HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    send(listen.relay, request.as_bytes());
    let copied = json(&listen.exchange(1, "/copy/curl"));
    let command = copied["text"].as_str().unwrap();
    assert!(
        command.starts_with("printf '\\055v\\001' | curl "),
        "{command}"
    );
}

/// Old releases of bash read each line of what is pasted by itself, with `!` in quotes that another line has opened. A tab
/// completes the name of a file.
#[test]
fn a_copied_command_has_no_line_ends_and_no_tabs() {
    let listen = listen();
    let send_with = |header: &str, body: &str| {
        let request = format!(
            "POST /message HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n{header}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        send(listen.relay, request.as_bytes());
    };
    send_with("", "\\\n$;id>/tmp/x;!# #\ta");
    let copied = json(&listen.exchange(1, "/copy/curl"));
    let command = copied["text"].as_str().unwrap();
    assert!(!command.contains(['\n', '\r', '\t']), "{command}");
    assert!(
        command.starts_with("printf '\\134\\012$;id>/tmp/x;!# #\\011a' | curl "),
        "{command}"
    );
    send_with("X-A: /etc/pass\tb\r\n", "a=1");
    let answer = listen.ask("GET", "/api/exchanges/2/copy/curl", "");
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.body.contains("tabs"), "{answer:?}");
}

/// What a developer pastes may send a genuine signature, and run.
#[test]
fn a_target_that_names_a_host_is_copied_into_no_command_and_no_test() {
    let listen = listen();
    let targets = [
        "@attacker.example/message",
        ".attacker.example/message",
        "http://attacker.example/message",
        "*",
        "\");std::process::exit(1);(\"/message",
    ];
    for (index, target) in targets.iter().enumerate() {
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 7\r\nConnection: close\r\n\r\nBody=Hi"
        );
        send(listen.relay, request.as_bytes());
        for copy in ["curl", "test"] {
            let answer = listen.exchange(index as u64 + 1, "");
            assert_eq!(answer.status, 200, "{target}: {answer:?}");
            let path = format!("/api/exchanges/{}/copy/{copy}", index + 1);
            let answer = listen.ask("GET", &path, "");
            assert_eq!(answer.status, 422, "{target} {copy}: {answer:?}");
            assert!(
                answer.body.contains("does not ask for a path"),
                "{answer:?}"
            );
        }
    }
}

#[test]
fn nothing_of_a_request_ends_a_string_of_the_copied_test() {
    let odd = "h\");std::process::exit(1);(\"\\";
    let listen = Listen::start(&serve_app(), &[]);
    let request = format!(
        "POST /message?a={odd} HTTP/1.1\r\nHost: {odd}\r\nContent-Type: text/plain; a={odd}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{odd}",
        odd.len()
    );
    send(listen.relay, request.as_bytes());
    let copied = json(&listen.exchange(1, "/copy/test"));
    let text = copied["text"].as_str().unwrap();
    let escaped = odd.escape_default().to_string();
    assert_eq!(
        text.matches(&escaped).count(),
        text.matches("std::process").count(),
        "{text}"
    );
    assert_eq!(text.matches(&escaped).count(), 5, "{text}");
}

/// A reader of the test takes such letters for nothing, and an editor may drop them.
#[test]
fn invisible_letters_are_escapes_in_the_copied_test() {
    let listen = listen();
    let odd = "a\u{3164}b\u{115f}c\u{ffa0}d\u{2800}e\u{200d}";
    listen.receive("/message", &[SMS, &[(odd, odd)]].concat());
    let request = format!(
        "POST /message?{odd} HTTP/1.1\r\nHost: example.com\r\nContent-Type: text/plain; a={odd}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{odd}",
        odd.len()
    );
    send(listen.relay, request.as_bytes());
    let escaped = "a\\u{3164}b\\u{115f}c\\u{ffa0}d\\u{2800}e\\u{200d}";
    for (id, count) in [(1, 2), (2, 3)] {
        let copied = json(&listen.exchange(id, "/copy/test"));
        let text = copied["text"].as_str().unwrap();
        assert_eq!(text.matches(escaped).count(), count, "{text}");
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn empty_lines_before_a_request_change_neither_its_capture_nor_its_forgery() {
    let listen = listen();
    let url = format!("{PUBLIC}/message");
    let genuine = form(&Signer::new(TOKEN), "example.com", &url, SMS);
    send(listen.relay, &[&b"\r\n\r\n"[..], &genuine].concat());
    let copied = json(&listen.exchange(1, "/copy/capture"));
    let text = copied["text"].as_str().unwrap();
    assert!(text.starts_with("POST /message HTTP/1.1\n"), "{text}");
    let (done, _) = act(&listen, "/api/exchanges/1/forge", &json!({}));
    assert_eq!(done["tone"], "good", "{done}");
}
