//! The placements that are cheapest to make sound.

use std::collections::BTreeSet;

use super::Edit;
use super::repair_cost::RepairCosts;
use super::repairs::RepairLimits;
use crate::cluster::Path;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{Assignment, Breach, Placement, PlacementProblem, Reason, Value, verify};
use crate::units::DataRate;

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

/// True when the first edit does at least what the second one does.
fn covers(more: &Edit, less: &Edit) -> bool {
    match (more, less) {
        (
            Edit::AddCapacity {
                cluster,
                resource,
                amount,
            },
            Edit::AddCapacity {
                cluster: other,
                resource: name,
                amount: least,
            },
        ) => cluster == other && resource == name && amount >= least,
        (
            Edit::Replicas { service, replicas },
            Edit::Replicas {
                service: other,
                replicas: most,
            },
        ) => service == other && replicas <= most,
        (
            Edit::AcceptPath { from, to, path },
            Edit::AcceptPath {
                from: caller,
                to: callee,
                path: near,
            },
        ) => from == caller && to == callee && path.rtt >= near.rtt && path.hops >= near.hops,
        (
            Edit::DropLimit { from, to },
            Edit::AcceptPath {
                from: caller,
                to: callee,
                ..
            },
        ) => from == caller && to == callee,
        (Edit::LetTogether { services }, Edit::LetTogether { services: fewer }) => {
            services.is_superset(fewer)
        }
        (
            Edit::RaiseBudget { goal, at_most },
            Edit::RaiseBudget {
                goal: other,
                at_most: least,
            },
        ) => goal == other && at_most >= least,
        (
            Edit::Bandwidth { between, capacity },
            Edit::Bandwidth {
                between: other,
                capacity: least,
            },
        ) => between == other && capacity >= least,
        _ => more == less,
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

    fn add(&mut self, plan: Plan, most: usize) {
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
pub(super) fn search(problem: &PlacementProblem, scope: &Scope, limits: RepairLimits) -> Plans {
    let mut search = Search {
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
    // What a service whose replicas are on several clusters could do is not looked at.
    let split = problem.services.values();
    let split = split
        .filter(|demand| demand.is_split() && demand.replicas > 1)
        .count();
    let complete = search.left > 0 && scope.fixed.is_empty() && split == 0;
    while search.left > 0 && std::mem::take(&mut search.plans.thinned) {
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

struct Search<'a> {
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

impl Search<'_> {
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
        let replicas = self
            .problem
            .services
            .get(&service)
            .map_or(0, |demand| demand.replicas);
        let mut choices: Vec<(Value, u32, ClusterName)> = Vec::new();
        for cluster in self.problem.clusters.keys() {
            for kept in (1..=replicas).rev() {
                if self.left == 0 {
                    return;
                }
                self.left = self.left.saturating_sub(self.price);
                self.put(&service, cluster, kept, replicas);
                let cost = self.plan().map(|plan| plan.cost);
                self.lift(&service);
                if let Some(cost) = cost {
                    choices.push((cost, replicas - kept, cluster.clone()));
                }
            }
        }
        choices.sort();
        for (cost, fewer, cluster) in choices {
            let beaten = self.plans.most_useful(self.limits.repairs);
            if beaten.is_some_and(|most| cost >= most) {
                break;
            }
            self.put(&service, &cluster, replicas - fewer, replicas);
            self.descend(depth + 1);
            self.lift(&service);
        }
    }

    fn put(&mut self, service: &ServiceKey, cluster: &ClusterName, kept: u32, replicas: u32) {
        self.placement
            .set(service.clone(), Assignment::single(cluster.clone(), kept));
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
        for breach in verify(self.problem, &self.placement) {
            // Replicas that are still to be placed, or left out on purpose; and what placing more may undo.
            if matches!(breach, Breach::Replicas { .. })
                || !whole && matches!(breach, Breach::OverBudget { .. })
            {
                continue;
            }
            let edit = undo(self.problem, &breach)?;
            if edits.iter().any(|known| covers(known, &edit)) {
                continue;
            }
            edits.retain(|known| !covers(&edit, known));
            edits.push(edit);
        }
        let cost = cost(self.problem, &self.limits.costs, &edits)?;
        Some(Plan { edits, cost })
    }
}

fn cost(problem: &PlacementProblem, costs: &RepairCosts, edits: &[Edit]) -> Option<Value> {
    edits
        .iter()
        .try_fold(Value::ZERO, |sum, edit| Some(sum.plus(costs.of(problem, edit)?)))
}

/// The least change that undoes a breach; `None` where there is none to offer.
fn undo(problem: &PlacementProblem, breach: &Breach) -> Option<Edit> {
    Some(match breach {
        Breach::Forbidden {
            service,
            cluster,
            reason,
        } => match reason {
            Reason::NotReady { .. } => Edit::MakeReady {
                cluster: cluster.clone(),
            },
            Reason::NotOffered { resource } => Edit::AddCapacity {
                cluster: cluster.clone(),
                resource: resource.clone(),
                amount: 1,
            },
            Reason::Tainted { taint } => Edit::Tolerate {
                service: service.clone(),
                taint: taint.clone(),
            },
            Reason::PinnedElsewhere | Reason::Excluded => Edit::Allow {
                service: service.clone(),
                cluster: cluster.clone(),
            },
            Reason::ForbiddenRegion { region } => Edit::AllowRegion {
                service: service.clone(),
                region: region.clone(),
            },
            Reason::Label { .. } => Edit::DropLabels {
                service: service.clone(),
            },
            Reason::NoDomain { key } => {
                let spread = &problem.services.get(service)?.spread;
                let spreads = spread.iter().any(|spread| spread.key == *key);
                spreads.then(|| Edit::DropSpread {
                    service: service.clone(),
                    key: key.clone(),
                })?
            }
            Reason::Final => Edit::Release {
                service: service.clone(),
            },
            _ => return None,
        },
        Breach::Spread { service, key, .. } => Edit::DropSpread {
            service: service.clone(),
            key: key.clone(),
        },
        Breach::NotAvailable { service, .. } => Edit::DropHighAvailability {
            service: service.clone(),
        },
        Breach::Moved { service, .. } => Edit::Release {
            service: service.clone(),
        },
        Breach::Apart { one, other, .. } => {
            let shared = |services: &BTreeSet<ServiceKey>| services.contains(one) && services.contains(other);
            let mut groups = problem.co_location.iter();
            let group = groups.find(|group| group.price.is_none() && shared(&group.services))?;
            Edit::DropCoLocation {
                services: group.services.clone(),
            }
        }
        Breach::Together { services, .. } => Edit::LetTogether {
            services: services.iter().cloned().collect(),
        },
        Breach::OverBudget { budget, amount } => Edit::RaiseBudget {
            goal: budget.goal,
            at_most: *amount,
        },
        Breach::OverBandwidth { between, carried, .. } => Edit::Bandwidth {
            between: between.clone(),
            capacity: DataRate::new(u64::try_from(*carried).ok()?),
        },
        Breach::Overcommitted {
            cluster,
            resource,
            demanded,
            capacity,
        } => Edit::AddCapacity {
            cluster: cluster.clone(),
            resource: resource.clone(),
            amount: u64::try_from(demanded.checked_sub(u128::from(*capacity))?).ok()?,
        },
        Breach::LinkTooLong {
            from,
            to,
            limit,
            measured,
            ..
        } => {
            let (from, to) = (from.clone(), to.clone());
            let unmeasured = limit.rtt_below.is_some() && measured.rtt.is_none()
                || limit.max_hops.is_some() && measured.hops.is_none();
            if unmeasured {
                return Some(Edit::DropLimit { from, to });
            }
            let path = Path {
                rtt: measured.rtt.filter(|_| limit.rtt_below.is_some()),
                hops: measured.hops.filter(|_| limit.max_hops.is_some()),
                bandwidth: None,
            };
            Edit::AcceptPath { from, to, path }
        }
        _ => return None,
    })
}
