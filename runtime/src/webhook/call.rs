//! Calls that came in, and their status.

use super::{
    parameters::Parameters,
    table::{choices, webhook},
};

webhook! {
    /// A call that came in, or an outgoing call that was answered. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml#request-parameters>.
    pub struct IncomingCall {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        required "CallSid" => call_sid: String,
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
        /// The `PASSporT` of SHAKEN/STIR, a JSON Web Token, if the carrier passes it on.
        "StirPassportToken" => stir_passport_token: Option<String>,
        /// A token with which the call can be forwarded as the caller's own.
        "CallToken" => call_token: Option<String>,
        /// The application that the number is set to, if any.
        "ApplicationSid" => application_sid: Option<String>,
        /// Outgoing calls: what answered the call, if that is detected.
        "AnsweredBy" => answered_by: Option<AnsweredBy>,
        /// Outgoing calls: how long the detection took, in milliseconds.
        "MachineDetectionDuration" => machine_detection_duration: Option<u32>,
        /// Fallback URLs: why the first URL failed: <https://www.twilio.com/docs/api/errors>.
        "ErrorCode" => error_code: Option<u32>,
        /// Fallback URLs: the URL that failed.
        "ErrorUrl" => error_url: Option<String>,
        /// SIP: the SIP domain that was called.
        "SipDomain" => sip_domain: Option<String>,
        /// SIP: the domain that was called, `SD` and 32 hex digits.
        "SipDomainSid" => sip_domain_sid: Option<String>,
        /// SIP: the user name that the caller authenticated with.
        "SipUsername" => sip_username: Option<String>,
        /// SIP: the `Call-ID` of the `INVITE`.
        "SipCallId" => sip_call_id: Option<String>,
        /// SIP: the IP address that the `INVITE` came from.
        "SipSourceIp" => sip_source_ip: Option<String>,
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
    and {
        /// The SIP headers of the caller that begin with `X-`, such as `X-Account`.
        ///
        /// The parameters `SipHeader_X-Account` and so on.
        "SipHeader_" => sip_headers: Parameters,
    }
}

webhook! {
    /// A new status of a call. Answer it with [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/api/call-resource#statuscallback>.
    pub struct CallStatusCallback {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        required "CallSid" => call_sid: String,
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
        /// What answered the call, if that is detected.
        "AnsweredBy" => answered_by: Option<AnsweredBy>,
        /// How long the detection of what answered took, in milliseconds.
        "MachineDetectionDuration" => machine_detection_duration: Option<u32>,
        /// What sent the callback: `call-progress-events`, or nothing for the callback of a number.
        "CallbackSource" => callback_source: Option<String>,
        /// The number that forwarded the call, if the carrier reports it.
        "ForwardedFrom" => forwarded_from: Option<String>,
        /// The caller's name, if caller name lookup is on.
        "CallerName" => caller_name: Option<String>,
        /// How well SHAKEN/STIR attests the caller's number, such as `TN-Validation-Passed-A`.
        "StirVerstat" => stir_verstat: Option<String>,
        /// Outgoing calls: the attestation that Twilio signed the call with: `A`, `B` or `C`.
        "StirStatus" => stir_status: Option<String>,
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
    /// What answered an outgoing call, as it was found while the call went on (`AsyncAmd`). Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/answering-machine-detection>.
    pub struct AnsweringMachineCallback {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        required "CallSid" => call_sid: String,
        /// What answered the call.
        "AnsweredBy" => answered_by: Option<AnsweredBy>,
        /// How long the detection took, in milliseconds.
        "MachineDetectionDuration" => machine_detection_duration: Option<u32>,
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
    /// What answered a call.
    pub enum AnsweredBy {
        /// A person.
        Human = "human",
        /// A machine, whose greeting has begun.
        MachineStart = "machine_start",
        /// A machine, whose greeting ended with a beep.
        MachineEndBeep = "machine_end_beep",
        /// A machine, whose greeting ended with silence.
        MachineEndSilence = "machine_end_silence",
        /// A machine, whose greeting ended in another way.
        MachineEndOther = "machine_end_other",
        /// A fax machine.
        Fax = "fax",
        /// It could not be determined in time.
        Unknown = "unknown",
    }
}
