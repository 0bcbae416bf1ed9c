//! Explains a refusal for the log: why the signature does not match, and which setting to change.

use actix_web::HttpRequest;

use twilio_signature::{
    RequestValidator, SignatureErrorKind, WebhookRequest,
    explain::{Cause, Explainer, Explanation},
    redact,
};

use crate::{
    config::{TrustedProxies, TwilioConfig},
    error::ValidationErrorKind,
    origin::Origin,
};

/// The largest number of bytes that a search hashes. The worker answers nothing else meanwhile, and a forger may
/// have made the request as hard to explain as possible.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The largest number of trusted proxies in a row that is tried.
const MAX_HOPS: usize = 4;

/// The explanation for a request whose signature matches something.
pub(crate) struct Diagnosis {
    causes: Vec<Cause>,
    explanation: String,
}

impl Diagnosis {
    /// Searches for what was signed, and returns nothing without a match: only a signature by one of the keys may
    /// make the log give advice. `request` lacks only its URL.
    pub(crate) fn of(
        req: &HttpRequest,
        config: &TwilioConfig,
        validator: &RequestValidator,
        request: WebhookRequest<'_>,
        origin: &Origin,
    ) -> Option<Self> {
        let request = request.url(&origin.url).base_path(origin.base_path());
        let headers = req.headers().iter();
        let explainer = headers.fold(
            Explainer::new(validator).max_bytes(MAX_BYTES),
            |explainer, (name, value)| explainer.header(name, value.as_bytes()),
        );
        let Explanation {
            causes,
            matched_url,
            mut advice,
            ..
        } = explainer.explain(&request);
        let matched = matched_url?;
        if let Some(proxy) = trust_advice(req, config, validator, &request, &causes) {
            advice.push_str(&proxy);
        }
        let explanation = if matched == origin.url {
            format!("the signature matches this URL; {advice}")
        } else {
            format!(
                "the signature matches {}, but this app saw {}; {advice}",
                redact::url(&matched),
                redact::url(&origin.url),
            )
        };
        Some(Self {
            causes,
            explanation,
        })
    }

    /// Returns the names of the causes, separated by commas.
    pub(crate) fn causes(&self) -> String {
        let names: Vec<_> = self.causes.iter().map(|cause| cause.as_str()).collect();
        names.join(",")
    }

    /// Returns the explanation, as a sentence without a full stop.
    pub(crate) fn explanation(&self) -> &str {
        &self.explanation
    }
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

/// Returns which changes to the proxy settings would lead to the signed URL, if only its origin differs.
///
/// Anyone can send a recorded genuine request again, from any address. So only a peer on a local network is ever
/// proposed as a trusted proxy.
fn trust_advice(
    req: &HttpRequest,
    config: &TwilioConfig,
    validator: &RequestValidator,
    request: &WebhookRequest<'_>,
    causes: &[Cause],
) -> Option<String> {
    let peer = req.peer_addr();
    let options = config.options();
    if options.public_url.is_some()
        || !causes.iter().all(|cause| cause.is_of_base())
        || !TrustedProxies::local().trusts(peer)
    {
        return None;
    }
    let passes = |(hops, prefix): &(usize, bool)| {
        Origin::if_trusted(req, *hops, *prefix).is_some_and(|origin| {
            let request = request.url(&origin.url).base_path(origin.base_path());
            validator.validate(&request).is_ok()
        })
    };
    let (own_hops, own_prefix) = (options.trusted_hops.get(), options.forwarded_prefix);
    let settings = [own_prefix, true].into_iter().flat_map(|prefix| {
        let hops = [own_hops].into_iter().chain(1..=MAX_HOPS);
        hops.map(move |hops| (hops, prefix))
    });
    let (hops, prefix) = settings.into_iter().find(passes)?;

    let mut changes = Vec::new();
    if !options.trusted_proxies.trusts(peer) {
        changes.push(match peer {
            Some(peer) => format!("trust the proxy {} (trusted_proxies)", peer.ip()),
            None => "trust the proxy on the Unix socket (trusted_proxies)".to_owned(),
        });
    }
    if hops != own_hops {
        changes.push(format!("set trusted_hops to {hops}"));
    }
    if prefix != own_prefix {
        changes.push("switch forwarded_prefix on".to_owned());
    }
    (!changes.is_empty()).then(|| format!(", or {}", changes.join(" and ")))
}
