//! What fails on the server's own side.

use std::{future::pending, time::Duration};

use actix_twilio::{
    KeyStore, RequestValidator, TwilioConfig,
    keys::{KeyQuery, KeyStoreError},
};
use actix_twilio_tests::{FORGED, FORM, config, validator};
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;

use super::server::{Server, TIME, assert_no_panics, assert_unanswered, form, post, rest};

/// An account whose keys never come.
const LOST: &str = "AC00000000000000000000000000000000";

struct Hanging;

impl KeyStore for Hanging {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        if query
            .account
            .as_ref()
            .is_some_and(|account| account.as_str() == LOST)
        {
            pending::<()>().await;
        }
        Ok(Some(validator()))
    }
}

#[actix_web::test]
async fn key_store_that_hangs_holds_no_worker() {
    let times = (Duration::from_secs(10), 5 * TIME);
    let config = TwilioConfig::builder().key_store(Hanging);
    let server = Server::start(config.key_store_times(times.0, times.1));
    let hanging = form("/a", &format!("AccountSid={LOST}"));
    // As many as there may be lookups at a time, and more.
    for waiting in [20, 100] {
        let mut connections = Vec::new();
        for _ in 0..waiting {
            let mut connection = server.connect().await;
            connection.write_all(hanging.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
            connections.push(connection);
        }
        if waiting == 20 {
            server.assert_goes_on("while lookups hang").await;
            assert_unanswered("while lookups hang", &connections);
        }
        for answers in join_all(connections.iter_mut().map(|one| rest("hanging", one))).await {
            assert_eq!(answers, [500]);
        }
        assert!(server.reached().is_empty());
        server.assert_goes_on("after lookups hung").await;
    }
    server.stop().await;
    assert_no_panics();
}

#[actix_web::test]
async fn handler_that_panics_takes_only_its_connection_along() {
    let server = Server::start(config());
    let panicking = form("/panic", "a=1");
    let forged = post("/panic", FORM, FORGED, "a=1");
    let mut waiting = server.connect().await;
    let genuine = form("/a", "a=1");
    let (first, second) = genuine.split_at(genuine.len() - 1);
    waiting.write_all(first.as_bytes()).await.unwrap();
    for _ in 0..10 {
        assert_eq!(server.send("panic", &panicking).await, [0; 0]);
        assert_eq!(server.send("forged", &forged).await, [403]);
        server.assert_goes_on("after a panic").await;
    }
    // Not even those that were in the middle of something.
    waiting.write_all(second.as_bytes()).await.unwrap();
    waiting.shutdown().await.unwrap();
    assert_eq!(rest("waiting", &mut waiting).await, [200]);
    server.stop().await;
    assert_no_panics();
}
