//! The search for the text that was signed, within a budget.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use super::{
    cause::Cause,
    dimensions::{Alternatives, Dimension, Picks, cheapest_first},
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
pub(super) struct Key<'k> {
    pub(super) secret: Secret<'k>,
    pub(super) holder: Holder<'k>,
}

#[derive(Clone, Copy)]
pub(super) enum Secret<'k> {
    Token(&'k AuthToken),
    Shared(&'k SharedKey, Algorithm),
}

/// Whose key it is.
#[derive(Clone, Copy)]
pub(super) enum Holder<'k> {
    App,
    /// It is the token with this number, from 1, of those that the app does not have.
    Given(usize),
    Named(&'k str),
}

impl Key<'_> {
    pub(super) fn sign(self, text: [&[u8]; 2]) -> Signature {
        match self.secret {
            Secret::Token(token) => token.sign(text),
            Secret::Shared(key, algorithm) => key.sign(algorithm, text),
        }
    }
}

/// Keys that are tried together, and the cause that applies if one of them matches.
pub(super) struct KeyGroup<'k> {
    pub(super) keys: Vec<Key<'k>>,
    pub(super) cause: Option<Cause>,
}

/// The text that was signed, and its key.
pub(super) struct SignedText<'k> {
    /// The signed URL.
    pub(super) url: String,
    /// The query that was signed as parameters after it.
    pub(super) query_as_params: Option<String>,
    /// The cause that applies because of the key.
    pub(super) cause: Option<Cause>,
    pub(super) key: Key<'k>,
    /// What was signed after the URL.
    pub(super) params: ParamChoice,
    /// The text that was signed after the URL.
    pub(super) text: Vec<u8>,
}

/// Why nothing was found.
pub(super) enum NotFound {
    Exhausted,
    GaveUp,
}

/// What the search varies.
pub(super) struct Variants<'v> {
    pub(super) method: &'v str,
    pub(super) urls: UrlVariants,
    pub(super) params: ParamVariants<'v>,
    pub(super) keys: Alternatives<KeyGroup<'v>>,
}

impl<'v> Variants<'v> {
    /// Searches for the text that has this signature, the simplest explanations first.
    pub(super) fn search(
        &self,
        signature: &Signature,
        work: &mut Work,
    ) -> Result<SignedText<'v>, NotFound> {
        let costs_of = |dimension| match dimension {
            Dimension::Keys => self.keys.costs(),
            other => {
                let costs = self.urls.costs(other);
                costs
                    .or_else(|| self.params.costs(other))
                    .unwrap_or_default()
            }
        };
        let mut tried = Tried::default();
        let end = cheapest_first(costs_of, |picks| {
            match self.visit(picks, signature, &mut tried, work) {
                Ok(None) => ControlFlow::Continue(()),
                Ok(Some(found)) => ControlFlow::Break(Ok(found)),
                Err(GaveUp) => ControlFlow::Break(Err(NotFound::GaveUp)),
            }
        });
        match end {
            ControlFlow::Break(end) => end,
            ControlFlow::Continue(()) => Err(NotFound::Exhausted),
        }
    }

    /// Tries one combination. Everything that it does counts as work before it is done.
    fn visit(
        &self,
        picks: Picks<'_>,
        signature: &Signature,
        tried: &mut Tried,
        work: &mut Work,
    ) -> Result<Option<SignedText<'v>>, GaveUp> {
        work.visit()?;
        let Some(url) = self.urls.build(picks) else {
            return Ok(None);
        };
        let (Some(group), Some(choice)) = (
            picks.get(Dimension::Keys, &self.keys),
            self.params.choice(picks),
        ) else {
            return Ok(None);
        };
        let url = url.text();
        work.build(url.len())?;
        let Tried { texts, hashes } = tried;
        let (text, text_hash) = match texts.entry(choice) {
            Entry::Occupied(text) => text.into_mut(),
            Entry::Vacant(vacant) => {
                // A long body, or one with many pairs, takes work even if its text is short.
                work.build(self.params.work())?;
                let text = self.params.text(choice);
                let hash = hash_of(&text);
                vacant.insert((text, hash))
            }
        };
        for candidate in candidates(&WebhookRequest::new(self.method, &url)) {
            let query = candidate.query_as_params.as_deref();
            work.build(candidate.url.len())?;
            work.build(query.map_or(0, str::len))?;
            let mut buf = Buf::new();
            let params = match query {
                None => text.as_slice(),
                Some(query) if text.is_empty() => write_signed(query.as_bytes(), &mut buf),
                Some(_) => continue,
            };
            let whole = (&candidate.url, query, *text_hash, std::ptr::from_ref(group));
            if !hashes.insert(hash_of(&whole)) {
                continue;
            }
            let signed = [candidate.url.as_bytes(), params];
            work.sign((candidate.url.len() + params.len()).saturating_mul(group.keys.len()))?;
            let mut keys = group.keys.iter();
            if let Some(key) = keys.position(|key| key.sign(signed).matches(signature)) {
                let text = params.to_vec();
                return Ok(Some(SignedText {
                    url: candidate.url.into_owned(),
                    query_as_params: candidate.query_as_params.map(Cow::into_owned),
                    cause: group.cause,
                    key: *group.keys.get(key).ok_or(GaveUp)?,
                    params: choice,
                    text,
                }));
            }
        }
        Ok(None)
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What was tried.
#[derive(Default)]
struct Tried {
    /// The hashes of the texts that were signed, each with its group of keys.
    hashes: HashSet<u64>,
    /// The texts that follow the URL, with their hashes. The work of writing each one bounds them all.
    texts: HashMap<ParamChoice, (Vec<u8>, u64)>,
}

/// Says that the work of a search reached its limits.
#[derive(Debug)]
pub(super) struct GaveUp;

/// The work of a search, each kind with its limit. A forger chooses what is searched, so every step counts.
pub(super) struct Work {
    max_bytes: usize,
    visits: usize,
    /// Roughly the number of bytes of the URLs and bodies that were rewritten.
    built: usize,
    texts: usize,
    /// The number of bytes that were signed.
    signed: usize,
}

impl Work {
    pub(super) fn within(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            visits: 0,
            built: 0,
            texts: 0,
            signed: 0,
        }
    }

    /// Counts a combination.
    fn visit(&mut self) -> Result<(), GaveUp> {
        self.visits += 1;
        within(self.visits, MAX_VISITS)
    }

    /// Counts the bytes of a text that is written.
    pub(super) fn build(&mut self, bytes: usize) -> Result<(), GaveUp> {
        self.built = self.built.saturating_add(bytes);
        within(self.built, self.max_bytes)
    }

    /// Counts a text that is signed, with all its bytes under all keys.
    fn sign(&mut self, bytes: usize) -> Result<(), GaveUp> {
        self.texts += 1;
        self.signed = self.signed.saturating_add(bytes);
        within(self.texts, MAX_CANDIDATES)?;
        within(self.signed, self.max_bytes)
    }
}

fn within(work: usize, limit: usize) -> Result<(), GaveUp> {
    if work <= limit { Ok(()) } else { Err(GaveUp) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_and_rewritten_bytes_are_bounded() {
        let mut work = Work::within(usize::MAX);
        assert_eq!(
            (0..100_000).take_while(|_| work.visit().is_ok()).count(),
            32_768
        );
        let mut work = Work::within(100);
        assert_eq!((0..100).take_while(|_| work.build(30).is_ok()).count(), 3);
        assert!(Work::within(100).build(100).is_ok());
        assert!(Work::within(100).build(101).is_err());
    }

    #[test]
    fn signed_texts_and_their_bytes_are_bounded() {
        let signs = |bytes: usize| {
            let mut work = Work::within(MAX_BYTES);
            (0..10_000).take_while(|_| work.sign(bytes).is_ok()).count()
        };
        assert_eq!(signs(1), 4096);
        assert_eq!(signs(16 * 1024), 1024);
        assert_eq!(signs(16 * 1024 * 1024), 1);
        assert_eq!(signs(16 * 1024 * 1024 + 1), 0);
        assert_eq!(signs(usize::MAX), 0);
    }
}
