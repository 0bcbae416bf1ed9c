//! The likely causes if the search found nothing, the most likely one first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::proposal::UrlSetting;
use crate::{redact, url::UrlParts};

/// The ends of names that exist only in private networks.
const PRIVATE: [&str; 6] = [
    ".localhost",
    ".local",
    ".internal",
    ".lan",
    ".home.arpa",
    ".cluster.local",
];

/// Returns what to look at, in order: a clause without a full stop.
pub(super) fn likely(seen: &UrlParts<'_>, url_from: Option<UrlSetting>) -> String {
    let setting = match url_from {
        None | Some(UrlSetting::App) => "TWILIO_WEBHOOK_BASE_URL",
        Some(UrlSetting::Route) => "public_url of the route",
        Some(UrlSetting::WholeRoute) => "url of the route",
    };
    if !is_public(&seen.host) {
        // Until this is right, nothing can be said of the token.
        let host = redact::text(&seen.host);
        let why = match url_from {
            None => "so a proxy hides the public host: ",
            Some(_) => "so the setting is wrong: ",
        };
        let wanted = match url_from {
            Some(UrlSetting::WholeRoute) => "the URL at Twilio",
            _ => "the base of the URL at Twilio",
        };
        return format!("Twilio can't request {host}, {why}set {setting} to {wanted}");
    }
    let wanted = match url_from {
        Some(UrlSetting::WholeRoute) => "that one",
        _ => "its base",
    };
    format!(
        "if Twilio has another URL, set {setting} to {wanted}; else check the Auth Token, then what changes the body"
    )
}

/// Returns whether a host can be reached from the Internet, as far as its text shows. A text that is no host can.
fn is_public(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_public_v4(address),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
        Err(_) => {
            let host = host.to_ascii_lowercase();
            let is_single_label = !host.contains('.');
            !is_single_label && !PRIVATE.iter().any(|end| host.ends_with(end))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // RFC 6598: addresses that providers share.
    let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || is_shared)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_twilio_can_not_request_are_known() {
        for private in [
            "127.0.0.1",
            "10.0.0.7",
            "172.17.0.2",
            "192.168.1.2",
            "169.254.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.7]",
            "localhost",
            "app",
            "app.LOCAL",
            "app.default.svc.cluster.local",
            "ip-10-0-0-7.ec2.internal",
        ] {
            assert!(!is_public(private), "{private}");
            let text = likely(&UrlParts::of(&format!("http://{private}:8080/m")), None);
            assert!(
                text.starts_with(&format!("Twilio can't request {private}, ")),
                "{text}"
            );
        }
        for public in [
            "example.com",
            "203.0.113.9",
            "100.128.0.1",
            "172.32.0.1",
            "[2001:db8::7]",
            "local.example",
        ] {
            assert!(is_public(public), "{public}");
            let text = likely(&UrlParts::of(&format!("https://{public}/m")), None);
            assert!(text.starts_with("if Twilio has another URL, "), "{text}");
        }
    }

    #[test]
    fn setting_that_determines_the_url_is_named() {
        let url = UrlParts::of("https://localhost/m");
        for (setting, name) in [
            (UrlSetting::App, "set TWILIO_WEBHOOK_BASE_URL to"),
            (UrlSetting::Route, "set public_url of the route to"),
            (UrlSetting::WholeRoute, "set url of the route to"),
        ] {
            let text = likely(&url, Some(setting));
            assert!(
                text.contains(name) && text.contains("setting is wrong"),
                "{text}"
            );
        }
    }
}
