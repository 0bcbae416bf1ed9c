//! An answer of one's own to a refused request: TwiML that rejects the call.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin rejection`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig, ValidationError,
    twiml::{Twiml, Verb},
    validate_twilio_request,
};
use actix_web::{App, HttpServer, ResponseError, error::InternalError, post};

#[post("/voice")]
#[validate_twilio_request]
async fn voice() -> Twiml {
    Twiml::new([Verb::say("Hello")])
}

/// Keeps the status, so that a forger, the access log and a monitor see a refusal.
///
/// Twilio executes the TwiML of a 200 only: a genuine call that a wrong setting refuses gets its fallback
/// URL, or an error's announcement. Answer with 200 here if it shall hear a busy signal instead, and watch
/// the log or `on_verdict` for refusals, since no status shows them then.
fn reject(err: ValidationError) -> actix_web::Error {
    let response = Twiml::new([Verb::reject()]).response(err.status_code());
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
    let server = HttpServer::new(move || App::new().app_data(config.clone()).service(voice))
        .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
