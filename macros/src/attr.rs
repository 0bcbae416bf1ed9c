//! The grammar of the attribute's options.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token, ext::IdentExt,
    parse::Parser, parse_quote, punctuated::Punctuated,
};

use crate::{errors::Errors, literal};

/// The name that the attribute is recognized by.
const ATTRIBUTE: &str = "validate_twilio_request";

/// Returns whether this is our own attribute.
pub(crate) fn is_own(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|segment| segment.ident == ATTRIBUTE)
}

/// What stands in the parentheses of `#[validate_twilio_request(..)]`.
pub(crate) struct Options {
    /// The path of the `actix-twilio` crate.
    pub(crate) krate: Path,
    /// Where the configuration comes from.
    pub(crate) policy: PolicyOption,
    /// The word `skip`, which leaves a function of an annotated module open.
    pub(crate) skip: Option<Path>,
}

/// Where the configuration of a handler comes from.
pub(crate) enum PolicyOption {
    /// From the app.
    App,
    /// From the user's own policy.
    Type(Path),
    /// From the app, but for these.
    Overrides(Overrides),
}

/// The options that take the place of the app's.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) public_url: Option<LitStr>,
    pub(crate) url: Option<LitStr>,
    pub(crate) auth_token_env: Option<LitStr>,
}

impl Options {
    /// Parses the options, and takes the default for those that are wrong.
    pub(crate) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated
            .parse2(args)
            .unwrap_or_else(|err| {
                let problem = format!("{err}: an option is written as `name = value`");
                errors.push(syn::Error::new(err.span(), problem));
                Punctuated::new()
            });
        let (mut krate, mut policy, mut skip) = (None, None, None);
        let (mut public_url, mut url, mut auth_token_env) = (None, None, None);
        let mut seen = Vec::new();
        for meta in &metas {
            let path = meta.path();
            let Some(name) = path.get_ident().map(|ident| ident.unraw().to_string()) else {
                errors.at(path, UNKNOWN);
                continue;
            };
            if seen.contains(&name) {
                errors.at(path, &format!("duplicate option `{name}`"));
                continue;
            }
            let parsed = match name.as_str() {
                "crate" => path_value(meta, "crate = path::to::actix_twilio")
                    .map(|path| krate = Some(path)),
                "policy" => path_value(meta, "policy = path::To").map(|path| policy = Some(path)),
                "public_url" => string_value(meta, "public_url = \"https://example.com\"")
                    .and_then(literal::base_url)
                    .map(|value| public_url = Some(value)),
                "url" => string_value(meta, "url = \"https://example.com/message\"")
                    .and_then(literal::whole_url)
                    .map(|value| url = Some(value)),
                "auth_token_env" => string_value(meta, "auth_token_env = \"NAME\"")
                    .and_then(literal::variable)
                    .map(|value| auth_token_env = Some(value)),
                "skip" => match meta {
                    Meta::Path(path) => {
                        skip = Some(path.clone());
                        Ok(())
                    }
                    _ => Err(syn::Error::new_spanned(meta, "`skip` takes no value")),
                },
                "auth_token" => Err(syn::Error::new_spanned(meta, TOKEN_IN_SOURCE)),
                _ => Err(syn::Error::new_spanned(path, UNKNOWN)),
            };
            if let Err(err) = parsed {
                errors.push(err);
            }
            seen.push(name);
        }
        for (first, second) in EXCLUSIVE {
            if seen.iter().any(|name| name == first)
                && let Some(meta) = metas.iter().find(|meta| meta.path().is_ident(second))
            {
                let problem = format!("`{second}` can't stand beside `{first}`");
                errors.at(meta.path(), &problem);
            }
        }
        let overrides = Overrides {
            public_url,
            url,
            auth_token_env,
        };
        Self {
            krate: krate.unwrap_or_else(|| parse_quote!(::actix_twilio)),
            policy: match policy {
                Some(policy) => PolicyOption::Type(policy),
                None if overrides.is_empty() => PolicyOption::App,
                None => PolicyOption::Overrides(overrides),
            },
            skip,
        }
    }
}

impl Overrides {
    fn is_empty(&self) -> bool {
        self.public_url.is_none() && self.url.is_none() && self.auth_token_env.is_none()
    }
}

const UNKNOWN: &str = "unknown option, expected `public_url`, `url`, `auth_token_env`, `policy`, \
                       `crate` or, in an annotated module, `skip`";

const TOKEN_IN_SOURCE: &str = "a token in the source is known to everyone who sees the repository \
                               or the binary: put it into an environment variable and write \
                               `auth_token_env = \"NAME\"`";

/// Options of which the second can't stand beside the first.
const EXCLUSIVE: [(&str, &str); 8] = [
    ("policy", "public_url"),
    ("policy", "url"),
    ("policy", "auth_token_env"),
    ("public_url", "url"),
    ("skip", "policy"),
    ("skip", "public_url"),
    ("skip", "url"),
    ("skip", "auth_token_env"),
];

fn path_value(meta: &Meta, example: &str) -> syn::Result<Path> {
    match value(meta, "a path", example)? {
        Expr::Path(ExprPath {
            attrs,
            qself: None,
            path,
        }) if attrs.is_empty() => Ok(path.clone()),
        other => Err(expected("a path", example, other)),
    }
}

fn string_value(meta: &Meta, example: &str) -> syn::Result<LitStr> {
    match value(meta, "a string", example)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(lit), ..
        }) => Ok(lit.clone()),
        other => Err(expected("a string", example, other)),
    }
}

fn value<'m>(meta: &'m Meta, what: &str, example: &str) -> syn::Result<&'m Expr> {
    let Meta::NameValue(pair) = meta else {
        return Err(expected(what, example, meta.path()));
    };
    let mut value = &pair.value;
    // What a macro by example has matched stands in an invisible group.
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    Ok(value)
}

fn expected(what: &str, example: &str, found: impl quote::ToTokens) -> syn::Error {
    syn::Error::new_spanned(found, format!("expected {what}: `{example}`"))
}
