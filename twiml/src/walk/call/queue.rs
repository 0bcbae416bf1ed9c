//! `<Enqueue>` and `<Leave>`: <https://www.twilio.com/docs/voice/twiml/enqueue>.

use super::{CallWalk, Frame, State, Waiting};
use crate::{
    Parsed,
    attributes::Method,
    walk::{Fault, FaultKind, Reason, Request},
};

impl CallWalk {
    pub(super) fn enqueue(&mut self, verb: &Parsed) {
        // Twilio knows no queue in a queue, and this walk keeps the document of each.
        if self.is_queued() {
            let fault = Fault::new(
                FaultKind::Document,
                None,
                "this document of a waitUrl has an <Enqueue>, and the caller waits already",
                "write <Leave/> first, and <Enqueue> in the document that follows",
            );
            return self.session.fault(fault.at(verb.line()));
        }
        let name = verb.text().trim().to_owned();
        let name = match verb.attribute("workflowSid") {
            Some(workflow) => format!("the workflow {workflow}"),
            None => format!("the queue {name:?}"),
        };
        self.session
            .twilio(format!("lets the caller wait in {name}"));
        let url = self.url();
        self.frames.push(Frame {
            url: url.clone(),
            verbs: Vec::new().into_iter(),
            queue: Some(verb.clone()),
        });
        self.state = State::Waiting(Waiting::Queue);
        // An empty one means silence.
        let Some(wait_url) = verb
            .attribute("waitUrl")
            .filter(|url| !url.trim().is_empty())
        else {
            return;
        };
        let Some(url) = self.session.resolve(&url, wait_url, verb.line()) else {
            return;
        };
        let method = match verb.attribute("waitUrlMethod") {
            Some("GET") => Method::Get,
            _ => Method::Post,
        };
        let params = [
            ("QueueSid", self.session.sid("QU", u32::MAX)),
            ("QueuePosition", "1".to_owned()),
            ("QueueTime", "0".to_owned()),
            ("AvgQueueTime", "0".to_owned()),
            ("CurrentQueueSize", "1".to_owned()),
            ("MaxQueueSize", "100".to_owned()),
        ];
        let params = super::owned(&params);
        let reason = Reason::Document("Enqueue", "waitUrl");
        self.state = State::Request(Request::new(reason, method, url, params));
    }

    /// Ends the waiting with this `QueueResult`.
    pub(super) fn leave_queue(&mut self, result: &'static str) {
        match result {
            "bridged" => self
                .session
                .twilio("connects the caller with somebody, and they talk"),
            "leave" => self.session.twilio("takes the caller out of the queue"),
            _ => {}
        }
        if result == "hangup" {
            self.status = "completed";
        }
        self.state = State::Running;
        let Some(verb) = self.frames.pop().and_then(|frame| frame.queue) else {
            return;
        };
        let params = [
            ("QueueResult", result.to_owned()),
            ("QueueSid", self.session.sid("QU", u32::MAX)),
            ("QueueTime", "12".to_owned()),
        ];
        let acts = self.act_on(&verb, "Enqueue", false, &params);
        if result == "hangup" && !acts {
            self.ended();
        }
    }
}
