//! Determines which attributes make a function a route.

use syn::{Attribute, Meta, Token, ext::IdentExt, punctuated::Punctuated};

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

/// Returns the attributes, including those in a `cfg_attr`, whether or not they apply.
pub(super) fn metas(attrs: &[Attribute]) -> Vec<Meta> {
    let mut found = Vec::new();
    for attr in attrs {
        flatten(&attr.meta, &mut found);
    }
    found
}

fn flatten(meta: &Meta, found: &mut Vec<Meta>) {
    let inner = match meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        }
        _ => {
            found.push(meta.clone());
            return;
        }
    };
    match inner {
        // The first element is the condition.
        Ok(inner) => inner.iter().skip(1).for_each(|meta| flatten(meta, found)),
        Err(_) => found.push(meta.clone()),
    }
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
