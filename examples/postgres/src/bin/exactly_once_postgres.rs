//! Handles each message exactly once, even if a process is killed: the key and the effect are in one transaction.
//!
//! Run it with `DATABASE_URL=postgres://user:password@localhost/app TWILIO_AUTH_TOKEN=12345 cargo run --package
//! postgres-example --bin exactly_once_postgres`. It creates two tables. All processes that use this database
//! share what they have handled.

use std::{env, error::Error, io, time::Duration};

use actix_twilio::{
    Proof, ReplayKey, TwilioConfig,
    twiml::{Message, MessagingResponse},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_web::{App, HttpServer, error::ErrorServiceUnavailable, post, web};
use tokio::{sync::Semaphore, time};
use tokio_postgres::{Client, NoTls};

/// The most connections that a process has at a time. All processes together must stay below `max_connections`.
const CONNECTIONS: usize = 10;
/// The time for a message, with the wait for a connection. Twilio waits 15 s for an answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);

struct Database {
    url: String,
    connections: Semaphore,
}

impl Database {
    fn new(url: String) -> Self {
        Self {
            url,
            connections: Semaphore::new(CONNECTIONS),
        }
    }

    /// Opens a connection, which ends with the client. A real app has a pool of them, and TLS.
    async fn open(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        actix_web::rt::spawn(connection);
        Ok(client)
    }

    async fn create_tables(&self) -> Result<(), tokio_postgres::Error> {
        let mut client = self.open().await?;
        let transaction = client.transaction().await?;
        // Two processes that start at the same time must not create the same table.
        transaction
            .batch_execute(
                "SELECT pg_advisory_xact_lock(7217);
                 CREATE TABLE IF NOT EXISTS handled (
                     replay_key TEXT PRIMARY KEY,
                     at TIMESTAMPTZ NOT NULL DEFAULT now(),
                     answer TEXT NOT NULL DEFAULT ''
                 );
                 CREATE TABLE IF NOT EXISTS senders (number TEXT PRIMARY KEY, messages BIGINT NOT NULL)",
            )
            .await?;
        transaction.commit().await
    }

    /// Counts a message of a sender, unless it was counted before. Returns the answer, which is the same each time.
    async fn count(&self, key: &ReplayKey, sender: &str) -> Result<String, Box<dyn Error>> {
        // A transaction whose time is over has no effect, because its connection is closed.
        time::timeout(TIME_LIMIT, async {
            let _permit = self.connections.acquire().await?;
            Ok(self.count_now(key, sender).await?)
        })
        .await?
    }

    async fn count_now(
        &self,
        key: &ReplayKey,
        sender: &str,
    ) -> Result<String, tokio_postgres::Error> {
        let key = key.to_string();
        let mut client = self.open().await?;
        let transaction = client.transaction().await?;
        // If another transaction has inserted the key, this waits for its end.
        let inserted = transaction
            .execute(
                "INSERT INTO handled (replay_key) VALUES ($1) ON CONFLICT DO NOTHING",
                &[&key],
            )
            .await?;
        if inserted == 0 {
            let row = transaction
                .query_one("SELECT answer FROM handled WHERE replay_key = $1", &[&key])
                .await?;
            return row.try_get(0);
        }
        let row = transaction
            .query_one(
                "INSERT INTO senders VALUES ($1, 1)
                 ON CONFLICT (number) DO UPDATE SET messages = senders.messages + 1
                 RETURNING messages",
                &[&sender],
            )
            .await?;
        let messages: i64 = row.try_get(0)?;
        let answer = format!("This is your message no. {messages}");
        transaction
            .execute(
                "UPDATE handled SET answer = $2 WHERE replay_key = $1",
                &[&key, &answer],
            )
            .await?;
        transaction.commit().await?;
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
    let answer = database
        .count(&proof.replay_key(), &message.from)
        .await
        .map_err(|err| {
            // The reason is for the log alone.
            tracing::error!(error = err.to_string(), "the database failed");
            ErrorServiceUnavailable("try again later")
        })?;
    Ok(MessagingResponse::new().child(Message::new(answer)))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    // The error of env::var would print a URL that is not UTF-8, with its password.
    let url = env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to text in UTF-8")?;
    let database = Database::new(url);
    time::timeout(TIME_LIMIT, database.create_tables()).await??;
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
