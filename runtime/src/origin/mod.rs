//! Determines the URL that Twilio requested, from settings, forwarded headers and the request.

mod handshake;

use std::ops::Range;

use actix_web::{
    HttpMessage, HttpRequest,
    dev::Extensions,
    http::{
        header::{
            FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_HOST,
            X_FORWARDED_PROTO,
        },
        uri::PathAndQuery,
    },
};

pub(crate) use twilio_signature::url::forwarded::Malformed;
use twilio_signature::url::{
    forwarded::{self, Header, checked_host},
    scheme,
};

pub(crate) use self::handshake::is_websocket_handshake;
use crate::{
    config::{Peer, TwilioConfig},
    error::ValidationErrorKind,
};

const X_ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

impl From<Malformed> for ValidationErrorKind {
    fn from(_: Malformed) -> Self {
        Self::OriginMalformed
    }
}

/// A request's target as it arrived, kept for extractors inside a middleware that changes it.
pub(crate) struct OriginalTarget(PathAndQuery);

impl OriginalTarget {
    /// Keeps the target of a request, unless an outer middleware has already kept it.
    pub(crate) fn keep(req: &HttpRequest) {
        if let Some(target) = req.uri().path_and_query() {
            let mut extensions = req.extensions_mut();
            if !extensions.contains::<Self>() {
                extensions.insert(Self(target.clone()));
            }
        }
    }
}

/// The URL that Twilio requested, and where its parts were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) url: String,
    /// The part of the URL that was put before the app's own path.
    base_path: Range<usize>,
    pub(crate) scheme_from: &'static str,
    pub(crate) host_from: &'static str,
}

impl Origin {
    /// Determines the origin of a request: from the public URL; else from forwarded headers, if the peer
    /// is a trusted proxy; else from the request and its connection.
    ///
    /// This does not use actix's own `ConnectionInfo` and `full_url`, because they believe these headers from
    /// anyone and panic on a malformed `Host`.
    pub(crate) fn of(req: &HttpRequest, config: &TwilioConfig) -> Result<Self, Malformed> {
        let extensions = req.extensions();
        let target = target(req, &extensions);
        let options = config.options();
        if let Some(public) = &options.public_url {
            let url = public.with_target(target, is_websocket_handshake(req));
            return Ok(Self {
                base_path: base_path(&url, public.base_path(), target),
                url,
                scheme_from: "public URL",
                host_from: "public URL",
            });
        }
        let trusted = options.trusted_proxies.trusts(Peer::of(req));
        let hops = trusted.then_some(options.trusted_hops.get());
        Self::from_request(req, target, hops, options.forwarded_prefix)
    }

    /// Returns the path that was put before the app's own: see
    /// [`WebhookRequest::base_path`](twilio_signature::WebhookRequest::base_path).
    pub(crate) fn base_path(&self) -> &str {
        self.url.get(self.base_path.clone()).unwrap_or_default()
    }

    /// Determines what the origin of a request would be if its peer were trusted, with this number of hops and
    /// with or without the forwarded prefix.
    #[cfg(feature = "explain")]
    pub(crate) fn if_trusted(req: &HttpRequest, hops: usize, prefix: bool) -> Option<Self> {
        let extensions = req.extensions();
        let target = target(req, &extensions);
        Self::from_request(req, target, Some(hops), prefix).ok()
    }

    /// Determines the origin from the request and, if its peer is trusted, from forwarded headers.
    fn from_request(
        req: &HttpRequest,
        target: &str,
        hops: Option<usize>,
        prefix: bool,
    ) -> Result<Self, Malformed> {
        let lines = |header| lines(req.headers(), header);
        let secure = req.app_config().secure();
        let found = forwarded::Origin::of(hops, lines, secure, || own_host(req))?;
        let scheme = scheme(found.secure, is_websocket_handshake(req));
        let mut url = [scheme, "://", &found.host].concat();
        let prefix = match hops {
            Some(hops) if prefix => forwarded::prefix(hops, lines)?,
            _ => "",
        };
        url.push_str(prefix);
        url.push_str(target);
        Ok(Self {
            base_path: base_path(&url, prefix, target),
            url,
            scheme_from: found.scheme_from,
            host_from: found.host_from,
        })
    }
}

/// Returns the path and the query as they arrived.
fn target<'a>(req: &'a HttpRequest, extensions: &'a Extensions) -> &'a str {
    let target = match extensions.get::<OriginalTarget>() {
        Some(OriginalTarget(target)) => Some(target),
        None => req.uri().path_and_query(),
    };
    target.map_or("", |target| target.as_str())
}

/// Returns where in a URL its base path is: right before the target.
fn base_path(url: &str, base_path: &str, target: &str) -> Range<usize> {
    let end = url.len().saturating_sub(target.len());
    end.saturating_sub(base_path.len())..end
}

/// Returns the lines of a header of proxies.
fn lines(headers: &HeaderMap, header: Header) -> impl Iterator<Item = &[u8]> {
    let name = match header {
        Header::XOriginalHost => &X_ORIGINAL_HOST,
        Header::XForwardedHost => &X_FORWARDED_HOST,
        Header::XForwardedProto => &X_FORWARDED_PROTO,
        Header::XForwardedPort => &X_FORWARDED_PORT,
        Header::XForwardedPrefix => &X_FORWARDED_PREFIX,
        Header::Forwarded => &FORWARDED,
    };
    headers.get_all(name).map(HeaderValue::as_bytes)
}

/// Returns the host that the request itself names: the one in its target (`:authority` in HTTP/2), or else the one
/// in its `Host` header. If it names both, they must be equal.
fn own_host(req: &HttpRequest) -> Result<(String, &'static str), Malformed> {
    let malformed = |problem| Malformed::new("Host", problem);
    let mut hosts = req.headers().get_all(HOST);
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => Some(host.to_str().map_err(|_| malformed("is not plain ASCII"))?),
        (Some(_), Some(_)) => return Err(malformed("is there several times")),
    };
    match (req.uri().authority(), host) {
        (None, None) => Err(malformed("is missing")),
        (None, Some(host)) => checked_host(host, "Host"),
        (Some(authority), host) => {
            let authority = authority.as_str();
            let without_user = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            checked_host(without_user, "request target")?;
            if host.is_some_and(|host| !host.eq_ignore_ascii_case(without_user)) {
                return Err(malformed("differs from the host in the request's target"));
            }
            Ok((authority.to_owned(), "request target"))
        }
    }
}
