//! The verdict, without a server: rule by rule, against a plain reference, and against the official SDKs.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

actix_twilio_tests_macros::modules!("tests/verdict");
