//! Which change undoes which breach of a rule.

use std::collections::BTreeSet;

use super::Edit;
use super::repair_cost::RepairCosts;
use crate::cluster::Path;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::{Available, KeptApart, Rule, Spreading};
use crate::placement::{Breach, DomainKey, Placement, PlacementProblem, Reason, SpreadFault};
use crate::units::DataRate;

/// True when the first edit does at least what the second one does.
pub(super) fn covers(more: &Edit, less: &Edit) -> bool {
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
        (
            Edit::RelaxSpread {
                service,
                key,
                min_groups,
                max_groups,
                max_skew,
            },
            Edit::RelaxSpread {
                service: other,
                key: domain,
                min_groups: least,
                max_groups: most,
                max_skew: skew,
            },
        ) => {
            let fewer = least.is_none_or(|least| min_groups.is_some_and(|groups| groups <= least));
            // `None` is the least of all: what is not asked for is covered.
            service == other && key == domain && fewer && max_groups >= most && max_skew >= skew
        }
        (
            Edit::DropSpread { service, key },
            Edit::RelaxSpread {
                service: other,
                key: domain,
                ..
            },
        ) => service == other && key == domain,
        (Edit::DropHighAvailability { service }, Edit::RelaxHighAvailability { service: other }) => {
            service == other
        }
        (Edit::DropAntiAffinity { service }, Edit::LetTogether { services }) => {
            services.len() <= 2 && services.contains(service)
        }
        _ => more == less,
    }
}

/// The least changes that undo a breach of a placement; `None` where there are none to offer.
pub(super) fn undo(problem: &PlacementProblem, placement: &Placement, breach: &Breach) -> Option<Vec<Edit>> {
    if let Breach::NotAvailable { service, .. } = breach {
        return Some(vec![less_available(problem, placement, service)]);
    }
    if let Breach::Spread {
        service,
        key,
        fault: SpreadFault::Outside { .. },
        ..
    } = breach
    {
        return Some(outside(problem, service, key));
    }
    undo_by_one(problem, breach).map(|edit| vec![edit])
}

/// What makes high availability ask for no more than a placement has: two clusters, or nothing.
fn less_available(problem: &PlacementProblem, placement: &Placement, service: &ServiceKey) -> Edit {
    let demand = problem.services.get(service);
    let wanted = demand.and_then(|demand| demand.high_availability.as_ref());
    let of_more = wanted.is_some_and(|wanted| wanted.key != DomainKey::Cluster);
    let clusters = placement.get(service).map_or(0, |there| there.clusters().count());
    let service = service.clone();
    if of_more && clusters >= 2 {
        Edit::RelaxHighAvailability { service }
    } else {
        Edit::DropHighAvailability { service }
    }
}

/// What lets a service run in no domain, of the rules that look at all its replicas.
fn outside(problem: &PlacementProblem, service: &ServiceKey, key: &DomainKey) -> Vec<Edit> {
    let asked = |rule: &dyn Rule| !problem.soft.contains_key(rule.name());
    let spreads = problem.services.get(service).is_some_and(|demand| {
        let mut hard = demand.spread.iter().filter(|spread| spread.price.is_none());
        asked(&Spreading) && hard.any(|spread| spread.key == *key)
    });
    let mut groups = problem.anti_affinity.iter();
    let keeps_apart = asked(&KeptApart)
        && groups.any(|group| group.price.is_none() && group.key == *key && group.services.contains(service));
    let drop = spreads.then(|| Edit::DropSpread {
        service: service.clone(),
        key: key.clone(),
    });
    let leave = keeps_apart.then(|| Edit::DropAntiAffinity {
        service: service.clone(),
    });
    drop.into_iter().chain(leave).collect()
}

/// What a rule forbids to one service on one cluster although no breach of it says so: with two domains in use, one replica
/// in none is no breach of high availability, and no placer puts it there.
pub(super) fn undo_unseen(
    problem: &PlacementProblem,
    placement: &Placement,
    service: &ServiceKey,
    cluster: &ClusterName,
) -> Option<Edit> {
    // Most services ask for nothing of the kind, and this is asked of every look.
    problem.services.get(service)?.high_availability.as_ref()?;
    let pair = problem.pair(service, cluster)?;
    let mut rules = problem.hard_rules();
    let rule = rules.find(|rule| rule.name() == Available.name())?;
    rule.forbids(&pair)
        .map(|_| less_available(problem, placement, service))
}

/// Adds a change to others; two of one spread, or of one link, become one that does both.
pub(super) fn add(edits: &mut Vec<Edit>, mut edit: Edit) {
    for known in edits.iter() {
        join(&mut edit, known);
    }
    if edits.iter().any(|known| covers(known, &edit)) {
        return;
    }
    edits.retain(|known| !covers(&edit, known));
    edits.push(edit);
}

/// Makes a change do what another one does too, where both are about the same thing.
fn join(edit: &mut Edit, known: &Edit) {
    match (edit, known) {
        (
            Edit::RelaxSpread {
                service,
                key,
                min_groups,
                max_groups,
                max_skew,
            },
            Edit::RelaxSpread {
                service: other,
                key: domain,
                min_groups: least,
                max_groups: most,
                max_skew: skew,
            },
        ) if service == other && key == domain => {
            *min_groups = [*min_groups, *least].into_iter().flatten().min();
            *max_groups = (*max_groups).max(*most);
            *max_skew = (*max_skew).max(*skew);
        }
        (
            Edit::AcceptPath { from, to, path },
            Edit::AcceptPath {
                from: caller,
                to: callee,
                path: near,
            },
        ) if from == caller && to == callee => {
            path.rtt = path.rtt.max(near.rtt);
            path.hops = path.hops.max(near.hops);
        }
        _ => {}
    }
}

/// The same changes without what others do already: who need not keep apart from anybody is let together with nobody, and
/// sets that overlap are let together at once where that is cheaper. It is the cheapest then: to connect services costs one
/// for each beyond the first at least, and who leaves its group costs one for each of the others.
pub(super) fn settle(edits: &[Edit]) -> Vec<Edit> {
    let leaves = |service: &ServiceKey| {
        let mut edits = edits.iter();
        edits.any(|edit| matches!(edit, Edit::DropAntiAffinity { service: who } if who == service))
    };
    let mut connected: Vec<(BTreeSet<ServiceKey>, Vec<BTreeSet<ServiceKey>>)> = Vec::new();
    let mut settled = Vec::new();
    for edit in edits {
        let Edit::LetTogether { services } = edit else {
            settled.push(edit.clone());
            continue;
        };
        let rest: BTreeSet<_> = services.iter().filter(|who| !leaves(who)).cloned().collect();
        if rest.len() < 2 {
            continue;
        }
        let (mut all, mut parts) = (rest.clone(), vec![rest]);
        connected.retain(|(others, more)| {
            let apart = others.is_disjoint(&all);
            if !apart {
                all.extend(others.iter().cloned());
                parts.extend(more.iter().cloned());
            }
            apart
        });
        connected.push((all, parts));
    }
    for (all, parts) in connected {
        let one_by_one: usize = parts.iter().map(|part| part.len() - 1).sum();
        let sets = if all.len() - 1 < one_by_one {
            vec![all]
        } else {
            parts
        };
        for services in sets {
            add(&mut settled, Edit::LetTogether { services });
        }
    }
    settled
}

/// A spread, or high availability, is dropped where relaxing it costs as much.
pub(super) fn or_drop(problem: &PlacementProblem, costs: &RepairCosts, edit: Edit) -> Edit {
    let dropped = match &edit {
        Edit::RelaxSpread { service, key, .. } => Edit::DropSpread {
            service: service.clone(),
            key: key.clone(),
        },
        Edit::RelaxHighAvailability { service } => Edit::DropHighAvailability {
            service: service.clone(),
        },
        _ => return edit,
    };
    if costs.of(problem, &edit) < costs.of(problem, &dropped) {
        edit
    } else {
        dropped
    }
}

fn undo_by_one(problem: &PlacementProblem, breach: &Breach) -> Option<Edit> {
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
            Reason::Final => Edit::Release {
                service: service.clone(),
            },
            Reason::Custom { name, .. } => drop_rule(problem, name)?,
            _ => return None,
        },
        Breach::Custom { rule, .. } => drop_rule(problem, rule)?,
        Breach::Split { service, .. } => Edit::LetSplit {
            service: service.clone(),
        },
        Breach::Spread {
            service, key, fault, ..
        } => {
            let (min_groups, max_groups, max_skew) = match fault {
                SpreadFault::TooFew { used, .. } => (Some(*used), None, None),
                SpreadFault::TooMany { used, .. } => (None, Some(*used), None),
                SpreadFault::Skew { skew, .. } => (None, None, Some(u32::try_from(*skew).ok()?)),
                SpreadFault::Outside { .. } => return None,
            };
            Edit::RelaxSpread {
                service: service.clone(),
                key: key.clone(),
                min_groups,
                max_groups,
                max_skew,
            }
        }
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

/// A rule of the host can be dropped under the name that the problem has it under.
fn drop_rule(problem: &PlacementProblem, name: &str) -> Option<Edit> {
    let mut rules = problem.rules.iter();
    rules
        .any(|rule| rule.get().name() == name)
        .then(|| Edit::DropRule {
            rule: name.to_owned(),
        })
}
