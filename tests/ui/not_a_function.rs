use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
struct Message;

/// Docs and other attributes are passed over.
#[validate_twilio_request]
#[derive(Debug)]
pub(crate) enum Event {}

#[validate_twilio_request]
const LIMIT: usize = 1;

#[validate_twilio_request]
mod webhooks {}

#[validate_twilio_request]
impl Message {}

fn main() {}
