//! Explains why a signature does not match: searches for the text that was signed, and gives advice.

mod cause;
mod differences;
mod dimensions;
mod hints;
mod likely;
mod params;
mod proposal;
mod query;
mod search;
mod sets;
mod urls;

use std::fmt;

pub use self::{
    cause::Cause,
    proposal::{Change, Proposal, UrlSetting},
};
use self::{
    differences::differences,
    dimensions::Alternatives,
    hints::Hints,
    likely::{Facts, Known, likely},
    params::{Covered, ParamVariants},
    proposal::{AND, App, Case, UrlAfter},
    search::{Holder, Key, KeyGroup, MAX_BYTES, NotFound, Secret, Variants, Work},
    urls::UrlVariants,
};
use crate::{
    account::AccountSid,
    body::{BodyKind, check_hash},
    claim::KeyClaim,
    error::{ConfigError, SignatureErrorKind},
    form::Buf,
    header::{FORM, SIGNATURE_REMOVED, looks_like_twilios, product_that_signs_with},
    key::{Algorithm, AuthToken, SharedKey},
    mac::Signature,
    redact,
    request::{
        HeaderValue::{Absent, Conflicting, One},
        WebhookRequest,
    },
    url::UrlParts,
    validator::RequestValidator,
};

/// How the headers of a proxy get believed.
const TRUST_ITS_PROXY: &str = "trust the proxy (trusted_proxies): an app trusts those on local networks by default, and then this request is valid";

/// Explains why a request is refused, and what to change.
///
/// It searches for the text that was signed: with the URL as it was before a proxy or a tunnel changed it, with
/// the parameters as they were before a framework changed them, and with other keys. A result is certain,
/// because the signature matches it. What the search can't guess, such as a host that no header names, it
/// needs as a hint. It ends after it has hashed 4,096 texts or 16 MiB.
///
/// # Security
///
/// An explanation is not a verdict: only a [validator](RequestValidator::validate) determines whether a request
/// is genuine. A search costs time, so do not run one for every request that a stranger sends. The result
/// contains no token, no computed signature and no body, but its [URL](Explanation::matched_url) includes the
/// query and the user info.
///
/// # Examples
///
/// ```
/// use twilio_signature::{
///     AuthToken, RequestValidator, WebhookRequest,
///     explain::{Cause, Explainer},
/// };
///
/// let validator = RequestValidator::new([AuthToken::new("12345")?])?;
///
/// // A proxy ends TLS, so the URL that the app sees is not the one that Twilio signed.
/// let request = WebhookRequest::new("GET", "http://10.0.0.7:8080/status")
///     .signature("GWPK65ZeLeY8mgFb30piWRkT1X4=");
/// let explanation = Explainer::new(&validator)
///     .header("X-Forwarded-Host", "example.com")
///     .explain(&request);
///
/// assert!(!explanation.valid);
/// assert_eq!(explanation.causes, [Cause::Scheme, Cause::Host]);
/// assert_eq!(explanation.matched_url.as_deref(), Some("https://example.com/status"));
/// assert_eq!(
///     explanation.advice,
///     "set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com"
/// );
/// # Ok::<(), twilio_signature::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Explainer<'k> {
    validator: &'k RequestValidator,
    tokens: Vec<AuthToken>,
    shared_keys: Vec<SharedKey>,
    others: Vec<(String, &'k RequestValidator)>,
    hints: Hints,
    /// The product whose own signature the request has.
    product: Option<&'static str>,
    known: Known,
    app: App,
    max_bytes: usize,
    proxy_may_be_trusted: bool,
}

/// Prints only the number of keys, because hints can contain user info.
impl fmt::Debug for Explainer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explainer")
            .field("tokens", &self.tokens.len())
            .field("shared_keys", &self.shared_keys.len())
            .finish_non_exhaustive()
    }
}

impl<'k> Explainer<'k> {
    /// Constructs an explainer without hints from the validator that the app uses.
    pub fn new(validator: &'k RequestValidator) -> Self {
        Self {
            validator,
            tokens: Vec::new(),
            shared_keys: Vec::new(),
            others: Vec::new(),
            hints: Hints::default(),
            product: None,
            known: Known::default(),
            app: App::default(),
            max_bytes: MAX_BYTES,
            proxy_may_be_trusted: false,
        }
    }

    /// Sets the number of bytes that are hashed before the search gives up. The default is 16 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Makes the advice short enough for a line of a log that names the account: it does not say whether the search
    /// gave up. That is in [`Explanation::gave_up`].
    pub fn for_a_log(mut self) -> Self {
        self.known.for_a_log = true;
        self
    }

    /// Says that the app's keys have verified a request of this account before. If nothing matches, the advice says
    /// what follows from that.
    pub fn has_verified(mut self, account: AccountSid) -> Self {
        self.known.verified = Some(account);
        self
    }

    /// Says that the app looks keys up by account, so that the advice speaks of its key store.
    pub fn has_key_store(mut self) -> Self {
        self.known.has_key_store = true;
        self
    }

    /// Says that the request may have come from a proxy that the app trusts. If the request is valid with what the
    /// headers of the nearest proxy say, this is proposed too.
    ///
    /// # Security
    ///
    /// Anyone can send a recorded request again, with any headers. So call this only for a request that is known to
    /// come from a proxy, such as one that was captured.
    pub fn proxy_may_be_trusted(mut self) -> Self {
        self.proxy_may_be_trusted = true;
        self
    }

    /// Adds a token that the app does not have, but that may have made the signature, such as a
    /// subaccount's or an old one.
    pub fn other_token(mut self, token: AuthToken) -> Self {
        self.tokens.push(token);
        self
    }

    /// Adds a SharedKey that the app does not have, but that may have made the signature.
    pub fn other_shared_key(mut self, key: SharedKey) -> Self {
        self.shared_keys.push(key);
        self
    }

    /// Adds the Auth Tokens that the app has for other requests, such as those of another account. One of them may
    /// have made the signature. The advice then says whose it is.
    pub fn other_keys(mut self, whose: impl Into<String>, keys: &'k RequestValidator) -> Self {
        self.others.push((whose.into(), keys));
        self
    }

    /// Sets the setting that determines the URL that the app expects. By default, none does: the URL comes from
    /// the request.
    pub fn url_from(mut self, setting: UrlSetting) -> Self {
        self.app.url_from = Some(setting);
        self
    }

    /// Adds a URL that the request may have been sent to, such as its path as it arrived if a setting of the route
    /// names another one. It is tried like a path in the header of a proxy.
    pub fn may_be_for(mut self, url: impl AsRef<str>) -> Self {
        self.hints.add_target(url.as_ref());
        self
    }

    /// Says that the path of the route has parameters. A whole URL for the route is then not proposed, because the
    /// signature would not cover the path.
    pub fn path_varies(mut self) -> Self {
        self.app.path_varies = true;
        self
    }

    /// Adds a URL that the app would expect after a change, with its [base path](WebhookRequest::base_path). The
    /// change is proposed if it makes the request pass. `how` is a clause that says what to change.
    pub fn url_after(
        mut self,
        how: impl Into<String>,
        url: impl Into<String>,
        base_path: impl Into<String>,
    ) -> Self {
        self.app.urls_after.push(UrlAfter {
            change: Change::Trust(how.into()),
            url: url.into(),
            base_path: base_path.into(),
        });
        self
    }

    /// Adds a URL that is set at Twilio. It is tried as the base of the app's paths and as a whole URL, with its
    /// query. It takes the place of guesses at the host, the port and the path, so the search ends sooner.
    ///
    /// # Errors
    ///
    /// Returns an error if this is not an absolute URL with the scheme `http`, `https`, `ws` or `wss`.
    pub fn public_url(mut self, url: impl AsRef<str>) -> Result<Self, ConfigError> {
        let parts = UrlParts::of(url.as_ref());
        if parts.is_secure().is_none() || parts.host.is_empty() {
            return Err(ConfigError::new(
                "public URL",
                "it is not an absolute URL",
                "write a base, such as https://example.com, or a whole URL, such as https://example.com/message?a=1",
            ));
        }
        self.hints.add_public_url(url.as_ref());
        Ok(self)
    }

    /// Adds a header of the request. A header in which proxies pass on the original URL becomes a hint, which
    /// need not be trusted; other headers are ignored.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.product = self.product.or(product_that_signs_with(name.as_ref()));
        if let Ok(value) = str::from_utf8(value.as_ref()) {
            self.known.looks_like_twilios |= looks_like_twilios(name.as_ref(), value);
            let sender = other_sender(name.as_ref(), value);
            self.known.other_sender = self.known.other_sender.or(sender);
        }
        self.hints.add_header(name.as_ref(), value.as_ref());
        self
    }

    /// Explains the verdict on a request. The request's URL must be the one that the app saw.
    #[must_use]
    pub fn explain(&self, req: &WebhookRequest<'_>) -> Explanation {
        let kind = match self.validator.validate(req) {
            Ok(accepted) => return Explanation::of_genuine(accepted.url.into_owned()),
            Err(err) => err.kind(),
        };
        let (mut causes, signature) = self.claims(req);
        let seen = UrlParts::of(req.url).into_owned();
        let searched = match &signature {
            Some((signature, algorithm)) => {
                self.search(req, &seen, signature, *algorithm, &mut causes)
            }
            None => Err(NotFound::Exhausted),
        };
        causes.sort_unstable();
        causes.dedup();
        let gave_up = matches!(searched, Err(NotFound::GaveUp));
        let (matched_url, proposals) = match searched {
            Ok((url, proposals)) => (Some(url), proposals),
            Err(_) => (None, Vec::new()),
        };
        let advice = if matched_url.is_some() {
            Self::advise(&causes, &proposals, kind, req.base_path)
        } else {
            self.advise_without_match(req, &causes, &seen, kind, gave_up)
        };
        if causes.is_empty() {
            causes.push(Cause::Unknown);
        }
        Explanation {
            valid: false,
            causes,
            matched_url,
            proposals,
            advice,
            gave_up,
        }
    }

    /// Parses the signature headers, and determines what is wrong with them. A signature that was garbled on
    /// its way is repaired if possible.
    fn claims(&self, req: &WebhookRequest<'_>) -> (Vec<Cause>, Option<(Signature, Algorithm)>) {
        let mut causes = Vec::new();
        let claim = KeyClaim::parse(req.settings);
        if claim.is_err() || claim.is_ok_and(|claim| self.validator.keys(claim).is_err()) {
            causes.push(Cause::SharedKey);
        }
        let text = match req.signature {
            One(text) => text,
            Absent if self.product.is_some() => return (vec![Cause::OtherProduct], None),
            Absent => return (vec![Cause::SignatureMissing], None),
            Conflicting => return (vec![Cause::SignatureMalformed], None),
        };
        let signature = parse_signature(text).or_else(|| {
            causes.push(Cause::SignatureMalformed);
            parse_signature(&repaired(text))
        });
        let claimed = match claim {
            Ok(KeyClaim::SharedKey { algorithm, .. }) => algorithm,
            Ok(KeyClaim::AuthToken) | Err(_) => Algorithm::HmacSha1,
        };
        if signature
            .as_ref()
            .is_some_and(|(_, algorithm)| *algorithm != claimed)
        {
            causes.push(Cause::SharedKey);
        }
        (causes, signature)
    }

    /// Searches for what was signed. Adds the causes, and returns the signed URL with the proposals that pass.
    fn search(
        &self,
        req: &WebhookRequest<'_>,
        seen: &UrlParts<'static>,
        signature: &Signature,
        algorithm: Algorithm,
        causes: &mut Vec<Cause>,
    ) -> Result<(String, Vec<Proposal>), NotFound> {
        let body_kind = BodyKind::of(req);
        // An unsupported header does not stop the search: the body is searched as what it would be without it.
        let req = without_what_is_unsupported(req);
        let tried_kind = BodyKind::of(&req).unwrap_or(BodyKind::Other);
        let hashed_body =
            (tried_kind == BodyKind::Other && !req.body.is_empty()).then_some(req.body);
        let mut work = Work::within(self.max_bytes);
        let url_work = UrlVariants::work(seen, &self.hints);
        let to_prepare = url_work.saturating_add(req.body.len());
        work.build(to_prepare).map_err(|_| NotFound::GaveUp)?;
        let keys = self.key_groups(KeyClaim::parse(req.settings).ok(), algorithm);
        let variants = Variants {
            method: req.method,
            urls: UrlVariants::of(seen, &self.hints, req.method == "GET", hashed_body),
            params: ParamVariants::of(req.body, seen.query.as_deref(), tried_kind),
            keys: keys.ok_or(NotFound::Exhausted)?,
        };
        let found = variants.search(signature, &mut work)?;

        let mut signed = UrlParts::of(&found.url).into_owned();
        if let Some(query) = &found.query_as_params {
            signed.query = Some(query.clone().into());
        }
        causes.extend(differences(seen, &signed));
        causes.extend(found.cause);
        let mut of_body = variants.params.causes(found.params);
        if body_kind.is_ok() {
            let covered = found.params.covered;
            of_body.extend(body_cause(tried_kind, covered, &req.url(&found.url)));
        }
        causes.extend(&of_body);
        causes.sort_unstable();
        causes.dedup();
        let mut app = self.app.clone();
        if self.proxy_may_be_trusted
            && let Some(url) = self.hints.url_behind_a_proxy(seen)
        {
            app.urls_after.push(UrlAfter {
                change: Change::Trust(TRUST_ITS_PROXY.to_owned()),
                url: url.text(),
                base_path: req.base_path.to_owned(),
            });
        }
        let restored = variants.params.restored(found.params);
        let case = Case {
            validator: self.validator,
            app: &app,
            req: &req,
            seen,
            signature,
            found: &found,
            signed,
            causes,
            body_differs: !of_body.is_empty(),
            restored: restored.as_deref(),
        };
        let proposals = case.proposals();
        Ok((found.url, proposals))
    }

    /// Returns the keys that the request claims, then others that may have made its signature, if there are any.
    fn key_groups<'g>(
        &'g self,
        claim: Option<KeyClaim<'_>>,
        algorithm: Algorithm,
    ) -> Option<Alternatives<KeyGroup<'g>>> {
        let tokens = |tokens: &'g [AuthToken], holder: &dyn Fn(usize) -> Holder<'g>| {
            let mut keys = Vec::new();
            if algorithm == Algorithm::HmacSha1 {
                keys.extend(tokens.iter().enumerate().map(|(index, token)| Key {
                    secret: Secret::Token(token),
                    holder: holder(index),
                }));
            }
            keys
        };
        let own_tokens = tokens(self.validator.auth_tokens(), &|_| Holder::App);
        let other_tokens = tokens(&self.tokens, &|index| Holder::Given(index + 1));
        let mut of_others = Vec::new();
        for (whose, keys) in &self.others {
            of_others.extend(tokens(keys.auth_tokens(), &|_| Holder::Named(whose)));
        }
        let shared_key = |key| Key {
            secret: Secret::Shared(key, algorithm),
            holder: Holder::App,
        };
        let own_shared = self.validator.shared_keys();
        let shared = own_shared.iter().chain(&self.shared_keys);
        let shared = shared.map(shared_key).collect();
        let group = |keys, cause| KeyGroup { keys, cause };
        let groups = match claim {
            Some(KeyClaim::AuthToken) => vec![
                group(own_tokens, None),
                group(of_others, Some(Cause::Token)),
                group(other_tokens, Some(Cause::Token)),
                group(shared, Some(Cause::SharedKey)),
            ],
            claim => {
                let mut own = Vec::new();
                if let Some(KeyClaim::SharedKey { id, .. }) = claim {
                    let named = own_shared.iter().find(|key| key.id().as_bytes() == id);
                    own.extend(named.map(shared_key));
                }
                vec![
                    group(own, None),
                    group(shared, Some(Cause::SharedKey)),
                    group(own_tokens, Some(Cause::SharedKey)),
                    group(other_tokens, Some(Cause::SharedKey)),
                ]
            }
        };
        // The search must not visit what it can't sign.
        let mut groups = groups.into_iter().filter(|group| !group.keys.is_empty());
        let mut alternatives = Alternatives::of(groups.next()?);
        alternatives.add_all(1, groups);
        Some(alternatives)
    }

    /// Returns what to change for a request whose signature matches something.
    fn advise(
        causes: &[Cause],
        proposals: &[Proposal],
        kind: SignatureErrorKind,
        base_path: &str,
    ) -> String {
        let mut advice = Vec::new();
        if is_of_a_header(kind) || (causes.is_empty() && proposals.is_empty()) {
            advice.push(kind.hint().to_owned());
        }
        match proposals {
            [] => advice.extend(causes.iter().map(|cause| cause.advice().to_owned())),
            [first, others @ ..] => advice.extend(alternatives(first, others, base_path)),
        }
        advice.join(AND)
    }

    /// Returns what to look at for a request whose signature matches nothing that was tried.
    fn advise_without_match(
        &self,
        req: &WebhookRequest<'_>,
        causes: &[Cause],
        seen: &UrlParts<'_>,
        kind: SignatureErrorKind,
        gave_up: bool,
    ) -> String {
        let mut advice: Vec<_> = causes
            .iter()
            .map(|cause| self.advice_on(*cause, req, kind))
            .collect();
        if causes.is_empty() {
            if kind != SignatureErrorKind::SignatureMismatch {
                advice.push(kind.hint().to_owned());
            }
            advice.push(likely(&Facts {
                seen,
                req,
                url_from: self.app.url_from,
                validator: self.validator,
                known: &self.known,
            }));
        }
        if gave_up && !self.known.for_a_log {
            let rest = if self.hints.public_urls.is_empty() {
                "the search gave up at its limits before it tried everything: give it the URL that is set at Twilio"
            } else {
                "the search gave up at its limits before it tried everything"
            };
            advice.push(rest.to_owned());
        }
        advice.join("; ")
    }

    /// Returns what to do about a cause that shows without a match.
    fn advice_on(
        &self,
        cause: Cause,
        req: &WebhookRequest<'_>,
        kind: SignatureErrorKind,
    ) -> String {
        match (cause, KeyClaim::parse(req.settings)) {
            (Cause::OtherProduct, _) => match self.product {
                Some(product) => format!("this is {product}'s signature: {}", cause.advice()),
                None => cause.advice().to_owned(),
            },
            (Cause::SignatureMissing, _) if self.known.looks_like_twilios => {
                SIGNATURE_REMOVED.to_owned()
            }
            (Cause::SharedKey, Err(SignatureErrorKind::AlgorithmUnknown)) => kind.hint().to_owned(),
            (Cause::SharedKey, Ok(KeyClaim::SharedKey { id, .. }))
                if kind == SignatureErrorKind::KeyUnknown =>
            {
                let id = redact::text(&String::from_utf8_lossy(id));
                format!(
                    "add the SharedKey {id} with its secret to TwilioConfig (shared_key), or to the key store"
                )
            }
            _ => cause.advice().to_owned(),
        }
    }
}

/// Returns whether a refusal is due to a header without which the same request could pass.
fn is_of_a_header(kind: SignatureErrorKind) -> bool {
    use SignatureErrorKind::{CharsetUnsupported, ContentTypeConflicting, EncodingUnsupported};
    matches!(
        kind,
        EncodingUnsupported | CharsetUnsupported | ContentTypeConflicting
    )
}

/// Returns the request without the headers that no validator supports.
fn without_what_is_unsupported<'a>(req: &WebhookRequest<'a>) -> WebhookRequest<'a> {
    let mut req = *req;
    for _ in 0..2 {
        match BodyKind::of(&req).map_err(|err| err.kind()) {
            Err(SignatureErrorKind::EncodingUnsupported) => req.content_encoding = Absent,
            Err(SignatureErrorKind::CharsetUnsupported) => {
                req.content_type = One(FORM.as_bytes());
            }
            _ => {}
        }
    }
    req
}

/// Returns the first proposals as alternatives, and what all of them ask for after these.
fn alternatives(first: &Proposal, others: &[Proposal], base_path: &str) -> Vec<String> {
    let Some(second) = others.first() else {
        return vec![with_note(first, first, base_path)];
    };
    let common = first.common_with(second);
    // Whoever corrects the proxy in any case can correct the rest there, too.
    let is_undone = |one: &&Proposal| {
        let mut changes = one.changes.iter();
        changes.all(|change| matches!(change, Change::Undo(_)))
    };
    if !common.changes.is_empty()
        && let Some(undone) = others.iter().find(is_undone)
    {
        return vec![undone.to_string()];
    }
    let text = with_note(first, &first.without(&common), base_path);
    let either = [text, second.without(&common).to_string()];
    let either: Vec<_> = either.into_iter().filter(|text| !text.is_empty()).collect();
    let texts = [either.join(", or "), common.to_string()].into_iter();
    texts.filter(|text| !text.is_empty()).collect()
}

/// Returns what `shown` of a proposal asks for. A base that has the path of a route is a usual mistake.
fn with_note(proposal: &Proposal, shown: &Proposal, base_path: &str) -> String {
    let mut text = shown.to_string();
    if let [Change::SetUrl(UrlSetting::App, _)] = proposal.changes[..]
        && !base_path.is_empty()
        && !text.is_empty()
    {
        text.push_str(", to which the path of each request is appended");
    }
    text
}

/// Returns the product that a `User-Agent` names, if that is not Twilio's proxy. What the request says is shown only if
/// it can't be taken for advice.
fn other_sender(name: &str, value: &str) -> Option<String> {
    // Twilio's WebSockets have another one than its proxy.
    if !name.eq_ignore_ascii_case("User-Agent") || value.starts_with("Twilio") {
        return None;
    }
    let product = value.split(' ').next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let is_short = (1..=40).contains(&product.len());
    (is_short && product.bytes().all(is_plain)).then(|| product.to_owned())
}

/// Parses a signature of either algorithm.
fn parse_signature(text: &[u8]) -> Option<(Signature, Algorithm)> {
    [Algorithm::HmacSha1, Algorithm::HmacSha256]
        .into_iter()
        .find_map(|algorithm| Some((Signature::parse(text, algorithm)?, algorithm)))
}

/// Undoes what can happen to a signature on its way: blanks and quotes around it, a list that repeats it,
/// escapes, the URL-safe alphabet, missing padding.
fn repaired(text: &[u8]) -> Vec<u8> {
    let first = text.split(|byte| *byte == b',').next().unwrap_or_default();
    let plus_kept: Vec<_> = first
        .split(|byte| *byte == b'+')
        .map(crate::form::decode)
        .collect();
    let mut text: Vec<u8> = plus_kept
        .join(&b'+')
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace() && !b"\"'".contains(byte))
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push(b'=');
    }
    text
}

/// Determines what is wrong with the way in which the signature covers the body. `req` has the signed URL.
fn body_cause(kind: BodyKind, covered: Covered, req: &WebhookRequest<'_>) -> Option<Cause> {
    let cause = |checked| match checked {
        Ok(()) => None,
        Err(SignatureErrorKind::BodyHashMissing) => Some(Cause::BodyUnsigned),
        Err(_) => Some(Cause::BodyHash),
    };
    match (kind, covered) {
        (BodyKind::Form, Covered::Form) | (BodyKind::Other, Covered::Nothing) => {
            let mut buf = Buf::new();
            cause(kind.check_rest(req, kind.signed_params(req.body, &mut buf)))
        }
        (BodyKind::Form, Covered::Nothing) => cause(check_hash(req)).or(Some(Cause::BodyHash)),
        (BodyKind::Other, Covered::Form) if matches!(req.content_type, Absent) => {
            Some(Cause::ContentTypeMissing)
        }
        (BodyKind::Other, Covered::Json) => Some(Cause::FormAsJson),
        (_, Covered::Base64) => Some(Cause::FormAsBase64),
        _ => Some(Cause::BodyHash),
    }
}

/// Says why a request is refused, and what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Whether the request is genuine as the app saw it, which is the validator's verdict. If it is genuine,
    /// there are no causes.
    pub valid: bool,
    /// Why the request is refused, in the order of [`Cause::ALL`]. If no cause was found, this is
    /// [`Cause::Unknown`].
    pub causes: Vec<Cause>,
    /// The URL that the signature matches, if one was found, including its query and its user info.
    pub matched_url: Option<String>,
    /// What makes the request pass, the proposal first that protects most and changes least. Each of them was
    /// applied to the request and validated.
    pub proposals: Vec<Proposal>,
    /// What to change: a sentence without a full stop. Without a proposal, it says what to look at, the most
    /// likely cause first.
    pub advice: String,
    /// Whether the search reached its limits before it tried everything.
    pub gave_up: bool,
}

impl Explanation {
    fn of_genuine(url: String) -> Self {
        Self {
            valid: true,
            causes: Vec::new(),
            matched_url: Some(url),
            proposals: Vec::new(),
            advice: "nothing needs to change: the request is genuine".to_owned(),
            gave_up: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{body::with_body_sha256, header::FORM};

    fn token(text: &str) -> AuthToken {
        AuthToken::new(text).unwrap()
    }

    fn own() -> RequestValidator {
        RequestValidator::new([token("own")]).unwrap()
    }

    /// Signs any text with the app's token.
    fn sign(text: &str) -> String {
        own().sign(&WebhookRequest::new("GET", text)).unwrap()
    }

    /// Explains a request with a signature over a text.
    fn explain(req: &WebhookRequest<'_>, text: &str) -> Explanation {
        Explainer::new(&own()).explain(&req.signature(&sign(text)))
    }

    #[test]
    fn explainer_prints_how_many_keys_it_has_and_nothing_of_them() {
        let own = own();
        let explainer = Explainer::new(&own).other_token(token("other"));
        let shown = format!("{explainer:?}");
        assert_eq!(shown, "Explainer { tokens: 1, shared_keys: 0, .. }");
    }

    #[test]
    fn body_with_an_unsupported_header_is_searched_as_what_it_would_be_without() {
        let form = WebhookRequest::new("POST", "https://h/m?q=1").body("a=&q=1");
        let json = WebhookRequest::new("POST", "https://h/m?q=1").body("{}");
        let lost_hash = with_body_sha256("https://h/m?q=1", "{}");
        let other_charset = [FORM, "; charset=latin1"].concat();
        let cases = [
            (
                "form",
                form.content_type(FORM),
                "https://h/m?q=1q1",
                Cause::ParamsDropped,
            ),
            (
                "form in another charset",
                form.content_type(&other_charset),
                "https://h/m?q=1q1",
                Cause::ParamsDropped,
            ),
            (
                "encoded form",
                form.content_type(FORM).content_encoding("gzip"),
                "https://h/m?q=1q1",
                Cause::ParamsDropped,
            ),
            (
                "encoded text",
                form.content_type("text/plain").content_encoding("gzip"),
                "https://h/m?q=1q1",
                Cause::ParamsExtra,
            ),
            (
                "encoded JSON that lost its hash",
                json.content_type("application/json")
                    .content_encoding("gzip"),
                &lost_hash,
                Cause::QueryMissing,
            ),
        ];
        for (name, req, signed, cause) in cases {
            assert_eq!(explain(&req, signed).causes, [cause], "{name}");
        }
    }

    #[test]
    fn form_is_not_searched_with_a_hash() {
        let url = "https://h/m?q=1";
        let req = WebhookRequest::new("POST", url).content_type(FORM);
        let signed = with_body_sha256(url, "a=1") + "a1";
        let explanation = explain(&req.body("a=1"), &signed);
        assert_eq!(explanation.causes, [Cause::Unknown]);
    }

    #[test]
    fn request_that_names_one_of_several_shared_keys_is_searched_with_that_one() {
        let key = |id: &str| SharedKey::new(id, format!("secret of {id}")).unwrap();
        let validator = RequestValidator::with_keys([], [key("K1"), key("K2")]).unwrap();
        for settings in ["key=K1", "key=K2"] {
            let signed = WebhookRequest::new("GET", "https://h/m").signature_settings(settings);
            let signature = validator.sign(&signed).unwrap();
            let seen = signed.url("http://h/m").signature(&signature);
            let explanation = Explainer::new(&validator).explain(&seen);
            assert_eq!(explanation.causes, [Cause::Scheme], "{settings}");
            let changes = vec![Change::SetUrl(UrlSetting::App, "https://h".to_owned())];
            assert_eq!(explanation.proposals, [Proposal { changes }], "{settings}");
        }
    }

    #[test]
    fn other_keys_cost_more_than_a_change_of_the_url() {
        let own = own();
        let others = (0..2_000).map(|n| token(&format!("other {n}")));
        let explainer = others.fold(Explainer::new(&own), Explainer::other_token);
        let signature = sign("https://h/m");
        let seen = WebhookRequest::new("GET", "http://h/m").signature(&signature);
        // Enough to try all keys on the URL as it is, and not on each of its changes.
        let explanation = explainer.max_bytes(80_000).explain(&seen);
        assert_eq!(explanation.causes, [Cause::Scheme]);
    }

    #[test]
    fn query_of_a_websocket_that_was_signed_as_parameters_is_found() {
        let seen = WebhookRequest::new("GET", "ws://h/m?b=2&a=1");
        let explanation = explain(&seen, "wss://h/ma1b2");
        assert_eq!(explanation.causes, [Cause::Scheme]);
        assert_eq!(explanation.matched_url.as_deref(), Some("wss://h/m"));
    }

    #[test]
    fn query_of_a_hint_may_have_fewer_pairs_than_the_own_one() {
        let own = own();
        let explainer = Explainer::new(&own)
            .public_url("https://e/m?x=1&y=2")
            .unwrap();
        let seen = WebhookRequest::new("GET", "http://h/m?a=1&b=2&c=3&d=4");
        let signature = sign("https://e/m?x=1");
        let explanation = explainer.explain(&seen.signature(&signature));
        assert_eq!(explanation.matched_url.as_deref(), Some("https://e/m?x=1"));
    }

    #[test]
    fn headers_that_say_nothing_change_nothing() {
        let own = own();
        let signature = sign("https://h/m");
        let seen = WebhookRequest::new("GET", "http://h/m").signature(&signature);
        let plain = Explainer::new(&own).explain(&seen);
        let explainer = Explainer::new(&own).header("X-Forwarded-Host", b"\xff");
        // No header says what a proxy was asked for, so to trust it would change nothing.
        let explanation = explainer.proxy_may_be_trusted().explain(&seen);
        assert_eq!(explanation.proposals, plain.proposals);
        assert_eq!(explanation.advice, plain.advice);
    }

    #[test]
    fn advice_on_a_route_shows_no_more_of_its_url_than_the_route_needs() {
        let seen = WebhookRequest::new("GET", "https://h/internal/m?a=1#f");
        let explanation = explain(&seen, "https://h/m?a=1#f");
        assert_eq!(explanation.causes, [Cause::PathPrefix]);
        let shown = "(url = \"https://h/m\")], or ";
        assert!(explanation.advice.contains(shown), "{explanation:?}");
    }

    #[test]
    fn what_prevents_a_verdict_precedes_the_advice_if_nothing_is_found() {
        let seen = WebhookRequest::new("GET", "https://h/m");
        let own = own();
        let unknown = likely(&Facts {
            seen: &UrlParts::of("https://h/m"),
            req: &seen,
            url_from: None,
            validator: &own,
            known: &Known::default(),
        });
        assert_eq!(explain(&seen, "nothing like it").advice, unknown);
        let encoded = seen.content_encoding("gzip");
        let hint = SignatureErrorKind::EncodingUnsupported.hint();
        assert_eq!(
            explain(&encoded, "nothing like it").advice,
            format!("{hint}; {unknown}")
        );
    }

    #[test]
    fn search_without_a_key_of_the_signatures_algorithm_ends_at_once() {
        // It has the length of an HMAC-SHA256, and the app has no SharedKey.
        let signature = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let seen = WebhookRequest::new("POST", "http://h:8080/a/b/c?x=1&y=2")
            .content_type(FORM)
            .body("a=1&b=+2&c=3&d=4&e=&a=2")
            .signature(signature);
        let explanation = Explainer::new(&own()).explain(&seen);
        assert_eq!(explanation.causes, [Cause::SharedKey]);
        assert!(!explanation.gave_up && explanation.proposals.is_empty());
    }

    #[test]
    fn named_url_makes_the_search_smaller() {
        let own = own();
        let url = "http://10.0.0.7:8080/a/b/c?x=1&y=+2&z=3";
        let seen = WebhookRequest::new("POST", url)
            .content_type(FORM)
            .body("a=1&b=2")
            .signature("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let explainer = || Explainer::new(&own).header("X-Forwarded-Host", "proxy.example");
        let guessed = explainer().explain(&seen);
        assert!(guessed.gave_up && guessed.advice.contains("give it the URL"));
        let named = explainer().public_url("https://example.com/c").unwrap();
        let named = named.explain(&seen);
        assert!(!named.advice.contains("give it the URL"), "{named:?}");
        let combinations = |explainer: &Explainer<'_>| {
            let seen = UrlParts::of(url).into_owned();
            let urls = UrlVariants::of(&seen, &explainer.hints, false, None);
            let of_url = dimensions::Dimension::ALL
                .iter()
                .filter_map(|dimension| urls.costs(*dimension));
            of_url.map(|costs| costs.len()).product::<usize>()
        };
        let named = explainer().public_url("https://example.com/c").unwrap();
        assert!(2 * combinations(&named) < combinations(&explainer()));
    }

    #[test]
    fn url_after_a_change_is_proposed_only_if_it_was_signed_whatever_happened_to_the_body() {
        let own = own();
        let json = "application/json";
        for (name, content_type, body, signed) in [
            ("a form", FORM, "a=1", "a1"),
            ("a trimmed parameter", FORM, "a=1", "a1 "),
            ("a parameter too many", FORM, "a=1&b=2", "a1"),
            ("a changed line end", FORM, "a=x%0Ay", "ax\r\ny"),
            ("a form in base64", FORM, "YT0xJmI9Mg==", "a1b2"),
            ("a form as JSON", json, r#"{"a":"1"}"#, "a1"),
            ("a body without a hash", json, "{}", ""),
        ] {
            let signature = sign(&["https://example.com/m", signed].concat());
            let seen = WebhookRequest::new("POST", "http://10.0.0.7/m")
                .content_type(content_type)
                .body(body)
                .signature(&signature);
            let explanation = Explainer::new(&own)
                .header("X-Forwarded-Host", "example.com")
                .url_after("trust another", "https://other.example/m", "")
                .url_after("trust it", "https://example.com/m", "")
                .explain(&seen);
            let changes: Vec<_> = explanation
                .proposals
                .iter()
                .flat_map(|proposal| &proposal.changes)
                .collect();
            let trust = |how: &str| changes.contains(&&Change::Trust(how.to_owned()));
            assert!(trust("trust it"), "{name}: {explanation:?}");
            assert!(!trust("trust another"), "{name}: {explanation:?}");
        }
    }

    #[test]
    fn cause_without_a_proposal_is_the_only_advice() {
        // No setting takes this host.
        let own = own();
        let signature = sign("https://a;b/m");
        let seen = WebhookRequest::new("GET", "https://h/m").signature(&signature);
        let explanation = Explainer::new(&own)
            .header("X-Forwarded-Host", "a;b")
            .explain(&seen);
        assert_eq!(explanation.causes, [Cause::Host]);
        assert_eq!(explanation.proposals, []);
        assert_eq!(explanation.advice, Cause::Host.advice());
    }

    #[test]
    fn shared_key_that_the_app_has_need_not_be_added() {
        let key = SharedKey::new("K1", "secret").unwrap();
        let validator = RequestValidator::with_keys([], [key]).unwrap();
        let seen =
            WebhookRequest::new("GET", "https://h/m").signature("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let advice = |settings| {
            let explanation =
                Explainer::new(&validator).explain(&seen.signature_settings(settings));
            assert_eq!(explanation.causes, [Cause::SharedKey], "{settings}");
            explanation.advice
        };
        // The signature is not one of this algorithm.
        let known = advice("key=K1,algorithm=HMAC_SHA256");
        assert_eq!(known, Cause::SharedKey.advice());
        let unknown = advice("key=K2");
        assert!(unknown.starts_with("add the SharedKey K2 "), "{unknown}");
    }

    #[test]
    fn hash_that_a_proxy_dropped_is_found_whatever_query_is_left() {
        for query in ["", "?", "?a=1"] {
            let url = ["https://h/m", query].concat();
            let signed = with_body_sha256(&url, "{}");
            let seen = WebhookRequest::new("POST", &url)
                .content_type("application/json")
                .body("{}");
            let explanation = explain(&seen, &signed);
            assert_eq!(explanation.causes, [Cause::QueryMissing], "{query}");
            assert_eq!(explanation.matched_url, Some(signed), "{query}");
        }
    }

    #[test]
    fn proposals_show_no_more_of_a_url_than_they_change_and_undo_the_rest() {
        use Change::{SetUrl, Undo, UrlAtTwilio};
        let whole = |url: &str| SetUrl(UrlSetting::WholeRoute, url.to_owned());
        let user = ("Authorization", "Basic dXNlcjpwYXNz");
        for (seen, headers, signed, changes) in [
            (
                "http://h/internal/m",
                &[user][..],
                "https://user:pass@h/m",
                vec![whole("https://h/m"), Undo(Cause::Userinfo)],
            ),
            (
                "https://user:pass@h/m",
                &[],
                "https://h/m",
                vec![Undo(Cause::Userinfo)],
            ),
            (
                "https://h/m",
                &[],
                "wss://h/m",
                vec![Undo(Cause::WebsocketScheme)],
            ),
            (
                "https://h/m?a=1",
                &[],
                "https://h/m/?a=1",
                vec![UrlAtTwilio("https://h/m".to_owned())],
            ),
        ] {
            let own = own();
            let signature = sign(signed);
            let explainer = Explainer::new(&own);
            let explainer = (headers.iter()).fold(explainer, |explainer, (name, value)| {
                explainer.header(name, value)
            });
            let req = WebhookRequest::new("GET", seen).signature(&signature);
            let explanation = explainer.explain(&req);
            let wanted = Proposal { changes };
            assert!(explanation.proposals.contains(&wanted), "{explanation:?}");
        }
    }

    #[test]
    fn other_token_is_named_only_if_a_token_was_expected() {
        let key = SharedKey::new("K1", "secret").unwrap();
        let other = RequestValidator::new([token("other")]).unwrap();
        let own = RequestValidator::with_keys([token("own")], [key]).unwrap();
        let seen = WebhookRequest::new("GET", "https://h/m");
        let signature = other.sign(&seen).unwrap();
        let seen = seen.signature(&signature);
        for (req, change) in [
            (seen, Change::OtherToken(1)),
            (
                seen.signature_settings("key=K1"),
                Change::Undo(Cause::SharedKey),
            ),
        ] {
            let explainer = Explainer::new(&own).other_token(token("other"));
            let changes = explainer.explain(&req).proposals;
            let changes: Vec<_> = changes.iter().flat_map(|one| &one.changes).collect();
            assert_eq!(changes, [&change]);
        }
    }

    #[test]
    fn another_path_is_no_slash_that_can_be_changed_at_twilio() {
        let own = own();
        let signature = sign("https://example.com/m/");
        let seen = WebhookRequest::new("GET", "http://10.0.0.7/m").signature(&signature);
        let explanation = Explainer::new(&own)
            .header("X-Forwarded-Host", "example.com")
            .url_after("trust another", "https://example.com/other/m", "")
            .explain(&seen);
        let shown: Vec<_> = explanation
            .proposals
            .iter()
            .map(Proposal::to_string)
            .collect();
        let shown = shown.join("\n");
        assert!(shown.contains("set the webhook at Twilio to https://example.com/m"));
        assert!(!shown.contains("other"), "{shown}");
    }

    #[test]
    fn body_that_was_changed_behind_its_hash_is_to_be_left_alone() {
        for url in ["https://h/m", "https://h/m?a=1"] {
            let signed = with_body_sha256(url, "{}");
            let seen = WebhookRequest::new("POST", &signed)
                .content_type("application/json")
                .body("[]");
            let explanation = explain(&seen, &signed);
            assert_eq!(explanation.causes, [Cause::BodyHash]);
            let changes = vec![Change::Undo(Cause::BodyHash)];
            assert_eq!(explanation.proposals, [Proposal { changes }]);
        }
    }

    #[test]
    fn url_after_a_change_is_tried_with_the_query_that_was_signed() {
        let own = own();
        let signature = sign("https://example.com/m?a=1&b=2");
        let seen = WebhookRequest::new("GET", "http://10.0.0.7/m?b=2&a=1").signature(&signature);
        let explanation = Explainer::new(&own)
            .header("X-Forwarded-Host", "example.com")
            .url_after("trust it", "https://example.com/m?b=2&a=1", "")
            .explain(&seen);
        let changes = vec![
            Change::Trust("trust it".to_owned()),
            Change::Undo(Cause::QueryOrder),
        ];
        let wanted = Proposal { changes };
        assert!(explanation.proposals.contains(&wanted), "{explanation:?}");
    }
}
