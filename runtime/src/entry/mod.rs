//! The ways to protect a handler: the extractor, the middleware, protected routes and scopes.

mod argument;
mod extractor;
mod middleware;
mod protected;
mod scope;
mod startup;

pub use self::{
    argument::Extractor,
    extractor::{Validated, ValidatedArguments},
    middleware::TwilioValidation,
    protected::{ProtectedArguments, ProtectedRoute},
    scope::ProtectedScope,
};
