//! Does one thing of one case again and again, for `scripts/instructions` to count instructions.
//!
//! `instructions` prints the names of the cases; `instructions CASE limit|verdict TIMES` runs one.

#![expect(clippy::expect_used, clippy::panic, reason = "wrong arguments end it")]

mod cases;

use std::env;

use cases::Cases;

fn main() {
    let cases = Cases::load();
    // Cargo adds `--bench` or `--test`.
    let args: Vec<_> = env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let [case, what, times] = args.as_slice() else {
        cases
            .benches()
            .for_each(|bench| println!("{}", bench.case.name));
        return;
    };
    let times: u32 = times.parse().expect("a number of times");
    let bench = cases.benches().find(|bench| bench.case.name == *case);
    let bench = bench.expect("the name of a case");
    for _ in 0..times {
        match what.as_str() {
            "limit" => bench.limit(),
            "verdict" => bench.validate(),
            _ => panic!("neither limit nor verdict: {what}"),
        }
    }
}
