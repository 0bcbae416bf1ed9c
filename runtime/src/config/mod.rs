//! The configuration: keys, the public URL, trusted proxies, limits and the mode.

mod builder;
mod options;
mod policy;
mod proxies;
mod verdict;

use std::sync::{Arc, OnceLock};

use actix_web::{Error, HttpRequest, web};

use twilio_signature::RequestValidator;

pub use self::{
    builder::TwilioConfigBuilder,
    policy::{AppPolicy, Policy, RouteOptions},
    verdict::Verdict,
};
pub(crate) use self::{
    options::{Hook, Options},
    proxies::TrustedProxies,
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

    /// Returns everything but the keys.
    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn report_only(&self) -> bool {
        self.options().mode == Mode::ReportOnly
    }

    /// Turns a refusal into the error that becomes the response.
    pub(crate) fn response_error(&self, err: ValidationError, req: &HttpRequest) -> Error {
        match &self.options().error_handler {
            Some(Hook(handler)) => handler(err, req),
            None => err.into(),
        }
    }
}
