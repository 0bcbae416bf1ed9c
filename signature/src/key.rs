//! The secrets that Twilio signs with: kept only as keyed HMAC states, never as text.

use std::fmt;

use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::Sha256;

use crate::{error::ConfigError, redact::is_ignorable};

/// Represents the primary or secondary Auth Token of a Twilio account.
///
/// The token's text is not kept: construction turns it into the keyed state of an HMAC-SHA1, which
/// is wiped from memory on drop. `Debug` prints no part of it.
///
/// # Security
///
/// API keys (`SK...`) never sign webhooks. A subaccount's webhooks are signed with the subaccount's
/// own token.
///
/// # Examples
///
/// ```
/// use twilio_signature::AuthToken;
///
/// let token = AuthToken::new("12345")?;
/// assert_eq!(format!("{token:?}"), "AuthToken(..)");
/// assert!(AuthToken::new("").is_err());
/// # Ok::<(), twilio_signature::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct AuthToken {
    pub(crate) hmac: Hmac<Sha1>,
    has_usual_form: bool,
}

impl AuthToken {
    /// Constructs a token from its text, which is not trimmed.
    ///
    /// # Errors
    ///
    /// Returns an error if the text has no visible character: anyone could sign with such a token (R15).
    pub fn new(token: impl AsRef<str>) -> Result<Self, ConfigError> {
        let token = token.as_ref();
        // R15
        if !has_visible_text(token) {
            return Err(ConfigError::new(
                "Auth Token",
                "it is empty or blank, so anyone could sign with it",
                "copy the Auth Token from the Twilio console",
            ));
        }
        Ok(Self {
            hmac: keyed(token),
            has_usual_form: token.len() == 32
                && token
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        })
    }

    /// Returns whether the text was 32 lower-case hex digits, as the Auth Tokens are that Twilio issues. Another
    /// text was probably copied wrongly, or is another secret.
    ///
    /// # Examples
    ///
    /// ```
    /// use twilio_signature::AuthToken;
    ///
    /// assert!(AuthToken::new("0123456789abcdef0123456789abcdef")?.has_usual_form());
    /// assert!(!AuthToken::new("0123456789ABCDEF0123456789ABCDEF")?.has_usual_form());
    /// # Ok::<(), twilio_signature::ConfigError>(())
    /// ```
    #[must_use]
    pub fn has_usual_form(&self) -> bool {
        self.has_usual_form
    }

    /// Parses the tokens in an environment variable or a file: one, or several separated by commas. White space
    /// and a byte order mark around each token are removed (R15).
    ///
    /// # Errors
    ///
    /// Returns an error if a token has no visible character or is in quotes, or if it is an id instead of a token:
    /// `AC` or `SK`, followed by 32 hex digits.
    ///
    /// # Examples
    ///
    /// ```
    /// use twilio_signature::AuthToken;
    ///
    /// assert_eq!(AuthToken::parse_list("new-token, old-token\n")?.len(), 2);
    /// assert!(AuthToken::parse_list("AC00000000000000000000000000000001").is_err());
    /// # Ok::<(), twilio_signature::ConfigError>(())
    /// ```
    pub fn parse_list(tokens: &str) -> Result<Vec<Self>, ConfigError> {
        tokens
            .split(',')
            .map(|token| {
                // R15
                let token = token.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
                if tokens.contains(',') && !has_visible_text(token) {
                    return Err(ConfigError::new(
                        "Auth Token",
                        "one of the tokens between the commas is empty or blank",
                        "write one token, or several tokens separated by commas",
                    ));
                }
                refuse_look_alikes(token)?;
                Self::new(token)
            })
            .collect()
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}

/// Represents a Twilio SharedKey: a secret with an id, which a request names in its
/// `X-Twilio-Webhooks-Signature-Settings` header (Twilio public beta).
///
/// The secret is kept like an [`AuthToken`]: as keyed states, which are wiped on drop and never printed.
#[derive(Clone)]
pub struct SharedKey {
    id: String,
    pub(crate) sha1: Hmac<Sha1>,
    pub(crate) sha256: Hmac<Sha256>,
}

impl SharedKey {
    /// Constructs a SharedKey from its id and its secret, which are not trimmed.
    ///
    /// # Errors
    ///
    /// Returns an error if the id or the secret has no visible character (R15). Also returns an error if the id
    /// has blanks around it, or contains a comma or a control character, because no request could name it.
    pub fn new(id: impl Into<String>, secret: impl AsRef<str>) -> Result<Self, ConfigError> {
        let (id, secret) = (id.into(), secret.as_ref());
        // R15
        if !has_visible_text(&id)
            || id.trim() != id
            || id.contains(|c: char| c == ',' || c.is_control())
        {
            return Err(ConfigError::new(
                "SharedKey id",
                "it is empty, has blanks around it, or contains a comma or a control character, so no request can name it",
                "copy the id of the SharedKey as Twilio shows it",
            ));
        }
        // R15
        if !has_visible_text(secret) {
            return Err(ConfigError::new(
                "SharedKey secret",
                "it is empty or blank, so anyone could sign with it",
                "copy the secret that Twilio showed when the SharedKey was created",
            ));
        }
        Ok(Self {
            id,
            sha1: keyed(secret),
            sha256: keyed(secret),
        })
    }

    /// Returns the id by which requests name this key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The character that some editors write at the start of a UTF-8 file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns whether a text has a visible character.
///
/// HMAC pads a key with zeros, so a key of NUL bytes is the empty key. Other invisible characters get into a
/// setting by mistake.
fn has_visible_text(text: &str) -> bool {
    text.chars()
        .any(|c| !c.is_whitespace() && !c.is_control() && !is_ignorable(c))
}

/// Refuses what is often set instead of a token by mistake (R15).
fn refuse_look_alikes(token: &str) -> Result<(), ConfigError> {
    let quoted = |quote| token.len() > 1 && token.starts_with(quote) && token.ends_with(quote);
    // R15
    if quoted('"') || quoted('\'') {
        return Err(ConfigError::new(
            "Auth Token",
            "it is in quotes",
            "write the token without the quotes",
        ));
    }
    for (prefix, name) in [("AC", "an AccountSid"), ("SK", "the SID of an API key")] {
        // R15
        if token.strip_prefix(prefix).is_some_and(is_sid_number) {
            return Err(ConfigError::new(
                "Auth Token",
                format!("it is {name}, which never signs webhooks"),
                "copy the Auth Token that the Twilio console shows next to the AccountSid",
            ));
        }
    }
    Ok(())
}

/// Returns whether a text is 32 hex digits, the part of a SID that follows its prefix.
pub(crate) fn is_sid_number(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The HMAC that a signature is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    HmacSha1,
    HmacSha256,
}

impl Algorithm {
    /// Parses the name of an algorithm in the settings header. Names are case-sensitive.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"HMAC_SHA1" => Some(Self::HmacSha1),
            b"HMAC_SHA256" => Some(Self::HmacSha256),
            _ => None,
        }
    }

    /// Returns the length of a signature in bytes.
    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
        }
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn keyed<M: KeyInit>(secret: &str) -> M {
    M::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_states_are_wiped_on_drop() {
        // An HMAC consists of two such hashes, and does not implement the marker trait itself.
        fn wiped<T: hmac::digest::zeroize::ZeroizeOnDrop>() {}
        wiped::<Sha1>();
        wiped::<Sha256>();
    }

    #[test]
    fn blank_secrets_build_no_key() {
        let blanks = [
            "",
            " ",
            "\t\r\n",
            "\u{a0}",
            "\0\0\0",
            "\u{7}",
            "\u{feff}",
            "\u{200b}\u{2060}",
            "\u{3164}",
            "\u{ad}",
        ];
        for blank in blanks {
            assert!(AuthToken::new(blank).is_err(), "{blank:?}");
            assert!(SharedKey::new("K1", blank).is_err(), "{blank:?}");
            assert!(SharedKey::new(blank, "secret").is_err(), "{blank:?}");
        }
        assert!(SharedKey::new("K1 ", "secret").is_err());
        assert!(SharedKey::new("K1,K2", "secret").is_err());
        assert!(SharedKey::new("K1\nK2", "secret").is_err());
        assert!(SharedKey::new("K1\0", "secret").is_err());
        assert!(AuthToken::new("\u{feff}\u{44f}").is_ok());
    }

    #[test]
    fn keys_are_printed_without_their_secrets() {
        let token = AuthToken::new("12345").unwrap();
        assert_eq!(format!("{token:?}"), "AuthToken(..)");
        let key = SharedKey::new("K1", "12345").unwrap();
        assert_eq!(format!("{key:?}"), "SharedKey { id: \"K1\", .. }");
    }

    #[test]
    fn usual_form_of_a_token_is_32_lower_case_hex_digits() {
        let usual = "0123456789abcdef0123456789abcdef";
        assert!(AuthToken::new(usual).unwrap().has_usual_form());
        let capitals = usual.to_uppercase();
        let longer = [usual, "0"].concat();
        for odd in [
            &usual[1..],
            &longer,
            &capitals,
            "0123456789abcdef0123456789abcdeg",
        ] {
            assert!(!AuthToken::new(odd).unwrap().has_usual_form(), "{odd}");
        }
        let parsed = AuthToken::parse_list(" 12345,0123456789abcdef0123456789abcdef\n").unwrap();
        let usual: Vec<_> = parsed.iter().map(AuthToken::has_usual_form).collect();
        assert_eq!(usual, [false, true]);
    }

    #[test]
    fn what_surrounds_a_token_is_no_part_of_it() {
        let signature = |token: &AuthToken| token.sign([b"https://h/", b""]).to_base64();
        let expected = signature(&AuthToken::new("12345").unwrap());
        for text in [
            "12345",
            "\u{feff}12345\r\n",
            " 12345\t",
            "\u{feff} 12345 ,\n12345\n",
        ] {
            for token in AuthToken::parse_list(text).unwrap() {
                assert_eq!(signature(&token), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn tokens_are_cut_out_of_what_surrounds_them_and_look_alikes_are_refused() {
        let parsed = |text: &str| AuthToken::parse_list(text).map(|tokens| tokens.len());
        for (text, tokens) in [
            ("12345", 1),
            ("\u{feff}12345\r\n", 1),
            (" a ,\tb\n", 2),
            ("\"", 1),
            ("AC1", 1),
        ] {
            assert_eq!(parsed(text), Ok(tokens), "{text:?}");
        }
        for (text, problem) in [
            ("", "empty or blank"),
            ("\u{feff}", "empty or blank"),
            ("a,", "between the commas"),
            ("a,\0,b", "between the commas"),
            ("\"12345\"", "in quotes"),
            ("'12345'", "in quotes"),
            ("a,'12345'", "in quotes"),
            ("AC0123456789abcdef0123456789ABCDEF", "an AccountSid"),
            ("a,SK0123456789abcdef0123456789abcdef", "an API key"),
        ] {
            let err = parsed(text).unwrap_err();
            assert!(err.to_string().contains(problem), "{text:?}: {err}");
        }
    }
}
