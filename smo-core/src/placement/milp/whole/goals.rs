//! What every goal sums up to, and the rows of rules about goals: budgets, ceilings, bandwidth, what is final as a wish.

use std::collections::BTreeMap;

use super::{Builder, Terms, Var};
use crate::milp::Relation;
use crate::placement::goals::FULL;
use crate::placement::integers::IntegerLink;
use crate::placement::{Goal, Goals, MilpPlacer, PlacementError, PlacementProblem, Weight};

impl Builder<'_, '_> {
    /// Writes the goals that count, then the rules about them.
    pub(super) fn goals(&mut self, problem: &PlacementProblem) -> Result<(), PlacementError> {
        self.of_services();
        self.of_moves(problem);
        let mut carried = BTreeMap::new();
        for link in &self.model.links {
            self.of_link(link, problem, &mut carried)?;
        }
        self.bandwidth(&mut carried);
        if counts(problem, Goal::Balance) {
            self.of_balance();
        }
        if counts(problem, Goal::Consolidation) {
            self.of_consolidation();
        }
        self.budgets();
        self.ceilings()?;
        self.refuse_rewards(problem)
    }

    fn of_services(&mut self) {
        let model = self.model;
        for (number, service) in model.services.iter().enumerate() {
            for (position, amounts) in service.amounts.iter().enumerate() {
                let Some(columns) = self.columns.get(number) else {
                    continue;
                };
                let replicas = columns.replicas.get(position).copied().flatten();
                let Some(variable) = replicas.or_else(|| columns.used.get(position).copied()) else {
                    continue;
                };
                for goal in Goal::ALL {
                    self.draft.add_to(goal, variable, amounts.of(goal).into());
                }
            }
            if service.split {
                self.draft.add_constant(Goal::Placements, 1);
            }
        }
    }

    /// The moves of services that are split: replicas that run now, less those that stay.
    fn of_moves(&mut self, problem: &PlacementProblem) {
        let model = self.model;
        let moves = [Goal::Moves, Goal::MovedReplicas, Goal::MovedState];
        let counted = moves.into_iter().any(|goal| counts(problem, goal));
        for (number, service) in model.services.iter().enumerate() {
            let wish = service.stays.flatten();
            if !service.split || !counted && wish.is_none() {
                continue;
            }
            let running = i128::from(service.running.min(service.replicas));
            if running == 0 {
                continue;
            }
            let moved = self.draft.integer(running);
            // moved + what stays = running
            let mut terms: Terms = vec![(moved, 1)];
            for (cluster, now) in service.now.iter().enumerate().filter(|(_, now)| **now > 0) {
                if let Some((there, _)) = self.replicas(number, cluster, 1) {
                    let stay = self.draft.integer((*now).into());
                    self.draft.row([(stay, 1), (there, -1)], Relation::AtMost, 0);
                    terms.push((stay, 1));
                }
            }
            self.draft.row(terms, Relation::AtLeast, running);
            self.draft.add_to(Goal::MovedReplicas, moved, 1);
            self.draft
                .add_to(Goal::MovedState, moved, service.demand.state.get().into());
            if let Some(price) = wish {
                self.draft.add_to(Goal::Preference, moved, price.into());
            }
            let any = self.draft.binary();
            self.draft.row([(moved, 1), (any, -running)], Relation::AtMost, 0);
            self.draft.add_to(Goal::Moves, any, 1);
        }
    }

    /// What a link adds to goals and to the traffic between clusters.
    fn of_link(
        &mut self,
        link: &IntegerLink,
        problem: &PlacementProblem,
        carried: &mut BTreeMap<(usize, usize), Terms>,
    ) -> Result<(), PlacementError> {
        let model = self.model;
        let (Some(one), Some(other)) = (model.services.get(link.from), model.services.get(link.to)) else {
            return Ok(());
        };
        let parts = i128::from(one.parts().max(other.parts()));
        let both_split = one.parts() > 1 && other.parts() > 1;
        let Some(table) = model.paths.get(link.path) else {
            return Ok(());
        };
        for (here, &from) in one.open.iter().enumerate() {
            for (there, &to) in other.open.iter().enumerate() {
                let limited = model.bandwidth.iter();
                let ends = (from.min(to), from.max(to));
                let limited = limited.into_iter().any(|(a, b, _)| (*a, *b) == ends);
                let amounts = table
                    .get(from * model.clusters.len() + to)
                    .copied()
                    .unwrap_or_default();
                let links = Goal::ALL.into_iter().filter(|goal| goal.is_of_links());
                let counted: Vec<Goal> = links
                    .filter(|goal| amounts.of(*goal) != 0 && counts(problem, *goal))
                    .collect();
                if counted.is_empty() && !limited {
                    continue;
                }
                if both_split {
                    return Err(PlacementError::CannotExpress {
                        placer: MilpPlacer::NAME.to_owned(),
                        what: format!(
                            "the traffic between {} and {}, which are both split",
                            one.key, other.key
                        ),
                        hint: format!(
                            "let one of them run on one cluster, or use the {} placer on a small problem",
                            crate::placement::Exhaustive::NAME
                        ),
                    });
                }
                let share = self.product((link.from, here), (link.to, there), parts);
                for goal in counted {
                    self.draft.add_to(goal, share, amounts.of(goal).into());
                }
                if limited {
                    carried
                        .entry(ends)
                        .or_default()
                        .push((share, link.traffic.into()));
                }
            }
        }
        Ok(())
    }

    /// The parts of a link between two positions: the product of the parts of both ends, of which one is 0 or 1.
    fn product(&mut self, from: (usize, usize), to: (usize, usize), parts: i128) -> Var {
        let column = |(service, position): (usize, usize)| {
            let columns = self.columns.get(service)?;
            let replicas = columns.replicas.get(position).copied().flatten();
            let many = self
                .model
                .services
                .get(service)
                .is_some_and(|service| service.parts() > 1);
            let used = columns.used.get(position).copied()?;
            Some((replicas.filter(|_| many).unwrap_or(used), many))
        };
        let ends = column(from).zip(column(to));
        let share = self.draft.integer(parts);
        let Some(((one, many), (other, _))) = ends else {
            return share;
        };
        let (count, flag) = if many { (one, other) } else { (other, one) };
        self.draft.row([(share, 1), (count, -1)], Relation::AtMost, 0);
        self.draft.row([(share, 1), (flag, -parts)], Relation::AtMost, 0);
        self.draft
            .row([(count, 1), (flag, parts), (share, -1)], Relation::AtMost, parts);
        share
    }

    fn of_balance(&mut self) {
        let model = self.model;
        let full = i128::try_from(FULL).unwrap_or(1);
        let mut most = 0_i128;
        let mut rows: Vec<(Terms, i128)> = Vec::new();
        for (cluster, sizes) in model.sizes.iter().enumerate() {
            for (resource, size) in sizes.iter().enumerate() {
                let Some(size) = size else { continue };
                let (taken, whole) = (i128::from(size.taken), i128::from(size.whole));
                let mut used = Terms::new();
                let mut users = Vec::new();
                let mut all = taken;
                for (number, service) in model.services.iter().enumerate() {
                    let need = service.need.get(resource).copied().map_or(0, i128::from);
                    let term = self.replicas(number, cluster, need.saturating_mul(full));
                    if let Some(term) = term.filter(|_| need > 0) {
                        used.push(term);
                        users.extend(self.used(number, cluster));
                        all = all.saturating_add(need.saturating_mul(service.replicas.into()));
                    }
                }
                most = most.max(all.saturating_mul(full) / whole + 1);
                // What others hold counts as soon as one service is there.
                let base = if taken == 0 { users.get(..1) } else { users.get(..) };
                for user in base.into_iter().flatten() {
                    let mut terms = used.clone();
                    terms.push((*user, taken.saturating_mul(full)));
                    rows.push((terms, whole));
                }
            }
        }
        let fullest = self.draft.integer(most);
        for (mut terms, whole) in rows {
            terms.push((fullest, -whole));
            self.draft.row(terms, Relation::AtMost, 0);
        }
        self.draft.add_to(Goal::Balance, fullest, 1);
    }

    fn of_consolidation(&mut self) {
        for cluster in 0..self.model.clusters.len() {
            let services = 0..self.model.services.len();
            let users: Vec<Var> = services
                .filter_map(|service| self.used(service, cluster))
                .collect();
            if users.is_empty() {
                continue;
            }
            let used = self.draft.binary();
            for user in users {
                self.draft.row([(user, 1), (used, -1)], Relation::AtMost, 0);
            }
            self.draft.add_to(Goal::Consolidation, used, 1);
        }
    }

    fn budgets(&mut self) {
        for (budget, price) in &self.model.budgets {
            let (mut terms, constant) = self.draft.goal(budget.goal);
            let all = terms
                .iter()
                .map(|(variable, factor)| self.draft.most(*variable).saturating_mul(*factor).max(0))
                .fold(constant, i128::saturating_add);
            let step = i128::from(budget.step());
            let bound = i128::from(budget.at_most).saturating_sub(constant);
            let most = all.saturating_sub(budget.at_most.into()).max(0) / step + 1;
            terms.extend(self.slack(*price, most).map(|slack| (slack, -step)));
            self.draft.row(terms, Relation::AtMost, bound);
        }
    }

    fn ceilings(&mut self) -> Result<(), PlacementError> {
        for ceiling in self.model.ceilings {
            let weights = Goal::ALL.into_iter().map(|goal| {
                let weight = ceiling.goals.checked_value(goal, 1);
                weight.map_or(i128::MAX, |weight| weight.units())
            });
            let weights: Vec<i128> = weights.collect();
            let too_large = || PlacementError::TooLarge { goal: Goal::Money };
            let (terms, constant) = self.draft.weighted(&weights).ok_or_else(too_large)?;
            let bound = ceiling
                .at_most
                .units()
                .checked_sub(constant)
                .ok_or_else(too_large)?;
            self.draft.row(terms, Relation::AtMost, bound);
        }
        Ok(())
    }

    /// A goal that is only bounded from below in the model cannot be a reward.
    fn refuse_rewards(&self, problem: &PlacementProblem) -> Result<(), PlacementError> {
        let from_below = [
            Goal::Moves,
            Goal::MovedReplicas,
            Goal::MovedState,
            Goal::Balance,
            Goal::Consolidation,
            Goal::Preference,
        ];
        let negative = |goals: &Goals, goal: Goal| goals.weight(goal) < Weight::default();
        let levels = problem
            .ceilings
            .iter()
            .map(|ceiling| &ceiling.goals)
            .chain([&problem.goals]);
        for goals in levels {
            if let Some(goal) = from_below.into_iter().find(|goal| negative(goals, *goal)) {
                return Err(PlacementError::CannotExpress {
                    placer: MilpPlacer::NAME.to_owned(),
                    what: format!("a negative weight of {}", goal.name()),
                    hint: "give it a weight of 0 or more".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// True when a goal has a weight, a budget, or a part in a goal of a higher priority.
fn counts(problem: &PlacementProblem, goal: Goal) -> bool {
    let weighs = |goals: &Goals| goals.weight(goal) != Weight::default();
    weighs(&problem.goals)
        || problem.budgets.iter().any(|budget| budget.goal == goal)
        || problem.ceilings.iter().any(|ceiling| weighs(&ceiling.goals))
}
