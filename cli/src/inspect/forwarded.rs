//! The headers that a proxy adds, for an app that needs them. Nothing is added unless the user asks for it.

use std::net::IpAddr;

use twilio_signature::url::{PublicUrl, UrlParts};

use crate::inspect::framing::RequestHead;

/// What the headers say.
#[derive(Debug)]
pub(crate) struct Forwarded {
    /// The host and port of the public URL, if it is known.
    host: Option<String>,
    proto: &'static str,
}

impl Forwarded {
    /// Without a public URL, the host is that of each request.
    pub(crate) fn new(public_url: Option<&PublicUrl>) -> Self {
        let Some(public_url) = public_url else {
            return Self {
                host: None,
                proto: "http",
            };
        };
        let url = public_url.with_target("/", false);
        let parts = UrlParts::of(&url);
        Self {
            host: Some(parts.host_and_port()),
            proto: if parts.is_secure() == Some(true) {
                "https"
            } else {
                "http"
            },
        }
    }

    /// Returns a head with `X-Forwarded-For`, and with `-Host` and `-Proto` if it has none. Everything else stays.
    pub(crate) fn added_to(
        &self,
        head: &RequestHead,
        bytes: &[u8],
        client: Option<IpAddr>,
    ) -> Vec<u8> {
        let has = |name: &str| {
            let mut names = head.headers.iter();
            names.any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        let mut added = bytes.strip_suffix(b"\r\n").unwrap_or(bytes).to_vec();
        let mut add = |name: &str, value: &[u8]| {
            added.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        if let Some(client) = client {
            add("X-Forwarded-For", client.to_string().as_bytes());
        }
        if !has("X-Forwarded-Host") {
            let own = || {
                let mut headers = head.headers.iter();
                let host = headers.find(|(name, _)| name.eq_ignore_ascii_case("Host"));
                host.map(|(_, value)| value.clone())
            };
            if let Some(host) = self.host.clone().map(String::into_bytes).or_else(own) {
                add("X-Forwarded-Host", &host);
            }
        }
        if !has("X-Forwarded-Proto") {
            add("X-Forwarded-Proto", self.proto.as_bytes());
        }
        added.extend(b"\r\n");
        added
    }
}
