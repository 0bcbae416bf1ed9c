//! `Validated<T>` behind a route: what reaches the inner extractors, what is refused, and in which
//! order.

use std::{
    cell::Cell,
    future::{Ready, pending, ready},
    mem,
    rc::Rc,
    sync::{Arc, Mutex, RwLock},
    task::Poll,
};

use actix_twilio::{
    AuthToken, ConfigError, KeyStore, RequestValidator, TwilioConfig, TwilioConfigBuilder,
    Validated,
    ValidationErrorKind::{self as Kind, BodyTooLarge, BodyTooSlow, Signature},
    config::Mode,
    keys::{KeyQuery, KeyStoreError},
    signature::SignatureErrorKind,
    signature::SignatureErrorKind::SignatureMismatch,
};
use actix_twilio_tests::{
    FORGED, FORM, SETTINGS, SIGNATURE, TOKEN, config, hashed, in_child, in_children,
    log::Log,
    refusal,
    requests::{LIMIT, URL, call, call_app, form, get, json, limited, payload, refusals, request},
    sign_form, sign_text,
};
use actix_web::{
    App, Either, Error, FromRequest, HttpRequest, HttpResponse, Route,
    dev::{Payload, Service, ServiceResponse},
    error::{InternalError, PayloadError},
    http::{
        Method, Uri, Version,
        header::{
            CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, SEC_WEBSOCKET_KEY,
            TRANSFER_ENCODING, UPGRADE,
        },
    },
    rt::System,
    test::{self, TestRequest, call_service, init_service},
    web::{self, Bytes},
};
use futures_util::{StreamExt, future::poll_immediate, stream};
use serde::Deserialize;

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Body")]
    body: String,
}

thread_local! {
    /// How often the handler of [`echo`] ran. Each test has a thread of its own.
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// A handler that answers with the body.
fn echo() -> Route {
    web::to(async |body: Validated<Bytes>| {
        RUNS.set(RUNS.get() + 1);
        HttpResponse::Ok().body(body.into_inner())
    })
}

/// A handler that leaves the body alone.
fn ignore() -> Route {
    web::to(async |_: Validated<web::Payload>| {
        RUNS.set(RUNS.get() + 1);
        ""
    })
}

/// Checks an answer, and that the handler ran if that is 200, and did not if it is another one.
#[track_caller]
fn assert_answer(name: &str, res: &ServiceResponse, status: u16, kind: Option<Kind>) {
    assert_eq!(res.status(), status, "{name}");
    assert_eq!(refusal(res), kind, "{name}");
    assert_eq!(RUNS.take(), u32::from(status == 200), "{name}: handler");
}

/// The status that a refusal is answered with.
fn status_of(kind: Kind) -> u16 {
    match kind {
        BodyTooSlow => 408,
        BodyTooLarge => 413,
        Signature(
            SignatureErrorKind::EncodingUnsupported
            | SignatureErrorKind::CharsetUnsupported
            | SignatureErrorKind::ContentTypeConflicting,
        ) => 415,
        Kind::Config => 500,
        Kind::Overloaded => 503,
        _ => 403,
    }
}

#[actix_web::test]
async fn inner_extractors_get_the_validated_bytes() {
    type Form = web::Form<Message>;
    type Json = web::Json<Message>;
    type Nothing = ();
    const HI: &str = "Body=Hi+there";
    const JSON: &str = "{\"Body\":\"Hi there\"}";

    #[rustfmt::skip]
    type Sixteen = (
        HttpRequest, web::Path<String>, Form, web::Data<u8>, Option<web::ReqData<u8>>, Method, Uri,
        Nothing, Nothing, Nothing, Nothing, Nothing, Nothing, Nothing, Nothing, Nothing,
    );
    async fn sixteen(validated: Validated<Sixteen>) -> String {
        let (req, name, form, number, none, method, uri, ..) = validated.into_inner();
        assert_eq!(req.uri(), &uri);
        assert!(none.is_none());
        format!("{name} {} {} {method}", form.body, **number)
    }

    #[rustfmt::skip]
    let cases: Vec<(&str, Route, TestRequest, &str)> = vec![
        ("Form", web::to(async |v: Validated<Form>| v.into_inner().into_inner().body),
            form(HI), "Hi there"),
        ("Json", web::to(async |v: Validated<Json>| v.into_inner().into_inner().body),
            json(JSON), "Hi there"),
        ("Bytes of a form", web::to(async |v: Validated<Bytes>| v.into_inner()), form(HI), HI),
        ("Bytes of JSON", web::to(async |v: Validated<Bytes>| v.into_inner()), json(JSON), JSON),
        ("String", web::to(async |v: Validated<String>| v.into_inner()), form(HI), HI),
        ("String of a GET", web::to(async |v: Validated<String>| v.into_inner()), get(), ""),
        ("Payload", web::to(async |v: Validated<web::Payload>| {
            v.into_inner().to_bytes().await.unwrap()
        }), form(HI), HI),
        ("HttpRequest", web::to(async |v: Validated<HttpRequest>| v.path().to_owned()),
            get(), "/hook"),
        ("Path", web::to(async |v: Validated<web::Path<String>>| v.to_string()), get(), "hook"),
        ("Data", web::to(async |v: Validated<web::Data<u8>>| v.into_inner().to_string()),
            get(), "7"),
        ("Some", web::to(async |v: Validated<Option<Form>>| {
            v.into_inner().unwrap().into_inner().body
        }), form(HI), "Hi there"),
        ("None", web::to(async |v: Validated<Option<Json>>| v.is_none().to_string()),
            form(HI), "true"),
        ("Ok", web::to(async |v: Validated<Result<Form, Error>>| v.is_ok().to_string()),
            form(HI), "true"),
        ("Err", web::to(async |v: Validated<Result<Json, Error>>| v.is_ok().to_string()),
            form(HI), "false"),
        ("Either", web::to(async |v: Validated<Either<Json, Form>>| {
            matches!(v.into_inner(), Either::Right(_)).to_string()
        }), form(HI), "true"),
        ("()", web::to(async |_: Validated<()>| "ran"), form(HI), "ran"),
        ("one in a tuple", web::to(async |v: Validated<(Bytes,)>| v.into_inner().0), form(HI), HI),
        ("sixteen in a tuple", web::to(sixteen), form(HI), "hook Hi there 7 POST"),
    ];
    let config = config().build().unwrap();
    for (name, route, req, expected) in cases {
        let app = App::new()
            .app_data(config.clone())
            .app_data(web::Data::new(7_u8))
            .route("/{name}", route);
        let res = call_service(&init_service(app).await, req.to_request()).await;
        assert_eq!(res.status(), 200, "{name}");
        assert_eq!(test::read_body(res).await, expected, "{name}");
    }
}

/// An extractor that says that it ran.
struct Probe;

impl FromRequest for Probe {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        RUNS.set(RUNS.get() + 1);
        ready(Ok(Self))
    }
}

#[actix_web::test]
async fn inner_extractors_run_after_the_verdict() {
    let config = limited().build().unwrap();
    let route = || web::to(async |_: Validated<(Probe, Option<Probe>, Bytes)>| "");
    for (kind, sent) in refusals() {
        let res = call(&config, route(), sent).await;
        assert_answer(kind.as_str(), &res, status_of(kind), Some(kind));
    }
    let res = call(&config, route(), form("a=1")).await;
    assert_eq!((res.status().as_u16(), RUNS.take()), (200, 2));
}

#[actix_web::test]
async fn errors_of_inner_extractors_are_passed_on() {
    type Form = web::Form<Message>;
    // One byte over the limit that `web::Form` has of its own.
    let large = "a".repeat(16 * 1024 + 1);
    let route = || web::to(async |form: Validated<Form>| form.into_inner().into_inner().body);
    for (name, req, status) in [
        ("form with a field missing", form("From=1"), 400),
        ("no form", json("{}"), 415),
        ("form too large for the inner limit", form(&large), 413),
    ] {
        let res = call(&config().build().unwrap(), route(), req).await;
        assert_eq!(res.status(), status, "{name}");
        assert_eq!(refusal(&res), None, "{name}");
    }
}

#[actix_web::test]
async fn errors_are_opaque() {
    let config = limited().build().unwrap();
    for (kind, sent) in refusals() {
        let res = call(&config, echo(), sent).await;
        // The typed error is kept for loggers.
        assert_answer(kind.as_str(), &res, status_of(kind), Some(kind));
        let sentence = match res.status().as_u16() {
            403 => "This request is not authentic.",
            408 => "The request's body took too long to arrive.",
            413 => "The request's body is too large.",
            _ => "The request's body is in an unsupported encoding.",
        };
        let headers: Vec<_> = res.headers().iter().collect();
        let plain = "text/plain; charset=utf-8";
        assert_eq!(headers.len(), 1, "{kind}: {headers:?}");
        assert_eq!(res.headers().get(CONTENT_TYPE).unwrap(), plain, "{kind}");
        assert_eq!(test::read_body(res).await, sentence, "{kind}");
    }
}

#[actix_web::test]
async fn bodies_are_limited_in_size() {
    const FULL: &str = "a=012345678901234567890123456789";
    const OVER: &str = "a=0123456789012345678901234567890";
    assert_eq!((FULL.len(), OVER.len()), (LIMIT, LIMIT + 1));
    let config = limited().build().unwrap();
    let declared = |req: TestRequest, length: &str| req.insert_header((CONTENT_LENGTH, length));
    let u64_max = "18446744073709551615";
    let half = &FULL[..LIMIT / 2];
    // The number is how often the payload may be asked for a chunk.
    #[rustfmt::skip]
    let cases = [
        ("full", form(FULL), payload([FULL], true), 2, 200),
        ("full, declared", declared(form(FULL), "32"), payload([FULL], true), 2, 200),
        ("full, in chunks", form(FULL), payload([half, "", &FULL[LIMIT / 2..]], true), 4, 200),
        ("over, declared", declared(form(OVER), "33"), payload([OVER], true), 0, 413),
        ("far over, declared", declared(form(""), u64_max), payload([], true), 0, 413),
        ("over, undeclared", form(OVER), payload([OVER], true), 1, 413),
        ("over, declared as less", declared(form(OVER), "3"), payload([OVER], true), 1, 413),
        ("over, declared as nonsense", declared(form(OVER), "-1"), payload([OVER], true), 1, 413),
        ("over by a chunk", form(""), payload([half, half, "0", half], true), 3, 413),
        ("over by a chunk, JSON", json(""), payload([half, half, "0", half], true), 3, 413),
        ("over by a chunk, GET", get(), payload([half, half, "0", half], true), 3, 413),
        ("over, and endless", form(""), payload([half, half, half], false), 3, 413),
    ];
    for (name, req, (payload, asked), most, status) in cases {
        let res = call(&config, echo(), (req, payload)).await;
        assert_answer(name, &res, status, (status == 413).then_some(BodyTooLarge));
        assert!(asked.get() <= most, "{name}: asked {} times", asked.get());
    }
    let none = limited().body_limit(0).build().unwrap();
    for (name, req, status) in [("no byte", form(""), 200), ("one byte", form("a"), 413)] {
        let res = call(&none, echo(), req).await;
        assert_answer(name, &res, status, (status == 413).then_some(BodyTooLarge));
    }
}

/// actix queues all chunks that have arrived, which takes many times the memory of one byte each.
#[actix_web::test]
async fn chunks_that_have_arrived_count_with_the_room_for_them() {
    const TOTAL: usize = 8 * 1024;
    for (name, payload, waits) in [
        ("few", payload(["a"; 100], false).0, true),
        ("many", payload(["a"; 1_000], false).0, false),
    ] {
        let config = limited().body_limit(TOTAL).total_body_limit(TOTAL);
        let app = App::new().app_data(config.build().unwrap());
        let app = init_service(app.route("/hook", echo())).await;
        let mut req = form("a=1").to_request();
        *req.payload() = payload;
        let answer = poll_immediate(Box::pin(app.call(req))).await;
        let status = answer.map(|res| res.unwrap().status().as_u16());
        assert_eq!(status, (!waits).then_some(503), "{name}");
    }
}

#[actix_web::test]
async fn bodies_are_limited_in_size_all_together() {
    let config = limited().total_body_limit(2 * LIMIT).build().unwrap();
    let app = App::new().app_data(config).route("/hook", echo());
    let app = init_service(app).await;
    let start = |chunks: [&'static str; 1], ends| {
        let mut req = form("a=1").to_request();
        *req.payload() = payload(chunks, ends).0;
        Box::pin(app.call(req))
    };
    let long = "01234567890123456789012345678901";
    assert_eq!(long.len(), LIMIT);
    // Two bodies that never end take all that there is.
    let mut endless = [start([long], false), start([long], false)];
    for request in &mut endless {
        assert!(poll_immediate(request).await.is_none());
    }
    // What has arrived as a whole is judged at once.
    let admitted = start(["a=1"], true).await.unwrap();
    assert_answer("no need to wait", &admitted, 200, None);
    for request in &mut endless {
        assert!(poll_immediate(request).await.is_none());
    }
    // Who begins to wait takes the place of the one that has waited longest.
    let mut waiting = start([long], false);
    assert!(poll_immediate(&mut waiting).await.is_none());
    let [first, mut second] = endless;
    let refused = first.await.unwrap();
    assert_answer("no room to wait", &refused, 503, Some(Kind::Overloaded));
    assert!(poll_immediate(&mut second).await.is_none());
    // What is dropped gives its bytes back.
    drop(second);
    let mut last = start([long], false);
    assert!(poll_immediate(&mut last).await.is_none(), "room again");
    assert!(poll_immediate(&mut waiting).await.is_none(), "room again");
}

#[actix_web::test]
async fn bodies_arrive_as_they_were_sent_whatever_their_chunks_and_pauses() {
    let body: String = ('a'..='z')
        .cycle()
        .take(78)
        .flat_map(|letter| [letter, '=', '1', '&'])
        .collect();
    for size in [1, 2, 3, 7, 31, body.len() - 1, body.len()] {
        for (pauses, room) in [(false, 0), (true, 0), (true, 1)] {
            let name = format!("chunks of {size}, pauses: {pauses}, {room} too few");
            let limit = body.len() - room;
            let config = config().body_limit(limit).total_body_limit(limit);
            let app = App::new()
                .app_data(config.build().unwrap())
                .route("/hook", echo());
            let app = init_service(app).await;
            let chunks = body.as_bytes().chunks(size).map(Bytes::copy_from_slice);
            let mut chunks = chunks.collect::<Vec<_>>().into_iter();
            let mut pause = pauses;
            let payload = stream::poll_fn(move |cx| {
                if mem::replace(&mut pause, false) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                pause = pauses;
                Poll::Ready(chunks.next().map(Ok::<_, PayloadError>))
            });
            let mut req = form(&body).to_request();
            req.headers_mut().remove(CONTENT_LENGTH);
            *req.payload() = Payload::from(payload.boxed_local());
            let res = call_service(&app, req).await;
            let expected = if room == 0 { 200 } else { 413 };
            assert_answer(&name, &res, expected, (room > 0).then_some(BodyTooLarge));
            if room == 0 {
                assert_eq!(test::read_body(res).await, body, "{name}");
            }
        }
    }
}

/// A key store that never answers.
struct Hanging;

impl KeyStore for Hanging {
    async fn keys(&self, _: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        pending().await
    }
}

#[actix_web::test]
async fn bodies_that_wait_for_their_keys_count_towards_the_limit_on_all() {
    let builder = TwilioConfig::builder().key_store(Hanging);
    let config = builder.body_limit(LIMIT).total_body_limit(2 * LIMIT);
    let app = App::new()
        .app_data(config.build().unwrap())
        .route("/hook", echo());
    let app = init_service(app).await;
    let start = || {
        let mut req = form("a=1").to_request();
        *req.payload() = payload(["01234567890123456789012345678901"], true).0;
        Box::pin(app.call(req))
    };
    let mut waiting = [start(), start(), start()];
    for request in &mut waiting {
        // What has arrived is taken in while a request waits.
        for _ in 0..4 {
            assert!(poll_immediate(&mut *request).await.is_none());
        }
    }
    let [first, mut second, mut third] = waiting;
    let refused = first.await.unwrap();
    assert_answer("no room", &refused, 503, Some(Kind::Overloaded));
    for request in [&mut second, &mut third] {
        assert!(poll_immediate(request).await.is_none());
    }
}

#[actix_web::test]
async fn bodies_are_limited_in_time() {
    let config = limited().build().unwrap();
    for (name, req, chunks) in [
        ("form", form("a=1"), ["a=1"]),
        ("form without a byte", form(""), [""]),
        ("JSON", json("{}"), ["{}"]),
        ("GET", get(), ["x"]),
    ] {
        let (payload, _) = payload(chunks, false);
        let res = call(&config, echo(), (req, payload)).await;
        assert_answer(name, &res, 408, Some(BodyTooSlow));
    }
}

/// Makes a request that is wrong in all ways but the first so many of these.
fn faulty(as_form: bool, faults: &[Kind], mended: usize) -> (TestRequest, Payload, Rc<Cell<u32>>) {
    let (_, faults) = faults.split_at(mended);
    let has = |fault| faults.contains(&fault);
    let url = hashed(URL, "{}");
    let (content_type, body, genuine) = if as_form {
        (FORM, "a=1", sign_form(&url, "a=1"))
    } else {
        ("application/json", "{}", sign_text(&url))
    };
    let signature = match () {
        () if has(Signature(SignatureErrorKind::SignatureMalformed)) => "?",
        () if has(Signature(SignatureMismatch)) => FORGED,
        () => &genuine,
    };
    let mut req = request(Method::POST, &url).insert_header((CONTENT_TYPE, content_type));
    if !has(Signature(SignatureErrorKind::SignatureMissing)) {
        req = req.insert_header((SIGNATURE, signature));
    }
    if has(Signature(SignatureErrorKind::KeyUnknown)) {
        req = req.insert_header((SETTINGS, "key=K1"));
    }
    if has(Signature(SignatureErrorKind::EncodingUnsupported)) {
        req = req.insert_header((CONTENT_ENCODING, "gzip"));
    }
    if has(Signature(SignatureErrorKind::ContentTypeConflicting)) {
        req = req.append_header((CONTENT_TYPE, "text/plain"));
    }
    if has(BodyTooLarge) {
        req = req.insert_header((CONTENT_LENGTH, LIMIT + 1));
    }
    if has(Kind::OriginMalformed) {
        req = req.insert_header((HOST, "?"));
    }
    let (payload, asked) = match () {
        () if has(BodyTooSlow) => payload(["a="], false),
        () if has(Signature(SignatureErrorKind::BodyHashMismatch)) => payload(["[]"], true),
        () => payload([body], true),
    };
    (req, payload, asked)
}

#[actix_web::test]
async fn cheap_checks_come_first() {
    let before_the_body = [
        Signature(SignatureErrorKind::SignatureMissing),
        Signature(SignatureErrorKind::SignatureMalformed),
        Signature(SignatureErrorKind::EncodingUnsupported),
        Signature(SignatureErrorKind::ContentTypeConflicting),
        BodyTooLarge,
        Kind::OriginMalformed,
        Signature(SignatureErrorKind::KeyUnknown),
    ];
    let json = [
        Signature(SignatureMismatch),
        BodyTooSlow,
        Signature(SignatureErrorKind::BodyHashMismatch),
    ];
    let form = [BodyTooSlow, Signature(SignatureMismatch)];
    // An explanation may look at a body that has already arrived.
    let config = limited().explain_mismatches(false).build().unwrap();
    for (as_form, rest) in [(false, &json[..]), (true, &form)] {
        let faults = [&before_the_body[..], rest].concat();
        for (mended, kind) in faults.iter().enumerate() {
            let (req, payload, asked) = faulty(as_form, &faults, mended);
            let res = call(&config, echo(), (req, payload)).await;
            let name = format!("{kind}, form: {as_form}");
            assert_answer(&name, &res, status_of(*kind), Some(*kind));
            // Of what is no form, the URL's signature is refused before the body is read.
            let unread = mended < before_the_body.len() + usize::from(!as_form);
            assert_eq!(asked.get() == 0, unread, "{name}: asked {}", asked.get());
        }
        let (req, payload, _) = faulty(as_form, &faults, faults.len());
        let res = call(&config, echo(), (req, payload)).await;
        assert_answer("all mended", &res, 200, None);
    }
}

#[actix_web::test]
async fn report_only_lets_forgeries_through_within_the_limits() {
    let config = limited().mode(Mode::ReportOnly).build().unwrap();
    for (kind, sent) in refusals() {
        let res = call(&config, echo(), sent).await;
        // What can't be read can't be handed on.
        match kind {
            BodyTooLarge | BodyTooSlow | Kind::BodyIncomplete => {
                assert_answer(kind.as_str(), &res, status_of(kind), Some(kind));
            }
            // actix itself won't unpack what is no gzip.
            Signature(SignatureErrorKind::EncodingUnsupported) => {
                assert_answer(kind.as_str(), &res, 400, None);
            }
            _ => {
                assert_answer(kind.as_str(), &res, 200, None);
                let body = test::read_body(res).await;
                assert!(
                    [&b"a=1"[..], b"{}"].contains(&&body[..]),
                    "{kind}: {body:?}"
                );
            }
        }
    }
    // The limits hold for what is refused before its body is read, too.
    let large = ["0123456789012345", "0123456789012345", "0"];
    let unsigned = || request(Method::POST, URL);
    let forged = || json("{}").insert_header((SIGNATURE, FORGED));
    let declared = unsigned().insert_header((CONTENT_LENGTH, LIMIT + 1));
    #[rustfmt::skip]
    let cases = [
        ("no signature, declared", declared, payload(["a"], true), BodyTooLarge),
        ("no signature, large", unsigned(), payload(large, true), BodyTooLarge),
        ("no signature, slow", unsigned(), payload(["a"], false), BodyTooSlow),
        ("forged URL, large", forged(), payload(large, true), BodyTooLarge),
        ("forged URL, slow", forged(), payload(["a"], false), BodyTooSlow),
    ];
    for (name, req, (payload, _), kind) in cases {
        let res = call(&config, ignore(), (req, payload)).await;
        assert_answer(name, &res, status_of(kind), Some(kind));
    }
}

#[actix_web::test]
async fn off_lets_everything_through_untouched() {
    let config = limited().dangerously_disable_validation().build().unwrap();
    for (kind, sent) in refusals() {
        let res = call(&config, ignore(), sent).await;
        assert_answer(kind.as_str(), &res, 200, None);
    }
    let (payload, asked) = payload(["a="], false);
    let req = request(Method::POST, URL).insert_header((CONTENT_LENGTH, 1_000_000));
    let res = call(&config, ignore(), (req, payload)).await;
    assert_answer("endless", &res, 200, None);
    assert_eq!(asked.get(), 0);
}

#[actix_web::test]
async fn error_handler_makes_the_answer() {
    let handled = |builder: TwilioConfigBuilder| {
        let config = builder.error_handler(|err, req| {
            let text = format!("{} {}", err.kind().as_str(), req.path());
            InternalError::from_response(err, HttpResponse::NotFound().body(text)).into()
        });
        config.build().unwrap()
    };
    let config = handled(limited());
    for (kind, sent) in refusals() {
        let res = call(&config, echo(), sent).await;
        assert_answer(kind.as_str(), &res, 404, None);
        let expected = format!("{} /hook", kind.as_str());
        assert_eq!(test::read_body(res).await, expected, "{kind}");
    }
    // Where forgeries pass, it answers what can't be handed on.
    let config = handled(limited().mode(Mode::ReportOnly));
    let res = call(
        &config,
        echo(),
        form("a=1").insert_header((SIGNATURE, FORGED)),
    )
    .await;
    assert_answer("forged, only reported", &res, 200, None);
    let slow = payload(["a="], false).0;
    let res = call(&config, echo(), (form(""), slow)).await;
    assert_answer("slow, only reported", &res, 404, None);
}

#[actix_web::test]
async fn innermost_configuration_counts() {
    let of = |token: &str| {
        let builder = TwilioConfig::builder().auth_token(AuthToken::new(token).unwrap());
        builder.build().unwrap()
    };
    let (ours, other) = (of(TOKEN), of("another-token"));
    let data = |config: &TwilioConfig| web::Data::new(config.clone());
    // What the app, the scope and the resource have.
    let app = init_service(
        App::new()
            .app_data(other.clone())
            .service(web::resource("/app").route(echo()))
            .service(
                web::resource("/resource")
                    .app_data(ours.clone())
                    .route(echo()),
            )
            .service(web::resource("/mixed").app_data(data(&ours)).route(echo()))
            .service(web::resource("/same").app_data(data(&other)).route(echo()))
            .service(
                web::scope("/scope")
                    .app_data(ours.clone())
                    .service(web::resource("/ours").route(echo()))
                    .service(
                        web::resource("/other")
                            .app_data(other.clone())
                            .route(echo()),
                    ),
            ),
    )
    .await;
    let data_app = init_service(
        App::new()
            .app_data(data(&other))
            .service(web::resource("/app").route(echo()))
            .service(
                web::resource("/resource")
                    .app_data(data(&ours))
                    .route(echo()),
            )
            .service(web::resource("/mixed").app_data(ours.clone()).route(echo())),
    )
    .await;
    let signed = |path: &str| {
        let url = format!("https://example.com{path}");
        request(Method::GET, &url)
            .insert_header((SIGNATURE, sign_text(&url)))
            .to_request()
    };
    for (path, status, kind) in [
        ("/app", 403, Some(Signature(SignatureMismatch))),
        ("/resource", 200, None),
        ("/mixed", 500, Some(Kind::Config)),
        ("/same", 403, Some(Signature(SignatureMismatch))),
        ("/scope/ours", 200, None),
        ("/scope/other", 403, Some(Signature(SignatureMismatch))),
    ] {
        let res = call_service(&app, signed(path)).await;
        assert_answer(path, &res, status, kind);
        if ["/app", "/resource", "/mixed"].contains(&path) {
            let res = call_service(&data_app, signed(path)).await;
            assert_answer(&format!("{path} as Data"), &res, status, kind);
        }
    }
}

#[actix_web::test]
async fn misconfiguration_is_found_before_any_other_fault() {
    for (kind, sent) in refusals() {
        let [one, two] = [limited(), limited()].map(|builder| builder.build().unwrap());
        let res = call_app(sent, |app| {
            app.app_data(one)
                .app_data(web::Data::new(two))
                .route("/hook", echo());
        })
        .await;
        assert_answer(kind.as_str(), &res, 500, Some(Kind::Config));
        let body = test::read_body(res).await;
        assert_eq!(body, "The server can't validate requests.", "{kind}");
    }
}

/// Sends a request to an app that has no configuration.
fn call_unconfigured(req: TestRequest) -> ServiceResponse {
    System::new().block_on(call_app(req, |app| {
        app.route("/hook", echo());
    }))
}

#[test]
fn environment_alone_is_enough() {
    let variables = [
        ("TWILIO_AUTH_TOKEN", format!("another-token, {TOKEN}\n")),
        ("TWILIO_WEBHOOK_BASE_URL", "https://example.com/".to_owned()),
    ];
    in_child(variables, || {
        let res = call_unconfigured(form("a=1").insert_header((HOST, "evil.example")));
        assert_answer("genuine", &res, 200, None);
        let forged = form("a=1").insert_header((SIGNATURE, FORGED));
        let res = call_unconfigured(forged);
        assert_answer("forged", &res, 403, Some(Signature(SignatureMismatch)));
    });
}

type AddData = fn(&mut web::ServiceConfig, TwilioConfig);

/// What compiles in place of `app_data(config)`, and is no configuration.
const WRAPPINGS: [(&str, AddData); 16] = [
    ("Result<TwilioConfig", |app, config| {
        app.app_data(Ok::<_, ConfigError>(config));
    }),
    ("Option<TwilioConfig>", |app, config| {
        app.app_data(Some(config));
    }),
    ("Arc<TwilioConfig>", |app, config| {
        app.app_data(Arc::new(config));
    }),
    ("Rc<TwilioConfig>", |app, config| {
        app.app_data(Rc::new(config));
    }),
    ("Box<TwilioConfig>", |app, config| {
        app.app_data(Box::new(config));
    }),
    ("TwilioConfigBuilder", |app, _| {
        app.app_data(TwilioConfig::builder());
    }),
    ("Result<TwilioConfigBuilder", |app, _| {
        app.app_data(TwilioConfig::builder().env());
    }),
    ("Arc<TwilioConfig>", |app, config| {
        app.app_data(web::Data::new(Arc::new(config)));
    }),
    ("web::Data<TwilioConfig>", |app, config| {
        app.app_data(web::Data::new(web::Data::new(config)));
    }),
    ("web::ThinData<TwilioConfig>", |app, config| {
        app.app_data(web::ThinData(config));
    }),
    ("Option<TwilioConfig>", |app, config| {
        app.app_data(web::ThinData(Some(config)));
    }),
    ("&'static TwilioConfig", |app, config| {
        app.app_data(&*Box::leak(Box::new(config)));
    }),
    ("Mutex<TwilioConfig>", |app, config| {
        app.app_data(web::Data::new(Mutex::new(config)));
    }),
    ("RwLock<TwilioConfig>", |app, config| {
        app.app_data(web::Data::new(RwLock::new(config)));
    }),
    ("Result<TwilioConfig, Box<dyn", |app, config| {
        app.app_data(Ok::<_, Box<dyn std::error::Error>>(config));
    }),
    ("Result<TwilioConfig, Box<dyn", |app, config| {
        app.app_data(Ok::<_, Box<dyn std::error::Error + Send + Sync>>(config));
    }),
];

#[test]
fn a_wrapped_configuration_is_named_and_the_environments_is_not_used() {
    // The token of the other tests is that of the documentation, which the log warns about.
    let token = "fedcba9876543210fedcba9876543210";
    in_child([("TWILIO_AUTH_TOKEN", token)], || {
        for (wrapping, add_data) in WRAPPINGS {
            let config = limited().build().unwrap();
            let (log, _guard) = Log::start();
            let res = System::new().block_on(call_app(form("a=1"), |app| {
                add_data(app, config);
                app.route("/hook", echo());
            }));
            assert_answer(wrapping, &res, 500, Some(Kind::Config));
            let line = log.only(wrapping);
            let text = line.field("message");
            let text: String = text.split_whitespace().collect();
            let wrapping: String = wrapping.split_whitespace().collect();
            assert!(text.contains(&wrapping), "{wrapping}: {text}");
        }
    });
}

#[cfg(debug_assertions)]
#[actix_web::test]
async fn a_wrapped_configuration_of_a_scope_is_named_and_the_apps_is_not_used() {
    for (wrapping, add_data) in WRAPPINGS {
        let (of_app, of_scope) = (limited().build().unwrap(), limited().build().unwrap());
        let res = call_app(form("a=1"), |app| {
            let scope = web::scope("").configure(|scope| add_data(scope, of_scope));
            app.app_data(of_app).service(scope.route("/hook", echo()));
        })
        .await;
        assert_answer(wrapping, &res, 500, Some(Kind::Config));
    }
}

#[test]
fn wrong_environment_lets_nothing_through() {
    let variables: &[&[(&str, &str)]] = &[
        &[],
        &[("TWILIO_AUTH_TOKEN", "")],
        &[("TWILIO_AUTH_TOKEN", " \n")],
        &[("TWILIO_AUTH_TOKEN", "0123456789abcdef0123456789abcdef,")],
        &[("TWILIO_WEBHOOK_BASE_URL", "https://example.com")],
        &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "example.com"),
        ],
        &[("TWILIO_AUTH_TOKEN", TOKEN), ("TWILIO_VALIDATION", "off")],
        &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_VALIDATION", "report"),
        ],
    ];
    in_children(
        variables.iter().copied(),
        |variables| variables.iter().copied(),
        |_| {
            let unsigned = request(Method::POST, URL);
            for (name, req) in [("genuine", form("a=1")), ("unsigned", unsigned)] {
                assert_answer(name, &call_unconfigured(req), 500, Some(Kind::Config));
            }
        },
    );
}

/// A WebSocket handshake, signed for this scheme.
fn handshake(scheme: &str) -> TestRequest {
    get()
        .insert_header((SIGNATURE, sign_text(&URL.replace("https", scheme))))
        .insert_header((UPGRADE, "websocket"))
        .insert_header((CONNECTION, "Upgrade"))
        .insert_header((SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="))
}

#[actix_web::test]
async fn websocket_gets_its_payload_unread() {
    type Change = fn(TestRequest) -> TestRequest;
    let first_frame = || {
        web::to(async |payload: Validated<web::Payload>| {
            RUNS.set(RUNS.get() + 1);
            payload.into_inner().next().await.unwrap().unwrap()
        })
    };
    #[rustfmt::skip]
    let handshakes: [(&str, Change); 6] = [
        ("plain", |req| req),
        ("in capitals", |req| req.insert_header((UPGRADE, "WebSocket"))),
        ("kept alive", |req| req.insert_header((CONNECTION, "keep-alive, upgrade"))),
        ("two options", |req| req.append_header((CONNECTION, "keep-alive"))),
        ("length 0", |req| req.insert_header((CONTENT_LENGTH, 0))),
        // The hash is of another body, but a WebSocket has none.
        ("labelled as a form", |req| req.insert_header((CONTENT_TYPE, FORM))),
    ];
    let config = limited().build().unwrap();
    for (name, change) in handshakes {
        // A frame is larger than any body may be.
        let frame = "0123456789012345678901234567890123456789";
        let (frames, asked) = payload([frame], false);
        let res = call(&config, ignore(), (change(handshake("wss")), frames)).await;
        assert_answer(name, &res, 200, None);
        assert_eq!(asked.get(), 0, "{name}");

        let (frames, _) = payload([frame], false);
        let res = call(&config, first_frame(), (change(handshake("wss")), frames)).await;
        assert_answer(name, &res, 200, None);
        assert_eq!(test::read_body(res).await, frame, "{name}");

        // A signature for the page is none for the WebSocket.
        for forged in [change(handshake("https")), change(handshake("ws"))] {
            let (frames, asked) = payload([frame], false);
            let res = call(&config, ignore(), (forged, frames)).await;
            assert_answer(name, &res, 403, Some(Signature(SignatureMismatch)));
            assert_eq!(asked.get(), 0, "{name}");
        }
    }
    let reported = limited().mode(Mode::ReportOnly).build().unwrap();
    let (frames, asked) = payload([], false);
    let res = call(&reported, ignore(), (handshake("ws"), frames)).await;
    assert_answer("only reported", &res, 200, None);
    assert_eq!(asked.get(), 0);
}

#[actix_web::test]
async fn almost_a_websocket_is_an_ordinary_request() {
    type Change = fn(TestRequest) -> TestRequest;
    #[rustfmt::skip]
    let almost: [(&str, Change); 16] = [
        ("POST", |req| req.method(Method::POST)),
        ("HEAD", |req| req.method(Method::HEAD)),
        ("CONNECT", |req| req.method(Method::CONNECT)),
        ("HTTP/1.0", |req| req.version(Version::HTTP_10)),
        ("HTTP/2", |req| req.version(Version::HTTP_2)),
        ("other upgrade", |req| req.insert_header((UPGRADE, "h2c"))),
        ("list of upgrades", |req| req.insert_header((UPGRADE, "websocket, h2c"))),
        ("second upgrade", |req| req.append_header((UPGRADE, "h2c"))),
        ("second upgrade, the same", |req| req.append_header((UPGRADE, "websocket"))),
        ("upgrade with a version", |req| req.insert_header((UPGRADE, "websocket/13"))),
        ("no upgrade by connection", |req| req.insert_header((CONNECTION, "keep-alive"))),
        ("other word in connection", |req| req.insert_header((CONNECTION, "upgrades"))),
        ("empty key", |req| req.insert_header((SEC_WEBSOCKET_KEY, ""))),
        ("length 5", |req| req.insert_header((CONTENT_LENGTH, 5))),
        ("second length", |req| {
            req.append_header((CONTENT_LENGTH, 0)).append_header((CONTENT_LENGTH, 5))
        }),
        ("chunked", |req| req.insert_header((TRANSFER_ENCODING, "chunked"))),
    ];
    // An explanation may look at a body that has already arrived.
    let config = limited().explain_mismatches(false).build().unwrap();
    for (name, change) in almost {
        let (endless, asked) = payload(["x"], false);
        let res = call(&config, ignore(), (change(handshake("wss")), endless)).await;
        assert_answer(name, &res, 403, Some(Signature(SignatureMismatch)));
        assert_eq!(asked.get(), 0, "{name}");

        let (endless, _) = payload(["x"], false);
        let res = call(&config, ignore(), (change(handshake("https")), endless)).await;
        assert_answer(name, &res, 408, Some(BodyTooSlow));

        let large = payload(["0123456789012345678901234567890123456789"], false).0;
        let res = call(&config, ignore(), (change(handshake("https")), large)).await;
        assert_answer(name, &res, 413, Some(BodyTooLarge));

        let small = payload(["x"], true).0;
        let res = call(&config, ignore(), (change(handshake("https")), small)).await;
        assert_answer(
            name,
            &res,
            403,
            Some(Signature(SignatureErrorKind::BodyHashMissing)),
        );
    }
}

#[actix_web::test]
async fn extractor_beside_a_validated_gets_no_body_that_is_not_validated() {
    let before = async |body: Bytes, _: Validated<()>| HttpResponse::Ok().body(body);
    let after = async |_: Validated<()>, body: Bytes| HttpResponse::Ok().body(body);
    let inside = async |body: Validated<(Bytes, ())>| HttpResponse::Ok().body(body.into_inner().0);
    let config = config().build().unwrap();
    for (name, route, status, kind, answer) in [
        (
            "before",
            web::to(before),
            500,
            Some(Kind::BodyConsumed),
            None,
        ),
        ("after", web::to(after), 200, None, Some("")),
        ("inside", web::to(inside), 200, None, Some("a=1")),
    ] {
        let genuine = form("a=1").insert_header((CONTENT_LENGTH, 3));
        let res = call(&config, route, genuine).await;
        assert_eq!(res.status(), status, "{name}");
        assert_eq!(refusal(&res), kind, "{name}");
        if let Some(answer) = answer {
            assert_eq!(test::read_body(res).await, answer, "{name}");
        }
    }
}
