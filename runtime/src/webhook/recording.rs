//! Recordings, transcriptions and streams of calls.

use super::{
    call::{CallDirection, CallStatus},
    table::{choices, webhook},
};

webhook! {
    /// The new status of a recording. Answer it with [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback>.
    pub struct RecordingStatusCallback {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits; empty for a conference.
        "CallSid" => call_sid: String,
        /// The conference, for a recording of one.
        "ConferenceSid" => conference_sid: Option<String>,
        /// The recording, `RE` and 32 hex digits.
        required "RecordingSid" => recording_sid: String,
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

webhook! {
    /// The text of a recording: the `transcribeCallback` of a `<Record>`. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/record#transcribecallback>.
    pub struct TranscriptionCallback {
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
        /// The transcription, `TR` and 32 hex digits.
        required "TranscriptionSid" => transcription_sid: String,
        /// The text, if there is one.
        "TranscriptionText" => transcription_text: Option<String>,
        /// `completed` or `failed`.
        "TranscriptionStatus" => transcription_status: Option<String>,
        /// The URL of the transcription's resource.
        "TranscriptionUrl" => transcription_url: Option<String>,
        /// The kind of the transcription, such as `fast`.
        "TranscriptionType" => transcription_type: Option<String>,
        /// The recording, `RE` and 32 hex digits.
        "RecordingSid" => recording_sid: Option<String>,
        /// Where the recording can be fetched.
        "RecordingUrl" => recording_url: Option<String>,
    }
}

webhook! {
    /// What is said in a call: the `statusCallbackUrl` of a `<Transcription>`. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/transcription>.
    pub struct RealTimeTranscription {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        required "CallSid" => call_sid: String,
        /// The transcription, `GT` and 32 hex digits.
        required "TranscriptionSid" => transcription_sid: String,
        /// What happened.
        "TranscriptionEvent" => transcription_event: Option<TranscriptionEvent>,
        /// What was said, as JSON: `{"transcript":"..","confidence":0.9}`.
        "TranscriptionData" => transcription_data: Option<String>,
        /// Whether the text is final. Others are partial results.
        "Final" => is_final: Option<bool>,
        /// Partial results: how stable the text is, from 0 to 1.
        "Stability" => stability: Option<f64>,
        /// Whose voice it is: `inbound_track` or `outbound_track`.
        "Track" => track: Option<String>,
        /// The event's number in the order of events, from 1. Events may arrive in another order.
        "SequenceId" => sequence_id: Option<u32>,
        /// The language, such as `en-US`.
        "LanguageCode" => language_code: Option<String>,
        /// The settings of the recognition, as JSON.
        "ProviderConfiguration" => provider_configuration: Option<String>,
        /// What went wrong, in words.
        "TranscriptionError" => transcription_error: Option<String>,
        /// What went wrong: <https://www.twilio.com/docs/api/errors>.
        "TranscriptionErrorCode" => transcription_error_code: Option<u32>,
        /// When it happened, in ISO 8601 format, UTC.
        "Timestamp" => timestamp: Option<String>,
    }
}

webhook! {
    /// The status of a Media Stream: the `statusCallback` of a `<Stream>`. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/stream#statuscallback>.
    pub struct StreamStatusCallback {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The call, `CA` and 32 hex digits.
        required "CallSid" => call_sid: String,
        /// The stream, `MZ` and 32 hex digits.
        required "StreamSid" => stream_sid: String,
        /// The stream's name, as the app has given it.
        "StreamName" => stream_name: Option<String>,
        /// What happened.
        "StreamEvent" => stream_event: Option<StreamEvent>,
        /// What went wrong, in words.
        "StreamError" => stream_error: Option<String>,
        /// When it happened, in ISO 8601 format, UTC.
        "Timestamp" => timestamp: Option<String>,
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

choices! {
    /// What happened to a transcription.
    pub enum TranscriptionEvent {
        /// It has started.
        Started = "transcription-started",
        /// Something was said.
        Content = "transcription-content",
        /// It has stopped.
        Stopped = "transcription-stopped",
        /// It failed.
        Error = "transcription-error",
    }
}

choices! {
    /// What happened to a stream.
    pub enum StreamEvent {
        /// It has started.
        Started = "stream-started",
        /// It has stopped.
        Stopped = "stream-stopped",
        /// It failed.
        Error = "stream-error",
    }
}
