//! The options of all commands that send requests to an endpoint.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use twilio_signature::header::SIGNATURE;
use ureq::http::{HeaderName, HeaderValue};

use crate::{
    endpoint::{Endpoint, auth::Credentials, client::Client, proxy, tls, url::Url},
    input::{source, token::TokenArgs},
    outcome::Failure,
    terminal,
};

/// The longest time that an option can set.
const LONGEST_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The options of the commands that send requests.
#[derive(clap::Args)]
pub(crate) struct EndpointArgs {
    /// The URL to send requests to, such as `http://localhost:8080/message`.
    url: String,
    /// Signs this URL instead of the one that requests are sent to.
    ///
    /// Use it for an app that has a public URL, or is behind a proxy or a tunnel. Pass the whole URL with its
    /// path, exactly as it is configured at Twilio.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Authenticates if the endpoint asks for it: basic:USER or digest:USER.
    ///
    /// The password comes from `TWILIO_WEBHOOK_PASSWORD` or a prompt.
    #[arg(long, value_name = "SCHEME:USER")]
    auth: Option<String>,
    /// Adds a header, or replaces one that is sent by default. Can be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Trusts the certificate authorities in a PEM file instead of the usual ones.
    ///
    /// Use it for an https:// endpoint whose certificate is your own.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Stops trying to connect after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    #[command(flatten)]
    token: TokenArgs,
}

impl EndpointArgs {
    /// Returns the URL as it was given.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the inputs that may be read from the standard input, and whether they are.
    pub(crate) fn stdin(&self) -> [bool; 2] {
        let cacert = self.cacert.as_deref();
        [self.token.is_stdin(), cacert.is_some_and(source::is_stdin)]
    }

    /// Returns whether the URL is one of a WebSocket.
    pub(crate) fn is_websocket(&self) -> bool {
        self.url.starts_with("ws://") || self.url.starts_with("wss://")
    }

    /// Checks the options, reads the secrets and returns the endpoint.
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
        source::at_most_one_stdin(&self.stdin())?;
        let authorities = self.cacert.as_deref().map(tls::authorities).transpose()?;
        let keys = self.token.validator()?;
        let credentials = self
            .auth
            .as_deref()
            .map(Credentials::from_option)
            .transpose()?;
        let proxy = proxy::variable(&url)?;
        let endpoint = Endpoint {
            has_public_url: self.public_url.is_some(),
            url,
            public_url,
            keys,
            headers,
            websocket_key: None,
            client: Client::new(self.connect_timeout, credentials, authorities, proxy),
        };
        if let Some(warning) = endpoint.warning() {
            writeln!(io::stderr(), "Warning: {}", terminal::line(&warning))?;
        }
        Ok(endpoint)
    }
}

/// Parses `Name: value`.
///
/// # Errors
///
/// The error does not repeat the text, which may be secret.
fn header(line: &str) -> Result<(String, String), Failure> {
    let Some((name, value)) = line.split_once(':') else {
        return Err(Failure::usage(
            "--header needs a name, a colon and a value, such as \"X-Name: value\"",
        ));
    };
    // Some servers ignore a blank after the name, so such a name would be another one there than here.
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(Failure::usage(
            "--header needs a name of letters, digits and hyphens, and the colon right after it",
        ));
    };
    let value = value.trim();
    if HeaderValue::from_str(value).is_err() {
        return Err(Failure::usage(
            "--header needs a value without line ends and control characters",
        ));
    }
    for own in [
        SIGNATURE,
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        if name.as_str().eq_ignore_ascii_case(own) {
            return Err(Failure::usage(format_args!(
                "--header cannot set {own}: it differs from request to request"
            )));
        }
    }
    Ok((name.to_string(), value.to_owned()))
}

/// Parses a number of seconds, such as `1.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero() && *duration <= LONGEST_TIME)
        .ok_or_else(|| "not a number of seconds greater than 0, and at most a day".to_owned())
}
