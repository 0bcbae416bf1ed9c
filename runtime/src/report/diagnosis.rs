//! What a warning adds to a refusal: why the signature does not match, and the setting to change.

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

/// Bytes that a search hashes at most: a worker answers nothing meanwhile, and a forger may have made it
/// the hardest to explain.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Trusted proxies in a row at most that are thought of.
const MAX_HOPS: usize = 4;

/// The finding on a request whose signature matches something.
pub(crate) struct Diagnosis {
    causes: Vec<Cause>,
    explanation: String,
}

impl Diagnosis {
    /// Looks for what was signed. Nothing is said without a match: only a signature that a key has made
    /// may have the log advise anything. `request` has everything but its URL.
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
                "the signature matches {}: this app saw {}; {advice}",
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

    /// Returns a sentence, fit for a log line.
    pub(crate) fn explanation(&self) -> &str {
        &self.explanation
    }
}

/// Returns whether more than the kind of a refusal can be said.
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

/// Says how the settings on proxies would lead to the signed URL, if its origin is all that differs.
///
/// A genuine request that was recorded can be sent again from anywhere. So only a peer on a local
/// network is ever proposed for a proxy.
fn trust_advice(
    req: &HttpRequest,
    config: &TwilioConfig,
    validator: &RequestValidator,
    request: &WebhookRequest<'_>,
    causes: &[Cause],
) -> Option<String> {
    let of_origin = [Cause::Scheme, Cause::Host, Cause::Port, Cause::PathPrefix];
    let peer = req.peer_addr();
    if config.public_url().is_some()
        || !causes.iter().all(|cause| of_origin.contains(cause))
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
    let (own_hops, own_prefix) = (config.trusted_hops(), config.forwarded_prefix());
    let settings = [own_prefix, true].into_iter().flat_map(|prefix| {
        let hops = [own_hops].into_iter().chain(1..=MAX_HOPS);
        hops.map(move |hops| (hops, prefix))
    });
    let (hops, prefix) = settings.into_iter().find(passes)?;

    let mut changes = Vec::new();
    if !config.proxies().trusts(peer) {
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
