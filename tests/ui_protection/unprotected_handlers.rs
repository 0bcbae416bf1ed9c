//! `to_validated` takes no handler without the attribute.

use actix_twilio::{ProtectedRoute, Validated, validate_twilio_request};
use actix_web::{HttpRequest, web};

async fn of_nothing() -> &'static str {
    ""
}

async fn of_one(body: String) -> String {
    body
}

async fn of_two(body: String, _req: HttpRequest) -> String {
    body
}

async fn of_an_option(_validated: Option<Validated<String>>) -> &'static str {
    ""
}

async fn of_a_result(_validated: Result<Validated<String>, actix_web::Error>) -> &'static str {
    ""
}

async fn of_another_beside(body: String, _validated: Validated<()>) -> String {
    body
}

async fn of_another_behind(_validated: Validated<()>, body: String) -> String {
    body
}

#[validate_twilio_request]
async fn protected(body: String) -> String {
    body
}

fn computed(_number: u8) -> fn() -> std::future::Ready<String> {
    || std::future::ready(String::new())
}

fn main() {
    web::post().to_validated(of_nothing);
    web::post().to_validated(of_one);
    web::post().to_validated(of_two);
    web::post().to_validated(of_an_option);
    web::post().to_validated(of_a_result);
    web::post().to_validated(of_another_beside);
    web::post().to_validated(of_another_behind);
    web::post().to_validated(async || "");
    web::post().to_validated(computed(1));
    let _fine = web::post().to_validated(protected);
}
