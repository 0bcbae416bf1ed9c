//! A protected endpoint with its tests: the app of the guide's chapter "Protect an endpoint".
//!
//! Run it with `cargo run --bin endpoint`. It needs `TWILIO_AUTH_TOKEN`, and listens on 127.0.0.1:8080, or on `PORT`.

use std::{env, error::Error};

use actix_twilio::{
    TwilioConfig,
    twiml::{Message, MessagingResponse},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_web::{App, HttpServer, post, web};

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(sms: IncomingMessage) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!("You wrote {}.", sms.body)))
}

/// Registers the routes, for the app and for its tests.
fn routes(app: &mut web::ServiceConfig) {
    app.service(receive_message);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let config = TwilioConfig::from_env()?; // a missing or wrong setting prevents startup
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || App::new().app_data(config.clone()).configure(routes))
        .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    server.run().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_twilio::testing::{Signer, TwilioTestRequest, assert_twiml};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    use super::*;

    #[actix_web::test]
    async fn genuine_messages_are_answered_and_forgeries_are_refused() {
        let signer = Signer::new("a token for tests");
        let config = signer.config("https://example.com");
        let app = init_service(App::new().app_data(config).configure(routes)).await;
        let url = "https://example.com/message";
        let params = [
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("MessageSid", "SM00000000000000000000000000000001"),
            ("From", "+14158675310"),
            ("Body", "Hi"),
        ];

        let genuine = TestRequest::default().twilio_form(&signer, url, &params);
        let res = call_service(&app, genuine.to_request()).await;
        assert_eq!(res.status(), 200);
        let answer = MessagingResponse::new().child(Message::new("You wrote Hi."));
        assert_twiml(read_body(res).await, answer);

        let forged = TestRequest::default().twilio_form(&signer.forged(), url, &params);
        assert_eq!(call_service(&app, forged.to_request()).await.status(), 403);
    }
}
