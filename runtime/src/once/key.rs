//! The key by which an event is remembered.

use std::{fmt, time::Duration};

use actix_web::{HttpRequest, http::header::HeaderName};
use sha2::{Digest, Sha256};

use super::family::Family;
use crate::gate::Proof;

const IDEMPOTENCY_TOKEN: HeaderName = HeaderName::from_static("i-twilio-idempotency-token");

/// Separates the hash in a key from other hashes of the same bytes.
const DOMAIN: &[u8] = b"twilio once key v1\0";

/// The longest time for which an answer is remembered if its key is brief. Twilio's retries of a webhook end within
/// 15 s.
const BRIEF: Duration = Duration::from_secs(5 * 60);

/// The key by which an event is remembered: a hash, which prints as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OnceKey {
    hash: [u8; 32],
    is_brief: bool,
}

impl OnceKey {
    /// Makes a key from what identifies an event. Keys of different scopes never meet.
    ///
    /// # Security
    ///
    /// Use only what the signature covers and what a re-cut copy can't change: the [replay key](Proof::replay_key), the
    /// account that the [proof](Proof::account) names, or members of a JSON body. Whoever chooses the key of a request
    /// can make it a duplicate of another one, or make a replayed one look new.
    #[must_use]
    pub fn new(scope: &str, identity: &[u8]) -> Self {
        Self::of_parts(scope, [identity])
    }

    pub(super) fn of_parts<const N: usize>(scope: &str, parts: [&[u8]; N]) -> Self {
        let mut hash = Sha256::new_with_prefix(DOMAIN);
        for part in [scope.as_bytes()].into_iter().chain(parts) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self {
            hash: hash.finalize().into(),
            is_brief: false,
        }
    }

    /// Makes a key whose answer is remembered for at most five minutes: long enough for Twilio's retries.
    ///
    /// Use it if anyone who has one recording can make many keys, for example from a header. Keys that are remembered
    /// for hours would let such a client fill the store.
    #[must_use]
    pub fn brief(self) -> Self {
        Self {
            is_brief: true,
            ..self
        }
    }

    /// Returns for how long its answer is remembered.
    pub(super) fn retention(&self, usual: Duration) -> Duration {
        if self.is_brief {
            usual.min(BRIEF)
        } else {
            usual
        }
    }
}

impl fmt::Display for OnceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for OnceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnceKey({self})")
    }
}

/// Chooses the key of a request: `#[validate_twilio_request(once = MyKey)]`, or
/// [`Once::by`](super::Once::by) for the middleware.
///
/// # Examples
///
/// ```
/// use actix_twilio::{Proof, once::{EventKey, OnceKey}};
/// use actix_web::HttpRequest;
///
/// /// Requests of this route never repeat rightly, so the token is left out.
/// enum BySignature {}
///
/// impl EventKey for BySignature {
///     fn key(_: &HttpRequest, proof: &Proof) -> Option<OnceKey> {
///         Some(OnceKey::new("my route", proof.replay_key().as_bytes()))
///     }
/// }
/// ```
pub trait EventKey: 'static {
    /// Returns the key of a genuine request, or `None` if it is handled each time.
    fn key(req: &HttpRequest, proof: &Proof) -> Option<OnceKey>;
}

/// The default [`EventKey`]: the verified signature. Where the same signature may be a new event, which is within a
/// call, the header `I-Twilio-Idempotency-Token` is added, and the key is [brief](OnceKey::brief); without that header such
/// a request is handled each time.
#[derive(Debug)]
pub enum VerifiedKey {}

impl EventKey for VerifiedKey {
    fn key(req: &HttpRequest, proof: &Proof) -> Option<OnceKey> {
        let replay_key = proof.replay_key();
        let token = req.headers().get(IDEMPOTENCY_TOKEN);
        let token = token.map(|token| token.as_bytes().trim_ascii());
        let token = token.filter(|token| !token.is_empty());
        match (Family::of(req, proof), token) {
            (Family::Handshake, _) | (Family::InCall, None) => None,
            (Family::Event, _) | (Family::Unknown, None) => {
                Some(OnceKey::new("signature", replay_key.as_bytes()))
            }
            // The header is not signed, so it may only distinguish what may repeat. Anyone who has one recording can
            // make many such keys.
            (Family::InCall | Family::Unknown, Some(token)) => {
                let parts = [replay_key.as_bytes(), token];
                Some(OnceKey::of_parts("signature and token", parts).brief())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_scope_and_by_the_borders_of_their_parts() {
        let keys = [
            OnceKey::new("a", b"bc"),
            OnceKey::new("ab", b"c"),
            OnceKey::of_parts("a", [b"b", b"c"]),
            OnceKey::of_parts("a", [b"bc", b""]),
            OnceKey::of_parts("a", [b"", b"bc"]),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys.iter().skip(index + 1).any(|other| other == key));
        }
    }
}
