//! What is printed: what the operator reads, and what must never stand there.
//!
//! The limits of the log are those of a process, so that no other tests run in this one.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

actix_twilio_tests_macros::modules!("tests/log");
