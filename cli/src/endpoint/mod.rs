//! The endpoint under test: where it is, what its public URL is, and how to sign for it.

pub(crate) mod auth;
pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod url;

use std::time::Duration;

use actix_twilio::{AuthToken, RequestValidator, WebhookRequest};

use crate::{
    endpoint::{
        auth::Credentials,
        client::{Answer, Client, NoAnswer, Outgoing},
        url::Url,
    },
    input::token::TokenArgs,
    outcome::Failure,
};

/// The header that this tool is about.
pub(crate) const SIGNATURE: &str = "X-Twilio-Signature";

/// The options of all commands that send requests.
#[derive(clap::Args)]
pub(crate) struct EndpointArgs {
    /// The URL to send to, such as `http://localhost:8080/message`.
    url: String,
    /// Signs this URL, and sends to the other one: for apps behind a proxy or a tunnel.
    ///
    /// Give the whole URL as it is set at Twilio, with its path.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Authenticates when the endpoint asks for it: basic:USER or digest:USER.
    ///
    /// The password comes from `TWILIO_WEBHOOK_PASSWORD` or a prompt.
    #[arg(long, value_name = "SCHEME:USER")]
    auth: Option<String>,
    /// Adds a header, or replaces one of those that are sent otherwise. May be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The time in which a connection must be made, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    #[command(flatten)]
    token: TokenArgs,
}

/// An endpoint, with all that is needed to send it requests.
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) public_url: Url,
    keys: RequestValidator,
    headers: Vec<(String, String)>,
    client: Client,
}

/// A request as Twilio would make it, but for its URL's base and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) method: &'static str,
    /// Pairs that are appended to the URL's query.
    pub(crate) query: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

impl EndpointArgs {
    /// Returns whether the token takes up the standard input.
    pub(crate) fn token_is_stdin(&self) -> bool {
        self.token.is_stdin()
    }

    /// Checks the options and fetches the secrets.
    pub(crate) fn open(&self, schemes: &[&str]) -> Result<Endpoint, Failure> {
        let url = Url::parse(&self.url, schemes)?;
        let public_url = match &self.public_url {
            Some(text) => Url::parse(text, schemes)?,
            None => url.clone(),
        };
        let headers = self
            .headers
            .iter()
            .map(|line| header(line))
            .collect::<Result<_, _>>()?;
        let keys = self.token.validator()?;
        let credentials = self
            .auth
            .as_deref()
            .map(Credentials::from_option)
            .transpose()?;
        Ok(Endpoint {
            url,
            public_url,
            keys,
            headers,
            client: Client::new(self.connect_timeout, credentials),
        })
    }
}

impl Endpoint {
    /// Makes requests the handshakes of a WebSocket: signed with its scheme, sent over HTTP.
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

    /// Signs a message as if it went to another URL.
    pub(crate) fn sign_for(&self, url: &Url, message: &Message) -> Result<String, Failure> {
        sign(&self.keys, url, message)
    }

    /// Signs a message with a token that nobody has.
    pub(crate) fn sign_with_another_token(&self, message: &Message) -> Result<String, Failure> {
        let token = AuthToken::new(random_hex()?).map_err(Failure::usage)?;
        let keys = RequestValidator::new([token]).map_err(Failure::usage)?;
        sign(&keys, &self.public_url, message)
    }

    /// Sends a message with these signature headers, and all others as Twilio sends them.
    pub(crate) fn send(&self, message: &Message, signatures: &[&str]) -> Result<Answer, NoAnswer> {
        let token =
            random_hex().map_err(|_| NoAnswer::Usage("there are no random numbers".to_owned()))?;
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
            method: message.method,
            url: self.url.with_query(&message.query),
            headers,
            body: message.body.clone(),
        })
    }
}

fn sign(keys: &RequestValidator, url: &Url, message: &Message) -> Result<String, Failure> {
    let url = url.with_query(&message.query);
    let mut request = WebhookRequest::new(message.method, url.as_str()).body(&message.body);
    if let Some(content_type) = message.content_type {
        request = request.content_type(content_type);
    }
    keys.sign(&request).map_err(Failure::usage)
}

/// Parses `Name: value`.
fn header(line: &str) -> Result<(String, String), Failure> {
    let Some((name, value)) = line.split_once(':') else {
        return Err(Failure::usage("--header takes a name, a colon and a value"));
    };
    for own in [
        SIGNATURE,
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        if name.eq_ignore_ascii_case(own) {
            return Err(Failure::usage(format_args!(
                "--header can't set {own}: each request has its own"
            )));
        }
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "this is not a number of seconds above 0".to_owned())
}

/// Returns random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|err| Failure::usage(format_args!("there are no random numbers: {err}")))?;
    Ok(bytes)
}

/// Returns 32 random hex digits.
fn random_hex() -> Result<String, Failure> {
    Ok(format!("{:032x}", u128::from_ne_bytes(random()?)))
}
