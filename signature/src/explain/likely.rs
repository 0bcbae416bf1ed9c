//! The likely causes if the search found nothing, the most likely one first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::proposal::UrlSetting;
use crate::{
    account::AccountSid,
    body::{BODY_SHA256, BodyKind},
    claim::KeyClaim,
    redact,
    request::{HeaderValue, WebhookRequest},
    url::UrlParts,
    validator::RequestValidator,
};

/// What is known about a request whose signature matches nothing that was tried.
pub(super) struct Facts<'f> {
    pub(super) seen: &'f UrlParts<'f>,
    pub(super) req: &'f WebhookRequest<'f>,
    pub(super) url_from: Option<UrlSetting>,
    pub(super) validator: &'f RequestValidator,
}

/// The ends of the names that tunnels give, another one with each start.
const TUNNELS: [&str; 6] = [
    ".ngrok.io",
    ".ngrok.app",
    ".ngrok.dev",
    ".ngrok-free.app",
    ".ngrok-free.dev",
    ".trycloudflare.com",
];

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
pub(super) fn likely(facts: &Facts<'_>) -> String {
    let Facts { seen, req, .. } = facts;
    if let Some(advice) = on_key(facts) {
        return advice;
    }
    if !is_public(&seen.host) {
        return on_private_host(seen, facts.url_from);
    }
    if let Some(advice) = on_body(req, seen) {
        return advice;
    }
    if is_form_without_account(req) {
        return "the form names no AccountSid, as Twilio's do: something drops parameters, or Twilio did not send it; then check the Auth Token and the URL at Twilio".to_owned();
    }
    if seen.is_websocket() {
        return "compare this URL, letter by letter, with the one in <Stream> or <ConversationRelay> of your TwiML, which Twilio signs; then check the Auth Token".to_owned();
    }
    if TUNNELS.iter().any(|end| seen.host.ends_with(end)) {
        return format!(
            "set the webhook at Twilio to this URL, if it has the tunnel's former host; else check {}",
            token_of(req)
        );
    }
    format!(
        "check 1. {} (a subaccount has its own), 2. the URL at Twilio (prefix, query), 3. the body",
        token_of(req)
    )
}

/// Returns the Auth Token with whose it must be.
fn token_of(req: &WebhookRequest<'_>) -> String {
    match AccountSid::claimed_by(req) {
        Ok(Some(account)) => format!("the Auth Token of {account}"),
        _ => "the Auth Token".to_owned(),
    }
}

/// Returns what is wrong with a key, as far as it shows.
fn on_key(facts: &Facts<'_>) -> Option<String> {
    match KeyClaim::parse(facts.req.settings) {
        Ok(KeyClaim::SharedKey { id, .. }) => {
            let id = redact::text(&String::from_utf8_lossy(id));
            Some(format!(
                "check the secret of the SharedKey {id}, then compare the URL with the one at Twilio, letter by letter (prefix, query)"
            ))
        }
        Ok(KeyClaim::AuthToken) => {
            let mut tokens = facts.validator.auth_tokens().iter();
            tokens.any(|token| !token.has_usual_form()).then(|| {
                format!(
                    "the Auth Token is not 32 lower-case hex digits, as Twilio's are: copy {} again",
                    token_of(facts.req)
                )
            })
        }
        Err(_) => None,
    }
}

/// Returns what is wrong with a host that Twilio can't request. Until it is right, nothing can be said of the token.
fn on_private_host(seen: &UrlParts<'_>, url_from: Option<UrlSetting>) -> String {
    let setting = match url_from {
        None | Some(UrlSetting::App) => "TWILIO_WEBHOOK_BASE_URL",
        Some(UrlSetting::Route) => "public_url of the route",
        Some(UrlSetting::WholeRoute) => "url of the route",
    };
    let why = match url_from {
        None => "so a proxy hides the public host: ",
        Some(_) => "so the setting is wrong: ",
    };
    let wanted = match url_from {
        Some(UrlSetting::WholeRoute) => "the URL at Twilio",
        _ => "the base of the URL at Twilio",
    };
    let host = redact::text(&seen.host);
    format!("Twilio can't request {host}, {why}set {setting} to {wanted}")
}

fn is_form_without_account(req: &WebhookRequest<'_>) -> bool {
    !req.is_get_or_head()
        && BodyKind::of(req).is_ok_and(|kind| kind == BodyKind::Form)
        && matches!(AccountSid::claimed_by(req), Ok(None))
}

/// Returns what is wrong with a body that is not a form, and that no hash in the URL covers.
fn on_body(req: &WebhookRequest<'_>, seen: &UrlParts<'_>) -> Option<String> {
    let has_hash = seen
        .query
        .as_deref()
        .is_some_and(|query| query.contains(BODY_SHA256));
    let is_other = BodyKind::of(req).is_ok_and(|kind| kind == BodyKind::Other);
    let HeaderValue::One(content_type) = req.content_type else {
        return None;
    };
    if has_hash || !is_other || req.is_get_or_head() {
        return None;
    }
    let content_type = String::from_utf8_lossy(content_type);
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    Some(format!(
        "Twilio signs a body that is not a form by bodySHA256 in the query, and the URL has none: something dropped the query, or converted the form to {}",
        redact::text(content_type)
    ))
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
    use crate::key::{AuthToken, SharedKey};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const ACCOUNT: &str = "AC00000000000000000000000000000001";

    fn said_of(req: &WebhookRequest<'_>, token: &str, url_from: Option<UrlSetting>) -> String {
        let shared = SharedKey::new("WK1", "secret").unwrap();
        let token = AuthToken::new(token).unwrap();
        likely(&Facts {
            seen: &UrlParts::of(req.url),
            req,
            url_from,
            validator: &RequestValidator::with_keys([token], [shared]).unwrap(),
        })
    }

    fn said(url: &str, url_from: Option<UrlSetting>) -> String {
        said_of(&WebhookRequest::new("GET", url), TOKEN, url_from)
    }

    #[test]
    fn likely_cause_comes_first_and_has_the_values_at_hand() {
        let url = "https://example.com/m";
        let body = format!("AccountSid={ACCOUNT}&Body=Hi");
        let form = WebhookRequest::new("POST", url)
            .content_type(crate::header::FORM)
            .body(&body);
        let json = WebhookRequest::new("POST", url).content_type("application/json; a=b");
        let tunnel = form.url("https://new.ngrok.app/m");
        let socket = WebhookRequest::new("GET", "wss://example.com/m");
        let keyed = form.signature_settings("key=WK1");
        let of_account = format!("the Auth Token of {ACCOUNT}");
        for (name, req, token, parts) in [
            (
                "a form",
                form,
                TOKEN,
                ["check 1. the Auth Token of ", &of_account],
            ),
            (
                "an odd token",
                form,
                "12345",
                [
                    "the Auth Token is not 32 lower-case hex digits",
                    &of_account,
                ],
            ),
            (
                "JSON",
                json,
                TOKEN,
                [
                    "Twilio signs a body that is not a form by bodySHA256",
                    "converted the form to application/json",
                ],
            ),
            (
                "a tunnel",
                tunnel,
                TOKEN,
                [
                    "set the webhook at Twilio to this URL, if it has the tunnel's former host; ",
                    &of_account,
                ],
            ),
            (
                "a stream",
                socket,
                TOKEN,
                [
                    "compare this URL, letter by letter, with the one in <Stream>",
                    "Auth Token",
                ],
            ),
            (
                "a SharedKey",
                keyed,
                TOKEN,
                ["check the secret of the SharedKey WK1, ", "the URL"],
            ),
            (
                "a SharedKey beside an odd token",
                keyed,
                "12345",
                ["check the secret of the SharedKey WK1, ", "the URL"],
            ),
        ] {
            let text = said_of(&req, token, None);
            assert!(
                text.starts_with(parts[0]) && text.contains(parts[1]),
                "{name}: {text}"
            );
            assert!(!text.contains("12345"), "{name}: {text}");
        }
    }

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
            let text = said(&format!("http://{private}:8080/m"), None);
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
            let text = said(&format!("https://{public}/m"), None);
            assert!(text.starts_with("check 1. the Auth Token "), "{text}");
        }
    }

    #[test]
    fn setting_that_determines_the_url_is_named() {
        for (setting, name) in [
            (UrlSetting::App, "set TWILIO_WEBHOOK_BASE_URL to"),
            (UrlSetting::Route, "set public_url of the route to"),
            (UrlSetting::WholeRoute, "set url of the route to"),
        ] {
            let text = said("https://localhost/m", Some(setting));
            assert!(
                text.contains(name) && text.contains("setting is wrong"),
                "{text}"
            );
        }
    }
}
