//! Handlers with and without validation, which take what Twilio sends in several ways. `scripts/overhead` builds this in
//! release mode, sends it requests and compares.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin overhead`. With `ONLY=/validated`, it has that
//! path alone: the router takes longer for each path that comes before. With `REDIS_URL`, handled events are remembered
//! there.

use std::{
    env,
    error::Error,
    ffi::OsString,
    hint::black_box,
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_twilio::{
    Proof, TwilioConfig, TwilioValidation,
    once::{EventKey, MemoryStore, OnceKey, RedisStore, VerifiedKey},
    twiml::{Message, MessagingResponse},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_web::{App, HttpRequest, HttpServer, web};
use serde::Deserialize;

/// The two fields that the handlers need.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    from: String,
    body: String,
}

/// The fields that an app would declare for an SMS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "they are decoded, and that is what is measured")]
struct Derived {
    account_sid: String,
    message_sid: String,
    messaging_service_sid: Option<String>,
    from: String,
    to: String,
    body: String,
    num_segments: Option<u32>,
    num_media: u32,
    from_city: Option<String>,
    from_state: Option<String>,
    from_zip: Option<String>,
    from_country: Option<String>,
    to_city: Option<String>,
    to_state: Option<String>,
    to_zip: Option<String>,
    to_country: Option<String>,
}

fn answer(from: &str, body: &str) -> MessagingResponse {
    MessagingResponse::new().child(Message::new(format!("{from} wrote {body:?}")))
}

/// The answer of handlers that parse nothing: as long as the others'.
fn answer_to_bytes(body: &[u8]) -> MessagingResponse {
    let text = "Hi there, is a table for two still free at seven o'clock!";
    answer("+41445550100", if body.is_empty() { "" } else { text })
}

async fn bare(web::Form(sms): web::Form<Pair>) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

async fn bare_derived(web::Form(sms): web::Form<Derived>) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

async fn bare_typed(web::Form(sms): web::Form<IncomingMessage>) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

async fn bare_bytes(body: web::Bytes) -> MessagingResponse {
    answer_to_bytes(&body)
}

#[validate_twilio_request]
async fn validated(web::Form(sms): web::Form<Pair>) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

#[validate_twilio_request]
async fn validated_derived(web::Form(sms): web::Form<Derived>) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

#[validate_twilio_request]
async fn validated_form(web::Form(sms): web::Form<IncomingMessage>) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

#[validate_twilio_request]
async fn validated_typed(sms: IncomingMessage) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

#[validate_twilio_request]
async fn validated_bytes(body: web::Bytes) -> MessagingResponse {
    answer_to_bytes(&body)
}

/// Takes each request for a new event, although all have the same signature. The usual key is made as well.
enum EachIsNew {}

impl EventKey for EachIsNew {
    fn key(req: &HttpRequest, proof: &Proof) -> Option<OnceKey> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        black_box(VerifiedKey::key(req, proof));
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Some(OnceKey::new("overhead", &next.to_le_bytes()))
    }
}

#[validate_twilio_request(once = EachIsNew)]
async fn once_new(sms: IncomingMessage) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

#[validate_twilio_request(once)]
async fn once_duplicate(sms: IncomingMessage) -> MessagingResponse {
    answer(&sms.from, &sms.body)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    // Events are forgotten soon, as those of a day are in an app that has run for long.
    let (lease, retention) = (Duration::from_secs(1), Duration::from_secs(2));
    let config = TwilioConfig::builder().env()?;
    let config = config.once_times(lease, retention);
    let config = match env::var_os("REDIS_URL").map(OsString::into_string) {
        Some(Ok(url)) => config.once_store(RedisStore::connect(&url).await?),
        Some(Err(_)) => return Err("REDIS_URL is not UTF-8".into()),
        None => config.once_store(MemoryStore::new(1 << 30)),
    };
    let config = config.build()?;
    let only = env::var("ONLY").ok();
    let app = move || {
        let middleware = web::resource("/middleware").wrap(TwilioValidation::new());
        let resources = [
            ("/bare", web::post().to(bare)),
            ("/bare/derived", web::post().to(bare_derived)),
            ("/bare/typed", web::post().to(bare_typed)),
            ("/bare/bytes", web::post().to(bare_bytes)),
            ("/validated", web::post().to(validated)),
            ("/validated/derived", web::post().to(validated_derived)),
            ("/validated/form", web::post().to(validated_form)),
            ("/validated/typed", web::post().to(validated_typed)),
            ("/validated/bytes", web::post().to(validated_bytes)),
            ("/once/new", web::post().to(once_new)),
            ("/once/duplicate", web::post().to(once_duplicate)),
        ];
        let is_wanted = |path: &str| only.as_ref().is_none_or(|only| only == path);
        let mut app = App::new().app_data(config.clone());
        for (path, route) in resources {
            if is_wanted(path) {
                app = app.route(path, route);
            }
        }
        if is_wanted("/middleware") {
            app = app.service(middleware.route(web::post().to(bare)));
        }
        app
    };
    let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
