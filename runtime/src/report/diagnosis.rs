//! Explains a refusal for the log: why the signature does not match, and which setting to change.

use std::sync::Arc;

use actix_web::HttpRequest;

use twilio_signature::{
    RequestValidator, SignatureErrorKind, WebhookRequest,
    explain::{Cause, Explainer, Explanation, UrlSetting},
    redact,
    url::{PublicUrl, UrlParts},
};

use crate::{
    config::{KeySource, Peer, TrustedProxies, TwilioConfig},
    error::ValidationErrorKind,
    keys::Lookup,
    origin::Origin,
};

/// The largest number of bytes that a search hashes. The worker answers nothing else meanwhile, and a forger may
/// have made the request as hard to explain as possible.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The largest number of trusted proxies in a row that is tried.
const MAX_HOPS: usize = 4;

/// The largest number of accounts whose keys are tried.
const MAX_ACCOUNTS: usize = 32;

/// The explanation for a refused request.
pub(crate) struct Diagnosis {
    /// What is wrong, as a clause, if the signature matches something.
    pub(crate) finding: Option<String>,
    /// The names of the causes, separated by commas.
    pub(crate) causes: String,
    pub(crate) advice: String,
}

impl Diagnosis {
    /// Searches for what was signed. Without a match, there are only likely causes: only a signature by one of the
    /// keys may make the log propose a value. `request` lacks only its URL.
    pub(crate) fn of(
        req: &HttpRequest,
        config: &TwilioConfig,
        validator: &RequestValidator,
        request: WebhookRequest<'_>,
        origin: &Origin,
    ) -> Self {
        let explanation = explain(req, config, validator, request, origin, Some(MAX_BYTES));
        let causes: Vec<_> = explanation
            .causes
            .iter()
            .map(|cause| cause.as_str())
            .collect();
        Self {
            finding: finding(&explanation, origin),
            causes: causes.join(","),
            advice: explanation.advice,
        }
    }
}

/// Explains a verdict. `request` lacks only its URL.
pub(crate) fn explain(
    req: &HttpRequest,
    config: &TwilioConfig,
    validator: &RequestValidator,
    request: WebhookRequest<'_>,
    origin: &Origin,
    max_bytes: Option<usize>,
) -> Explanation {
    let request = request.url(&origin.url).base_path(origin.base_path());
    let mut explainer = Explainer::new(validator);
    let known = match config.keys() {
        KeySource::Store(store) => {
            explainer = explainer.has_key_store();
            known_keys(store)
        }
        KeySource::Fixed(_) | KeySource::Off => Vec::new(),
    };
    if let Some(account) = config.verified_account() {
        explainer = explainer.has_verified(account.clone());
    }
    if let Some(max_bytes) = max_bytes {
        explainer = explainer.max_bytes(max_bytes).for_a_log();
    }
    for (name, value) in req.headers() {
        explainer = explainer.header(name, value.as_bytes());
    }
    for (whose, keys) in &known {
        explainer = explainer.other_keys(whose, keys);
    }
    if let Some(setting) = url_setting(config) {
        explainer = explainer.url_from(setting);
    }
    // A whole URL would stand for each path that the pattern matches.
    if req
        .match_pattern()
        .is_some_and(|pattern| pattern.contains('{'))
    {
        explainer = explainer.path_varies();
    }
    // If the URL that the route names is wrong, the right one probably has the path that arrived.
    if config
        .options()
        .public_url
        .as_ref()
        .is_some_and(PublicUrl::is_whole)
    {
        let hops = config.options().trusted_hops.get();
        if let Some(own) = Origin::if_trusted(req, hops, false) {
            let target = UrlParts::of(&own.url).target();
            explainer = explainer.may_be_for(target).may_be_for(&own.url);
        }
    }
    for (how, origin) in trusting(req, config, origin) {
        let base_path = origin.base_path().to_owned();
        explainer = explainer.url_after(how, origin.url, base_path);
    }
    explainer.explain(&request)
}

/// Returns keys that are already known, each with whose they are.
fn known_keys(store: &Lookup) -> Vec<(String, Arc<RequestValidator>)> {
    let known = store.known(MAX_ACCOUNTS).into_iter();
    known
        .map(|(account, keys)| match account {
            Some(account) => (account.to_string(), keys),
            None => ("the default keys".to_owned(), keys),
        })
        .collect()
}

/// Returns the setting that determines the URL.
fn url_setting(config: &TwilioConfig) -> Option<UrlSetting> {
    let options = config.options();
    let public = options.public_url.as_ref()?;
    Some(match options.public_url_of_route {
        _ if public.is_whole() => UrlSetting::WholeRoute,
        true => UrlSetting::Route,
        false => UrlSetting::App,
    })
}

/// Returns what is wrong, as a clause, if the signature matches something.
fn finding(explanation: &Explanation, origin: &Origin) -> Option<String> {
    let Some(url) = explanation.matched_url.as_deref() else {
        return (explanation.causes == [Cause::Unknown])
            .then(|| "nothing matches its signature".to_owned());
    };
    let signed = redact::url(url);
    // URLs that differ in the values of their queries alone look the same.
    if signed != redact::url(&origin.url) {
        return Some(format!("it is signed for {signed}"));
    }
    let (sentence, _) = explanation.causes.first()?.description().split_once('.')?;
    let (first, rest) = sentence.split_at_checked(1)?;
    Some([&first.to_ascii_lowercase(), rest].concat())
}

/// Returns whether a search can explain a refusal of this kind.
pub(crate) fn is_explainable(kind: ValidationErrorKind) -> bool {
    use SignatureErrorKind as Kind;
    matches!(
        kind,
        ValidationErrorKind::Signature(
            Kind::SignatureMismatch
                | Kind::SignatureMalformed
                | Kind::SettingsMalformed
                | Kind::AlgorithmUnknown
                | Kind::KeyUnknown
                | Kind::BodyHashMissing
                | Kind::BodyHashMismatch
                | Kind::BodyHashConflicting
        )
    )
}

/// Returns the changes to the proxy settings that lead to other URLs than the app's own, each with its URL.
///
/// Anyone can send a recorded genuine request again, from any address. So only a peer on a local network is ever
/// proposed as a trusted proxy.
fn trusting(req: &HttpRequest, config: &TwilioConfig, own: &Origin) -> Vec<(String, Origin)> {
    let peer = Peer::of(req);
    let options = config.options();
    if options.public_url.is_some() || !TrustedProxies::local().trusts(peer) {
        return Vec::new();
    }
    let (own_hops, own_prefix) = (options.trusted_hops.get(), options.forwarded_prefix);
    let settings = [own_prefix, true].into_iter().flat_map(|prefix| {
        let hops = [own_hops].into_iter().chain(1..=MAX_HOPS);
        hops.map(move |hops| (hops, prefix))
    });
    let mut found: Vec<(String, Origin)> = Vec::new();
    for (hops, prefix) in settings {
        let mut changes = Vec::new();
        if !options.trusted_proxies.trusts(peer) {
            changes.push(match peer {
                Peer::Address(peer) => format!("trust the proxy {peer} (trusted_proxies)"),
                Peer::UnixSocket => {
                    "trust the proxy on the Unix socket (trusted_proxies)".to_owned()
                }
                Peer::Gone => return Vec::new(),
            });
        }
        if hops != own_hops {
            changes.push(format!("set trusted_hops to {hops}"));
        }
        if prefix != own_prefix {
            changes.push("switch forwarded_prefix on".to_owned());
        }
        let Some(origin) = Origin::if_trusted(req, hops, prefix) else {
            continue;
        };
        let known = found.iter().map(|(_, known)| known);
        let is_known = known.chain([own]).any(|known| known.url == origin.url);
        if !changes.is_empty() && !is_known {
            found.push((changes.join(" and "), origin));
        }
    }
    found
}
