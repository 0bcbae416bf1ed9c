//! Signatures: computing them, reading them from a request's headers, and comparing them.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;
use subtle::{Choice, ConstantTimeEq};

use crate::{
    error::ValidationErrorKind,
    key::{Algorithm, AuthToken, SharedKey},
    request::HeaderValue::{self, Absent, Conflicting, One},
};

/// Bytes of the longest signature, HMAC-SHA256's.
const MAX_LEN: usize = 32;

/// The bytes of an HMAC-SHA1 or HMAC-SHA256.
///
/// It has no `Debug` and no `PartialEq`: a computed signature is neither printed nor compared in
/// variable time.
#[derive(Clone)]
pub(crate) struct Signature {
    bytes: [u8; MAX_LEN],
    len: usize,
}

impl Signature {
    /// Computes the signature of a text in two parts: the URL and its parameters.
    fn compute<M: Mac + Clone>(key: &M, text: [&[u8]; 2]) -> Self {
        let mut mac = key.clone();
        for part in text {
            mac.update(part);
        }
        Self::from_digest(&mac.finalize().into_bytes())
    }

    /// Copies the output of a MAC of at most [`MAX_LEN`] bytes.
    fn from_digest(digest: &[u8]) -> Self {
        let mut bytes = [0; MAX_LEN];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        let len = digest.len().min(MAX_LEN);
        Self { bytes, len }
    }

    /// Parses a canonical base64 text (standard alphabet, padded, spare bits zero) of as many bytes
    /// as the algorithm yields.
    pub(crate) fn parse(text: &[u8], algorithm: Algorithm) -> Option<Self> {
        // A decoder wants room for whole groups of three bytes.
        let mut bytes = [0; MAX_LEN + 2];
        if text.len() != algorithm.signature_len().div_ceil(3) * 4 {
            return None;
        }
        let len = STANDARD.decode_slice(text, &mut bytes).ok()?;
        (len == algorithm.signature_len())
            .then(|| Self::from_digest(bytes.get(..len).unwrap_or(&[])))
    }

    /// Compares two signatures in constant time, eight bytes at a time.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let (ours, _) = self.bytes.as_chunks();
        let (theirs, _) = other.bytes.as_chunks();
        let same = ours
            .iter()
            .zip(theirs)
            .fold(Choice::from(1), |same, (a, b)| {
                same & u64::from_ne_bytes(*a).ct_eq(&u64::from_ne_bytes(*b))
            });
        self.len == other.len && bool::from(same)
    }

    /// Returns the text that goes into the `X-Twilio-Signature` header.
    pub(crate) fn to_base64(&self) -> String {
        STANDARD.encode(self.bytes.get(..self.len).unwrap_or(&[]))
    }
}

impl AuthToken {
    /// Signs a URL and its parameters.
    pub(crate) fn sign(&self, text: [&[u8]; 2]) -> Signature {
        Signature::compute(&self.0, text)
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

/// Which key a request says that it was signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyClaim<'a> {
    /// No settings header: the account's Auth Token, with HMAC-SHA1.
    AuthToken,
    /// The SharedKey of this id.
    SharedKey { id: &'a [u8], algorithm: Algorithm },
}

impl<'a> KeyClaim<'a> {
    /// Reads the `X-Twilio-Webhooks-Signature-Settings` header, `key=<id>,algorithm=<name>`.
    ///
    /// Fields of other names are passed over, so that Twilio can add some; what they say can't
    /// change which key and algorithm are used.
    pub(crate) fn parse(settings: HeaderValue<'a>) -> Result<Self, ValidationErrorKind> {
        let text = match settings {
            Absent => return Ok(Self::AuthToken),
            One(text) => text,
            Conflicting => return Err(ValidationErrorKind::SettingsMalformed),
        };
        let (mut id, mut algorithm) = (None, None);
        for field in text.split(|byte| *byte == b',') {
            let field = field.trim_ascii();
            let Some(equals) = field.iter().position(|byte| *byte == b'=') else {
                return Err(ValidationErrorKind::SettingsMalformed);
            };
            let (name, value) = field.split_at(equals);
            let slot = match name {
                b"key" => &mut id,
                b"algorithm" => &mut algorithm,
                _ => continue,
            };
            if slot.replace(value.get(1..).unwrap_or(&[])).is_some() {
                return Err(ValidationErrorKind::SettingsMalformed);
            }
        }
        let id = id
            .filter(|id| !id.is_empty())
            .ok_or(ValidationErrorKind::SettingsMalformed)?;
        let algorithm = match algorithm {
            None => Algorithm::HmacSha1,
            Some(name) => {
                Algorithm::from_name(name).ok_or(ValidationErrorKind::AlgorithmUnknown)?
            }
        };
        Ok(Self::SharedKey { id, algorithm })
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::AuthToken => Algorithm::HmacSha1,
            Self::SharedKey { algorithm, .. } => algorithm,
        }
    }
}

/// What a request's headers claim: this signature, by that key.
#[derive(Clone)]
pub(crate) struct SignatureClaim<'a> {
    pub(crate) signature: Signature,
    pub(crate) key: KeyClaim<'a>,
}

impl<'a> SignatureClaim<'a> {
    /// Reads the two signature headers; needs no key and no body.
    pub(crate) fn parse(
        signature: HeaderValue<'a>,
        settings: HeaderValue<'a>,
    ) -> Result<Self, ValidationErrorKind> {
        let text = match signature {
            Absent => return Err(ValidationErrorKind::SignatureMissing),
            One(text) => text,
            Conflicting => return Err(ValidationErrorKind::SignatureConflicting),
        };
        let key = KeyClaim::parse(settings)?;
        let signature = Signature::parse(text, key.algorithm())
            .ok_or(ValidationErrorKind::SignatureMalformed)?;
        Ok(Self { signature, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

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

    #[test]
    fn settings_name_a_key_and_an_algorithm() {
        use Algorithm::{HmacSha1, HmacSha256};
        let shared = |id: &'static str, algorithm| {
            Ok(KeyClaim::SharedKey {
                id: id.as_bytes(),
                algorithm,
            })
        };
        let malformed = Err(ValidationErrorKind::SettingsMalformed);
        let unknown = Err(ValidationErrorKind::AlgorithmUnknown);
        let cases = [
            ("key=K1,algorithm=HMAC_SHA256", shared("K1", HmacSha256)),
            ("algorithm=HMAC_SHA256 ,  key=K1", shared("K1", HmacSha256)),
            ("key=K1,algorithm=HMAC_SHA1", shared("K1", HmacSha1)),
            ("key=K1", shared("K1", HmacSha1)),
            ("key=K=1,new=field", shared("K=1", HmacSha1)),
            ("key=,algorithm=HMAC_SHA1", malformed),
            ("algorithm=HMAC_SHA1", malformed),
            ("Key=K1", malformed),
            ("key =K1", malformed),
            ("key=K1,key=K1", malformed),
            (
                "key=K1,algorithm=HMAC_SHA1,algorithm=HMAC_SHA256",
                malformed,
            ),
            ("key=K1,", malformed),
            ("K1", malformed),
            ("key=K1,algorithm=", unknown),
            ("key=K1,algorithm=none", unknown),
            ("key=K1,algorithm=hmac_sha256", unknown),
            ("key=K1,algorithm=HMAC_SHA512", unknown),
        ];
        for (text, expected) in cases {
            assert_eq!(KeyClaim::parse(One(text.as_bytes())), expected, "{text:?}");
        }
        assert_eq!(KeyClaim::parse(Absent), Ok(KeyClaim::AuthToken));
        assert_eq!(KeyClaim::parse(Conflicting), malformed);
    }
}
