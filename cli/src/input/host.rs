//! Determines which hosts Twilio can request, and which are this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether a host is this machine. An IPv6 address may be in brackets.
pub(crate) fn is_loopback(host: &str) -> bool {
    match address(host) {
        Some(address) => address.is_loopback(),
        None => is_below(host, "localhost"),
    }
}

/// Returns whether a host can be one of the Internet.
pub(crate) fn is_public(host: &str) -> bool {
    match address(host) {
        Some(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared)
        }
        Some(IpAddr::V6(address)) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
        None => {
            let host = host.trim_end_matches('.');
            host.contains('.')
                && ["localhost", "local", "internal", "lan", "test"]
                    .iter()
                    .all(|domain| !is_below(host, domain))
        }
    }
}

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
            ("localhost", true, false),
            ("LOCALHOST.", true, false),
            ("app.localhost", true, false),
            ("127.0.0.1", true, false),
            ("127.9.9.9", true, false),
            ("[::1]", true, false),
            ("[::ffff:127.0.0.1]", true, false),
            ("notlocalhost", false, false),
            ("10.0.0.7", false, false),
            ("192.168.1.1", false, false),
            ("172.16.0.1", false, false),
            ("169.254.1.1", false, false),
            ("100.64.0.1", false, false),
            ("0.0.0.0", false, false),
            ("[fd00::1]", false, false),
            ("[fe80::1]", false, false),
            ("app", false, false),
            ("app.internal", false, false),
            ("100.128.0.1", false, true),
            ("203.0.113.7", false, true),
            ("[2001:db8::1]", false, true),
            ("example.com", false, true),
            ("localhost.example.com", false, true),
        ];
        for (host, loopback, public) in cases {
            assert_eq!(
                (is_loopback(host), is_public(host)),
                (loopback, public),
                "{host}"
            );
        }
    }
}
