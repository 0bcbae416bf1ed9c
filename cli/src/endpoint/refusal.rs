//! What an endpoint does wrong with a genuine request, and why it may refuse one.

use crate::{
    endpoint::{Endpoint, auth, client::Answer},
    terminal,
};

/// Says what is wrong with the answer to a genuine request: a clause without a full stop. Returns `None` for an
/// answer that Twilio takes.
pub(crate) fn problem(endpoint: &Endpoint, answer: &Answer) -> Option<String> {
    let text = match answer.status {
        101 if endpoint.opens_websocket(answer) => return None,
        101 if endpoint.is_websocket() => {
            "the answer opens a WebSocket, but not the one that was asked for: its Sec-WebSocket-Accept is wrong"
        }
        200..=299 if endpoint.is_websocket() => {
            "the endpoint answered without opening a WebSocket: Twilio needs the status 101"
        }
        200..=299 if answer.broke_off => {
            "the answer broke off before the end that it announces: see the app's log"
        }
        200..=299 => return None,
        300..=399 => return Some(redirect(endpoint, answer)),
        401 => return Some(unauthorized(endpoint, answer)),
        403 => "a genuine request was refused",
        404 => "the endpoint has nothing at this path: is the path right?",
        400 | 405 | 415 | 422 | 426 => "the endpoint does not handle such requests",
        500.. => "the app failed: see its log",
        _ => "a genuine request was not accepted",
    };
    Some(text.to_owned())
}

/// Says what credentials the endpoint asks for, and why it did not get them.
fn unauthorized(endpoint: &Endpoint, answer: &Answer) -> String {
    if !answer.headers.contains_key("WWW-Authenticate") && !answer.authenticated {
        return "the endpoint asks for credentials without a WWW-Authenticate header, so neither Twilio nor --auth can \
                answer, or it refused the signature"
            .to_owned();
    }
    let asked = auth::schemes(&answer.challenges());
    let answerable: Vec<_> = asked
        .iter()
        .filter(|name| [auth::BASIC, auth::DIGEST].contains(&name.as_str()))
        .map(|name| format!("--auth {}:USER", name.to_ascii_lowercase()))
        .collect();
    let options = answerable.join(" or ");
    let asked_for = match &*asked {
        [] => "in a WWW-Authenticate header that can't be read".to_owned(),
        names => format!("by {}", names.join(", ")),
    };
    match endpoint.auth_scheme() {
        _ if answer.authenticated => {
            "the endpoint refused the credentials of --auth: check the user name and the password"
                .to_owned()
        }
        _ if answerable.is_empty() => format!(
            "the endpoint asks for credentials {asked_for}, and Twilio answers only Basic and Digest, so --auth can't help: \
             let the app take webhooks without them"
        ),
        None => format!("the endpoint asks for credentials {asked_for}: pass {options}"),
        // Any challenge of Basic can be answered.
        Some(auth::DIGEST) if asked.iter().any(|name| name == auth::DIGEST) => {
            format!(
                "the endpoint asks for Digest {}",
                auth::fault_of_digest(&answer.challenges())
            )
        }
        Some(given) => format!(
            "the endpoint asks for credentials {asked_for}, and --auth has some for {given}: pass {options}"
        ),
    }
}

/// Says what Twilio does with a redirect, and what to do. Where it leads to may be a URL that Twilio can't request.
fn redirect(endpoint: &Endpoint, answer: &Answer) -> String {
    let location = answer.headers.get("Location");
    let location = location.and_then(|location| location.to_str().ok());
    let to = location.map_or_else(String::new, |location| {
        // Even without a scheme, it may have a password.
        format!(" to {}", terminal::url(location))
    });
    let is_upgrade = location.is_some_and(|location| location.starts_with("https://"));
    let proxy = if is_upgrade && endpoint.url.as_str().starts_with("http://") {
        over_tls(endpoint).unwrap_or_default()
    } else {
        String::new()
    };
    format!(
        "a redirect{to}: Twilio follows it with GET, without the parameters of the body; let the app answer the request \
         itself, at the URL that is set at Twilio{proxy}"
    )
}

/// Returns how to pass for a request that reached a proxy over TLS, and the URL that an app then expects.
fn over_tls(endpoint: &Endpoint) -> Option<String> {
    let proto = ("X-Forwarded-Proto", "https");
    if endpoint.header(proto.0).is_some() {
        return None;
    }
    let expected = if endpoint.has_public_url {
        endpoint.public_url.over_tls()
    } else {
        endpoint.seen_by_app(&[proto]).ok()?
    };
    let public_url = if expected == endpoint.public_url.as_str() {
        String::new()
    } else {
        format!(" --public-url {}", terminal::url(&expected))
    };
    Some(format!(
        "; if it only wants HTTPS, add what a proxy sends: -H '{}: {}'{public_url}",
        proto.0, proto.1
    ))
}

/// Returns why an endpoint may have refused genuine requests, the most likely cause first. `account_is_made_up`
/// is whether the requests name an account of the tool's own.
pub(crate) fn likely_causes(endpoint: &Endpoint, account_is_made_up: bool) -> Vec<String> {
    let mut causes = of_url(endpoint);
    causes.push(
        "the app has another token than this tool: give both the same TWILIO_AUTH_TOKEN".to_owned(),
    );
    if account_is_made_up {
        causes.push(
            "the app looks keys up by account, and the AccountSid of these requests is made up: pass one that the \
             app has with -d AccountSid=AC.."
                .to_owned(),
        );
    }
    if endpoint.public_url.is_private() {
        causes.push(format!(
            "a proxy hides the URL from the app: set TWILIO_WEBHOOK_BASE_URL in the app to the start of the URL that is \
             set at Twilio, and pass the whole one, such as {}",
            example(endpoint)
        ));
    }
    causes
}

/// Returns the same for requests that are all of one kind, which the handler may not be for.
pub(crate) fn likely_causes_of_one_kind(
    endpoint: &Endpoint,
    account_is_made_up: bool,
) -> Vec<String> {
    let mut causes = likely_causes(endpoint, account_is_made_up);
    causes.push(
        "the handler takes another webhook than this one, or refuses it by itself: send the event that the path is for"
            .to_owned(),
    );
    causes
}

/// Says why the URL that is signed may not be the one that the app expects.
fn of_url(endpoint: &Endpoint) -> Vec<String> {
    let (url, public_url) = (&endpoint.url, &endpoint.public_url);
    let signed = terminal::url(public_url.as_str());
    if endpoint.has_public_url && public_url.target() == "/" && url.target() != "/" {
        return vec![format!(
            "--public-url has no path: pass the whole URL, such as {}",
            terminal::url(&url.with_base(public_url.as_str().trim_end_matches('/')))
        )];
    }
    let mut causes: Vec<_> = of_headers(endpoint).into_iter().collect();
    if public_url.is_private() {
        causes.push(format!(
            "the app has a public URL: it expects that one, and Twilio can't request {signed}; pass it, such as {}",
            example(endpoint)
        ));
        return causes;
    }
    let base = public_url.base_url(url);
    let set = base.map(|base| {
        format!(
            "set TWILIO_WEBHOOK_BASE_URL in the app to {}",
            terminal::url(&base)
        )
    });
    if endpoint.has_public_url {
        let set = set.map_or_else(String::new, |set| {
            format!("; if the app has no public URL, {set}")
        });
        causes.push(format!(
            "the app expects another URL than {signed}: compare it with the url in the app's log{set}"
        ));
        return causes;
    }
    causes.extend(set.map(|set| {
        format!(
            "the app does not see {signed}, because a proxy hides its scheme or its host: {set}"
        )
    }));
    causes.push(format!(
        "the app expects another URL than {signed}, such as one with another scheme or host: pass the URL that is set at \
         Twilio with --public-url"
    ));
    causes
}

/// Returns an option with a public URL that the app may have.
fn example(endpoint: &Endpoint) -> String {
    let scheme = if endpoint.is_websocket() {
        "wss"
    } else {
        "https"
    };
    let url = endpoint.url.with_base(&format!("{scheme}://example.com"));
    format!("--public-url {}", terminal::url(&url))
}

/// Says what URL the app expects because of the headers that were given, if it is not the one that is signed.
fn of_headers(endpoint: &Endpoint) -> Option<String> {
    match endpoint.seen_by_app(&[]) {
        Err(malformed) => Some(format!(
            "the app can't use a header of -H: {}",
            malformed.advice()
        )),
        Ok(seen) if seen == endpoint.url.as_str() || seen == endpoint.public_url.as_str() => None,
        Ok(seen) => {
            let seen = terminal::url(&seen);
            Some(format!(
                "the app has no public URL, and expects {seen} because of the headers of -H: pass --public-url {seen}"
            ))
        }
    }
}
