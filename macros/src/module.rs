//! The annotated module: every route in it gets the attribute, and what can't be seen is an error.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Item, ItemFn, ItemMod, Meta, Stmt, Token, Visibility, parse_quote,
    parse_quote_spanned, punctuated::Punctuated,
};

use crate::{
    attr::{Options, is_own},
    errors::Errors,
};

/// actix-web's route attributes.
const ROUTES: [&str; 12] = [
    "connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "route",
    "routes", "trace",
];

/// Attributes of the language that make no route of a function.
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
pub(crate) fn protect(
    module: &mut ItemMod,
    args: &TokenStream,
    options: &Options,
    errors: &mut Errors,
) {
    let mut protection = Protection {
        args,
        options,
        errors,
        routes: 0,
    };
    protection.module(module);
    if protection.routes == 0 && protection.errors.is_empty() {
        errors.at(
            &module.ident,
            "there is no route in this module that could be protected",
        );
    }
}

struct Protection<'a> {
    args: &'a TokenStream,
    options: &'a Options,
    errors: &'a mut Errors,
    /// How many were seen, protected or skipped.
    routes: usize,
}

impl Protection<'_> {
    fn module(&mut self, module: &mut ItemMod) {
        let Some((_, items)) = &mut module.content else {
            self.errors.at(
                &module.ident,
                "the attribute can't see into a module in another file: write it in that file, \
                 above an inline module",
            );
            return;
        };
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &mut Item) {
        match item {
            Item::Fn(function) => {
                self.function(function);
                // A route in a function's body, which the function registers, is as open as others.
                for statement in &mut function.block.stmts {
                    if let Stmt::Item(item) = statement {
                        self.item(item);
                    }
                }
            }
            Item::Mod(inner) if inner.attrs.iter().any(is_own) => {
                // It expands by itself, with its own options.
                self.routes += 1;
            }
            Item::Mod(inner) => self.module(inner),
            Item::Macro(call) if call.mac.path.is_ident("macro_rules") => {}
            Item::Macro(call) => self.errors.at(
                &call.mac.path,
                "the attribute can't see the routes that this macro may make: move it out of \
                 the module",
            ),
            Item::Verbatim(tokens) => self.errors.at(
                tokens,
                "the attribute does not know this kind of item: move it out of the module",
            ),
            _ => {}
        }
    }

    fn function(&mut self, function: &mut ItemFn) {
        let own: Vec<_> = function.attrs.iter().filter(|attr| is_own(attr)).collect();
        if let [first, rest @ ..] = &own[..] {
            self.routes += 1;
            // Beside another one, it is told of as it expands.
            if rest.is_empty() && self.is_skip(first) {
                // The attribute's name is looked up as any other's, and its import is not unused.
                let path = first.path();
                let lookup = parse_quote!(#[allow(unused_imports)] use #path as _;);
                function.block.stmts.insert(0, lookup);
                function.attrs.retain(|attr| !is_own(attr));
            }
            return;
        }
        let attributes = metas(&function.attrs);
        if attributes.iter().any(is_route) {
            self.routes += 1;
            let args = self.args;
            let krate = &self.options.krate;
            // At the function's name, so that errors point into the module.
            let attribute = parse_quote_spanned! {function.sig.ident.span()=>
                #[#krate::validate_twilio_request(#args)]
            };
            function.attrs.push(attribute);
        } else if function.sig.asyncness.is_some() {
            let unknown = attributes.iter().find(|meta| !is_harmless(meta));
            if let Some(unknown) = unknown {
                self.errors.at(
                    unknown.path(),
                    "the attribute on the module can't tell whether this one makes a route: write \
                     `#[validate_twilio_request]` or `#[validate_twilio_request(skip)]` above the function",
                );
            } else if !matches!(function.vis, Visibility::Inherited) {
                self.errors.at(
                    &function.sig.ident,
                    "this function may be registered as a route elsewhere: write \
                     `#[validate_twilio_request]` or `#[validate_twilio_request(skip)]` above it",
                );
            }
        }
    }

    /// Returns whether our attribute says `skip`. What is wrong beside it would be told by nobody else.
    fn is_skip(&mut self, attr: &Attribute) -> bool {
        let Meta::List(list) = &attr.meta else {
            return false;
        };
        let mut errors = Errors::default();
        let options = Options::parse(list.tokens.clone(), &mut errors);
        let skip = options.skip.is_some();
        if skip {
            self.errors.append(errors);
        }
        skip
    }
}

/// Returns the attributes with those inside of `cfg_attr`, which apply at times.
fn metas(attrs: &[Attribute]) -> Vec<Meta> {
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
        // The first one is the condition.
        Ok(inner) => inner.iter().skip(1).for_each(|meta| flatten(meta, found)),
        Err(_) => found.push(meta.clone()),
    }
}

fn is_route(meta: &Meta) -> bool {
    let last = meta.path().segments.last();
    last.is_some_and(|segment| ROUTES.iter().any(|route| segment.ident == route))
}

/// Returns whether an attribute makes no route. A test has no path among its arguments, as a route has.
fn is_harmless(meta: &Meta) -> bool {
    let last = meta.path().segments.last();
    HARMLESS.iter().any(|name| meta.path().is_ident(name))
        || (matches!(meta, Meta::Path(_)) && last.is_some_and(|segment| segment.ident == "test"))
}

/// Parses an item as a module, inline or not.
pub(crate) fn parse(item: &TokenStream) -> Option<ItemMod> {
    syn::parse2(item.clone()).ok()
}
