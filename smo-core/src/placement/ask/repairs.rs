//! The cheapest changes that make an impossible problem possible, each tried.

use std::fmt;

use serde::Serialize;

use super::asker::{AskWatch, Asker, watched};
use super::conflict::{Conflict, narrowed};
use super::repair_cost::RepairCosts;
use super::repair_search::{Plan, Scope, search};
use super::repair_tries::tries;
use super::what_if::{STOPPED, list};
use super::{Condition, Edit};
use crate::id::ServiceKey;
use crate::placement::{Decision, Outcome, Placement, PlacementError, PlacementProblem, Placer, Value};
use crate::table::Table;

/// How hard repairs are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepairLimits {
    /// At most so many repairs are given back.
    pub repairs: usize,
    /// Placements, whole or in part, that are looked at.
    pub placements: u64,
    /// Questions to the placer for the conflict.
    pub questions: u64,
    /// What each kind of repair costs.
    pub costs: RepairCosts,
}

impl Default for RepairLimits {
    fn default() -> Self {
        Self {
            repairs: 5,
            placements: 100_000,
            questions: 400,
            costs: RepairCosts::default(),
        }
    }
}

/// Changes after which everything can be placed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    /// What to change.
    pub edits: Vec<Edit>,
    /// What that costs, in points of [`RepairCosts`].
    pub cost: Value,
    /// What is decided then: the repaired problem was solved.
    pub decision: Decision,
}

/// Why a problem is impossible, and the ways out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repairs {
    /// What is decided without a repair: why it is impossible, or a placement.
    pub outcome: Outcome,
    /// What cannot hold together; `None` where nobody proved that anything is impossible.
    pub conflict: Option<Conflict>,
    /// The ways out, cheapest first.
    pub repairs: Vec<Repair>,
    /// True when no set of changes of these kinds is cheaper than the first: proved.
    pub cheapest: bool,
    /// True when the one who watched ended it: there may be more ways out.
    pub stopped: bool,
}

/// What stands in the way of a placement, and the cheapest ways out: more of a resource on a cluster, a longer link, a
/// region or a cluster allowed, a taint tolerated, a cluster made ready, fewer replicas, more bandwidth, a larger budget, a
/// spread or high availability that asks for less, replicas let on several clusters, labels, spread, high availability, a final placement or a rule
/// of the host dropped, a service let out of a group, or several of these.
///
/// A placement that breaks rules is made sound by exactly the changes that undo its breaches, so the cheapest changes of all
/// are those of the placement that is cheapest to make sound. Small problems are searched to the end; in larger ones what
/// cannot be placed is put back, service by service, into the placement of the rest, and what the conflict names is relaxed
/// by itself, step by step. Every way out was solved with the placer before it is given back.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn repairs(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    limits: RepairLimits,
) -> Result<Repairs, PlacementError> {
    repairs_watched(placer, problem, limits, &mut |_| true)
}

/// As [`repairs`], with `watch` told of every question to the placer. Once it says `false` the ways out that were solved by
/// then come back.
///
/// # Errors
/// As [`repairs`].
pub fn repairs_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    limits: RepairLimits,
    watch: &mut AskWatch<'_>,
) -> Result<Repairs, PlacementError> {
    watched("repairs", placer, watch, |asker| repaired(asker, problem, limits))
}

fn repaired(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    limits: RepairLimits,
) -> Result<Repairs, PlacementError> {
    let outcome = asker.decide("as it is", problem)?;
    if matches!(outcome, Outcome::Placed(_)) {
        return Ok(Repairs {
            outcome,
            conflict: None,
            repairs: Vec::new(),
            cheapest: true,
            stopped: asker.is_stopped(),
        });
    }
    let conflict = narrowed(asker, problem, limits.questions)?;
    let mut found = search(asker, problem, &Scope::all(problem), limits);
    if !found.complete {
        let scope = part(asker, problem, conflict.as_ref(), limits)?;
        found.merge(search(asker, problem, &scope, limits), limits.repairs);
        if let Some(conflict) = &conflict {
            found.merge(tries(asker, problem, conflict, limits)?, limits.repairs);
        }
    }
    let mut repairs = Vec::new();
    let mut dropped = false;
    for Plan { edits, cost } in found.plans {
        match asker.decide(&list(&edits), &problem.edited(&edits)?)? {
            Outcome::Placed(decision) => repairs.push(Repair {
                edits,
                cost,
                decision,
            }),
            // The placer does not find what there is; nothing that was not solved is offered.
            Outcome::Infeasible(_) => dropped |= repairs.is_empty(),
        }
    }
    Ok(Repairs {
        stopped: asker.is_stopped(),
        cheapest: found.complete && !dropped && !repairs.is_empty(),
        outcome,
        conflict,
        repairs,
    })
}

/// A placement of as many services as possible, and those that are left, with the services at the ends of their links.
fn part(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    conflict: Option<&Conflict>,
    limits: RepairLimits,
) -> Result<Scope, PlacementError> {
    let mut left: Vec<ServiceKey> = Vec::new();
    let mut rest = problem.clone();
    let mut conflict = conflict.cloned();
    // Each conflict loses a service until none is left.
    while let Some(found) = conflict {
        let Some(service) = largest(&rest, &found) else {
            break;
        };
        Condition::Service {
            service: service.clone(),
        }
        .relax(&mut rest);
        left.push(service);
        conflict = narrowed(asker, &rest, limits.questions)?;
    }
    let placement = match asker.decide("what can be placed", &rest)? {
        Outcome::Placed(decision) => decision.placement,
        Outcome::Infeasible(_) => Placement::new(),
    };
    for link in &problem.links {
        for (one, other) in [(&link.from, &link.to), (&link.to, &link.from)] {
            if left.contains(one) && !left.contains(other) && left.len() < MOST_FREE {
                left.push(other.clone());
            }
        }
    }
    Ok(Scope {
        free: left,
        fixed: placement,
    })
}

/// Services that are placed anew around what cannot be placed.
const MOST_FREE: usize = 8;

/// The service of a conflict that takes most.
fn largest(problem: &PlacementProblem, conflict: &Conflict) -> Option<ServiceKey> {
    let services = conflict
        .members
        .iter()
        .filter_map(|member| match &member.condition {
            Condition::Service { service } => Some(service),
            _ => None,
        });
    let size = |service: &&ServiceKey| {
        let demand = problem.services.get(*service);
        let total = demand.and_then(crate::placement::ServiceDemand::total);
        total.map_or(0, |total| total.cpu().millicores())
    };
    services.max_by_key(size).cloned()
}

impl Repairs {
    /// The ways out, a row each: what to change, what it costs, what the placement is worth then.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.repairs.iter().enumerate().map(|(number, repair)| {
            [
                (number + 1).to_string(),
                list(&repair.edits),
                repair.cost.to_string(),
                repair.decision.value.to_string(),
            ]
        });
        let table = Table::new(&["", "change", "cost", "value then"]);
        rows.fold(table.right(0).right(2).right(3), Table::row)
    }
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let diagnosis = match &self.outcome {
            Outcome::Placed(decision) => {
                return writeln!(f, "nothing to repair: {}", decision.verdict());
            }
            Outcome::Infeasible(diagnosis) => diagnosis,
        };
        if diagnosis.proved {
            writeln!(f, "no placement exists (proved)")?;
        } else {
            writeln!(f, "{} found no placement", diagnosis.placer)?;
        }
        for (service, reasons) in &diagnosis.services {
            let clusters = diagnosis.clusters;
            writeln!(
                f,
                "  0/{clusters} clusters can take {}: {reasons}",
                service.service
            )?;
        }
        if let Some(conflict) = &self.conflict {
            write!(f, "\n{conflict}")?;
        }
        if self.stopped {
            writeln!(f, "\n{STOPPED}")?;
        }
        if self.repairs.is_empty() {
            return writeln!(f, "\nno way out was found");
        }
        let order = if self.cheapest {
            "cheapest first"
        } else {
            "cheapest found first"
        };
        writeln!(f, "\nways out, {order}, each checked by solving again")?;
        write!(f, "{}", self.table())
    }
}
