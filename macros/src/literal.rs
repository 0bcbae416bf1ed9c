//! Checks literals at compile time, so that errors point at the literal. The runtime checks the same
//! values again when it builds the configuration.

use syn::LitStr;

/// Checks a URL to which the request's path and query are appended.
pub(crate) fn base_url(lit: LitStr) -> syn::Result<LitStr> {
    url(&lit)?;
    if lit.value().ends_with("//") {
        return Err(syn::Error::new_spanned(
            lit,
            "the URL ends with more than one slash: remove them",
        ));
    }
    Ok(lit)
}

/// Checks a URL to which only the request's query is appended.
pub(crate) fn whole_url(lit: LitStr) -> syn::Result<LitStr> {
    url(&lit)?;
    Ok(lit)
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

fn url(lit: &LitStr) -> syn::Result<()> {
    let text = lit.value();
    let problem = match text.split_once("://") {
        None => Some("the URL has no scheme: write a full URL, such as `https://example.com`"),
        Some((scheme, _)) if !is_scheme(scheme) => {
            Some("the URL's scheme is not supported: write `https`, `http`, `wss`, or `ws`")
        }
        Some((_, rest)) if !rest.bytes().all(|byte| byte.is_ascii_graphic()) => Some(
            "the URL contains a space or a non-ASCII character: percent-encode it, or, in a host, use Punycode",
        ),
        Some((_, rest)) if rest.contains(['?', '#']) => Some(
            "the URL has a query or a fragment: remove it, since each request brings its own query",
        ),
        Some((_, rest)) => {
            let authority = rest.split('/').next().unwrap_or_default();
            if authority.contains('@') {
                Some("the URL contains a user name or a password: remove it")
            } else if is_authority(authority) {
                None
            } else {
                Some(
                    "the URL's host or port is not valid: write them as in `https://example.com:8443`",
                )
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
