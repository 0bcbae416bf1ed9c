//! Tests the page of `listen` in Chromium.
//!
//! They need Chromium, `ChromeDriver` and the path of the tool:
//! `TWILIO_WEBHOOK=target/debug/twilio-webhook cargo test --manifest-path tests/browser/Cargo.toml -- --ignored`.
//! `.ci/run browser` builds the tool and runs them.

mod actions;
mod attacks;
mod browser;
mod hostile;
mod looks;
mod reading;

#[allow(dead_code, reason = "the tests of the tool use the rest")]
#[path = "../../../../cli/tests/cli/inspected.rs"]
mod inspected;
