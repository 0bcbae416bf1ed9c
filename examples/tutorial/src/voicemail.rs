//! Messages that callers leave.

use std::time::Duration;

use actix_twilio::{
    ProtectedScope,
    twiml::{Hangup, NoContent, Record, Say, VoiceResponse, attributes::RecordingEvent},
    validate_twilio_request,
    webhook::{
        IncomingCall, RecordResult, RecordingStatus, RecordingStatusCallback, TranscriptionCallback,
    },
};
use actix_web::web;

use crate::shop::Shop;

pub(crate) fn routes() -> ProtectedScope {
    ProtectedScope::new("/voicemail")
        .post("/greeting", greet)
        .post("/recorded", thank)
        .post("/saved", receive_recording)
        .post("/transcribed", receive_transcription)
}

#[validate_twilio_request]
async fn greet(_: IncomingCall) -> VoiceResponse {
    let record = Record::new()
        .action("/voicemail/recorded")
        .max_length(Duration::from_secs(120))
        .finish_on_key("#")
        .recording_status_callback("/voicemail/saved")
        .recording_status_callback_event([RecordingEvent::Completed, RecordingEvent::Absent])
        .transcribe(true)
        .transcribe_callback("/voicemail/transcribed");
    VoiceResponse::new()
        .child(Say::new(
            "Please leave a message after the tone, and press the hash key.",
        ))
        .child(record)
        // Twilio continues here if it recorded nothing.
        .child(Say::new("We did not hear anything. Goodbye."))
        .child(Hangup::new())
}

#[validate_twilio_request]
async fn thank(recorded: RecordResult) -> VoiceResponse {
    let seconds = recorded.recording_duration.unwrap_or_default();
    VoiceResponse::new()
        .child(Say::new(format!(
            "Thank you for your message of {seconds} seconds. Goodbye."
        )))
        .child(Hangup::new())
}

/// Keeps the recording. Twilio may send this again: the voicemail is then the same.
#[validate_twilio_request]
async fn receive_recording(recording: RecordingStatusCallback, shop: web::Data<Shop>) -> NoContent {
    if recording.recording_status == Some(RecordingStatus::Completed) {
        shop.change_voicemail(&recording.recording_sid, |voicemail| {
            voicemail.recording_url = recording.recording_url;
        });
    }
    NoContent
}

#[validate_twilio_request]
async fn receive_transcription(found: TranscriptionCallback, shop: web::Data<Shop>) -> NoContent {
    if let Some(recording_sid) = found.recording_sid {
        shop.change_voicemail(&recording_sid, |voicemail| {
            voicemail.text = found.transcription_text;
        });
    }
    NoContent
}
