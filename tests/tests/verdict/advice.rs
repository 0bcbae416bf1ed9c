//! Advice that is followed works: deployments are made up and broken, the explanation's advice is read as an operator
//! reads it and applied, and the next genuine request passes, and a forgery does not. On some dozen deployments, and on
//! more with `PROPERTY_CASES=100000 cargo test -p actix-twilio-tests --release advice::`.

use std::{cell::RefCell, env, rc::Rc};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, TwilioValidation, Validated,
    keys::KeyMap, signature::explain::Explanation,
};
use actix_twilio_tests::{FORGED, FORM, SIGNATURE, sign_form, sign_text};
use actix_web::{
    App,
    dev::Service,
    http::{
        Method,
        header::{CONTENT_TYPE, HOST},
    },
    middleware::NormalizePath,
    rt::System,
    test::{TestRequest, call_service, init_service},
    web::{self, Bytes},
};
use proptest::{option, prelude::*, sample::select};

/// How `NormalizePath` and the validation are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Normalize {
    No,
    /// It changes the path after the validation.
    Inside,
    /// It changes the path before the validation: the mistake.
    Outside,
}

/// What lies between Twilio and the app, and how the app is configured.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a deployment may do"
)]
struct Deployment {
    /// The URL that is set at Twilio, without its query.
    url: String,
    query: &'static str,
    /// Whether the webhook is a form; else it is a `GET`.
    form: bool,
    /// What the proxy cuts off the start of the path.
    stripped: &'static str,
    /// What the proxy puts before the path.
    added: &'static str,
    /// The `Host` that the app sees; the public one if there is none.
    inner_host: Option<&'static str>,
    /// Whether the proxy sends `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix`.
    forwards: bool,
    /// A second proxy appends its own view to these headers.
    second_proxy: bool,
    sorts_query: bool,
    normalize: Normalize,
    settings: Settings,
}

#[derive(Debug, Clone, Default)]
struct Settings {
    public_url: Option<String>,
    whole_url: Option<String>,
    trusts_proxy: bool,
    hops: Option<usize>,
    prefix: bool,
    /// Whether keys are looked up by account.
    store: bool,
}

const TOKEN: &str = actix_twilio_tests::TOKEN;
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const PEER: &str = "10.0.0.1:4711";

impl Settings {
    fn config(&self) -> TwilioConfig {
        let token = || AuthToken::new(TOKEN).unwrap();
        let builder: TwilioConfigBuilder = TwilioConfig::builder();
        let builder = if self.store {
            let keys = RequestValidator::new([token()]).unwrap();
            builder.key_store(
                KeyMap::new()
                    .account(ACCOUNT.parse().unwrap(), keys.clone())
                    .default_keys(keys),
            )
        } else {
            builder.auth_token(token())
        };
        let mut builder = builder
            .explain_mismatches(false)
            .forwarded_prefix(self.prefix)
            .trusted_hops(self.hops.unwrap_or(1))
            .unwrap();
        if !self.trusts_proxy {
            builder = builder.trusted_proxies([""; 0]).unwrap();
        }
        if let Some(url) = &self.public_url {
            builder = builder.public_url(url).unwrap();
        }
        builder.build().unwrap()
    }
}

impl Deployment {
    fn signed_url(&self) -> String {
        format!("{}{}", self.url, self.query)
    }

    fn body(&self) -> String {
        if self.form {
            format!("AccountSid={ACCOUNT}&Body=Hi")
        } else {
            String::new()
        }
    }

    /// The target that the app sees: what the proxies make of Twilio's.
    fn target(&self) -> Option<String> {
        let (_, rest) = self.url.split_once("://")?;
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let path = path.strip_prefix(self.stripped)?;
        let path = if path.is_empty() { "/" } else { path };
        if !path.starts_with('/') {
            return None;
        }
        let mut query = self.query.to_owned();
        if self.sorts_query {
            let mut pairs: Vec<_> = self.query.trim_start_matches('?').split('&').collect();
            pairs.sort_unstable();
            query = format!("?{}", pairs.join("&"));
        }
        Some([self.added, path, &query].concat())
    }

    /// Returns the request that reaches the app, with a signature of Twilio, or of a forger.
    fn request(&self, forged: bool) -> Option<TestRequest> {
        let (scheme, rest) = self.url.split_once("://")?;
        let public_host = rest.split('/').next()?;
        let url = self.signed_url();
        let signature = match (forged, self.form) {
            (true, _) => FORGED.to_owned(),
            (false, true) => sign_form(&url, &self.body()),
            (false, false) => sign_text(&url),
        };
        let method = if self.form { Method::POST } else { Method::GET };
        let mut request = TestRequest::with_uri(&self.target()?)
            .method(method)
            .peer_addr(PEER.parse().unwrap())
            .insert_header((HOST, self.inner_host.unwrap_or(public_host)))
            .insert_header((SIGNATURE, signature));
        if self.form {
            request = request
                .insert_header((CONTENT_TYPE, FORM))
                .set_payload(self.body());
        }
        if self.forwards {
            let seen = |outer: &str, inner: &str| {
                if self.second_proxy {
                    format!("{outer}, {inner}")
                } else {
                    outer.to_owned()
                }
            };
            request = request
                .insert_header(("X-Forwarded-Proto", seen(scheme, "http")))
                .insert_header(("X-Forwarded-Host", seen(public_host, "inner")));
            if !self.stripped.is_empty() {
                request = request.insert_header(("X-Forwarded-Prefix", self.stripped));
            }
        }
        Some(request)
    }

    /// Sends a request to the app, and returns whether its handler ran, with the explanation.
    async fn send(&self, forged: bool) -> Option<(bool, Option<Explanation>)> {
        let config = self.configured()?;
        // What the validation sees: another path than the proxy sends, if `NormalizePath` is outside.
        let seen = Rc::new(RefCell::new(None));
        let keep = Rc::clone(&seen);
        let handler = web::to(async |_: Validated<Bytes>| "ran");
        let app = App::new().app_data(config.clone()).service(
            web::scope("")
                .default_service(handler)
                .wrap_fn(move |req, service| {
                    *keep.borrow_mut() = Some(req.uri().to_string());
                    service.call(req)
                }),
        );
        let request = self.request(forged)?;
        let status = match self.normalize {
            Normalize::No => {
                let app = init_service(app).await;
                call_service(&app, request.to_request()).await.status()
            }
            Normalize::Outside => {
                let app = init_service(app.wrap(NormalizePath::trim())).await;
                call_service(&app, request.to_request()).await.status()
            }
            Normalize::Inside => {
                let validation = TwilioValidation::with_config(config);
                let app = app.wrap(NormalizePath::trim()).wrap(validation);
                let app = init_service(app).await;
                call_service(&app, request.to_request()).await.status()
            }
        };
        if status == 200 {
            return Some((true, None));
        }
        let target = match self.normalize {
            Normalize::Outside => seen.take()?,
            Normalize::No | Normalize::Inside => self.target()?,
        };
        let request = self.request(forged)?.uri(&target).to_http_request();
        let config = self.configured()?;
        let explanation = config.explain(&request, self.body().as_bytes()).await;
        Some((false, explanation))
    }

    fn configured(&self) -> Option<TwilioConfig> {
        let config = self.settings.config();
        let Some(url) = &self.settings.whole_url else {
            return Some(config);
        };
        actix_twilio::__private::config_with_url(&config, url).ok()
    }

    /// Applies one piece of advice, read from its text. Returns false if it asks for nothing that is known.
    fn apply(&mut self, advice: &str) -> bool {
        let mut applied = false;
        for change in advice.split("; and ") {
            // Changes of the trust in proxies belong together.
            let starts = ["trust ", "set trusted_hops ", "switch "];
            if starts.iter().any(|start| change.starts_with(start)) {
                for change in change.split(" and ") {
                    applied |= self.apply_change(change);
                }
            } else {
                applied |= self.apply_change(change);
            }
        }
        applied
    }

    fn apply_change(&mut self, change: &str) -> bool {
        let after = |start: &str| change.strip_prefix(start).map(str::to_owned);
        if let Some(url) = after("set TWILIO_WEBHOOK_BASE_URL, or public_url, to ") {
            let url = url.split(", ").next().unwrap_or_default();
            self.settings.public_url = Some(url.to_owned());
        } else if let Some(url) = after("set url of the route to ") {
            self.settings.whole_url = Some(url);
        } else if let Some(url) = after("set the webhook at Twilio to ") {
            self.url = url;
        } else if let Some(url) = after("write #[validate_twilio_request(url = \"") {
            self.settings.whole_url = Some(url.trim_end_matches("\")]").to_owned());
        } else if change.starts_with("trust the proxy 10.0.0.1") {
            // The other proxies that are trusted by default are no peers here.
            self.settings.trusts_proxy = true;
        } else if let Some(hops) = after("set trusted_hops to ") {
            self.settings.hops = Some(hops.parse().unwrap());
        } else if change == "switch forwarded_prefix on" {
            self.settings.prefix = true;
        } else if change.contains("sorts or rebuilds the query") {
            self.sorts_query = false;
        } else if change == "make the proxy or the middleware keep the path"
            || change == "wrap TwilioValidation around NormalizePath"
        {
            self.added = "";
            if self.normalize == Normalize::Outside {
                self.normalize = Normalize::Inside;
            }
        } else {
            return false;
        }
        true
    }
}

fn deployment() -> impl Strategy<Value = Deployment> {
    const ORIGINS: &[&str] = &[
        "https://example.com",
        "http://example.com",
        "https://example.com:8443",
        "https://hooks.example.org",
    ];
    const PATHS: &[&str] = &[
        "/",
        "/message",
        "/message/",
        "/twilio",
        "/twilio/message",
        "/twilio/twilio",
    ];
    const QUERIES: &[&str] = &["", "?a=1", "?b=2&a=1", "?a=x+y&b=%27"];
    const HOSTS: &[&str] = &["10.0.0.7:8080", "127.0.0.1:8080", "app", "Example.com"];
    const PUBLIC: &[&str] = &[
        "https://example.com",
        "https://example.com/message",
        "http://example.com",
        "https://old.example.com/twilio",
        "https://EXAMPLE.com",
    ];
    const WHOLE: &[&str] = &[
        "https://example.com/messages",
        "https://example.com/message",
        "https://old.example.com/message",
    ];
    let settings = (
        option::weighted(0.4, select(PUBLIC)),
        option::weighted(0.1, select(WHOLE)),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(public, whole, trusts_proxy, store)| Settings {
            public_url: public.map(str::to_owned),
            whole_url: whole.map(str::to_owned),
            trusts_proxy,
            store,
            ..Settings::default()
        });
    let proxy = (
        select(&["", "/twilio"][..]),
        prop_oneof![4 => Just(""), 1 => Just("/internal")],
        option::weighted(0.6, select(HOSTS)),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    );
    let normalize = prop_oneof![
        3 => Just(Normalize::No),
        1 => Just(Normalize::Inside),
        1 => Just(Normalize::Outside),
    ];
    let webhook = (
        select(ORIGINS),
        select(PATHS),
        select(QUERIES),
        any::<bool>(),
    );
    (webhook, proxy, normalize, settings).prop_map(
        |((origin, path, query, form), proxy, normalize, settings)| {
            let (stripped, added, inner_host, forwards, second_proxy, sorts_query) = proxy;
            Deployment {
                url: [origin, path].concat(),
                query,
                form,
                stripped,
                added,
                inner_host,
                forwards,
                second_proxy,
                sorts_query: sorts_query && !query.is_empty(),
                normalize,
                settings,
            }
        },
    )
}

/// The search for what is not found takes long in a debug build.
const USUAL_CASES: u32 = 40;

/// How often each outcome occurred.
#[derive(Debug, Default)]
struct Outcomes {
    passed_at_once: u32,
    advised: u32,
    unknown: u32,
}

/// Follows the first proposal, then each other one, and asserts that the genuine request passes and a forgery does not.
async fn follow(broken: &Deployment, outcomes: &mut Outcomes) {
    let Some((ran, explanation)) = broken.send(false).await else {
        // The proxy asks the app for nothing.
        return;
    };
    assert!(
        !broken.send(true).await.unwrap().0,
        "a forgery ran: {broken:?}"
    );
    if ran {
        outcomes.passed_at_once += 1;
        return;
    }
    let explanation = explanation.unwrap_or_else(|| panic!("no explanation: {broken:?}"));
    if explanation.matched_url.is_none() {
        outcomes.unknown += 1;
        assert!(!explanation.advice.is_empty());
        return;
    }
    assert!(
        !explanation.proposals.is_empty(),
        "nothing is proposed: {broken:?} {explanation:?}"
    );
    outcomes.advised += 1;
    for proposal in &explanation.proposals {
        let mut mended = broken.clone();
        assert!(
            mended.apply(&proposal.to_string()),
            "the advice is not understood: {proposal}"
        );
        let sent = mended.send(false).await;
        let (ran, _) = sent.unwrap_or_else(|| panic!("{proposal}\nleads past {broken:?}"));
        assert!(
            ran,
            "{proposal}\ndoes not mend {broken:?},\nwhich is {mended:?}"
        );
        let (forgery_ran, _) = mended.send(true).await.unwrap();
        assert!(!forgery_ran, "{proposal}\nlets a forgery into {mended:?}");
    }
}

#[test]
fn advice_that_is_followed_lets_the_request_pass_and_no_forgery() {
    use proptest::{
        strategy::ValueTree,
        test_runner::{Config, TestRunner},
    };

    let cases = env::var("PROPERTY_CASES").map_or(USUAL_CASES, |cases| cases.parse().unwrap());
    let mut runner = if cases == USUAL_CASES {
        TestRunner::deterministic()
    } else {
        TestRunner::new(Config::default())
    };
    let mut outcomes = Outcomes::default();
    System::new().block_on(async {
        for _ in 0..cases {
            let broken = deployment().new_tree(&mut runner).unwrap().current();
            follow(&broken, &mut outcomes).await;
        }
    });
    // The property says something only if it has all outcomes.
    println!("{outcomes:?}");
    assert!(outcomes.advised > cases / 4, "{outcomes:?}");
    assert!(
        outcomes.passed_at_once > 0 && outcomes.unknown > 0,
        "{outcomes:?}"
    );
}
