//! Determines whether a request names its event, or may rightly come again with the same signature.
//!
//! The decision is made on the signed text as a whole, the URL and what follows it, so all copies of a recording are judged
//! alike, wherever the text was cut: into other parameters, or within the URL.

use actix_web::HttpRequest;
use twilio_signature::BODY_SHA256;

use crate::gate::Proof;

/// Names of parameters of which an event has its own value, each with the start of the value.
const OF_EVENTS: [(&str, &str); 17] = [
    ("MessageSid", "SM"),
    ("MessageSid", "MM"),
    ("MessageSid", "IM"),
    ("SmsSid", "SM"),
    ("SmsSid", "MM"),
    ("RecordingSid", "RE"),
    ("TranscriptionSid", "TR"),
    ("TranscriptionSid", "GT"),
    ("DialCallSid", "CA"),
    ("StreamSid", "MZ"),
    ("FaxSid", "FX"),
    ("EventSid", "EV"),
    ("CallbackSource", "call-"),
    ("StatusCallbackEvent", ""),
    ("SequenceNumber", ""),
    ("SequenceId", ""),
    ("StreamEvent", "stream-"),
];

/// What the requests of a call have.
const OF_CALLS: [(&str, &str); 1] = [("CallSid", "CA")];

/// Whether the same signature means the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The request names its event: the same signature is the same event.
    Event,
    /// It asks what to do next in a call. The caller may come to the same place again.
    InCall,
    /// It opens a WebSocket, with the same signature for each call.
    Handshake,
    /// Nothing is known about it.
    Unknown,
}

impl Family {
    pub(super) fn of(req: &HttpRequest, proof: &Proof) -> Self {
        let Some(body) = proof.body() else {
            return Self::Handshake;
        };
        let params = proof.signed_params(req);
        let signed = [proof.url(), &String::from_utf8_lossy(&params)].concat();
        let hashed = params.is_empty().then_some(body);
        Self::of_text(&signed, hashed)
    }

    /// Judges the signed text, and the body if its hash is in this text.
    fn of_text(signed: &str, hashed: Option<&[u8]>) -> Self {
        // The text of a form comes first, because a developer may write the id of a message into the URL of a call.
        for follows in [is_value, is_value_of_query] {
            if has_any(signed, &OF_EVENTS, follows) {
                return Self::Event;
            }
            if has_any(signed, &OF_CALLS, follows) {
                return Self::InCall;
            }
        }
        if signed.contains(BODY_SHA256) {
            return match hashed {
                // Twilio puts the hash into a URL only if the body is not a form. So a form is a copy that has the end of the
                // URL as its body, and a request without a body is a copy that has lost it.
                None | Some([]) => Self::Event,
                Some(body) if String::from_utf8_lossy(body).contains("\"specversion\"") => {
                    Self::Event
                }
                Some(_) => Self::Unknown,
            };
        }
        Self::Unknown
    }
}

fn has_any(text: &str, names: &[(&str, &str)], follows: fn(&str, &str) -> bool) -> bool {
    names.iter().any(|(name, start)| {
        let mut found = text.match_indices(name);
        found.any(|(at, _)| follows(text.get(at + name.len()..).unwrap_or_default(), start))
    })
}

/// In the signed text of a form, the value follows the name.
fn is_value(behind: &str, start: &str) -> bool {
    behind.starts_with(start) && !behind.starts_with('=')
}

/// In a query, the value follows an equals sign.
fn is_value_of_query(behind: &str, start: &str) -> bool {
    behind
        .strip_prefix('=')
        .is_some_and(|value| value.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.com/hook";

    #[test]
    fn each_webhook_has_its_family() {
        use Family::{Event, InCall, Unknown};
        let cases = [
            ("AccountSidAC1BodyHiMessageSidSM1", Event),
            ("AccountSidAC1MessageSidMM1MessageStatusdelivered", Event),
            ("CallSidCA1CallStatusringingDirectioninbound", InCall),
            ("CallSidCA1CallStatusin-progressDigits1", InCall),
            ("CallSidCA1CallStatuscompletedSequenceNumber2", Event),
            ("CallSidCA1RecordingSidRE1RecordingStatuscompleted", Event),
            ("CallSidCA1DialCallSidCA2DialCallStatuscompleted", Event),
            ("CallSidCA1ConferenceSidCF1", InCall),
            ("CallSidCA1ConferenceSidCF1StatusCallbackEventleave", Event),
            ("BodyCallSidCA1MessageSidSM1", Event),
            ("CallSidCA1SpeechResultmy MessageSid, please", InCall),
            ("FlowSidFW1", Unknown),
        ];
        for (params, family) in cases {
            let signed = format!("{URL}{params}");
            assert_eq!(Family::of_text(&signed, None), family, "{params}");
        }
    }

    #[test]
    fn parameters_count_before_the_url() {
        use Family::{Event, InCall};
        for (query, family) in [
            ("?MessageSid=SM1", Event),
            ("?CallSid=CA1&SequenceNumber=1", Event),
            ("?CallSid=CA1&Digits=1", InCall),
            ("?MessageSid=SM1CallSidCA1Digits1", InCall),
            ("?SequenceNumber=1CallSidCA1Digits1", InCall),
        ] {
            let signed = format!("{URL}{query}");
            assert_eq!(Family::of_text(&signed, Some(b"")), family, "{query}");
        }
    }

    #[test]
    fn json_is_an_event_if_it_says_so_and_a_form_with_its_hash_is_a_copy() {
        use Family::{Event, Unknown};
        const HASHED: &str = "?bodySHA256=0a";
        let of = |url: &str, hashed| Family::of_text(&format!("{URL}{url}"), hashed);
        assert_eq!(of(HASHED, Some(br#"[{"specversion":"1.0"}]"#)), Event);
        assert_eq!(of(HASHED, Some(br#"{"a":1}"#)), Unknown);
        assert_eq!(of(HASHED, None), Event);
        assert_eq!(of(HASHED, Some(b"")), Event);
        assert_eq!(of("", Some(br#"{"specversion":"1.0"}"#)), Unknown);
        assert_eq!(of("x\"specversion\"", None), Unknown);
    }
}
