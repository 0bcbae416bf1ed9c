//! The commands, one module each. No command imports another one.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod send;
pub(crate) mod sign;
pub(crate) mod verify;
