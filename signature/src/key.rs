//! The secrets that Twilio signs with: kept only as keyed HMAC states, never as text.

use std::fmt;

use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::Sha256;

use crate::error::ConfigError;

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
/// use actix_twilio::AuthToken;
///
/// let token = AuthToken::new("12345")?;
/// assert_eq!(format!("{token:?}"), "AuthToken(..)");
/// assert!(AuthToken::new("").is_err());
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct AuthToken(pub(crate) Hmac<Sha1>);

impl AuthToken {
    /// Constructs a token from its text, which is taken as it is: nothing is trimmed.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is empty or blank: anyone could sign with such a token.
    pub fn new(token: impl AsRef<str>) -> Result<Self, ConfigError> {
        let token = token.as_ref();
        if token.trim().is_empty() {
            return Err(ConfigError::new(
                "Auth Token",
                "it is empty or blank, so that anyone could sign with it",
                "copy the Auth Token from the Twilio console",
            ));
        }
        Ok(Self(keyed(token)))
    }

    /// Parses tokens separated by commas; blanks and line ends around each are cut.
    pub(crate) fn parse_list(tokens: &str) -> Result<Vec<Self>, ConfigError> {
        let empty = |err: ConfigError| {
            if tokens.contains(',') {
                ConfigError::new(
                    "Auth Token",
                    "one of the tokens between the commas is empty or blank",
                    "write one token, or several with a comma between each two",
                )
            } else {
                err
            }
        };
        tokens
            .split(',')
            .map(|token| Self::new(token.trim()).map_err(empty))
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
/// The secret is kept as the [`AuthToken`] is: keyed, wiped on drop, never printed.
#[derive(Clone)]
pub struct SharedKey {
    id: String,
    pub(crate) sha1: Hmac<Sha1>,
    pub(crate) sha256: Hmac<Sha256>,
}

impl SharedKey {
    /// Constructs a SharedKey from its id and its secret, both taken as they are.
    ///
    /// # Errors
    ///
    /// Returns an error if the id or the secret is empty or blank, or if the id has blanks around
    /// it or a comma in it: no request could name it.
    pub fn new(id: impl Into<String>, secret: impl AsRef<str>) -> Result<Self, ConfigError> {
        let (id, secret) = (id.into(), secret.as_ref());
        if id.is_empty() || id.trim() != id || id.contains(',') {
            return Err(ConfigError::new(
                "SharedKey id",
                "it is empty, has blanks around it or a comma in it, so that no request can name it",
                "copy the id of the SharedKey as Twilio shows it",
            ));
        }
        if secret.trim().is_empty() {
            return Err(ConfigError::new(
                "SharedKey secret",
                "it is empty or blank, so that anyone could sign with it",
                "copy the secret that Twilio showed when the SharedKey was made",
            ));
        }
        Ok(Self {
            id,
            sha1: keyed(secret),
            sha256: keyed(secret),
        })
    }

    /// Returns the id that requests name this key by.
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

/// The MAC that a signature was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    HmacSha1,
    HmacSha256,
}

impl Algorithm {
    /// Parses the name that the settings header gives it; names are case-sensitive.
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
        // An HMAC is two such hashes; it does not carry the marker itself.
        fn wiped<T: hmac::digest::zeroize::ZeroizeOnDrop>() {}
        wiped::<Sha1>();
        wiped::<Sha256>();
    }

    #[test]
    fn blank_secrets_build_no_key() {
        for blank in ["", " ", "\t\r\n", "\u{a0}"] {
            assert!(AuthToken::new(blank).is_err(), "{blank:?}");
            assert!(SharedKey::new("K1", blank).is_err(), "{blank:?}");
            assert!(SharedKey::new(blank, "secret").is_err(), "{blank:?}");
        }
        assert!(SharedKey::new("K1 ", "secret").is_err());
        assert!(SharedKey::new("K1,K2", "secret").is_err());
    }
}
