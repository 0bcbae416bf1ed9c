//! What the attribute stands on: a handler, a module, or what it can't stand on.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{attr::Options, errors::Errors, expand::expand, handler::Handler, module};

/// Expands the attribute. Where it is used wrongly, the errors stand beside the item as it was, so that
/// editors go on working.
pub(crate) fn attribute(args: &TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(args.clone(), &mut errors);
    if let Some(skip) = &options.skip {
        let problem =
            "`skip` leaves a function of an annotated module open: it has no meaning here";
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

const WHOLE_URL_OF_MANY: &str = "with `url` the path of a request is not signed, so that one for a \
                                 route of the module would pass for every other: write `url` on a \
                                 single handler, or `public_url` here";

/// Returns an error if the item is a whole one of another kind; a function that does not parse has
/// an error of its own.
fn not_a_function(item: &TokenStream) -> Option<syn::Error> {
    let message = "`#[validate_twilio_request]` goes on an `async fn` or an inline module";
    match syn::parse2(item.clone()) {
        // syn has no type for a function without a body.
        Ok(syn::Item::Fn(_) | syn::Item::Verbatim(_)) | Err(_) => None,
        Ok(_) => {
            let keyword = keyword.parse2(item.clone()).ok()?;
            Some(syn::Error::new_spanned(keyword, message))
        }
    }
}

/// Returns the first token of an item behind its attributes and visibility.
fn keyword(input: ParseStream<'_>) -> syn::Result<Option<TokenTree>> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    Ok(input.parse::<TokenStream>()?.into_iter().next())
}
