use actix_twilio::validate_twilio_request;
use actix_web::post;

struct Message;

#[post("/")]
#[validate_twilio_request]
async fn message(_body: String, _message: Message) -> &'static str {
    ""
}

fn main() {}
