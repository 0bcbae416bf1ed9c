//! Clients that write every byte of a request themselves.

use std::{net::SocketAddr, time::Duration};

use actix_web::rt::time::timeout;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

/// Waits for what must come soon.
pub async fn soon<T>(name: &str, future: impl Future<Output = T>) -> T {
    let Ok(output) = timeout(Duration::from_secs(20), future).await else {
        unreachable!("{name}: nothing came")
    };
    output
}

/// Opens a connection.
pub async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Writes a text over a connection, and returns one answer, or what there is of it at the connection's end.
pub async fn talk(
    name: &str,
    connection: &mut (impl AsyncRead + AsyncWrite + Unpin),
    text: impl AsRef<[u8]>,
) -> String {
    // The server may have answered and closed before it has read it all.
    let _ = connection.write_all(text.as_ref()).await;
    soon(name, answer(connection)).await
}

/// Reads one answer, or what there is of it at the connection's end.
pub async fn answer(connection: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    while !is_complete(&answer) {
        match connection.read_buf(&mut answer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    String::from_utf8(answer).unwrap()
}

/// Returns whether an answer has all of the body that its head declares.
#[must_use]
pub fn is_complete(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// Writes a text over a connection, shuts the sending side, and returns all that is answered.
pub async fn last_words(name: &str, connection: TcpStream, text: impl AsRef<[u8]>) -> String {
    let (mut reader, mut writer) = connection.into_split();
    let write = async {
        // The server may have answered and closed before it has read it all.
        let _ = writer.write_all(text.as_ref()).await;
        let _ = writer.shutdown().await;
    };
    tokio::join!(write, rest(name, &mut reader)).1
}

/// Reads up to the end of a connection.
pub async fn rest(name: &str, connection: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answers = Vec::new();
    // A server that refuses what it has not read may reset the connection.
    let _ = soon(name, connection.read_to_end(&mut answers)).await;
    String::from_utf8_lossy(&answers).into_owned()
}

/// Returns the statuses of all answers in a text, but for the go-ahead of `Expect: 100-continue`.
#[must_use]
pub fn statuses(answers: &str) -> Vec<u16> {
    answers
        .split("HTTP/1.")
        .filter_map(|answer| answer.get(2..5)?.parse().ok())
        .filter(|status| *status != 100)
        .collect()
}
