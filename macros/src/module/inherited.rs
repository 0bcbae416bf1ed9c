//! Adds a module's options to the attributes inside it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Ident, MacroDelimiter, Meta, MetaList, Token, ext::IdentExt, parse::Parser,
    punctuated::Punctuated, token::Paren,
};

use crate::{
    attr::{Options, excludes, is_own},
    errors::Errors,
};

type Metas = Punctuated<Meta, Token![,]>;

/// Adds the options of a module to those of the attribute of an item inside it, which win by name. If the item has
/// several, the first of them reports the others when it expands.
///
/// ```text
/// // Input, in a module with the options `once, public_url = "https://a", auth_token_env = "A"`:
/// #[validate_twilio_request(auth_token_env = "B", url = "https://b")]
///
/// // Output:
/// #[validate_twilio_request(auth_token_env = "B", url = "https://b", once)]
/// ```
///
/// Options that one attribute can't have together are refused, because one of them would be lost. Only `url` takes the
/// place of `public_url`: both say which URL Twilio requests.
pub(super) fn inherit(attrs: &mut [Attribute], module: &Options, errors: &mut Errors) {
    let Some(attr) = attrs.iter_mut().find(|attr| is_own(attr)) else {
        return;
    };
    let own = match &attr.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(_) => return,
    };
    // What does not parse is reported when the attribute expands.
    let Ok(own) = Metas::parse_terminated.parse2(own) else {
        return;
    };
    let tokens = merge(&own, module, errors).to_token_stream();
    match &mut attr.meta {
        Meta::List(list) => list.tokens = tokens,
        meta => {
            *meta = Meta::List(MetaList {
                path: meta.path().clone(),
                delimiter: MacroDelimiter::Paren(Paren::default()),
                tokens,
            });
        }
    }
}

fn merge(own: &Metas, module: &Options, errors: &mut Errors) -> Metas {
    let mut merged = own.clone();
    let own: Vec<_> = own.iter().filter_map(name).collect();
    if own.iter().any(|(name, _)| name == "skip") {
        return merged;
    }
    let options = Metas::parse_terminated.parse2(quote!(#module));
    let options = options.unwrap_or_else(|err| {
        errors.push(err);
        Metas::new()
    });
    for option in options {
        let Some((added, _)) = name(&option) else {
            continue;
        };
        let is_replaced = |name: &str| name == added || (sets_url(name) && sets_url(&added));
        if own.iter().any(|(name, _)| is_replaced(name)) {
            continue;
        }
        let mut excluded = own
            .iter()
            .filter(|(name, _)| excludes(name, &added) || excludes(&added, name))
            .peekable();
        if excluded.peek().is_none() {
            merged.push(option);
            continue;
        }
        for (name, token) in excluded {
            let problem = format!(
                "`{name}` can't be combined with the `{added}` of the module, which applies here too: remove one of \
                 the two, or move this out of the module"
            );
            errors.at(token, &problem);
        }
    }
    merged
}

fn name(option: &Meta) -> Option<(String, &Ident)> {
    let name = option.path().get_ident()?;
    Some((name.unraw().to_string(), name))
}

fn sets_url(name: &str) -> bool {
    ["public_url", "url"].contains(&name)
}
