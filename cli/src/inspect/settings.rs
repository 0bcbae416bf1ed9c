//! The settings of the app with which it accepts a captured request. Each one was tried.

use serde::Serialize;
use twilio_signature::{
    RequestValidator,
    url::{PublicUrl, UrlParts, host},
};

use crate::{
    input::{forwarded, request::Request},
    terminal,
};

/// The most bytes that are verified in search of settings. It is enough for all settings of requests that apps accept.
const MAX_VERIFIED: usize = 4 * 1024 * 1024;

/// A setting, and what the app sees with it.
#[derive(Serialize)]
pub(crate) struct Setting {
    /// A clause that follows "if".
    pub(crate) condition: String,
    pub(crate) url: String,
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
            let condition = format!("TWILIO_WEBHOOK_BASE_URL, or public_url, is {text}");
            settings.push(Setting { condition, url });
        }
    }
    let believed = forwarded::believed(request).into_iter();
    // The first one needs the fewest settings.
    if let Some(believed) = believed
        .into_iter()
        .find(|believed| accepts(&believed.url, &believed.prefix))
    {
        let hops = match believed.hops {
            1 => String::new(),
            hops => format!(" with trusted_hops({hops})"),
        };
        let prefix = match &*believed.prefix {
            "" => "",
            _ => " and forwarded_prefix(true)",
        };
        let condition = format!(
            "the app trusts the proxy in front of it (trusted_proxies; by default loopback and private addresses)\
             {hops}{prefix} and believes {}",
            believed.headers.join(" and ")
        );
        settings.push(Setting {
            condition,
            url: terminal::without_passwords(&believed.url),
        });
    }
    (settings, gave_up)
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
    host::is_private(&url.host)
        .then(|| format!("Twilio can't request {}, {why}", url.host_and_port()))
}
