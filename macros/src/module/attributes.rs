//! Determines which attributes make a function a route.

use proc_macro2::TokenTree;
use syn::{Attribute, Meta, Token, ext::IdentExt, parse::ParseStream, punctuated::Punctuated};

/// actix-web's route attributes.
const ROUTES: [&str; 12] = [
    "connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "route",
    "routes", "trace",
];

/// Attributes of the language, which never make a function a route.
const HARMLESS: [&str; 13] = [
    "allow",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "no_mangle",
    "track_caller",
    "warn",
];

/// Returns the attributes, including those in a `cfg_attr`, whether or not they apply. A `cfg_attr` that can't be read stays
/// as it is.
pub(super) fn metas<'a>(attrs: impl IntoIterator<Item = &'a Attribute>) -> Vec<Meta> {
    let mut found = Vec::new();
    for attr in attrs {
        flatten(&attr.meta, &mut found);
    }
    found
}

fn flatten(meta: &Meta, found: &mut Vec<Meta>) {
    let inner = match meta {
        Meta::List(list) if is_cfg_attr(meta) => list.parse_args_with(conditional).ok(),
        _ => None,
    };
    match inner {
        Some(inner) => inner.iter().for_each(|meta| flatten(meta, found)),
        None => found.push(meta.clone()),
    }
}

/// Parses the arguments of a `cfg_attr`: a condition, which may be a literal, and attributes.
fn conditional(input: ParseStream<'_>) -> syn::Result<Punctuated<Meta, Token![,]>> {
    while !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Token![,]>()?;
    Punctuated::parse_terminated(input)
}

/// Returns whether this is a `cfg_attr`. [`metas`] returns one only if it can't be read.
pub(super) fn is_cfg_attr(meta: &Meta) -> bool {
    let name = meta.path().get_ident();
    name.is_some_and(|name| name.unraw() == "cfg_attr")
}

/// Returns whether this is a route attribute of actix-web.
pub(super) fn is_route(meta: &Meta) -> bool {
    let last = meta.path().segments.last();
    last.is_some_and(|segment| ROUTES.contains(&&*segment.ident.unraw().to_string()))
}

/// Returns whether an attribute certainly makes no route. `#[test]` and `#[actix_web::test]` have no
/// arguments; a route attribute has at least a path.
pub(super) fn is_harmless(meta: &Meta) -> bool {
    let last = meta.path().segments.last();
    HARMLESS.iter().any(|name| meta.path().is_ident(name))
        || (matches!(meta, Meta::Path(_)) && last.is_some_and(|segment| segment.ident == "test"))
}
