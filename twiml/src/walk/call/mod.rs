//! A call, from the webhook to its end.

mod dial;
mod gather;
mod queue;
mod record;
mod verbs;

use std::fmt;

use self::{dial::Dialing, gather::Gathering};
use super::{
    Answer, Fault, FaultKind, NoAnswer, Reason, Request, Step,
    request::resolve,
    sample,
    session::{Aside, Received, Session},
};
use crate::{Channel, Parsed, attributes::Method, lint::first_chars};

/// The requests that a walk makes at most, if nothing else is set.
const MAX_REQUESTS: usize = 100;

/// How many characters of an answer that is not TwiML are shown.
const MAX_TEXT: usize = 2_000;

/// What a caller hears if there is nothing to execute.
const APPLICATION_ERROR: &str = "We are sorry, an application error has occurred. Goodbye.";

/// A call that is walked through. See the [module](super).
#[derive(Debug, Clone)]
pub struct CallWalk {
    session: Session,
    /// The URL of the first webhook.
    url: String,
    /// The document that is executed. Below it are those that wait for its end.
    frames: Vec<Frame>,
    state: State,
    status: &'static str,
    status_callback: Option<String>,
    /// What was asked for last, and not answered yet.
    asked: Option<Asked>,
    /// The number of SIDs that were made up.
    sids: u32,
}

/// A document that is executed.
#[derive(Debug, Clone)]
struct Frame {
    url: String,
    verbs: std::vec::IntoIter<Parsed>,
    /// The `<Enqueue>` whose caller hears the document while waiting.
    queue: Option<Parsed>,
}

#[derive(Debug, Clone)]
enum State {
    /// Twilio is about to request this, and executes the answer.
    Request(Request),
    /// Twilio executes the document.
    Running,
    /// Twilio waits for the caller, or for somebody else.
    Waiting(Waiting),
    /// The call has ended.
    Ended,
}

#[derive(Debug, Clone)]
enum Waiting {
    Gather(Gathering),
    Record(Parsed),
    Dial(Dialing),
    Queue,
}

#[derive(Debug, Clone)]
enum Asked {
    Document(Request),
    Aside(Aside),
}

/// What a call needs in order to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The answer to this request: [`CallWalk::answer`].
    Answer(Request),
    /// What the caller does, or somebody else: [`CallWalk::act`].
    Act(Wait),
    /// Nothing, since it has ended.
    End,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// A `<Gather>`: keys, speech or both.
    Gather {
        /// Whether it takes keys.
        keys: bool,
        /// Whether it takes speech.
        speech: bool,
    },
    /// A `<Record>`.
    Record,
    /// A `<Dial>`.
    Dial,
    /// An `<Enqueue>`, after what its caller hears while waiting.
    Queue,
}

/// What the caller does, or somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// The caller presses these keys: digits, `*` and `#`.
    Press(String),
    /// The caller says this.
    Say(String),
    /// The caller does nothing until Twilio goes on.
    Silence,
    /// The caller speaks for so many seconds while Twilio records.
    Record(u32),
    /// The caller hangs up.
    HangUp,
    /// The dialed call ends in this way.
    Dial(DialOutcome),
    /// Somebody takes the caller out of the queue, and they talk.
    Connect,
}

/// How a dialed call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialOutcome {
    /// It is answered, and the called party hangs up after a while.
    Answered,
    /// The line is busy.
    Busy,
    /// Nobody answers.
    NoAnswer,
    /// It is not possible, for example because the number does not exist.
    Failed,
}

/// The error of an [`Act`] that does not fit what the call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit(String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gather { speech: false, .. } => "for keys of the caller",
            Self::Gather { keys: false, .. } => "for speech of the caller",
            Self::Gather { .. } => "for keys or speech of the caller",
            Self::Record => "for what the caller says, to record it",
            Self::Dial => "for the dialed call to end",
            Self::Queue => "for somebody to take the caller out of the queue",
        })
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Press(keys) => write!(f, "presses {keys:?}"),
            Self::Say(text) => write!(f, "says {text:?}"),
            Self::Silence => f.write_str("is silent"),
            Self::Record(seconds) => write!(f, "speaks for {seconds} seconds"),
            Self::HangUp => f.write_str("hangs up"),
            Self::Dial(outcome) => write!(f, "waits for the dialed call: {outcome:?}"),
            Self::Connect => f.write_str("is taken out of the queue"),
        }
    }
}

impl CallWalk {
    /// Begins an incoming call whose webhook has this URL, requested with `POST`. Its parameters are samples.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the URL.
    pub fn new(url: &str) -> Result<Self, String> {
        let samples = [sample::CALL, sample::PLACES, sample::CALLER];
        let url = resolve(url, url)?;
        let first = Request::new(Reason::Incoming, Method::Post, url.clone(), Vec::new());
        Ok(Self {
            url,
            session: Session::new(Channel::Voice, &samples, MAX_REQUESTS),
            frames: Vec::new(),
            state: State::Request(first),
            status: "ringing",
            status_callback: None,
            asked: None,
            sids: 0,
        })
    }

    /// Sets the method of the first request.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        if let State::Request(request) = &mut self.state {
            request.method = method;
        }
        self
    }

    /// Sets a parameter of every request, such as `From`. `Caller` and `Called` follow `From` and `To`.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.session.set_param(name, value);
        match name {
            "From" => self.session.set_param("Caller", value),
            "To" => self.session.set_param("Called", value),
            _ => {}
        }
        self
    }

    /// Sets the URL that is informed when the call has ended. It may be a path, for the same host.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the URL.
    pub fn status_callback(mut self, url: &str) -> Result<Self, String> {
        self.status_callback = Some(resolve(&self.url, url)?);
        Ok(self)
    }

    /// Sets the URL that is requested once an error has happened. It may be a path, for the same host.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the URL.
    pub fn fallback_url(mut self, url: &str) -> Result<Self, String> {
        self.session.fallback_url = Some(resolve(&self.url, url)?);
        Ok(self)
    }

    /// Sets how many requests are made at most; 100 is the default. Then the walk stops, with a fault.
    #[must_use]
    pub fn max_requests(mut self, max: usize) -> Self {
        self.session.set_max_requests(max);
        self
    }

    /// Goes on as far as possible, and returns what is needed then.
    pub fn advance(&mut self) -> Next {
        loop {
            if let Some(asked) = &self.asked {
                let (Asked::Document(request) | Asked::Aside(Aside { request, .. })) = asked;
                return Next::Answer(request.clone());
            }
            let asked = match (self.session.asides.pop_front(), &self.state) {
                (Some(aside), _) => Asked::Aside(aside),
                (None, State::Request(request)) => Asked::Document(self.complete(request)),
                (None, State::Running) => {
                    self.run();
                    continue;
                }
                (None, State::Waiting(waiting)) => return Next::Act(waiting.wait()),
                (None, State::Ended) => return Next::End,
            };
            if self.session.is_too_long() {
                self.state = State::Ended;
            } else {
                self.asked = Some(asked);
            }
        }
    }

    /// Takes the answer to the request that [`advance`](Self::advance) returned. Without one, nothing happens.
    pub fn answer(&mut self, answer: Result<Answer<'_>, NoAnswer>) {
        match self.asked.take() {
            Some(Asked::Aside(aside)) => self.session.receive_aside(&aside, answer),
            Some(Asked::Document(request)) => {
                let received = self.session.receive(&request, answer);
                self.receive(&request, received);
            }
            None => {}
        }
    }

    /// Returns what has happened since the last time.
    pub fn steps(&mut self) -> Vec<Step> {
        self.session.take_steps()
    }

    /// Goes on after what [`advance`](Self::advance) waits for.
    ///
    /// # Errors
    ///
    /// Returns an error, and changes nothing, if the caller can't do this now.
    pub fn act(&mut self, act: &Act) -> Result<(), Misfit> {
        let State::Waiting(waiting) = &self.state else {
            return Err(Misfit(format!(
                "the caller {act}, and Twilio waits for nothing"
            )));
        };
        if !self.session.asides.is_empty() || self.asked.is_some() {
            return Err(Misfit("a request has to be answered first".to_owned()));
        }
        match (waiting.clone(), act) {
            (waiting, Act::HangUp) => self.hang_up(&waiting),
            (Waiting::Gather(gather), Act::Press(keys)) if gather.takes_keys() => {
                gather::check_keys(keys)?;
                self.pressed(&gather, keys);
            }
            (Waiting::Gather(gather), Act::Say(text)) if gather.takes_speech() => {
                self.spoke(&gather, text);
            }
            (Waiting::Gather(gather), Act::Silence) => {
                self.session.steps.push(Step::Caller("(silent)".to_owned()));
                self.gathered_nothing(&gather);
            }
            (Waiting::Record(record), Act::Record(seconds)) => self.recorded(&record, *seconds, ""),
            (Waiting::Record(record), Act::Press(keys)) => {
                gather::check_keys(keys)?;
                self.recorded_until(&record, keys);
            }
            (Waiting::Record(_), Act::Silence) => self.recorded_nothing(),
            (Waiting::Dial(dialing), Act::Dial(outcome)) => self.dialed(&dialing, *outcome),
            (Waiting::Queue, Act::Connect) => self.leave_queue("bridged"),
            (waiting, _) => {
                let wait = waiting.wait();
                return Err(Misfit(format!("the caller {act}, and Twilio waits {wait}")));
            }
        }
        Ok(())
    }

    /// Adds the parameters that every request has, and the status of the moment.
    fn complete(&self, request: &Request) -> Request {
        let mut request = self.session.complete(request);
        let status = ("CallStatus".to_owned(), self.status.to_owned());
        let is_bare = matches!(request.reason, Reason::HttpRedirect(_));
        if !is_bare && request.param("CallStatus").is_none() {
            request.params.push(status);
        }
        request
    }

    fn receive(&mut self, request: &Request, received: Received) {
        if self.status == "completed" {
            // The caller has hung up, so nothing is executed any more.
            self.state = State::Ended;
            return self.inform_of_end();
        }
        self.status = "in-progress";
        match received {
            Received::Request(next) => {
                if next.reason == Reason::Fallback {
                    self.frames.clear();
                }
                self.state = State::Request(next);
            }
            Received::Verbs { url, verbs } => self.begin(url, verbs),
            Received::Text(text) => {
                let said = first_chars(&text, MAX_TEXT);
                self.session.steps.push(Step::Said(said));
                self.end("hangs up after the text");
            }
            Received::Audio(url) => {
                self.session.steps.push(Step::Played(url));
                self.end("hangs up after the sound");
            }
            Received::Loop if self.is_queued() => self.state = State::Waiting(Waiting::Queue),
            Received::Loop => self.found_loop(request),
            Received::Failed => {
                self.session
                    .steps
                    .push(Step::Apologized(APPLICATION_ERROR.to_owned()));
                self.end("ends the call because of the error");
            }
            Received::Elsewhere => self.state = State::Ended,
        }
    }

    fn begin(&mut self, url: String, verbs: Vec<Parsed>) {
        let queue = self.frames.pop().and_then(|frame| frame.queue);
        self.frames.push(Frame {
            url,
            verbs: verbs.into_iter(),
            queue,
        });
        self.state = State::Running;
    }

    fn found_loop(&mut self, request: &Request) {
        let (method, url) = (request.method.as_str(), &request.url);
        self.session.fault(Fault::new(
            FaultKind::Loop,
            None,
            format!("{method} {url} answers the same document again and again: the call goes on until the caller hangs up"),
            "count the rounds, for example in the query of the URL, and end the call after some",
        ));
        self.state = State::Ended;
    }

    /// Whether the document is one for those who wait in a queue.
    fn is_queued(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| frame.queue.is_some())
    }

    /// Executes the next verb, or ends the document.
    fn run(&mut self) {
        let Some(frame) = self.frames.last_mut() else {
            self.state = State::Ended;
            return;
        };
        match frame.verbs.next() {
            Some(verb) => self.execute(&verb),
            None if self.is_queued() => self.state = State::Waiting(Waiting::Queue),
            None => self.end("ends the call after the last verb"),
        }
    }

    /// Requests the `action` of a verb. Without the attribute, it is the document itself, or nothing.
    fn act_on(
        &mut self,
        verb: &Parsed,
        name: &'static str,
        or_document: bool,
        params: &[(&str, String)],
    ) -> bool {
        let Some(action) = verb.attribute("action").or(or_document.then_some("")) else {
            return false;
        };
        let base = self.url();
        let Some(url) = self.session.resolve(&base, action, verb.line()) else {
            let request = Request::new(Reason::Action(name), Method::Post, base, Vec::new());
            let received = self.session.fall_back(&request, 11100);
            self.receive(&request, received);
            return true;
        };
        let params = owned(params);
        let request = Request::new(Reason::Action(name), method_of(verb, "method"), url, params);
        self.state = State::Request(request);
        true
    }

    /// Returns the request for an attribute that holds a URL, with the parameters of every request.
    fn request_for(
        &mut self,
        element: &Parsed,
        attributes: [&str; 2],
        reason: Reason,
        params: &[(&str, String)],
    ) -> Option<Request> {
        let [attribute, method] = attributes;
        let reference = element.attribute(attribute)?.trim();
        if reference.is_empty() {
            return None;
        }
        let base = self.url();
        let url = self.session.resolve(&base, reference, element.line())?;
        let method = method_of(element, method);
        let request = Request::new(reason, method, url, owned(params));
        Some(self.complete(&request))
    }

    /// Returns the URL of the document that is executed.
    fn url(&self) -> String {
        self.frames
            .last()
            .map(|frame| frame.url.clone())
            .unwrap_or_default()
    }

    fn sid(&mut self, prefix: &str) -> String {
        self.sids += 1;
        self.session.sid(prefix, self.sids)
    }

    fn hang_up(&mut self, waiting: &Waiting) {
        self.session
            .steps
            .push(Step::Caller("(hangs up)".to_owned()));
        self.status = "completed";
        match waiting {
            Waiting::Record(record) => self.recorded(record, 1, "hangup"),
            Waiting::Dial(dialing) => self.abandoned(dialing),
            _ if self.is_queued() => self.leave_queue("hangup"),
            Waiting::Gather(_) | Waiting::Queue => {}
        }
        if !matches!(self.state, State::Request(_)) {
            self.ended();
        }
    }

    /// Ends the call from Twilio's side.
    fn end(&mut self, how: &str) {
        self.session.steps.push(Step::Ended(how.to_owned()));
        self.ended();
    }

    fn ended(&mut self) {
        self.status = match self.status {
            ended @ ("busy" | "no-answer") => ended,
            _ => "completed",
        };
        if !matches!(self.state, State::Ended) {
            self.state = State::Ended;
            self.inform_of_end();
        }
    }

    /// Informs the app that the call has ended: <https://www.twilio.com/docs/voice/api/call-resource#statuscallback>.
    fn inform_of_end(&mut self) {
        let Some(url) = self.status_callback.take() else {
            return;
        };
        let mut params = vec![
            ("Timestamp", sample::TIMESTAMP.to_owned()),
            ("CallbackSource", "call-progress-events".to_owned()),
            ("SequenceNumber", "0".to_owned()),
        ];
        if self.status == "completed" {
            params.push(("Duration", "1".to_owned()));
            params.push(("CallDuration", "42".to_owned()));
        }
        let request = Request::new(Reason::CallStatus, Method::Post, url, owned(&params));
        let request = self.complete(&request);
        self.session.aside(Some(request), None);
    }
}

impl Waiting {
    fn wait(&self) -> Wait {
        match self {
            Self::Gather(gather) => Wait::Gather {
                keys: gather.takes_keys(),
                speech: gather.takes_speech(),
            },
            Self::Record(_) => Wait::Record,
            Self::Dial(_) => Wait::Dial,
            Self::Queue => Wait::Queue,
        }
    }
}

fn owned(params: &[(&str, String)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
    params.iter().map(owned).collect()
}

/// Returns the method that an attribute says: `POST` unless it says `GET`.
fn method_of(element: &Parsed, attribute: &str) -> Method {
    match element.attribute(attribute) {
        Some("GET") => Method::Get,
        _ => Method::Post,
    }
}
