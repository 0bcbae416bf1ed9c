//! Sends requests exactly as they are given: the URL unchanged, headers repeated, no redirects followed.

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

/// The longest time to wait for an answer: as long as Twilio waits during a call.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The most bytes of an answer that are read. Twilio accepts 64 kB of TwiML.
const ANSWER_LIMIT: u64 = 256 * 1024;

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The answer of an endpoint.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The start of the body, up to [`ANSWER_LIMIT`].
    pub(crate) body: Vec<u8>,
    /// Whether the request had credentials.
    pub(crate) authenticated: bool,
}

/// The reason why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// No connection could be made.
    Unreachable(String),
    /// The connection was made and broke.
    Broken(String),
    /// The request cannot be written as HTTP.
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

/// Sends each request over a connection of its own, since an endpoint that refuses early may close it.
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

    /// Sends a request, and sends it again with credentials if the endpoint asks for them.
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
                &outgoing.url.target(),
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
            .map_err(|err| NoAnswer::Usage(format!("the request is not valid HTTP: {err}")))?
            .map_err(|err| no_answer(&err, &outgoing.url))?
            .into_parts();
        let mut text = Vec::new();
        // The status counts even if the body cannot be read.
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
            return NoAnswer::Usage(format!("cannot send a request to {url}: {err}"));
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            "connecting took longer than --connect-timeout".to_owned()
        }
        ureq::Error::HostNotFound => "the host name is unknown".to_owned(),
        ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
        ureq::Error::Io(err) if err.kind() == ErrorKind::ConnectionRefused => {
            "the connection was refused; is the app running on this port?".to_owned()
        }
        ureq::Error::Rustls(err) => format!("TLS failed: {err}"),
        err => return NoAnswer::Broken(format!("{url} did not answer: {err}")),
    };
    NoAnswer::Unreachable(format!("cannot reach {url}: {reason}"))
}
