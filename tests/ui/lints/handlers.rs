//! Handlers. Without the lines that contain `validate_twilio_request`, they are plain handlers with the same lints.

use actix_web::{HttpRequest, HttpResponse, Responder, get, http::Uri, post, web};
use core::fmt::Display;
use std::borrow::Cow;

#[actix_twilio::validate_twilio_request]
async fn of_nothing() -> &'static str {
    ""
}

#[actix_twilio::validate_twilio_request]
async fn on_one_line(body: String) -> String { body }

#[actix_twilio::validate_twilio_request]
pub async fn with_patterns(
    _: HttpRequest,
    web::Form((tenant, _)): web::Form<(String, u32)>,
    mut uri: Uri,
    ref text: web::Data<String>,
    whole @ web::Bytes { .. }: web::Bytes,
    #[allow(unused_variables, reason = "for the lints")] unused: HttpRequest,
    _underscored: String,
) -> Result<impl Responder, actix_web::Error> {
    uri = uri.path().parse().unwrap_or_default();
    if tenant.is_empty() {
        return Ok(tenant);
    }
    Ok(format!("{tenant}{uri}{}{}", text.as_str(), whole.len()))
}

#[actix_twilio::validate_twilio_request]
pub(crate) async fn with_parameters<'text, T, const N: usize>(
    body: web::Bytes,
    text: web::Data<Cow<'text, str>>,
    data: web::Data<T>,
) -> String
where
    T: Display + 'static,
{
    let length = body.len() + N;
    format!("{}{length}{}", text.get_ref(), data.get_ref())
}

#[post("/posted")]
#[actix_twilio::validate_twilio_request]
async fn posted(body: String, req: HttpRequest) -> HttpResponse {
    let length = body.len();
    HttpResponse::Ok().body(format!("{length}{}", req.path()))
}

#[actix_twilio::validate_twilio_request(public_url = "https://example.com", auth_token_env = "OTHER_TOKEN")]
pub async fn with_options(body: String) -> String {
    body.to_uppercase()
}

/// Documented.
#[actix_twilio::validate_twilio_request(url = "https://example.com/message")]
#[post("/documented")]
pub async fn documented(web::Form(pairs): web::Form<Vec<(String, String)>>) -> String {
    format!("{pairs:?}")
}

/// Associated functions.
pub struct Webhooks;

impl Webhooks {
    #[actix_twilio::validate_twilio_request(auth_token_env = "OTHER_TOKEN")]
    pub async fn associated(body: String, _: ()) -> String {
        body
    }
}

#[actix_twilio::validate_twilio_request]
pub mod hooks {
    use actix_twilio::validate_twilio_request;
    use actix_web::{HttpResponse, get, post};

    #[post("/in_a_module")]
    pub async fn in_a_module(body: String) -> String {
        body
    }

    #[get("/health")]
    #[validate_twilio_request(skip)]
    pub async fn skipped() -> &'static str {
        ""
    }

    #[validate_twilio_request(skip)]
    pub(crate) async fn skipped_too() -> HttpResponse {
        HttpResponse::Ok().finish()
    }
}

#[get("/last")]
#[actix_twilio::validate_twilio_request]
async fn last(_body: Option<String>) -> &'static str {
    ""
}

fn main() {
    let _app = actix_web::App::new()
        .route("/nothing", web::to(of_nothing))
        .route("/line", web::to(on_one_line))
        .route("/patterns", web::to(with_patterns))
        .route("/parameters", web::to(with_parameters::<String, 1>))
        .route("/options", web::to(with_options))
        .route("/associated", web::to(Webhooks::associated))
        .route("/skipped", web::to(hooks::skipped_too))
        .service((posted, documented, hooks::in_a_module, hooks::skipped, last));
}
