//! The endpoint under test: signs messages for its public URL and sends them to its own.

pub(crate) mod auth;
pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod message;
pub(crate) mod options;
pub(crate) mod url;

use twilio_signature::{AuthToken, RequestValidator, WebhookRequest, header::SIGNATURE};

use crate::{
    endpoint::{
        client::{Answer, Client, NoAnswer, Outgoing},
        message::Message,
        url::Url,
    },
    outcome::Failure,
};

/// An endpoint with its URLs, its keys and a client.
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) public_url: Url,
    keys: RequestValidator,
    headers: Vec<(String, String)>,
    client: Client,
}

impl Endpoint {
    /// Turns every request into a WebSocket handshake, signed for `ws` or `wss` and sent over HTTP.
    pub(crate) fn as_websocket(&mut self, key: &str) {
        self.url = self.url.with_scheme_of(false);
        self.public_url = self.public_url.with_scheme_of(true);
        for (name, value) in [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key),
        ] {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
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

    /// Sends a message with these signature headers, and with the other headers that Twilio sends.
    pub(crate) fn send(&self, message: &Message, signatures: &[&str]) -> Result<Answer, NoAnswer> {
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
            url: self.url.with_query(&message.query),
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

/// Returns random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|err| format!("cannot get random numbers from the system: {err}"))?;
    Ok(bytes)
}

/// Returns 32 random hex digits.
fn random_hex() -> Result<String, String> {
    Ok(format!("{:032x}", u128::from_ne_bytes(random()?)))
}
