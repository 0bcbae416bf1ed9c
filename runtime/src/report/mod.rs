//! What the operator sees of a refusal: one limited log event, with nothing secret in it.

use std::{
    borrow::Cow,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::HttpRequest;

use crate::{
    config::TwilioConfig,
    diagnosis::Diagnosis,
    error::{ConfigError, ValidationErrorKind},
    origin::Origin,
    printable::{printable, printable_url},
    store::KeyStoreError,
};

static WARNINGS: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// To explain a refusal is work that forgers must not be able to buy.
static EXPLANATIONS: Limiter = Limiter::new(Duration::from_secs(1), 1);

/// Why there is no explanation, since another request had the one of this second.
const NOT_LOOKED_FOR: &str =
    "only one refusal a second is explained: send the request again, alone";

/// Why there is no explanation, though it was looked for.
const NOT_FOUND: &str = "nothing that was tried matches: compare token, URL and body, or capture the request and \
                         have `twilio-webhook explain` look further";

/// Errors have a limit of their own, so that a flood of forgeries can't hide them.
static ERRORS: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// Reports a request that is refused, or that `passes` since the configuration does not enforce.
/// `origin` is given if it is known already, and `explain` if the reason can be looked into.
pub(crate) fn refusal(
    kind: ValidationErrorKind,
    passes: bool,
    req: &HttpRequest,
    config: &TwilioConfig,
    origin: Option<&Origin>,
    explain: Option<impl FnOnce(&Origin) -> Option<Diagnosis>>,
) {
    if !tracing::enabled!(target: "actix_twilio", tracing::Level::WARN) {
        return;
    }
    let Some(left_out) = WARNINGS.pass() else {
        return;
    };
    let origin = match origin {
        Some(origin) => Ok(Cow::Borrowed(origin)),
        None => Origin::of(req, config).map(Cow::Owned),
    };
    let (url, scheme_from, host_from) = match &origin {
        Ok(origin) => (
            printable_url(&origin.url),
            origin.scheme_from,
            origin.host_from,
        ),
        Err(_) => (printable_url(&req.uri().to_string()), "nowhere", "nowhere"),
    };
    // Whether to look is decided before anything is done for it.
    let (diagnosis, not_explained) = match (explain, &origin) {
        (Some(explain), Ok(origin)) if EXPLANATIONS.pass().is_some() => {
            let diagnosis = explain(origin);
            let not_found = diagnosis.is_none().then_some(NOT_FOUND);
            (diagnosis, not_found)
        }
        (Some(_), Ok(_)) => (None, Some(NOT_LOOKED_FOR)),
        _ => (None, None),
    };
    let causes = diagnosis.as_ref().map(Diagnosis::causes);
    let explanation = diagnosis.as_ref().map(Diagnosis::explanation);
    tracing::warn!(
        target: "actix_twilio",
        kind = kind.as_str(),
        url,
        scheme_from,
        host_from,
        peer = req.peer_addr().map(|peer| tracing::field::display(peer.ip())),
        cause = causes,
        explanation,
        not_explained,
        hint = kind.hint(),
        left_out,
        "{} a request: {kind}",
        if passes { "would have refused" } else { "refused" },
    );
}

/// Reports a request that is answered with 500 since the server's own configuration is at fault.
pub(crate) fn misconfiguration(err: &ConfigError) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            kind = ValidationErrorKind::Config.as_str(),
            left_out,
            "answered a request with 500, since Twilio's requests can't be validated: {err}",
        );
    }
}

/// Reports a request that is answered with 500 since the key store can't tell its keys.
pub(crate) fn key_store_failure(err: &KeyStoreError) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            kind = ValidationErrorKind::KeyStoreFailed.as_str(),
            error = printable(&err.to_string()),
            left_out,
            "answered a request with 500, since the key store failed or took too long",
        );
    }
}

/// Reports a request that nobody looked at.
pub(crate) fn validation_off() {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            left_out,
            "let a request through unseen: validation is off",
        );
    }
}

/// Lets through one event an interval on average, and `burst` at a time: a flood of forgeries must
/// not become a flood of log lines.
struct Limiter {
    interval: Duration,
    burst: u32,
    /// When the budget will be whole again, in nanoseconds since the first event.
    whole_at: AtomicU64,
    left_out: AtomicU64,
}

impl Limiter {
    const fn new(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            burst,
            whole_at: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
        }
    }

    /// Returns, if an event may pass, how many were left out since the last one that did.
    fn pass(&self) -> Option<u64> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.pass_at(START.elapsed())
    }

    fn pass_at(&self, now: Duration) -> Option<u64> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let now = nanos(now);
        let budget = nanos(self.interval.saturating_mul(self.burst));
        let passed = self
            .whole_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |whole_at| {
                let next = whole_at.max(now).saturating_add(nanos(self.interval));
                (next.saturating_sub(now) <= budget).then_some(next)
            });
        if passed.is_ok() {
            Some(self.left_out.swap(0, Ordering::Relaxed))
        } else {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_limited_and_those_left_out_are_counted() {
        let limiter = Limiter::new(Duration::from_secs(1), 3);
        let at = |seconds| limiter.pass_at(Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0)], [Some(0); 3]);
        assert_eq!([at(0), at(0)], [None; 2]);
        assert_eq!(at(1), Some(2));
        assert_eq!(at(1), None);
        assert_eq!([at(100), at(100), at(100)], [Some(1), Some(0), Some(0)]);
        assert_eq!(at(100), None);
    }
}
