//! What `call` and `text` have in common: requests are sent, and what happens is shown.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use twilio_twiml::{
    attributes::Method as TwimlMethod,
    walk::{Answer, Fault, NoAnswer as Missing, Reason, Reply, Request, Step},
};

use crate::{
    endpoint::{
        Endpoint,
        client::{self, NoAnswer},
        message::{Message, Method},
        refusal,
    },
    input::params::{self, FORM_IN_UTF8},
    outcome::Failure,
    terminal::{self, Format},
};

/// The most bytes of JSON that are kept until a walk ends. An app may send documents of control characters, which are six
/// times as long in JSON.
const MAX_JSON: usize = 32 * 1024 * 1024;

/// Sends the requests of a walk, and shows its steps.
pub(crate) struct Walker {
    endpoint: Endpoint,
    format: Format,
    steps: List,
    faults: List,
    fault_count: usize,
    requests: usize,
    /// How Twilio ended the call.
    ended: Option<String>,
    was_refused: bool,
    was_reached: bool,
}

/// Values as JSON, separated by commas. An app may cause more than a million steps, and a value takes many times the memory
/// of its text.
#[derive(Default)]
struct List {
    json: String,
}

/// What an endpoint answered, for as long as a walk looks at it.
pub(crate) struct Sent(Result<Received, Missing>);

struct Received {
    status: u16,
    content_type: Option<String>,
    location: Option<String>,
    body: Vec<u8>,
}

impl Walker {
    pub(crate) fn new(endpoint: Endpoint, format: Format) -> Self {
        Self {
            endpoint,
            format,
            steps: List::default(),
            faults: List::default(),
            fault_count: 0,
            requests: 0,
            ended: None,
            was_refused: false,
            was_reached: false,
        }
    }

    /// Sends a request, unless its URL is not one of the endpoint's.
    ///
    /// # Security
    ///
    /// The app's answers say which URLs are requested. No other host gets a signed request, or the headers and
    /// credentials that were meant for the endpoint.
    ///
    /// # Errors
    ///
    /// Returns a failure if the endpoint can't be reached with the first request, or if no request can have a URL of the
    /// command line. Whatever else goes wrong is a fault of the app, and the walk goes on as Twilio would.
    pub(crate) fn send(&mut self, request: &Request) -> Result<Sent, Failure> {
        let Some((public, local)) = self.endpoint.locate(&request.url) else {
            return Ok(Sent(Err(Missing::Elsewhere)));
        };
        let form = params::encode(&request.params);
        let message = match request.method {
            TwimlMethod::Get => Message::get(form),
            _ => Message::form(FORM_IN_UTF8, form),
        };
        let signature = self.endpoint.sign_for(&public, &message)?;
        let answer = match self.endpoint.send_to(&local, &message, &[&signature]) {
            Ok(answer) if answer.broke_off && (200..=299).contains(&answer.status) => {
                Err(Missing::Broken)
            }
            Ok(answer) => Ok(answer),
            Err(NoAnswer::TimedOut(_)) => Err(Missing::TimedOut),
            // The proxy may have sent it.
            Err(NoAnswer::Broken(_)) if self.was_reached || !self.endpoint.is_behind_proxy() => {
                Err(Missing::Broken)
            }
            Err(NoAnswer::Unreachable(_)) if self.was_reached => Err(Missing::Unreachable),
            Err(NoAnswer::Usage(_)) if is_of_app(request.reason) => Err(Missing::Unsendable),
            Err(err) => return Err(err.into()),
        };
        self.was_reached = true;
        self.was_refused |= answer.as_ref().is_ok_and(|answer| answer.status == 403);
        Ok(Sent(answer.map(Received::from)))
    }

    /// Shows steps as they happen, or keeps them for the JSON.
    pub(crate) fn show(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let mut output = io::stdout().lock();
        for step in steps {
            match step {
                Step::Requested(..) => self.requests += 1,
                Step::Found(fault) => {
                    self.fault_count += 1;
                    if self.format == Format::Json && !self.is_full() {
                        self.faults.push(fault_json(fault))?;
                    }
                }
                Step::Ended(how) => self.ended = Some(terminal::without_passwords(how)),
                _ => {}
            }
            match self.format {
                Format::Text => {
                    let step = terminal::without_passwords(&step.to_string());
                    writeln!(output, "{}", terminal::line(&step))?;
                }
                Format::Json if self.is_full() => {}
                Format::Json => self.steps.push(step_json(step))?,
            }
        }
        output.flush()?;
        Ok(())
    }

    /// Returns whether no more JSON is kept.
    fn is_full(&self) -> bool {
        self.steps.json.len() + self.faults.json.len() > MAX_JSON
    }

    /// Ends the output. The faults are a failure.
    pub(crate) fn finish(mut self, account_is_made_up: bool) -> Result<(), Failure> {
        if self.is_full() {
            self.fault_count += 1;
            self.faults.push(json!({
                "kind": "fault",
                "line": null,
                "code": null,
                "message": "the steps take more than 32 MiB of JSON, so the rest of them is not here",
                "advice": "look at them with --format text",
            }))?;
        }
        let likely_causes = if self.was_refused {
            refusal::likely_causes_of_one_kind(&self.endpoint, account_is_made_up)
        } else {
            Vec::new()
        };
        let ok = self.fault_count == 0;
        match self.format {
            Format::Json => {
                let (faults, steps) = (&self.faults.json, &self.steps.json);
                let likely_causes = terminal::json(&likely_causes)?;
                writeln!(
                    io::stdout(),
                    r#"{{"faults":[{faults}],"likely_causes":{likely_causes},"ok":{ok},"steps":[{steps}]}}"#
                )?;
            }
            Format::Text if ok => {
                let count = self.requests;
                let s = if count == 1 { "" } else { "s" };
                let ended = self.ended.as_deref().map(terminal::line);
                let ended = ended.map_or_else(String::new, |how| format!(" Twilio {how}."));
                writeln!(io::stderr(), "OK: no fault in {count} request{s}.{ended}")?;
            }
            Format::Text => {
                let mut output = io::stderr().lock();
                let count = self.fault_count;
                let s = if count == 1 { "" } else { "s" };
                writeln!(output, "FAILED: {count} fault{s}")?;
                terminal::write_causes(&mut output, &likely_causes)?;
            }
        }
        if ok { Ok(()) } else { Err(Failure::Check) }
    }
}

impl List {
    fn push(&mut self, value: Value) -> serde_json::Result<()> {
        if !self.json.is_empty() {
            self.json.push(',');
        }
        self.json += &terminal::json(&without_passwords(value))?;
        Ok(())
    }
}

impl From<client::Answer> for Received {
    fn from(answer: client::Answer) -> Self {
        // What Twilio gets is shown, even if it is not text.
        let header = |name: &str| {
            let value = answer.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            status: answer.status,
            content_type: header("Content-Type"),
            location: header("Location"),
            body: answer.body,
        }
    }
}

impl Sent {
    pub(crate) fn answer(&self) -> Result<Answer<'_>, Missing> {
        let received = self.0.as_ref().map_err(|reason| *reason)?;
        Ok(Answer {
            status: received.status,
            content_type: received.content_type.as_deref(),
            location: received.location.as_deref(),
            body: &received.body,
        })
    }
}

/// Says what the caller still wanted to do when the call ended. That is not a fault of the app.
pub(crate) fn note_unused(unused: &[String]) -> Result<(), Failure> {
    if !unused.is_empty() {
        let unused = terminal::line(&unused.join(", "));
        writeln!(
            io::stderr(),
            "note: the call ended before a <Gather> took {unused}"
        )?;
    }
    Ok(())
}

/// Returns whether the URL of a request comes from an answer of the app. The others are options of the command.
fn is_of_app(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Incoming | Reason::Fallback | Reason::CallStatus
    )
}

/// Returns the method of a walk.
pub(crate) fn method(method: Method) -> TwimlMethod {
    match method {
        Method::Get => TwimlMethod::Get,
        Method::Post => TwimlMethod::Post,
    }
}

fn step_json(step: &Step) -> Value {
    let text = |kind: &str, text: &str| json!({ "kind": kind, "text": text });
    match step {
        Step::Requested(request, status) => {
            let params = request.params.iter();
            let params: Map<_, _> = params
                .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                .collect();
            json!({
                "kind": "request",
                "reason": request.reason.to_string(),
                "method": request.method.as_str(),
                "url": request.url,
                "params": params,
                "status": status,
            })
        }
        Step::Said(said) => text("said", said),
        Step::Apologized(said) => text("apologized", said),
        Step::Played(url) => text("played", url),
        Step::Overheard(heard) => text("overheard", heard),
        Step::Caller(did) => text("caller", did),
        Step::Wrote(wrote) => text("wrote", wrote),
        Step::Dialed(who) => json!({ "kind": "dialed", "to": who }),
        Step::Sent(Reply {
            to, body, media, ..
        }) => {
            json!({ "kind": "sent", "to": to, "text": body, "media": media })
        }
        Step::Found(fault) => fault_json(fault),
        Step::Ended(how) => text("ended", how),
        Step::Twilio(did) => text("twilio", did),
        other => text("other", &other.to_string()),
    }
}

fn fault_json(fault: &Fault) -> Value {
    json!({
        "kind": "fault",
        "line": fault.line,
        "code": fault.code,
        "message": fault.message,
        "advice": fault.advice,
    })
}

/// Returns a value without the passwords that its texts have in URLs.
fn without_passwords(value: Value) -> Value {
    match value {
        Value::String(text) => terminal::without_passwords(&text).into(),
        Value::Array(values) => values.into_iter().map(without_passwords).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, without_passwords(value)))
            .collect(),
        other => other,
    }
}
