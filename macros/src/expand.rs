//! Generates the function that validates each request before it runs the handler's body.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, parse_quote_spanned};

use crate::{
    attr::{Options, Override, PolicyOption},
    handler::{Argument, Handler},
};

/// Replaces the handler's extractors with one that validates the request first.
///
/// ```text
/// // Input:
/// async fn receive_message(
///     web::Form(sms): web::Form<Sms>,
///     #[allow(unused)] req: HttpRequest,
/// ) -> impl Responder { BODY }
///
/// // Output:
/// async fn receive_message(
///     validated: Validated<(web::Form<Sms>, HttpRequest,)>,
/// ) -> impl Responder {
///     assert_extractor::<web::Form<Sms>>();
///     assert_extractor::<HttpRequest>();
///     let inner = Validated::into_inner(validated);
///     let (web::Form(sms), argument_2,) = inner;
///     #[allow(unused)] let req = argument_2;
///     { BODY }
/// }
/// ```
///
/// Values that no pattern binds stay in `inner` until the body ends, as they would stay in the
/// argument: a guard behind `_` is held. One `let` binds all patterns, so that a name that is bound
/// twice is an error. An argument with lint attributes gets its own `let`, because an `#[expect]` must
/// be fulfilled by the argument that it is on. The lint `unused_braces` ignores the braces around the
/// body, because the macro generated them.
pub(crate) fn expand(
    mut handler: Handler,
    arguments: &[Argument],
    options: &Options,
) -> TokenStream {
    let krate = &options.krate;
    let hygienic = Span::mixed_site();
    let validated = format_ident!("validated", span = hygienic);
    let inner = format_ident!("inner", span = hygienic);
    let (mut types, mut asserted, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
    let mut own_lets = TokenStream::new();
    for argument in arguments {
        let Argument {
            pat,
            ty,
            lint_levels,
        } = argument;
        types.push(ty);
        if !handler.is_generic(ty) {
            asserted.push(ty);
        }
        if lint_levels.is_empty() {
            patterns.push(pat.to_token_stream());
        } else {
            let whole = format_ident!("argument_{}", types.len(), span = hygienic);
            patterns.push(whole.to_token_stream());
            own_lets.extend(quote_spanned!(hygienic=> #(#lint_levels)* let #pat = #whole;));
        }
    }

    let (policy, hidden_type) = match &options.policy {
        PolicyOption::App => (None, None),
        PolicyOption::Type(path) => (Some(quote!(, #path)), None),
        PolicyOption::Overrides(overrides) => {
            let name = format_ident!("__twilio_policy_of_{}", handler.sig.ident, span = hygienic);
            let hidden_type = hidden_policy(&name, &handler, overrides, options);
            (Some(quote!(, #name)), Some(hidden_type))
        }
    };
    let input: syn::FnArg = if arguments.is_empty() {
        parse_quote_spanned!(hygienic=> _: #krate::__private::Validated<() #policy>)
    } else {
        parse_quote_spanned! {hygienic=>
            #validated: #krate::__private::Validated<(#(#types,)*) #policy>
        }
    };
    handler.sig.inputs = [input].into_iter().collect();

    let body = &handler.body;
    let assert_policy = match &options.policy {
        PolicyOption::Type(path) => {
            Some(quote_spanned!(hygienic=> #krate::__private::assert_policy::<#path>();))
        }
        PolicyOption::App | PolicyOption::Overrides(_) => None,
    };
    let bind = (!arguments.is_empty()).then(|| {
        // The compiler points at this span if a pattern is refutable.
        let mut tuple = Group::new(Delimiter::Parenthesis, quote!(#(#patterns,)*));
        tuple.set_span(handler.sig.paren_token.span.join());
        quote_spanned! {hygienic=>
            #(#krate::__private::assert_extractor::<#asserted>();)*
            let #inner = #krate::__private::Validated::into_inner(#validated);
            let #tuple = #inner;
            #own_lets
        }
    });
    handler.body = quote_spanned! {hygienic=>
        #assert_policy
        #bind
        { #body }
    };
    quote!(#hidden_type #handler)
}

/// Generates the policy type of a handler whose options override settings of the app.
fn hidden_policy(
    name: &Ident,
    handler: &Handler,
    overrides: &[Override],
    options: &Options,
) -> TokenStream {
    let krate = &options.krate;
    let vis = &handler.vis;
    let cfgs: Vec<_> = handler
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect();
    let setters = overrides
        .iter()
        .map(|Override { name, value }| quote!(.#name(#value)));
    quote_spanned! {Span::mixed_site()=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(missing_debug_implementations, non_camel_case_types, unreachable_pub)]
        #vis enum #name {}

        #(#cfgs)*
        impl #krate::__private::Policy for #name {
            fn config(
                req: &#krate::__private::HttpRequest,
            ) -> ::core::result::Result<
                #krate::__private::TwilioConfig,
                #krate::__private::ConfigError,
            > {
                static OPTIONS: #krate::__private::RouteOptions =
                    #krate::__private::RouteOptions::new() #(#setters)*;
                #krate::__private::RouteOptions::config(&OPTIONS, req)
            }
        }
    }
}
