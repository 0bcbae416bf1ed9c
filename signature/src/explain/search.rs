//! The search for the text that was signed, within a budget.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use super::{
    cause::Cause,
    forms::{self, Forms},
    locations::{self, Locations},
    product::cheapest_first,
};
use crate::{
    key::{Algorithm, AuthToken, SharedKey},
    params::{Room, write_signed},
    signature::Signature,
    url::candidates,
};

/// Texts that are hashed at most, each under all keys of a group.
const MAX_CANDIDATES: usize = 4096;
/// Bytes that are hashed at most, unless less is asked for.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What is looked at at most, counting what turns out to have been tried already.
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

/// Keys that are tried together, and the cause that a match under one of them is.
pub(super) struct KeyGroup<'k> {
    pub(super) keys: Vec<Key<'k>>,
    pub(super) cause: Option<Cause>,
}

/// What was signed.
pub(super) struct Found {
    /// The signed URL.
    pub(super) url: String,
    /// The query that was signed as parameters after it.
    pub(super) query_as_params: Option<String>,
    pub(super) key_cause: Option<Cause>,
    /// The key's place in its group.
    pub(super) key: usize,
    /// The picks among [`Forms`].
    pub(super) form: Vec<usize>,
}

/// Why nothing was found.
pub(super) enum NotFound {
    Exhausted,
    GaveUp,
}

/// Searches for the signed text, the simplest explanations first.
pub(super) fn search(
    signature: &Signature,
    groups: &[KeyGroup<'_>],
    locations: &Locations,
    forms: &Forms<'_>,
    get: bool,
    max_bytes: usize,
) -> Result<Found, NotFound> {
    let key_costs = (0..groups.len()).map(|group| u8::from(group > 0)).collect();
    let dimensions: Vec<_> = locations
        .costs()
        .into_iter()
        .chain([key_costs])
        .chain(forms.costs())
        .collect();
    let mut tried = Tried::within(max_bytes);
    let end = cheapest_first(&dimensions, |picks| {
        let visit = visit(picks, signature, groups, locations, forms, get, &mut tried);
        visit.unwrap_or(ControlFlow::Continue(()))
    });
    match end {
        ControlFlow::Break(Some(found)) => Ok(found),
        ControlFlow::Break(None) => Err(NotFound::GaveUp),
        ControlFlow::Continue(()) => Err(NotFound::Exhausted),
    }
}

/// Tries one variant. It breaks with what was found, or with nothing if the budget is used up.
fn visit(
    picks: &[usize],
    signature: &Signature,
    groups: &[KeyGroup<'_>],
    locations: &Locations,
    forms: &Forms<'_>,
    get: bool,
    tried: &mut Tried,
) -> Option<ControlFlow<Option<Found>>> {
    let (location, rest) = picks.split_at_checked(locations::DIMENSIONS)?;
    let (group_pick, form) = rest.split_first()?;
    let group = groups.get(*group_pick)?;
    if group.keys.is_empty() {
        return None;
    }
    if !tried.may_visit() {
        return Some(ControlFlow::Break(None));
    }
    let url = locations.build(location)?.text();
    if !tried.may_build(url.len()) {
        return Some(ControlFlow::Break(None));
    }
    if !tried.texts.contains_key(form) {
        // A long body, or one of many pairs, can make a short text, and is work all the same.
        if !tried.may_build(forms.work()) {
            return Some(ControlFlow::Break(None));
        }
        let text = forms.text(form)?;
        tried.texts.insert(form.to_vec(), text);
    }
    for candidate in candidates(&url, get) {
        let text = tried.texts.get(form).map_or(&[][..], Vec::as_slice);
        let mut room = Room::new();
        let params = match candidate.query_as_params {
            None => text,
            Some(query) if text.is_empty() => write_signed(query.as_bytes(), &mut room),
            Some(_) => continue,
        };
        let signed = [candidate.url.as_bytes(), params];
        if !tried.hashes.insert(hash_of(&signed, *group_pick)) {
            continue;
        }
        let bytes = (candidate.url.len() + params.len()).saturating_mul(group.keys.len());
        if !tried.budget.take(bytes) {
            return Some(ControlFlow::Break(None));
        }
        let key = group
            .keys
            .iter()
            .position(|key| key.sign(signed).matches(signature));
        if let Some(key) = key {
            return Some(ControlFlow::Break(Some(Found {
                url: candidate.url.into_owned(),
                query_as_params: candidate.query_as_params.map(str::to_owned),
                key_cause: group.cause,
                key,
                form: form.to_vec(),
            })));
        }
    }
    None
}

fn hash_of(signed: &[&[u8]; 2], group: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (signed, group).hash(&mut hasher);
    hasher.finish()
}

/// What was tried already.
#[derive(Default)]
struct Tried {
    budget: Budget,
    visits: usize,
    /// Bytes of the URLs and bodies that were rewritten, about.
    built: usize,
    hashes: HashSet<u64>,
    /// What follows the URL, by its picks. As each is hashed at least once, the budget bounds it.
    texts: HashMap<Vec<usize>, Vec<u8>>,
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
    /// Takes one candidate of so many bytes, if that much is left.
    fn take(&mut self, bytes: usize) -> bool {
        self.candidates += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.candidates <= MAX_CANDIDATES && self.bytes <= self.max_bytes
    }
}

const _: () = assert!(locations::DIMENSIONS + 1 + forms::DIMENSIONS == 17);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_so_many_candidates_and_bytes() {
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
