use actix_twilio::validate_twilio_request;
use actix_web::post;

#[validate_twilio_request]
#[validate_twilio_request]
async fn in_a_row(_body: String) {}

#[validate_twilio_request]
#[actix_twilio::validate_twilio_request]
async fn by_its_path(_body: String) {}

#[validate_twilio_request]
#[post("/")]
#[validate_twilio_request]
async fn around_the_route(body: String) -> String {
    body
}

fn main() {}
