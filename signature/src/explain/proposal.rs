//! Proposals: what to change so that the request is accepted. Each one is tried before it is made.

use std::fmt;

use super::{
    cause::Cause,
    search::{Holder, Key, Secret, SignedText},
};
use crate::{
    body::{BODY_SHA256, BodyKind, body_sha256},
    header::FORM,
    key::Algorithm,
    mac::Signature,
    redact,
    request::{HeaderValue, WebhookRequest},
    url::{PublicUrl, UrlParts},
    validator::RequestValidator,
};

/// A setting that determines which URL an app expects a signature for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlSetting {
    /// The public URL of the app: `TWILIO_WEBHOOK_BASE_URL`, or `public_url` of the configuration.
    App,
    /// The public URL of a route: the attribute's option `public_url`.
    Route,
    /// The whole URL of a route: the attribute's option `url`.
    WholeRoute,
}

/// One change: of a setting, of the URL at Twilio, or of something between Twilio and the app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Sets the URL that the app expects: a base, or the whole URL of a route.
    SetUrl(UrlSetting, String),
    /// Corrects the whole URL that a route already has.
    CorrectUrl(String),
    /// Sets the URL of the webhook at Twilio. The query stays as it is.
    UrlAtTwilio(String),
    /// Changes which proxies the app trusts, in the words of the caller of [`Explainer::url_after`].
    ///
    /// [`Explainer::url_after`]: super::Explainer::url_after
    Trust(String),
    /// Undoes a cause where it arises. [`Cause::advice`] says how.
    Undo(Cause),
    /// Uses the token with this number, from 1, of those that were [given](super::Explainer::other_token).
    OtherToken(usize),
    /// Uses one of the [other keys](super::Explainer::other_keys) with this name.
    KeyOf(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetUrl(UrlSetting::App, base) => {
                write!(
                    f,
                    "set TWILIO_WEBHOOK_BASE_URL, or public_url, to {}",
                    redact::text(base)
                )
            }
            Self::SetUrl(UrlSetting::Route, base) => {
                write!(f, "set public_url of the route to {}", redact::text(base))
            }
            Self::SetUrl(UrlSetting::WholeRoute, url) => write!(
                f,
                "write #[validate_twilio_request(url = \"{}\")]",
                redact::text(url)
            ),
            Self::CorrectUrl(url) => write!(f, "set url of the route to {}", redact::text(url)),
            Self::UrlAtTwilio(url) => {
                write!(f, "set the webhook at Twilio to {}", redact::text(url))
            }
            Self::Trust(how) => f.write_str(how),
            // No base leads to this path.
            Self::Undo(Cause::PathPrefix) => {
                f.write_str("make the proxy or the middleware keep the path")
            }
            Self::Undo(Cause::QueryMissing) => {
                f.write_str("make the proxy pass the whole query on")
            }
            Self::Undo(Cause::PathSpelling) => {
                f.write_str("make the proxy pass the path on unchanged")
            }
            Self::Undo(Cause::TrailingSlash) => {
                f.write_str("wrap TwilioValidation around NormalizePath")
            }
            Self::Undo(cause) => f.write_str(cause.advice()),
            Self::OtherToken(number) => write!(
                f,
                "{}; this signature was made with number {number} of the other tokens",
                Cause::Token.advice()
            ),
            Self::KeyOf(whose) => write!(
                f,
                "it was signed with a key of {}: if your code signs, use this account's token; if Twilio does, \
                 correct the key store",
                redact::text(whose)
            ),
        }
    }
}

/// Changes that make the validator accept a request, if all of them are made.
///
/// A proposal was applied to the request, and the result was validated, before it was made. `Display` prints a
/// clause without a full stop, with neither the values of a query nor user info.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proposal {
    /// The changes.
    pub changes: Vec<Change>,
}

impl Proposal {
    /// Returns the changes that both ask for.
    pub(super) fn common_with(&self, other: &Self) -> Self {
        let is_common = |change: &&Change| other.changes.contains(change);
        Self {
            changes: self.changes.iter().filter(is_common).cloned().collect(),
        }
    }

    /// Returns the changes that the other one does not ask for.
    pub(super) fn without(&self, other: &Self) -> Self {
        let is_own = |change: &&Change| !other.changes.contains(change);
        Self {
            changes: self.changes.iter().filter(is_own).cloned().collect(),
        }
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, change) in self.changes.iter().enumerate() {
            if index > 0 {
                f.write_str(AND)?;
            }
            change.fmt(f)?;
        }
        Ok(())
    }
}

/// What is known about the app, apart from its keys.
#[derive(Clone, Default)]
pub(super) struct App {
    /// Where its URL comes from, if a setting determines it.
    pub(super) url_from: Option<UrlSetting>,
    /// Whether the path of the route has parameters, so that a whole URL can't stand for it.
    pub(super) path_varies: bool,
    pub(super) urls_after: Vec<UrlAfter>,
}

/// A URL that the app would see after a change, and its base path.
#[derive(Clone)]
pub(super) struct UrlAfter {
    pub(super) change: Change,
    pub(super) url: String,
    pub(super) base_path: String,
}

/// A request whose signature matches something else than what the app saw.
pub(super) struct Case<'c> {
    pub(super) validator: &'c RequestValidator,
    pub(super) app: &'c App,
    pub(super) req: &'c WebhookRequest<'c>,
    pub(super) seen: &'c UrlParts<'static>,
    pub(super) signature: &'c Signature,
    pub(super) found: &'c SignedText<'c>,
    /// The URL that was signed, with its query.
    pub(super) signed: UrlParts<'static>,
    pub(super) causes: &'c [Cause],
    /// Whether the signature covers the body in another way than the app expects.
    pub(super) body_differs: bool,
    /// The form as it was before something changed it, if that is known.
    pub(super) restored: Option<&'c [u8]>,
}

/// What stands between two changes that are both needed.
pub(super) const AND: &str = "; and ";

/// The largest number of proposals.
const MAX_PROPOSALS: usize = 3;

impl Case<'_> {
    /// Returns the proposals that pass, the one first that protects most and changes least.
    pub(super) fn proposals(&self) -> Vec<Proposal> {
        let mut proposals: Vec<Proposal> = Vec::new();
        for base in self.base_fixes() {
            // A list of few values has many numbers of proxies that lead to the same one.
            let is_trust = |change: &Change| matches!(change, Change::Trust(_));
            let trusts = proposals.iter().flat_map(|one| &one.changes).any(is_trust);
            if trusts && matches!(base, Base::After(_)) {
                continue;
            }
            // What leaves the path unsigned, or needs changes elsewhere, is for what no base corrects.
            let is_set =
                |change: &Change| matches!(change, Change::SetUrl(..) | Change::CorrectUrl(_));
            let sets = proposals.iter().flat_map(|one| &one.changes).any(is_set);
            let is_worse = matches!(
                base,
                Base::Set(UrlSetting::WholeRoute, _) | Base::PathUndone(_)
            );
            if sets && is_worse && !self.is_rewritten() {
                continue;
            }
            for slash in self.slash_fixes(&base) {
                let proposal = self.tried(&base, &slash);
                let suffices = proposal.is_some() && matches!(slash, Slash::Kept);
                proposals.extend(proposal.filter(|one| !proposals.contains(one)));
                if proposals.len() == MAX_PROPOSALS {
                    return proposals;
                }
                if suffices {
                    break;
                }
            }
        }
        proposals
    }

    fn has(&self, cause: Cause) -> bool {
        self.causes.contains(&cause)
    }

    /// Returns the app's own path: that of the URL without its base path.
    fn own_path(&self) -> &str {
        let path = &*self.seen.path;
        path.strip_prefix(self.req.base_path).unwrap_or(path)
    }

    /// Returns the ways to correct the origin and the start of the path.
    fn base_fixes(&self) -> Vec<Base<'_>> {
        let is_whole = self.app.url_from == Some(UrlSetting::WholeRoute);
        let is_corrected = |cause: &Cause| {
            let of_path = matches!(cause, Cause::TrailingSlash | Cause::PathSpelling);
            cause.is_of_base() || (is_whole && of_path)
        };
        if !self.causes.iter().any(is_corrected) {
            return vec![Base::Kept];
        }
        let mut fixes = Vec::new();
        let whole = || {
            let url = UrlParts {
                user_info: None,
                query: None,
                fragment: None,
                ..self.signed.clone()
            };
            Base::Set(UrlSetting::WholeRoute, url.text())
        };
        let origin = self.origin();
        if is_whole {
            return vec![whole()];
        }
        let setting = self.app.url_from.unwrap_or(UrlSetting::App);
        let without_slash = |path| str::strip_suffix(path, "/").unwrap_or(path);
        let (own, signed) = (without_slash(self.own_path()), &*self.signed.path);
        if let Some(prefix) = without_slash(signed).strip_suffix(own) {
            fixes.push(Base::Set(setting, [&origin, prefix].concat()));
        }
        fixes.extend(self.app.urls_after.iter().map(Base::After));
        if self.has(Cause::PathPrefix) {
            if !self.app.path_varies {
                fixes.push(whole());
            }
            let of_origin = [Cause::Scheme, Cause::Host, Cause::HostCase, Cause::Port];
            let set = of_origin.iter().any(|cause| self.has(*cause));
            fixes.push(Base::PathUndone(set.then_some((setting, origin))));
        }
        fixes
    }

    /// Returns whether no base leads to the signed path.
    fn is_rewritten(&self) -> bool {
        let without_slash = |path| str::strip_suffix(path, "/").unwrap_or(path);
        let own = without_slash(self.own_path());
        !without_slash(&self.signed.path).ends_with(own)
    }

    /// Returns the scheme, the host and the port that were signed.
    fn origin(&self) -> String {
        let secure = self.signed.is_secure() == Some(true);
        let scheme = if secure { "https" } else { "http" };
        [scheme, "://", &self.signed.host_and_port()].concat()
    }

    /// Returns the ways to correct the slash at the end of the path.
    fn slash_fixes(&self, base: &Base<'_>) -> Vec<Slash> {
        let exact = matches!(
            base,
            Base::Set(UrlSetting::WholeRoute, _) | Base::PathUndone(_)
        );
        if exact {
            return vec![Slash::Kept];
        }
        if self.has(Cause::PathSpelling) {
            return vec![Slash::AtTwilio, Slash::Undone];
        }
        if !self.has(Cause::TrailingSlash) {
            return vec![Slash::Kept];
        }
        // With a base path, the slash may be one that the validator tolerates.
        vec![Slash::Kept, Slash::AtTwilio, Slash::Undone]
    }

    /// Applies changes, and returns them if the validator then accepts the request.
    fn tried(&self, base: &Base<'_>, slash: &Slash) -> Option<Proposal> {
        let mut trial = Trial::of(self);
        let mut changes = trial.apply_base(self, base)?;
        changes.extend(trial.apply_slash(slash, self.has(Cause::PathSpelling))?);
        for cause in self.causes {
            match cause {
                _ if cause.is_of_base() => {}
                Cause::TrailingSlash | Cause::PathSpelling => {}
                Cause::Userinfo => {
                    trial.signed.user_info = None;
                    trial.url.user_info = None;
                    changes.push(Change::Undo(*cause));
                }
                Cause::Token | Cause::SharedKey => changes.push(self.other_key(*cause)),
                _ => changes.push(Change::Undo(*cause)),
            }
        }
        trial.is_accepted(self).then_some(Proposal { changes })
    }

    fn other_key(&self, cause: Cause) -> Change {
        match self.found.key.holder {
            Holder::Named(whose) => Change::KeyOf(whose.to_owned()),
            Holder::Given(number) if cause == Cause::Token => Change::OtherToken(number),
            _ => Change::Undo(cause),
        }
    }
}

/// A way to correct the origin and the start of the path.
enum Base<'c> {
    Kept,
    Set(UrlSetting, String),
    After(&'c UrlAfter),
    /// Nothing rewrites the path any more, and this setting has this base.
    PathUndone(Option<(UrlSetting, String)>),
}

/// A way to correct the slash at the end of the path.
enum Slash {
    Kept,
    AtTwilio,
    Undone,
}

/// A request after changes, and the URL that Twilio signs for it.
struct Trial {
    /// The URL that the app sees.
    url: UrlParts<'static>,
    base_path: String,
    /// The URL that Twilio signs.
    signed: UrlParts<'static>,
}

impl Trial {
    /// The request as it is, except that its query is the signed one if something changed it, and that it is a
    /// WebSocket handshake if such a one was signed.
    fn of(case: &Case<'_>) -> Self {
        let mut url = case.seen.clone();
        let of_query = [
            Cause::QueryOrder,
            Cause::QueryEncoding,
            Cause::QueryMissing,
            Cause::ParamsExtra,
        ];
        if of_query.iter().any(|cause| case.has(*cause)) {
            url.query.clone_from(&case.signed.query);
        }
        if case.has(Cause::WebsocketScheme) {
            let secure = url.is_secure() == Some(true);
            url.scheme = crate::url::scheme(secure, case.signed.is_websocket()).into();
        }
        Self {
            url,
            base_path: case.req.base_path.to_owned(),
            signed: case.signed.clone(),
        }
    }

    fn apply_base(&mut self, case: &Case<'_>, base: &Base<'_>) -> Option<Vec<Change>> {
        let mut set = |path: &str, setting, url: &str| {
            let public = match setting {
                UrlSetting::WholeRoute => PublicUrl::parse_whole(url),
                UrlSetting::App | UrlSetting::Route => PublicUrl::parse_base(url),
            };
            let public = public.ok()?;
            let target = UrlParts {
                path: path.into(),
                query: self.url.query.clone(),
                ..UrlParts::default()
            };
            let url_seen = public.with_target(&target.text(), self.url.is_websocket());
            self.url = UrlParts {
                fragment: self.url.fragment.take(),
                ..UrlParts::of(&url_seen).into_owned()
            };
            public.base_path().clone_into(&mut self.base_path);
            Some(match case.app.url_from {
                Some(UrlSetting::WholeRoute) => Change::CorrectUrl(url.to_owned()),
                _ => Change::SetUrl(setting, url.to_owned()),
            })
        };
        Some(match base {
            Base::Kept => Vec::new(),
            Base::Set(setting, url) => vec![set(case.own_path(), *setting, url)?],
            Base::After(after) => {
                let query = self.url.query.take();
                self.url = UrlParts {
                    query,
                    ..UrlParts::of(&after.url).into_owned()
                };
                self.base_path.clone_from(&after.base_path);
                vec![after.change.clone()]
            }
            Base::PathUndone(setting) => {
                let undone = Change::Undo(Cause::PathPrefix);
                match setting {
                    Some((setting, origin)) => {
                        vec![set(&case.signed.path, *setting, origin)?, undone]
                    }
                    None => {
                        self.url.path.clone_from(&case.signed.path);
                        vec![undone]
                    }
                }
            }
        })
    }

    /// Returns the changes, or nothing if more differs in the path than the slash, or the spelling.
    fn apply_slash(&mut self, slash: &Slash, by_spelling: bool) -> Option<Vec<Change>> {
        let [own, signed] = [&self.url.path, &self.signed.path]
            .map(|path| path.strip_suffix('/').unwrap_or(path).to_owned());
        if matches!(slash, Slash::Kept) {
            return Some(Vec::new());
        }
        if self.url.path == self.signed.path || (own != signed && !by_spelling) {
            return None;
        }
        Some(vec![match slash {
            Slash::AtTwilio => {
                self.signed.path.clone_from(&self.url.path);
                let shown = UrlParts {
                    user_info: None,
                    query: None,
                    fragment: None,
                    ..self.signed.clone()
                };
                Change::UrlAtTwilio(shown.text())
            }
            Slash::Undone | Slash::Kept => {
                self.url.path.clone_from(&self.signed.path);
                Change::Undo(if by_spelling {
                    Cause::PathSpelling
                } else {
                    Cause::TrailingSlash
                })
            }
        }])
    }

    /// Validates the request as it is after the changes.
    fn is_accepted(&self, case: &Case<'_>) -> bool {
        let key = case.found.key;
        let of_key;
        let validator = if case.found.cause.is_none() {
            case.validator
        } else {
            let Some(validator) = key.validator() else {
                return false;
            };
            of_key = validator;
            &of_key
        };
        let settings = key.settings();
        let mut req = *case.req;
        req.settings = match &settings {
            Some(settings) => HeaderValue::One(settings.as_bytes()),
            None => HeaderValue::Absent,
        };
        if let Some(body) = case.restored
            && !req.is_get_or_head()
        {
            req.body = body;
            req.content_type = HeaderValue::One(FORM.as_bytes());
        } else if case.body_differs {
            return self.is_accepted_as_it_arrives(validator, &req);
        }
        let signature = if self.signed == case.signed {
            case.signature.clone()
        } else {
            let mut signed = self.signed.clone();
            if case.found.query_as_params.is_some() {
                signed.query = None;
            }
            key.sign([signed.text().as_bytes(), &case.found.text])
        };
        let signature = signature.to_base64();
        req.signature = HeaderValue::One(signature.as_bytes());
        self.validates(validator, &req, &self.url)
    }

    /// Validates a request with the body that arrives, which its sender signs with its own URL as Twilio would.
    fn is_accepted_as_it_arrives(
        &self,
        validator: &RequestValidator,
        req: &WebhookRequest<'_>,
    ) -> bool {
        let [mut url, mut signed] = [&self.url, &self.signed].map(Clone::clone);
        if BodyKind::of(req).is_ok_and(|kind| kind == BodyKind::Other) {
            for url in [&mut url, &mut signed] {
                set_hash(url, req.body);
            }
        }
        let Ok(signature) = validator.sign(&req.url(&signed.text())) else {
            return false;
        };
        let req = WebhookRequest {
            signature: HeaderValue::One(signature.as_bytes()),
            ..*req
        };
        self.validates(validator, &req, &url)
    }

    fn validates(
        &self,
        validator: &RequestValidator,
        req: &WebhookRequest<'_>,
        url: &UrlParts<'_>,
    ) -> bool {
        let url = url.text();
        let req = req.url(&url).base_path(&self.base_path);
        validator.validate(&req).is_ok()
    }
}

/// Puts the hash of a body into the query of a URL, in place of any other. An empty body has none.
fn set_hash(url: &mut UrlParts<'_>, body: &[u8]) {
    let own = url.query.take().unwrap_or_default();
    let pairs = own
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with(BODY_SHA256));
    let mut pairs: Vec<_> = pairs.map(str::to_owned).collect();
    if !body.is_empty() {
        pairs.push([BODY_SHA256, "=", &body_sha256(body)].concat());
    }
    url.query = (!pairs.is_empty()).then(|| pairs.join("&").into());
}

impl Key<'_> {
    /// Returns a validator with this key alone.
    fn validator(self) -> Option<RequestValidator> {
        match self.secret {
            Secret::Token(token) => RequestValidator::new([token.clone()]),
            Secret::Shared(key, _) => RequestValidator::with_keys([], [key.clone()]),
        }
        .ok()
    }

    /// Returns the value of the header that names this key.
    fn settings(self) -> Option<String> {
        match self.secret {
            Secret::Token(_) => None,
            Secret::Shared(key, algorithm) => {
                let algorithm = match algorithm {
                    Algorithm::HmacSha1 => "HMAC_SHA1",
                    Algorithm::HmacSha256 => "HMAC_SHA256",
                };
                Some(format!("key={},algorithm={algorithm}", key.id()))
            }
        }
    }
}
