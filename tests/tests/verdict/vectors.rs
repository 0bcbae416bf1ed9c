//! The documented cases: the same verdicts from the validator, behind `Validated` and behind the
//! attribute.

use std::collections::BTreeSet;

use actix_twilio::{
    AuthToken, TwilioConfig, Validated, ValidationError, keys::SharedKey, validate_twilio_request,
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
    for vector in vectors() {
        let keys = vector.keys().validator();
        assert_eq!(keys.is_err(), vector.rules == ["R15"], "{}", vector.name);
        let Ok(validator) = keys else { continue };
        let request = vector.request();
        let verdict = validator.validate(&request.webhook());
        assert_eq!(
            verdict.is_ok(),
            vector.is_genuine(),
            "{}: {verdict:?}",
            vector.name
        );
    }
}

/// R14 is about time and output, which no vector shows.
#[test]
fn each_rule_but_that_of_constant_time_has_a_vector() {
    let vectors = vectors();
    let named: BTreeSet<_> = vectors.iter().flat_map(|vector| &vector.rules).collect();
    let rules: Vec<_> = (1..=17).map(|rule| format!("R{rule}")).collect();
    let rules = rules.iter().filter(|rule| *rule != "R14");
    assert_eq!(named, rules.collect());
    let unique: BTreeSet<_> = vectors.iter().map(|vector| &vector.name).collect();
    assert_eq!(unique.len(), vectors.len(), "a name is there twice");
    for vector in &vectors {
        assert!(vector.why.ends_with('.'), "{}", vector.name);
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
    let Some(config) = config(vector) else {
        assert!(!vector.is_genuine(), "{name}");
        return;
    };
    let app = App::new().app_data(config).default_service(route);
    let app = init_service(app).await;

    let res = call_service(&app, request(vector).to_request()).await;
    let genuine = vector.is_genuine();
    let status = if genuine {
        StatusCode::OK
    } else if ["content-encoding", "form-in-another-charset"].contains(&name.as_str()) {
        StatusCode::UNSUPPORTED_MEDIA_TYPE
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

/// Returns a configuration with the keys of a case, if they are keys.
fn config(vector: &Vector) -> Option<TwilioConfig> {
    let keys = vector.keys();
    let mut config = TwilioConfig::builder();
    for token in &keys.tokens {
        config = config.auth_token(AuthToken::new(token).ok()?);
    }
    for (id, secret) in &keys.shared {
        config = config.shared_key(SharedKey::new(id.clone(), secret).unwrap());
    }
    Some(config.build().unwrap())
}

/// Makes the request that arrives behind a proxy on a Unix socket which ends TLS.
fn request(vector: &Vector) -> TestRequest {
    let (scheme, rest) = vector.url.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find('/').unwrap());
    let mut req = TestRequest::with_uri(target)
        .method(Method::from_bytes(vector.method.as_bytes()).unwrap())
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
    for header in vector.all_headers() {
        req = req.append_header(header);
    }
    req.set_payload(vector.body.clone().unwrap_or_default())
}
