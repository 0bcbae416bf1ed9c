//! Reads what the user passes in: tokens, parameters, and requests in their formats.

pub(crate) mod capture;
pub(crate) mod forwarded;
pub(crate) mod http_text;
pub(crate) mod json;
pub(crate) mod params;
pub(crate) mod request;
pub(crate) mod request_args;
pub(crate) mod source;
pub(crate) mod token;
