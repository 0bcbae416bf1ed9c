//! Authenticates by Basic or Digest as Twilio does: only after the endpoint has asked for it.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
};

use http_auth::{PasswordClient, PasswordParams, basic::encode_credentials, parse_challenges};
use zeroize::Zeroizing;

use crate::{input::source, outcome::Failure, terminal};

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
        challenges: &[Cow<str>],
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Option<String> {
        let challenges: Vec<_> = challenges
            .iter()
            .flat_map(|header| split(header))
            .filter(|challenge| challenge.scheme.eq_ignore_ascii_case(self.scheme))
            .collect();
        if challenges.is_empty() {
            return None;
        }
        if self.scheme == BASIC {
            // The answer does not depend on the challenge, whose parameters may be missing or broken.
            return Some(encode_credentials(&self.user, &self.password));
        }
        let mut client = PasswordClient::builder();
        for challenge in &challenges {
            // The parser takes one blank after the scheme.
            let text = [challenge.scheme, " ", challenge.parameters].concat();
            for challenge in parse_challenges(&text).into_iter().flatten() {
                client = client.challenge(&challenge);
            }
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

/// A challenge within a header.
#[derive(Debug, PartialEq, Eq)]
struct Challenge<'h> {
    scheme: &'h str,
    parameters: &'h str,
}

/// Splits a header into its challenges, so that one that can't be parsed does not hide the others: the parser takes no
/// token in place of parameters, such as that of Negotiate, no blank in place of a comma, and only ASCII.
fn split(header: &str) -> Vec<Challenge<'_>> {
    let is_end = |c: char| c == ',' || c.is_ascii_whitespace();
    let starts: Vec<_> = parts(header)
        .into_iter()
        .filter(|start| starts_challenge(header.get(*start..).unwrap_or_default()))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([header.len()]);
    let challenges = starts.iter().zip(ends).filter_map(|(start, end)| {
        let text = header.get(*start..end)?.trim_matches(is_end);
        let (scheme, parameters) = text.split_once(is_end).unwrap_or((text, ""));
        is_scheme(scheme).then(|| Challenge {
            scheme,
            parameters: parameters.trim_start(),
        })
    });
    challenges.collect()
}

/// Returns where the parts of a header start: at its start, and after each comma that is not in quotes. If a quote is not
/// closed, no comma is in quotes.
fn parts(header: &str) -> Vec<usize> {
    let (mut all, mut unquoted) = (vec![0], vec![0]);
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in header.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        if byte == b',' {
            all.push(index + 1);
            if !quoted {
                unquoted.push(index + 1);
            }
        }
    }
    if quoted { all } else { unquoted }
}

/// Returns whether a part starts with a scheme, and not with a parameter, which has an equals sign after its name.
fn starts_challenge(part: &str) -> bool {
    let part = part.trim_ascii_start();
    let name = part.find(|c: char| c == '=' || c == ',' || c.is_ascii_whitespace());
    let (name, rest) = part.split_at(name.unwrap_or(part.len()));
    !name.is_empty() && !rest.trim_ascii_start().starts_with('=')
}

/// Says why Digest can't be answered, and what to do: a clause without a full stop, which follows "the endpoint asks for
/// Digest".
pub(crate) fn fault_of_digest(challenges: &[Cow<str>]) -> String {
    let mut challenges = challenges.iter().flat_map(|header| split(header));
    let digest = challenges.find(|challenge| challenge.scheme.eq_ignore_ascii_case(DIGEST));
    let parameters = digest.map_or("", |challenge| challenge.parameters);
    for name in ["realm", "nonce"] {
        match parameter(parameters, name) {
            None => return format!("without a {name}, so --auth can't answer: let it send one"),
            Some(value) if !value.is_ascii() => {
                return format!(
                    "with a {name} that is not ASCII, so --auth can't answer: use one in ASCII"
                );
            }
            Some(_) => {}
        }
    }
    if parse_challenges(&[DIGEST, " ", parameters].concat()).is_err() {
        return "in a form that can't be parsed, so --auth can't answer: send parameters in ASCII, each with a value, and \
                a comma between them"
            .to_owned();
    }
    "in a form that --auth can't answer: use an algorithm such as MD5 or SHA-256, and the quality of protection auth"
        .to_owned()
}

/// Returns the value of a parameter of a challenge as it is written.
fn parameter<'c>(parameters: &'c str, name: &str) -> Option<&'c str> {
    let starts = parts(parameters);
    let ends = starts.iter().skip(1).copied().chain([parameters.len()]);
    let mut parts = starts.iter().zip(ends);
    parts.find_map(|(start, end)| {
        let (other, value) = parameters.get(*start..end)?.split_once('=')?;
        other.trim().eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The most schemes that are named.
const MAX_SCHEMES: usize = 5;

/// Returns the schemes that challenges ask for, each once: those that Twilio answers first.
pub(crate) fn schemes(challenges: &[Cow<str>]) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for challenge in challenges.iter().flat_map(|header| split(header)) {
        let mut known = [BASIC, DIGEST].into_iter();
        let known = known.find(|known| known.eq_ignore_ascii_case(challenge.scheme));
        let name = known.unwrap_or(challenge.scheme);
        if schemes
            .iter()
            .all(|other| !other.eq_ignore_ascii_case(name))
        {
            schemes.push(name.to_owned());
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
    rpassword::prompt_password(prompt(user))
        .map(Zeroizing::new)
        .map_err(|err| Failure::usage(format_args!("cannot read the password: {err}")))
}

/// Returns the prompt for a password. The name is one of the command line, which may have been pasted.
fn prompt(user: &str) -> String {
    let user = terminal::line(&terminal::without_secrets(user));
    format!("Password for {user}: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_shows_no_token_and_nothing_that_a_terminal_acts_on() {
        let user = format!("\x1b[31mred\u{202e} {}", "0a".repeat(16));
        assert_eq!(
            prompt(&user),
            "Password for \\u{1b}[31mred\\u{202e} <token>: "
        );
        assert_eq!(prompt("ad\u{e4}"), "Password for ad\u{e4}: ");
    }

    #[test]
    fn the_fault_of_a_digest_is_named() {
        for (header, fault) in [
            ("Digest nonce=\"n\"", "without a realm"),
            ("Digest", "without a realm"),
            ("Basic realm=x, digest Realm = \"x\"", "without a nonce"),
            (
                "Digest realm=\"\u{e9}\", nonce=\"n\"",
                "with a realm that is not ASCII",
            ),
            (
                "Digest realm=x, nonce=\"\u{fffd}\"",
                "with a nonce that is not ASCII",
            ),
            ("Digest realm=x, nonce=y, z=", "that can't be parsed"),
            (
                "Digest realm=x, nonce=y, opaque=\"\u{e9}\"",
                "that can't be parsed",
            ),
            (
                "Digest realm=x, nonce=y, algorithm=FOO",
                "use an algorithm such as MD5",
            ),
        ] {
            let said = fault_of_digest(&[header.into()]);
            assert!(said.contains(fault), "{header}: {said}");
        }
    }

    #[test]
    fn each_challenge_of_a_header_is_found_next_to_ones_that_cannot_be_parsed() {
        let cases: [(&str, &[(&str, &str)]); 16] = [
            ("", &[]),
            (",,,=", &[]),
            ("Basic", &[("Basic", "")]),
            (" Basic\trealm=x", &[("Basic", "realm=x")]),
            ("Basic  realm=x,", &[("Basic", "realm=x")]),
            (", Basic realm=x", &[("Basic", "realm=x")]),
            ("Basic realm=\"\u{e9}\"", &[("Basic", "realm=\"\u{e9}\"")]),
            ("Negotiate,Basic", &[("Negotiate", ""), ("Basic", "")]),
            (
                "Negotiate abc==, Basic realm=x",
                &[("Negotiate", "abc=="), ("Basic", "realm=x")],
            ),
            (
                "Bearer realm=x scope=a, Basic realm=y",
                &[("Bearer", "realm=x scope=a"), ("Basic", "realm=y")],
            ),
            (
                "Digest realm=x, nonce = y, qop=\"auth,auth-int\", Basic",
                &[
                    ("Digest", "realm=x, nonce = y, qop=\"auth,auth-int\""),
                    ("Basic", ""),
                ],
            ),
            // A scheme within quotes, or right after another scheme, is not a challenge.
            (
                "Bearer realm=\"a, Basic realm=b\"",
                &[("Bearer", "realm=\"a, Basic realm=b\"")],
            ),
            (
                "Bearer realm=\"a\\\", Basic b\"",
                &[("Bearer", "realm=\"a\\\", Basic b\"")],
            ),
            ("AWS4 Basic realm=x", &[("AWS4", "Basic realm=x")]),
            ("Basic=x", &[]),
            // An open quote hides nothing.
            (
                "Bearer realm=\"x, Basic realm=y",
                &[("Bearer", "realm=\"x"), ("Basic", "realm=y")],
            ),
        ];
        for (header, expected) in cases {
            let found: Vec<_> = split(header)
                .iter()
                .map(|challenge| (challenge.scheme, challenge.parameters))
                .collect();
            assert_eq!(found, expected, "{header:?}");
        }
    }
}
