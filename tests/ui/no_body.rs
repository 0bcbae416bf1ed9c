use actix_twilio::validate_twilio_request;

trait Webhook {
    #[validate_twilio_request]
    async fn message();
}

fn main() {}
