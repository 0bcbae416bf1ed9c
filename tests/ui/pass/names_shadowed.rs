//! The expansion finds its names whatever the module holds.

#![no_implicit_prelude]

extern crate actix_twilio as twilio;

mod actix_web {}
mod core {}
mod std {}

#[allow(dead_code)]
struct Validated;

#[allow(dead_code)]
fn assert_extractor() {}

#[twilio::validate_twilio_request]
async fn handler(validated: ::std::string::String, _: ()) -> ::std::string::String {
    validated
}

fn main() {
    ::actix_web::web::to(handler);
}
