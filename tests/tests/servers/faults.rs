//! Clients that break off, wait, overdo it and mix things up, and what fails on the server's own side: it goes
//! on answering genuine requests, and no handler runs for others.
//!
//! What single malformed requests get is in `server.rs`, what a flood of them does in `flood.rs`.

actix_twilio_tests_macros::modules!("tests/servers/faults");
