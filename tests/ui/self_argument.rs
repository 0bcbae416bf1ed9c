use actix_twilio::validate_twilio_request;

struct Webhooks;

impl Webhooks {
    #[validate_twilio_request]
    async fn borrowed(&self, _body: String) {}

    #[validate_twilio_request]
    async fn owned(mut self) {
        self = Self;
    }

    #[validate_twilio_request]
    async fn boxed(self: Box<Self>) {}
}

fn main() {}
