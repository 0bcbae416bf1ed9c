//! What the operator reads in the log. What must never stand there is in `secrets.rs`.

use std::time::{Duration, Instant};

use actix_twilio::{
    AuthToken, Proof, TwilioConfig, TwilioValidation, Validated,
    ValidationErrorKind::{OriginMalformed, Signature},
    config::Mode,
    signature::SignatureErrorKind,
    signature::SignatureErrorKind::SignatureMismatch,
};
use actix_twilio_tests::{
    FORGED, NO_VARIABLES, SIGNATURE, config, in_child, in_children,
    log::{Line, Log},
    requests::{URL, call, call_app, form, get, json, limited, payload, refusals, request},
    sign_form,
};
use actix_web::{
    App, Route,
    http::{
        Method,
        header::{FORWARDED, HOST, X_FORWARDED_HOST},
    },
    rt::System,
    test::{TestRequest, call_service, init_service},
    web::{self, Bytes},
};
use tracing::Level;

fn echo() -> Route {
    web::to(async |body: Validated<Bytes>| body.into_inner())
}

fn forged() -> TestRequest {
    form("a=1").insert_header((SIGNATURE, FORGED))
}

const MALFORMED_HOST: &str = "Host is not a host: make the proxy or the client send one host alone, such as example.com, or set \
                              TWILIO_WEBHOOK_BASE_URL, or public_url";

#[actix_web::test]
async fn header_that_makes_the_origin_malformed_is_named() {
    let config = config().build().unwrap();
    let (log, _guard) = Log::start();
    let cases: [(&str, &str, &str); 8] = [
        (
            "X-Forwarded-Host",
            "https://example.com/",
            "X-Forwarded-Host has a whole URL: make the proxy send one host alone",
        ),
        (
            "X-Forwarded-Host",
            "example.com/m",
            "X-Forwarded-Host has a path: ",
        ),
        (
            "X-Original-Host",
            "user@example.com",
            "X-Original-Host has user info: ",
        ),
        (
            "X-Forwarded-Proto",
            "ftp",
            "X-Forwarded-Proto is neither https nor http: make the proxy send https or http",
        ),
        (
            "X-Forwarded-Port",
            "eighty",
            "X-Forwarded-Port is not a port: ",
        ),
        ("Forwarded", "broken", "Forwarded is not a list of pairs, "),
        ("Host", "two hosts", "Host is not a host: "),
        ("", "", "Host is missing: "),
    ];
    for (name, value, said) in cases {
        let bare = TestRequest::post()
            .uri("/hook")
            .peer_addr("10.0.0.1:4711".parse().unwrap());
        let bare = bare.insert_header((SIGNATURE, FORGED));
        let request = match name {
            "" => bare,
            "Host" => bare.insert_header((name, value)),
            _ => bare
                .insert_header(("Host", "example.com"))
                .insert_header((name, value)),
        };
        call(&config, echo(), request).await;
        let line = log.only(value);
        assert_eq!(line.field("kind"), "origin_malformed", "{name} {value}");
        let advice = line.field("advice");
        assert!(advice.starts_with(said), "{name} {value}: {advice}");
        assert!(
            advice.ends_with("or set TWILIO_WEBHOOK_BASE_URL, or public_url"),
            "{advice}"
        );
        assert!(value.is_empty() || !advice.contains(value), "{advice}");
    }
}

#[actix_web::test]
async fn each_refusal_is_one_warning_that_says_why() {
    let config = limited().explain_mismatches(false).build().unwrap();
    let (log, _guard) = Log::start();
    for (kind, sent) in refusals() {
        call(&config, echo(), sent).await;
        let line = log.only(kind);
        assert_eq!(
            (line.level, &*line.target),
            (Level::WARN, "actix_twilio"),
            "{kind}"
        );
        let (url, from) = match kind {
            Signature(SignatureErrorKind::BodyHashMismatch) => {
                ("https://example.com/hook?x=..&bodySHA256=..", "Host")
            }
            Signature(SignatureErrorKind::BodyHashConflicting) => (
                "https://example.com/hook?x=..&bodySHA256=..&bodySHA256=..",
                "Host",
            ),
            OriginMalformed => ("/hook?x=..", "nowhere"),
            _ => ("https://example.com/hook?x=..", "Host"),
        };
        assert_eq!(line.field("kind"), kind.as_str());
        assert_eq!(line.field("url"), url, "{kind}");
        let scheme_from = if from == "Host" {
            "X-Forwarded-Proto"
        } else {
            from
        };
        assert_eq!(sources(&line), (scheme_from, from), "{kind}");
        let advice = match kind {
            OriginMalformed => MALFORMED_HOST,
            _ => kind.hint(),
        };
        assert_eq!(line.field("advice"), advice, "{kind}");
        assert_eq!(line.left_out(), 0, "{kind}");
        let message = format!("refused a request: {kind}");
        assert_eq!(line.field("message"), message, "{kind}");
    }
    for (name, genuine) in [("form", form("a=1")), ("JSON", json("{}")), ("GET", get())] {
        call(&config, echo(), genuine).await;
        assert!(log.take().is_empty(), "{name}");
    }
}

/// Returns where the scheme and the host come from: one field says so if it is the same for both.
#[track_caller]
fn sources(line: &Line) -> (&str, &str) {
    match line.get("url_from") {
        Some(both) => {
            let others = [line.get("scheme_from"), line.get("host_from")];
            assert_eq!(others, [None, None], "{line:?}");
            (both, both)
        }
        None => (line.field("scheme_from"), line.field("host_from")),
    }
}

#[actix_web::test]
async fn warning_says_where_the_url_comes_from() {
    let told = config().build().unwrap();
    let public = config()
        .public_url("https://public.example/prefix")
        .unwrap();
    let public = public.build().unwrap();
    let stranger = "203.0.113.9:4711".parse().unwrap();
    let bare = || {
        TestRequest::with_uri("/hook")
            .insert_header((SIGNATURE, FORGED))
            .insert_header((HOST, "h"))
    };
    let (xfp, xfh, xoh) = ("X-Forwarded-Proto", "X-Forwarded-Host", "X-Original-Host");
    let told_host = || {
        bare()
            .insert_header((xfh, "x"))
            .insert_header((xfp, "https"))
    };
    let told_both = || told_host().insert_header((xoh, "y"));
    let standard = bare().insert_header((FORWARDED, "host=x;proto=https"));
    let target = bare().uri("http://user:s3cr3t@h/hook");
    let base = "https://public.example/prefix/hook?x=..";
    #[rustfmt::skip]
    let cases = [
        ("public", &public, forged(), base, "public URL", "public URL"),
        ("host", &told, told_host(), "https://x/hook", xfp, xfh),
        ("original", &told, told_both(), "https://y/hook", xfp, xoh),
        ("standard", &told, standard, "https://x/hook", "Forwarded", "Forwarded"),
        ("stranger", &told, told_both().peer_addr(stranger), "http://h/hook", "connection", "Host"),
        ("target", &told, target, "http://..@h/hook", "connection", "request target"),
        ("no host", &told, bare().insert_header((HOST, "?")), "/hook", "nowhere", "nowhere"),
    ];
    let (log, _guard) = Log::start();
    for (name, config, req, url, scheme_from, host_from) in cases {
        call(config, echo(), req).await;
        let line = log.only(name);
        assert_eq!(line.field("url"), url, "{name}");
        assert_eq!(sources(&line), (scheme_from, host_from), "{name}");
        let peer = line.get("peer");
        assert_eq!(
            peer,
            (name == "stranger").then_some("203.0.113.9"),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn text_of_the_request_is_escaped_and_cut() {
    let config = config().build().unwrap();
    let long = "a".repeat(2_000);
    let path = format!("/{long}");
    let quotes = format!("/{}", "\"".repeat(2_000));
    let name = format!("/hook?{long}=1");
    let names = format!("/hook?{}", "a=1&".repeat(2_000));
    #[rustfmt::skip]
    let cases = [
        ("/hook\"\\{}?\\=1", "http://h/hook\\\"\\\\{}?\\\\=.."),
        ("/%0A%1B[31m%E2%80%AE", "http://h/%0A%1B[31m%E2%80%AE"),
        ("/hook?s3cr3t&x=a=s3cr3t&&=s3cr3t?s3cr3t", "http://h/hook?..&x=..&..&=.."),
        ("/hook?a=1;b=s3cr3t", "http://h/hook?a=.."),
        (&*path, "http://h/aaa"),
        (&*quotes, "http://h/\\\"\\\""),
        (&*name, "http://h/hook?aaa"),
        (&*names, "http://h/hook?a=..&a=..&"),
    ];
    let (log, _guard) = Log::start();
    for (target, expected) in cases {
        let req = TestRequest::with_uri(target)
            .insert_header((SIGNATURE, FORGED))
            .insert_header((HOST, "h"));
        call_app(req, |app| {
            app.app_data(config.clone()).default_service(echo());
        })
        .await;
        let line = log.only(target);
        let url = line.field("url");
        if target.len() < 1_000 {
            assert_eq!(url, expected);
        } else {
            assert!(url.starts_with(expected), "{url}");
            // 200 bytes and the two dots that say that there was more.
            assert!(
                url.len() <= 202 && url.ends_with(".."),
                "{} bytes: {url}",
                url.len()
            );
        }
    }
    // Of a header that can't be read, nothing is shown.
    for hostile in [
        "evil\u{fc}",
        "evil\tevil",
        "evil\u{1f4de}",
        &"evil.".repeat(1_600),
    ] {
        call(
            &config,
            echo(),
            forged().insert_header((X_FORWARDED_HOST, hostile)),
        )
        .await;
        let line = log.only(hostile);
        assert_eq!(line.field("kind"), OriginMalformed.as_str(), "{hostile}");
        assert!(!format!("{line:?}").contains("evil"), "{line:?}");
    }
}

/// Sends a request to an app that has two configurations.
async fn call_misconfigured() {
    // With a public URL, building says nothing.
    let [one, two] = [limited(), limited()].map(|builder| {
        let builder = builder.public_url("https://example.com").unwrap();
        builder.build().unwrap()
    });
    let res = call_app(form("a=1"), |app| {
        app.app_data(one)
            .app_data(web::Data::new(two))
            .route("/hook", echo());
    });
    assert_eq!(res.await.status(), 500);
}

#[actix_web::test]
async fn misconfiguration_is_an_error_that_names_the_setting() {
    let (log, _guard) = Log::start();
    call_misconfigured().await;
    let line = log.only("two configurations");
    assert_eq!((line.level, line.field("kind")), (Level::ERROR, "config"));
    assert!(line.field("message").contains("TwilioConfig: "), "{line:?}");
}

#[actix_web::test]
async fn missing_proof_is_an_error_unless_the_handler_can_do_without() {
    let off = limited().mode(Mode::Off).build().unwrap();
    let (log, _guard) = Log::start();
    let without = web::to(async |proof: Validated<Option<Proof>>| format!("{:?}", *proof));
    let with = web::to(async |proof: Validated<Proof>| format!("{:?}", *proof));
    for (route, status, level) in [(without, 200, None), (with, 500, Some(Level::ERROR))] {
        let res = call(&off, route, form("a=1")).await;
        assert_eq!(res.status(), status);
        let mut lines = log.take();
        lines.retain(|line| !line.field("message").contains("validation is off"));
        let levels: Vec<_> = lines.iter().map(|line| line.level).collect();
        assert_eq!(levels, Vec::from_iter(level), "{status}: {lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.field("message").contains("Proof: a handler takes one"))
        );
    }
}

/// What an error says, and the environment that it is about.
const WRONG_ENVIRONMENTS: [(&str, &[(&str, &str)]); 9] = [
    (
        "TWILIO_AUTH_TOKEN: it is not set, and this route sees no TwilioConfig; ",
        &[],
    ),
    (
        "TWILIO_AUTH_TOKEN: one of the tokens between",
        &[("TWILIO_AUTH_TOKEN", "s3cr3t,")],
    ),
    (
        "TWILIO_WEBHOOK_BASE_URL: it has no scheme; ",
        &[
            ("TWILIO_AUTH_TOKEN", "s3cr3t"),
            ("TWILIO_WEBHOOK_BASE_URL", "s3cr3t"),
        ],
    ),
    (
        "TWILIO_WEBHOOK_BASE_URL: it is empty; set it to",
        &[
            ("TWILIO_AUTH_TOKEN", "s3cr3t"),
            ("TWILIO_WEBHOOK_BASE_URL", " "),
        ],
    ),
    (
        "TWILIO_VALIDATION: it says off, and no environment variable switches validation off; remove it",
        &[
            ("TWILIO_AUTH_TOKEN", "s3cr3t"),
            ("TWILIO_VALIDATION", "off"),
        ],
    ),
    (
        "TWILIO_VALIDATION: it says off",
        &[
            ("TWILIO_AUTH_TOKEN", "s3cr3t"),
            ("TWILIO_VALIDATION", "False"),
        ],
    ),
    (
        "TWILIO_VALIDATION: it is empty; set it to enforce",
        &[("TWILIO_AUTH_TOKEN", "s3cr3t"), ("TWILIO_VALIDATION", "")],
    ),
    (
        "TWILIO_VALIDATION: it is neither enforce nor report",
        &[
            ("TWILIO_AUTH_TOKEN", "s3cr3t"),
            ("TWILIO_VALIDATION", "reprot"),
        ],
    ),
    (
        "TWILIO_VALIDATION: it is report",
        &[
            ("TWILIO_AUTH_TOKEN", "s3cr3t"),
            ("TWILIO_VALIDATION", "report"),
        ],
    ),
];

#[test]
fn wrong_environment_is_an_error_that_names_the_variable() {
    let variables =
        |(_, variables): &(_, &'static [(&'static str, &'static str)])| variables.iter().copied();
    in_children(WRONG_ENVIRONMENTS, variables, |(said, _)| {
        let (log, _guard) = Log::start();
        System::new().block_on(call_app(form("a=1"), |app| {
            app.route("/hook", echo());
        }));
        let lines = log.take_refusals();
        let [line] = &lines[..] else {
            panic!("{said}: {lines:?}");
        };
        assert_eq!((line.level, line.field("kind")), (Level::ERROR, "config"));
        assert!(line.field("message").contains(said), "{line:?}");
        assert!(!format!("{line:?}").contains("s3cr3t"), "{line:?}");
    });
}

#[actix_web::test]
async fn lax_configurations_say_so_when_they_are_built_and_for_each_request() {
    let (log, _guard) = Log::start();

    let report = limited().mode(Mode::ReportOnly).build().unwrap();
    let line = log.only("report");
    assert_eq!(line.level, Level::WARN);
    assert!(line.field("message").contains("only reports"), "{line:?}");
    call(&report, echo(), form("a=1")).await;
    assert!(log.take().is_empty());
    call(&report, echo(), forged()).await;
    let line = log.only("reported");
    assert_eq!(
        (line.level, line.field("kind")),
        (Level::WARN, Signature(SignatureMismatch).as_str())
    );
    assert!(
        line.field("message")
            .starts_with("would have refused a request: "),
        "{line:?}"
    );

    // What can't be read is refused all the same, and that is what the log says.
    let slow = || payload(["a="], false).0;
    call(&report, echo(), (form(""), slow())).await;
    let line = log.only("refused");
    assert!(
        line.field("message").starts_with("refused a request: "),
        "{line:?}"
    );
    let unsigned = request(Method::POST, URL);
    call(&report, echo(), (unsigned, slow())).await;
    let said: Vec<_> = log
        .take()
        .iter()
        .map(|line| line.field("kind").to_owned())
        .collect();
    assert_eq!(said, ["signature_missing", "body_too_slow"]);

    let off = limited().dangerously_disable_validation().build().unwrap();
    let line = log.only("off");
    assert_eq!(line.level, Level::WARN);
    assert!(
        line.field("message").contains("validation is off"),
        "{line:?}"
    );
    for req in [form("a=1"), forged()] {
        call(&off, echo(), req).await;
        let line = log.only("let through");
        assert_eq!(line.level, Level::WARN);
        assert!(line.field("message").contains("unchecked"), "{line:?}");
    }

    // Without a public URL, the log says at start what that means.
    limited().build().unwrap();
    let line = log.only("no public URL");
    assert_eq!(
        (line.level, line.field("trusts_proxies")),
        (Level::INFO, "true")
    );
    limited().trusted_proxies([""; 0]).unwrap().build().unwrap();
    assert_eq!(log.only("no proxies").field("trusts_proxies"), "false");
    limited()
        .public_url("https://example.com")
        .unwrap()
        .build()
        .unwrap();
    assert!(log.take().is_empty());
}

#[actix_web::test]
async fn public_url_with_a_path_says_at_start_where_a_route_is_expected() {
    let (log, _guard) = Log::start();
    let public = limited().public_url("https://example.com/message/");
    public.unwrap().build().unwrap();
    let line = log.only("public URL");
    assert_eq!(
        (line.level, line.field("message")),
        (
            Level::INFO,
            "public URL https://example.com/message: /voice is expected at https://example.com/message/voice"
        )
    );
}

#[actix_web::test]
async fn genuine_request_that_the_handlers_extractor_refuses_leaves_one_line_at_debug() {
    #[derive(Debug, serde::Deserialize)]
    struct Message {
        #[serde(rename = "Body")]
        _body: String,
        #[serde(rename = "Number")]
        _number: Option<u32>,
    }

    let config = config().build().unwrap();
    let route = || web::to(async |_: Validated<web::Form<Message>>| "");
    let large = format!("Body={}", "x".repeat(17 * 1024));
    let (log, _guard) = Log::start();
    let cases = [
        ("missing", "From=x", "400", Some("Body")),
        (
            "a value that does not fit",
            "Body=s3cr3t&Number=s3cr3t",
            "400",
            None,
        ),
        ("large", &large, "413", None),
    ];
    for (name, body, status, missing) in cases {
        let res = call(&config, route(), form(body)).await;
        assert_eq!(res.status().as_str(), status, "{name}");
        let line = log.only(name);
        assert_eq!(line.level, Level::DEBUG, "{name}");
        assert_eq!(line.field("status"), status, "{name}");
        assert_eq!(line.get("missing_field"), missing, "{name}");
        assert!(line.field("extractor").contains("Message"), "{line:?}");
        let advised = name == "large" || missing.is_some();
        assert_eq!(line.get("advice").is_some(), advised, "{line:?}");
        assert!(!format!("{line:?}").contains("s3cr3t"), "{line:?}");
    }
    // Forgers can't make the log say anything about the handler.
    let forged = form("From=x").insert_header((SIGNATURE, FORGED));
    call(&config, route(), forged).await;
    assert_eq!(log.only("forged").level, Level::WARN);
}

#[test]
fn signature_of_another_product_is_named() {
    in_child(NO_VARIABLES, || {
        let config = config().build().unwrap();
        let (log, _guard) = Log::start();
        for (header, product) in [
            ("X-Twilio-Email-Event-Webhook-Signature", "SendGrid"),
            ("X-Authy-Signature", "Authy"),
        ] {
            let sent = request(Method::POST, URL)
                .insert_header((header, "MEUCIQD0"))
                .set_payload("[]");
            System::new().block_on(call(&config, echo(), sent));
            let line = log.only(product);
            assert_eq!(line.field("kind"), "signature_missing");
            assert_eq!(line.field("cause"), "other_product");
            let message = format!(
                "refused a request: it has {product}'s signature, which this crate does not validate"
            );
            assert_eq!(line.field("message"), message);
            assert!(!format!("{line:?}").contains("MEUCIQD0"), "{line:?}");
        }
    });
}

#[test]
fn a_request_that_a_middleware_accepted_with_another_configuration_is_explained_by_that() {
    in_child(NO_VARIABLES, || {
        let other = AuthToken::new("another").unwrap();
        let own = TwilioConfig::builder().auth_token(other);
        let own = own.public_url("https://example.com").unwrap();
        let outer = config().public_url("https://example.com").unwrap();
        let app = App::new()
            .app_data(own.build().unwrap())
            .route("/hook", echo())
            .wrap(TwilioValidation::with_config(outer.build().unwrap()));
        let (log, _guard) = Log::start();
        System::new().block_on(async {
            let app = init_service(app).await;
            let signature = sign_form(URL, "Body=Hi");
            let genuine = form("Body=Hi").insert_header((SIGNATURE, signature));
            call_service(&app, genuine.to_request()).await;
        });
        let line = log.only("accepted it with another configuration");
        assert_eq!(line.field("kind"), "signature_mismatch");
        assert_eq!(line.field("cause"), "other_configuration");
        assert!(
            line.field("advice")
                .starts_with("give both the same configuration")
        );
    });
}

#[test]
fn account_that_a_refused_request_names_is_in_the_log_the_verdict_and_the_error() {
    use std::sync::{Arc, Mutex};

    const NAMED: &str = "AC00000000000000000000000000000001";

    in_child(NO_VARIABLES, || {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let [in_verdict, in_error] = [Arc::clone(&seen), Arc::clone(&seen)];
        let account = |sid: Option<&actix_twilio::keys::AccountSid>| sid.map(ToString::to_string);
        let config = config()
            .on_verdict(move |verdict| in_verdict.lock().unwrap().push(account(verdict.account())))
            .error_handler(move |err, _| {
                in_error.lock().unwrap().push(account(err.account()));
                err.into()
            })
            .build()
            .unwrap();
        let body = format!("AccountSid={NAMED}&Body=Hi");
        let named = Some(NAMED.to_owned());
        let (log, _guard) = Log::start();
        let system = System::new();
        system.block_on(call(&config, echo(), form(&body)));
        assert_eq!(
            std::mem::take(&mut *seen.lock().unwrap()),
            std::slice::from_ref(&named)
        );
        assert!(log.take().is_empty());
        let forged = form(&body).insert_header((SIGNATURE, FORGED));
        system.block_on(call(&config, echo(), forged));
        assert_eq!(
            std::mem::take(&mut *seen.lock().unwrap()),
            [named.clone(), named]
        );
        assert_eq!(log.only("forged").field("account"), NAMED);
        // What is no account is not shown.
        let odd = form("AccountSid=s3cr3t").insert_header((SIGNATURE, FORGED));
        system.block_on(call(&config, echo(), odd));
        assert_eq!(log.only("odd").get("account"), None);
    });
}

#[test]
fn flood_of_forgeries_is_no_flood_of_warnings() {
    // The limit is one for the whole process.
    in_child(NO_VARIABLES, || System::new().block_on(flood()));
}

async fn flood() {
    const SENT: usize = 300;
    let config = config()
        .body_timeout(Duration::from_millis(150))
        .build()
        .unwrap();
    let (log, _guard) = Log::start();
    let start = Instant::now();
    for _ in 0..SENT {
        let res = call(&config, echo(), forged()).await;
        assert_eq!(res.status(), 403);
    }
    // What is wrong on our own side is not lost in the flood.
    call_misconfigured().await;
    let mut lines = log.take();
    let error = lines.pop().unwrap();
    assert_eq!((error.level, error.left_out()), (Level::ERROR, 0));

    // This one takes longer than it takes to save up for a warning.
    call(&config, echo(), (form(""), payload(["a="], false).0)).await;
    lines.extend(log.take());
    let saved_up = start.elapsed().as_millis() / 100;
    let most = 100 + usize::try_from(saved_up).unwrap();
    assert!(
        (100..=most).contains(&lines.len()),
        "{} warnings",
        lines.len()
    );
    let left_out: usize = lines.iter().map(Line::left_out).sum();
    assert_eq!(lines.len() + left_out, SENT + 1);
    assert!(left_out > 0, "all were reported");
}
