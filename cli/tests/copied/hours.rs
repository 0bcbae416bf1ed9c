#[actix_web::test]
async fn voice_is_answered_with_200() {
    use actix_twilio::testing::{Signer, TwilioTestRequest};
    use actix_web::{App, test};

    let signer = Signer::new("a token for tests");
    let config = signer.config("https://example.com");
    // `configure` adds the routes of your app, as its `main` does.
    let app = test::init_service(App::new().app_data(config).configure(configure)).await;

    let url = "https://example.com/hours?CallSid=CA27c9e4f1835d4b06a1f8e3d0c6b59a72&AccountSid=AC4d1f0c82b95e47a3862b70d9e5c1a836&From=%2B14158675310&To=%2B18005551212&CallStatus=ringing&Direction=inbound";
    let request = test::TestRequest::default().twilio_get(&signer, url);
    let answer = test::call_service(&app, request.to_request()).await;

    assert_eq!(answer.status(), 200);
    // What the TwiML says is compared, not how it is written.
    let expected = actix_twilio::testing::read_twiml(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say>We open at nine.</Say></Response>",
    );
    assert_eq!(actix_twilio::testing::read_twiml(test::read_body(answer).await), expected);
}
