//! Looks for a dependence of a verdict's time on how many bytes of a forged signature are right. Run it by
//! `scripts/timing`, which says what comes out.
//!
//! With no arguments it takes times and prints Welch's t for each class of forgeries against the one that has no
//! right byte. With a class it judges forgeries of that class, for a tool that counts instructions. With `leaky`
//! after either, texts are compared until they differ: a leak of the kind that is looked for, which shows that
//! it would be found. With `control`, the forgeries are like the signature of another request: what differs then
//! has nothing to do with the right one.

#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a measurement fails by panicking, and counts up to some millions"
)]

use std::{env, hint::black_box, time::Instant};

use actix_twilio::{RequestValidator, WebhookRequest};
use actix_twilio_tests::{FORM, sign_form, validator};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::SliceRandom};

/// How many bytes of the signature are right, of 20.
const CLASSES: [usize; 4] = [0, 1, 10, 19];

/// Different forgeries in each class.
const FORGERIES: usize = 1_000;

/// Times in each class.
const TIMES: usize = 1_000_000;

/// Beyond it, a difference is hardly an accident.
const THRESHOLD: f64 = 4.5;

const URL: &str = "https://example.com/message";
const BODY: &str = "AccountSid=AC00000000000000000000000000000001&From=%2B14158675310&Body=Hi";

/// Makes signatures whose first bytes are those of another one, as many as the class says, and the next one is not.
fn forgeries(model: &str, class: usize, random: &mut SmallRng) -> Vec<String> {
    let model = BASE64_STANDARD.decode(model).unwrap();
    let forge = |_| {
        let mut bytes = model.clone();
        bytes[class] ^= random.random_range(1..=255);
        random.fill(&mut bytes[class + 1..]);
        BASE64_STANDARD.encode(bytes)
    };
    (0..FORGERIES).map(forge).collect()
}

/// What is measured.
struct Judge {
    validator: RequestValidator,
    /// If there is a leak, the text that is looked for.
    leaky: Option<String>,
}

impl Judge {
    // It is found by its name where instructions are counted.
    #[inline(never)]
    fn judge(&self, signature: &str) -> bool {
        let request = WebhookRequest::new("POST", URL)
            .content_type(FORM)
            .body(BODY)
            .signature(signature);
        let same = |genuine: &String| {
            let mut pairs = genuine.bytes().zip(signature.bytes());
            pairs.all(|(a, b)| black_box(a) == b)
        };
        self.validator.validate(&request).is_ok() | self.leaky.as_ref().is_some_and(same)
    }
}

fn main() {
    let mut args: Vec<_> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let genuine = sign_form(URL, BODY);
    let mode = args.pop_if(|arg| matches!(&**arg, "leaky" | "control"));
    let is_leaky = mode.as_deref() == Some("leaky");
    let judge = Judge {
        validator: validator(),
        leaky: is_leaky.then(|| genuine.clone()),
    };
    assert!(judge.judge(&genuine), "the genuine one is accepted");
    let model = match mode.as_deref() {
        Some("control") => sign_form(URL, "Body=another"),
        _ => genuine,
    };
    let mut random = SmallRng::seed_from_u64(1);
    if let Some(class) = args.first() {
        for forgery in forgeries(&model, class.parse().unwrap(), &mut random) {
            assert!(!black_box(judge.judge(black_box(&forgery))));
        }
        return;
    }

    let forgeries = CLASSES.map(|class| forgeries(&model, class, &mut random));
    let mut times = [const { Vec::new() }; CLASSES.len()];
    let mut order = [0, 1, 2, 3];
    for _ in 0..TIMES {
        order.shuffle(&mut random);
        for class in order {
            let forgery = &forgeries[class][random.random_range(0..FORGERIES)];
            let start = Instant::now();
            let genuine = black_box(judge.judge(black_box(forgery)));
            let time = start.elapsed();
            assert!(!genuine);
            times[class].push(time.as_nanos());
        }
    }
    report(&times);
}

/// Prints the mean of each class, and how it compares with that of the first one.
fn report(times: &[Vec<u128>]) {
    let mut all = times.concat();
    all.sort_unstable();
    // The slowest tenth was interrupted, mostly.
    let kept = all[all.len() / 10 * 9];
    let samples: Vec<_> = times.iter().map(|times| Sample::of(times, kept)).collect();
    println!("right bytes     times      mean      t");
    for (sample, class) in samples.iter().zip(CLASSES) {
        let t = sample.t(&samples[0]);
        let verdict = if t.abs() > THRESHOLD { "  differs" } else { "" };
        println!(
            "{class:11} {:9} {:7.1} ns {t:6.2}{verdict}",
            sample.count, sample.mean
        );
    }
}

/// Times up to a limit.
struct Sample {
    count: usize,
    mean: f64,
    variance: f64,
}

impl Sample {
    fn of(times: &[u128], kept: u128) -> Self {
        let times: Vec<_> = times.iter().filter(|time| **time <= kept).collect();
        let count = times.len() as f64;
        let mean = times.iter().map(|time| **time as f64).sum::<f64>() / count;
        let squares: f64 = times
            .iter()
            .map(|time| (**time as f64 - mean).powi(2))
            .sum();
        Self {
            count: times.len(),
            mean,
            variance: squares / (count - 1.0),
        }
    }

    /// Welch's t.
    fn t(&self, other: &Self) -> f64 {
        let of_mean = |sample: &Self| sample.variance / sample.count as f64;
        let error = (of_mean(self) + of_mean(other)).sqrt();
        (self.mean - other.mean) / error
    }
}
