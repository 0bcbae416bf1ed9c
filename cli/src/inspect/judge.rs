//! Judges exchanges: would the app accept the request, and if not, why, and what to do.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use twilio_signature::{
    RequestValidator, SignatureErrorKind,
    explain::{Explainer, UrlSetting},
    url::{PublicUrl, UrlParts},
};

use crate::{
    input::{
        capture,
        forwarded::{self, Believed},
        request::Request as Captured,
    },
    inspect::{
        exchange::{Exchange, Outcome, Request, Source, Verdict},
        findings::Findings,
        settings,
    },
    terminal,
};

/// The largest number of refused requests that are explained within a second. Anyone can send such requests.
const EXPLANATIONS: u32 = 5;

/// The longest body of a request that is explained, in bytes. The app's own log has the same limit.
const MAX_EXPLAINED: usize = 16 * 1024;

/// The number of bytes that an explanation may hash. It takes some milliseconds, in which exchanges wait.
const MAX_HASHED: usize = 4 * 1024 * 1024;

/// The part of the time that explanations may take, over time.
const SHARE: f64 = 0.2;

/// The largest number of URLs that the forwarded headers of a request may lead to.
const MAX_BELIEVED: usize = 4;

/// The keys and the public URL that requests are judged by.
#[derive(Debug)]
pub(crate) struct Judge {
    /// `None` if there is no token.
    pub(crate) validator: Option<RequestValidator>,
    /// The base URL that is set at Twilio, if it was given.
    pub(crate) public_url: Option<PublicUrl>,
    /// The text of `public_url`.
    pub(crate) public_text: Option<String>,
    budget: Mutex<Budget>,
}

/// What explanations may still cost.
#[derive(Debug)]
struct Budget {
    since: Instant,
    /// How many there were in this second.
    used: u32,
    /// The time that they may take, in seconds. It is negative after a long one.
    time: f64,
}

impl Judge {
    pub(crate) fn new(
        validator: Option<RequestValidator>,
        public_url: Option<(PublicUrl, String)>,
    ) -> Self {
        let (public_url, public_text) = public_url.unzip();
        let budget = Budget {
            since: Instant::now(),
            used: 0,
            time: 1.0,
        };
        Self {
            validator,
            public_url,
            public_text,
            budget: Mutex::new(budget),
        }
    }

    /// Sets the URL and the verdict of an exchange. Without a token there is no verdict, and neither is there one if
    /// the request was not kept as a whole.
    pub(crate) fn judge(&self, exchange: &mut Exchange) {
        if exchange.request.method.is_empty() {
            return;
        }
        let mut captured = captured(&exchange.request);
        let expected = self.expected(&captured);
        if let Some(first) = expected.first() {
            exchange.url.clone_from(&first.url);
        }
        let Some(validator) = &self.validator else {
            return;
        };
        if !exchange.request.wire.is_whole() {
            return;
        }
        let mut refusal = None;
        for expected in &expected {
            let url = &expected.url;
            let webhook = captured.webhook().url(url).base_path(&expected.prefix);
            match validator.validate(&webhook) {
                Ok(accepted) => {
                    exchange.url.clone_from(url);
                    exchange.verdict = Some(Verdict {
                        accepted: true,
                        kind: "valid",
                        signed_url: Some(terminal::without_passwords(&accepted.url)),
                        causes: Vec::new(),
                        descriptions: Vec::new(),
                        advice: self.advice_to_accept(exchange, &captured, validator, expected),
                        may_be_genuine: false,
                    });
                    return;
                }
                Err(err) => {
                    refusal.get_or_insert(err.kind());
                }
            }
        }
        let kind = refusal.map_or("config", |kind| kind.as_str());
        captured.url.clone_from(&exchange.url);
        exchange.verdict = Some(match exchange.source {
            // It was made so that it is refused, so there is nothing to find and nothing to do.
            Source::Forged { .. } => Verdict::refused(kind),
            _ => self.refused(validator, &captured, &expected, kind),
        });
    }

    /// Returns the URLs with which an app may verify the request: the public URL, or else those that the forwarded
    /// headers lead to, as an app believes them behind a tunnel, and the one in the request itself.
    fn expected(&self, captured: &Captured) -> Vec<Believed> {
        if let Some(public) = &self.public_url {
            let seen = UrlParts::of(&captured.url);
            let url = public.with_target(&seen.target(), seen.is_websocket());
            return vec![Believed {
                prefix: public.base_path().to_owned(),
                ..Believed::nothing(&url)
            }];
        }
        let believed = forwarded::believed(captured).into_iter().take(MAX_BELIEVED);
        believed.chain([Believed::nothing(&captured.url)]).collect()
    }

    fn refused(
        &self,
        validator: &RequestValidator,
        captured: &Captured,
        expected: &[Believed],
        kind: &'static str,
    ) -> Verdict {
        let mut verdict = Verdict::refused(kind);
        verdict.may_be_genuine =
            self.public_text.is_none() && kind == SignatureErrorKind::SignatureMismatch.as_str();
        if captured.body.len() > MAX_EXPLAINED {
            verdict.advice.push(
                "look for the cause with `explain`: it was not looked for here, because the body is longer than 16 KiB"
                    .to_owned(),
            );
            return verdict;
        }
        if !self.may_explain() {
            verdict.advice.push(format!(
                "look for the cause with `explain`: it was not looked for here, because more than {EXPLANATIONS} \
                 requests were refused within a second, or it took too long for them"
            ));
            return verdict;
        }
        let started = Instant::now();
        let mut explainer = Explainer::new(validator).max_bytes(MAX_HASHED);
        for (name, value) in &captured.headers {
            explainer = explainer.header(name, value);
        }
        let public_url = self.public_text.as_deref();
        explainer = match public_url {
            Some(_) => explainer.url_from(UrlSetting::App),
            None => explainer.proxy_may_be_trusted(),
        };
        let base_path = expected.first().map_or("", |first| &*first.prefix);
        let explanation = explainer.explain(&captured.webhook().base_path(base_path));
        let findings = Findings::of(explanation, captured, validator, public_url);
        self.budget().time -= started.elapsed().as_secs_f64();
        verdict.signed_url = findings.matched_url;
        verdict.causes = findings.causes;
        verdict.descriptions = findings.descriptions;
        // What hides the URL comes before what may be wrong with it.
        verdict.advice = findings.warnings;
        verdict.advice.extend(findings.proposals);
        verdict
    }

    /// Returns what to do if the app refused a request that is genuine if the app sees `expected`.
    fn advice_to_accept(
        &self,
        exchange: &Exchange,
        captured: &Captured,
        validator: &RequestValidator,
        expected: &Believed,
    ) -> Vec<String> {
        if !matches!(exchange.status(), 401 | 403) {
            return Vec::new();
        }
        let asks = matches!(&exchange.outcome, Outcome::Answered(answer)
            if exchange.status() == 401 && answer.wire.values("WWW-Authenticate").next().is_some());
        if asks {
            return vec![
                "the app asks for a user name and a password, as it does before each request of Twilio with Basic or \
                 Digest authentication: set both in the URL at Twilio, or remove the check"
                    .to_owned(),
            ];
        }
        let (by_default, base) = match &self.public_text {
            Some(text) => (None, text.clone()),
            None => (
                settings::refused_by_default(captured, validator, expected),
                expected.base_url(),
            ),
        };
        let mut advice: Vec<_> = by_default
            .map(|how| format!("the app refused a genuine request: without a public URL, it {how}"))
            .into_iter()
            .collect();
        let start = match advice[..] {
            [] => "the app refused a genuine request, and its log says why",
            _ => "the app's log says why",
        };
        advice.push(format!(
            "{start}: it has another token than this tool, or another public URL than {base}, or its handler takes \
             another webhook than this one"
        ));
        let shown = advice.iter().map(|text| terminal::without_passwords(text));
        shown.collect()
    }

    /// Returns whether one more explanation fits into this second.
    fn may_explain(&self) -> bool {
        let mut budget = self.budget();
        let elapsed = budget.since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            budget.since = Instant::now();
            budget.used = 0;
            budget.time = (budget.time + elapsed.as_secs_f64() * SHARE).min(1.0);
        }
        if budget.time <= 0.0 || budget.used >= EXPLANATIONS {
            return false;
        }
        budget.used += 1;
        true
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a request as `explain` takes it, with the URL in the request itself.
fn captured(request: &Request) -> Captured {
    let mut captured = Captured {
        method: request.method.clone(),
        headers: request.wire.headers.clone(),
        body: request.wire.body().into_owned(),
        ..Captured::default()
    };
    // Without a Host, which HTTP/1.0 allows, there is no whole URL.
    captured.url = capture::url_of(&captured, &request.target)
        .unwrap_or_else(|_| format!("http://{}", request.target));
    captured
}
