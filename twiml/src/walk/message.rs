//! A conversation of messages: each one that comes in, and what the app answers.

use super::{
    Answer, Fault, FaultKind, Next, NoAnswer, Reason, Reply, Request, Step,
    request::resolve,
    sample,
    session::{Aside, Received, Session},
};
use crate::{
    Channel, Parsed,
    attributes::Method,
    lint::{SHORTEN, too_long},
};

/// The documents that Twilio requests at most for one message: <https://www.twilio.com/docs/api/errors/14106>.
const MAX_REQUESTS: usize = 50;

/// A conversation that is walked through. See the [module](super).
#[derive(Debug, Clone)]
pub struct MessageWalk {
    session: Session,
    url: String,
    method: Method,
    state: State,
    asked: Option<Asked>,
    max_requests: usize,
    /// The number of messages that came in.
    messages: u32,
    sids: u32,
}

#[derive(Debug, Clone)]
enum State {
    Request(Request),
    Running {
        url: String,
        verbs: std::vec::IntoIter<Parsed>,
    },
    Ended,
}

#[derive(Debug, Clone)]
enum Asked {
    Document(Request),
    Aside(Aside),
}

impl MessageWalk {
    /// Begins a conversation whose webhook has this URL, requested with `POST`. Its parameters are samples.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the URL.
    pub fn new(url: &str) -> Result<Self, String> {
        Ok(Self {
            session: Session::new(
                Channel::Messaging,
                &[sample::MESSAGE, sample::PLACES],
                MAX_REQUESTS,
            ),
            url: resolve(url, url)?,
            method: Method::Post,
            state: State::Ended,
            asked: None,
            max_requests: MAX_REQUESTS,
            messages: 0,
            sids: 0,
        })
    }

    /// Sets the method of the first request of each message.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a parameter of every request, such as `From`.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.session.set_param(name, value);
        self
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

    /// Sets how many requests a message makes at most; 50 is the default, since Twilio takes no more documents.
    #[must_use]
    pub fn max_requests(mut self, max: usize) -> Self {
        self.max_requests = max;
        self
    }

    /// Lets a message come in, with these files: each one's URL and content type. What is left of the message before
    /// is dropped.
    pub fn send(&mut self, body: &str, media: &[(&str, &str)]) {
        if self.messages > 0 {
            let sid = self.session.sid("SM", 1);
            for name in ["MessageSid", "SmsSid", "SmsMessageSid"] {
                self.session.set_param(name, sid.clone());
            }
        }
        self.messages += 1;
        let mut params = vec![
            ("Body".to_owned(), body.to_owned()),
            ("NumMedia".to_owned(), media.len().to_string()),
        ];
        let mut shown = Reply {
            to: String::new(),
            body: body.to_owned(),
            media: Vec::new(),
        };
        for (index, (url, content_type)) in media.iter().enumerate() {
            params.push((
                format!("MediaContentType{index}"),
                (*content_type).to_owned(),
            ));
            params.push((format!("MediaUrl{index}"), (*url).to_owned()));
            shown.media.push((*url).to_owned());
        }
        self.session.steps.push(Step::Wrote(shown.to_string()));
        self.session.begin(self.max_requests);
        self.asked = None;
        self.state = State::Request(Request::new(
            Reason::Incoming,
            self.method,
            self.url.clone(),
            params,
        ));
    }

    /// Goes on as far as possible, and returns what is needed then: an answer, or another message.
    pub fn advance(&mut self) -> Next {
        loop {
            if let Some(asked) = &self.asked {
                let (Asked::Document(request) | Asked::Aside(Aside { request, .. })) = asked;
                return Next::Answer(request.clone());
            }
            let asked = match (self.session.asides.pop_front(), &self.state) {
                (Some(aside), _) => Asked::Aside(aside),
                (None, State::Request(request)) => Asked::Document(self.session.complete(request)),
                (None, State::Running { .. }) => {
                    self.run();
                    continue;
                }
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

    fn receive(&mut self, request: &Request, received: Received) {
        self.state = match received {
            Received::Request(next) => State::Request(next),
            Received::Verbs { url, verbs } => State::Running {
                url,
                verbs: verbs.into_iter(),
            },
            Received::Text(body) => {
                if let Some(message) = too_long(&body) {
                    let kind = FaultKind::Document;
                    self.session
                        .fault(Fault::new(kind, Some(21617), message, SHORTEN));
                }
                self.reply(Reply {
                    to: self.session.param("From").to_owned(),
                    body,
                    media: Vec::new(),
                });
                State::Ended
            }
            Received::Audio(_) => {
                self.session
                    .twilio("sends nothing: sound is no answer to a message");
                State::Ended
            }
            Received::Loop => {
                let (method, url) = (request.method.as_str(), &request.url);
                self.session.fault(Fault::new(
                    FaultKind::Loop,
                    Some(14106),
                    format!("{method} {url} answers the same document again and again"),
                    "let it end: neither a <Redirect> nor an action may lead back to the same document",
                ));
                State::Ended
            }
            Received::Failed => {
                self.session.twilio("sends nothing because of the error");
                State::Ended
            }
            Received::Elsewhere => State::Ended,
        };
    }

    fn run(&mut self) {
        let State::Running { url, verbs } = &mut self.state else {
            return;
        };
        let url = url.clone();
        let Some(verb) = verbs.next() else {
            self.state = State::Ended;
            return;
        };
        match verb.name() {
            "Message" => self.message(&url, &verb),
            "Redirect" => {
                self.go(&url, &verb, &verb.text(), Reason::Redirect, &[]);
            }
            // The lint has found what is not a verb for messages, and Twilio ignores it.
            _ => {}
        }
    }

    /// Sends a message, unless it is too long, for which the lint has a finding. Returns whether it is sent.
    fn reply(&mut self, reply: Reply) -> bool {
        let is_sent = too_long(&reply.body).is_none();
        if is_sent {
            self.session.steps.push(Step::Sent(reply));
        } else {
            self.session
                .twilio("does not send the message, since it is too long");
        }
        is_sent
    }

    /// <https://www.twilio.com/docs/messaging/twiml/message>
    fn message(&mut self, url: &str, verb: &Parsed) {
        let bodies = verb.children().filter(|child| child.name() == "Body");
        let bodies: String = bodies.map(Parsed::text).collect();
        let body = if bodies.is_empty() {
            verb.text()
        } else {
            bodies
        };
        let media = verb.children().filter(|child| child.name() == "Media");
        let to = verb.attribute("to").unwrap_or(self.session.param("From"));
        let to = to.to_owned();
        let reply = Reply {
            to: to.clone(),
            body: body.trim().to_owned(),
            media: media.map(|media| media.text().trim().to_owned()).collect(),
        };
        if !self.reply(reply) {
            return;
        }
        self.sids += 1;
        let sid = self.session.sid("SM", self.sids.wrapping_add(1_000));
        let from = verb.attribute("from").unwrap_or(self.session.param("To"));
        let params = |status: &str| {
            vec![
                ("MessageSid".to_owned(), sid.clone()),
                ("SmsSid".to_owned(), sid.clone()),
                ("MessageStatus".to_owned(), status.to_owned()),
                ("SmsStatus".to_owned(), status.to_owned()),
                (
                    "AccountSid".to_owned(),
                    self.session.param("AccountSid").to_owned(),
                ),
                ("From".to_owned(), from.to_owned()),
                ("To".to_owned(), to.clone()),
                ("ApiVersion".to_owned(), sample::API_VERSION.to_owned()),
            ]
        };
        let reason = Reason::Callback("Message", "statusCallback");
        let (sent, delivered) = (params("sent"), params("delivered"));
        if let Some(reference) = verb.attribute("statusCallback")
            && let Some(target) = self.session.resolve(url, reference, verb.line())
        {
            for params in [sent.clone(), delivered] {
                let request = Request::new(reason, Method::Post, target.clone(), params);
                self.session.aside(Some(request), None);
            }
        }
        if let Some(action) = verb.attribute("action") {
            let params = [
                ("MessageSid", sid.clone()),
                ("SmsSid", sid),
                ("MessageStatus", "sent".to_owned()),
                ("SmsStatus", "sent".to_owned()),
            ];
            self.go(url, verb, action, Reason::Action("Message"), &params);
        }
    }

    /// Continues with the document of another URL.
    fn go(
        &mut self,
        base: &str,
        verb: &Parsed,
        reference: &str,
        reason: Reason,
        params: &[(&str, String)],
    ) {
        let method = match verb.attribute("method") {
            Some("GET") => Method::Get,
            _ => Method::Post,
        };
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        let params = params.iter().map(owned).collect();
        match self.session.resolve(base, reference, verb.line()) {
            Some(url) => self.state = State::Request(Request::new(reason, method, url, params)),
            None => {
                let request = Request::new(reason, method, base.to_owned(), params);
                let received = self.session.fall_back(&request, 11100);
                self.receive(&request, received);
            }
        }
    }
}
