#[actix_web::post("/other")]
async fn other() -> &'static str {
    "open?"
}
