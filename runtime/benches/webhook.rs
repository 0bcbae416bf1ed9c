//! How long it takes to get a typed message from a raw body, with the verdict and without, beside the least that a handler
//! without validation does: to deserialize a struct of 16 fields.
//!
//! `cargo bench -p actix-twilio --bench webhook` prints a table of medians. `webhook WHAT TIMES` does one thing again and
//! again, for `scripts/instructions` to count instructions; `webhook --list` prints what there is.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking, and it is no test to clippy"
)]

use std::{
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use actix_twilio::{
    AuthToken, RequestValidator, WebhookRequest,
    signature::{Form, stages::CheckedHead},
    webhook::IncomingMessage,
};
use serde::Deserialize;

const URL: &str = "https://hooks.example.test/twilio/sms";
const FORM: &str = "application/x-www-form-urlencoded";

/// The fields that an app would declare for an SMS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "they are decoded, and that is what is measured")]
struct Derived {
    account_sid: String,
    message_sid: String,
    messaging_service_sid: Option<String>,
    from: String,
    to: String,
    body: String,
    num_segments: Option<u32>,
    num_media: u32,
    from_city: Option<String>,
    from_state: Option<String>,
    from_zip: Option<String>,
    from_country: Option<String>,
    to_city: Option<String>,
    to_state: Option<String>,
    to_zip: Option<String>,
    to_country: Option<String>,
}

/// What is measured, and the first of it is what the others are compared with.
struct Benches {
    validator: RequestValidator,
    body: String,
    signature: String,
    unknown: [String; 2],
}

const NAMES: [&str; 5] = [
    "serde_urlencoded, 16 fields",
    "serde_urlencoded, IncomingMessage",
    "IncomingMessage",
    "verdict",
    "verdict and IncomingMessage",
];

/// What is not in the table, because it takes long: it shows that the time grows with the number of parameters.
const LARGE: [&str; 2] = [
    "IncomingMessage, 1,000 unknown",
    "IncomingMessage, 10,000 unknown",
];

/// Returns a form of parameters that no webhook has, in no order.
fn unknown(parameters: usize) -> String {
    let mut state = 1_usize;
    let names = (0..parameters).map(|_| {
        state = state * 16_807 % 2_147_483_647;
        format!("New{state}=1")
    });
    names.collect::<Vec<_>>().join("&")
}

impl Benches {
    fn load() -> Self {
        let cases = include_str!("../../signature/benches/cases/cases.json");
        let cases: serde_json::Value = serde_json::from_str(cases).unwrap();
        let body = cases["cases"][0]["body"].as_str().unwrap().to_owned();
        let validator = RequestValidator::new([AuthToken::new("12345").unwrap()]).unwrap();
        let request = WebhookRequest::new("POST", URL).content_type(FORM);
        let signature = validator.sign(&request.body(&body)).unwrap();
        Self {
            validator,
            body,
            signature,
            unknown: [1_000, 10_000].map(unknown),
        }
    }

    fn verdict(&self) -> Form<&str> {
        let head = WebhookRequest::new("POST", URL).content_type(FORM);
        let head = CheckedHead::of(&head.signature(&self.signature)).unwrap();
        let url = head.check_url(&self.validator, URL, "").unwrap();
        let form = Form::split(black_box(self.body.as_str()));
        black_box(url.check_form(&form).unwrap());
        form
    }

    fn run(&self, what: &str) {
        let body = black_box(self.body.as_str());
        match what {
            "serde_urlencoded, 16 fields" => {
                drop(black_box(
                    serde_urlencoded::from_str::<Derived>(body).unwrap(),
                ));
            }
            "serde_urlencoded, IncomingMessage" => {
                drop(black_box(
                    serde_urlencoded::from_str::<IncomingMessage>(body).unwrap(),
                ));
            }
            "IncomingMessage" => drop(black_box(IncomingMessage::from(&Form::split(body)))),
            "verdict" => drop(black_box(self.verdict())),
            "IncomingMessage, 1,000 unknown" => self.fill_unknown(0),
            "IncomingMessage, 10,000 unknown" => self.fill_unknown(1),
            _ => drop(black_box(IncomingMessage::from(&self.verdict()))),
        }
    }

    fn fill_unknown(&self, which: usize) {
        let body = black_box(self.unknown[which].as_str());
        drop(black_box(IncomingMessage::from(&Form::split(body))));
    }

    fn time(&self, what: &str, times: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            self.run(what);
        }
        start.elapsed()
    }
}

/// Prints medians of many short rounds in which all take turns.
fn print_table(benches: &Benches) {
    const ROUNDS: usize = 2001;
    const TIMES: u32 = 20;
    let mut rounds = vec![Vec::with_capacity(ROUNDS); NAMES.len()];
    for round in 0..ROUNDS {
        for at in 0..NAMES.len() {
            let at = (at + round) % NAMES.len();
            let time = benches.time(NAMES[at], TIMES);
            rounds[at].push(time.as_secs_f64() * 1e9 / f64::from(TIMES));
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    println!("| raw body to | ns | ratio |");
    println!("|---|---:|---:|");
    for (name, times) in NAMES.iter().zip(&rounds) {
        let ratios = times
            .iter()
            .zip(&rounds[0])
            .map(|(time, first)| time / first);
        println!(
            "| {name} | {:.0} | {:.2} |",
            median(times.clone()),
            median(ratios.collect())
        );
    }
}

fn main() {
    let benches = Benches::load();
    // Cargo adds `--bench` or `--test`.
    let args: Vec<_> = env::args().skip(1).collect();
    let of_cargo = |arg: &String| ["--bench", "--test"].contains(&arg.as_str());
    let own: Vec<_> = args.iter().filter(|arg| !of_cargo(arg)).collect();
    let all = NAMES.iter().chain(&LARGE);
    match own.as_slice() {
        [list] if *list == "--list" => all.for_each(|name| println!("{name}")),
        [what, times] => {
            let times = times.parse().expect("a number of times");
            benches.time(what, times);
        }
        // `cargo test` runs benchmarks as well, to see that they run.
        _ if args.iter().any(|arg| arg == "--bench") => print_table(&benches),
        _ => all.for_each(|name| benches.run(name)),
    }
}
