//! What an answer costs. Shares nothing with the search: it is what answers are checked with.

use super::problem::{FORBIDDEN, QuadraticProblem};

impl QuadraticProblem {
    /// What an answer (one agent a task) costs; `None` when it breaks a rule or the sum does not fit.
    ///
    /// ```
    /// use smo_core::quadratic::QuadraticProblem;
    ///
    /// let mut problem = QuadraticProblem::new(1, 1, 0);
    /// assert_eq!(problem.value(&[0]), None);
    /// problem.set_cost(0, 0, 5);
    /// assert_eq!(problem.value(&[0]), Some(5));
    /// ```
    #[must_use]
    pub fn value(&self, answer: &[usize]) -> Option<i64> {
        if answer.len() != self.tasks() {
            return None;
        }
        let mut value = 0_i64;
        for (task, agent) in answer.iter().enumerate() {
            let cost = *self.costs(task).get(*agent)?;
            if cost == FORBIDDEN {
                return None;
            }
            value = value.checked_add(cost)?;
        }
        for affinity in self.affinities() {
            if affinity.alone(|task| answer[task]) > 0 {
                return None;
            }
        }
        let parts = [
            self.load_value(answer)?,
            self.link_value(answer)?,
            self.group_value(answer)?,
        ];
        parts.into_iter().try_fold(value, i64::checked_add)
    }

    fn load_value(&self, answer: &[usize]) -> Option<i64> {
        let mut value = 0_i64;
        let resources = self.resources();
        let mut used = vec![0_u128; self.agents() * resources];
        for (task, agent) in answer.iter().enumerate() {
            for resource in 0..resources {
                used[agent * resources + resource] += u128::from(self.need(task, *agent, resource));
            }
        }
        for agent in 0..self.agents() {
            let used = &used[agent * resources..(agent + 1) * resources];
            for (resource, (used, has)) in used.iter().zip(self.capacities(agent)).enumerate() {
                if *has < u64::MAX && *used > u128::from(*has) {
                    return None;
                }
                if let Some(comfort) = self.comfort(agent, resource) {
                    let above = used.saturating_sub(u128::from(comfort.level));
                    value = value.checked_add(paid(comfort.price, above)?)?;
                }
            }
            for balance in self.balances() {
                let above = balance.above(agent, used[balance.one], used[balance.other])?;
                value = value.checked_add(paid(balance.price, above)?)?;
            }
        }
        Some(value)
    }

    fn link_value(&self, answer: &[usize]) -> Option<i64> {
        let mut value = 0_i64;
        for link in self.links() {
            let distance = self.distances()[link.distance].between(answer[link.from], answer[link.to])?;
            if distance == FORBIDDEN {
                return None;
            }
            value = value.checked_add(link.weight.checked_mul(distance)?)?;
        }
        Some(value)
    }

    fn group_value(&self, answer: &[usize]) -> Option<i64> {
        let mut value = 0_i64;
        for group in self.groups() {
            let excess = group.excess(&group.count(|task| answer[task]));
            match group.price {
                None if excess > 0 => return None,
                None => {}
                Some(price) => value = value.checked_add(paid(price, excess as u128)?)?,
            }
        }
        Some(value)
    }
}

fn paid(price: i64, amount: u128) -> Option<i64> {
    price.checked_mul(i64::try_from(amount).ok()?)
}
