//! The commands, one module each. No command imports another one; `curl` and `settings` are parts of one.

pub(crate) mod check;
pub(crate) mod completions;
mod curl;
pub(crate) mod explain;
pub(crate) mod man;
pub(crate) mod send;
mod settings;
pub(crate) mod sign;
pub(crate) mod verify;
