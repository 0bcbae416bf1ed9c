//! Reads what the user passes in: files, the standard input, tokens, parameters and captured requests.

pub(crate) mod capture;
pub(crate) mod http_text;
pub(crate) mod json;
pub(crate) mod params;
pub(crate) mod request;
pub(crate) mod request_args;
pub(crate) mod source;
pub(crate) mod token;
