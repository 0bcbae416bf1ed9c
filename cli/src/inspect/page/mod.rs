//! The page that shows the exchanges, on a port of its own.
//!
//! The tunnel makes the relay's port public, and the app's answers must not share an origin with the page. So the page has
//! its own port, and `guard` refuses whoever is not the page itself in the browser of its user.

mod api;
mod assets;
mod compose;
mod copy;
mod detail;
mod events;
mod guard;
mod meaning;
mod row;
mod twiml;

use std::{io, net::SocketAddr, net::TcpListener, sync::Arc};

use actix_web::{App, HttpRequest, HttpServer, middleware, web};

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
    /// The port of the relay, to which a tunnel points.
    pub(crate) port: u16,
}

/// What the handlers share.
struct Page {
    context: PageContext,
    history: Arc<History>,
    /// Where the page is served.
    address: SocketAddr,
}

/// Returns the URL to open. Browsers do not send the secret in it: the page does, in a header.
pub(crate) fn url(address: SocketAddr, secret: &str) -> String {
    format!("http://{address}/#{secret}")
}

/// Serves the page until the process ends. It runs in an actix system of its own thread.
pub(crate) async fn serve(
    listener: TcpListener,
    history: Arc<History>,
    context: PageContext,
) -> io::Result<()> {
    let page = web::Data::new(Page {
        address: listener.local_addr()?,
        context,
        history,
    });
    HttpServer::new(move || {
        App::new()
            .app_data(page.clone())
            .wrap(middleware::from_fn(guard::admit))
            .configure(api::routes)
            .default_service(web::to(
                |req: HttpRequest| async move { assets::serve(&req) },
            ))
    })
    .workers(1)
    // The process ends with the relay.
    .disable_signals()
    .shutdown_timeout(0)
    .listen(listener)?
    .run()
    .await
}
