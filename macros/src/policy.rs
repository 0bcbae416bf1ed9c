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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;

    /// Returns the text that a written type has.
    fn decode(ty: &str) -> String {
        let numbers = ty.split(|c: char| !c.is_ascii_digit());
        let numbers = numbers.filter_map(|number| number.parse::<u128>().ok());
        let bytes = numbers.flat_map(u128::to_be_bytes);
        String::from_utf8(bytes.filter(|byte| *byte != 0).collect()).unwrap()
    }

    #[test]
    fn options_of_any_length_are_written_as_types() {
        for length in [1, 15, 16, 17, 63, 64, 65, 200, 5000] {
            let name = "TOKEN\u{e9}"
                .chars()
                .cycle()
                .take(length)
                .collect::<String>();
            let mut errors = Errors::default();
            let args = format!("auth_token_env = {name:?}").parse().unwrap();
            let options = Options::parse(args, &mut errors);
            let written = policy(&options).unwrap().to_string().replace(' ', "");
            assert!(errors.is_empty(), "{length}");
            assert!(written.contains("RouteOptions<(),(),::actix"), "{written}");
            assert_eq!(decode(&written), name, "{length}");
            let texts = written.matches("Text<").count();
            assert_eq!(texts, name.len().div_ceil(BYTES), "{length}");
        }
    }
}
