//! A scope that contains protected handlers only.

use std::fmt;

use actix_web::{
    Error, FromRequest, Handler, HttpResponse, Responder, Route, Scope,
    body::MessageBody,
    dev::{
        AppService, HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse, Transform,
    },
    guard::Guard,
    web,
};

use super::protected::{ProtectedArguments, ProtectedRoute};
use crate::config::TwilioConfig;

/// A [`Scope`] in which every handler is protected. A route to any other handler does not compile, whatever its
/// shape: a function without the attribute, a closure, or a type that implements [`Handler`].
///
/// Handlers have `#[validate_twilio_request]` and no route attribute such as `#[post(..)]`, because this scope has
/// the paths. A handler may also take a [`Validated`](crate::Validated) as its only argument. There is no way to
/// add another service, a `ServiceConfig` or a plain [`Route`].
///
/// # Pitfalls
///
/// - This checks that each handler validates, not with which configuration. A handler whose configuration only
///   reports compiles. If that would be wrong, require a [`Proof`](crate::Proof).
/// - A request that no route of this scope matches gets a 404, or goes to [the scope's own
///   default](Self::default_service). Unlike in other scopes, the app's default service, which may be open, does not
///   get it.
/// - A [middleware](Self::wrap) can answer a request itself, before it is validated.
///
/// # Examples
///
/// ```
/// use actix_twilio::{ProtectedScope, twiml::{MessagingResponse, VoiceResponse}, validate_twilio_request};
/// use actix_web::App;
///
/// #[validate_twilio_request]
/// async fn receive_message() -> MessagingResponse {
///     MessagingResponse::new()
/// }
///
/// #[validate_twilio_request]
/// async fn receive_call() -> VoiceResponse {
///     VoiceResponse::new()
/// }
///
/// let app = App::new().service(
///     ProtectedScope::new("/webhooks")
///         .post("/message", receive_message)
///         .scope(ProtectedScope::new("/voice").route("/call", receive_call)),
/// );
/// ```
///
/// Without the attribute, this does not compile:
///
/// ```compile_fail
/// # use actix_twilio::{ProtectedScope, twiml::MessagingResponse};
/// async fn receive_message() -> MessagingResponse {
///     MessagingResponse::new()
/// }
///
/// let scope = ProtectedScope::new("/webhooks").post("/message", receive_message);
/// ```
pub struct ProtectedScope<S = Scope>(S);

impl ProtectedScope {
    /// Constructs a scope for the paths that start with this prefix. It may have parameters, such as `/{tenant}`.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(Scope::new(path).default_service(web::to(HttpResponse::NotFound)))
    }
}

impl<T> ProtectedScope<Scope<T>>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    /// Adds a protected handler for `GET` requests to a path.
    #[must_use]
    pub fn get<F, Args>(self, path: &str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static,
    {
        Self(self.0.route(path, web::get().to_validated(handler)))
    }

    /// Adds a protected handler for `POST` requests to a path.
    #[must_use]
    pub fn post<F, Args>(self, path: &str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static,
    {
        Self(self.0.route(path, web::post().to_validated(handler)))
    }

    /// Adds a protected handler for requests to a path, whatever their method.
    ///
    /// Routes are tried in the order in which they were added.
    #[must_use]
    pub fn route<F, Args>(self, path: &str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static,
    {
        Self(self.0.route(path, Route::new().to_validated(handler)))
    }

    /// Sets the protected handler for requests that no route of this scope matches. The default is a 404.
    #[must_use]
    pub fn default_service<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static,
    {
        Self(self.0.default_service(Route::new().to_validated(handler)))
    }

    /// Adds a protected scope inside this one.
    #[must_use]
    pub fn scope<S>(self, inner: ProtectedScope<S>) -> Self
    where
        ProtectedScope<S>: HttpServiceFactory + 'static,
    {
        Self(self.0.service(inner))
    }

    /// Limits this scope to the requests that a guard lets pass. Others go to the app's next matching service.
    #[must_use]
    pub fn guard(self, guard: impl Guard + 'static) -> Self {
        Self(self.0.guard(guard))
    }

    /// Sets the configuration of the handlers in this scope, except those with a configuration of their own.
    #[must_use]
    pub fn config(self, config: TwilioConfig) -> Self {
        self.app_data(config)
    }

    /// Adds data for this scope, such as a [`web::Data`] or a `FormConfig`.
    #[must_use]
    pub fn app_data<U: 'static>(self, data: U) -> Self {
        Self(self.0.app_data(data))
    }

    /// Wraps a middleware around this scope. What is wrapped last runs first, as in any scope.
    #[must_use]
    pub fn wrap<M, B>(
        self,
        middleware: M,
    ) -> ProtectedScope<
        Scope<
            impl ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            >,
        >,
    >
    where
        M: Transform<
                T::Service,
                ServiceRequest,
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody,
    {
        ProtectedScope(self.0.wrap(middleware))
    }
}

impl<S: HttpServiceFactory> HttpServiceFactory for ProtectedScope<S> {
    fn register(self, config: &mut AppService) {
        self.0.register(config);
    }
}

impl<S> fmt::Debug for ProtectedScope<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedScope").finish_non_exhaustive()
    }
}
