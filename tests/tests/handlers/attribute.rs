//! The attribute on handlers of every shape: a genuine request gets through with its values, a forged
//! one gets a 403 and the handler does not run.

use std::{
    borrow::Cow,
    cell::Cell,
    fmt::{self, Display},
    future::{Ready, ready},
};

use actix_twilio::{TwilioConfig, WebhookRequest, signature::body_sha256, validate_twilio_request};
use actix_twilio_tests::{FORGED, FORM, config, validator};
use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, Responder, Route,
    dev::{HttpServiceFactory, Payload},
    error::{ErrorImATeapot, ErrorUnprocessableEntity},
    get,
    http::{Method, StatusCode, Uri},
    post, route, routes, scope,
    test::{TestRequest, call_service, init_service, read_body},
    web::{self, Bytes},
};
use futures_util::StreamExt;
use serde::{Deserialize, de::DeserializeOwned};

/// The way by which another crate may hand this one on.
mod reexport {
    pub(crate) use actix_twilio as twilio;
}

const ORIGIN: &str = "https://example.com";

/// A message's parameters.
const SMS: &str = "From=%2B14158675310&Body=Hi";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sms {
    from: String,
    body: String,
}

impl AsRef<str> for Sms {
    fn as_ref(&self) -> &str {
        &self.body
    }
}

// A test has a thread of its own, and the handlers that it calls run there too.
thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
    static EXTRACTIONS: Cell<usize> = const { Cell::new(0) };
    static PERMITS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the run of a handler, and returns its answer.
fn answer(text: impl Display) -> String {
    RUNS.set(RUNS.get() + 1);
    text.to_string()
}

/// An extractor that counts how often it ran.
struct Nth<const N: usize>;

impl<const N: usize> FromRequest for Nth<N> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        EXTRACTIONS.set(EXTRACTIONS.get() + 1);
        ready(Ok(Self))
    }
}

impl<const N: usize> Display for Nth<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N}")
    }
}

/// An extractor that counts how many of it are held.
struct Permit;

impl FromRequest for Permit {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        PERMITS.set(PERMITS.get() + 1);
        ready(Ok(Self))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        PERMITS.set(PERMITS.get() - 1);
    }
}

/// Handlers with the attribute in each place.
mod placed {
    use super::{
        Responder, Sms, answer, get, post, route, routes, scope, validate_twilio_request, web,
    };

    #[get("/")]
    #[validate_twilio_request]
    pub(crate) async fn below_get(query: web::Query<Sms>) -> impl Responder {
        answer(&query.body)
    }

    #[validate_twilio_request]
    #[get("/")]
    pub(crate) async fn above_get(query: web::Query<Sms>) -> impl Responder {
        answer(&query.body)
    }

    #[post("/")]
    #[validate_twilio_request]
    pub(crate) async fn below_post(form: web::Form<Sms>) -> impl Responder {
        answer(&form.body)
    }

    #[validate_twilio_request]
    #[post("/")]
    pub(crate) async fn above_post(form: web::Form<Sms>) -> impl Responder {
        answer(&form.body)
    }

    #[route("/", method = "GET", method = "POST", name = "below")]
    #[validate_twilio_request]
    pub(crate) async fn below_route(_: String) -> impl Responder {
        answer("Hi")
    }

    #[validate_twilio_request]
    #[route("/", method = "GET", method = "POST", name = "above")]
    pub(crate) async fn above_route(_: String) -> impl Responder {
        answer("Hi")
    }

    #[routes]
    #[get("/get")]
    #[post("/post")]
    #[validate_twilio_request]
    pub(crate) async fn below_routes(_: String) -> impl Responder {
        answer("Hi")
    }

    #[validate_twilio_request]
    #[routes]
    #[get("/get")]
    #[post("/post")]
    pub(crate) async fn above_routes(_: String) -> impl Responder {
        answer("Hi")
    }

    #[routes]
    #[get("/get")]
    #[validate_twilio_request]
    #[post("/post")]
    pub(crate) async fn amid_routes(_: String) -> impl Responder {
        answer("Hi")
    }

    #[scope("/scope")]
    pub(crate) mod scoped {
        use super::{Responder, Sms, answer, post, validate_twilio_request, web};

        #[post("/below")]
        #[validate_twilio_request]
        pub(crate) async fn below(form: web::Form<Sms>) -> impl Responder {
            answer(&form.body)
        }

        #[validate_twilio_request]
        #[post("/above")]
        pub(crate) async fn above(form: web::Form<Sms>) -> impl Responder {
            answer(&form.body)
        }
    }

    #[validate_twilio_request]
    pub(crate) async fn plain(form: web::Form<Sms>) -> impl Responder {
        answer(&form.body)
    }
}

#[actix_web::test]
async fn guards_wherever_it_stands() {
    use self::placed::{
        above_get, above_post, above_route, above_routes, amid_routes, below_get, below_post,
        below_route, below_routes, plain, scoped,
    };

    let posted = || web::post().to(plain);
    let resource = || web::resource("/").route(posted());
    assert_guarded("below get", below_get, &get("/"), "200 Hi").await;
    assert_guarded("above get", above_get, &get("/"), "200 Hi").await;
    assert_guarded("below post", below_post, &sms("/"), "200 Hi").await;
    assert_guarded("above post", above_post, &sms("/"), "200 Hi").await;
    assert_guarded("below route, GET", below_route, &get("/"), "200 Hi").await;
    assert_guarded("below route, POST", below_route, &sms("/"), "200 Hi").await;
    assert_guarded("above route, GET", above_route, &get("/"), "200 Hi").await;
    assert_guarded("above route, POST", above_route, &sms("/"), "200 Hi").await;
    assert_guarded("below routes, 1st", below_routes, &get("/get"), "200 Hi").await;
    assert_guarded("below routes, 2nd", below_routes, &sms("/post"), "200 Hi").await;
    assert_guarded("above routes, 1st", above_routes, &get("/get"), "200 Hi").await;
    assert_guarded("above routes, 2nd", above_routes, &sms("/post"), "200 Hi").await;
    assert_guarded("amid routes, 1st", amid_routes, &get("/get"), "200 Hi").await;
    assert_guarded("amid routes, 2nd", amid_routes, &sms("/post"), "200 Hi").await;
    assert_guarded(
        "below, in scope",
        scoped::below,
        &sms("/scope/below"),
        "200 Hi",
    )
    .await;
    assert_guarded(
        "above, in scope",
        scoped::above,
        &sms("/scope/above"),
        "200 Hi",
    )
    .await;
    assert_guarded("web::resource", resource(), &sms("/"), "200 Hi").await;
    let in_scope = web::scope("/scope").route("/plain", posted());
    assert_guarded("web::scope", in_scope, &sms("/scope/plain"), "200 Hi").await;
}

#[actix_web::test]
async fn passes_up_to_sixteen_arguments_in_order() {
    #[validate_twilio_request]
    async fn none() -> impl Responder {
        answer("none")
    }

    #[validate_twilio_request]
    async fn one(body: String) -> impl Responder {
        answer(body)
    }

    #[validate_twilio_request]
    async fn two(first: Nth<1>, body: String) -> impl Responder {
        answer(format!("{first} {body}"))
    }

    #[validate_twilio_request]
    async fn sixteen(
        n1: Nth<1>,
        n2: Nth<2>,
        n3: Nth<3>,
        n4: Nth<4>,
        n5: Nth<5>,
        n6: Nth<6>,
        n7: Nth<7>,
        n8: Nth<8>,
        n9: Nth<9>,
        n10: Nth<10>,
        n11: Nth<11>,
        n12: Nth<12>,
        n13: Nth<13>,
        n14: Nth<14>,
        n15: Nth<15>,
        body: String,
    ) -> impl Responder {
        answer(format!(
            "{n1} {n2} {n3} {n4} {n5} {n6} {n7} {n8} {n9} {n10} {n11} {n12} {n13} {n14} {n15} {body}"
        ))
    }

    let numbers = "200 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 ";
    assert_routes_guarded([
        ("none", web::to(none), "200 none"),
        ("one", web::to(one), &format!("200 {SMS}")),
        ("two", web::to(two), &format!("200 1 {SMS}")),
        ("sixteen", web::to(sixteen), &format!("{numbers}{SMS}")),
    ])
    .await;
}

#[actix_web::test]
async fn binds_arguments_to_their_patterns() {
    #[validate_twilio_request]
    async fn mutable(mut body: String) -> impl Responder {
        body.push('!');
        answer(body)
    }

    #[validate_twilio_request]
    async fn unbound(_: Nth<1>, web::Form(sms): web::Form<Sms>, _: HttpRequest) -> impl Responder {
        answer(sms.body)
    }

    #[validate_twilio_request]
    async fn all_unbound(_: String, _: HttpRequest) -> impl Responder {
        answer("Hi")
    }

    #[validate_twilio_request]
    async fn destructured(
        (method, _): (Method, Uri),
        web::Form(Sms {
            from,
            body: mut text,
        }): web::Form<Sms>,
    ) -> impl Responder {
        text.push('!');
        answer(format!("{method} {from} {text}"))
    }

    #[validate_twilio_request]
    async fn by_reference(
        ref req: HttpRequest,
        web::Form(ref sms): web::Form<Sms>,
    ) -> impl Responder {
        answer(format!("{} {}", req.path(), sms.body))
    }

    #[validate_twilio_request]
    async fn bound_whole(whole @ web::Form(_): web::Form<Sms>) -> impl Responder {
        answer(&whole.body)
    }

    // Names that the expansion uses.
    #[validate_twilio_request]
    async fn own_names(validated: Method, inner: String) -> impl Responder {
        answer(format!("{validated} {inner}"))
    }

    #[validate_twilio_request]
    async fn raw_name(r#type: Method) -> impl Responder {
        answer(r#type)
    }

    assert_routes_guarded([
        ("mut", web::to(mutable), &format!("200 {SMS}!")),
        ("_", web::to(unbound), "200 Hi"),
        ("_ alone", web::to(all_unbound), "200 Hi"),
        (
            "tuple and struct",
            web::to(destructured),
            "200 POST +14158675310 Hi!",
        ),
        ("ref", web::to(by_reference), "200 /handler Hi"),
        ("name @ pattern", web::to(bound_whole), "200 Hi"),
        (
            "names of the expansion",
            web::to(own_names),
            &format!("200 POST {SMS}"),
        ),
        ("raw name", web::to(raw_name), "200 POST"),
    ])
    .await;
}

#[actix_web::test]
async fn holds_unbound_arguments_until_the_body_is_done() {
    #[validate_twilio_request]
    async fn unbound(_: Permit, _: String) -> impl Responder {
        answer(PERMITS.get())
    }

    #[validate_twilio_request]
    async fn in_a_pattern((_, body): (Permit, String)) -> impl Responder {
        answer(format!("{} {body}", PERMITS.get()))
    }

    #[validate_twilio_request]
    async fn with_lint_level(#[allow(unused_variables)] _: Permit) -> impl Responder {
        answer(PERMITS.get())
    }

    assert_routes_guarded([
        ("_", web::to(unbound), "200 1"),
        (
            "_ in a pattern",
            web::to(in_a_pattern),
            &format!("200 1 {SMS}"),
        ),
        ("_ with a lint level", web::to(with_lint_level), "200 1"),
    ])
    .await;
    assert_eq!(PERMITS.get(), 0);
}

/// Handlers of several arguments, each plain and with the attribute.
mod dropping {
    use std::{
        cell::RefCell,
        future::{Ready, ready},
    };

    use actix_web::{
        Error, FromRequest, HttpRequest, Route,
        dev::Payload,
        web::{self},
    };

    use super::validate_twilio_request;

    thread_local! {
        static DROPPED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }

    /// Returns the numbers of what was dropped since the last call; 0 is the end of the body.
    pub(super) fn dropped() -> Vec<usize> {
        DROPPED.take()
    }

    /// An extractor that notes when it is dropped.
    pub(super) struct Noted<const N: usize>;

    impl<const N: usize> Drop for Noted<N> {
        fn drop(&mut self) {
            DROPPED.with_borrow_mut(|dropped| dropped.push(N));
        }
    }

    impl<const N: usize> FromRequest for Noted<N> {
        type Error = Error;
        type Future = Ready<Result<Self, Error>>;

        fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
            ready(Ok(Self))
        }
    }

    macro_rules! handlers {
        ($($name:ident($($arguments:tt)*);)+) => {
            #[expect(unused_variables, reason = "they are dropped")]
            #[allow(clippy::toplevel_ref_arg, reason = "a pattern like others")]
            mod plain {
                use super::Noted;

                $(pub(super) async fn $name($($arguments)*) -> &'static str {
                    let _end = Noted::<0>;
                    ""
                })+
            }

            #[expect(unused_variables, reason = "they are dropped")]
            #[allow(clippy::toplevel_ref_arg, reason = "a pattern like others")]
            mod annotated {
                use super::{Noted, validate_twilio_request};

                $(#[validate_twilio_request]
                pub(super) async fn $name($($arguments)*) -> &'static str {
                    let _end = Noted::<0>;
                    ""
                })+
            }

            /// Returns the routes to each handler: plain, and with the attribute.
            pub(super) fn routes() -> Vec<(&'static str, Route, Route)> {
                vec![$((stringify!($name), web::to(plain::$name), web::to(annotated::$name))),+]
            }
        };
    }

    handlers! {
        names(a: Noted<1>, b: Noted<2>, c: Noted<3>);
        unbound(_: Noted<1>, b: Noted<2>, _: Noted<3>);
        one_in_parts((a, _): (Noted<1>, Noted<2>));
        one_by_reference(ref a: Noted<1>);
        first_in_parts((a, _): (Noted<1>, Noted<2>), b: Noted<3>, _: Noted<4>);
        last_in_parts(a: Noted<1>, _: Noted<2>, (_, b): (Noted<3>, Noted<4>));
        all_in_parts((a, _): (Noted<1>, Noted<2>), (_, b): (Noted<3>, Noted<4>), (c, _): (Noted<5>, Noted<6>));
        in_the_middle(a: Noted<1>, (b, ..): (Noted<2>, Noted<3>, Noted<4>), ref c: Noted<5>, d: Noted<6>);
        lint_levels(#[allow(unused)] a: Noted<1>, #[allow(unused)] _: Noted<2>, (_, b): (Noted<3>, Noted<4>), c: Noted<5>);
        lint_level_last(a: Noted<1>, (b, _): (Noted<2>, Noted<3>), #[allow(unused)] (_, c): (Noted<4>, Noted<5>));
    }
}

#[actix_web::test]
async fn drops_arguments_in_the_order_of_a_plain_function() {
    for (name, plain, annotated) in dropping::routes() {
        let app = App::new()
            .app_data(guarding())
            .route("/plain", plain)
            .route("/annotated", annotated);
        let app = init_service(app).await;
        let mut found = Vec::new();
        for path in ["/plain", "/annotated"] {
            let webhook = get(path);
            let req = webhook.signed(&webhook.signature()).to_request();
            assert_eq!(call_service(&app, req).await.status(), 200, "{name} {path}");
            found.push(dropping::dropped());
        }
        assert_eq!(found[0][0], 0, "{name}: the body ends first");
        assert_eq!(found[1], found[0], "{name}");
    }
}

#[actix_web::test]
async fn keeps_lifetimes() {
    #[derive(Deserialize)]
    struct Borrowed<'a> {
        #[serde(rename = "Body")]
        body: Cow<'a, str>,
    }

    #[validate_twilio_request]
    async fn named<'a>(sms: web::Form<Borrowed<'a>>) -> impl Responder {
        answer(&sms.body)
    }

    #[validate_twilio_request]
    async fn elided(web::Form(sms): web::Form<Borrowed<'_>>) -> impl Responder {
        answer(sms.body)
    }

    #[validate_twilio_request]
    async fn shared<'a>(text: Option<web::Data<Cow<'a, str>>>, _: HttpRequest) -> impl Responder {
        answer(text.is_some())
    }

    #[post("/")]
    #[validate_twilio_request]
    async fn posted(web::Form(sms): web::Form<Borrowed<'_>>) -> impl Responder {
        answer(sms.body)
    }

    struct Webhooks<'a>(&'a ());

    impl<'a> Webhooks<'a> {
        #[validate_twilio_request]
        async fn associated(text: Option<web::Data<Cow<'a, str>>>) -> impl Responder {
            ready(answer(text.is_some())).await
        }
    }

    assert_routes_guarded([
        ("named", web::to(named), "200 Hi"),
        ("elided", web::to(elided), "200 Hi"),
        ("shared", web::to(shared), "200 false"),
        ("of an impl", web::to(Webhooks::associated), "200 false"),
    ])
    .await;
    assert_guarded("below post", posted, &sms("/"), "200 Hi").await;
    let () = Webhooks(&()).0;
}

#[actix_web::test]
async fn stands_in_any_impl_and_takes_its_parameters_and_options() {
    trait Store {
        const NAME: &'static str;
    }

    struct Memory;

    impl Store for Memory {
        const NAME: &'static str = "memory";
    }

    struct Webhooks<Db, T>(Db, T);

    // No bound makes these types extractors; those that are registered are.
    impl<Db: Store, T: AsRef<str>> Webhooks<Db, T> {
        #[validate_twilio_request(public_url = "https://example.com")]
        async fn with_option(db: Option<web::Data<Db>>, sms: web::Form<T>) -> impl Responder {
            let text = format!("{} {}", db.map_or(Db::NAME, |_| ""), sms.0.as_ref());
            ready(answer(text)).await
        }

        #[validate_twilio_request(
            auth_token_env = "ACTIX_TWILIO_UNSET",
            url = "https://example.com/a"
        )]
        async fn with_options(_: T, _db: web::Data<Db>) -> impl Responder {
            ready(answer(Db::NAME)).await
        }
    }

    assert_routes_guarded([(
        "with an option",
        web::to(Webhooks::<Memory, Sms>::with_option),
        "200 memory Hi",
    )])
    .await;
    let _compiles = web::to(Webhooks::<Memory, String>::with_options);
    let _ = Webhooks(Memory, "").0;
}

#[actix_web::test]
async fn keeps_generics_and_where_clauses() {
    #[validate_twilio_request]
    async fn bounded<T>(web::Form(sms): web::Form<T>) -> impl Responder
    where
        T: DeserializeOwned + AsRef<str> + 'static,
    {
        answer(sms.as_ref())
    }

    // What makes it an extractor is told where it is registered only.
    #[validate_twilio_request]
    async fn loosely_bounded<T: AsRef<str>>(web::Form(sms): web::Form<T>) -> impl Responder {
        answer(sms.as_ref())
    }

    #[validate_twilio_request]
    async fn any_extractor<A, B>(a: A, b: B) -> impl Responder
    where
        A: Display,
        B: AsRef<[u8]>,
    {
        answer(format!("{a} {}", b.as_ref().len()))
    }

    #[validate_twilio_request]
    async fn constant<const N: usize>(nth: Nth<N>) -> impl Responder {
        answer(nth)
    }

    struct Webhooks<T>(T);

    impl<T: DeserializeOwned + AsRef<str> + 'static> Webhooks<T> {
        #[validate_twilio_request]
        async fn associated(web::Form(sms): web::Form<T>) -> impl Responder {
            answer(Self(sms).0.as_ref())
        }
    }

    assert_routes_guarded([
        ("bounds", web::to(bounded::<Sms>), "200 Hi"),
        ("loose bounds", web::to(loosely_bounded::<Sms>), "200 Hi"),
        (
            "any extractor",
            web::to(any_extractor::<Nth<1>, Bytes>),
            "200 1 27",
        ),
        ("constant", web::to(constant::<7>), "200 7"),
        ("associated", web::to(Webhooks::<Sms>::associated), "200 Hi"),
    ])
    .await;
}

#[actix_web::test]
async fn keeps_return_types_and_ways_to_return() {
    #[validate_twilio_request]
    async fn concrete(body: String) -> HttpResponse {
        HttpResponse::Created().body(answer(body))
    }

    #[validate_twilio_request]
    async fn result(web::Form(sms): web::Form<Sms>) -> Result<impl Responder, Error> {
        let digits = answer(sms.from).trim_start_matches('+').parse::<u64>();
        let digits = digits.map_err(ErrorUnprocessableEntity)?;
        Ok(digits.to_string())
    }

    #[validate_twilio_request]
    async fn error(_: String) -> Result<HttpResponse, Error> {
        Err(ErrorImATeapot(answer("teapot")))
    }

    #[validate_twilio_request]
    async fn question_mark(web::Form(sms): web::Form<Sms>) -> Result<String, Error> {
        answer(&sms.body);
        Ok(sms
            .body
            .parse::<u64>()
            .map_err(|_| ErrorImATeapot("no number"))?
            .to_string())
    }

    #[validate_twilio_request]
    async fn early_return(body: String) -> impl Responder {
        if !body.is_empty() {
            return answer("early");
        }
        answer("late")
    }

    #[validate_twilio_request]
    async fn unit_result(_: String) -> Result<(), Error> {
        answer("");
        Ok(())
    }

    #[validate_twilio_request]
    async fn tuple(body: String) -> (String, StatusCode) {
        (answer(body), StatusCode::ACCEPTED)
    }

    assert_routes_guarded([
        ("concrete", web::to(concrete), &format!("201 {SMS}")),
        (
            "Result<impl Responder, _>",
            web::to(result),
            "200 14158675310",
        ),
        ("Err", web::to(error), "418 teapot"),
        ("?", web::to(question_mark), "418 no number"),
        ("return", web::to(early_return), "200 early"),
        ("Result<(), _>", web::to(unit_result), "204 "),
        ("with a status", web::to(tuple), &format!("202 {SMS}")),
    ])
    .await;
}

#[actix_web::test]
async fn keeps_items_of_the_body_apart_from_the_arguments() {
    #[validate_twilio_request]
    async fn handler(web::Form(sms): web::Form<Sms>, _: HttpRequest) -> impl Responder {
        #![allow(dead_code)]

        mod web {
            pub(super) struct Form;
        }
        struct Sms;
        struct HttpRequest;
        #[expect(
            non_upper_case_globals,
            reason = "it is named like the argument of another handler"
        )]
        const body: &str = "item";

        let _: (web::Form, Sms) = (web::Form, Sms);
        answer(format!("{} {body}", sms.body))
    }

    assert_routes_guarded([("items", web::to(handler), "200 Hi item")]).await;
}

#[actix_web::test]
async fn keeps_attributes_and_visibility() {
    mod hooks {
        use super::{Responder, answer, validate_twilio_request};

        /// Answers with its body.
        #[validate_twilio_request]
        #[must_use]
        pub(super) async fn public(body: String) -> impl Responder {
            answer(body)
        }

        #[validate_twilio_request]
        #[cfg(any())]
        pub(super) async fn conditional(_: NoSuchType) -> impl Responder {
            answer("left out")
        }

        #[cfg(not(any()))]
        #[validate_twilio_request]
        pub(super) async fn conditional(_: String) -> impl Responder {
            answer("taken")
        }

        #[cfg_attr(all(), validate_twilio_request)]
        pub(super) async fn conditionally_guarded(body: String) -> impl Responder {
            answer(body)
        }
    }

    assert_routes_guarded([
        ("pub", web::to(hooks::public), &format!("200 {SMS}")),
        ("#[cfg]", web::to(hooks::conditional), "200 taken"),
        (
            "#[cfg_attr]",
            web::to(hooks::conditionally_guarded),
            &format!("200 {SMS}"),
        ),
    ])
    .await;
}

/// Handlers of each kind of extractor.
mod extracting {
    use super::{
        Bytes, Deserialize, Error, HttpRequest, Responder, Sms, StreamExt, answer,
        validate_twilio_request, web,
    };

    #[derive(Deserialize)]
    pub(crate) struct Event {
        sid: String,
    }

    #[validate_twilio_request]
    pub(crate) async fn of_form(form: web::Form<Sms>) -> impl Responder {
        answer(format!("{} {}", form.from, form.body))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_json(web::Json(event): web::Json<Event>) -> impl Responder {
        answer(event.sid)
    }

    #[validate_twilio_request]
    pub(crate) async fn of_string(body: String) -> impl Responder {
        answer(body)
    }

    #[validate_twilio_request]
    pub(crate) async fn of_bytes(body: Bytes) -> impl Responder {
        answer(String::from_utf8_lossy(&body))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_payload(mut payload: web::Payload) -> impl Responder {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            body.extend_from_slice(&chunk.unwrap());
        }
        answer(String::from_utf8_lossy(&body))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_request(req: HttpRequest) -> impl Responder {
        answer(format!("{} {}", req.method(), req.uri()))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_data(
        data: web::Data<&'static str>,
        web::Form(sms): web::Form<Sms>,
    ) -> impl Responder {
        answer(format!("{} {}", data.get_ref(), sms.body))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_path(
        path: web::Path<(String,)>,
        query: web::Query<Sms>,
    ) -> impl Responder {
        answer(format!("{} {}", path.0, query.body))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_option(
        form: Option<web::Form<Sms>>,
        data: Option<web::Data<u8>>,
    ) -> impl Responder {
        answer(format!("{} {}", form.is_some(), data.is_some()))
    }

    #[validate_twilio_request]
    pub(crate) async fn of_result(
        json: Result<web::Json<Event>, Error>,
        req: Result<HttpRequest, Error>,
    ) -> impl Responder {
        answer(format!("{} {}", json.is_ok(), req.is_ok()))
    }
}

#[actix_web::test]
async fn hands_every_kind_of_extractor_its_value() {
    use self::extracting::{
        of_bytes, of_data, of_form, of_json, of_option, of_path, of_payload, of_request, of_result,
        of_string,
    };

    let event = r#"{"sid":"EV1"}"#;
    let service = web::resource("/json").to(of_json);
    assert_guarded("web::Json", service, &json("/json", event), "200 EV1").await;
    let service = web::resource("/get/{name}").to(of_path);
    assert_guarded(
        "web::Path, web::Query",
        service,
        &get("/get/it"),
        "200 it Hi",
    )
    .await;
    assert_routes_guarded([
        ("web::Form", web::to(of_form), "200 +14158675310 Hi"),
        ("String", web::to(of_string), &format!("200 {SMS}")),
        ("web::Bytes", web::to(of_bytes), &format!("200 {SMS}")),
        ("web::Payload", web::to(of_payload), &format!("200 {SMS}")),
        ("HttpRequest", web::to(of_request), "200 POST /handler"),
        ("web::Data", web::to(of_data), "200 shared Hi"),
        ("Option", web::to(of_option), "200 true false"),
        ("Result", web::to(of_result), "200 false true"),
    ])
    .await;
}

#[actix_web::test]
async fn passes_on_the_errors_of_extractors() {
    #[validate_twilio_request]
    async fn handler(_: web::Json<Sms>) -> impl Responder {
        answer("never")
    }

    let service = web::resource("/").to(handler);
    let app = init_service(App::new().app_data(guarding()).service(service)).await;
    let webhook = sms("/");
    let req = webhook.signed(&webhook.signature());
    let res = call_service(&app, req.to_request()).await;
    assert_eq!(res.status(), StatusCode::BAD_REQUEST);
    assert_eq!(RUNS.get(), 0);
}

#[actix_web::test]
async fn runs_no_extractor_before_the_verdict() {
    #[validate_twilio_request]
    async fn one(_: Nth<1>) -> impl Responder {
        answer(EXTRACTIONS.get())
    }

    #[validate_twilio_request]
    async fn several(_: Nth<1>, _: String, _: Nth<2>) -> impl Responder {
        answer(EXTRACTIONS.get())
    }

    #[validate_twilio_request]
    async fn wrapped(_: Option<Nth<1>>, _: Result<Nth<2>, Error>) -> impl Responder {
        answer(EXTRACTIONS.get())
    }

    #[post("/")]
    #[validate_twilio_request]
    async fn below_post(_: Nth<1>) -> impl Responder {
        answer(EXTRACTIONS.get())
    }

    // That none ran is asserted for each forged request.
    assert_routes_guarded([
        ("one", web::to(one), "200 1"),
        ("several", web::to(several), "200 2"),
        ("wrapped", web::to(wrapped), "200 2"),
    ])
    .await;
    assert_guarded("below post", below_post, &sms("/"), "200 1").await;
}

#[actix_web::test]
async fn finds_the_crate_where_the_option_says() {
    use actix_twilio as renamed;

    #[validate_twilio_request(crate = reexport::twilio)]
    async fn relative(body: String) -> impl Responder {
        answer(body)
    }

    #[renamed::validate_twilio_request(crate = renamed,)]
    async fn renamed_crate(body: String) -> impl Responder {
        answer(body)
    }

    #[validate_twilio_request(crate = crate::attribute::reexport::twilio)]
    async fn absolute() -> impl Responder {
        answer("Hi")
    }

    assert_routes_guarded([
        ("relative", web::to(relative), &format!("200 {SMS}")),
        ("renamed", web::to(renamed_crate), &format!("200 {SMS}")),
        ("absolute", web::to(absolute), "200 Hi"),
    ])
    .await;
}

#[actix_web::test]
async fn expands_inside_macro_rules() {
    macro_rules! handler {
        ($(#[$attr:meta])* $vis:vis $name:ident($pat:pat => $ty:ty) -> $ret:ty $body:block in $krate:path) => {
            $(#[$attr])*
            #[validate_twilio_request(crate = $krate)]
            $vis async fn $name($pat: $ty) -> $ret $body
        };
    }

    handler! {
        /// Answers with its form.
        #[must_use]
        of_fragments(web::Form(Sms { body, .. }) => web::Form<Sms>) -> String { answer(body) } in ::actix_twilio
    }

    assert_routes_guarded([("fragments", web::to(of_fragments), "200 Hi")]).await;
}

#[actix_web::test]
async fn expands_to_code_free_of_warnings() {
    assert_routes_guarded([
        ("no argument", web::to(strict::no_argument), "200 Hi"),
        ("one expression", web::to(strict::one_expression), "200 Hi"),
        ("one if", web::to(strict::one_if), "200 Hi"),
        ("underscores", web::to(strict::underscores), "200 Hi"),
        ("moved in part", web::to(strict::moved_in_part), "200 Hi"),
        ("complex types", web::to(strict::complex_types), "200 Hi"),
        ("generic", web::to(strict::generic::<Sms>), "200 Hi"),
        ("lint levels", web::to(strict::lint_levels), "200 Hi"),
        ("sixteen", web::to(strict::sixteen_arguments), "200 Hi"),
    ])
    .await;
    assert_guarded("below post", strict::below_post, &sms("/"), "200 Hi").await;
    assert_guarded("above post", strict::above_post, &sms("/"), "200 Hi").await;
    let _ = (strict::empty_body, strict::returns_unit);
}

/// Handlers whose expansion is free of rustc's and clippy's warnings.
#[deny(warnings, unused, clippy::all, clippy::pedantic)]
mod strict {
    use std::{collections::HashMap, sync::Arc};

    use actix_web::{Error, HttpRequest, Responder, post, web};
    use serde::de::DeserializeOwned;

    use super::{Nth, Sms, answer, reexport, validate_twilio_request};

    type Parts = (HttpRequest, String);

    #[validate_twilio_request]
    pub(super) async fn no_argument() -> String {
        answer("Hi")
    }

    #[validate_twilio_request]
    pub(super) async fn one_expression(_: web::Form<Sms>) -> impl Responder {
        answer("Hi")
    }

    #[validate_twilio_request]
    pub(super) async fn one_if(body: String) -> String {
        if body.is_empty() { body } else { answer("Hi") }
    }

    #[validate_twilio_request]
    pub(super) async fn underscores(
        _: HttpRequest,
        _req: HttpRequest,
        (): (),
        _: String,
    ) -> String {
        answer("Hi")
    }

    #[validate_twilio_request]
    pub(super) async fn moved_in_part(mut req: HttpRequest, (_, _): Parts) -> String {
        req = req.clone();
        answer(req.method()).replace("POST", "Hi")
    }

    #[validate_twilio_request(crate = reexport::twilio)]
    pub(super) async fn complex_types(
        _: Option<web::Data<HashMap<String, Vec<Result<Box<Arc<[(u8, Option<u8>)]>>, Error>>>>>,
        _: Result<web::Json<HashMap<String, Vec<Option<(u8, Result<Box<String>, u8>)>>>>, Error>,
    ) -> Result<impl Responder, Error> {
        Ok(answer("Hi"))
    }

    #[validate_twilio_request]
    pub(super) async fn generic<T>(web::Form(form): web::Form<T>) -> String
    where
        T: DeserializeOwned + AsRef<str> + 'static,
    {
        answer(form.as_ref())
    }

    #[validate_twilio_request]
    pub(super) async fn lint_levels(
        #[expect(unused_variables, reason = "to be met by this very argument")] first: Nth<1>,
        #[expect(unused_variables, reason = "to be met by this very argument")] second: Nth<2>,
        #[expect(unused_mut, reason = "to be met by this very argument")] mut third: Nth<3>,
    ) -> String {
        answer(third).replace('3', "Hi")
    }

    #[post("/")]
    #[validate_twilio_request]
    pub(super) async fn below_post(_: HttpRequest, _: String) -> impl Responder {
        answer("Hi")
    }

    #[validate_twilio_request]
    #[post("/")]
    pub(super) async fn above_post(_: HttpRequest, _: String) -> impl Responder {
        answer("Hi")
    }

    #[validate_twilio_request]
    pub(super) async fn sixteen_arguments(
        _n1: Nth<1>,
        _n2: Nth<2>,
        _n3: Nth<3>,
        _n4: Nth<4>,
        _n5: Nth<5>,
        _n6: Nth<6>,
        _n7: Nth<7>,
        _n8: Nth<8>,
        _n9: Nth<9>,
        _n10: Nth<10>,
        _n11: Nth<11>,
        _n12: Nth<12>,
        _n13: Nth<13>,
        _n14: Nth<14>,
        _n15: Nth<15>,
        _n16: Nth<16>,
    ) -> String {
        answer("Hi")
    }

    // No route takes these, but that is for actix-web to say.
    #[validate_twilio_request]
    pub(super) async fn empty_body() {}

    #[validate_twilio_request]
    pub(super) async fn returns_unit(body: String) {
        drop(body);
    }
}

/// A request as Twilio makes it.
#[derive(Clone)]
struct Webhook {
    method: Method,
    target: String,
    content_type: Option<&'static str>,
    body: String,
}

/// Returns a request that has a message's parameters in the URL.
fn get(path: &str) -> Webhook {
    Webhook {
        method: Method::GET,
        target: format!("{path}?{SMS}"),
        content_type: None,
        body: String::new(),
    }
}

/// Returns a request that has a message's parameters in a form.
fn sms(path: &str) -> Webhook {
    Webhook {
        method: Method::POST,
        target: path.to_owned(),
        content_type: Some(FORM),
        body: SMS.to_owned(),
    }
}

/// Returns a request that has an event in its body and that body's hash in the URL.
fn json(path: &str, body: &str) -> Webhook {
    Webhook {
        method: Method::POST,
        target: format!("{path}?bodySHA256={}", body_sha256(body)),
        content_type: Some("application/json"),
        body: body.to_owned(),
    }
}

impl Webhook {
    fn signature(&self) -> String {
        let url = format!("{ORIGIN}{}", self.target);
        let mut request = WebhookRequest::new(self.method.as_str(), &url).body(&self.body);
        if let Some(content_type) = self.content_type {
            request = request.content_type(content_type);
        }
        validator().sign(&request).unwrap()
    }

    fn unsigned(&self) -> TestRequest {
        let req = TestRequest::with_uri(&self.target).method(self.method.clone());
        let req = match self.content_type {
            Some(content_type) => req.insert_header(("Content-Type", content_type)),
            None => req,
        };
        req.set_payload(self.body.clone())
    }

    fn signed(&self, signature: &str) -> TestRequest {
        self.unsigned()
            .insert_header(("X-Twilio-Signature", signature))
    }

    /// Returns the request with another last value.
    fn changed(&self) -> Self {
        let mut changed = self.clone();
        if changed.body.is_empty() {
            changed.target.push('!');
        } else {
            changed.body.push('!');
        }
        changed
    }
}

fn guarding() -> TwilioConfig {
    config().public_url(ORIGIN).unwrap().build().unwrap()
}

/// Asserts that these handlers get a message and give the answers, and run for genuine requests only.
async fn assert_routes_guarded<const N: usize>(cases: [(&str, Route, &str); N]) {
    for (name, route, expected) in cases {
        let service = web::resource("/handler").route(route);
        assert_guarded(name, service, &sms("/handler"), expected).await;
    }
}

/// Asserts that a handler gives this answer, a status and a text, to a request, and runs for none of
/// its forgeries.
async fn assert_guarded(
    name: &str,
    service: impl HttpServiceFactory + 'static,
    webhook: &Webhook,
    expected: &str,
) {
    let app = App::new()
        .app_data(guarding())
        .app_data(web::Data::new("shared"));
    let app = init_service(app.service(service)).await;

    let signature = webhook.signature();
    let changed = webhook.changed().signed(&signature);
    let requests = [
        ("genuine", webhook.signed(&signature), true),
        ("changed value", changed, false),
        ("forged signature", webhook.signed(FORGED), false),
        ("no signature", webhook.unsigned(), false),
    ];
    for (request, req, is_genuine) in requests {
        RUNS.set(0);
        EXTRACTIONS.set(0);
        let res = call_service(&app, req.to_request()).await;
        let status = res.status();
        let body = read_body(res).await;
        if is_genuine {
            let said = format!("{} {}", status.as_u16(), String::from_utf8_lossy(&body));
            assert_eq!(said, expected, "{name}, {request}");
            assert_eq!(RUNS.get(), 1, "{name}, {request}: runs");
        } else {
            assert_eq!(status, StatusCode::FORBIDDEN, "{name}, {request}");
            assert_eq!(RUNS.get(), 0, "{name}, {request}: runs");
            assert_eq!(EXTRACTIONS.get(), 0, "{name}, {request}: extractions");
        }
    }
}
