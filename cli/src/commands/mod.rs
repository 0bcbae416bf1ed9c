//! The commands, one module each. No command imports another one; `curl` is a part of one.

pub(crate) mod check;
mod curl;
pub(crate) mod explain;
pub(crate) mod listen;
pub(crate) mod send;
pub(crate) mod sign;
pub(crate) mod verify;
