//! Authenticates by Basic or Digest as Twilio does: only after the endpoint has asked for it.

use std::io::{self, IsTerminal};

use http_auth::{PasswordClient, PasswordParams, basic::encode_credentials, parse_challenges};
use zeroize::Zeroizing;

use crate::{input::source, outcome::Failure};

const BASIC: &str = "Basic";
const VARIABLE: &str = "TWILIO_WEBHOOK_PASSWORD";

/// The user name and the password for one scheme.
pub(crate) struct Credentials {
    scheme: &'static str,
    user: String,
    password: Zeroizing<String>,
}

impl Credentials {
    /// Parses `basic:USER` or `digest:USER`, and gets the password from the environment or a prompt.
    ///
    /// # Errors
    ///
    /// The error does not repeat the text, which may have a password in it.
    pub(crate) fn from_option(text: &str) -> Result<Self, Failure> {
        let (scheme, user) = match text.split_once(':') {
            Some(("basic", user)) => (BASIC, user),
            Some(("digest", user)) => ("Digest", user),
            _ => return Err(Failure::usage("--auth needs basic:USER or digest:USER")),
        };
        if user.is_empty() || user.contains(':') {
            return Err(Failure::usage(format_args!(
                "--auth needs a user name without a colon; the password comes from {VARIABLE} or a prompt"
            )));
        }
        let password = match source::variable(VARIABLE)? {
            Some(password) => password,
            None => ask(user)?,
        };
        Ok(Self {
            scheme,
            user: user.to_owned(),
            password,
        })
    }

    /// Answers the challenges of a 401: returns the value for `Authorization`, or `None` if the endpoint
    /// does not ask for this scheme.
    pub(crate) fn answer(
        &self,
        challenges: &[&str],
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Option<String> {
        let challenges: Vec<_> = challenges
            .iter()
            .filter_map(|header| parse_challenges(header).ok())
            .flatten()
            .filter(|challenge| challenge.scheme.eq_ignore_ascii_case(self.scheme))
            .collect();
        if challenges.is_empty() {
            return None;
        }
        if self.scheme == BASIC {
            // The answer does not depend on the challenge, and some challenges have no realm.
            return Some(encode_credentials(&self.user, &self.password));
        }
        let mut client = PasswordClient::builder();
        for challenge in &challenges {
            client = client.challenge(challenge);
        }
        let params = PasswordParams {
            username: &self.user,
            password: &self.password,
            uri: target,
            method,
            body: Some(body),
        };
        client.build().ok()?.respond(&params).ok()
    }
}

fn ask(user: &str) -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format_args!(
            "there is no password: set {VARIABLE}, or run this in a terminal to be asked for it"
        )));
    }
    rpassword::prompt_password(format!("Password for {user}: "))
        .map(Zeroizing::new)
        .map_err(|err| Failure::usage(format_args!("cannot read the password: {err}")))
}
