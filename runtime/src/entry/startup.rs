//! Keeps an app from starting if the policy of a route can't be built.

use std::future::{Ready, ready};

use actix_web::{
    Error, Route,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use super::protected::ProtectedArguments;
use crate::{config::Policy, error::ConfigError, report};

/// Returns the route, or one that keeps the app from starting if the policy of its handler can't be built.
pub(super) fn checked<Args: ProtectedArguments>(route: Route) -> Route {
    match Args::check_policy() {
        Ok(()) => route,
        Err(err) => {
            report::refused_start(&err);
            route.wrap(NoStart)
        }
    }
}

/// Checks a policy as the initialization of a middleware does, whose error keeps the app from starting.
pub(super) fn check<P: Policy>() -> Result<(), ()> {
    P::check().map_err(|err: ConfigError| report::refused_start(&err))
}

/// A middleware that can't be initialized.
struct NoStart;

impl<S> Transform<S, ServiceRequest> for NoStart
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = S;
    type InitError = ();
    type Future = Ready<Result<S, ()>>;

    fn new_transform(&self, _: S) -> Self::Future {
        ready(Err(()))
    }
}
