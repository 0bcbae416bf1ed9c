//! The form of SIDs, by which Twilio names what it has.

/// Returns whether a text is a SID: two capital letters and 32 hex digits.
pub(crate) fn is_sid(text: &[u8]) -> bool {
    match text {
        [first, second, number @ ..] => {
            // Without an early end, which keeps the compiler from using vector instructions.
            let is_hex = number
                .iter()
                .fold(true, |is_hex, digit| is_hex & digit.is_ascii_hexdigit());
            first.is_ascii_uppercase()
                && second.is_ascii_uppercase()
                && number.len() == 32
                && is_hex
        }
        _ => false,
    }
}
