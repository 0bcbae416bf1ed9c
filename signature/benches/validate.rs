//! How long a verdict takes, each case beside the time that no implementation can go below: the
//! HMAC of the signed text, or the SHA-256 of a body that is no form.
//!
//! `cargo bench -p twilio-signature --bench validate` prints a table of ratios.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking, and it is no test to clippy"
)]

mod cases;

use std::{
    env,
    time::{Duration, Instant},
};

use cases::{Bench, Cases};

fn time(run: impl Fn(), times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    start.elapsed()
}

/// Prints medians of many rounds in which limit and verdict take turns. The rounds are so short that what
/// else runs on the machine spares most of them.
fn print_table<'b>(benches: impl Iterator<Item = Bench<'b>>) {
    const ROUNDS: usize = 2001;
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(ROUNDS / 2).copied().unwrap_or_default()
    };
    println!("| raw body to verdict | bytes | limit, ns | verdict, ns | ratio |");
    println!("|---|---:|---:|---:|---:|");
    for bench in benches {
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
            "| {} | {} | {:.0} | {:.0} | {:.2} |",
            bench.case.name,
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

fn main() {
    // `cargo test --benches` only wants to see that it compiles and starts.
    if env::args().any(|arg| arg == "--bench") {
        print_table(Cases::load().benches());
    }
}
