//! The middleware, for handlers that are not annotated one by one.

use std::{
    fmt,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};

use super::startup;
use crate::{
    config::{AppPolicy, Policy, TwilioConfig},
    gate::{admit, misconfigured},
    origin::OriginalTarget,
};

/// Validates every request before it reaches what it is wrapped around: an `App`, a `Scope`, a
/// `Resource` or a `Route`.
///
/// The handlers inside need no change, because the validated body is put back for them. A handler that also has
/// `#[validate_twilio_request]` finds the proof and does not validate again, unless it has another configuration or
/// this middleware only reports.
///
/// If this middleware is wrapped around an `App`, a forged request for a path without a route gets a 403 instead of
/// a 404.
///
/// # The order of middleware
///
/// In actix-web, the middleware that is wrapped last runs first. Wrap these *after* this middleware, so that they
/// run before it:
///
/// - `Logger`, so that it logs refusals;
/// - `Compress`, for the answers;
/// - Basic or Digest authentication, because Twilio sends its credentials only after a 401, which must win over the
///   403 of this middleware;
/// - CORS, because preflight requests are not signed.
///
/// Wrap any middleware that changes the request, such as `NormalizePath`, *before* this one. This middleware must
/// see the path as it arrived, and keeps it for annotated handlers inside.
///
/// Around an `App`, this middleware sees only the `app_data` of the app, not that of its scopes. To use another
/// configuration, construct it [with that one](Self::with_config).
///
/// # Examples
///
/// ```
/// use actix_twilio::{AuthToken, TwilioConfig, TwilioValidation, twiml::MessagingResponse};
/// use actix_web::{App, HttpResponse, middleware::{Logger, NormalizePath}, web};
///
/// let config = TwilioConfig::builder().auth_token(AuthToken::new("12345")?).build()?;
/// let app = App::new()
///     .app_data(config)
///     .service(
///         web::scope("/twilio")
///             .wrap(NormalizePath::trim())
///             .wrap(TwilioValidation::new())
///             .wrap(Logger::new("%a %U %s %b %T"))
///             .route("/message", web::post().to(async || MessagingResponse::new())),
///     )
///     .route("/health", web::get().to(HttpResponse::Ok));
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
pub struct TwilioValidation<P = AppPolicy> {
    config: Option<TwilioConfig>,
    policy: PhantomData<fn() -> P>,
}

impl TwilioValidation {
    /// Constructs the middleware with the configuration in `app_data`, or else the environment's.
    #[must_use]
    pub fn new() -> Self {
        Self::with_policy()
    }

    /// Constructs the middleware with a configuration of its own.
    #[must_use]
    pub fn with_config(config: TwilioConfig) -> Self {
        Self {
            config: Some(config),
            policy: PhantomData,
        }
    }
}

impl<P: Policy> TwilioValidation<P> {
    /// Constructs the middleware with the configurations that a policy chooses. The app does not start if the policy
    /// [can't be built](Policy::check).
    ///
    /// # Pitfalls
    ///
    /// Around an `App` or an outer scope, the policy finds no path parameters: `match_info` has only those of the scope
    /// or the resource that this is wrapped around, and of those outside it. A policy that chooses by `{tenant}` would
    /// use its default branch.
    #[must_use]
    pub fn with_policy() -> Self {
        Self {
            config: None,
            policy: PhantomData,
        }
    }
}

impl Default for TwilioValidation {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Clone for TwilioValidation<P> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            policy: PhantomData,
        }
    }
}

impl<P> fmt::Debug for TwilioValidation<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioValidation")
            .field("config", &self.config)
            .finish()
    }
}

impl<S, B, P> Transform<S, ServiceRequest> for TwilioValidation<P>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
    P: Policy,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = TwilioValidationMiddleware<S, P>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let checked = match self.config {
            Some(_) => Ok(()),
            None => startup::check::<P>(),
        };
        ready(checked.map(|()| TwilioValidationMiddleware {
            service: Rc::new(service),
            validation: self.clone(),
        }))
    }
}

/// The service that [`TwilioValidation`] makes.
#[derive(Debug)]
pub struct TwilioValidationMiddleware<S, P = AppPolicy> {
    service: Rc<S>,
    validation: TwilioValidation<P>,
}

impl<S, B, P> Service<ServiceRequest> for TwilioValidationMiddleware<S, P>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
    P: Policy,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, mut req: ServiceRequest) -> Self::Future {
        let service = Rc::clone(&self.service);
        let config = self.validation.config.clone();
        Box::pin(async move {
            OriginalTarget::keep(req.request());
            // The request is borrowed and never cloned, because the router inside must be its only owner.
            let payload = req.take_payload();
            let config = match config {
                Some(config) => Ok(config),
                None => P::config(req.request()).map_err(|err| misconfigured(&err)),
            };
            let admitted = match config {
                Ok(config) => admit::<P>(&config, req.request(), payload).await,
                Err(err) => Err(err),
            };
            match admitted {
                Ok(admitted) => {
                    req.set_payload(admitted.payload);
                    Ok(service.call(req).await?.map_into_left_body())
                }
                Err(err) => Ok(req.error_response(err).map_into_right_body()),
            }
        })
    }
}
