//! A protected scope takes no handler that is not protected, whatever its shape, and nothing else that may be one.

use actix_twilio::{ProtectedScope, Validated, validate_twilio_request};
use actix_web::{Handler, HttpResponse, web};

async fn function() -> &'static str {
    ""
}

async fn with_one_argument(body: String) -> String {
    body
}

async fn with_two_arguments(_validated: Validated<()>, body: String) -> String {
    body
}

async fn with_an_option(_validated: Option<Validated<String>>) -> &'static str {
    ""
}

fn not_async() -> std::future::Ready<HttpResponse> {
    std::future::ready(HttpResponse::Ok().finish())
}

#[derive(Clone)]
struct Typed;

impl Handler<(String,)> for Typed {
    type Output = String;
    type Future = std::future::Ready<String>;

    fn call(&self, (body,): (String,)) -> Self::Future {
        std::future::ready(body)
    }
}

#[actix_web::post("/service")]
#[validate_twilio_request]
async fn service() -> &'static str {
    ""
}

#[validate_twilio_request]
async fn protected(body: String) -> String {
    body
}

fn main() {
    let scope = || ProtectedScope::new("/webhooks").post("/protected", protected);
    let _ = scope().post("/function", function);
    let _ = scope().get("/one", with_one_argument);
    let _ = scope().route("/two", with_two_arguments);
    let _ = scope().route("/option", with_an_option);
    let _ = scope().default_service(not_async);
    let _ = scope().get("/typed", Typed);
    let _ = scope().get("/closure", async || "");
    let _ = scope().post("/service", service);
    let _ = scope().scope(web::scope("/open").route("/", web::to(function)));
    let _ = scope().scope(web::resource("/open").to(function));
    let _ = scope().service(service);
    let _ = scope().configure(|cfg| drop(cfg.service(service)));
}
