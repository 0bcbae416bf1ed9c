//! The configuration: keys, the public URL, trusted proxies, limits and the mode.

mod builder;
mod policy;
mod proxies;
mod verdict;

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{Error, HttpRequest, web};

use twilio_signature::{RequestValidator, url::PublicUrl};

pub(crate) use self::proxies::TrustedProxies;
pub use self::{
    builder::TwilioConfigBuilder,
    policy::{AppPolicy, Policy, RouteOptions},
    verdict::Verdict,
};
use crate::{
    error::{ConfigError, ValidationError},
    keys::Lookup,
};

/// What happens to a request that is not genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is refused. The default.
    #[default]
    Enforce,
    /// It is let through, with a warning in the log that says why it would have been refused. For
    /// the days before validation is switched on.
    ///
    /// A body that can't be read within the limits is refused all the same.
    ReportOnly,
    /// No request is looked at; a warning says so for each.
    Off,
}

pub(crate) type VerdictHook = dyn Fn(&Verdict) + Send + Sync;
pub(crate) type ErrorHandler = dyn Fn(ValidationError, &HttpRequest) -> Error + Send + Sync;

/// Configures validation: give it to the app, to a scope or to a resource as `app_data`, plain or as
/// [`web::Data`]. The innermost one counts.
///
/// Without any, [`from_env`](Self::from_env) is used, once per process. Clones share one
/// configuration. Give it in one of the two ways only: if both are found for a request and differ,
/// it can't be told which is the innermost, and the request gets a 500.
///
/// # Security
///
/// Set the [public URL](crate::TwilioConfigBuilder::public_url) in production. Without one, the URL is
/// taken from headers: from `X-Forwarded-*` if the peer is a [trusted
/// proxy](crate::TwilioConfigBuilder::trusted_proxies), which any private address is by default. Proxies
/// pass on what they do not set themselves, and address translation makes strangers look private.
/// A wrong URL does not let forgeries in by itself, since it is signed, but a request that is
/// genuine for another of your hosts would pass for this one.
///
/// # Examples
///
/// ```
/// use actix_twilio::{AuthToken, TwilioConfig};
/// use actix_web::App;
///
/// let config = TwilioConfig::builder()
///     .auth_token(AuthToken::new("12345")?)
///     .public_url("https://example.com")?
///     .build()?;
/// let app = App::new().app_data(config);
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TwilioConfig(pub(crate) Arc<Settings>);

/// What a finished configuration holds.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) keys: KeySource,
    pub(crate) options: Options,
}

/// Where the keys for a request come from.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// Nowhere: validation is off.
    Off,
    /// They are the same for each request.
    Fixed(RequestValidator),
    /// They are looked up by what the request claims.
    Store(Arc<Lookup>),
}

impl TwilioConfig {
    /// Returns the configuration of the innermost scope that has one, or else the environment's.
    pub(crate) fn find(req: &HttpRequest) -> Result<Self, ConfigError> {
        static FROM_ENV: OnceLock<Result<TwilioConfig, ConfigError>> = OnceLock::new();

        match Self::in_app_data(req)? {
            Some(config) => Ok(config.clone()),
            None => FROM_ENV.get_or_init(Self::from_env).clone(),
        }
    }

    /// Returns the configuration of the innermost scope that has one.
    pub(crate) fn in_app_data(req: &HttpRequest) -> Result<Option<&Self>, ConfigError> {
        let plain = req.app_data::<Self>();
        let data = req.app_data::<web::Data<Self>>().map(web::Data::get_ref);
        match (plain, data) {
            (Some(plain), Some(data)) if !plain.is(data) => Err(ConfigError::new(
                "TwilioConfig",
                "one is in app_data plain and another one as web::Data, so that it can't be told which is the innermost",
                "give them all in the same way",
            )),
            (plain, data) => Ok(plain.or(data)),
        }
    }

    /// Returns whether both are the very same configuration.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn keys(&self) -> &KeySource {
        &self.0.keys
    }

    pub(crate) fn report_only(&self) -> bool {
        self.0.options.mode == Mode::ReportOnly
    }

    pub(crate) fn public_url(&self) -> Option<&PublicUrl> {
        self.0.options.public_url.as_ref()
    }

    pub(crate) fn proxies(&self) -> &TrustedProxies {
        &self.0.options.proxies
    }

    pub(crate) fn trusted_hops(&self) -> usize {
        self.0.options.trusted_hops.get()
    }

    pub(crate) fn forwarded_prefix(&self) -> bool {
        self.0.options.forwarded_prefix
    }

    pub(crate) fn body_limit(&self) -> usize {
        self.0.options.body_limit
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        self.0.options.body_timeout
    }

    pub(crate) fn explains_mismatches(&self) -> bool {
        self.0.options.explain_mismatches
    }

    pub(crate) fn verdict_hook(&self) -> Option<&VerdictHook> {
        self.0.options.verdict_hook.as_deref()
    }

    /// Turns a refusal into the error that becomes the response.
    pub(crate) fn response_error(&self, err: ValidationError, req: &HttpRequest) -> Error {
        match &self.0.options.error_handler {
            Some(handler) => handler(err, req),
            None => err.into(),
        }
    }
}

/// Everything but the keys.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) trusted_hops: NonZeroUsize,
    pub(crate) forwarded_prefix: bool,
    pub(crate) body_limit: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) mode: Mode,
    pub(crate) explain_mismatches: bool,
    pub(crate) error_handler: Option<Arc<ErrorHandler>>,
    pub(crate) verdict_hook: Option<Arc<VerdictHook>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            proxies: TrustedProxies::local(),
            trusted_hops: NonZeroUsize::MIN,
            forwarded_prefix: false,
            body_limit: 256 * 1024,
            body_timeout: Duration::from_secs(15),
            mode: Mode::Enforce,
            explain_mismatches: cfg!(debug_assertions),
            error_handler: None,
            verdict_hook: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("public_url", &self.public_url)
            .field("proxies", &self.proxies)
            .field("trusted_hops", &self.trusted_hops)
            .field("forwarded_prefix", &self.forwarded_prefix)
            .field("body_limit", &self.body_limit)
            .field("body_timeout", &self.body_timeout)
            .field("mode", &self.mode)
            .field("explain_mismatches", &self.explain_mismatches)
            .finish_non_exhaustive()
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
