//! Judges exchanges: would the app accept the request, and if not, why.

use twilio_signature::RequestValidator;

/// The keys and the public URL that requests are judged by.
#[derive(Debug)]
pub(crate) struct Judge {
    /// `None` if there is no token.
    pub(crate) validator: Option<RequestValidator>,
    /// The base URL that is set at Twilio, if it was given.
    pub(crate) public_url: Option<String>,
}
