//! What a verdict takes from the heap.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, WebhookRequest,
    signature::{AccountSid, Form, SignatureErrorKind},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_twilio_tests::{FORGED, FORM, TOKEN, sign_form, sign_text};
use actix_web::{
    App, HttpResponse,
    http::StatusCode,
    rt::System,
    test::{self, TestRequest},
    web::{self, Bytes},
};

const URL: &str = "https://example.com/sms";

/// Returns a form of 64 parameters and 4 KiB at most.
fn largest_typical_form() -> String {
    let name = |index| format!("Parameter{index}");
    let mut form: Vec<_> = (0..63)
        .map(|index| format!("{}=a+value+with+%C3%BC", name(index)))
        .collect();
    let len = form.join("&").len();
    form.push(format!("Body={}", "b".repeat(4096 - len - "&Body=".len())));
    form.join("&")
}

#[track_caller]
fn assert_takes_nothing(request: WebhookRequest<'_>, expected: Result<(), SignatureErrorKind>) {
    let validator = RequestValidator::new([AuthToken::new(TOKEN).unwrap()]).unwrap();
    let mut verdict = None;
    let heap = allocation_counter::measure(|| {
        let accepted = validator.validate(&request);
        verdict = Some(accepted.map(|_| ()).map_err(|err| err.kind()));
    });
    assert_eq!(verdict, Some(expected));
    assert_eq!(heap.count_total, 0, "{} bytes", heap.bytes_total);
}

#[test]
fn typical_verdicts_take_nothing_from_the_heap() {
    let form = largest_typical_form();
    assert_eq!((form.len(), form.split('&').count()), (4096, 64));
    let signature = sign_form(URL, &form);
    let post = WebhookRequest::new("POST", URL)
        .content_type(FORM)
        .body(&form);
    assert_takes_nothing(post.signature(&signature), Ok(()));

    let reversed = form.rsplit('&').collect::<Vec<_>>().join("&");
    let repeated = format!("{}&a=1&a=1&a=%31", &form[..1500]);
    for form in ["", "a=1", &reversed, &repeated] {
        let signature = sign_form(URL, form);
        let post = WebhookRequest::new("POST", URL)
            .content_type(FORM)
            .body(form);
        assert_takes_nothing(post.signature(&signature), Ok(()));
    }

    let signature = sign_text(URL);
    assert_takes_nothing(
        WebhookRequest::new("GET", URL).signature(&signature),
        Ok(()),
    );

    let malformed = Err(SignatureErrorKind::SignatureMalformed);
    assert_takes_nothing(post.signature("forged"), malformed);
    assert_takes_nothing(post, Err(SignatureErrorKind::SignatureMissing));
}

/// An SMS with 12 texts that are not empty, and parameters without a field.
const SMS: &str = "ToCountry=US&ToState=CA&SmsMessageSid=SM1&NumMedia=0&ToCity=OAKLAND&FromZip=&SmsSid=SM1&FromState=\
                   &SmsStatus=received&FromCity=&Body=Hi&FromCountry=CH&To=%2B15105550100&ToZip=94601&NumSegments=1\
                   &MessageSid=SM1&AccountSid=AC1&From=%2B41445550100&ApiVersion=2010-04-01";

#[test]
fn a_message_takes_its_fields_from_the_heap_and_little_else() {
    let split = allocation_counter::measure(|| drop(Form::split(SMS)));
    assert_eq!(split.count_total, 2, "the text and the pairs");
    let form = Form::split(SMS);
    let message = allocation_counter::measure(|| drop(IncomingMessage::from(&form)));
    // Ten texts, and two for all that has no field.
    assert_eq!(message.count_total, 10 + 2);
}

#[test]
fn what_unknown_parameters_take_grows_with_their_number() {
    let taken = |parameters: usize| {
        let form: Vec<_> = (0..parameters)
            .rev()
            .map(|n| format!("New{n}=1&New={n}&MediaUrl{n}=u"))
            .collect();
        let form = Form::split(form.join("&"));
        let mut message = None;
        let heap = allocation_counter::measure(|| message = Some(IncomingMessage::from(&form)));
        let message = message.unwrap();
        assert_eq!(message.media.len(), parameters);
        assert_eq!(message.other.iter().count(), 2 * parameters);
        heap.bytes_total
    };
    let (few, many) = (taken(1_000), taken(10_000));
    assert!(many < 13 * few, "{few} bytes for 1,000, {many} for 10,000");
}

#[test]
fn a_forgery_takes_no_more_than_the_text_of_further_urls() {
    let form = largest_typical_form();
    let validator = RequestValidator::new([AuthToken::new(TOKEN).unwrap()]).unwrap();
    let forged = WebhookRequest::new("POST", URL)
        .content_type(FORM)
        .body(&form)
        .signature(FORGED);
    let heap = allocation_counter::measure(|| assert!(validator.validate(&forged).is_err()));
    assert!(
        heap.bytes_max < 4 * URL.len() as u64,
        "{} bytes",
        heap.bytes_max
    );
}

async fn bare() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[validate_twilio_request]
async fn validated(sms: IncomingMessage) -> HttpResponse {
    drop(sms);
    HttpResponse::Ok().finish()
}

/// What a validated request takes besides the message, compared with an open handler that does not read the body.
const BESIDES: [&str; 7] = [
    "the future that validates",
    "the URL",
    "the text of the form",
    "its pairs",
    "the proof",
    "the place of the proof in the request's extensions",
    "the box of the arguments",
];

#[test]
fn a_validated_request_takes_its_fields_from_the_heap_and_few_more() {
    let config = TwilioConfig::builder()
        .auth_token(AuthToken::new(TOKEN).unwrap())
        .public_url("https://example.com")
        .unwrap()
        .build()
        .unwrap();
    let system = System::new();
    let app = App::new()
        .app_data(config)
        .route("/bare", web::post().to(bare))
        .route("/validated", web::post().to(validated));
    let app = system.block_on(test::init_service(app));
    let sid = |start| format!("{start}{}", "0".repeat(32));
    let sms = SMS.replace("SM1", &sid("SM")).replace("AC1", &sid("AC"));
    // A body from a socket is a part of a buffer, which has a count of its owners already.
    let body = Bytes::from(sms.clone());
    let _owner = body.clone();
    let taken = |path: &str| {
        let request = || {
            TestRequest::post()
                .uri(path)
                .insert_header(("Content-Type", FORM))
                .insert_header((
                    "X-Twilio-Signature",
                    sign_form(&format!("https://example.com{path}"), &sms),
                ))
                .set_payload(body.clone())
                .to_request()
        };
        // The first request fills what later ones use again.
        let (first, second) = (request(), request());
        system.block_on(test::call_service(&app, first));
        let mut status = None;
        let heap = allocation_counter::measure(|| {
            let response = system.block_on(test::call_service(&app, second));
            status = Some(response.status());
        });
        assert_eq!(status, Some(StatusCode::OK), "{path}");
        heap.count_total
    };
    // Ten texts, and two for all that has no field.
    let message = 10 + 2;
    assert_eq!(
        taken("/validated") - taken("/bare"),
        message + BESIDES.len() as u64
    );
}

#[test]
fn an_account_in_json_that_is_no_text_is_refused_and_not_kept() {
    for element in ["0", "[0]", r#"{"":0}"#, r#"[{"":0}]"#] {
        let elements = [element].repeat(10_000).join(",");
        for body in [
            format!(r#"{{"AccountSid":[{elements}]}}"#),
            format!(r#"[{{"data":{{"account_sid":{{"a":[{elements}]}}}}}}]"#),
        ] {
            let request = WebhookRequest::new("POST", URL).body(&body);
            let mut claimed = None;
            let heap = allocation_counter::measure(|| {
                claimed = Some(AccountSid::claimed_by(&request).map_err(|err| err.kind()));
            });
            assert_eq!(claimed, Some(Err(SignatureErrorKind::AccountMalformed)));
            // As much as its parameters, if it were a form.
            assert!(
                heap.bytes_max < 8 * 1024 + 2 * body.len() as u64,
                "{element}: {heap:?}"
            );
        }
    }
}
