//! A line of the list.

use serde::Serialize;
use twilio_signature::header::IDEMPOTENCY_TOKEN;

use crate::inspect::{
    exchange::{Exchange, FailureKind, Outcome},
    parameters,
    summary::{cut, searched},
};

/// A request in the list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: u64,
    /// In milliseconds since 1970.
    at: u64,
    kind: String,
    method: String,
    path: String,
    /// `None` if the app gave none.
    status: Option<u16>,
    ms: f64,
    tone: Tone,
    verdict: String,
    /// Who sent what.
    summary: String,
    refused: bool,
    /// How the request was made, if it did not arrive.
    origin: Option<String>,
    call: Option<String>,
    message: Option<String>,
    /// The same in all attempts at one event.
    token: Option<String>,
    /// What a search looks at, in lower case.
    find: String,
}

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tone {
    /// Genuine and accepted.
    Good,
    /// Refused.
    Refused,
    /// The app took a request that is not genuine.
    Danger,
    /// The app is down, slow or wrong.
    Failed,
    /// Nothing can be said.
    Other,
}

impl Row {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let summary = exchange.summary.clone();
        let token = exchange.request.wire.values(IDEMPOTENCY_TOKEN).next();
        let (tone, verdict) = verdict(exchange);
        let target = parameters::shown_target(exchange);
        Self {
            id: exchange.id,
            at: exchange.started,
            kind: exchange.kind.clone(),
            method: cut(&exchange.request.method),
            path: cut(target.split('?').next().unwrap_or_default()),
            status: status(exchange),
            ms: exchange.duration().as_secs_f64() * 1000.0,
            tone,
            summary: summary.text,
            refused: tone == Tone::Refused
                || exchange
                    .verdict
                    .as_ref()
                    .is_some_and(|verdict| !verdict.accepted),
            origin: exchange.source.origin(),
            call: summary.call.or_else(|| call_of_stream(exchange)),
            message: summary.message,
            token: token.map(|token| cut(&String::from_utf8_lossy(token))),
            find: find(exchange, &target, &verdict),
            verdict,
        }
    }
}

/// Returns the status of the app's own answer.
pub(super) fn status(exchange: &Exchange) -> Option<u16> {
    match &exchange.outcome {
        Outcome::Answered(answer) => Some(answer.status),
        Outcome::Failed(_) => None,
    }
}

/// Returns the tone of an exchange, and what happened in a few words.
pub(super) fn verdict(exchange: &Exchange) -> (Tone, String) {
    let status = match &exchange.outcome {
        Outcome::Failed(failure) => return (Tone::Failed, failed(failure.kind).to_owned()),
        Outcome::Answered(answer) => answer.status,
    };
    let Some(verdict) = &exchange.verdict else {
        return (Tone::Other, "not checked".to_owned());
    };
    // What is unknown says less than the kind of refusal.
    let causes: Vec<_> = verdict
        .causes
        .iter()
        .copied()
        .filter(|cause| *cause != "unknown")
        .collect();
    let why = if causes.is_empty() {
        verdict.kind.to_owned()
    } else {
        causes.join(", ")
    };
    let why = why.replace('_', " ");
    match (verdict.accepted, status) {
        (true, 101 | 200..=299) => (Tone::Good, "genuine".to_owned()),
        (true, 401 | 403) => (Tone::Refused, "genuine, and refused by the app".to_owned()),
        (true, 300..=399) => (
            Tone::Failed,
            "genuine; Twilio follows the redirect with GET".to_owned(),
        ),
        (true, _) => (
            Tone::Failed,
            "genuine, and not handled by the app".to_owned(),
        ),
        (false, 101 | 200..=299) if verdict.signed_url.is_some() => (
            Tone::Failed,
            "accepted by the app for another URL: start listen with its --public-url".to_owned(),
        ),
        (false, 101 | 200..=299) if verdict.may_be_genuine => (
            Tone::Danger,
            format!(
                "let through, and not genuine for a known URL: {why}; if the app has a public URL, start listen with its \
                 --public-url"
            ),
        ),
        (false, 101 | 200..=399) => (
            Tone::Danger,
            format!("let through, and it is not genuine: {why}"),
        ),
        (false, _) => (Tone::Refused, format!("refused: {why}")),
    }
}

fn failed(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NotForwarded => "not passed on: it is ambiguous, or not HTTP",
        FailureKind::Busy => "not passed on: too many WebSockets are open",
        FailureKind::Displaced => "given up: too many connections were open",
        FailureKind::Unreachable => "the app can't be reached",
        FailureKind::TimedOut => "no answer within 15 s",
        FailureKind::Closed => "the app closed the connection",
        FailureKind::Garbage => "the answer is not HTTP",
        FailureKind::ClientGone => "the client went away",
    }
}

/// Returns the call that a stream of media belongs to, which its first messages name.
fn call_of_stream(exchange: &Exchange) -> Option<String> {
    const NAME: &[u8] = b"\"callSid\":\"";
    const LENGTH: usize = 34;
    let first = exchange.frames.last.iter().take(3);
    first.into_iter().find_map(|frame| {
        let at = frame
            .payload
            .windows(NAME.len())
            .position(|bytes| bytes == NAME)?;
        let sid = frame
            .payload
            .get(at + NAME.len()..at + NAME.len() + LENGTH)?;
        sid.is_ascii()
            .then(|| String::from_utf8_lossy(sid).into_owned())
    })
}

/// Returns what a search looks at.
fn find(exchange: &Exchange, target: &str, verdict: &str) -> String {
    let status = exchange.status().to_string();
    let origin = exchange.source.origin().unwrap_or_default();
    searched([
        &*exchange.kind,
        &*exchange.request.method,
        target,
        &*status,
        verdict,
        &*origin,
        &*exchange.summary.values,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{
        exchange::{Request, Source, Wire},
        summary,
    };

    /// A page that connects gets a thousand rows, and each body may have thousands of parameters.
    #[test]
    fn the_body_of_a_request_is_read_once_for_all_its_rows() {
        let form = b"CallSid=CA1&MessageSid=SM1&From=%2B14158675310&Body=Hello";
        let request = Request {
            method: "POST".to_owned(),
            target: "/message".to_owned(),
            wire: Wire {
                headers: vec![(
                    "Content-Type".to_owned(),
                    b"application/x-www-form-urlencoded".to_vec(),
                )],
                raw_body: form.to_vec(),
                ..Wire::default()
            },
            ..Request::default()
        };
        let mut exchange = Exchange::of(1, 0, Source::Arrived, request);
        let shown = |exchange: &Exchange| {
            let row = Row::of(exchange);
            (
                row.call,
                row.message,
                row.summary,
                row.find.contains("hello"),
            )
        };
        assert_eq!(shown(&exchange), (None, None, String::new(), false));
        exchange.summary = summary::of(&exchange);
        exchange.request.wire.raw_body.clear();
        assert_eq!(
            shown(&exchange),
            (
                Some("CA1".to_owned()),
                Some("SM1".to_owned()),
                "+14158675310: Hello".to_owned(),
                true
            )
        );
    }
}
