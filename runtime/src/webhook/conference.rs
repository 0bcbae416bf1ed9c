//! Conferences.

use super::{
    call::CallStatus,
    table::{choices, webhook},
};

webhook! {
    /// What happened in a conference. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback>.
    pub struct ConferenceStatusCallback {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The conference, `CF` and 32 hex digits.
        required "ConferenceSid" => conference_sid: String,
        /// The conference's name.
        "FriendlyName" => friendly_name: String,
        /// What happened.
        "StatusCallbackEvent" => event: Option<ConferenceEvent>,
        /// When it happened, in RFC 2822 format, UTC.
        "Timestamp" => timestamp: Option<String>,
        /// The event's number in the order of events, from 1. Events may arrive in another order.
        "SequenceNumber" => sequence_number: Option<u32>,
        /// Participants: the participant's call, `CA` and 32 hex digits.
        "CallSid" => call_sid: Option<String>,
        /// Participants: the name that the app has given to the participant.
        "ParticipantLabel" => participant_label: Option<String>,
        /// Participants: whether the participant is muted.
        "Muted" => muted: Option<bool>,
        /// Participants: whether the participant is on hold.
        "Hold" => hold: Option<bool>,
        /// Participants: whether the participant coaches another one.
        "Coaching" => coaching: Option<bool>,
        /// Participants: the call that the participant coaches.
        "CallSidToCoach" => call_sid_to_coach: Option<String>,
        /// Participants: whether the conference ends when the participant leaves.
        "EndConferenceOnExit" => end_conference_on_exit: Option<bool>,
        /// Participants: whether the conference starts when the participant joins.
        "StartConferenceOnEnter" => start_conference_on_enter: Option<bool>,
        /// A participant that left: the status of the participant's call.
        "ParticipantCallStatus" => participant_call_status: Option<CallStatus>,
        /// A participant that left: why, such as `participant_hung_up`.
        "ReasonParticipantLeft" => reason_participant_left: Option<String>,
        /// The end: the call that ended the conference.
        "CallSidEndingConference" => call_sid_ending_conference: Option<String>,
        /// The end: the name of the participant that ended the conference.
        "ParticipantLabelEndingConference" => participant_label_ending_conference: Option<String>,
        /// The end: why, such as `last-participant-left`.
        "ReasonConferenceEnded" => reason_conference_ended: Option<String>,
        /// The end: why, in words.
        "Reason" => reason: Option<String>,
        /// Announcements: the URL of what was announced.
        "AnnounceUrl" => announce_url: Option<String>,
        /// Announcements: why it failed, in words.
        "ReasonAnnouncementFailed" => reason_announcement_failed: Option<String>,
    }
}

choices! {
    /// What happened in a conference.
    pub enum ConferenceEvent {
        /// It has started.
        Start = "conference-start",
        /// It has ended.
        End = "conference-end",
        /// A participant has joined.
        ParticipantJoin = "participant-join",
        /// A participant has left.
        ParticipantLeave = "participant-leave",
        /// A participant was muted.
        ParticipantMute = "participant-mute",
        /// A participant is not muted any more.
        ParticipantUnmute = "participant-unmute",
        /// A participant was put on hold.
        ParticipantHold = "participant-hold",
        /// A participant is not on hold any more.
        ParticipantUnhold = "participant-unhold",
        /// A participant's settings have changed.
        ParticipantModify = "participant-modify",
        /// A participant has begun to speak.
        ParticipantSpeechStart = "participant-speech-start",
        /// A participant has stopped speaking.
        ParticipantSpeechStop = "participant-speech-stop",
        /// An announcement has ended.
        AnnouncementEnd = "announcement-end",
        /// An announcement failed.
        AnnouncementFail = "announcement-fail",
    }
}
