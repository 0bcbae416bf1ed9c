//! The settings of a configuration, except its keys, with their defaults.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use actix_web::{Error, HttpRequest};
use twilio_signature::url::PublicUrl;

use super::{Mode, TrustedProxies, Verdict, budget::ByteBudget};
use crate::{error::ValidationError, once::OnceSettings};

/// The default limit on the bytes of all bodies that are being read: 512 bodies of the default limit.
pub(crate) const DEFAULT_TOTAL_BODY_LIMIT: usize = 128 * 1024 * 1024;

/// The settings except the keys. A method of the same name in [`TwilioConfigBuilder`](super::TwilioConfigBuilder)
/// documents each.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) public_url: Option<PublicUrl>,
    /// Whether an option of a route's attribute set the public URL.
    pub(crate) public_url_of_route: bool,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) trusted_hops: NonZeroUsize,
    pub(crate) forwarded_prefix: bool,
    /// In bytes.
    pub(crate) body_limit: usize,
    /// In bytes, for all bodies that are being read at once.
    pub(crate) total_body_limit: ByteBudget,
    pub(crate) body_timeout: Duration,
    pub(crate) mode: Mode,
    pub(crate) explain_mismatches: bool,
    pub(crate) error_handler: Option<Hook<ErrorHandler>>,
    pub(crate) on_verdict: Option<Hook<VerdictHook>>,
    pub(crate) once: OnceSettings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            public_url_of_route: false,
            trusted_proxies: TrustedProxies::local(),
            trusted_hops: NonZeroUsize::MIN,
            forwarded_prefix: false,
            body_limit: 256 * 1024,
            total_body_limit: ByteBudget::new(DEFAULT_TOTAL_BODY_LIMIT),
            body_timeout: Duration::from_secs(15),
            mode: Mode::Enforce,
            explain_mismatches: cfg!(debug_assertions),
            error_handler: None,
            on_verdict: None,
            once: OnceSettings::default(),
        }
    }
}

type VerdictHook = dyn Fn(&Verdict) + Send + Sync;
type ErrorHandler = dyn Fn(ValidationError, &HttpRequest) -> Error + Send + Sync;

/// A function that the user provides.
pub(crate) struct Hook<F: ?Sized>(pub(crate) Arc<F>);

impl<F: ?Sized> Clone for Hook<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: ?Sized> fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mismatches_are_explained_by_default_in_debug_builds_alone() {
        assert_eq!(
            Options::default().explain_mismatches,
            cfg!(debug_assertions)
        );
    }
}
