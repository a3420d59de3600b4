//! One service by itself: its cheapest replicas when nothing is shared, in closed form.

use super::dense::{Item, Pair};

/// The cheapest replicas of a service on its clusters, at most `limits[k]` on its k-th and `lo..=hi` in all, where one
/// replica on its k-th cluster costs `prices[k]` more. Writes them to `out` and gives their cost, prices included.
/// `None` when `limits` allow fewer than `lo`. Of equally cheap answers it takes the one with the fewest replicas.
///
/// The cost is a sum of convex functions, one a cluster, so the greedy choice of the cheapest next replica is optimal.
pub(super) fn relax(
    item: &Item,
    pairs: &[Pair],
    prices: &[i128],
    limits: &[u32],
    out: &mut [u32],
) -> Option<i128> {
    if let ([pair], [price], [limit], [out]) = (pairs, prices, limits, &mut *out) {
        // The cost falls up to `current` where `below` is negative, and up to the limit where even `above` is.
        let wanted = if pair.above + price < 0 {
            item.hi
        } else if pair.below + price < 0 {
            pair.current
        } else {
            0
        };
        if item.lo > item.hi.min(*limit) {
            return None;
        }
        *out = wanted.clamp(item.lo, item.hi).min(*limit);
        return Some(pair.cost(*out) + i128::from(*out) * price);
    }
    out.fill(0);
    let mut total = 0_u32;
    let mut cost: i128 = pairs.iter().map(|pair| pair.none).sum();
    while total < item.hi {
        let mut best: Option<(usize, i128, u32)> = None;
        for (index, pair) in pairs.iter().enumerate() {
            let placed = out[index];
            if placed >= limits[index] {
                continue;
            }
            let (slope, end) = if placed < pair.current {
                (pair.below, limits[index].min(pair.current))
            } else {
                (pair.above, limits[index])
            };
            let slope = slope + prices[index];
            if best.is_none_or(|(_, least, _)| slope < least) {
                best = Some((index, slope, end - placed));
            }
        }
        let Some((index, slope, most)) = best else { break };
        let wanted = if slope < 0 {
            item.hi - total
        } else {
            item.lo.saturating_sub(total)
        };
        let step = most.min(wanted);
        if step == 0 {
            break;
        }
        out[index] += step;
        total += step;
        cost += i128::from(step) * slope;
    }
    (total >= item.lo && item.lo <= item.hi).then_some(cost)
}
