//! What becomes of modules: tables of what is protected and of what is refused.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};
use quote::{ToTokens, quote};

use super::*;
use crate::assertions::{assert_messages, assert_tokens};

/// Options, the contents of a module, and what becomes of them.
const PROTECTED: &[(&str, &str, &str)] = &[
    (
        "public_url = \"https://a\"",
        "#[post(\"/\")] #[b] async fn f() {} fn g() {}",
        "#[post(\"/\")] #[b]
        #[::actix_twilio::validate_twilio_request(crate = ::actix_twilio, public_url = \"https://a\")]
        async fn f() {} fn g() {}",
    ),
    (
        "crate = a",
        "#[cfg_attr(b, cfg_attr(c, inline, actix_web::get(\"/\")))] fn f() {}",
        "#[cfg_attr(b, cfg_attr(c, inline, actix_web::get(\"/\")))]
        #[a::validate_twilio_request(crate = a)]
        fn f() {}",
    ),
    (
        "crate = a",
        "impl S { #[post(\"/\")] async fn f() {} #[post(\"/\")] async fn g(&self) {} }",
        "impl S {
            #[post(\"/\")] #[a::validate_twilio_request(crate = a)] async fn f() {}
            #[post(\"/\")] async fn g(&self) {}
        }",
    ),
    (
        "crate = a",
        "fn f() { #[post(\"/\")] async fn g() { #[get(\"/\")] async fn h() {} } }",
        "fn f() {
            #[post(\"/\")] #[a::validate_twilio_request(crate = a)] async fn g() {
                #[get(\"/\")] #[a::validate_twilio_request(crate = a)] async fn h() {}
            }
        }",
    ),
    (
        "crate = a",
        "fn f(_: [u8; { #[get(\"/\")] async fn g() {} 0 }]) {}
        trait T { fn f() -> [u8; { #[get(\"/\")] async fn g() {} 0 }]; }",
        "fn f(_: [u8; { #[get(\"/\")] #[a::validate_twilio_request(crate = a)] async fn g() {} 0 }]) {}
        trait T {
            fn f() -> [u8; { #[get(\"/\")] #[a::validate_twilio_request(crate = a)] async fn g() {} 0 }];
        }",
    ),
    (
        "crate = a",
        "#[cfg_attr(true, post(\"/\"))] #[r#cfg_attr(all(), inline)] fn f() {}",
        "#[cfg_attr(true, post(\"/\"))] #[r#cfg_attr(all(), inline)]
        #[a::validate_twilio_request(crate = a)]
        fn f() {}",
    ),
    (
        "crate = a",
        "trait T { fn f() { #[get(\"/\")] async fn g() {} } }",
        "trait T { fn f() {
            #[get(\"/\")] #[a::validate_twilio_request(crate = a)] async fn g() {}
        } }",
    ),
    (
        "crate = a",
        "#[get(\"/\")] #[b::validate_twilio_request(skip)] async fn f() { c }
        #[validate_twilio_request(policy = P)] async fn g() {}
        #[validate_twilio_request] async fn h() {}
        #[validate_twilio_request(skip)] #[validate_twilio_request] async fn i() {}",
        "#[get(\"/\")] async fn f() { #[b::validate_twilio_request(__used)] const _: () = (); c }
        #[validate_twilio_request(policy = P, crate = a)] async fn g() {}
        #[validate_twilio_request(crate = a)] async fn h() {}
        #[validate_twilio_request(skip)] #[validate_twilio_request] async fn i() {}",
    ),
    (
        "crate = self::a, policy = super::P::<self::b, super::c, d>, once = self::Key",
        "mod n { #[get(\"/\")] async fn f() {} } #[get(\"/\")] async fn g() {}",
        "mod n {
            #[get(\"/\")]
            #[super::a::validate_twilio_request(
                crate = super::a,
                policy = super::super::P::<super::b, super::super::c, d>,
                once = super::Key
            )]
            async fn f() {}
        }
        #[get(\"/\")]
        #[self::a::validate_twilio_request(
            crate = self::a,
            policy = super::P::<self::b, super::c, d>,
            once = self::Key
        )]
        async fn g() {}",
    ),
    (
        "crate = ::a",
        "mod n { mod o { #[get(\"/\")] async fn f() {} } } #[validate_twilio_request] mod p { #[get(\"/\")] fn g() {} }",
        "mod n { mod o { #[get(\"/\")] #[::a::validate_twilio_request(crate = ::a)] async fn f() {} } }
        #[validate_twilio_request(crate = ::a)] mod p { #[get(\"/\")] fn g() {} }",
    ),
    (
        "crate = a, once = self::Key, public_url = \"https://a\", auth_token_env = \"A\"",
        "#[post(\"/\")] #[validate_twilio_request] async fn f() {}
        #[validate_twilio_request()] async fn g() {}
        #[validate_twilio_request(auth_token_env = \"B\", r#once,)] async fn h() {}
        #[validate_twilio_request[url = \"https://b\", crate = b]] async fn i() {}
        #[validate_twilio_request(retry)] async fn j() {}
        #[validate_twilio_request(url =)] async fn k() {}
        #[validate_twilio_request = \"a\"] async fn l() {}
        trait T {
            #[validate_twilio_request(once = K)] async fn m() {}
            #[validate_twilio_request(skip)] async fn n();
        }
        fn o() { #[validate_twilio_request(public_url = \"https://b\")] mod p {} }
        mod q { #[validate_twilio_request] async fn r() {} }",
        "#[post(\"/\")]
        #[validate_twilio_request(
            crate = a, public_url = \"https://a\", auth_token_env = \"A\", once = self::Key
        )]
        async fn f() {}
        #[validate_twilio_request(
            crate = a, public_url = \"https://a\", auth_token_env = \"A\", once = self::Key
        )]
        async fn g() {}
        #[validate_twilio_request(
            auth_token_env = \"B\", r#once, crate = a, public_url = \"https://a\"
        )]
        async fn h() {}
        #[validate_twilio_request[
            url = \"https://b\", crate = b, auth_token_env = \"A\", once = self::Key
        ]]
        async fn i() {}
        #[validate_twilio_request(
            retry, crate = a, public_url = \"https://a\", auth_token_env = \"A\", once = self::Key
        )]
        async fn j() {}
        #[validate_twilio_request(url =)] async fn k() {}
        #[validate_twilio_request = \"a\"] async fn l() {}
        trait T {
            #[validate_twilio_request(
                once = K, crate = a, public_url = \"https://a\", auth_token_env = \"A\"
            )]
            async fn m() {}
            #[validate_twilio_request(skip)] async fn n();
        }
        fn o() {
            #[validate_twilio_request(
                public_url = \"https://b\", crate = a, auth_token_env = \"A\", once = super::Key
            )]
            mod p {}
        }
        mod q {
            #[validate_twilio_request(
                crate = a, public_url = \"https://a\", auth_token_env = \"A\", once = super::Key
            )]
            async fn r() {}
        }",
    ),
    (
        "crate = a, policy = super::P",
        "#[validate_twilio_request(policy = Q, once)] async fn f() {}
        #[validate_twilio_request(once)] mod n {}",
        "#[validate_twilio_request(policy = Q, once, crate = a)] async fn f() {}
        #[validate_twilio_request(once, crate = a, policy = super::super::P)] mod n {}",
    ),
];

/// Options of a module, attributes in it, and the errors.
const COMBINED: &[(&str, &str, &[&str])] = &[
    (
        "public_url = \"https://a\", auth_token_env = \"A\"",
        "#[validate_twilio_request(policy = P)] async fn f() {}",
        &[
            "`policy` can't be combined with the `public_url` of the module",
            "`policy` can't be combined with the `auth_token_env` of the module",
        ],
    ),
    (
        "policy = P",
        "#[validate_twilio_request(auth_token_env = \"A\", url = \"https://a\")] async fn f() {}",
        &[
            "`auth_token_env` can't be combined with the `policy` of the module",
            "`url` can't be combined with the `policy` of the module",
        ],
    ),
    (
        "policy = P",
        "#[validate_twilio_request(public_url = \"https://a\")] mod n {}",
        &["`public_url` can't be combined with the `policy` of the module"],
    ),
    (
        "once, policy = P",
        "#[validate_twilio_request(skip)] async fn f() {}",
        &[],
    ),
    (
        "policy = P",
        "#[cfg_attr(a, validate_twilio_request(policy = Q))] mod n { #[get(\"/\")] async fn f() {} }",
        &["can't be in a `cfg_attr` here"],
    ),
    (
        "policy = P",
        "#[cfg_attr(true, validate_twilio_request(policy = Q))] mod n { #[get(\"/\")] async fn f() {} }
        #[cfg_attr(a, ::)] mod o {}",
        &["can't be in a `cfg_attr` here", "can't be in a `cfg_attr` here"],
    ),
];

const CONDITIONAL: &str = "can't be in a `cfg_attr` here";
const ROUTE: &str = "this attribute may make the function a route";
const PUBLIC: &str = "outside the module";
const MACRO: &str = "routes that this macro may create";
const CLOSURE: &str = "a closure can't be protected";
const UNPROTECTED: &str = "may register an unprotected function";

/// What may stand beside a route, and the errors.
const BESIDE_A_ROUTE: &[(&str, &[&str])] = &[
    ("", &[]),
    // Functions.
    ("async fn f() {} fn g() {} pub fn h() {}", &[]),
    ("pub async fn f() {}", &[PUBLIC]),
    (
        "pub(crate) async fn f() {} pub(self) async fn g() {}",
        &[PUBLIC, PUBLIC],
    ),
    ("#[webhook(\"/\")] async fn f() {}", &[ROUTE]),
    ("#[webhook(a)] async fn f() {}", &[ROUTE]),
    ("#[a::inline] pub async fn f() {}", &[ROUTE]),
    ("#[webhook(\"/\")] fn f() {}", &[]),
    (
        "#[cfg_attr(a, cfg_attr(b, inline, webhook(\"/\")))] async fn f() {}",
        &[ROUTE],
    ),
    ("#[cfg_attr(webhook, inline)] async fn f() {}", &[]),
    ("#[cfg_attr(post, inline)] pub async fn f() {}", &[PUBLIC]),
    ("#[cfg_attr(\"a\")] async fn f() {}", &[CONDITIONAL, ROUTE]),
    ("#[cfg_attr(false, webhook(a))] async fn f() {}", &[ROUTE]),
    ("#[cfg_attr(a, ::)] fn f() {}", &[CONDITIONAL]),
    (
        "fn f(_: [u8; { pub async fn g() {} 0 }]) {} impl S { fn g(&self) -> [u8; { a!(); 0 }] {} }",
        &[PUBLIC, MACRO],
    ),
    (
        "#[doc = \"a\"] #[allow(a)] #[cfg(b)] #[inline] async fn f() {}",
        &[],
    ),
    (
        "#[actix_web::test] async fn f() {} #[test] async fn g() {}",
        &[],
    ),
    ("#[test(\"/\")] async fn f() {}", &[ROUTE]),
    ("#[a::main] async fn f() {}", &[ROUTE]),
    (
        "impl S { pub async fn f() {} async fn g() {} pub async fn h(&self) {} }",
        &[PUBLIC],
    ),
    ("impl S { fn f(&self) { pub async fn g() {} } }", &[PUBLIC]),
    (
        "impl S { pub async fn f(self) {} pub async fn g(mut self: Box<Self>, a: A) {} pub async fn h(&mut self) {} }",
        &[PUBLIC, PUBLIC],
    ),
    (
        "impl S { fn f(self) -> Ready<()> {} } fn g() { a(S::f); }",
        &[UNPROTECTED],
    ),
    (
        "impl S { #[validate_twilio_request(skip)] pub async fn f(self) {} pub fn g(self) {} }",
        &[],
    ),
    ("#[r#webhook(\"/\")] async fn f() {}", &[ROUTE]),
    (
        "trait T { async fn f(); fn g() { pub async fn h() {} } }",
        &[PUBLIC],
    ),
    ("const C: fn() = || { pub async fn f() {} };", &[PUBLIC]),
    ("mod n { pub async fn f() {} }", &[PUBLIC]),
    (
        "#[validate_twilio_request] mod n { pub async fn f() {} }",
        &[],
    ),
    ("#[validate_twilio_request] pub async fn f() {}", &[]),
    ("#[validate_twilio_request(skip)] pub async fn f() {}", &[]),
    (
        "#[validate_twilio_request(skip, retry)] pub async fn f() {}",
        &["unknown option"],
    ),
    ("#[validate_twilio_request(retry)] pub async fn f() {}", &[]),
    // Items that can't be seen into.
    ("mod n;", &["a module in another file"]),
    ("async fn f();", &["does not support this kind of item"]),
    ("a!();", &[MACRO]),
    ("macro_rules! a { () => {}; } println!();", &[MACRO]),
    // Macros in the place of a statement.
    ("fn f() { a!(); }", &[MACRO]),
    ("fn f() { a! {} }", &[MACRO]),
    ("fn f() -> u32 { a!(1) }", &[]),
    ("fn f() -> u32 { a!(1); }", &[MACRO]),
    ("fn f() -> u32 { a! {} 1 }", &[MACRO]),
    ("fn f() -> u32 { a! {} b!(1) }", &[MACRO]),
    (
        "fn f() { println!(); std::assert!(a); log::info!(\"\"); }",
        &[],
    ),
    ("#[get(\"/\")] async fn f() { a!(); }", &[]),
    ("#[validate_twilio_request] async fn f() { a!(); }", &[]),
    ("async fn f() { a!(); }", &[MACRO]),
    (
        "#[validate_twilio_request(skip)] async fn f() { a!(); }",
        &[MACRO],
    ),
    (
        "async fn f() { tokio::pin!(a); ensure!(b); select! {} }",
        &[],
    ),
    ("#[get(\"/\")] async fn f() { fn g() { a!(); } }", &[MACRO]),
    ("#[get(\"/\")] async fn f() { fn g() {} a!(); }", &[]),
    (
        "macro_rules! a { () => {}; } async fn f() { a!(); }",
        &[MACRO],
    ),
    (
        "async fn f() { b::a!(); macro_rules! a { () => {}; } }",
        &[MACRO],
    ),
    (
        "macro_rules! info { () => {}; } fn f() { info!(); }",
        &[MACRO],
    ),
    ("macro_rules! a { () => {}; } fn f() { println!(); }", &[]),
    (
        "macro_rules! info { () => {}; }
        #[validate_twilio_request] mod n { mod o { fn f() { info!(); a!(); } fn g() -> u32 { info!() } } }",
        &[MACRO],
    ),
    (
        "fn f() { info!(); } #[macro_use] #[validate_twilio_request] mod n {
            macro_rules! info { () => {}; } fn f() { info!(); }
        }",
        &[MACRO],
    ),
    ("fn f() { info!(); } mod n { macro_rules! info { () => {}; } }", &[MACRO]),
    ("macro_rules! { a }", &[MACRO]),
    ("unsafe extern \"C\" { a!(); fn f(); }", &[MACRO]),
    (
        "fn f() { assert!({ a.to(|| b); #[get(\"/\")] async fn g() {} true }); join!(h, b.to(|| c)); }",
        &[CLOSURE, "in the argument of a macro", CLOSURE],
    ),
    (
        "fn f() { assert!({ #[get(\"/\")] #[validate_twilio_request(skip)] async fn g() {} true }, \"{}\", a); }",
        &[],
    ),
    (
        "fn g() {} fn f() { size::<{ a.to(|| b); 1 }>(); a::<{ b.to(g); 1 }>; }",
        &[CLOSURE, UNPROTECTED],
    ),
    (
        "trait T { #[cfg_attr(a, validate_twilio_request)] async fn f() {} }
        #[cfg_attr(a, validate_twilio_request)] fn f() -> Answer {}",
        &[CONDITIONAL, CONDITIONAL],
    ),
    ("impl S { fn f() { a!(); } }", &[MACRO]),
    ("trait T { fn f() { a!(); } }", &[MACRO]),
    ("const C: u32 = { a!(); 1 };", &[MACRO]),
    ("const C: u32 = { a!(1) };", &[]),
    ("static S: fn() = || { a!(); };", &[MACRO]),
    ("const _: () = { println!(); };", &[]),
    ("fn f() -> u32 { const { a!(); 1 } }", &[MACRO]),
    // In the place of associated items.
    ("impl S { a!(); }", &[MACRO]),
    ("trait T { a!(); }", &[MACRO]),
    ("impl T for S { b::a! {} fn f() {} }", &[MACRO]),
    // A function that is asynchronous, although it is not an `async fn`.
    ("pub fn f() -> impl Future<Output = ()> {}", &[PUBLIC]),
    (
        "pub fn f() -> Pin<Box<dyn Future<Output = ()>>> {}",
        &[PUBLIC],
    ),
    (
        "pub fn f() -> future::LocalBoxFuture<'static, ()> {}",
        &[PUBLIC],
    ),
    ("pub fn f() -> Ready<()> {}", &[PUBLIC]),
    (
        "impl S { pub fn f() -> Ready<()> {} pub fn g(&self) -> Ready<()> {} }",
        &[PUBLIC],
    ),
    ("#[webhook(\"/\")] fn f() -> Ready<()> {}", &[ROUTE]),
    (
        "#[validate_twilio_request(skip)] pub fn f() -> Ready<()> {}",
        &[],
    ),
    (
        "fn g() -> Ready<()> {} fn f() { let h = g; g(); }",
        &[UNPROTECTED],
    ),
    // Registrations.
    ("async fn g() {} fn f() { g(); self::g(); h(); }", &[]),
    ("async fn g() {} fn f() { let h = g; }", &[UNPROTECTED]),
    ("async fn g() {} fn f() { web::to(g); }", &[UNPROTECTED]),
    ("async fn g() {} fn f() { h(self::g); }", &[UNPROTECTED]),
    ("async fn g() {} fn f() { (g)(); }", &[UNPROTECTED]),
    ("async fn g() {} fn f() { a.b(g); }", &[UNPROTECTED]),
    ("async fn g() {} fn f() { g().b(g()); }", &[]),
    ("async fn g() {} fn f() { a.b(h); }", &[]),
    (
        "async fn g() {} fn f() { println!(\"{}\", g); }",
        &[UNPROTECTED],
    ),
    (
        "async fn g() {} fn f() { println!(\"{}\", a(g)); }",
        &[UNPROTECTED],
    ),
    ("async fn g() {} fn f() { println!(\"{}\", g()); }", &[]),
    ("async fn g() {} fn f() { println!(\"{}\", h); }", &[]),
    (
        "async fn g() {} mod n { fn f() { a(super::g); } }",
        &[UNPROTECTED],
    ),
    (
        "async fn g() {} #[validate_twilio_request] mod n { fn f() { a(super::g); } }",
        &[UNPROTECTED],
    ),
    (
        "fn g() {} #[validate_twilio_request] mod n { mod o { fn f() { a.to(super::super::g); } } }",
        &[UNPROTECTED],
    ),
    (
        "#[validate_twilio_request] mod n { pub fn g() {} } fn f() { a.to(n::g); }",
        &[UNPROTECTED],
    ),
    (
        "impl S { #[validate_twilio_request] fn f() { #[validate_twilio_request] mod n { impl T { pub fn g() {} } } a.to(T::g); } }",
        &[UNPROTECTED],
    ),
    (
        "#[validate_twilio_request] mod n { fn f() { a.to(|| b); a.to(g); } #[post(\"/\")] async fn g() {} }",
        &[],
    ),
    ("async fn r#g() {} fn f() { a(g); }", &[UNPROTECTED]),
    (
        "async fn g() {} fn f() { a(r#g); println!(\"{}\", r#g); }",
        &[UNPROTECTED, UNPROTECTED],
    ),
    (
        "fn r#g() {} fn f() { a.r#to(g); r#to(r#g); a.to(b!(r#g)); }",
        &[UNPROTECTED, UNPROTECTED, UNPROTECTED],
    ),
    (
        "fn f() { a.r#to(|| b); web::r#post(|| c); }",
        &[CLOSURE, CLOSURE],
    ),
    ("#[get(\"/\")] async fn g() {} fn f() { a(g); }", &[]),
    ("fn g() {} fn f() { let h = g; a(g); a.b(g); }", &[]),
    (
        "fn g() {} fn f() { web::to(g); a.to(g); }",
        &[UNPROTECTED, UNPROTECTED],
    ),
    (
        "fn g() {} fn f() { web::to(h); web::to(g()); a.to(1); }",
        &[],
    ),
    (
        "fn g() {} fn f() { a.to({ b(); g }); a.to({ g; }); }",
        &[UNPROTECTED],
    ),
    (
        "fn g() {} fn f() { a.to(g as fn()); a.to((g)); }",
        &[UNPROTECTED, UNPROTECTED],
    ),
    (
        "fn f() { a.to(|| b); web::post(async || c); }",
        &[CLOSURE, CLOSURE],
    ),
    ("fn f() { a.map(|| b); a(|| c); }", &[]),
    (
        "fn f() { a.to(if b { || c } else if d { || e } else { || f }); }",
        &[CLOSURE, CLOSURE, CLOSURE],
    ),
    (
        "fn g() {} fn f() { a.to(match b { c => g, _ => { || d } }); }",
        &[UNPROTECTED, CLOSURE],
    ),
    (
        "fn g() {} fn f() { a.to(unsafe { g }); a.to(const { || b }); }",
        &[UNPROTECTED, CLOSURE],
    ),
    (
        "fn g() {} fn f() { a.to([g, g][b]); a.to((g, c).0); a.to([|| d; 1][0]); }",
        &[UNPROTECTED, UNPROTECTED, UNPROTECTED, CLOSURE],
    ),
    (
        "fn g() {} fn f() { a.to(&|| b); a.to(*h(g)); a.to(H { i: g }.i); }",
        &[CLOSURE, UNPROTECTED, UNPROTECTED],
    ),
    (
        "fn g() {} fn f() { a.to(g.clone()); a.to(h(|| b)?); a.to(pick!(g)); }",
        &[UNPROTECTED, CLOSURE, UNPROTECTED],
    ),
    (
        "fn g() {} fn f() { a.to(pick!(b, (g))); a.to(pick!(b, (c))); }",
        &[UNPROTECTED],
    ),
    (
        "fn g() {} fn f() { a.get(&b[c.map(|d| e)]); a.to(h(g())); a.to(web::to(h)); }",
        &[],
    ),
    ("fn f() { web::to(web::to(|| b)); }", &[CLOSURE]),
    (
        "fn g() {} fn f() { (Route::to)(a, || b); (&{ web::to })(g); (h as fn())(|| i); }",
        &[CLOSURE, UNPROTECTED],
    ),
    (
        "fn f() { (if a { web::to } else { web::to::<B, C> })(|| d); [web::post][0](|| e); }",
        &[CLOSURE, CLOSURE],
    ),
    (
        "fn f() { a.to(loop { break || b }); a.to('c: { if d { break 'c || e } || h }); }",
        &[CLOSURE, CLOSURE, CLOSURE],
    ),
    (
        "fn g() {} fn f() { a.to(loop { while b {} if c { break d(g) }; }); }",
        &[UNPROTECTED],
    ),
    ("fn f() { (loop { break web::to })(|| b); }", &[CLOSURE]),
    (
        "fn f() { a.to(loop { b(|| loop { break || c }); fn g() { loop { break || d } } break h }); }",
        &[],
    ),
    ("async fn f() { a.to(async { || b }.await); }", &[CLOSURE]),
    (
        "fn f() { a(web::to(|| b)); a.b(c.to(|| d)); }",
        &[CLOSURE, CLOSURE],
    ),
];

/// Modules without a route, and the errors.
const WITHOUT_A_ROUTE: &[(&str, &[&str])] = &[
    ("", &["no route to protect"]),
    (
        "fn f() {} async fn g() {} mod n { fn h() {} }",
        &["no route to protect"],
    ),
    ("pub async fn f() {}", &[PUBLIC]),
    ("#[validate_twilio_request] async fn f() {}", &[]),
    ("#[validate_twilio_request(skip)] async fn f() {}", &[]),
    ("#[validate_twilio_request] mod n {}", &[]),
    ("mod n { #[get(\"/\")] async fn f() {} }", &[]),
];

fn protect_contents(args: &str, contents: &str) -> (ItemMod, Errors) {
    let mut errors = Errors::default();
    let options = Options::parse(args.parse().unwrap(), &mut errors);
    let source = format!("mod m {{ {contents} }}");
    let mut module = parse(&source.parse().unwrap()).unwrap();
    protect(&mut module, &options, &mut errors);
    (module, errors)
}

#[test]
fn routes_are_protected() {
    for (args, contents, expected) in PROTECTED {
        let (module, errors) = protect_contents(args, contents);
        assert_messages(&errors.messages(), &[], contents);
        let expected = format!("mod m {{ {expected} }}");
        assert_tokens(&module.to_token_stream(), &expected, contents);
    }
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    for (args, contents, messages) in COMBINED {
        let (_, errors) = protect_contents(args, contents);
        assert_messages(&errors.messages(), messages, contents);
    }
}

#[test]
fn what_may_hide_a_route_is_refused() {
    for (contents, messages) in BESIDE_A_ROUTE {
        let contents = format!("{contents} #[get(\"/\")] async fn route() {{}}");
        let (_, errors) = protect_contents("", &contents);
        assert_messages(&errors.messages(), messages, &contents);
    }
}

/// Returns the tokens with each name as a raw identifier.
fn raw(tokens: TokenStream) -> TokenStream {
    let raw_token = |token| match token {
        TokenTree::Group(group) => {
            let mut rewritten = Group::new(group.delimiter(), raw(group.stream()));
            rewritten.set_span(group.span());
            rewritten.into()
        }
        TokenTree::Ident(name) if syn::parse_str::<Ident>(&name.to_string()).is_ok() => {
            match name.to_string().as_str() {
                // A lifetime's name, and what has another meaning if it is raw.
                "c" | "macro_rules" | "union" | "_" => name.into(),
                plain => Ident::new_raw(plain.trim_start_matches("r#"), name.span()).into(),
            }
        }
        token => token,
    };
    tokens.into_iter().map(raw_token).collect()
}

#[test]
fn raw_identifiers_hide_nothing() {
    let beside = BESIDE_A_ROUTE.iter();
    let beside = beside.map(|(contents, messages)| ("", *contents, *messages));
    for (args, contents, messages) in beside.chain(COMBINED.iter().copied()) {
        let raw = raw(contents.parse().unwrap()).to_string();
        let contents = format!("{raw} #[get(\"/\")] fn route() {{}}");
        let (_, errors) = protect_contents(args, &contents);
        let found = errors.messages();
        assert!(
            found.len() >= messages.len(),
            "{raw}: {messages:?}, {found:?}"
        );
    }
    for (args, contents, expected) in PROTECTED {
        let count = |tokens: &str| tokens.matches("validate_twilio_request").count();
        let raw = raw(contents.parse().unwrap()).to_string();
        let (module, _) = protect_contents(args, &raw);
        let module = module.to_token_stream().to_string();
        assert!(count(&module) >= count(expected), "{module}");
    }
}

#[test]
fn handler_in_a_fragment_of_a_macro_is_refused() {
    let fragment = Group::new(Delimiter::None, quote!(g));
    let module = quote! {
        mod m {
            #[get("/")] async fn route() {}
            fn g() {}
            fn f() { a.to(#fragment); }
        }
    };
    let mut errors = Errors::default();
    let options = Options::parse(TokenStream::new(), &mut errors);
    protect(&mut parse(&module).unwrap(), &options, &mut errors);
    assert_messages(&errors.messages(), &[UNPROTECTED], "a fragment");
}

#[test]
fn modules_need_a_route() {
    for (contents, messages) in WITHOUT_A_ROUTE {
        let (_, errors) = protect_contents("", contents);
        assert_messages(&errors.messages(), messages, contents);
    }
}

#[test]
fn every_route_attribute_of_actix_web_is_known() {
    let routes = "connect delete get head options patch post put route routes trace";
    for route in routes
        .split(' ')
        .flat_map(|route| [route.to_owned(), format!("a::r#{route}")])
    {
        let contents = format!("#[{route}(\"/\")] async fn f() {{}}");
        let (module, errors) = protect_contents("", &contents);
        assert_messages(&errors.messages(), &[], &route);
        let expanded = module.to_token_stream().to_string();
        assert!(expanded.contains("validate_twilio_request"), "{route}");
    }
}
