//! The `#[validate_twilio_request]` attribute. Depend on `actix-twilio`, which re-exports it.

#[cfg(test)]
mod assertions;
mod attr;
mod bind;
mod dispatch;
mod errors;
mod expand;
mod handler;
mod literal;
mod module;
mod policy;

use proc_macro::TokenStream;

// Its examples are tested by `actix-twilio`, which they need.
#[doc = include_str!("attribute.md")]
#[proc_macro_attribute]
pub fn validate_twilio_request(args: TokenStream, item: TokenStream) -> TokenStream {
    dispatch::attribute(&args.into(), &item.into()).into()
}
