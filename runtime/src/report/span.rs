//! Records verdicts on the current span of `tracing`, in the fields that its maker declared.
//!
//! Nothing else is done for a field that is not declared, so spans without them cost nothing. The names are stable; the
//! guide's chapter on metrics has them.

use tracing::Span;
use twilio_signature::AccountSid;

use crate::error::ValidationErrorKind;

const VERDICT: &str = "twilio.verdict";
const KIND: &str = "twilio.kind";
const ACCOUNT: &str = "twilio.account";
const CLAIMED_ACCOUNT: &str = "twilio.claimed_account";
const SID: &str = "twilio.sid";

/// Records that a request is genuine, its account, and the SID of its message or call.
pub(crate) fn genuine(
    account: impl FnOnce() -> Option<AccountSid>,
    sid: impl FnOnce() -> Option<String>,
) {
    let span = Span::current();
    span.record(VERDICT, "genuine");
    if span.has_field(ACCOUNT)
        && let Some(account) = account()
    {
        span.record(ACCOUNT, account.as_str());
    }
    if span.has_field(SID)
        && let Some(sid) = sid()
    {
        span.record(SID, &*sid);
    }
}

/// Records that a request is refused, or that it `passes` because the configuration does not enforce. Its account has
/// a field of its own, because anyone can name any account.
pub(crate) fn refused(kind: ValidationErrorKind, account: Option<&AccountSid>, passes: bool) {
    let span = Span::current();
    span.record(VERDICT, if passes { "would_refuse" } else { "refused" });
    span.record(KIND, kind.as_str());
    if let Some(account) = account {
        span.record(CLAIMED_ACCOUNT, account.as_str());
    }
}

/// Records that validation is off.
pub(crate) fn unchecked() {
    Span::current().record(VERDICT, "unchecked");
}
