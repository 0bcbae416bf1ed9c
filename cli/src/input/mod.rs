//! Reads what the user passes in: files, the standard input, tokens, parameters and captured requests.

pub(crate) mod captured;
pub(crate) mod http_text;
pub(crate) mod params;
pub(crate) mod source;
pub(crate) mod token;
