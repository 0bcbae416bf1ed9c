//! Routes with a configuration of their own: another URL, another token, or one that is chosen for each
//! request.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 SUPPORT_AUTH_TOKEN=67890 cargo run --bin policies`.

use std::{env, error::Error, io};

use actix_twilio::{AuthToken, ConfigError, Policy, TwilioConfig, validate_twilio_request};
use actix_web::{App, HttpRequest, HttpServer, Responder, post, web};

/// The app's own account.
#[post("/message")]
#[validate_twilio_request]
async fn message() -> impl Responder {
    "signed with TWILIO_AUTH_TOKEN"
}

/// Another account.
#[post("/support")]
#[validate_twilio_request(auth_token_env = "SUPPORT_AUTH_TOKEN")]
async fn support() -> impl Responder {
    "signed with SUPPORT_AUTH_TOKEN"
}

/// The proxy rewrites this path: Twilio requests another one.
#[post("/internal/voice")]
#[validate_twilio_request(url = "https://example.com/voice")]
async fn voice() -> impl Responder {
    "signed for https://example.com/voice"
}

/// Tenants with a public host of their own.
#[derive(Clone)]
struct Hosts(Vec<(String, TwilioConfig)>);

impl Hosts {
    fn new(names: &[&str]) -> Result<Self, ConfigError> {
        let config = |name: &str| {
            TwilioConfig::builder()
                .auth_token(AuthToken::new(format!("token of {name}"))?)
                .public_url(format!("https://{name}.example.com"))?
                .build()
        };
        names
            .iter()
            .map(|name| Ok(((*name).to_owned(), config(name)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Policy for Hosts {
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        let name = req.match_info().get("tenant");
        let hosts = req.app_data::<Self>();
        let config = hosts.and_then(|hosts| {
            let found = hosts.0.iter().find(|(host, _)| Some(host.as_str()) == name);
            found.map(|(_, config)| config.clone())
        });
        // A tenant that nobody knows gets the app's configuration, which refuses its requests.
        config.map_or_else(TwilioConfig::from_env, Ok)
    }
}

#[post("/tenants/{tenant}/message")]
#[validate_twilio_request(policy = Hosts)]
async fn tenant(name: web::Path<String>) -> impl Responder {
    format!("signed with the token of {name}")
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let hosts = Hosts::new(&["acme", "globex"])?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(hosts.clone())
            .service(message)
            .service(support)
            .service(voice)
            .service(tenant)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
