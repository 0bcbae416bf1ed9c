//! The verdict that a hook receives.

use std::time::Duration;

use twilio_signature::AccountSid;

use crate::error::ValidationErrorKind;

/// A verdict on a request, as the hook of [`on_verdict`](crate::TwilioConfigBuilder::on_verdict) receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub(crate) refusal: Option<ValidationErrorKind>,
    pub(crate) route: Option<String>,
    pub(crate) account: Option<AccountSid>,
    pub(crate) duration: Duration,
}

impl Verdict {
    /// Returns why the request was refused, or would have been if validation were enforced. It is `None` for a
    /// genuine request.
    #[must_use]
    pub fn refusal(&self) -> Option<ValidationErrorKind> {
        self.refusal
    }

    /// Returns the pattern of the route, such as `/{tenant}/message`, or `None` if no route matches. Unlike the
    /// path, it has few values, so it can be a label of a metric.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// Returns the account that the request names. For a refused request, this is only a claim: anyone can name any
    /// account, so a label of a metric should be one of the accounts that you know.
    #[must_use]
    pub fn account(&self) -> Option<&AccountSid> {
        self.account.as_ref()
    }

    /// Returns the time from the request's head to the verdict, including the wait for the body.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }
}
