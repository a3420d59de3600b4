//! How many needing and needed tasks each class of an affinity has, counted while tasks move.

use super::affinity::Affinity;

/// Every affinity, and its tasks by class.
#[derive(Debug, Default)]
pub(super) struct Near {
    affinities: Vec<Counted>,
    /// The classes of agents, each way to class them once.
    classes: Vec<Vec<u32>>,
    /// By task: affinities, and whether it needs or is needed there.
    of_task: Vec<Vec<(u32, Side)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Needs,
    Needed,
}

#[derive(Debug)]
struct Counted {
    /// The number of the way to class agents.
    class: usize,
    /// By class: tasks that need, and tasks that are needed.
    counts: Vec<(u32, u32)>,
}

impl Counted {
    /// Tasks without another near, in two classes.
    fn alone(&self, one: usize, other: usize) -> i64 {
        let alone = |class: usize| match self.counts[class] {
            (needing, 0) => i64::from(needing),
            _ => 0,
        };
        alone(one) + alone(other)
    }

    fn step(&mut self, side: Side, from: usize, to: usize) {
        for (class, entered) in [(from, false), (to, true)] {
            let (needing, needed) = &mut self.counts[class];
            let count = if side == Side::Needs { needing } else { needed };
            *count = if entered { *count + 1 } else { *count - 1 };
        }
    }

    /// How many more tasks have none near when one goes from class to class, as [`Self::step`] would have it.
    fn step_change(&self, side: Side, from: usize, to: usize) -> i64 {
        let ((needing, left), (waiting, entered)) = (self.counts[from], self.counts[to]);
        match side {
            Side::Needs => i64::from(entered == 0) - i64::from(left == 0),
            Side::Needed => {
                let lost = if left == 1 { needing } else { 0 };
                let won = if entered == 0 { waiting } else { 0 };
                i64::from(lost) - i64::from(won)
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
        for (number, affinity) in affinities.iter().enumerate() {
            for other in &affinity.others {
                near.of_task[*other].push((number as u32, Side::Needed));
            }
            // who is in both lists is near itself
            for task in affinity
                .tasks
                .iter()
                .filter(|task| !affinity.others.contains(task))
            {
                near.of_task[*task].push((number as u32, Side::Needs));
            }
            let class: Vec<u32> = affinity.class.iter().map(|class| *class as u32).collect();
            let known = near.classes.iter().position(|known| *known == class);
            near.affinities.push(Counted {
                class: known.unwrap_or(near.classes.len()),
                counts: vec![(0, 0); affinity.classes()],
            });
            if known.is_none() {
                near.classes.push(class);
            }
        }
        near
    }

    /// How many affinities a task is in.
    pub(super) fn of(&self, task: usize) -> usize {
        self.of_task.get(task).map_or(0, Vec::len)
    }

    /// Counts anew. Gives how many tasks have none near.
    pub(super) fn count(&mut self, agent_of: &[u32]) -> usize {
        for affinity in &mut self.affinities {
            affinity.counts.fill((0, 0));
        }
        for (of_task, agent) in self.of_task.iter().zip(agent_of) {
            for (number, side) in of_task {
                let affinity = &mut self.affinities[*number as usize];
                let class = self.classes[affinity.class][*agent as usize] as usize;
                match side {
                    Side::Needs => affinity.counts[class].0 += 1,
                    Side::Needed => affinity.counts[class].1 += 1,
                }
            }
        }
        let alone = self.affinities.iter().map(|affinity| {
            let alone = affinity.counts.iter().filter(|(_, needed)| *needed == 0);
            alone.map(|(needing, _)| *needing as usize).sum::<usize>()
        });
        alone.sum()
    }

    /// How many more tasks have none near when these, all of one agent, go to another.
    pub(super) fn change(&mut self, tasks: &[u32], from: usize, to: usize) -> i64 {
        let [task] = tasks else {
            let more = self.apply(tasks, from, to);
            self.apply(tasks, to, from);
            return more;
        };
        let Some(of_task) = self.of_task.get(*task as usize) else {
            return 0;
        };
        let mut more = 0;
        for (number, side) in of_task {
            let affinity = &self.affinities[*number as usize];
            let class = &self.classes[affinity.class];
            let (left, entered) = (class[from] as usize, class[to] as usize);
            if left != entered {
                more += affinity.step_change(*side, left, entered);
            }
        }
        more
    }

    /// Brings tasks from an agent to another. Gives how many more have none near.
    pub(super) fn apply(&mut self, tasks: &[u32], from: usize, to: usize) -> i64 {
        let mut more = 0;
        if self.affinities.is_empty() {
            return more;
        }
        for task in tasks {
            for (number, side) in &self.of_task[*task as usize] {
                let affinity = &mut self.affinities[*number as usize];
                let class = &self.classes[affinity.class];
                let (left, entered) = (class[from] as usize, class[to] as usize);
                if left != entered {
                    more -= affinity.alone(left, entered);
                    affinity.step(*side, left, entered);
                    more += affinity.alone(left, entered);
                }
            }
        }
        more
    }

    /// True when the task, at this agent, needs one of others near and has none.
    pub(super) fn is_alone(&self, task: usize, agent: usize) -> bool {
        self.of_task.get(task).is_some_and(|of_task| {
            of_task.iter().any(|(number, side)| {
                let affinity = &self.affinities[*number as usize];
                let class = self.classes[affinity.class][agent] as usize;
                *side == Side::Needs && affinity.counts[class].1 == 0
            })
        })
    }
}
