//! The grammar of the attribute's options.

use proc_macro2::TokenStream;
use syn::{
    Meta, Path, Token, parse::Parser, parse_quote, punctuated::Punctuated, spanned::Spanned,
};

use crate::expand::Errors;

/// What stands in the parentheses of `#[validate_twilio_request(..)]`.
pub(crate) struct Options {
    /// The path of the `actix-twilio` crate.
    pub(crate) krate: Path,
}

impl Options {
    /// Parses the options, and takes the default for those that are wrong.
    pub(crate) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let mut krate = None;
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated
            .parse2(args)
            .unwrap_or_else(|err| {
                let problem = format!("{err}: the only option is `crate = path`");
                errors.push(syn::Error::new(err.span(), problem));
                Punctuated::new()
            });
        for meta in metas {
            if !meta.path().is_ident("crate") {
                errors.at(meta.path(), "unknown option, expected `crate = path`");
                continue;
            }
            match path_value(&meta) {
                Ok(_) if krate.is_some() => errors.at(meta.path(), "duplicate option `crate`"),
                Ok(path) => krate = Some(path),
                Err(err) => errors.push(err),
            }
        }
        Self {
            krate: krate.unwrap_or_else(|| parse_quote!(::actix_twilio)),
        }
    }
}

fn path_value(meta: &Meta) -> syn::Result<Path> {
    const EXPECTED: &str = "expected a path: `crate = path::to::actix_twilio`";
    let Meta::NameValue(pair) = meta else {
        return Err(syn::Error::new(meta.span(), EXPECTED));
    };
    let mut value = &pair.value;
    // What a macro by example has matched as a path stands in an invisible group.
    while let syn::Expr::Group(group) = value {
        value = &group.expr;
    }
    match value {
        syn::Expr::Path(value) if value.attrs.is_empty() && value.qself.is_none() => {
            Ok(value.path.clone())
        }
        value => Err(syn::Error::new_spanned(value, EXPECTED)),
    }
}
