//! Sends requests exactly as they are given: the URL unchanged, headers repeated, no redirects followed.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Read},
    time::{Duration, Instant},
};

use ureq::{
    Agent, AsSendBody, Body, Timeout,
    config::AutoHeaderValue,
    http::{HeaderMap, Request, Response},
    tls::{RootCerts, TlsConfig},
    unversioned::resolver::DefaultResolver,
};

use crate::{
    endpoint::{auth::Credentials, connect::connector, tls, url::Url},
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
    /// Whether the body ended before the end that was announced.
    pub(crate) broke_off: bool,
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
    /// The connection was made, and the answer did not arrive in time.
    TimedOut(String),
    /// The request cannot be written as HTTP.
    Usage(String),
}

impl From<NoAnswer> for Failure {
    fn from(err: NoAnswer) -> Self {
        match err {
            NoAnswer::Unreachable(reason)
            | NoAnswer::Broken(reason)
            | NoAnswer::TimedOut(reason) => Self::Unreachable(reason),
            NoAnswer::Usage(problem) => Self::Usage(problem),
        }
    }
}

/// Sends each request over a connection of its own, since an endpoint that refuses early may close it.
pub(crate) struct Client {
    agent: Agent,
    credentials: Option<Credentials>,
    /// The variable that names the proxy, if requests go through one.
    proxy: Option<&'static str>,
    /// Whether the certificate authorities are the user's own.
    has_own_authorities: bool,
    /// The longest time for one request, from the connection to the end of the answer.
    request_timeout: Duration,
    /// When the last request must have ended.
    deadline: Option<Instant>,
}

impl Client {
    /// Constructs a client that trusts these certificate authorities, or the usual ones. Requests go through the proxy of
    /// a variable, or directly.
    pub(crate) fn new(
        connect_timeout: Duration,
        credentials: Option<Credentials>,
        authorities: Option<RootCerts>,
        proxy: Option<&'static str>,
    ) -> Self {
        let mut config = Agent::config_builder();
        if proxy.is_none() {
            config = config.proxy(None);
        }
        let has_own_authorities = authorities.is_some();
        if let Some(authorities) = authorities {
            config = config.tls_config(TlsConfig::builder().root_certs(authorities).build());
        }
        let config = config
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
            .build();
        Self {
            agent: Agent::with_parts(config, connector(), DefaultResolver::default()),
            credentials,
            proxy,
            has_own_authorities,
            request_timeout: connect_timeout.saturating_add(ANSWER_TIMEOUT),
            deadline: None,
        }
    }

    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Returns the scheme of the credentials, if there are any.
    pub(crate) fn auth_scheme(&self) -> Option<&'static str> {
        self.credentials.as_ref().map(Credentials::scheme)
    }

    /// Sets when the last request must have ended.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Returns whether the time for requests is used up.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.time_left().is_zero()
    }

    fn time_left(&self) -> Duration {
        match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    /// Sends a request, and sends it again with credentials if the endpoint asks for them.
    pub(crate) fn send(&self, outgoing: &Outgoing) -> Result<Answer, NoAnswer> {
        let answer = self.send_once(outgoing, None)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let authorization = self.credentials.as_ref().and_then(|credentials| {
            credentials.answer(
                &answer.challenges(),
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
            request.body(()).map(|request| self.run(request))
        } else {
            request
                .body(outgoing.body.as_slice())
                .map(|request| self.run(request))
        };
        let (head, mut body) = answer
            .map_err(|err| NoAnswer::Usage(format!("the request is not valid HTTP: {err}")))?
            .map_err(|err| self.no_answer(&err, &outgoing.url))?
            .into_parts();
        let mut text = Vec::new();
        let read = body.as_reader().take(ANSWER_LIMIT).read_to_end(&mut text);
        let failed = read.err().map(ureq::Error::from);
        // Twilio waits no longer for the body than for the head. The status counts even if the body breaks off.
        if matches!(failed, Some(ureq::Error::Timeout(_))) {
            return Err(too_late(&outgoing.url));
        }
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: text,
            broke_off: failed.is_some(),
            authenticated: authorization.is_some(),
        })
    }

    fn no_answer(&self, err: &ureq::Error, target: &Url) -> NoAnswer {
        match tls::error(err) {
            Some(err) => {
                let reason = tls::describe(err, self.has_own_authorities);
                unreachable(target, self.proxy, &reason)
            }
            None => no_answer(err, target, self.proxy),
        }
    }

    fn run(&self, request: Request<impl AsSendBody>) -> Result<Response<Body>, ureq::Error> {
        let time = self.request_timeout.min(self.time_left());
        let request = self.agent.configure_request(request);
        self.agent.run(request.timeout_global(Some(time)).build())
    }
}

impl Answer {
    /// Returns the values of `WWW-Authenticate`. A realm may have bytes that are not ASCII.
    pub(crate) fn challenges(&self) -> Vec<Cow<'_, str>> {
        let values = self.headers.get_all("WWW-Authenticate").iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect()
    }
}

fn too_late(url: &Url) -> NoAnswer {
    NoAnswer::TimedOut(format!("{} did not answer in time", url.as_str()))
}

/// Returns that no connection could be made. `proxy` is the variable that names the proxy, if the connection goes to one.
fn unreachable(target: &Url, proxy: Option<&str>, reason: &str) -> NoAnswer {
    let url = target.as_str();
    NoAnswer::Unreachable(match proxy {
        Some(variable) => format!("cannot reach {url} through the proxy in {variable}: {reason}"),
        None => format!("cannot reach {url}: {reason}"),
    })
}

/// Returns why there was no answer, unless TLS failed.
fn no_answer(err: &ureq::Error, target: &Url, proxy: Option<&str>) -> NoAnswer {
    let url = target.as_str();
    let unreachable = |reason: &str| unreachable(target, proxy, reason);
    match err {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            NoAnswer::Usage(format!("cannot send a request to {url}: {err}"))
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            unreachable("connecting took longer than --connect-timeout")
        }
        ureq::Error::Timeout(_) => too_late(target),
        ureq::Error::HostNotFound => unreachable(not_found(proxy)),
        ureq::Error::ConnectionFailed => unreachable("the connection failed"),
        ureq::Error::ConnectProxyFailed(reason) => {
            // The reason repeats the status.
            let (reason, _) = reason.split_once('/').unwrap_or((reason, ""));
            unreachable(&format!(
                "the {reason}; check its address and its credentials, or set NO_PROXY for this host"
            ))
        }
        ureq::Error::BodyExceedsLimit(_) => NoAnswer::Broken(format!(
            "the answer of {url} has too much before or after its body"
        )),
        ureq::Error::Protocol(_) => NoAnswer::Broken(match proxy {
            Some(variable) => format!(
                "the answer of {url}, or of the proxy in {variable}, is not HTTP: does the proxy's port serve something else, such as SOCKS?"
            ),
            None => format!(
                "the answer of {url} is not HTTP: does this port serve something else, such as https://?"
            ),
        }),
        ureq::Error::Io(err) => match err.kind() {
            ErrorKind::ConnectionRefused if proxy.is_some() => {
                unreachable("the proxy refused the connection; is it running?")
            }
            ErrorKind::ConnectionRefused => {
                unreachable("the connection was refused; is the app running on this port?")
            }
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => {
                // With TLS 1.3, the alert that asks for a certificate may get lost with the connection.
                let hint = if url.starts_with("https://") {
                    "; it may ask for a certificate of the client, which this tool does not have"
                } else {
                    ""
                };
                let closed_by = match proxy {
                    Some(variable) => format!("{url}, or the proxy in {variable},"),
                    None => url.to_owned(),
                };
                NoAnswer::Broken(format!(
                    "{closed_by} closed the connection without an answer{hint}"
                ))
            }
            _ if is_of_lookup(err) => unreachable(not_found(proxy)),
            // The network is down, or the host can't be reached.
            _ => unreachable(&err.to_string()),
        },
        err => NoAnswer::Broken(format!("{url} did not answer: {err}")),
    }
}

/// The name that is looked up is the one of the proxy: it looks up the other one.
fn not_found(proxy: Option<&str>) -> &'static str {
    match proxy {
        Some(_) => "the proxy's host name is not found; correct the variable",
        None => "the host name is not found; check its spelling, and the network",
    }
}

/// Returns whether the look-up of a name failed. Such an error has no kind of its own: on Unix it has a text of the
/// standard library, and on Windows the number of a Winsock error.
fn is_of_lookup(err: &io::Error) -> bool {
    let number = err.raw_os_error();
    cfg!(windows) && matches!(number, Some(11_001..=11_004))
        || err.to_string().starts_with("failed to lookup address")
}
