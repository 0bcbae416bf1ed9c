//! Reports deliveries of events: which are duplicates, and when the store fails.

use actix_web::HttpRequest;
use twilio_signature::redact;

use super::{DUPLICATES, ERRORS, WARNINGS};
use crate::{
    config::{Hook, TwilioConfig},
    once::{Delivery, OnceStoreError, Outcome},
};

/// What an operator can do so that a request which gets a 503 comes again.
const RETRY: &str = "Twilio tries a webhook again only if its URL ends with #rc=3&rp=5xx,ct,rt";

/// Reports what became of a delivery, in the log and to the hook.
pub(crate) fn delivery(outcome: Outcome, req: &HttpRequest, config: &TwilioConfig) {
    let route = req.match_pattern();
    let outcome_name = outcome.as_str();
    let route_name = route.as_deref();
    macro_rules! debug {
        ($text:literal) => {
            tracing::debug!(
                target: "actix_twilio", outcome = outcome_name, route = route_name, $text
            )
        };
    }
    match outcome {
        Outcome::First => debug!("handling an event for the first time"),
        Outcome::Duplicate | Outcome::Waited => {
            if let Some(left_out) = DUPLICATES.pass() {
                let after = if outcome == Outcome::Waited {
                    ", after a wait for it"
                } else {
                    ""
                };
                tracing::info!(
                    target: "actix_twilio",
                    outcome = outcome_name,
                    route = route_name,
                    left_out,
                    "answered a duplicate with the first answer{after}",
                );
            }
        }
        Outcome::Unguarded => debug!(
            "handling a request without a guard: nothing distinguishes a repeat of it from a new event. It may be a request of \
             a call without I-Twilio-Idempotency-Token, or a WebSocket handshake"
        ),
        Outcome::TakenOver | Outcome::WaitedInVain => {
            if let Some(left_out) = WARNINGS.pass() {
                let (what, hint) = if outcome == Outcome::TakenOver {
                    (
                        "handling an event again, because the first run did not end within its lease",
                        "look for a process that died; if handlers take this long, raise the lease (once_times)",
                    )
                } else {
                    (
                        "answered a duplicate with 503, because the first delivery is still being handled",
                        RETRY,
                    )
                };
                tracing::warn!(
                    target: "actix_twilio",
                    outcome = outcome_name,
                    route = route_name,
                    hint,
                    left_out,
                    "{what}",
                );
            }
        }
        Outcome::StoreFailed => {}
    }
    if let Some(Hook(hook)) = &config.options().once.on_delivery {
        hook(&Delivery { outcome, route });
    }
}

/// Reports that the store could not say whether an event was handled.
pub(crate) fn store_failure(
    err: &OnceStoreError,
    handled: bool,
    req: &HttpRequest,
    config: &TwilioConfig,
) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            outcome = Outcome::StoreFailed.as_str(),
            route = req.match_pattern(),
            error = redact::text(&err.to_string()),
            hint = RETRY,
            left_out,
            "{}, because the store of handled events failed",
            if handled {
                "handling an event, perhaps again"
            } else {
                "answered a request with 503"
            },
        );
    }
    delivery(Outcome::StoreFailed, req, config);
}

/// Reports that an event was handled, and that its answer could not be stored.
pub(crate) fn finish_failure(err: &OnceStoreError) {
    if let Some(left_out) = ERRORS.pass() {
        tracing::error!(
            target: "actix_twilio",
            error = redact::text(&err.to_string()),
            left_out,
            "handled an event, but the store of handled events failed: if it does not work again within the lease, a \
             duplicate will be handled again",
        );
    }
}

/// Reports that a claim could not be released.
pub(crate) fn release_failure(err: &OnceStoreError) {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            error = redact::text(&err.to_string()),
            left_out,
            "the store of handled events failed: duplicates of an event that was not handled wait until its lease ends",
        );
    }
}

/// Reports that an event was handled whose claim belongs to another run, or is gone.
pub(crate) fn claim_lost() {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            hint = "if handlers take longer than the lease, raise it (once_times); if the store was restarted, failed \
                    over or removed keys to save memory, make it keep them",
            left_out,
            "handled an event whose claim was lost, so it may be handled twice",
        );
    }
}

/// Reports an answer that is too large to be stored, or a stream.
pub(crate) fn answer_not_kept() {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            left_out,
            "an answer is a stream, compressed or larger than 64 kB, so it is not stored: a duplicate gets an empty 204",
        );
    }
}

/// Reports an answer for which a `MemoryStore` has no room.
pub(crate) fn answer_has_no_room() {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            left_out,
            "the MemoryStore is full, so an answer is not stored: a duplicate gets an empty 204. Give it more bytes",
        );
    }
}

/// Reports a request that is not guarded because it was not validated.
pub(crate) fn idle() {
    if let Some(left_out) = WARNINGS.pass() {
        tracing::warn!(
            target: "actix_twilio",
            left_out,
            "handling a request without a check whether it is a duplicate: validation is not enforced",
        );
    }
}
