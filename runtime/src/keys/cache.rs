//! Caches the answers of a key store. What a stranger makes up displaces nothing that genuine requests use.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hash, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use twilio_signature::{AccountSid, RequestValidator};

use super::store::KeyQuery;

/// The largest number of answers to proven queries in the cache, and of others.
const CAPACITY: usize = 4096;
/// The largest number of queries that are known to be proven. With their hashes, they take 2 MiB.
const MOST_PROVEN: usize = 100_000;
/// The largest number of times a second that a store is asked for SharedKeys of one account that are not proven.
const UNPROVEN_IDS: u32 = 10;
const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) keys: Option<Arc<RequestValidator>>,
    /// When the store was asked. Later changes in the store may be missing.
    pub(super) at: Instant,
    /// When the store was last asked again because a signature did not match.
    pub(super) again_at: Option<Instant>,
}

/// Answers by what was asked.
///
/// A query is proven by a genuine request with it. Only the holder of a key can send one, so a stranger can neither
/// add to the proven queries and their answers nor displace them.
#[derive(Default)]
pub(super) struct Cache {
    /// The hashes of proven queries, which stay when their answers no longer count.
    proven: HashSet<u64>,
    hasher: RandomState,
    of_proven: HashMap<KeyQuery, Answer>,
    of_others: HashMap<KeyQuery, Answer>,
    /// How often the store was asked for unproven SharedKeys of an account since a time.
    asked_for_ids: HashMap<Option<AccountSid>, (Instant, u32)>,
}

impl Cache {
    pub(super) fn get(&self, query: &KeyQuery) -> Option<&Answer> {
        let answer = self.of_proven.get(query);
        answer.or_else(|| self.of_others.get(query))
    }

    /// Returns all keys, those of proven queries first.
    #[cfg(feature = "explain")]
    pub(super) fn keys(&self) -> impl Iterator<Item = (&KeyQuery, &Arc<RequestValidator>)> {
        let answers = self.of_proven.iter().chain(&self.of_others);
        answers.filter_map(|(query, answer)| Some((query, answer.keys.as_ref()?)))
    }

    /// Keeps an answer, unless there is a newer one. `fresh` is the time for which answers count.
    pub(super) fn insert(&mut self, query: &KeyQuery, answer: Answer, fresh: Duration) {
        if self.get(query).is_some_and(|kept| kept.at > answer.at) {
            return;
        }
        if answer.keys.is_none() {
            self.proven.remove(&self.hasher.hash_one(query));
        }
        let (answers, others) = if self.is_proven(query) {
            (&mut self.of_proven, &mut self.of_others)
        } else {
            (&mut self.of_others, &mut self.of_proven)
        };
        // The query may have been forgotten as proven.
        others.remove(query);
        make_room(answers, query, |answer| answer.at.elapsed() < fresh);
        answers.insert(query.clone(), answer);
    }

    /// Records that keys of the store have verified a request with this query.
    pub(super) fn prove(&mut self, query: &KeyQuery, fresh: Duration) {
        if let Some(answer) = self.of_others.remove(query) {
            if self.proven.len() >= MOST_PROVEN {
                keep_every_other(|keep| self.proven.retain(|_| keep()));
            }
            self.proven.insert(self.hasher.hash_one(query));
            self.insert(query, answer, fresh);
        }
    }

    /// Returns whether a genuine request had this query.
    pub(super) fn is_proven(&self, query: &KeyQuery) -> bool {
        self.proven.contains(&self.hasher.hash_one(query))
    }

    /// Returns whether the store may be asked. Anyone can make up ids of SharedKeys for an account that exists.
    pub(super) fn may_ask(&mut self, query: &KeyQuery, now: Instant) -> bool {
        if query.shared_key.is_none() || self.is_proven(query) {
            return true;
        }
        let in_same_second = |since: Instant| now.saturating_duration_since(since) < SECOND;
        make_room(&mut self.asked_for_ids, &query.account, |(since, _)| {
            in_same_second(*since)
        });
        let (since, count) = self
            .asked_for_ids
            .entry(query.account.clone())
            .or_insert((now, 0));
        if !in_same_second(*since) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= UNPROVEN_IDS
    }
}

/// Makes room for one more entry: removes those that no longer count, and every other one if most still do.
fn make_room<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: &K, counts: impl Fn(&V) -> bool) {
    if map.len() < CAPACITY || map.contains_key(key) {
        return;
    }
    map.retain(|_, value| counts(value));
    // So that a full map is not searched for each new entry.
    if map.len() > CAPACITY / 2 {
        keep_every_other(|keep| map.retain(|_, _| keep()));
    }
}

fn keep_every_other(retain: impl FnOnce(&mut dyn FnMut() -> bool)) {
    let mut keeps = false;
    retain(&mut || {
        keeps = !keeps;
        keeps
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(account: usize, id: Option<usize>) -> KeyQuery {
        KeyQuery {
            account: Some(format!("AC{account:032}").parse().unwrap()),
            shared_key: id.map(|id| id.to_string()),
        }
    }

    fn answer(keys: bool) -> Answer {
        let validator = || {
            let token = twilio_signature::AuthToken::new("12345").unwrap();
            Arc::new(RequestValidator::new([token]).unwrap())
        };
        Answer {
            keys: keys.then(validator),
            at: Instant::now(),
            again_at: None,
        }
    }

    const FRESH: Duration = Duration::from_secs(600);

    #[test]
    fn proven_answers_outlive_any_flood_and_the_flood_is_bounded() {
        let mut cache = Cache::default();
        let known = [query(1, None), query(1, Some(7))];
        for known in &known {
            cache.insert(known, answer(true), FRESH);
            cache.prove(known, FRESH);
        }
        for number in 0..3 * CAPACITY {
            // Some stores ignore the id, and have keys for each made-up one.
            cache.insert(&query(1, Some(1000 + number)), answer(true), FRESH);
            cache.insert(&query(1000 + number, None), answer(false), FRESH);
            assert!(cache.of_others.len() <= CAPACITY);
        }
        assert!(known.iter().all(|known| cache.get(known).is_some()));
    }

    #[test]
    fn more_proven_answers_than_fit_displace_one_another_alone() {
        let mut cache = Cache::default();
        for number in 0..2 * CAPACITY {
            cache.insert(&query(number, None), answer(true), FRESH);
            cache.prove(&query(number, None), FRESH);
            assert!(cache.get(&query(number, None)).is_some());
            assert!(cache.of_proven.len() <= CAPACITY);
        }
        assert!(cache.of_proven.len() > CAPACITY / 4);
    }

    #[test]
    fn a_query_stays_proven_when_its_answer_has_made_room_for_others() {
        let mut cache = Cache::default();
        let answer = answer(true);
        for fresh in [FRESH, Duration::ZERO] {
            for number in 0..3 * CAPACITY {
                cache.insert(&query(number, None), answer.clone(), fresh);
                cache.prove(&query(number, None), fresh);
            }
            assert!((0..3 * CAPACITY).all(|number| cache.is_proven(&query(number, None))));
        }
        for number in 0..MOST_PROVEN + CAPACITY {
            cache.insert(&query(number, None), answer.clone(), FRESH);
            cache.prove(&query(number, None), FRESH);
            assert!(cache.proven.len() <= MOST_PROVEN);
        }
        assert!(cache.proven.len() > MOST_PROVEN / 2);
        // One that was forgotten gets the newest answer, too.
        let forgotten = (0..).map(|number| query(number, None));
        let forgotten = forgotten.filter(|query| cache.of_proven.contains_key(query));
        let known: Vec<_> = forgotten.take(10).collect();
        cache.proven.clear();
        for query in known {
            let newer = answer.clone();
            let at = Instant::now();
            cache.insert(&query, Answer { at, ..newer }, FRESH);
            assert_eq!(cache.get(&query).unwrap().at, at);
        }
    }

    #[test]
    fn a_proven_query_stays_proven_until_the_store_has_no_keys() {
        let mut cache = Cache::default();
        let known = query(1, Some(7));
        cache.prove(&known, FRESH);
        assert!(cache.get(&known).is_none(), "there is nothing to prove");
        cache.insert(&known, answer(true), FRESH);
        cache.prove(&known, FRESH);
        cache.insert(&known, answer(true), FRESH);
        assert!(cache.is_proven(&known));
        cache.insert(&known, answer(false), FRESH);
        assert!(!cache.is_proven(&known));
        assert!(cache.get(&known).unwrap().keys.is_none());
    }

    #[test]
    fn older_answers_do_not_replace_newer_ones() {
        let mut cache = Cache::default();
        let older = answer(false);
        cache.insert(&query(1, None), answer(true), FRESH);
        cache.insert(&query(1, None), older, FRESH);
        assert!(cache.get(&query(1, None)).unwrap().keys.is_some());
    }

    #[test]
    fn made_up_ids_are_asked_for_a_few_times_a_second_and_account() {
        let mut cache = Cache::default();
        let start = Instant::now();
        let known = query(1, Some(0));
        cache.insert(&known, answer(true), FRESH);
        cache.prove(&known, FRESH);
        let mut asked = |account, second| {
            let now = start + SECOND * second;
            (1..100)
                .filter(|id| cache.may_ask(&query(account, Some(*id)), now))
                .count()
        };
        assert_eq!([asked(1, 0), asked(1, 0), asked(2, 0)], [10, 0, 10]);
        assert_eq!([asked(1, 1), asked(1, 1)], [10, 0]);
        let now = start + SECOND;
        assert!(cache.may_ask(&known, now));
        assert!(cache.may_ask(&query(1, None), now));
        for number in 0..3 * CAPACITY {
            cache.may_ask(&query(number, Some(1)), now);
            assert!(cache.asked_for_ids.len() <= CAPACITY);
        }
    }
}
