//! What is wrong with a route in a module is told at that route.

use actix_twilio::validate_twilio_request;

#[validate_twilio_request]
mod webhooks {
    use actix_web::{HttpResponse, post, web};

    #[post("/sync")]
    fn sync() -> std::future::Ready<HttpResponse> {
        std::future::ready(HttpResponse::Ok().finish())
    }

    #[post("/trait")]
    async fn with_impl(_body: impl actix_web::FromRequest) -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[post("/type")]
    async fn with_no_extractor(_number: u32) -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[post("/fine")]
    async fn fine(body: web::Bytes) -> web::Bytes {
        body
    }
}

fn main() {}
