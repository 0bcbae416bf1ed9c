//! What a map of many accounts takes.

use std::time::{Duration, Instant};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, WebhookRequest,
    keys::{AccountSid, KeyMap},
    validate_twilio_request,
};
use actix_twilio_tests::{FORM, memory::resident};
use actix_web::{
    App,
    http::StatusCode,
    test::{self, TestRequest},
    web,
};

const URL: &str = "https://example.com/sms";
const REQUESTS: usize = 20_000;

#[validate_twilio_request]
async fn receive(body: web::Bytes) -> String {
    body.len().to_string()
}

fn account(number: usize) -> AccountSid {
    format!("AC{number:032x}").parse().unwrap()
}

fn token(number: usize) -> AuthToken {
    AuthToken::new(format!("{:032x}", number + 1)).unwrap()
}

/// Returns the memory and the time for a request in a test service, at this number of accounts.
async fn measure(accounts: usize) -> (usize, Duration) {
    let before = resident().unwrap();
    let map = (0..accounts).fold(KeyMap::new(), |map, number| {
        let keys = RequestValidator::new([token(number)]).unwrap();
        map.account(account(number), keys)
    });
    let bytes = (resident().unwrap() - before) / accounts;
    let config = TwilioConfig::builder().key_store(map);
    let config = config.public_url("https://example.com").unwrap();
    let config = config.build().unwrap();
    let app = App::new()
        .app_data(config)
        .route("/sms", web::post().to(receive));
    let app = test::init_service(app).await;

    let requests: Vec<_> = (0..REQUESTS)
        .map(|number: usize| {
            // Far from each other, so that they are not in a cache.
            let number = number * 7919 % accounts;
            let form = format!("AccountSid={}&Body=Hi&From=%2B14158675310", account(number));
            let request = WebhookRequest::new("POST", URL)
                .content_type(FORM)
                .body(&form);
            let keys = RequestValidator::new([token(number)]).unwrap();
            let signature = keys.sign(&request).unwrap();
            TestRequest::post()
                .uri("/sms")
                .insert_header(("Content-Type", FORM))
                .insert_header(("X-Twilio-Signature", signature))
                .set_payload(form)
                .to_request()
        })
        .collect();
    let start = Instant::now();
    for request in requests {
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let requests = u32::try_from(REQUESTS).unwrap();
    (bytes, start.elapsed() / requests)
}

#[actix_web::test]
#[ignore = "prints figures, and takes 300 MB"]
async fn a_million_accounts_take_no_more_than_their_keys() {
    // The first, small map also takes what the process takes once.
    let (_, few) = measure(1_000).await;
    let (bytes, many) = measure(1_000_000).await;
    println!("{bytes} bytes for each of a million accounts");
    println!("{few:.1?} for a request at 1,000 accounts, {many:.1?} at 1,000,000");
    assert!(bytes < 300, "{bytes}");
}
