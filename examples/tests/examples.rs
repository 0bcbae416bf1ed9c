//! Starts each example as a user would, and sends it a genuine and a forged request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::BufRead;

#[cfg(unix)]
use support::assert_refuses_other_than_utf_8;
use support::{Example, SIDS, TOKEN, assert_each_is_run_in, command, sign};

#[test]
fn each_example_says_how_to_run_it_and_is_run_here() {
    assert_each_is_run_in(
        include_str!("examples.rs"),
        env!("CARGO_MANIFEST_DIR"),
        "cargo run",
    );
}

#[test]
fn quickstart_answers_what_it_signs_itself() {
    let mut app = Example::start(env!("CARGO_BIN_EXE_quickstart"), &[]);
    let mut requests = Vec::new();
    let mut line = String::new();
    while requests.len() < 2 && app.output.read_line(&mut line).unwrap() > 0 {
        // Both commands have two lines: the parameters, and the signature.
        let mut quoted = String::new();
        if let Some(command) = line.trim().strip_prefix("curl -i ") {
            app.output.read_line(&mut quoted).unwrap();
            let form = command.split('\'').nth(1).unwrap().to_owned();
            let signature = quoted.split('\'').nth(1).unwrap();
            let signature = signature.strip_prefix("X-Twilio-Signature: ").unwrap();
            requests.push((form, signature.to_owned()));
        }
        line.clear();
    }
    let [(genuine, signature), (forged, _)] = &requests[..] else {
        panic!("two commands are printed");
    };
    let (status, answer) = app.post("/message", genuine, signature);
    assert_eq!(status, 200);
    assert!(
        answer.contains("<Response><Message>Hello +14158675310"),
        "{answer}"
    );
    assert_eq!(app.post("/message", forged, signature).0, 403);
}

#[test]
fn quickstart_signs_for_its_public_url() {
    let base = [("TWILIO_WEBHOOK_BASE_URL", "https://example.com/prefix/")];
    let mut app = Example::start(env!("CARGO_BIN_EXE_quickstart"), &base);
    let mut said = String::new();
    while !said.contains("-H '") && app.output.read_line(&mut said).unwrap() > 0 {}
    assert!(
        said.contains("for https://example.com/prefix/message,"),
        "{said}"
    );
    let signature = said.split("X-Twilio-Signature: ").nth(1).unwrap();
    let signature = signature.split('\'').next().unwrap();
    let form = "AccountSid=AC00000000000000000000000000000001&Body=Hi&From=%2B14158675310\
                &MessageSid=SM00000000000000000000000000000001";
    assert_eq!(app.post("/message", form, signature).0, 200);
}

#[test]
fn a_wrong_setting_stops_the_start() {
    let wrong = [
        (
            "quickstart",
            env!("CARGO_BIN_EXE_quickstart"),
            "TWILIO_WEBHOOK_BASE_URL",
            "example.com",
        ),
        (
            "tested",
            env!("CARGO_BIN_EXE_tested"),
            "TWILIO_VALIDATION",
            "off",
        ),
    ];
    for (name, binary, variable, value) in wrong {
        let out = command(binary)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env(variable, value)
            .output()
            .unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(!out.status.success(), "{name}");
        assert!(
            said.contains(&format!("ConfigError({variable}: ")),
            "{name}: {said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_utf_8_stops_the_start_and_is_not_printed() {
    let examples = [
        (
            "quickstart",
            env!("CARGO_BIN_EXE_quickstart"),
            "TWILIO_AUTH_TOKEN",
        ),
        (
            "policies",
            env!("CARGO_BIN_EXE_policies"),
            "ACME_AUTH_TOKEN",
        ),
        (
            "policies",
            env!("CARGO_BIN_EXE_policies"),
            "TWILIO_AUTH_TOKEN",
        ),
    ];
    for (name, binary, variable) in examples {
        assert_refuses_other_than_utf_8(name, binary, variable);
    }
}

#[test]
fn quickstart_escapes_what_it_says() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_quickstart"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    for path in ["/voice", "/message"] {
        app.assert_protects(path, TOKEN, &app.url(path), "+14158675310");
        let body = &format!("{SIDS}&From=%3CDial%3E%26");
        let (status, answer) = app.post(path, body, &sign(TOKEN, &app.url(path), body));
        assert_eq!(status, 200);
        assert!(answer.contains("&lt;Dial&gt;&amp;"), "{answer}");
    }
}

#[test]
fn middleware_protects_its_scope_alone() {
    let mut app = Example::start(
        env!("CARGO_BIN_EXE_middleware"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects(
        "/twilio/message",
        TOKEN,
        &app.url("/twilio/message"),
        "<Message>Hello +14158675310",
    );
    // The path is signed as it came, before it is normalized.
    let path = "/twilio/orders/17/status/";
    let body = &format!("{SIDS}&CallStatus=completed");
    let signature = sign(TOKEN, &app.url(path), body);
    assert_eq!(app.post(path, body, &signature), (204, String::new()));
    assert_eq!(app.post(path, "CallSid=CA2", &signature).0, 403);
    let mut line = String::new();
    app.output.read_line(&mut line).unwrap();
    assert_eq!(line, "order \"17\": call Some(Completed)\n");
    let path = "/twilio/orders/1%0Aorder%202/status";
    let signature = sign(TOKEN, &app.url(path), body);
    assert_eq!(app.post(path, body, &signature).0, 204);
    line.clear();
    app.output.read_line(&mut line).unwrap();
    assert_eq!(line, "order \"1\\norder 2\": call Some(Completed)\n");
    assert_eq!(app.get("/twilio/nowhere").0, 403);
    assert_eq!(app.get("/health").0, 200);
}

#[test]
fn protected_leaves_open_what_says_so_alone() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_protected"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/message", TOKEN, &app.url("/message"), "<Message>charged");
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    assert_eq!(app.get("/health").0, 200);
}

#[test]
fn policies_validate_each_route_with_its_own_configuration() {
    let variables = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("SUPPORT_AUTH_TOKEN", "67890"),
        ("ACME_AUTH_TOKEN", "token of acme"),
        ("GLOBEX_AUTH_TOKEN", "token of globex"),
    ];
    let app = Example::start(env!("CARGO_BIN_EXE_policies"), &variables);
    app.assert_protects("/message", TOKEN, &app.url("/message"), "TWILIO");
    app.assert_protects("/support", "67890", &app.url("/support"), "SUPPORT");
    app.assert_protects(
        "/internal/voice",
        TOKEN,
        "https://example.com/voice",
        "voice",
    );
    let acme = "https://acme.example.com/tenants/acme/message";
    app.assert_protects("/tenants/acme/message", "token of acme", acme, "acme");

    let body = "From=1";
    let wrong = [
        ("/support", sign(TOKEN, &app.url("/support"), body)),
        ("/message", sign("67890", &app.url("/message"), body)),
        ("/tenants/globex/message", sign("token of acme", acme, body)),
        ("/tenants/acme/message", sign("token of globex", acme, body)),
    ];
    for (path, signature) in wrong {
        assert_eq!(app.post(path, body, &signature).0, 403, "{path}");
    }
}

#[test]
fn rejection_answers_with_twiml() {
    let app = Example::start(
        env!("CARGO_BIN_EXE_rejection"),
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Say>");
    let (status, answer) = app.post("/voice", "From=1", "");
    assert_eq!(status, 403);
    assert!(
        answer.ends_with("<Response><Reject/></Response>"),
        "{answer}"
    );
}

#[test]
fn tested_and_unsigned_tests_are_protected_when_they_run() {
    let variables = [("TWILIO_AUTH_TOKEN", TOKEN)];
    let app = Example::start(env!("CARGO_BIN_EXE_tested"), &variables);
    app.assert_protects("/voice", TOKEN, &app.url("/voice"), "<Gather");
    let app = Example::start(env!("CARGO_BIN_EXE_unsigned_tests"), &variables);
    app.assert_protects("/message", TOKEN, &app.url("/message"), "You wrote");
}

#[test]
fn endpoint_is_protected_at_its_own_and_at_its_public_url() {
    let message = format!("{SIDS}&Body=Hi&From=%2B14158675310");
    let token = ("TWILIO_AUTH_TOKEN", TOKEN);
    let base = ("TWILIO_WEBHOOK_BASE_URL", "https://example.com");
    for variables in [&[token][..], &[token, base]] {
        let app = Example::start(env!("CARGO_BIN_EXE_endpoint"), variables);
        let own = app.url("/message");
        let public = "https://example.com/message";
        let (right, wrong) = if variables.len() == 1 {
            (&*own, public)
        } else {
            (public, &*own)
        };
        let (status, answer) = app.post("/message", &message, &sign(TOKEN, right, &message));
        assert_eq!(status, 200);
        assert!(answer.contains("You wrote Hi."), "{answer}");
        assert_eq!(
            app.post("/message", &message, &sign(TOKEN, wrong, &message))
                .0,
            403
        );
    }
}

#[test]
fn page_that_shows_how_to_protect_an_endpoint_has_the_code_that_is_run_here() {
    let (page, code) = (
        include_str!("../../docs/protect-an-endpoint.md"),
        include_str!("../src/bin/endpoint.rs"),
    );
    let code = code.lines().filter(|line| !line.starts_with("//!"));
    let code = code.collect::<Vec<_>>().join("\n");
    let block = format!("```rust,no_run\n{}\n```", code.trim());
    assert!(page.contains(&block), "paste this:\n{block}");
    let [major, minor] = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
    ];
    assert!(page.contains(&format!("actix-twilio = \"{major}.{minor}\"\n")));
}
