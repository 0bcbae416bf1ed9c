//! What listens to a call or takes part in it: <https://www.twilio.com/docs/voice/twiml/connect>.

use super::{elements, voice::Parameter};
use crate::values::{
    ConversationEvent, DialRecord, Interruption, LanguageTag, List, Method, Millis, Normalization,
    OrAuto, Phrases, RecordingChannels, RecordingEvent, RecordingTrack, Seconds, Sensitivity,
    SocketUrl, Track, Trim, Url,
};

elements! {
    /// Connects the call with what is inside, and continues when that ends.
    Connect = "Connect", "https://www.twilio.com/docs/voice/twiml/connect" {
        fn new(<noun>);
        "action" => action: Url,
        "method" => method: Method,
        [
            AiSession, Autopilot, Conversation, ConversationRelay, ConversationRelaySession, Room, Stream,
            VirtualAgent
        ]
    }

    /// Starts what is inside, and continues at once.
    Start = "Start", "https://www.twilio.com/docs/voice/twiml/start" {
        fn new(<noun>);
        "action" => action: Url,
        "method" => method: Method,
        [Recording, Siprec, Stream, Transcription]
    }

    /// Stops what was started with a name.
    Stop = "Stop", "https://www.twilio.com/docs/voice/twiml/stop" {
        fn new(<noun>);
        [StopRecording, StopSiprec, StopStream, StopTranscription]
    }

    /// The audio of the call, over a WebSocket of the app.
    Stream = "Stream", "https://www.twilio.com/docs/voice/twiml/stream" {
        fn new("url" => url: SocketUrl);
        // To a connector that was installed in the console.
        fn connector("connectorName" => name: String);
        "name" => name: String,
        "track" => track: Track,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "audioFormat" => audio_format: String,
        "sampleRate" => sample_rate: String,
        [Parameter]
    }

    /// Names a stream that is stopped.
    StopStream = "Stream", "https://www.twilio.com/docs/voice/twiml/stream#stop" {
        fn new("name" => name: String);
    }

    /// The audio of the call, to a SIPREC connector.
    Siprec = "Siprec", "https://www.twilio.com/docs/voice/twiml/siprec" {
        fn new("connectorName" => connector: String);
        "name" => name: String,
        "track" => track: Track,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        [Parameter]
    }

    /// Names a SIPREC session that is stopped.
    StopSiprec = "Siprec", "https://www.twilio.com/docs/voice/twiml/siprec" {
        fn new("name" => name: String);
    }

    /// A transcription of the call while it goes on.
    Transcription = "Transcription", "https://www.twilio.com/docs/voice/twiml/transcription" {
        fn new();
        "name" => name: String,
        "track" => track: Track,
        "statusCallbackUrl" => status_callback_url: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "inboundTrackLabel" => inbound_track_label: String,
        "outboundTrackLabel" => outbound_track_label: String,
        "partialResults" => partial_results: bool,
        "languageCode" => language_code: LanguageTag,
        "transcriptionEngine" => transcription_engine: String,
        "profanityFilter" => profanity_filter: bool,
        "speechModel" => speech_model: String,
        "hints" => hints: Phrases,
        "enableAutomaticPunctuation" => enable_automatic_punctuation: bool,
        "enableProviderData" => enable_provider_data: bool,
        "intelligenceService" => intelligence_service: String,
        [Config, Parameter]
    }

    /// Names a transcription that is stopped.
    StopTranscription = "Transcription", "https://www.twilio.com/docs/voice/twiml/transcription" {
        fn new("name" => name: String);
    }

    /// A setting of a provider.
    Config = "Config", "https://www.twilio.com/docs/voice/twiml/connect/virtualagent" {
        fn new("name" => name: String, "value" => value: String);
    }

    /// A recording of the call while it goes on.
    Recording = "Recording", "https://www.twilio.com/docs/voice/twiml/recording" {
        fn new();
        "name" => name: String,
        "recordingStatusCallback" => recording_status_callback: Url,
        "recordingStatusCallbackMethod" => recording_status_callback_method: Method,
        "recordingStatusCallbackEvent" => recording_status_callback_event: List<RecordingEvent>,
        "trim" => trim: Trim,
        "track" => track: RecordingTrack,
        "channels" => channels: RecordingChannels,
        "recordingConfigurationId" => recording_configuration_id: String,
    }

    /// Names a recording that is stopped.
    StopRecording = "Recording", "https://www.twilio.com/docs/voice/twiml/recording" {
        fn new("name" => name: String);
    }

    /// An AI agent of the app: Twilio turns speech into text and back, and sends text over a WebSocket.
    ConversationRelay = "ConversationRelay", "https://www.twilio.com/docs/voice/twiml/connect/conversationrelay" {
        fn new("url" => url: SocketUrl);
        "language" => language: LanguageTag,
        "ttsLanguage" => tts_language: LanguageTag,
        "ttsProvider" => tts_provider: String,
        "voice" => voice: String,
        "transcriptionLanguage" => transcription_language: LanguageTag,
        "transcriptionProvider" => transcription_provider: String,
        "speechModel" => speech_model: String,
        "profanityFilter" => profanity_filter: bool,
        "dtmfDetection" => dtmf_detection: bool,
        "welcomeGreeting" => welcome_greeting: String,
        "welcomeGreetingInterruptible" => welcome_greeting_interruptible: Interruption,
        "interruptible" => interruptible: Interruption,
        "interruptSensitivity" => interrupt_sensitivity: Sensitivity,
        "preemptible" => preemptible: bool,
        "partialPrompts" => partial_prompts: bool,
        "partialPromptOnHangup" => partial_prompt_on_hangup: bool,
        "reportInputDuringAgentSpeech" => report_input_during_agent_speech: Interruption,
        "hints" => hints: Phrases,
        "intelligenceService" => intelligence_service: String,
        "speechTimeout" => speech_timeout: OrAuto<Millis<0>>,
        /// How sure Deepgram has to be that the caller finished, from 0.5 to 0.9.
        "eotThreshold" => eot_threshold: String,
        "eagerEotThreshold" => eager_eot_threshold: String,
        "turnDetection" => turn_detection: String,
        "backgroundNoiseReduction" => background_noise_reduction: String,
        "deepgramSmartFormat" => deepgram_smart_format: bool,
        "asrSmartFormat" => asr_smart_format: String,
        "ignoreBackchannel" => ignore_backchannel: bool,
        "elevenlabsTextNormalization" => elevenlabs_text_normalization: Normalization,
        "elevenlabsLanguageTextNormalization" => elevenlabs_language_text_normalization: String,
        "ttsTextNormalization" => tts_text_normalization: String,
        "ttsLanguageTextNormalization" => tts_language_text_normalization: String,
        "echoPromptFiltering" => echo_prompt_filtering: String,
        "includeInPrompt" => include_in_prompt: String,
        "customerName" => customer_name: String,
        "applicationReconnect" => application_reconnect: String,
        "conversationConfiguration" => conversation_configuration: String,
        "conversationId" => conversation_id: String,
        "events" => events: String,
        "debug" => debug: String,
        [Language, Parameter]
    }

    /// The voice and the transcription of one language.
    Language = "Language", "https://www.twilio.com/docs/voice/twiml/connect/conversationrelay" {
        fn new("code" => code: LanguageTag);
        "ttsProvider" => tts_provider: String,
        "voice" => voice: String,
        "transcriptionProvider" => transcription_provider: String,
        "speechModel" => speech_model: String,
        "hints" => hints: Phrases,
        "asrSmartFormat" => asr_smart_format: String,
        "ttsTextNormalization" => tts_text_normalization: String,
        "ttsLanguageTextNormalization" => tts_language_text_normalization: String,
    }

    /// A session of ConversationRelay that is configured elsewhere.
    ConversationRelaySession = "ConversationRelaySession", "https://www.twilio.com/docs/voice/twiml/connect" {
        fn new("connector" => connector: String);
        "sessionConfiguration" => session_configuration: String,
    }

    /// An AI session of an add-on.
    AiSession = "AiSession", "https://www.twilio.com/docs/voice/twiml/connect" {
        fn new("aiConnector" => connector: String);
        "aiSessionConfiguration" => ai_session_configuration: String,
    }

    /// A bot of Autopilot, which Twilio has retired.
    Autopilot = "Autopilot", "https://www.twilio.com/docs/voice/twiml/connect" {
        fn new("#text" => name: String);
    }

    /// A conversation.
    Conversation = "Conversation", "https://www.twilio.com/docs/voice/twiml/connect" {
        fn new("serviceInstanceSid" => service: String);
        "inboundAutocreation" => inbound_autocreation: bool,
        "routingAssignmentTimeout" => routing_assignment_timeout: Seconds<0>,
        "inboundTimeout" => inbound_timeout: Seconds<0>,
        "url" => url: Url,
        "method" => method: Method,
        "record" => record: DialRecord,
        "trim" => trim: Trim,
        "recordingStatusCallback" => recording_status_callback: Url,
        "recordingStatusCallbackMethod" => recording_status_callback_method: Method,
        "recordingStatusCallbackEvent" => recording_status_callback_event: List<RecordingEvent>,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "statusCallbackEvent" => status_callback_event: List<ConversationEvent>,
    }

    /// A video room.
    Room = "Room", "https://www.twilio.com/docs/voice/twiml/connect/room" {
        fn new("#text" => name: String);
        "participantIdentity" => participant_identity: String,
    }

    /// A virtual agent of Dialogflow.
    VirtualAgent = "VirtualAgent", "https://www.twilio.com/docs/voice/twiml/connect/virtualagent" {
        fn new("connectorName" => connector: String);
        "language" => language: LanguageTag,
        "sentimentAnalysis" => sentiment_analysis: bool,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        [Config, Parameter]
    }
}
