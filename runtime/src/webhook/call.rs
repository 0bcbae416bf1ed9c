//! Calls that came in, and what happens in a call.

use super::form::{choices, webhook};

webhook! {
    /// A call that came in, or an outgoing call that was answered. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
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
        /// The call's direction.
        "Direction" => direction: Option<CallDirection>,
        /// The number that forwarded the call, if the carrier reports it.
        "ForwardedFrom" => forwarded_from: Option<String>,
        /// The caller's name, if caller name lookup is on.
        "CallerName" => caller_name: Option<String>,
        /// The call that this one is a leg of.
        "ParentCallSid" => parent_call_sid: Option<String>,
        /// How well SHAKEN/STIR attests the caller's number, such as `TN-Validation-Passed-A`.
        "StirVerstat" => stir_verstat: Option<String>,
        /// The caller's city, as far as it follows from the number.
        "FromCity" => from_city: Option<String>,
        /// The caller's state or province.
        "FromState" => from_state: Option<String>,
        /// The caller's postal code.
        "FromZip" => from_zip: Option<String>,
        /// The caller's country, in two letters.
        "FromCountry" => from_country: Option<String>,
        /// The called number's city.
        "ToCity" => to_city: Option<String>,
        /// The called number's state or province.
        "ToState" => to_state: Option<String>,
        /// The called number's postal code.
        "ToZip" => to_zip: Option<String>,
        /// The called number's country, in two letters.
        "ToCountry" => to_country: Option<String>,
    }
}

webhook! {
    /// What a caller pressed or said in a `<Gather>`. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
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
        /// The call's direction.
        "Direction" => direction: Option<CallDirection>,
        /// The keys that were pressed, without the one that ended the input. They are text, because `0012` and `*`
        /// are not numbers.
        "Digits" => digits: Option<String>,
        /// The key that ended the input.
        "FinishedOnKey" => finished_on_key: Option<String>,
        /// What the caller said, as Twilio recognized it.
        "SpeechResult" => speech_result: Option<String>,
        /// How certain the recognition is, from 0 to 1.
        "Confidence" => confidence: Option<f64>,
    }
}

webhook! {
    /// A new status of a call. Answer it with [`NoContent`](crate::twiml::NoContent).
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
        /// The call's direction.
        "Direction" => direction: Option<CallDirection>,
        /// The call that this one is a leg of.
        "ParentCallSid" => parent_call_sid: Option<String>,
        /// The call's length in seconds, after it has ended.
        "CallDuration" => call_duration: Option<u32>,
        /// The call's length in billed minutes, after it has ended.
        "Duration" => duration_minutes: Option<u32>,
        /// The SIP status that ended the call, such as 487.
        "SipResponseCode" => sip_response_code: Option<u32>,
        /// What answered the call, if that is detected: `human`, `machine_start`, `fax` and others.
        "AnsweredBy" => answered_by: Option<String>,
        /// The recording, if there is one.
        "RecordingSid" => recording_sid: Option<String>,
        /// Where the recording can be fetched, if there is one.
        "RecordingUrl" => recording_url: Option<String>,
        /// The recording's length in seconds.
        "RecordingDuration" => recording_duration: Option<u32>,
        /// When the status changed, in RFC 2822 format, UTC.
        "Timestamp" => timestamp: Option<String>,
        /// The callback's number in the order of events, from 0. Callbacks may arrive in another order.
        "SequenceNumber" => sequence_number: Option<u32>,
    }
}

webhook! {
    /// The new status of a recording. Answer it with [`NoContent`](crate::twiml::NoContent).
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
        /// Where the recording can be fetched, usually with the account's credentials. Append `.mp3` or `.wav` for
        /// that format.
        "RecordingUrl" => recording_url: Option<String>,
        /// The recording's length in seconds. Twilio sends -1 while it is unknown, and that value is then in `other`.
        "RecordingDuration" => recording_duration: Option<u32>,
        /// The number of channels, 1 or 2.
        "RecordingChannels" => recording_channels: Option<u32>,
        /// When the recording started, in RFC 2822 format, UTC.
        "RecordingStartTime" => recording_start_time: Option<String>,
        /// What started the recording: `RecordVerb`, `DialVerb`, `Conference`, `OutboundAPI`, `Trunking` and others.
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
        /// Waiting to be made.
        Queued = "queued",
        /// Made, not yet ringing.
        Initiated = "initiated",
        /// Ringing. An incoming call has this status until it is answered.
        Ringing = "ringing",
        /// Answered.
        InProgress = "in-progress",
        /// Ended normally.
        Completed = "completed",
        /// Not answered, because the line was busy.
        Busy = "busy",
        /// Not possible, for example because the number does not exist.
        Failed = "failed",
        /// Not answered.
        NoAnswer = "no-answer",
        /// Canceled while it was queued or ringing.
        Canceled = "canceled",
    }
}

choices! {
    /// The direction of a call.
    pub enum CallDirection {
        /// The call came in.
        Inbound = "inbound",
        /// The call was made through the API.
        OutboundApi = "outbound-api",
        /// The call was made by a `<Dial>`.
        OutboundDial = "outbound-dial",
    }
}

choices! {
    /// The status of a recording.
    pub enum RecordingStatus {
        /// The recording has started.
        InProgress = "in-progress",
        /// The recording can be fetched.
        Completed = "completed",
        /// There is no recording: it was too short or silent.
        Absent = "absent",
        /// The recording could not be saved.
        Failed = "failed",
    }
}
