//! Answers to calls, and their verbs: <https://www.twilio.com/docs/voice/twiml>.

use super::{
    connect::{Connect, Start, Stop},
    dial::{Dial, Queue},
    elements,
    pay::{Pay, Prompt},
    ssml::{Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W},
};
use crate::values::{
    Count, Digits, GatherInput, Keys, LanguageTag, List, Method, OrAuto, Phrases, RecordingEvent,
    RejectReason, Seconds, Trim, Url,
};

elements! {
    /// An answer to a call. Twilio executes its verbs one after the other, and ends the call after the last.
    VoiceResponse = "Response", "https://www.twilio.com/docs/voice/twiml" {
        fn new();
        [
            // The official builders also take <Prompt> and <Queue> here, and so does the lint.
            Annotate, Connect, Dial, Echo, Enqueue, Gather, Hangup, Leave, Pause, Pay, Play, Prompt, Queue, Record,
            Redirect, Refer, Reject, Say, Sms, Start, Stop
        ]
    }

    /// Marks the call for the bill.
    Annotate = "Annotate", "https://www.twilio.com/docs/api/errors/13110" {
        fn new(<tag>);
        [BillingReferenceTag]
    }

    /// What the bill says of a call: up to 128 characters.
    BillingReferenceTag = "BillingReferenceTag", "https://www.twilio.com/docs/api/errors/13120" {
        fn new("#text" => tag: String);
    }

    /// Plays back to the caller what the caller says, to measure the delay.
    Echo = "Echo", "https://www.twilio.com/docs/voice/twiml" {
        fn new();
    }

    /// Lets the caller wait in a queue: its name, or a [`Task`] of a workflow.
    Enqueue = "Enqueue", "https://www.twilio.com/docs/voice/twiml/enqueue" {
        fn new(<queue_or_task>);
        // A workflow decides on the queue.
        fn workflow("workflowSid" => sid: String);
        "action" => action: Url,
        "method" => method: Method,
        "maxQueueSize" => max_queue_size: Count<0, 5000>,
        "waitUrl" => wait_url: Url,
        "waitUrlMethod" => wait_url_method: Method,
        /// Goes with a [`Task`].
        "workflowSid" => workflow_sid: String,
        ["#text", Task]
    }

    /// The attributes of a task, in JSON.
    Task = "Task", "https://www.twilio.com/docs/taskrouter/twiml-queue-calls" {
        fn new("#text" => attributes: String);
        "priority" => priority: Count<0>,
        "timeout" => timeout: Seconds<0>,
    }

    /// Collects what the caller presses or says. Meanwhile, Twilio says or plays what is inside.
    Gather = "Gather", "https://www.twilio.com/docs/voice/twiml/gather" {
        fn new();
        "input" => input: List<GatherInput>,
        "action" => action: Url,
        "method" => method: Method,
        "timeout" => timeout: Seconds<0>,
        "speechTimeout" => speech_timeout: OrAuto<Seconds<0>>,
        "maxSpeechTime" => max_speech_time: Seconds<1>,
        "profanityFilter" => profanity_filter: bool,
        "finishOnKey" => finish_on_key: Keys,
        "numDigits" => num_digits: Count<1>,
        "partialResultCallback" => partial_result_callback: Url,
        "partialResultCallbackMethod" => partial_result_callback_method: Method,
        "language" => language: LanguageTag,
        "hints" => hints: Phrases,
        "bargeIn" => barge_in: bool,
        "debug" => debug: bool,
        /// If so, Twilio requests `action` even without input, and what is after the `<Gather>` is never reached.
        "actionOnEmptyResult" => action_on_empty_result: bool,
        "speechModel" => speech_model: String,
        "enhanced" => enhanced: bool,
        [Say, Play, Pause]
    }

    /// Ends the call.
    Hangup = "Hangup", "https://www.twilio.com/docs/voice/twiml/hangup" {
        fn new();
        [Parameter]
    }

    /// Takes the caller out of the queue. It works in the document of a `waitUrl`.
    Leave = "Leave", "https://www.twilio.com/docs/voice/twiml/leave" {
        fn new();
    }

    /// A name and a value that are passed on.
    Parameter = "Parameter", "https://www.twilio.com/docs/voice/twiml/stream#custom-parameters" {
        fn new("name" => name: String, "value" => value: String);
    }

    /// Waits without a sound.
    Pause = "Pause", "https://www.twilio.com/docs/voice/twiml/pause" {
        fn new();
        "length" => length: Seconds<1>,
    }

    /// Plays a sound file, or the tones of keys.
    Play = "Play", "https://www.twilio.com/docs/voice/twiml/play" {
        fn new("#text" => url: Url);
        // The tones of keys.
        fn digits("digits" => digits: Digits);
        /// How many times; 0 means until the call ends.
        "loop" => loop_: Count<0>,
    }

    /// Records what the caller says.
    Record = "Record", "https://www.twilio.com/docs/voice/twiml/record" {
        fn new();
        "action" => action: Url,
        "method" => method: Method,
        "timeout" => timeout: Seconds<0>,
        "finishOnKey" => finish_on_key: Keys,
        "maxLength" => max_length: Seconds<1>,
        "playBeep" => play_beep: bool,
        "trim" => trim: Trim,
        "recordingStatusCallback" => recording_status_callback: Url,
        "recordingStatusCallbackMethod" => recording_status_callback_method: Method,
        "recordingStatusCallbackEvent" => recording_status_callback_event: List<RecordingEvent>,
        "transcribe" => transcribe: bool,
        "transcribeCallback" => transcribe_callback: Url,
        "recordingConfigurationId" => recording_configuration_id: String,
    }

    /// Continues with the TwiML of another URL. What is after it is never reached.
    Redirect = "Redirect", "https://www.twilio.com/docs/voice/twiml/redirect" {
        fn new("#text" => url: Url);
        // Without a URL, Twilio requests this document again.
        fn again();
        "method" => method: Method,
    }

    /// Transfers a SIP call to another address.
    Refer = "Refer", "https://www.twilio.com/docs/voice/twiml/refer" {
        fn new(<sip>);
        "action" => action: Url,
        "method" => method: Method,
        [ReferSip]
    }

    /// The SIP address that a call is transferred to.
    ReferSip = "Sip", "https://www.twilio.com/docs/voice/twiml/refer" {
        fn new("#text" => address: String);
    }

    /// Declines a call before it is answered, at no cost. It has to be the first verb.
    Reject = "Reject", "https://www.twilio.com/docs/voice/twiml/reject" {
        fn new();
        "reason" => reason: RejectReason,
        [Parameter]
    }

    /// Reads a text to the caller. SSML in it says how.
    Say = "Say", "https://www.twilio.com/docs/voice/twiml/say" {
        fn new(<text>);
        /// Such as `Polly.Amy` or `Google.en-GB-Standard-A`.
        "voice" => voice: String,
        "language" => language: LanguageTag,
        /// How many times; 0 means until the call ends.
        "loop" => loop_: Count<0>,
        ["#text", Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W]
    }

    /// Sends a message during a call. Twilio recommends its API instead.
    Sms = "Sms", "https://www.twilio.com/docs/voice/twiml/sms" {
        fn new("#text" => text: String);
        "to" => to: String,
        "from" => from_: String,
        "action" => action: Url,
        "method" => method: Method,
        "statusCallback" => status_callback: Url,
    }
}
