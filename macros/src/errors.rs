//! Collects the errors of one expansion, so that the compiler reports all of them at once.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The errors that were found so far.
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

    /// Returns the errors followed by the item that they are about, so that editors still know the item.
    pub(crate) fn beside(self, item: &impl ToTokens) -> TokenStream {
        let errors = self.0.map(syn::Error::into_compile_error);
        quote!(#errors #item)
    }
}

#[cfg(test)]
impl Errors {
    pub(crate) fn messages(self) -> Vec<String> {
        let errors = self.0.into_iter().flatten();
        errors.map(|err| err.to_string()).collect()
    }
}
