//! The names of Twilio's headers.

/// Carries the signature.
pub(crate) const SIGNATURE: &str = "X-Twilio-Signature";

/// Names the `SharedKey` and the algorithm of a signature.
pub(crate) const SIGNATURE_SETTINGS: &str = "X-Twilio-Webhooks-Signature-Settings";
