//! Whom a call is connected with: <https://www.twilio.com/docs/voice/twiml/dial>.

use super::{elements, voice::Parameter};
use crate::values::{
    Beep, CallEvent, ConferenceEvent, ConferenceRecord, Count, DialEvent, DialRecord, Digits,
    JitterBuffer, List, MachineDetection, Method, Millis, RecordingEvent, RecordingTrack, Region,
    RingTone, Seconds, Trim, Url,
};

elements! {
    /// Connects the caller with a telephone number, or with what is inside.
    Dial = "Dial", "https://www.twilio.com/docs/voice/twiml/dial" {
        fn new(<number_or_noun>);
        /// If it is set, what is after the `<Dial>` is never reached.
        "action" => action: Url,
        "method" => method: Method,
        "timeout" => timeout: Seconds<1, 600>,
        "hangupOnStar" => hangup_on_star: bool,
        "timeLimit" => time_limit: Seconds<1, 86400>,
        "callerId" => caller_id: String,
        "record" => record: DialRecord,
        "trim" => trim: Trim,
        "recordingStatusCallback" => recording_status_callback: Url,
        "recordingStatusCallbackMethod" => recording_status_callback_method: Method,
        "recordingStatusCallbackEvent" => recording_status_callback_event: List<RecordingEvent>,
        "recordingConfigurationId" => recording_configuration_id: String,
        "recordingTrack" => recording_track: RecordingTrack,
        "answerOnBridge" => answer_on_bridge: bool,
        "ringTone" => ring_tone: RingTone,
        /// Whether what is inside is dialed one after the other instead of all at once.
        "sequential" => sequential: bool,
        "referUrl" => refer_url: Url,
        "referMethod" => refer_method: Method,
        "events" => events: DialEvent,
        "passports" => passports: String,
        ["#text", Application, Client, Conference, Number, Queue, Sim, Sip, WhatsApp]
    }

    /// A TwiML application: its SID, or an [`ApplicationSid`] and parameters.
    Application = "Application", "https://www.twilio.com/docs/voice/twiml/dial/application" {
        fn new(<sid>);
        "url" => url: Url,
        "method" => method: Method,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<CallEvent>,
        "customerId" => customer_id: String,
        "copyParentTo" => copy_parent_to: bool,
        ["#text", ApplicationSid, Parameter]
    }

    /// The SID of an application that gets parameters.
    ApplicationSid = "ApplicationSid", "https://www.twilio.com/docs/voice/twiml/dial/application" {
        fn new("#text" => sid: String);
    }

    /// A client of the Voice SDK: its identity, or an [`Identity`] and parameters.
    Client = "Client", "https://www.twilio.com/docs/voice/twiml/client" {
        fn new(<identity>);
        "url" => url: Url,
        "method" => method: Method,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<CallEvent>,
        ["#text", Identity, Parameter]
    }

    /// The identity of a client that gets parameters.
    Identity = "Identity", "https://www.twilio.com/docs/voice/twiml/client" {
        fn new("#text" => identity: String);
    }

    /// A conference with this name.
    Conference = "Conference", "https://www.twilio.com/docs/voice/twiml/conference" {
        fn new("#text" => name: String);
        "muted" => muted: bool,
        "beep" => beep: Beep,
        "startConferenceOnEnter" => start_conference_on_enter: bool,
        "endConferenceOnExit" => end_conference_on_exit: bool,
        /// What those hear who wait. An empty text means nothing.
        "waitUrl" => wait_url: Url,
        "waitMethod" => wait_method: Method,
        "maxParticipants" => max_participants: Count<2, 250>,
        "record" => record: ConferenceRecord,
        "recordingConfigurationId" => recording_configuration_id: String,
        "region" => region: Region,
        "coach" => coach: String,
        "trim" => trim: Trim,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<ConferenceEvent>,
        "recordingStatusCallback" => recording_status_callback: Url,
        "recordingStatusCallbackMethod" => recording_status_callback_method: Method,
        "recordingStatusCallbackEvent" => recording_status_callback_event: List<RecordingEvent>,
        /// Twilio prefers `recordingStatusCallback`.
        "eventCallbackUrl" => event_callback_url: Url,
        "jitterBufferSize" => jitter_buffer_size: JitterBuffer,
        "participantLabel" => participant_label: String,
    }

    /// A telephone number, in the format E.164: `+14158675310`.
    Number = "Number", "https://www.twilio.com/docs/voice/twiml/number" {
        fn new("#text" => number: String);
        /// Keys that are pressed once the call is answered.
        "sendDigits" => send_digits: Digits,
        "url" => url: Url,
        "method" => method: Method,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<CallEvent>,
        "byoc" => byoc: String,
        "machineDetection" => machine_detection: MachineDetection,
        "amdStatusCallback" => amd_status_callback: Url,
        "amdStatusCallbackMethod" => amd_status_callback_method: Method,
        "machineDetectionTimeout" => machine_detection_timeout: Seconds<3, 59>,
        "machineDetectionSpeechThreshold" => machine_detection_speech_threshold: Millis<1000, 6000>,
        "machineDetectionSpeechEndThreshold" => machine_detection_speech_end_threshold: Millis<500, 5000>,
        "machineDetectionSilenceTimeout" => machine_detection_silence_timeout: Millis<2000, 10000>,
    }

    /// The first caller who waits in the queue of this name.
    Queue = "Queue", "https://www.twilio.com/docs/voice/twiml/queue" {
        fn new("#text" => name: String);
        "url" => url: Url,
        "method" => method: Method,
        "reservationSid" => reservation_sid: String,
        "postWorkActivitySid" => post_work_activity_sid: String,
    }

    /// A device with this SIM.
    Sim = "Sim", "https://www.twilio.com/docs/voice/twiml/sim" {
        fn new("#text" => sid: String);
    }

    /// A SIP address, or one [`SipUri`] or more.
    Sip = "Sip", "https://www.twilio.com/docs/voice/twiml/sip" {
        fn new(<address>);
        "username" => username: String,
        "password" => password: String,
        "url" => url: Url,
        "method" => method: Method,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<CallEvent>,
        "machineDetection" => machine_detection: MachineDetection,
        "amdStatusCallback" => amd_status_callback: Url,
        "amdStatusCallbackMethod" => amd_status_callback_method: Method,
        "machineDetectionTimeout" => machine_detection_timeout: Seconds<3, 59>,
        "machineDetectionSpeechThreshold" => machine_detection_speech_threshold: Millis<1000, 6000>,
        "machineDetectionSpeechEndThreshold" => machine_detection_speech_end_threshold: Millis<500, 5000>,
        "machineDetectionSilenceTimeout" => machine_detection_silence_timeout: Millis<2000, 10000>,
        ["#text", Headers, SipUri]
    }

    /// One of several SIP addresses.
    SipUri = "Uri", "https://www.twilio.com/docs/voice/twiml/sip" {
        fn new("#text" => address: String);
        "priority" => priority: Count<0, 65535>,
        "weight" => weight: Count<0, 65535>,
        "username" => username: String,
        "password" => password: String,
    }

    /// The headers of a SIP request.
    Headers = "Headers", "https://www.twilio.com/docs/voice/twiml/sip" {
        fn new(<header>);
        [Header]
    }

    /// A header of a SIP request.
    Header = "Header", "https://www.twilio.com/docs/voice/twiml/sip" {
        fn new("name" => name: String, "value" => value: String);
    }

    /// A number of WhatsApp.
    WhatsApp = "WhatsApp", "https://www.twilio.com/docs/voice/twiml/dial/whatsapp" {
        fn new("#text" => number: String);
        "url" => url: Url,
        "method" => method: Method,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<CallEvent>,
    }
}
