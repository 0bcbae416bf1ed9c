//! The proxy that the environment names.

use std::{env, ffi::OsString};

use twilio_signature::url::UrlParts;
use ureq::{Proxy, ProxyProtocol, http::Uri};

use crate::{
    endpoint::url::{Url, has_port},
    outcome::Failure,
};

/// In the order of the HTTP client, which takes the first one.
const VARIABLES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// Returns the variable whose proxy takes requests to a URL, or `None` if they go out directly, as those to this machine do.
///
/// # Errors
///
/// Returns an error without the variable's value, which may have a password, if the value names no proxy that can be
/// used: the client would ignore it, and requests would go past the proxy.
pub(crate) fn variable(url: &Url) -> Result<Option<&'static str>, Failure> {
    if url.is_loopback() || is_exempt(url) {
        return Ok(None);
    }
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let Some(name) = VARIABLES.into_iter().find(is_set) else {
        return Ok(None);
    };
    let proxy = env::var(name)
        .ok()
        .filter(|text| is_with_port(text))
        .and_then(|text| Proxy::new(&text).ok());
    match proxy.map(|proxy| proxy.protocol()) {
        Some(ProxyProtocol::Http | ProxyProtocol::Https) => Ok(Some(name)),
        Some(_) => Err(Failure::usage(format_args!(
            "{name} names a SOCKS proxy, which this tool does not support: set it to a proxy with http://, or unset it"
        ))),
        None => Err(Failure::usage(format_args!(
            "{name} is not the URL of a proxy, such as http://proxy.example:3128: correct it, or unset it"
        ))),
    }
}

/// Returns whether the port of a proxy is a number up to 65535, or is left out. The URL may have no scheme.
fn is_with_port(text: &str) -> bool {
    let (_, rest) = text.split_once("://").unwrap_or(("", text));
    has_port(&UrlParts::of(&["http://", rest].concat()))
}

/// Returns whether `NO_PROXY` has the host of a URL, by the rules of the HTTP client. As with curl, there may be blanks.
fn is_exempt(url: &Url) -> bool {
    let mut lists = ["NO_PROXY", "no_proxy"].into_iter().filter_map(env::var_os);
    let list = lists.find_map(|list| OsString::into_string(list).ok());
    let (Some(list), Ok(uri)) = (list, url.as_str().parse::<Uri>()) else {
        return false;
    };
    let any = Proxy::builder(ProxyProtocol::Http);
    let hosts = list.split(|c: char| c == ',' || c.is_whitespace());
    let any = hosts.fold(any, ureq::ProxyBuilder::no_proxy);
    any.build().is_ok_and(|proxy| proxy.is_no_proxy(&uri))
}
