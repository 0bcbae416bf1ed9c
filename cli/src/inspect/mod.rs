//! The inspector: passes requests on to an app, and records, judges and shows them.

pub(crate) mod app;
mod connection;
pub(crate) mod exchange;
pub(crate) mod findings;
pub(crate) mod forwarded;
pub(crate) mod frames;
mod framing;
pub(crate) mod history;
pub(crate) mod judge;
mod kind;
pub(crate) mod page;
mod parameters;
pub(crate) mod record;
pub(crate) mod recorder;
pub(crate) mod relay;
mod seat;
pub(crate) mod settings;
mod summary;
mod tunnel;
