//! Parses and checks the annotated function. Its body stays raw tokens, so that half-typed code expands.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::{
    Attribute, GenericParam, Ident, Pat, Signature, Token, Type, TypePath, Visibility,
    parse::{Parse, ParseStream},
};

use crate::{attr::refuse_second, errors::Errors};

/// The maximum number of arguments that actix-web passes to a handler.
const MAX_ARGUMENTS: usize = 16;

/// Attributes that are allowed on an argument. They move to the `let` that binds it.
const LINT_LEVELS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];

pub(crate) struct Handler {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The body in the user's own braces.
    pub(crate) body: Group,
}

impl Parse for Handler {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error("a handler must have a body: replace the `;` with `{ .. }`"));
        }
        let expected = input.error("expected the body of a function: `{ .. }`");
        let body = braces(input.parse()?).ok_or(expected)?;
        Ok(Self {
            attrs,
            vis,
            sig,
            body,
        })
    }
}

/// Returns a group in braces. A fragment matched by `macro_rules!` is in an invisible group.
fn braces(tree: TokenTree) -> Option<Group> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            braces(group.stream().into_iter().next()?)
        }
        _ => None,
    }
}

impl ToTokens for Handler {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attrs);
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

/// An argument of a handler.
pub(crate) struct Argument {
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    pub(crate) lint_levels: Vec<Attribute>,
}

impl Handler {
    /// Checks that this function can be a protected handler, and returns its arguments.
    pub(crate) fn check(&mut self, errors: &mut Errors) -> Vec<Argument> {
        if self.sig.asyncness.is_none() {
            errors.at(
                self.sig.fn_token,
                "a handler must be an `async fn`: write `async` before `fn`",
            );
        }
        refuse_second(&mut self.attrs, errors);
        if let Some(variadic) = &self.sig.variadic {
            errors.at(variadic, "a handler can't be variadic: remove the `...`");
        }
        if let Some(extra) = self.sig.inputs.iter().nth(MAX_ARGUMENTS) {
            errors.at(
                extra,
                "a handler takes at most 16 arguments: combine some of them into a tuple",
            );
        }
        self.sig
            .inputs
            .iter()
            .filter_map(|input| Argument::check(input, errors))
            .collect()
    }

    /// Returns whether a type surely depends on no parameter of the function or of what is around it, which the
    /// attribute can't see: a path such as `Sms` or `models::Sms`, without lifetimes and generic arguments.
    ///
    /// Where a parameter is involved, the written bounds need not make the type an extractor. The compiler then
    /// checks it where the handler is registered. By convention, a parameter of the surroundings has one letter.
    pub(crate) fn is_concrete(&self, ty: &Type) -> bool {
        let Type::Path(TypePath {
            qself: None, path, ..
        }) = ty
        else {
            return false;
        };
        if path
            .segments
            .iter()
            .any(|segment| !segment.arguments.is_none())
        {
            return false;
        }
        let is_param = |ident: &Ident| {
            self.sig.generics.params.iter().any(|param| match param {
                GenericParam::Type(param) => param.ident == *ident,
                GenericParam::Const(_) | GenericParam::Lifetime(_) => false,
            })
        };
        match (path.get_ident(), path.segments.first()) {
            (Some(name), _) => name != "Self" && name.to_string().len() > 1 && !is_param(name),
            // `T::Item` depends on `T`, and a module is in lower case.
            (None, Some(first)) => first.ident.to_string().starts_with(char::is_lowercase),
            (None, None) => false,
        }
    }
}

impl Argument {
    fn check(input: &syn::FnArg, errors: &mut Errors) -> Option<Self> {
        let argument = match input {
            syn::FnArg::Typed(argument) => argument,
            syn::FnArg::Receiver(receiver) => {
                errors.at(
                    receiver,
                    "a handler can't take `self`: remove it, and pass shared state in `web::Data`",
                );
                return None;
            }
        };
        for attr in &argument.attrs {
            if !LINT_LEVELS.iter().any(|level| attr.path().is_ident(level)) {
                let problem = "an argument can only have lint attributes such as `#[allow(..)]`: \
                               put other attributes on the function";
                errors.at(attr, problem);
            }
        }
        if let Some(token) = find_ident(argument.ty.to_token_stream(), &|ident| ident == "impl") {
            let problem = "an argument's type can't contain `impl Trait`: write a concrete type";
            errors.at(token, problem);
        }
        Some(Self {
            pat: (*argument.pat).clone(),
            ty: (*argument.ty).clone(),
            lint_levels: argument.attrs.clone(),
        })
    }
}

/// Returns the first identifier or keyword in these tokens that satisfies the predicate.
pub(crate) fn find_ident(tokens: TokenStream, is_wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if is_wanted(&ident) => Some(ident),
        TokenTree::Group(group) => find_ident(group.stream(), is_wanted),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;
    use crate::assertions::assert_messages;

    /// Functions, the number of their arguments that can be bound, and the errors.
    const HANDLERS: &[(&str, usize, &[&str])] = &[
        ("async fn f() {}", 0, &[]),
        (
            "pub async fn f(a: A, (b, _): (B, C)) -> D { half-typed . }",
            2,
            &[],
        ),
        (
            "async fn f(#[allow(unused)] #[expect(unused_mut)] a: A) {}",
            1,
            &[],
        ),
        ("#[post(\"/\")] async fn f(a: A) {}", 1, &[]),
        ("fn f() {}", 0, &["must be an `async fn`"]),
        (
            "#[a::validate_twilio_request] async fn f() {}",
            0,
            &["applied twice"],
        ),
        ("async fn f(&self, a: A) {}", 1, &["can't take `self`"]),
        (
            "async fn f(#[cfg(a)] a: A) {}",
            1,
            &["only have lint attributes"],
        ),
        (
            "async fn f(a: impl A, b: B<(impl C,)>) {}",
            2,
            &["`impl Trait`", "`impl Trait`"],
        ),
        ("async fn f(a: A, ...) {}", 1, &["can't be variadic"]),
    ];

    const CONCRETE: [(&str, bool); 18] = [
        ("Sms", true),
        ("u32", true),
        ("models::Sms", true),
        ("self::Sms", true),
        ("::models::Sms", true),
        ("crate::models::Sms", true),
        ("T", false),
        ("Extractor", false),
        ("Extractor::Item", false),
        ("T::Item", false),
        ("U", false),
        ("Self", false),
        ("Self::Sms", false),
        ("web::Form<Sms>", false),
        ("Sms<'_>", false),
        ("<S as U>::T", false),
        ("&'a str", false),
        ("(A, B)", false),
    ];

    fn parse(function: &str) -> Handler {
        syn::parse_str(function).unwrap()
    }

    #[test]
    fn handlers_are_checked() {
        for (function, arguments, messages) in HANDLERS {
            let mut errors = Errors::default();
            let found = parse(function).check(&mut errors);
            assert_eq!(found.len(), *arguments, "{function}");
            assert_messages(&errors.messages(), messages, function);
        }
    }

    #[test]
    fn sixteen_arguments_are_the_most() {
        for (number, messages) in [(16, &[][..]), (17, &["at most 16"]), (18, &["at most 16"])] {
            let args = "_: A, ".repeat(number);
            let mut errors = Errors::default();
            parse(&format!("async fn f({args}) {{}}")).check(&mut errors);
            assert_messages(&errors.messages(), messages, &number.to_string());
        }
    }

    #[test]
    fn own_attributes_are_removed_and_others_kept() {
        let mut handler = parse("#[a] #[validate_twilio_request] #[b] async fn f() { #![c] d }");
        handler.check(&mut Errors::default());
        let expected = parse("#[a] #[b] async fn f() { #![c] d }");
        let expected = expected.to_token_stream().to_string();
        assert_eq!(handler.to_token_stream().to_string(), expected);
        assert!(
            expected.contains("# [b]") && expected.contains("[c] d"),
            "{expected}"
        );
    }

    #[test]
    fn function_without_a_body_is_refused() {
        let err = syn::parse_str::<Handler>("async fn f();").err().unwrap();
        assert!(err.to_string().contains("must have a body"), "{err}");
    }

    #[test]
    fn body_may_come_from_a_macro_but_is_in_braces() {
        let group = |delimiter, content| Group::new(delimiter, content);
        let body = group(Delimiter::Brace, quote!(a));
        let fragment = group(Delimiter::None, quote!(#body));
        let nested = group(Delimiter::None, quote!(#fragment));
        for body in [&body, &fragment, &nested] {
            let handler: Handler = syn::parse2(quote!(async fn f() #body)).unwrap();
            assert_eq!(handler.body.to_string(), "{ a }", "{body:?}");
        }
        for delimiter in [Delimiter::Parenthesis, Delimiter::Bracket] {
            let wrong = group(delimiter, quote!(#body));
            let fragment = group(Delimiter::None, quote!(#wrong));
            for body in [wrong, fragment] {
                let err = syn::parse2::<Handler>(quote!(async fn f() #body)).err();
                let err = err.unwrap().to_string();
                assert!(err.contains("expected the body"), "{body:?}: {err}");
            }
        }
    }

    #[test]
    fn types_that_may_depend_on_a_parameter_are_not_concrete() {
        let handler = parse("async fn f<'a, T, Extractor, const N: usize>() {}");
        for (ty, expected) in CONCRETE {
            let parsed = syn::parse_str(ty).unwrap();
            assert_eq!(handler.is_concrete(&parsed), expected, "{ty}");
        }
    }

    #[test]
    fn first_identifier_is_found() {
        let is_wanted = |ident: &Ident| ident == "b" || ident == "c";
        for (tokens, expected) in [
            ("a b c", Some("b")),
            ("a (d (c)) b", Some("c")),
            ("a d", None),
        ] {
            let found = find_ident(tokens.parse().unwrap(), &is_wanted);
            let expected = expected.map(|name| format_ident!("{name}"));
            assert_eq!(found, expected, "{tokens}");
        }
    }
}
