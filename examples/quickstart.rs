//! The app of Twilio's Flask tutorial: two webhooks that only genuine requests reach.
//!
//! Run it with `cargo run --bin quickstart`. It listens on 127.0.0.1:8080; `HOST` and `PORT` change
//! that. Without `TWILIO_AUTH_TOKEN` it makes a token of its own and shows how to try it with curl.

use std::{
    env,
    error::Error,
    io::{self, IsTerminal},
    net::SocketAddr,
};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, WebhookRequest, validate_twilio_request,
};
use actix_web::{App, HttpResponse, HttpServer, Responder, post, web};
use quick_xml::escape::escape;
use serde::Deserialize;

/// What this app reads of a call or a message; Twilio sends more.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Incoming {
    from: String,
}

/// Answers a call: says the caller's number.
#[post("/voice")]
#[validate_twilio_request]
async fn voice(web::Form(call): web::Form<Incoming>) -> impl Responder {
    let from = escape(call.from);
    twiml(&format!("<Say>Hello. Your number is {from}.</Say>"))
}

/// Answers a message: texts back.
#[post("/message")]
#[validate_twilio_request]
async fn message(web::Form(sms): web::Form<Incoming>) -> impl Responder {
    let from = escape(sms.from);
    twiml(&format!(
        "<Message>Hello {from}, thanks for the message!</Message>"
    ))
}

/// Makes an answer that Twilio acts on; what is put into `verbs` must be escaped.
fn twiml(verbs: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/xml; charset=utf-8")
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>"
        ))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();

    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let throwaway = match env::var_os("TWILIO_AUTH_TOKEN") {
        Some(_) => None,
        None => Some(throwaway_token()?),
    };
    let config = match &throwaway {
        Some(token) => TwilioConfig::builder().auth_token(token.clone()).build()?,
        None => TwilioConfig::from_env()?,
    };
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .service(voice)
            .service(message)
    })
    .bind((host, port))?;

    if let Some(address) = server.addrs().first() {
        println!("Listening on http://{address}\n");
        match throwaway {
            Some(token) => show_requests(token, *address)?,
            None => show_how_to_sign(*address),
        }
    }
    Ok(server.run().await?)
}

/// Makes a token that nobody knows, and that is gone when the app ends.
fn throwaway_token() -> Result<AuthToken, Box<dyn Error>> {
    let random = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
    Ok(AuthToken::new(format!("{random:032x}"))?)
}

fn show_requests(token: AuthToken, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let url = format!("http://{address}/message");
    let request = WebhookRequest::new("POST", &url)
        .content_type("application/x-www-form-urlencoded")
        .body("From=%2B14158675310&Body=Hi");
    let signature = RequestValidator::new([token])?.sign(&request)?;
    println!(
        "TWILIO_AUTH_TOKEN is not set: a throw-away token is used, which Twilio does not know.\n\n\
         A request signed with it is answered with 200 and TwiML:\n\n\
         \x20 curl -i {url} -d From=%2B14158675310 -d Body=Hi \\\n\
         \x20   -H 'X-Twilio-Signature: {signature}'\n\n\
         The same request, forged by changing the sender, with 403:\n\n\
         \x20 curl -i {url} -d From=%2B14150000000 -d Body=Hi \\\n\
         \x20   -H 'X-Twilio-Signature: {signature}'\n"
    );
    Ok(())
}

fn show_how_to_sign(address: SocketAddr) {
    let base = env::var("TWILIO_WEBHOOK_BASE_URL").unwrap_or_else(|_| format!("http://{address}"));
    let base = base.trim().trim_end_matches('/');
    println!(
        "Requests are validated with TWILIO_AUTH_TOKEN. To sign one by hand, put the parameters in \
         order of their\nnames after the URL that Twilio requests, all in one text:\n\n\
         \x20 signature=$(printf %s '{base}/messageBodyHiFrom+14158675310' |\n\
         \x20   openssl dgst -sha1 -hmac \"$TWILIO_AUTH_TOKEN\" -binary | base64)\n\
         \x20 curl -i http://{address}/message -d From=%2B14158675310 -d Body=Hi \\\n\
         \x20   -H \"X-Twilio-Signature: $signature\"\n"
    );
}
