//! Keys looked up by account: whose token may speak for whom, and how a store is asked.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use actix_twilio::{
    AuthToken, KeyStore, Proof, RequestValidator, TwilioConfig, TwilioConfigBuilder,
    ValidationErrorKind::{self as Kind, Signature},
    config::Mode,
    keys::{AccountSid, KeyFile, KeyMap, KeyQuery, KeyStoreError, MatchedKey, SharedKey},
    signature::SignatureErrorKind::{
        AccountConflicting, AccountMalformed, KeyUnknown, SignatureMismatch,
    },
    validate_twilio_request,
};
use actix_twilio_tests::{
    FORGED, FORM, SETTINGS, SIGNATURE, keys,
    server::Server,
    webhook::{BASE, REFUSED, UNJUDGED, Webhook, assert_answer, ran, runs},
};
use actix_web::{
    App, Error,
    dev::{Service, ServiceResponse},
    rt::time::sleep,
    test::init_service,
    web,
};
use futures_util::future::{Either, join_all, select};

const A: &str = "AC0000000000000000000000000000000a";
const B: &str = "AC0000000000000000000000000000000b";
/// No account of the store's.
const C: &str = "AC0000000000000000000000000000000c";

/// A store that counts, and that fails or lingers at will.
#[derive(Clone, Default)]
struct Tenants(Arc<Office>);

#[derive(Default)]
struct Office {
    keys: Mutex<HashMap<Option<&'static str>, RequestValidator>>,
    asked: AtomicUsize,
    present: AtomicUsize,
    most: AtomicUsize,
    queries: Mutex<Vec<KeyQuery>>,
    time: Mutex<Duration>,
    fails: Mutex<bool>,
}

impl Tenants {
    /// A store with two accounts, whose tokens are `a` and `b`, and `main` as the default.
    fn new() -> Self {
        let tenants = Self::default();
        for (account, token) in [(Some(A), "a"), (Some(B), "b"), (None, "main")] {
            tenants.set(account, keys(token));
        }
        tenants
    }

    fn set(&self, account: Option<&'static str>, keys: RequestValidator) {
        self.0.keys.lock().unwrap().insert(account, keys);
    }

    fn takes(self, time: Duration) -> Self {
        *self.0.time.lock().unwrap() = time;
        self
    }

    fn fail(&self, fails: bool) {
        *self.0.fails.lock().unwrap() = fails;
    }

    /// Returns how often it was asked since the last call.
    fn asked(&self) -> usize {
        self.0.asked.swap(0, Ordering::Relaxed)
    }

    fn builder(&self) -> TwilioConfigBuilder {
        let builder = TwilioConfig::builder().public_url(BASE).unwrap();
        builder.key_store(self.clone()).on_verdict(|verdict| {
            LAST.set(verdict.refusal());
        })
    }

    fn config(&self) -> TwilioConfig {
        self.builder().build().unwrap()
    }
}

impl KeyStore for Tenants {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        let office = &self.0;
        office.asked.fetch_add(1, Ordering::Relaxed);
        office.queries.lock().unwrap().push(query.clone());
        let present = office.present.fetch_add(1, Ordering::Relaxed) + 1;
        office.most.fetch_max(present, Ordering::Relaxed);
        let account = query.account.as_ref().map(AccountSid::as_str);
        let found = office.keys.lock().unwrap().get(&account).cloned();
        let time = *office.time.lock().unwrap();
        if !time.is_zero() {
            sleep(time).await;
        }
        office.present.fetch_sub(1, Ordering::Relaxed);
        if *office.fails.lock().unwrap() {
            return Err("the database is away".into());
        }
        Ok(found)
    }
}

thread_local! {
    static LAST: std::cell::Cell<Option<Kind>> = const { std::cell::Cell::new(None) };
}

/// Says which account and key signed.
#[validate_twilio_request]
async fn hook(proof: Option<Proof>) -> String {
    ran();
    match proof {
        Some(proof) => {
            let account = proof.account().map_or("none", AccountSid::as_str);
            format!("{account} {:?}", proof.key())
        }
        None => "no proof".to_owned(),
    }
}

async fn app(
    config: TwilioConfig,
) -> impl Service<
    actix_http::Request,
    Response = ServiceResponse<impl actix_web::body::MessageBody>,
    Error = Error,
> {
    init_service(App::new().app_data(config).default_service(web::to(hook))).await
}

fn told(account: &str) -> String {
    format!("{account} {:?}", MatchedKey::AuthToken(0))
}

/// Every place that an account stands in.
fn places(account: &str) -> Vec<(&'static str, Webhook)> {
    let text = |text: &str| text.replace('$', account);
    let form = |body| Webhook::form("/", &text(body));
    let json = |body| Webhook::json("/", &text(body));
    vec![
        ("form", form("From=1&AccountSid=$&To=2")),
        ("form, escaped", form("%41ccount%53id=$")),
        ("form, repeated", form("AccountSid=$&AccountSid=$")),
        ("query", Webhook::get(text("/?AccountSid=$"))),
        (
            "query of an empty form",
            Webhook::form(text("/?AccountSid=$"), ""),
        ),
        (
            "query and form",
            Webhook::form(text("/?AccountSid=$"), &text("AccountSid=$")),
        ),
        (
            "query, escaped",
            Webhook::get(text("/?a=1&Account%53id=%41$").replace("%41A", "%41")),
        ),
        ("JSON", json(r#"{"AccountSid":"$"}"#)),
        (
            "JSON, other spelling",
            json(r#" {"x":[{}],"account_sid":"$"}"#),
        ),
        ("JSON, escaped", json(r#"{"\u0041ccountSid":"$"}"#)),
        (
            "JSON and query",
            Webhook::json(&text("/?AccountSid=$"), &text(r#"{"accountSid":"$"}"#)),
        ),
        (
            "CloudEvent",
            json(r#"{"specversion":"1.0","data":{"accountSid":"$"}}"#),
        ),
        (
            "CloudEvents",
            json(r#"[{"data":{"accountSid":"$"}},{},{"data":{"accountSid":"$"}}]"#),
        ),
    ]
}

#[actix_web::test]
async fn each_account_accepts_its_own_token_and_refuses_the_others() {
    let tenants = Tenants::new();
    let app = app(tenants.config()).await;
    for (account, own) in [(A, "a"), (B, "b")] {
        for (place, webhook) in places(account) {
            let genuine = webhook.clone().signed(own).call(&app).await;
            assert_answer(
                &genuine,
                (200, &told(account)),
                &format!("{account} in {place}"),
            );
            assert_eq!(runs(), 1);
            for token in ["a", "b", "main", "stranger"] {
                if token == own {
                    continue;
                }
                let name = format!("{token} for {account} in {place}");
                let answer = webhook.clone().signed(token).call(&app).await;
                assert_answer(&answer, REFUSED, &name);
                assert_eq!(
                    (LAST.take(), runs()),
                    (Some(Signature(SignatureMismatch)), 0),
                    "{name}"
                );
            }
            let name = format!("nobody for {account} in {place}");
            assert_answer(&webhook.call(&app).await, REFUSED, &name);
        }
    }
    // Whoever names no account is judged by the default's token.
    for (place, webhook) in [
        ("form", Webhook::form("/", "From=1")),
        ("GET", Webhook::get("/?a=1")),
        (
            "JSON",
            Webhook::json("/", r#"{"data":{},"accountSid":null,"x":{"accountSid":1}}"#),
        ),
        ("path", Webhook::get(format!("/{B}"))),
        ("empty", Webhook::form("/", "")),
        (
            "text",
            Webhook::json("/", "Account Sid").with("X-Account", B),
        ),
    ] {
        let genuine = webhook.clone().signed("main").call(&app).await;
        assert_answer(&genuine, (200, &told("none")), place);
        let forged = webhook.signed("b").call(&app).await;
        assert_answer(&forged, REFUSED, place);
    }
}

/// Makes a request of a query and a body, in which `$A` and `$B` are the accounts.
type Make = fn(&str, &str) -> Webhook;

fn form(query: &str, body: &str) -> Webhook {
    Webhook::form(with_accounts(&format!("/?{query}")), &with_accounts(body))
}

fn json(query: &str, body: &str) -> Webhook {
    Webhook::json(&with_accounts(&format!("/?{query}")), &with_accounts(body))
}

fn get(query: &str, _: &str) -> Webhook {
    Webhook::get(with_accounts(&format!("/?{query}")))
}

fn with_accounts(text: &str) -> String {
    text.replace("$A", A).replace("$B", B)
}

/// Makes a request whose body's hash is in the query, whatever it is called.
fn typed(content_type: &str, query: &str, body: &str) -> Webhook {
    let mut webhook = json(query, body);
    webhook.headers.pop();
    webhook.with("Content-Type", content_type)
}

fn text(query: &str, body: &str) -> Webhook {
    typed("text/plain", query, body)
}

fn untyped(query: &str, body: &str) -> Webhook {
    typed("", query, body)
}

fn form_called_json(query: &str, body: &str) -> Webhook {
    typed("application/x-www-form-urlencoded; x=json", query, body)
}

fn get_of_json(query: &str, body: &str) -> Webhook {
    let method = "GET";
    Webhook {
        method,
        ..json(query, body)
    }
}

fn get_of_form(query: &str, body: &str) -> Webhook {
    let method = "GET";
    Webhook {
        method,
        ..typed(FORM, query, body)
    }
}

fn head_of_form(query: &str, body: &str) -> Webhook {
    let method = "HEAD";
    Webhook {
        method,
        ..typed(FORM, query, body)
    }
}

fn by_key_of_b(query: &str, body: &str) -> Webhook {
    form(query, body).with(SETTINGS, "key=KB")
}

fn after_many_bs(query: &str, body: &str) -> Webhook {
    form(query, &("AccountSid=$B&".repeat(500) + body))
}

fn deep_json(query: &str, body: &str) -> Webhook {
    json(query, &body.repeat(10_000))
}

/// What the holder of B's token sends to speak for A, and why it is refused.
#[rustfmt::skip]
const ATTACKS: [(&str, Make, &str, &str, Kind); 57] = [
    ("A's form", form, "", "AccountSid=$A", Signature(SignatureMismatch)),
    ("B, then A", form, "", "AccountSid=$B&AccountSid=$A", Signature(AccountConflicting)),
    ("A, then B", form, "", "AccountSid=$A&AccountSid=$B", Signature(AccountConflicting)),
    ("A, escaped, then B", form, "", "A%63countSid=$A&AccountSid=$B", Signature(AccountConflicting)),
    ("B, then A, escaped", form, "", "AccountSid=$B&AccountSid=%41C0000000000000000000000000000000a", Signature(AccountConflicting)),
    ("many Bs and an A", after_many_bs, "", "AccountSid=$A", Signature(AccountConflicting)),
    ("B in the query of A's form", form, "AccountSid=$B", "AccountSid=$A", Signature(AccountConflicting)),
    ("A in the query of B's form", form, "AccountSid=$A", "AccountSid=$B", Signature(AccountConflicting)),
    ("two in a query", get, "AccountSid=$B&AccountSid=$A", "", Signature(AccountConflicting)),
    ("two in a query, escaped", get, "AccountSid=$B&%41ccountSid=$A", "", Signature(AccountConflicting)),
    ("empty beside B", form, "", "AccountSid=$B&AccountSid=", Signature(AccountMalformed)),
    ("without a value", form, "", "AccountSid&AccountSid=$B", Signature(AccountMalformed)),
    ("lower case", form, "", "AccountSid=ac0000000000000000000000000000000a", Signature(AccountMalformed)),
    ("a blank", form, "", "AccountSid=$B+", Signature(AccountMalformed)),
    ("a line end", form, "", "AccountSid=$B%0A", Signature(AccountMalformed)),
    ("a zero byte", form, "", "AccountSid=$B%00", Signature(AccountMalformed)),
    ("a list", form, "", "AccountSid=$B,$A", Signature(AccountMalformed)),
    ("not UTF-8", form, "", "AccountSid=%FF", Signature(AccountMalformed)),
    ("other digits", form, "", "AccountSid=AC%EF%BC%900000000000000000000000000000a", Signature(AccountMalformed)),
    ("one digit more", form, "", "AccountSid=$B0", Signature(AccountMalformed)),
    ("a pattern", form, "", "AccountSid=AC%25", Signature(AccountMalformed)),
    ("an injection", form, "", "AccountSid=%27%20OR%201=1--", Signature(AccountMalformed)),
    ("A's JSON", json, "", r#"{"AccountSid":"$A"}"#, Signature(SignatureMismatch)),
    ("A's JSON, B's query", json, "AccountSid=$B", r#"{"AccountSid":"$A"}"#, Signature(AccountConflicting)),
    ("A's event, B's query", json, "AccountSid=$B", r#"{"data":{"accountSid":"$A"}}"#, Signature(AccountConflicting)),
    ("A's event in B's batch", json, "", r#"[{"data":{"accountSid":"$B"}},{"data":{"accountSid":"$A"}}]"#, Signature(AccountConflicting)),
    ("A's name twice", json, "", r#"{"AccountSid":"$B","AccountSid":"$A"}"#, Signature(AccountConflicting)),
    ("A, escaped", json, "", r#"{"AccountSid":"$B","\u0041ccountSid":"$A"}"#, Signature(AccountConflicting)),
    ("A, spelled in another way", json, "", r#"{"accountSid":"$B","ACCOUNT_SID":"$A"}"#, Signature(AccountConflicting)),
    ("data twice", json, "", r#"{"data":{"accountSid":"$B"},"data":{"accountSid":"$A"}}"#, Signature(AccountConflicting)),
    ("A above B's data", json, "", r#"{"accountSid":"$A","data":{"accountSid":"$B"}}"#, Signature(AccountConflicting)),
    ("A in an array", json, "", r#"{"accountSid":["$A"],"data":{"accountSid":"$B"}}"#, Signature(AccountMalformed)),
    ("A as a number", json, "AccountSid=$B", r#"{"accountSid":10}"#, Signature(AccountMalformed)),
    ("B and rubbish", json, "AccountSid=$B", r#"{"accountSid":"$B"}{"accountSid":"$A"}"#, Signature(AccountMalformed)),
    ("half a JSON", json, "AccountSid=$B", r#"{"accountSid":"$B","#, Signature(AccountMalformed)),
    ("deep JSON", deep_json, "AccountSid=$B", "[", Signature(AccountMalformed)),
    ("A's JSON as text", text, "AccountSid=$B", r#"{"AccountSid":"$A"}"#, Signature(AccountConflicting)),
    ("A's JSON as nothing", untyped, "AccountSid=$B", "\n\t {\"AccountSid\":\"$A\"}", Signature(AccountConflicting)),
    ("A's JSON as a form of B's", form, "", r#"{"AccountSid":"$A","x":"&AccountSid=$B&"}"#, Signature(AccountConflicting)),
    ("A's JSON as a form, B's query", form, "AccountSid=$B", r#"{"AccountSid":"$A"}"#, Signature(AccountConflicting)),
    ("GET with A's JSON", get_of_json, "AccountSid=$B", r#"{"AccountSid":"$A"}"#, Signature(AccountConflicting)),
    ("GET with A's form", get_of_form, "AccountSid=$B", "AccountSid=$A", Signature(AccountConflicting)),
    ("HEAD with A's form, which looks like JSON", head_of_form, "AccountSid=$B", r#"{"x":"&AccountSid=$A&"}"#, Signature(AccountConflicting)),
    ("A's form as text", text, "AccountSid=$B", "From=1&AccountSid=$A", Signature(AccountConflicting)),
    ("A's form as JSON", json, "AccountSid=$B", "AccountSid=$A", Signature(AccountConflicting)),
    ("JSON that some parsers refuse, as a form", form, "AccountSid=$B", r#"{"Account_Sid":1e999,"AccountSid":"$A"}"#, Signature(AccountMalformed)),
    ("A's JSON behind a byte order mark", json, "AccountSid=$B", "\u{feff}{\"AccountSid\":\"$A\"}", Signature(AccountMalformed)),
    ("A's JSON behind a blank that is not of ASCII", json, "AccountSid=$B", "\u{a0}{\"AccountSid\":\"$A\"}", Signature(AccountMalformed)),
    ("A in an array, which serde takes for a struct", json, "AccountSid=$B", r#"["$A","Hi"]"#, Signature(AccountConflicting)),
    ("A in the array of an event's data", json, "AccountSid=$B", r#"{"id":"1","data":["$A","Hi"]}"#, Signature(AccountConflicting)),
    ("A in the data of an event that is an array", json, "AccountSid=$B", r#"[["1",{"accountSid":"$A"}]]"#, Signature(AccountConflicting)),
    ("JSON of B's as text, which is a form of A's", text, "AccountSid=$B", r#"{"AccountSid":"$B","x":"&AccountSid=$A&"}"#, Signature(AccountConflicting)),
    ("A's form, which looks like JSON, with a parameter of that name", form_called_json, "AccountSid=$B", r#"{"x":"&AccountSid=$A&"}"#, Signature(AccountConflicting)),
    ("nobody's form", form, "", "From=1", Signature(SignatureMismatch)),
    ("nobody's JSON", json, "", "{}", Signature(SignatureMismatch)),
    ("B's SharedKey for A", by_key_of_b, "", "AccountSid=$A", Signature(KeyUnknown)),
    ("B's SharedKey for nobody", by_key_of_b, "", "", Signature(KeyUnknown)),
];

#[actix_web::test]
async fn the_holder_of_one_token_cannot_speak_for_another_account() {
    let tenants = Tenants::new();
    let shared = |id| [SharedKey::new(id, "secret").unwrap()];
    let b = [AuthToken::new("b").unwrap()];
    let b = RequestValidator::with_keys(b, shared("KB")).unwrap();
    tenants.set(Some(B), b.clone());
    let app = app(tenants.config()).await;
    for (name, make, query, body, kind) in ATTACKS {
        let webhook = make(query, body);
        tenants.asked();
        let url = format!("{BASE}{}", webhook.target);
        let answer = webhook.signed_for(&url, &b).call(&app).await;
        assert_answer(&answer, REFUSED, name);
        assert_eq!((LAST.take(), runs()), (Some(kind), 0), "{name}");
        let never = matches!(kind, Signature(AccountConflicting | AccountMalformed));
        assert!(
            !never || tenants.asked() == 0,
            "{name}: the store was asked"
        );
    }
}

#[actix_web::test]
async fn names_that_are_not_looked_for_leave_the_proof_to_the_signer() {
    let app = app(Tenants::new().config()).await;
    let text = |text: &str| text.replace("$A", A).replace("$B", B);
    let json = |query: &str, body: &str| Webhook::json(&text(&format!("/?{query}")), &text(body));
    let multipart =
        text("--x\r\nContent-Disposition: form-data; name=AccountSid\r\n\r\n$A\r\n--x--");
    let mut parts = json("AccountSid=$B", &multipart);
    parts.headers.pop();
    let requests = [
        (
            "deeper down in an event",
            json(
                "",
                r#"[{"data":{"accountSid":"$B"}},{"data":{"x":{"accountSid":"$A"}}}]"#,
            ),
        ),
        (
            "a text of an event, which an SMS may have brought there",
            json(
                "",
                r#"{"data":{"accountSid":"$B","body":"&AccountSid=$A&"}}"#,
            ),
        ),
        (
            "a text of JSON, B's query",
            json("AccountSid=$B", r#"{"x":"&AccountSid=$A&"}"#),
        ),
        (
            "multipart",
            parts.with("Content-Type", "multipart/form-data; boundary=x"),
        ),
    ];
    for (name, webhook) in requests {
        let answer = webhook.signed("b").call(&app).await;
        assert_answer(&answer, (200, &told(B)), name);
    }
}

#[actix_web::test]
async fn the_store_is_asked_with_the_claim_and_for_nothing_less() {
    let tenants = Tenants::new();
    let shared = [SharedKey::new("KA", "secret").unwrap()];
    let a = RequestValidator::with_keys([], shared).unwrap();
    tenants.set(Some(A), a.clone());
    let app = app(tenants.config()).await;
    let form = |account| Webhook::form("/", &format!("AccountSid={account}"));

    let genuine = form(A).with(SETTINGS, "key=KA,algorithm=HMAC_SHA256");
    let answer = genuine.signed_for(&format!("{BASE}/"), &a).call(&app).await;
    assert_answer(
        &answer,
        (200, &format!("{A} SharedKey(\"KA\")")),
        "SharedKey",
    );
    let query = tenants.0.queries.lock().unwrap().pop().unwrap();
    assert_eq!(query.account.unwrap().as_str(), A);
    assert_eq!(query.shared_key.as_deref(), Some("KA"));
    assert_eq!(tenants.asked(), 1);

    let signature = "X-Twilio-Signature";
    for (name, webhook) in [
        ("no signature", form(C)),
        ("a malformed signature", form(C).with(signature, "forged")),
        (
            "a malformed setting",
            form(C).signed("c").with(SETTINGS, "KA"),
        ),
        (
            "no algorithm",
            form(C).signed("c").with(SETTINGS, "key=KA,algorithm=none"),
        ),
        (
            "a long id",
            form(C)
                .signed("c")
                .with(SETTINGS, format!("key={}", "K".repeat(257))),
        ),
        (
            "an encoded body",
            form(C).signed("c").with("Content-Encoding", "gzip"),
        ),
    ] {
        assert_ne!(webhook.call(&app).await.0, 200, "{name}");
        assert_eq!(tenants.asked(), 0, "{name}");
    }
    let id = format!("key={}", "K".repeat(256));
    assert_answer(
        &form(A).signed("a").with(SETTINGS, id).call(&app).await,
        REFUSED,
        "unknown id",
    );
    assert_eq!(
        (LAST.take(), tenants.asked()),
        (Some(Signature(KeyUnknown)), 1)
    );
}

#[actix_web::test]
async fn unknown_accounts_are_refused() {
    let tenants = Tenants::new();
    let app = app(tenants.config()).await;
    for token in ["a", "main", "c"] {
        let webhook = Webhook::form("/", &format!("AccountSid={C}")).signed(token);
        assert_answer(&webhook.call(&app).await, REFUSED, token);
        assert_eq!(
            (LAST.take(), runs()),
            (Some(Kind::AccountUnknown), 0),
            "{token}"
        );
    }
    tenants.0.keys.lock().unwrap().remove(&None);
    let webhook = Webhook::get("/").signed("main");
    assert_answer(&webhook.call(&app).await, REFUSED, "no default");
    assert_eq!((LAST.take(), runs()), (Some(Kind::AccountUnknown), 0));
}

#[actix_web::test]
async fn a_store_that_fails_or_lingers_lets_nobody_in() {
    for validation in [Mode::Enforce, Mode::ReportOnly] {
        let failing = Tenants::new();
        failing.fail(true);
        let slow = Tenants::new().takes(Duration::from_secs(3600));
        for (name, tenants) in [("failing", failing), ("slow", slow)] {
            let builder = tenants.builder().mode(validation);
            let times = (Duration::from_secs(10), Duration::from_millis(20));
            let app = app(builder.key_store_times(times.0, times.1).build().unwrap()).await;
            let webhook = Webhook::form("/", &format!("AccountSid={A}"));
            for (signer, webhook) in [
                ("a", webhook.clone().signed("a")),
                ("b", webhook.clone().signed("b")),
                ("main", Webhook::get("/").signed("main")),
            ] {
                let name = format!("{name} {validation:?} {signer}");
                assert_answer(&webhook.call(&app).await, UNJUDGED, &name);
                assert_eq!(
                    (LAST.take(), runs()),
                    (Some(Kind::KeyStoreFailed), 0),
                    "{name}"
                );
                // A failure is not kept.
                assert_eq!(tenants.asked(), 1, "{name}");
            }
            let malformed = Webhook::form("/", "AccountSid=1").signed("a");
            let refused = malformed.call(&app).await.0;
            assert_eq!(refused == 200, validation == Mode::ReportOnly, "{name}");
            runs();
        }
    }
}

#[actix_web::test]
async fn a_store_that_recovers_lets_genuine_requests_in_again() {
    let tenants = Tenants::new();
    let app = app(tenants.config()).await;
    let webhook = |token| Webhook::form("/", &format!("AccountSid={A}")).signed(token);
    tenants.fail(true);
    assert_answer(&webhook("a").call(&app).await, UNJUDGED, "failing");
    tenants.fail(false);
    assert_answer(&webhook("a").call(&app).await, (200, &told(A)), "recovered");
    tenants.fail(true);
    assert_answer(&webhook("a").call(&app).await, (200, &told(A)), "known");
    // Nobody can say whether this is a new token.
    assert_answer(&webhook("new").call(&app).await, UNJUDGED, "not known");
}

#[actix_web::test]
async fn answers_and_misses_are_kept_for_their_time() {
    let tenants = Tenants::new();
    let kept = app(tenants.config()).await;
    let no_time = Duration::ZERO;
    let builder = tenants
        .builder()
        .key_store_times(no_time, Duration::from_secs(5));
    let not_kept = app(builder.build().unwrap()).await;
    let form = |account: &str| Webhook::form("/", &format!("AccountSid={account}"));
    // How often the store is asked by three of them, with and without a cache.
    for (name, webhook, lookups) in [
        ("genuine", form(A).signed("a"), [1, 3]),
        ("another account", form(B).signed("b"), [1, 3]),
        ("no account", Webhook::get("/").signed("main"), [1, 3]),
        ("forged", form(A).signed("b"), [1, 3]),
        ("unknown", form(C).signed("c"), [2, 3]),
    ] {
        for _ in 0..3 {
            webhook.call(&kept).await;
        }
        assert_eq!(tenants.asked(), lookups[0], "{name}");
        for _ in 0..3 {
            webhook.call(&not_kept).await;
        }
        assert_eq!(tenants.asked(), lookups[1], "{name}");
    }
    runs();
}

#[actix_web::test]
async fn made_up_accounts_do_not_drive_known_ones_out_of_the_cache() {
    let tenants = Tenants::new();
    let times = (Duration::from_secs(600), Duration::from_secs(5));
    let builder = tenants.builder().key_store_times(times.0, times.1);
    let app = app(builder.build().unwrap()).await;
    let known = Webhook::form("/", &format!("AccountSid={A}")).signed("a");
    assert_eq!(known.call(&app).await.0, 200);
    let flood = 5_000;
    for number in 0..flood {
        let made_up = Webhook::form("/", &format!("AccountSid=AC{number:032}")).signed("b");
        assert_eq!(made_up.call(&app).await.0, 403);
    }
    // Each of them is asked for twice: a miss may be an account that was just added.
    assert!(tenants.asked() > flood);
    assert_eq!(known.call(&app).await.0, 200);
    assert_eq!(tenants.asked(), 0);
    runs();
}

#[actix_web::test]
async fn made_up_shared_keys_cost_few_lookups_and_no_known_account_its_place() {
    // This store has keys for an account whatever the SharedKey is.
    let tenants = Tenants::new();
    let shared = [SharedKey::new("KA", "secret").unwrap()];
    let of_a = RequestValidator::with_keys([AuthToken::new("a").unwrap()], shared).unwrap();
    tenants.set(Some(A), of_a.clone());
    let times = (Duration::from_secs(600), Duration::from_secs(5));
    let builder = tenants.builder().key_store_times(times.0, times.1);
    let app = app(builder.build().unwrap()).await;
    let form = |account: &str| Webhook::form("/", &format!("AccountSid={account}"));
    let by_shared_key = form(A).with(SETTINGS, "key=KA");
    let known = [
        form(A).signed("a"),
        by_shared_key.signed_for(&format!("{BASE}/"), &of_a),
        form(B).signed("b"),
        Webhook::get("/").signed("main"),
    ];
    for webhook in &known {
        assert_eq!(webhook.call(&app).await.0, 200);
    }
    assert_eq!(tenants.asked(), known.len());

    let start = Instant::now();
    let flood = 4_200;
    for number in 0..flood {
        let account = [A, B][number % 2];
        let made_up = form(account).with(SETTINGS, format!("key=K{number}"));
        let answer = made_up.with(SIGNATURE, FORGED).call(&app).await;
        // Whether such a SharedKey exists is unknown if the store is not asked.
        assert!(
            [REFUSED, UNJUDGED].contains(&(answer.0, &*answer.1)),
            "{answer:?}"
        );
    }
    let seconds = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    let asked = tenants.asked();
    assert!(asked <= 2 * 10 * (seconds + 1), "{asked} in {seconds} s");
    println!("{flood} forgeries asked the store {asked} times in {seconds} s");
    for webhook in &known {
        assert_eq!(webhook.call(&app).await.0, 200);
    }
    assert_eq!(tenants.asked(), 0, "they are still in the cache");
    runs();
}

#[actix_web::test]
async fn forgeries_ask_the_store_again_at_most_once_a_second() {
    let tenants = Tenants::new();
    let app = app(tenants.config()).await;
    let webhook = |token| Webhook::form("/", &format!("AccountSid={A}")).signed(token);
    assert_eq!(webhook("a").call(&app).await.0, 200);
    assert_eq!(tenants.asked(), 1);
    for _ in 0..50 {
        assert_answer(&webhook("b").call(&app).await, REFUSED, "forged");
    }
    assert_eq!(tenants.asked(), 1);

    // All at once, too: who waits for a lookup takes what it brings.
    let tenants = Tenants::new().takes(Duration::from_millis(1));
    let app = self::app(tenants.config()).await;
    let forged = webhook("b");
    let answers = join_all((0..300).map(|_| forged.call(&app))).await;
    assert!(answers.iter().all(|answer| answer.0 == 403));
    let asked = tenants.asked();
    assert!((1..=4).contains(&asked), "{asked}");
    assert_eq!(runs(), 1);
}

#[actix_web::test]
async fn many_requests_of_one_account_ask_the_store_one_at_a_time() {
    for account in [A, C] {
        let tenants = Tenants::new().takes(Duration::from_millis(1));
        let app = app(tenants.config()).await;
        let forged = Webhook::form("/", &format!("AccountSid={account}")).signed("b");
        let answers = join_all((0..300).map(|_| forged.call(&app))).await;
        assert!(answers.iter().all(|answer| answer.0 == 403));
        assert_eq!(tenants.0.most.load(Ordering::Relaxed), 1);
        assert!(tenants.asked() <= 2, "{account}");
    }
    assert_eq!(runs(), 0);
}

/// A store that has the keys of one account. Some of its lookups never end, the others take a time.
struct Hanging<F> {
    /// It gets the query and the number of lookups before.
    hangs: F,
    time: Duration,
    asked: AtomicUsize,
}

impl<F: Fn(&KeyQuery, usize) -> bool + Send + Sync + 'static> Hanging<F> {
    fn new(hangs: F, time: Duration) -> Self {
        let asked = AtomicUsize::new(0);
        Self { hangs, time, asked }
    }

    /// Returns a configuration with this store, and with the times of its answers and lookups.
    fn config(self, kept: Duration, limit: Duration) -> TwilioConfig {
        let builder = TwilioConfig::builder().public_url(BASE).unwrap();
        let builder = builder.key_store(self).key_store_times(kept, limit);
        builder.build().unwrap()
    }
}

impl<F: Fn(&KeyQuery, usize) -> bool + Send + Sync + 'static> KeyStore for Hanging<F> {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        if (self.hangs)(query, number) {
            std::future::pending::<()>().await;
        }
        if !self.time.is_zero() {
            sleep(self.time).await;
        }
        Ok(Some(keys("a")))
    }
}

/// Returns a configuration that keeps no answers, and asks such a store for a second at most.
fn hanging(hangs: impl Fn(&KeyQuery, usize) -> bool + Send + Sync + 'static) -> TwilioConfig {
    Hanging::new(hangs, Duration::ZERO).config(Duration::ZERO, Duration::from_secs(1))
}

#[actix_web::test]
async fn known_accounts_are_looked_up_while_made_up_ones_occupy_the_store() {
    let is_made_up =
        |query: &KeyQuery, _| query.account.as_ref().map(AccountSid::as_str) != Some(A);
    let app = app(hanging(is_made_up)).await;
    let known = Webhook::form("/", &format!("AccountSid={A}")).signed("a");
    assert_eq!(known.call(&app).await.0, 200);
    let made_up: Vec<_> = (0..200)
        .map(|number| Webhook::form("/", &format!("AccountSid=ACff{number:030x}")).signed("b"))
        .collect();
    let flood = join_all(made_up.iter().map(|webhook| webhook.call(&app)));
    let both = select(Box::pin(flood), Box::pin(known.call(&app))).await;
    let Either::Right((answer, flood)) = both else {
        panic!("the known account waited for the made-up ones");
    };
    assert_eq!(answer.0, 200);
    for answer in flood.await {
        assert_answer(&answer, UNJUDGED, "made up");
    }
    assert_eq!(runs(), 2);
}

#[actix_web::test]
async fn requests_wait_for_the_lookup_of_another_one_as_long_as_for_their_own() {
    let tenants = Tenants::new().takes(Duration::from_millis(600));
    let times = (Duration::from_secs(10), Duration::from_secs(1));
    let builder = tenants.builder().key_store_times(times.0, times.1);
    let app = app(builder.build().unwrap()).await;
    let webhook = Webhook::form("/", &format!("AccountSid={A}")).signed("a");
    let answers = join_all((0..10).map(|_| webhook.call(&app))).await;
    assert!(answers.iter().all(|answer| answer.0 == 200), "{answers:?}");
    assert_eq!(runs(), 10);
}

#[actix_web::test]
async fn a_lookup_that_hangs_does_not_keep_other_requests_of_its_account() {
    let app = app(hanging(|_, number| number == 0)).await;
    let webhook = Webhook::form("/", &format!("AccountSid={A}")).signed("a");
    let both = select(Box::pin(webhook.call(&app)), Box::pin(webhook.call(&app))).await;
    let Either::Right((answer, hanging)) = both else {
        panic!("the first lookup ended");
    };
    assert_eq!(answer.0, 200);
    assert_answer(&hanging.await, UNJUDGED, "hanging");
    assert_eq!(runs(), 1);
}

#[actix_web::test]
async fn a_store_that_hung_answers_again_however_many_requests_waited() {
    let store = Hanging::new(|_, number| number < 2, Duration::from_millis(100));
    let app = app(store.config(Duration::from_secs(10), Duration::from_millis(400))).await;
    let webhook = Webhook::form("/", &format!("AccountSid={A}")).signed("a");
    // Whoever is first in the queue when the lookups that hang are given up has waited for nearly the whole time limit.
    let statuses = join_all((0..100).map(async |number| {
        sleep(Duration::from_millis(10) * number).await;
        webhook.call(&app).await.0
    }));
    let statuses = statuses.await;
    let answered = statuses.iter().filter(|status| **status == 200).count();
    assert!(answered > 50, "{statuses:?}");
    assert!(statuses.ends_with(&[200; 50]), "{statuses:?}");
    assert_eq!(runs(), answered);
}

#[actix_web::test]
async fn a_lookup_goes_on_if_its_client_leaves() {
    let tenants = Tenants::new().takes(Duration::from_millis(50));
    let app = app(tenants.config()).await;
    let form = Webhook::form("/", &format!("AccountSid={A}"));
    let (forged, known) = (form.clone().signed("b"), form.signed("a"));
    for _ in 0..10 {
        // Dropped, as actix-web drops a request whose connection was reset.
        let leaves = Box::pin(sleep(Duration::from_millis(5)));
        assert!(matches!(
            select(Box::pin(forged.call(&app)), leaves).await,
            Either::Right(_)
        ));
    }
    assert_eq!(known.call(&app).await.0, 200);
    // The second one asks again, because a forgery found keys that do not match.
    let asked = tenants.asked();
    assert!(asked <= 2, "{asked}");
    assert_eq!(runs(), 1);
}

/// A store that panics each other time.
#[derive(Default)]
struct Panicking(AtomicUsize);

impl KeyStore for Panicking {
    async fn keys(&self, _: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        match self.0.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => panic!("at once"),
            // Its documentation says that this does not work.
            2 => actix_web::rt::spawn(async {}).await?,
            _ => tokio::spawn(async {}).await?,
        }
        Ok(Some(keys("a")))
    }
}

#[actix_web::test]
async fn a_store_that_panics_lets_nobody_in_and_is_asked_again() {
    let config = TwilioConfig::builder().public_url(BASE).unwrap();
    let config = config
        .key_store(Panicking::default())
        .key_store_times(Duration::ZERO, Duration::from_secs(1));
    let app = app(config.build().unwrap()).await;
    let webhook = Webhook::form("/", &format!("AccountSid={A}")).signed("a");
    // More often than lookups may run at once.
    for status in [500, 200].repeat(40) {
        assert_eq!(webhook.call(&app).await.0, status);
    }
    assert_eq!(runs(), 40);
}

#[actix_web::test]
async fn forgeries_that_ask_again_do_not_keep_lookups_that_are_needed() {
    let is_made_up =
        |query: &KeyQuery, _| query.account.as_ref().map(AccountSid::as_str) != Some(A);
    let (kept, time) = (Duration::from_millis(600), Duration::from_millis(400));
    let store = Hanging::new(is_made_up, time);
    let app = app(store.config(kept, Duration::from_secs(2))).await;
    let form = |account: &str| Webhook::form("/", &format!("AccountSid={account}"));
    let known = form(A).signed("a");
    assert_eq!(known.call(&app).await.0, 200);
    let made_up = (0..24).map(|number| form(&format!("ACff{number:030x}")).signed("b"));
    // They ask the store again, and wait until the made-up accounts leave a lookup to them.
    let forged = (0..10).map(|_| form(A).signed("b"));
    let flood: Vec<_> = made_up.chain(forged).collect();
    let flood = join_all(flood.iter().map(|webhook| webhook.call(&app)));
    let later = async {
        // Then the answer that the forgeries got counts no longer.
        sleep(kept.saturating_sub(time) + Duration::from_millis(50)).await;
        known.call(&app).await
    };
    let Either::Right((answer, _)) = select(Box::pin(flood), Box::pin(later)).await else {
        panic!("the known account waited for the forgeries");
    };
    assert_eq!((answer.0, runs()), (200, 2));
}

#[actix_web::test]
async fn all_first_requests_with_a_shared_key_wait_for_its_lookup() {
    let tenants = Tenants::new().takes(Duration::from_millis(20));
    let shared = [SharedKey::new("KA", "secret").unwrap()];
    let keys = RequestValidator::with_keys([AuthToken::new("a").unwrap()], shared).unwrap();
    tenants.set(Some(A), keys.clone());
    let app = app(tenants.config()).await;
    let webhook = Webhook::form("/", &format!("AccountSid={A}")).with(SETTINGS, "key=KA");
    let webhook = webhook.signed_for(&format!("{BASE}/"), &keys);
    let answers = join_all((0..30).map(|_| webhook.call(&app))).await;
    assert!(answers.iter().all(|answer| answer.0 == 200), "{answers:?}");
    assert_eq!((tenants.asked(), runs()), (1, 30));
}

#[actix_web::test]
async fn lookups_at_a_time_are_bounded() {
    let tenants = Tenants::new().takes(Duration::from_millis(1));
    let app = app(tenants.config()).await;
    let made_up = (0..200)
        .map(|number| Webhook::form("/", &format!("AccountSid=ACff{number:030x}")).signed("a"));
    let made_up: Vec<_> = made_up.collect();
    let answers = join_all(made_up.iter().map(|webhook| webhook.call(&app))).await;
    assert!(answers.iter().all(|answer| answer.0 == 403));
    // The others are left to accounts that have sent a genuine request.
    assert_eq!(tenants.0.most.load(Ordering::Relaxed), 24);
    assert_eq!((tenants.asked(), runs()), (200, 0));
}

#[actix_web::test]
async fn a_token_rotated_while_requests_run_loses_none_of_them() {
    let tenants = Tenants::new().takes(Duration::from_millis(1));
    let app = app(tenants.config()).await;
    let webhook = |token| Webhook::form("/", &format!("AccountSid={A}")).signed(token);
    let current = std::cell::Cell::new("a");
    let tokens = |tokens: [&str; 2]| {
        RequestValidator::new(tokens.map(|token| AuthToken::new(token).unwrap())).unwrap()
    };
    // Twilio signs with the new token at once; what it sent before is still on its way.
    let request = async |number: u64| {
        sleep(Duration::from_micros(number * 100)).await;
        let webhook = webhook(current.get());
        sleep(Duration::from_millis(1)).await;
        webhook.call(&app).await
    };
    let rotation = async {
        sleep(Duration::from_millis(10)).await;
        tenants.set(Some(A), tokens(["new", "a"]));
        current.set("new");
    };
    let (answers, ()) = futures_util::join!(join_all((0..300).map(request)), rotation);
    let lost = answers.iter().filter(|answer| answer.0 != 200).count();
    assert_eq!((lost, runs()), (0, 300));
    let new = answers
        .iter()
        .filter(|answer| answer.1.ends_with("AuthToken(0)"))
        .count();
    assert!(new > 100, "{new}");
}

#[actix_web::test]
async fn accounts_are_told_apart_on_a_server_and_under_the_middleware() {
    let config = Tenants::new().config();
    let server = Server::start(move || {
        let validation = actix_twilio::TwilioValidation::with_config(config.clone());
        App::new()
            .app_data(config.clone())
            .wrap(validation)
            .default_service(web::to(hook))
    });
    for (account, own, other) in [(A, "a", "b"), (B, "b", "a")] {
        for (place, webhook) in places(account) {
            let genuine = webhook.clone().signed(own).send(server.address).await;
            assert_answer(&genuine, (200, &told(account)), place);
            let forged = webhook.signed(other).send(server.address).await;
            assert_answer(&forged, REFUSED, place);
        }
    }
}

#[actix_web::test]
async fn a_map_has_the_keys_of_fixed_accounts() {
    let map = KeyMap::new()
        .account(A.parse().unwrap(), keys("a"))
        .account(B.parse().unwrap(), keys("b"));
    let config = |map: KeyMap| {
        let builder = TwilioConfig::builder().public_url(BASE).unwrap();
        builder.key_store(map).build().unwrap()
    };
    let bare = app(config(map.clone())).await;
    let whole = app(config(map.default_keys(keys("main")))).await;
    let form = |account| Webhook::form("/", &format!("AccountSid={account}"));
    for (name, webhook, without_default, with_default) in [
        ("A", form(A).signed("a"), 200, 200),
        ("B", form(B).signed("b"), 200, 200),
        ("B for A", form(A).signed("b"), 403, 403),
        ("main for A", form(A).signed("main"), 403, 403),
        ("C", form(C).signed("main"), 403, 403),
        ("none", Webhook::get("/").signed("main"), 403, 200),
        ("A for none", Webhook::get("/").signed("a"), 403, 403),
    ] {
        assert_eq!(webhook.call(&bare).await.0, without_default, "{name}");
        assert_eq!(webhook.call(&whole).await.0, with_default, "{name}");
    }
}

/// A file that is gone with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = format!("actix-twilio-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    /// Replaces it in one step, with a line end after the last line.
    fn write(&self, text: &str) {
        self.write_exactly(&(text.to_owned() + "\n"));
    }

    fn write_exactly(&self, text: &str) {
        let new = self.0.with_extension("new");
        fs::write(&new, with_accounts(text)).unwrap();
        fs::rename(new, &self.0).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_key_file_must_be_right_from_the_start() {
    let file = File::new("lines");
    let right = [
        "$A a",
        "# comment\n\n$A\ta,new , old\r\n$B b\ndefault main\n  \n",
        "default main",
        "\u{feff}$A a\r\n",
    ];
    for text in right {
        file.write(text);
        assert!(KeyFile::new(&file.0).is_ok(), "{text:?}");
    }
    let wrong = [
        ("$A", "line 1"),
        ("$A ", "line 1"),
        ("$A ,", "line 1"),
        ("$A a,,b", "line 1"),
        ("$A a s3cr3t", "line 1"),
        ("$A a,b\ts3cr3t", "line 1"),
        ("\n$A=a", "line 2"),
        (" $A a", "line 1"),
        ("AC1 s3cr3t", "line 1"),
        ("Default s3cr3t", "line 1"),
        ("s3cr3t", "line 1"),
        ("$A a\n$B b\n$A s3cr3t", "line 3"),
        ("default a\ndefault a", "line 2"),
    ];
    for (text, line) in wrong {
        file.write(text);
        let err = KeyFile::new(&file.0).unwrap_err().to_string();
        assert!(err.contains(line), "{text:?}: {err}");
        assert!(!err.contains("s3cr3t"), "{err}");
    }
    for half_written in ["", " \n\n", "$A a", "$A a,b\n$B b\ndefault 12"] {
        file.write_exactly(half_written);
        let err = KeyFile::new(&file.0).unwrap_err().to_string();
        assert!(err.contains("half-written"), "{half_written:?}: {err}");
    }
    let missing = KeyFile::new(file.0.with_extension("missing")).unwrap_err();
    assert_eq!(missing.setting(), "key file");
}

#[actix_web::test]
async fn a_key_file_is_read_as_it_changes() {
    let file = File::new("changes");
    file.write("$A a\ndefault main");
    let config = || {
        let builder = TwilioConfig::builder().public_url(BASE).unwrap();
        let store = KeyFile::new(&file.0).unwrap();
        builder.key_store(store).build().unwrap()
    };
    let app = app(config()).await;
    let form =
        |account: &str, token| Webhook::form("/", &format!("AccountSid={account}")).signed(token);
    assert_eq!(form(A, "a").call(&app).await.0, 200);
    assert_eq!(Webhook::get("/").signed("main").call(&app).await.0, 200);
    assert_eq!(form(B, "b").call(&app).await.0, 403);
    // A token is rotated, and an account added.
    file.write("$A new,a\n$B b\n");
    assert_eq!(form(A, "new").call(&app).await.0, 200);
    assert_eq!(form(A, "a").call(&app).await.0, 200);
    assert_eq!(form(B, "b").call(&app).await.0, 200);
    assert_eq!(form(B, "a").call(&app).await.0, 403);

    for broken in ["$A a\nrubbish", ""] {
        let app = self::app(config()).await;
        if broken.is_empty() {
            fs::remove_file(&file.0).unwrap();
        } else {
            file.write(broken);
        }
        assert_answer(&form(A, "a").call(&app).await, UNJUDGED, broken);
        file.write("$A a");
        assert_eq!(form(A, "a").call(&app).await.0, 200, "{broken}");
    }
}

#[actix_web::test]
async fn a_key_file_that_is_cut_off_lets_nobody_in_and_blames_nobody() {
    let file = File::new("cut");
    let whole = "$A new,old\n$B b\ndefault main\n";
    let cut = [
        ("within a token", "$A ne"),
        ("after a token", "$A new,old\n$B b"),
        ("at the start", ""),
        ("at a line's end, before the account", "default main\n"),
    ];
    for (name, text) in cut {
        file.write_exactly(whole);
        let store = KeyFile::new(&file.0).unwrap();
        let builder = TwilioConfig::builder().public_url(BASE).unwrap();
        let app = app(builder.key_store(store).build().unwrap()).await;
        file.write_exactly(text);
        let form =
            |account, token| Webhook::form("/", &format!("AccountSid={account}")).signed(token);
        assert_answer(&form(A, "old").call(&app).await, UNJUDGED, name);
        // It may be written in several steps.
        file.write_exactly("default main\n$B b\n");
        assert_answer(&form(A, "old").call(&app).await, UNJUDGED, name);
        // What is left of a token is no token.
        assert_answer(&form(A, "ne").call(&app).await, UNJUDGED, name);
        file.write_exactly(whole);
        assert_eq!(form(A, "old").call(&app).await.0, 200, "{name}");
    }
}

#[cfg(unix)]
#[actix_web::test]
async fn a_key_file_replaced_by_one_of_the_same_length_and_time_is_read() {
    let file = File::new("same");
    file.write("$A a");
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let set_time = || {
        let written = fs::File::options().write(true).open(&file.0).unwrap();
        written.set_modified(an_hour_ago).unwrap();
    };
    set_time();
    let store = KeyFile::new(&file.0).unwrap();
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    let app = app(builder.key_store(store).build().unwrap()).await;
    let form = |token| Webhook::form("/", &format!("AccountSid={A}")).signed(token);
    assert_eq!(form("a").call(&app).await.0, 200);

    // The token is revoked.
    file.write("$A b");
    set_time();
    assert_eq!(form("b").call(&app).await.0, 200);
    assert_eq!(form("a").call(&app).await.0, 403);
}
