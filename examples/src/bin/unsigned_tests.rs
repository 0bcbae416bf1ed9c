//! An app whose tests run with validation off, as in Twilio's Flask tutorial.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin unsigned_tests`, and its tests with
//! `cargo test --bin unsigned_tests`.
//!
//! Signed tests are better and no longer: see `tested.rs`. A test without validation shows neither that the
//! handler is protected nor that genuine requests get through, and someone may leave the switch off. Here
//! only the tests switch validation off: no environment variable does it, and a release build refuses it.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig,
    twiml::{Message, MessagingResponse},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_web::{App, HttpServer, post};

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(sms: IncomingMessage) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!("You wrote {:?}.", sms.body)))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let server =
        HttpServer::new(move || App::new().app_data(config.clone()).service(receive_message))
            .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}

#[cfg(test)]
mod tests {
    use actix_twilio::{ConfigError, config::Mode};
    use actix_web::test::{TestRequest, call_and_read_body, init_service};

    use super::*;

    #[actix_web::test]
    #[cfg_attr(
        not(debug_assertions),
        ignore = "a release build refuses to switch validation off"
    )]
    async fn messages_are_answered() -> Result<(), ConfigError> {
        let config = TwilioConfig::builder().mode(Mode::Off).build()?;
        let app = init_service(App::new().app_data(config).service(receive_message)).await;
        let req = TestRequest::post()
            .uri("/message")
            .set_form([("Body", "Hi")]);
        let answer = call_and_read_body(&app, req.to_request()).await;
        assert!(String::from_utf8_lossy(&answer).contains("You wrote &quot;Hi&quot;."));
        Ok(())
    }
}
