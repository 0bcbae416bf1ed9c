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
        header::{CONTENT_TYPE, HOST},
    },
    rt::System,
    test::TestRequest,
    web::{self, Bytes},
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
        .set_payload(body.to_owned())
}

/// Sends a request in a process where nothing was explained before, and returns its log line.
fn line_of(config: &TwilioConfig, request: TestRequest) -> Line {
    let (log, _guard) = Log::start();
    System::new().block_on(call_app(request, |app| {
        app.app_data(config.clone()).default_service(echo());
    }));
    let mut lines = log.take_refusals();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// Target, headers, body, signed text, causes, a part of the explanation.
type Case<'c> = (
    &'c str,
    &'c [(&'c str, &'c str)],
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
    let own = "http://10.0.0.7:8080";
    let saw = format!(", but this app saw {own}/m; ");
    let example = format!(
        "the signature matches https://example.com/m{saw}{base}, or trust the proxy 10.0.0.1 (trusted_proxies)"
    );
    let with_prefix = format!(
        "{base}/p, or trust the proxy 10.0.0.1 (trusted_proxies) and switch forwarded_prefix on"
    );
    let with_hops =
        format!("{base}, or trust the proxy 10.0.0.1 (trusted_proxies) and set trusted_hops to 2");
    let masked = format!("the signature matches {own}/m?pin=..{saw}");
    let masked_user = format!("the signature matches http://..@10.0.0.7:8080/m{saw}");
    let other_hash = hashed("/m?x=1", "other");
    let this_url = "the signature matches this URL; ";
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        ("/m", forwarded, "a=1", "https://example.com/ma1", "scheme,host", &example),
        ("/m", prefixed, "a=1", "https://example.com/p/ma1", "scheme,host,path_prefix", &with_prefix),
        ("/m", two_hops, "a=1", "https://example.com/ma1", "scheme,host", &with_hops),
        ("/m", &[], "a=1", "https://10.0.0.7/ma1", "scheme,port", "to https://10.0.0.7"),
        ("/m", &[], "a=1", "http://10.0.0.7:3000/ma1", "port", "to http://10.0.0.7:3000"),
        ("/m/", &[], "a=1", "http://10.0.0.7:8080/ma1", "trailing_slash", "the exact path"),
        ("/in/m", &[], "a=1", "http://10.0.0.7:8080/ma1", "path_prefix", "url = \"http://10.0.0.7:8080/m\""),
        ("/m?b=s3cr3t&a=s3cr3t", &[], "a=1", "http://10.0.0.7:8080/m?a=s3cr3t&b=s3cr3ta1", "query_order", "m?a=..&b=.."),
        ("/m?a=s3cr3t+", &[], "a=1", "http://10.0.0.7:8080/m?a=s3cr3t%20a1", "query_encoding", "m?a=.."),
        ("/m", original, "a=1", "http://10.0.0.7:8080/m?pin=s3cr3ta1", "query_missing", &masked),
        ("/m", basic, "a=1", "http://user:s3cr3t@10.0.0.7:8080/ma1", "userinfo", &masked_user),
        ("/m", &[], "a=+s3cr3t", "http://10.0.0.7:8080/mas3cr3t", "params_trimmed", this_url),
        ("/m", &[], "a=&b=s3cr3t", "http://10.0.0.7:8080/mbs3cr3t", "params_dropped", this_url),
        ("/m", &[], "a=s3cr3t%2B", "http://10.0.0.7:8080/mas3cr3t%2B", "params_decoded_twice", this_url),
        ("/m", &[], "a=s3cr3t&b=1", "http://10.0.0.7:8080/mas3cr3t", "params_extra", this_url),
        ("/m", &[], "a=s3cr3t", "http://10.0.0.7:8080/m", "body_unsigned", this_url),
        (&other_hash, json, "s3cr3t", &format!("{own}{other_hash}"), "body_hash", this_url),
        ("/m", json, "s3cr3t", "http://10.0.0.7:8080/m", "body_unsigned", this_url),
        ("/m", json, "s3cr3t", "https://10.0.0.7/m", "scheme,port", saw.as_str()),
    ];
    in_children(
        cases,
        |_| NO_VARIABLES,
        |&(target, headers, body, signed, found, said)| {
            let request = headers
                .iter()
                .fold(seen(target, body, signed), |request, header| {
                    request.insert_header(*header)
                });
            let line = line_of(&explaining().build().unwrap(), request);
            assert_eq!(line.field("cause"), found, "{line:?}");
            assert!(line.field("explanation").contains(said), "{line:?}");
            assert!(line.field("message").starts_with("refused"), "{line:?}");
            assert!(!format!("{line:?}").contains("s3cr3t"), "{line:?}");
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
            for field in ["cause", "explanation"] {
                let is_there = line.get(field).is_some();
                assert_eq!(is_there, explained, "{name}: {field}: {line:?}");
            }
            let not_found = line
                .get("not_explained")
                .is_some_and(|why| why.starts_with("nothing that was tried matches"));
            assert_eq!(not_found, name == "unmatched", "{name}: {line:?}");
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
            assert!(line.get("explanation").is_none(), "{line:?}");
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
fn a_recorded_request_sent_by_a_stranger_makes_no_proxy_of_him() {
    in_child(NO_VARIABLES, || {
        let request = seen("/m", "a=1", "https://example.com/ma1")
            .peer_addr("203.0.113.9:4711".parse().unwrap())
            .insert_header(("X-Forwarded-Proto", "https"))
            .insert_header(("X-Forwarded-Host", "example.com"));
        let line = line_of(&explaining().build().unwrap(), request);
        assert_eq!(line.field("cause"), "scheme,host");
        assert!(!line.field("explanation").contains("trust"), "{line:?}");
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
        let explanation = line.field("explanation");
        assert!(explanation.contains("8080/\\\"ppp"), "{explanation}");
        // Two texts of 200 bytes at most, and ours.
        assert!(explanation.len() < 700, "{explanation}");
    });
}
