//! Temporary values of the last expression may borrow from the arguments, as in a plain `async fn`.

use std::sync::Mutex;

use actix_twilio::validate_twilio_request;
use actix_web::web::{self, Bytes, Form};

#[validate_twilio_request]
async fn simple(data: web::Data<Mutex<String>>) -> usize {
    data.lock().unwrap().len()
}

#[validate_twilio_request]
async fn one_line(Form(text): Form<Mutex<String>>) -> usize { text.lock().unwrap().len() }

#[validate_twilio_request]
async fn in_parts(_: Bytes, (number, text): (Bytes, web::Data<Mutex<String>>)) -> usize {
    #![allow(unused_variables)]
    text.lock().unwrap().len()
}

fn main() {
    let _compile = (simple, one_line, in_parts);
}
