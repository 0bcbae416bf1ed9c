//! Expands the attribute on a handler or on a module, and refuses everything else.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{attr::Options, errors::Errors, expand::expand, handler::Handler, module};

/// Expands the attribute. If it is used incorrectly, emits the errors and the unchanged item, so that
/// editors keep working.
pub(crate) fn attribute(args: &TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(args.clone(), &mut errors);
    if let Some(skip) = &options.skip {
        let problem = "`skip` is only allowed on a function in an annotated module: remove it";
        errors.at(skip, problem);
    }
    let mut handler = match syn::parse2::<Handler>(item.clone()) {
        Ok(handler) => handler,
        Err(err) => {
            if let Some(mut module) = module::parse(item) {
                if let Some(url) = options.whole_url() {
                    errors.at(url, WHOLE_URL_OF_MANY);
                }
                module::protect(&mut module, &options, &mut errors);
                return errors.beside(&module);
            }
            errors.push(not_a_function(item).unwrap_or(err));
            return errors.beside(item);
        }
    };
    let arguments = handler.check(&mut errors);
    if errors.is_empty() {
        expand(handler, &arguments, &options)
    } else {
        errors.beside(&handler)
    }
}

const WHOLE_URL_OF_MANY: &str = "`url` is not allowed on a module, because a request signed for one \
                                 of its routes would be accepted on all of them: write `url` on \
                                 each handler, or `public_url` on the module";

/// Returns an error if the item is valid but of another kind. For a function that does not parse,
/// the parser's own error is better.
fn not_a_function(item: &TokenStream) -> Option<syn::Error> {
    let message = "`#[validate_twilio_request]` is not supported here: put it on an `async fn` or an inline module";
    match syn::parse2(item.clone()) {
        // syn has no type for a function without a body.
        Ok(syn::Item::Fn(_) | syn::Item::Verbatim(_)) | Err(_) => None,
        Ok(_) => {
            let keyword = keyword.parse2(item.clone()).ok()?;
            Some(syn::Error::new_spanned(keyword, message))
        }
    }
}

/// Returns the first token of an item after its attributes and visibility.
fn keyword(input: ParseStream<'_>) -> syn::Result<Option<TokenTree>> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    Ok(input.parse::<TokenStream>()?.into_iter().next())
}
