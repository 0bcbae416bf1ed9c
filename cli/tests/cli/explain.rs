//! `twilio-webhook explain`: each cause from a captured request, in words and as JSON.

use actix_twilio::{RequestValidator, WebhookRequest, keys::SharedKey, signature::body_sha256};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::support::{FORGED, Output, TOKEN, file, send_raw, serve_raw, sign_text as sign, tool};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\n";

fn run(args: &[&str], token: Option<&str>, input: &[u8]) -> Output {
    tool(&[&["explain"], args].concat())
        .token(token)
        .input(input)
        .run()
}

/// Explains a capture as JSON.
#[track_caller]
fn explain(args: &[&str], input: &[u8]) -> Value {
    let args = [&["--format", "json"], args, &["-"]].concat();
    let output = run(&args, Some(TOKEN), input);
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let valid = value.get("valid").and_then(Value::as_bool).unwrap();
    assert_eq!(output.status, i32::from(!valid), "{value}");
    value
}

#[track_caller]
fn assert_causes(value: &Value, causes: &[&str], matched: Option<&str>) {
    assert_eq!(value["causes"], json!(causes), "{value}");
    assert_eq!(value["matched_url"], json!(matched), "{value}");
    assert!(!value["advice"].as_str().unwrap().is_empty(), "{value}");
}

/// A capture, what was signed, and the causes that are found.
struct Case(
    /// Options.
    &'static [&'static str],
    /// The method and the target.
    &'static str,
    /// Further headers.
    &'static str,
    /// The body.
    &'static str,
    /// The URL that was signed.
    &'static str,
    /// The names and values that were signed after it.
    &'static str,
    /// The causes.
    &'static [&'static str],
);

const OWN: &str = "http://10.0.0.7:8080";

#[rustfmt::skip]
const CAUSES: &[Case] = &[
    Case(&[], "POST /m", FORM, "a=1", "http://10.0.0.7:8080/m", "a1", &[]),
    Case(&[], "POST /m", FORM, "a=1", "https://10.0.0.7:8080/m", "a1", &["scheme"]),
    Case(&[], "POST /m", FORM, "a=1", "https://10.0.0.7/m", "a1", &["scheme", "port"]),
    Case(&[], "GET /m", "X-Forwarded-Host: example.com\n", "", "http://example.com/m", "", &["host"]),
    Case(&[], "GET /m", "x-forwarded-host: example.com\n", "", "https://example.com/m", "", &["scheme", "host"]),
    Case(&[], "GET /m", "", "", "http://10.0.0.7:3000/m", "", &["port"]),
    Case(&["--public-url", "https://example.com/p"], "GET /m", "", "", "https://example.com/p/m", "", &["scheme", "host", "path_prefix"]),
    Case(&[], "GET /m", "X-Forwarded-Prefix: /p\n", "", "http://10.0.0.7:8080/p/m", "", &["path_prefix"]),
    Case(&[], "GET /m/", "", "", "http://10.0.0.7:8080/m", "", &["trailing_slash"]),
    Case(&[], "GET /m?b=2&a=1&c=3", "", "", "http://10.0.0.7:8080/m?c=3&b=2&a=1", "", &["query_order"]),
    Case(&[], "GET /m?a=x y", "", "", "http://10.0.0.7:8080/m?a=x%20y", "", &["query_encoding"]),
    Case(&[], "GET /m", "X-Original-URI: /m?a=1\n", "", "http://10.0.0.7:8080/m?a=1", "", &["query_missing"]),
    Case(&["--public-url", "https://example.com/hook?a=1"], "GET /m", "", "", "https://example.com/hook?a=1", "", &["scheme", "host", "path_prefix", "query_missing"]),
    Case(&[], "GET /m", "Authorization: Basic dXNlcjpwYXNz\n", "", "http://user:pass@10.0.0.7:8080/m", "", &["userinfo"]),
    Case(&[], "POST /m", FORM, "a=+x+&b=y", "http://10.0.0.7:8080/m", "axby", &["params_trimmed"]),
    Case(&[], "POST /m", FORM, "a=x&b=&c=", "http://10.0.0.7:8080/m", "ax", &["params_dropped"]),
    Case(&[], "POST /m", FORM, "a=1&a=2", "http://10.0.0.7:8080/m", "a2", &["params_dropped"]),
    Case(&[], "POST /m", FORM, "a=%2B1", "http://10.0.0.7:8080/m", "a%2B1", &["params_decoded_twice"]),
    Case(&[], "POST /m", FORM, "a=x&b=y", "http://10.0.0.7:8080/m", "ax", &["params_extra"]),
    Case(&[], "POST /m", "Content-Type: application/json\n", "{\"a\":1}", "http://10.0.0.7:8080/m", "a1", &["form_as_json"]),
    Case(&[], "POST /m", "", "a=1", "http://10.0.0.7:8080/m", "a1", &["content_type_missing"]),
    Case(&[], "POST /m", FORM, "YT0xJmI9Mg==", "http://10.0.0.7:8080/m", "a1b2", &["form_as_base64"]),
    Case(&[], "POST /m", FORM, "From=+1415&b=Hi%20you+1", "http://10.0.0.7:8080/m", "From+1415bHi you+1", &["plus_not_escaped"]),
    Case(&[], "POST /m", FORM, "a=x%0Ay", "http://10.0.0.7:8080/m", "ax\r\ny", &["line_ends"]),
    Case(&[], "GET /m", "", "", "http://10.0.0.7:8080/M", "", &["path_spelling"]),
    Case(&[], "POST /m", "Content-Type: application/json\n", "{\"a\":1}", "http://10.0.0.7:8080/m", "", &["body_unsigned"]),
    Case(&[], "GET /m", "Upgrade: websocket\nConnection: Upgrade\n", "", "wss://10.0.0.7/m", "", &["scheme", "port", "websocket_scheme"]),
    Case(&["--url", "https://example.com/m"], "GET /m", "", "", "wss://example.com/m", "", &["websocket_scheme"]),
    Case(&[], "GET http://10.0.0.7:8080/m", "", "", "https://10.0.0.7:8080/m", "", &["scheme"]),
];

#[test]
fn each_cause_is_found_in_raw_text() {
    for Case(args, line, headers, body, url, params, causes) in CAUSES {
        let signature = sign(TOKEN, &format!("{url}{params}"));
        for end in ["\n", "\r\n"] {
            let head = format!(
                "{line} HTTP/1.1\nHost: 10.0.0.7:8080\n{headers}Content-Length: {}\nx-twilio-signature: {signature}\n\n",
                body.len(),
            );
            let capture = format!("{}{body}\n", head.replace('\n', end));
            let value = explain(args, capture.as_bytes());
            let shown = url.replace("user:pass@", "..@");
            assert_causes(&value, causes, Some(&shown));
        }
    }
}

#[test]
fn signatures_and_keys_are_explained() {
    let capture = |headers: &str| format!("GET /m HTTP/1.1\nHost: 10.0.0.7:8080\n{headers}\n");
    let explained = |headers: &str| explain(&[], capture(headers).as_bytes());
    let url = format!("{OWN}/m");
    let genuine = sign(TOKEN, &url);
    assert_causes(&explained(""), &["signature_missing"], None);
    let two = format!("X-Twilio-Signature: {genuine}\nX-Twilio-Signature: {FORGED}\n");
    assert_causes(&explained(&two), &["signature_malformed"], None);
    let quoted = format!("X-Twilio-Signature: \"{genuine}\"\n");
    assert_causes(&explained(&quoted), &["signature_malformed"], Some(&url));
    let forged = format!("X-Twilio-Signature: {FORGED}\n");
    assert_causes(&explained(&forged), &["unknown"], None);
    let settings =
        format!("X-Twilio-Signature: {genuine}\nX-Twilio-Webhooks-Signature-Settings: key=K9\n");
    assert_causes(&explained(&settings), &["shared_key"], Some(&url));

    let tokens = file("explain-tokens.txt", "\nfirst-token\r\nsecond-token\n");
    let args = ["--try-tokens", &tokens];
    let signed = |signature: &str| capture(&format!("X-Twilio-Signature: {signature}\n"));
    let value = explain(&args, signed(&sign("second-token", &url)).as_bytes());
    assert_causes(&value, &["token"], Some(&url));
    assert!(
        value["advice"].as_str().unwrap().contains("number 2"),
        "{value}"
    );
    assert!(!value.to_string().contains("second-token"), "{value}");
    let both = explain(
        &args,
        signed(&sign("first-token", "https://10.0.0.7/m")).as_bytes(),
    );
    assert_causes(
        &both,
        &["scheme", "port", "token"],
        Some("https://10.0.0.7/m"),
    );

    // The settings header was lost on the way.
    let key = SharedKey::new("K1", "second-token").unwrap();
    let keys = RequestValidator::with_keys([], [key]).unwrap();
    let request = WebhookRequest::new("GET", &url);
    let request = request.signature_settings("key=K1,algorithm=HMAC_SHA256");
    let by_key = signed(&keys.sign(&request).unwrap());
    assert_causes(
        &explain(&args, by_key.as_bytes()),
        &["shared_key"],
        Some(&url),
    );
    assert_causes(&explain(&[], by_key.as_bytes()), &["shared_key"], None);
}

#[test]
fn json_objects_are_captures_too() {
    let body = "a=1&b=+";
    let form = "application/x-www-form-urlencoded";
    let signature = sign(TOKEN, "https://example.com/ma1b ");
    let object = json!({
        "url": "http://10.0.0.7/m",
        "body": body,
        "headers": {
            "x-twilio-signature": signature,
            "Content-Type": form,
            "X-Forwarded-Host": ["inner", "example.com"],
        },
    });
    let value = explain(&[], format!("\n {object}\n").as_bytes());
    assert_causes(&value, &["scheme", "host"], Some("https://example.com/m"));
    assert!(!value.to_string().contains("gave_up"), "{value}");

    // The fields of `verify` count as they do there.
    let own = sign("own token", "https://example.com/ma1b ");
    let object = json!({
        "url": "https://example.com/m", "content_type": form, "body": body, "signature": own,
        "token": "own token",
    });
    let value = explain(&[], object.to_string().as_bytes());
    assert_causes(&value, &[], Some("https://example.com/m"));
    assert_eq!(value["valid"], true);
    let other = explain(
        &["--url", "http://example.com/m"],
        object.to_string().as_bytes(),
    );
    assert_causes(&other, &["scheme"], Some("https://example.com/m"));
    // Without a token of the environment too.
    let output = run(&["-"], None, object.to_string().as_bytes());
    assert_eq!(output.status, 0, "{}", output.stderr);

    let hash = format!(
        "https://example.com/m?bodySHA256={}",
        body_sha256(b"\0\xff")
    );
    let object = json!({
        "url": "https://example.com/m", "method": "POST", "body_b64": "AP8=",
        "content_type": "application/octet-stream", "signature": sign(TOKEN, &hash),
    });
    let value = explain(&[], object.to_string().as_bytes());
    assert_causes(&value, &["query_missing"], Some(&hash));
}

#[test]
fn bodies_are_taken_as_they_are_declared() {
    let url = format!("{OWN}/m?bodySHA256={}", body_sha256(b"\0\r\n\xff"));
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: 10.0.0.7:8080\r\nX-Twilio-Signature: {}\r\n",
        url.strip_prefix(OWN).unwrap(),
        sign(TOKEN, &url)
    );
    let capture =
        |length: &str, body: &[u8]| [format!("{head}{length}\r\n").as_bytes(), body].concat();
    let declared = capture("Content-Length: 4\r\n", b"\0\r\n\xffGET / HTTP/1.1\r\n");
    assert_eq!(explain(&[], &declared)["valid"], true);
    assert_eq!(explain(&[], &capture("", b"\0\r\n\xff"))["valid"], true);
    let cut = capture("Content-Length: 4\r\n", b"\0\r\n");
    assert_causes(&explain(&[], &cut), &["body_hash"], Some(&url));
    let output = run(&["-"], Some(TOKEN), &cut);
    assert!(
        output.stdout.contains("has only 3 of the body's 4 bytes"),
        "{}",
        output.stdout
    );
}

#[test]
fn a_password_in_the_url_is_not_shown() {
    for (user, format) in ["user", "CORP\\bob", "Jane \"J\" Doe"]
        .into_iter()
        .flat_map(|user| ["text", "json"].map(|format| (user, format)))
    {
        let signed = format!("https://{user}:pa55w0rd@example.com/m");
        let capture = format!(
            "GET /m HTTP/1.1\nHost: example.com\nAuthorization: Basic {}\nX-Twilio-Signature: {}\n\n",
            BASE64_STANDARD.encode(format!("{user}:pa55w0rd")),
            sign(TOKEN, &signed)
        );
        for url in ["http://example.com/m", &signed] {
            let args = ["-", "--format", format, "--url", url];
            let output = run(&args, Some(TOKEN), capture.as_bytes());
            assert!(
                output.stdout.contains("https://..@example.com/m"),
                "{output:?}"
            );
            assert!(!format!("{output:?}").contains("pa55w0rd"), "{output:?}");
        }
    }
}

#[test]
fn text_output_has_the_urls_the_causes_and_the_advice() {
    let capture = format!(
        "POST /m?pin=1 HTTP/1.1\nHost: 10.0.0.7:8080\nX-Forwarded-Host: example.com\n{FORM}X-Twilio-Signature: {}\n\na=s3cr3t\n",
        sign(TOKEN, "https://example.com/m?pin=1as3cr3t")
    );
    let path = file("explain-capture.txt", &capture);
    let output = run(&[&path], Some(TOKEN), b"");
    assert_eq!(output.status, 1);
    let text = output.stdout;
    for line in [
        "The request is not valid.",
        "The app saw:    POST http://10.0.0.7:8080/m?pin=1",
        "Twilio signed:  https://example.com/m?pin=1",
        "Why:            scheme: Twilio signed `https`",
        "                host: Twilio signed another host.",
        "What to do:     set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com.",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    for secret in [
        TOKEN,
        "s3cr3t",
        &sign(TOKEN, "https://example.com/m?pin=1as3cr3t"),
    ] {
        assert!(!text.contains(secret), "{text}");
    }

    let hostile =
        format!("GET /\u{1b}[31m\u{202e} HTTP/1.1\nHost: h\nX-Twilio-Signature: {FORGED}\n\n");
    let output = run(&["-"], Some(TOKEN), hostile.as_bytes());
    assert!(!output.stdout.contains(['\u{1b}', '\u{202e}']));
    assert!(output.stdout.contains("Twilio signed:  unknown"));

    let genuine = format!(
        "GET /m HTTP/1.1\nHost: h\nX-Twilio-Signature: {}\n\n",
        sign(TOKEN, "http://h/m")
    );
    let output = run(&["-"], Some(TOKEN), genuine.as_bytes());
    assert_eq!(output.status, 0);
    assert!(output.stdout.starts_with("The request is valid.\n"));
}

#[test]
fn search_that_gives_up_says_so() {
    let body: Vec<_> = (0..60).map(|n| format!("name{n}=+value{n}")).collect();
    let body = body.join("&");
    let capture = format!(
        "POST /a/b?x=1&y=+2 HTTP/1.1\nHost: h:1\n{FORM}X-Twilio-Signature: {FORGED}\n\n{body}"
    );
    let value = explain(&[], capture.as_bytes());
    assert_causes(&value, &["unknown"], None);
    assert_eq!(value["gave_up"], true);
    assert!(
        value["advice"].as_str().unwrap().contains("gave up"),
        "{value}"
    );
}

/// A request without a signature.
const UNSIGNED: &[u8] = b"GET /m HTTP/1.1\nHost: h\n\n";

/// Options, the environment's token and the standard input.
type Unreadable = (&'static [&'static str], Option<&'static str>, &'static [u8]);

const UNREADABLE: &[Unreadable] = &[
    (&["-"], Some(TOKEN), b""),
    (&["-"], Some(TOKEN), b"hello"),
    (&["-"], Some(TOKEN), b"{"),
    (&["-"], Some(TOKEN), b"{\"url\": 1}"),
    (
        &["-"],
        Some(TOKEN),
        b"{\"url\": \"http://h/\", \"token\": \"\"}",
    ),
    (&["-"], Some(TOKEN), b"GET /m HTTP/1.1\n\n"),
    (&["-"], None, UNSIGNED),
    (&[], Some(TOKEN), UNSIGNED),
    (&["/no/such/file"], Some(TOKEN), b""),
    (&["--public-url", "example.com", "-"], Some(TOKEN), UNSIGNED),
    (
        &["--try-tokens", "/no/such/file", "-"],
        Some(TOKEN),
        UNSIGNED,
    ),
    (&["--try-tokens", "-", "-"], Some(TOKEN), UNSIGNED),
    (&["--token-stdin", "-"], None, UNSIGNED),
];

#[test]
fn unreadable_captures_are_wrong_usage() {
    for (args, token, input) in UNREADABLE {
        let output = run(args, *token, input);
        assert_eq!(output.status, 2, "{args:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    let help = run(&["--help"], None, b"").stdout;
    assert!(help.contains("ngrok") && help.contains("tcpdump"), "{help}");
}

/// Headers, the URL that was signed for `POST /raw` with `a=1`, where $HOST is the app's own host and port, and the
/// end of the setting with which an app accepts the request, if there is one.
const BEHIND_PROXIES: &[(&str, &str, Option<&str>)] = &[
    (
        "X-Forwarded-Proto: https\n",
        "https://$HOST/raw",
        Some("believes X-Forwarded-Proto"),
    ),
    (
        "X-Forwarded-Proto: https\nX-Forwarded-Host: example.com\n",
        "https://example.com/raw",
        Some("believes X-Forwarded-Host and X-Forwarded-Proto"),
    ),
    (
        "X-Forwarded-Host: evil, example.com\n",
        "http://example.com/raw",
        Some("believes X-Forwarded-Host"),
    ),
    (
        "X-Forwarded-Host: example.com, inner\n",
        "http://example.com/raw",
        Some("with trusted_hops(2) and believes X-Forwarded-Host"),
    ),
    (
        "X-Forwarded-Host: example.com\nX-Forwarded-Prefix: /twilio\n",
        "http://example.com/twilio/raw",
        Some("with forwarded_prefix(true) and believes X-Forwarded-Host and X-Forwarded-Prefix"),
    ),
    (
        "Forwarded: for=1.2.3.4;host=\"example.com\";proto=https;\n",
        "https://example.com/raw",
        Some("believes Forwarded"),
    ),
    (
        "X-Original-Host: example.com\nX-Forwarded-Host: h\n",
        "http://example.com/raw",
        Some("believes X-Original-Host"),
    ),
    (
        "X-Forwarded-Host: h\nX-Forwarded-Port: 8443\n",
        "http://h:8443/raw",
        Some("believes X-Forwarded-Host and X-Forwarded-Port"),
    ),
    (
        "X-Forwarded-Host: \nX-Forwarded-Proto: https\n",
        "https://$HOST/raw",
        Some("believes X-Forwarded-Proto"),
    ),
    ("X-Forwarded-Host: a/b\n", "https://$HOST/raw", None),
    (
        "X-Forwarded-Host: example.com\nX-Forwarded-Proto: https,\n",
        "https://example.com/raw",
        Some("with trusted_hops(2) and believes X-Forwarded-Host and X-Forwarded-Proto"),
    ),
    (
        "Forwarded: for=\"a,host=b\";host=example.com;proto=https\n",
        "https://example.com/raw",
        Some("believes Forwarded"),
    ),
    ("X-Forwarded-Proto: http\n", "https://$HOST/raw", None),
    (
        "X-Forwarded-Server: example.com\n",
        "https://example.com/raw",
        None,
    ),
];

/// What is accepted without a further setting is what an app with the default settings accepts from a proxy on this
/// machine.
#[test]
fn setting_with_which_the_app_accepts_a_request_is_named() {
    let app = serve_raw();
    let host = app
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/raw")
        .unwrap();
    for (headers, signed, setting) in BEHIND_PROXIES {
        let signed = signed.replace("$HOST", host);
        let signature = sign(TOKEN, &format!("{signed}a1"));
        let capture = format!(
            "POST /raw HTTP/1.1\nHost: {host}\n{headers}{FORM}Content-Length: 3\nX-Twilio-Signature: {signature}\n\na=1"
        );
        let value = explain(&[], capture.as_bytes());
        let settings = value["valid_if"].as_array().unwrap();
        let conditions: Vec<_> = settings
            .iter()
            .map(|found| found["condition"].as_str().unwrap())
            .collect();
        let text = run(&["-"], Some(TOKEN), capture.as_bytes()).stdout;
        match setting {
            Some(end) => {
                assert!(conditions[0].ends_with(end), "{headers}: {value}");
                assert_eq!(settings[0]["url"], signed, "{headers}");
                assert!(
                    text.starts_with("The request is not valid without further settings."),
                    "{text}"
                );
                assert!(
                    text.contains("\nValid if:       the app trusts the proxy"),
                    "{text}"
                );
            }
            None => assert_eq!(settings.len(), 0, "{headers}: {value}"),
        }
        // The app trusts one proxy, and does not believe prefixes.
        let by_default =
            setting.is_some_and(|end| !end.contains("with") && !end.contains("prefix"));
        let answer = send_raw(host, &capture.replace('\n', "\r\n"));
        assert_eq!(
            answer.starts_with("HTTP/1.1 200 "),
            by_default,
            "{headers}: {answer}"
        );
    }
}

/// Headers of a request that is signed for `https://example.com/raw`, and the one that the app can't use.
const MALFORMED: &[(&str, &str)] = &[
    (
        "Forwarded: for=a;host=example.com;proto=https;secret",
        "Forwarded is not a list of pairs",
    ),
    (
        "Forwarded: host=example.com;proto=https;host=example.com",
        "Forwarded is not a list of pairs",
    ),
    (
        "Forwarded: for=\"a;host=example.com;proto=https",
        "Forwarded is not a list of pairs",
    ),
    (
        "X-Forwarded-Host: \u{e9}.example, example.com\nX-Forwarded-Proto: https",
        "X-Forwarded-Host is not plain ASCII",
    ),
    (
        "X-Forwarded-Host: example.com\nX-Forwarded-Proto: https,",
        "X-Forwarded-Proto is neither https nor http",
    ),
];

/// Returns a request for `POST /raw`.
fn posted(host: &str, headers: &str, signed: &str) -> String {
    let signature = sign(TOKEN, &format!("{signed}a1"));
    format!(
        "POST /raw HTTP/1.1\nHost: {host}\n{headers}\n{FORM}Content-Length: 3\nX-Twilio-Signature: {signature}\n\na=1"
    )
}

#[test]
fn header_that_the_app_refuses_is_named_and_its_proxy_is_not_trusted() {
    let app = serve_raw();
    let host = &app["http://".len()..app.len() - "/raw".len()];
    for (headers, problem) in MALFORMED {
        let capture = posted(host, headers, "https://example.com/raw");
        let answer = send_raw(host, &capture.replace('\n', "\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{headers}: {answer}");
        let value = explain(&[], capture.as_bytes());
        let warnings = value["warnings"].to_string();
        assert!(warnings.contains(problem), "{headers}: {value}");
        assert_eq!(
            value["advice"], "set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com",
            "{headers}"
        );
    }
}

#[test]
fn valid_request_that_an_app_with_defaults_refuses_has_a_warning() {
    let app = serve_raw();
    let host = &app["http://".len()..app.len() - "/raw".len()];
    let own = format!("http://{host}/raw");
    for (headers, status, warning) in [
        ("X-A: b", "200", None),
        ("X-Forwarded-Proto: http", "200", None),
        (
            "X-Forwarded-Proto: https",
            "403",
            Some("because of X-Forwarded-Proto: set"),
        ),
        (
            "X-Forwarded-Host: a, ,",
            "403",
            Some("X-Forwarded-Host has no host"),
        ),
        ("Host: other", "400", Some("several Host headers")),
    ] {
        let capture = posted(host, headers, &own);
        let answer = send_raw(host, &capture.replace('\n', "\r\n"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{headers}: {answer}"
        );
        let value = explain(&[], capture.as_bytes());
        assert_eq!(value["valid"], true, "{headers}");
        let warnings = value["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), usize::from(warning.is_some()), "{value}");
        if let Some(warning) = warning {
            assert!(warnings[0].as_str().unwrap().contains(warning), "{value}");
        }
    }
}

#[test]
fn public_url_with_which_the_app_accepts_a_request_is_named() {
    let signature = sign(TOKEN, "https://example.com/twilio/m?a=1");
    let capture =
        format!("GET /m?a=1 HTTP/1.1\nHost: 10.0.0.7:8080\nX-Twilio-Signature: {signature}\n\n");
    let value = explain(
        &["--public-url", "https://example.com/twilio"],
        capture.as_bytes(),
    );
    assert_eq!(
        value["valid_if"],
        json!([{
            "condition": "TWILIO_WEBHOOK_BASE_URL, or public_url, is https://example.com/twilio",
            "url": "https://example.com/twilio/m?a=1",
        }])
    );
    let wrong = explain(&["--public-url", "https://example.com"], capture.as_bytes());
    assert_eq!(wrong["valid_if"], json!([]));
}

#[test]
fn plus_that_the_sender_did_not_escape_is_a_cause() {
    let head = |host: &str, proto: &str| {
        format!(
            "POST /m HTTP/1.1\nHost: {host}\n{proto}Content-Type: application/x-www-form-urlencoded; charset=UTF-8\nX-Twilio-Signature: "
        )
    };
    let signed = |url: &str| sign(TOKEN, &format!("{url}BodyHi you+1From+14158675310"));
    // As `curl -d From=+14158675310` sends it.
    let body = "\n\nFrom=+14158675310&Body=Hi%20you+1";
    let own = head("h", "") + &signed("http://h/m") + body;
    assert_causes(
        &explain(&[], own.as_bytes()),
        &["plus_not_escaped"],
        Some("http://h/m"),
    );
    let text = run(&["-"], Some(TOKEN), own.as_bytes()).stdout;
    assert!(
        text.contains("escape + as %2B") && text.contains("--data-urlencode"),
        "{text}"
    );
    let proxied = head("h", "X-Forwarded-Proto: https\n") + &signed("https://h/m") + body;
    assert_causes(
        &explain(&[], proxied.as_bytes()),
        &["scheme", "plus_not_escaped"],
        Some("https://h/m"),
    );
    // A space that was a space.
    let space = head("h", "") + &sign(TOKEN, "http://h/ma b") + "\n\na=+b";
    assert_eq!(explain(&[], space.as_bytes())["valid"], true);
    let help = run(&["--help"], None, b"").stdout;
    assert!(help.contains("plus_not_escaped"), "{help}");
}

#[test]
fn what_a_capture_lacks_is_said() {
    let object = json!({
        "url": "https://hooks.example.org/sms",
        "method": "POST",
        "headers": {
            "content-type": ["application/x-www-form-urlencoded; charset=UTF-8"],
            "content-length": ["27"],
            "x-twilio-signature": [sign(TOKEN, "https://hooks.example.org/smsBodyHiFrom+15005550006")],
        },
        "content": "Body=Hi&From=%2B15005550006",
    });
    let value = explain(&[], object.to_string().as_bytes());
    let warnings = value["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{value}");
    assert!(
        warnings[0]
            .as_str()
            .unwrap()
            .starts_with("`content` is not a known field"),
        "{value}"
    );
    assert!(
        warnings[1]
            .as_str()
            .unwrap()
            .contains("a body of 27 bytes, and the capture has none"),
        "{value}"
    );
    assert!(
        value["advice"]
            .as_str()
            .unwrap()
            .starts_with("complete the capture"),
        "{value}"
    );
    let text = run(&["-"], Some(TOKEN), object.to_string().as_bytes()).stdout;
    assert!(
        text.contains("Warning:        `content`") && !text.contains("Body=Hi"),
        "{text}"
    );

    let mut right = object;
    right["body"] = right.as_object_mut().unwrap().remove("content").unwrap();
    let value = explain(&[], right.to_string().as_bytes());
    assert_eq!(
        (&value["valid"], &value["warnings"]),
        (&json!(true), &json!([])),
        "{value}"
    );
    right["body"] = json!("Body=Hi&From=%2B15005550006&");
    let value = explain(&[], right.to_string().as_bytes());
    let warning = value["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("a body of 27 bytes, and the capture has 28"),
        "{value}"
    );
}

#[test]
fn a_capture_that_is_cut_within_its_headers_is_named_as_such() {
    let head =
        "POST /m HTTP/1.1\nHost: example.com\nContent-Type: application/x-www-form-urlencoded\n";
    let value = explain(&[], head.as_bytes());
    let warning = value["warnings"][0].as_str().unwrap();
    assert!(warning.contains("it may be cut off"), "{value}");
    let signed = format!("{head}X-Twilio-Signature: {FORGED}");
    let get = signed.replace("POST", "GET");
    let chunked = format!("{signed}\nTransfer-Encoding: chunked");
    for cut in [
        signed.clone(),
        format!("{signed}\r\nContent-Length: 7\r\n"),
        format!("{get}\nContent-Length: 7"),
        chunked.clone(),
    ] {
        let value = explain(&[], cut.as_bytes());
        let warnings = value["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{value}");
        let warning = warnings[0].as_str().unwrap();
        assert!(
            warning.contains("no empty line after the headers"),
            "{value}"
        );
        let advice = value["advice"].as_str().unwrap();
        assert!(advice.starts_with("complete the capture"), "{value}");
    }
    for whole in [
        format!("{head}\nBody=Hi"),
        get.clone(),
        format!("{get}\nContent-Length: 0"),
        format!("{signed}\n\n"),
        format!("{chunked}\n\n7\nBody=Hi\n0"),
    ] {
        assert_eq!(explain(&[], whole.as_bytes())["warnings"], json!([]));
    }
}

#[test]
fn a_chunked_capture_is_read_with_its_chunks_and_without_and_named_if_it_is_cut() {
    let url = "http://example.com/m";
    let signature = sign(TOKEN, &format!("{url}BodyHi"));
    let head = format!(
        "POST /m HTTP/1.1\nHost: example.com\n{FORM}X-Twilio-Signature: {signature}\n\
         Transfer-Encoding: chunked\n\n"
    );
    let cut = "the capture ends before the last chunk of the body";
    for (body, valid, warned) in [
        ("7\r\nBody=Hi\r\n0\r\n\r\n", true, false),
        ("4\r\nBody\r\n3\r\n=Hi\r\n0\r\n", true, false),
        ("Body=Hi", true, false),
        ("Body=Hi\n", true, false),
        ("Body=Hi\r\n", true, false),
        ("7\r\nBody=Hi\r\n", true, true),
        ("7\r\nBody=Hi", true, true),
        ("7\r\nBody=H", false, true),
        ("4\r\nBody\r\n3", false, true),
        ("7", false, true),
        ("", false, true),
    ] {
        let value = explain(&[], (head.clone() + body).as_bytes());
        assert_eq!(value["valid"], valid, "{body:?}: {value}");
        let warnings = value["warnings"].as_array().unwrap();
        let is_warned = warnings
            .iter()
            .any(|warning| warning.as_str().unwrap().starts_with(cut));
        assert_eq!(is_warned, warned, "{body:?}: {value}");
        if !valid {
            let advice = value["advice"].as_str().unwrap();
            assert!(advice.starts_with("complete the capture"), "{value}");
        }
    }
}

#[test]
fn a_url_without_a_host_is_not_one_that_twilio_cannot_request() {
    let capture = json!({ "url": "/m", "headers": { "X-Twilio-Signature": FORGED } });
    let value = explain(&[], capture.to_string().as_bytes());
    assert!(!value.to_string().contains("can't request"), "{value}");
}

#[test]
fn host_that_twilio_cannot_request_asks_for_the_public_url() {
    let capture =
        |host: &str| format!("GET /m HTTP/1.1\nHost: {host}\nX-Twilio-Signature: {FORGED}\n\n");
    for host in [
        "127.0.0.1:8080",
        "localhost:8080",
        "10.0.0.7",
        "[::1]:8080",
        "app",
    ] {
        let value = explain(&[], capture(host).as_bytes());
        let warning = value["warnings"][0].as_str().unwrap();
        assert!(
            warning.starts_with(&format!("Twilio can't request {host},")),
            "{value}"
        );
        assert!(warning.contains("--public-url"), "{value}");
    }
    let value = explain(&[], capture("example.com").as_bytes());
    assert_eq!(value["warnings"], json!([]));
    let given = ["--public-url", "https://example.com"];
    assert_eq!(
        explain(&given, capture("127.0.0.1").as_bytes())["warnings"],
        json!([])
    );
}

#[test]
fn captured_handshake_is_one_of_a_websocket() {
    let capture = |line: &str, signed: &str| {
        format!(
            "{line} HTTP/1.1\nHost: h\nConnection: keep-alive, Upgrade\nUpgrade: WebSocket\n\
             Sec-WebSocket-Key: eA==\nX-Twilio-Signature: {}\n\n",
            sign(TOKEN, signed)
        )
    };
    assert_eq!(
        explain(&[], capture("GET /m", "ws://h/m").as_bytes())["valid"],
        true
    );
    assert_eq!(
        explain(&[], capture("GET /m", "http://h/m").as_bytes())["valid"],
        false
    );
    let proxied =
        capture("GET /m", "wss://h/m").replace("Host: h", "Host: h\nX-Forwarded-Proto: https");
    assert_eq!(
        explain(&[], proxied.as_bytes())["valid_if"][0]["url"],
        "wss://h/m"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_capture() {
    let url = "http://example.com/m";
    let signature = sign(TOKEN, url);
    let text = format!("GET /m HTTP/1.1\nHost: example.com\nX-Twilio-Signature: {signature}\n\n");
    let json = serde_json::json!({ "url": url, "signature": signature }).to_string();
    for capture in [text, json] {
        let capture = ["\u{feff}", &capture].concat();
        let output = run(&["-"], Some(TOKEN), capture.as_bytes());
        assert_eq!(output.status, 0, "{output:?}");
    }
    // Of a file of tokens, too.
    let tokens = file("explain-marked-tokens.txt", &format!("\u{feff}{TOKEN}\n"));
    let capture =
        format!("GET /m HTTP/1.1\nHost: example.com\nX-Twilio-Signature: {signature}\n\n");
    let output = run(
        &["-", "--try-tokens", &tokens],
        Some("another-token"),
        capture.as_bytes(),
    );
    assert!(
        output.stdout.contains("number 1 of the other tokens"),
        "{output:?}"
    );
}
