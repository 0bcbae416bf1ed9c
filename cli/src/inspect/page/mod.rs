//! The page that shows the exchanges, on a port of its own.

use std::{io, net::TcpListener, sync::Arc};

use crate::inspect::{history::History, judge::Judge, relay::Relay};

/// What the page and its actions need.
#[derive(Clone)]
pub(crate) struct PageContext {
    /// The secret in the page's URL, 32 hex digits. Actions need it.
    pub(crate) secret: String,
    /// Sends requests to the app and records them.
    pub(crate) relay: Arc<Relay>,
    /// Judges and signs.
    pub(crate) judge: Arc<Judge>,
    /// The base URL of the app, such as `http://localhost:8080`.
    pub(crate) forward_to: String,
}

/// Serves the page until the process ends. It runs in an actix system of its own thread.
pub(crate) async fn serve(
    listener: TcpListener,
    history: Arc<History>,
    context: PageContext,
) -> io::Result<()> {
    let _ = (listener, history, context);
    std::future::pending().await
}
