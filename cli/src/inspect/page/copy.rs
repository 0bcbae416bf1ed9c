//! Writes an exchange as text to paste: a command for curl, a capture for `explain`, and a Rust test.

mod capture;
mod curl;
mod test;

pub(super) use self::{capture::capture, curl::curl, test::test};
