//! A part as a generalised assignment problem: closes what capacity prices leave open.

use super::component::Part;
use super::run::Run;
use crate::assign::{AssignProblem, Limits, solve_watched};
use crate::placement::grid::Grid;

/// More services and clusters together are not tried: the master problem grows with their square.
const MOST_ROWS: usize = 1500;

/// Parts of up to this many services and clusters get the whole effort. What a larger one would need grows at least with
/// the cube of its size, so it gets less by as much, and its greedy placement and bound stand.
const WHOLE_EFFORT: usize = 120;

/// Larger parts get too little effort for a search of their own.
const SEARCHED: usize = 300;

/// What came of it.
#[derive(Debug)]
pub(super) struct Assigned {
    /// A placement cheaper than the known one, if one was found.
    pub(super) found: Option<Vec<usize>>,
    /// No placement costs less than this, in units.
    pub(super) bound: i128,
    /// True when `found`, or else the known placement, is the best.
    pub(super) complete: bool,
    /// Nodes that were opened.
    pub(super) nodes: u64,
}

/// True when a part is an assignment problem and nothing more, with one resource at most that can fill up: the search of
/// [`assign`] finds its best placement sooner than others improve one.
pub(super) fn says_all(grid: &Grid<'_>, part: &Part) -> bool {
    let items = || part.items().iter().filter_map(|item| grid.items.get(*item));
    let fills_up = |resource: &usize| {
        let needed: u128 = items().map(|item| u128::from(item.need(*resource))).sum();
        let rooms = (0..grid.clusters.len()).filter_map(|cluster| grid.available(cluster, *resource));
        rooms.min().is_some_and(|room| u128::from(room) < needed)
    };
    grid.clusters.len() + part.items().len() <= SEARCHED
        && items().all(|item| item.peers.is_empty())
        && (0..grid.resources.len()).filter(fills_up).count() <= 1
}

/// Looks for placements of the open pairs cheaper than `target` units; `None` where the part does not fit. Links are left
/// out, which can only make placements cheaper; a placement that breaks one is not taken.
///
/// `see` takes what the search knows so far, value and bound in units, for those who watch.
pub(super) fn assign(
    grid: &Grid<'_>,
    part: &Part,
    target: Option<i128>,
    effort: u64,
    run: &mut Run<'_>,
    mut see: impl FnMut(&mut Run<'_>, Option<i128>, i128),
) -> Option<Assigned> {
    let (clusters, services) = (grid.clusters.len(), part.items().len());
    if clusters + services > MOST_ROWS {
        return None;
    }
    let mut problem = AssignProblem::new(clusters, services);
    for resource in 0..grid.resources.len() {
        let need = |item: &usize| grid.items.get(*item).map_or(0, |item| item.need(resource));
        let needs = problem.add_needs(part.items().iter().map(need).collect());
        for cluster in 0..clusters {
            if let Some(capacity) = grid.available(cluster, resource) {
                problem.limit(cluster, needs, capacity);
            }
        }
    }
    for (service, (domain, costs)) in part.domains.iter().zip(&part.costs).enumerate() {
        for (cluster, cost) in domain.iter().zip(costs) {
            problem.set_cost(*cluster, service, i64::try_from(*cost).ok()?);
        }
    }
    let cube = |rows: usize| (rows as u128).pow(3);
    let share = u128::from(effort) * cube(WHOLE_EFFORT) / cube((clusters + services).max(WHOLE_EFFORT));
    let limits = Limits {
        effort: u64::try_from(share).unwrap_or(effort),
        below: target.and_then(|target| i64::try_from(target).ok()),
    };
    // Where links are left out a value may be of a placement that breaks one.
    let links = part
        .items()
        .iter()
        .filter_map(|item| grid.items.get(*item))
        .any(|item| !item.peers.is_empty());
    let before = run.teller.work();
    let solved = solve_watched(&problem, None, &limits, &mut |progress| {
        let value = progress.value.filter(|_| !links).map(i128::from);
        see(run, value, progress.bound.unwrap_or(0).into());
        run.teller.reached(before.saturating_add(progress.work))
    });
    run.teller.reached(before.saturating_add(solved.work));
    run.work.nodes += solved.nodes;
    let best = solved.best.map(|(clusters, _)| clusters);
    let found = best.clone().filter(|clusters| part.holds(grid, clusters));
    Some(Assigned {
        complete: solved.complete && found.is_some() == best.is_some(),
        found,
        bound: solved.bound.into(),
        nodes: solved.nodes,
    })
}
