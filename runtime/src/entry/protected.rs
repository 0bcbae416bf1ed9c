//! Routes that take protected handlers only.

use actix_web::{FromRequest, Handler, Responder, Route};

use super::extractor::Validated;
use crate::config::Policy;

/// Extends [`Route`] by a `to` that does not compile for a handler without the attribute.
///
/// # Pitfalls
///
/// - `Route::to` still takes any handler. To have it refused in the whole project, list it in `clippy.toml`:
///   `disallowed-methods = ["actix_web::Route::to"]`.
/// - The last handler of a route counts: a `.to(..)` after this one would put another in its place.
/// - A handler behind `#[post(..)]` is registered as a service and never comes here: annotate its
///   [module](crate::validate_twilio_request#on-a-module) instead.
/// - What counts is that the handler validates, not with which configuration: one whose configuration only
///   reports compiles too. Demand a [`Proof`](crate::Proof) where that would be wrong.
///
/// # Examples
///
/// ```
/// use actix_twilio::{ProtectedRoute, validate_twilio_request};
/// use actix_web::{App, Responder, web};
///
/// #[validate_twilio_request]
/// async fn message(body: String) -> impl Responder {
///     body
/// }
///
/// let app = App::new().route("/message", web::post().to_validated(message));
/// ```
///
/// ```compile_fail
/// # use actix_twilio::ProtectedRoute;
/// # use actix_web::{App, Responder, web};
/// async fn message(body: String) -> impl Responder {
///     body
/// }
///
/// let app = App::new().route("/message", web::post().to_validated(message));
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
        self.to(handler)
    }
}

/// The arguments of a protected handler: one `Validated` and nothing beside it, since extractors
/// beside it would run before the verdict.
#[diagnostic::on_unimplemented(
    message = "this handler is not protected: forged requests would reach it",
    label = "a handler that takes `{Self}` is not protected",
    note = "write `#[validate_twilio_request]` above the handler"
)]
pub trait ProtectedArguments: sealed::Sealed {}

impl<T, P: Policy> ProtectedArguments for (Validated<T, P>,) {}

/// Keeps the compiler from taking the impl above for the only one, and the argument of every
/// handler for a `Validated`: its message would be about that mismatch.
#[diagnostic::do_not_recommend]
impl ProtectedArguments for (sealed::Unnameable,) {}

mod sealed {
    use super::{Policy, Validated};

    pub trait Sealed {}

    #[derive(Debug)]
    pub struct Unnameable;

    impl<T, P: Policy> Sealed for (Validated<T, P>,) {}
    impl Sealed for (Unnameable,) {}
}
