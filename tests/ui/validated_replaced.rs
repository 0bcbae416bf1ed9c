//! What was validated is not passed off as something else.

use actix_twilio::Validated;

fn replaced(genuine: Validated<()>) -> Validated<String> {
    let Validated { inner: (), seal } = genuine;
    Validated { inner: "forged?".to_owned(), seal }
}

fn updated(genuine: Validated<String>) -> Validated<String> {
    Validated { inner: "forged?".to_owned(), ..genuine }
}

fn main() {}
