//! The search for the text that was signed, within a budget.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use super::{
    cause::Cause,
    dimensions::{Alternatives, Dimension, Picks, cheapest_first, costs},
    params::{ParamChoice, ParamVariants},
    urls::UrlVariants,
};
use crate::{
    candidates::candidates,
    form::{Buf, write_signed},
    key::{Algorithm, AuthToken, SharedKey},
    mac::Signature,
    request::WebhookRequest,
};

/// The largest number of texts that are hashed, each under all keys of a group.
const MAX_CANDIDATES: usize = 4096;
/// The largest number of bytes that are hashed, unless a smaller one is set.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The largest number of combinations that are visited, including those that were already tried in another form.
const MAX_VISITS: usize = 8 * MAX_CANDIDATES;

/// A key that may have made the signature.
#[derive(Clone, Copy)]
pub(super) enum Key<'k> {
    Token(&'k AuthToken),
    Shared(&'k SharedKey, Algorithm),
}

impl Key<'_> {
    fn sign(self, text: [&[u8]; 2]) -> Signature {
        match self {
            Self::Token(token) => token.sign(text),
            Self::Shared(key, algorithm) => key.sign(algorithm, text),
        }
    }
}

/// Keys that are tried together, and the cause that applies if one of them matches.
pub(super) struct KeyGroup<'k> {
    pub(super) keys: Vec<Key<'k>>,
    pub(super) cause: Option<Cause>,
}

/// The text that was signed, and its key.
pub(super) struct SignedText {
    /// The signed URL.
    pub(super) url: String,
    /// The query that was signed as parameters after it.
    pub(super) query_as_params: Option<String>,
    pub(super) key_cause: Option<Cause>,
    /// The index of the key in its group.
    pub(super) key: usize,
    /// What was signed after the URL.
    pub(super) params: ParamChoice,
}

/// Why nothing was found.
pub(super) enum NotFound {
    Exhausted,
    GaveUp,
}

/// What the search varies.
pub(super) struct Variants<'v> {
    pub(super) method: &'v str,
    pub(super) urls: UrlVariants<'v>,
    pub(super) params: ParamVariants<'v>,
    pub(super) keys: Alternatives<KeyGroup<'v>>,
}

impl Variants<'_> {
    /// Searches for the text that has this signature, the simplest explanations first.
    pub(super) fn search(
        &self,
        signature: &Signature,
        max_bytes: usize,
    ) -> Result<SignedText, NotFound> {
        let costs_of = |dimension| match dimension {
            Dimension::Keys => costs(&self.keys),
            other => {
                let costs = self.urls.costs(other);
                costs
                    .or_else(|| self.params.costs(other))
                    .unwrap_or_default()
            }
        };
        let mut tried = Tried::within(max_bytes);
        let end = cheapest_first(costs_of, |picks| {
            let visit = self.visit(picks, signature, &mut tried);
            visit.unwrap_or(ControlFlow::Continue(()))
        });
        match end {
            ControlFlow::Break(Some(found)) => Ok(found),
            ControlFlow::Break(None) => Err(NotFound::GaveUp),
            ControlFlow::Continue(()) => Err(NotFound::Exhausted),
        }
    }

    /// Tries one combination. Breaks with what was found, or with nothing if the budget is used up.
    fn visit(
        &self,
        picks: Picks<'_>,
        signature: &Signature,
        tried: &mut Tried,
    ) -> Option<ControlFlow<Option<SignedText>>> {
        const GIVE_UP: Option<ControlFlow<Option<SignedText>>> = Some(ControlFlow::Break(None));

        let group = picks.get(Dimension::Keys, &self.keys)?;
        if group.keys.is_empty() {
            return None;
        }
        if !tried.may_visit() {
            return GIVE_UP;
        }
        let url = self.urls.build(picks)?.text();
        if !tried.may_build(url.len()) {
            return GIVE_UP;
        }
        let choice = self.params.choice(picks)?;
        if !tried.texts.contains_key(&choice) {
            // A long body, or one with many pairs, takes work even if its text is short.
            if !tried.may_build(self.params.work()) {
                return GIVE_UP;
            }
            tried.texts.insert(choice, self.params.text(choice));
        }
        for candidate in candidates(&WebhookRequest::new(self.method, &url)) {
            let text = tried.texts.get(&choice).map_or(&[][..], Vec::as_slice);
            let mut buf = Buf::new();
            let params = match &candidate.query_as_params {
                None => text,
                Some(query) if text.is_empty() => write_signed(query.as_bytes(), &mut buf),
                Some(_) => continue,
            };
            let signed = [candidate.url.as_bytes(), params];
            if !tried.hashes.insert(hash_of(&signed, group)) {
                continue;
            }
            let bytes = (candidate.url.len() + params.len()).saturating_mul(group.keys.len());
            if !tried.budget.take(bytes) {
                return GIVE_UP;
            }
            let mut keys = group.keys.iter();
            if let Some(key) = keys.position(|key| key.sign(signed).matches(signature)) {
                return Some(ControlFlow::Break(Some(SignedText {
                    url: candidate.url.into_owned(),
                    query_as_params: candidate.query_as_params.map(Cow::into_owned),
                    key_cause: group.cause,
                    key,
                    params: choice,
                })));
            }
        }
        None
    }
}

/// Hashes a text and the group of keys that it is signed with.
fn hash_of(signed: &[&[u8]; 2], group: &KeyGroup<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (signed, std::ptr::from_ref(group)).hash(&mut hasher);
    hasher.finish()
}

/// What was tried, and at what cost.
#[derive(Default)]
struct Tried {
    budget: Budget,
    visits: usize,
    /// Roughly the number of bytes of the URLs and bodies that were rewritten.
    built: usize,
    hashes: HashSet<u64>,
    /// The texts that follow the URL. Each is hashed at least once, so the budget bounds them.
    texts: HashMap<ParamChoice, Vec<u8>>,
}

impl Tried {
    fn within(max_bytes: usize) -> Self {
        let mut tried = Self::default();
        tried.budget.max_bytes = max_bytes;
        tried
    }

    fn may_visit(&mut self) -> bool {
        self.visits += 1;
        self.visits <= MAX_VISITS
    }

    fn may_build(&mut self, bytes: usize) -> bool {
        self.built = self.built.saturating_add(bytes);
        self.built <= self.budget.max_bytes
    }
}

#[derive(Default)]
struct Budget {
    max_bytes: usize,
    candidates: usize,
    bytes: usize,
}

impl Budget {
    /// Takes a candidate with this many bytes from the budget, if enough is left.
    fn take(&mut self, bytes: usize) -> bool {
        self.candidates += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.candidates <= MAX_CANDIDATES && self.bytes <= self.max_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_and_rewritten_bytes_are_bounded() {
        let mut tried = Tried::within(usize::MAX);
        assert_eq!(
            (0..100_000).take_while(|_| tried.may_visit()).count(),
            32_768
        );
        let mut tried = Tried::within(100);
        assert_eq!((0..100).take_while(|_| tried.may_build(30)).count(), 3);
        assert!(Tried::within(100).may_build(100));
        assert!(!Tried::within(100).may_build(101));
    }

    #[test]
    fn budget_limits_candidates_and_bytes() {
        let takes = |bytes: usize| {
            let mut budget = Tried::within(MAX_BYTES).budget;
            (0..10_000).take_while(|_| budget.take(bytes)).count()
        };
        assert_eq!(takes(1), 4096);
        assert_eq!(takes(16 * 1024), 1024);
        assert_eq!(takes(16 * 1024 * 1024), 1);
        assert_eq!(takes(16 * 1024 * 1024 + 1), 0);
        assert_eq!(takes(usize::MAX), 0);
    }
}
