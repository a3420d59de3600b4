//! Costs of pairs of clusters as distances between classes of clusters that are alike.

use crate::quadratic::Distance;

/// From costs at `from * clusters + to`, which are not negative.
pub(super) fn distance(clusters: usize, costs: &[i64]) -> Distance {
    let at = |from: usize, to: usize| costs[from * clusters + to];
    let mut firsts: Vec<usize> = Vec::new();
    let mut class = Vec::with_capacity(clusters);
    for cluster in 0..clusters {
        let alike = |first: &usize| {
            let inside = at(cluster, cluster) == at(*first, *first)
                && at(cluster, *first) == at(cluster, cluster)
                && at(*first, cluster) == at(cluster, cluster);
            let mut others = (0..clusters).filter(|other| other != first && *other != cluster);
            inside
                && others.all(|other| {
                    at(cluster, other) == at(*first, other) && at(other, cluster) == at(other, *first)
                })
        };
        let known = firsts.iter().position(alike);
        class.push(known.unwrap_or_else(|| {
            firsts.push(cluster);
            firsts.len() - 1
        }));
    }
    Distance::new(class, |from, to| at(firsts[from], firsts[to]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_that_are_alike_share_a_class() {
        // a and b in one region, c far away
        let costs = [0, 0, 7, 0, 0, 7, 9, 9, 1];
        let distance = distance(3, &costs);
        for from in 0..3 {
            for to in 0..3 {
                assert_eq!(distance.between(from, to), Some(costs[from * 3 + to]));
            }
        }
        assert_eq!(
            distance,
            Distance::new(vec![0, 0, 1], |from, to| [[0, 7], [9, 1]][from][to])
        );
    }
}
