//! Options of a module as they read in a module inside of it.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

/// Returns options as they read one module deeper: their values that start with `self` or `super` get one
/// `super` more.
pub(super) fn one_module_deeper(args: &TokenStream) -> TokenStream {
    let mut after_equals = false;
    args.clone()
        .into_iter()
        .flat_map(|token| {
            let tokens = match &token {
                TokenTree::Ident(ident) if after_equals && ident == "self" => {
                    quote_spanned!(ident.span()=> super)
                }
                TokenTree::Ident(ident) if after_equals && ident == "super" => {
                    quote_spanned!(ident.span()=> super::super)
                }
                token => token.to_token_stream(),
            };
            after_equals = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '=');
            tokens
        })
        .collect()
}
