//! The annotated module: every route in it gets the attribute, and what can't be seen is an error.

mod attributes;
mod macros;
mod nested;
mod protection;
mod registrations;
mod unprotected;

use proc_macro2::TokenStream;
use syn::ItemMod;

use crate::{attr::Options, errors::Errors};

/// Parses an item as a module, inline or not.
pub(crate) fn parse(item: &TokenStream) -> Option<ItemMod> {
    syn::parse2(item.clone()).ok()
}

/// Adds the attribute, with the module's own options, to each route in a module.
///
/// ```text
/// // Input:
/// mod webhooks {
///     #[post("/message")]
///     async fn message(sms: web::Form<Sms>) -> impl Responder { .. }
///
///     #[get("/health")]
///     #[validate_twilio_request(skip)]
///     async fn health() -> impl Responder { .. }
/// }
///
/// // Output:
/// mod webhooks {
///     #[post("/message")]
///     #[validate_twilio_request(OPTIONS)]
///     async fn message(sms: web::Form<Sms>) -> impl Responder { .. }
///
///     #[get("/health")]
///     async fn health() -> impl Responder {
///         #[allow(unused_imports)]
///         use validate_twilio_request as _;
///         ..
///     }
/// }
/// ```
pub(crate) fn protect(module: &mut ItemMod, options: &Options, errors: &mut Errors) {
    let (routes, unprotected) = protection::add(module, options, errors);
    if routes == 0 && errors.is_empty() {
        errors.at(
            &module.ident,
            "there is no route in this module that could be protected",
        );
    }
    registrations::check(module, &unprotected, errors);
}
