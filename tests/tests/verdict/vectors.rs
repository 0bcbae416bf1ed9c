//! The documented cases: the same verdicts from the validator, behind `Validated` and behind the
//! attribute.

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, Validated, ValidationError, WebhookRequest,
    validate_twilio_request,
};
use actix_twilio_tests::{Vector, vectors};
use actix_web::{
    App, HttpResponse,
    http::{Method, StatusCode, header::HOST},
    test::{TestRequest, call_service, init_service},
    web::{self, Bytes},
};

#[test]
fn validator_gives_the_documented_verdicts() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 40);
    for vector in vectors {
        let validator = RequestValidator::new([AuthToken::new(&vector.token).unwrap()]).unwrap();
        let mut request = WebhookRequest::new(&vector.method, &vector.url)
            .signature(&vector.signature)
            .body(vector.body.as_deref().unwrap_or_default());
        if let Some(content_type) = &vector.content_type {
            request = request.content_type(content_type);
        }
        let verdict = validator.validate(&request);
        assert_eq!(
            verdict.is_ok(),
            vector.is_genuine(),
            "{}: {verdict:?}",
            vector.name
        );
    }
}

#[actix_web::test]
async fn extractor_gives_the_documented_verdicts() {
    async fn handler(validated: Validated<Bytes>) -> HttpResponse {
        HttpResponse::Ok().body(validated.into_inner())
    }
    for vector in vectors() {
        assert_verdict(&vector, web::to(handler)).await;
    }
}

#[actix_web::test]
async fn attribute_gives_the_documented_verdicts() {
    #[validate_twilio_request]
    async fn handler(body: Bytes) -> HttpResponse {
        HttpResponse::Ok().body(body)
    }
    for vector in vectors() {
        assert_verdict(&vector, web::to(handler)).await;
    }
}

/// Sends a case to a handler that echoes its body.
async fn assert_verdict(vector: &Vector, route: actix_web::Route) {
    let name = &vector.name;
    let token = AuthToken::new(&vector.token).unwrap();
    let config = TwilioConfig::builder().auth_token(token).build().unwrap();
    let app = App::new().app_data(config).default_service(route);
    let app = init_service(app).await;

    let res = call_service(&app, request(vector).to_request()).await;
    let genuine = vector.is_genuine();
    let status = if genuine {
        StatusCode::OK
    } else {
        StatusCode::FORBIDDEN
    };
    assert_eq!(res.status(), status, "{name}");
    let err = res
        .response()
        .error()
        .and_then(|err| err.as_error::<ValidationError>());
    assert_eq!(err.is_none(), genuine, "{name}");
    if genuine {
        let body = actix_web::test::read_body(res).await;
        assert_eq!(body, vector.body.as_deref().unwrap_or_default(), "{name}");
    }
}

/// Makes the request that arrives behind a proxy on a Unix socket which ends TLS.
fn request(vector: &Vector) -> TestRequest {
    let (scheme, rest) = vector.url.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find('/').unwrap());
    let mut req = TestRequest::with_uri(target)
        .method(Method::from_bytes(vector.method.as_bytes()).unwrap())
        .insert_header(("X-Twilio-Signature", vector.signature.as_str()))
        .insert_header(("X-Forwarded-Proto", scheme));
    if authority.contains('@') {
        // User info can arrive in the request target only.
        req = req.uri(&format!("http://{rest}"));
    } else {
        req = req.insert_header((HOST, authority));
    }
    if scheme == "wss" {
        req = req
            .insert_header(("Upgrade", "websocket"))
            .insert_header(("Connection", "Upgrade"))
            .insert_header(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="));
    }
    if let Some(content_type) = &vector.content_type {
        req = req.insert_header(("Content-Type", content_type.as_str()));
    }
    req.set_payload(vector.body.clone().unwrap_or_default())
}
