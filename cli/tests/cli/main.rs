//! Runs the real tool against real servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auth;
mod check;
mod flask;
mod help;
mod secrets;
mod send;
mod sign;
mod support;
mod verify;
