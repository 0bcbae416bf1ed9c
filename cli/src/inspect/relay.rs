//! Passes the bytes of requests and answers on, unchanged, and records a copy of them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    time,
};

use crate::inspect::{
    app::App,
    connection::Connection,
    exchange::Source,
    forwarded::Forwarded,
    framing::is_one_request,
    recorder::Recorder,
    seat::{Seat, Seats},
};

/// The largest number of connections at a time. With the largest heads and bodies, they take less than 100 MiB. Each has
/// another one to the app, and some systems let a process have 256 of them.
pub(super) const MAX_CONNECTIONS: usize = 96;

/// The largest number of those connections that are WebSockets, or ask to be, so that webhooks are answered whatever the
/// WebSockets do. Others are refused.
const MAX_TUNNELS: usize = MAX_CONNECTIONS / 2;

/// How long to wait after the system could not accept a connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The size of the pipe between a request that is sent again and the relay.
const PIPE: usize = 64 * 1024;

/// The way to the app.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) app: App,
    /// How long the app may take until its answer begins.
    pub(crate) limit: Duration,
    /// The headers that are added, if any are.
    pub(crate) forwarded: Option<Forwarded>,
    pub(crate) recorder: Recorder,
    /// The places for WebSockets.
    pub(super) tunnels: Semaphore,
    last_id: AtomicU64,
}

impl Relay {
    pub(crate) fn new(
        app: App,
        limit: Duration,
        forwarded: Option<Forwarded>,
        recorder: Recorder,
    ) -> Self {
        Self {
            app,
            limit,
            forwarded,
            recorder,
            tunnels: Semaphore::new(MAX_TUNNELS),
            last_id: AtomicU64::new(0),
        }
    }

    /// Passes on what arrives, until the process ends.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut seats = Seats::new(MAX_CONNECTIONS);
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                time::sleep(PAUSE).await;
                continue;
            };
            let seat = seats.take().await;
            let relay = self.clone();
            tokio::spawn(async move {
                // Without it, the connection is only slower.
                let _ = stream.set_nodelay(true);
                Connection::new(&relay, seat, Some(peer), Source::Arrived)
                    .run(stream)
                    .await;
            });
        }
    }

    /// Sends the bytes of a whole request to the app, on a connection of its own. Returns the id of the exchange once
    /// it is in the history, and nothing if the bytes are not one request: only the first of several would be shown.
    pub(crate) async fn send(&self, request: Vec<u8>, source: Source) -> Option<u64> {
        if !is_one_request(&request) {
            return None;
        }
        let (relayed, client) = io::duplex(PIPE);
        let (mut answer, mut sender) = io::split(client);
        let seat = Arc::new(Seat::new(None, Arc::default()));
        let connection = Connection::new(self, seat, None, source);
        let write = async {
            // The app may answer before it has taken everything. The sender stays open: an app may take its end for
            // a client that went away.
            let _ = sender.write_all(&request).await;
        };
        let read = async {
            let mut piece = [0; 4096];
            while answer.read(&mut piece).await.is_ok_and(|count| count > 0) {}
        };
        let ((), (), id) = tokio::join!(write, read, connection.run(relayed));
        let id = id?;
        self.recorder.history().wait_for(id).await.then_some(id)
    }

    /// Returns the number of the next exchange.
    pub(super) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Returns how a peer is shown.
pub(super) fn shown(peer: Option<SocketAddr>) -> String {
    peer.map_or_else(|| "this tool".to_owned(), |peer| peer.to_string())
}
