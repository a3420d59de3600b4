//! The placements that are cheapest to make sound.

use super::Edit;
use super::asker::Asker;
use super::repair_cost::RepairCosts;
use super::repair_undo::{add, covers, or_drop, settle, undo, undo_unseen};
use super::repairs::RepairLimits;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{Assignment, Breach, Placement, PlacementProblem, Value, verify};

/// What is placed anew, and what stays.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) free: Vec<ServiceKey>,
    pub(super) fixed: Placement,
}

impl Scope {
    /// Everything is placed anew.
    pub(super) fn all(problem: &PlacementProblem) -> Self {
        let running = problem.services.iter().filter(|(_, demand)| demand.replicas > 0);
        Self {
            free: running.map(|(service, _)| service.clone()).collect(),
            fixed: Placement::new(),
        }
    }
}

/// Changes that make some placement sound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) edits: Vec<Edit>,
    pub(super) cost: Value,
}

impl Plan {
    /// True when the other one does all of this and more.
    fn is_part_of(&self, other: &Self) -> bool {
        self.edits
            .iter()
            .all(|edit| other.edits.iter().any(|more| covers(more, edit)))
    }
}

/// The cheapest plans.
#[derive(Debug, Default)]
pub(super) struct Plans {
    pub(super) plans: Vec<Plan>,
    /// True when there is no cheaper one than the first.
    pub(super) complete: bool,
    /// Known plans have given way to a part of them: what was left out while they filled the list may belong there.
    thinned: bool,
}

impl Plans {
    pub(super) fn merge(&mut self, other: Self, most: usize) {
        for plan in other.plans {
            self.add(plan, most);
        }
    }

    pub(super) fn add(&mut self, plan: Plan, most: usize) {
        if self.plans.iter().any(|known| known.is_part_of(&plan)) {
            return;
        }
        let before = self.plans.len();
        self.plans.retain(|known| !plan.is_part_of(known));
        self.thinned |= self.plans.len() < before;
        let at = self.plans.partition_point(|known| known.cost <= plan.cost);
        self.plans.insert(at, plan);
        self.plans.truncate(most);
    }

    /// A plan that costs this or more is none of the best.
    fn most_useful(&self, most: usize) -> Option<Value> {
        (self.plans.len() >= most).then(|| self.plans.last().map(|plan| plan.cost))?
    }
}

/// Looks at placements of the free services, however many rules they break, depth first; whole branches are left out once
/// what is placed already costs more to make sound than the plans that are known. That is never too early: placing more
/// undoes no breach.
pub(super) fn search(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    scope: &Scope,
    limits: RepairLimits,
) -> Plans {
    let mut search = Search {
        asker,
        until_told: LOOKS_BETWEEN,
        problem,
        limits,
        free: order(problem, scope),
        placement: scope.fixed.clone(),
        fewer: Vec::new(),
        left: limits.placements,
        price: 1 + problem.services.len() as u64 / SERVICES_PER_LOOK,
        plans: Plans::default(),
    };
    for service in &scope.free {
        search.placement.set(service.clone(), Assignment::default());
    }
    search.descend(0);
    let clusters = problem.clusters.len();
    let mut demands = problem.services.values();
    let all_ways = demands.all(|demand| can_divide(demand.replicas, clusters));
    let complete = search.left > 0 && scope.fixed.is_empty() && all_ways;
    let stopped = |search: &Search<'_, '_>| search.asker.is_stopped();
    while search.left > 0 && !stopped(&search) && std::mem::take(&mut search.plans.thinned) {
        search.left = limits.placements;
        search.descend(0);
    }
    Plans {
        complete,
        ..search.plans
    }
}

/// A look at more services than this counts as several.
const SERVICES_PER_LOOK: u64 = 8;

/// Looks between two reports to the one who watches.
const LOOKS_BETWEEN: u64 = 1000;

/// The replicas of a service are looked at apart where there are at most so many ways to place all or some of them.
const MOST_WAYS: u128 = 1000;

/// True when there are few enough ways to divide the replicas, or nothing to divide.
fn can_divide(replicas: u32, clusters: usize) -> bool {
    if replicas < 2 {
        return true;
    }
    // All or some of r replicas on m clusters: (r + m) over m, the empty way aside.
    let (more, fewer) = {
        let clusters = clusters as u128;
        (clusters.max(replicas.into()), clusters.min(replicas.into()))
    };
    let mut ways = 1_u128;
    for step in 1..=fewer {
        ways = ways * (more + step) / step;
        if ways > MOST_WAYS + 1 {
            return false;
        }
    }
    true
}

/// Every way to put the replicas on two clusters or more.
fn divided(clusters: &[ClusterName], replicas: u32) -> Vec<Assignment> {
    fn fill(
        clusters: &[ClusterName],
        left: u32,
        parts: &mut Vec<(ClusterName, u32)>,
        ways: &mut Vec<Assignment>,
    ) {
        if left == 0 {
            if parts.len() > 1 {
                ways.push(parts.iter().cloned().collect());
            }
            return;
        }
        let Some((first, rest)) = clusters.split_first() else {
            return;
        };
        for there in (1..=left).rev() {
            parts.push((first.clone(), there));
            fill(rest, left - there, parts, ways);
            parts.pop();
        }
        fill(rest, left, parts, ways);
    }
    let mut ways = Vec::new();
    fill(clusters, replicas, &mut Vec::new(), &mut ways);
    ways
}

/// Large services first: they decide most.
fn order(problem: &PlacementProblem, scope: &Scope) -> Vec<ServiceKey> {
    let mut free = scope.free.clone();
    free.sort_by_key(|service| {
        let demand = problem.services.get(service);
        let total = demand.and_then(crate::placement::ServiceDemand::total);
        std::cmp::Reverse(total.map_or(0, |total| total.cpu().millicores()))
    });
    free
}

/// A way to place a service: what it costs to make everything so far sound, the replicas left out, how many clusters it
/// takes (together comes before apart where both cost the same), and the replicas on each.
type Choice = (Value, u32, usize, Vec<(ClusterName, u32)>);

struct Search<'a, 'w> {
    asker: &'a Asker<'w>,
    /// Looks until the one who watches is asked again.
    until_told: u64,
    problem: &'a PlacementProblem,
    limits: RepairLimits,
    free: Vec<ServiceKey>,
    placement: Placement,
    /// Services with fewer replicas, and how many are left.
    fewer: Vec<(ServiceKey, u32)>,
    left: u64,
    /// What a look at a placement counts.
    price: u64,
    plans: Plans,
}

impl Search<'_, '_> {
    fn descend(&mut self, depth: usize) {
        if self.left == 0 {
            return;
        }
        let Some(service) = self.free.get(depth).cloned() else {
            if let Some(plan) = self.plan() {
                self.plans.add(plan, self.limits.repairs);
            }
            return;
        };
        let demand = self.problem.services.get(&service);
        let replicas = demand.map_or(0, |demand| demand.replicas);
        let clusters: Vec<ClusterName> = self.problem.clusters.keys().cloned().collect();
        let apart = can_divide(replicas, clusters.len()) && self.may_divide(&service);
        let mut choices: Vec<Choice> = Vec::new();
        for kept in (1..=replicas).rev() {
            let whole = clusters.iter().cloned();
            let mut ways: Vec<_> = whole.map(|cluster| Assignment::single(cluster, kept)).collect();
            if apart {
                ways.extend(divided(&clusters, kept));
            }
            for way in ways {
                if self.left == 0 {
                    return;
                }
                self.left = self.left.saturating_sub(self.price);
                self.tell();
                let parts: Vec<_> = way.iter().map(|(name, there)| (name.clone(), there)).collect();
                self.put(&service, way, replicas);
                let cost = self.plan().map(|plan| plan.cost);
                self.lift(&service);
                if let Some(cost) = cost {
                    choices.push((cost, replicas - kept, parts.len(), parts));
                }
            }
        }
        choices.sort();
        for (cost, .., parts) in choices {
            let beaten = self.plans.most_useful(self.limits.repairs);
            if beaten.is_some_and(|most| cost >= most) {
                break;
            }
            self.put(&service, parts.into_iter().collect(), replicas);
            self.descend(depth + 1);
            self.lift(&service);
        }
    }

    /// Ends the search where the one who watches has enough.
    fn tell(&mut self) {
        match self.until_told.checked_sub(self.price) {
            Some(rest) => self.until_told = rest,
            None if self.asker.goes_on() => self.until_told = LOOKS_BETWEEN,
            None => self.left = 0,
        }
    }

    /// False where letting the replicas of a service apart costs too much already to be of use.
    fn may_divide(&self, service: &ServiceKey) -> bool {
        let demand = self.problem.services.get(service);
        if demand.is_none_or(|demand| demand.is_split()) {
            return true;
        }
        let split = Edit::LetSplit {
            service: service.clone(),
        };
        let split = self.limits.costs.of(self.problem, &split);
        let beaten = self.plans.most_useful(self.limits.repairs);
        match (beaten, split, self.plan()) {
            (Some(most), Some(split), Some(plan)) => plan.cost.plus(split) < most,
            _ => true,
        }
    }

    fn put(&mut self, service: &ServiceKey, way: Assignment, replicas: u32) {
        let kept = way.replicas();
        self.placement.set(service.clone(), way);
        if kept < replicas {
            self.fewer.push((service.clone(), kept));
        }
    }

    fn lift(&mut self, service: &ServiceKey) {
        self.placement.set(service.clone(), Assignment::default());
        self.fewer.retain(|(known, _)| known != service);
    }

    /// What makes the placement sound, as far as it goes; `None` where nothing does.
    fn plan(&self) -> Option<Plan> {
        let mut edits: Vec<Edit> = Vec::new();
        let fewer = self.fewer.iter().map(|(service, replicas)| Edit::Replicas {
            service: service.clone(),
            replicas: *replicas,
        });
        edits.extend(fewer);
        let whole = self
            .free
            .iter()
            .all(|service| self.placement.get(service).is_some());
        let alone = |service: &ServiceKey| {
            let mut fewer = self.fewer.iter();
            fewer.any(|(known, kept)| known == service && *kept < 2)
        };
        for breach in verify(self.problem, &self.placement) {
            match &breach {
                // Replicas that are still to be placed, or left out on purpose.
                Breach::Replicas { .. } => continue,
                // What placing more may undo.
                Breach::OverBudget { .. } | Breach::Custom { .. } if !whole => continue,
                // One replica is asked for nothing.
                Breach::NotAvailable { service, .. } if alone(service) => continue,
                _ => {}
            }
            for edit in undo(self.problem, &self.placement, &breach)? {
                add(&mut edits, edit);
            }
        }
        for (service, assignment) in self.placement.iter().filter(|(service, _)| !alone(service)) {
            for cluster in assignment.clusters() {
                undo_unseen(self.problem, &self.placement, service, cluster)
                    .into_iter()
                    .for_each(|edit| add(&mut edits, edit));
            }
        }
        let costs = &self.limits.costs;
        let edits: Vec<Edit> = settle(&edits)
            .into_iter()
            .map(|edit| or_drop(self.problem, costs, edit))
            .collect();
        let cost = cost(self.problem, costs, &edits)?;
        Some(Plan { edits, cost })
    }
}

pub(super) fn cost(problem: &PlacementProblem, costs: &RepairCosts, edits: &[Edit]) -> Option<Value> {
    edits
        .iter()
        .try_fold(Value::ZERO, |sum, edit| Some(sum.plus(costs.of(problem, edit)?)))
}
