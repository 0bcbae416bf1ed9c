//! An attribute on a module that protects nothing is an error.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
mod nothing {}

#[validate_twilio_request]
mod helpers {
    pub fn help() {}

    async fn hidden() {}

    pub mod inner {
        pub const NUMBER: u32 = 1;
    }
}

#[validate_twilio_request]
pub struct NoModule;

fn main() {}
