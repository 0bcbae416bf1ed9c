//! Expands the attribute on a module: protects each route in it, and refuses what may hide a route.

mod attributes;
mod inherited;
mod macros;
mod nested;
mod protection;
mod registrations;
#[cfg(test)]
mod tests;
mod unprotected;
mod values;

use proc_macro2::TokenStream;
use syn::{ItemConst, ItemMod};

use crate::{attr::Options, errors::Errors};

/// Returns whether this is the attribute that [`protect`] leaves in place of one with `skip`.
pub(crate) fn is_used_name(args: &TokenStream, item: &TokenStream) -> bool {
    args.to_string() == protection::USED
        && syn::parse2::<ItemConst>(item.clone()).is_ok_and(|item| item.ident == "_")
}

/// Parses an item as a module, whether it is inline or in another file.
pub(crate) fn parse(item: &TokenStream) -> Option<ItemMod> {
    syn::parse2(item.clone()).ok()
}

/// Adds the attribute, with the module's options, to each route in a module. Where the attribute is already, adds the
/// options only.
///
/// ```text
/// // Input:
/// mod webhooks {
///     #[post("/message")]
///     async fn receive_message(sms: web::Form<Sms>) -> impl Responder { .. }
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
///     async fn receive_message(sms: web::Form<Sms>) -> impl Responder { .. }
///
///     #[get("/health")]
///     async fn health() -> impl Responder {
///         #[validate_twilio_request(__used)] // removed when it expands
///         const _: () = ();
///         ..
///     }
/// }
/// ```
pub(crate) fn protect(module: &mut ItemMod, options: &Options, errors: &mut Errors) {
    let (routes, unprotected) = protection::protect_routes(module, options, errors);
    if routes == 0 && errors.is_empty() {
        errors.at(
            &module.ident,
            "this module contains no route to protect: add one, such as an `async fn` with `#[post(\"/path\")]`, or remove the attribute",
        );
    }
    registrations::check(module, &unprotected, errors);
}
