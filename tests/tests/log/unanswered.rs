//! A handler that takes an extractor's error as a value, and so runs for requests that were refused.

use actix_twilio::{
    Proof, Validated, ValidationError,
    config::Mode,
    stream::{Handshake, Relay},
    validate_twilio_request,
    webhook::{CloudEvents, IncomingCall, IncomingMessage},
};
use actix_twilio_tests::{
    FORGED, SIGNATURE, config,
    log::Log,
    requests::{call, form},
};
use actix_web::{Either, Error, HttpResponse, Responder, Route, web};
use tracing::Level;

/// Routes, the answer to a forged request, and whether the handler ran for it.
fn routes() -> [(&'static str, Route, u16, bool); 7] {
    #[validate_twilio_request]
    async fn annotated(_body: Option<String>) -> &'static str {
        ""
    }

    let passed_on = async |validated: Result<Validated<String>, Error>| match validated {
        Ok(_) => Ok(""),
        Err(err) => Err(err),
    };
    let inspected = async |validated: Result<Validated<String>, Error>| match validated {
        Err(err) if err.as_error::<ValidationError>().is_some() => HttpResponse::Gone(),
        _ => HttpResponse::Ok(),
    };
    let either = async |_: Either<Validated<String>, web::Bytes>| "";
    [
        ("annotated", web::to(annotated), 403, false),
        (
            "Validated",
            web::to(async |_: Validated<String>| ""),
            403,
            false,
        ),
        ("passed on", web::to(passed_on), 403, false),
        (
            "Option",
            web::to(async |_: Option<Validated<String>>| ""),
            200,
            true,
        ),
        ("Result", web::to(inspected), 410, true),
        ("Either", web::to(either), 200, true),
        (
            "Option beside another",
            web::to(async |_: web::Bytes, _: Option<Validated<()>>| "".customize()),
            200,
            true,
        ),
    ]
}

#[actix_web::test]
async fn a_refused_request_that_reaches_its_handler_is_an_error_in_the_log() {
    let config = config().build().unwrap();
    for (name, route, status, ran) in routes() {
        let (log, _guard) = Log::start();
        let forged = form("a=1").insert_header((SIGNATURE, FORGED));
        let res = call(&config, route, forged).await;
        assert_eq!(res.status(), status, "{name}");
        drop(res);
        let lines = log.take();
        assert_eq!(lines[0].level, Level::WARN, "{name}");
        assert_eq!(lines.len(), 1 + usize::from(ran), "{name}: {lines:?}");
        if let Some(line) = lines.get(1) {
            assert_eq!(line.level, Level::ERROR, "{name}");
            let message = line.field("message");
            assert!(message.contains("reached its handler"), "{name}: {message}");
        }
    }
}

/// Routes that take a webhook, the answer to a request that nobody validates, and what the log says of the type.
fn webhooks() -> [(&'static str, Route, u16, Option<&'static str>); 10] {
    const REACHED: &str = "reached its handler";
    #[validate_twilio_request]
    async fn annotated(_sms: Option<IncomingMessage>) -> &'static str {
        ""
    }

    let passed_on = async |sms: Result<IncomingMessage, Error>| sms.map(|_| "");
    let inspected = async |sms: Result<IncomingMessage, Error>| sms.map_or("", |_| "an SMS");
    let either = async |_: Either<IncomingCall, web::Bytes>| "";
    let json = async |_: Option<CloudEvents>| "";
    [
        ("annotated", web::to(annotated), 403, None),
        (
            "a webhook",
            web::to(async |_: IncomingMessage| ""),
            500,
            Some("answered a request with 500"),
        ),
        (
            "passed on",
            web::to(passed_on),
            500,
            Some("answered a request with 500"),
        ),
        (
            "Option",
            web::to(async |_: Option<IncomingMessage>| ""),
            200,
            Some(REACHED),
        ),
        ("Result", web::to(inspected), 200, Some(REACHED)),
        ("Either", web::to(either), 200, Some(REACHED)),
        ("Option of JSON", web::to(json), 200, Some(REACHED)),
        (
            "Option of a handshake",
            web::to(async |_: Option<Handshake<Relay>>| ""),
            200,
            Some(REACHED),
        ),
        (
            "Option in Validated",
            web::to(async |_: Validated<Option<IncomingMessage>>| ""),
            403,
            None,
        ),
        (
            "Option of a proof",
            web::to(async |_: Option<Proof>| ""),
            200,
            None,
        ),
    ]
}

#[actix_web::test]
async fn a_webhook_that_nobody_validated_and_no_handler_refused_is_an_error_in_the_log() {
    let enforcing = config().build().unwrap();
    for (name, route, status, said) in webhooks() {
        let (log, _guard) = Log::start();
        let forged = form("a=1").insert_header((SIGNATURE, FORGED));
        let res = call(&enforcing, route, forged).await;
        assert_eq!(res.status(), status, "{name}");
        drop(res);
        let lines = log.take();
        let errors = lines.iter().filter(|line| line.level == Level::ERROR);
        let errors: Vec<_> = errors.map(|line| line.field("message")).collect();
        assert_eq!(
            errors.len(),
            usize::from(said.is_some()),
            "{name}: {errors:?}"
        );
        if let Some(said) = said {
            assert!(errors[0].contains(said), "{name}: {errors:?}");
            let advice = "write #[validate_twilio_request] above the handler";
            assert!(errors[0].contains(advice), "{name}: {errors:?}");
        }
    }
    let report = config().allow_report_only().mode(Mode::ReportOnly);
    let (log, _guard) = Log::start();
    #[validate_twilio_request]
    async fn annotated(sms: Option<IncomingMessage>) -> String {
        sms.is_some().to_string()
    }
    let forged = form("a=1").insert_header((SIGNATURE, FORGED));
    let res = call(&report.build().unwrap(), web::to(annotated), forged).await;
    assert_eq!(actix_web::test::read_body(res).await, "true");
    let lines = log.take();
    assert!(
        lines.iter().all(|line| line.level != Level::ERROR),
        "{lines:?}"
    );
}
