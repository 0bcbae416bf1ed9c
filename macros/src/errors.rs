//! The errors of one expansion.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

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

    pub(crate) fn append(&mut self, others: Self) {
        if let Some(err) = others.0 {
            self.push(err);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Puts the errors beside the item that they are about.
    pub(crate) fn beside(self, item: &impl ToTokens) -> TokenStream {
        let errors = self.0.map(syn::Error::into_compile_error);
        quote!(#errors #item)
    }
}
