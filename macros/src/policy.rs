//! Writes the options of an attribute as a type, which can stand where no item can: in the handler's argument.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::Path;

use crate::attr::{OVERRIDES, Options, Override, PolicyOption};

/// The number of bytes in a `Text`.
const BYTES: usize = 64;

/// Returns the policy of a handler with these options, or `None` for the default policy.
///
/// ```text
/// // Input:
/// auth_token_env = "TOKEN"
///
/// // Output:
/// RouteOptions<(), (), Text<0x544F4B454E.., 0, 0, 0, ()>>
/// ```
pub(crate) fn policy(options: &Options) -> Option<TokenStream> {
    let krate = &options.krate;
    match &options.policy {
        PolicyOption::App => None,
        PolicyOption::Type(path) => Some(quote_spanned!(Span::mixed_site()=> #path)),
        PolicyOption::Overrides(overrides) => {
            let values = OVERRIDES.map(|(name, ..)| value(name, overrides, krate));
            Some(quote_spanned! {Span::mixed_site()=>
                #krate::__private::RouteOptions<#(#values),*>
            })
        }
    }
}

/// Returns the value of an option as a type: `()` if it is not set.
fn value(name: &str, overrides: &[Override], krate: &Path) -> TokenStream {
    let option = overrides.iter().find(|option| option.name == name);
    let text = option.map(|option| option.value.value());
    let end = quote_spanned!(Span::mixed_site()=> ());
    let text = text.unwrap_or_default().into_bytes();
    text.chunks(BYTES).rev().fold(end, |rest, chunk| {
        let mut padded = [0; BYTES];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        let (parts, _) = padded.as_chunks::<16>();
        let parts = parts.iter().map(|part| {
            let mut number = Literal::u128_unsuffixed(u128::from_be_bytes(*part));
            number.set_span(Span::mixed_site());
            number
        });
        quote_spanned!(Span::mixed_site()=> #krate::__private::Text<#(#parts,)* #rest>)
    })
}
