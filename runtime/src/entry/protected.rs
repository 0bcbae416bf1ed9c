//! Routes that take only protected handlers.

use actix_web::{
    Error, FromRequest, Handler, Resource, Responder, Route,
    dev::{ServiceFactory, ServiceRequest},
};

use super::{
    extractor::{Validated, ValidatedArguments},
    startup::checked,
};
use crate::{config::Policy, error::ConfigError};

/// Adds a method to [`Route`] and [`Resource`] that sets the handler, and does not compile for a handler without the attribute.
///
/// # Pitfalls
///
/// - `Route::to` still takes any handler. To forbid it in the whole project, list it in `clippy.toml`:
///   `disallowed-methods = ["actix_web::Route::to"]`.
/// - The last handler of a route counts, so a later `.to(..)` replaces this one.
/// - The app does not start if the handler's policy [can't be built](crate::Policy::check), or if an option of its
///   attribute can't be used.
/// - A handler below `#[post(..)]` is registered as a service, without this method. Remove the route attribute, or
///   annotate the [module](crate::validate_twilio_request#on-a-module).
/// - Other routes beside this one are not checked. In a [`ProtectedScope`](crate::ProtectedScope), all are.
/// - This checks that the handler validates, not with which configuration. A handler whose configuration only
///   reports compiles. If that would be wrong, require a [`Proof`](crate::Proof).
///
/// # Examples
///
/// ```
/// use actix_twilio::{ProtectedRoute, twiml::MessagingResponse, validate_twilio_request};
/// use actix_web::{App, web};
///
/// #[validate_twilio_request]
/// async fn receive_message() -> MessagingResponse {
///     MessagingResponse::new()
/// }
///
/// let app = App::new().route("/message", web::post().to_validated(receive_message));
/// ```
///
/// Without the attribute, this does not compile:
///
/// ```compile_fail
/// # use actix_twilio::{ProtectedRoute, twiml::MessagingResponse};
/// # use actix_web::{App, web};
/// async fn receive_message() -> MessagingResponse {
///     MessagingResponse::new()
/// }
///
/// let app = App::new().route("/message", web::post().to_validated(receive_message));
/// ```
pub trait ProtectedRoute: Sized {
    /// Sets the handler, which must have `#[validate_twilio_request]` or take a
    /// [`Validated`](crate::Validated) as its only argument.
    #[must_use]
    fn to_validated<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static;
}

impl ProtectedRoute for Route {
    fn to_validated<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static,
    {
        checked::<Args>(self.to(handler))
    }
}

impl<T> ProtectedRoute for Resource<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    fn to_validated<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + ProtectedArguments + 'static,
        F::Output: Responder + 'static,
    {
        self.route(checked::<Args>(Route::new().to(handler)))
    }
}

/// The arguments of a protected handler: a `Validated` and nothing else, because other extractors would run before
/// the verdict.
#[diagnostic::on_unimplemented(
    message = "this handler is not protected: forged requests would reach it",
    label = "a handler that takes `{Self}` is not protected",
    note = "write `#[validate_twilio_request]` above the handler"
)]
pub trait ProtectedArguments: sealed::Sealed {}

impl<T, P: Policy> ProtectedArguments for (Validated<T, P>,) {}

/// What the attribute writes, and no user.
#[diagnostic::do_not_recommend]
impl<T, P: Policy> ProtectedArguments for (ValidatedArguments<T, P>,) {}

/// A second impl, so that the compiler does not infer that the argument of every handler is a `Validated`. Its
/// message would then be about that mismatch.
#[diagnostic::do_not_recommend]
impl ProtectedArguments for (sealed::Unnameable,) {}

mod sealed {
    use super::{ConfigError, Policy, Validated, ValidatedArguments};

    pub trait Sealed {
        /// Checks the policy of the handler.
        fn check_policy() -> Result<(), ConfigError> {
            Ok(())
        }
    }

    #[derive(Debug)]
    pub struct Unnameable;

    impl<T, P: Policy> Sealed for (Validated<T, P>,) {
        fn check_policy() -> Result<(), ConfigError> {
            P::check()
        }
    }

    impl<T, P: Policy> Sealed for (ValidatedArguments<T, P>,) {
        fn check_policy() -> Result<(), ConfigError> {
            P::check()
        }
    }

    impl Sealed for (Unnameable,) {}
}
