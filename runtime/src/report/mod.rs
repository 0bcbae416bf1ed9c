//! Reports refusals to the operator: one log event each, limited in rate, without secrets.

#[cfg_attr(not(feature = "explain"), path = "no_diagnosis.rs")]
mod diagnosis;
mod limiter;
mod response;

use std::{borrow::Cow, time::Duration};

use actix_web::HttpRequest;
use twilio_signature::redact;

pub(crate) use self::diagnosis::{Diagnosis, is_explainable};
use self::limiter::Limiter;
use crate::{
    config::TwilioConfig,
    error::{ConfigError, ValidationErrorKind},
    keys::KeyStoreError,
    origin::Origin,
};

static WARNINGS: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// An explanation takes work. This limits how much of it forgers can cause.
static EXPLANATIONS: Limiter = Limiter::new(Duration::from_secs(1), 1);

/// The reason why there is no explanation if another request was explained in the same second.
const NOT_LOOKED_FOR: &str =
    "only one refusal per second is explained: send the request again on its own";

/// The reason why there is no explanation if the search found nothing.
const NOT_FOUND: &str = "nothing that was tried matches: check the token, the URL and the body, or capture the \
                         request and run `twilio-webhook explain`, which searches further";

/// Errors have their own limit, so that a flood of forgeries can't hide them.
static ERRORS: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// Reports a request that is refused, or that `passes` because the configuration does not enforce. `origin` is
/// given if it is already known, and `explain` if the reason can be explained.
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
            redact::url(&origin.url),
            origin.scheme_from,
            origin.host_from,
        ),
        Err(_) => (redact::url(&req.uri().to_string()), "nowhere", "nowhere"),
    };
    // The limit is checked before the search starts.
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

/// Reports a request that is answered with 500 because the server's own configuration is at fault.
pub(crate) fn misconfiguration(err: &ConfigError) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            kind = ValidationErrorKind::Config.as_str(),
            left_out,
            "answered a request with 500, because requests can't be validated: {err}",
        );
    }
}

/// Reports that the app does not start, because the policy of a route can't be built.
pub(crate) fn refused_start(err: &ConfigError) {
    tracing::error!(
        target: "actix_twilio",
        kind = ValidationErrorKind::Config.as_str(),
        "the app does not start, because a route's policy has no configuration: {err}",
    );
}

/// Reports a request that was validated further outside, and is refused because its body can't be handed on.
pub(crate) fn fault(kind: ValidationErrorKind) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            kind = kind.as_str(),
            hint = kind.hint(),
            left_out,
            "refused a request after it was validated: {kind}",
        );
    }
}

/// Reports a request that is answered with 500 because the key store did not return its keys.
pub(crate) fn key_store_failure(err: &KeyStoreError) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            kind = ValidationErrorKind::KeyStoreFailed.as_str(),
            error = redact::text(&err.to_string()),
            left_out,
            "answered a request with 500, because the key store failed or took too long",
        );
    }
}

/// Reports a request that was not validated because validation is off.
pub(crate) fn validation_off() {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            left_out,
            "let a request through unchecked: validation is off",
        );
    }
}
