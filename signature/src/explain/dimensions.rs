//! The dimensions of the search, and the order in which their combinations are tried: the simplest first.

use std::ops::ControlFlow;

/// Declares the dimensions, so that each has a name and a position.
macro_rules! dimensions {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A way in which the signed text may differ from what the app saw.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Dimension {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Dimension {
            /// All dimensions, in the order in which they are combined: a later one varies faster.
            pub(super) const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

dimensions! {
    /// The whole URL that hints make up together.
    Base,
    /// The scheme: secure or not, WebSocket or not.
    Scheme,
    /// The host with its port.
    Host,
    /// The user info.
    UserInfo,
    /// The path.
    Path,
    /// How the host and the path are spelled.
    Spelling,
    /// The slash at the end of the path.
    Slash,
    /// The query.
    Query,
    /// The escapes in the query.
    QueryEncoding,
    /// The order of the query.
    QueryOrder,
    /// The keys.
    Keys,
    /// Which part of the body is signed after the URL.
    Covered,
    /// How the parameters are decoded.
    Decoding,
    /// Whether white space around the parameters' values is trimmed.
    Trim,
    /// Whether empty parameters are dropped.
    Empties,
    /// Which of the values of a repeated parameter are signed.
    Repeats,
    /// Whether the query's parameters are mixed with those of the body.
    QueryParams,
    /// A change of single parameters.
    Single,
}

/// The costs of a dimension's alternatives, in ascending order. The first is free: it changes nothing.
pub(super) type Costs = Vec<u8>;

/// The alternatives of a dimension, in the order of their costs.
#[derive(Debug)]
pub(super) struct Alternatives<T> {
    costs: Costs,
    values: Vec<T>,
}

impl<T> Alternatives<T> {
    /// Begins with the alternative that changes nothing.
    pub(super) fn of(own: T) -> Self {
        Self {
            costs: vec![0],
            values: vec![own],
        }
    }

    /// Adds an alternative behind those that cost no more.
    pub(super) fn add(&mut self, cost: u8, value: T) {
        let place = add_cost(&mut self.costs, cost);
        self.values.insert(place, value);
    }

    /// Adds alternatives that cost the same.
    pub(super) fn add_all(&mut self, cost: u8, values: impl IntoIterator<Item = T>) {
        for value in values {
            self.add(cost, value);
        }
    }

    pub(super) fn costs(&self) -> Costs {
        self.costs.clone()
    }

    /// Returns the alternatives with their costs.
    #[cfg(test)]
    pub(super) fn into_costed(self) -> Vec<(u8, T)> {
        self.costs.into_iter().zip(self.values).collect()
    }
}

/// Adds a cost behind those that are not higher, and returns its place.
fn add_cost(costs: &mut Costs, cost: u8) -> usize {
    let place = costs.partition_point(|known| *known <= cost);
    costs.insert(place, cost);
    place
}

/// One alternative of each dimension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picks<'a>(&'a [usize]);

impl Picks<'_> {
    /// Returns the alternative that is picked in a dimension.
    pub(super) fn get<T>(self, dimension: Dimension, of: &Alternatives<T>) -> Option<&T> {
        let pick = self.0.get(dimension as usize)?;
        of.values.get(*pick)
    }

    /// Returns whether a dimension differs from what the app saw.
    #[cfg(test)]
    pub(super) fn changes(self, dimension: Dimension) -> bool {
        self.0.get(dimension as usize).is_some_and(|pick| *pick > 0)
    }
}

/// Visits all combinations of one alternative from each dimension, those of the lowest total cost first,
/// until a visit breaks. `costs_of` returns the costs of each dimension.
///
/// Nothing is built in advance, and no path of the search is a dead end, so the work is proportional to the
/// number of visits.
pub(super) fn cheapest_first<B>(
    costs_of: impl Fn(Dimension) -> Costs,
    mut visit: impl FnMut(Picks<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let costs: Vec<_> = Dimension::ALL
        .iter()
        .map(|dimension| costs_of(*dimension))
        .collect();
    combine(&costs, |picks| visit(Picks(picks)))
}

fn combine<B>(
    dimensions: &[Costs],
    mut visit: impl FnMut(&[usize]) -> ControlFlow<B>,
) -> ControlFlow<B> {
    // For each dimension, the total costs that it and the later ones can make up, with one bit for each total.
    let mut sums = vec![1_u128];
    for costs in dimensions.iter().rev() {
        let after = sums.last().copied().unwrap_or_default();
        let sum = costs.iter().fold(0, |sum, cost| {
            sum | after.checked_shl((*cost).into()).unwrap_or(0)
        });
        sums.push(sum);
    }
    sums.reverse();
    for total in 0..u128::BITS {
        descend(dimensions, &sums, total, &mut Vec::new(), &mut visit)?;
    }
    ControlFlow::Continue(())
}

fn descend<B>(
    dimensions: &[Costs],
    sums: &[u128],
    left: u32,
    picks: &mut Vec<usize>,
    visit: &mut impl FnMut(&[usize]) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let ([here, after @ ..], Some(costs)) = (sums, dimensions.first()) else {
        return if left == 0 {
            visit(picks)
        } else {
            ControlFlow::Continue(())
        };
    };
    if here >> left & 1 == 0 {
        return ControlFlow::Continue(());
    }
    for (pick, cost) in costs.iter().enumerate() {
        let Some(left) = left.checked_sub((*cost).into()) else {
            break;
        };
        picks.push(pick);
        descend(
            dimensions.get(1..).unwrap_or_default(),
            after,
            left,
            picks,
            visit,
        )?;
        picks.pop();
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_come_once_each_and_by_cost() {
        let dimensions = [vec![0, 1, 3], vec![0], vec![0, 2, 2]];
        let mut seen = Vec::new();
        let end = combine::<()>(&dimensions, |picks| {
            seen.push(picks.to_vec());
            ControlFlow::Continue(())
        });
        assert!(end.is_continue());
        let cost = |picks: &Vec<usize>| -> u8 {
            picks
                .iter()
                .zip(&dimensions)
                .map(|(pick, costs)| costs[*pick])
                .sum()
        };
        let costs: Vec<_> = seen.iter().map(cost).collect();
        assert_eq!(costs, [0, 1, 2, 2, 3, 3, 3, 5, 5]);
        assert_eq!(seen.first().unwrap(), &[0, 0, 0]);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 9);
    }

    #[test]
    fn search_ends_where_a_visit_breaks() {
        let mut visits = 0;
        let end = combine(&vec![vec![0, 1]; 20], |picks| {
            visits += 1;
            if picks.iter().sum::<usize>() == 2 {
                ControlFlow::Break(picks.to_vec())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(end.is_break());
        assert_eq!(visits, 22);
    }
}
