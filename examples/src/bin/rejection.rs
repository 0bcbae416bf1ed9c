//! A custom answer to refused requests: TwiML that rejects the call.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin rejection`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig, ValidationError,
    twiml::{Reject, Say, VoiceResponse},
    validate_twilio_request,
};
use actix_web::{App, HttpServer, ResponseError, error::InternalError, post};

#[post("/voice")]
#[validate_twilio_request]
async fn receive_call() -> VoiceResponse {
    VoiceResponse::new().child(Say::new("Hello"))
}

/// Keeps the status of the refusal, so that the access log and monitoring see it.
///
/// Twilio executes TwiML only if the status is 200. If a wrong setting refuses a genuine call, Twilio
/// requests the fallback URL, or the caller hears an error message. To let the caller hear a busy signal
/// instead, answer with 200 here; the status then no longer shows refusals, so watch the log or
/// `on_verdict`.
fn reject(err: ValidationError) -> actix_web::Error {
    let response = VoiceResponse::new()
        .child(Reject::new())
        .response(err.status_code());
    // The error stays in the response, so that loggers find its kind.
    InternalError::from_response(err, response).into()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::builder()
        .env()?
        .error_handler(|err, _req| reject(err))
        .build()?;
    let server = HttpServer::new(move || App::new().app_data(config.clone()).service(receive_call))
        .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
