//! The proxies whose forwarded headers are believed.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use twilio_signature::ConfigError;

/// The word for peers on a Unix socket, which have no address.
const UNIX: &str = "unix";

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

    /// Returns whether forwarded headers from this peer are believed. A peer without an address is on a Unix
    /// socket.
    pub(crate) fn trusts(&self, peer: Option<SocketAddr>) -> bool {
        match peer {
            Some(peer) => {
                let address = peer.ip().to_canonical();
                // A network may be written in either form.
                let mapped = match address {
                    IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
                    IpAddr::V6(_) => address,
                };
                let in_network = |net: &IpNet| net.contains(&address) || net.contains(&mapped);
                self.networks.iter().any(in_network)
            }
            None => self.unix,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_networks_are_trusted_by_default() {
        let local = TrustedProxies::local();
        let trusted = [
            "127.0.0.1:1",
            "127.8.8.8:1",
            "10.1.2.3:1",
            "172.31.255.255:1",
            "192.168.0.1:1",
            "169.254.1.1:1",
            "100.127.0.1:1",
            "[::1]:1",
            "[fd00::1]:1",
            "[fe80::1]:1",
            "[::ffff:10.0.0.1]:1",
        ];
        for peer in trusted {
            assert!(local.trusts(Some(peer.parse().unwrap())), "{peer}");
        }
        let foreign = [
            "128.0.0.1:1",
            "172.32.0.1:1",
            "100.128.0.1:1",
            "8.8.8.8:1",
            "[2001:db8::1]:1",
            "[::2]:1",
            "[::ffff:8.8.8.8]:1",
        ];
        for peer in foreign {
            assert!(!local.trusts(Some(peer.parse().unwrap())), "{peer}");
        }
        assert!(local.trusts(None));
        assert!(!local.is_empty());
    }

    #[test]
    fn listed_proxies_replace_the_default() {
        let listed = TrustedProxies::parse(["10.0.0.7", "2001:db8::/32"]).unwrap();
        assert!(listed.trusts(Some("10.0.0.7:1".parse().unwrap())));
        assert!(listed.trusts(Some("[2001:db8::1]:1".parse().unwrap())));
        assert!(!listed.trusts(Some("10.0.0.8:1".parse().unwrap())));
        assert!(!listed.trusts(None));
        let mapped = TrustedProxies::parse(["::ffff:10.0.0.7"]).unwrap();
        assert!(mapped.trusts(Some("10.0.0.7:1".parse().unwrap())));
        let mapped = TrustedProxies::parse(["::ffff:10.0.0.0/104"]).unwrap();
        assert!(mapped.trusts(Some("10.9.8.7:1".parse().unwrap())));
        assert!(mapped.trusts(Some("[::ffff:10.9.8.7]:1".parse().unwrap())));
        assert!(!mapped.trusts(Some("11.0.0.7:1".parse().unwrap())));
        let wider = TrustedProxies::parse(["::/0"]).unwrap();
        assert!(wider.trusts(Some("[2001:db8::1]:1".parse().unwrap())));
        for around_the_mapped in ["::/0", "::fffe:0:0/95", "::ffff:0:0/96"] {
            let around = TrustedProxies::parse([around_the_mapped]).unwrap();
            for peer in ["10.9.8.7:1", "[::ffff:10.9.8.7]:1"] {
                assert!(
                    around.trusts(Some(peer.parse().unwrap())),
                    "{around_the_mapped}"
                );
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
