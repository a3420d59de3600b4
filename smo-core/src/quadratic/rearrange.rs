//! Rearrangement: a task goes to an agent whatever that costs, and those of there go to where it is cheapest.
//!
//! Moves of one task and exchanges of two leave a large task where it is when several small ones have to make room for it. See
//! Gavranović, Buljubašić, Demirović, [Variable neighborhood search for Google machine reassignment
//! problem](https://doi.org/10.1016/j.endm.2012.10.028), 2012.

use super::anneal::Anneal;
use super::state::Change;

/// So many agents are looked at for each task that makes room.
const LOOKED_AT: usize = 4;

/// The task is one of the dearest of so many agents, every other time.
const DEAREST_OF: usize = 8;

/// A task that went elsewhere: what undoes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone {
    task: u32,
    from: usize,
    change: Change,
}

impl Anneal<'_, '_> {
    /// Rearranges an agent by chance, and keeps that when it costs no more than is accepted.
    pub(super) fn rearrange(&mut self, accepted: f64) {
        let Some(task) = self.large() else { return };
        let to = self.anywhere(task);
        if to == self.state.agent_of[task] as usize || !self.send(task as u32, to) {
            return;
        }
        let mut others = self.state.members(to).to_vec();
        others.retain(|other| *other as usize != task);
        self.random.shuffle(&mut others);
        for other in others {
            if self.sent() <= accepted {
                break;
            }
            self.make_way(other, to);
        }
        if self.sent() <= accepted {
            for gone in &self.gone {
                self.incumbent.note(&[gone.task]);
            }
            self.incumbent.see(self.state, &[]);
        } else {
            for gone in self.gone.iter().rev() {
                self.state.apply(&[gone.task], gone.from, &gone.change.back());
            }
        }
        self.gone.clear();
    }

    /// A task, every other time one of an agent whose load costs much.
    fn large(&mut self) -> Option<usize> {
        if self.random.below(2) == 0 {
            return Some(self.random.below(self.state.agent_of.len()));
        }
        let agents = self.state.field.agents;
        let mut dearest = self.random.below(agents);
        for _ in 1..DEAREST_OF {
            let other = self.random.below(agents);
            if self.state.rows.held(other) > self.state.rows.held(dearest) {
                dearest = other;
            }
        }
        let members = self.state.members(dearest);
        let at = self.random.below(members.len().max(1));
        members.get(at).map(|task| *task as usize)
    }

    /// What all that went elsewhere costs.
    fn sent(&self) -> f64 {
        self.gone.iter().map(|gone| gone.change.total()).sum()
    }

    /// A task goes from its agent to the cheapest of a few others, where that is cheaper than to stay.
    fn make_way(&mut self, task: u32, from: usize) {
        let mut best: Option<(usize, f64)> = None;
        for look in 0..LOOKED_AT.min(self.state.field.agents) {
            // where the large one was there may be room now
            let agent = match self.gone.first() {
                Some(first) if look == 0 => first.from,
                _ => self.anywhere(task as usize),
            };
            let least = best.map_or(0.0, |(_, least)| least);
            if agent != from
                && let Some(change) = self.state.change(&[task], agent, least)
                && change.total() < least
            {
                best = Some((agent, change.total()));
            }
        }
        if let Some((agent, _)) = best {
            self.send(task, agent);
        }
    }

    /// False when the task may not be there.
    fn send(&mut self, task: u32, to: usize) -> bool {
        let from = self.state.agent_of[task as usize] as usize;
        let Some(change) = self.state.change(&[task], to, f64::INFINITY) else {
            return false;
        };
        self.state.apply(&[task], to, &change);
        self.gone.push(Gone { task, from, change });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::anneal::Candidates;
    use super::super::field::Field;
    use super::super::forest::Forest;
    use super::super::incumbent::Incumbent;
    use super::super::problem::{FORBIDDEN, QuadraticProblem};
    use super::super::state::State;
    use super::super::strain::Comfort;
    use super::*;

    /// A large agent full of small tasks, and a small one with a large task that costs there.
    fn question() -> (QuadraticProblem, Vec<usize>) {
        let mut problem = QuadraticProblem::new(3, 7, 1);
        for (agent, (has, level)) in [(30, 30), (12, 2), (10, 10)].into_iter().enumerate() {
            problem.set_capacity(agent, 0, has);
            problem.set_comfort(agent, 0, Comfort { level, price: 10 });
        }
        for (task, need) in [12, 5, 5, 5, 5, 5, 3].into_iter().enumerate() {
            problem.set_need(task, 0, need);
            (0..3).for_each(|agent| problem.set_cost(task, agent, agent as i64));
        }
        (problem, vec![1, 0, 0, 0, 0, 0, 2])
    }

    fn anneal<R>(
        (problem, answer): (QuadraticProblem, Vec<usize>),
        look: impl FnOnce(&mut Anneal<'_, '_>) -> R,
    ) -> R {
        let field = Field::new(&problem);
        let forest = Forest::new(&problem, &[]);
        let prices = vec![0.0; field.width];
        let candidates = Candidates::new(&problem, &field, &forest, &prices);
        let mut state = State::new(&problem, &field, &answer);
        for agent in 0..3 {
            state.rows.set_rates(agent, 0, (0.0, 1_000.0));
        }
        state.place_all();
        let mut incumbent = Incumbent::new();
        incumbent.see_all(&state);
        look(&mut Anneal::new(
            &mut state,
            &candidates,
            &prices,
            &mut incumbent,
            1,
        ))
    }

    #[test]
    fn small_tasks_make_way_for_a_large_one() {
        anneal(question(), |anneal| {
            let before = anneal.state.cost;
            for _ in 0..1_000 {
                anneal.rearrange(-1e-9);
            }
            assert_eq!(anneal.state.agent_of[0], 0);
            assert!(anneal.state.is_sound());
            assert!(anneal.incumbent.cost <= before - 60.0);
        });
    }

    #[test]
    fn tries_go_to_where_a_task_may_be() {
        let (mut problem, answer) = question();
        problem.set_cost(0, 0, FORBIDDEN);
        problem.set_cost(0, 2, FORBIDDEN);
        let allowed = anneal((problem, answer), |anneal| {
            (0..100).filter(|_| anneal.anywhere(0) == 1).count()
        });
        assert!(allowed > 90, "{allowed}");
        let twice = anneal(question(), |anneal| {
            (0..100).filter(|_| anneal.anywhere(1) == 1).count()
        });
        assert!((20..50).contains(&twice), "{twice}");
    }

    #[test]
    fn what_costs_too_much_is_undone() {
        anneal(question(), |anneal| {
            let (before, cost) = (anneal.state.agent_of.clone(), anneal.state.cost);
            for _ in 0..100 {
                anneal.rearrange(f64::NEG_INFINITY);
                assert_eq!(anneal.state.agent_of, before);
                assert!((anneal.state.cost - cost).abs() < 1e-6);
            }
            let drifted = anneal.state.cost;
            anneal.state.place_all();
            assert!((anneal.state.cost - drifted).abs() < 1e-6);
        });
    }
}
