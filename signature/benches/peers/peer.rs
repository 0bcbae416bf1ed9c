//! Measures the Rust libraries and the limit. `scripts/peers` runs this and the peers in other languages.
//!
//! Each takes the cases of a file and prints a line of JSON for each of them: the case, who judges it, and the median
//! of the nanoseconds from the raw body to the verdict, or null if it is wrong.

use std::{collections::BTreeSet, hint::black_box, time::Instant};

use twilio_signature::{AuthToken, RequestValidator, WebhookRequest};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;
use webhook_verify::{Provider, Secret, VerifyOptions, verify};

#[derive(Deserialize)]
struct File {
    token: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    url: String,
    content_type: String,
    signature: String,
    genuine: bool,
    body: String,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn main() {
    let path = std::env::args().nth(1).expect("a file of cases");
    let file = std::fs::read_to_string(path).expect("a file that can be read");
    let File { token, cases } = serde_json::from_str(&file).expect("cases");
    let validator = RequestValidator::new([AuthToken::new(&token).expect("a token")]);
    let validator = validator.expect("a validator");
    let key = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("a key");
    let secret = Secret::new(token);
    for case in cases.iter().filter(|case| case.content_type == FORM) {
        let Case {
            url,
            signature,
            body,
            ..
        } = case;

        let pairs: BTreeSet<_> = form_urlencoded::parse(body.as_bytes()).collect();
        let parameters = pairs
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let text: Vec<u8> = [url.as_bytes()]
            .into_iter()
            .chain(parameters)
            .flatten()
            .copied()
            .collect();
        report(case, "HMAC-SHA1 alone", || {
            let mut mac = key.clone();
            mac.update(black_box(&text));
            black_box(mac.finalize());
            case.genuine
        });

        report(case, "actix-twilio", || {
            let request = WebhookRequest::new("POST", url)
                .content_type(FORM)
                .body(body)
                .signature(signature);
            validator.validate(black_box(&request)).is_ok()
        });

        report(case, "webhook-verify", || {
            let options = VerifyOptions::default()
                .with_request_url(url)
                .with_form_params(form_urlencoded::parse(black_box(body.as_bytes())).into_owned());
            let headers = [("X-Twilio-Signature", signature.as_str())];
            verify(
                Provider::Twilio,
                &headers,
                body.as_bytes(),
                &secret,
                options,
            )
            .is_ok()
        });
    }
}

fn report(case: &Case, judge: &str, run: impl Fn() -> bool) {
    const BATCH: u32 = 200;

    let mut batches: Vec<_> = (0..501)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                black_box(run());
            }
            start.elapsed() / BATCH
        })
        .collect();
    batches.sort();
    let time = (run() == case.genuine).then(|| batches[batches.len() / 2].as_nanos());
    println!(
        "{}",
        serde_json::json!({"case": case.name, "judge": judge, "ns": time})
    );
}
