//! What calls and conversations have in common: requests, their answers, and what may be wrong with them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    mem,
};

use super::{Answer, Fault, FaultKind, NoAnswer, Reason, Request, Step, request::resolve};
use crate::{
    Channel, Finding, FindingKind, Parsed, attributes::Method, check_answer, check_for, lint::shown,
};

/// How many redirects of HTTP are followed in a row. Twilio has a limit, and does not document it.
const MAX_HTTP_REDIRECTS: u8 = 10;

/// How often the same document may come in answer to the same request before it is a loop.
const MAX_REPEATS: u8 = 3;

/// How many faults a walk reports at most. A document may have thousands.
const MAX_FAULTS: usize = 10_000;

/// The state of a call or a conversation that does not depend on its verbs.
#[derive(Debug, Clone)]
pub(super) struct Session {
    channel: Channel,
    pub(super) steps: Vec<Step>,
    /// What every request has.
    pub(super) params: Vec<(String, String)>,
    pub(super) fallback_url: Option<String>,
    /// Requests whose answers do not change what happens next.
    pub(super) asides: VecDeque<Aside>,
    max_requests: usize,
    requests: usize,
    faults: usize,
    http_redirects: u8,
    has_fallen_back: bool,
    seen: HashMap<u64, u8>,
}

/// A request whose answer does not change what happens next.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    pub(super) request: Request,
    /// Who hears the answer, if it is a document.
    pub(super) listener: Option<&'static str>,
}

/// What follows from an answer.
#[derive(Debug)]
pub(super) enum Received {
    /// Twilio requests this next.
    Request(Request),
    /// These verbs are executed.
    Verbs { url: String, verbs: Vec<Parsed> },
    /// The text of an answer that is no TwiML.
    Text(String),
    /// The file of sound that was answered.
    Audio(String),
    /// The same document came too often.
    Loop,
    /// There is nothing to execute, because of an error.
    Failed,
    /// Somebody else answers.
    Elsewhere,
}

impl Session {
    pub(super) fn new(channel: Channel, samples: &[&[(&str, &str)]], max_requests: usize) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            channel,
            steps: Vec::new(),
            params: samples.iter().copied().flatten().map(owned).collect(),
            fallback_url: None,
            asides: VecDeque::new(),
            max_requests,
            requests: 0,
            faults: 0,
            http_redirects: 0,
            has_fallen_back: false,
            seen: HashMap::new(),
        }
    }

    pub(super) fn set_max_requests(&mut self, max: usize) {
        self.max_requests = max;
    }

    /// Forgets what happened before, since the next message is a session of its own.
    pub(super) fn begin(&mut self, max_requests: usize) {
        self.max_requests = max_requests;
        self.requests = 0;
        self.http_redirects = 0;
        self.has_fallen_back = false;
        self.asides.clear();
        self.seen.clear();
    }

    /// Adds the parameters that every request has.
    pub(super) fn complete(&self, request: &Request) -> Request {
        let mut request = request.clone();
        if !matches!(request.reason, Reason::HttpRedirect(_)) {
            let own = request.params.iter();
            let own: Vec<_> = own
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            request.params = self.params_with(&own);
        }
        request
    }

    /// Replaces a parameter of every request, or adds one.
    pub(super) fn set_param(&mut self, name: &str, value: impl Into<String>) {
        match self.params.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value.into(),
            None => self.params.push((name.to_owned(), value.into())),
        }
    }

    pub(super) fn param(&self, name: &str) -> &str {
        let mut params = self.params.iter();
        params
            .find(|(other, _)| other == name)
            .map_or("", |(_, value)| value)
    }

    /// Returns the parameters of every request, and these.
    pub(super) fn params_with(&self, more: &[(&str, String)]) -> Vec<(String, String)> {
        let mut params = self.params.clone();
        for (name, value) in more {
            match params.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => old.clone_from(value),
                None => params.push(((*name).to_owned(), value.clone())),
            }
        }
        params
    }

    /// Returns a SID that no other part of this call or conversation has.
    pub(super) fn sid(&self, prefix: &str, number: u32) -> String {
        let own = match self.channel {
            Channel::Voice => self.param("CallSid"),
            Channel::Messaging => self.param("MessageSid"),
        };
        let digits = own.get(2..).unwrap_or_default();
        let start = u128::from_str_radix(digits, 16).unwrap_or_default();
        // Spreads the numbers over all digits.
        let step = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        format!("{prefix}{:032x}", start.wrapping_add(step))
    }

    /// What the caller does makes the same documents worth another look.
    pub(super) fn forget_repeats(&mut self) {
        self.seen.clear();
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults += 1;
        if self.faults <= MAX_FAULTS {
            self.steps.push(Step::Found(fault));
        }
    }

    pub(super) fn twilio(&mut self, text: impl Into<String>) {
        self.steps.push(Step::Twilio(text.into()));
    }

    /// Counts a request, and returns whether it is one too many, or whether there were too many faults.
    pub(super) fn is_too_long(&mut self) -> bool {
        if self.faults <= MAX_FAULTS && self.requests < self.max_requests {
            self.requests += 1;
            return false;
        }
        let requests = format!("the walk stopped after {} requests", self.requests);
        let (code, message, advice) = match self.channel {
            _ if self.faults > MAX_FAULTS => (
                None,
                format!("{requests} and {MAX_FAULTS} faults"),
                "remove these faults first",
            ),
            Channel::Voice => (
                None,
                requests,
                "look for a loop, or raise the limit if there is none",
            ),
            Channel::Messaging => (
                Some(14106),
                requests,
                "let fewer documents answer a message: Twilio takes 50",
            ),
        };
        let fault = Fault::new(FaultKind::TooLong, code, message, advice);
        self.steps.push(Step::Found(fault));
        self.asides.clear();
        true
    }

    /// Resolves a URL of a document, or reports why Twilio can't.
    pub(super) fn resolve(&mut self, base: &str, reference: &str, line: u32) -> Option<String> {
        match resolve(base, reference) {
            Ok(url) => Some(url),
            Err(problem) => {
                let advice =
                    "write a URL that starts with / or with https://, and escape blanks in it";
                let fault = Fault::new(FaultKind::Http, Some(11100), problem, advice);
                self.fault(fault.at(line));
                None
            }
        }
    }

    /// Adds a request that informs the app, or one for a document that somebody else hears.
    pub(super) fn aside(&mut self, aside: Option<Request>, listener: Option<&'static str>) {
        // A document can ask for thousands. The first one that is too many stops the walk, so none after it is kept.
        let left = self.max_requests.saturating_sub(self.requests);
        if let Some(request) = aside.filter(|_| self.asides.len() <= left) {
            self.asides.push_back(Aside { request, listener });
        }
    }

    /// Takes the answer to a request whose answer does not change what happens next.
    pub(super) fn receive_aside(&mut self, aside: &Aside, answer: Result<Answer<'_>, NoAnswer>) {
        self.requested(&aside.request, answer);
        let answer = match answer {
            Ok(answer) => answer,
            Err(NoAnswer::Elsewhere) => return,
            Err(reason) => return self.no_answer(reason),
        };
        if !(200..=299).contains(&answer.status) {
            let code = if aside.request.reason.informs() {
                15003
            } else {
                11200
            };
            return self.fault(Fault::new(
                FaultKind::Http,
                Some(code),
                format!("the app answered with the status {}", answer.status),
                "answer with status 204 and no body, or with TwiML",
            ));
        }
        if answer.body.is_empty() {
            return;
        }
        match aside.listener {
            Some(listener) => self.overhear(&answer, listener),
            None => self.informed(answer),
        }
    }

    /// Checks the answer of an app that was informed: <https://www.twilio.com/docs/api/errors/15003>.
    fn informed(&mut self, answer: Answer<'_>) {
        let findings = check_answer(answer.content_type, answer.body);
        if let Some(finding) = findings.into_iter().next() {
            let mut fault = Fault::from(finding);
            if fault.code == Some(12300) {
                fault.code = Some(15003);
                fault.line = None;
            }
            self.fault(fault);
        }
    }

    /// Shows what somebody else hears. Its verbs are not followed.
    fn overhear(&mut self, answer: &Answer<'_>, listener: &str) {
        let findings = check_answer(answer.content_type, answer.body);
        self.findings(findings);
        let Ok(document) = Parsed::parse(answer.body) else {
            return;
        };
        for verb in document.children() {
            let text = match verb.name() {
                "Say" => format!("{listener} hears: {}", spoken(verb)),
                "Play" => format!("{listener} hears: [plays {}]", verb.text().trim()),
                name => format!("{listener}: <{name}> is not followed"),
            };
            self.steps.push(Step::Overheard(text));
        }
    }

    /// Takes an answer that says what happens next.
    pub(super) fn receive(
        &mut self,
        request: &Request,
        answer: Result<Answer<'_>, NoAnswer>,
    ) -> Received {
        self.requested(request, answer);
        let answer = match answer {
            Ok(answer) => answer,
            Err(NoAnswer::Elsewhere) => return Received::Elsewhere,
            Err(reason) => {
                self.no_answer(reason);
                return self.fall_back(request, code_of(reason));
            }
        };
        match answer.status {
            200..=299 => self.document(request, &answer),
            300..=399 => self.redirect(request, &answer),
            status => {
                let message = format!("the app answered with the status {status}");
                let advice = match status {
                    404 => "check the URL, and that the app has a route for it and its method",
                    401 | 403 => "check that the app accepts signed requests of Twilio",
                    405 => "let the route take this method, or set the other one",
                    _ => "see the app's log",
                };
                self.fail(request, 11200, message, advice)
            }
        }
    }

    fn requested(&mut self, request: &Request, answer: Result<Answer<'_>, NoAnswer>) {
        let why_not = match answer {
            Err(NoAnswer::Elsewhere) => "it is not one of the app's URLs",
            Err(NoAnswer::Unsendable) => "no request can have this URL",
            _ => {
                let status = answer.ok().map(|answer| answer.status);
                self.steps.push(Step::Requested(request.clone(), status));
                return;
            }
        };
        let (url, reason) = (&request.url, request.reason);
        self.twilio(format!(
            "continues with {url} ({reason}), which is not requested: {why_not}"
        ));
    }

    fn no_answer(&mut self, reason: NoAnswer) {
        let (message, advice) = match reason {
            NoAnswer::TimedOut => (
                "the app took longer than the 15 seconds that Twilio waits",
                "answer first, and do what takes long afterwards",
            ),
            NoAnswer::Broken => (
                "the app closed the connection before the end of its answer, or its answer is not HTTP",
                "see the app's log, and check that the port serves what the URL says, http:// or https://",
            ),
            NoAnswer::Unsendable => (
                "no request can have the URL that the app named: it is too long, or its form is wrong",
                "shorten the URL, and look for a redirect that makes it longer each time",
            ),
            _ => (
                "the app did not answer",
                "check that the app runs, and that it ends each answer",
            ),
        };
        let code = Some(code_of(reason));
        self.fault(Fault::new(FaultKind::Http, code, message, advice));
    }

    fn fail(
        &mut self,
        request: &Request,
        code: u16,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Received {
        self.fault(Fault::new(FaultKind::Http, Some(code), message, advice));
        self.fall_back(request, code)
    }

    /// Continues with the fallback URL: <https://www.twilio.com/docs/usage/security/availability-reliability>.
    pub(super) fn fall_back(&mut self, request: &Request, code: u16) -> Received {
        self.http_redirects = 0;
        let Some(url) = self.fallback_url.clone().filter(|_| !self.has_fallen_back) else {
            return Received::Failed;
        };
        self.has_fallen_back = true;
        let params = self.params_with(&[
            ("ErrorCode", code.to_string()),
            ("ErrorUrl", request.url.clone()),
        ]);
        Received::Request(Request::new(Reason::Fallback, Method::Post, url, params))
    }

    /// Follows a redirect of HTTP: <https://www.twilio.com/docs/api/errors/11216>.
    fn redirect(&mut self, request: &Request, answer: &Answer<'_>) -> Received {
        let status = answer.status;
        let keeps = status == 307 && request.method == Method::Post;
        let target = match (status, answer.location) {
            // An IRI may have other letters, and a URL in a header may not: RFC 9110, section 10.2.2.
            (301 | 302 | 303 | 307, Some(location)) if !location.is_ascii() => Err(format!(
                "its Location {:?} has bytes that are not ASCII",
                shown(location)
            )),
            (301 | 302 | 303 | 307, Some(location)) => resolve(&request.url, location),
            (301 | 302 | 303 | 307, None) => Err("it has no Location".to_owned()),
            _ => Err("Twilio follows 301, 302, 303 and 307".to_owned()),
        };
        let url = match target {
            Ok(url) => url,
            Err(problem) => {
                let message = format!("the redirect with status {status} is not valid: {problem}");
                let advice = match answer.location {
                    Some(location) if !location.is_ascii() => {
                        "answer the request itself, or escape these bytes, such as %C3%A9 for \u{e9}"
                    }
                    _ => "answer the request itself",
                };
                return self.fail(request, 11216, message, advice);
            }
        };
        // What follows a redirect has no parameters left to drop.
        if !keeps && !request.params.is_empty() {
            self.fault(dropped(request, status, &self.params));
        }
        self.http_redirects = self.http_redirects.saturating_add(1);
        if self.http_redirects > MAX_HTTP_REDIRECTS {
            let message = "the app redirects again and again";
            return self.fail(request, 11215, message, "answer the request itself");
        }
        let (method, params) = if keeps {
            (Method::Post, request.params.clone())
        } else {
            (Method::Get, Vec::new())
        };
        Received::Request(Request::new(
            Reason::HttpRedirect(status),
            method,
            url,
            params,
        ))
    }

    /// Reads a document. What Twilio does with other content types is on
    /// <https://www.twilio.com/docs/voice/twiml#twilio-understands-mime-types>.
    fn document(&mut self, request: &Request, answer: &Answer<'_>) -> Received {
        self.http_redirects = 0;
        let url = request.url.clone();
        if answer.status == 204 {
            return Received::Verbs {
                url,
                verbs: Vec::new(),
            };
        }
        let essence = answer.content_type.unwrap_or_default().split(';').next();
        let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
        if essence.starts_with("audio/") {
            return Received::Audio(url);
        }
        let is_twiml = matches!(&*essence, "text/xml" | "application/xml" | "text/html");
        let mut findings = if is_twiml {
            check_for(self.channel, answer.body)
        } else {
            Vec::new()
        };
        if !matches!(&*essence, "text/xml" | "application/xml") {
            let of_type = check_answer(answer.content_type, b"<Response/>");
            findings.splice(0..0, of_type);
        }
        let fatal = findings.iter().find_map(|finding| match finding.kind {
            FindingKind::Size | FindingKind::Syntax => finding.code(),
            _ => None,
        });
        self.findings(findings);
        if let Some(code) = fatal {
            return self.fall_back(request, code);
        }
        if self.is_repeated(request, answer.body) {
            return Received::Loop;
        }
        match Parsed::parse(answer.body) {
            _ if essence == "text/plain" => {
                Received::Text(String::from_utf8_lossy(answer.body).into_owned())
            }
            Ok(document) if is_twiml => Received::Verbs {
                url,
                verbs: document.children().cloned().collect(),
            },
            Err(finding) if is_twiml => {
                let code = finding.code().unwrap_or(12100);
                self.findings(vec![finding]);
                self.fall_back(request, code)
            }
            _ => self.fall_back(request, 12300),
        }
    }

    fn findings(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            self.fault(Fault::from(finding));
        }
    }

    /// Whether the same document came in answer to the same request, and nothing changed in between.
    fn is_repeated(&mut self, request: &Request, body: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        (request.method, &request.url, body).hash(&mut hasher);
        for (name, value) in &request.params {
            // A recording or a call that was made for it has a SID of its own.
            if !name.ends_with("Sid") && name != "RecordingUrl" {
                (name, value).hash(&mut hasher);
            }
        }
        let count = self.seen.entry(hasher.finish()).or_default();
        *count = count.saturating_add(1);
        *count >= MAX_REPEATS
    }

    pub(super) fn take_steps(&mut self) -> Vec<Step> {
        mem::take(&mut self.steps)
    }
}

/// Returns Twilio's error for an answer that is not there.
fn code_of(reason: NoAnswer) -> u16 {
    match reason {
        NoAnswer::TimedOut | NoAnswer::Broken => 11200,
        NoAnswer::Unreachable | NoAnswer::Elsewhere => 11205,
        NoAnswer::Unsendable => 11100,
    }
}

/// Says which parameters a redirect of HTTP drops.
fn dropped(request: &Request, status: u16, common: &[(String, String)]) -> Fault {
    let own = request.params.iter();
    let own: Vec<_> = own
        .filter(|(name, _)| !common.iter().any(|(other, _)| other == name))
        .map(|(name, _)| name.as_str())
        .collect();
    let lost = match own.as_slice() {
        [] => "the parameters".to_owned(),
        own => format!("the parameters, among them {}", own.join(", ")),
    };
    let method = request.method.as_str();
    Fault::new(
        FaultKind::DroppedParameters,
        None,
        format!(
            "the app redirects a {method} with status {status}: Twilio follows with GET, without {lost}"
        ),
        "answer the request itself, or with <Redirect>",
    )
}

/// Returns what a `<Say>` says, whatever SSML is in it.
pub(super) fn spoken(say: &Parsed) -> String {
    let mut text = String::new();
    say.collect_text(&mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_asides_are_kept_than_requests_are_left_and_one_that_stops_the_walk() {
        let mut session = Session::new(Channel::Voice, &[], 10);
        for _ in 0..3 {
            assert!(!session.is_too_long());
        }
        let url = "https://example.com/status".to_owned();
        let request = Request::new(Reason::CallStatus, Method::Post, url, Vec::new());
        for _ in 0..2_000 {
            session.aside(Some(request.clone()), None);
        }
        assert_eq!(session.asides.len(), 8);
    }
}
