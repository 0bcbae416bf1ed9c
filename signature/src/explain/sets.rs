//! Operations on many elements that do not compare each with each, since a forger chooses how many there are.

use std::{collections::HashSet, hash::Hash};

/// Returns whether all of some elements are among others.
pub(super) fn contains_all<T: Eq + Hash>(all: &[T], some: &[T]) -> bool {
    let all: HashSet<_> = all.iter().collect();
    some.iter().all(|one| all.contains(one))
}

/// Removes the elements that are among others.
pub(super) fn remove_all<T: Eq + Hash>(from: &mut Vec<T>, others: &[T]) {
    let others: HashSet<_> = others.iter().collect();
    from.retain(|one| !others.contains(one));
}

/// Returns the elements that are different from each other and from `own`, in their order.
pub(super) fn distinct<T: Eq + Hash + Clone>(mut found: Vec<T>, own: Option<&T>) -> Vec<T> {
    let mut known = HashSet::new();
    known.extend(own.cloned());
    found.retain(|one| known.insert(one.clone()));
    found
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static COMPARED: Cell<u32> = const { Cell::new(0) };
    }

    /// A number that counts how often it is compared.
    #[derive(Debug, Clone)]
    struct Counted(u32);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counted {}

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
        assert_eq!(distinct(vec![1, 3, 2, 3, 0], Some(&1)), [3, 2, 0]);
        assert_eq!(distinct(vec![1, 1], None), [1]);
    }

    #[test]
    fn twice_as_many_elements_are_not_compared_four_times_as_often() {
        let compared = |count: u32| {
            let [all, others] =
                [0, count].map(|first| -> Vec<_> { (first..first + count).map(Counted).collect() });
            COMPARED.set(0);
            assert!(contains_all(&all, &all));
            remove_all(&mut all.clone(), &others);
            assert_eq!(distinct(all, Some(&Counted(count))).len(), count as usize);
            COMPARED.get()
        };
        let (some, twice) = (compared(2_000), compared(4_000));
        assert!(twice < some * 5 / 2, "{some}, {twice}");
    }
}
