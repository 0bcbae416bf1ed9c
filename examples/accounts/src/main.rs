//! Several accounts on one app: their Auth Tokens are in a SQLite database.
//!
//! Run it with `cargo run --bin accounts`. It makes the database `accounts.sqlite`, or the one that
//! `DATABASE` names, with two accounts in it; change a token there while it runs, and the new one is valid.

use std::{
    env,
    error::Error,
    io,
    path::{Path, PathBuf},
};

use actix_twilio::{
    AuthToken, KeyQuery, KeyStore, KeyStoreError, Proof, RequestValidator, TwilioConfig,
    validate_twilio_request,
};
use actix_web::{App, HttpServer, Responder, post, web};
use rusqlite::{Connection, OptionalExtension};

/// The table of accounts.
struct Accounts {
    database: PathBuf,
}

impl Accounts {
    fn create(database: &Path) -> rusqlite::Result<Self> {
        Connection::open(database)?.execute_batch(
            "CREATE TABLE IF NOT EXISTS accounts (sid TEXT PRIMARY KEY, auth_token TEXT NOT NULL);
             INSERT OR IGNORE INTO accounts VALUES
                 ('AC00000000000000000000000000000001', 'token of the first'),
                 ('AC00000000000000000000000000000002', 'token of the second');",
        )?;
        Ok(Self {
            database: database.to_owned(),
        })
    }
}

impl KeyStore for Accounts {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        // A request that names no account is refused here.
        let Some(account) = query.account.clone() else {
            return Ok(None);
        };
        let database = self.database.clone();
        // SQLite blocks: not on the worker that serves requests. A real app has a pool of connections.
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
async fn message(proof: Proof) -> impl Responder {
    // The account is proven, not only claimed: its token signed the request.
    match proof.account() {
        Some(account) => format!("a genuine message of {account}"),
        None => "a genuine message".to_owned(),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let database = env::var_os("DATABASE").unwrap_or_else(|| "accounts.sqlite".into());
    let config = TwilioConfig::builder()
        .key_store(Accounts::create(Path::new(&database))?)
        .build()?;
    let server = HttpServer::new(move || App::new().app_data(config.clone()).service(message))
        .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
