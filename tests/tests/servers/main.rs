//! Real servers, driven over TCP by clients that are not ours.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

actix_twilio_tests_macros::modules!("tests/servers");
