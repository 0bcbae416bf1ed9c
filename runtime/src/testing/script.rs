//! Runs a call or a conversation against an app in this process, as a script says.

use std::{borrow::Cow, fmt, panic::Location, time::Duration};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION},
    rt::time::timeout,
    test::{TestRequest, call_service, read_body},
};
use twilio_signature::url::UrlParts;
use twilio_twiml::{
    attributes::Method,
    walk::{Answer, Fault, FaultKind, Next, NoAnswer, Request, Step, Wait},
};

use super::{Signer, TwilioTestRequest, fail};

/// How long Twilio waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// What happened in a [`Call`](super::Call) or a [`Conversation`](super::Conversation). `Display` has a line for each
/// step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    steps: Vec<Step>,
}

impl Transcript {
    /// Returns the steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the requests that the app got, in order.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.steps.iter().filter_map(|step| match step {
            Step::Requested(request, _) => Some(request),
            _ => None,
        })
    }

    /// Returns the faults, in order.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.steps.iter().filter_map(|step| match step {
            Step::Found(fault) => Some(fault),
            _ => None,
        })
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// What a script expects.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    Say(String),
    Play(String),
    Dial(String),
    Reply(String),
    Media(String),
    NoReply,
    Request(String, Vec<(String, String)>),
    Fault(FaultKind),
    End,
}

impl Expected {
    fn is(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::Say(text), Step::Said(said) | Step::Apologized(said)) => {
                said.contains(text.as_str())
            }
            (Self::Play(url), Step::Played(played)) => played.contains(url.as_str()),
            (Self::Dial(who), Step::Dialed(dialed)) => dialed.contains(who),
            (Self::Reply(text), Step::Sent(reply)) => reply.body.contains(text.as_str()),
            (Self::Media(url), Step::Sent(reply)) => reply.media.contains(url),
            (Self::Fault(kind), Step::Found(fault)) => fault.kind == *kind,
            (Self::Request(url, params), Step::Requested(request, _)) => {
                let has = |(name, value): &(String, String)| request.param(name) == Some(value);
                (request.path() == url || request.url == *url) && params.iter().all(has)
            }
            (Self::End, Step::Ended(_)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Say(text) => write!(f, "the app to say {text:?}"),
            Self::Play(url) => write!(f, "the app to play {url:?}"),
            Self::Dial(who) => write!(f, "the app to dial {who:?}"),
            Self::Reply(text) => write!(f, "the app to reply {text:?}"),
            Self::Media(url) => write!(f, "the app to send the file {url:?}"),
            Self::NoReply => f.write_str("the app to send no reply"),
            Self::Fault(kind) => write!(f, "a fault of the kind {kind:?}"),
            Self::End => f.write_str("the app to end the call"),
            Self::Request(url, params) if params.is_empty() => {
                write!(f, "Twilio to request {url:?}")
            }
            Self::Request(url, params) => write!(f, "Twilio to request {url:?} with {params:?}"),
        }
    }
}

/// A line of a script: what it says, and where.
pub(super) type Line<T> = (T, &'static Location<'static>);

/// A call or a conversation, as the runner sees it.
pub(super) trait Walk {
    fn advance(&mut self) -> Next;
    fn answer(&mut self, answer: Result<Answer<'_>, NoAnswer>);
    fn steps(&mut self) -> Vec<Step>;
}

/// A walk against an app, and what has happened so far.
pub(super) struct Runner<'a, W, S> {
    pub(super) walk: W,
    app: &'a S,
    signer: &'a Signer,
    /// Where the app's URLs are: a scheme, a host and a port.
    origin: String,
    transcript: Transcript,
    /// How many steps the script has passed.
    passed: usize,
    expected_faults: Vec<FaultKind>,
}

impl<'a, W, S, B, E> Runner<'a, W, S>
where
    W: Walk,
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = E>,
    B: MessageBody,
    E: fmt::Debug,
{
    pub(super) fn new(walk: W, url: &str, app: &'a S, signer: &'a Signer) -> Self {
        Self {
            walk,
            app,
            signer,
            origin: origin(url),
            transcript: Transcript::default(),
            passed: 0,
            expected_faults: Vec::new(),
        }
    }

    /// Goes on until something is needed that is not an answer of the app.
    pub(super) async fn advance(&mut self) -> Option<Wait> {
        loop {
            let next = self.walk.advance();
            self.transcript.steps.extend(self.walk.steps());
            match next {
                Next::Answer(request) => self.request(&request).await,
                Next::Act(wait) => return Some(wait),
                Next::End => return None,
            }
        }
    }

    /// Lets what the script did show in the transcript.
    pub(super) fn note(&mut self) {
        self.transcript.steps.extend(self.walk.steps());
        self.passed = self.transcript.steps.len();
    }

    async fn request(&mut self, request: &Request) {
        if origin(&request.url) == self.origin {
            let sent = timeout(ANSWER_TIMEOUT, self.send(request)).await;
            match &sent {
                Ok((status, headers, body)) => self.walk.answer(Ok(Answer {
                    status: *status,
                    content_type: header(headers, &CONTENT_TYPE).as_deref(),
                    location: header(headers, &LOCATION).as_deref(),
                    body,
                })),
                Err(_) => self.walk.answer(Err(NoAnswer::TimedOut)),
            }
        } else {
            self.walk.answer(Err(NoAnswer::Elsewhere));
        }
        self.transcript.steps.extend(self.walk.steps());
    }

    async fn send(&self, request: &Request) -> (u16, HeaderMap, Vec<u8>) {
        let req = match request.method {
            Method::Get => {
                let query = serde_urlencoded::to_string(&request.params).unwrap_or_default();
                let url = with_query(&request.url, &query);
                TestRequest::default().twilio_get(self.signer, &url)
            }
            _ => TestRequest::default().twilio_form(self.signer, &request.url, &request.params),
        };
        let res = call_service(self.app, req.to_request()).await;
        let (status, headers) = (res.status().as_u16(), res.headers().clone());
        (status, headers, read_body(res).await.to_vec())
    }

    /// Goes on until what is expected happens, and fails if it does not.
    pub(super) async fn expect(&mut self, (expected, at): &Line<Expected>) {
        if let Expected::Fault(kind) = expected {
            self.expected_faults.push(*kind);
        }
        let wait = self.advance().await;
        let rest = self.transcript.steps.get(self.passed..).unwrap_or_default();
        if matches!(expected, Expected::NoReply) {
            if rest.iter().any(|step| matches!(step, Step::Sent(_))) {
                self.fail(&format!("expected {expected}"), at);
            }
            return;
        }
        match rest.iter().position(|step| expected.is(step)) {
            Some(found) => self.passed += found + 1,
            None => {
                let state = match wait {
                    Some(wait) => format!("Twilio waits {wait}: {}", hint(wait)),
                    None => "nothing follows any more".to_owned(),
                };
                self.fail(&format!("expected {expected}, and {state}"), at)
            }
        }
    }

    /// Checks that there are no other faults than expected ones, and returns the transcript.
    pub(super) fn finish(self, at: &Location<'_>) -> Transcript {
        let expected = |fault: &&Fault| !self.expected_faults.contains(&fault.kind);
        let count = self.transcript.faults().filter(expected).count();
        if count > 0 {
            let s = if count == 1 { "" } else { "s" };
            self.fail(
                &format!("the app has {count} fault{s}: see FAULT in the transcript"),
                at,
            );
        }
        self.transcript
    }

    pub(super) fn fail(&self, reason: &str, at: &Location<'_>) -> ! {
        fail(&format!(
            "{reason}\n  at {at}\n--- transcript\n{}",
            self.transcript
        ))
    }
}

/// Says what a script can do about a wait.
fn hint(wait: Wait) -> &'static str {
    match wait {
        Wait::Gather { keys: true, .. } => "write .press(\"1\") or .silence() before it",
        Wait::Gather { .. } => "write .say(\"..\") or .silence() before it",
        Wait::Record => "write .record(5) or .silence() before it",
        Wait::Dial => "write .answered(), .busy(), .no_answer() or .failed() before it",
        Wait::Queue => "write .connect() or .hang_up() before it",
        _ => "write what the caller does before it",
    }
}

/// Returns a URL of an app from a path or a whole URL.
pub(super) fn url_of(path_or_url: &str) -> String {
    if path_or_url.starts_with('/') {
        format!("https://example.com{path_or_url}")
    } else {
        path_or_url.to_owned()
    }
}

fn origin(url: &str) -> String {
    let parts = UrlParts::of(url);
    format!("{}://{}", parts.scheme, parts.host_and_port()).to_ascii_lowercase()
}

fn with_query(url: &str, query: &str) -> String {
    match url {
        _ if query.is_empty() => url.to_owned(),
        url if url.contains('?') => format!("{url}&{query}"),
        url => format!("{url}?{query}"),
    }
}

/// Returns a header as text, whatever its bytes are.
fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Cow<'h, str>> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()))
}
