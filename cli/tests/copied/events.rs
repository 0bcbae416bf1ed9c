#[actix_web::test]
async fn other_is_answered_with_204() {
    use actix_twilio::testing::{Signer, TwilioTestRequest};
    use actix_web::{App, test};

    let signer = Signer::new("a token for tests");
    let config = signer.config("https://example.com");
    // `configure` adds the routes of your app, as its `main` does.
    let app = test::init_service(App::new().app_data(config).configure(configure)).await;

    let url = "https://example.com/events?bodySHA256=6bd112995fa2c2e6499623943c745b07a5ecc2e6e0b5bc8fce1c16a964c238ff";
    let body = "{\"text\": \"\\u00e9 \\\"quoted\\\"\"}";
    let request = test::TestRequest::default().twilio_body(&signer, url, "application/json", body);
    let answer = test::call_service(&app, request.to_request()).await;

    assert_eq!(answer.status(), 204);
}
