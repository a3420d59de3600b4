//! Generalised assignment as the OR-library has it: every item to one agent at least cost, within capacities.
//!
//! `m n`, then m rows of n costs, m rows of n weights, and m capacities, all whole numbers between white space
//! (J. E. Beasley, *OR-Library*, <https://people.brunel.ac.uk/~mastjjb/jeb/orlib/gapinfo.html>). Agents are clusters, items
//! are services.

use std::time::Instant;

use serde_json::json;
use smo_core::assign::{self, AssignProblem, Limits};

use super::solution::Solution;
use super::text::Words;
use super::{Answer, Effort, Fault, Format, Input};

const HINT: &str = "`m n`, then m rows of n costs, m rows of n weights, and m capacities";
/// A table of more pairs than this does not fit a small machine.
const MOST_PAIRS: i64 = 50_000_000;
/// Effort of the kernel that takes about a second.
const PER_SECOND: f64 = 1.4e9;

/// The format.
#[derive(Debug)]
pub(super) struct Gap;

/// The numbers of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instance {
    items: usize,
    /// Agent by agent.
    costs: Vec<Vec<i64>>,
    weights: Vec<Vec<u64>>,
    capacities: Vec<u64>,
}

impl Instance {
    fn read(input: &Input) -> Result<Self, Fault> {
        let mut words = Words::of(input);
        let agents = words.whole(|| "the number of agents".to_owned(), 1, HINT)?;
        let items = words.whole(|| "the number of items".to_owned(), 0, HINT)?;
        if agents.checked_mul(items).is_none_or(|pairs| pairs > MOST_PAIRS) {
            let message = format!("{agents} agents and {items} items are more than {MOST_PAIRS} pairs");
            return Err(words.fault(
                message,
                "a smaller problem, or the numbers in the right order: agents first",
            ));
        }
        let mut table = |what: &str, least: i64| -> Result<Vec<Vec<i64>>, Fault> {
            let mut rows = Vec::new();
            for agent in 0..agents {
                let number = |item: i64| format!("the {what} of item {item} at agent {agent}");
                let row = (0..items).map(|item| words.whole(|| number(item), least, HINT));
                rows.push(row.collect::<Result<_, _>>()?);
            }
            Ok(rows)
        };
        let costs = table("cost", i64::MIN)?;
        let weights = table("weight", 0)?;
        let capacity = |agent: i64| words.whole(|| format!("the capacity of agent {agent}"), 0, HINT);
        let capacities: Vec<i64> = (0..agents).map(capacity).collect::<Result<_, _>>()?;
        words.end(HINT)?;
        let unsigned = |row: Vec<i64>| row.into_iter().map(i64::unsigned_abs).collect();
        Ok(Self {
            items: usize::try_from(items).unwrap_or(0),
            costs,
            weights: weights.into_iter().map(unsigned).collect(),
            capacities: unsigned(capacities),
        })
    }

    fn problem(&self) -> AssignProblem {
        let mut problem = AssignProblem::new(self.capacities.len(), self.items);
        let rows = self.costs.iter().zip(&self.weights).zip(&self.capacities);
        for (agent, ((costs, weights), capacity)) in rows.enumerate() {
            let needs = problem.add_needs(weights.clone());
            problem.limit(agent, needs, *capacity);
            for (item, cost) in costs.iter().enumerate() {
                problem.set_cost(agent, item, *cost);
            }
        }
        problem
    }

    /// What is wrong with an answer, worked out from the numbers of the file alone.
    fn check(&self, answer: &[usize], value: i64) -> Vec<String> {
        let mut faults = Vec::new();
        if answer.len() != self.items {
            return vec![format!("it has {} items instead of {}", answer.len(), self.items)];
        }
        let mut left: Vec<i128> = self
            .capacities
            .iter()
            .map(|capacity| i128::from(*capacity))
            .collect();
        let mut sum = 0_i128;
        for (item, agent) in answer.iter().enumerate() {
            let (Some(costs), Some(weights), Some(left)) = (
                self.costs.get(*agent),
                self.weights.get(*agent),
                left.get_mut(*agent),
            ) else {
                faults.push(format!("item {item} is at agent {agent}, which there is not"));
                continue;
            };
            sum += costs.get(item).map_or(0, |cost| i128::from(*cost));
            *left -= weights.get(item).map_or(0, |weight| i128::from(*weight));
        }
        for (agent, left) in left.iter().enumerate().filter(|(_, left)| **left < 0) {
            faults.push(format!("agent {agent} takes {} more than it can", -left));
        }
        if sum != i128::from(value) {
            faults.push(format!("it is said to cost {value} and costs {sum}"));
        }
        faults
    }
}

impl Format for Gap {
    fn name(&self) -> &'static str {
        "gap"
    }

    fn about(&self) -> &'static str {
        "generalised assignment, as the OR-library has it"
    }

    fn solve(
        &self,
        input: &Input,
        effort: Effort,
        take: &mut dyn FnMut(&Answer) -> bool,
    ) -> Result<(), Fault> {
        let instance = Instance::read(input)?;
        let about = input.path.display().to_string();
        let began = Instant::now();
        let limits = Limits {
            effort: effort.steps(PER_SECOND),
            below: None,
        };
        let solved = assign::solve(&instance.problem(), None, &limits);
        let solution = Solution {
            best: solved.best,
            bound: solved.bound,
            complete: solved.complete,
            seconds: began.elapsed().as_secs_f64(),
        };
        let faults = solution
            .best
            .as_ref()
            .map(|(answer, value)| instance.check(answer, *value));
        let work = json!({"nodes": solved.nodes, "steps": solved.work});
        let printed = solution.printed(about, faults.unwrap_or_default(), &[("work", work)])?;
        take(&printed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input {
            path: "small.txt".into(),
            text: text.to_owned(),
        }
    }

    fn fault(text: &str) -> String {
        Instance::read(&input(text)).unwrap_err().to_string()
    }

    #[test]
    fn bad_files_are_refused_with_the_line() {
        insta::assert_snapshot!(fault(""), @"small.txt:1: the file ends after 0 numbers, before the number of agents");
        insta::assert_snapshot!(fault("2"), @"small.txt:1: the file ends after 1 numbers, before the number of items");
        insta::assert_snapshot!(fault("0 3"), @"small.txt:1: the number of agents is 0, and has to be 1 or more, and below 2^63 - 1");
        insta::assert_snapshot!(fault("2 2\n1 2\n3 x\n"), @"small.txt:3: the cost of item 1 at agent 1 is `x`, and has to be a whole number of 64 bits");
        insta::assert_snapshot!(fault("1 2\n1 2\n3 -4\n9"), @"small.txt:3: the weight of item 1 at agent 0 is -4, and has to be 0 or more, and below 2^63 - 1");
        insta::assert_snapshot!(fault("1 1\n5\n1\n2\n\n7\n"), @"small.txt:6: `7` is left over after all 5 numbers");
        insta::assert_snapshot!(fault("1 1\n5\n1\n"), @"small.txt:3: the file ends after 4 numbers, before the capacity of agent 0");
        insta::assert_snapshot!(fault("1 1 99999999999999999999"), @"small.txt:1: the cost of item 0 at agent 0 is `99999999999999999999`, and has to be a whole number of 64 bits");
        insta::assert_snapshot!(fault("100000 100000"), @"small.txt:1: 100000 agents and 100000 items are more than 50000000 pairs");
        let hints = Instance::read(&input("2")).unwrap_err().hints();
        assert_eq!(hints, [HINT]);
    }

    #[test]
    fn the_checker_finds_every_kind_of_fault() {
        let instance = Instance::read(&input("2 2\n1 2\n3 4\n5 5\n5 5\n5 9\n")).unwrap();
        assert_eq!(instance.check(&[0, 1], 5), Vec::<String>::new());
        assert_eq!(instance.check(&[0, 1], 4), ["it is said to cost 4 and costs 5"]);
        assert_eq!(instance.check(&[0, 0], 3), ["agent 0 takes 5 more than it can"]);
        assert_eq!(instance.check(&[1, 1], 7), ["agent 1 takes 1 more than it can"]);
        assert_eq!(instance.check(&[0], 1), ["it has 1 items instead of 2"]);
        assert_eq!(
            instance.check(&[2, 0], 2),
            ["item 0 is at agent 2, which there is not"]
        );
    }
}
