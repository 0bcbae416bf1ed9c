//! Handles each message and each call once, even if Twilio or a stranger sends it again, and on many machines.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin once`. With `REDIS_URL=redis://127.0.0.1:6379`,
//! all processes that use this Redis share what they have handled. Else each one remembers it in its memory. With
//! `REDIS_REPLICAS=1`, a replica must have what is written.
//!
//! To watch it: `HANDLED_LOG=FILE` appends the `MessageSid` or `CallSid` for each run of a handler, and `SLOW_MS` makes
//! each handler wait. `LEASE_MS` is the time after which a run counts as dead.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Write},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_twilio::{
    TwilioConfig,
    once::RedisStore,
    twiml::{Message, MessagingResponse, Say, VoiceResponse},
    validate_twilio_request,
    webhook::{IncomingCall, IncomingMessage},
};
use actix_web::{App, HttpServer, post, rt::time::sleep, web};

/// What the handlers do with an event: it must be done once.
struct Work {
    log: Option<File>,
    slow: Duration,
    tickets: AtomicU64,
}

impl Work {
    /// Returns the number of the ticket that the event gets. A duplicate gets the same one.
    async fn handle(&self, sid: &str) -> io::Result<String> {
        sleep(self.slow).await;
        if let Some(mut log) = self.log.as_ref() {
            log.write_all(format!("{sid}\n").as_bytes())?;
        }
        let number = self.tickets.fetch_add(1, Ordering::Relaxed);
        Ok(format!("{}-{number}", process::id()))
    }
}

#[post("/message")]
#[validate_twilio_request(once)]
async fn receive_message(
    message: IncomingMessage,
    work: web::Data<Work>,
) -> Result<MessagingResponse, actix_web::Error> {
    let ticket = work.handle(&message.message_sid).await?;
    Ok(MessagingResponse::new().child(Message::new(format!("Your ticket is {ticket}"))))
}

#[post("/voice")]
#[validate_twilio_request(once)]
async fn receive_call(
    call: IncomingCall,
    work: web::Data<Work>,
) -> Result<VoiceResponse, actix_web::Error> {
    let ticket = work.handle(&call.call_sid).await?;
    Ok(VoiceResponse::new().child(Say::new(format!("Your ticket is {ticket}"))))
}

/// Returns the value of a variable, if it is set. The error does not print it, since it may be a password.
fn variable(name: &str) -> Result<Option<String>, String> {
    let value = env::var_os(name).map(OsString::into_string).transpose();
    value.map_err(|_| format!("{name} is not UTF-8"))
}

/// Returns the milliseconds that a variable has.
fn millis(name: &str, default: u64) -> Result<Duration, Box<dyn Error>> {
    let millis = variable(name)?.map_or(Ok(default), |millis| millis.parse())?;
    Ok(Duration::from_millis(millis))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let day = Duration::from_secs(24 * 60 * 60);
    let mut config = TwilioConfig::builder()
        .env()?
        .once_times(millis("LEASE_MS", 20_000)?, day);
    if let Some(url) = variable("REDIS_URL")? {
        let replicas = variable("REDIS_REPLICAS")?.map_or(Ok(0), |replicas| replicas.parse())?;
        let store = RedisStore::connect(&url).await?;
        config = config.once_store(store.wait_for_replicas(replicas));
    }
    let config = config.build()?;
    let open = |path| OpenOptions::new().append(true).create(true).open(path);
    let work = web::Data::new(Work {
        log: env::var_os("HANDLED_LOG").map(open).transpose()?,
        slow: millis("SLOW_MS", 0)?,
        tickets: AtomicU64::new(1),
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(work.clone())
            .service(receive_message)
            .service(receive_call)
    })
    .bind((host, port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
