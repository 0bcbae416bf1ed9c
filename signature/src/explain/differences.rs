//! Compares the URL that the app saw with the one that was signed.

use super::{cause::Cause, query};
use crate::{candidates::candidates, request::WebhookRequest, url::UrlParts};

/// Returns the causes for which a validator, given the URL that the app saw, refuses a signature over the other URL.
pub(super) fn differences(seen: &UrlParts<'_>, signed: &UrlParts<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if seen.scheme != signed.scheme {
        let kind_differs = seen.is_websocket() != signed.is_websocket();
        if kind_differs {
            causes.push(Cause::WebsocketScheme);
        }
        if is_secure(seen) != is_secure(signed) || !kind_differs {
            causes.push(Cause::Scheme);
        }
    }
    if seen.host != signed.host {
        let other_case = seen.host.eq_ignore_ascii_case(&signed.host) && seen.port == signed.port;
        causes.push(if other_case {
            Cause::HostCase
        } else {
            Cause::Host
        });
    } else if seen.port != signed.port && effective_port(seen) != effective_port(signed) {
        // If each URL has its scheme's default port, the scheme is the cause.
        let has_default = |url: &UrlParts<'_>| effective_port(url) == default_port(url);
        if !(has_default(seen) && has_default(signed)) {
            causes.push(Cause::Port);
        }
    }
    if seen.user_info != signed.user_info {
        causes.push(Cause::Userinfo);
    }
    path_differences(seen, signed, &mut causes);
    let with_query_seen = UrlParts {
        query: seen.query.clone(),
        ..signed.clone()
    };
    if seen.query != signed.query && !is_tolerated(&with_query_seen, signed) {
        causes.extend(query::differences(
            seen.query.as_deref().unwrap_or_default(),
            signed.query.as_deref().unwrap_or_default(),
        ));
    }
    causes
}

fn path_differences(seen: &UrlParts<'_>, signed: &UrlParts<'_>, causes: &mut Vec<Cause>) {
    if seen.path == signed.path {
        return;
    }
    let [own, other] = [seen, signed].map(|url| url.path.strip_suffix('/').unwrap_or(&url.path));
    if own != other {
        causes.push(if plainly_spelled(own) == plainly_spelled(other) {
            Cause::PathSpelling
        } else {
            Cause::PathPrefix
        });
    }
    let slash_differs = seen.path.ends_with('/') != signed.path.ends_with('/');
    // The signed path, but with or without a slash at its end as the app saw it.
    let with_slash_seen = UrlParts {
        path: match signed.path.strip_suffix('/') {
            Some(path) => path.to_owned(),
            None => [&*signed.path, "/"].concat(),
        }
        .into(),
        ..signed.clone()
    };
    if slash_differs
        && !is_tolerated(&with_slash_seen, signed)
        && (own.ends_with(other) || other.ends_with(own))
    {
        causes.push(Cause::TrailingSlash);
    }
}

/// Returns a path in the spelling that paths have in common that lead to the same handler behind a lenient proxy.
fn plainly_spelled(path: &str) -> String {
    let path = path.trim_start_matches('/').to_ascii_lowercase();
    path.replace("%7e", "~")
}

/// Returns whether a validator that is given a URL accepts a signature over the other one.
fn is_tolerated(given: &UrlParts<'_>, signed: &UrlParts<'_>) -> bool {
    // Only a WebSocket handshake, which is a GET, has such a scheme.
    let method = if signed.is_websocket() { "GET" } else { "POST" };
    let (given, signed) = (given.text(), signed.text());
    candidates(&WebhookRequest::new(method, &given))
        .any(|candidate| candidate.query_as_params.is_none() && candidate.url == signed)
}

pub(super) fn is_secure(url: &UrlParts<'_>) -> bool {
    url.is_secure() == Some(true)
}

/// Returns the port of the connection: the URL's own port, or the scheme's default.
fn effective_port<'u>(url: &'u UrlParts<'_>) -> &'u str {
    url.port.as_deref().unwrap_or(default_port(url))
}

fn default_port(url: &UrlParts<'_>) -> &'static str {
    if is_secure(url) { "443" } else { "80" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_once_each() {
        use Cause::{
            Host, HostCase, ParamsExtra, PathPrefix, PathSpelling, Port, QueryEncoding,
            QueryMissing, QueryOrder, Scheme, TrailingSlash, Userinfo, WebsocketScheme,
        };
        let cases: &[(&str, &str, &[Cause])] = &[
            ("http://h/x", "https://h/x", &[Scheme]),
            ("http://h:80/x", "https://h/x", &[Scheme]),
            ("http://h/x", "https://h:443/x", &[Scheme]),
            ("http://h:443/x", "https://h/x", &[Scheme]),
            ("http://h:8080/x", "https://h/x", &[Scheme, Port]),
            ("http://h:8080/x", "https://h:8443/x", &[Scheme, Port]),
            ("https://h/x", "https://h:8443/x", &[Port]),
            ("http://10.0.0.7:8080/x", "https://h/x", &[Scheme, Host]),
            ("http://a:8080/x", "http://b:9090/x", &[Host]),
            ("http://a:8080/x", "http://b:8080/x", &[Host]),
            ("https://H/x", "https://h/x", &[HostCase]),
            ("http://H/x", "https://h/x", &[Scheme, HostCase]),
            ("https://h/x", "wss://h/x", &[WebsocketScheme]),
            ("http://h/x", "wss://h/x", &[WebsocketScheme, Scheme]),
            ("HTTPS://h/x", "https://h/x", &[Scheme]),
            ("https://h/x", "https://u:p@h/x", &[Userinfo]),
            ("https://u:p@h/x", "https://h/x", &[Userinfo]),
            ("https://h/x", "https://h/p/x", &[PathPrefix]),
            ("https://h/p/x", "https://h/x", &[PathPrefix]),
            (
                "https://h/x",
                "https://h/p/x/",
                &[PathPrefix, TrailingSlash],
            ),
            ("https://h/x", "https://h/y/", &[PathPrefix]),
            ("https://h/x", "https://h/X", &[PathSpelling]),
            ("https://h/x", "https://h//x", &[PathSpelling]),
            ("https://h/~x", "https://h/%7Ex", &[PathSpelling]),
            ("https://h/x/", "https://h/x", &[TrailingSlash]),
            ("https://h/?a", "https://h?a", &[]),
            ("https://h/", "https://h", &[]),
            ("https://h", "https://h/", &[TrailingSlash]),
            ("wss://h/x", "wss://h/x/", &[]),
            ("https://h/?a=%27", "https://h/?a='", &[]),
            ("https://h/?a='", "https://h/?a=%27", &[QueryEncoding]),
            ("wss://h/?a=%27", "wss://h/?a='", &[QueryEncoding]),
            ("https://h/x", "https://h/x?a=1", &[QueryMissing]),
            ("https://h/x?a=1", "https://h/x?a=1&b=2", &[QueryMissing]),
            ("https://h/x", "https://h/x?", &[QueryMissing]),
            ("https://h/x?a=1", "https://h/x", &[ParamsExtra]),
            ("https://h/x?b=2&a=1", "https://h/x?b=2", &[ParamsExtra]),
            ("https://h/x?a=1&b=2", "https://h/x?b=2&a=1", &[QueryOrder]),
            ("https://h/x?a=%20", "https://h/x?a=+", &[QueryEncoding]),
            ("https://h/x?a=1+2", "https://h/x?a=1%2B2", &[QueryEncoding]),
            ("https://h/x?a=%2520", "https://h/x?a=%20", &[QueryEncoding]),
            ("https://h/x?a", "https://h/x?a=", &[QueryEncoding]),
            ("https://h/x?a=1&", "https://h/x?a=1", &[QueryEncoding]),
            (
                "https://h/x?a=%20&b=1",
                "https://h/x?b=1&a=+",
                &[QueryOrder, QueryEncoding],
            ),
            (
                "https://h/x?a=%20",
                "https://h/x?b=1&a=+",
                &[QueryEncoding, QueryMissing],
            ),
            ("https://h/x?a=1", "https://h/x?b=1", &[QueryMissing]),
        ];
        for (seen, signed, expected) in cases {
            let found = differences(&UrlParts::of(seen), &UrlParts::of(signed));
            assert_eq!(found, *expected, "{seen} {signed}");
        }
    }
}
