//! Routes with a configuration of their own: another URL, another token, or a configuration that is chosen
//! for each request.
//!
//! It needs the tokens of four accounts. Run it with
//! `TWILIO_AUTH_TOKEN=1 SUPPORT_AUTH_TOKEN=2 ACME_AUTH_TOKEN=3 GLOBEX_AUTH_TOKEN=4 cargo run --bin policies`.

use std::{collections::HashMap, env, error::Error, io};

use actix_twilio::{
    AuthToken, ConfigError, Policy, TwilioConfig,
    config::AppPolicy,
    twiml::{Message, MessagingResponse, Say, VoiceResponse},
    validate_twilio_request,
};
use actix_web::{App, HttpRequest, HttpServer, post, web};

/// The app's own account.
#[post("/message")]
#[validate_twilio_request]
async fn receive_message() -> MessagingResponse {
    MessagingResponse::new().child(Message::new("Signed with TWILIO_AUTH_TOKEN"))
}

/// Another account.
#[post("/support")]
#[validate_twilio_request(auth_token_env = "SUPPORT_AUTH_TOKEN")]
async fn receive_support_message() -> MessagingResponse {
    MessagingResponse::new().child(Message::new("Signed with SUPPORT_AUTH_TOKEN"))
}

/// A proxy rewrites this path: Twilio requests <https://example.com/voice>.
#[post("/internal/voice")]
#[validate_twilio_request(url = "https://example.com/voice")]
async fn receive_call() -> VoiceResponse {
    VoiceResponse::new().child(Say::new("Signed for https://example.com/voice"))
}

/// The tenants' configurations: each has a public host and an Auth Token of its own.
#[derive(Clone)]
struct Hosts(HashMap<String, TwilioConfig>);

impl Hosts {
    fn from_env(names: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut hosts = HashMap::new();
        for name in names {
            let variable = format!("{}_AUTH_TOKEN", name.to_uppercase());
            // The error of env::var would print a token that is not UTF-8.
            let token =
                env::var(&variable).map_err(|_| format!("set {variable} to text in UTF-8"))?;
            let config = TwilioConfig::builder()
                .auth_token(AuthToken::new(token)?)
                .public_url(format!("https://{name}.example.com"))?
                .build()?;
            hosts.insert((*name).to_owned(), config);
        }
        Ok(Self(hosts))
    }
}

impl Policy for Hosts {
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        let tenant = req.match_info().get("tenant");
        let hosts = req.app_data::<Self>();
        match hosts.and_then(|hosts| hosts.0.get(tenant?)) {
            Some(config) => Ok(config.clone()),
            // Requests for an unknown tenant are validated with the app's own configuration.
            None => AppPolicy::config(req),
        }
    }
}

#[post("/tenants/{tenant}/message")]
#[validate_twilio_request(policy = Hosts)]
async fn receive_tenant_message(tenant: web::Path<String>) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!("Signed with the token of {tenant}")))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let hosts = Hosts::from_env(&["acme", "globex"])?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(hosts.clone())
            .service(receive_message)
            .service(receive_support_message)
            .service(receive_call)
            .service(receive_tenant_message)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
