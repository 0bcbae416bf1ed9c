use actix_twilio::validate_twilio_request;

struct Message;

#[validate_twilio_request]
async fn one(_message: Message) {}

#[validate_twilio_request]
async fn two(_body: String, _form: Option<actix_web::web::Form<Message>>) {}

fn main() {
    actix_web::web::to(two);
}
