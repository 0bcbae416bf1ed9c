//! `<Gather>`: <https://www.twilio.com/docs/voice/twiml/gather>.

use super::{CallWalk, Misfit, State, Waiting};
use crate::{
    Parsed,
    walk::{Fault, FaultKind, Reason, Step},
};

/// The keys of a telephone.
const KEYS: &str = "0123456789*#";

/// A `<Gather>` that waits for the caller.
#[derive(Debug, Clone)]
pub(super) struct Gathering {
    verb: Parsed,
}

impl Gathering {
    fn takes(&self, input: &str) -> bool {
        let inputs = self.verb.attribute("input").unwrap_or("dtmf");
        inputs.split_ascii_whitespace().any(|one| one == input)
    }

    pub(super) fn takes_keys(&self) -> bool {
        self.takes("dtmf")
    }

    pub(super) fn takes_speech(&self) -> bool {
        self.takes("speech")
    }

    fn acts_on_nothing(&self) -> bool {
        self.verb.attribute("actionOnEmptyResult") == Some("true")
    }

    /// Returns the digits that Twilio passes on, and the key that ended them.
    ///
    /// A key of `finishOnKey` ends the input, and so does the last one of `numDigits`. What is pressed afterwards is lost.
    fn digits<'k>(&self, keys: &'k str) -> (&'k str, &'k str) {
        let finish = self.verb.attribute("finishOnKey").unwrap_or("#");
        let limit = self
            .verb
            .attribute("numDigits")
            .and_then(|max| max.parse().ok());
        let limit: usize = limit.unwrap_or(usize::MAX);
        // The keys are ASCII, so each has one byte.
        let end = keys.find(|key: char| finish.contains(key));
        let count = end.unwrap_or(keys.len()).min(limit);
        let digits = keys.get(..count).unwrap_or_default();
        let key = match end {
            Some(at) if at == count => keys.get(at..=at).unwrap_or_default(),
            _ => "",
        };
        (digits, key)
    }
}

/// Checks that a telephone has these keys.
pub(super) fn check_keys(keys: &str) -> Result<(), Misfit> {
    if !keys.is_empty() && keys.chars().all(|key| KEYS.contains(key)) {
        return Ok(());
    }
    Err(Misfit(format!(
        "{keys:?} are not keys: write digits, * and #"
    )))
}

impl CallWalk {
    pub(super) fn gather(&mut self, verb: &Parsed) {
        let inside: Vec<_> = verb.children().cloned().collect();
        for child in &inside {
            if matches!(child.name(), "Say" | "Play" | "Pause") {
                self.heard(child);
                if matches!(self.state, State::Ended) {
                    return;
                }
            }
        }
        let gather = Gathering { verb: verb.clone() };
        let is_last = self
            .frames
            .last()
            .is_none_or(|frame| frame.verbs.len() == 0 && frame.queue.is_none());
        if is_last && !gather.acts_on_nothing() {
            let fault = Fault::new(
                FaultKind::Silence,
                None,
                "<Gather> is the last verb: a caller who stays silent is hung up on without a word",
                "add a verb after it, such as <Say> and <Redirect>, or actionOnEmptyResult=\"true\"",
            );
            self.session.fault(fault.at(verb.line()));
        }
        self.state = State::Waiting(Waiting::Gather(gather));
    }

    pub(super) fn pressed(&mut self, gather: &Gathering, keys: &str) {
        self.session.steps.push(Step::Caller(keys.to_owned()));
        let (digits, key) = gather.digits(keys);
        if digits.is_empty() {
            self.session
                .twilio("ignores the key: it ends the input, and there was none before it");
            return self.gathered_nothing(gather);
        }
        if digits.len() + key.len() < keys.len() {
            self.session
                .twilio(format!("takes {digits}, and ignores the rest"));
        }
        self.session.forget_repeats();
        let params = [
            ("Digits", digits.to_owned()),
            ("FinishedOnKey", key.to_owned()),
            ("msg", "Gather End".to_owned()),
        ];
        self.act_on(&gather.verb, "Gather", true, &params);
    }

    pub(super) fn spoke(&mut self, gather: &Gathering, text: &str) {
        self.session.steps.push(Step::Caller(format!("\"{text}\"")));
        self.session.forget_repeats();
        let language = gather
            .verb
            .attribute("language")
            .unwrap_or("en-US")
            .to_owned();
        let partial = [
            ("UnstableSpeechResult", text.to_owned()),
            ("StableSpeechResult", String::new()),
            ("Stability", "0.9".to_owned()),
            ("SequenceNumber", "0".to_owned()),
            ("Language", language.clone()),
        ];
        let attributes = ["partialResultCallback", "partialResultCallbackMethod"];
        let reason = Reason::Callback("Gather", "partialResultCallback");
        let request = self.request_for(&gather.verb, attributes, reason, &partial);
        self.session.aside(request, None);
        let params = [
            ("SpeechResult", text.to_owned()),
            ("Confidence", "0.9".to_owned()),
            ("Language", language),
        ];
        self.act_on(&gather.verb, "Gather", true, &params);
    }

    /// Goes on with the next verb, or with the `action` if it wants to know of silence, too.
    pub(super) fn gathered_nothing(&mut self, gather: &Gathering) {
        if !gather.acts_on_nothing() {
            self.state = State::Running;
            return;
        }
        let mut params = vec![("msg", "Gather End".to_owned())];
        if gather.takes_keys() {
            params.push(("Digits", String::new()));
            params.push(("FinishedOnKey", String::new()));
        }
        if gather.takes_speech() {
            params.push(("SpeechResult", String::new()));
        }
        self.act_on(&gather.verb, "Gather", true, &params);
    }
}
