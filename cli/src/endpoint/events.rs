//! The events that Twilio sends: their documented parameters, with made-up values.

use serde_json::{Map, Value, json};
pub(crate) use twilio_twiml::walk::sample::ACCOUNT_SID;
use twilio_twiml::walk::sample::{CALL, CALLER, MESSAGE, PLACES};

use crate::{input::params::Param, outcome::Failure};

/// The name of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Event {
    /// An incoming text message
    Sms,
    /// An incoming message with a picture
    Mms,
    /// An incoming WhatsApp message
    Whatsapp,
    /// An incoming call
    Voice,
    /// The digits that a caller pressed
    Gather,
    /// A recording that is ready
    Recording,
    /// A call that has ended
    CallStatus,
    /// A message that was delivered
    MessageStatus,
    /// An event of Event Streams, as JSON
    #[value(name = "event-stream")]
    Stream,
    /// A request from a Studio flow, with the flow's SIDs
    Studio,
    /// The WebSocket handshake of a Media Stream, without any messages after it
    MediaStream,
}

impl Event {
    /// Returns the parameters of an event that is sent as a form or in the query.
    pub(crate) fn params(self) -> Vec<(&'static str, &'static str)> {
        let parts: &[&[_]] = match self {
            Self::Sms => &[MESSAGE, PLACES, TEXT],
            Self::Mms => &[MESSAGE, PLACES, PICTURE],
            Self::Whatsapp => &[WHATSAPP],
            Self::Voice => &[CALL, RINGING, PLACES, CALLER],
            Self::Gather => &[CALL, IN_PROGRESS, PLACES, CALLER, DIGITS],
            Self::Recording => &[RECORDING],
            Self::CallStatus => &[CALL_ENDED],
            Self::MessageStatus => &[MESSAGE_STATUS],
            Self::Studio => &[MESSAGE, TEXT, STUDIO],
            Self::Stream | Self::MediaStream => &[],
        };
        parts.concat()
    }
}

/// Returns the parameters of a message with the SID of a call, which handlers of messages and of calls take.
pub(crate) fn message_or_call() -> Vec<(&'static str, &'static str)> {
    let mut params = Event::Sms.params();
    params.extend(CALL.first());
    params
}

const TEXT: &[(&str, &str)] = &[("Body", "Hello there"), ("NumMedia", "0")];

const PICTURE: &[(&str, &str)] = &[
    ("Body", ""),
    ("NumMedia", "1"),
    ("MediaContentType0", "image/jpeg"),
    (
        "MediaUrl0",
        "https://api.twilio.com/2010-04-01/Accounts/AC4d1f0c82b95e47a3862b70d9e5c1a836/Messages/\
         SM6e1c0f5b2a7d48939c04d1e8b7a65f32/Media/ME0b7c2d94e15f4a68b3d7096c8e21fa54",
    ),
];

const WHATSAPP: &[(&str, &str)] = &[
    ("MessageSid", "SM91d3a07be4f24c5c8e60b2f7d9a8c143"),
    ("SmsSid", "SM91d3a07be4f24c5c8e60b2f7d9a8c143"),
    ("SmsMessageSid", "SM91d3a07be4f24c5c8e60b2f7d9a8c143"),
    ("SmsStatus", "received"),
    ("AccountSid", "AC4d1f0c82b95e47a3862b70d9e5c1a836"),
    ("From", "whatsapp:+14158675310"),
    ("To", "whatsapp:+18005551212"),
    ("Body", "Está abierto el domingo? 🙂"),
    ("MessageType", "text"),
    ("ProfileName", "Zoë"),
    ("WaId", "14158675310"),
    ("NumMedia", "0"),
    ("NumSegments", "1"),
    ("ReferralNumMedia", "0"),
    (
        "ChannelMetadata",
        "{\"type\":\"whatsapp\",\"data\":{\"context\":{\"ProfileName\":\"Zoë\",\"WaId\":\"14158675310\"}}}",
    ),
    ("ApiVersion", "2010-04-01"),
];

const RINGING: &[(&str, &str)] = &[("CallStatus", "ringing")];

/// The call is answered once its caller can press keys.
const IN_PROGRESS: &[(&str, &str)] = &[("CallStatus", "in-progress")];

const DIGITS: &[(&str, &str)] = &[
    ("Digits", "1234"),
    ("FinishedOnKey", "#"),
    ("msg", "Gather End"),
];

const RECORDING: &[(&str, &str)] = &[
    ("AccountSid", "AC4d1f0c82b95e47a3862b70d9e5c1a836"),
    ("CallSid", "CA27c9e4f1835d4b06a1f8e3d0c6b59a72"),
    ("RecordingSid", "RE5f8b13c7d2a9460eb41c07d6e93f2a58"),
    (
        "RecordingUrl",
        "https://api.twilio.com/2010-04-01/Accounts/AC4d1f0c82b95e47a3862b70d9e5c1a836/Recordings/\
         RE5f8b13c7d2a9460eb41c07d6e93f2a58",
    ),
    ("RecordingStatus", "completed"),
    ("RecordingDuration", "12"),
    ("RecordingChannels", "1"),
    ("RecordingStartTime", "Mon, 02 Mar 2026 10:15:30 +0000"),
    ("RecordingSource", "RecordVerb"),
    ("RecordingTrack", "both"),
    ("ErrorCode", "0"),
];

const CALL_ENDED: &[(&str, &str)] = &[
    ("CallSid", "CA27c9e4f1835d4b06a1f8e3d0c6b59a72"),
    ("AccountSid", "AC4d1f0c82b95e47a3862b70d9e5c1a836"),
    ("From", "+18005551212"),
    ("To", "+14158675310"),
    ("Caller", "+18005551212"),
    ("Called", "+14158675310"),
    ("Direction", "outbound-api"),
    ("ApiVersion", "2010-04-01"),
    ("CallStatus", "completed"),
    ("Duration", "1"),
    ("CallDuration", "42"),
    ("Timestamp", "Mon, 02 Mar 2026 10:16:12 +0000"),
    ("CallbackSource", "call-progress-events"),
    ("SequenceNumber", "3"),
];

const MESSAGE_STATUS: &[(&str, &str)] = &[
    ("MessageSid", "SMb60a4e7d29c1438f95d2f07c8b3e6a14"),
    ("SmsSid", "SMb60a4e7d29c1438f95d2f07c8b3e6a14"),
    ("MessageStatus", "delivered"),
    ("SmsStatus", "delivered"),
    ("AccountSid", "AC4d1f0c82b95e47a3862b70d9e5c1a836"),
    ("From", "+18005551212"),
    ("To", "+14158675310"),
    ("ApiVersion", "2010-04-01"),
    ("RawDlrDoneDate", "2603021016"),
];

const STUDIO: &[(&str, &str)] = &[
    ("FlowSid", "FWd7a25c18e3904fb6870f1c9e4d6b3a52"),
    ("ExecutionSid", "FN3b96e0d4c7f84125a8d10e7f5c2b6994"),
];

/// An event of Event Streams, and whether it is posted in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventForm {
    Single,
    Batch,
}

/// Returns an event as Event Streams posts it. An override replaces the attribute of that name if the event has
/// one, and otherwise a field of the event's data. `AccountSid` is the account wherever the event names one.
pub(crate) fn event_stream(form: EventForm, overrides: Vec<Param>) -> Result<Vec<u8>, Failure> {
    let account = overrides.iter().rev().find(|(name, _)| is_account(name));
    let account = account.map_or(ACCOUNT_SID, |(_, value)| value).to_owned();
    let mut event = object(json!({
        "specversion": "1.0",
        "type": "com.twilio.messaging.message.delivered",
        "source": format!("/2010-04-01/Accounts/{account}/Messages/SMb60a4e7d29c1438f95d2f07c8b3e6a14.json"),
        "id": "EZ8f4c1d97b2e04a53960ed7c3a5b1f820",
        "dataschema": "https://events-schemas.twilio.com/Messaging.MessageStatus/7",
        "datacontenttype": "application/json",
        "time": "2026-03-02T10:16:12.000Z",
    }));
    let mut data = object(json!({
        "messageSid": "SMb60a4e7d29c1438f95d2f07c8b3e6a14",
        "accountSid": account,
        "eventName": "com.twilio.messaging.message.delivered",
        "timestamp": "2026-03-02T10:16:12.000Z",
        "messageStatus": "DELIVERED",
        "from": "+18005551212",
        "to": "+14158675310",
        "apiVersion": "2010-04-01",
    }));
    for (name, value) in overrides.into_iter().filter(|(name, _)| !is_account(name)) {
        let fields = if event.contains_key(&name) {
            &mut event
        } else {
            &mut data
        };
        fields.insert(name, Value::String(value));
    }
    event.insert("data".to_owned(), Value::Object(data));
    match form {
        EventForm::Single => serde_json::to_vec(&event),
        EventForm::Batch => serde_json::to_vec(&[event]),
    }
    .map_err(Failure::usage)
}

/// Returns whether a parameter names the account, as a form or an event does.
pub(crate) fn is_account(name: &str) -> bool {
    matches!(name, "AccountSid" | "accountSid")
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
