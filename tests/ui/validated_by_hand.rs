//! A `Validated` is taken apart, but not made.

use actix_twilio::Validated;

fn call() -> Validated<String> {
    Validated("forged?".to_owned())
}

fn literal() -> Validated<String> {
    Validated { inner: "forged?".to_owned() }
}

async fn like_a_form(Validated(_body): Validated<String>) {}

async fn taken_apart(Validated { inner: _body, .. }: Validated<String>) {}

fn main() {}
