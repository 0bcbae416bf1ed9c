//! The options of all commands that send requests to an endpoint.

use std::time::Duration;

use twilio_signature::header::SIGNATURE;

use crate::{
    endpoint::{Endpoint, auth::Credentials, client::Client, url::Url},
    input::token::TokenArgs,
    outcome::Failure,
};

/// The options of the commands that send requests.
#[derive(clap::Args)]
pub(crate) struct EndpointArgs {
    /// The URL to send requests to, such as `http://localhost:8080/message`.
    url: String,
    /// Signs this URL instead of the one that requests are sent to.
    ///
    /// Use it for an app behind a proxy or a tunnel. Pass the whole URL with its path, exactly as it is
    /// configured at Twilio.
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
    /// Stops trying to connect after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    #[command(flatten)]
    token: TokenArgs,
}

impl EndpointArgs {
    /// Returns whether the token is read from the standard input.
    pub(crate) fn token_is_stdin(&self) -> bool {
        self.token.is_stdin()
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

/// Parses `Name: value`.
fn header(line: &str) -> Result<(String, String), Failure> {
    let Some((name, value)) = line.split_once(':') else {
        return Err(Failure::usage(
            "--header needs a name, a colon and a value, such as \"X-Name: value\"",
        ));
    };
    for own in [
        SIGNATURE,
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        if name.eq_ignore_ascii_case(own) {
            return Err(Failure::usage(format_args!(
                "--header cannot set {own}: it differs from request to request"
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
        .ok_or_else(|| "not a number of seconds greater than 0".to_owned())
}
