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
    is_own_path(attr.path())
}

pub(crate) fn is_own_path(path: &Path) -> bool {
    let last = path.segments.last();
    last.is_some_and(|segment| segment.ident.unraw() == ATTRIBUTE)
}

/// Refuses and removes a second attribute on an item.
pub(crate) fn refuse_second(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    attrs.retain(|attr| {
        if is_own(attr) {
            errors.at(
                attr,
                "`#[validate_twilio_request]` is applied twice: remove one of the two",
            );
        }
        !is_own(attr)
    });
}

/// The options in the parentheses of `#[validate_twilio_request(..)]`.
#[derive(Clone)]
pub(crate) struct Options {
    /// The path of the `actix-twilio` crate.
    pub(crate) krate: Path,
    /// Where the configuration comes from.
    pub(crate) policy: PolicyOption,
    /// The option `once`, which handles each event once.
    pub(crate) once: Option<OnceOption>,
    /// The option `skip`, which leaves a function of an annotated module unprotected.
    pub(crate) skip: Option<Path>,
}

/// What identifies an event that is handled once.
#[derive(Clone)]
pub(crate) enum OnceOption {
    /// What the signature covers.
    Verified,
    /// What a type that implements `EventKey` chooses.
    Type(Path),
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
    pub(crate) name: Ident,
    pub(crate) value: LitStr,
}

/// The options that override settings of the app: name, example value, and check of the value.
///
/// To add one, add a parameter at the same place to `RouteOptions` in the `actix-twilio` crate.
pub(crate) const OVERRIDES: [(&str, &str, Check); 3] = [
    ("public_url", "https://example.com", literal::base_url),
    ("url", "https://example.com/message", literal::whole_url),
    ("auth_token_env", "NAME", literal::variable),
];

pub(crate) type Check = fn(LitStr) -> syn::Result<LitStr>;

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
            once: None,
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
            "once" => {
                self.once = Some(match meta {
                    Meta::Path(_) => OnceOption::Verified,
                    _ => OnceOption::Type(path_value(meta, "once` or `once = path::To")?),
                });
            }
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
        match &self.once {
            None => {}
            Some(OnceOption::Verified) => tokens.extend(quote!(, once)),
            Some(OnceOption::Type(key)) => tokens.extend(quote!(, once = #key)),
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
        "unknown option: expected `{overrides}`, `policy`, `once`, `crate`, or, on a function in an annotated \
         module, `skip`"
    );
    syn::Error::new_spanned(path, problem)
}

/// Returns whether the second option can't be combined with the first.
pub(crate) fn excludes(first: &str, second: &str) -> bool {
    let is_override = OVERRIDES.iter().any(|(name, ..)| *name == second);
    match first {
        "skip" => is_override || second == "policy" || second == "once",
        "policy" => is_override,
        "public_url" => second == "url",
        _ => false,
    }
}

fn path_value(meta: &Meta, example: &str) -> syn::Result<Path> {
    match value(meta, "a path", example)? {
        Expr::Path(ExprPath {
            qself: None, path, ..
        }) => Ok(path.clone()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertions::{assert_messages, assert_tokens};

    /// Options, the same as a module passes them on to its routes, and the errors.
    const OPTIONS: &[(&str, &str, &[&str])] = &[
        ("", "", &[]),
        ("crate = twilio", "crate = twilio", &[]),
        ("crate = ::a::twilio,", "crate = ::a::twilio", &[]),
        ("policy = self::Mine", "policy = self::Mine", &[]),
        (
            r#"public_url = "https://example.com/hooks", auth_token_env = "TOKEN""#,
            r#"public_url = "https://example.com/hooks", auth_token_env = "TOKEN""#,
            &[],
        ),
        (
            r#"auth_token_env = "TOKEN", r#url = "ws://[::1]:80", crate = a"#,
            r#"crate = a, auth_token_env = "TOKEN", url = "ws://[::1]:80""#,
            &[],
        ),
        ("once", "crate = ::actix_twilio, once", &[]),
        ("once = a::Key, crate = b", "crate = b, once = a::Key", &[]),
        (
            "once()",
            "",
            &["expected a path: write `once` or `once = path::To`"],
        ),
        ("once = \"a\"", "", &["expected a path"]),
        (
            "once, skip",
            "once",
            &["`once` can't be combined with `skip`"],
        ),
        ("skip", "", &[]),
        ("skip, crate = a", "crate = a", &[]),
        ("skip = true", "", &["`skip` takes no value"]),
        ("skip()", "", &["`skip` takes no value"]),
        ("crate =", "", &["write each option as `name = value`"]),
        ("\"https://example.com\"", "", &["write each option as"]),
        ("crate", "", &["expected a path: write `crate = "]),
        ("crate()", "", &["expected a path"]),
        ("crate = \"a\"", "", &["expected a path"]),
        ("crate = #[a] b", "", &["write each option as"]),
        ("policy", "", &["expected a path: write `policy = "]),
        ("policy = <A as B>::C", "", &["expected a path"]),
        ("url", "", &["expected a string: write `url = \"https://"]),
        ("auth_token_env = NAME", "", &["expected a string: write"]),
        ("public_url = 1", "", &["expected a string: write"]),
        (
            "retry",
            "",
            &["expected `public_url`, `url`, `auth_token_env`, `policy`"],
        ),
        ("a::url = \"\"", "", &["unknown option"]),
        ("retry, debug", "", &["unknown option", "unknown option"]),
        ("auth_token = \"12345\"", "", &["can read this Auth Token"]),
        (
            "crate = a, crate = b",
            "crate = a",
            &["duplicate option `crate`"],
        ),
        (
            r#"policy = A, url = "https://a", auth_token_env = "A""#,
            "policy = A",
            &[
                "`url` can't be combined with `policy`",
                "`auth_token_env` can't be combined with `policy`",
            ],
        ),
        (
            r#"public_url = "https://a", policy = A"#,
            "policy = A",
            &["`public_url` can't be combined with `policy`"],
        ),
        (
            r#"url = "https://a", public_url = "https://a""#,
            r#"url = "https://a", public_url = "https://a""#,
            &["`url` can't be combined with `public_url`"],
        ),
        (
            "skip, policy = A",
            "policy = A",
            &["`policy` can't be combined with `skip`"],
        ),
        (
            r#"url = "https://a", skip"#,
            r#"url = "https://a""#,
            &["`url` can't be combined with `skip`"],
        ),
    ];

    /// Values of `public_url`, of `url` and of `auth_token_env` that are accepted.
    const ACCEPTED: [&[&str]; 3] = [
        &[
            "https://example.com",
            "HTTP://Example.com:8443/",
            "wss://127.0.0.1/a//b",
            "ws://[2001:db8::1]:443/a",
            "https://[::1]/a",
            "https://a-b.c_d~e:0",
        ],
        &["https://example.com", "https://example.com/a//"],
        &["TWILIO_AUTH_TOKEN", "a b"],
    ];

    /// Values that are refused.
    const REFUSED: [&[&str]; 3] = [
        &[
            "",
            "/message",
            "example.com",
            "ftp://example.com",
            "https://",
            "https:///message",
            "https://:443",
            "https://example.com:",
            "https://example.com:080",
            "https://example.com:70000",
            "https://user:secret@example.com",
            "https://example.com/my message",
            "https://ex\u{e4}mple.com",
            "https://exam,ple.com",
            "https://example.com?a=1",
            "https://example.com#a",
            "https://example.com//",
            "https://[::g]",
            "https://[::1",
            "https://[::1]:a",
        ],
        &[
            "",
            "/message",
            "https://example.com/message?a=1",
            "https://@a",
        ],
        &["", " TOKEN", "TOKEN ", "TOKEN=12345", "TO\0KEN"],
    ];

    fn parse(args: &str) -> (Options, Errors) {
        let mut errors = Errors::default();
        let options = Options::parse(args.parse().unwrap(), &mut errors);
        (options, errors)
    }

    #[test]
    fn options_are_parsed_or_refused() {
        for (args, expected, messages) in OPTIONS {
            let (options, errors) = parse(args);
            let expected = parse(expected).0.to_token_stream().to_string();
            assert_tokens(&options.to_token_stream(), &expected, args);
            assert_messages(&errors.messages(), messages, args);
        }
    }

    #[test]
    fn options_are_passed_on_as_they_were_given() {
        let args = r#"crate = a, public_url = "https://a", auth_token_env = "A""#;
        let (options, _) = parse(args);
        assert_tokens(&options.to_token_stream(), args, args);
        let options = parse("").0.to_token_stream();
        assert_tokens(&options, "crate = ::actix_twilio", "the default");
    }

    #[test]
    fn values_are_checked() {
        for (index, (name, ..)) in OVERRIDES.iter().enumerate() {
            for value in ACCEPTED[index] {
                let (options, errors) = parse(&format!("{name} = {value:?}"));
                assert_messages(&errors.messages(), &[], value);
                let PolicyOption::Overrides(overrides) = options.policy else {
                    panic!("{value}");
                };
                assert_eq!(overrides[0].name, name, "{value}");
                assert_eq!(overrides[0].value.value(), *value, "{value}");
            }
            for value in REFUSED[index] {
                let (options, errors) = parse(&format!("{name} = {value:?}"));
                assert_messages(&errors.messages(), &[":"], value);
                assert!(matches!(options.policy, PolicyOption::App), "{value}");
            }
        }
    }

    #[test]
    fn skip_and_the_whole_url_are_found() {
        assert!(parse("skip").0.skip.is_some());
        assert!(parse("skip = true").0.skip.is_none());
        let (options, _) = parse(r#"auth_token_env = "A", url = "https://a/b""#);
        assert_eq!(options.whole_url().unwrap().value(), "https://a/b");
        assert!(options.skip.is_none());
        let (options, _) = parse(r#"public_url = "https://a""#);
        assert!(options.whole_url().is_none());
    }

    #[test]
    fn attribute_is_recognized_by_its_last_segment() {
        for (attr, expected) in [
            ("#[validate_twilio_request]", true),
            ("#[actix_twilio::validate_twilio_request(skip)]", true),
            ("#[validate_twilio_request::other]", false),
            ("#[post(\"/\")]", false),
        ] {
            let attrs = Attribute::parse_outer.parse_str(attr).unwrap();
            assert_eq!(is_own(&attrs[0]), expected, "{attr}");
        }
    }

    #[test]
    fn every_option_is_documented() {
        let docs = include_str!("attribute.md");
        let others = ["policy", "crate"];
        for name in OVERRIDES.iter().map(|(name, ..)| *name).chain(others) {
            assert!(docs.contains(&format!("| `{name} = ")), "{name}");
        }
    }
}
