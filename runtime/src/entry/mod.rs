//! The ways to protect a handler: the extractor, the middleware and protected routes.

mod extractor;
mod middleware;
mod protected;
mod startup;

pub use self::{
    extractor::Validated,
    middleware::TwilioValidation,
    protected::{ProtectedArguments, ProtectedRoute},
};
