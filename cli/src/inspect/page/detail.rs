//! Everything that is known about one exchange.

use actix_twilio::twiml::Finding;
use actix_web::http::StatusCode;
use serde::Serialize;
use twilio_signature::url::UrlParts;

use crate::{
    inspect::{
        exchange::{Exchange, Frame, MAX_BODY, Outcome, Source, Wire},
        judge::Judge,
        page::{
            compose,
            meaning::Meanings,
            row::{Row, verdict},
            twiml::{self, Kind, Token},
        },
        parameters::{self, Place},
    },
    terminal,
};

/// The most parameters in the table. The others are in the raw text.
const MAX_PARAMETERS: usize = 200;

/// The most frames in the table.
const MAX_FRAMES: usize = 500;

/// The most bytes of `TwiML` that Twilio takes.
const MAX_TWIML: u64 = 64 * 1024;

/// The headers whose values are not shown.
const CREDENTIALS: [&str; 2] = ["Authorization", "Proxy-Authorization"];

/// One exchange, for the page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detail {
    row: Row,
    verdict: VerdictView,
    request: RequestView,
    answer: AnswerView,
    frames: Option<FramesView>,
    /// The request as the form in which it is edited has it, or why it can't be edited.
    edit: Result<compose::Draft, String>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct VerdictView {
    title: String,
    causes: Vec<CauseView>,
    /// What to do: one of these is needed.
    advice: Vec<String>,
    signed_url: Option<String>,
    checked_url: Option<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct CauseView {
    name: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
struct RequestView {
    headers: Vec<(String, String)>,
    parameters: Vec<ParameterView>,
    /// The number of parameters that are left out.
    more: usize,
    raw: String,
    body: BodyView,
}

#[derive(Serialize)]
struct ParameterView {
    name: String,
    value: String,
    meaning: Option<&'static str>,
    place: Place,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyView {
    text: String,
    bytes: u64,
    kept: usize,
    cut: bool,
    is_text: bool,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct AnswerView {
    /// What happened instead of an answer.
    error: Option<String>,
    status: Option<u16>,
    reason: &'static str,
    content_type: Option<String>,
    headers: Vec<(String, String)>,
    bytes: u64,
    cut: bool,
    tokens: Vec<Token>,
    /// `None` if the answer is not `TwiML`.
    findings: Option<Vec<FindingView>>,
}

#[derive(Serialize)]
struct FindingView {
    code: Option<u16>,
    line: u32,
    column: u32,
    message: String,
    advice: String,
}

#[derive(Serialize)]
struct FramesView {
    total: u64,
    list: Vec<FrameView>,
}

#[derive(Serialize)]
struct FrameView {
    from: &'static str,
    ms: f64,
    kind: String,
    bytes: u64,
    text: String,
}

impl Detail {
    pub(super) fn of(exchange: &Exchange, judge: &Judge) -> Self {
        Self {
            row: Row::of(exchange),
            verdict: VerdictView::of(exchange, judge),
            request: RequestView::of(exchange),
            answer: AnswerView::of(exchange),
            frames: FramesView::of(exchange),
            edit: compose::Draft::of(exchange),
        }
    }
}

impl VerdictView {
    fn of(exchange: &Exchange, judge: &Judge) -> Self {
        let (_, title) = verdict(exchange);
        let mut view = Self {
            title: capitalized(&title),
            ..Self::default()
        };
        if let Outcome::Failed(failure) = &exchange.outcome {
            view.warnings.push(failure.message.clone());
        }
        let Some(verdict) = &exchange.verdict else {
            let warning = if judge.validator.is_none() {
                "the tool has no token, so it can't say whether a request is genuine: start it with TWILIO_AUTH_TOKEN"
            } else {
                "only a part of the request is kept, or it is not HTTP, so its signature can't be checked"
            };
            view.warnings.push(warning.to_owned());
            return view;
        };
        let causes = verdict.causes.iter().zip(&verdict.descriptions);
        view.causes = causes
            .map(|(name, description)| CauseView { name, description })
            .collect();
        view.advice.clone_from(&verdict.advice);
        let checked = terminal::without_passwords(&exchange.url);
        view.signed_url = verdict.signed_url.clone().filter(|url| *url != checked);
        view.checked_url = Some(checked);
        if let Source::Forged { of } = exchange.source {
            view.warnings.push(format!(
                "this page made it from #{of}, with a wrong signature, so it must be refused"
            ));
        }
        if verdict.accepted && matches!(exchange.status(), 401 | 403) {
            view.warnings.push(
                "the signature matches the tool's token and this URL, and the app refused the request all the same"
                    .to_owned(),
            );
        }
        view
    }
}

impl RequestView {
    fn of(exchange: &Exchange) -> Self {
        let wire = &exchange.request.wire;
        let parameters = parameters::of(exchange);
        let names = parameters.iter().take(MAX_PARAMETERS);
        let names: Vec<_> = names.map(|parameter| &*parameter.name).collect();
        let meanings = Meanings::of(&names);
        Self {
            headers: headers(wire),
            more: parameters.len().saturating_sub(MAX_PARAMETERS),
            parameters: parameters
                .into_iter()
                .take(MAX_PARAMETERS)
                .map(|parameter| ParameterView {
                    meaning: meanings.get(&parameter.name),
                    name: parameter.name,
                    value: parameter.value,
                    place: parameter.place,
                })
                .collect(),
            raw: head(wire),
            body: BodyView {
                is_text: str::from_utf8(&wire.body()).is_ok(),
                text: String::from_utf8_lossy(&wire.raw_body).into_owned(),
                bytes: wire.raw_length,
                kept: wire.raw_body.len().min(MAX_BODY),
                cut: !wire.is_whole(),
            },
        }
    }
}

impl AnswerView {
    fn of(exchange: &Exchange) -> Self {
        let answer = match &exchange.outcome {
            Outcome::Answered(answer) => answer,
            Outcome::Failed(failure) => {
                let garbage = String::from_utf8_lossy(&failure.garbage).into_owned();
                return Self {
                    error: Some(failure.message.clone()),
                    tokens: plain(garbage),
                    ..Self::default()
                };
            }
        };
        let wire = &answer.wire;
        let body = wire.body();
        let content_type = wire.values("Content-Type").next();
        let content_type = content_type.map(|value| String::from_utf8_lossy(value).into_owned());
        let is_encoded = wire.values("Content-Encoding").next().is_some();
        let cut = !wire.is_whole() && wire.raw_length > wire.raw_body.len() as u64;
        let found = if cut || is_encoded {
            None
        } else {
            twiml::findings(content_type.as_deref(), &body)
        };
        let text = String::from_utf8_lossy(&body);
        Self {
            error: None,
            status: Some(answer.status),
            reason: StatusCode::from_u16(answer.status)
                .ok()
                .and_then(|status| status.canonical_reason())
                .unwrap_or_default(),
            headers: headers(wire),
            bytes: wire.raw_length,
            cut,
            tokens: match &found {
                Some(found) => twiml::tokens(&text, found),
                None => plain(text.into_owned()),
            },
            findings: found.map_or_else(
                || too_large(wire.raw_length, content_type.as_deref()),
                |found| Some(found.into_iter().map(FindingView::from).collect()),
            ),
            content_type,
        }
        .with_problem(answer.problem.as_deref())
    }

    fn with_problem(mut self, problem: Option<&str>) -> Self {
        if let Some(problem) = problem {
            self.findings.get_or_insert_default().push(FindingView {
                code: None,
                line: 1,
                column: 1,
                message: problem.to_owned(),
                advice: "see the log of the app".to_owned(),
            });
        }
        self
    }
}

/// Returns the finding for a document that Twilio does not take for its size.
fn too_large(bytes: u64, content_type: Option<&str>) -> Option<Vec<FindingView>> {
    let is_xml = content_type.is_some_and(|text| text.contains("xml"));
    (is_xml && bytes > MAX_TWIML).then(|| {
        vec![FindingView {
            code: Some(11750),
            line: 1,
            column: 1,
            message: format!("the document has {bytes} bytes"),
            advice: format!(
                "shorten it to {MAX_TWIML} bytes, for example with a <Redirect> to the rest"
            ),
        }]
    })
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code(),
            line: finding.line,
            column: finding.column,
            message: finding.message,
            advice: finding.advice,
        }
    }
}

impl FramesView {
    fn of(exchange: &Exchange) -> Option<Self> {
        let frames = &exchange.frames;
        (frames.count > 0 || exchange.status() == 101).then(|| Self {
            total: frames.count,
            list: frames
                .last
                .iter()
                .skip(frames.last.len().saturating_sub(MAX_FRAMES))
                .map(FrameView::of)
                .collect(),
        })
    }
}

impl FrameView {
    fn of(frame: &Frame) -> Self {
        let kind = match frame.opcode {
            0 => "continued",
            1 => "text",
            2 => "binary",
            8 => "close",
            9 => "ping",
            10 => "pong",
            _ => "unknown",
        };
        Self {
            from: if frame.from_app { "app" } else { "twilio" },
            ms: frame.after.as_secs_f64() * 1000.0,
            kind: kind.to_owned(),
            bytes: frame.length,
            text: match frame.opcode {
                _ if frame.compressed => "compressed".to_owned(),
                2 => String::new(),
                // A close frame starts with two bytes of status (RFC 6455, section 5.5.1).
                8 => close(&frame.payload),
                _ => String::from_utf8_lossy(&frame.payload).into_owned(),
            },
        }
    }
}

fn close(payload: &[u8]) -> String {
    match payload.split_first_chunk::<2>() {
        Some((status, reason)) => {
            let status = u16::from_be_bytes(*status);
            format!("{status} {}", String::from_utf8_lossy(reason))
                .trim()
                .to_owned()
        }
        None => String::new(),
    }
}

fn plain(text: String) -> Vec<Token> {
    if text.is_empty() {
        return Vec::new();
    }
    vec![Token(Kind::Text, text, None)]
}

/// Returns whether a header has credentials.
pub(super) fn is_secret(name: &str) -> bool {
    CREDENTIALS
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name.trim()))
}

/// Returns headers without credentials.
fn headers(wire: &Wire) -> Vec<(String, String)> {
    let shown = |(name, value): &(String, Vec<u8>)| {
        let value = match name {
            name if is_secret(name) => "(not shown)".to_owned(),
            _ => String::from_utf8_lossy(value).into_owned(),
        };
        (name.clone(), value)
    };
    wire.headers.iter().map(shown).collect()
}

/// Returns the first line and the headers without credentials. If the target is not a path, it may
/// have a password, which is left out too.
pub(super) fn head(wire: &Wire) -> String {
    let head = String::from_utf8_lossy(&wire.head);
    // Empty lines may come before a request (RFC 9112, section 2.2).
    let first = head.trim_ascii_start().lines().next();
    let first = first.unwrap_or_default();
    let first = match first.split_whitespace().nth(1) {
        Some(target) if target.starts_with('/') => first.to_owned(),
        _ => terminal::without_passwords(first),
    };
    let lines = headers(wire)
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"));
    std::iter::once(first)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// Returns the scheme and the host of a URL.
pub(super) fn origin_of(url: &str) -> String {
    let parts = UrlParts::of(url);
    [&*parts.scheme, "://", &parts.host_and_port()].concat()
}
