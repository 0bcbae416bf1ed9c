//! Identifies what was signed, so that a handler can recognize a copy of a request.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::mac::Signature;

/// Separates the hash in a [`ReplayKey`] from other hashes of the same bytes.
const DOMAIN: &[u8] = b"twilio replay key v1\0";

/// A signature that was verified. It is never printed, and can be stored only as a [`ReplayKey`].
#[derive(Clone)]
pub struct VerifiedSignature(Signature);

impl VerifiedSignature {
    pub(crate) fn new(signature: &Signature) -> Self {
        Self(signature.clone())
    }

    /// Returns the key by which a copy of the request can be recognized.
    #[must_use]
    pub fn replay_key(&self) -> ReplayKey {
        let hash = Sha256::new_with_prefix(DOMAIN).chain_update(self.0.bytes());
        ReplayKey(hash.finalize().into())
    }
}

impl PartialEq for VerifiedSignature {
    fn eq(&self, other: &Self) -> bool {
        self.0.matches(&other.0)
    }
}

impl Eq for VerifiedSignature {}

impl fmt::Debug for VerifiedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedSignature(..)")
    }
}

/// Identifies a genuine request by its signature, and is the same for every copy of it.
///
/// It is a hash of the signature, from which the signature can't be determined, so it may be stored and logged. It
/// prints as 64 lower-case hex digits.
///
/// Anyone who has recorded a request can send its text with other boundaries between names and values, for example
/// with another `MessageSid`, and needs no token for that. All such copies have the signature of the recording, so
/// they have its replay key. Twilio's own retries have it too. The key that verified the signature, the account, the
/// URL and the headers are not part of it: a rotated token, a changed header or an account that is cut away would
/// otherwise make a copy look like a new request.
///
/// # Pitfalls
///
/// - The same key does not always mean the same event. Within a call, Twilio sends the same text again if the caller
///   presses the same key twice, or if a `<Redirect>` leads back to the same URL. Only the header
///   `I-Twilio-Idempotency-Token` differs then. It is not signed, so use it to distinguish these, and for nothing
///   else.
/// - Different keys do not always mean different events. If Twilio reports an event again with another value in some
///   parameter, the report has another signature. An event in a batch may also be in another batch.
///
/// # Examples
///
/// ```
/// use twilio_signature::{AuthToken, RequestValidator, WebhookRequest};
///
/// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
/// let request = |body| {
///     WebhookRequest::new("POST", "https://example.com/message")
///         .content_type("application/x-www-form-urlencoded")
///         .body(body)
/// };
/// let recorded = request("Body=Hi&MessageSid=SM1");
/// let signature = validator.sign(&recorded)?;
/// let replay_key = |body| {
///     let accepted = validator.validate(&request(body).signature(&signature))?;
///     Ok::<_, twilio_signature::SignatureError>(accepted.signature.replay_key())
/// };
///
/// // The same text, with other boundaries: there is no MessageSid.
/// assert_eq!(replay_key("Body=Hi&MessageSid=SM1")?, replay_key("Body=HiMessageSidSM1")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplayKey([u8; 32]);

impl ReplayKey {
    /// Returns the bytes of the hash, for a column of bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplayKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{body::body_sha256, key::Algorithm};

    fn key(signature: &str, algorithm: Algorithm) -> ReplayKey {
        let signature = Signature::parse(signature.as_bytes(), algorithm).unwrap();
        VerifiedSignature::new(&signature).replay_key()
    }

    #[test]
    fn key_is_a_hash_of_the_whole_signature_and_of_nothing_else() {
        use Algorithm::{HmacSha1, HmacSha256};
        let signatures = [
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", HmacSha1, 20, 0),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAE=", HmacSha1, 20, 1),
            (
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                HmacSha256,
                32,
                0,
            ),
            (
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
                HmacSha256,
                32,
                1,
            ),
        ];
        for (text, algorithm, len, last) in signatures {
            let mut bytes = vec![0; len];
            bytes[len - 1] = last;
            let hash = body_sha256([b"twilio replay key v1\0", &*bytes].concat());
            let key = key(text, algorithm);
            assert_eq!(key.to_string(), hash, "{text}");
            let as_bytes = key.as_bytes().iter().map(|byte| format!("{byte:02x}"));
            assert_eq!(as_bytes.collect::<String>(), hash, "{text}");
            assert_eq!(format!("{key:?}"), format!("ReplayKey({hash})"));
        }
    }

    #[test]
    fn signature_is_compared_but_not_printed() {
        let signature = |text: &str| {
            let parsed = Signature::parse(text.as_bytes(), Algorithm::HmacSha1);
            VerifiedSignature::new(&parsed.unwrap())
        };
        let [one, other] = [
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ];
        assert_eq!(signature(one), signature(one));
        assert_ne!(signature(one), signature(other));
        assert_eq!(format!("{:?}", signature(one)), "VerifiedSignature(..)");
    }
}
