//! `<Record>`: <https://www.twilio.com/docs/voice/twiml/record>.

use super::{CallWalk, State};
use crate::{
    Parsed,
    walk::{Reason, Step, sample},
};

/// A recording that was made.
pub(super) struct Recording {
    pub(super) sid: String,
    pub(super) url: String,
    pub(super) seconds: u32,
}

impl CallWalk {
    pub(super) fn new_recording(&mut self, seconds: u32) -> Recording {
        let sid = self.sid("RE");
        let account = self.session.param("AccountSid");
        Recording {
            url: format!(
                "https://api.twilio.com/{}/Accounts/{account}/Recordings/{sid}",
                sample::API_VERSION
            ),
            sid,
            seconds,
        }
    }

    pub(super) fn recorded(&mut self, verb: &Parsed, seconds: u32, key: &str) {
        let step = match key {
            "hangup" => None,
            "" => Some(format!("(speaks for {seconds} s)")),
            key => Some(format!("(speaks for {seconds} s, and presses {key})")),
        };
        self.session.steps.extend(step.map(Step::Caller));
        let recording = self.new_recording(seconds);
        self.inform_of_recording(verb, "Record", "RecordVerb", &recording);
        if verb.attribute("transcribeCallback").is_some() {
            self.transcribed(verb, &recording);
        }
        let params = [
            ("RecordingUrl", recording.url),
            ("RecordingSid", recording.sid),
            ("RecordingDuration", recording.seconds.to_string()),
            ("Digits", key.to_owned()),
        ];
        self.act_on(verb, "Record", true, &params);
    }

    /// A key ends the recording, unless `finishOnKey` has others only.
    pub(super) fn recorded_until(&mut self, verb: &Parsed, keys: &str) {
        let finish = verb.attribute("finishOnKey").unwrap_or("1234567890*#");
        match keys.find(|key: char| finish.contains(key)) {
            Some(at) => {
                let key = keys.get(at..=at).unwrap_or_default().to_owned();
                self.recorded(verb, 3, &key);
            }
            None => self.recorded(verb, 3, ""),
        }
    }

    /// An empty recording is no reason to request the `action`: Twilio goes on with the next verb.
    pub(super) fn recorded_nothing(&mut self) {
        self.session.steps.push(Step::Caller("(silent)".to_owned()));
        self.state = State::Running;
    }

    /// Informs of a recording: <https://www.twilio.com/docs/voice/twiml/record#recordingstatuscallback>.
    pub(super) fn inform_of_recording(
        &mut self,
        verb: &Parsed,
        element: &'static str,
        source: &str,
        recording: &Recording,
    ) {
        let params = [
            ("RecordingSid", recording.sid.clone()),
            ("RecordingUrl", recording.url.clone()),
            ("RecordingStatus", "completed".to_owned()),
            ("RecordingDuration", recording.seconds.to_string()),
            ("RecordingChannels", "1".to_owned()),
            ("RecordingStartTime", sample::TIMESTAMP.to_owned()),
            ("RecordingSource", source.to_owned()),
            ("RecordingTrack", "both".to_owned()),
            ("ErrorCode", "0".to_owned()),
        ];
        let events = verb.attribute("recordingStatusCallbackEvent");
        let events = events.unwrap_or("completed");
        if events
            .split_ascii_whitespace()
            .any(|event| event == "completed")
        {
            let attributes = ["recordingStatusCallback", "recordingStatusCallbackMethod"];
            let reason = Reason::Callback(element, "recordingStatusCallback");
            let request = self.request_for(verb, attributes, reason, &params);
            self.session.aside(request, None);
        }
    }

    /// Informs of the text of a recording: <https://www.twilio.com/docs/voice/twiml/record#transcribecallback>.
    fn transcribed(&mut self, verb: &Parsed, recording: &Recording) {
        let params = [
            ("TranscriptionSid", self.sid("TR")),
            ("TranscriptionText", "Hello there".to_owned()),
            ("TranscriptionStatus", "completed".to_owned()),
            ("TranscriptionType", "fast".to_owned()),
            ("RecordingSid", recording.sid.clone()),
            ("RecordingUrl", recording.url.clone()),
        ];
        let reason = Reason::Callback("Record", "transcribeCallback");
        let request = self.request_for(verb, ["transcribeCallback", ""], reason, &params);
        self.session.aside(request, None);
    }
}
