//! Basic and Digest authentication against servers that demand them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorUnauthorized,
    http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    middleware::{Next, from_fn},
    web,
};
use actix_web_httpauth::{extractors::basic::BasicAuth, middleware::HttpAuthentication};
use base64::{Engine, prelude::BASE64_STANDARD};
use ttpkit_auth::digest::{DigestAlgorithm, DigestChallenge, DigestResponse, QualityOfProtection};

use crate::support::{self, PASSWORD, ROWS, check, header, rows, serve, tool};

const REALM: &str = "webhooks";

/// Checks an endpoint as this user with this password.
#[track_caller]
fn check_as(auth: &str, password: &str, url: &str) -> (i32, serde_json::Value) {
    let args = ["check", url, "--auth", auth, "--format", "json"];
    support::report(tool(&args).env("TWILIO_WEBHOOK_PASSWORD", password))
}

/// Starts an app that demands Basic authentication, and counts the requests that it let in.
fn serve_basic() -> (String, Arc<AtomicUsize>) {
    let entered = Arc::new(AtomicUsize::new(0));
    let count = entered.clone();
    let url = serve(move |app| {
        let count = count.clone();
        let check = move |req: ServiceRequest, basic: BasicAuth| {
            let good = basic.user_id() == "ada" && basic.password() == Some(PASSWORD);
            count.fetch_add(usize::from(good), Ordering::Relaxed);
            let verdict = if good {
                Ok(req)
            } else {
                // Without the challenge, as many apps do.
                Err((ErrorUnauthorized("who are you?"), req))
            };
            std::future::ready(verdict)
        };
        app.service(
            web::scope("")
                .wrap(HttpAuthentication::basic(check))
                .route("/raw", web::to(support::raw)),
        );
    });
    (url + "/raw", entered)
}

#[test]
fn basic_lets_every_row_reach_the_validation() {
    let (url, entered) = serve_basic();
    let (status, report) = check_as("basic:ada", PASSWORD, &url);
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(rows(&report, "passed").len(), ROWS);
    assert_eq!(entered.load(Ordering::Relaxed), ROWS);
}

/// Asks for a Digest and checks it; the library computes it.
async fn demand_digest(
    algorithm: DigestAlgorithm,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let nonce = "f00dfeedf00dfeed";
    let hash = algorithm.digest(format!("ada:{REALM}:{PASSWORD}").as_bytes());
    let target = req.uri().path_and_query().unwrap().as_str();
    let good = req
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| {
            text.parse().is_ok_and(|digest: DigestResponse| {
                digest.username() == "ada"
                    && digest.realm() == REALM
                    && text.contains(&format!("nonce=\"{nonce}\""))
                    && text.contains(&format!("uri=\"{target}\""))
                    && digest.verify(req.method(), &hash)
            })
        });
    if good {
        return next.call(req).await;
    }
    let challenge = DigestChallenge::builder(REALM)
        .nonce(nonce)
        .qops([QualityOfProtection::Auth])
        .algorithm(algorithm)
        .build();
    let answer = HttpResponse::Unauthorized()
        .insert_header((WWW_AUTHENTICATE, "Basic realm=\"another one\""))
        .append_header((WWW_AUTHENTICATE, challenge.to_string()))
        .finish();
    Ok(req.into_response(answer))
}

fn serve_digest(algorithm: DigestAlgorithm) -> String {
    serve(move |app| {
        app.service(
            web::scope("")
                .wrap(from_fn(move |req, next| {
                    demand_digest(algorithm, req, next)
                }))
                .route("/raw", web::to(support::raw)),
        );
    }) + "/raw?tenant=a%2Fb"
}

#[test]
fn digest_lets_every_row_reach_the_validation() {
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        let url = serve_digest(algorithm);
        let (status, report) = check_as("digest:ada", PASSWORD, &url);
        assert_eq!(status, 0, "{algorithm}: {report:#}");
        assert_eq!(rows(&report, "passed").len(), ROWS, "{algorithm}");
    }
}

/// Starts an app that lets Ada in by Basic, and has this challenge for others.
fn serve_challenge(challenge: &'static [u8]) -> String {
    let good = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("ada:{PASSWORD}"))
    );
    let challenge = HeaderValue::from_bytes(challenge).unwrap();
    serve(move |app| {
        let (good, challenge) = (good.clone(), challenge.clone());
        let handler = move |req: HttpRequest| {
            let given = req.headers().get(AUTHORIZATION);
            let answer = if given.is_some_and(|given| given == good.as_str()) {
                HttpResponse::Ok().finish()
            } else {
                HttpResponse::Unauthorized()
                    .insert_header((WWW_AUTHENTICATE, challenge.clone()))
                    .finish()
            };
            std::future::ready(answer)
        };
        app.route("/", web::post().to(handler));
    })
}

/// The 401 of the authentication does not count as a refusal of a forgery.
#[test]
fn forgeries_do_not_pass_by_wrong_credentials() {
    let (basic, entered) = serve_basic();
    let digest = serve_digest(DigestAlgorithm::Sha256);
    let cases = [
        ("basic:ada", "marker-wrong", &basic),
        ("basic:bob", PASSWORD, &basic),
        ("digest:ada", PASSWORD, &basic),
        ("digest:ada", "marker-wrong", &digest),
        ("digest:bob", PASSWORD, &digest),
        ("basic:ada", PASSWORD, &digest),
    ];
    for (auth, password, url) in cases {
        let (status, report) = check_as(auth, password, url);
        assert_eq!(status, 1, "{auth}");
        assert_eq!(rows(&report, "passed"), [""; 0], "{auth}");
    }
    for url in [&basic, &digest] {
        let (status, report) = check(url, &[]);
        assert_eq!((status, rows(&report, "passed").len()), (1, 0));
    }
    assert_eq!(entered.load(Ordering::Relaxed), 0);
}

#[test]
fn credentials_are_sent_only_when_asked_for() {
    let (url, requests) = support::record(vec![
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
        support::OK,
        support::OK,
    ]);
    for expected in [2, 1] {
        let send = tool(&["send", "sms", &url, "--auth", "basic:ada"])
            .env("TWILIO_WEBHOOK_PASSWORD", PASSWORD)
            .run();
        assert_eq!(send.status, 0);
        let attempts: Vec<_> = requests.try_iter().collect();
        assert_eq!(attempts.len(), expected);
        let authorized = |request: &&String| {
            let values = header(request, "Authorization");
            values.iter().any(|value| value.starts_with("Basic "))
        };
        assert!(!authorized(&&attempts[0]), "{attempts:?}");
        assert_eq!(attempts.iter().filter(authorized).count(), expected - 1);
    }
}

#[test]
fn advice_on_a_401_names_the_schemes_that_are_asked_for() {
    const HELPLESS: &str = "Twilio answers only Basic and Digest, so --auth can't help";
    let cases = [
        (
            "Basic realm=\"x\"",
            None,
            "by Basic: pass --auth basic:USER",
        ),
        (
            "basic realm=\"x\"",
            Some("digest:ada"),
            "by Basic, and --auth has some for Digest: pass --auth basic:USER",
        ),
        (
            "Basic realm=\"x\"",
            Some("basic:ada"),
            "refused the credentials of --auth",
        ),
        (
            "Digest realm=\"x\", nonce=\"y\"",
            None,
            "by Digest: pass --auth digest:USER",
        ),
        (
            "Digest realm=\"x\", nonce=\"y\"",
            Some("basic:ada"),
            "pass --auth digest:USER",
        ),
        (
            "Digest realm=\"x\", nonce=\"y\", algorithm=FOO",
            Some("digest:ada"),
            "Digest in a form that --auth can't answer",
        ),
        (
            "Digest nonce=\"y\"",
            Some("digest:ada"),
            "the endpoint asks for Digest without a realm, so --auth can't answer",
        ),
        (
            "Digest realm=\"\u{e9}\", nonce=\"y\", qop=\"auth\"",
            Some("digest:ada"),
            "Digest with a realm that is not ASCII, so --auth can't answer",
        ),
        (
            "Bearer, Digest realm=\"x\", nonce=\"y\", Basic realm=\"x\"",
            None,
            "--auth digest:USER or --auth basic:USER",
        ),
        ("Bearer", None, "by Bearer, and Twilio"),
        ("Bearer realm=\"x\"", Some("basic:ada"), HELPLESS),
        ("Negotiate YII==", None, "by Negotiate, and Twilio"),
        ("Negotiate", Some("digest:ada"), HELPLESS),
        (
            "\u{9b},,,=",
            None,
            "in a WWW-Authenticate header that can't be read, and Twilio",
        ),
        (",,,=", Some("basic:ada"), HELPLESS),
        ("", None, "that can't be read"),
    ];
    for (challenge, auth, said) in cases {
        let answer = format!(
            "HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n"
        );
        let (url, _requests) = support::record(vec![answer.leak(); 2]);
        let auth = auth.map(|auth| ["--auth", auth]);
        let args = [
            &["send", "sms", &*url][..],
            auth.as_ref().map_or(&[], |auth| auth),
        ]
        .concat();
        let output = tool(&args).env("TWILIO_WEBHOOK_PASSWORD", PASSWORD).run();
        assert_eq!(output.status, 1, "{challenge}");
        assert!(
            output.stderr.contains(said),
            "{challenge} {auth:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn basic_is_answered_next_to_challenges_that_cannot_be_parsed() {
    for challenge in [
        &b"Negotiate abc==, Basic realm=\"x\""[..],
        b"NTLM TlRM=, Basic realm=\"x\"",
        b"Bearer realm=\"x\" scope=\"a\", Basic realm=\"y\"",
        b"Basic realm=\"\xe9\"",
        b"Basic realm=\"\xc3\xa9\"",
        b"Basic\trealm=\"x\"",
        b"Basic  realm=\"x\"",
        b"Basic realm=x y",
        b"Basic realm=\"x",
    ] {
        let url = serve_challenge(challenge);
        let send = |auth: &[&str]| {
            let args = [&["send", "sms", &*url][..], auth].concat();
            tool(&args).env("TWILIO_WEBHOOK_PASSWORD", PASSWORD).run()
        };
        let challenge = String::from_utf8_lossy(challenge);
        let output = send(&[]);
        assert!(
            output.status == 1 && output.stderr.contains(": pass --auth basic:USER\n"),
            "{challenge}: {output:?}"
        );
        assert_eq!(send(&["--auth", "basic:ada"]).status, 0, "{challenge}");
        let output = send(&["--auth", "basic:bob"]);
        let said = "refused the credentials of --auth";
        assert!(output.stderr.contains(said), "{challenge}: {output:?}");
        assert!(!output.stderr.contains("algorithm"), "{challenge}");
    }
}

#[test]
fn digest_is_answered_next_to_challenges_that_cannot_be_parsed() {
    let answer = "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate abc==, Digest  realm=\"x\", nonce=\"y\", qop=\"auth\", NTLM z=\r\n\
                  Content-Length: 0\r\n\r\n";
    let (url, requests) = support::record(vec![answer, support::OK]);
    let args = ["send", "sms", &url, "--auth", "digest:ada"];
    let output = tool(&args).env("TWILIO_WEBHOOK_PASSWORD", PASSWORD).run();
    assert_eq!(output.status, 0, "{output:?}");
    let last = requests.try_iter().last().unwrap();
    let values = header(&last, "Authorization");
    assert!(
        values.len() == 1 && values[0].starts_with("Digest ") && values[0].contains("nonce=\"y\""),
        "{values:?}"
    );
}
