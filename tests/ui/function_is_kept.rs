use actix_twilio::validate_twilio_request;
use actix_web::{post, web};

#[validate_twilio_request(crate)]
async fn plain(body: String) -> String {
    body
}

#[post("/")]
#[validate_twilio_request(crate)]
async fn below_post(body: String) -> String {
    body
}

fn main() {
    web::post().to(plain);
    actix_web::App::new().service(below_post);
}
