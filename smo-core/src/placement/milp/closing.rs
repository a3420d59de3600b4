//! What closes a part that prices leave open: trying every combination, the search for assignment problems, the solver.

use super::MilpPlacer;
use super::assigning::assign;
use super::component::{Part, Placed, Settled, better};
use super::greedy;
use super::model;
use super::prices::Prices;
use super::run::Run;
use super::search::search;
use crate::milp::Solved;
use crate::placement::PlacementError;
use crate::placement::grid::Grid;

impl Part {
    /// Tries every open combination; `None` when they are too many. `known` are prices that were found for these pairs and
    /// this best placement already.
    pub(super) fn try_all(
        &self,
        whole: &Self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        best: &mut Option<(Option<i128>, Vec<usize>)>,
        known: Option<Prices>,
        run: &mut Run<'_>,
    ) -> Option<Settled> {
        let target = best.as_ref().and_then(|(total, _)| *total);
        let prices = known.unwrap_or_else(|| Prices::find(grid, self, target));
        let searched = search(grid, self, &prices, target, placer.search_effort, &mut run.teller);
        run.work.nodes += searched.nodes;
        if let Some(found) = searched.found {
            *best = Some((whole.total(&found), found));
        }
        if !searched.complete {
            return None;
        }
        let argument = format!(
            "a search tree of {} nodes closes: {}",
            searched.nodes,
            prices.argument(grid)
        );
        Some(whole.closed(best.as_ref(), argument))
    }

    /// Settles it as an assignment problem; `None` when that does not close the part. Keeps what it finds.
    pub(super) fn assign(
        &self,
        whole: &Self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        best: &mut Option<(Option<i128>, Vec<usize>)>,
        (bound, argument): (&mut i128, &mut String),
        run: &mut Run<'_>,
    ) -> Option<Settled> {
        // Costs of the open part are those of the whole: closing pairs keeps offset and unit.
        let target = best.as_ref().and_then(|(total, _)| *total);
        let known = *bound;
        let assigned = assign(
            grid,
            self,
            target,
            placer.assign_effort(),
            run,
            |run, value, bound| {
                let total = [target, value].into_iter().flatten().min();
                run.see(whole, total, known.max(bound));
            },
        )?;
        if let Some(found) = assigned.found {
            *best = Some((whole.total(&found), found));
        }
        let how = match assigned.nodes {
            0 => {
                "prices on what clusters have, and what values there can be above what these prove".to_owned()
            }
            nodes => format!("what each cluster can take together, over {nodes} nodes"),
        };
        if !assigned.complete {
            if assigned.bound > *bound {
                *bound = assigned.bound;
                *argument = how;
            }
            return None;
        }
        Some(whole.closed(best.as_ref(), how))
    }

    /// What a search that came to its end says: the best placement is `best`, or there is none.
    fn closed(&self, best: Option<&(Option<i128>, Vec<usize>)>, argument: String) -> Settled {
        match best {
            Some((total, clusters)) => Settled::Placed(Placed {
                clusters: clusters.clone(),
                bound: total.and_then(|total| self.value(total)),
                argument,
                by_solver: false,
            }),
            None => Settled::Impossible,
        }
    }

    /// What is known when the one who watches has enough: the best placement so far, or else one that was not improved.
    pub(super) fn given_up(
        &self,
        grid: &Grid<'_>,
        best: Option<(Option<i128>, Vec<usize>)>,
        (bound, argument): (i128, String),
        run: &mut Run<'_>,
    ) -> Settled {
        let best = best.map(|(_, clusters)| clusters);
        let Some(clusters) = best.or_else(|| greedy::search(grid, self, &mut run.teller)) else {
            return Settled::Unknown;
        };
        Settled::Placed(Placed {
            clusters,
            bound: self.value(bound),
            argument,
            by_solver: false,
        })
    }

    /// Asks the solver for a placement cheaper than the best known one of the whole part.
    pub(super) fn solve(
        &self,
        whole: &Self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        best: Option<(Option<i128>, Vec<usize>)>,
        (bound, argument): (i128, String),
        run: &mut Run<'_>,
    ) -> Result<Settled, PlacementError> {
        let fall_back = |best: Option<(Option<i128>, Vec<usize>)>| match best {
            Some((_, clusters)) => Settled::Placed(Placed {
                clusters,
                bound: whole.value(bound),
                argument: argument.clone(),
                by_solver: false,
            }),
            None => Settled::Unknown,
        };
        if !run.teller.stopped() && self.variables() > placer.max_variables() {
            return Ok(fall_back(best));
        }
        let target = best.as_ref().and_then(|(total, _)| *total);
        // A solver cannot be interrupted.
        run.see(whole, target, bound);
        if !run.teller.asked() {
            return Ok(whole.given_up(grid, best, (bound, argument), run));
        }
        let model = model::build(grid, self, target);
        run.work.variables += model.variables().len() as u64;
        run.work.constraints += model.constraints().len() as u64;
        let solved = placer
            .solver
            .solve(&model)
            .map_err(|error| placer.failed(error))?;
        run.teller.asked();
        let proved = |clusters: Vec<usize>| {
            Settled::Placed(Placed {
                bound: whole.total(&clusters).and_then(|total| whole.value(total)),
                clusters,
                argument: String::new(),
                by_solver: true,
            })
        };
        match (solved, best) {
            (Solved::Infeasible, None) => Ok(Settled::Impossible),
            (Solved::Infeasible, Some((_, clusters))) => Ok(proved(clusters)),
            (Solved::GaveUp, best) => Ok(fall_back(best)),
            (Solved::Unbounded, _) => Err(placer.failed("it called a bounded model unbounded")),
            (Solved::Solution(solution), best) => {
                let faults = crate::milp::check(&model, &solution.values);
                let found = model::read(self, &solution.values)
                    .filter(|clusters| faults.is_empty() && self.holds(grid, clusters));
                let Some(found) = found else {
                    // Off by rounding: nothing of it is believed.
                    return Ok(fall_back(best));
                };
                let total = whole.total(&found);
                let improves = best.as_ref().is_none_or(|(known, _)| better(total, *known));
                let clusters = match best {
                    Some((_, clusters)) if !improves => clusters,
                    _ => found,
                };
                if solution.optimal {
                    Ok(proved(clusters))
                } else {
                    Ok(fall_back(Some((None, clusters))))
                }
            }
        }
    }
}
