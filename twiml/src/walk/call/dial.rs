//! `<Dial>`: <https://www.twilio.com/docs/voice/twiml/dial>.

use super::{CallWalk, DialOutcome, State, Waiting};
use crate::{
    Parsed,
    walk::{Reason, Step, sample},
};

/// The events of a called party, in order: <https://www.twilio.com/docs/voice/twiml/number#statuscallbackevent>.
const EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];

/// How long those who talk do so, in seconds.
const TALK: &str = "12";

/// A `<Dial>` whose calls have not ended yet.
#[derive(Debug, Clone)]
pub(super) struct Dialing {
    verb: Parsed,
    legs: Vec<Leg>,
}

/// Somebody who is called.
#[derive(Debug, Clone)]
struct Leg {
    /// The noun, or the `<Dial>` itself if it has a number in it.
    noun: Parsed,
    sid: String,
    to: String,
}

impl Dialing {
    fn is_conference(&self) -> bool {
        self.legs
            .first()
            .is_some_and(|leg| leg.noun.name() == "Conference")
    }
}

impl DialOutcome {
    /// Returns the outcome as `DialCallStatus` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
        }
    }
}

impl CallWalk {
    pub(super) fn dial(&mut self, verb: &Parsed) {
        let number = verb.text().trim().to_owned();
        let mut nouns: Vec<_> = verb.children().cloned().collect();
        if !number.is_empty() {
            nouns.insert(0, verb.clone());
        }
        let legs: Vec<_> = nouns
            .into_iter()
            .map(|noun| Leg {
                sid: self.sid("CA"),
                to: address(&noun),
                noun,
            })
            .collect();
        let who = legs.iter().map(|leg| leg.to.clone()).collect();
        self.session.steps.push(Step::Dialed(who));
        let dialing = Dialing {
            verb: verb.clone(),
            legs,
        };
        for leg in &dialing.legs {
            if leg.noun.name() == "Conference" {
                self.inform_of_conference(leg, &["start", "join"]);
                self.wait_in_conference(leg);
            } else {
                self.inform_of_leg(&dialing, leg, "initiated", "initiated");
                self.inform_of_leg(&dialing, leg, "ringing", "ringing");
            }
        }
        self.state = State::Waiting(Waiting::Dial(dialing));
    }

    pub(super) fn dialed(&mut self, dialing: &Dialing, outcome: DialOutcome) {
        let outcome = match outcome {
            _ if dialing.is_conference() => DialOutcome::Answered,
            outcome => outcome,
        };
        let how = match outcome {
            DialOutcome::Answered => "is connected, and they talk",
            DialOutcome::Busy => "hears that the line is busy",
            DialOutcome::NoAnswer => "gets no answer",
            DialOutcome::Failed => "can't be connected",
        };
        self.session.twilio(format!("the caller {how}"));
        for (index, leg) in dialing.legs.iter().enumerate() {
            match leg.noun.name() {
                "Conference" => {
                    self.inform_of_conference(leg, &["leave", "end"]);
                    continue;
                }
                // The first one to answer is connected, and the others are hung up on.
                _ if index > 0 && outcome == DialOutcome::Answered => {
                    self.inform_of_leg(dialing, leg, "completed", "canceled");
                    continue;
                }
                _ => {}
            }
            if outcome == DialOutcome::Answered {
                self.inform_of_leg(dialing, leg, "answered", "in-progress");
                self.whisper(leg);
            }
            self.inform_of_leg(dialing, leg, "completed", outcome.as_str());
        }
        self.after_dial(dialing, outcome.as_str());
    }

    /// The caller hangs up while others are called.
    pub(super) fn abandoned(&mut self, dialing: &Dialing) {
        for leg in &dialing.legs {
            if leg.noun.name() == "Conference" {
                self.inform_of_conference(leg, &["leave", "end"]);
            } else {
                self.inform_of_leg(dialing, leg, "completed", "canceled");
            }
        }
        self.after_dial(dialing, "canceled");
    }

    fn after_dial(&mut self, dialing: &Dialing, status: &'static str) {
        let is_conference = dialing.is_conference();
        let talked = status == "completed";
        let mut params = vec![("DialCallStatus", status.to_owned())];
        if is_conference && talked {
            params = vec![("DialCallStatus", "answered".to_owned())];
        }
        if let Some(leg) = dialing.legs.first().filter(|_| !is_conference) {
            params.push(("DialCallSid", leg.sid.clone()));
            params.push(("DialBridged", talked.to_string()));
        }
        if talked && !is_conference {
            params.push(("DialCallDuration", TALK.to_owned()));
        }
        let records = dialing.verb.attribute("record");
        if talked && records.is_some_and(|when| when != "do-not-record") {
            let recording = self.new_recording(12);
            self.inform_of_recording(&dialing.verb, "Dial", "DialVerb", &recording);
            params.push(("RecordingUrl", recording.url));
            params.push(("RecordingSid", recording.sid));
            params.push(("RecordingDuration", recording.seconds.to_string()));
        }
        self.state = State::Running;
        self.act_on(&dialing.verb, "Dial", false, &params);
    }

    /// Returns the parameters that are other ones in the call of somebody who is called.
    fn leg_params(
        &self,
        dialing: &Dialing,
        leg: &Leg,
        status: &str,
    ) -> Vec<(&'static str, String)> {
        let from = dialing.verb.attribute("callerId");
        let from = from.unwrap_or(self.session.param("From")).to_owned();
        vec![
            ("ParentCallSid", self.session.param("CallSid").to_owned()),
            ("CallSid", leg.sid.clone()),
            ("CallStatus", status.to_owned()),
            ("Direction", "outbound-dial".to_owned()),
            ("From", from.clone()),
            ("Caller", from),
            ("To", leg.to.clone()),
            ("Called", leg.to.clone()),
        ]
    }

    fn inform_of_leg(&mut self, dialing: &Dialing, leg: &Leg, event: &str, status: &str) {
        // Without the attribute, Twilio informs of the end.
        let events = leg.noun.attribute("statusCallbackEvent");
        let mut events = events.unwrap_or("completed").split_ascii_whitespace();
        if !events.any(|one| one == event) {
            return;
        }
        let number = EVENTS.iter().position(|one| *one == event);
        let mut params = self.leg_params(dialing, leg, status);
        params.extend([
            ("Timestamp", sample::TIMESTAMP.to_owned()),
            ("CallbackSource", "call-progress-events".to_owned()),
            ("SequenceNumber", number.unwrap_or_default().to_string()),
        ]);
        if event == "completed" && status == "completed" {
            params.push(("Duration", "1".to_owned()));
            params.push(("CallDuration", TALK.to_owned()));
        }
        let reason = Reason::Callback(name_of(&leg.noun), "statusCallback");
        let attributes = ["statusCallback", "statusCallbackMethod"];
        let request = self.request_for(&leg.noun, attributes, reason, &params);
        self.session.aside(request, None);
    }

    /// Lets the called party hear something before both are connected.
    fn whisper(&mut self, leg: &Leg) {
        let dialing = Dialing {
            verb: leg.noun.clone(),
            legs: Vec::new(),
        };
        let params = self.leg_params(&dialing, leg, "in-progress");
        let reason = Reason::Document(name_of(&leg.noun), "url");
        let request = self.request_for(&leg.noun, ["url", "method"], reason, &params);
        self.session.aside(request, Some("the called party"));
    }

    /// Informs of a conference: <https://www.twilio.com/docs/voice/twiml/conference#statuscallback>.
    fn inform_of_conference(&mut self, leg: &Leg, events: &[&str]) {
        let wanted = leg.noun.attribute("statusCallbackEvent");
        let wanted = wanted.unwrap_or_default().to_owned();
        for event in events {
            if !wanted.split_ascii_whitespace().any(|one| one == *event) {
                continue;
            }
            let name = match *event {
                "start" => "conference-start",
                "join" => "participant-join",
                "leave" => "participant-leave",
                _ => "conference-end",
            };
            let params = [
                ("ConferenceSid", self.session.sid("CF", u32::MAX)),
                ("FriendlyName", leg.noun.text().trim().to_owned()),
                ("StatusCallbackEvent", name.to_owned()),
                ("Timestamp", sample::TIMESTAMP.to_owned()),
            ];
            let reason = Reason::Callback("Conference", "statusCallback");
            let attributes = ["statusCallback", "statusCallbackMethod"];
            let request = self.request_for(&leg.noun, attributes, reason, &params);
            self.session.aside(request, None);
        }
    }

    fn wait_in_conference(&mut self, leg: &Leg) {
        let reason = Reason::Document("Conference", "waitUrl");
        let request = self.request_for(&leg.noun, ["waitUrl", "waitMethod"], reason, &[]);
        self.session.aside(request, Some("who waits"));
    }
}

/// Returns the address of a noun, as Twilio writes it.
fn address(noun: &Parsed) -> String {
    let text = noun.text().trim().to_owned();
    match noun.name() {
        "Client" => {
            let identity = noun.find("Identity").map_or(text, Parsed::text);
            format!("client:{}", identity.trim())
        }
        "Conference" => format!("conference:{text}"),
        "Queue" => format!("queue:{text}"),
        "Application" => {
            let sid = noun
                .find("ApplicationSid")
                .map(Parsed::text)
                .unwrap_or(text);
            format!("app:{}", sid.trim())
        }
        "Sip" => noun
            .find("Uri")
            .map_or(text, |uri| uri.text().trim().to_owned()),
        "Sim" => format!("sim:{text}"),
        _ => text,
    }
}

fn name_of(noun: &Parsed) -> &'static str {
    match noun.name() {
        "Number" => "Number",
        "Client" => "Client",
        "Sip" => "Sip",
        "Queue" => "Queue",
        "Application" => "Application",
        "WhatsApp" => "WhatsApp",
        _ => "Dial",
    }
}
