//! The names of the headers that carry a signature, and the content type of a form.

/// The name of the header with the signature in base64.
pub const SIGNATURE: &str = "X-Twilio-Signature";

/// The name of the header that names a SharedKey and an algorithm (R17).
pub const SIGNATURE_SETTINGS: &str = "X-Twilio-Webhooks-Signature-Settings";

/// The name of the header that identifies an event. Twilio's retries of an event have the same value. No
/// signature covers it.
pub const IDEMPOTENCY_TOKEN: &str = "I-Twilio-Idempotency-Token";

/// The content type of a form, whose parameters are signed (R6).
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The headers in which other products of Twilio send signatures of their own, in lower case, with the products.
const OF_OTHER_PRODUCTS: [(&str, &str); 3] = [
    ("x-twilio-email-event-webhook-signature", "SendGrid"),
    ("x-twilio-email-event-webhook-timestamp", "SendGrid"),
    ("x-authy-signature", "Authy"),
];

/// Returns the product of Twilio that sends a header with a signature of its own, which this crate does not validate.
///
/// Sources: <https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features>
/// and <https://www.twilio.com/docs/authy/validation>.
///
/// # Examples
///
/// ```
/// use twilio_signature::header;
///
/// let name = "X-Twilio-Email-Event-Webhook-Signature";
/// assert_eq!(header::product_that_signs_with(name), Some("SendGrid"));
/// assert_eq!(header::product_that_signs_with(header::SIGNATURE), None);
/// ```
#[must_use]
pub fn product_that_signs_with(name: &str) -> Option<&'static str> {
    let mut products = OF_OTHER_PRODUCTS.iter();
    let (_, product) = products.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(product)
}

/// What to do about a request that [looks like Twilio's](looks_like_twilios) and has no signature.
pub const SIGNATURE_REMOVED: &str = "the request looks like Twilio's, so a proxy removed the header: make the proxy pass X-Twilio-Signature on";

/// Returns whether a header shows that Twilio probably sent a request: its proxy's `User-Agent`, or an idempotency
/// token. No signature covers these headers, so they prove nothing.
///
/// # Examples
///
/// ```
/// use twilio_signature::header;
///
/// assert!(header::looks_like_twilios("User-Agent", "TwilioProxy/1.1"));
/// assert!(!header::looks_like_twilios("User-Agent", "curl/8.5.0"));
/// ```
#[must_use]
pub fn looks_like_twilios(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case(IDEMPOTENCY_TOKEN)
        || (name.eq_ignore_ascii_case("User-Agent") && value.starts_with("TwilioProxy/"))
}

/// The names of headers in lower case, for crates that need them so.
pub mod lower_case {
    /// [`SIGNATURE`](super::SIGNATURE).
    pub const SIGNATURE: &str = "x-twilio-signature";

    /// [`SIGNATURE_SETTINGS`](super::SIGNATURE_SETTINGS).
    pub const SIGNATURE_SETTINGS: &str = "x-twilio-webhooks-signature-settings";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_names_are_the_same_names() {
        assert_eq!(SIGNATURE.to_ascii_lowercase(), lower_case::SIGNATURE);
        assert_eq!(
            SIGNATURE_SETTINGS.to_ascii_lowercase(),
            lower_case::SIGNATURE_SETTINGS
        );
    }

    #[test]
    fn headers_tell_who_probably_sent_a_request() {
        for (name, value, is_twilios, product) in [
            ("user-agent", "TwilioProxy/1.1", true, None),
            ("User-Agent", "curl/8.5.0 TwilioProxy/1.1", false, None),
            ("X-Agent", "TwilioProxy/1.1", false, None),
            ("i-twilio-idempotency-token", "", true, None),
            (SIGNATURE, "", false, None),
            (
                "X-Twilio-Email-Event-Webhook-Timestamp",
                "1",
                false,
                Some("SendGrid"),
            ),
            ("X-Authy-Signature", "", false, Some("Authy")),
        ] {
            assert_eq!(looks_like_twilios(name, value), is_twilios, "{name}");
            assert_eq!(product_that_signs_with(name), product, "{name}");
        }
    }
}
