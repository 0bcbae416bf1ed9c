//! Requests that were copied from the page as Rust tests: they are these files, and they pass.

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

/// The files, in the order in which their requests are sent.
const FILES: [&str; 3] = ["sms", "forged", "voice"];

#[test]
fn what_is_copied_is_what_is_compiled_here() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    let signer = actix_twilio::testing::Signer::new(TOKEN);
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
