//! The price of fullness: what the fullest cluster costs, shared among all clusters.
//!
//! The fullest cluster is at least as full as any mean of all of them. So with parts of the goal's weight that sum to no more than one,
//! what a service fills of a cluster costs that cluster's part, and what is proved with these costs is a bound: Lagrangian relaxation, one
//! multiplier a row of the maximum (Geoffrion, [Lagrangean relaxation for integer programming](https://doi.org/10.1007/BFb0120690), 1974). Good
//! parts grow with how full a cluster is when services go where it is cheapest.

use super::left_out::fullest;
use super::lots::Lot;
use crate::adam::Adam;
use crate::placement::goals::FULL;
use crate::placement::{Goal, IntegerModel};

/// What a weight is divided into.
const PARTS: u32 = 1 << 20;

/// Looks at all pairs, where the effort suffices, and at least.
const ROUNDS: u64 = 400;
const LEAST_ROUNDS: u64 = 20;
/// The first steps of prices of capacity, over what services save for the room that they take, and of logarithms of parts; the last are
/// a hundredth.
const OF_PRICES: f64 = 0.1;
const OF_PARTS: f64 = 0.3;
/// How far above its cheapest cluster a service still goes at first, over what the room it takes saves on average; at last a thousandth.
const SOFT: f64 = 0.3;

/// The part of each resource of each cluster, cluster by cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fullness(Vec<u32>);

impl Fullness {
    /// Nothing is shared.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// `None` where these are no parts of the clusters of a model: nothing, or one for each resource of each, and no more than all in sum.
    pub(super) fn new(model: &IntegerModel<'_>, parts: &[u32]) -> Option<Self> {
        let sum: u64 = parts.iter().map(|part| u64::from(*part)).sum();
        let of_model = parts.is_empty() || parts.len() == model.clusters.len() * model.resources.len();
        (of_model && sum <= PARTS.into()).then(|| Self(parts.to_vec()))
    }

    pub(super) fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// What a lot costs at a cluster, in units of value, rounded down; `None` when it does not fit.
    pub(super) fn cost(&self, model: &IntegerModel<'_>, lot: &Lot, cluster: usize) -> Option<i128> {
        if self.0.is_empty() {
            return Some(0);
        }
        let resources = model.resources.len();
        let mut cost = 0_i128;
        for (resource, size) in model.sizes[cluster].iter().enumerate() {
            let part = self.0.get(cluster * resources + resource).copied().unwrap_or(0);
            let (Some(size), true) = (size, part > 0) else {
                continue;
            };
            let need = i128::try_from(lot.need(model, resource)).ok();
            let parts = need.and_then(|need| need.checked_mul(FULL as i128 * i128::from(part)));
            let filled = parts.and_then(|parts| parts.checked_mul(model.weight(Goal::Balance)));
            // what does not fit is left out, which can only lower a bound
            let filled = filled.unwrap_or(0).max(0);
            cost = cost.checked_add(filled / (i128::from(size.whole.max(1)) * i128::from(PARTS)))?;
        }
        Some(cost)
    }

    /// What is left of something of the whole goal when the parts are taken away, rounded down.
    pub(super) fn rest(&self, of: i128) -> Option<i128> {
        let taken: i128 = self.0.iter().map(|part| i128::from(*part)).sum();
        let parts = i128::from(PARTS);
        Some(of.checked_mul(parts - taken)? / parts)
    }

    /// Parts that bound well, where sharing proves more than the least there can be of the goal; and the work that took.
    pub(super) fn find(model: &IntegerModel<'_>, effort: u64) -> (Self, u64) {
        let weight = model.weight(Goal::Balance);
        if weight <= 0 {
            return (Self::none(), 0);
        }
        let relaxed = Relaxed::new(model, weight as f64 * FULL as f64);
        let a_round = relaxed.a_round();
        let rounds = (effort / 2 / a_round.max(1)).clamp(LEAST_ROUNDS, ROUNDS);
        let (apart, _) = relaxed.ascend(rounds, false);
        let (shared, parts) = relaxed.ascend(rounds, true);
        let work = 2 * rounds * a_round;
        if shared <= apart + weight as f64 * fullest(model) as f64 {
            return (Self::none(), work);
        }
        let whole = parts.iter().map(|part| (part * f64::from(PARTS)) as u32);
        (
            Self::new(model, &whole.collect::<Vec<_>>()).unwrap_or(Self::none()),
            work,
        )
    }
}

/// What a service asks for.
struct Service {
    /// Resources and how much of each.
    needs: Vec<(usize, f64)>,
    /// Clusters that are open to it, and what it costs there.
    open: Vec<(usize, f64)>,
}

/// The linear relaxation with prices on the capacity of each resource of each cluster.
struct Relaxed {
    services: Vec<Service>,
    resources: usize,
    /// By row, a resource of a cluster: the share of it in a base unit; 0 where there is none, or no end of it.
    share: Vec<f64>,
    /// By row: what there is for services, as a share of the whole; nothing for rows without a limit.
    capacity: Vec<Option<f64>>,
    /// What a full cluster costs.
    weight: f64,
}

impl Relaxed {
    fn new(model: &IntegerModel<'_>, weight: f64) -> Self {
        let sizes = model
            .sizes
            .iter()
            .flatten()
            .map(|size| size.as_ref().map(|size| size.whole));
        let share = sizes.map(|whole| {
            whole
                .filter(|whole| *whole > 0)
                .map_or(0.0, |whole| 1.0 / whole as f64)
        });
        let share: Vec<f64> = share.collect();
        let capacity = model.capacity.iter().flatten().zip(&share).map(|(has, share)| {
            let hard = has.filter(|_| model.overload.is_none() && *share > 0.0);
            hard.map(|has| has as f64 * share)
        });
        let services = model.services.iter().map(|service| {
            let needs = service.need.iter().enumerate().filter(|(_, need)| **need > 0);
            let open = service.open.iter().zip(&service.amounts);
            Service {
                needs: needs
                    .map(|(resource, need)| (resource, *need as f64 * f64::from(service.replicas)))
                    .collect(),
                open: open
                    .map(|(cluster, amounts)| (*cluster, model.worth(amounts).unwrap_or(0) as f64))
                    .collect(),
            }
        });
        Self {
            services: services.collect(),
            resources: model.resources.len(),
            capacity: capacity.collect(),
            share,
            weight,
        }
    }

    /// What one look at all pairs takes.
    fn a_round(&self) -> u64 {
        let services = self.services.iter();
        services
            .map(|service| service.open.len() as u64 * (12 + 4 * service.needs.len() as u64))
            .sum()
    }

    /// The rows that a service fills at a cluster, and how much of each.
    fn fills<'r>(&'r self, service: &'r Service, cluster: usize) -> impl Iterator<Item = (usize, f64)> + 'r {
        let needs = service.needs.iter();
        needs.map(move |(resource, need)| {
            let row = cluster * self.resources + resource;
            (row, need * self.share[row])
        })
    }

    /// The most that prices prove in so many rounds, and the parts with which they do; no parts unless the goal is `shared`.
    fn ascend(&self, rounds: u64, shared: bool) -> (f64, Vec<f64>) {
        let rows = self.capacity.len();
        let weight = if shared { self.weight } else { 0.0 };
        let (mut prices, mut logs) = (vec![0.0; rows], vec![0.0; rows]);
        let (mut of_prices, mut of_parts) = (Adam::new(rows), Adam::new(rows));
        let mut best = (f64::NEG_INFINITY, vec![0.0; rows]);
        let (stride, a_share) = self.stride();
        for round in 0..rounds {
            let progress = round as f64 / rounds as f64;
            let parts = self.parts(&logs);
            let soft = SOFT * stride * a_share * 0.001_f64.powf(progress);
            let (proved, filled) = self.look(&prices, &parts, weight, soft);
            if proved > best.0 {
                best = (proved, parts.clone());
            }
            let over = filled.iter().zip(&self.capacity);
            let over = over.map(|(filled, capacity)| capacity.map_or(0.0, |capacity| filled - capacity));
            let mean: f64 = parts
                .iter()
                .zip(&filled)
                .map(|(part, filled)| part * filled)
                .sum();
            let fuller = filled.iter().map(|filled| filled - mean);
            let (over, fuller): (Vec<f64>, Vec<f64>) = (over.collect(), fuller.collect());
            let length = 0.01_f64.powf(progress);
            of_prices.step(&over, OF_PRICES * stride * length, 0.0, &mut prices);
            of_parts.step(&fuller, OF_PARTS * length, f64::NEG_INFINITY, &mut logs);
        }
        best
    }

    /// Parts of the rows that can be filled, which sum to one, by their logarithms.
    fn parts(&self, logs: &[f64]) -> Vec<f64> {
        let rows = || {
            logs.iter()
                .zip(&self.share)
                .map(|(log, share)| (log, *share > 0.0))
        };
        let most = rows().filter(|(_, counts)| *counts).map(|(log, _)| *log);
        let most = most.fold(f64::NEG_INFINITY, f64::max);
        let parts = rows().map(|(log, counts)| if counts { (log - most).exp() } else { 0.0 });
        let parts: Vec<f64> = parts.collect();
        let sum: f64 = parts.iter().sum();
        parts.iter().map(|part| part / sum.max(1.0)).collect()
    }

    /// What prices and parts prove, and how full every row is when services go where it is not much dearer than at the cheapest: a few that
    /// jump together tell nothing of what to price. Softly, as Nesterov, [Smooth minimization of non-smooth
    /// functions](https://doi.org/10.1007/s10107-004-0552-5), 2005.
    fn look(&self, prices: &[f64], parts: &[f64], weight: f64, soft: f64) -> (f64, Vec<f64>) {
        let of_rows = prices.iter().zip(&self.capacity);
        let of_capacity = of_rows.map(|(price, capacity)| price * capacity.unwrap_or(0.0));
        let mut proved = -of_capacity.sum::<f64>();
        let of_row: Vec<f64> = prices
            .iter()
            .zip(parts)
            .map(|(price, part)| price + weight * part)
            .collect();
        let mut filled = vec![0.0; prices.len()];
        let mut costs = Vec::new();
        for service in self.services.iter().filter(|service| !service.open.is_empty()) {
            costs.clear();
            costs.extend(service.open.iter().map(|(cluster, cost)| {
                let priced = self
                    .fills(service, *cluster)
                    .map(|(row, share)| of_row[row] * share);
                cost + priced.sum::<f64>()
            }));
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            proved += least;
            let near = |cost: &f64| (-(cost - least) / soft.max(f64::MIN_POSITIVE)).exp();
            let all: f64 = costs.iter().map(near).sum();
            for (cost, (cluster, _)) in costs.iter().zip(&service.open) {
                let goes = near(cost) / all;
                for (row, share) in self.fills(service, *cluster) {
                    filled[row] += goes * share;
                }
            }
        }
        (proved, filled)
    }

    /// What services save by going where they are cheapest, over the room that they take; and what they take on average.
    fn stride(&self) -> (f64, f64) {
        let (mut saved, mut taken, mut shares, mut pairs) = (self.weight, 0.0, 0.0, 0.0);
        for service in self.services.iter().filter(|service| !service.open.is_empty()) {
            let costs = || service.open.iter().map(|(_, cost)| *cost);
            let filled = |cluster: usize| self.fills(service, cluster).map(|(_, share)| share).sum::<f64>();
            let fills = || service.open.iter().map(|(cluster, _)| filled(*cluster));
            saved += costs().fold(f64::NEG_INFINITY, f64::max) - costs().fold(f64::INFINITY, f64::min);
            taken += fills().fold(0.0, f64::max);
            shares += fills().sum::<f64>();
            pairs += service.open.len() as f64;
        }
        (saved / (1.0 + taken), shares / pairs.max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::PlacementProblem;

    #[test]
    fn parts_weigh_what_is_filled_and_leave_the_rest() {
        let text = "
problem:
  goals: {money: 1, carbon: 0, moves: 0, balance: 1}
  services: [{name: p/g/one, replicas: 3, perReplica: {cpu: 1}}]
  clusters:
    - {name: small, capacity: {cpu: 4}, price: {cpu: 0.01}}
    - {name: large, capacity: {cpu: 8}, taken: {cpu: 4}, price: {cpu: 0.02}}
";
        let problem = PlacementProblem::parse(text).unwrap();
        let model = IntegerModel::without_code(&problem).unwrap();
        let lot = Lot {
            parts: vec![(0, 3)],
            home: None,
        };
        let weight = model.weight(Goal::Balance);
        // a quarter of the goal at the small one, which is filled by three quarters; half of it at the large one
        let quarters = Fullness::new(&model, &[PARTS / 4, PARTS / 2]).unwrap();
        assert_eq!(quarters.cost(&model, &lot, 0), Some(weight * 10_000 * 3 / 16));
        assert_eq!(quarters.cost(&model, &lot, 1), Some(weight * 10_000 * 3 / 24));
        assert_eq!(quarters.rest(400), Some(100));
        assert_eq!(
            (Fullness::none().rest(400), Fullness::none().cost(&model, &lot, 0)),
            (Some(400), Some(0))
        );
        for refused in [&[PARTS, 1][..], &[1], &[0, 0, 0]] {
            assert_eq!(Fullness::new(&model, refused), None);
        }
        let (found, work) = Fullness::find(&model, 1_000_000);
        assert!(work > 0 && found.as_slice().iter().sum::<u32>() <= PARTS);
    }
}
