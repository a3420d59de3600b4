//! An order in which moves can be carried out one after the other, with room at every step.

mod ahead;
mod exact;
mod fleet;
mod meanwhile;
mod search;
mod way;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use self::meanwhile::{Broken, Meanwhile};
use self::search::{Action, search};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{Assignment, Placement, PlacementError, PlacementProblem};
use crate::resources::{ResourceName, Resources};
use crate::table::Table;

/// How hard an order is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderLimits {
    /// States of the fleet that are looked at for the best order; fewer where a state of it is large.
    pub states: usize,
    /// True where a service may stop over on a cluster that it does not stay on.
    pub stop_overs: bool,
}

impl Default for OrderLimits {
    fn default() -> Self {
        Self {
            states: 20_000,
            stop_overs: true,
        }
    }
}

/// Why a service is somewhere for a while only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// It starts.
    Start,
    /// It goes where it stays.
    Move,
    /// It makes room for others, and goes on later.
    StopOver,
    /// It ends.
    Stop,
}

/// Room that a step needs and a cluster does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpareRoom {
    /// The cluster.
    pub cluster: ClusterName,
    /// What is missing there while the step is done, in base units: all that the cluster holds then beyond what it has, or held
    /// to begin with.
    pub missing: Resources,
}

/// One step: replicas start on a cluster, and only then end on the one they come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderStep {
    /// The service.
    pub service: ServiceKey,
    /// How many replicas.
    pub replicas: u32,
    /// Where they come from; `None` for new ones.
    pub from: Option<ClusterName>,
    /// Where they go; `None` when they end.
    pub to: Option<ClusterName>,
    /// What the step is for.
    pub kind: StepKind,
    /// What the step lacks; `None` where there is room.
    pub needs: Option<SpareRoom>,
    /// Rules that the placement after this step breaks for the time being, one sentence each: links, groups and spreads mostly.
    /// What is broken before the first or after the last step is not listed.
    pub meanwhile: Vec<String>,
}

/// An order of moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveOrder {
    /// The steps.
    pub steps: Vec<OrderStep>,
    /// True when no order needs less spare room, and none with as little has fewer steps: proved. What is meant by less
    /// spare room, see [`order_of_moves`].
    pub proved: bool,
}

/// The order in which to go from one placement to another, so that no cluster is ever fuller than it can be. Replicas run in
/// both places while they move. A service moves as a whole where that is possible, else part by part, as few parts as it takes.
/// Where that does not help, services stop over on other clusters; where that does not help either, steps say what room they
/// lack.
///
/// What is missing is measured in millionths of what the cluster has, summed over resources. The step that lacks most is to
/// lack as little as possible; then less in all steps together is better, then fewer steps, then fewer broken rules on the way.
/// A cluster that is too full to begin with must not get fuller than that. Rules other than capacity hold wherever a service
/// stops over; links, groups and spreads may be broken for a while, and the steps say so.
///
/// Services that end, end first; those that start, start when there is room. The question is only asked for demands,
/// capacities and rules: where services run is `from`.
///
/// # Errors
/// [`PlacementError::InvalidProblem`] when a placement has a service or a cluster that the problem does not have, or more
/// replicas of a service than 32 bits count.
pub fn order_of_moves(
    problem: &PlacementProblem,
    from: &Placement,
    to: &Placement,
    limits: OrderLimits,
) -> Result<MoveOrder, PlacementError> {
    let placements = from.iter().chain(to.iter());
    for (service, assignment) in placements {
        let invalid = |what: String| Err(PlacementError::InvalidProblem(what));
        if !problem.services.contains_key(service) {
            return invalid(format!("{service} is no service of the problem"));
        }
        let replicas: u64 = assignment.iter().map(|(_, replicas)| u64::from(replicas)).sum();
        if u32::try_from(replicas).is_err() {
            return invalid(format!("{service} has {replicas} replicas, which are too many"));
        }
        if let Some(unknown) = assignment
            .clusters()
            .find(|cluster| !problem.clusters.contains_key(*cluster))
            && to.get(service) == Some(assignment)
        {
            return invalid(format!(
                "{service} is to run on {unknown}, which is no cluster of the problem"
            ));
        }
    }
    let rules = Meanwhile::new(problem, from, to);
    let (actions, proved) = search(problem, &rules, from, to, limits);
    Ok(MoveOrder {
        steps: steps(&rules, from, to, actions),
        proved,
    })
}

/// Actions as steps, with what each of them breaks for a while.
fn steps(rules: &Meanwhile<'_>, from: &Placement, to: &Placement, actions: Vec<Action>) -> Vec<OrderStep> {
    let mut placement = from.clone();
    let mut broken = Broken::new();
    let mut steps = Vec::new();
    for action in actions {
        for mended in rules.about(&placement, &action.service) {
            broken.remove(&mended);
        }
        carry_out(&mut placement, &action);
        broken.extend(rules.about(&placement, &action.service));
        let everywhere = rules.about_all(&placement);
        let meanwhile = broken.union(&everywhere).map(|(_, text)| text.clone());
        let stays = action.to.as_ref().is_none_or(|to_cluster| {
            to.get(&action.service)
                .is_some_and(|there| there.on(to_cluster) > 0)
        });
        let kind = match (&action.from, &action.to) {
            (None, _) => StepKind::Start,
            (_, None) => StepKind::Stop,
            _ if stays => StepKind::Move,
            _ => StepKind::StopOver,
        };
        let meanwhile = meanwhile.collect();
        let needs = action.to.clone().filter(|_| !action.missing.is_empty());
        steps.push(OrderStep {
            needs: needs.map(|cluster| SpareRoom {
                cluster,
                missing: action.missing,
            }),
            service: action.service,
            replicas: action.replicas,
            from: action.from,
            to: action.to,
            kind,
            meanwhile,
        });
    }
    steps
}

fn carry_out(placement: &mut Placement, action: &Action) {
    let there = placement.get(&action.service).cloned().unwrap_or_default();
    let mut replicas: Vec<(ClusterName, u32)> = there
        .iter()
        .map(|(cluster, replicas)| (cluster.clone(), replicas))
        .collect();
    for (cluster, replicas) in &mut replicas {
        if Some(&*cluster) == action.from.as_ref() {
            *replicas = replicas.saturating_sub(action.replicas);
        }
    }
    if let Some(to) = &action.to {
        replicas.push((to.clone(), there.on(to).saturating_add(action.replicas)));
    }
    placement.set(action.service.clone(), Assignment::from_iter(replicas));
}

impl MoveOrder {
    /// True when every step has room.
    #[must_use]
    pub fn is_feasible(&self) -> bool {
        self.steps.iter().all(|step| step.needs.is_none())
    }

    /// Carries the steps out in thought and looks at room at every one, with code of its own: one sentence for each step
    /// that is fuller than it says.
    #[must_use]
    pub fn check(&self, problem: &PlacementProblem, from: &Placement, to: &Placement) -> Vec<String> {
        let mut faults = Vec::new();
        let mut placement = from.clone();
        let to_begin_with = excess(problem, from);
        let of = |excess: &Excess, at: &(ClusterName, ResourceName)| excess.get(at).copied().unwrap_or(0);
        for (number, step) in self.steps.iter().enumerate() {
            let action = Action {
                service: step.service.clone(),
                replicas: step.replicas,
                from: step.from.clone(),
                to: step.to.clone(),
                missing: Resources::new(),
            };
            let before = excess(problem, &placement);
            let mut during = placement.clone();
            carry_out(
                &mut during,
                &Action {
                    from: None,
                    ..action.clone()
                },
            );
            for (at, amount) in excess(problem, &during) {
                let (cluster, resource) = &at;
                let needs = step.needs.as_ref().filter(|needs| needs.cluster == *cluster);
                let declared = needs.map_or(0, |needs| needs.missing.amount(resource.as_str()));
                let allowed = of(&to_begin_with, &at) + u128::from(declared);
                if amount > allowed.max(of(&before, &at)) {
                    faults.push(format!(
                        "step {}: {cluster} has too little {resource}",
                        number + 1
                    ));
                }
            }
            carry_out(&mut placement, &action);
        }
        for (service, _) in from.iter().chain(to.iter()) {
            if placement.get(service) != to.get(service) {
                faults.push(format!("{service} does not end where it should"));
            }
        }
        faults
    }

    /// The steps, a row each.
    #[must_use]
    pub fn table(&self) -> Table {
        let name = |cluster: &Option<ClusterName>| {
            cluster
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        let rows = self.steps.iter().enumerate().map(|(number, step)| {
            let mut notes: Vec<String> = Vec::new();
            if step.kind == StepKind::StopOver {
                notes.push("stops over".to_owned());
            }
            if let Some(needs) = &step.needs {
                notes.push(format!(
                    "needs {} more on {} for a while",
                    needs.missing, needs.cluster
                ));
            }
            notes.extend(step.meanwhile.iter().cloned());
            let times = if step.replicas > 1 {
                format!(" x{}", step.replicas)
            } else {
                String::new()
            };
            [
                (number + 1).to_string(),
                format!("{}{times}", step.service.service),
                name(&step.from),
                name(&step.to),
                notes.join("; "),
            ]
        });
        rows.fold(
            Table::new(&["step", "service", "from", "to", ""]).right(0),
            Table::row,
        )
        .without_empty_columns()
    }
}

type Excess = BTreeMap<(ClusterName, ResourceName), u128>;

/// What is used beyond what there is, by cluster and resource.
fn excess(problem: &PlacementProblem, placement: &Placement) -> Excess {
    let mut used: BTreeMap<(&ClusterName, &ResourceName), u128> = BTreeMap::new();
    for (service, assignment) in placement.iter() {
        let demand = problem.services.get(service);
        for (cluster, replicas) in assignment.iter() {
            for (resource, amount) in demand.into_iter().flat_map(|demand| demand.per_replica.iter()) {
                *used.entry((cluster, resource)).or_default() += u128::from(amount) * u128::from(replicas);
            }
        }
    }
    let over = |((cluster, resource), used): ((&ClusterName, &ResourceName), u128)| {
        let available = problem.clusters.get(cluster)?.available(resource)?;
        let over = used.checked_sub(available.into()).filter(|over| *over > 0)?;
        Some(((cluster.clone(), resource.clone()), over))
    };
    used.into_iter().filter_map(over).collect()
}

impl fmt::Display for MoveOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return writeln!(f, "nothing has to move");
        }
        let count = match self.steps.len() {
            1 => "1 step".to_owned(),
            count => format!("{count} steps"),
        };
        let short = self.steps.iter().filter(|step| step.needs.is_some()).count();
        let best = if self.proved {
            "proved"
        } else {
            "the best order found"
        };
        match short {
            0 => writeln!(f, "{count}, each with room ({best})")?,
            1 => writeln!(f, "{count}, 1 of them needs spare room ({best})")?,
            short => writeln!(f, "{count}, {short} of them need spare room ({best})")?,
        }
        write!(f, "\n{}", self.table())
    }
}
