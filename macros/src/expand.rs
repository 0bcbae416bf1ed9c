//! Generates the function that validates each request before it runs the handler's body.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Path, ReturnType,
    parse::{ParseStream, Parser},
    parse_quote_spanned,
};

use crate::{
    attr::{OnceOption, Options, PolicyOption},
    bind::{Bindings, bind},
    handler::{Argument, Handler},
    policy::policy,
};

/// Replaces the handler's extractors with one that validates the request first.
///
/// ```text
/// // Input:
/// async fn receive_message(
///     sms: Sms,
///     web::Path(tenant): web::Path<String>,
/// ) -> impl Responder { BODY }
///
/// // Output:
/// async fn receive_message(arguments: ValidatedArguments<(Sms, web::Path<String>,)>) -> impl Responder {
///     assert_extractor::<Sms>();
///     let (sms, argument_2,) = arguments.into_inner();
///     let web::Path(tenant) = argument_2;
///     { BODY }
/// }
/// ```
///
/// The body stays in the user's own braces, so that the compiler points there if the last expression is missing, and
/// reports an error of half-typed code once.
pub(crate) fn expand(
    mut handler: Handler,
    arguments: &[Argument],
    options: &Options,
) -> TokenStream {
    let krate = &options.krate;
    let hygienic = Span::mixed_site();
    let policy = policy(options).map(|policy| quote_spanned!(hygienic=> , #policy));
    let Bindings { patterns, lets } = bind(arguments);
    let (extracted, patterns) = match (arguments, &patterns[..]) {
        // A tuple would be one more future to move the argument through.
        ([Argument { ty, .. }], [pattern]) => (ty.to_token_stream(), pattern.clone()),
        _ => {
            let types = arguments.iter().map(|argument| &argument.ty);
            (
                quote_spanned!(hygienic=> (#(#types,)*)),
                quote_spanned!(hygienic=> (#(#patterns,)*)),
            )
        }
    };
    let extracted = match &options.once {
        None => extracted,
        Some(OnceOption::Verified) => {
            quote_spanned!(hygienic=> #krate::__private::Guarded<#extracted>)
        }
        Some(OnceOption::Type(key)) => {
            quote_spanned!(hygienic=> #krate::__private::Guarded<#extracted, #key>)
        }
    };
    let name = if arguments.is_empty() && options.once.is_none() {
        quote_spanned!(hygienic=> _)
    } else {
        quote_spanned!(hygienic=> arguments)
    };
    let input: syn::FnArg = parse_quote_spanned! {hygienic=>
        #name: #krate::__private::ValidatedArguments<#extracted #policy>
    };
    let bind = match &options.once {
        None if arguments.is_empty() => None,
        None => Some(quote_spanned!(hygienic=> let #patterns = arguments.into_inner();)),
        Some(_) => Some(quote_spanned! {hygienic=>
            let #krate::__private::Guarded { inner: #patterns, settling, .. } = arguments.into_inner();
        }),
    };
    let asserted = arguments.iter().map(|argument| &argument.ty);
    let asserted = asserted.filter(|ty| handler.is_concrete(ty));
    let assertions = quote_spanned! {hygienic=>
        #(#krate::__private::assert_extractor::<#asserted>();)*
    };
    let assert_policy = match &options.policy {
        PolicyOption::Type(path) => {
            Some(quote_spanned!(hygienic=> #krate::__private::assert_policy::<#path>();))
        }
        PolicyOption::App | PolicyOption::Overrides(_) => None,
    };
    let (inner_attrs, block) = split(handler.body.clone());
    let run = if options.once.is_some() {
        settle(&mut handler.sig.output, &lets, &block, krate)
    } else {
        quote_spanned!(hygienic=> #lets #block)
    };
    let mut body = Group::new(
        Delimiter::Brace,
        quote_spanned!(hygienic=> #(#inner_attrs)* #assert_policy #assertions #bind #run),
    );
    // In the edition of this crate, temporary values of the last expression are dropped before the arguments. So are
    // those of a plain `async fn` in every edition.
    body.set_span(hygienic.located_at(handler.body.span()));
    handler.sig.inputs = [input].into_iter().collect();
    handler.body = body;
    quote!(#handler)
}

/// Wraps what a body returns, so that its answer is stored before it is sent. For a duplicate, no line of it runs,
/// because the extractor `Guarded` gives the stored answer.
///
/// ```text
/// // Output:
/// -> Answer<impl Responder> {
///     settle(settling, async move { let ..; { BODY } }).await
/// }
/// ```
fn settle(output: &mut ReturnType, lets: &TokenStream, block: &Group, krate: &Path) -> TokenStream {
    let hygienic = Span::mixed_site();
    let answer = match output {
        ReturnType::Default => quote_spanned!(hygienic=> ()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    *output = parse_quote_spanned!(hygienic=> -> #krate::__private::Answer<#answer>);
    quote_spanned! {hygienic=>
        #krate::__private::settle(settling, async move { #lets #block }).await
    }
}

/// Returns the inner attributes of a body, which must stand first in the function, and the body without them.
fn split(body: Group) -> (Vec<Attribute>, Group) {
    let parse = |content: ParseStream<'_>| {
        let attrs = content.call(Attribute::parse_inner)?;
        Ok((attrs, content.parse()?))
    };
    match parse.parse2(body.stream()) {
        Ok((attrs, content)) if !attrs.is_empty() || is_on_one_line(&body) => {
            let mut block = Group::new(Delimiter::Brace, content);
            block.set_span(Span::mixed_site().located_at(body.span()));
            (attrs, block)
        }
        _ => (Vec::new(), body),
    }
}

/// Returns whether a body is on one line. The lint `unused_braces` would then see the user's own braces in a place
/// where they are not needed.
fn is_on_one_line(body: &Group) -> bool {
    // There are no lines in unit tests.
    proc_macro::is_available()
        && body.span_open().unwrap().line() == body.span_close().unwrap().line()
}
