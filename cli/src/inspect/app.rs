//! The app that requests are passed on to.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use tokio::{net::TcpStream, time};
use twilio_signature::url::{UrlParts, host, split_port};

use crate::outcome::Failure;

/// How long to wait for a connection to the app.
const CONNECT: Duration = Duration::from_secs(5);

/// Where the app listens.
#[derive(Debug)]
pub(crate) struct App {
    /// Its base URL, without a slash at the end.
    pub(crate) url: String,
    addresses: Vec<SocketAddr>,
}

impl App {
    /// Parses the value of `--forward-to`, and looks the host up once.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let usage = |problem: &str| Failure::usage(format_args!("--forward-to {problem}"));
        let parts = UrlParts::of(text);
        if parts.scheme != "http" {
            return Err(usage(
                "needs a URL that starts with http://, such as http://localhost:8080: bytes are passed on without TLS",
            ));
        }
        if parts.user_info.is_some()
            || !matches!(&*parts.path, "" | "/")
            || parts.query.is_some()
            || parts.fragment.is_some()
        {
            return Err(usage(
                "needs a scheme, a host and a port alone, such as http://localhost:8080: paths are passed on unchanged",
            ));
        }
        let authority = parts.host_and_port();
        let (name, port) = split_port(&authority);
        let port = match port.map(str::parse) {
            None => 80,
            Some(Ok(port)) => port,
            Some(Err(_)) => return Err(usage("has a port that is not a number up to 65535")),
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        // The same for every system, and without a look-up.
        let addresses = if host::is_loopback(name) && bare.parse::<std::net::IpAddr>().is_err() {
            vec![
                ([127, 0, 0, 1], port).into(),
                (std::net::Ipv6Addr::LOCALHOST, port).into(),
            ]
        } else {
            (bare, port)
                .to_socket_addrs()
                .map_err(|err| usage(&format!("names a host that is not found: {err}")))?
                .collect()
        };
        Ok(Self {
            url: text.trim_end_matches('/').to_owned(),
            addresses,
        })
    }

    /// Connects to the app.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let connecting = TcpStream::connect(&*self.addresses);
        let stream = time::timeout(CONNECT, connecting).await??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
