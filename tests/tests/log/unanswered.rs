//! A handler that takes an extractor's error as a value, and so runs for requests that were refused.

use actix_twilio::{Validated, ValidationError, validate_twilio_request};
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
