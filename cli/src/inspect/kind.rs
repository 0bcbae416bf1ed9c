//! Names what Twilio says with a request, in the words of `send`.

use std::borrow::Cow;

use actix_twilio::webhook::{CloudEvent, CloudEvents, Parameters, Webhook};
use clap::ValueEnum;
use twilio_signature::Form;

use crate::{endpoint::events::Event, input::params::FORM, inspect::exchange::Request};

/// The longest detail that is part of a name, in characters.
const MAX_DETAIL: usize = 32;

/// Returns the kind of a request, such as `sms` or `message-status delivered`.
pub(crate) fn of(request: &Request) -> String {
    if request.method.is_empty() {
        return "unreadable".to_owned();
    }
    let is = |name: &str, start: &str| {
        let mut values = request.wire.values(name);
        values.any(|value| value.to_ascii_lowercase().starts_with(start.as_bytes()))
    };
    if is("Upgrade", "websocket") {
        return "websocket".to_owned();
    }
    let body = request.wire.body();
    if request.method == "POST" && is("Content-Type", "application/") && !is("Content-Type", FORM) {
        let events = serde_json::from_slice::<CloudEvents>(&body).unwrap_or_default();
        let is_event = |event: &CloudEvent| !event.id.is_empty() && !event.event_type.is_empty();
        if events.0.iter().any(is_event) {
            return name(Event::Stream);
        }
    }
    let form: Cow<'_, [u8]> = match request.method.as_str() {
        "POST" if is("Content-Type", FORM) => body,
        _ => {
            let query = request.target.split_once('?');
            Cow::Borrowed(query.map_or("", |(_, query)| query).as_bytes())
        }
    };
    let parameters = Parameters::from(&Form::split(form));
    of_parameters(&parameters).unwrap_or_else(|| "other".to_owned())
}

fn of_parameters(parameters: &Parameters) -> Option<String> {
    let has = |name: &str| parameters.get(name).is_some_and(|value| !value.is_empty());
    let with = |name: &str, detail: &str| {
        let detail = parameters.get(detail).unwrap_or_default();
        let detail: String = detail.chars().take(MAX_DETAIL).collect();
        format!("{name} {detail}").trim_end().to_owned()
    };
    Some(match Webhook::from(parameters.clone()) {
        Webhook::IncomingMessage(_) if has("FlowSid") => name(Event::Studio),
        Webhook::IncomingMessage(sms) if sms.from.starts_with("whatsapp:") => name(Event::Whatsapp),
        Webhook::IncomingMessage(_) if has("MediaUrl0") => name(Event::Mms),
        Webhook::IncomingMessage(_) => name(Event::Sms),
        Webhook::IncomingCall(_) => name(Event::Voice),
        Webhook::GatherResult(_) => name(Event::Gather),
        Webhook::GatherPartialResult(_) => name(Event::Gather) + " partial",
        Webhook::RecordResult(_) => name(Event::Recording) + " ended",
        Webhook::RecordingStatusCallback(_) => with(&name(Event::Recording), "RecordingStatus"),
        Webhook::CallStatusCallback(_) => with(&name(Event::CallStatus), "CallStatus"),
        Webhook::MessageStatusCallback(_) => with(&name(Event::MessageStatus), "MessageStatus"),
        Webhook::AnsweringMachineCallback(_) => with("answering-machine", "AnsweredBy"),
        Webhook::ConferenceStatusCallback(_) => with("conference", "StatusCallbackEvent"),
        Webhook::ConversationEvent(_) => with("conversation", "EventType"),
        Webhook::ConversationRelayResult(_) => with("conversation-relay", "SessionStatus"),
        Webhook::DebuggerEvent(_) => with("debugger", "Level"),
        Webhook::DialResult(_) => with("dial", "DialCallStatus"),
        Webhook::EnqueueResult(_) => with("enqueue", "QueueResult"),
        Webhook::QueueWait(_) => "queue-wait".to_owned(),
        Webhook::RealTimeTranscription(_) | Webhook::TranscriptionCallback(_) => {
            with("transcription", "TranscriptionEvent")
        }
        Webhook::StreamStatusCallback(_) => with(&name(Event::MediaStream), "StreamEvent"),
        Webhook::TaskAssignment(_) => "task assignment".to_owned(),
        Webhook::TaskRouterEvent(_) => with("task", "EventType"),
        _ => return None,
    })
}

/// Returns the name of an event, as `send` takes it.
fn name(event: Event) -> String {
    let value = event.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{endpoint::events, input::params, inspect::exchange::Wire};

    fn request(method: &str, target: &str, content_type: &str, body: &[u8]) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            wire: Wire {
                headers: vec![("content-type".to_owned(), content_type.into())],
                raw_body: body.to_vec(),
                ..Wire::default()
            },
            ..Request::default()
        }
    }

    /// The events that `send` sends keep their names.
    #[test]
    fn events_of_send_have_their_own_names() {
        let details = [
            (Event::Recording, " completed"),
            (Event::CallStatus, " completed"),
            (Event::MessageStatus, " delivered"),
        ];
        for event in Event::value_variants() {
            let detail = details.iter().find(|(other, _)| other == event);
            let expected = name(*event) + detail.map_or("", |(_, detail)| detail);
            let sent = match event {
                Event::MediaStream => continue,
                Event::Stream => {
                    let json = events::event_stream(events::EventForm::Batch, vec![]).unwrap();
                    request("POST", "/", "application/json", &json)
                }
                event => {
                    let form = params::encode(&params::overridden(&event.params(), vec![]));
                    let get = request("GET", &format!("/a?{form}"), "", b"");
                    assert_eq!(of(&get), expected);
                    request("POST", "/", params::FORM_IN_UTF8, form.as_bytes())
                }
            };
            assert_eq!(of(&sent), expected);
        }
    }

    #[test]
    fn what_twilio_does_not_send_has_no_name() {
        let cases = [
            (
                request("POST", "/?MessageSid=SM1", "text/plain", b"{"),
                "sms",
            ),
            (
                request("POST", "/", "application/json", b"{\"a\": 1}"),
                "other",
            ),
            (request("DELETE", "/", "", b""), "other"),
            (request("GET", "/", FORM, b"MessageSid=SM1"), "other"),
            (request("", "", "", b"\x16\x03"), "unreadable"),
        ];
        for (request, expected) in cases {
            assert_eq!(of(&request), expected);
        }
        let long = format!("MessageStatus={}%1b", "x".repeat(100));
        let kind = of(&request("POST", "/", FORM, long.as_bytes()));
        assert_eq!(kind.len(), "message-status ".len() + MAX_DETAIL);
    }
}
