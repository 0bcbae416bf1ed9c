//! Handles each event once: duplicates get the first answer.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use actix_http::Request;
use actix_twilio::{
    Proof, ProtectedRoute, TwilioConfig, TwilioConfigBuilder, TwilioValidation,
    config::Mode,
    keys::KeyMap,
    once::{
        Claim, EventKey, IfStoreFails, MemoryStore, Once, OnceEach, OnceKey, OnceStore,
        OnceStoreError, Outcome, Owner, StoredAnswer,
    },
    twiml::{Message, MessagingResponse, NoContent},
    validate_twilio_request,
    webhook::{CloudEvents, IncomingMessage},
};
use actix_twilio_tests::{
    NO_VARIABLES, TOKEN, in_child,
    log::{Line, Log},
    webhook::Webhook,
};
use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, Responder, Route,
    body::{BodyStream, BoxBody},
    dev::{Service, ServiceResponse},
    guard,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, IfModifiedSince, LOCATION, SET_COOKIE},
    },
    post,
    rt::{System, spawn},
    test::init_service,
    web::{self, Bytes},
};
use futures_util::{FutureExt, future::join_all, stream};
use tokio::{sync::Notify, task::yield_now, time};

use super::proof::copies;

const BASE: &str = actix_twilio_tests::webhook::BASE;
const MESSAGE: &str = "Body=Hi&MessageSid=SM1";

fn builder() -> TwilioConfigBuilder {
    let builder = actix_twilio_tests::config().public_url(BASE).unwrap();
    builder.once_store(MemoryStore::new(1024 * 1024))
}

fn config() -> TwilioConfig {
    builder().build().unwrap()
}

/// Makes an app whose only route is guarded.
async fn guarded(
    config: &TwilioConfig,
    route: Route,
) -> impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> + use<> {
    let resource = web::resource("/{name:.*}")
        .route(route)
        .wrap(Once::new())
        .wrap(TwilioValidation::new());
    let app = App::new().app_data(config.clone()).service(resource);
    let app = init_service(app).await;
    actix_service::ServiceExt::map(app, ServiceResponse::map_into_boxed_body)
}

/// A handler that counts its runs, and says the number of this one.
fn counting() -> (Route, Rc<Cell<u32>>) {
    let runs = Rc::new(Cell::new(0));
    let counter = Rc::clone(&runs);
    let handler = move || {
        counter.set(counter.get() + 1);
        let run = counter.get();
        async move { MessagingResponse::new().child(Message::new(format!("run {run}"))) }
    };
    (web::route().to(handler), runs)
}

fn message() -> Webhook {
    Webhook::form("/message", MESSAGE).signed(TOKEN)
}

fn with_token(webhook: Webhook, token: &str) -> Webhook {
    webhook.with("I-Twilio-Idempotency-Token", token)
}

#[test]
fn a_flood_of_duplicates_is_no_flood_of_lines() {
    // The limit is one for the whole process.
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            const SENT: usize = 300;
            let app = guarded(&config(), counting().0).await;
            message().call(&app).await;
            let (log, _guard) = Log::start();
            let start = Instant::now();
            for _ in 0..SENT {
                message().call(&app).await;
            }
            let saved_up = start.elapsed().as_millis() / 100;
            let lines = log.take();
            let about = |line: &&Line| {
                let message = line.get("message");
                message.is_some_and(|text| text.starts_with("answered a duplicate"))
            };
            let count = lines.iter().filter(about).count();
            let most = 100 + usize::try_from(saved_up).unwrap();
            assert!((100..=most).contains(&count), "{count} lines");
        });
    });
}

#[actix_web::test]
async fn a_duplicate_gets_the_first_answer() {
    let (route, runs) = counting();
    let app = guarded(&config(), route).await;
    let first = app.call(message().request().to_request()).await.unwrap();
    let content_type = first.headers().get("content-type").cloned();
    assert_eq!(first.status(), 200);
    let (_, body) = message().call(&app).await;
    let again = app.call(message().request().to_request()).await.unwrap();
    assert_eq!(again.status(), 200);
    assert!(body.contains("run 1"), "{body}");
    assert_eq!(again.headers().get("content-type").cloned(), content_type);
    assert_eq!(runs.get(), 1);
    let other = Webhook::form("/message", "Body=Hi&MessageSid=SM2").signed(TOKEN);
    assert!(other.call(&app).await.1.contains("run 2"));
}

#[actix_web::test]
async fn all_copies_of_a_recording_are_handled_once() {
    let (route, runs) = counting();
    let app = guarded(&config(), route).await;
    let (_, recording) = copies().next().unwrap();
    let signature = recording.signed(TOKEN).headers.pop().unwrap().1;
    for (name, copy) in copies() {
        let copy = with_token(copy.with("X-Twilio-Signature", &*signature), name);
        let (status, body) = copy.call(&app).await;
        assert_eq!(status, 200, "{name}");
        assert!(
            copy.method == "HEAD" || body.contains("run 1"),
            "{name}: {body}"
        );
    }
    assert_eq!(runs.get(), 1);
}

/// Forms whose parameters name an event, written as they are signed.
const SIGNED_EVENTS: [&str; 5] = [
    "AccountSidAC1MessageSidSM1",
    "CallSidCA1RecordingDuration10RecordingSidRE2RecordingStatuscompleted",
    "CallSidCA1DialCallSidCA2DialCallStatuscompleted",
    "CallSidCA1RecordingSidRE1TranscriptionSidTR2",
    "CallSidCA1CallStatuscompletedSequenceNumber2",
];

#[actix_web::test]
async fn a_recording_that_is_cut_within_its_url_is_handled_once() {
    for signed in SIGNED_EVENTS {
        let (route, runs) = counting();
        let app = guarded(&config(), route).await;
        let recording = Webhook::form("/hook?a=1", &format!("{signed}=")).signed(TOKEN);
        let signature = recording.headers.last().unwrap().1.clone();
        for cut in 0..signed.len() {
            let (url, form) = signed.split_at(cut);
            let copy = Webhook::form(format!("/hook?a=1{url}"), &format!("{form}="));
            let copy = with_token(copy.with("X-Twilio-Signature", &*signature), form);
            assert_eq!(copy.call(&app).await.0, 200, "{url} {form}");
            assert_eq!(runs.get(), 1, "{url} {form}");
        }
    }
}

#[actix_web::test]
async fn an_event_in_json_whose_hash_is_sent_as_a_form_is_handled_once() {
    let (route, runs) = counting();
    let app = guarded(&config(), route).await;
    let event = Webhook::json("/events?a=1", r#"[{"specversion":"1.0","id":"EZ1"}]"#).signed(TOKEN);
    assert_eq!(event.call(&app).await.0, 200);
    let signature = event.headers.last().unwrap().1.clone();
    let (url, hash) = event.target.split_at(event.target.find("A256=").unwrap());
    let form = format!("{}=", hash.replace('=', "%3D"));
    for token in ["1", "2", "3"] {
        let copy = Webhook::form(url, &form).with("X-Twilio-Signature", &*signature);
        assert_eq!(with_token(copy, token).call(&app).await.0, 200);
    }
    assert_eq!(runs.get(), 1);
}

#[actix_web::test]
async fn an_event_in_json_that_lost_its_body_is_no_other_event() {
    let (route, runs) = counting();
    let app = guarded(&config(), route).await;
    let event = Webhook::json("/events", r#"[{"specversion":"1.0","id":"EZ1"}]"#).signed(TOKEN);
    assert_eq!(event.call(&app).await.0, 200);
    for (method, token) in [("GET", "1"), ("GET", "2"), ("HEAD", "3")] {
        let mut copy = with_token(event.clone(), token);
        copy.method = method;
        copy.body = String::new();
        assert_eq!(copy.call(&app).await.0, 200, "{method} {token}");
    }
    assert_eq!(runs.get(), 1);
}

/// The method and the boundaries of a form are not signed. So a copy can go astray, and may come before an event that
/// Twilio delivers again after an outage.
#[actix_web::test]
async fn a_copy_that_reaches_no_handler_does_not_become_the_answer() {
    const ACCOUNT: &str = "AC00000000000000000000000000000001";
    const SID: &str = "SM00000000000000000000000000000001";
    let rest = format!("AccountSid{ACCOUNT}BodyHiMessageSid{SID}");
    let form = format!("AccountSid={ACCOUNT}&Body=Hi&MessageSid={SID}");
    let astray = [
        ("PUT", "/hook/message", form.clone(), 405),
        ("PUT", "/hook/me", format!("ssage{rest}"), 404),
        ("POST", "/hook/mess", format!("age{rest}"), 404),
        ("POST", "/hook/message", rest.clone(), 403),
        ("POST", "/hook/me", format!("ssage{rest}"), 400),
        ("POST", "/hook/messa", format!("ge{rest}"), 400),
    ];
    for (method, target, body, status) in astray {
        let runs = Rc::new(Cell::new(0));
        let counter = Rc::clone(&runs);
        let message = move |_: IncomingMessage| {
            counter.set(counter.get() + 1);
            async { "handled" }
        };
        let needs_parameters = async |order: web::Form<Order>| order.number.to_string();
        let needs_header = async |_: web::Header<IfModifiedSince>| "modified";
        let scope = web::scope("/hook")
            .service(web::resource("/message").route(web::post().to(message)))
            .route("/me", web::post().to(needs_parameters))
            .route("/messa", web::post().to(needs_header))
            .wrap(Once::new())
            .wrap(TwilioValidation::new());
        let app = init_service(App::new().app_data(config()).service(scope)).await;
        let genuine = Webhook::form("/hook/message", &form).signed(TOKEN);
        let signature = genuine.headers.last().unwrap().1.clone();
        let mut copy = Webhook::form(target, &body).with("X-Twilio-Signature", &*signature);
        copy.method = method;
        assert_eq!(copy.call(&app).await.0, status);
        let handled = (200, "handled".to_owned());
        assert_eq!(genuine.call(&app).await, handled, "after a {status}");
        assert_eq!(genuine.call(&app).await, handled, "after a {status}");
        assert_eq!(copy.call(&app).await, handled, "after a {status}");
        assert_eq!(runs.get(), 1, "after a {status}");
    }
}

#[actix_web::test]
async fn a_copy_that_a_default_service_refuses_does_not_become_the_answer() {
    let form = "AccountSid=AC1&Body=Hi";
    let genuine = Webhook::form("/hook/message", form).signed(TOKEN);
    let signature = genuine.headers.last().unwrap().1.clone();
    let cut = Webhook::form("/hook/mess", "ageAccountSidAC1BodyHi");
    let mut put = Webhook::form("/hook/message", form);
    put.method = "PUT";
    let cases = [
        (&cut, 404, true),
        (&cut, 404, false),
        (&cut, 418, true),
        (&cut, 418, false),
        (&put, 404, true),
    ];
    for (copy, status, of_scope) in cases {
        let copy = copy.clone().with("X-Twilio-Signature", &*signature);
        let page = move || async move {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body("no such page")
        };
        let runs = Rc::new(Cell::new(0));
        let counter = Rc::clone(&runs);
        let handler = move || {
            counter.set(counter.get() + 1);
            async { "handled" }
        };
        // If the guard of a resource does not match, the default service of the scope answers.
        let resource = web::resource("/message").guard(guard::Post()).to(handler);
        let mut scope = web::scope("/hook").service(resource);
        if of_scope {
            scope = scope.default_service(web::to(page));
        }
        let scope = scope.wrap(Once::new()).wrap(TwilioValidation::new());
        let app = App::new().app_data(config()).service(scope);
        let app = init_service(app.default_service(web::to(page))).await;
        assert_eq!(copy.call(&app).await.0, status);
        let handled = (200, "handled".to_owned());
        assert_eq!(genuine.call(&app).await, handled, "after a {status}");
        assert_eq!(copy.call(&app).await, handled, "after a {status}");
        assert_eq!(runs.get(), 1, "after a {status}");
    }
}

#[derive(serde::Deserialize)]
struct Order {
    number: u32,
}

/// A name, a form, and for each time that it is sent the header and the number of runs after it.
type Repeats = (&'static str, &'static str, &'static [(&'static str, u32)]);

/// Requests with their headers, and the number of runs after each.
const REPEATS: &[Repeats] = &[
    (
        "a message, whatever its header says",
        MESSAGE,
        &[("a", 1), ("b", 1), ("", 1), ("a", 1)],
    ),
    (
        "a menu in which a key is pressed twice",
        "CallSid=CA1&CallStatus=in-progress&Digits=1",
        &[("a", 1), ("a", 1), ("b", 2), ("a", 2), ("b", 2)],
    ),
    (
        "a menu without the header",
        "CallSid=CA1&CallStatus=in-progress&Digits=1",
        &[("", 1), ("", 2), (" ", 3)],
    ),
    (
        "the status of a call",
        "CallSid=CA1&CallStatus=completed&SequenceNumber=2",
        &[("a", 1), ("b", 1), ("", 1)],
    ),
    (
        "an unknown webhook",
        "FlowSid=FW1",
        &[("", 1), ("", 1), ("a", 2), ("a", 2), ("", 2)],
    ),
];

#[actix_web::test]
async fn the_header_splits_only_what_may_rightly_repeat() {
    for (name, body, sent) in REPEATS {
        let (route, runs) = counting();
        let app = guarded(&config(), route).await;
        for (index, (token, expected)) in sent.iter().enumerate() {
            let mut webhook = Webhook::form("/hook", body).signed(TOKEN);
            if !token.is_empty() {
                webhook = with_token(webhook, token);
            }
            assert_eq!(webhook.call(&app).await.0, 200, "{name}");
            assert_eq!(runs.get(), *expected, "{name}, {index}");
        }
    }
}

#[actix_web::test]
async fn the_header_of_another_delivery_suppresses_nothing() {
    let (route, runs) = counting();
    let app = guarded(&config(), route).await;
    let bodies = [
        "CallSid=CA1&Digits=1",
        "CallSid=CA1&Digits=2",
        "FlowSid=FW1",
    ];
    for (body, expected) in bodies.into_iter().zip(1..) {
        let webhook = Webhook::form("/hook", body).signed(TOKEN);
        assert_eq!(with_token(webhook, "spent").call(&app).await.0, 200);
        assert_eq!(runs.get(), expected, "{body}");
    }
}

#[actix_web::test]
async fn of_two_at_once_the_second_waits_for_the_first_answer() {
    time::pause();
    let go = Rc::new(Notify::new());
    let runs = Rc::new(Cell::new(0));
    let route = web::route().to({
        let (go, runs) = (Rc::clone(&go), Rc::clone(&runs));
        move || {
            let (go, runs) = (Rc::clone(&go), Rc::clone(&runs));
            async move {
                runs.set(runs.get() + 1);
                go.notified().await;
                HttpResponse::Created().content_type("text/x").body("first")
            }
        }
    });
    let app = guarded(&config(), route).await;
    let release = async {
        time::sleep(Duration::from_secs(3)).await;
        go.notify_one();
    };
    let all = join_all([message(), message(), message()].map(|webhook| {
        let app = &app;
        async move { webhook.call(app).await }
    }));
    let (answers, ()) = futures_util::join!(all, release);
    assert!(
        answers
            .iter()
            .all(|answer| *answer == (201, "first".to_owned()))
    );
    assert_eq!(runs.get(), 1);
}

#[test]
fn a_duplicate_waits_less_long_than_twilio_and_gets_a_503() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            time::pause();
            let (log, _guard) = Log::start();
            let route = web::route().to(async || {
                time::sleep(Duration::from_secs(14)).await;
                "late"
            });
            let app = guarded(&config(), route).await;
            let start = time::Instant::now();
            let second = async {
                yield_now().await;
                let answer = message().call(&app).await;
                (answer, start.elapsed())
            };
            let webhook = message();
            let (first, (second, elapsed)) = futures_util::join!(webhook.call(&app), second);
            assert_eq!(first, (200, "late".to_owned()));
            assert_eq!(second.0, 503);
            assert!(elapsed <= Duration::from_secs(10), "{elapsed:?}");
            let lines = log.take();
            let line = lines
                .iter()
                .find(|line| line.get("outcome") == Some("waited_in_vain"));
            assert!(line.unwrap().field("hint").contains("#rc=3&rp=5xx,ct,rt"));
        });
    });
}

#[actix_web::test]
async fn a_handler_that_fails_lets_the_next_delivery_be_handled() {
    // After a 401, Twilio sends the same request again, with a password.
    for status in [500, 503, 429, 401, 407, 408] {
        let statuses = Rc::new(RefCell::new(VecDeque::from([status, 404])));
        let route = web::route().to(move || {
            let status = statuses.borrow_mut().pop_front().unwrap();
            async move { HttpResponse::build(StatusCode::from_u16(status).unwrap()).body("x") }
        });
        let app = guarded(&config(), route).await;
        for expected in [status, 404, 404] {
            assert_eq!(message().call(&app).await.0, expected, "{status}");
        }
    }
}

#[actix_web::test]
async fn a_handler_that_panics_or_is_dropped_lets_the_next_delivery_be_handled() {
    for panics in [true, false] {
        let runs = Rc::new(Cell::new(0));
        let counter = Rc::clone(&runs);
        let route = web::route().to(move || {
            counter.set(counter.get() + 1);
            let is_first = counter.get() == 1;
            async move {
                assert!(!(is_first && panics), "this panic is part of the test");
                if is_first {
                    std::future::pending::<()>().await;
                }
                "second"
            }
        });
        let app = guarded(&config(), route).await;
        if panics {
            let webhook = message();
            let first = std::panic::AssertUnwindSafe(webhook.call(&app).map(drop));
            assert!(first.catch_unwind().await.is_err());
        } else {
            // The client goes away while the handler waits.
            let webhook = message();
            let mut first = Box::pin(webhook.call(&app));
            for _ in 0..10 {
                assert!(futures_util::poll!(&mut first).is_pending());
            }
            assert_eq!(runs.get(), 1);
            drop(first);
        }
        yield_now().await;
        assert_eq!(message().call(&app).await, (200, "second".to_owned()));
        assert_eq!(runs.get(), 2, "panics: {panics}");
    }
}

#[test]
fn a_late_first_run_changes_nothing_after_its_lease_was_taken_over() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            time::pause();
            let (log, _guard) = Log::start();
            for late_status in [200, 500] {
                let runs = Rc::new(Cell::new(0));
                let counter = Rc::clone(&runs);
                let route = web::route().to(move || {
                    counter.set(counter.get() + 1);
                    let run = counter.get();
                    async move {
                        // Longer than the lease.
                        let time = if run == 1 { 30 } else { 0 };
                        time::sleep(Duration::from_secs(time)).await;
                        let status = if run == 1 { late_status } else { 200 };
                        HttpResponse::build(StatusCode::from_u16(status).unwrap())
                            .body(format!("run {run}"))
                    }
                });
                let app = guarded(&config(), route).await;
                let second = async {
                    time::sleep(Duration::from_secs(25)).await;
                    message().call(&app).await
                };
                let webhook = message();
                let (first, second) = futures_util::join!(webhook.call(&app), second);
                assert_eq!(first, (late_status, "run 1".to_owned()));
                assert_eq!(second, (200, "run 2".to_owned()));
                assert_eq!(message().call(&app).await, (200, "run 2".to_owned()));
                assert_eq!(runs.get(), 2);
                let lines = log.take();
                let has = |text: &str| {
                    lines
                        .iter()
                        .any(|line| line.field("message").contains(text))
                };
                assert!(has("the first run did not end within its lease"));
                assert_eq!(has("claim was lost"), late_status == 200);
            }
        });
    });
}

/// A store that fails, or never answers.
#[derive(Clone, Copy)]
enum Broken {
    Fails,
    Hangs,
}

impl Broken {
    async fn answer<T>(self) -> Result<T, OnceStoreError> {
        match self {
            Self::Fails => Err("connection refused".into()),
            Self::Hangs => std::future::pending().await,
        }
    }
}

impl OnceStore for Broken {
    async fn claim(&self, _: &OnceKey, _: Owner, _: Duration) -> Result<Claim, OnceStoreError> {
        self.answer().await
    }

    async fn finish(
        &self,
        _: &OnceKey,
        _: Owner,
        _: &StoredAnswer,
        _: Duration,
    ) -> Result<bool, OnceStoreError> {
        self.answer().await
    }

    async fn release(&self, _: &OnceKey, _: Owner) -> Result<bool, OnceStoreError> {
        self.answer().await
    }
}

#[test]
fn while_the_store_is_down_requests_are_refused_or_handled_as_the_setting_says() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            time::pause();
            let (log, _guard) = Log::start();
            for store in [Broken::Fails, Broken::Hangs] {
                for (then, status, runs_after) in [
                    (IfStoreFails::Refuse, 503, 0),
                    (IfStoreFails::Handle, 200, 2),
                ] {
                    let (route, runs) = counting();
                    let config = builder()
                        .once_store(store)
                        .if_once_store_fails(then)
                        .build();
                    let app = guarded(&config.unwrap(), route).await;
                    for _ in 0..2 {
                        let start = time::Instant::now();
                        assert_eq!(message().call(&app).await.0, status);
                        assert!(start.elapsed() <= Duration::from_secs(5));
                    }
                    assert_eq!(runs.get(), runs_after);
                    let lines = log.take();
                    let line = lines
                        .iter()
                        .find(|line| line.get("outcome") == Some("store_failed"));
                    let line = line.unwrap();
                    assert_eq!(line.level, tracing::Level::ERROR);
                    assert!(line.field("hint").contains("#rc=3&rp=5xx,ct,rt"));
                    let error = line.field("error");
                    assert!(
                        error.contains("refused") || error.contains("within 2 s"),
                        "{error}"
                    );
                }
            }
        });
    });
}

/// A store that fails to store this many answers.
struct Forgetful(MemoryStore, AtomicU32);

impl OnceStore for Forgetful {
    async fn claim(
        &self,
        key: &OnceKey,
        by: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        self.0.claim(key, by, lease).await
    }

    async fn finish(
        &self,
        key: &OnceKey,
        by: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> Result<bool, OnceStoreError> {
        let fails = |left: u32| left.checked_sub(1);
        if self
            .1
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails)
            .is_ok()
        {
            return Err("connection refused".into());
        }
        self.0.finish(key, by, answer, retention).await
    }

    async fn release(&self, key: &OnceKey, by: Owner) -> Result<bool, OnceStoreError> {
        self.0.release(key, by).await
    }
}

/// A store that takes this long for each call of a kind.
#[derive(Default)]
struct Slow {
    memory: MemoryStore,
    claim: Duration,
    finish: Duration,
    release: Duration,
}

impl OnceStore for Slow {
    async fn claim(
        &self,
        key: &OnceKey,
        by: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        // It does it at once, and says so later.
        let claim = self.memory.claim(key, by, lease).await;
        time::sleep(self.claim).await;
        claim
    }

    async fn finish(
        &self,
        key: &OnceKey,
        by: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> Result<bool, OnceStoreError> {
        time::sleep(self.finish).await;
        self.memory.finish(key, by, answer, retention).await
    }

    async fn release(&self, key: &OnceKey, by: Owner) -> Result<bool, OnceStoreError> {
        time::sleep(self.release).await;
        self.memory.release(key, by).await
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// A handler that counts its runs and the new events of batches.
fn counting_events(status: u16) -> (Route, Rc<Cell<u32>>) {
    let seen = Rc::new(Cell::new(0));
    let counter = Rc::clone(&seen);
    let receive = move |CloudEvents(events): CloudEvents, once: OnceEach| {
        let counter = Rc::clone(&counter);
        async move {
            for event in &events {
                if once.first(&event.id).await? {
                    counter.set(counter.get() + 1);
                }
            }
            Ok::<_, Error>(HttpResponse::build(StatusCode::from_u16(status).unwrap()))
        }
    };
    (web::post().to(receive), seen)
}

#[actix_web::test]
async fn no_batch_waits_for_a_slow_store_longer_than_the_limits() {
    time::pause();
    let ids: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let cases = [
        (
            "slow to finish",
            Slow {
                finish: SECOND,
                ..Slow::default()
            },
            204,
            204,
            4,
        ),
        (
            "slow to release",
            Slow {
                release: SECOND,
                ..Slow::default()
            },
            500,
            500,
            4,
        ),
        (
            "slow to claim",
            Slow {
                claim: SECOND,
                ..Slow::default()
            },
            204,
            503,
            14,
        ),
    ];
    for (name, store, status, expected, seconds) in cases {
        let (route, seen) = counting_events(status);
        let lease = Duration::from_secs(200);
        let config = builder().once_store(store).once_times(lease, 2 * lease);
        let app = guarded(&config.build().unwrap(), route).await;
        let start = time::Instant::now();
        assert_eq!(batch("sent", &ids).call(&app).await.0, expected, "{name}");
        assert!(
            start.elapsed() <= Duration::from_secs(seconds),
            "{name}: {:?}",
            start.elapsed()
        );
        // The rest is stored in the meantime.
        time::sleep(Duration::from_secs(150)).await;
        if expected == 204 {
            assert_eq!(seen.replace(0), 100, "{name}");
            assert_eq!(batch("again", &ids).call(&app).await.0, 204, "{name}");
            assert_eq!(seen.get(), 0, "{name}");
        }
    }
}

#[actix_web::test]
async fn batches_that_wait_for_each_other_fail_in_time_and_then_pass() {
    time::pause();
    let go = Rc::new(tokio::sync::Barrier::new(2));
    let meeting = Rc::clone(&go);
    let receive = move |CloudEvents(events): CloudEvents, once: OnceEach| {
        let meeting = Rc::clone(&meeting);
        async move {
            for (index, event) in events.iter().enumerate() {
                once.first(&event.id).await?;
                if index == 0 && event.event_type == "meets" {
                    meeting.wait().await;
                }
            }
            Ok::<_, Error>(NoContent)
        }
    };
    let app = guarded(&config(), web::post().to(receive)).await;
    let start = time::Instant::now();
    let [one, two] = [["1", "2"], ["2", "1"]].map(|ids| batch("meets", &ids));
    let (one, two) = futures_util::join!(one.call(&app), two.call(&app));
    assert!(one.0 == 503 || two.0 == 503, "{one:?} {two:?}");
    assert!(
        start.elapsed() <= Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );
    yield_now().await;
    for ids in [["1", "2"], ["2", "1"]] {
        assert_eq!(batch("sent", &ids).call(&app).await.0, 204);
    }
}

#[actix_web::test]
async fn a_client_that_goes_away_while_the_store_works_changes_nothing() {
    time::pause();
    // While the event is claimed, its claim is released; while its answer is stored, it is stored all the same.
    let stores = [
        Slow {
            claim: SECOND,
            ..Slow::default()
        },
        Slow {
            finish: SECOND,
            ..Slow::default()
        },
    ];
    for (store, runs_before) in stores.into_iter().zip([0, 1]) {
        let (route, runs) = counting();
        let app = guarded(&builder().once_store(store).build().unwrap(), route).await;
        let webhook = message();
        let gone = time::timeout(SECOND / 2, webhook.call(&app)).await;
        assert!(gone.is_err());
        assert_eq!(runs.get(), runs_before);
        time::sleep(5 * SECOND).await;
        let start = time::Instant::now();
        let (status, body) = message().call(&app).await;
        assert_eq!(status, 200);
        assert!(body.contains("run 1"), "{body}");
        assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
        assert_eq!(runs.get(), 1);
    }
}

/// A store that fails for so many claims, and then works.
struct FailsAtFirst(MemoryStore, AtomicU32);

impl OnceStore for FailsAtFirst {
    async fn claim(
        &self,
        key: &OnceKey,
        by: Owner,
        lease: Duration,
    ) -> Result<Claim, OnceStoreError> {
        if self.1.load(Ordering::SeqCst) > 0 {
            self.1.fetch_sub(1, Ordering::SeqCst);
            return Err("connection refused".into());
        }
        self.0.claim(key, by, lease).await
    }

    async fn finish(
        &self,
        key: &OnceKey,
        by: Owner,
        answer: &StoredAnswer,
        retention: Duration,
    ) -> Result<bool, OnceStoreError> {
        self.0.finish(key, by, answer, retention).await
    }

    async fn release(&self, key: &OnceKey, by: Owner) -> Result<bool, OnceStoreError> {
        self.0.release(key, by).await
    }
}

#[actix_web::test]
async fn what_was_handled_while_the_store_was_down_is_remembered_as_soon_as_it_works() {
    let (route, runs) = counting();
    let store = FailsAtFirst(MemoryStore::default(), AtomicU32::new(1));
    let config = builder()
        .once_store(store)
        .if_once_store_fails(IfStoreFails::Handle);
    let app = guarded(&config.build().unwrap(), route).await;
    for _ in 0..3 {
        assert!(message().call(&app).await.1.contains("run 1"));
    }
    assert_eq!(runs.get(), 1);
}

#[test]
fn an_answer_is_stored_later_if_the_store_works_again_within_the_lease() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            time::pause();
            for (failures, runs_after) in [(1, 1), (10, 1), (1000, 2)] {
                let (log, _guard) = Log::start();
                let (route, runs) = counting();
                let store = Forgetful(MemoryStore::default(), AtomicU32::new(failures));
                let app = guarded(&builder().once_store(store).build().unwrap(), route).await;
                let first = message().call(&app).await;
                assert_eq!(first.0, 200);
                time::sleep(Duration::from_secs(21)).await;
                assert_eq!(message().call(&app).await.0, 200);
                assert_eq!(runs.get(), runs_after, "{failures}");
                let lines = log.take();
                let said =
                    |line: &Line| line.field("message").contains("if it does not work again");
                assert!(lines.iter().any(said), "{lines:?}");
            }
        });
    });
}

#[actix_web::test]
async fn a_full_store_fails_for_new_events_and_forgets_no_old_one() {
    time::pause();
    let (route, runs) = counting();
    let config = builder().once_store(MemoryStore::new(4 * 1024)).build();
    let app = guarded(&config.unwrap(), route).await;
    let nth =
        |number: u32| Webhook::form("/message", &format!("MessageSid=SM{number}")).signed(TOKEN);
    let mut handled = 0;
    while nth(handled).call(&app).await.0 == 200 {
        handled += 1;
    }
    assert!((4..10).contains(&handled), "{handled}");
    for number in 0..handled {
        let (status, body) = nth(number).call(&app).await;
        assert_eq!(status, 200);
        assert!(body.contains(&format!("run {}", number + 1)), "{body}");
    }
    let runs_before = runs.get();
    assert_eq!(nth(handled).call(&app).await.0, 503);
    assert_eq!(runs.get(), runs_before);
    // What has expired makes room.
    time::advance(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(nth(handled).call(&app).await.0, 200);
}

#[test]
fn a_guard_without_validation_fails_and_one_that_does_not_enforce_is_idle() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            let (log, _guard) = Log::start();
            let (route, runs) = counting();
            let resource = web::resource("/message").wrap(Once::new()).route(route);
            let app = init_service(App::new().app_data(config()).service(resource)).await;
            assert_eq!(message().call(&app).await.0, 500);
            let line = log.only("no validation");
            assert!(
                line.field("message").contains("was not validated"),
                "{line:?}"
            );
            assert_eq!(runs.get(), 0);

            for mode in [Mode::ReportOnly, Mode::Off] {
                let (route, runs) = counting();
                let app = guarded(&builder().mode(mode).build().unwrap(), route).await;
                for webhook in [message(), message(), Webhook::form("/message", "a=1")] {
                    assert_eq!(webhook.call(&app).await.0, 200, "{mode:?}");
                }
                assert_eq!(runs.get(), 3);
                let lines = log.take();
                let idle = |line: &&Line| {
                    line.field("message")
                        .contains("without a check whether it is a duplicate")
                };
                assert_eq!(lines.iter().filter(idle).count(), 3, "{mode:?}");
            }
        });
    });
}

#[actix_web::test]
async fn a_forged_request_claims_nothing() {
    let (route, runs) = counting();
    let app = guarded(&config(), route).await;
    let forged = Webhook::form("/message", MESSAGE).signed("another token");
    assert_eq!(with_token(forged, "a").call(&app).await.0, 403);
    assert_eq!(message().call(&app).await.0, 200);
    assert_eq!(runs.get(), 1);
}

#[actix_web::test]
async fn a_guard_inside_another_one_is_idle() {
    let (route, runs) = counting();
    let scope = web::scope("")
        .service(web::resource("/message").wrap(Once::new()).route(route))
        .wrap(Once::new())
        .wrap(TwilioValidation::new());
    let app = init_service(App::new().app_data(config()).service(scope)).await;
    for _ in 0..3 {
        let (status, body) = message().call(&app).await;
        assert_eq!(status, 200);
        assert!(body.contains("run 1"), "{body}");
    }
    assert_eq!(runs.get(), 1);
}

#[actix_web::test]
async fn a_duplicate_of_an_answer_without_a_stored_body_gets_a_204() {
    type Answers = [(&'static str, fn() -> HttpResponse, u16); 6];
    let answers: Answers = [
        ("an empty 200", || HttpResponse::Ok().finish(), 204),
        ("an empty 404", || HttpResponse::NotFound().finish(), 404),
        (
            "64 kB",
            || HttpResponse::Ok().body("x".repeat(StoredAnswer::MAX_BODY)),
            200,
        ),
        (
            "a byte more",
            || HttpResponse::Ok().body("x".repeat(StoredAnswer::MAX_BODY + 1)),
            204,
        ),
        (
            "a body that only its header makes readable",
            || {
                let mut answer = HttpResponse::Ok();
                answer.insert_header((CONTENT_ENCODING, "br")).body("x")
            },
            204,
        ),
        (
            "a stream",
            || {
                let chunks = stream::iter([Ok::<_, Error>(Bytes::from("a")), Ok(Bytes::from("b"))]);
                HttpResponse::Ok().body(BodyStream::new(chunks))
            },
            204,
        ),
    ];
    for (name, answer, status) in answers {
        let app = guarded(&config(), web::route().to(move || async move { answer() })).await;
        let (first, body) = message().call(&app).await;
        let (again, body_again) = message().call(&app).await;
        assert_eq!(again, status, "{name}");
        assert_eq!(first, answer().status().as_u16(), "{name}");
        assert_eq!(
            body_again == body,
            status != 204 || body.is_empty(),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn a_duplicate_is_redirected_as_the_first_was_and_gets_no_cookie() {
    let route = web::route().to(async || {
        HttpResponse::Found()
            .insert_header((LOCATION, "/next"))
            .insert_header((SET_COOKIE, "session=secret"))
            .insert_header(("x-internal", "secret"))
            .finish()
    });
    let app = guarded(&config(), route).await;
    for is_first in [true, false, false] {
        let res = app.call(message().request().to_request()).await.unwrap();
        assert_eq!(res.status(), 302);
        assert_eq!(res.headers().get(LOCATION).unwrap(), "/next");
        assert_eq!(res.headers().contains_key(SET_COOKIE), is_first);
        assert_eq!(res.headers().contains_key("x-internal"), is_first);
    }
}

#[test]
fn a_handshake_is_handled_each_time_and_its_stream_is_left_alone() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            let (log, _guard) = Log::start();
            let runs = Rc::new(Cell::new(0));
            let counter = Rc::clone(&runs);
            let route = web::route().to(move || {
                counter.set(counter.get() + 1);
                let frames = stream::iter([Ok::<_, Error>(Bytes::from("frame"))]);
                async { HttpResponse::SwitchingProtocols().body(BodyStream::new(frames)) }
            });
            let app = guarded(&config(), route).await;
            let handshake = Webhook::get("/media")
                .signed_for("wss://example.com/media", &actix_twilio_tests::validator())
                .with("Upgrade", "websocket")
                .with("Connection", "Upgrade")
                .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
            for run in 1..=2 {
                let handshake = with_token(handshake.clone(), "a");
                assert_eq!(handshake.call(&app).await, (101, "frame".to_owned()));
                assert_eq!(runs.get(), run);
            }
            let lines = log.take();
            assert!(
                lines.iter().all(|line| line.level == tracing::Level::DEBUG),
                "{lines:?}"
            );
            let unguarded = lines
                .iter()
                .filter(|line| line.get("outcome") == Some("unguarded"));
            assert_eq!(unguarded.count(), 2);
        });
    });
}

#[actix_web::test]
async fn what_made_up_headers_fill_is_free_after_minutes_and_messages_are_remembered() {
    time::pause();
    let (route, runs) = counting();
    let config = builder().once_store(MemoryStore::new(16 * 1024)).build();
    let app = guarded(&config.unwrap(), route).await;
    assert_eq!(message().call(&app).await.0, 200);
    // One recording of a call, and as many keys as there is memory for.
    let call = Webhook::form("/call", "CallSid=CA1&Digits=1").signed(TOKEN);
    let mut flood = 0;
    while with_token(call.clone(), &format!("{flood}"))
        .call(&app)
        .await
        .0
        == 200
    {
        flood += 1;
    }
    assert!((10..40).contains(&flood), "{flood}");
    let other = Webhook::form("/message", "MessageSid=SM2").signed(TOKEN);
    assert_eq!(other.call(&app).await.0, 503);
    time::advance(Duration::from_secs(4 * 60)).await;
    let before = runs.get();
    // It is long enough for Twilio's own retries.
    assert_eq!(with_token(call.clone(), "0").call(&app).await.0, 200);
    assert_eq!(runs.get(), before);
    time::advance(Duration::from_secs(2 * 60)).await;
    assert_eq!(other.call(&app).await.0, 200);
    time::advance(Duration::from_secs(23 * 60 * 60)).await;
    assert!(message().call(&app).await.1.contains("run 1"));
}

#[actix_web::test]
async fn large_answers_fill_no_more_than_the_memory_that_is_set() {
    let route = web::route().to(async || "x".repeat(StoredAnswer::MAX_BODY));
    let app = guarded(&config(), route).await;
    let mut handled = 0;
    let nth =
        |number: u32| Webhook::form("/message", &format!("MessageSid=SM{number}")).signed(TOKEN);
    while nth(handled).call(&app).await.0 == 200 {
        handled += 1;
        assert!(handled < 100);
    }
    // A megabyte. Nothing was handled whose answer did not fit.
    assert!((14..=15).contains(&handled), "{handled}");
    for number in 0..handled {
        assert_eq!(nth(number).call(&app).await.0, 200);
    }
}

/// A key of one's own: the first letter of the query.
enum FirstLetter {}

impl EventKey for FirstLetter {
    fn key(req: &HttpRequest, _: &Proof) -> Option<OnceKey> {
        let letter = req.query_string().get(..1)?;
        Some(OnceKey::new("letter", letter.as_bytes()))
    }
}

#[actix_web::test]
async fn a_key_of_the_users_own_counts() {
    let (route, runs) = counting();
    let resource = web::resource("/message")
        .route(route)
        .wrap(Once::<FirstLetter>::by())
        .wrap(TwilioValidation::new());
    let app = init_service(App::new().app_data(config()).service(resource)).await;
    for (target, expected) in [("?a", 1), ("?ab", 1), ("?b", 2), ("", 3), ("", 4)] {
        let webhook = Webhook::form(format!("/message{target}"), MESSAGE).signed(TOKEN);
        assert_eq!(webhook.call(&app).await.0, 200);
        assert_eq!(runs.get(), expected, "{target}");
    }
}

/// Returns a batch of events with these ids, and with a type.
fn batch(event_type: &str, ids: &[&str]) -> Webhook {
    let event = |id: &&str| {
        format!(r#"{{"specversion":"1.0","type":"{event_type}","source":"s","id":"{id}"}}"#)
    };
    let events: Vec<_> = ids.iter().map(event).collect();
    Webhook::json("/events", &format!("[{}]", events.join(","))).signed(TOKEN)
}

#[actix_web::test]
async fn each_event_of_overlapping_batches_is_handled_once() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let handled = Rc::clone(&seen);
    let receive = move |web::Json(CloudEvents(events)): web::Json<CloudEvents>, once: OnceEach| {
        let handled = Rc::clone(&handled);
        async move {
            for event in &events {
                if once.first(&event.id).await? {
                    handled.borrow_mut().push(event.id.clone());
                }
            }
            if events.iter().any(|event| event.event_type == "fails") {
                return Err(actix_web::error::ErrorInternalServerError("x"));
            }
            Ok::<_, Error>(NoContent)
        }
    };
    let app = guarded(&config(), web::post().to(receive)).await;
    for (event_type, ids, status, expected) in [
        ("fails", &["1", "2"][..], 500, "1,2"),
        ("sent", &["1", "2"], 204, "1,2"),
        ("sent", &["1", "2"], 204, ""),
        ("sent", &["2", "3", "3"], 204, "3"),
        ("read", &["3", "4"], 204, "4"),
    ] {
        assert_eq!(batch(event_type, ids).call(&app).await.0, status, "{ids:?}");
        let seen = seen.borrow_mut().drain(..).collect::<Vec<_>>().join(",");
        assert_eq!(seen, expected, "{event_type} {ids:?}");
    }
}

#[actix_web::test]
async fn events_of_different_accounts_never_meet() {
    let account = |number: u32| format!("AC{number:032}");
    let token = |number: u32| format!("token of {number}");
    let map = [1, 2].into_iter().fold(KeyMap::new(), |map, number| {
        let keys = actix_twilio_tests::keys(&token(number));
        map.account(account(number).parse().unwrap(), keys)
    });
    let config = TwilioConfig::builder().public_url(BASE).unwrap();
    let config = config.key_store(map).once_store(MemoryStore::default());
    let receive = async |once: OnceEach| {
        let first = once.first("EZ1").await?;
        Ok::<_, Error>(first.to_string())
    };
    let app = guarded(&config.build().unwrap(), web::post().to(receive)).await;
    for (number, run, first) in [
        (1, 1, "true"),
        (2, 1, "true"),
        (1, 2, "false"),
        (2, 2, "false"),
    ] {
        let json = format!(
            r#"[{{"specversion":"1.0","run":{run},"data":{{"accountSid":"{}"}}}}]"#,
            account(number)
        );
        let webhook = Webhook::json("/events", &json).signed(&token(number));
        assert_eq!(
            webhook.call(&app).await,
            (200, first.to_owned()),
            "{number}, {run}"
        );
    }
}

#[test]
fn a_batch_without_a_guard_is_a_misconfiguration() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            let (log, _guard) = Log::start();
            let resource = web::resource("/events")
                .route(web::post().to(async |_: OnceEach| NoContent))
                .wrap(TwilioValidation::new());
            let app = init_service(App::new().app_data(config()).service(resource)).await;
            assert_eq!(batch("sent", &["1"]).call(&app).await.0, 500);
            assert!(log.only("no guard").field("message").contains("OnceEach"));
        });
    });
}

#[test]
fn the_hook_and_the_log_have_each_outcome() {
    in_child(NO_VARIABLES, || {
        System::new().block_on(async {
            time::pause();
            let (log, _guard) = Log::start();
            let seen = Arc::new(Mutex::new(Vec::new()));
            let hook = Arc::clone(&seen);
            let config = builder().on_delivery(move |delivery| {
                assert_eq!(delivery.route(), Some("/{name:.*}"));
                hook.lock().unwrap().push(delivery.outcome());
            });
            let runs = Rc::new(Cell::new(0));
            let route = web::route().to(move || {
                runs.set(runs.get() + 1);
                let seconds = [30, 5, 0].get(runs.get() - 1).copied().unwrap_or_default();
                async move {
                    time::sleep(Duration::from_secs(seconds)).await;
                    NoContent
                }
            });
            let app = guarded(&config.build().unwrap(), route).await;
            let at = |seconds| {
                let app = &app;
                async move {
                    time::sleep(Duration::from_secs(seconds)).await;
                    message().call(app).await.0
                }
            };
            // The first, one that waits in vain, one that takes over, one that waits for that.
            let statuses = futures_util::join!(at(0), at(1), at(21), at(22));
            assert_eq!(statuses, (204, 503, 204, 204));
            assert_eq!(at(0).await, 204);
            let call = Webhook::form("/call", "CallSid=CA1&Digits=1").signed(TOKEN);
            assert_eq!(call.call(&app).await.0, 204);
            let expected = [
                Outcome::First,
                Outcome::WaitedInVain,
                Outcome::TakenOver,
                Outcome::Waited,
                Outcome::Duplicate,
                Outcome::Unguarded,
            ];
            assert_eq!(*seen.lock().unwrap(), expected);
            let lines = log.take();
            let logged: Vec<_> = lines
                .iter()
                .filter_map(|line| line.get("outcome"))
                .collect();
            assert_eq!(logged, expected.map(Outcome::as_str));
        });
    });
}

#[actix_web::test]
async fn duplicates_that_wait_are_bounded_in_number() {
    time::pause();
    let go = Rc::new(Notify::new());
    let hold = Rc::clone(&go);
    let route = web::route().to(move || {
        let hold = Rc::clone(&hold);
        async move {
            hold.notified().await;
            NoContent
        }
    });
    let app = Rc::new(guarded(&config(), route).await);
    let calls: Vec<_> = (0..300)
        .map(|_| {
            let app = Rc::clone(&app);
            spawn(async move { message().call(&*app).await.0 })
        })
        .collect();
    time::sleep(Duration::from_secs(1)).await;
    go.notify_one();
    let statuses = join_all(calls).await;
    let count = |status| {
        let statuses = statuses.iter().map(|found| *found.as_ref().unwrap());
        statuses.filter(|found| *found == status).count()
    };
    assert_eq!((count(204), count(503)), (257, 43));
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// The number of this run, in all handlers below.
fn run() -> String {
    RUNS.set(RUNS.get() + 1);
    format!("run {}", RUNS.get())
}

#[post("/message")]
#[validate_twilio_request(once)]
async fn plain(web::Form(form): web::Form<Vec<(String, String)>>, proof: Proof) -> impl Responder {
    assert!(!form.is_empty() && proof.url().starts_with(BASE));
    run()
}

#[validate_twilio_request(once = FirstLetter, public_url = "https://example.com")]
#[post("/keyed")]
async fn keyed() -> Result<String, Error> {
    let run = Some(run()).ok_or_else(|| actix_web::error::ErrorBadRequest("never"))?;
    if run.is_empty() {
        return Err(actix_web::error::ErrorBadRequest("never"));
    }
    Ok(run)
}

#[post("/nothing")]
#[validate_twilio_request(once)]
async fn nothing() -> NoContent {
    run();
    NoContent
}

#[post("/own_error")]
#[validate_twilio_request(once)]
async fn own_error(_: web::Json<u32>) -> String {
    run()
}

#[validate_twilio_request(once)]
mod annotated {
    use actix_web::post;

    use super::run;

    #[post("/in_module")]
    pub(super) async fn in_module() -> String {
        run()
    }
}

fn generic<T: FromRequest + 'static>(app: &mut web::ServiceConfig) {
    #[validate_twilio_request(once)]
    async fn handler<T>(_unused: T) -> String
    where
        T: FromRequest + 'static,
    {
        run()
    }
    app.route("/generic", web::post().to_validated(handler::<T>));
}

#[actix_web::test]
async fn the_attribute_handles_each_event_once() {
    let (log, _guard) = Log::start();
    let app = App::new()
        .app_data(config())
        .service(plain)
        .service(keyed)
        .service(nothing)
        .service(own_error)
        .service(annotated::in_module)
        .configure(generic::<Bytes>);
    let app = init_service(app).await;
    for (path, status, runs) in [
        ("/message", 200, 1),
        ("/keyed?a", 200, 1),
        ("/nothing", 204, 1),
        ("/own_error", 400, 0),
        ("/in_module", 200, 1),
        ("/generic", 200, 1),
    ] {
        let before = RUNS.get();
        let webhook = if path == "/own_error" {
            Webhook::json(path, "{}").signed(TOKEN)
        } else {
            Webhook::form(path, MESSAGE).signed(TOKEN)
        };
        let first = webhook.call(&app).await;
        assert_eq!(first.0, status, "{path}");
        assert_eq!(webhook.call(&app).await, first, "{path}");
        assert_eq!(RUNS.get(), before + runs, "{path}");
        let forged = Webhook::form(path, MESSAGE).signed("another token");
        assert_eq!(forged.call(&app).await.0, 403, "{path}");
    }
    let lines = log.take();
    let refused = lines.iter().filter(|line| line.get("extractor").is_some());
    assert_eq!(refused.count(), 2, "{lines:?}");
}

#[actix_web::test]
async fn the_attribute_is_idle_inside_a_guard_and_while_validation_only_reports() {
    let resource = web::scope("")
        .service(plain)
        .wrap(Once::new())
        .wrap(TwilioValidation::new());
    let app = init_service(App::new().app_data(config()).service(resource)).await;
    let first = message().call(&app).await;
    assert_eq!(first.0, 200);
    assert_eq!(message().call(&app).await, first);

    let config = builder().mode(Mode::ReportOnly).build().unwrap();
    let app = init_service(App::new().app_data(config).service(nothing)).await;
    let forged = Webhook::form("/nothing", "a=1");
    for _ in 0..2 {
        let before = RUNS.get();
        assert_eq!(forged.call(&app).await.0, 204);
        assert!(RUNS.get() > before);
    }
}
