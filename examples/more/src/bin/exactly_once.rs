//! Handles each message exactly once, even if a process is killed: the key and the effect are in one transaction.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin exactly_once`. It creates the database
//! `exactly_once.sqlite`, or the one that `DATABASE` names. Processes that use the same one share what they have handled.
//! The same with PostgreSQL is in `examples/postgres`.

use std::{env, error::Error, io, path::PathBuf, time::Duration};

use actix_twilio::{
    Proof, ReplayKey, TwilioConfig,
    twiml::{Message, MessagingResponse},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_web::{App, HttpServer, error::ErrorInternalServerError, post, web};
use rusqlite::{Connection, TransactionBehavior};

struct Database(PathBuf);

impl Database {
    /// A real app has a pool of connections.
    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.0)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        Ok(connection)
    }

    fn create_tables(&self) -> rusqlite::Result<()> {
        self.open()?.execute_batch(
            "CREATE TABLE IF NOT EXISTS handled (
                 replay_key TEXT PRIMARY KEY,
                 at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
                 answer TEXT NOT NULL DEFAULT ''
             );
             CREATE TABLE IF NOT EXISTS senders (number TEXT PRIMARY KEY, messages INTEGER NOT NULL)",
        )
    }

    /// Counts a message of a sender, unless it was counted before. Returns the answer, which is the same each time.
    fn count(&self, key: &ReplayKey, sender: &str) -> rusqlite::Result<String> {
        let key = key.to_string();
        let mut connection = self.open()?;
        // It takes the lock at once, so that no other one comes between the statements.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let inserted = transaction.execute(
            "INSERT INTO handled (replay_key) VALUES (?1) ON CONFLICT DO NOTHING",
            [&key],
        )?;
        if inserted == 0 {
            return transaction.query_row(
                "SELECT answer FROM handled WHERE replay_key = ?1",
                [&key],
                |row| row.get(0),
            );
        }
        let messages: i64 = transaction.query_row(
            "INSERT INTO senders VALUES (?1, 1) ON CONFLICT (number) DO UPDATE SET messages = messages + 1
             RETURNING messages",
            [sender],
            |row| row.get(0),
        )?;
        let answer = format!("This is your message no. {messages}");
        transaction.execute(
            "UPDATE handled SET answer = ?2 WHERE replay_key = ?1",
            [&key, &answer],
        )?;
        transaction.commit()?;
        Ok(answer)
    }
}

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(
    proof: Proof,
    message: IncomingMessage,
    database: web::Data<Database>,
) -> Result<MessagingResponse, actix_web::Error> {
    let key = proof.replay_key();
    // SQLite blocks, so it must not run on the worker's own thread.
    let answer = web::block(move || database.count(&key, &message.from))
        .await?
        .map_err(|err| {
            // The reason is for the log alone.
            tracing::error!(error = err.to_string(), "the database failed");
            ErrorInternalServerError("try again later")
        })?;
    Ok(MessagingResponse::new().child(Message::new(answer)))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let path = env::var_os("DATABASE").unwrap_or_else(|| "exactly_once.sqlite".into());
    let database = Database(path.into());
    database.create_tables()?;
    let database = web::Data::new(database);
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(database.clone())
            .service(receive_message)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
