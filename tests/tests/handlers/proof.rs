//! The proof that a handler may demand, and the options of a single route.

use std::{
    collections::BTreeSet,
    sync::{LazyLock, atomic::Ordering},
};

use actix_twilio::{
    AuthToken, ConfigError, Policy, Proof, RequestValidator, TwilioConfig, TwilioValidation,
    Validated,
    config::Mode,
    keys::{AccountSid, KeyMap, SharedKey},
    validate_twilio_request,
};
use actix_twilio_tests::{
    FORGED, SETTINGS, in_children, keys,
    webhook::{
        BASE, REFUSED, UNJUDGED, Webhook, assert_answer, builder, config, counted, ran, runs,
    },
};
use actix_web::{
    App, Error, FromRequest, HttpRequest,
    dev::{Payload, Service, ServiceResponse},
    error::PayloadError,
    rt::System,
    test::init_service,
    web::{self, Data, ServiceConfig},
};
use futures_util::{StreamExt, future::poll_immediate, stream};

const A: &str = "AC0000000000000000000000000000000a";

/// What costs money.
fn charge(proof: &Proof) -> String {
    ran();
    let account = proof.account().map_or("none", AccountSid::as_str);
    format!("{account} {:?} {}", proof.key(), proof.url())
}

#[validate_twilio_request]
async fn demands(proof: Proof) -> String {
    charge(&proof)
}

#[validate_twilio_request]
async fn prints(proof: Proof) -> String {
    ran();
    format!("{proof:?}")
}

#[actix_web::test]
async fn a_printed_proof_has_no_values_of_the_query() {
    let app = App::new().app_data(config("12345"));
    let app = init_service(app.route("/prints", web::get().to(prints))).await;
    let webhook = Webhook::get("/prints?From=%2B14158675310&x").signed("12345");
    let (status, printed) = webhook.call(&app).await;
    assert_eq!((status, runs()), (200, 1));
    assert!(
        printed.contains("https://example.com/prints?From=..&.."),
        "{printed}"
    );
    assert!(!printed.contains("14158675310"), "{printed}");
}

#[actix_web::test]
async fn a_printed_proof_fits_into_a_span_of_the_log() {
    let app = App::new().app_data(config("12345"));
    let app = init_service(app.route("/prints", web::get().to(prints))).await;
    let (_, printed) = Webhook::get("/prints").signed("12345").call(&app).await;
    assert_eq!(
        printed,
        "Proof { account: None, key: AuthToken(0), url: \"https://example.com/prints\", .. }"
    );
}

#[validate_twilio_request]
async fn demands_first(proof: Proof, _body: String, _again: Proof) -> String {
    charge(&proof)
}

#[validate_twilio_request]
async fn demands_last(_body: web::Bytes, proof: Proof) -> String {
    charge(&proof)
}

#[validate_twilio_request]
async fn asks(proof: Option<Proof>) -> String {
    proof.as_ref().map_or_else(
        || {
            ran();
            "no proof".to_owned()
        },
        charge,
    )
}

async fn extracts(validated: Validated<String>) -> String {
    validated.proof().map_or_else(
        || {
            ran();
            "no proof".to_owned()
        },
        charge,
    )
}

async fn not_annotated(proof: Proof) -> String {
    charge(&proof)
}

/// All arguments are extracted at once: the proof is not there yet.
async fn beside(proof: Proof, _validated: Validated<String>) -> String {
    charge(&proof)
}

async fn behind(_validated: Validated<String>, proof: Proof) -> String {
    charge(&proof)
}

fn handlers(cfg: &mut ServiceConfig) {
    cfg.route("/demands", web::to(demands))
        .route("/demands_first", web::to(demands_first))
        .route("/demands_last", web::to(demands_last))
        .route("/asks", web::to(asks))
        .route("/extracts", web::to(extracts))
        .route("/not_annotated", web::to(not_annotated))
        .route("/beside", web::to(beside))
        .route("/behind", web::to(behind));
}

#[actix_web::test]
async fn only_a_validated_and_enforced_request_has_a_proof() {
    use Mode::{Enforce, Off, ReportOnly};
    let protected = [
        "/demands",
        "/demands_first",
        "/demands_last",
        "/asks",
        "/extracts",
    ];
    let unprotected = ["/not_annotated", "/beside", "/behind"];
    for validation in [Enforce, ReportOnly, Off] {
        let config = builder("12345").mode(validation).build().unwrap();
        let bare = init_service(App::new().app_data(config.clone()).configure(handlers)).await;
        let middleware = App::new()
            .app_data(config.clone())
            .wrap(TwilioValidation::new())
            .configure(handlers);
        let middleware = init_service(middleware).await;
        for path in protected.into_iter().chain(unprotected) {
            let name = format!("{path} {validation:?}");
            let webhook = Webhook::form(path, "Body=Hi");
            let genuine = webhook.clone().signed("12345");
            let told = format!("none AuthToken(0) {BASE}{path}");
            let optional = ["/asks", "/extracts"].contains(&path);
            let without = if optional {
                (200, "no proof")
            } else {
                UNJUDGED
            };

            let expected = match validation {
                Enforce if protected.contains(&path) => (200, &*told),
                _ => without,
            };
            assert_answer(&genuine.call(&bare).await, expected, &name);
            assert_eq!(runs(), usize::from(expected.0 == 200), "{name}");
            // The first error in the order of the arguments is the answer.
            let judged = protected.contains(&path) || path == "/behind";
            let expected = match validation {
                Enforce if judged => REFUSED,
                _ => without,
            };
            assert_answer(&webhook.call(&bare).await, expected, &name);
            assert_eq!(runs(), usize::from(expected.0 == 200), "{name}");

            let name = format!("{name}, under the middleware");
            let expected = if validation == Enforce {
                (200, &*told)
            } else {
                without
            };
            assert_answer(&genuine.call(&middleware).await, expected, &name);
            assert_eq!(runs(), usize::from(expected.0 == 200), "{name}");
            let expected = if validation == Enforce {
                REFUSED
            } else {
                without
            };
            assert_answer(&webhook.call(&middleware).await, expected, &name);
            assert_eq!(runs(), usize::from(expected.0 == 200), "{name}");
        }
    }
}

#[actix_web::test]
async fn no_extractor_runs_before_the_verdict() {
    struct Nosy;
    impl FromRequest for Nosy {
        type Error = Error;
        type Future = std::future::Ready<Result<Self, Error>>;

        fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
            ran();
            std::future::ready(Ok(Self))
        }
    }
    #[validate_twilio_request]
    async fn nosy(_first: Nosy, proof: Proof, _last: Nosy) -> String {
        charge(&proof)
    }
    let app = App::new()
        .app_data(config("12345"))
        .route("/", web::to(nosy));
    let app = init_service(app).await;
    assert_answer(&Webhook::get("/").call(&app).await, REFUSED, "forged");
    assert_eq!(runs(), 0);
    assert_eq!(Webhook::get("/").signed("12345").call(&app).await.0, 200);
    assert_eq!(runs(), 3);
}

#[actix_web::test]
async fn a_proof_tells_who_signed_what() {
    let shared = SharedKey::new("K1", "secret").unwrap();
    let tokens = ["new", "old"].map(|token| AuthToken::new(token).unwrap());
    let of_a = RequestValidator::with_keys(tokens, [shared]).unwrap();
    let map = KeyMap::new()
        .account(A.parse().unwrap(), of_a.clone())
        .default_keys(keys("main"));
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    let config = builder.key_store(map).build().unwrap();
    let app = init_service(App::new().app_data(config).configure(handlers)).await;

    let form = || Webhook::form("/demands?x=%27", &format!("AccountSid={A}"));
    let url = |url: &str| format!("{BASE}{url}");
    let settings = "X-Twilio-Webhooks-Signature-Settings";
    for (name, webhook, told) in [
        (
            "first token",
            form().signed("new"),
            format!("{A} AuthToken(0) {BASE}/demands?x=%27"),
        ),
        (
            "second token",
            form().signed("old"),
            format!("{A} AuthToken(1) {BASE}/demands?x=%27"),
        ),
        (
            "SharedKey",
            form()
                .with(settings, "key=K1")
                .signed_for(&url("/demands?x=%27"), &of_a),
            format!("{A} SharedKey(\"K1\") {BASE}/demands?x=%27"),
        ),
        (
            "another form of the URL",
            form().signed_for(&url(":443/demands?x='"), &of_a),
            format!("{A} AuthToken(0) {BASE}:443/demands?x='"),
        ),
        (
            "no account",
            Webhook::get("/demands").signed("main"),
            format!("none AuthToken(0) {BASE}/demands"),
        ),
    ] {
        assert_answer(&webhook.call(&app).await, (200, &told), name);
    }
}

#[validate_twilio_request]
async fn identifies(proof: Proof) -> String {
    proof.replay_key().to_string()
}

const MESSAGE_SID: &str = "SM00000000000000000000000000000001";

/// What a forger makes of one recorded form without the token, and what Twilio and proxies make of it: always the
/// same signature. In each, `$A` is the account and `$M` is the message.
#[rustfmt::skip]
const COPIES: [(&str, &str, &str, &str); 15] = [
    ("the recording", "POST", "/?x=1", "AccountSid=$A&Body=Hi&MessageSid=$M&NumMedia=0"),
    ("another order", "POST", "/?x=1", "NumMedia=0&MessageSid=$M&Body=Hi&AccountSid=$A"),
    ("other escapes", "POST", "/?x=1", "%41ccountSid=$A&Body=%48i&MessageSid=$M&NumMedia=0"),
    ("a parameter twice", "POST", "/?x=1", "AccountSid=$A&Body=Hi&Body=Hi&MessageSid=$M&NumMedia=0"),
    ("a parameter of nothing", "POST", "/?x=1", "AccountSid=$A&=&Body=Hi&MessageSid=$M&&NumMedia=0"),
    ("no MessageSid", "POST", "/?x=1", "AccountSid=$A&Body=HiMessageSid$M&NumMedia=0"),
    ("another MessageSid", "POST", "/?x=1", "AccountSid=$A&Body=Hi&MessageSid=$MNumMedia0"),
    ("half a MessageSid", "POST", "/?x=1", "AccountSid=$A&Body=Hi&MessageSidS=M00000000000000000000000000000001&NumMedia=0"),
    ("an empty MessageSid", "POST", "/?x=1", "AccountSid=$A&Body=Hi&MessageSid=&$MNumMedia0="),
    ("no account", "POST", "/?x=1", "AccountSi=d$A&Body=Hi&MessageSid=$M&NumMedia=0"),
    ("another query", "POST", "/?x=1AccountSid", "$ABody=Hi&MessageSid=$M&NumMedia=0"),
    ("a longer query", "POST", "/?x=1AccountSid$ABodyHi", "MessageSid=$M&NumMedia=0"),
    ("no body", "POST", "/?x=1AccountSid$ABodyHiMessageSid$MNumMedia0", ""),
    ("GET", "GET", "/?x=1AccountSid$ABodyHiMessageSid$MNumMedia0", ""),
    ("PUT", "PUT", "/?x=1", "AccountSid=$A&Body=Hi&MessageSid=$M&NumMedia=0"),
];

pub(super) fn copies() -> impl Iterator<Item = (&'static str, Webhook)> {
    let text = |text: &str| text.replace("$A", A).replace("$M", MESSAGE_SID);
    COPIES.into_iter().map(move |(name, method, target, body)| {
        let form = Webhook::form(text(target), &text(body));
        (name, Webhook { method, ..form })
    })
}

fn shared_key() -> SharedKey {
    SharedKey::new("K1", "12345").unwrap()
}

/// Signed by the main account, whose tokens the default keys are too, as the guide proposes.
fn main_account(tokens: &[&str]) -> TwilioConfig {
    let tokens = tokens.iter().map(|token| AuthToken::new(token).unwrap());
    let keys = RequestValidator::with_keys(tokens, [shared_key()]).unwrap();
    let map = KeyMap::new().account(A.parse().unwrap(), keys.clone());
    let builder = TwilioConfig::builder().public_url(BASE).unwrap();
    builder.key_store(map.default_keys(keys)).build().unwrap()
}

#[actix_web::test]
async fn all_copies_of_a_recording_have_its_replay_key() {
    let (_, recording) = copies().next().unwrap();
    let signature = recording.signed("12345").headers.pop().unwrap().1;
    let mut keys = BTreeSet::new();
    for (keys_are, config) in [
        (
            "fixed",
            builder("12345").shared_key(shared_key()).build().unwrap(),
        ),
        ("in a store", main_account(&["12345"])),
        // The token has another place in the list once the next one is added.
        ("being rotated", main_account(&["67890", "12345"])),
    ] {
        let app = App::new()
            .app_data(config)
            .default_service(web::to(identifies));
        let app = init_service(app).await;
        for (name, copy) in copies() {
            let copy = copy
                .with("X-Twilio-Signature", &*signature)
                .with("I-Twilio-Idempotency-Token", name);
            let again = copy.clone().with("X-Twilio-Signature", &*signature);
            // Its secret is the token.
            let as_shared_key = copy.clone().with(SETTINGS, "key=K1");
            for copy in [copy, again, as_shared_key] {
                let (status, key) = copy.call(&app).await;
                assert_eq!(status, 200, "{name}, keys are {keys_are}");
                let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                assert!(key.len() == 64 && key.chars().all(is_hex), "{name}: {key}");
                keys.insert(key);
            }
        }
    }
    assert_eq!(keys.len(), 1, "{keys:?}");
}

#[actix_web::test]
async fn other_requests_have_other_replay_keys() {
    let app = App::new()
        .app_data(main_account(&["12345", "67890"]))
        .default_service(web::to(identifies));
    let app = init_service(app).await;
    let form = |body| Webhook::form("/", body).signed("12345");
    let mut keys = BTreeSet::new();
    for (name, webhook) in [
        ("a message", form("Body=Hi&MessageSid=SM1")),
        ("another one", form("Body=Hi&MessageSid=SM2")),
        (
            "the same by another token",
            Webhook::form("/", "Body=Hi&MessageSid=SM1").signed("67890"),
        ),
        (
            "the same elsewhere",
            Webhook::form("/x", "Body=Hi&MessageSid=SM1").signed("12345"),
        ),
        (
            "an event",
            Webhook::json("/", r#"[{"id":"EZ1"}]"#).signed("12345"),
        ),
        (
            "another event",
            Webhook::json("/", r#"[{"id":"EZ2"}]"#).signed("12345"),
        ),
        ("GET", Webhook::get("/").signed("12345")),
    ] {
        let (status, key) = webhook.call(&app).await;
        assert_eq!(status, 200, "{name}");
        assert!(keys.insert(key), "{name}");
    }
}

#[validate_twilio_request(public_url = "https://route.example/prefix/")]
async fn by_public_url(proof: Proof) -> String {
    charge(&proof)
}

#[validate_twilio_request(url = "https://route.example/whole")]
async fn by_url(proof: Proof) -> String {
    charge(&proof)
}

struct Tenants;

impl Policy for Tenants {
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        static ACME: LazyLock<TwilioConfig> = LazyLock::new(|| config("acme"));
        match req.match_info().get("tenant") {
            Some("acme") => Ok(ACME.clone()),
            Some("broken") => TwilioConfig::builder().build(),
            _ => Ok(config("other")),
        }
    }
}

#[validate_twilio_request(policy = Tenants)]
async fn by_policy(proof: Proof) -> String {
    charge(&proof)
}

async fn app_of(
    plain: Option<TwilioConfig>,
    data: Option<Data<TwilioConfig>>,
) -> impl Service<
    actix_http::Request,
    Response = ServiceResponse<impl actix_web::body::MessageBody>,
    Error = Error,
> {
    let routes = |cfg: &mut ServiceConfig| {
        if let Some(config) = plain {
            cfg.app_data(config);
        }
        if let Some(config) = data {
            cfg.app_data(config);
        }
        cfg.route("/public_url/{rest:.*}", web::to(by_public_url))
            .route("/url/{rest:.*}", web::to(by_url))
            .route("/policy/{tenant}", web::to(by_policy));
    };
    init_service(App::new().configure(routes)).await
}

/// A target of the routes above, the URL and the token that it is signed with, and the status.
#[rustfmt::skip]
const OPTIONS: [(&str, &str, &str, &str, u16); 18] = [
    ("public_url", "/public_url/a", "https://route.example/prefix/public_url/a", "12345", 200),
    ("its query", "/public_url/?a=%2F", "https://route.example/prefix/public_url/?a=%2F", "12345", 200),
    ("no prefix", "/public_url/a", "https://route.example/public_url/a", "12345", 403),
    ("the app's", "/public_url/a", "https://example.com/public_url/a", "12345", 403),
    ("its token", "/public_url/a", "https://route.example/prefix/public_url/a", "67890", 403),
    // The path is not signed then: any that leads to the handler will do.
    ("url", "/url/a/b", "https://route.example/whole", "12345", 200),
    ("url, elsewhere", "/url/c", "https://route.example/whole", "12345", 200),
    ("url and its query", "/url/?a=1&b=%20", "https://route.example/whole?a=1&b=%20", "12345", 200),
    ("url and an empty query", "/url/?", "https://route.example/whole?", "12345", 200),
    ("url without its query", "/url/?a=1", "https://route.example/whole", "12345", 403),
    ("url and another query", "/url/?a=1", "https://route.example/whole?a=2", "12345", 403),
    ("url and a path", "/url/a", "https://route.example/whole/url/a", "12345", 403),
    ("url of the app", "/url/a", "https://example.com/url/a", "12345", 403),
    ("a tenant", "/policy/acme", "https://example.com/policy/acme", "acme", 200),
    ("another", "/policy/x", "https://example.com/policy/x", "other", 200),
    ("a tenant by another", "/policy/acme", "https://example.com/policy/acme", "other", 403),
    ("a tenant by the app", "/policy/acme", "https://example.com/policy/acme", "12345", 403),
    ("a broken policy", "/policy/broken", "https://example.com/policy/broken", "12345", 500),
];

#[actix_web::test]
async fn options_take_the_place_of_the_apps() {
    let (config, count) = counted(builder("12345"));
    let apps = [
        ("plain", app_of(Some(config.clone()), None).await),
        ("data", app_of(None, Some(Data::new(config))).await),
    ];
    for (how, app) in &apps {
        for (name, target, url, token, status) in OPTIONS {
            let name = format!("{name} {how}");
            let webhook = Webhook::get(target).signed_for(url, &keys(token));
            let answer = webhook.call(app).await;
            assert_eq!(answer.0, status, "{name}");
            assert_eq!(runs(), usize::from(status == 200), "{name}");
            if status == 200 {
                assert!(answer.1.ends_with(url), "{name}: {}", answer.1);
            }
        }
    }
    // Hooks and modes are the app's all the same.
    assert_eq!(count.load(Ordering::Relaxed), 2 * 13);
}

#[actix_web::test]
async fn routes_with_options_share_the_limit_on_all_bodies() {
    let config = builder("12345").body_limit(16).total_body_limit(16);
    let app = app_of(Some(config.build().unwrap()), None).await;
    let start = |path: &str| {
        let forged = Webhook::form(path, "").with("X-Twilio-Signature", FORGED);
        let chunk = Ok::<_, PayloadError>(web::Bytes::from_static(b"0123456789abcdef"));
        let endless = stream::iter([chunk]).chain(stream::pending());
        let req = forged.request().to_request();
        let (req, _) = req.replace_payload(Payload::from(endless.boxed_local()));
        Box::pin(app.call(req))
    };
    let [mut first, mut second] = [start("/url/a"), start("/public_url/a")];
    for request in [&mut first, &mut second] {
        for _ in 0..4 {
            assert!(poll_immediate(&mut *request).await.is_none());
        }
    }
    // The one that has waited longest gives way.
    assert_eq!(first.await.unwrap().status(), 503);
    assert!(poll_immediate(second).await.is_none());
}

#[actix_web::test]
async fn options_follow_the_configuration_of_each_app() {
    let webhook =
        |token| Webhook::get("/url/").signed_for("https://route.example/whole", &keys(token));
    let app = |config: TwilioConfig| app_of(Some(config), None);
    let a = app(config("12345")).await;
    let b = app(config("67890")).await;
    let report = app(builder("12345").mode(Mode::ReportOnly).build().unwrap()).await;
    let off = app(builder("12345").mode(Mode::Off).build().unwrap()).await;
    // In turns: no app gets what was made for another one.
    for round in 0..3 {
        for (name, token, statuses) in [("a's", "12345", [200, 403]), ("b's", "67890", [403, 200])]
        {
            let found = [
                webhook(token).call(&a).await.0,
                webhook(token).call(&b).await.0,
            ];
            assert_eq!(found, statuses, "{name} {round}");
        }
        for (name, lax) in [("report-only", &report), ("off", &off)] {
            assert_answer(&webhook("12345").call(lax).await, UNJUDGED, name);
        }
    }
    runs();
}

#[validate_twilio_request(auth_token_env = "ACTIX_TWILIO_TEST_TOKEN")]
async fn by_variable(proof: Proof) -> String {
    charge(&proof)
}

#[validate_twilio_request(
    auth_token_env = "ACTIX_TWILIO_TEST_TOKEN",
    public_url = "https://route.example"
)]
async fn by_variable_and_url(proof: Proof) -> String {
    charge(&proof)
}

/// What becomes of requests to the three routes, each with every token, in this environment.
async fn statuses_in_this_environment(app: &str) -> Vec<String> {
    let lookup = |cfg: &mut ServiceConfig| {
        if app == "app" {
            cfg.app_data(config("12345"));
        }
        cfg.route("/variable", web::to(by_variable))
            .route("/url", web::to(by_variable_and_url))
            .route("/app", web::to(demands));
    };
    let app = init_service(App::new().configure(lookup)).await;
    let mut found = Vec::new();
    for (path, url) in [
        ("/variable", BASE),
        ("/url", "https://route.example"),
        ("/app", BASE),
    ] {
        let mut statuses = Vec::new();
        for token in ["12345", "from-env", "second", "main"] {
            let webhook = Webhook::get(path).signed_for(&format!("{url}{path}"), &keys(token));
            statuses.push(webhook.call(&app).await.0.to_string());
        }
        found.push(statuses.join(" "));
    }
    found
}

#[test]
fn tokens_come_from_the_variable_that_a_route_names() {
    const NAME: &str = "ACTIX_TWILIO_TEST_TOKEN";
    let set = ("TWILIO_AUTH_TOKEN", "main");
    let base = ("TWILIO_WEBHOOK_BASE_URL", BASE);
    let both = "403 200 200 403";
    let first = "403 200 403 403";
    let broken = "500 500 500 500";
    let apps = "200 403 403 403";
    let main = "403 403 403 200";
    // The environment, whether the app has a configuration, and the statuses of the three routes.
    #[expect(clippy::type_complexity, reason = "a table")]
    let cases: [(&str, &[(&str, &str)], &str, [&str; 3]); 10] = [
        ("one", &[(NAME, "from-env")], "app", [first, first, apps]),
        (
            "two",
            &[(NAME, " from-env ,\nsecond\n")],
            "app",
            [both, both, apps],
        ),
        ("none", &[], "app", [broken, broken, apps]),
        ("an empty one", &[(NAME, "")], "app", [broken, broken, apps]),
        (
            "an empty second one",
            &[(NAME, "from-env,")],
            "app",
            [broken, broken, apps],
        ),
        (
            "the app's beside it",
            &[set, base],
            "app",
            [broken, broken, apps],
        ),
        (
            "no configuration",
            &[(NAME, "from-env"), base],
            "env",
            [first, first, broken],
        ),
        (
            "the environment's",
            &[(NAME, "from-env"), set, base],
            "env",
            [first, first, main],
        ),
        ("not its own", &[set, base], "env", [broken, broken, main]),
        (
            "report without leave",
            &[
                (NAME, "from-env"),
                set,
                base,
                ("TWILIO_VALIDATION", "report"),
            ],
            "env",
            [broken, broken, broken],
        ),
    ];
    in_children(
        cases,
        |(_, variables, ..)| variables.iter().copied(),
        |(name, _, app, statuses)| {
            let found = System::new().block_on(statuses_in_this_environment(app));
            assert_eq!(found, statuses, "{name}");
        },
    );
}
