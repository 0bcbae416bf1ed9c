//! What happened in a call since the last answer: the results of verbs.

use super::{
    call::{CallDirection, CallStatus},
    table::{choices, webhook},
};

webhook! {
    /// What a caller pressed or said in a `<Gather>`. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/gather>.
    pub struct GatherResult {
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
        /// The keys that were pressed, without the one that ended the input. They are text, because `0012` and `*`
        /// are not numbers.
        "Digits" => digits: Option<String>,
        /// The key that ended the input.
        "FinishedOnKey" => finished_on_key: Option<String>,
        /// What the caller said, as Twilio recognized it.
        "SpeechResult" => speech_result: Option<String>,
        /// How certain the recognition is, from 0 to 1.
        "Confidence" => confidence: Option<f64>,
        /// The language that was recognized, such as `en-US`.
        "Language" => language: Option<String>,
        /// What ended the `<Gather>`, such as `Gather End`; only with `actionOnEmptyResult`.
        "msg" => msg: Option<String>,
    }
}

webhook! {
    /// What a caller has said so far in a `<Gather>` with `partialResultCallback`. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/gather#partialresultcallback>.
    pub struct GatherPartialResult {
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
        /// What is recognized and will hardly change.
        "StableSpeechResult" => stable_speech_result: Option<String>,
        /// What follows it, which may still change.
        "UnstableSpeechResult" => unstable_speech_result: Option<String>,
        /// How stable the result is, from 0 to 1.
        "Stability" => stability: Option<f64>,
        /// The result's number in the order of results, from 0. Results may arrive in another order.
        "SequenceNumber" => sequence_number: Option<u32>,
        /// The language that is recognized, such as `en-US`.
        "Language" => language: Option<String>,
    }
}

webhook! {
    /// How a `<Dial>` with an `action` ended. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/dial#action>.
    pub struct DialResult {
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
        /// How the dialed call ended.
        "DialCallStatus" => dial_call_status: Option<DialCallStatus>,
        /// The dialed call, `CA` and 32 hex digits. It is missing after a conference.
        "DialCallSid" => dial_call_sid: Option<String>,
        /// The dialed call's length in seconds.
        "DialCallDuration" => dial_call_duration: Option<u32>,
        /// Whether both calls were connected.
        "DialBridged" => dial_bridged: Option<bool>,
        /// The SIP status of a dialed SIP address, such as 487.
        "DialSipResponseCode" => dial_sip_response_code: Option<u32>,
        /// The `Call-ID` of a dialed SIP address.
        "DialSipCallId" => dial_sip_call_id: Option<String>,
        /// The recording, `RE` and 32 hex digits, if `<Dial>` has `record`.
        "RecordingSid" => recording_sid: Option<String>,
        /// Where the recording can be fetched, if `<Dial>` has `record`.
        "RecordingUrl" => recording_url: Option<String>,
        /// The recording's length in seconds.
        "RecordingDuration" => recording_duration: Option<u32>,
    }
}

webhook! {
    /// A recording that a `<Record>` made. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// The recording may not be available yet: [`RecordingStatusCallback`](super::RecordingStatusCallback) says when
    /// it is.
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/record#action>.
    pub struct RecordResult {
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
        /// The recording, `RE` and 32 hex digits.
        "RecordingSid" => recording_sid: Option<String>,
        /// Where the recording can be fetched, usually with the account's credentials.
        "RecordingUrl" => recording_url: Option<String>,
        /// The recording's length in seconds.
        "RecordingDuration" => recording_duration: Option<u32>,
        /// The key that ended the recording, or `hangup`.
        "Digits" => digits: Option<String>,
    }
}

webhook! {
    /// A caller who waits in a queue: the `waitUrl` of an `<Enqueue>`. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/enqueue#waiturl>.
    pub struct QueueWait {
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
        /// The queue, `QU` and 32 hex digits.
        required "QueueSid" => queue_sid: String,
        /// The caller's place in the queue, from 1.
        "QueuePosition" => queue_position: Option<u32>,
        /// How long the caller has waited, in seconds.
        "QueueTime" => queue_time: Option<u32>,
        /// How long callers wait on average, in seconds.
        "AvgQueueTime" => avg_queue_time: Option<u32>,
        /// The number of callers in the queue.
        "CurrentQueueSize" => current_queue_size: Option<u32>,
        /// The number of callers that the queue takes.
        "MaxQueueSize" => max_queue_size: Option<u32>,
    }
}

webhook! {
    /// How a caller left a queue: the `action` of an `<Enqueue>`. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/enqueue#action>.
    pub struct EnqueueResult {
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
        /// How the caller left the queue.
        "QueueResult" => queue_result: Option<QueueResult>,
        /// The queue, `QU` and 32 hex digits, if the caller was in one.
        "QueueSid" => queue_sid: Option<String>,
        /// How long the caller has waited, in seconds.
        "QueueTime" => queue_time: Option<u32>,
    }
}

webhook! {
    /// How a ConversationRelay session ended: the `action` of a `<Connect>`. Answer it with [`VoiceResponse`](crate::twiml::VoiceResponse).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/connect/conversationrelay>.
    pub struct ConversationRelayResult {
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
        /// The session, `VX` and 32 hex digits.
        "SessionId" => session_id: String,
        /// How the session ended.
        "SessionStatus" => session_status: Option<SessionStatus>,
        /// The session's length in seconds.
        "SessionDuration" => session_duration: Option<u32>,
        /// What the app passed on when it ended the session, usually JSON.
        "HandoffData" => handoff_data: Option<String>,
        /// Why the session failed: <https://www.twilio.com/docs/api/errors>.
        "ErrorCode" => error_code: Option<u32>,
        /// Why the session failed, in words.
        "ErrorMessage" => error_message: Option<String>,
    }
}

choices! {
    /// How a dialed call ended.
    pub enum DialCallStatus {
        /// Answered, and ended normally.
        Completed = "completed",
        /// Answered, while a conference was dialed.
        Answered = "answered",
        /// Not answered, because the line was busy.
        Busy = "busy",
        /// Not answered.
        NoAnswer = "no-answer",
        /// Not possible, for example because the number does not exist.
        Failed = "failed",
        /// Canceled before it was answered, because the caller hung up.
        Canceled = "canceled",
    }
}

choices! {
    /// How a caller left a queue.
    pub enum QueueResult {
        /// Connected with somebody, and ended.
        Bridged = "bridged",
        /// Just being connected.
        BridgingInProcess = "bridging-in-process",
        /// The `<Enqueue>` was wrong.
        Error = "error",
        /// The caller hung up.
        Hangup = "hangup",
        /// By a `<Leave>`.
        Leave = "leave",
        /// Redirected while waiting.
        Redirected = "redirected",
        /// Redirected while connected.
        RedirectedFromBridged = "redirected-from-bridged",
        /// The queue was full.
        QueueFull = "queue-full",
        /// Twilio failed.
        SystemError = "system-error",
    }
}

choices! {
    /// How a ConversationRelay session ended.
    pub enum SessionStatus {
        /// The app ended it.
        Ended = "ended",
        /// The caller hung up.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
    }
}
