//! The commands, one module each. A command imports no other command.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod send;
pub(crate) mod sign;
pub(crate) mod verify;
