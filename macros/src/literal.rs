//! Checks literals at compile time, so that errors point at the literal. The runtime checks URLs with the same
//! code when it builds the configuration.

use syn::LitStr;
use twilio_signature::{ConfigError, url::PublicUrl};

/// Checks a URL to which the request's path and query are appended.
pub(crate) fn base_url(lit: LitStr) -> syn::Result<LitStr> {
    url(lit, PublicUrl::parse_base)
}

/// Checks a URL to which only the request's query is appended.
pub(crate) fn whole_url(lit: LitStr) -> syn::Result<LitStr> {
    url(lit, PublicUrl::parse_whole)
}

/// Checks the name of an environment variable.
pub(crate) fn variable(lit: LitStr) -> syn::Result<LitStr> {
    let name = lit.value();
    if name.is_empty() || name.contains(['=', '\0']) || name.trim() != name {
        let problem = "this is not a valid name of an environment variable: write a name such as `TWILIO_AUTH_TOKEN`";
        return Err(syn::Error::new_spanned(lit, problem));
    }
    Ok(lit)
}

fn url(lit: LitStr, parse: fn(&str) -> Result<PublicUrl, ConfigError>) -> syn::Result<LitStr> {
    match parse(&lit.value()) {
        Ok(_) => Ok(lit),
        Err(err) => {
            let problem = format!("this URL is not valid: {}; {}", err.problem(), err.fix());
            Err(syn::Error::new_spanned(lit, problem))
        }
    }
}
