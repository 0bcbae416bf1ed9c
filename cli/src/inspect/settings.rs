//! The settings of the app with which it accepts a captured request. Each one was tried.

use serde::Serialize;
use twilio_signature::{
    RequestValidator,
    url::{PublicUrl, UrlParts, host, is_host},
};

use crate::{
    input::{
        forwarded::{self, Believed},
        request::Request,
    },
    terminal,
};

/// The most bytes that are verified in search of settings. It is enough for all settings of requests that apps accept.
const MAX_VERIFIED: usize = 4 * 1024 * 1024;

/// When an app believes the headers of its peer.
const TRUSTS_ITS_PROXY: &str =
    "trusts the proxy in front of it (trusted_proxies; by default loopback and private addresses)";

/// What an app does with a malformed header, which follows.
const CANT_USE: &str = "can't use a header:";

/// A setting, and what the app sees with it.
#[derive(Serialize)]
pub(crate) struct Setting {
    /// A clause that follows "if".
    pub(crate) condition: String,
    pub(crate) url: String,
}

impl Setting {
    fn new(condition: &str, url: &str) -> Self {
        Self {
            condition: terminal::without_passwords(condition),
            url: terminal::without_passwords(url),
        }
    }
}

/// Returns the settings with which an app accepts a request: this public URL, or the forwarded headers of the
/// request if they are believed. The other value says whether the search gave up, because the request is huge.
pub(crate) fn that_accept(
    request: &Request,
    validator: &RequestValidator,
    public_url: Option<&str>,
) -> (Vec<Setting>, bool) {
    let mut left = MAX_VERIFIED;
    let mut gave_up = false;
    let mut accepts = |url: &str, base_path: &str| {
        let Some(rest) = left.checked_sub(url.len() + request.body.len()) else {
            gave_up = true;
            return false;
        };
        left = rest;
        let webhook = request.webhook().url(url).base_path(base_path);
        validator.validate(&webhook).is_ok()
    };
    let seen = UrlParts::of(&request.url);
    let mut settings = Vec::new();
    if let Some(text) = public_url
        && let Ok(public) = PublicUrl::parse_base(text)
    {
        let url = public.with_target(&seen.target(), seen.is_websocket());
        if accepts(&url, public.base_path()) {
            let shown = terminal::without_passwords(text);
            let condition = format!("TWILIO_WEBHOOK_BASE_URL, or public_url, is {shown}");
            settings.push(Setting::new(&condition, &url));
        }
    }
    let believed = forwarded::believed(request).into_iter();
    // The first one needs the fewest settings.
    if let Some(believed) = believed
        .into_iter()
        .find(|believed| accepts(&believed.url, &believed.prefix))
    {
        let with = match &*believed.settings().join(" and ") {
            "" => String::new(),
            settings => format!(" with {settings}"),
        };
        let condition = format!(
            "the app {TRUSTS_ITS_PROXY}{with} and believes {}",
            believed.headers.join(" and ")
        );
        settings.push(Setting::new(&condition, &believed.url));
    }
    (settings, gave_up)
}

/// Returns what keeps an app that trusts its peer, and has no other settings, from accepting the request, which is genuine
/// if the app sees `genuine`. The sentence has no subject, and names the public URL that helps.
pub(crate) fn refused_by_default(
    request: &Request,
    validator: &RequestValidator,
    genuine: &Believed,
) -> Option<String> {
    let base = genuine.base_url();
    let seen = match forwarded::by_default(&request.url, request.headers()) {
        Err(malformed) => {
            return Some(format!("{CANT_USE} {}, to {base}", malformed.advice()));
        }
        Ok(seen) => seen.unwrap_or_else(|| Believed::nothing(&request.url)),
    };
    let webhook = request.webhook().url(&seen.url);
    if validator.validate(&webhook).is_ok() {
        return None;
    }
    let because = match &*seen.headers.join(" and ") {
        "" => String::new(),
        headers => format!(" because of {headers}"),
    };
    let otherwise = match &*genuine.settings().join(" and ") {
        "" => String::new(),
        settings => format!(", or {settings} in code"),
    };
    Some(format!(
        "expects {}{because}: set TWILIO_WEBHOOK_BASE_URL, or public_url, to {base}{otherwise}",
        terminal::url(&seen.url)
    ))
}

/// Returns a warning if an app that trusts its peer, and has no other settings, refuses a request that is valid by its
/// `Host`, or any request with these headers.
pub(crate) fn default_app(
    request: &Request,
    validator: &RequestValidator,
    valid: bool,
) -> Option<String> {
    let how = if valid {
        refused_by_default(request, validator, &Believed::nothing(&request.url))?
    } else {
        // What else the app expects is in the advice.
        let malformed = forwarded::by_default(&request.url, request.headers()).err()?;
        format!("{CANT_USE} {}", malformed.advice())
    };
    Some(format!(
        "an app that {TRUSTS_ITS_PROXY} refuses this request: it {how}"
    ))
}

/// Returns a warning if there are several `Host` headers.
pub(crate) fn several_hosts(request: &Request) -> Option<String> {
    (request.values("Host").count() > 1).then(|| {
        "the request has several Host headers, so servers refuse it with 400: find out what adds the second one"
            .to_owned()
    })
}

/// Returns a warning if Twilio can't have requested the public URL, or without one the host that the app saw.
pub(crate) fn private_host(request: &Request, public_url: Option<&str>) -> Option<String> {
    let url = UrlParts::of(public_url.unwrap_or(&request.url));
    let why = match public_url {
        Some(_) => "and --public-url names it: pass the URL that is set at Twilio",
        None => {
            "so a proxy or a tunnel hides the host: pass the URL that is set at Twilio with --public-url"
        }
    };
    let host = url.host_and_port();
    // Anything else may be a part of a password, or what a forger wants to be read.
    (is_host(&host) && host::is_private(&url.host))
        .then(|| format!("Twilio can't request {host}, {why}"))
}
