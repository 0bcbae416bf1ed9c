//! What the verdict hook receives.

use std::time::Duration;

use crate::error::ValidationErrorKind;

/// A verdict that was given on a request, for [`on_verdict`](crate::TwilioConfigBuilder::on_verdict).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub(crate) refusal: Option<ValidationErrorKind>,
    pub(crate) route: Option<String>,
    pub(crate) duration: Duration,
}

impl Verdict {
    /// Returns why the request was refused, or would have been if validation did not only report;
    /// nothing for a genuine request.
    #[must_use]
    pub fn refusal(&self) -> Option<ValidationErrorKind> {
        self.refusal
    }

    /// Returns the pattern of the route, such as `/{tenant}/message`: a label of few values, unlike
    /// the path. Nothing if no route matches.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// Returns the time from the request's head to the verdict, the wait for the body included.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }
}
