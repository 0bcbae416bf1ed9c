//! What a warning says of the cause, when it does, and what forgers can't make it say.

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, Validated, WebhookRequest,
    config::Mode,
    keys::{KeyMap, SharedKey},
};
use actix_twilio_tests::{
    FORGED, FORM, NO_VARIABLES, SETTINGS, SIGNATURE, TOKEN, config, hashed, in_child, in_children,
    log::{Line, Log},
    requests::{call, call_app},
    sign_text,
};
use actix_web::{
    Route,
    http::{
        Method,
        header::{CONTENT_LENGTH, CONTENT_TYPE, HOST},
    },
    rt::System,
    test::TestRequest,
    web::{self, Bytes, ServiceConfig},
};
const JSON: &str = "application/json";

fn echo() -> Route {
    web::to(async |body: Validated<Bytes>| body.into_inner())
}

/// A configuration that explains in every build, and trusts no proxy.
fn explaining() -> TwilioConfigBuilder {
    config()
        .trusted_proxies([""; 0])
        .unwrap()
        .explain_mismatches(true)
}

/// A form as the app sees it, with a signature over another text.
fn seen(target: &str, body: &str, signed: &str) -> TestRequest {
    TestRequest::with_uri(target)
        .method(Method::POST)
        .peer_addr("10.0.0.1:4711".parse().unwrap())
        .insert_header((HOST, "10.0.0.7:8080"))
        .insert_header((CONTENT_TYPE, FORM))
        .insert_header((SIGNATURE, sign_text(signed)))
        .insert_header((CONTENT_LENGTH, body.len()))
        .set_payload(body.to_owned())
}

/// Sends a request in a process where nothing was explained before, and returns its log line.
fn line_of(config: &TwilioConfig, request: TestRequest) -> Line {
    line_in(request, |app| {
        app.app_data(config.clone()).default_service(echo());
    })
}

fn line_in(request: TestRequest, app: impl FnOnce(&mut ServiceConfig)) -> Line {
    let (log, _guard) = Log::start();
    System::new().block_on(call_app(request, app));
    let mut lines = log.take_refusals();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// Target, headers, body, signed text, causes, parts of the message and of the advice.
type Case<'c> = (
    &'c str,
    &'c [(&'c str, &'c str)],
    &'c str,
    &'c str,
    &'c str,
    &'c str,
    &'c str,
);

#[test]
fn warning_names_the_causes_and_the_setting() {
    let base = "set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com";
    let forwarded: &[(&str, &str)] = &[
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "example.com"),
    ];
    let prefixed: &[(&str, &str)] = &[
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "example.com"),
        ("X-Forwarded-Prefix", "/p"),
    ];
    let two_hops: &[(&str, &str)] = &[
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "example.com, inner"),
    ];
    let original: &[(&str, &str)] = &[("X-Original-URI", "/m?pin=s3cr3t")];
    let basic: &[(&str, &str)] = &[("Authorization", "Basic dXNlcjpzM2NyM3Q=")];
    let json: &[(&str, &str)] = &[("content-type", JSON)];
    let text: &[(&str, &str)] = &[("content-type", "text/plain")];
    let own = "http://10.0.0.7:8080";
    let trusted = format!("{base}, or trust the proxy 10.0.0.1 (trusted_proxies)");
    let with_prefix = format!(
        "{base}/p, or trust the proxy 10.0.0.1 (trusted_proxies) and switch forwarded_prefix on"
    );
    let with_hops =
        format!("{base}, or trust the proxy 10.0.0.1 (trusted_proxies) and set trusted_hops to 2");
    let other_hash = hashed("/m?x=1", "other");
    let lost_hash = hashed(&format!("{own}/m?x=1"), "s3cr3t");
    let example = "it is signed for https://example.com/m";
    let unsigned = "only the URL is signed: nothing covers the body";
    let by_parameters = "sign a form by its parameters";
    let as_it_came = "the body must arrive as it was sent";
    let route = "write #[validate_twilio_request(url = \"http://10.0.0.7:8080/m\")]";
    let covers = "the body, or its Content-Type, was changed on the way";
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        ("/m", forwarded, "a=1", "https://example.com/ma1", "scheme,host", example, &trusted),
        ("/m", prefixed, "a=1", "https://example.com/p/ma1", "scheme,host,path_prefix", "https://example.com/p/m", &with_prefix),
        ("/m", two_hops, "a=1", "https://example.com/ma1", "scheme,host", example, &with_hops),
        ("/m", &[], "a=1", "https://10.0.0.7/ma1", "scheme,port", "signed for https://10.0.0.7/m", "to https://10.0.0.7"),
        ("/m", &[], "a=1", "http://10.0.0.7:3000/ma1", "port", "signed for http://10.0.0.7:3000/m", "to http://10.0.0.7:3000"),
        ("/m/", &[], "a=1", "http://10.0.0.7:8080/ma1", "trailing_slash", "8080/m", "set the webhook at Twilio to http://10.0.0.7:8080/m/, or "),
        ("/in/m", &[], "a=1", "http://10.0.0.7:8080/ma1", "path_prefix", "8080/m", route),
        ("/m?b=s3cr3t&a=s3cr3t", &[], "a=1", "http://10.0.0.7:8080/m?a=s3cr3t&b=s3cr3ta1", "query_order", "m?a=..&b=..", "sorts"),
        ("/m?a=s3cr3t+", &[], "a=1", "http://10.0.0.7:8080/m?a=s3cr3t%20a1", "query_encoding", "other escapes than the signed one", "encoding it again"),
        ("/m", original, "a=1", "http://10.0.0.7:8080/m?pin=s3cr3ta1", "query_missing", "8080/m?pin=..", "whole query"),
        ("/m", basic, "a=1", "http://user:s3cr3t@10.0.0.7:8080/ma1", "userinfo", "http://..@10.0.0.7:8080/m", "from the URL at Twilio"),
        ("/m", &[], "a=+s3cr3t", "http://10.0.0.7:8080/mas3cr3t", "params_trimmed", "white space around values was removed", as_it_came),
        ("/m", &[], "a=&b=s3cr3t", "http://10.0.0.7:8080/mbs3cr3t", "params_dropped", "left out", as_it_came),
        ("/m", &[], "a=s3cr3t%2B", "http://10.0.0.7:8080/mas3cr3t%2B", "params_decoded_twice", "decoded twice", as_it_came),
        ("/m", &[], "a=s3cr3t&b=1", "http://10.0.0.7:8080/mas3cr3t", "params_extra", "not signed", "adds a parameter"),
        ("/m", &[], "a=s3cr3t", "http://10.0.0.7:8080/m", "body_unsigned", unsigned, by_parameters),
        (&other_hash, json, "s3cr3t", &format!("{own}{other_hash}"), "body_hash", covers, "changes the Content-Type"),
        ("/m", json, "s3cr3t", "http://10.0.0.7:8080/m", "body_unsigned", unsigned, by_parameters),
        ("/m", json, "s3cr3t", "https://10.0.0.7/m", "scheme,port,body_unsigned", "https://10.0.0.7/m", by_parameters),
        // The body decides, and had arrived.
        ("/m", text, "a=s3cr3t", "http://10.0.0.7:8080/mas3cr3t", "body_hash", covers, "changes the Content-Type"),
        ("/m?x=1", json, "s3cr3t", &lost_hash, "query_missing", "x=..&bodySHA256=..", "whole query"),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |&(target, headers, body, signed, found, said, advice)| {
            let request = headers
                .iter()
                .fold(seen(target, body, signed), |request, header| {
                    request.insert_header(*header)
                });
            let line = line_of(&explaining().build().unwrap(), request);
            assert_eq!(line.field("cause"), found, "{line:?}");
            let message = line.field("message");
            assert!(message.starts_with("refused a request: "), "{line:?}");
            assert!(message.contains(said), "{said}: {line:?}");
            assert!(line.field("advice").contains(advice), "{advice}: {line:?}");
            assert_eq!(line.get("not_explained"), None, "{line:?}");
            assert!(!format!("{line:?}").contains("s3cr3t"), "{line:?}");
        },
    );
}

#[test]
fn setting_that_is_wrong_is_the_one_to_change() {
    let with = |url: &str| explaining().public_url(url).unwrap().build().unwrap();
    let base = "set TWILIO_WEBHOOK_BASE_URL, or public_url, to ";
    #[rustfmt::skip]
    let cases = [
        // The base has the path of a route.
        ("https://example.com/message", "/message", "https://example.com/message",
            "https://example.com, to which the path of each request is appended"),
        ("https://example.com/old", "/new/m", "https://example.com/new/m",
            "https://example.com, to which the path of each request is appended"),
        ("http://example.com", "/m", "https://example.com/m", "https://example.com"),
        ("https://EXAMPLE.com", "/m", "https://example.com/m", "https://example.com"),
        // A webhook at exactly the prefix that a proxy strips.
        ("http://example.com/twilio", "/", "https://example.com/twilio",
            "https://example.com/twilio, to which the path of each request is appended"),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |(public, target, signed, advice)| {
            let signed = format!("{signed}a1");
            let line = line_of(&with(public), seen(target, "a=1", &signed));
            assert_eq!(line.field("advice"), format!("{base}{advice}"), "{line:?}");
        },
    );
}

/// With one URL for all paths, a request that was signed for one of them would pass at every other one.
#[test]
fn no_whole_url_is_proposed_for_a_route_whose_path_varies() {
    let whole = "write #[validate_twilio_request(url = ";
    in_children(
        [
            ("/in/m", true),
            ("/in/{name}", false),
            ("/{path:.*}", false),
        ],
        |_| NO_VARIABLES,
        |(pattern, proposes)| {
            let config = explaining().build().unwrap();
            let request = seen("/in/m", "a=1", "http://10.0.0.7:8080/ma1");
            let line = line_in(request, |app| {
                app.app_data(config).route(pattern, echo());
            });
            assert_eq!(line.get("cause"), Some("path_prefix"), "{line:?}");
            let advice = line.field("advice");
            assert_eq!(advice.contains(whole), proposes, "{pattern}: {advice}");
            assert!(!advice.is_empty(), "{pattern}");
        },
    );
}

#[test]
fn host_that_twilio_can_not_request_is_named_if_nothing_matches() {
    in_child(NO_VARIABLES, || {
        let request =
            seen("/m", "a=1", "https://example.com/ma1").insert_header((HOST, "127.0.0.1:8080"));
        let line = line_of(&explaining().build().unwrap(), request);
        assert_eq!(line.field("cause"), "unknown");
        let advice = line.field("advice");
        let expected = "Twilio can't request 127.0.0.1, so a proxy hides the public host: set TWILIO_WEBHOOK_BASE_URL to ";
        assert!(advice.starts_with(expected), "{advice}");
    });
}

/// The line as `tracing_subscriber::fmt` writes it, after the time.
fn printed(config: &TwilioConfig, request: TestRequest) -> String {
    let printed = actix_twilio_tests::log::Printed::gather();
    System::new().block_on(call_app(request, |app| {
        app.app_data(config.clone()).default_service(echo());
    }));
    let text = printed.take();
    let line = text.lines().find_map(|line| line.split_once("WARN "));
    format!("WARN {}", line.unwrap_or_else(|| panic!("{text}")).1)
}

#[test]
fn line_is_short_for_the_usual_causes() {
    const NAMED: &str = "AccountSid=AC00000000000000000000000000000001&a=1";

    let signed = |url: &str| {
        let params = "AccountSidAC00000000000000000000000000000001a1";
        seen("/message", NAMED, &format!("{url}{params}"))
    };
    let proxied = |request: TestRequest| {
        request
            .insert_header(("X-Forwarded-Proto", "https"))
            .insert_header(("X-Forwarded-Host", "example.com"))
    };
    let public = |url| explaining().public_url(url).unwrap().build().unwrap();
    let own = || explaining().build().unwrap();
    let local = |request: TestRequest| request.insert_header((HOST, "127.0.0.1:8080"));
    let prefixed = signed("https://example.com/message");
    let release = explaining().explain_mismatches(false).build().unwrap();
    let unsigned = TestRequest::with_uri("/message").insert_header((HOST, "example.com"));
    let forged = |request: TestRequest| request.insert_header((SIGNATURE, FORGED));
    let odd = TwilioConfig::builder().auth_token(AuthToken::new("12345").unwrap());
    let odd = odd.public_url("https://example.com").unwrap();
    let odd = odd.explain_mismatches(true).build().unwrap();
    let quoted = format!("\"{}\"", sign_text("http://10.0.0.7:8080/ma1"));
    let cases = [
        (
            "TLS ends at a proxy",
            own(),
            signed("https://10.0.0.7/message"),
        ),
        (
            "a proxy that is not trusted",
            own(),
            proxied(signed("https://example.com/message")),
        ),
        (
            "a plain proxy",
            own(),
            local(signed("https://example.com/message")),
        ),
        (
            "a base with the route's path",
            public("https://example.com/message"),
            prefixed,
        ),
        ("a port", own(), signed("http://10.0.0.7:3000/message")),
        ("a slash", own(), signed("http://10.0.0.7:8080/message/")),
        (
            "a wrong token",
            public("https://example.com"),
            forged(signed("")),
        ),
        ("a wrong token, not explained", release, forged(signed(""))),
        ("an odd token", odd, forged(signed(""))),
        (
            "a tunnel with a new host",
            public("https://new.ngrok.app"),
            forged(signed("")),
        ),
        ("no signature", own(), unsigned),
        (
            "a quoted signature",
            own(),
            seen("/m", "a=1", "").insert_header((SIGNATURE, quoted)),
        ),
        (
            "trimmed values",
            own(),
            seen("/message", "a=+1", "http://10.0.0.7:8080/messagea1"),
        ),
        (
            "JSON without a hash",
            own(),
            seen("/message", "{}", "http://10.0.0.7:8080/message")
                .insert_header((CONTENT_TYPE, JSON)),
        ),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |(name, config, request)| {
            let line = printed(&config, request);
            println!("{} {name}: {line}", line.len());
            assert!(line.len() <= 400, "{name}: {} bytes: {line}", line.len());
        },
    );
}

#[test]
fn body_that_was_not_looked_at_is_said() {
    let large =
        |body: &str| seen("/m", body, "https://10.0.0.7/m").insert_header((CONTENT_TYPE, JSON));
    let declared = large("").insert_header(("content-length", "16385"));
    let pending = || {
        let (payload, _) = actix_twilio_tests::requests::payload(["{"], false);
        (
            large("").insert_header(("content-length", "2")),
            Some(payload),
        )
    };
    let form = format!("a={}", "x".repeat(16 * 1024));
    #[rustfmt::skip]
    let cases = [
        ("declared", (declared, None), "the body was not looked at: it is over 16 KiB"),
        ("pending", pending(), "the body was not looked at: it had not arrived"),
        ("form", (seen("/m", &form, "https://10.0.0.7/m"), None), "the body was not looked at: it is over 16 KiB"),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |(name, (request, payload), said)| {
            let (log, _guard) = Log::start();
            let config = explaining().build().unwrap();
            let set_up = |app: &mut ServiceConfig| {
                app.app_data(config).default_service(echo());
            };
            System::new().block_on(async {
                match payload {
                    Some(payload) => call_app((request, payload), set_up).await,
                    None => call_app(request, set_up).await,
                }
            });
            let lines = log.take_refusals();
            let [line] = &lines[..] else {
                panic!("{name}: {lines:?}");
            };
            assert_eq!(line.field("not_explained"), said, "{name}: {line:?}");
        },
    );
}

#[test]
fn key_of_another_account_is_named() {
    in_child(NO_VARIABLES, || {
        let [main, sub] = ["1", "2"].map(|end| format!("AC{}{end}", "0".repeat(31)));
        let keys = |token: &str| RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap();
        let store = KeyMap::new()
            .account(main.parse().unwrap(), keys(TOKEN))
            .account(sub.parse().unwrap(), keys("the token of the subaccount"));
        let config = TwilioConfig::builder().key_store(store);
        let config = config.explain_mismatches(true).build().unwrap();
        let url = "http://10.0.0.7:8080/m";
        let request = |account: &str| {
            seen(
                "/m",
                &format!("AccountSid={account}"),
                &format!("{url}AccountSid{account}"),
            )
        };
        let (log, _guard) = Log::start();
        let set_up = |config: &TwilioConfig| {
            let config = config.clone();
            move |app: &mut ServiceConfig| {
                app.app_data(config).default_service(echo());
            }
        };
        let system = System::new();
        let genuine = system.block_on(call_app(request(&main), set_up(&config)));
        assert_eq!(genuine.status(), 200);
        let refused = system.block_on(call_app(request(&sub), set_up(&config)));
        assert_eq!(refused.status(), 403);
        let mut lines = log.take_refusals();
        let line = lines.remove(0);
        assert_eq!(line.field("account"), sub);
        assert_eq!(line.field("cause"), "token");
        let expected = format!("it was signed with a key of {main}: ");
        assert!(line.field("advice").starts_with(&expected), "{line:?}");
    });
}

#[test]
fn nothing_printable_is_made_of_credentials() {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let users = [
        "bob@corp.com:s3cr3t",
        "bob:s3cr3t/s3cr3t",
        "bob:s3cr3t?s3cr3t",
        "bob:s3cr3t#s3cr3t",
        "bob:s3cr3t@s3cr3t",
        "bob:/s3cr3t@corp.com?s3cr3t#",
    ];
    let escaped = |user: &str| {
        let user = user.replace('/', "%2F").replace('?', "%3F");
        user.replace('#', "%23").replace('@', "%40")
    };
    let cases = users
        .iter()
        .flat_map(|user| [(*user, (*user).to_owned()), (*user, escaped(user))]);
    in_children(
        cases.collect::<Vec<_>>(),
        |_| NO_VARIABLES,
        |(user, signed)| {
            let credentials = format!("Basic {}", STANDARD.encode(user));
            let request = seen("/m", "a=1", &format!("https://{signed}@10.0.0.7/ma1"))
                .insert_header(("Authorization", credentials));
            let line = line_of(&explaining().build().unwrap(), request);
            let shown = format!("{line:?}");
            assert!(
                !shown.contains("s3cr3t") && !shown.contains("corp"),
                "{shown}"
            );
            // The escaped form is what Twilio can sign.
            if signed == escaped(user) {
                assert!(line.field("cause").contains("userinfo"), "{line:?}");
            }
        },
    );
}

#[test]
fn keys_and_websockets_are_explained_too() {
    let shared = || SharedKey::new("K1", "secret").unwrap();
    let keys = RequestValidator::with_keys([], [shared()]).unwrap();
    let get = |url| WebhookRequest::new("GET", url);
    let by_key = keys
        .sign(&get("http://10.0.0.7:8080/m").signature_settings("key=K1,algorithm=HMAC_SHA256"))
        .unwrap();
    let config = || explaining().shared_key(shared()).build().unwrap();
    let store = || {
        let keys = RequestValidator::new([AuthToken::new(TOKEN).unwrap()]).unwrap();
        let builder = TwilioConfig::builder().key_store(KeyMap::new().default_keys(keys));
        builder.explain_mismatches(true).build().unwrap()
    };
    let report = || explaining().mode(Mode::ReportOnly).build().unwrap();
    let bare = || {
        TestRequest::with_uri("/m")
            .insert_header((HOST, "10.0.0.7:8080"))
            .peer_addr("10.0.0.1:4711".parse().unwrap())
    };
    let socket = || {
        bare()
            .insert_header((SIGNATURE, sign_text("wss://10.0.0.7/m")))
            .insert_header(("X-Forwarded-Proto", "https"))
    };
    let with_key = bare().insert_header((SIGNATURE, by_key.clone()));
    let with_unknown_key = bare()
        .insert_header((SIGNATURE, sign_text("http://10.0.0.7:8080/m")))
        .insert_header((SETTINGS, "key=K9"));
    let for_https = seen("/m", "a=1", "https://10.0.0.7/ma1");
    let as_text =
        seen("/m", "a=1", "http://10.0.0.7:8080/ma1").insert_header((CONTENT_TYPE, "text/plain"));
    let cases = [
        ("by a key", config(), with_key, "shared_key"),
        ("unknown key", config(), with_unknown_key, "shared_key"),
        // A proxy that keeps Upgrade to itself.
        ("socket", store(), socket(), "port,websocket_scheme"),
        (
            "socket, key",
            config(),
            socket(),
            "scheme,port,websocket_scheme",
        ),
        ("store", store(), for_https, "scheme,port"),
        // The body is read before it is let through, and helps.
        ("report only", report(), as_text, "body_hash"),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |(name, config, request, causes)| {
            let line = line_of(&config, request);
            assert_eq!(line.get("cause"), Some(causes), "{name}: {line:?}");
            assert!(!format!("{line:?}").contains(&by_key), "{name}: {line:?}");
        },
    );
}

#[test]
fn nothing_is_explained_that_is_large_unmatched_or_not_asked_for() {
    let genuine_elsewhere = || seen("/m", "a=1", "https://10.0.0.7/ma1");
    let large = format!("a={}", "x".repeat(16 * 1024));
    let limit = format!("a={}", "x".repeat(16 * 1024 - 2));
    let off = || explaining().explain_mismatches(false).build().unwrap();
    let on = || explaining().build().unwrap();
    // Each build has its default.
    let default = || config().trusted_proxies([""; 0]).unwrap();
    let report = || default().mode(Mode::ReportOnly);
    let signed = |body: &str| format!("https://10.0.0.7/m{}", body.replace('=', ""));
    let forged = genuine_elsewhere().insert_header((SIGNATURE, FORGED));
    let large_json = seen("/m", "", "https://10.0.0.7/m")
        .insert_header((CONTENT_TYPE, JSON))
        .insert_header(("content-length", "16385"));
    let in_debug = cfg!(debug_assertions);
    #[rustfmt::skip]
    let cases = [
        ("off", off(), genuine_elsewhere(), false),
        ("unmatched", on(), forged, false),
        ("large", on(), seen("/m", &large, &signed(&large)), false),
        ("of the largest size", on(), seen("/m", &limit, &signed(&limit)), true),
        ("large JSON", on(), large_json, false),
        ("by default", default().build().unwrap(), genuine_elsewhere(), in_debug),
        ("report only", report().build().unwrap(), genuine_elsewhere(), in_debug),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |(name, config, request, explained)| {
            let line = line_of(&config, request);
            let cause = line.get("cause");
            let is_known = cause.is_some_and(|cause| cause != "unknown");
            assert_eq!(is_known, explained, "{name}: {line:?}");
            assert_eq!(
                cause == Some("unknown"),
                name == "unmatched",
                "{name}: {line:?}"
            );
            assert!(!line.field("advice").is_empty(), "{name}: {line:?}");
        },
    );
}

#[test]
fn one_refusal_a_second_is_explained_and_the_others_say_so() {
    in_child(NO_VARIABLES, || {
        let config = explaining().build().unwrap();
        let (log, _guard) = Log::start();
        let start = std::time::Instant::now();
        System::new().block_on(async {
            for _ in 0..50 {
                call(&config, echo(), seen("/m", "a=1", "https://10.0.0.7/ma1")).await;
            }
        });
        let seconds = usize::try_from(start.elapsed().as_secs()).unwrap();
        let lines = log.take_refusals();
        assert_eq!(lines.len(), 50);
        let (explained, others): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.get("cause").is_some());
        for line in others {
            assert_eq!(
                line.field("not_explained"),
                "only one refusal per second is explained: send the request again on its own"
            );
        }
        assert!(
            (1..=1 + seconds).contains(&explained.len()),
            "{explained:?} in {seconds} s"
        );
    });
}

#[test]
fn a_request_with_large_headers_is_not_explained() {
    in_child(NO_VARIABLES, || {
        let config = explaining().build().unwrap();
        let with_headers = |times| {
            let mut request = seen("/m", "a=1", "https://10.0.0.7/ma1");
            for _ in 0..times {
                request = request.append_header(("X-Host", "a,".repeat(1024 / 2)));
            }
            line_of(&config, request)
        };
        let line = with_headers(64);
        assert_eq!(line.get("cause"), None, "{line:?}");
        assert_eq!(
            line.field("not_explained"),
            "nothing was looked at: the headers are over 64 KiB"
        );
        // The other did not use up the explanation of this second.
        assert_eq!(with_headers(32).field("cause"), "scheme,port");
    });
}

#[test]
fn a_recorded_request_sent_by_a_stranger_makes_no_proxy_of_him() {
    in_child(NO_VARIABLES, || {
        let request = seen("/m", "a=1", "https://example.com/ma1")
            .peer_addr("203.0.113.9:4711".parse().unwrap())
            .insert_header(("X-Forwarded-Proto", "https"))
            .insert_header(("X-Forwarded-Host", "example.com"));
        let line = line_of(&explaining().build().unwrap(), request);
        assert_eq!(line.field("cause"), "scheme,host");
        assert!(!line.field("advice").contains("trust"), "{line:?}");
    });
}

#[test]
fn text_of_headers_is_escaped_and_cut() {
    in_child(NO_VARIABLES, || {
        let prefix = format!("/\"{}", "p".repeat(1_000));
        let signed = format!("http://10.0.0.7:8080{prefix}/ma1");
        let request = seen("/m", "a=1", &signed).insert_header(("X-Forwarded-Prefix", prefix));
        let line = line_of(&explaining().build().unwrap(), request);
        assert_eq!(line.field("cause"), "path_prefix");
        for field in ["message", "advice"] {
            let text = line.field(field);
            assert!(text.contains("8080/\\\"ppp"), "{text}");
            // Two texts of 200 bytes at most, and ours.
            assert!(text.len() < 700, "{text}");
        }
    });
}

#[test]
fn user_agent_is_shown_only_if_it_can_not_be_taken_for_advice() {
    let public = || {
        let builder = explaining().public_url("https://example.com").unwrap();
        builder.build().unwrap()
    };
    let long = "a".repeat(41);
    let cases = [
        ("axios/1.7.2", true),
        ("curl/8.5.0 (x86_64)", true),
        ("TwilioProxy/1.1", false),
        ("nothing; set TWILIO_VALIDATION", false),
        ("\"advice=off", false),
        (&*long, false),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |(agent, shown)| {
            let request = seen("/m", "a=1", "")
                .insert_header((SIGNATURE, FORGED))
                .insert_header(("User-Agent", agent));
            let line = line_of(&public(), request);
            assert_eq!(line.field("cause"), "unknown", "{agent}");
            let product = agent.split(' ').next().unwrap();
            let advice = line.field("advice");
            let expected = format!("User-Agent is {product}, not TwilioProxy: ");
            assert_eq!(advice.starts_with(&expected), shown, "{agent}: {advice}");
            assert_eq!(
                format!("{line:?}").contains(product),
                shown,
                "{agent}: {line:?}"
            );
        },
    );
}
