//! Several accounts on one app: their Auth Tokens are in a SQLite database.
//!
//! Run it with `cargo run -p more-examples --bin accounts`. It creates the database `accounts.sqlite`, or the one that
//! `DATABASE` names. Put an account into it, now or while the app runs:
//!
//! ```sh
//! sqlite3 accounts.sqlite "INSERT INTO accounts VALUES ('AC..', 'its auth token')"
//! ```
//!
//! Then test the app with that account:
//!
//! ```sh
//! TWILIO_AUTH_TOKEN='its auth token' cargo run -p twilio-webhook -- \
//!     check http://127.0.0.1:8080/message -d AccountSid=AC..
//! ```

use std::{
    env,
    error::Error,
    io,
    path::{Path, PathBuf},
};

use actix_twilio::{
    AuthToken, KeyStore, Proof, RequestValidator, TwilioConfig,
    keys::{KeyQuery, KeyStoreError},
    twiml::{Message, MessagingResponse},
    validate_twilio_request,
};
use actix_web::{App, HttpServer, post, web};
use rusqlite::{Connection, OptionalExtension};

/// The table of accounts.
struct Accounts {
    database: PathBuf,
}

impl Accounts {
    fn open(database: &Path) -> rusqlite::Result<Self> {
        Connection::open(database)?.execute_batch(
            "CREATE TABLE IF NOT EXISTS accounts (sid TEXT PRIMARY KEY, auth_token TEXT NOT NULL)",
        )?;
        Ok(Self {
            database: database.to_owned(),
        })
    }
}

impl KeyStore for Accounts {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        // A request that names no account gets no keys, and so it is refused.
        let Some(account) = query.account.clone() else {
            return Ok(None);
        };
        let database = self.database.clone();
        // SQLite blocks, so it must not run on the worker's own thread. A real app has a pool of connections.
        let token = web::block(move || {
            Connection::open(database)?
                .query_row(
                    "SELECT auth_token FROM accounts WHERE sid = ?",
                    [account.as_str()],
                    |row| row.get::<_, String>(0),
                )
                .optional()
        })
        .await??;
        match token {
            Some(token) => Ok(Some(RequestValidator::new([AuthToken::new(token)?])?)),
            None => Ok(None),
        }
    }
}

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(proof: Proof) -> MessagingResponse {
    // The account is proven, not only claimed: its own token signed the request.
    let answer = match proof.account() {
        Some(account) => format!("Account {account} received your message."),
        None => "We received your message.".to_owned(),
    };
    MessagingResponse::new().child(Message::new(answer))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let database = env::var_os("DATABASE").unwrap_or_else(|| "accounts.sqlite".into());
    let config = TwilioConfig::builder()
        .key_store(Accounts::open(Path::new(&database))?)
        .build()?;
    let server =
        HttpServer::new(move || App::new().app_data(config.clone()).service(receive_message))
            .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
