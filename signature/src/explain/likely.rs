//! The likely causes if the search found nothing, the most likely one first.

use super::proposal::UrlSetting;
use crate::{
    account::AccountSid,
    body::{BODY_SHA256, BodyKind},
    claim::KeyClaim,
    redact,
    request::{HeaderValue, WebhookRequest},
    url::{UrlParts, host},
    validator::RequestValidator,
};

/// What is known about a request whose signature matches nothing that was tried.
pub(super) struct Facts<'f> {
    pub(super) seen: &'f UrlParts<'f>,
    pub(super) req: &'f WebhookRequest<'f>,
    pub(super) url_from: Option<UrlSetting>,
    pub(super) validator: &'f RequestValidator,
    pub(super) known: &'f Known,
}

/// What the app knows apart from the request that is explained.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The `User-Agent`, if it is not that of Twilio's proxy.
    pub(super) other_sender: Option<String>,
    /// Whether a header shows that Twilio probably sent the request.
    pub(super) looks_like_twilios: bool,
    /// An account of which the app's keys have verified a request.
    pub(super) verified: Option<AccountSid>,
    /// Whether the app looks keys up by account.
    pub(super) has_key_store: bool,
    /// Whether the text is for a log, whose line names the account already.
    pub(super) for_a_log: bool,
}

/// The longest path that stands in a text as it is.
const MAX_PATH: usize = 40;

/// The ends of the names that tunnels give, another one with each start.
const TUNNELS: [&str; 6] = [
    ".ngrok.io",
    ".ngrok.app",
    ".ngrok.dev",
    ".ngrok-free.app",
    ".ngrok-free.dev",
    ".trycloudflare.com",
];

/// Returns what to look at, in order: a clause without a full stop.
pub(super) fn likely(facts: &Facts<'_>) -> String {
    let Facts { seen, req, .. } = facts;
    let on_sender = || {
        if seen.is_websocket() {
            Some(on_stream(seen))
        } else {
            on_other_sender(facts.known)
        }
    };
    on_shared_key(req)
        .or_else(|| on_body(req, seen))
        .or_else(on_sender)
        .or_else(|| on_odd_token(facts))
        .or_else(|| on_private_host(seen, facts.url_from))
        .or_else(|| on_lost_account(req))
        .or_else(|| on_verified(facts))
        .or_else(|| on_tunnel(facts))
        .unwrap_or_else(|| on_url_and_token(facts))
}

/// Returns what to do if Twilio has another URL, on the token, and last on the form.
fn on_url_and_token(facts: &Facts<'_>) -> String {
    let Facts { seen, req, .. } = facts;
    let own = seen.path.strip_prefix(req.base_path).unwrap_or(&seen.path);
    let is_whole = facts.url_from == Some(UrlSetting::WholeRoute);
    let setting = setting(facts.url_from);
    let to = if is_whole {
        "it".to_owned()
    } else if own.len() > 1 && own.len() <= MAX_PATH {
        format!("its part before {}", redact::text(own))
    } else {
        "its base".to_owned()
    };
    let or_route = if is_whole { "" } else { ", or the route's url" };
    // A log has room for little, and has the account in a field of its own.
    let token = match (facts.known.has_key_store, facts.known.for_a_log) {
        (false, true) => "copy this account's token".to_owned(),
        _ => on_token(facts),
    };
    format!(
        "if Twilio's URL differs, set {setting} to {to}{or_route}; or {token}, or stop what changes query or form"
    )
}

/// Returns what to do on the token.
fn on_token(facts: &Facts<'_>) -> String {
    if facts.known.has_key_store {
        format!("correct the token of {} in the key store", account(facts))
    } else if facts.known.for_a_log {
        "copy this account's Auth Token again".to_owned()
    } else {
        format!("copy the Auth Token of {} again", account(facts))
    }
}

/// Returns the account that the request names.
fn account(facts: &Facts<'_>) -> String {
    match AccountSid::claimed_by(facts.req) {
        Ok(Some(account)) => account.to_string(),
        _ => "the account".to_owned(),
    }
}

/// Returns the name of the setting that determines the URL.
fn setting(url_from: Option<UrlSetting>) -> &'static str {
    match url_from {
        None | Some(UrlSetting::App) => "TWILIO_WEBHOOK_BASE_URL",
        Some(UrlSetting::Route) => "public_url of the route",
        Some(UrlSetting::WholeRoute) => "url of the route",
    }
}

/// Returns what to do if the request names a SharedKey.
fn on_shared_key(req: &WebhookRequest<'_>) -> Option<String> {
    let Ok(KeyClaim::SharedKey { id, .. }) = KeyClaim::parse(req.settings) else {
        return None;
    };
    let id = redact::text(&String::from_utf8_lossy(id));
    Some(format!(
        "copy the secret of the SharedKey {id} again (shared_key); if it is right, compare this URL with the one at Twilio (prefix, query)"
    ))
}

/// Returns what to do on a token that no account has.
fn on_odd_token(facts: &Facts<'_>) -> Option<String> {
    let mut tokens = facts.validator.auth_tokens().iter();
    let is_odd = tokens.any(|token| !token.has_usual_form());
    is_odd.then(|| {
        format!(
            "the Auth Token is not 32 lower-case hex digits: copy the Auth Token of {} again, not the secret of an API key",
            account(facts)
        )
    })
}

/// Returns what to do on the URL of a WebSocket.
fn on_stream(seen: &UrlParts<'_>) -> String {
    let url = redact::url(&seen.text());
    format!(
        "write {url} into <Stream> or <ConversationRelay> of your TwiML: Twilio signs the URL there; if it is exactly that, check the Auth Token"
    )
}

/// Returns what to do if something other than Twilio seems to have sent the request.
fn on_other_sender(known: &Known) -> Option<String> {
    let sender = known.other_sender.as_deref()?;
    if known.looks_like_twilios {
        return None;
    }
    Some(format!(
        "User-Agent is {sender}, not TwilioProxy: if that is your code, let it sign this URL with the app's Auth Token, or point Twilio's webhook here; if not, do nothing"
    ))
}

/// Returns what to do on a form that lacks what each form of Twilio's has.
fn on_lost_account(req: &WebhookRequest<'_>) -> Option<String> {
    is_form_without_account(req).then(|| {
        "make the proxy pass all parameters on, empty ones too: the form lacks AccountSid, which Twilio always sends; if nothing drops it, Twilio did not send this".to_owned()
    })
}

/// Returns what to do if the app's token has verified requests before.
fn on_verified(facts: &Facts<'_>) -> Option<String> {
    let verified = facts.known.verified.as_ref()?;
    if facts.known.has_key_store {
        return None;
    }
    let claimed = AccountSid::claimed_by(facts.req).ok().flatten()?;
    Some(if claimed == *verified {
        "the Auth Token has verified this account before: if it was rotated, set TWILIO_AUTH_TOKEN=old,new; if not, compare this URL with the one at Twilio (prefix, query)".to_owned()
    } else {
        format!(
            "the Auth Token is that of {verified}: to serve {claimed} too, set a key_store with the token of each"
        )
    })
}

/// Returns what to do on the URL of a tunnel.
fn on_tunnel(facts: &Facts<'_>) -> Option<String> {
    let seen = facts.seen;
    let is_tunnel = TUNNELS.iter().any(|end| seen.host.ends_with(end));
    is_tunnel.then(|| {
        format!(
            "if Twilio has an older tunnel's URL, set it to {}; otherwise {}",
            redact::url(&seen.text()),
            on_token(facts)
        )
    })
}

/// Returns what is wrong with a host that Twilio can't request. Until it is right, nothing can be said of the token.
fn on_private_host(seen: &UrlParts<'_>, url_from: Option<UrlSetting>) -> Option<String> {
    if !host::is_private(&seen.host) {
        return None;
    }
    let why = match url_from {
        None => "so a proxy hides the public host: ",
        Some(_) => "so the setting is wrong: ",
    };
    let wanted = match url_from {
        Some(UrlSetting::WholeRoute) => "the URL at Twilio",
        _ => "the base of the URL at Twilio",
    };
    let (shown, setting) = (redact::text(&seen.host), setting(url_from));
    Some(format!(
        "Twilio can't request {shown}, {why}set {setting} to {wanted}"
    ))
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
    let content_type = redact::text(content_type);
    Some(if content_type.starts_with("multipart/") {
        format!(
            "send the form as application/x-www-form-urlencoded (curl: --data-urlencode, not -F), or stop the gateway that makes {content_type} of it"
        )
    } else {
        format!(
            "make the proxy pass the query on, where Twilio puts bodySHA256 for {content_type}, or stop the gateway that makes {content_type} of a form"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{AuthToken, SharedKey};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const ACCOUNT: &str = "AC00000000000000000000000000000001";

    fn said_of(req: &WebhookRequest<'_>, token: &str, url_from: Option<UrlSetting>) -> String {
        said_with(req, token, url_from, &Known::default())
    }

    fn said_with(
        req: &WebhookRequest<'_>,
        token: &str,
        url_from: Option<UrlSetting>,
        known: &Known,
    ) -> String {
        let shared = SharedKey::new("WK1", "secret").unwrap();
        let token = AuthToken::new(token).unwrap();
        likely(&Facts {
            seen: &UrlParts::of(req.url),
            req,
            url_from,
            validator: &RequestValidator::with_keys([token], [shared]).unwrap(),
            known,
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
        let unlabelled = WebhookRequest::new("POST", url);
        let labelled = WebhookRequest::new("GET", url).content_type("application/json");
        let keyed = form.signature_settings("key=WK1");
        for (name, req, token, parts) in [
            (
                "a form",
                form,
                TOKEN,
                [
                    "if Twilio's URL differs, set TWILIO_WEBHOOK_BASE_URL to its part before /m, or the route's url; or copy the Auth Token of ",
                    ACCOUNT,
                ],
            ),
            (
                "an odd token",
                form,
                "12345",
                ["the Auth Token is not 32 lower-case hex digits", ACCOUNT],
            ),
            (
                "JSON",
                json,
                TOKEN,
                [
                    "make the proxy pass the query on, where Twilio puts bodySHA256 for application/json",
                    "makes application/json of a form",
                ],
            ),
            (
                "nothing that a hash could cover",
                labelled,
                TOKEN,
                ["if Twilio's URL differs, ", "Auth Token"],
            ),
            (
                "neither a form nor anything else",
                unlabelled,
                TOKEN,
                ["if Twilio's URL differs, ", "Auth Token"],
            ),
            (
                "a tunnel",
                tunnel,
                TOKEN,
                [
                    "if Twilio has an older tunnel's URL, set it to https://new.ngrok.app/m; otherwise ",
                    ACCOUNT,
                ],
            ),
            (
                "a stream",
                socket,
                TOKEN,
                [
                    "write wss://example.com/m into <Stream> or <ConversationRelay> of your TwiML",
                    "Auth Token",
                ],
            ),
            (
                "a SharedKey",
                keyed,
                TOKEN,
                [
                    "copy the secret of the SharedKey WK1 again (shared_key)",
                    "URL",
                ],
            ),
            (
                "a SharedKey beside an odd token",
                keyed,
                "12345",
                [
                    "copy the secret of the SharedKey WK1 again (shared_key)",
                    "URL",
                ],
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
            "[::]",
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
            let text = said(&format!("https://{public}/m"), None);
            assert!(text.starts_with("if Twilio's URL differs, "), "{text}");
        }
    }

    #[test]
    fn what_is_known_apart_from_the_request_decides() {
        const OTHER: &str = "AC00000000000000000000000000000002";

        let url = "https://example.com/m";
        let body = format!("AccountSid={ACCOUNT}&Body=Hi");
        let form = WebhookRequest::new("POST", url).content_type(crate::header::FORM);
        let nameless = form.body("Body=Hi");
        let form = form.body(&body);
        let verified = |account: &str| Known {
            verified: Some(account.parse().unwrap()),
            ..Known::default()
        };
        let store = Known {
            has_key_store: true,
            ..verified(OTHER)
        };
        let sender = Known {
            other_sender: Some("axios/1.7.2".to_owned()),
            ..verified(OTHER)
        };
        let changed_sender = Known {
            looks_like_twilios: true,
            ..sender.clone()
        };
        let log = Known {
            for_a_log: true,
            ..Known::default()
        };
        let of_another = format!("the Auth Token is that of {OTHER}: to serve {ACCOUNT} too, ");
        let in_the_store = format!("; or correct the token of {ACCOUNT} in the key store");
        for (name, req, known, part) in [
            (
                "this account",
                form,
                verified(ACCOUNT),
                "if it was rotated, set TWILIO_AUTH_TOKEN=old,new",
            ),
            ("another account", form, verified(OTHER), &of_another),
            (
                "no account",
                nameless,
                verified(OTHER),
                "the form lacks AccountSid",
            ),
            ("a key store", form, store, &in_the_store),
            (
                "another sender",
                form,
                sender,
                "User-Agent is axios/1.7.2, not TwilioProxy: ",
            ),
            ("a changed sender", form, changed_sender, &of_another),
            (
                "a log",
                form,
                log,
                "; or copy this account's token, or stop what changes query or form",
            ),
        ] {
            let text = said_with(&req, TOKEN, None, &known);
            assert!(text.contains(part), "{name}: {text}");
        }
    }

    #[test]
    fn long_path_of_a_route_is_not_repeated() {
        for (len, part) in [
            (MAX_PATH, "its part before /hh"),
            (MAX_PATH + 1, "its base, or"),
        ] {
            let text = said(
                &format!("https://example.com/{}", "h".repeat(len - 1)),
                None,
            );
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn setting_that_determines_the_url_is_named() {
        for (setting, name) in [
            (
                UrlSetting::App,
                "set TWILIO_WEBHOOK_BASE_URL to the base of the URL at Twilio",
            ),
            (
                UrlSetting::Route,
                "set public_url of the route to the base of the URL at Twilio",
            ),
            (
                UrlSetting::WholeRoute,
                "set url of the route to the URL at Twilio",
            ),
        ] {
            let text = said("https://localhost/m", Some(setting));
            assert!(
                text.contains(name) && text.contains("setting is wrong"),
                "{text}"
            );
        }
    }

    #[test]
    fn path_is_shown_if_it_is_short_and_more_than_a_slash() {
        let path = |len| format!("/{}", "a".repeat(len - 1));
        let shown = |path: &str| format!("set TWILIO_WEBHOOK_BASE_URL to its part before {path}, ");
        let base = "set TWILIO_WEBHOOK_BASE_URL to its base, ".to_owned();
        for (path, part) in [
            (String::new(), base.clone()),
            (path(1), base.clone()),
            (path(2), shown("/a")),
            (path(MAX_PATH), shown(&path(MAX_PATH))),
            (path(MAX_PATH + 1), base),
        ] {
            let text = said(&format!("https://example.com{path}"), None);
            assert!(text.contains(&part), "{path:?}: {text}");
        }
    }
}
