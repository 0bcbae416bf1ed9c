//! What must never be printed: tokens, secrets, bodies, values of parameters, and the signatures that would be right.
//!
//! Everything that can be printed is gathered and searched for them; what the tool prints is searched in its own
//! tests. A new public type must be added here, or a test fails.

use std::{
    collections::BTreeSet,
    error::Error,
    fmt::{Debug, Write as _},
    fs,
    future::{Ready, ready},
    iter,
    net::SocketAddr,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use actix_twilio::{
    AuthToken, KeyStore, Proof, RequestValidator, TwilioConfig, TwilioConfigBuilder,
    TwilioValidation, Validated, ValidationError, ValidationErrorKind, WebhookRequest,
    config::Mode,
    explain::{Cause, Explainer, UrlSetting},
    keys::{AccountSid, KeyFile, KeyMap, KeyQuery, KeyStoreError, MatchedKey, SharedKey},
    once::{
        Claim, IfStoreFails, MemoryStore, Once, OnceKey, Outcome, Owner, RedisStore, StoredAnswer,
    },
    signature::{
        Form,
        stages::{BodyKind, CheckedHead},
        url::{
            PublicUrl, UrlParts,
            forwarded::{Header, Malformed, Origin},
        },
    },
    testing::{Call, Conversation, Signer, Transcript},
    validate_twilio_request,
};
use actix_twilio_tests::{
    FORGED, FORM, NO_VARIABLES, SETTINGS,
    client::{connect, last_words},
    hashed, in_child,
    log::Printed,
    server::Server,
};
use actix_web::{
    App, HttpResponse,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    rt::System,
    web,
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE};
use memchr::memmem;

/// Stands in every value that is secret.
const MARKER: &str = "MARKER";

const TOKEN: &str = "MARKER-token";
const OLD_TOKEN: &str = "MARKER-old-token";
const SECRET: &str = "MARKER-secret";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const BODY: &str = "AccountSid=AC00000000000000000000000000000001&Body=MARKER-value";
const QUERY: &str = "pin=MARKER-pin&MARKER";

/// Bytes in the largest body.
const LIMIT: usize = 128;

fn tokens() -> [AuthToken; 2] {
    [TOKEN, OLD_TOKEN].map(|token| AuthToken::new(token).unwrap())
}

fn shared_key() -> SharedKey {
    SharedKey::new("K1", SECRET).unwrap()
}

fn validator() -> RequestValidator {
    RequestValidator::with_keys(tokens(), [shared_key()]).unwrap()
}

fn config() -> TwilioConfigBuilder {
    let [token, old] = tokens();
    TwilioConfig::builder()
        .auth_token(token)
        .auth_token(old)
        .shared_key(shared_key())
}

fn posted<'r>(url: &'r str, body: &'r str) -> WebhookRequest<'r> {
    WebhookRequest::new("POST", url)
        .content_type(FORM)
        .body(body)
}

/// Returns each signature that is right for a form that is posted to a URL, or for the URL alone, by any key.
fn signatures(url: &str, body: &str) -> Vec<String> {
    let requests = [posted(url, body), WebhookRequest::new("GET", url)];
    let old = RequestValidator::new([AuthToken::new(OLD_TOKEN).unwrap()]).unwrap();
    let mut signatures = Vec::new();
    for request in requests {
        signatures.push(validator().sign(&request).unwrap());
        signatures.push(old.sign(&request).unwrap());
        for settings in ["key=K1", "key=K1,algorithm=HMAC_SHA256"] {
            let request = request.signature_settings(settings);
            signatures.push(validator().sign(&request).unwrap());
        }
    }
    signatures
}

/// Returns the notations in which bytes may be printed: as they are, in hex, as a list of numbers, escaped, and in
/// both alphabets of base64, wherever they stand in what is encoded.
fn notations(bytes: &[u8]) -> BTreeSet<String> {
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let mut notations = BTreeSet::from([
        bytes.escape_ascii().to_string(),
        hex.to_uppercase(),
        hex,
        numbers.join(","),
    ]);
    for before in 0..3 {
        let padded = [&vec![0; before][..], bytes].concat();
        // What does not depend on the bytes around.
        let (start, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            notations.insert(engine.encode(&padded)[start..end].to_owned());
        }
    }
    notations
}

/// Searches a text for secrets in any notation: for the marker, and for these signatures.
#[track_caller]
fn assert_no_secret(name: &str, text: &str, signatures: &[String]) {
    // A list may be printed over many lines.
    let text: String = text.split_whitespace().collect();
    let signatures = signatures
        .iter()
        .map(|signature| BASE64_STANDARD.decode(signature).unwrap());
    for secret in signatures.chain([MARKER.into()]) {
        for notation in notations(&secret) {
            // Much faster than `str::contains` in a build that is not optimized.
            let found = memmem::find(text.as_bytes(), notation.as_bytes());
            assert!(found.is_none(), "{name}: {notation} in {text}");
        }
    }
}

#[test]
fn a_secret_is_found_in_every_notation() {
    let signatures = signatures("https://example.com/", BODY);
    let signature = BASE64_STANDARD.decode(&signatures[0]).unwrap();
    for bytes in [TOKEN.as_bytes(), &*signature] {
        let lower_hex = bytes.iter().map(|byte| format!("{byte:02x}"));
        let upper_hex = bytes.iter().map(|byte| format!("{byte:02X}"));
        for printed in [
            format!("{bytes:?}"),
            format!("{bytes:#?}"),
            format!("b\"{}\"", bytes.escape_ascii()),
            lower_hex.collect(),
            upper_hex.collect(),
            BASE64_STANDARD.encode(bytes),
            BASE64_URL_SAFE.encode(bytes),
            BASE64_STANDARD.encode([b"a", bytes].concat()),
            BASE64_STANDARD.encode([b"ab", bytes].concat()),
        ] {
            let search = || assert_no_secret("control", &format!("x {printed} y"), &signatures);
            assert!(panic::catch_unwind(search).is_err(), "{printed}");
        }
    }
    assert_no_secret("control", "AuthToken(..) [1, 2, 3] 4d41", &signatures);
}

/// Returns all that a value's `Debug` prints.
fn debug(value: impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// Returns all that an error prints, and what caused it.
fn error(err: &(dyn Error + 'static)) -> String {
    let mut text = format!("{} {err}", debug(err));
    let mut source = err.source();
    while let Some(err) = source {
        write!(text, " {} {err}", debug(err)).unwrap();
        source = err.source();
    }
    text
}

fn key_file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The public types that have values of their own and are printed in the servers' tests below.
const IN_SERVERS: [&str; 4] = ["KeyQuery", "Proof", "Validated", "Verdict"];

/// Those that have labels only, and can be made by the library alone.
const LABELS: [&str; 1] = ["Delivery"];

/// Those that print nothing: traits, types without values, and what a user's own error is boxed in.
const WITHOUT_VALUES: [&str; 24] = [
    "Answer",
    "AppPolicy",
    "EventKey",
    "Extractor",
    "Guarded",
    "OnceEach",
    "OnceStore",
    "OnceStoreError",
    "RedisConnection",
    "Settling",
    "ValidatedArguments",
    "VerifiedKey",
    "KeyStore",
    "KeyStoreError",
    "Literal",
    "Policy",
    "ProtectedArguments",
    "ProtectedRoute",
    "ProtectedScope",
    "RouteOptions",
    "Sealed",
    "Text",
    "TwilioTestRequest",
    "Unnameable",
];

/// The folders of types whose purpose is to hold what a request says, or an answer. `unredacted` webhooks and answers
/// print it, as their docs say. Nothing of this crate prints them. That messages of WebSockets print no contents is
/// tested with them.
const PRINTED_BY_DESIGN: [&str; 3] = ["webhook", "twiml", "stream"];

#[actix_web::test]
async fn no_public_type_prints_a_secret() {
    let url = "https://user:MARKER@example.com/hook?pin=MARKER-pin";
    let known = signatures(url, BODY);
    let validator = validator();
    let genuine = validator.sign(&posted(url, BODY)).unwrap();
    let request = posted(url, BODY).signature(&genuine);
    let forged = posted(url, BODY).signature(FORGED);
    let refusal = validator.validate(&forged).unwrap_err();
    let head = CheckedHead::of(&request).unwrap();
    // What the signature matches is told, with the query: so there is no secret in this one.
    let seen = posted("http://example.com/hook", BODY);
    let signed = validator
        .sign(&posted("https://example.com/hook", BODY))
        .unwrap();
    let explainer = Explainer::new(&validator)
        .other_token(AuthToken::new("MARKER-other").unwrap())
        .other_shared_key(SharedKey::new("K2", "MARKER-other").unwrap())
        .header("Authorization", "MARKER");
    let explanation = explainer.explain(&seen.signature(&signed));
    assert_eq!(explanation.causes, [Cause::Scheme]);
    let file = key_file("secrets", &format!("{ACCOUNT} {TOKEN},{OLD_TOKEN}\n"));
    let map = KeyMap::new()
        .account(ACCOUNT.parse().unwrap(), validator.clone())
        .default_keys(validator.clone());
    let config_of = |builder: TwilioConfigBuilder| builder.build().unwrap();
    let middleware: TwilioValidation = TwilioValidation::with_config(config_of(config()));
    let once: Once = Once::new();
    let answer = StoredAnswer {
        body: "MARKER".into(),
        ..StoredAnswer::EMPTY
    };
    #[rustfmt::skip]
    let mut printed = vec![
        ("AuthToken", debug(AuthToken::new(TOKEN).unwrap())),
        ("SharedKey", debug(shared_key())),
        ("AccountSid", debug(ACCOUNT.parse::<AccountSid>().unwrap())),
        ("RequestValidator", debug(&validator)),
        ("WebhookRequest", debug(request)),
        ("Accepted", debug(validator.validate(&request).unwrap())),
        ("VerifiedSignature", debug(validator.validate(&request).unwrap().signature)),
        ("ReplayKey", format!("{0:?} {0}", validator.validate(&request).unwrap().signature.replay_key())),
        ("MatchedKey", debug(MatchedKey::AuthToken(0))),
        ("SignatureError", error(&refusal)),
        ("SignatureErrorKind", format!("{:?} {}", refusal.kind(), refusal.kind())),
        ("Explainer", debug(&explainer)),
        ("Explanation", debug(&explanation)),
        ("Proposal", debug(&explanation.proposals)),
        ("Change", debug(&explanation.proposals[0].changes)),
        ("UrlSetting", debug(UrlSetting::App)),
        ("Cause", debug(Cause::ALL)),
        ("KeyMap", debug(&map)),
        ("KeyFile", debug(KeyFile::new(&file).unwrap())),
        ("TwilioConfigBuilder", debug(config())),
        ("TwilioConfigBuilder", debug(TwilioConfig::builder().key_store(map.clone()))),
        ("TwilioConfig", debug(config_of(config()))),
        ("TwilioConfig", debug(config_of(TwilioConfig::builder().key_store(map)))),
        ("Mode", debug(Mode::Enforce)),
        ("UrlParts", debug(UrlParts::of(url))),
        ("Header", debug(Header::ALL)),
        ("Malformed", debug(Malformed::new("Host", "is missing"))),
        ("Origin", debug(Origin::of(Some(1), |_| iter::empty(), true, || Ok(("MARKER@h".to_owned(), "Host"))))),
        ("PublicUrl", debug(PublicUrl::parse_base("https://example.com"))),
        ("BodyKind", debug(BodyKind::of(&request))),
        ("Form", debug(Form::split(BODY))),
        ("Parameters", debug(Form::split(BODY).iter())),
        ("CheckedHead", debug(&head)),
        ("CheckedUrl", debug(head.check_url(&validator, url, "").unwrap())),
        ("ValidationErrorKind", debug(ValidationErrorKind::from(refusal))),
        ("ValidationError", error(&ValidationError::from(refusal))),
        ("TwilioValidation", debug(&middleware)),
        ("TwilioValidationMiddleware", debug(middleware.new_transform(Inner).await.unwrap())),
        ("OnceKey", format!("{0:?} {0}", OnceKey::new("MARKER", b"MARKER"))),
        ("Owner", debug(Owner::new())),
        ("StoredAnswer", debug(&answer)),
        ("Claim", debug(Claim::Done(answer))),
        ("MemoryStore", debug(MemoryStore::default())),
        ("RedisStore", debug(RedisStore::with_connection("MARKER"))),
        ("IfStoreFails", debug(IfStoreFails::Refuse)),
        ("Outcome", debug(Outcome::ALL)),
        ("Once", debug(&once)),
        ("OnceMiddleware", debug(once.new_transform(Inner).await.unwrap())),
        ("Signer", debug(Signer::new(TOKEN))),
        ("Call", debug(Call::to("/voice").press("1"))),
        ("Conversation", debug(Conversation::with("/message").send("Hi"))),
        ("Transcript", debug(Transcript::default())),
        ("Signer", debug(Signer::shared_key(shared_key()).forged())),
    ];
    printed.extend(
        config_errors()
            .into_iter()
            .map(|text| ("ConfigError", text)),
    );
    for (name, text) in &printed {
        assert!(!text.is_empty(), "{name}");
        assert_no_secret(name, text, &known);
    }

    let printed: BTreeSet<_> = printed
        .iter()
        .map(|(name, _)| *name)
        .chain(IN_SERVERS)
        .chain(LABELS)
        .chain(WITHOUT_VALUES)
        .collect();
    let public = public_types();
    for name in ["AuthToken", "Explainer", "PublicUrl", "Signer", "Verdict"] {
        assert!(public.contains(name), "{name} is not found: {public:?}");
    }
    for name in public {
        assert!(printed.contains(&*name), "{name} is not printed here");
    }
}

/// Returns the names of the public types and traits.
fn public_types() -> BTreeSet<String> {
    fn add_types_below(folder: &Path, types: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !PRINTED_BY_DESIGN
                    .iter()
                    .any(|folder| path.ends_with(folder))
                {
                    add_types_below(&path, types);
                }
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            // The compiler warns of a `pub` that is out of reach, so that each of these is public.
            let defined = source.lines().filter_map(|line| {
                let keywords = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
                keywords
                    .iter()
                    .find_map(|keyword| line.trim_start().strip_prefix(keyword))
            });
            let names =
                defined.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            // The name in a macro's `pub struct $name` stands where the macro is called.
            let names = names.filter(|name| !name.is_empty());
            types.extend(names.map(str::to_owned));
        }
    }

    let mut types = BTreeSet::new();
    for package in ["runtime", "signature"] {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(package);
        add_types_below(&package.join("src"), &mut types);
    }
    types
}

/// What is under the middleware.
#[derive(Debug)]
struct Inner;

impl Service<ServiceRequest> for Inner {
    type Response = ServiceResponse;
    type Error = actix_web::Error;
    type Future = Ready<Result<ServiceResponse, actix_web::Error>>;

    actix_web::dev::always_ready!();

    fn call(&self, req: ServiceRequest) -> Self::Future {
        ready(Ok(req.into_response(HttpResponse::Ok())))
    }
}

/// Returns what is printed of settings that are wrong and have a secret in them.
fn config_errors() -> Vec<String> {
    let lines = [
        MARKER.to_owned(),
        format!("{TOKEN} {ACCOUNT}"),
        format!("{ACCOUNT} {TOKEN} {OLD_TOKEN}"),
        format!("{ACCOUNT} {TOKEN},"),
        format!("{ACCOUNT}:{TOKEN}"),
        format!("{ACCOUNT} {TOKEN}\n{ACCOUNT} {OLD_TOKEN}"),
    ];
    let files = lines.iter().zip(0..).map(|(lines, number)| {
        let path = key_file(&format!("wrong_secrets_{number}"), &format!("{lines}\n"));
        error(&KeyFile::new(path).unwrap_err())
    });
    let public_url = |url| error(&config().public_url(url).unwrap_err());
    let others = [
        error(&SharedKey::new("K1,K2", SECRET).unwrap_err()),
        error(&RequestValidator::with_keys([], [shared_key(), shared_key()]).unwrap_err()),
        error(&config().key_store(KeyMap::new()).build().unwrap_err()),
        error(&config().trusted_hops(0).unwrap_err()),
        public_url("https://user:MARKER@example.com"),
        public_url("ftp://user:MARKER@example.com"),
    ];
    files.chain(others).collect()
}

/// Knows one account, fails for those without one, and says what it was asked.
struct Store;

impl KeyStore for Store {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        tracing::info!("{query:?} {query:#?}");
        match &query.account {
            Some(_) => Ok(Some(validator())),
            None => Err("there is no such account".into()),
        }
    }
}

#[validate_twilio_request]
async fn attribute(proof: Option<Proof>) -> &'static str {
    tracing::info!("{proof:?} {proof:#?}");
    "genuine"
}

async fn extractor(validated: Validated<()>) -> &'static str {
    tracing::info!("{validated:?} {validated:#?}");
    "genuine"
}

async fn panics(validated: Validated<Option<Proof>>) -> &'static str {
    panic!("{validated:?} {validated:#?} {:?}", validator())
}

/// Starts a server whose outer middleware prints errors, as those of users do.
fn serve(config: &TwilioConfig) -> Server {
    let config = config.clone();
    Server::start(move || {
        App::new()
            .app_data(config.clone())
            .wrap_fn(|req, service| {
                let answer = service.call(req);
                async move {
                    let res = answer.await?;
                    if let Some(err) = res.response().error() {
                        tracing::info!("{err:?} {err:#?} {err}");
                    }
                    Ok(res)
                }
            })
            .route("/attribute", web::to(attribute))
            .route("/extractor", web::to(extractor))
            .route("/panics", web::to(panics))
            .service(
                web::resource("/middleware")
                    .wrap(TwilioValidation::new())
                    .to(async || "genuine"),
            )
    })
}

/// Sends a request, then shuts the sending side, and returns the whole answer.
async fn answer(address: SocketAddr, target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut request = format!("POST {target} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "\r\n{body}").unwrap();
    last_words(target, connect(address).await, request).await
}

/// A target, a signature, further headers, a body.
type Request<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)], &'r str);

/// Sends a server genuine requests and forgeries of all kinds, and returns what it answers, and the signatures
/// that it could have computed.
async fn send_all(address: SocketAddr) -> (String, Vec<String>) {
    let (mut answers, mut known) = (String::new(), Vec::new());
    let too_long = format!("{BODY}{}", "MARKER".repeat(LIMIT));
    for path in ["/attribute", "/extractor", "/middleware", "/panics"] {
        let [url, other, with_user] = ["https://", "http://", "https://user:MARKER@"]
            .map(|base| format!("{base}example.com{path}?{QUERY}"));
        let [target, target_with_user] =
            [&url, &with_user].map(|url| url.replace("https:", "http:"));
        let hash = hashed(&url, "[]");
        let target_with_hash = hash.replace("https:", "http:");
        let sign = |url: &str| validator().sign(&posted(url, BODY)).unwrap();
        let (genuine, elsewhere) = (&*sign(&url), &*sign(&other));
        let for_user = &*sign(&with_user);
        let hashed_only = &*validator()
            .sign(&WebhookRequest::new("GET", &hash))
            .unwrap();
        for url in [&url, &other, &with_user, &hash] {
            for port in ["", ":443", ":80"] {
                let url = url.replace("example.com", &format!("example.com{port}"));
                known.extend(signatures(&url, BODY));
            }
        }
        // The first one is explained, if any is.
        #[rustfmt::skip]
        let requests: &[Request<'_>] = &[
            (&target, elsewhere, &[], BODY),
            (&target, genuine, &[], BODY),
            (&target_with_user, for_user, &[], BODY),
            (&target, FORGED, &[], BODY),
            (&target, MARKER, &[], BODY),
            (&target, genuine, &[("X-Twilio-Signature", "MARKER")], BODY),
            (&target, FORGED, &[(SETTINGS, "key=K1")], BODY),
            (&target, FORGED, &[(SETTINGS, "key=K1,algorithm=HMAC_SHA256")], BODY),
            (&target, genuine, &[(SETTINGS, "key=K1,algorithm=MARKER")], BODY),
            (&target, genuine, &[(SETTINGS, "MARKER")], BODY),
            (&target, genuine, &[("Content-Encoding", "MARKER")], BODY),
            (&target, genuine, &[("Content-Type", "text/MARKER")], BODY),
            (&target, genuine, &[("X-Forwarded-Host", "/MARKER")], BODY),
            (&target, genuine, &[("Forwarded", "for=MARKER;host=\"MARKER")], BODY),
            (&target, genuine, &[], &too_long),
            (&target, genuine, &[], "Body=MARKER-value"),
            (&target_with_hash, hashed_only, &[], BODY),
            (&target_with_hash, hashed_only, &[("Content-Type", "application/json")], "[\"MARKER\"]"),
        ];
        for (target, signature, more, body) in requests {
            let mut headers = vec![
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("X-Private", "MARKER-header"),
                ("Authorization", "Basic MARKER"),
                ("X-Twilio-Signature", signature),
            ];
            if !more.iter().any(|(name, _)| *name == "Content-Type") {
                headers.push(("Content-Type", FORM));
            }
            headers.extend(*more);
            for missing in [0, 1] {
                let length = (body.len() + missing).to_string();
                let headers = [&*headers, &[("Content-Length", &length)]].concat();
                answers += &answer(address, target, &headers, body).await;
            }
        }
    }
    (answers, known)
}

/// Searches all that a server prints and answers.
#[track_caller]
fn search_server(expected: &[&str], config: TwilioConfigBuilder) {
    let printed = Printed::gather();
    let (printed, known) = System::new().block_on(async {
        let config = config
            .body_limit(LIMIT)
            .on_verdict(|verdict| tracing::info!("{verdict:?} {verdict:#?}"));
        let config = config.build().unwrap();
        tracing::info!("{config:?}");
        let (answers, known) = send_all(serve(&config).address).await;
        (answers + &printed.take(), known)
    });
    for expected in ["HTTP/1.1 200", "panicked"].iter().chain(expected) {
        assert!(printed.contains(expected), "{expected} in {printed}");
    }
    assert_no_secret("a server", &printed, &known);
}

#[test]
fn enforcing_servers_print_no_secret() {
    let expected = [
        "WARN actix_twilio: refused",
        "HTTP/1.1 403",
        "Proof {",
        "Validated(",
    ];
    in_child(NO_VARIABLES, || {
        search_server(&expected, config().explain_mismatches(false));
    });
}

#[test]
fn explaining_servers_print_no_secret() {
    let expected = [
        "refused a request: it is signed for http://example.com/attribute?pin=..",
        "HTTP/1.1 403",
    ];
    in_child(NO_VARIABLES, || {
        search_server(&expected, config().explain_mismatches(true));
    });
}

#[test]
fn reporting_servers_print_no_secret() {
    let expected = ["WARN actix_twilio: would have refused"];
    in_child(NO_VARIABLES, || {
        search_server(&expected, config().mode(Mode::ReportOnly));
    });
}

#[test]
fn servers_that_let_everything_through_print_no_secret() {
    in_child(NO_VARIABLES, || {
        search_server(&["validation is off"], config().mode(Mode::Off));
    });
}

#[test]
fn servers_with_a_key_store_print_no_secret() {
    let expected = ["KeyQuery {", "HTTP/1.1 500", "there is no such account"];
    in_child(NO_VARIABLES, || {
        search_server(&expected, TwilioConfig::builder().key_store(Store));
    });
}

#[test]
fn panics_over_results_print_no_secret() {
    in_child(NO_VARIABLES, || {
        let printed = Printed::gather();
        let url = "https://example.com/hook?pin=MARKER-pin";
        let keys = validator();
        let genuine = keys.sign(&posted(url, BODY)).unwrap();
        let genuine = posted(url, BODY).signature(&genuine);
        let forged = posted(url, BODY).signature(FORGED);
        let results: [(&str, &dyn Fn()); 6] = [
            ("AuthToken", &|| demand_error(AuthToken::new(TOKEN))),
            ("SharedKey", &|| demand_error(SharedKey::new("K1", SECRET))),
            ("RequestValidator", &|| {
                demand_error(RequestValidator::new(tokens()));
            }),
            ("TwilioConfig", &|| demand_error(config().build())),
            ("Accepted", &|| demand_error(keys.validate(&genuine))),
            ("SignatureError", &|| drop(keys.validate(&forged).unwrap())),
        ];
        for (name, result) in results {
            panic::catch_unwind(AssertUnwindSafe(result)).unwrap_err();
            let text = printed.take();
            assert!(text.contains(name), "{name}: {text}");
            assert_no_secret(name, &text, &signatures(url, BODY));
        }
    });
}

/// Panics over what went well, as a user's test or a careless line does.
fn demand_error<T: Debug, E>(result: Result<T, E>) {
    result.map_err(drop).unwrap_err();
}
