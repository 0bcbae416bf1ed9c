//! Calls that came, and what happens in a call.

use super::form::{choices, webhook};

webhook! {
    /// A call that came in, or one that was made and is answered. Answer it with
    /// [`Twiml`](crate::twiml::Twiml).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml#request-parameters>.
    pub struct IncomingCall {
        /// The account, `AC` and 32 hex digits.
        "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        "CallSid" => call_sid: String,
        /// The caller: a phone number in E.164 format, `+14158675310`, a SIP address, or `client:name`.
        "From" => from: String,
        /// The number or address that was called.
        "To" => to: String,
        /// The call's status.
        "CallStatus" => call_status: Option<CallStatus>,
        /// Which way the call goes.
        "Direction" => direction: Option<CallDirection>,
        /// The number that forwarded the call, where the carrier tells.
        "ForwardedFrom" => forwarded_from: Option<String>,
        /// The caller's name, where the lookup of it is switched on.
        "CallerName" => caller_name: Option<String>,
        /// The call that this one is a leg of.
        "ParentCallSid" => parent_call_sid: Option<String>,
        /// How far the caller's number is attested by SHAKEN/STIR, such as `TN-Validation-Passed-A`.
        "StirVerstat" => stir_verstat: Option<String>,
        /// The caller's city, as far as the number tells.
        "FromCity" => from_city: Option<String>,
        /// The caller's state or province.
        "FromState" => from_state: Option<String>,
        /// The caller's postal code.
        "FromZip" => from_zip: Option<String>,
        /// The caller's country, two letters.
        "FromCountry" => from_country: Option<String>,
        /// The called number's city.
        "ToCity" => to_city: Option<String>,
        /// The called number's state or province.
        "ToState" => to_state: Option<String>,
        /// The called number's postal code.
        "ToZip" => to_zip: Option<String>,
        /// The called number's country, two letters.
        "ToCountry" => to_country: Option<String>,
    }
}

webhook! {
    /// What a caller pressed or said in a `<Gather>`. Answer it with [`Twiml`](crate::twiml::Twiml).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/gather>.
    pub struct GatherResult {
        /// The account, `AC` and 32 hex digits.
        "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        "CallSid" => call_sid: String,
        /// The caller.
        "From" => from: String,
        /// The number or address that was called.
        "To" => to: String,
        /// The call's status.
        "CallStatus" => call_status: Option<CallStatus>,
        /// Which way the call goes.
        "Direction" => direction: Option<CallDirection>,
        /// The keys that were pressed, without the last one if that ended the input: text, since `0012`
        /// and `*` are none of the numbers.
        "Digits" => digits: Option<String>,
        /// The key that ended the input.
        "FinishedOnKey" => finished_on_key: Option<String>,
        /// What was said, as it was understood.
        "SpeechResult" => speech_result: Option<String>,
        /// How sure that is, from 0 to 1.
        "Confidence" => confidence: Option<f64>,
    }
}

webhook! {
    /// A step in a call, or its end. Answer it with [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/api/call-resource#statuscallback>.
    pub struct CallStatusCallback {
        /// The account, `AC` and 32 hex digits.
        "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        "CallSid" => call_sid: String,
        /// The caller.
        "From" => from: String,
        /// The number or address that was called.
        "To" => to: String,
        /// The call's status.
        "CallStatus" => call_status: Option<CallStatus>,
        /// Which way the call goes.
        "Direction" => direction: Option<CallDirection>,
        /// The call that this one is a leg of.
        "ParentCallSid" => parent_call_sid: Option<String>,
        /// The call's length in seconds, when it has ended.
        "CallDuration" => call_duration: Option<u32>,
        /// The call's length in minutes as they are billed, when it has ended.
        "Duration" => duration_minutes: Option<u32>,
        /// The SIP status that ended the call, such as 487.
        "SipResponseCode" => sip_response_code: Option<u32>,
        /// Who or what answered, where that is detected: `human`, `machine_start`, `fax`, and others.
        "AnsweredBy" => answered_by: Option<String>,
        /// The recording, if there is one.
        "RecordingSid" => recording_sid: Option<String>,
        /// Where the recording can be fetched, if there is one.
        "RecordingUrl" => recording_url: Option<String>,
        /// The recording's length in seconds.
        "RecordingDuration" => recording_duration: Option<u32>,
        /// When it happened, in RFC 2822 format, UTC.
        "Timestamp" => timestamp: Option<String>,
        /// The callback's place in the order of events, from 0: callbacks may overtake each other.
        "SequenceNumber" => sequence_number: Option<u32>,
    }
}

webhook! {
    /// News of a recording. Answer it with [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback>.
    pub struct RecordingStatusCallback {
        /// The account, `AC` and 32 hex digits.
        "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits; empty for a conference.
        "CallSid" => call_sid: String,
        /// The conference, for a recording of one.
        "ConferenceSid" => conference_sid: Option<String>,
        /// The recording, `RE` and 32 hex digits.
        "RecordingSid" => recording_sid: String,
        /// The recording's status.
        "RecordingStatus" => recording_status: Option<RecordingStatus>,
        /// Where it can be fetched, usually with the account's credentials; with `.mp3` or `.wav`
        /// appended, in that format.
        "RecordingUrl" => recording_url: Option<String>,
        /// Its length in seconds. Twilio sends -1 while that is unknown, which is left in `other`.
        "RecordingDuration" => recording_duration: Option<u32>,
        /// The number of channels, 1 or 2.
        "RecordingChannels" => recording_channels: Option<u32>,
        /// When it was started, in RFC 2822 format, UTC.
        "RecordingStartTime" => recording_start_time: Option<String>,
        /// What started it, such as `RecordVerb`, `DialVerb`, `Conference`, `OutboundAPI`, `Trunking`.
        "RecordingSource" => recording_source: Option<String>,
        /// What was recorded: `inbound`, `outbound` or `both`.
        "RecordingTrack" => recording_track: Option<String>,
        /// Why there is no recording: <https://www.twilio.com/docs/api/errors>.
        "ErrorCode" => error_code: Option<u32>,
    }
}

choices! {
    /// The status of a call.
    pub enum CallStatus {
        /// Waits to be made.
        Queued = "queued",
        /// Made, not yet ringing.
        Initiated = "initiated",
        /// Rings; a call that comes in does so until it is answered.
        Ringing = "ringing",
        /// Answered.
        InProgress = "in-progress",
        /// Ended as it should.
        Completed = "completed",
        /// Met a busy signal.
        Busy = "busy",
        /// Not made: the number may not exist.
        Failed = "failed",
        /// Not answered.
        NoAnswer = "no-answer",
        /// Taken back while it was queued or ringing.
        Canceled = "canceled",
    }
}

choices! {
    /// Which way a call goes.
    pub enum CallDirection {
        /// It came in.
        Inbound = "inbound",
        /// It was made through the API.
        OutboundApi = "outbound-api",
        /// It was made by a `<Dial>`.
        OutboundDial = "outbound-dial",
    }
}

choices! {
    /// The status of a recording.
    pub enum RecordingStatus {
        /// It has begun.
        InProgress = "in-progress",
        /// It can be fetched.
        Completed = "completed",
        /// There is none: it was too short or silent.
        Absent = "absent",
        /// It could not be kept.
        Failed = "failed",
    }
}
