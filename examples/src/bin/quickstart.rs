//! The app of Twilio's Flask tutorial: two webhooks, for calls and messages, that only genuine requests
//! reach.
//!
//! Run it with `cargo run --bin quickstart`. It listens on 127.0.0.1:8080, or on `HOST` and `PORT`. Without
//! `TWILIO_AUTH_TOKEN` it makes up a token and shows how to try the app with curl.

use std::{
    env,
    error::Error,
    io::{self, IsTerminal},
    net::SocketAddr,
};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, WebhookRequest,
    twiml::{Message, MessagingResponse, Say, VoiceResponse},
    validate_twilio_request,
    webhook::{IncomingCall, IncomingMessage},
};
use actix_web::{App, HttpServer, post};

/// A message as Twilio sends it, with few of its parameters, sorted by name.
const SMS: &str = "AccountSid=AC00000000000000000000000000000001&Body=Hi&From=%2B14158675310\
                   &MessageSid=SM00000000000000000000000000000001";

/// Answers a call: tells callers their number.
#[post("/voice")]
#[validate_twilio_request]
async fn receive_call(call: IncomingCall) -> VoiceResponse {
    VoiceResponse::new().child(Say::new(format!("Hello. Your number is {}.", call.from)))
}

/// Answers a message with another one.
#[post("/message")]
#[validate_twilio_request]
async fn receive_message(sms: IncomingMessage) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!(
        "Hello {}, thanks for the message!",
        sms.from
    )))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Writes the log to stderr. Without a subscriber, nobody sees why a request was refused.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();

    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let base_url = env::var("TWILIO_WEBHOOK_BASE_URL").ok();
    let throwaway = match env::var_os("TWILIO_AUTH_TOKEN") {
        Some(_) => None,
        None => Some(throwaway_token()?),
    };
    let config = match (&throwaway, &base_url) {
        // This is what every app needs: a wrong setting stops it here, not at the first request.
        (None, _) => TwilioConfig::from_env()?,
        (Some(token), None) => TwilioConfig::builder().auth_token(token.clone()).build()?,
        (Some(token), Some(url)) => TwilioConfig::builder()
            .auth_token(token.clone())
            .public_url(url.trim())?
            .build()?,
    };
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .service(receive_call)
            .service(receive_message)
    })
    .bind((host, port))?;

    if let Some(address) = server.addrs().first() {
        println!("Listening on http://{address}\n");
        let base_url = base_url.unwrap_or_else(|| format!("http://{address}"));
        let signed_url = format!("{}/message", base_url.trim().trim_end_matches('/'));
        match throwaway {
            Some(token) => show_requests(token, *address, &signed_url)?,
            None => show_how_to_sign(*address, &signed_url),
        }
    }
    Ok(server.run().await?)
}

/// Makes up a random token for this run of the app.
fn throwaway_token() -> Result<AuthToken, Box<dyn Error>> {
    let random = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
    Ok(AuthToken::new(format!("{random:032x}"))?)
}

fn show_requests(
    token: AuthToken,
    address: SocketAddr,
    signed_url: &str,
) -> Result<(), Box<dyn Error>> {
    let request = WebhookRequest::new("POST", signed_url)
        .content_type("application/x-www-form-urlencoded")
        .body(SMS);
    let signature = RequestValidator::new([token])?.sign(&request)?;
    let forged = SMS.replace("14158675310", "14150000000");
    println!(
        "TWILIO_AUTH_TOKEN is not set, so this run uses a random token, which Twilio does not know.\n\n\
         A request signed with it, for {signed_url}, is answered with 200 and TwiML:\n\n\
         \x20 curl -i http://{address}/message -d '{SMS}' \\\n\
         \x20   -H 'X-Twilio-Signature: {signature}'\n\n\
         The same request with another sender is a forgery, and is answered with 403:\n\n\
         \x20 curl -i http://{address}/message -d '{forged}' \\\n\
         \x20   -H 'X-Twilio-Signature: {signature}'\n"
    );
    Ok(())
}

fn show_how_to_sign(address: SocketAddr, signed_url: &str) {
    let text = SMS.replace("%2B", "+").replace(['=', '&'], "");
    println!(
        "Requests are validated with TWILIO_AUTH_TOKEN. To sign one by hand, append the parameters, sorted \
         by name,\nto the URL that Twilio requests, and sign that text:\n\n\
         \x20 signature=$(printf %s '{signed_url}{text}' |\n\
         \x20   openssl dgst -sha1 -hmac \"$TWILIO_AUTH_TOKEN\" -binary | base64)\n\
         \x20 curl -i http://{address}/message -d '{SMS}' \\\n\
         \x20   -H \"X-Twilio-Signature: $signature\"\n"
    );
}
