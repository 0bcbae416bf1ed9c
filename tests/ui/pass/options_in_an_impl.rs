//! Options need no item beside the function: they work in an `impl`, and no lint can forbid anything.

#![forbid(missing_debug_implementations, missing_docs, non_camel_case_types, unreachable_pub)]

use actix_twilio::validate_twilio_request;
use actix_web::web;

struct Webhooks;

impl Webhooks {
    #[validate_twilio_request(auth_token_env = "SUPPORT_AUTH_TOKEN")]
    async fn voice(body: String) -> String { body }
}

#[validate_twilio_request(url = "https://example.com/message", auth_token_env = "SUPPORT_AUTH_TOKEN")]
async fn message(body: String) -> String { body }

fn main() {
    web::to(Webhooks::voice);
    web::to(message);
}
