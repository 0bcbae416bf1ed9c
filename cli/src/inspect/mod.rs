//! The inspector: passes requests on to an app, and records, judges and shows them.

pub(crate) mod exchange;
pub(crate) mod frames;
pub(crate) mod history;
pub(crate) mod judge;
pub(crate) mod page;
pub(crate) mod relay;
