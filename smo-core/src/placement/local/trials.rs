//! What would change if one service ran elsewhere: thousands of services by hundreds of clusters, each in the time of one move.

use std::collections::BTreeMap;

use super::draft::{Draft, Shift};
use super::search::spots_of;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::integers::weighted;
use crate::placement::{Breach, Goal, IntegerModel, Placement, Totals, Value};

/// A placement in which services are moved one by one, and back.
#[derive(Debug)]
pub(in crate::placement) struct Trials<'m, 'a> {
    draft: Draft<'m, 'a>,
    services: BTreeMap<&'a ServiceKey, usize>,
    clusters: BTreeMap<&'a ClusterName, usize>,
    before: Totals,
}

/// A service elsewhere, all others where they are.
#[derive(Debug)]
pub(in crate::placement) struct Trial {
    /// A rule is broken that is not about what the whole placement amounts to.
    pub(in crate::placement) is_broken: bool,
    /// The first budget that is overrun, or goals of a higher priority that get worse.
    pub(in crate::placement) over: Option<Breach>,
    /// What changes, goal by goal.
    pub(in crate::placement) change: Totals,
}

impl<'m, 'a> Trials<'m, 'a> {
    /// `None` where the placement has something that the model has not.
    pub(in crate::placement) fn new(model: &'m IntegerModel<'a>, placement: &Placement) -> Option<Self> {
        let draft = Draft::new(model, spots_of(model, placement)?, None);
        let drawn = draft.placement();
        let mut keys = model.services.iter().map(|service| service.key);
        if !keys.all(|key| drawn.get(key) == placement.get(key)) {
            return None;
        }
        let services = model.services.iter().enumerate();
        let clusters = model.clusters.iter().enumerate();
        Some(Self {
            before: draft.amounts()?,
            services: services.map(|(number, service)| (service.key, number)).collect(),
            clusters: clusters.map(|(number, name)| (*name, number)).collect(),
            draft,
        })
    }

    /// All replicas of a service on a cluster; `None` where a rule keeps it off whatever the others do, or an amount does not fit.
    pub(in crate::placement) fn of(&mut self, service: &ServiceKey, cluster: &ClusterName) -> Option<Trial> {
        let number = *self.services.get(service)?;
        let to = *self.clusters.get(cluster)?;
        self.draft.model.services[number].open.binary_search(&to).ok()?;
        let elsewhere = self.draft.spots[number].iter().filter(|(from, _)| *from != to);
        let shifts: Vec<Shift> = elsewhere
            .map(|(from, count)| Shift {
                service: number,
                from: *from,
                to,
                count: *count,
            })
            .collect();
        shifts.iter().for_each(|shift| self.draft.apply(*shift));
        let is_broken = self.draft.broken() > 0;
        let amounts = self.draft.amounts();
        let over = amounts.and_then(|amounts| self.over(&amounts));
        for shift in shifts.iter().rev() {
            self.draft.apply(shift.back());
        }
        Some(Trial {
            is_broken,
            over,
            change: amounts?.checked_sub(&self.before)?,
        })
    }

    fn over(&self, amounts: &Totals) -> Option<Breach> {
        let hard = self
            .draft
            .model
            .budgets
            .iter()
            .filter(|(_, price)| price.is_none());
        let budget = hard
            .map(|(budget, _)| *budget)
            .find(|budget| amounts.of(budget.goal) > budget.at_most);
        if let Some(budget) = budget {
            return Some(Breach::OverBudget {
                budget: budget.clone(),
                amount: amounts.of(budget.goal),
            });
        }
        let by_goal = Goal::ALL.map(|goal| i128::from(amounts.of(goal)));
        let ceilings = &self.draft.yard.ceilings;
        let (worth, at_most) = ceilings
            .iter()
            .map(|(weights, at_most)| (weighted(weights, &by_goal), *at_most))
            .find(|(worth, at_most)| worth > at_most)?;
        Some(Breach::Spoils {
            worth: Some(Value::from_units(worth)),
            at_most: Value::from_units(at_most),
        })
    }
}
