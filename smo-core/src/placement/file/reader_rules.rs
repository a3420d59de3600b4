//! Reading goals, groups, budgets and wishes of a problem file.

use std::collections::BTreeMap;

use super::super::rules::{Demand, Priority, Rule, default_rules};
use super::super::{AntiAffinityGroup, Budget, Ceiling, CoLocationGroup, Goal, Goals, Value, Weight};
use super::codes;
use super::reader::{Reader, given};
use crate::decode::{Cursor, MapReader};
use crate::diagnostic::quoted;

/// How many decimals the unit of a goal has.
pub(super) const fn decimals(goal: Goal) -> u32 {
    goal.base_per_unit().ilog10()
}

/// How many decimals a value in points has.
pub(super) const VALUE_DECIMALS: u32 = Value::PER_POINT.ilog10();

impl<'a> Reader<'a> {
    pub(super) fn goals(&mut self, at: &Cursor<'a>) -> Goals {
        self.one(at, |reader, map| {
            let mut goals = reader.weights(map);
            goals.then = reader.each(map, "then", |reader, map| Some(reader.weights(map)));
            Some(goals)
        })
        .unwrap_or_default()
    }

    fn weights(&mut self, map: &mut MapReader<'a>) -> Goals {
        let one = Weight::from_millionths(1_000_000);
        let mut goals = Goals::none().with(Goal::Preference, one);
        for goal in Goal::ALL {
            let at = given(map, goal.name());
            if let Some(weight) = at.and_then(|at| self.points(&at, i64::MIN)) {
                goals = goals.with(goal, weight);
            }
        }
        goals
    }

    fn goal(&mut self, map: &mut MapReader<'a>) -> Option<Goal> {
        let at = map.require(&mut self.facts.decoder, "goal")?;
        // Points count what budgets cost, so a budget of points would have to know itself.
        let known = Goal::ALL.map(|goal| (goal.name(), goal));
        let known: Vec<(&str, Goal)> = known
            .into_iter()
            .filter(|(_, goal)| *goal != Goal::Preference)
            .collect();
        self.facts.one_of(&at, &known)
    }

    pub(super) fn budget(&mut self, map: &mut MapReader<'a>) -> Option<Budget> {
        let goal = self.goal(map);
        let at_most = map.require(&mut self.facts.decoder, "atMost");
        let at_most = at_most.zip(goal).and_then(|(at, goal)| {
            let hint = format!("write a number of {}", goal.unit());
            self.decimal(&at, decimals(goal), i128::MIN, &hint)
        });
        let price = self.price(map);
        Some(Budget {
            goal: goal?,
            at_most: at_most?,
            price,
        })
    }

    pub(super) fn ceiling(&mut self, map: &mut MapReader<'a>) -> Option<Ceiling> {
        let goals = map.require(&mut self.facts.decoder, "goals");
        let goals = goals.map(|at| self.goals(&at));
        let at_most = map.require(&mut self.facts.decoder, "atMost");
        let at_most =
            at_most.and_then(|at| self.decimal(&at, VALUE_DECIMALS, i128::MIN, "write a number of points"));
        Some(Ceiling {
            goals: goals?,
            at_most: Value::from_units(at_most?),
        })
    }

    pub(super) fn co_location(&mut self, map: &mut MapReader<'a>) -> Option<CoLocationGroup> {
        Some(CoLocationGroup {
            services: self.services_in(map),
            price: self.price(map),
        })
    }

    pub(super) fn anti_affinity(&mut self, map: &mut MapReader<'a>) -> Option<AntiAffinityGroup> {
        Some(AntiAffinityGroup {
            services: self.services_in(map),
            key: self.domain(map),
            price: self.price(map),
        })
    }

    pub(super) fn soft(&mut self, at: &Cursor<'a>) -> BTreeMap<String, Weight> {
        let names: Vec<&str> = default_rules()
            .iter()
            .map(|rule| rule.name())
            .filter(|name| ![Demand.name(), Priority.name()].contains(name))
            .collect();
        let mut soft = BTreeMap::new();
        for (name, at) in self.entries(at) {
            if !names.contains(&name) {
                let message = format!("no rule that may be a wish is called {}", quoted(name));
                let meant = self.facts.decoder.suggest(name, names.iter().copied());
                let hint = meant.unwrap_or_else(|| format!("one of {}", names.join(", ")));
                self.facts.fault(&at, codes::BAD_RULE, message, &hint);
            }
            let price = self.points(&at, 0);
            soft.extend(price.map(|price| (name.to_owned(), price)));
        }
        soft
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_has_a_decimal_unit() {
        for goal in Goal::ALL {
            assert_eq!(
                10_i64.pow(decimals(goal)),
                goal.base_per_unit(),
                "{}",
                goal.name()
            );
        }
        assert_eq!(10_i128.pow(VALUE_DECIMALS), Value::PER_POINT);
    }

    #[test]
    fn codes_are_told_apart() {
        let ours = codes::ALL.iter().map(|(code, _)| code.0);
        let all: Vec<&str> = ours
            .chain(crate::cluster::codes::ALL.iter().map(|(code, _)| code.0))
            .collect();
        let different: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), different.len());
    }
}
