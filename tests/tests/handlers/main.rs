//! Handlers in an app on the test's own thread: what reaches them, and what they are asked.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

actix_twilio_tests_macros::modules!("tests/handlers");
