//! The placement problem as a mixed-integer model, made small before a solver sees it.

mod assigning;
mod cheapest;
mod closing;
mod component;
mod greedy;
mod model;
mod neighbourhoods;
mod prices;
mod rows;
mod run;
mod search;
mod split;
mod ties;
mod whole;

use super::grid::Grid;
use super::teller::Teller;
use super::{Answer, PlaceContext, PlacementError, Placer, Proof, Value, Watch, Work};
use crate::milp::{MicrolpSolver, Solver};
use cheapest::cheapest;
use component::{Part, Placed, Settled};
use run::Run;

/// Finds a best placement with a [`Solver`] (microlp unless told otherwise).
///
/// The problem is split into parts that share no cluster that can fill up and no link; each part is settled by the first
/// of these that suffices:
///
/// 1. every service on its cheapest cluster, where that keeps the rules;
/// 2. a greedy placement that reaches the bound one gets by putting a price on capacity, in integers;
/// 3. trying what such prices cannot rule out, in integers, where that is little;
/// 4. branch and price on what each cluster can take together ([`crate::assign`]), in integers, up to
///    [`MilpPlacer::DEFAULT_ASSIGN_EFFORT`];
/// 5. the solver, for the pairs that are left: one binary variable a service and cluster, one row a
///    service, one row a cluster and resource that can fill up, and for every limited link
///    `x[u,c] <= sum of x[v,d] over the d near c`, both ways.
///
/// A problem with more than services of one cluster, capacities and limits of links goes to the solver as a whole: replicas
/// that may be split, groups, budgets, wishes, links that cost, balance. Not linear, and refused with
/// [`PlacementError::CannotExpress`], are the traffic between two services that are both split, a negative weight of such a
/// goal, and rules and goals of the host about more than one service on one cluster.
///
/// Where the solver reaches its limit, or more than [`Self::max_variables`] variables are left, the answer is the greedy
/// placement with its bound. When the one who watches has enough, it is the best placement so far with its bound, which costs
/// one quick pass where there was none yet; a solver at work is not interrupted.
#[derive(Debug)]
pub struct MilpPlacer {
    solver: Box<dyn Solver>,
    max_variables: usize,
    search_effort: u64,
    assign_effort: u64,
}

impl Default for MilpPlacer {
    fn default() -> Self {
        Self::new(Box::new(MicrolpSolver::default()))
    }
}

impl MilpPlacer {
    /// What decisions call it.
    pub const NAME: &'static str = "milp";

    /// More variables than this are not given to the solver.
    pub const DEFAULT_MAX_VARIABLES: usize = 400;

    /// How many service-cluster pairs a part may take to try what is left of it.
    pub const DEFAULT_SEARCH_EFFORT: u64 = 5_000_000;

    /// How much effort a part of up to 120 services and clusters may take as an assignment problem, about a nanosecond
    /// each; larger parts may take less.
    pub const DEFAULT_ASSIGN_EFFORT: u64 = 9_000_000_000;

    /// With another solver.
    #[must_use]
    pub fn new(solver: Box<dyn Solver>) -> Self {
        Self {
            solver,
            max_variables: Self::DEFAULT_MAX_VARIABLES,
            search_effort: Self::DEFAULT_SEARCH_EFFORT,
            assign_effort: Self::DEFAULT_ASSIGN_EFFORT,
        }
    }

    /// The same with another limit on the variables that a part may leave to the solver.
    #[must_use]
    pub fn with_max_variables(mut self, variables: usize) -> Self {
        self.max_variables = variables;
        self
    }

    /// The same with another limit on the service-cluster pairs that a part may take to try what is left of it; with 0
    /// everything that is left goes to the solver.
    #[must_use]
    pub fn with_search_effort(mut self, pairs: u64) -> Self {
        self.search_effort = pairs;
        self
    }

    /// The same with another limit on the effort that a part may take as an assignment problem; 0 leaves little of that step.
    #[must_use]
    pub fn with_assign_effort(mut self, effort: u64) -> Self {
        self.assign_effort = effort;
        self
    }

    pub(super) const fn assign_effort(&self) -> u64 {
        self.assign_effort
    }

    /// More variables than this are not given to the solver.
    #[must_use]
    pub const fn max_variables(&self) -> usize {
        self.max_variables
    }
}

impl Placer for MilpPlacer {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        self.place_watched(context, &mut |_| true)
    }

    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        let teller = Teller::new(watch);
        if whole::is_needed(context.problem) {
            return whole::place(self, context.problem, teller);
        }
        let grid = Grid::new(context.problem)?;
        let work = Work {
            pairs: grid.pairs(),
            ..Work::default()
        };
        let mut run = Run::new(work, teller);
        let settled = match cheapest(&grid) {
            Some(placed) => {
                let value = placed.bound.map(Value::from_units);
                run.teller.see(value, value);
                Settled::Placed(placed)
            }
            None => self.by_parts(&grid, &mut run)?,
        };
        let mut placed = match settled {
            Settled::Placed(placed) => placed,
            Settled::Impossible => return Ok(run.not_found(true)),
            Settled::Unknown => return Ok(run.not_found(false)),
        };
        run.teller.took(0);
        ties::settle(&grid, &mut placed.clusters);
        let placement = grid
            .placement(&placed.clusters)
            .ok_or_else(|| self.failed("a choice is no cluster"))?;
        let proof = match placed.bound {
            None => Proof::None,
            Some(_) if placed.by_solver => Proof::Solver {
                solver: self.solver.name().to_owned(),
            },
            Some(_) => Proof::integer(placed.argument),
        };
        Ok(Answer::Found {
            placement,
            bound: placed.bound.map(Value::from_units),
            proof,
            work: run.work,
        })
    }
}

impl MilpPlacer {
    /// Settles the parts of the problem one after the other: all together, or the first that has no placement.
    fn by_parts(&self, grid: &Grid<'_>, run: &mut Run<'_>) -> Result<Settled, PlacementError> {
        let mut chosen = vec![0; grid.items.len()];
        let mut bound = Some(0_i128);
        let mut arguments = Vec::new();
        let mut by_solver = false;
        let parts = Part::split(grid)?;
        run.begin(&parts);
        for part in &parts {
            let placed = match part.settle(grid, self, run)? {
                Settled::Placed(placed) => placed,
                nothing => return Ok(nothing),
            };
            run.settled(part, &placed);
            for (item, cluster) in part.items().iter().zip(placed.clusters) {
                if let Some(slot) = chosen.get_mut(*item) {
                    *slot = cluster;
                }
            }
            bound = bound
                .zip(placed.bound)
                .and_then(|(sum, more)| sum.checked_add(more));
            by_solver |= placed.by_solver;
            if !arguments.contains(&placed.argument) {
                arguments.push(placed.argument);
            }
        }
        let argument = if arguments.is_empty() {
            "there is nothing to place".to_owned()
        } else {
            arguments.join("; ")
        };
        Ok(Settled::Placed(Placed {
            clusters: chosen,
            bound,
            argument,
            by_solver,
        }))
    }

    fn failed(&self, message: impl ToString) -> PlacementError {
        PlacementError::Failed {
            placer: format!("{} with {}", self.name(), self.solver.name()),
            message: message.to_string(),
        }
    }
}
