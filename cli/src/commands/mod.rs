//! The commands, one module each. No command imports another one; `curl` is a part of one, and `walk` is a part of `call`
//! and `text`.

pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod completions;
mod curl;
pub(crate) mod explain;
pub(crate) mod listen;
pub(crate) mod man;
pub(crate) mod send;
pub(crate) mod sign;
pub(crate) mod text;
pub(crate) mod verify;
mod walk;
