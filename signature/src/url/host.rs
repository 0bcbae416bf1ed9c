//! Determines which hosts only this machine or a private network can reach, as far as their text shows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The domains that are not in the public DNS.
const PRIVATE: [&str; 6] = ["localhost", "local", "internal", "lan", "test", "home.arpa"];

/// Returns whether a host is this machine. An IPv6 address is in brackets.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    match address(host) {
        Some(address) => address.is_loopback(),
        None => is_below(host, "localhost"),
    }
}

/// Returns whether Twilio can't request a host, because it is this machine or belongs to a private network. An IPv6
/// address is in brackets.
///
/// # Examples
///
/// ```
/// use twilio_signature::url::host;
///
/// assert!(host::is_private("10.0.0.7"));
/// assert!(host::is_private("app.internal"));
/// assert!(!host::is_private("example.com"));
/// ```
#[must_use]
pub fn is_private(host: &str) -> bool {
    match address(host) {
        Some(IpAddr::V4(address)) => {
            // RFC 6598: addresses that providers share.
            let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared
        }
        Some(IpAddr::V6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
        None => {
            let host = host.trim_end_matches('.');
            let is_single_label = !host.is_empty() && !host.contains('.');
            is_single_label || PRIVATE.iter().any(|domain| is_below(host, domain))
        }
    }
}

/// Returns the address in a host. An IPv4 address within IPv6 becomes a plain one.
fn address(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(bare) => Some(IpAddr::from(bare.parse::<Ipv6Addr>().ok()?).to_canonical()),
        None => Some(IpAddr::from(host.parse::<Ipv4Addr>().ok()?)),
    }
}

/// Returns whether a name is this domain or below it.
fn is_below(host: &str, domain: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_of_this_machine_of_a_private_network_or_of_the_internet() {
        let cases = [
            ("localhost", true, true),
            ("LOCALHOST.", true, true),
            ("app.localhost", true, true),
            ("127.0.0.1", true, true),
            ("127.9.9.9", true, true),
            ("[::1]", true, true),
            ("[::ffff:127.0.0.1]", true, true),
            ("notlocalhost", false, true),
            ("10.0.0.7", false, true),
            ("192.168.1.1", false, true),
            ("172.16.0.1", false, true),
            ("169.254.1.1", false, true),
            ("100.64.0.1", false, true),
            ("100.127.255.255", false, true),
            ("0.0.0.0", false, true),
            ("[::]", false, true),
            ("[fd00::1]", false, true),
            ("[fe80::1]", false, true),
            ("[::ffff:10.0.0.7]", false, true),
            ("app", false, true),
            ("app.LOCAL", false, true),
            ("app.internal", false, true),
            ("app.home.arpa", false, true),
            ("", false, false),
            ("100.63.0.1", false, false),
            ("100.128.0.1", false, false),
            ("172.32.0.1", false, false),
            ("203.0.113.7", false, false),
            ("[2001:db8::1]", false, false),
            ("example.com", false, false),
            ("local.example", false, false),
            ("localhost.example.com", false, false),
        ];
        for (host, loopback, private) in cases {
            let found = (is_loopback(host), is_private(host));
            assert_eq!(found, (loopback, private), "{host}");
        }
    }
}
