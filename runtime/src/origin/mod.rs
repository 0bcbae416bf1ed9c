//! From a request to the URL that Twilio signed.

use actix_web::{
    HttpMessage, HttpRequest,
    dev::Extensions,
    http::{
        Method, Version,
        header::{
            self, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, SEC_WEBSOCKET_KEY,
            TRANSFER_ENCODING, UPGRADE, X_FORWARDED_HOST, X_FORWARDED_PROTO,
        },
        uri::PathAndQuery,
    },
};

use crate::{
    config::TwilioConfig,
    error::ValidationErrorKind,
    forwarded::{Forwarded, Malformed, element},
    public_url::{is_host, is_secure_scheme},
    url::{is_port, split_port},
};

const X_ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// A request's target as it arrived, kept for extractors below middleware that changes it.
pub(crate) struct OriginalTarget(PathAndQuery);

impl OriginalTarget {
    /// Keeps the target of a request, unless that has been done further outside.
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
    pub(crate) scheme_from: &'static str,
    pub(crate) host_from: &'static str,
}

impl Origin {
    /// Tells the origin of a request: from the public URL; else from forwarded headers, if the peer
    /// is a trusted proxy; else from the request and its connection.
    ///
    /// actix's own `ConnectionInfo` and `full_url` won't do: they believe these headers from anyone
    /// and panic on a malformed `Host`.
    pub(crate) fn of(
        req: &HttpRequest,
        config: &TwilioConfig,
    ) -> Result<Self, ValidationErrorKind> {
        let extensions = req.extensions();
        let target = target(req, &extensions);
        if let Some(public) = config.public_url() {
            return Ok(Self {
                url: public.with_target(scheme(public.secure, is_websocket_handshake(req)), target),
                scheme_from: "public URL",
                host_from: "public URL",
            });
        }
        let trusted = config.proxies().trusts(req.peer_addr());
        let hops = trusted.then_some(config.trusted_hops());
        Self::told(req, target, hops, config.forwarded_prefix())
    }

    /// Tells what the origin of a request would be if its peer were trusted, with so many hops and with
    /// the forwarded prefix or without it.
    #[cfg(feature = "explain")]
    pub(crate) fn if_trusted(req: &HttpRequest, hops: usize, prefix: bool) -> Option<Self> {
        let extensions = req.extensions();
        let target = target(req, &extensions);
        Self::told(req, target, Some(hops), prefix).ok()
    }

    /// Tells the origin from the request and, if its peer is trusted, from forwarded headers.
    fn told(
        req: &HttpRequest,
        target: &str,
        hops: Option<usize>,
        prefix: bool,
    ) -> Result<Self, ValidationErrorKind> {
        let malformed = |Malformed| ValidationErrorKind::OriginMalformed;
        let found = Found::of(req, hops).map_err(malformed)?;
        let scheme = scheme(found.secure, is_websocket_handshake(req));
        let mut url = [scheme, "://", &found.host].concat();
        if let (Some(hops), true) = (hops, prefix) {
            url.push_str(forwarded_prefix(req.headers(), hops).map_err(malformed)?);
        }
        url.push_str(target);
        Ok(Self {
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

fn scheme(secure: bool, websocket: bool) -> &'static str {
    match (secure, websocket) {
        (true, false) => "https",
        (true, true) => "wss",
        (false, false) => "http",
        (false, true) => "ws",
    }
}

/// The scheme and the host of a request whose public URL is not configured.
struct Found {
    secure: bool,
    scheme_from: &'static str,
    host: String,
    host_from: &'static str,
}

impl Found {
    /// `hops` is the number of trusted proxies if the peer is one.
    fn of(req: &HttpRequest, hops: Option<usize>) -> Result<Self, Malformed> {
        let headers = req.headers();
        let forwarded = |name: &HeaderName| match hops {
            Some(hops) => element(headers, name, hops),
            None => Ok(None),
        };
        let original_host = forwarded(&X_ORIGINAL_HOST)?;
        let forwarded_host = forwarded(&X_FORWARDED_HOST)?;
        let forwarded_proto = forwarded(&X_FORWARDED_PROTO)?;
        let standard = match hops {
            Some(hops)
                if (original_host.is_none() && forwarded_host.is_none())
                    || forwarded_proto.is_none() =>
            {
                Forwarded::read(headers, hops)?
            }
            _ => Forwarded::default(),
        };

        let (mut host, host_from) = if let Some(host) = original_host {
            (checked_host(host)?, "X-Original-Host")
        } else if let Some(host) = forwarded_host {
            (checked_host(host)?, "X-Forwarded-Host")
        } else if let Some(host) = standard.host {
            (checked_host(&host)?, "Forwarded")
        } else {
            own_host(req)?
        };
        let (secure, scheme_from) = if let Some(proto) = forwarded_proto {
            (checked_scheme(proto)?, "X-Forwarded-Proto")
        } else if let Some(proto) = standard.proto {
            (checked_scheme(&proto)?, "Forwarded")
        } else {
            (req.app_config().secure(), "connection")
        };
        if split_port(&host).1.is_none()
            && let Some(port) = forwarded(&X_FORWARDED_PORT)?
        {
            if !is_port(port) {
                return Err(Malformed);
            }
            if port != if secure { "443" } else { "80" } {
                host.push(':');
                host.push_str(port);
            }
        }
        Ok(Self {
            secure,
            scheme_from,
            host,
            host_from,
        })
    }
}

/// Returns the host that the request itself names: in its target (`:authority` in HTTP/2), with
/// which a `Host` header must agree, else in its `Host`.
fn own_host(req: &HttpRequest) -> Result<(String, &'static str), Malformed> {
    let mut hosts = req.headers().get_all(HOST);
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => Some(host.to_str().map_err(|_| Malformed)?),
        (Some(_), Some(_)) => return Err(Malformed),
    };
    match (req.uri().authority(), host) {
        (None, None) => Err(Malformed),
        (None, Some(host)) => Ok((checked_host(host)?, "Host")),
        (Some(authority), host) => {
            let authority = authority.as_str();
            let without_user = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            checked_host(without_user)?;
            if host.is_some_and(|host| !host.eq_ignore_ascii_case(without_user)) {
                return Err(Malformed);
            }
            Ok((authority.to_owned(), "request target"))
        }
    }
}

fn checked_host(host: &str) -> Result<String, Malformed> {
    if is_host(host) {
        Ok(host.to_owned())
    } else {
        Err(Malformed)
    }
}

fn checked_scheme(scheme: &str) -> Result<bool, Malformed> {
    is_secure_scheme(scheme).ok_or(Malformed)
}

/// Returns the path that a trusted proxy says to have stripped, without a slash at the end.
fn forwarded_prefix(headers: &HeaderMap, hops: usize) -> Result<&str, Malformed> {
    let Some(prefix) = element(headers, &X_FORWARDED_PREFIX, hops)? else {
        return Ok("");
    };
    let is_path = prefix.starts_with('/')
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>".contains(&byte));
    if is_path {
        Ok(prefix.strip_suffix('/').unwrap_or(prefix))
    } else {
        Err(Malformed)
    }
}

/// Returns whether a request opens a WebSocket. Its payload is then the WebSocket's, and never ends.
///
/// The decoder takes a payload for endless on `Upgrade: websocket` alone; a request that asks for
/// it but is no handshake is an ordinary one here, whose body is bounded in size and time.
pub(crate) fn is_websocket_handshake(req: &HttpRequest) -> bool {
    if req.method() != Method::GET || req.version() != Version::HTTP_11 {
        return false;
    }
    let headers = req.headers();
    let mut upgrades = headers.get_all(UPGRADE);
    upgrades
        .next()
        .is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && upgrades.next().is_none()
        && headers.get_all(header::CONNECTION).any(|line| {
            line.as_bytes()
                .split(|byte| *byte == b',')
                .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
        })
        && headers
            .get(SEC_WEBSOCKET_KEY)
            .is_some_and(|key| !key.is_empty())
        && !headers.contains_key(TRANSFER_ENCODING)
        && headers.get_all(CONTENT_LENGTH).all(|length| length == "0")
}
