//! Checks of literals. The runtime checks the same when it builds the configuration; here the compiler
//! points at the literal.

use syn::LitStr;

/// Checks a URL that requests' paths are appended to.
pub(crate) fn base_url(lit: LitStr) -> syn::Result<LitStr> {
    url(&lit)?;
    if lit.value().ends_with("//") {
        return Err(syn::Error::new_spanned(
            lit,
            "the path ends with several slashes",
        ));
    }
    Ok(lit)
}

/// Checks a URL that requests' queries are appended to.
pub(crate) fn whole_url(lit: LitStr) -> syn::Result<LitStr> {
    url(&lit)?;
    Ok(lit)
}

/// Checks the name of an environment variable.
pub(crate) fn variable(lit: LitStr) -> syn::Result<LitStr> {
    let name = lit.value();
    if name.is_empty() || name.contains(['=', '\0']) || name.trim() != name {
        let problem = "this can't be the name of an environment variable";
        return Err(syn::Error::new_spanned(lit, problem));
    }
    Ok(lit)
}

fn url(lit: &LitStr) -> syn::Result<()> {
    let text = lit.value();
    let problem = match text.split_once("://") {
        None => Some("the URL is relative: write it from its scheme on, as `https://..`"),
        Some((scheme, _)) if !is_scheme(scheme) => {
            Some("the URL's scheme is none of https, http, wss and ws")
        }
        Some((_, rest)) if !rest.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some("the URL has blanks or characters that are not ASCII")
        }
        Some((_, rest)) if rest.contains(['?', '#']) => {
            Some("the URL has a query or a fragment: those come with each request")
        }
        Some((_, rest)) => {
            let authority = rest.split('/').next().unwrap_or_default();
            if authority.contains('@') {
                Some("the URL has user info")
            } else if is_authority(authority) {
                None
            } else {
                Some("the URL's host or port is malformed")
            }
        }
    };
    match problem {
        Some(problem) => Err(syn::Error::new_spanned(lit, problem)),
        None => Ok(()),
    }
}

fn is_scheme(scheme: &str) -> bool {
    ["https", "http", "wss", "ws"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let host_is_valid = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(address) => {
            address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
        }
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        }
    };
    let port_is_valid = port.is_none_or(|port| {
        port.parse::<u16>()
            .is_ok_and(|number| number.to_string() == port)
    });
    host_is_valid && port_is_valid
}
