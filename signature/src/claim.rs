//! Parses the two signature headers of a request: what it claims to be signed with.

use crate::{
    error::SignatureErrorKind,
    key::Algorithm,
    mac::Signature,
    request::HeaderValue::{self, Absent, Conflicting, One},
};

/// The key that a request claims to be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyClaim<'a> {
    /// The account's Auth Token, with HMAC-SHA1, because there is no settings header.
    AuthToken,
    /// The SharedKey with this id.
    SharedKey { id: &'a [u8], algorithm: Algorithm },
}

impl<'a> KeyClaim<'a> {
    /// Parses the `X-Twilio-Webhooks-Signature-Settings` header, `key=<id>,algorithm=<name>`.
    ///
    /// Fields with other names are ignored, so that Twilio can add some. They can't change which key and
    /// algorithm are used.
    pub(crate) fn parse(settings: HeaderValue<'a>) -> Result<Self, SignatureErrorKind> {
        let text = match settings {
            // R17
            Absent => return Ok(Self::AuthToken),
            One(text) => text,
            Conflicting => return Err(SignatureErrorKind::SettingsMalformed),
        };
        let (mut id, mut algorithm) = (None, None);
        for field in text.split(|byte| *byte == b',') {
            let field = field.trim_ascii();
            let Some(equals) = field.iter().position(|byte| *byte == b'=') else {
                return Err(SignatureErrorKind::SettingsMalformed);
            };
            let (name, value) = field.split_at(equals);
            let slot = match name {
                b"key" => &mut id,
                b"algorithm" => &mut algorithm,
                _ => continue,
            };
            if slot.replace(value.get(1..).unwrap_or(&[])).is_some() {
                return Err(SignatureErrorKind::SettingsMalformed);
            }
        }
        let id = id
            .filter(|id| !id.is_empty())
            .ok_or(SignatureErrorKind::SettingsMalformed)?;
        // R17
        let algorithm = match algorithm {
            None => Algorithm::HmacSha1,
            Some(name) => Algorithm::from_name(name).ok_or(SignatureErrorKind::AlgorithmUnknown)?,
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

/// The claim of a request's headers: this signature, made with that key.
#[derive(Clone)]
pub(crate) struct SignatureClaim<'a> {
    pub(crate) signature: Signature,
    pub(crate) key: KeyClaim<'a>,
}

impl<'a> SignatureClaim<'a> {
    /// Parses the two signature headers. This needs no key and no body.
    pub(crate) fn parse(
        signature: HeaderValue<'a>,
        settings: HeaderValue<'a>,
    ) -> Result<Self, SignatureErrorKind> {
        // R13
        let text = match signature {
            Absent => return Err(SignatureErrorKind::SignatureMissing),
            One(text) => text,
            Conflicting => return Err(SignatureErrorKind::SignatureConflicting),
        };
        let key = KeyClaim::parse(settings)?;
        let signature = Signature::parse(text, key.algorithm())
            .ok_or(SignatureErrorKind::SignatureMalformed)?;
        Ok(Self { signature, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_a_key_and_an_algorithm() {
        use Algorithm::{HmacSha1, HmacSha256};
        let shared = |id: &'static str, algorithm| {
            Ok(KeyClaim::SharedKey {
                id: id.as_bytes(),
                algorithm,
            })
        };
        let malformed = Err(SignatureErrorKind::SettingsMalformed);
        let unknown = Err(SignatureErrorKind::AlgorithmUnknown);
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
