//! Parses the attribute's options: the grammar of `#[validate_twilio_request(..)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Meta, Path, Token, ext::IdentExt,
    parse::Parser, parse_quote, punctuated::Punctuated,
};

use crate::{errors::Errors, literal};

/// The last segment of the attribute's path.
const ATTRIBUTE: &str = "validate_twilio_request";

/// Returns whether this attribute is `#[validate_twilio_request]`.
pub(crate) fn is_own(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|segment| segment.ident == ATTRIBUTE)
}

/// The options in the parentheses of `#[validate_twilio_request(..)]`.
#[derive(Clone)]
pub(crate) struct Options {
    /// The path of the `actix-twilio` crate.
    pub(crate) krate: Path,
    /// Where the configuration comes from.
    pub(crate) policy: PolicyOption,
    /// The option `skip`, which leaves a function of an annotated module unprotected.
    pub(crate) skip: Option<Path>,
}

/// Where the configuration of a handler comes from.
#[derive(Clone)]
pub(crate) enum PolicyOption {
    /// From the app.
    App,
    /// From a type that implements `Policy`.
    Type(Path),
    /// From the app, except for these settings.
    Overrides(Vec<Override>),
}

/// An option that overrides one of the app's settings.
#[derive(Clone)]
pub(crate) struct Override {
    /// The name of the option, and of the method of `RouteOptions` that sets it.
    pub(crate) name: Ident,
    pub(crate) value: LitStr,
}

/// The options that override settings of the app: name, example value, and check of the value.
///
/// To add one, add a method of the same name to `RouteOptions` in the `actix-twilio` crate.
const OVERRIDES: [(&str, &str, Check); 3] = [
    ("public_url", "https://example.com", literal::base_url),
    ("url", "https://example.com/message", literal::whole_url),
    ("auth_token_env", "NAME", literal::variable),
];

type Check = fn(LitStr) -> syn::Result<LitStr>;

impl Options {
    /// Parses the options. Invalid options keep their defaults.
    pub(crate) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated
            .parse2(args)
            .unwrap_or_else(|err| {
                let problem = format!("{err}: write each option as `name = value`");
                errors.push(syn::Error::new(err.span(), problem));
                Punctuated::new()
            });
        let mut options = Self {
            krate: parse_quote!(::actix_twilio),
            policy: PolicyOption::App,
            skip: None,
        };
        let mut given: Vec<(String, &Path)> = Vec::new();
        for meta in &metas {
            let path = meta.path();
            let Some(name) = path.get_ident().map(|ident| ident.unraw().to_string()) else {
                errors.push(unknown(path));
                continue;
            };
            if given.iter().any(|(other, _)| *other == name) {
                errors.at(
                    path,
                    &format!("duplicate option `{name}`: remove one of the two"),
                );
                continue;
            }
            if let Err(err) = options.set(&name, meta) {
                errors.push(err);
            }
            given.push((name, path));
        }
        for (first, _) in &given {
            for (second, path) in &given {
                if excludes(first, second) {
                    let problem = format!(
                        "`{second}` can't be combined with `{first}`: remove one of the two"
                    );
                    errors.at(path, &problem);
                }
            }
        }
        options
    }

    fn set(&mut self, name: &str, meta: &Meta) -> syn::Result<()> {
        match name {
            "crate" => self.krate = path_value(meta, "crate = path::to::actix_twilio")?,
            "policy" => self.policy = PolicyOption::Type(path_value(meta, "policy = path::To")?),
            "skip" => match meta {
                Meta::Path(path) => self.skip = Some(path.clone()),
                _ => {
                    return Err(syn::Error::new_spanned(
                        meta,
                        "`skip` takes no value: write `#[validate_twilio_request(skip)]`",
                    ));
                }
            },
            "auth_token" => return Err(syn::Error::new_spanned(meta, TOKEN_IN_SOURCE)),
            _ => {
                let (name, example, check) = OVERRIDES
                    .into_iter()
                    .find(|(known, ..)| *known == name)
                    .ok_or_else(|| unknown(meta.path()))?;
                let value = string_value(meta, &format!("{name} = \"{example}\""))?;
                self.policy.add(Override {
                    name: Ident::new(name, Span::mixed_site()),
                    value: check(value)?,
                });
            }
        }
        Ok(())
    }

    /// Returns the value of the option `url`.
    pub(crate) fn whole_url(&self) -> Option<&LitStr> {
        let PolicyOption::Overrides(overrides) = &self.policy else {
            return None;
        };
        let url = overrides.iter().find(|option| option.name == "url")?;
        Some(&url.value)
    }
}

impl ToTokens for Options {
    /// Writes the options as a user would, except `skip`.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let krate = &self.krate;
        tokens.extend(quote!(crate = #krate));
        match &self.policy {
            PolicyOption::App => {}
            PolicyOption::Type(path) => tokens.extend(quote!(, policy = #path)),
            PolicyOption::Overrides(overrides) => {
                for Override { name, value } in overrides {
                    tokens.extend(quote!(, #name = #value));
                }
            }
        }
    }
}

impl PolicyOption {
    fn add(&mut self, option: Override) {
        match self {
            Self::App => *self = Self::Overrides(vec![option]),
            Self::Overrides(overrides) => overrides.push(option),
            // The two exclude each other, which is reported separately.
            Self::Type(_) => {}
        }
    }
}

const TOKEN_IN_SOURCE: &str = "anyone who can read the source or the binary can read this Auth \
                               Token: set it in an environment variable, and write \
                               `auth_token_env = \"NAME\"`";

fn unknown(path: &Path) -> syn::Error {
    let overrides = OVERRIDES.map(|(name, ..)| name).join("`, `");
    let problem = format!(
        "unknown option: expected `{overrides}`, `policy`, `crate`, or, on a function in an annotated \
         module, `skip`"
    );
    syn::Error::new_spanned(path, problem)
}

/// Returns whether the second option can't be combined with the first.
fn excludes(first: &str, second: &str) -> bool {
    let is_override = OVERRIDES.iter().any(|(name, ..)| *name == second);
    match first {
        "skip" => is_override || second == "policy",
        "policy" => is_override,
        "public_url" => second == "url",
        _ => false,
    }
}

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
    // A fragment matched by `macro_rules!` is in an invisible group.
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    Ok(value)
}

fn expected(what: &str, example: &str, found: impl ToTokens) -> syn::Error {
    syn::Error::new_spanned(found, format!("expected {what}: write `{example}`"))
}
