//! How long a verdict takes, each case beside the time that no implementation can go below: the
//! HMAC of the signed text, or the SHA-256 of a body that is no form.
//!
//! `cargo bench -p actix-twilio` measures with Criterion, and then prints a table of ratios.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking, and it is no test to clippy"
)]

use std::{
    collections::BTreeSet,
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use actix_twilio::{AuthToken, RequestValidator, WebhookRequest};
use criterion::Criterion;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Cases {
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

impl Case {
    fn is_form(&self) -> bool {
        self.content_type == "application/x-www-form-urlencoded"
    }

    fn request(&self) -> WebhookRequest<'_> {
        WebhookRequest::new("POST", &self.url)
            .content_type(&self.content_type)
            .body(&self.body)
            .signature(&self.signature)
    }

    /// Returns the text that is signed: the rules as they are told.
    fn signed_text(&self) -> Vec<u8> {
        let mut text = self.url.clone().into_bytes();
        let decode = |raw: &str| -> Vec<u8> {
            let raw = raw.replace('+', " ");
            let mut parts = raw.split('%');
            let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
            for part in parts {
                let (hex, rest) = part.split_at(2);
                decoded.push(u8::from_str_radix(hex, 16).unwrap());
                decoded.extend(rest.bytes());
            }
            decoded
        };
        if self.is_form() {
            let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
            let pairs: BTreeSet<_> = pairs.map(|(a, b)| (decode(a), decode(b))).collect();
            text.extend(
                pairs
                    .into_iter()
                    .flat_map(|(name, value)| [name, value].concat()),
            );
        }
        text
    }
}

/// What is measured of a case.
struct Bench<'c> {
    case: &'c Case,
    validator: &'c RequestValidator,
    key: Hmac<Sha1>,
    text: Vec<u8>,
    /// The URL as it is and the one with the default port.
    texts_to_try: usize,
}

impl<'c> Bench<'c> {
    fn new(case: &'c Case, validator: &'c RequestValidator, token: &str) -> Self {
        let verdict = validator.validate(&case.request());
        assert_eq!(verdict.is_ok(), case.genuine, "{}", case.name);
        Self {
            case,
            validator,
            key: Hmac::new_from_slice(token.as_bytes()).unwrap(),
            text: case.signed_text(),
            texts_to_try: if case.genuine { 1 } else { 2 },
        }
    }

    fn limit(&self) {
        if !self.case.is_form() {
            black_box(Sha256::digest(black_box(&self.case.body)));
            return;
        }
        for _ in 0..self.texts_to_try {
            let mut mac = self.key.clone();
            mac.update(black_box(&self.text));
            black_box(mac.finalize().into_bytes());
        }
    }

    fn validate(&self) {
        let verdict = self.validator.validate(black_box(&self.case.request()));
        drop(black_box(verdict));
    }
}

fn time(run: impl Fn(), times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    start.elapsed()
}

/// Prints medians of many rounds in which limit and verdict take turns. The rounds are so short that what
/// else runs on the machine spares most of them.
fn print_table<'b>(benches: impl IntoIterator<Item = (&'b str, Bench<'b>)>) {
    const ROUNDS: usize = 2001;
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(ROUNDS / 2).copied().unwrap_or_default()
    };
    println!("| raw body to verdict | bytes | limit, ns | verdict, ns | ratio |");
    println!("|---|---:|---:|---:|---:|");
    for (name, bench) in benches {
        let once = time(|| bench.limit(), 100) / 100;
        let times = 100_000 / u32::try_from(once.as_nanos()).unwrap().max(1) + 1;
        let nanoseconds = |duration: Duration| duration.as_secs_f64() * 1e9 / f64::from(times);
        let rounds = (0..ROUNDS).map(|round| {
            let measure_limit = || nanoseconds(time(|| bench.limit(), times));
            let measure_verdict = || nanoseconds(time(|| bench.validate(), times));
            if round % 2 == 0 {
                let limit = measure_limit();
                (limit, measure_verdict())
            } else {
                let verdict = measure_verdict();
                (measure_limit(), verdict)
            }
        });
        let rounds: Vec<_> = rounds.collect();
        println!(
            "| {name} | {} | {:.0} | {:.0} | {:.2} |",
            bench.case.body.len(),
            median(rounds.iter().map(|(limit, _)| *limit).collect()),
            median(rounds.iter().map(|(_, verdict)| *verdict).collect()),
            median(
                rounds
                    .iter()
                    .map(|(limit, verdict)| verdict / limit)
                    .collect()
            ),
        );
    }
}

/// Returns a case with its body written this many times, each with names of its own.
fn scaled(case: &Case, validator: &RequestValidator, times: usize) -> Case {
    let body = (0..times).map(|copy| match copy {
        0 => case.body.clone(),
        _ => format!("Z{copy}{}", case.body.replace('&', &format!("&Z{copy}"))),
    });
    let mut scaled = Case {
        name: format!("SMS, {times} times as long"),
        url: case.url.clone(),
        content_type: case.content_type.clone(),
        signature: String::new(),
        genuine: true,
        body: body.collect::<Vec<_>>().join("&"),
    };
    scaled.signature = validator.sign(&scaled.request()).unwrap();
    scaled
}

fn main() {
    let Cases { token, mut cases } = serde_json::from_str(include_str!("cases.json")).unwrap();
    let validator = RequestValidator::new([AuthToken::new(&token).unwrap()]).unwrap();
    let sms = cases.first().unwrap();
    let longer: Vec<_> = [2, 4, 8, 16, 32]
        .map(|times| scaled(sms, &validator, times))
        .into();
    cases.extend(longer);

    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for case in &cases {
        let bench = Bench::new(case, &validator, &token);
        let mut group = criterion.benchmark_group(&case.name);
        group.bench_function("limit", |bencher| bencher.iter(|| bench.limit()));
        group.bench_function("verdict", |bencher| bencher.iter(|| bench.validate()));
        group.finish();
    }
    criterion.final_summary();

    // `cargo test` runs benchmarks as well, to see that they run.
    if env::args().any(|arg| arg == "--bench") {
        print_table(cases.iter().map(|case| {
            let bench = Bench::new(case, &validator, &token);
            (case.name.as_str(), bench)
        }));
    }
}
