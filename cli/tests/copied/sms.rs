#[actix_web::test]
async fn sms_is_answered_with_200() {
    use actix_twilio::testing::{Signer, TwilioTestRequest};
    use actix_web::{App, test};

    let signer = Signer::new("a token for tests");
    let config = signer.config("https://example.com");
    // `configure` adds the routes of your app, as its `main` does.
    let app = test::init_service(App::new().app_data(config).configure(configure)).await;

    let url = "https://example.com/message";
    let parameters: &[(&str, &str)] = &[
        ("MessageSid", "SM6e1c0f5b2a7d48939c04d1e8b7a65f32"),
        ("AccountSid", "AC4d1f0c82b95e47a3862b70d9e5c1a836"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
        ("Body", "Two tickets, please"),
        ("NumMedia", "0"),
    ];
    let request = test::TestRequest::default().twilio_form(&signer, url, parameters);
    let answer = test::call_service(&app, request.to_request()).await;

    assert_eq!(answer.status(), 200);
    // What the TwiML says is compared, not how it is written.
    let expected = actix_twilio::testing::read_twiml(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>Hello +14158675310</Message></Response>",
    );
    assert_eq!(actix_twilio::testing::read_twiml(test::read_body(answer).await), expected);
}
