//! The order in which a search goes through a product of dimensions: the simplest picks first.

use std::ops::ControlFlow;

/// The costs of a dimension's alternatives, in ascending order. The first is free: it changes nothing.
pub(super) type Costs = Vec<u8>;

/// Visits all picks of one alternative from each dimension, those of the lowest total cost first,
/// until a visit breaks.
///
/// Nothing is built in advance, and no path of the search is a dead end: the work is in proportion
/// to the visits.
pub(super) fn cheapest_first<B>(
    dimensions: &[Costs],
    mut visit: impl FnMut(&[usize]) -> ControlFlow<B>,
) -> ControlFlow<B> {
    // Which sums the dimensions from each one on can make up, as a bit each.
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
        let end = cheapest_first::<()>(&dimensions, |picks| {
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
        let end = cheapest_first(&vec![vec![0, 1]; 20], |picks| {
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
