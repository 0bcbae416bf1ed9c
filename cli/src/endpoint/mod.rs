//! The endpoint under test: signs messages for its public URL and sends them to its own.

pub(crate) mod auth;
pub(crate) mod client;
mod connect;
pub(crate) mod events;
pub(crate) mod message;
pub(crate) mod options;
mod proxy;
pub(crate) mod refusal;
mod tls;
pub(crate) mod url;

use std::time::Instant;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};
use twilio_signature::{
    AuthToken, RequestValidator, WebhookRequest,
    header::SIGNATURE,
    url::{
        UrlParts,
        forwarded::{Malformed, checked_host},
    },
};

use crate::{
    endpoint::{
        client::{Answer, Client, NoAnswer, Outgoing},
        message::Message,
        url::Url,
    },
    input::forwarded,
    outcome::Failure,
    terminal,
};

/// An endpoint with its URLs, its keys and a client.
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    /// The URL that is signed.
    pub(crate) public_url: Url,
    /// Whether the URL that is signed was given apart from the one that requests are sent to.
    pub(crate) has_public_url: bool,
    keys: RequestValidator,
    headers: Vec<(String, String)>,
    /// The key of a WebSocket handshake, if requests are handshakes.
    websocket_key: Option<String>,
    client: Client,
}

impl Endpoint {
    /// Turns every request into a WebSocket handshake, signed for `ws` or `wss` and sent over HTTP.
    pub(crate) fn as_websocket(&mut self) -> Result<(), Failure> {
        let key = BASE64_STANDARD.encode(random::<16>().map_err(Failure::Usage)?);
        self.url = self.url.with_scheme_of(true);
        self.public_url = self.public_url.with_scheme_of(true);
        for (name, value) in [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", &key),
        ] {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self.websocket_key = Some(key);
        Ok(())
    }

    /// Returns whether requests are WebSocket handshakes.
    pub(crate) fn is_websocket(&self) -> bool {
        self.websocket_key.is_some()
    }

    /// Returns the URL that an app without a public URL sees, if it believes the headers of `-H` and these.
    pub(crate) fn seen_by_app(&self, more: &[(&str, &str)]) -> Result<String, Malformed> {
        let own = self.header("Host").map_or_else(
            || Ok(self.url.as_str().to_owned()),
            |host| checked_host(host, "Host").map(|(host, _)| self.url.with_host(&host)),
        )?;
        let given = self.headers.iter();
        let given = given.map(|(name, value)| (&**name, &**value));
        let headers = given.chain(more.iter().copied());
        let headers = headers.map(|(name, value)| (name, value.as_bytes()));
        let believed = forwarded::by_default(&own, headers)?;
        Ok(believed.map_or(own, |believed| believed.url))
    }

    /// Returns the value of a header that was given.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Returns a warning if Twilio can't request the URL that is signed.
    pub(crate) fn warning(&self) -> Option<String> {
        let signed = self.public_url.host_and_port();
        let is_own = |url: &str| UrlParts::of(url).host_and_port() == signed;
        let is_seen = self.seen_by_app(&[]).is_ok_and(|url| is_own(&url));
        if !self.has_public_url
            || !self.public_url.is_private()
            || is_own(self.url.as_str())
            || is_seen
        {
            return None;
        }
        Some(format!(
            "Twilio can't request {}: if the app accepts this URL, it refuses Twilio's requests, because a proxy hides their \
             URL from it. Set TWILIO_WEBHOOK_BASE_URL in the app, and pass the URL that is set at Twilio with --public-url.",
            terminal::url(self.public_url.as_str())
        ))
    }

    /// Returns the scheme of the credentials that were given, if there are any.
    pub(crate) fn auth_scheme(&self) -> Option<&'static str> {
        self.client.auth_scheme()
    }

    /// Returns whether requests go through a proxy of the environment.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.client.is_behind_proxy()
    }

    /// Sets when the last request must have ended.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.client.set_deadline(deadline);
    }

    /// Returns whether the time for requests is used up.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.client.is_out_of_time()
    }

    /// Returns whether an answer opens the WebSocket that was asked for.
    pub(crate) fn opens_websocket(&self, answer: &Answer) -> bool {
        let Some(key) = &self.websocket_key else {
            return false;
        };
        let accept = answer.headers.get("Sec-WebSocket-Accept");
        answer.status == 101 && accept.is_some_and(|accept| accept == accept_of(key).as_str())
    }

    /// Signs a message as Twilio does.
    pub(crate) fn sign(&self, message: &Message) -> Result<String, Failure> {
        sign(&self.keys, &self.public_url, message)
    }

    /// Signs a message for a different URL.
    pub(crate) fn sign_for(&self, url: &Url, message: &Message) -> Result<String, Failure> {
        sign(&self.keys, url, message)
    }

    /// Signs a message with a random token.
    pub(crate) fn sign_with_another_token(&self, message: &Message) -> Result<String, Failure> {
        let token =
            AuthToken::new(random_hex().map_err(Failure::Usage)?).map_err(Failure::usage)?;
        let keys = RequestValidator::new([token]).map_err(Failure::usage)?;
        sign(&keys, &self.public_url, message)
    }

    /// Returns where a URL of the app is requested, as Twilio sees it and as this tool does. Returns `None` for a URL
    /// that is not one of the app's.
    pub(crate) fn locate(&self, url: &str) -> Option<(Url, Url)> {
        let public = Url::parse(url, &["http", "https"]).ok()?;
        let local = public.moved(&self.public_url, &self.url)?;
        Some((public, local))
    }

    /// Sends a message with these signature headers, and with the other headers that Twilio sends.
    pub(crate) fn send(&self, message: &Message, signatures: &[&str]) -> Result<Answer, NoAnswer> {
        self.send_to(&self.url, message, signatures)
    }

    /// Sends a message to another URL of the endpoint's host. No other host may get its headers and credentials.
    pub(crate) fn send_to(
        &self,
        url: &Url,
        message: &Message,
        signatures: &[&str],
    ) -> Result<Answer, NoAnswer> {
        let token = random_hex().map_err(NoAnswer::Usage)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !self
                .headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                headers.push((name.to_owned(), value.to_owned()));
            }
        };
        add("User-Agent", "TwilioProxy/1.1");
        add("Accept", "*/*");
        add("X-Home-Region", "us1");
        add("I-Twilio-Idempotency-Token", &token);
        if let Some(content_type) = message.content_type {
            add("Content-Type", content_type);
        }
        for signature in signatures {
            add(SIGNATURE, signature);
        }
        headers.extend_from_slice(&self.headers);
        self.client.send(&Outgoing {
            method: message.method.as_str(),
            url: url.with_scheme_of(false).with_query(&message.query),
            headers,
            body: message.body.clone(),
        })
    }
}

fn sign(keys: &RequestValidator, url: &Url, message: &Message) -> Result<String, Failure> {
    let url = url.with_query(&message.query);
    let mut request =
        WebhookRequest::new(message.method.as_str(), url.as_str()).body(&message.body);
    if let Some(content_type) = message.content_type {
        request = request.content_type(content_type);
    }
    keys.sign(&request).map_err(Failure::usage)
}

/// Returns the value of `Sec-WebSocket-Accept` that answers a key (RFC 6455, section 4.2.2).
fn accept_of(key: &str) -> String {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    BASE64_STANDARD.encode(digest)
}

/// Returns random bytes.
fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|err| format!("cannot get random numbers from the system: {err}"))?;
    Ok(bytes)
}

/// Returns a random SID with this prefix, such as `CA`.
pub(crate) fn random_sid(prefix: &str) -> Result<String, Failure> {
    let digits = random_hex().map_err(Failure::Usage)?;
    Ok(format!("{prefix}{digits}"))
}

/// Returns 32 random hex digits.
pub(crate) fn random_hex() -> Result<String, String> {
    Ok(format!("{:032x}", u128::from_ne_bytes(random()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in RFC 6455, section 1.3.
    #[test]
    fn accept_is_that_of_the_key() {
        assert_eq!(
            accept_of("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
