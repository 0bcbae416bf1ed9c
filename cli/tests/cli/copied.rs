//! Requests that were copied from the page as Rust tests: they are these files, and they pass.

use actix_twilio::{
    WebhookRequest,
    testing::{Signer, with_body_sha256},
};

use crate::inspected::{CALL, Listen, PUBLIC, SMS, TOKEN, configure, form, send, serve_app};

mod sms {
    use super::configure;
    include!("../copied/sms.rs");
}

mod forged {
    use super::configure;
    include!("../copied/forged.rs");
}

mod voice {
    use super::configure;
    include!("../copied/voice.rs");
}

mod hours {
    use super::configure;
    include!("../copied/hours.rs");
}

mod events {
    use super::configure;
    include!("../copied/events.rs");
}

/// The files, in the order in which their requests are sent.
const FILES: [&str; 5] = ["sms", "forged", "voice", "hours", "events"];

/// Returns a signed request that is not a form.
fn signed(signer: &Signer, request: &WebhookRequest<'_>, target: &str, rest: &str) -> Vec<u8> {
    let mut text = format!("{target} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n");
    for (name, value) in signer.headers(request) {
        text.extend([name, ": ", &value, "\r\n"]);
    }
    (text + rest).into_bytes()
}

#[test]
fn what_is_copied_is_what_is_compiled_here() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    let signer = Signer::new(TOKEN);
    listen.receive("/message", SMS);
    send(
        listen.relay,
        &form(
            &signer.forged(),
            "example.com",
            "https://example.com/message",
            SMS,
        ),
    );
    let (path, params) = CALL[0];
    listen.receive(path, params);
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    let target = format!("/hours?{query}");
    let url = format!("{PUBLIC}{target}");
    let get = WebhookRequest::new("GET", &url);
    send(
        listen.relay,
        &signed(&signer, &get, &format!("GET {target}"), "\r\n"),
    );
    let json = "{\"text\": \"\\u00e9 \\\"quoted\\\"\"}";
    let url = with_body_sha256("https://example.com/events", json);
    let post = WebhookRequest::new("POST", &url)
        .content_type("application/json")
        .body(json);
    let rest = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    );
    let target = url.strip_prefix(PUBLIC).unwrap();
    send(
        listen.relay,
        &signed(&signer, &post, &format!("POST {target}"), &rest),
    );
    for (index, name) in FILES.iter().enumerate() {
        let answer = listen.exchange(index as u64 + 1, "/copy/test");
        let copied: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let path = format!("{}/tests/copied/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("COPIED").is_some_and(|value| value == "overwrite") {
            std::fs::write(&path, copied["text"].as_str().unwrap()).unwrap();
        }
        assert_eq!(
            copied["text"],
            std::fs::read_to_string(&path).unwrap(),
            "{name}: run it with COPIED=overwrite"
        );
    }
}
