//! Determines whether a request names its event, or may rightly come again with the same signature.
//!
//! The decision is made on the signed text and not on the parameters, so all copies of a recording that were cut into
//! other parameters are judged alike.

use actix_web::HttpRequest;

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
        Self::of_text(proof.url(), &String::from_utf8_lossy(&params), body)
    }

    /// A developer may write the id of a message into the URL of a call. So the parameters come first.
    fn of_text(url: &str, params: &str, body: &[u8]) -> Self {
        for text in [params, url] {
            if has_any(text, &OF_EVENTS) {
                return Self::Event;
            }
            if has_any(text, &OF_CALLS) {
                return Self::InCall;
            }
        }
        let is_cloud_event = || String::from_utf8_lossy(body).contains("\"specversion\"");
        if params.is_empty() && is_cloud_event() {
            return Self::Event;
        }
        Self::Unknown
    }
}

/// In a query the value follows an equals sign, in the signed text of a form it follows the name.
fn has_any(text: &str, names: &[(&str, &str)]) -> bool {
    names.iter().any(|(name, start)| {
        let mut rest = text;
        while let Some(at) = rest.find(name) {
            let behind = rest.get(at + name.len()..).unwrap_or_default();
            if behind
                .strip_prefix('=')
                .unwrap_or(behind)
                .starts_with(start)
            {
                return true;
            }
            rest = behind;
        }
        false
    })
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
            assert_eq!(Family::of_text(URL, params, b"x"), family, "{params}");
        }
    }

    #[test]
    fn parameters_count_before_the_url_and_json_is_an_event_if_it_says_so() {
        use Family::{Event, InCall, Unknown};
        let of = |url: &str, params, body: &str| {
            Family::of_text(&format!("{URL}{url}"), params, body.as_bytes())
        };
        assert_eq!(of("?MessageSid=SM1", "", ""), Event);
        assert_eq!(of("?CallSid=CA1&Digits=1", "", ""), InCall);
        assert_eq!(of("?MessageSid=SM1", "CallSidCA1Digits1", ""), InCall);
        assert_eq!(of("", "", r#"[{"specversion":"1.0"}]"#), Event);
        assert_eq!(of("", "", r#"{"a":1}"#), Unknown);
        assert_eq!(of("", "x\"specversion\"", "x=\"specversion\""), Unknown);
    }
}
