use actix_twilio::validate_twilio_request;
use actix_web::HttpRequest;

#[validate_twilio_request]
async fn message(
    #[cfg(debug_assertions)] _req: HttpRequest,
    #[cfg_attr(debug_assertions, allow(unused_variables))] body: String,
) {
}

fn main() {}
