//! What a warning says of the cause, when it does, and what forgers can't make it say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, Validated, WebhookRequest,
    config::Mode,
    keys::{KeyMap, SharedKey},
};
use actix_twilio_tests::{FORGED, FORM, TOKEN, config, hashed, in_child, sign_text};
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
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, Registry, layer::Context, prelude::*};

use self::requests::{SETTINGS, SIGNATURE, call, call_app};

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/requests.rs"]
mod requests;

const JSON: &str = "application/json";

type Line = BTreeMap<&'static str, String>;

/// The events of this thread, as long as the guard lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

impl Log {
    #[must_use]
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(log.clone()));
        (log, guard)
    }

    /// Takes the refusals.
    fn take(&self) -> Vec<Line> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.retain(|line| line.contains_key("kind"));
        lines
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Fields(Line);
        impl Visit for Fields {
            fn record_str(&mut self, field: &Field, value: &str) {
                self.0.insert(field.name(), value.to_owned());
            }

            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.0.insert(field.name(), format!("{value:?}"));
            }
        }
        let mut fields = Fields(Line::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
}

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
    let mut lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// Runs each case in a process of its own, since a process explains one refusal a second.
#[track_caller]
fn each_in_child(test: &str, cases: usize, run: impl Fn(usize)) {
    for case in 0..cases {
        in_child(test, [("CASE", case.to_string())], || {
            run(std::env::var("CASE").unwrap().parse().unwrap());
        });
        if std::env::var("CASE").is_ok() {
            return;
        }
    }
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
    let saw = format!(": this app saw {own}/m; ");
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
        ("/m/", &[], "a=1", "http://10.0.0.7:8080/ma1", "trailing_slash", "the very path"),
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
    each_in_child(
        "warning_names_the_causes_and_the_setting",
        cases.len(),
        |case| {
            let (target, headers, body, signed, found, said) = cases[case];
            let request = headers
                .iter()
                .fold(seen(target, body, signed), |request, header| {
                    request.insert_header(*header)
                });
            let line = line_of(&explaining().build().unwrap(), request);
            let field = |name| line.get(name).map(String::as_str);
            assert_eq!(field("cause"), Some(found), "{line:?}");
            assert!(field("explanation").unwrap().contains(said), "{line:?}");
            assert!(field("message").unwrap().starts_with("refused"), "{line:?}");
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
    each_in_child("keys_and_websockets_are_explained_too", 6, |case| {
        let (config, request, causes) = match case {
            0 => (
                config(),
                bare().insert_header((SIGNATURE, by_key.clone())),
                "shared_key",
            ),
            1 => (
                config(),
                bare()
                    .insert_header((SIGNATURE, sign_text("http://10.0.0.7:8080/m")))
                    .insert_header((SETTINGS, "key=K9")),
                "shared_key",
            ),
            // A proxy that keeps Upgrade to itself.
            2 => (store(), socket(), "port,websocket_scheme"),
            3 => (config(), socket(), "scheme,port,websocket_scheme"),
            4 => (
                store(),
                seen("/m", "a=1", "https://10.0.0.7/ma1"),
                "scheme,port",
            ),
            // The body is read before it is let through, and helps.
            _ => (
                report(),
                seen("/m", "a=1", "http://10.0.0.7:8080/ma1")
                    .insert_header((CONTENT_TYPE, "text/plain")),
                "body_hash",
            ),
        };
        let line = line_of(&config, request);
        assert_eq!(
            line.get("cause").map(String::as_str),
            Some(causes),
            "{line:?}"
        );
        assert!(!format!("{line:?}").contains(&by_key), "{line:?}");
    });
}

#[test]
fn nothing_is_explained_that_is_large_unmatched_or_not_asked_for() {
    let genuine_elsewhere = || seen("/m", "a=1", "https://10.0.0.7/ma1");
    let large = format!("a={}", "x".repeat(16 * 1024));
    let limit = format!("a={}", "x".repeat(16 * 1024 - 2));
    each_in_child(
        "nothing_is_explained_that_is_large_unmatched_or_not_asked_for",
        7,
        |case| {
            let off = || explaining().explain_mismatches(false).build().unwrap();
            let on = || explaining().build().unwrap();
            let signed = |body: &str| format!("https://10.0.0.7/m{}", body.replace('=', ""));
            let (config, request, explained) = match case {
                0 => (off(), genuine_elsewhere(), false),
                1 => (
                    on(),
                    genuine_elsewhere().insert_header((SIGNATURE, FORGED)),
                    false,
                ),
                2 => (on(), seen("/m", &large, &signed(&large)), false),
                3 => (on(), seen("/m", &limit, &signed(&limit)), true),
                4 => (
                    on(),
                    seen("/m", "", "https://10.0.0.7/m")
                        .insert_header((CONTENT_TYPE, JSON))
                        .insert_header(("content-length", "16385")),
                    false,
                ),
                // Each build has its default.
                5 => (
                    config().trusted_proxies([""; 0]).unwrap().build().unwrap(),
                    genuine_elsewhere(),
                    cfg!(debug_assertions),
                ),
                _ => (
                    config()
                        .trusted_proxies([""; 0])
                        .unwrap()
                        .mode(Mode::ReportOnly)
                        .build()
                        .unwrap(),
                    genuine_elsewhere(),
                    cfg!(debug_assertions),
                ),
            };
            let line = line_of(&config, request);
            assert_eq!(line.contains_key("cause"), explained, "{case}: {line:?}");
            assert_eq!(
                line.contains_key("explanation"),
                explained,
                "{case}: {line:?}"
            );
            let not_found = line
                .get("not_explained")
                .is_some_and(|why| why.starts_with("nothing that was tried matches"));
            assert_eq!(not_found, case == 1, "{case}: {line:?}");
        },
    );
}

#[test]
fn one_refusal_a_second_is_explained_and_the_others_say_so() {
    in_child(
        "one_refusal_a_second_is_explained_and_the_others_say_so",
        [("", ""); 0],
        || {
            let config = explaining().build().unwrap();
            let (log, _guard) = Log::start();
            let start = std::time::Instant::now();
            System::new().block_on(async {
                for _ in 0..50 {
                    call(&config, echo(), seen("/m", "a=1", "https://10.0.0.7/ma1")).await;
                }
            });
            let seconds = usize::try_from(start.elapsed().as_secs()).unwrap();
            let lines = log.take();
            assert_eq!(lines.len(), 50);
            let (explained, others): (Vec<_>, Vec<_>) =
                lines.iter().partition(|line| line.contains_key("cause"));
            for line in others {
                assert!(!line.contains_key("explanation"), "{line:?}");
                assert_eq!(
                    line["not_explained"],
                    "only one refusal a second is explained: send the request again, alone"
                );
            }
            assert!(
                (1..=1 + seconds).contains(&explained.len()),
                "{explained:?} in {seconds} s"
            );
        },
    );
}

#[test]
fn a_recorded_request_sent_by_a_stranger_makes_no_proxy_of_him() {
    in_child(
        "a_recorded_request_sent_by_a_stranger_makes_no_proxy_of_him",
        [("", ""); 0],
        || {
            let request = seen("/m", "a=1", "https://example.com/ma1")
                .peer_addr("203.0.113.9:4711".parse().unwrap())
                .insert_header(("X-Forwarded-Proto", "https"))
                .insert_header(("X-Forwarded-Host", "example.com"));
            let line = line_of(&explaining().build().unwrap(), request);
            assert_eq!(line["cause"], "scheme,host");
            assert!(!line["explanation"].contains("trust"), "{line:?}");
        },
    );
}

#[test]
fn text_of_headers_is_escaped_and_cut() {
    in_child("text_of_headers_is_escaped_and_cut", [("", ""); 0], || {
        let prefix = format!("/\"{}", "p".repeat(1_000));
        let signed = format!("http://10.0.0.7:8080{prefix}/ma1");
        let request = seen("/m", "a=1", &signed).insert_header(("X-Forwarded-Prefix", prefix));
        let line = line_of(&explaining().build().unwrap(), request);
        assert_eq!(line["cause"], "path_prefix");
        let explanation = &line["explanation"];
        assert!(explanation.contains("8080/\\\"ppp"), "{explanation}");
        // Two texts of 200 bytes at most, and ours.
        assert!(explanation.len() < 700, "{explanation}");
    });
}
