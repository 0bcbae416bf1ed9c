//! What each verb does: <https://www.twilio.com/docs/voice/twiml>.

use super::{CallWalk, State, Waiting, method_of};
use crate::{
    Parsed,
    lint::too_long,
    walk::{Fault, FaultKind, Reason, Request, Step, session::spoken},
};

impl CallWalk {
    pub(super) fn execute(&mut self, verb: &Parsed) {
        match verb.name() {
            "Say" | "Play" | "Pause" => self.heard(verb),
            "Gather" => self.gather(verb),
            "Redirect" => self.redirect(verb),
            "Dial" => self.dial(verb),
            "Record" => {
                self.session.twilio("records what the caller says");
                self.state = State::Waiting(Waiting::Record(verb.clone()));
            }
            "Enqueue" => self.enqueue(verb),
            "Leave" => self.leave(verb),
            "Hangup" if self.is_queued() => {
                self.session.steps.push(Step::Ended("hangs up".to_owned()));
                self.leave_queue("hangup");
            }
            "Hangup" => self.end("hangs up"),
            "Reject" => self.reject(verb),
            "Refer" => self.refer(verb),
            "Connect" => self.connect(verb),
            "Start" | "Stop" => self.start_or_stop(verb),
            "Pay" => self.pay(verb),
            "Sms" => self.sms(verb),
            "Echo" => self.end("plays back what the caller says, until the caller hangs up"),
            // The lint has found what is not one of Twilio's verbs, and Twilio ignores it.
            _ => {}
        }
    }

    /// Lets the caller hear a `<Say>`, a `<Play>` or a `<Pause>`.
    pub(super) fn heard(&mut self, verb: &Parsed) {
        let step = match (verb.name(), verb.attribute("digits")) {
            ("Say", _) => Step::Said(spoken(verb)),
            ("Play", Some(digits)) => Step::Played(format!("the tones of {digits}")),
            ("Play", None) => Step::Played(verb.text().trim().to_owned()),
            (_, _) => {
                let seconds = verb.attribute("length").unwrap_or("1");
                Step::Twilio(format!("pauses for {seconds} s"))
            }
        };
        self.session.steps.push(step);
        let times = verb.attribute("loop").and_then(|times| times.parse().ok());
        match times.unwrap_or(1_u64) {
            0 => self.end("repeats it until the caller hangs up"),
            1 => {}
            times => self
                .session
                .twilio(format!("repeats it: {times} times in all")),
        }
    }

    /// <https://www.twilio.com/docs/voice/twiml/redirect>
    fn redirect(&mut self, verb: &Parsed) {
        let base = self.url();
        let method = method_of(verb, "method");
        match self.session.resolve(&base, &verb.text(), verb.line()) {
            Some(url) => {
                self.state =
                    State::Request(Request::new(Reason::Redirect, method, url, Vec::new()));
            }
            None => {
                let request = Request::new(Reason::Redirect, method, base, Vec::new());
                let received = self.session.fall_back(&request, 11100);
                self.receive(&request, received);
            }
        }
    }

    /// <https://www.twilio.com/docs/voice/twiml/reject>
    fn reject(&mut self, verb: &Parsed) {
        let is_busy = verb.attribute("reason") == Some("busy");
        self.status = if is_busy { "busy" } else { "no-answer" };
        self.end(if is_busy {
            "rejects the call: the caller hears that the line is busy"
        } else {
            "rejects the call: the caller hears that the number is not in service"
        });
    }

    /// <https://www.twilio.com/docs/voice/twiml/refer>
    fn refer(&mut self, verb: &Parsed) {
        let target = verb.find("Sip").map(Parsed::text).unwrap_or_default();
        let target = target.trim().to_owned();
        self.session
            .twilio(format!("transfers the call to {target}"));
        let params = [
            ("ReferCallStatus", "completed".to_owned()),
            ("ReferSipResponseCode", "202".to_owned()),
            ("NotifySipResponseCode", "200".to_owned()),
        ];
        self.act_on(verb, "Refer", false, &params);
    }

    /// <https://www.twilio.com/docs/voice/twiml/connect>
    fn connect(&mut self, verb: &Parsed) {
        let nouns: Vec<_> = verb.children().cloned().collect();
        let mut params = Vec::new();
        for noun in &nouns {
            self.session
                .twilio(format!("connects with {}", described(noun)));
            self.stream_status(noun);
            if noun.name() == "ConversationRelay" {
                params = vec![
                    ("SessionId", self.sid("VX")),
                    ("SessionStatus", "ended".to_owned()),
                    ("SessionDuration", "12".to_owned()),
                ];
            }
        }
        self.act_on(verb, "Connect", false, &params);
    }

    /// <https://www.twilio.com/docs/voice/twiml/stream>
    fn start_or_stop(&mut self, verb: &Parsed) {
        let is_start = verb.name() == "Start";
        let nouns: Vec<_> = verb.children().cloned().collect();
        for noun in &nouns {
            let does = if is_start { "starts" } else { "stops" };
            self.session.twilio(format!("{does} {}", described(noun)));
            if is_start {
                self.stream_status(noun);
            }
        }
    }

    fn stream_status(&mut self, noun: &Parsed) {
        if noun.name() != "Stream" || noun.attribute("statusCallback").is_none() {
            return;
        }
        let params = [
            ("StreamSid", self.sid("MZ")),
            (
                "StreamName",
                noun.attribute("name").unwrap_or_default().to_owned(),
            ),
            ("StreamEvent", "stream-started".to_owned()),
            ("Timestamp", "2026-03-02T10:16:12.000Z".to_owned()),
        ];
        let reason = Reason::Callback("Stream", "statusCallback");
        let request = self.request_for(
            noun,
            ["statusCallback", "statusCallbackMethod"],
            reason,
            &params,
        );
        self.session.aside(request, None);
    }

    /// <https://www.twilio.com/docs/voice/twiml/pay>
    fn pay(&mut self, verb: &Parsed) {
        let amount = verb.attribute("chargeAmount").unwrap_or("no charge");
        self.session
            .twilio(format!("takes a card of the caller: {amount}"));
        let params = [
            ("Result", "success".to_owned()),
            ("PaymentCardNumber", "xxxxxxxxxxxx1111".to_owned()),
            ("PaymentCardType", "visa".to_owned()),
            ("PaymentConfirmationCode", "ch_1".to_owned()),
        ];
        self.act_on(verb, "Pay", true, &params);
    }

    /// <https://www.twilio.com/docs/voice/twiml/sms>
    fn sms(&mut self, verb: &Parsed) {
        let to = verb.attribute("to").unwrap_or(self.session.param("From"));
        if too_long(&verb.text()).is_some() {
            return self
                .session
                .twilio("does not send the message, since it is too long");
        }
        let text = format!("sends {:?} to {to}", verb.text().trim());
        self.session.twilio(text);
        let sid = self.sid("SM");
        let params = [("SmsSid", sid.clone()), ("SmsStatus", "sent".to_owned())];
        let reason = Reason::Callback("Sms", "statusCallback");
        let request = self.request_for(verb, ["statusCallback", ""], reason, &params);
        self.session.aside(request, None);
        self.act_on(verb, "Sms", false, &params);
    }

    /// <https://www.twilio.com/docs/voice/twiml/leave>
    fn leave(&mut self, verb: &Parsed) {
        if self.is_queued() {
            return self.leave_queue("leave");
        }
        let fault = Fault::new(
            FaultKind::Document,
            None,
            "<Leave> leaves no queue: this document is not one of a waitUrl",
            "use <Hangup> to end the call",
        );
        self.session.fault(fault.at(verb.line()));
        self.end("ends the call");
    }
}

/// Names what a call is connected with, and its URL.
fn described(noun: &Parsed) -> String {
    match noun.attribute("url") {
        Some(url) => format!("<{}> {url}", noun.name()),
        None => format!("<{}> {}", noun.name(), noun.text().trim())
            .trim()
            .to_owned(),
    }
}
