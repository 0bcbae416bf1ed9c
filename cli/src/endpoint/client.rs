//! Sends requests exactly as they are given: the URL's letters, repeated headers, no redirects.

use std::{io::Read, time::Duration};

use ureq::{
    Agent, Timeout,
    config::AutoHeaderValue,
    http::{HeaderMap, Request},
};

use crate::{
    endpoint::{auth::Credentials, url::Url},
    outcome::Failure,
};

/// How long an endpoint may take to answer: as long as Twilio waits in a call.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How much of an answer is read, in bytes. Twilio takes 64 kB of `TwiML`.
const ANSWER_LIMIT: u64 = 256 * 1024;

/// A request that is ready to go.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What an endpoint answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The first part of the body, up to a limit.
    pub(crate) body: Vec<u8>,
    /// Whether it is the answer to a request with credentials.
    pub(crate) authenticated: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// No connection could be made.
    Unreachable(String),
    /// The connection was made, and broke.
    Broken(String),
    /// The request can't be written as HTTP.
    Usage(String),
}

impl From<NoAnswer> for Failure {
    fn from(err: NoAnswer) -> Self {
        match err {
            NoAnswer::Unreachable(reason) | NoAnswer::Broken(reason) => Self::Unreachable(reason),
            NoAnswer::Usage(problem) => Self::Usage(problem),
        }
    }
}

/// Sends requests, each over a connection of its own: an endpoint that refuses early may close it.
pub(crate) struct Client {
    agent: Agent,
    credentials: Option<Credentials>,
}

impl Client {
    pub(crate) fn new(connect_timeout: Duration, credentials: Option<Credentials>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .max_idle_connections(0)
            .timeout_resolve(Some(connect_timeout))
            .timeout_connect(Some(connect_timeout))
            .timeout_send_body(Some(ANSWER_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_recv_body(Some(ANSWER_TIMEOUT))
            .build()
            .new_agent();
        Self { agent, credentials }
    }

    /// Sends a request, and once more with credentials if the endpoint asks for them.
    pub(crate) fn send(&self, outgoing: &Outgoing) -> Result<Answer, NoAnswer> {
        let answer = self.send_once(outgoing, None)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let authorization = self.credentials.as_ref().and_then(|credentials| {
            let challenges: Vec<_> = answer
                .headers
                .get_all("WWW-Authenticate")
                .iter()
                .filter_map(|value| value.to_str().ok())
                .collect();
            credentials.answer(
                &challenges,
                outgoing.method,
                outgoing.url.target(),
                &outgoing.body,
            )
        });
        match authorization {
            Some(authorization) => self.send_once(outgoing, Some(&authorization)),
            None => Ok(answer),
        }
    }

    fn send_once(
        &self,
        outgoing: &Outgoing,
        authorization: Option<&str>,
    ) -> Result<Answer, NoAnswer> {
        let mut request = Request::builder()
            .method(outgoing.method)
            .uri(outgoing.url.as_str());
        for (name, value) in &outgoing.headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = if outgoing.body.is_empty() && outgoing.method == "GET" {
            request.body(()).map(|request| self.agent.run(request))
        } else {
            request
                .body(outgoing.body.as_slice())
                .map(|request| self.agent.run(request))
        };
        let (head, mut body) = answer
            .map_err(|err| NoAnswer::Usage(format!("the request is no valid HTTP: {err}")))?
            .map_err(|err| no_answer(&err, &outgoing.url))?
            .into_parts();
        let mut text = Vec::new();
        // What can't be read of an answer does not change its status.
        let _ = body.as_reader().take(ANSWER_LIMIT).read_to_end(&mut text);
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: text,
            authenticated: authorization.is_some(),
        })
    }
}

fn no_answer(err: &ureq::Error, url: &Url) -> NoAnswer {
    use std::io::ErrorKind;
    let url = url.as_str();
    let reason = match err {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            return NoAnswer::Usage(format!("no request can be sent to {url}: {err}"));
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => "the time ran out".to_owned(),
        ureq::Error::HostNotFound => "there is no such host".to_owned(),
        ureq::Error::ConnectionFailed => "no connection could be made".to_owned(),
        ureq::Error::Io(err) if err.kind() == ErrorKind::ConnectionRefused => {
            "the connection was refused: is the app running, and on this port?".to_owned()
        }
        ureq::Error::Rustls(err) => format!("TLS failed: {err}"),
        err => return NoAnswer::Broken(format!("{url} gave no answer: {err}")),
    };
    NoAnswer::Unreachable(format!("{url} can't be reached: {reason}"))
}
