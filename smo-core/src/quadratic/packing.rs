//! What an agent takes when tasks have rewards: the set of tasks that fits and costs least, less their rewards, where a link that the set
//! cuts costs half of what it costs, as the other half is paid at the other end.
//!
//! With the agent's room priced, every tree is a dynamic programme of two states, the task taken or not. What is left are sets
//! that are a little dearer than that: few of each tree, which a search puts together within the room. It looks a little above the
//! priced sum first, then twice as far, so what it has not found yet is a bound all the same.

use super::fair::Costs;
use super::field::Field;
use super::fitting::{Fitting, Part, Search};
use super::forest::Forest;
use super::problem::QuadraticProblem;

/// Questions of more resources have no such bound.
pub(super) const MOST_RESOURCES: usize = 4;
/// Costs where a task may not be; sums of it stay far above all others.
const NEVER: f64 = 1e30;
/// Steps of a tree's enumeration; where they do not suffice, what was proved until then counts.
const MOST_SETS: u32 = 20_000;
/// How far above the priced sum is looked first, in strides.
const FIRST_WINDOW: f64 = 1.0 / 4096.0;
/// Looks for better prices of the agent's room each time.
const LOOKS: u32 = 4;

/// By resource.
pub(super) type Amounts = [f64; MOST_RESOURCES];

/// A task of a tree, after its parent.
#[derive(Debug)]
struct Node {
    task: usize,
    /// `None` at the root; else the place of the parent and half of what the link costs when it is cut.
    above: Option<(usize, f64)>,
}

/// The trees, and what is known of them at one agent.
#[derive(Debug)]
pub(super) struct Packer {
    agents: usize,
    nodes: Vec<Node>,
    /// Where each tree begins and ends.
    trees: Vec<(usize, usize)>,
    /// By node and agent.
    costs: Vec<f64>,
    needs: Vec<Amounts>,
    capacities: Vec<Amounts>,
    /// The unit of steps on what the whole room of an agent costs.
    stride: f64,
    /// By node: the least of its subtree with it, and without it.
    with: Vec<f64>,
    without: Vec<f64>,
    /// See [`Fitting::most_sums`].
    most_sums: usize,
    pub(super) work: u64,
}

/// What an agent takes.
#[derive(Debug)]
pub(super) struct Taken {
    /// Nothing that fits costs less.
    pub(super) least: f64,
    /// Tasks; they may not fit where the search was too long.
    pub(super) members: Vec<u32>,
}

impl Packer {
    /// `None` where costs depend on more than pairs, links that cost the same wherever they are cut, and plain room. What groups ask for is left out.
    pub(super) fn new(
        problem: &QuadraticProblem,
        field: &Field,
        forest: &Forest,
        most_sums: usize,
    ) -> Option<Self> {
        let plain = problem.resources() <= MOST_RESOURCES
            && problem.groups_only_cost()
            && !field.is_strained()
            && !(0..problem.resources()).any(|resource| problem.is_arriving(resource));
        if !plain {
            return None;
        }
        let (mut nodes, mut trees) = (Vec::with_capacity(problem.tasks()), Vec::new());
        for tree in 0..forest.trees() {
            let start = nodes.len();
            for node in forest.tree(tree) {
                let above = match node.parent {
                    None => None,
                    Some((place, link)) => {
                        let link = &problem.links()[link];
                        let cut = field.far[link.distance].cut?;
                        Some((start + place, link.weight as f64 * f64::from(cut) / 2.0))
                    }
                };
                nodes.push(Node {
                    task: node.task,
                    above,
                });
            }
            trees.push((start, nodes.len()));
        }
        let agents = problem.agents();
        let mut costs = Vec::with_capacity(nodes.len() * agents);
        for node in &nodes {
            let all = problem.costs(node.task).iter().enumerate();
            costs.extend(all.map(|(agent, cost)| {
                if problem.allows(node.task, agent) {
                    *cost as f64
                } else {
                    NEVER
                }
            }));
        }
        let amounts = |list: &[u64]| {
            let mut amounts = [0.0; MOST_RESOURCES];
            amounts
                .iter_mut()
                .zip(list)
                .for_each(|(amount, whole)| *amount = *whole as f64);
            amounts
        };
        let count = nodes.len();
        Some(Self {
            agents,
            needs: nodes
                .iter()
                .map(|node| amounts(problem.needs(node.task)))
                .collect(),
            capacities: (0..agents)
                .map(|agent| amounts(problem.capacities(agent)))
                .collect(),
            stride: field.scale * count as f64 / agents.max(1) as f64 / 6.0,
            nodes,
            trees,
            costs,
            with: vec![0.0; count],
            without: vec![0.0; count],
            most_sums,
            work: 0,
        })
    }

    /// The work of looking at one agent.
    pub(super) fn look_work(&self) -> u64 {
        6 * self.nodes.len() as u64
    }

    /// By task: fair rewards of every tree with room priced at `rents`, which prove what the prices do.
    pub(super) fn fair(&mut self, rents: &[Amounts]) -> Vec<f64> {
        let agents = self.agents;
        self.work += Costs::LOOKS * (self.nodes.len() * agents) as u64;
        let mut rewards = vec![0.0; self.nodes.len()];
        for (start, end) in self.trees.iter().copied() {
            let row = |place: usize| {
                let costs = &self.costs[place * agents..(place + 1) * agents];
                let needs = &self.needs[place];
                let paid = move |rent: &Amounts| -> f64 {
                    needs.iter().zip(rent).map(|(need, price)| need * price).sum()
                };
                costs.iter().zip(rents).map(move |(cost, rent)| cost + paid(rent))
            };
            let rows: Vec<f64> = (start..end).flat_map(row).collect();
            let above = self.nodes[start..end].iter().map(|node| node.above);
            let above: Vec<_> = above
                .map(|above| above.map(|(parent, half)| (parent - start, half)))
                .collect();
            let costs = Costs {
                agents,
                rows: &rows,
                above: &above,
            };
            for (node, reward) in self.nodes[start..end].iter().zip(costs.fair()) {
                rewards[node.task] = reward;
            }
        }
        rewards
    }

    /// The least of all trees with room priced, less the price of all room: no set that fits costs less.
    fn relax(&mut self, agent: usize, rewards: &[f64], rent: &Amounts) -> f64 {
        self.work += self.look_work();
        for (place, node) in self.nodes.iter().enumerate() {
            let paid: f64 = self.needs[place]
                .iter()
                .zip(rent)
                .map(|(need, price)| need * price)
                .sum();
            self.with[place] = self.costs[place * self.agents + agent] - rewards[node.task] + paid;
            self.without[place] = 0.0;
        }
        let mut sum = 0.0;
        for place in (0..self.nodes.len()).rev() {
            let (with, without) = (self.with[place], self.without[place]);
            match self.nodes[place].above {
                None => sum += with.min(without),
                Some((parent, half)) => {
                    self.with[parent] += with.min(without + half);
                    self.without[parent] += without.min(with + half);
                }
            }
        }
        let room: f64 = self.capacities[agent]
            .iter()
            .zip(rent)
            .map(|(has, price)| has * price)
            .sum();
        sum - room
    }

    /// What a task costs with its subtree when it is taken, and when it is not, given whether its parent is.
    fn choices(&self, place: usize, parent: Option<bool>) -> (f64, f64) {
        let half = self.nodes[place].above.map_or(0.0, |(_, half)| half);
        match parent {
            None => (self.with[place], self.without[place]),
            Some(true) => (self.with[place], self.without[place] + half),
            Some(false) => (self.with[place] + half, self.without[place]),
        }
    }

    /// By node: whether it is taken when room is priced, after [`Self::relax`].
    fn taken(&self) -> Vec<bool> {
        let mut taken = vec![false; self.nodes.len()];
        for place in 0..self.nodes.len() {
            let parent = self.nodes[place].above.map(|(parent, _)| taken[parent]);
            let (with, without) = self.choices(place, parent);
            taken[place] = with < without;
        }
        taken
    }

    /// The tasks that are taken then; they may need more than there is.
    fn chosen(&self) -> Vec<u32> {
        let nodes = self.nodes.iter().zip(self.taken());
        nodes
            .filter(|(_, taken)| *taken)
            .map(|(node, _)| node.task as u32)
            .collect()
    }

    /// How much of each resource they need beyond what there is, as a share of it.
    fn over(&self, agent: usize) -> Amounts {
        let mut over = [0.0; MOST_RESOURCES];
        let needs = self.needs.iter().zip(self.taken());
        needs
            .filter(|(_, taken)| *taken)
            .for_each(|(needs, _)| add(&mut over, needs));
        let rooms = over.iter_mut().zip(&self.capacities[agent]);
        rooms.for_each(|(over, has)| *over = (*over - has) / has.max(1.0));
        over
    }

    /// What the agent takes at these rewards; the price of its room moves to where it proves more.
    pub(super) fn take(&mut self, agent: usize, rewards: &[f64], rent: &mut Amounts) -> Taken {
        let mut best = (f64::NEG_INFINITY, *rent);
        for look in 0..LOOKS {
            let proved = self.relax(agent, rewards, rent);
            if proved > best.0 {
                best = (proved, *rent);
            }
            let over = self.over(agent);
            for ((price, over), has) in rent.iter_mut().zip(over).zip(&self.capacities[agent]) {
                *price = (*price + self.stride / f64::from(look + 1) * over / has.max(1.0)).max(0.0);
            }
        }
        *rent = best.1;
        let low = self.relax(agent, rewards, rent);
        let mut least = low;
        let mut window = self.stride * FIRST_WINDOW;
        while window < NEVER / 2.0 {
            match self.within(agent, rent, window) {
                Search::Found(excess, members) => {
                    return Taken {
                        least: low + excess,
                        members,
                    };
                }
                Search::Nothing => least = low + window,
                Search::TooLong => break,
            }
            window *= 2.0;
        }
        Taken {
            least,
            members: self.chosen(),
        }
    }

    /// The cheapest set that fits and is above the priced sum by no more than `window`.
    fn within(&mut self, agent: usize, rent: &Amounts, window: f64) -> Search<Vec<u32>> {
        let mut menus: Vec<Vec<Part>> = Vec::new();
        let mut base = Part {
            excess: 0.0,
            load: [0.0; MOST_RESOURCES],
            members: Vec::new(),
        };
        for tree in 0..self.trees.len() {
            let Some(mut menu) = self.menu(tree, window) else {
                return Search::TooLong;
            };
            if menu.len() > 1 {
                menus.push(menu);
            } else if let Some(part) = menu.pop() {
                add(&mut base.load, &part.load);
                base.members.extend(part.members);
            }
        }
        let fitting = Fitting {
            menus: &menus,
            rent,
            room: &self.capacities[agent],
            base: &base.load,
            window,
            most_sums: self.most_sums,
        };
        let (found, work) = fitting.cheapest();
        self.work += work;
        match found {
            Search::Found(excess, picks) => {
                for (menu, pick) in menus.iter().zip(picks) {
                    base.members.extend(&menu[pick].members);
                }
                Search::Found(excess, base.members)
            }
            Search::Nothing => Search::Nothing,
            Search::TooLong => Search::TooLong,
        }
    }

    /// All parts of a tree that are dearer than its cheapest by `most` or less; `None` when they are too many.
    fn menu(&mut self, tree: usize, most: f64) -> Option<Vec<Part>> {
        let (start, end) = self.trees[tree];
        let mut menu = Vec::new();
        let mut taken = vec![false; end - start];
        let mut steps = 0;
        self.list(
            start,
            (start, end),
            (0.0, most),
            &mut taken,
            &mut menu,
            &mut steps,
        );
        self.work += u64::from(2 * steps) + 8 * menu.len() as u64;
        (steps < MOST_SETS).then_some(menu)
    }

    fn list(
        &self,
        place: usize,
        (start, end): (usize, usize),
        (excess, most): (f64, f64),
        taken: &mut [bool],
        menu: &mut Vec<Part>,
        steps: &mut u32,
    ) {
        *steps += 1;
        if *steps >= MOST_SETS {
            return;
        }
        if place == end {
            let mut part = Part {
                excess,
                load: [0.0; MOST_RESOURCES],
                members: Vec::new(),
            };
            for place in (start..end).filter(|place| taken[place - start]) {
                add(&mut part.load, &self.needs[place]);
                part.members.push(self.nodes[place].task as u32);
            }
            menu.push(part);
            return;
        }
        let parent = self.nodes[place].above.map(|(parent, _)| taken[parent - start]);
        let (with, without) = self.choices(place, parent);
        let least = with.min(without);
        for (option, cost) in [(false, without), (true, with)] {
            let sum = excess + (cost - least);
            if sum <= most {
                taken[place - start] = option;
                self.list(place + 1, (start, end), (sum, most), taken, menu, steps);
            }
        }
    }
}

pub(super) fn add(sum: &mut Amounts, more: &Amounts) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}
