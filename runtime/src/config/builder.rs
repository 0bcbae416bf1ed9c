//! The builder of a configuration, from code and from the environment.

use std::{env, ffi::OsString, num::NonZeroUsize, sync::Arc, time::Duration};

use actix_web::{Error, HttpRequest};

use twilio_signature::{AuthToken, RequestValidator, SharedKey, url::PublicUrl};

use super::{KeySource, Mode, Options, Settings, TrustedProxies, TwilioConfig, Verdict};
use crate::{
    error::{ConfigError, ValidationError},
    keys::{KeyStore, Lookup},
};

const AUTH_TOKEN: &str = "TWILIO_AUTH_TOKEN";
const WEBHOOK_BASE_URL: &str = "TWILIO_WEBHOOK_BASE_URL";
const VALIDATION: &str = "TWILIO_VALIDATION";

impl TwilioConfig {
    /// Returns a builder with the defaults and no key.
    pub fn builder() -> TwilioConfigBuilder {
        TwilioConfigBuilder {
            auth_tokens: Vec::new(),
            shared_keys: Vec::new(),
            store: None,
            store_times: None,
            options: Options::default(),
            off_is_deliberate: false,
            report_only_from_env: false,
            report_only_allowed: false,
        }
    }

    /// Constructs a configuration from the environment: the builder's defaults and
    /// [`env`](TwilioConfigBuilder::env).
    ///
    /// # Errors
    ///
    /// Returns an error if a variable is missing or wrong, as the builder does.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().env()?.build()
    }

    /// Returns a copy of a configuration, or of the environment's, with another public URL or with the
    /// tokens of another environment variable.
    pub(crate) fn derive(
        base: Option<&Self>,
        public_url: Option<PublicUrl>,
        auth_token_env: Option<&'static str>,
    ) -> Result<Self, ConfigError> {
        let tokens = match auth_token_env {
            Some(name) => Some(env_tokens(name, |name| env::var_os(name))?),
            None => None,
        };
        let base = match base {
            Some(base) => base.clone(),
            None => {
                let builder = Self::builder().env_options(|name| env::var_os(name))?;
                match &tokens {
                    Some(tokens) => builder.auth_tokens(tokens.clone()),
                    None => builder.env_tokens(|name| env::var_os(name))?,
                }
                .build()?
            }
        };
        let keys = match (&base.0.keys, tokens) {
            (KeySource::Off, _) => KeySource::Off,
            (_, Some(tokens)) => KeySource::Fixed(RequestValidator::new(tokens)?),
            (keys, None) => keys.clone(),
        };
        let mut options = base.0.options.clone();
        options.public_url = public_url.or(options.public_url);
        Ok(Self(Arc::new(Settings { keys, options })))
    }
}

/// Builds a [`TwilioConfig`].
#[derive(Debug)]
#[must_use]
pub struct TwilioConfigBuilder {
    auth_tokens: Vec<AuthToken>,
    shared_keys: Vec<SharedKey>,
    store: Option<Lookup>,
    store_times: Option<(Duration, Duration)>,
    options: Options,
    off_is_deliberate: bool,
    report_only_from_env: bool,
    report_only_allowed: bool,
}

impl TwilioConfigBuilder {
    /// Reads the environment:
    ///
    /// | variable | content |
    /// |---|---|
    /// | `TWILIO_AUTH_TOKEN` | the Auth Token; several separated by commas while one is rotated |
    /// | `TWILIO_WEBHOOK_BASE_URL` | the [public URL](Self::public_url); optional |
    /// | `TWILIO_VALIDATION` | `enforce`, the default, or `report`, if the code [allows it](Self::allow_report_only) |
    ///
    /// Blanks and line ends around each value are cut. The tokens are added to those that the
    /// builder has; the other values replace the builder's.
    ///
    /// # Errors
    ///
    /// Returns an error if `TWILIO_AUTH_TOKEN` is not set, or a variable has a wrong or empty value.
    pub fn env(self) -> Result<Self, ConfigError> {
        self.variables(|name| env::var_os(name))
    }

    fn variables(self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        self.env_tokens(&variable)?.env_options(&variable)
    }

    fn env_tokens(self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let tokens = env_tokens(AUTH_TOKEN, variable)?;
        Ok(self.auth_tokens(tokens))
    }

    fn env_options(
        mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        if let Some(url) = read_variable(WEBHOOK_BASE_URL, &variable)? {
            self = self
                .public_url(url.trim())
                .map_err(|err| err.renamed(WEBHOOK_BASE_URL))?;
        }
        match read_variable(VALIDATION, &variable)?
            .as_deref()
            .map(str::trim)
        {
            None => {}
            Some("enforce") => self.options.mode = Mode::Enforce,
            Some("report") => {
                self.options.mode = Mode::ReportOnly;
                self.report_only_from_env = true;
            }
            Some(_) => {
                return Err(ConfigError::new(
                    VALIDATION,
                    "its value is unknown",
                    "set it to enforce, or to report if the code calls allow_report_only",
                ));
            }
        }
        Ok(self)
    }

    fn auth_tokens(mut self, tokens: Vec<AuthToken>) -> Self {
        self.auth_tokens.extend(tokens);
        self
    }

    /// Adds an Auth Token. Several are valid at a time, so that one can be rotated.
    ///
    /// # Security
    ///
    /// Whoever holds one of them may speak for all: add only tokens of one account.
    pub fn auth_token(mut self, token: AuthToken) -> Self {
        self.auth_tokens.push(token);
        self
    }

    /// Adds a SharedKey, which requests choose by its id.
    pub fn shared_key(mut self, key: SharedKey) -> Self {
        self.shared_keys.push(key);
        self
    }

    /// Sets the store that keys are looked up in by account, for an app that serves several accounts.
    /// It takes the place of [`auth_token`](Self::auth_token) and [`shared_key`](Self::shared_key).
    ///
    /// Its answers are kept for 10 s, and a lookup may take 5 s; see
    /// [`key_store_times`](Self::key_store_times).
    pub fn key_store(mut self, store: impl KeyStore) -> Self {
        self.store = Some(Lookup::new(
            store,
            Duration::from_secs(10),
            Duration::from_secs(5),
        ));
        self
    }

    /// Sets for how long the answers of the [key store](Self::key_store) are kept, and how long one
    /// lookup may take before the request is answered with 500.
    ///
    /// A token that was removed from the store is valid until the answer is forgotten.
    pub fn key_store_times(mut self, cache: Duration, lookup: Duration) -> Self {
        self.store_times = Some((cache, lookup));
        self
    }

    /// Sets the base of the URLs that Twilio requests: an origin, `https://example.com`, or an origin
    /// with the path prefix that a proxy strips, `https://example.com/prefix`. The path and the
    /// query of each request are appended as they came.
    ///
    /// With a public URL no header plays a part. The default is none: then the URL is told from
    /// the forwarded headers of trusted proxies, or from `Host`.
    ///
    /// Of the scheme only `https` (or `wss`) or `http` (or `ws`) counts; WebSocket handshakes are
    /// told by themselves.
    ///
    /// # Errors
    ///
    /// Returns an error if this is no absolute URL of these schemes, or if it has user info, a
    /// query or a fragment.
    pub fn public_url(mut self, url: impl AsRef<str>) -> Result<Self, ConfigError> {
        self.options.public_url = Some(PublicUrl::parse_base(url.as_ref())?);
        Ok(self)
    }

    /// Sets the proxies whose forwarded headers are believed: addresses (`10.0.0.1`), networks
    /// (`10.0.0.0/8`), and `unix` for peers on a Unix socket. An empty list trusts none.
    ///
    /// The default is loopback, private, link-local, unique-local and shared (100.64.0.0/10)
    /// addresses and `unix`, so that a local tunnel and the usual load balancer work as they are.
    ///
    /// The headers are `X-Original-Host`, else `X-Forwarded-Host`, else `Forwarded`; and
    /// `X-Forwarded-Proto`, else `Forwarded`; and `X-Forwarded-Port`, if the host has no port.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them is none of these.
    pub fn trusted_proxies<S: AsRef<str>>(
        mut self,
        proxies: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        self.options.proxies = TrustedProxies::parse(proxies)?;
        Ok(self)
    }

    /// Sets how many trusted proxies a request passes, one after the other. A forwarded header is
    /// read from its right end: of the values in it, the `hops`-th from the right counts, or the
    /// leftmost if there are fewer. The default is 1.
    ///
    /// # Errors
    ///
    /// Returns an error for 0. To trust no proxy, give [`trusted_proxies`](Self::trusted_proxies)
    /// an empty list.
    pub fn trusted_hops(mut self, hops: usize) -> Result<Self, ConfigError> {
        self.options.trusted_hops = NonZeroUsize::new(hops).ok_or_else(|| {
            ConfigError::new(
                "trusted_hops",
                "it is 0",
                "give at least 1, or trust no proxy with trusted_proxies([\"\"; 0])",
            )
        })?;
        Ok(self)
    }

    /// Sets whether `X-Forwarded-Prefix` of a trusted proxy is put before the path. The default is
    /// not to: most proxies pass this header on as the client sent it.
    pub fn forwarded_prefix(mut self, believe: bool) -> Self {
        self.options.forwarded_prefix = believe;
        self
    }

    /// Sets the largest body that is read, in bytes. The default is 256 KiB; Twilio's requests are
    /// far smaller. A larger one is answered with 413.
    ///
    /// The extractors inside have limits of their own: `web::Form` one of 16 KiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.options.body_limit = bytes;
        self
    }

    /// Sets the time in which the whole body must have arrived. The default is 15 s, in which
    /// Twilio wants its answer. A slower one is answered with 408.
    pub fn body_timeout(mut self, time: Duration) -> Self {
        self.options.body_timeout = time;
        self
    }

    /// Sets the function that turns a refusal into a response, to answer with another status or
    /// body. The default is a status and a fixed sentence.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::{AuthToken, TwilioConfig};
    /// use actix_web::{HttpResponse, error::InternalError};
    ///
    /// let config = TwilioConfig::builder()
    ///     .auth_token(AuthToken::new("12345")?)
    ///     .error_handler(|err, _req| {
    ///         InternalError::from_response(err, HttpResponse::NotFound().finish()).into()
    ///     })
    ///     .build()?;
    /// # Ok::<(), actix_twilio::ConfigError>(())
    /// ```
    pub fn error_handler(
        mut self,
        handler: impl Fn(ValidationError, &HttpRequest) -> Error + Send + Sync + 'static,
    ) -> Self {
        self.options.error_handler = Some(Arc::new(handler));
        self
    }

    /// Sets a function that is called with each verdict, for metrics.
    ///
    /// It is not called for a request that was validated already, further outside, and not while
    /// validation is off.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use actix_twilio::{AuthToken, TwilioConfig};
    ///
    /// static REFUSED: AtomicU64 = AtomicU64::new(0);
    ///
    /// let config = TwilioConfig::builder()
    ///     .auth_token(AuthToken::new("12345")?)
    ///     .on_verdict(|verdict| {
    ///         if verdict.refusal().is_some() {
    ///             REFUSED.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), actix_twilio::ConfigError>(())
    /// ```
    pub fn on_verdict(mut self, hook: impl Fn(&Verdict) + Send + Sync + 'static) -> Self {
        self.options.verdict_hook = Some(Arc::new(hook));
        self
    }

    /// Sets whether the warning of a refused request says why its signature does not match, and which
    /// setting to change: the [cause](crate::explain::Cause) and an explanation. The default is to do so in
    /// builds with debug assertions, and not in others, while validation only reports too.
    ///
    /// To find out is work, on the worker's thread: some milliseconds, for a body of many escapes some tens, and
    /// in a debug build a tenth of a second or more. It is done at most once a second in a process, and never for
    /// bodies over 16 KiB. The field `not_explained` says that nothing was found, or that another request had its
    /// turn. An [`Explainer`](crate::explain::Explainer), or the command `twilio-webhook explain`, looks further.
    #[cfg(feature = "explain")]
    pub fn explain_mismatches(mut self, explain: bool) -> Self {
        self.options.explain_mismatches = explain;
        self
    }

    /// Sets what happens to requests that are not genuine. The default is [`Mode::Enforce`].
    ///
    /// In a build without debug assertions, [`Mode::Off`] is refused by
    /// [`build`](Self::build): call
    /// [`dangerously_disable_validation`](Self::dangerously_disable_validation) if you mean it.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.options.mode = mode;
        self.report_only_from_env = false;
        self.off_is_deliberate = cfg!(debug_assertions);
        self
    }

    /// Lets `TWILIO_VALIDATION=report` take effect. Without this call it is an error: an
    /// environment variable alone never opens the door.
    pub fn allow_report_only(mut self) -> Self {
        self.report_only_allowed = true;
        self
    }

    /// Switches validation off in any build: every request reaches the handlers, forged ones too.
    ///
    /// In tests, rather [sign the requests](crate::testing).
    pub fn dangerously_disable_validation(mut self) -> Self {
        self.options.mode = Mode::Off;
        self.off_is_deliberate = true;
        self
    }

    /// Builds the configuration, and says in the log where it is lax.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no key, if the time for a body is zero, or if validation is
    /// weakened in a way that the code did not confirm.
    pub fn build(self) -> Result<TwilioConfig, ConfigError> {
        let (options, mut store) = (self.options, self.store);
        match (&mut store, self.store_times) {
            (_, None) => {}
            (Some(store), Some((cache, lookup))) => {
                store.cache_time = cache;
                store.time_limit = lookup;
            }
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "key_store_times",
                    "there is no key store",
                    "give one with key_store, or leave the times out",
                ));
            }
        }
        if options.body_timeout.is_zero() {
            return Err(ConfigError::new(
                "body_timeout",
                "it is zero, so that no body can arrive in time",
                "give a few seconds",
            ));
        }
        if options.mode == Mode::ReportOnly
            && self.report_only_from_env
            && !self.report_only_allowed
        {
            return Err(ConfigError::new(
                VALIDATION,
                "it is report, which lets forged requests through",
                "set it to enforce, or call allow_report_only on the builder",
            ));
        }
        let keys = match options.mode {
            Mode::Enforce | Mode::ReportOnly => match store {
                None => KeySource::Fixed(RequestValidator::with_keys(
                    self.auth_tokens,
                    self.shared_keys,
                )?),
                Some(store) if self.auth_tokens.is_empty() && self.shared_keys.is_empty() => {
                    KeySource::Store(Arc::new(store))
                }
                Some(_) => {
                    return Err(ConfigError::new(
                        "key_store",
                        "there are Auth Tokens or SharedKeys beside it",
                        "put them all into the store: its default answers for requests without an account",
                    ));
                }
            },
            Mode::Off if self.off_is_deliberate => KeySource::Off,
            Mode::Off => {
                return Err(ConfigError::new(
                    "mode",
                    "it is Off in a release build",
                    "call dangerously_disable_validation on the builder if forged requests are welcome",
                ));
            }
        };
        match options.mode {
            Mode::Off => tracing::warn!(
                target: "actix_twilio",
                "Twilio validation is off: forged requests reach the handlers"
            ),
            Mode::ReportOnly => tracing::warn!(
                target: "actix_twilio",
                "Twilio validation only reports: forged requests reach the handlers"
            ),
            Mode::Enforce if options.public_url.is_none() => tracing::info!(
                target: "actix_twilio",
                trusts_proxies = !options.proxies.is_empty(),
                "no public URL is set: the URL that Twilio signed is told from the headers of \
                 trusted proxies and from Host; set TWILIO_WEBHOOK_BASE_URL or public_url in \
                 production"
            ),
            Mode::Enforce => {}
        }
        Ok(TwilioConfig(Arc::new(Settings { keys, options })))
    }
}

/// Reads Auth Tokens, separated by commas, from an environment variable.
fn env_tokens(
    name: &'static str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<AuthToken>, ConfigError> {
    let Some(tokens) = read_variable(name, variable)? else {
        return Err(ConfigError::new(
            name,
            "it is not set",
            "set it to the Auth Token that the Twilio console shows, or add a TwilioConfig to the app's app_data",
        ));
    };
    AuthToken::parse_list(&tokens).map_err(|err| err.renamed(name))
}

fn read_variable(
    name: &'static str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<String>, ConfigError> {
    match variable(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(ConfigError::new(name, "it is not UTF-8", "set it anew")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyMap;

    fn from_variables(
        builder: TwilioConfigBuilder,
        variables: &[(&str, &str)],
    ) -> Result<TwilioConfig, ConfigError> {
        builder
            .variables(|name| {
                let (_, value) = variables.iter().find(|(set, _)| *set == name)?;
                Some(value.into())
            })?
            .build()
    }

    #[test]
    fn environment_has_tokens_a_url_and_a_mode() {
        let ok: &[&[(&str, &str)]] = &[
            &[(AUTH_TOKEN, "12345")],
            &[(AUTH_TOKEN, " 12345 ,\t67890\r\n")],
            &[
                (AUTH_TOKEN, "12345"),
                (WEBHOOK_BASE_URL, " https://example.com\n"),
            ],
            &[(AUTH_TOKEN, "12345"), (VALIDATION, "enforce")],
        ];
        for variables in ok {
            let config = from_variables(TwilioConfig::builder(), variables);
            assert!(!config.unwrap().report_only(), "{variables:?}");
        }
        let wrong: &[(&[(&str, &str)], &str)] = &[
            (&[], AUTH_TOKEN),
            (&[(AUTH_TOKEN, "")], AUTH_TOKEN),
            (&[(AUTH_TOKEN, " \n")], AUTH_TOKEN),
            (&[(AUTH_TOKEN, "12345,")], AUTH_TOKEN),
            (&[(AUTH_TOKEN, "12345, ,67890")], AUTH_TOKEN),
            (
                &[(AUTH_TOKEN, "12345"), (WEBHOOK_BASE_URL, "")],
                WEBHOOK_BASE_URL,
            ),
            (
                &[(AUTH_TOKEN, "12345"), (WEBHOOK_BASE_URL, "example.com")],
                WEBHOOK_BASE_URL,
            ),
            (&[(AUTH_TOKEN, "12345"), (VALIDATION, "")], VALIDATION),
            (&[(AUTH_TOKEN, "12345"), (VALIDATION, "off")], VALIDATION),
            (&[(AUTH_TOKEN, "12345"), (VALIDATION, "report")], VALIDATION),
        ];
        for (variables, setting) in wrong {
            let err = from_variables(TwilioConfig::builder(), variables).unwrap_err();
            assert_eq!(err.setting(), *setting, "{variables:?}");
            assert!(!err.to_string().contains("12345"), "{err}");
        }
    }

    #[test]
    fn environment_alone_never_opens_the_door() {
        let report = [(AUTH_TOKEN, "12345"), (VALIDATION, "report")];
        let allowed = TwilioConfig::builder().allow_report_only();
        assert!(from_variables(allowed, &report).unwrap().report_only());
        let enforced = TwilioConfig::builder().mode(Mode::Enforce);
        assert!(from_variables(enforced, &report).is_err());
    }

    #[test]
    fn off_must_be_deliberate_in_release_builds() {
        let off = TwilioConfig::builder().mode(Mode::Off).build();
        assert_eq!(off.is_ok(), cfg!(debug_assertions));
        let off = TwilioConfig::builder()
            .dangerously_disable_validation()
            .build();
        assert!(matches!(off.unwrap().keys(), KeySource::Off));
    }

    #[test]
    fn times_of_the_key_store_count_before_and_after_it() {
        let (cache, lookup) = (Duration::from_secs(1), Duration::from_secs(2));
        let builder = TwilioConfig::builder;
        let both = [
            builder()
                .key_store(KeyMap::new())
                .key_store_times(cache, lookup),
            builder()
                .key_store_times(cache, lookup)
                .key_store(KeyMap::new()),
        ];
        for builder in both {
            let config = builder.build().unwrap();
            let KeySource::Store(store) = config.keys() else {
                panic!("there is a store");
            };
            assert_eq!((store.cache_time, store.time_limit), (cache, lookup));
        }
        let alone = builder().key_store_times(cache, lookup).build();
        assert_eq!(alone.unwrap_err().setting(), "key_store_times");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let config = from_variables(TwilioConfig::builder(), &[(AUTH_TOKEN, "s3cr3t")]).unwrap();
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }
}
