//! Clients that break off, wait, overdo it and mix things up, and what fails on the server's own side: it goes
//! on answering genuine requests, and no handler runs for others.
//!
//! What single malformed requests get is in `server.rs`, a flood of them in `flood.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bodies;
mod connections;
mod garbled;
mod own_side;
mod server;
