//! Authenticates by Basic or Digest as Twilio does: only after the endpoint has asked for it.

use std::io::{self, IsTerminal};

use http_auth::{PasswordClient, PasswordParams, basic::encode_credentials, parse_challenges};
use zeroize::Zeroizing;

use crate::{input::source, outcome::Failure};

pub(crate) const BASIC: &str = "Basic";
pub(crate) const DIGEST: &str = "Digest";
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
            Some(("digest", user)) => (DIGEST, user),
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

    /// Returns the name of the scheme.
    pub(crate) fn scheme(&self) -> &'static str {
        self.scheme
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

/// The most schemes that are named.
const MAX_SCHEMES: usize = 5;

/// Returns the schemes that challenges ask for, each once: those that Twilio answers first.
pub(crate) fn schemes(challenges: &[&str]) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for header in challenges {
        let names: Vec<_> = match parse_challenges(header) {
            Ok(challenges) => challenges
                .iter()
                .map(|challenge| challenge.scheme)
                .collect(),
            // The parser takes no challenge with a token in place of parameters, such as those of Negotiate.
            Err(_) => header.split(' ').next().into_iter().collect(),
        };
        for name in names.into_iter().filter(|name| is_scheme(name)) {
            let known = [BASIC, DIGEST].into_iter();
            let mut known = known.filter(|known| known.eq_ignore_ascii_case(name));
            let name = known.next().unwrap_or(name);
            if schemes
                .iter()
                .all(|other| !other.eq_ignore_ascii_case(name))
            {
                schemes.push(name.to_owned());
            }
        }
    }
    schemes.sort_by_key(|name| name != BASIC && name != DIGEST);
    schemes.truncate(MAX_SCHEMES);
    schemes
}

/// Returns whether a text has the form of a scheme's name: those that are registered have letters, digits and hyphens.
fn is_scheme(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=30).contains(&name.len()) && name.bytes().all(is_part)
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
