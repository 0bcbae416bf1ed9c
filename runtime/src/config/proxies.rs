//! The proxies whose forwarded headers are believed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use ipnet::IpNet;

use twilio_signature::ConfigError;

/// The word for peers on a Unix socket.
const UNIX: &str = "unix";

/// What actix-web gives as the address of each Unix socket that it listens on.
const UNIX_SOCKET: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Who sent a request, as the connection shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Address(IpAddr),
    UnixSocket,
    /// It reset a TCP connection before actix-web asked for its address, and after it sent the request. Anyone can do
    /// that.
    Gone,
}

impl Peer {
    pub(crate) fn of(req: &HttpRequest) -> Self {
        match req.peer_addr() {
            Some(peer) => Self::Address(peer.ip()),
            // actix-web has no address in both cases. A TCP connection to this address comes from this machine.
            None if req.app_config().local_addr() == UNIX_SOCKET => Self::UnixSocket,
            None => Self::Gone,
        }
    }
}

/// Loopback, private, link-local, unique-local and shared addresses, and Unix sockets.
const DEFAULT: [&str; 10] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
    UNIX,
];

/// The networks of trusted proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies {
    networks: Vec<IpNet>,
    unix: bool,
}

impl TrustedProxies {
    /// Returns the proxies that are trusted by default.
    pub(crate) fn local() -> Self {
        Self::parse(DEFAULT).unwrap_or_default()
    }

    /// Parses addresses (`10.0.0.1`), networks (`10.0.0.0/8`) and the word `unix`.
    pub(crate) fn parse<S: AsRef<str>>(
        proxies: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        let mut trusted = Self::default();
        for proxy in proxies {
            let proxy = proxy.as_ref();
            if proxy == UNIX {
                trusted.unix = true;
            } else if let Ok(network) = proxy.parse::<IpNet>() {
                if network.addr() != network.network() {
                    return Err(ConfigError::new(
                        "trusted_proxies",
                        format!("{proxy:?} is neither one address nor the start of a network"),
                        format!(
                            "write {} for that address alone, or {} for the network",
                            network.addr(),
                            network.trunc()
                        ),
                    ));
                }
                trusted.networks.push(network);
            } else if let Ok(address) = proxy.parse::<IpAddr>() {
                trusted.networks.push(address.into());
            } else {
                return Err(ConfigError::new(
                    "trusted_proxies",
                    format!("{proxy:?} is neither an address nor a network"),
                    "write each proxy as in 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, or write unix",
                ));
            }
        }
        Ok(trusted)
    }

    /// Returns whether forwarded headers from this peer are believed.
    pub(crate) fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Address(address) => {
                let address = address.to_canonical();
                // A network may be written in either form.
                let mapped = match address {
                    IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
                    IpAddr::V6(_) => address,
                };
                let in_network = |net: &IpNet| net.contains(&address) || net.contains(&mapped);
                self.networks.iter().any(in_network)
            }
            Peer::UnixSocket => self.unix,
            Peer::Gone => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::Address(address.parse().unwrap())
    }

    #[test]
    fn local_networks_are_trusted_by_default() {
        let local = TrustedProxies::local();
        let trusted = [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.1.1",
            "100.127.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ];
        for address in trusted {
            assert!(local.trusts(peer(address)), "{address}");
        }
        let foreign = [
            "128.0.0.1",
            "172.32.0.1",
            "100.128.0.1",
            "8.8.8.8",
            "2001:db8::1",
            "::2",
            "::ffff:8.8.8.8",
        ];
        for address in foreign {
            assert!(!local.trusts(peer(address)), "{address}");
        }
        assert!(local.trusts(Peer::UnixSocket));
        assert!(!local.trusts(Peer::Gone));
        assert!(!local.is_empty());
    }

    #[test]
    fn listed_proxies_replace_the_default() {
        let listed = TrustedProxies::parse(["10.0.0.7", "2001:db8::/32"]).unwrap();
        assert!(listed.trusts(peer("10.0.0.7")));
        assert!(listed.trusts(peer("2001:db8::1")));
        assert!(!listed.trusts(peer("10.0.0.8")));
        assert!(!listed.trusts(Peer::UnixSocket));
        let mapped = TrustedProxies::parse(["::ffff:10.0.0.7"]).unwrap();
        assert!(mapped.trusts(peer("10.0.0.7")));
        let mapped = TrustedProxies::parse(["::ffff:10.0.0.0/104"]).unwrap();
        assert!(mapped.trusts(peer("10.9.8.7")));
        assert!(mapped.trusts(peer("::ffff:10.9.8.7")));
        assert!(!mapped.trusts(peer("11.0.0.7")));
        let wider = TrustedProxies::parse(["::/0"]).unwrap();
        assert!(wider.trusts(peer("2001:db8::1")));
        for around_the_mapped in ["::/0", "::fffe:0:0/95", "::ffff:0:0/96"] {
            let around = TrustedProxies::parse([around_the_mapped]).unwrap();
            for address in ["10.9.8.7", "::ffff:10.9.8.7"] {
                assert!(around.trusts(peer(address)), "{around_the_mapped}");
            }
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "localhost",
            "10.0.0.7:80",
            " 10.0.0.7",
            "10.0.0.7/8",
            "2001:db8::1/32",
            "::ffff:10.0.0.7/104",
        ] {
            assert!(TrustedProxies::parse([wrong]).is_err(), "{wrong:?}");
        }
    }
}
