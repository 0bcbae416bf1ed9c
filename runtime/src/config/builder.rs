//! Builds a configuration, from code and from the environment.

use std::{
    env,
    ffi::OsString,
    mem,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{Error, HttpRequest};

use twilio_signature::{AuthToken, RequestValidator, SharedKey, url::PublicUrl};

use super::{
    Hook, KeySource, Mode, Options, Settings, TrustedProxies, TwilioConfig, Verdict,
    budget::ByteBudget, options::DEFAULT_TOTAL_BODY_LIMIT,
};
use crate::{
    error::{ConfigError, ValidationError},
    keys::{KeyStore, Lookup},
    once::{Delivery, IfStoreFails, OnceSettings, OnceStore},
};

const AUTH_TOKEN: &str = "TWILIO_AUTH_TOKEN";
const WEBHOOK_BASE_URL: &str = "TWILIO_WEBHOOK_BASE_URL";
const VALIDATION: &str = "TWILIO_VALIDATION";
/// The token in the documentation, which everyone knows. It looks like a real one.
const MADE_UP_TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// What is wrong with a variable that must be set.
const NOT_SET: &str = "it is not set";

/// Whether this process has built a configuration. If a route sees none, it was put in the wrong place.
static BUILT: AtomicBool = AtomicBool::new(false);

impl TwilioConfig {
    /// Returns a builder with the default settings and without keys.
    pub fn builder() -> TwilioConfigBuilder {
        TwilioConfigBuilder {
            auth_tokens: Vec::new(),
            shared_keys: Vec::new(),
            store: None,
            store_times: None,
            total_body_limit: None,
            options: Options::default(),
            off_is_deliberate: false,
            report_only_from_env: false,
            report_only_allowed: false,
        }
    }

    /// Constructs a configuration from the environment and the builder's defaults, as
    /// [`TwilioConfigBuilder::env`] and [`TwilioConfigBuilder::build`] do.
    ///
    /// # Errors
    ///
    /// Returns an error if a variable is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().env()?.build()
    }

    /// Returns the Auth Tokens in the variable that a route's attribute names.
    pub(crate) fn tokens_of_route(name: &'static str) -> Result<Vec<AuthToken>, ConfigError> {
        env_tokens(name, |name| env::var_os(name)).map_err(|err| {
            if err.problem() != NOT_SET {
                return err;
            }
            ConfigError::new(
                name,
                "it is not set, and auth_token_env of a route names it",
                "set it to the Auth Token of that route's account",
            )
        })
    }

    /// Returns a copy of a configuration, or of the environment's, with another public URL or with the
    /// tokens of another environment variable.
    pub(crate) fn derive(
        base: Option<&Self>,
        public_url: Option<PublicUrl>,
        auth_token_env: Option<&'static str>,
    ) -> Result<Self, ConfigError> {
        let tokens = match auth_token_env {
            Some(name) => Some(Self::tokens_of_route(name)?),
            None => None,
        };
        let base = match base {
            Some(base) => base.clone(),
            None => {
                let builder = Self::builder().env_options(|name| env::var_os(name))?;
                match &tokens {
                    Some(tokens) => builder.auth_tokens(tokens.clone()),
                    None => builder
                        .env_tokens(|name| env::var_os(name))
                        .map_err(seen_by_no_route)?,
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
        options.public_url_of_route |= public_url.is_some();
        options.public_url = public_url.or(options.public_url);
        Ok(Self(Arc::new(Settings::new(keys, options))))
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
    total_body_limit: Option<usize>,
    options: Options,
    off_is_deliberate: bool,
    report_only_from_env: bool,
    report_only_allowed: bool,
}

impl TwilioConfigBuilder {
    /// Reads settings from the environment:
    ///
    /// | variable | value |
    /// |---|---|
    /// | `TWILIO_AUTH_TOKEN` | the Auth Token; during a rotation several, separated by commas |
    /// | `TWILIO_WEBHOOK_BASE_URL` | the [public URL](Self::public_url); optional |
    /// | `TWILIO_VALIDATION` | `enforce`, which is the default, or `report`, if the code [allows it](Self::allow_report_only) |
    ///
    /// White space around each value is removed. The tokens are added to those that the builder has; the other
    /// values replace the builder's.
    ///
    /// # Errors
    ///
    /// Returns an error if `TWILIO_AUTH_TOKEN` is not set, or if a variable has a wrong or empty value.
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
            let url = url.trim();
            if url.is_empty() {
                return Err(ConfigError::new(
                    WEBHOOK_BASE_URL,
                    "it is empty",
                    "set it to the base of the URL that Twilio requests, such as https://example.com, or remove it",
                ));
            }
            self = self
                .public_url(url)
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
            Some(other) => return Err(unknown_mode(other)),
        }
        Ok(self)
    }

    fn auth_tokens(mut self, tokens: Vec<AuthToken>) -> Self {
        self.auth_tokens.extend(tokens);
        self
    }

    /// Adds an Auth Token. Several tokens can be valid at once, so that one can be rotated.
    ///
    /// # Security
    ///
    /// A holder of one token can sign requests for all of them. So add only tokens of one account.
    pub fn auth_token(mut self, token: AuthToken) -> Self {
        self.auth_tokens.push(token);
        self
    }

    /// Adds a SharedKey, which requests name by its id.
    pub fn shared_key(mut self, key: SharedKey) -> Self {
        self.shared_keys.push(key);
        self
    }

    /// Sets the store in which keys are looked up by account, for an app that serves several accounts.
    ///
    /// It replaces [`auth_token`](Self::auth_token) and [`shared_key`](Self::shared_key): a builder with a store
    /// must have no other keys. By default, an answer of the store is cached for 10 s, and a lookup may take 5 s:
    /// see [`key_store_times`](Self::key_store_times).
    pub fn key_store(mut self, store: impl KeyStore) -> Self {
        self.store = Some(Lookup::new(
            store,
            Duration::from_secs(10),
            Duration::from_secs(5),
        ));
        self
    }

    /// Sets how long an answer of the [key store](Self::key_store) is cached, and how long a lookup may take
    /// before the request is answered with 500. A request may wait as long for the lookups of other requests first.
    ///
    /// A token that was removed from the store stays valid until the cached answer expires.
    pub fn key_store_times(mut self, cache: Duration, lookup: Duration) -> Self {
        self.store_times = Some((cache, lookup));
        self
    }

    /// Sets the base of the URLs that Twilio requests: an origin, such as `https://example.com`, or an origin with
    /// the path prefix that a proxy strips, such as `https://example.com/prefix`.
    ///
    /// The path and the query of each request are appended as they arrived. With a public URL, no header has any
    /// influence on the URL. By default there is none, and the URL is determined from the forwarded headers of
    /// trusted proxies or from `Host`.
    ///
    /// The scheme only says whether there is TLS: `https` and `wss` mean the same here, and so do `http` and `ws`.
    /// Each request shows whether it is a WebSocket handshake.
    ///
    /// # Errors
    ///
    /// Returns an error if this is not an absolute URL with one of these schemes, or if it has user info, a query or
    /// a fragment.
    pub fn public_url(mut self, url: impl AsRef<str>) -> Result<Self, ConfigError> {
        self.options.public_url = Some(PublicUrl::parse_base(url.as_ref())?);
        Ok(self)
    }

    /// Sets the proxies whose forwarded headers are believed: addresses (`10.0.0.1`), networks (`10.0.0.0/8`), and
    /// `unix` for peers on a Unix socket. An empty list trusts no proxy.
    ///
    /// actix-web has no address of a peer that has reset its connection. Such a peer is trusted as one on a Unix socket is
    /// only if the app listens on a Unix socket, or on `127.0.0.1:8080`, which actix-web does not tell apart.
    ///
    /// The default is loopback, private, link-local, unique-local and shared (100.64.0.0/10) addresses and `unix`,
    /// so that a local tunnel and most load balancers work without any setting.
    ///
    /// The host comes from `X-Original-Host`, else from `X-Forwarded-Host`, else from `Forwarded`; the scheme from
    /// `X-Forwarded-Proto`, else from `Forwarded`; and the port from `X-Forwarded-Port`, if the host has no port.
    ///
    /// # Errors
    ///
    /// Returns an error if one of the proxies is not an address, a network or `unix`, or is an address with the length
    /// of a prefix (`10.0.0.7/8`): that may mean the address or the network.
    pub fn trusted_proxies<S: AsRef<str>>(
        mut self,
        proxies: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        self.options.trusted_proxies = TrustedProxies::parse(proxies)?;
        Ok(self)
    }

    /// Sets how many trusted proxies a request passes, one after the other. The default is 1.
    ///
    /// A forwarded header is a list that is read from its right end. The `hops`-th value from the right counts, or
    /// the leftmost one if there are fewer.
    ///
    /// # Errors
    ///
    /// Returns an error for 0. To trust no proxy, pass an empty list to [`trusted_proxies`](Self::trusted_proxies).
    pub fn trusted_hops(mut self, hops: usize) -> Result<Self, ConfigError> {
        self.options.trusted_hops = NonZeroUsize::new(hops).ok_or_else(|| {
            ConfigError::new(
                "trusted_hops",
                "it is 0",
                "set it to at least 1, or trust no proxy with trusted_proxies([\"\"; 0])",
            )
        })?;
        Ok(self)
    }

    /// Sets whether the `X-Forwarded-Prefix` of a trusted proxy is put before the path. The default is `false`,
    /// because most proxies pass this header on as the client sent it.
    pub fn forwarded_prefix(mut self, believe: bool) -> Self {
        self.options.forwarded_prefix = believe;
        self
    }

    /// Sets the size in bytes of the largest body that is read. The default is 256 KiB, far more than Twilio sends.
    /// A request with a larger body is answered with 413.
    ///
    /// The handler's extractors have limits of their own: that of `web::Form` is 16 KiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.options.body_limit = bytes;
        self
    }

    /// Sets the largest total size in bytes of all bodies that are being read at once, by all requests with this
    /// configuration.
    ///
    /// The default is 128 MiB, which is 512 bodies of the default [`body_limit`](Self::body_limit), or `body_limit` if
    /// that is larger. If a body does not fit, the request that has waited longest is answered with 503, so that a flood
    /// of slow bodies does not keep genuine requests out. A body that has arrived as a whole is validated at once and does
    /// not count.
    ///
    /// One request may wait for its body for each 8 KiB of this limit, which is 16,384 by default and never fewer than
    /// 1,024. If its target and headers take more than 8 KiB of memory, they count like a body. So this limit bounds the
    /// memory. A limit on connections does not, because an HTTP/2 connection carries many requests.
    ///
    /// [`build`](Self::build) returns an error if this limit is smaller than `body_limit`.
    pub fn total_body_limit(mut self, bytes: usize) -> Self {
        self.total_body_limit = Some(bytes);
        self
    }

    /// Sets the time in which the whole body must arrive. The default is 15 s, after which Twilio no longer waits
    /// for an answer. A request with a slower body is answered with 408.
    pub fn body_timeout(mut self, time: Duration) -> Self {
        self.options.body_timeout = time;
        self
    }

    /// Sets the function that turns a refusal into a response, to answer with another status or body. By default,
    /// the response is a status and a fixed sentence.
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
        self.options.error_handler = Some(Hook(Arc::new(handler)));
        self
    }

    /// Sets a function that is called with each verdict, for metrics.
    ///
    /// It is not called for a request that a middleware has already validated, nor while validation is off.
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
        self.options.on_verdict = Some(Hook(Arc::new(hook)));
        self
    }

    /// Sets where it is remembered which events were handled, for the [guard](crate::once) that handles each event
    /// once.
    ///
    /// The default is one [`MemoryStore`](crate::once::MemoryStore) for the process. Processes that share events need a
    /// store that they share.
    pub fn once_store(mut self, store: impl OnceStore) -> Self {
        self.options.once.set_store(store);
        self
    }

    /// Sets the lease and the retention of the [guard](crate::once) that handles each event once.
    ///
    /// The lease is the time in which a handler must answer. After it, another delivery of the event is handled,
    /// because the process may have died. The default is 20 s, since Twilio waits 15 s for an answer.
    ///
    /// The retention is the time for which an event and its answer are remembered. The default is 24 hours. Event Streams
    /// repeat an event for up to four hours. A recorded request can be replayed after any time.
    ///
    /// [`build`](Self::build) returns an error if the lease is under one millisecond or longer than the retention.
    pub fn once_times(mut self, lease: Duration, retention: Duration) -> Self {
        self.options.once.lease = lease;
        self.options.once.retention = retention;
        self
    }

    /// Sets what happens to a request while the [store](Self::once_store) can't say whether its event was handled. The
    /// default is [`IfStoreFails::Refuse`]: a 503.
    pub fn if_once_store_fails(mut self, then: IfStoreFails) -> Self {
        self.options.once.if_store_fails = then;
        self
    }

    /// Sets a function that is called with each delivery that the [guard](crate::once) judges, for metrics.
    pub fn on_delivery(mut self, hook: impl Fn(&Delivery) + Send + Sync + 'static) -> Self {
        self.options.once.on_delivery = Some(Hook(Arc::new(hook)));
        self
    }

    /// Sets whether the log explains why the signature of a refused request does not match, and which setting to
    /// change.
    ///
    /// The warning then has the [cause](crate::explain::Cause) and advice that was tried on the request. The default is
    /// `true` in builds with debug assertions and `false` in others, in any mode.
    ///
    /// The search for an explanation occupies the worker's thread: for some milliseconds, for some tens of them if
    /// the body has many escapes, and in a debug build for a tenth of a second or more. It runs at most once a
    /// second in a process, and never for bodies over 16 KiB. The field `not_explained` says that another request
    /// was explained in the same second, or that the body was not looked at. An
    /// [`Explainer`](crate::explain::Explainer), or the command `twilio-webhook explain`, searches further.
    #[cfg(feature = "explain")]
    pub fn explain_mismatches(mut self, explain: bool) -> Self {
        self.options.explain_mismatches = explain;
        self
    }

    /// Sets what happens to requests that are not genuine. The default is [`Mode::Enforce`].
    ///
    /// In a build without debug assertions, [`build`](Self::build) refuses [`Mode::Off`]: to switch validation off
    /// there, call [`dangerously_disable_validation`](Self::dangerously_disable_validation).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.options.mode = mode;
        self.report_only_from_env = false;
        self.off_is_deliberate = cfg!(debug_assertions);
        self
    }

    /// Allows `TWILIO_VALIDATION=report`. Without this call, that value is an error, so that an environment variable
    /// alone can't let forged requests through.
    pub fn allow_report_only(mut self) -> Self {
        self.report_only_allowed = true;
        self
    }

    /// Switches validation off in any build. In tests, [sign the requests](crate::testing) instead.
    ///
    /// # Security
    ///
    /// Every request reaches the handlers, even a forged one.
    pub fn dangerously_disable_validation(mut self) -> Self {
        self.options.mode = Mode::Off;
        self.off_is_deliberate = true;
        self
    }

    /// Builds the configuration, and logs the settings that weaken it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no key, or a key beside a key store; if there are times for a key store, but no
    /// key store, or hops or a prefix for trusted proxies, but no trusted proxy; if the time for a body is zero; or if
    /// validation is weakened in a way that the code does not confirm.
    pub fn build(mut self) -> Result<TwilioConfig, ConfigError> {
        self.check_limits()?;
        self.check_proxies()?;
        self.check_mode()?;
        let keys = self.take_keys()?;
        let options = self.options;
        log_what_is_lax(&options);
        BUILT.store(true, Ordering::Relaxed);
        Ok(TwilioConfig(Arc::new(Settings::new(keys, options))))
    }

    fn check_limits(&mut self) -> Result<(), ConfigError> {
        let options = &mut self.options;
        let total_body_limit = self
            .total_body_limit
            .unwrap_or(options.body_limit.max(DEFAULT_TOTAL_BODY_LIMIT));
        if total_body_limit < options.body_limit {
            return Err(ConfigError::new(
                "total_body_limit",
                "it is smaller than body_limit, so the largest bodies can never be read",
                "raise it, or lower body_limit",
            ));
        }
        options.total_body_limit = ByteBudget::new(total_body_limit);
        if options.body_timeout.is_zero() {
            return Err(ConfigError::new(
                "body_timeout",
                "it is zero, so no body can arrive in time",
                "set it to a few seconds",
            ));
        }
        let OnceSettings {
            lease, retention, ..
        } = options.once;
        if lease < Duration::from_millis(1) || lease > retention {
            return Err(ConfigError::new(
                "once_times",
                "the lease is under one millisecond, or longer than the retention",
                "set a lease of some seconds, and a retention of some hours",
            ));
        }
        Ok(())
    }

    /// Checks that there is a proxy which the settings for proxies are about.
    fn check_proxies(&self) -> Result<(), ConfigError> {
        let options = &self.options;
        let setting = match () {
            () if options.forwarded_prefix => "forwarded_prefix",
            () if options.trusted_hops > NonZeroUsize::MIN => "trusted_hops",
            () => return Ok(()),
        };
        if options.trusted_proxies.is_empty() {
            return Err(ConfigError::new(
                setting,
                "it is set, but trusted_proxies is empty, so no forwarded header counts",
                "list the proxies in trusted_proxies, or leave out this setting",
            ));
        }
        Ok(())
    }

    /// Checks that the code has confirmed a mode that lets forgeries through.
    fn check_mode(&self) -> Result<(), ConfigError> {
        let unconfirmed = self.report_only_from_env && !self.report_only_allowed;
        match self.options.mode {
            Mode::ReportOnly if unconfirmed => Err(ConfigError::new(
                VALIDATION,
                "it is report, which lets forged requests through",
                "set it to enforce, or call allow_report_only on the builder",
            )),
            Mode::Off if !self.off_is_deliberate => Err(ConfigError::new(
                "mode",
                "it is Off in a release build",
                "set it to Enforce, or call dangerously_disable_validation on the builder to let forged requests through",
            )),
            Mode::Enforce | Mode::ReportOnly | Mode::Off => Ok(()),
        }
    }

    fn take_keys(&mut self) -> Result<KeySource, ConfigError> {
        let mut store = self.store.take();
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
                    "add one with key_store, or leave out the times",
                ));
            }
        }
        if self.options.mode == Mode::Off {
            return Ok(KeySource::Off);
        }
        let auth_tokens = mem::take(&mut self.auth_tokens);
        let shared_keys = mem::take(&mut self.shared_keys);
        match store {
            None => Ok(KeySource::Fixed(RequestValidator::with_keys(
                auth_tokens,
                shared_keys,
            )?)),
            Some(store) if auth_tokens.is_empty() && shared_keys.is_empty() => {
                Ok(KeySource::Store(Arc::new(store)))
            }
            Some(_) => Err(ConfigError::new(
                "key_store",
                "the builder also has Auth Tokens or SharedKeys",
                "move them into the store, as default keys for requests that name no account",
            )),
        }
    }
}

/// Returns the error for a value of `TWILIO_VALIDATION` that is not known.
fn unknown_mode(value: &str) -> ConfigError {
    const OFF: [&str; 6] = ["off", "false", "0", "no", "none", "disabled"];
    let wants_off = OFF.iter().any(|off| value.eq_ignore_ascii_case(off));
    if wants_off {
        return ConfigError::new(
            VALIDATION,
            "it says off, and no environment variable switches validation off",
            "remove it, and sign the requests of tests; only code can switch validation off, with mode(Mode::Off)",
        );
    }
    let problem = if value.is_empty() {
        "it is empty"
    } else {
        "it is neither enforce nor report"
    };
    ConfigError::new(
        VALIDATION,
        problem,
        "set it to enforce, or to report if the code calls allow_report_only, or remove it",
    )
}

fn log_what_is_lax(options: &Options) {
    if let Some(public) = &options.public_url
        && !public.base_path().is_empty()
    {
        tracing::info!(
            target: "actix_twilio",
            "public URL {}: /voice is expected at {}",
            public.with_target("", false),
            public.with_target("/voice", false),
        );
    }
    match options.mode {
        Mode::Off => tracing::warn!(
            target: "actix_twilio",
            "Twilio validation is off: forged requests reach the handlers; to switch it on, remove mode(Mode::Off) or \
             dangerously_disable_validation() from the configuration"
        ),
        Mode::ReportOnly => tracing::warn!(
            target: "actix_twilio",
            "Twilio validation only reports: forged requests reach the handlers"
        ),
        Mode::Enforce if options.public_url.is_none() => tracing::info!(
            target: "actix_twilio",
            trusts_proxies = !options.trusted_proxies.is_empty(),
            "no public URL is set, so the URL that Twilio signed is determined from the headers of \
             trusted proxies and from Host: set TWILIO_WEBHOOK_BASE_URL, or public_url, in production"
        ),
        Mode::Enforce => {}
    }
}

/// Reads Auth Tokens, separated by commas, from an environment variable.
fn env_tokens(
    name: &'static str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<AuthToken>, ConfigError> {
    let Some(text) = read_variable(name, variable)? else {
        return Err(ConfigError::new(
            name,
            NOT_SET,
            "set it to the Auth Token that the Twilio console shows, or add a TwilioConfig to the app's app_data",
        ));
    };
    let tokens = AuthToken::parse_list(&text).map_err(|err| err.renamed(name))?;
    if text.contains(MADE_UP_TOKEN) {
        tracing::warn!(
            target: "actix_twilio",
            "{name} is the made-up token of the documentation, so anyone can sign with it: set it to the Auth Token that \
             the Twilio console shows, except in tests"
        );
    }
    if tokens.iter().any(|token| !token.has_usual_form()) {
        tracing::info!(
            target: "actix_twilio",
            "{name} does not look like an Auth Token, which has 32 lower-case hex digits"
        );
    }
    Ok(tokens)
}

/// Says that a request found no configuration, if the environment has no token either.
pub(super) fn seen_by_no_route(err: ConfigError) -> ConfigError {
    if err.problem() != NOT_SET || err.setting() != AUTH_TOKEN {
        return err;
    }
    if BUILT.load(Ordering::Relaxed) {
        return ConfigError::new(
            "TwilioConfig",
            "one was built, but neither App::new() nor a scope around this route has it in its app_data",
            "write App::new().app_data(config.clone())",
        );
    }
    ConfigError::new(
        AUTH_TOKEN,
        "it is not set, and this route sees no TwilioConfig",
        "set it, or build a TwilioConfig and write App::new().app_data(config.clone())",
    )
}

fn read_variable(
    name: &'static str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<String>, ConfigError> {
    match variable(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(ConfigError::new(
            name,
            "it is not UTF-8",
            "set it to text in UTF-8",
        )),
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
            &[(AUTH_TOKEN, "\u{feff}12345\n")],
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
            (&[(AUTH_TOKEN, "\u{feff}\r\n")], AUTH_TOKEN),
            (&[(AUTH_TOKEN, "\"12345\"")], AUTH_TOKEN),
            (&[(AUTH_TOKEN, "'12345'")], AUTH_TOKEN),
            (
                &[(AUTH_TOKEN, "AC00000000000000000000000000012345")],
                AUTH_TOKEN,
            ),
            (
                &[(AUTH_TOKEN, "SK00000000000000000000000000012345")],
                AUTH_TOKEN,
            ),
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
