//! The configuration of the validation: keys, public URL, trusted proxies, limits and mode.

mod budget;
mod builder;
mod options;
mod policy;
mod proxies;
pub(crate) mod route;
mod verdict;

use std::{
    rc::Rc,
    sync::{Arc, Mutex, OnceLock, RwLock},
};

use actix_web::{Error, HttpRequest, web};

use twilio_signature::{AccountSid, RequestValidator};

pub(crate) use self::{
    budget::{Held, head_size},
    options::{Hook, Options},
    proxies::{Peer, TrustedProxies},
};
pub use self::{
    builder::TwilioConfigBuilder,
    policy::{AppPolicy, Policy},
    verdict::Verdict,
};
use crate::{
    error::{ConfigError, ValidationError},
    keys::Lookup,
};

/// What happens to a request that is not genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The request is refused. This is the default.
    #[default]
    Enforce,
    /// The request is let through, and a warning in the log says why it would have been refused. This is for the
    /// time before validation is enforced.
    ///
    /// A request whose body can't be read within the limits is still refused.
    ReportOnly,
    /// No request is validated. A warning in the log says so for each one.
    Off,
}

/// Configures the validation of an app, a scope or a resource.
///
/// Add it to `app_data`, either plain or as [`web::Data`]. The innermost configuration counts. If there is none, the
/// configuration is [`from_env`](Self::from_env), which is read once per process. Clones share one configuration.
///
/// Use only one of the two forms. If a request finds a plain configuration and another one as [`web::Data`], the
/// innermost of them can't be determined, and the request gets a 500.
///
/// # Security
///
/// Set the [public URL](crate::TwilioConfigBuilder::public_url) in production. Without one, the URL comes from
/// headers: from `X-Forwarded-*` if the peer is a [trusted
/// proxy](crate::TwilioConfigBuilder::trusted_proxies), which any private address is by default. But proxies pass
/// on headers that they do not set themselves, and address translation can make strangers look private. A stranger
/// who chooses the URL can't forge a request, because the URL is signed, but can make a request pass that is genuine
/// for another of your hosts.
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

/// The contents of a finished configuration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) keys: KeySource,
    pub(crate) options: Options,
    /// The first account of which an Auth Token has verified a request, if refusals are explained.
    verified: OnceLock<AccountSid>,
}

impl Settings {
    fn new(keys: KeySource, options: Options) -> Self {
        Self {
            keys,
            options,
            verified: OnceLock::new(),
        }
    }
}

/// Where the keys for a request come from.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// Nowhere: validation is off.
    Off,
    /// The same keys are used for each request.
    Fixed(RequestValidator),
    /// Keys are looked up by what the request claims.
    Store(Arc<Lookup>),
}

impl TwilioConfig {
    /// Returns the configuration of the innermost scope that has one, or else the environment's.
    pub(crate) fn find(req: &HttpRequest) -> Result<Self, ConfigError> {
        static FROM_ENV: OnceLock<Result<TwilioConfig, ConfigError>> = OnceLock::new();

        match Self::in_app_data(req)? {
            Some(config) => Ok(config.clone()),
            None => FROM_ENV
                .get_or_init(|| Self::from_env().map_err(builder::seen_by_no_route))
                .clone(),
        }
    }

    /// Returns the configuration of the innermost scope that has one.
    pub(crate) fn in_app_data(req: &HttpRequest) -> Result<Option<&Self>, ConfigError> {
        let plain = req.app_data::<Self>();
        let data = req.app_data::<web::Data<Self>>().map(web::Data::get_ref);
        match (plain, data) {
            (Some(plain), Some(data)) if !plain.is(data) => Err(ConfigError::new(
                "TwilioConfig",
                "app_data has one plain and another one as web::Data, so the innermost one can't be determined",
                "add all of them plain, or all of them as web::Data",
            )),
            (plain, data) => {
                let found = plain.or(data);
                // A scope's own one may be wrapped, too. That is found while the app is written, and costs no time later.
                let look = found.is_none() || cfg!(debug_assertions);
                match look.then(|| wrapping(req)).flatten() {
                    Some(wrapping) => Err(ConfigError::new(
                        "TwilioConfig",
                        format!("app_data has a {wrapping}, which is not a TwilioConfig"),
                        "build it, take it out with `?`, and add it plain: .app_data(config.clone())",
                    )),
                    None => Ok(found),
                }
            }
        }
    }

    /// Returns whether both share one configuration, as clones do.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn keys(&self) -> &KeySource {
        &self.0.keys
    }

    /// Returns all settings except the keys.
    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    /// Returns an account of which an Auth Token has verified a request.
    #[cfg(feature = "explain")]
    pub(crate) fn verified_account(&self) -> Option<&AccountSid> {
        self.0.verified.get()
    }

    /// Notes the account of a request that an Auth Token has verified: it helps to explain refusals. A key store knows
    /// whose its keys are.
    pub(crate) fn note_verified(&self, account: impl FnOnce() -> Option<AccountSid>) {
        let is_of_use = self.options().explain_mismatches
            && matches!(self.keys(), KeySource::Fixed(_))
            && self.0.verified.get().is_none();
        if is_of_use && let Some(account) = account() {
            // Another request may have been first.
            let _ = self.0.verified.set(account);
        }
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

/// Returns the type of a configuration that is in `app_data` in a form in which nothing finds it.
fn wrapping(req: &HttpRequest) -> Option<&'static str> {
    fn is_there<T: 'static>(req: &HttpRequest) -> bool {
        req.app_data::<T>().is_some()
            || req.app_data::<web::Data<T>>().is_some()
            || req.app_data::<web::ThinData<T>>().is_some()
    }

    macro_rules! first_of {
        ($($wrapping:ty),+ $(,)?) => {
            None$(.or_else(|| is_there::<$wrapping>(req).then_some(stringify!($wrapping))))+
        };
    }

    first_of![
        Result<TwilioConfig, ConfigError>,
        TwilioConfigBuilder,
        Result<TwilioConfigBuilder, ConfigError>,
        Option<TwilioConfig>,
        Arc<TwilioConfig>,
        Rc<TwilioConfig>,
        Box<TwilioConfig>,
        web::Data<web::Data<TwilioConfig>>,
        web::ThinData<TwilioConfig>,
        web::Data<Arc<TwilioConfig>>,
        &'static TwilioConfig,
        Mutex<TwilioConfig>,
        RwLock<TwilioConfig>,
        Result<TwilioConfig, Box<dyn std::error::Error>>,
        Result<TwilioConfig, Box<dyn std::error::Error + Send + Sync>>,
    ]
}
