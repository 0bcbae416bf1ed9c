//! An app with tests that run with validation on: they sign the requests that they send.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run --bin tested`, and its tests with
//! `cargo test --bin tested`.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig,
    twiml::{Dial, Gather, Redirect, Say, VoiceResponse},
    validate_twilio_request,
    webhook::{GatherResult, IncomingCall},
};
use actix_web::{App, HttpServer, post, web};

#[post("/voice")]
#[validate_twilio_request]
async fn receive_call(_: IncomingCall) -> VoiceResponse {
    let menu = Gather::new().num_digits(1).action("/choice");
    VoiceResponse::new().child(menu.child(Say::new("For sales, press 1.")))
}

#[post("/choice")]
#[validate_twilio_request]
async fn receive_choice(gather: GatherResult) -> VoiceResponse {
    let response = VoiceResponse::new();
    match gather.digits.as_deref() {
        Some("1") => response.child(Dial::new("+14158675310")),
        _ => response.child(Redirect::new("/voice")),
    }
}

/// Registers the routes that the app and its tests share.
fn routes(app: &mut web::ServiceConfig) {
    app.service(receive_call).service(receive_choice);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || App::new().app_data(config.clone()).configure(routes))
        .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}

#[cfg(test)]
mod tests {
    use actix_twilio::testing::{Signer, TwilioTestRequest, read_twiml};
    use actix_web::{
        test::{TestRequest, call_service, init_service, read_body},
        web::Bytes,
    };

    use super::*;

    /// Sends a pressed key, signed by `signer`, and returns the status and the body of the answer.
    async fn press(signer: &Signer, key: &str) -> (u16, Bytes) {
        let config = Signer::new("a token for tests").config("https://example.com");
        let app = init_service(App::new().app_data(config).configure(routes)).await;
        let params = [
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("CallSid", "CA00000000000000000000000000000001"),
            ("Digits", key),
        ];
        let req = TestRequest::default().twilio_form(signer, "https://example.com/choice", &params);
        let res = call_service(&app, req.to_request()).await;
        (res.status().as_u16(), read_body(res).await)
    }

    #[actix_web::test]
    async fn each_key_has_its_answer() {
        let signer = Signer::new("a token for tests");
        for (key, expected) in [("1", "Dial"), ("2", "Redirect"), ("", "Redirect")] {
            let (status, body) = press(&signer, key).await;
            assert_eq!(status, 200, "{key:?}");
            let answer = read_twiml(&body);
            assert!(answer.find(expected).is_some(), "{key:?}: {answer}");
        }
    }

    #[actix_web::test]
    async fn forged_keys_have_none() {
        let signer = Signer::new("a token for tests");
        let (status, body) = press(&signer.forged(), "1").await;
        assert_eq!(status, 403);
        assert!(!body.starts_with(b"<?xml"), "{body:?}");
    }
}
