//! From the annotated function to the one that validates first.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse_quote_spanned;

use crate::{
    attr::Options,
    handler::{Argument, Handler},
};

/// Expands the attribute. Where it is used wrongly, the errors stand beside the function as it was,
/// so that editors go on working.
pub(crate) fn attribute(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(args, &mut errors);
    let mut handler = match syn::parse2::<Handler>(item.clone()) {
        Ok(handler) => handler,
        Err(err) => {
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

/// Returns an error if the item is a whole one of another kind; a function that does not parse has
/// an error of its own.
fn not_a_function(item: &TokenStream) -> Option<syn::Error> {
    let message = "`#[validate_twilio_request]` goes on an `async fn`";
    match syn::parse2(item.clone()) {
        Ok(syn::Item::Fn(_)) | Err(_) => None,
        Ok(other) => {
            let first = other.to_token_stream().into_iter().next();
            Some(syn::Error::new_spanned(first, message))
        }
    }
}

/// Puts the validating extractor in place of the handler's own.
///
/// ```text
/// // Input:
/// async fn message(web::Form(sms): web::Form<Sms>, req: HttpRequest) -> impl Responder { BODY }
///
/// // Output:
/// async fn message(validated: Validated<(web::Form<Sms>, HttpRequest,)>) -> impl Responder {
///     assert_extractor::<web::Form<Sms>>();
///     assert_extractor::<HttpRequest>();
///     let (web::Form(sms), req,) = Validated::into_inner(validated);
///     { BODY }
/// }
/// ```
///
/// The braces around the body are the macro's own: the lint `unused_braces` passes over those.
fn expand(mut handler: Handler, arguments: &[Argument], options: &Options) -> TokenStream {
    let krate = &options.krate;
    let hygienic = Span::mixed_site();
    let (mut types, mut patterns, mut lint_levels) = (Vec::new(), Vec::new(), Vec::new());
    for argument in arguments {
        types.push(&argument.ty);
        patterns.push(&argument.pat);
        lint_levels.extend(&argument.lint_levels);
    }

    let validated = syn::Ident::new("validated", hygienic);
    let input: syn::FnArg = if arguments.is_empty() {
        parse_quote_spanned!(hygienic=> _: #krate::__private::Validated<()>)
    } else {
        parse_quote_spanned!(hygienic=> #validated: #krate::__private::Validated<(#(#types,)*)>)
    };
    handler.sig.inputs = [input].into_iter().collect();

    let body = &handler.body;
    let bind = (!arguments.is_empty()).then(|| {
        quote_spanned! {hygienic=>
            #(#krate::__private::assert_extractor::<#types>();)*
            #(#lint_levels)*
            let (#(#patterns,)*) = #krate::__private::Validated::into_inner(#validated);
        }
    });
    handler.body = quote_spanned! {hygienic=>
        #bind
        { #body }
    };
    handler.into_token_stream()
}

/// All that is wrong, told at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, err: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(err),
            None => self.0 = Some(err),
        }
    }

    /// Adds an error that points at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: &str) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn beside(self, item: &impl ToTokens) -> TokenStream {
        let errors = self.0.map(syn::Error::into_compile_error);
        quote!(#errors #item)
    }
}
