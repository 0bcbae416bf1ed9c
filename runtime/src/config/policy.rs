//! Chooses the configuration that validates a route's requests.

use actix_web::HttpRequest;

use twilio_signature::ConfigError;

use super::TwilioConfig;

/// Chooses the configuration for the requests of a route:
/// `#[validate_twilio_request(policy = MyPolicy)]`.
///
/// # Pitfalls
///
/// - A policy runs before the request is validated. It may choose by what the request says, but must not trust it.
/// - A configuration that is built again for each request costs time, and the proof of a middleware does not count
///   for it. It also bounds nothing: each configuration has its own `total_body_limit`, and its own caches and log lines
///   that appear once. Build each configuration once, and return clones.
/// - A [middleware](crate::TwilioValidation::with_policy) around an `App` or an outer scope runs before the inner paths
///   are matched, so its policy finds none of their parameters in `match_info`. To choose by a parameter, use the
///   attribute, or wrap the middleware around the scope or the resource whose path has the parameter.
/// - A configuration that only reports lets forgeries through on the routes that it is chosen for.
///
/// # Examples
///
/// ```
/// use std::sync::LazyLock;
///
/// use actix_twilio::{
///     AuthToken, ConfigError, Policy, TwilioConfig, twiml::MessagingResponse, validate_twilio_request,
/// };
/// use actix_web::{HttpRequest, post, test::TestRequest};
///
/// /// Some tenants have a token and a public URL of their own.
/// struct Tenants;
///
/// static ACME: LazyLock<Result<TwilioConfig, ConfigError>> = LazyLock::new(|| {
///     TwilioConfig::builder()
///         .auth_token(AuthToken::new("the token of acme")?)
///         .public_url("https://acme.example.com")?
///         .build()
/// });
///
/// /// Everyone else shares this one. If it was built for each request, each would have a `total_body_limit` of its own.
/// static DEFAULT: LazyLock<Result<TwilioConfig, ConfigError>> = LazyLock::new(TwilioConfig::from_env);
///
/// impl Policy for Tenants {
///     fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
///         match req.match_info().get("tenant") {
///             Some("acme") => ACME.clone(),
///             _ => DEFAULT.clone(),
///         }
///     }
///
///     fn check() -> Result<(), ConfigError> {
///         ACME.clone()?;
///         DEFAULT.clone().map(drop)
///     }
/// }
///
/// #[post("/{tenant}/message")]
/// #[validate_twilio_request(policy = Tenants)]
/// async fn receive_message() -> MessagingResponse {
///     MessagingResponse::new()
/// }
///
/// let request = TestRequest::default().param("tenant", "acme").to_http_request();
/// assert!(Tenants::config(&request).is_ok());
/// ```
pub trait Policy: 'static {
    /// Returns the configuration for a request that is not validated yet.
    ///
    /// Build each configuration once, and return clones. Then a request that a middleware has validated with the
    /// same configuration and policy is not validated again.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no configuration for the request, which is then answered with 500.
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError>;

    /// Checks, while the app starts, that the configurations can be built. The default checks nothing.
    ///
    /// An error is logged and keeps the app from starting, if this is the policy of a
    /// [`TwilioValidation`](crate::TwilioValidation), or of a handler that is registered with
    /// [`to_validated`](crate::ProtectedRoute::to_validated). The options of an attribute are checked in the same way.
    ///
    /// actix-web registers other handlers without running any code of this crate, so their requests get a 500. For
    /// these, call this in `main`.
    ///
    /// # Errors
    ///
    /// Returns an error if a configuration can't be built.
    fn check() -> Result<(), ConfigError> {
        Ok(())
    }
}

/// The default [`Policy`]: chooses the configuration in the `app_data` of the innermost scope that has one, or else
/// that of the environment.
#[derive(Debug)]
pub enum AppPolicy {}

impl Policy for AppPolicy {
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        TwilioConfig::find(req)
    }
}
