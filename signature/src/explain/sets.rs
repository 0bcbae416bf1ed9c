//! Operations on many elements that do not compare each with each, since a forger chooses how many there are.

use std::{
    collections::{BTreeSet, HashSet},
    hash::Hash,
};

/// Returns whether all of some elements are among others.
pub(super) fn contains_all<T: Ord>(all: &[T], some: &[T]) -> bool {
    let all: BTreeSet<_> = all.iter().collect();
    some.iter().all(|one| all.contains(one))
}

/// Removes the elements that are among others.
pub(super) fn remove_all<T: Ord>(from: &mut Vec<T>, others: &[T]) {
    let others: BTreeSet<_> = others.iter().collect();
    from.retain(|one| !others.contains(one));
}

/// Returns the elements that are different from each other and from `own`, in their order.
pub(super) fn distinct<T: Eq + Hash + Clone>(found: Vec<T>, own: &T) -> impl Iterator<Item = T> {
    let mut known = HashSet::from([own.clone()]);
    found
        .into_iter()
        .filter(move |one| known.insert(one.clone()))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, cmp::Ordering};

    use super::*;

    thread_local! {
        static COMPARED: Cell<u32> = const { Cell::new(0) };
    }

    /// A number that counts how often it is compared.
    #[derive(Debug, Clone)]
    struct Counted(u32);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }

    impl Eq for Counted {}

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARED.set(COMPARED.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl Hash for Counted {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn elements_are_found_removed_and_left_once() {
        assert!(contains_all(&[3, 1, 2], &[2, 3, 3]) && contains_all(&[1], &[]));
        assert!(!contains_all(&[1], &[1, 2]));
        let mut from = vec![3, 1, 2, 1];
        remove_all(&mut from, &[1, 4]);
        assert_eq!(from, [3, 2]);
        let left: Vec<_> = distinct(vec![1, 3, 2, 3, 0], &1).collect();
        assert_eq!(left, [3, 2, 0]);
    }

    #[test]
    fn twice_as_many_elements_are_not_compared_four_times_as_often() {
        let compared = |count: u32| {
            let [all, others] =
                [0, count].map(|first| -> Vec<_> { (first..first + count).map(Counted).collect() });
            COMPARED.set(0);
            assert!(contains_all(&all, &all));
            remove_all(&mut all.clone(), &others);
            assert_eq!(distinct(all, &Counted(count)).count(), count as usize);
            COMPARED.get()
        };
        let (some, twice) = (compared(2_000), compared(4_000));
        assert!(twice < some * 5 / 2, "{some}, {twice}");
    }
}
