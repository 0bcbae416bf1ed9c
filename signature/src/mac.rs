//! Computes, parses and compares signatures.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;
use smallvec::SmallVec;
use subtle::ConstantTimeEq;

use crate::key::{Algorithm, AuthToken, SharedKey};

/// The length in bytes of the longest signature, that of HMAC-SHA256.
const MAX_LEN: usize = 32;

/// An HMAC-SHA1 or HMAC-SHA256 of a URL and its parameters.
///
/// It has no `Debug` and no `PartialEq`: a computed signature is neither printed nor compared in
/// variable time.
#[derive(Clone)]
pub(crate) struct Signature {
    /// The bytes as words, so that there are few to compare. A shorter signature is padded with zeros.
    words: [u64; MAX_LEN / 8],
    len: usize,
}

impl Signature {
    /// Computes the signature of a text in two parts: the URL and its parameters.
    fn compute<M: Mac + Clone>(key: &M, text: [&[u8]; 2]) -> Self {
        let mut mac = key.clone();
        for part in text {
            mac.update(part);
        }
        Self::from_bytes(&mac.finalize().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let mut padded = [[0; 8]; MAX_LEN / 8];
        for (to, from) in padded.as_flattened_mut().iter_mut().zip(bytes) {
            *to = *from;
        }
        Self {
            words: padded.map(u64::from_ne_bytes),
            len: bytes.len(),
        }
    }

    /// Parses a canonical base64 text (standard alphabet, padded, spare bits zero) whose length in bytes is that
    /// of the algorithm (R13).
    pub(crate) fn parse(text: &[u8], algorithm: Algorithm) -> Option<Self> {
        // The decoder needs a buffer for whole groups of three bytes.
        let mut bytes = [0; MAX_LEN + 2];
        // R13
        if text.len() != algorithm.signature_len().div_ceil(3) * 4 {
            return None;
        }
        let len = STANDARD.decode_slice(text, &mut bytes).ok()?;
        (len == algorithm.signature_len())
            .then(|| Self::from_bytes(bytes.get(..len).unwrap_or_default()))
    }

    /// Compares two signatures in constant time (R14).
    pub(crate) fn matches(&self, other: &Self) -> bool {
        // R14
        self.len == other.len && bool::from(self.words.ct_eq(&other.words))
    }

    /// Returns the value for the `X-Twilio-Signature` header.
    pub(crate) fn to_base64(&self) -> String {
        STANDARD.encode(self.bytes())
    }

    pub(crate) fn bytes(&self) -> SmallVec<[u8; MAX_LEN]> {
        let bytes = self.words.map(u64::to_ne_bytes);
        bytes.into_iter().flatten().take(self.len).collect()
    }
}

impl AuthToken {
    /// Signs a URL and its parameters.
    pub(crate) fn sign(&self, text: [&[u8]; 2]) -> Signature {
        Signature::compute(&self.hmac, text)
    }
}

impl SharedKey {
    /// Signs a URL and its parameters.
    pub(crate) fn sign(&self, algorithm: Algorithm, text: [&[u8]; 2]) -> Signature {
        match algorithm {
            Algorithm::HmacSha1 => Signature::compute(&self.sha1, text),
            Algorithm::HmacSha256 => Signature::compute(&self.sha256, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    /// A signature of another length is never compared: its algorithm is that of the key. If it were, the zeros behind a
    /// short one would not count as bytes of it.
    #[test]
    fn signatures_match_if_all_their_bytes_and_their_lengths_do() {
        let twenty = Signature::from_bytes(&[7; 20]);
        let mut other = [7; 20];
        other[19] = 8;
        assert!(twenty.matches(&Signature::from_bytes(&[7; 20])));
        assert!(!twenty.matches(&Signature::from_bytes(&other)));
        let mut padded = [0; 32];
        padded[..20].copy_from_slice(&[7; 20]);
        assert!(!twenty.matches(&Signature::from_bytes(&padded)));
    }

    #[test]
    fn only_canonical_base64_of_the_right_length_is_a_signature() {
        let wrong = [
            "",
            " ",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8==",
            "RSOYDt4T1cUTdK1PDd93_VVr8B8=",
            "RSOYDt4T1cUTdK1PDd93/VVr8B9=",
            " RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8= ",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=,RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8\u{e9}",
            "RSOYDt4T1cUTdK1PDd93/VVr8A==",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8A",
            SHA256,
        ];
        for text in wrong {
            assert!(
                Signature::parse(text.as_bytes(), Algorithm::HmacSha1).is_none(),
                "{text:?}"
            );
        }
        assert!(Signature::parse(SHA1.as_bytes(), Algorithm::HmacSha256).is_none());
        for (text, algorithm) in [(SHA1, Algorithm::HmacSha1), (SHA256, Algorithm::HmacSha256)] {
            assert_eq!(
                Signature::parse(text.as_bytes(), algorithm)
                    .unwrap()
                    .to_base64(),
                text
            );
        }
    }
}
