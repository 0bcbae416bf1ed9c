//! Reports refusals to the operator: one log event each, limited in rate, without secrets.

#[cfg_attr(not(feature = "explain"), path = "no_diagnosis.rs")]
mod diagnosis;
mod limiter;
pub(crate) mod once;
mod response;
pub(crate) mod span;

use std::{borrow::Cow, sync::Once, time::Duration};

use actix_web::{Error, HttpRequest, http::StatusCode};
use twilio_signature::{
    SignatureErrorKind,
    header::{SIGNATURE_REMOVED, looks_like_twilios, product_that_signs_with},
    redact,
};

#[cfg(feature = "explain")]
pub(crate) use self::diagnosis::explain;
pub(crate) use self::diagnosis::{Diagnosis, is_explainable};
use self::limiter::Limiter;
use crate::{
    config::TwilioConfig,
    error::{ConfigError, ValidationError, ValidationErrorKind},
    keys::KeyStoreError,
    origin::Origin,
};

static WARNINGS: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// An explanation takes work. This limits how much of it forgers can cause.
static EXPLANATIONS: Limiter = Limiter::new(Duration::from_secs(1), 1);

/// The reason why there is no explanation if another request was explained in the same second.
const NOT_LOOKED_FOR: &str =
    "only one refusal per second is explained: send the request again on its own";

/// Errors have their own limit, so that a flood of forgeries can't hide them.
static ERRORS: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// Anyone who has recorded a request can send duplicates of it.
static DUPLICATES: Limiter = Limiter::new(Duration::from_millis(100), 100);

/// How a refusal can be explained.
pub(crate) enum Explainable<F> {
    /// It needs no explanation, or none is asked for.
    No,
    /// By a search. The text says what the search can't look at.
    Yes(F, Option<&'static str>),
    /// Not at all, for this reason.
    Never(&'static str),
    /// By what came before: a middleware accepted the request.
    AcceptedBefore,
}

impl<F> Explainable<F> {
    /// Changes what a search takes.
    pub(crate) fn map<G>(self, change: impl FnOnce(F) -> G) -> Explainable<G> {
        match self {
            Self::No => Explainable::No,
            Self::Yes(search, unseen) => Explainable::Yes(change(search), unseen),
            Self::Never(why) => Explainable::Never(why),
            Self::AcceptedBefore => Explainable::AcceptedBefore,
        }
    }
}

/// Reports a request that is refused, or that `passes` because the configuration does not enforce. `origin` is
/// given if it is already known.
pub(crate) fn refusal(
    err: &ValidationError,
    passes: bool,
    req: &HttpRequest,
    config: &TwilioConfig,
    origin: Option<&Origin>,
    explain: Explainable<impl FnOnce(&Origin) -> Diagnosis>,
) {
    span::refused(err.kind(), err.account(), passes);
    if !is_heard() {
        return;
    }
    let Some(left_out) = WARNINGS.pass() else {
        return;
    };
    let kind = err.kind();
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
    let is_of_one = scheme_from == host_from;
    let (url_from, scheme_from, host_from) = (
        is_of_one.then_some(host_from),
        (!is_of_one).then_some(scheme_from),
        (!is_of_one).then_some(host_from),
    );
    let of_origin = match &origin {
        Err(malformed) if kind == ValidationErrorKind::OriginMalformed => Some(malformed.advice()),
        _ => None,
    };
    // The limit is checked before the search starts.
    let (diagnosis, not_explained) = match (explain, &origin) {
        (Explainable::Yes(explain, unseen), Ok(origin)) if EXPLANATIONS.pass().is_some() => {
            (Some(explain(origin)), unseen)
        }
        (Explainable::Yes(..), Ok(_)) => (None, Some(NOT_LOOKED_FOR)),
        (Explainable::Never(why), _) => (None, Some(why)),
        (Explainable::AcceptedBefore, _) => (Some(accepted_before()), None),
        _ => (None, None),
    };
    let diagnosis = diagnosis.or_else(|| of_other_product(kind, req));
    let (finding, cause, advice) = match diagnosis {
        Some(Diagnosis {
            finding,
            causes,
            advice,
        }) => (finding, Some(causes), Cow::Owned(advice)),
        None => {
            let hint = of_origin.map_or_else(|| hint(err, req), Cow::Owned);
            (None, None, hint)
        }
    };
    tracing::warn!(
        target: "actix_twilio",
        kind = kind.as_str(),
        url,
        account = err.account().map(tracing::field::display),
        cause,
        advice = &*advice,
        not_explained,
        url_from,
        scheme_from,
        host_from,
        peer = req.peer_addr().map(|peer| tracing::field::display(peer.ip())),
        left_out = (left_out > 0).then_some(left_out),
        "{} a request: {}",
        if passes { "would have refused" } else { "refused" },
        finding.unwrap_or_else(|| kind.to_string()),
    );
}

/// Returns what to do about a refusal that is not explained.
fn hint(err: &ValidationError, req: &HttpRequest) -> Cow<'static, str> {
    let kind = err.kind();
    if let (ValidationErrorKind::AccountUnknown, Some(account)) = (kind, err.account()) {
        return format!("add {account} with its own Auth Token to the key store").into();
    }
    let mut headers = req.headers().iter();
    let is_twilios = kind == SignatureErrorKind::SignatureMissing
        && headers.any(|(name, value)| {
            let value = value.to_str().unwrap_or_default();
            looks_like_twilios(name.as_str(), value)
        });
    if is_twilios {
        SIGNATURE_REMOVED.into()
    } else {
        kind.hint().into()
    }
}

/// Says why a request is refused that a middleware accepted.
fn accepted_before() -> Diagnosis {
    Diagnosis {
        finding: Some(
            "the middleware TwilioValidation accepted it with another configuration than its handler has"
                .to_owned(),
        ),
        causes: "other_configuration".to_owned(),
        advice: "give both the same configuration: TwilioValidation::new() takes that of the app, scope or resource. If the \
                 handler has options of its own, remove the middleware or the options"
            .to_owned(),
    }
}

/// Says why there is no signature if the request has that of another product.
fn of_other_product(kind: ValidationErrorKind, req: &HttpRequest) -> Option<Diagnosis> {
    if kind != SignatureErrorKind::SignatureMissing {
        return None;
    }
    let mut names = req.headers().keys();
    let product = names.find_map(|name| product_that_signs_with(name.as_str()))?;
    Some(Diagnosis {
        finding: Some(format!(
            "it has {product}'s signature, which this crate does not validate"
        )),
        causes: "other_product".to_owned(),
        advice: format!(
            "serve {product} from a route without this validation, and validate it as {product} documents"
        ),
    })
}

/// Returns whether anybody can read a warning. Without a subscriber, only the crate `log` may get it, if that feature
/// of `tracing` is on; a debug build then says once on stderr what is missing.
fn is_heard() -> bool {
    static SAID: Once = Once::new();
    let has_subscriber = tracing::dispatcher::get_default(|dispatch| {
        !dispatch.is::<tracing::subscriber::NoSubscriber>()
    });
    if has_subscriber {
        return tracing::enabled!(target: "actix_twilio", tracing::Level::WARN);
    }
    if cfg!(debug_assertions) {
        SAID.call_once(|| {
            eprintln!(
                "actix-twilio refused a request, and nothing writes why: add the crate tracing-subscriber, and \
                 put tracing_subscriber::fmt().init() first into main (debug builds say this once)"
            );
        });
    }
    true
}

/// Reports a genuine request that the handler's own extractor refuses.
pub(crate) fn extractor_refusal(extractor: &str, err: &Error) {
    let status = err.as_response_error().status_code();
    let message = err.to_string();
    let missing_field = missing_field(&message);
    let advice = match missing_field {
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => Some(
            "raise the extractor's own limit with FormConfig, JsonConfig or PayloadConfig in app_data",
        ),
        Some(_) => Some("make this field an Option, because this webhook does not have it"),
        None => None,
    };
    tracing::debug!(
        target: "actix_twilio",
        status = status.as_u16(),
        extractor = redact::text(extractor),
        missing_field,
        advice,
        "a genuine request was refused by the handler's own extractor",
    );
}

/// Returns the name of the field that serde misses. Other errors may contain values, and are not shown.
fn missing_field(message: &str) -> Option<&str> {
    const MISSING: &str = "missing field `";
    let is_place = |text: &str| {
        let mut words = text.split(' ');
        words.all(|word| word == "column" || word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let message = match message.rsplit_once(" at line ") {
        Some((message, place)) if is_place(place) => message,
        _ => message.strip_suffix('.').unwrap_or(message),
    };
    let (before, name) = message.strip_suffix('`')?.rsplit_once(MISSING)?;
    let is_name = |text: &str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_ours = |text: &str| !text.contains(['`', '"', '\'']);
    (is_name(name) && is_ours(before)).then_some(name)
}

/// Reports a request that is answered with 500 because the server's own configuration is at fault.
pub(crate) fn misconfiguration(err: &ConfigError) {
    span::refused(ValidationErrorKind::Config, None, false);
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            kind = ValidationErrorKind::Config.as_str(),
            left_out,
            "answered a request with 500, because requests can't be validated: {err}",
        );
    }
}

/// Reports that the app does not start, because the policy or the options of a route can't be used.
pub(crate) fn refused_start(err: &ConfigError) {
    tracing::error!(
        target: "actix_twilio",
        kind = ValidationErrorKind::Config.as_str(),
        "the app does not start, because the requests of a route can't be validated: {err}",
    );
}

/// Reports a request that was refused, and reached its handler all the same. For a webhook, nobody validated the
/// request.
pub(crate) fn unanswered(webhook: Option<&str>) {
    let Some(left_out) = ERRORS.pass() else {
        return;
    };
    match webhook {
        None => tracing::error!(
            target: "actix_twilio",
            left_out,
            "a request that was refused reached its handler, which takes an Option, a Result or an Either of \
             Validated: take Validated itself, or write #[validate_twilio_request] above the handler",
        ),
        Some(webhook) => tracing::error!(
            target: "actix_twilio",
            left_out,
            "a request that was not validated reached its handler, which takes an Option, a Result or an Either of \
             {webhook}: write #[validate_twilio_request] above the handler",
        ),
    }
}

/// Reports an error with which an app's function for a WebSocket ended.
#[cfg(feature = "stream")]
pub(crate) fn stream_failed(err: &dyn std::fmt::Display) {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            error = %err,
            left_out = (left_out > 0).then_some(left_out),
            "a WebSocket was closed, because the function that runs with it returned an error",
        );
    }
}

/// Reports a request that was validated further outside, and is refused because its body can't be handed on.
pub(crate) fn fault(kind: ValidationErrorKind) {
    span::refused(kind, None, false);
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
    span::unchecked();
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            left_out,
            "let a request through unchecked: validation is off",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_a_missing_field_is_taken_from_an_error() {
        let cases = [
            ("missing field `Body`", Some("Body")),
            ("Parse error: missing field `Body`", Some("Body")),
            ("Parse error: missing field `Body`.", Some("Body")),
            (
                "Json deserialize error: missing field `Body` at line 1 column 2",
                Some("Body"),
            ),
            ("missing field `Body` at line x", None),
            ("missing field ``", None),
            ("missing field `two words`", None),
            ("invalid type: string \"missing field `a`", None),
            ("unknown variant `x`, expected missing field `a`", None),
            ("invalid digit found in string", None),
            ("", None),
        ];
        for (message, name) in cases {
            assert_eq!(missing_field(message), name, "{message}");
        }
    }
}
