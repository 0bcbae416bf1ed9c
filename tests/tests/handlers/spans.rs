//! What a verdict records on the current span, from where OpenTelemetry and the like take it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    sync::{Arc, Mutex},
};

use actix_twilio::{
    ConfigError, KeyStore, Policy, RequestValidator, TwilioConfig, Validated,
    config::Mode,
    keys::{KeyMap, KeyQuery, KeyStoreError},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_twilio_tests::{
    FORGED, SIGNATURE, keys,
    webhook::{BASE, Webhook, builder, config},
};
use actix_web::{
    App, HttpRequest,
    dev::ServiceRequest,
    middleware::{Next, from_fn},
    post,
    test::init_service,
    web::{self, Bytes},
};
use tracing::{
    Instrument, Span,
    field::{Empty, Field, Visit},
    info_span,
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, set_default},
};
use tracing_subscriber::{Layer, Registry, layer::Context, prelude::*};

const ACCOUNT: &str = "AC0000000000000000000000000000000a";
const MESSAGE: &str = "SM00000000000000000000000000000001";
const CALL: &str = "CA00000000000000000000000000000002";

type Fields = BTreeMap<String, String>;

/// What is recorded on the spans of this thread, as long as the guard lives.
#[derive(Debug, Clone, Default)]
struct Recorded(Arc<Mutex<Fields>>);

impl Recorded {
    fn start() -> (Self, DefaultGuard) {
        let recorded = Self::default();
        let guard = set_default(Registry::default().with(recorded.clone()));
        (recorded, guard)
    }

    fn take(&self) -> Fields {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> Layer<S> for Recorded {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        span.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }
}

impl Visit for Recorded {
    fn record_str(&mut self, field: &Field, value: &str) {
        let mut fields = self.0.lock().unwrap();
        fields.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// Returns a span with each field that the guide names.
fn declared() -> Span {
    info_span!(
        "request",
        twilio.verdict = Empty,
        twilio.kind = Empty,
        twilio.account = Empty,
        twilio.claimed_account = Empty,
        twilio.sid = Empty,
    )
}

/// Sends a request in a span to a handler with this configuration, and returns the status and what was recorded.
async fn send(config: &TwilioConfig, webhook: &Webhook, span: fn() -> Span) -> (u16, Fields) {
    let (recorded, _guard) = Recorded::start();
    let in_span = move |req: ServiceRequest, next: Next<_>| next.call(req).instrument(span());
    let app = App::new()
        .app_data(config.clone())
        .service(receive_message)
        .service(receive_with_no_keys)
        .route("/bytes", web::to(async |_: Validated<Bytes>| "ran"))
        .wrap(from_fn(in_span));
    let (status, _) = webhook.call(&init_service(app).await).await;
    (status, recorded.take())
}

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(_sms: IncomingMessage) -> &'static str {
    "ran"
}

struct NoKeys;

impl Policy for NoKeys {
    fn config(_: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        TwilioConfig::builder().build()
    }
}

#[post("/no-keys")]
#[validate_twilio_request(policy = NoKeys)]
async fn receive_with_no_keys() -> &'static str {
    "ran"
}

/// A store that fails.
struct Away;

impl KeyStore for Away {
    async fn keys(&self, _: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        Err("the database is away".into())
    }
}

fn fields<const N: usize>(fields: [(&str, &str); N]) -> Fields {
    let fields = fields.map(|(name, value)| (format!("twilio.{name}"), value.to_owned()));
    fields.into()
}

fn message(extra: &str) -> Webhook {
    let sids = format!("AccountSid={ACCOUNT}&MessageSid={MESSAGE}");
    Webhook::form("/bytes", &format!("{sids}&From=%2B1415&Body=Hi{extra}"))
}

#[actix_web::test]
async fn a_genuine_request_records_its_account_and_the_sid_of_its_message_or_call() {
    let account = |sid: Option<&str>| {
        let mut expected = fields([("verdict", "genuine"), ("account", ACCOUNT)]);
        expected.extend(sid.map(|sid| ("twilio.sid".to_owned(), sid.to_owned())));
        expected
    };
    let bytes = |body: &str| Webhook::form("/bytes", &format!("AccountSid={ACCOUNT}{body}"));
    let get = |query: &str| Webhook::get(format!("/bytes?AccountSid={ACCOUNT}{query}"));
    let call = format!("&CallSid={CALL}");
    let message = format!("&MessageSid={MESSAGE}");
    let long = format!("&x={}", "x".repeat(8000));
    let cases = [
        ("message", bytes(&message), Some(MESSAGE)),
        ("call", bytes(&call), Some(CALL)),
        (
            "message of a call",
            bytes(&format!("{call}{message}")),
            Some(MESSAGE),
        ),
        ("large form", bytes(&format!("{long}{call}")), Some(CALL)),
        ("GET", get(&call), Some(CALL)),
        (
            "neither",
            bytes("&RecordingSid=RE00000000000000000000000000000001"),
            None,
        ),
        ("malformed", bytes("&CallSid=CA1"), None),
        (
            "with the text behind it",
            bytes(&format!("{message}Body")),
            None,
        ),
        ("not text", bytes("&CallSid=%FF%00"), None),
        (
            "twice",
            bytes(&format!(
                "{call}&CallSid=CA00000000000000000000000000000003"
            )),
            None,
        ),
        (
            "in the query of a form",
            bytes("&a=1").target(&format!("/bytes?x=1{call}")),
            None,
        ),
    ];
    for (name, webhook, sid) in cases {
        let webhook = webhook.signed("main");
        let (status, recorded) = send(&config("main"), &webhook, declared).await;
        assert_eq!((status, recorded), (200, account(sid)), "{name}");
    }
    let (_, recorded) = send(
        &config("main"),
        &Webhook::get("/bytes").signed("main"),
        declared,
    )
    .await;
    assert_eq!(recorded, fields([("verdict", "genuine")]), "no account");

    let store = KeyMap::new().account(ACCOUNT.parse().unwrap(), keys("tenant"));
    let config = TwilioConfig::builder()
        .public_url(BASE)
        .unwrap()
        .key_store(store);
    let webhook = bytes(&call).signed("tenant");
    let (status, recorded) = send(&config.build().unwrap(), &webhook, declared).await;
    assert_eq!((status, recorded), (200, account(Some(CALL))), "looked up");
}

#[actix_web::test]
async fn a_refusal_records_its_kind_and_the_account_as_a_claim_and_no_sid() {
    let mismatch = fields([
        ("verdict", "refused"),
        ("kind", "signature_mismatch"),
        ("claimed_account", ACCOUNT),
    ]);
    let forged = || message("").with(SIGNATURE, FORGED);
    let (status, recorded) = send(&config("main"), &forged(), declared).await;
    assert_eq!((status, recorded), (403, mismatch));

    let report_only = builder("main").mode(Mode::ReportOnly).build().unwrap();
    let (status, recorded) = send(&report_only, &forged(), declared).await;
    let expected = fields([
        ("verdict", "would_refuse"),
        ("kind", "signature_mismatch"),
        ("claimed_account", ACCOUNT),
    ]);
    assert_eq!((status, recorded), (200, expected));

    let off = TwilioConfig::builder().dangerously_disable_validation();
    let (status, recorded) = send(&off.build().unwrap(), &forged(), declared).await;
    assert_eq!(
        (status, recorded),
        (200, fields([("verdict", "unchecked")]))
    );

    let unsigned = message("");
    let (status, recorded) = send(&config("main"), &unsigned, declared).await;
    assert_eq!(status, 403);
    assert_eq!(recorded["twilio.kind"], "signature_missing");
}

#[actix_web::test]
async fn a_fault_of_the_app_records_that_the_request_is_refused() {
    let refused = |kind| fields([("verdict", "refused"), ("kind", kind)]);
    let webhook = Webhook::new("POST", "/no-keys").signed("main");
    let (status, recorded) = send(&config("main"), &webhook, declared).await;
    assert_eq!((status, recorded), (500, refused("config")));

    let config = TwilioConfig::builder()
        .public_url(BASE)
        .unwrap()
        .key_store(Away);
    let webhook = Webhook::get("/bytes").signed("main");
    let (status, recorded) = send(&config.build().unwrap(), &webhook, declared).await;
    assert_eq!((status, recorded), (500, refused("key_store_failed")));
}

#[actix_web::test]
async fn a_genuine_request_that_is_no_webhook_of_its_handler_is_refused_in_the_end() {
    let webhook = Webhook::form("/message", "Body=Hi").signed("main");
    let (status, recorded) = send(&config("main"), &webhook, declared).await;
    let expected = fields([("verdict", "refused"), ("kind", "sid_malformed")]);
    assert_eq!((status, recorded), (403, expected));
}

#[actix_web::test]
async fn fields_that_are_not_declared_are_left_out() {
    let cases: [(fn() -> Span, Fields); 3] = [
        (|| info_span!("request"), fields([])),
        (Span::none, fields([])),
        (
            || info_span!("request", twilio.sid = Empty),
            fields([("sid", MESSAGE)]),
        ),
    ];
    let webhook = message("").signed("main");
    for (span, expected) in cases {
        let (status, recorded) = send(&config("main"), &webhook, span).await;
        assert_eq!((status, recorded), (200, expected));
    }
}

#[test]
fn the_guide_has_each_field() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/guide/metrics.md");
    let guide = fs::read_to_string(guide).unwrap();
    let rows = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `twilio."));
    let named: BTreeSet<_> = rows.filter_map(|row| row.split('`').next()).collect();
    let (_recorded, _guard) = Recorded::start();
    let span = declared();
    let fields = span.metadata().unwrap().fields();
    let fields: BTreeSet<_> = fields
        .iter()
        .filter_map(|field| field.name().strip_prefix("twilio."))
        .collect();
    assert_eq!(named, fields);
}
