//! How many needing and needed tasks each class of an affinity has, counted while tasks move.

use super::affinity::Affinity;

/// Every affinity, and its tasks by class.
#[derive(Debug, Default)]
pub(super) struct Near {
    /// The classes of agents, each way to class them once.
    classes: Vec<Vec<u32>>,
    /// By affinity and then class.
    counts: Vec<Count>,
    of_task: Vec<Vec<Bond>>,
    /// By task: the way that all of its affinities class agents, where it is one.
    way_of: Vec<Option<u32>>,
}

/// A task in an affinity.
#[derive(Debug, Clone, Copy)]
struct Bond {
    /// Where the counts of the affinity begin.
    first: u32,
    /// The number of the way to class agents.
    way: u32,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Needs,
    Needed,
}

/// Tasks of an affinity in a class.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    needing: u32,
    needed: u32,
}

impl Count {
    /// Tasks without another near.
    const fn alone(self) -> i64 {
        if self.needed == 0 { self.needing as i64 } else { 0 }
    }

    const fn of(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::Needs => &mut self.needing,
            Side::Needed => &mut self.needed,
        }
    }
}

impl Side {
    /// How many more tasks have none near when one goes from class to class.
    fn change(self, left: Count, entered: Count) -> i64 {
        match self {
            Self::Needs => i64::from(entered.needed == 0) - i64::from(left.needed == 0),
            Self::Needed => {
                let lost = if left.needed == 1 { left.needing } else { 0 };
                i64::from(lost) - entered.alone()
            }
        }
    }
}

impl Near {
    pub(super) fn new(affinities: &[Affinity], tasks: usize) -> Self {
        let mut near = Self::default();
        if affinities.is_empty() {
            return near;
        }
        near.of_task = vec![Vec::new(); tasks];
        for affinity in affinities {
            let class: Vec<u32> = affinity.class.iter().map(|class| *class as u32).collect();
            let known = near.classes.iter().position(|known| *known == class);
            let bond = |side: Side| Bond {
                first: near.counts.len() as u32,
                way: known.unwrap_or(near.classes.len()) as u32,
                side,
            };
            for other in &affinity.others {
                near.of_task[*other].push(bond(Side::Needed));
            }
            // who is in both lists is near itself
            for task in affinity
                .tasks
                .iter()
                .filter(|task| !affinity.others.contains(task))
            {
                near.of_task[*task].push(bond(Side::Needs));
            }
            let counts = near.counts.len() + affinity.classes();
            near.counts.resize(counts, Count::default());
            if known.is_none() {
                near.classes.push(class);
            }
        }
        let way_of = near.of_task.iter().map(|bonds| {
            let way = bonds.first()?.way;
            bonds.iter().all(|bond| bond.way == way).then_some(way)
        });
        near.way_of = way_of.collect();
        near
    }

    /// How many affinities a task is in.
    pub(super) fn of(&self, task: usize) -> usize {
        self.of_task.get(task).map_or(0, Vec::len)
    }

    /// Where the task of a bond is counted when it is at this agent.
    fn place(&self, bond: Bond, agent: usize) -> usize {
        bond.first as usize + self.classes[bond.way as usize][agent] as usize
    }

    /// Counts anew. Gives how many tasks have none near.
    pub(super) fn count(&mut self, agent_of: &[u32]) -> usize {
        self.counts.fill(Count::default());
        for (task, agent) in agent_of.iter().enumerate().take(self.of_task.len()) {
            for at in 0..self.of_task[task].len() {
                let bond = self.of_task[task][at];
                let place = self.place(bond, *agent as usize);
                *self.counts[place].of(bond.side) += 1;
            }
        }
        self.counts.iter().map(|count| count.alone() as usize).sum()
    }

    /// How many more tasks have none near when these, all of one agent, go to another.
    pub(super) fn change(&mut self, tasks: &[u32], from: usize, to: usize) -> i64 {
        let [task] = tasks else {
            let more = self.apply(tasks, from, to);
            self.apply(tasks, to, from);
            return more;
        };
        let Some(bonds) = self.of_task.get(*task as usize) else {
            return 0;
        };
        if let Some(way) = self.way_of[*task as usize] {
            let class = &self.classes[way as usize];
            if class[from] == class[to] {
                return 0;
            }
        }
        let mut more = 0;
        for bond in bonds {
            let (left, entered) = (self.place(*bond, from), self.place(*bond, to));
            if left != entered {
                more += bond.side.change(self.counts[left], self.counts[entered]);
            }
        }
        more
    }

    /// Brings tasks from an agent to another. Gives how many more have none near.
    pub(super) fn apply(&mut self, tasks: &[u32], from: usize, to: usize) -> i64 {
        let mut more = 0;
        if self.counts.is_empty() {
            return more;
        }
        for task in tasks {
            for at in 0..self.of_task[*task as usize].len() {
                let bond = self.of_task[*task as usize][at];
                let (left, entered) = (self.place(bond, from), self.place(bond, to));
                if left != entered {
                    more += bond.side.change(self.counts[left], self.counts[entered]);
                    *self.counts[left].of(bond.side) -= 1;
                    *self.counts[entered].of(bond.side) += 1;
                }
            }
        }
        more
    }

    /// True when the task, at this agent, needs one of others near and has none.
    pub(super) fn is_alone(&self, task: usize, agent: usize) -> bool {
        self.of_task.get(task).is_some_and(|bonds| {
            bonds
                .iter()
                .any(|bond| bond.side == Side::Needs && self.counts[self.place(*bond, agent)].needed == 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_change_is_what_counting_anew_says() {
        let affinity = |tasks: &[usize], others: &[usize], class: &[usize]| Affinity {
            tasks: tasks.to_vec(),
            others: others.to_vec(),
            class: class.to_vec(),
        };
        // tasks of both, of one way to class agents and of two
        let affinities = [
            affinity(&[0, 1, 2], &[2, 3], &[0, 0, 1, 1]),
            affinity(&[3, 4], &[0, 1], &[0, 0, 1, 1]),
            affinity(&[1], &[4], &[0, 1, 2, 3]),
        ];
        let mut near = Near::new(&affinities, 6);
        let mut random = Random::new(3);
        let mut agent_of = vec![0_u32; 6];
        for _ in 0..300 {
            let (task, to) = (random.below(6), random.below(4));
            let from = agent_of[task] as usize;
            if from == to {
                continue;
            }
            let before = near.count(&agent_of) as i64;
            let change = near.change(&[task as u32], from, to);
            let applied = near.apply(&[task as u32], from, to);
            agent_of[task] = to as u32;
            let alone: usize = (0..6)
                .filter(|task| near.is_alone(*task, agent_of[*task] as usize))
                .count();
            let after = near.count(&agent_of) as i64;
            assert_eq!(change, after - before);
            assert_eq!(applied, change);
            assert_eq!(alone > 0, after > 0);
        }
    }
}
