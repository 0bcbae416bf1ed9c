//! What fuzzing runs: a function for each target, which panics if the library does not say what the plain
//! [reference](mod@crate::reference) says. `fuzz/` feeds them from a fuzzer, the tests feed them from the seeds.
//!
//! Texts are split at line feeds. A signature `*`, or `*` and a digit, stands for a genuine one, over the
//! first candidate or the one of that number: a fuzzer would never find one.

mod twiml;

use std::{collections::BTreeSet, future::Future, pin::Pin, rc::Rc, sync::LazyLock};

use actix_twilio::{
    AuthToken, Proof, RequestValidator, TwilioConfig, Validated,
    ValidationErrorKind::{self as Kind, BodyTooLarge, OriginMalformed, Signature},
    keys::{AccountSid, KeyMap, MatchedKey, SharedKey},
    signature::SignatureErrorKind::{self, SignatureMismatch},
};
use actix_web::{
    App, HttpResponse,
    body::to_bytes,
    dev::{Payload, ServiceResponse},
    http::{
        Method, Uri,
        header::{HeaderName, HeaderValue},
    },
    rt::{System, SystemRunner},
    test::{TestRequest, call_service, init_service},
    web::{self, Bytes},
};

pub use self::twiml::twiml;
use crate::{
    FORGED, TOKEN, body_sha256,
    reference::{self, Keys, Request, origin::Arrival},
    refusal,
};

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("params", params),
    ("url", url),
    ("signature_header", signature_header),
    ("forwarded", forwarded),
    ("request", request),
    ("accounts", accounts),
    ("twiml", twiml),
];

const URL: &str = "https://example.com/hook?x=1";

/// The headers that the library reads. They are sent by their names, and all others by one: to tell apart the
/// names that it knows takes the crate `http` a thousand edges, and a fuzzer would look for nothing else.
const NAMES: [&str; 16] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "forwarded",
    "host",
    "sec-websocket-key",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-original-host",
    "x-twilio-signature",
    "x-twilio-webhooks-signature-settings",
];

/// Bytes in the largest body that the app of the targets takes.
const LIMIT: usize = 1024;

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    tokens: vec![TOKEN.to_owned(), "the next token".to_owned()],
    shared: vec![
        ("K1".to_owned(), "shared secret".to_owned()),
        ("K=\u{e9}".to_owned(), "k".repeat(65)),
    ],
});

static VALIDATOR: LazyLock<RequestValidator> =
    LazyLock::new(|| KEYS.validator().expect("these are keys"));

/// Asserts that the library's verdict on a request is that of the reference, and returns it.
///
/// # Errors
///
/// Returns the refusal, if both refuse.
#[track_caller]
pub fn same_verdict(
    validator: &RequestValidator,
    keys: &Keys,
    req: &Request,
) -> Result<(MatchedKey, String), SignatureErrorKind> {
    let found = match validator.validate(&req.webhook()) {
        Ok(accepted) => Ok((accepted.key, accepted.url.into_owned())),
        Err(err) => Err(err.kind()),
    };
    let expected = reference::verdict(keys, req);
    assert_eq!(found, expected, "library and reference differ on {req:?}");
    found
}

#[track_caller]
fn assert_same(req: &Request) -> Result<(MatchedKey, String), SignatureErrorKind> {
    same_verdict(&VALIDATOR, &KEYS, req)
}

/// A form as it was signed, and after a line feed another one that is sent under its signature.
pub fn params(data: &[u8]) {
    let mut forms = data.splitn(2, |byte| *byte == b'\n');
    let signed = Request::new("POST", URL, forms.next().unwrap_or_default()).form();
    let text = [URL.as_bytes(), &reference::parameters(&signed.body)].concat();
    let signature = reference::sign_by_token(&KEYS, &text);
    let by_library = VALIDATOR.sign(&signed.webhook()).ok();
    let verdict = assert_same(&signed.signed(&*signature));
    // The URL has no hash.
    let is_genuine = !reference::may_be_json(&signed.body);
    assert_eq!(
        by_library,
        is_genuine.then(|| signature.clone()),
        "{signed:?}"
    );
    assert_eq!(verdict.is_ok(), is_genuine, "{signed:?}");
    if let Some(sent) = forms.next() {
        let sent = Request::new("POST", URL, sent).form();
        let _ = assert_same(&sent.signed(signature));
    }
}

/// A URL, and on a second line any text that was signed in its place.
pub fn url(data: &[u8]) {
    let Ok(data) = str::from_utf8(data) else {
        return;
    };
    let (url, other) = data.split_once('\n').unwrap_or((data, URL));
    for method in ["GET", "POST"] {
        let req = Request::new(method, url, "");
        let candidates = reference::signed_texts(&req);
        assert!((1..=8).contains(&candidates.len()), "{candidates:?}");
        for text in &candidates {
            let _ = assert_same(&req.signed(reference::sign_by_token(&KEYS, text)));
        }
        let signature = reference::sign_by_token(&KEYS, other.as_bytes());
        let verdict = assert_same(&req.signed(signature));
        let is_candidate = candidates.iter().any(|text| text == other.as_bytes());
        assert!(is_candidate || verdict == Err(SignatureMismatch), "{req:?}");
    }
}

/// Lines that begin with `s`, a value of `X-Twilio-Signature`, or with `k`, one of the settings.
pub fn signature_header(data: &[u8]) {
    let mut req = Request::new("GET", URL, "");
    for line in data.split(|byte| *byte == b'\n') {
        match line.split_first() {
            Some((b's', value)) => req.signature.push(value.to_vec()),
            Some((b'k', value)) => req.settings.push(value.to_vec()),
            _ => {}
        }
    }
    sign_marked(&mut req);
    let _ = assert_same(&req);
}

/// Puts genuine signatures in the place of those that are marked so.
fn sign_marked(req: &mut Request) {
    let texts = reference::signed_texts(req);
    for signature in &mut req.signature {
        let number = match signature[..] {
            [b'*'] => 0,
            [b'*', digit] if digit.is_ascii_digit() => usize::from(digit - b'0'),
            _ => continue,
        };
        let genuine = texts
            .get(number)
            .and_then(|text| reference::sign_by_settings(&KEYS, &req.settings, text));
        *signature = genuine.unwrap_or_else(|| FORGED.to_owned()).into();
    }
}

/// The headers of a `GET` from a trusted proxy, one a line.
pub fn forwarded(data: &[u8]) {
    for first in ["GET /hook?x=1", "GET /hook?x=1 far"] {
        arrive(&[first.as_bytes(), b"\nX-Twilio-Signature: *\n", data].concat());
    }
}

/// A whole request: method and target, then headers, then after an empty line the body.
///
/// With `stranger` on the first line it comes from a peer that is no trusted proxy, with `far` to an app
/// behind two proxies and a prefix.
pub fn request(data: &[u8]) {
    arrive(data);
}

fn arrive(data: &[u8]) {
    let Some(sent) = Sent::parse(data) else {
        return;
    };
    let arrival = Arrival {
        method: sent.method.as_str(),
        target: &sent.target,
        headers: &sent.headers,
        hops: (!sent.stranger).then_some(if sent.far { 2 } else { 1 }),
        prefix: sent.far,
    };
    let all = |name: &str| arrival.all(name).map(<[u8]>::to_vec).collect();
    let (url, base_path) = arrival.url().unwrap_or_default();
    let mut req = Request {
        method: sent.method.to_string(),
        url,
        base_path,
        content_type: all("content-type"),
        content_encoding: all("content-encoding"),
        signature: all("x-twilio-signature"),
        settings: all("x-twilio-webhooks-signature-settings"),
        body: sent.body.clone(),
    };
    sign_marked(&mut req);
    let expected = verdict_on_arrival(&arrival, &req);

    let mut test = TestRequest::with_uri(&sent.written).method(sent.method.clone());
    if sent.stranger {
        test = test.peer_addr(([203, 0, 113, 9], 4711).into());
    }
    let signatures = req
        .signature
        .iter()
        .map(|value| ("x-twilio-signature", value));
    let others = sent
        .headers
        .iter()
        .filter(|(name, _)| name != "x-twilio-signature");
    for (name, value) in others
        .map(|(name, value)| (&**name, value))
        .chain(signatures)
    {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("it was one before");
        let value = HeaderValue::from_bytes(value).expect("it was one before");
        test = test.append_header((name, value));
    }
    let (proof, refusal, body) = Server::with(|server| {
        let app = if sent.far { &server.far } else { &server.near };
        server.run(app(test, sent.body.clone()))
    });
    let found = match (proof, refusal) {
        (Some(proof), None) => Ok((proof.key().clone(), proof.url().to_owned())),
        (None, Some(kind)) => Err(kind),
        odd => panic!("{odd:?} for {req:?}"),
    };
    assert_eq!(
        found, expected,
        "library and reference differ on {req:?}, {arrival:?}"
    );
    if found.is_ok() {
        assert_eq!(body, sent.body, "the handler got another body");
    }
}

fn verdict_on_arrival(arrival: &Arrival<'_>, req: &Request) -> Result<(MatchedKey, String), Kind> {
    let of_form = reference::verdict_on_head(req)?;
    let declared = arrival.all("content-length").next();
    let declared = declared.and_then(declared_length);
    if declared.is_some_and(|length| length > LIMIT) {
        return Err(BodyTooLarge);
    }
    if arrival.url().is_none() {
        return Err(OriginMalformed);
    }
    reference::verdict_on_key(&KEYS, req)?;
    let mut req = req.clone();
    if arrival.is_handshake() {
        // What follows is the WebSocket's.
        req.body.clear();
    }
    match reference::verdict(&KEYS, &req) {
        // Without a form, the URL's signature comes before the body.
        Err(SignatureMismatch) if !of_form => Err(Signature(SignatureMismatch)),
        _ if req.body.len() > LIMIT => Err(BodyTooLarge),
        verdict => Ok(verdict?),
    }
}

struct Sent {
    method: Method,
    /// The target as it is written: `Uri` prints a slash where there is no path.
    written: String,
    target: Uri,
    stranger: bool,
    far: bool,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Sent {
    /// Returns nothing for what no server would take for a request.
    fn parse(data: &[u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = data.split_at(end.unwrap_or(data.len()));
        let mut lines = head.split(|byte| *byte == b'\n');
        let mut words = str::from_utf8(lines.next()?).ok()?.split(' ');
        let method = Method::from_bytes(words.next()?.as_bytes()).ok()?;
        let written = words.next()?.to_owned();
        let target = Uri::try_from(&*written).ok()?;
        let (mut stranger, mut far) = (false, false);
        for word in words {
            stranger |= word == "stranger";
            far |= word == "far";
        }
        let mut headers = Vec::new();
        for line in lines {
            let mut sides = line.splitn(2, |byte| *byte == b':');
            let name = sides.next()?;
            let known = NAMES
                .iter()
                .find(|known| name.eq_ignore_ascii_case(known.as_bytes()));
            let name = (*known.unwrap_or(&"x-other")).to_owned();
            let value = HeaderValue::from_bytes(sides.next()?.trim_ascii()).ok()?;
            headers.push((name, value.as_bytes().to_vec()));
        }
        let body = body.get(2..).unwrap_or_default().to_vec();
        let sent = Self {
            method,
            written,
            target,
            stranger,
            far,
            headers,
            body,
        };
        sent.is_framed().then_some(sent)
    }

    /// Returns whether a server could get this body: it reads exactly as many bytes as are declared, or refuses the request
    /// before it reads them.
    fn is_framed(&self) -> bool {
        let has = |header| self.headers.iter().any(|(name, _)| name == header);
        let declared = self
            .headers
            .iter()
            .find(|(name, _)| name == "content-length");
        has("transfer-encoding")
            || has("upgrade")
            || declared
                .and_then(|(_, length)| declared_length(length))
                .is_none_or(|length| length > LIMIT || length == self.body.len())
    }
}

fn declared_length(header: &[u8]) -> Option<usize> {
    str::from_utf8(header).ok()?.parse().ok()
}

const ACCOUNTS: [(&str, &str); 2] = [
    ("AC0000000000000000000000000000000a", "token of a"),
    ("AC0000000000000000000000000000000b", "token of b"),
];

/// The signer (`a`, `b`, or else the main account), a query and a content type on the first three lines, then
/// the body. Whoever holds one account's token must not speak for the other.
pub fn accounts(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (signer, query, content_type, body) = (line(), line(), line(), line());
    let (Ok(query), Ok(content_type)) =
        (str::from_utf8(query), HeaderValue::from_bytes(content_type))
    else {
        return;
    };
    let signer = match signer {
        b"a" => Some(0),
        b"b" => Some(1),
        _ => None,
    };
    let signer = signer.and_then(|index| ACCOUNTS.get(index));
    let target = format!("/hook?{query}&bodySHA256={}", body_sha256(body));
    let Ok(uri) = Uri::try_from(&*target) else {
        return;
    };
    let target = uri.to_string();
    let mut req = Request::new("POST", &format!("http://example.com{target}"), body);
    req.content_type.push(content_type.as_bytes().to_vec());
    let keys = Keys {
        tokens: vec![signer.map_or(TOKEN, |signer| signer.1).to_owned()],
        shared: Vec::new(),
    };
    let texts = reference::signed_texts(&req);
    let signature = reference::sign_by_token(&keys, texts.first().expect("the URL as it is"));
    let test = TestRequest::with_uri(&target)
        .method(Method::POST)
        .insert_header(("host", "example.com"))
        .insert_header(("content-type", content_type))
        .insert_header(("x-twilio-signature", signature));
    let (proof, ..) = Server::with(|server| server.run((server.tenants)(test, body.to_vec())));
    let Some(proof) = proof else { return };

    let proven = proof.account().map(AccountSid::as_str);
    assert_eq!(proven, signer.map(|signer| signer.0), "{req:?}");
    // The target's, since a fragment is not sent.
    let named = accounts_named(uri.query().unwrap_or_default(), &req);
    assert!(
        named.iter().all(|named| Some(&**named) == proven),
        "{named:?} pass as {proven:?}: {req:?}"
    );
}

/// Returns the accounts that a handler could find in a request, by whichever way it reads the body, but for
/// JSON that says so read as a form: a text in it may look like one.
fn accounts_named(query: &str, req: &Request) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let json = matches!(req.body.trim_ascii_start(), [b'{' | b'[', ..]) && says_json(req);
    let form = if json { &[][..] } else { &req.body };
    for form in [query.as_bytes(), form] {
        for (name, value) in reference::pairs(form) {
            let known = ACCOUNTS.iter().find(|(sid, _)| value == sid.as_bytes());
            if let Some((sid, _)) = known
                && name == b"AccountSid"
            {
                named.insert((*sid).to_owned());
            }
        }
    }
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&req.body) {
        let batch = json.as_array().cloned().unwrap_or_else(|| vec![json]);
        for event in batch {
            for place in [Some(&event), event.get("data")].into_iter().flatten() {
                for name in ["AccountSid", "accountSid", "account_sid"] {
                    let sid = place.get(name).and_then(serde_json::Value::as_str);
                    named.extend(sid.map(str::to_owned));
                }
            }
        }
    }
    named
}

fn says_json(req: &Request) -> bool {
    let content_type = req.content_type.concat();
    let essence = content_type.split(|byte| *byte == b';').next();
    let essence = essence.map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
    essence.windows(4).any(|part| part == b"json")
}

type Answer = (Option<Proof>, Option<Kind>, Bytes);
type Tested = Box<dyn Fn(TestRequest, Vec<u8>) -> Pin<Box<dyn Future<Output = Answer>>>>;

/// The apps of the targets, on a runtime of this thread.
struct Server {
    system: SystemRunner,
    near: Tested,
    far: Tested,
    tenants: Tested,
}

impl Server {
    fn with<T>(run: impl FnOnce(&Self) -> T) -> T {
        thread_local! {
            // Never dropped: the runtime must not be, while the thread's other values are.
            static SERVER: &'static Server = Box::leak(Box::new(Server::start()));
        }
        SERVER.with(|server| run(server))
    }

    fn start() -> Self {
        let with_keys = |tokens: &[&str]| {
            let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
            let shared = Vec::new();
            Keys { tokens, shared }.validator().expect("these are keys")
        };
        let fixed = || {
            let mut builder = TwilioConfig::builder().body_limit(LIMIT);
            for token in &KEYS.tokens {
                builder = builder.auth_token(AuthToken::new(token).expect("it is a token"));
            }
            for (id, secret) in &KEYS.shared {
                let key = SharedKey::new(id.clone(), secret);
                builder = builder.shared_key(key.expect("it is a key"));
            }
            builder
        };
        let mut map = KeyMap::new().default_keys(with_keys(&[TOKEN]));
        for (sid, token) in ACCOUNTS {
            map = map.account(sid.parse().expect("it is a SID"), with_keys(&[token]));
        }
        let far = fixed().trusted_hops(2).expect("two hops");
        let near = fixed().build();
        let far = far.forwarded_prefix(true).build();
        let tenants = TwilioConfig::builder()
            .body_limit(LIMIT)
            .key_store(map)
            .build();

        let system = System::new();
        let app = |config: Result<TwilioConfig, _>| {
            system.block_on(start(config.expect("it is complete")))
        };
        let (near, far, tenants) = (app(near), app(far), app(tenants));
        Self {
            system,
            near,
            far,
            tenants,
        }
    }

    fn run(&self, answer: impl Future<Output = Answer>) -> Answer {
        self.system.block_on(answer)
    }
}

/// Starts an app whose handler answers with the body that it gets, and its proof.
async fn start(config: TwilioConfig) -> Tested {
    // A payload, since actix's `Bytes` refuses requests by their `Content-Length`.
    async fn echo(body: Validated<web::Payload>) -> HttpResponse {
        let proof = body.proof().cloned();
        let body = body.into_inner().to_bytes().await;
        let mut res = HttpResponse::Ok().body(body.expect("it is in memory"));
        if let Some(proof) = proof {
            res.extensions_mut().insert(proof);
        }
        res
    }
    let app = App::new().app_data(config).default_service(web::to(echo));
    let app = Rc::new(init_service(app).await);
    Box::new(move |req, body| {
        let app = Rc::clone(&app);
        let mut req = req.to_request();
        // Unlike the test request's own way, this adds no `Content-Length`.
        *req.payload() = Payload::from(Bytes::from(body));
        Box::pin(async move {
            let res: ServiceResponse = call_service(&*app, req).await;
            let proof = res.response().extensions().get::<Proof>().cloned();
            let refusal = refusal(&res);
            let body = to_bytes(res.into_body()).await;
            (proof, refusal, body.expect("it is in memory"))
        })
    })
}
