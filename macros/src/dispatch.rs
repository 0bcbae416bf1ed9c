//! Expands the attribute on a handler or on a module, and refuses everything else.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{
    attr::{Options, refuse_second},
    errors::Errors,
    expand::expand,
    handler::Handler,
    module,
};

/// Expands the attribute. If it is used incorrectly, emits the errors and the unchanged item, so that
/// editors keep working.
pub(crate) fn attribute(args: &TokenStream, item: &TokenStream) -> TokenStream {
    if module::is_used_name(args, item) {
        return TokenStream::new();
    }
    let mut errors = Errors::default();
    let options = Options::parse(args.clone(), &mut errors);
    if let Some(skip) = &options.skip {
        let problem = "`skip` is only allowed on a function in an annotated module: remove it";
        errors.at(skip, problem);
    }
    let mut handler = match syn::parse2::<Handler>(item.clone()) {
        Ok(handler) => handler,
        Err(err) => {
            if let Some(mut module) = module::parse(item) {
                if let Some(url) = options.whole_url() {
                    errors.at(url, WHOLE_URL_OF_MANY);
                }
                refuse_second(&mut module.attrs, &mut errors);
                module::protect(&mut module, &options, &mut errors);
                return errors.beside(&module);
            }
            errors.push(not_a_function(item).unwrap_or(err));
            return errors.beside(item);
        }
    };
    let arguments = handler.check(&mut errors);
    if errors.is_empty() {
        expand(handler, &arguments, &options)
    } else {
        errors.beside(&handler)
    }
}

const WHOLE_URL_OF_MANY: &str = "`url` is not allowed on a module, because a request signed for one \
                                 of its routes would be accepted on all of them: write `url` on \
                                 each handler, or `public_url` on the module";

/// Returns an error if the item is valid but of another kind. For a function that does not parse,
/// the parser's own error is better.
fn not_a_function(item: &TokenStream) -> Option<syn::Error> {
    let message = "`#[validate_twilio_request]` is not supported here: put it on an `async fn` or an inline module";
    match syn::parse2(item.clone()) {
        // syn has no type for a function without a body.
        Ok(syn::Item::Fn(_) | syn::Item::Verbatim(_)) | Err(_) => None,
        Ok(_) => {
            let keyword = keyword.parse2(item.clone()).ok()?;
            Some(syn::Error::new_spanned(keyword, message))
        }
    }
}

/// Returns the first token of an item after its attributes and visibility.
fn keyword(input: ParseStream<'_>) -> syn::Result<Option<TokenTree>> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    Ok(input.parse::<TokenStream>()?.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertions::{assert_messages, assert_tokens};

    /// Options, items, and what they expand to.
    const EXPANSIONS: &[(&str, &str, &str)] = &[
        (
            "",
            "#[post(\"/\")] pub(crate) async fn f() -> A { b }",
            "#[post(\"/\")] pub(crate) async fn f(_: ::actix_twilio::__private::ValidatedArguments<()>) -> A {
                { b }
            }",
        ),
        (
            "crate = a::b",
            "async fn f<T: U>(mut y: String, Form(x): Form<T>, #[allow(c)] z: Zz) where T: V {
                #![allow(d)]
                half-typed .
            }",
            "async fn f<T: U>(arguments: a::b::__private::ValidatedArguments<(String, Form<T>, Zz,)>) where T: V {
                #![allow(d)]
                a::b::__private::assert_extractor::<String>();
                a::b::__private::assert_extractor::<Zz>();
                let (mut y, argument_2, argument_3,) = arguments.into_inner();
                let Form(x) = argument_2;
                #[allow(c)] let z = argument_3;
                { half-typed . }
            }",
        ),
        // What a pattern leaves of its argument is dropped in the order of a plain `async fn`.
        (
            "crate = k",
            "async fn f(
                a: A, (b, _): (B, C), _: D, (e, _): (E, F), _g: G, #[allow(i)] _: H
            ) {}",
            "async fn f(arguments: k::__private::ValidatedArguments<(A, (B, C), D, (E, F), G, H,)>) {
                let (a, argument_2, _argument_3, argument_4, argument_5, argument_6,) = arguments.into_inner();
                let (b, _) = argument_2;
                let _argument_3 = _argument_3;
                let argument_4 = argument_4;
                let (e, _) = argument_4;
                let (_g,) = (argument_5,);
                let argument_6 = argument_6;
                #[allow(i)] let _ = argument_6;
                {}
            }",
        ),
        // The compiler refuses a name that is bound twice in one pattern.
        (
            "crate = k",
            "async fn f(a: A, (a, _): (B, C)) {}",
            "async fn f(arguments: k::__private::ValidatedArguments<(A, (B, C),)>) {
                let (a, (a, _),) = arguments.into_inner();
                {}
            }",
        ),
        (
            "policy = self::Mine",
            "async fn f(a: A) {}",
            "async fn f(arguments: ::actix_twilio::__private::ValidatedArguments<A, self::Mine>) {
                ::actix_twilio::__private::assert_policy::<self::Mine>();
                let a = arguments.into_inner();
                {}
            }",
        ),
        (
            "auth_token_env = \"TOKEN\", url = \"https://a/b\", crate = c",
            "/// Docs.
            #[cfg(d)] #[e] pub async fn f() {}",
            "/// Docs.
            #[cfg(d)] #[e] pub async fn f(_: c::__private::ValidatedArguments<(), c::__private::RouteOptions<
                (),
                c::__private::Text<138844379665950632630497381632297664512, 0, 0, 0, ()>,
                c::__private::Text<112066869769360502832159707632469278720, 0, 0, 0, ()>
            > >) {
                {}
            }",
        ),
        (
            "once",
            "async fn f(a: A, B(b): B) -> impl C { a }",
            "async fn f(
                arguments: ::actix_twilio::__private::ValidatedArguments<::actix_twilio::__private::Guarded<(A, B,)> >
            ) -> ::actix_twilio::__private::Answer<impl C> {
                let ::actix_twilio::__private::Guarded { inner: (a, argument_2,), settling, .. } = arguments.into_inner();
                ::actix_twilio::__private::settle(settling, async move { let B(b) = argument_2; { a } }).await
            }",
        ),
        (
            "once = Key, crate = c, policy = P",
            "async fn f() {}",
            "async fn f(
                arguments: c::__private::ValidatedArguments<c::__private::Guarded<(), Key>, P>
            ) -> c::__private::Answer<()> {
                c::__private::assert_policy::<P>();
                let c::__private::Guarded { inner: (), settling, .. } = arguments.into_inner();
                c::__private::settle(settling, async move { {} }).await
            }",
        ),
        (
            "",
            "mod m { #[post(\"/\")] async fn f() {} }",
            "mod m {
                #[post(\"/\")]
                #[::actix_twilio::validate_twilio_request(crate = ::actix_twilio)]
                async fn f() {}
            }",
        ),
        // It only uses the name of the attribute that an annotated module has removed.
        ("__used", "const _: () = ();", ""),
        // What is wrong is emitted as it was, after the errors.
        ("", "fn f() {}", "fn f() {}"),
        ("retry", "async fn f(a: A) {}", "async fn f(a: A) {}"),
        ("", "pub struct S;", "pub struct S;"),
        ("", "async fn f();", "async fn f();"),
        ("skip", "mod m { #[a::get(\"/\")] async fn f() {} }", "mod m {
            #[a::get(\"/\")]
            #[::actix_twilio::validate_twilio_request(crate = ::actix_twilio)]
            async fn f() {}
        }"),
    ];

    /// Options, items, and the errors.
    const ERRORS: &[(&str, &str, &[&str])] = &[
        ("", "async fn f() {}", &[]),
        ("skip", "async fn f() {}", &["`skip` is only allowed on"]),
        (
            "skip",
            "mod m { #[get(\"/\")] async fn f() {} }",
            &["`skip` is only allowed on"],
        ),
        (
            "retry, debug",
            "fn f() {}",
            &["unknown option", "unknown option", "an `async fn`"],
        ),
        ("", "mod m;", &["a module in another file"]),
        (
            "once",
            "#[validate_twilio_request(auth_token_env = \"A\")] mod m { #[get(\"/\")] async fn f() {} }",
            &["is applied twice"],
        ),
        (
            "url = \"https://a\"",
            "mod m { #[get(\"/\")] async fn f() {} }",
            &["not allowed on a module"],
        ),
        (
            "public_url = \"https://a\"",
            "mod m { #[get(\"/\")] async fn f() {} }",
            &[],
        ),
        (
            "",
            "/// Docs.\n #[a] pub(crate) enum E {}",
            &["is not supported here"],
        ),
        ("", "impl S {}", &["is not supported here"]),
        ("", "const _: () = ();", &["is not supported here"]),
        (
            "__used",
            "const A: () = ();",
            &["unknown option", "is not supported here"],
        ),
        ("", "async fn f();", &["must have a body"]),
        ("", "async fn f(a) {}", &["expected `:`"]),
        ("", "let x = 1;", &["expected"]),
    ];

    /// Returns the messages of an expansion, and what follows them.
    fn expansion(args: &str, item: &str) -> (Vec<String>, String) {
        let expanded = attribute(&args.parse().unwrap(), &item.parse().unwrap()).to_string();
        let mut rest = &*expanded;
        let mut messages = Vec::new();
        while let Some(error) = rest.strip_prefix(":: core :: compile_error ! { ") {
            let (message, behind) = error.split_once(" } ").unwrap();
            messages.push(message.to_owned());
            rest = behind;
        }
        (messages, rest.to_owned())
    }

    #[test]
    fn items_expand_as_expected() {
        for (args, item, expected) in EXPANSIONS {
            let (_, expanded) = expansion(args, item);
            let expanded = expanded.parse().unwrap();
            assert_tokens(&expanded, expected, &format!("{args} {item}"));
        }
    }

    #[test]
    fn wrong_use_is_refused() {
        for (args, item, expected) in ERRORS {
            let (messages, _) = expansion(args, item);
            assert_messages(&messages, expected, &format!("{args} {item}"));
        }
    }

    #[test]
    fn error_points_at_the_keyword() {
        for (item, expected) in [
            ("struct S;", "struct"),
            ("/// Docs.\n #[a] pub(crate) enum E {}", "enum"),
            ("unsafe impl S for T {}", "unsafe"),
        ] {
            let token = keyword.parse_str(item).unwrap().unwrap();
            assert_eq!(token.to_string(), expected, "{item}");
        }
    }
}
