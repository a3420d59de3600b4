//! The open tasks of each agent in a list of its own: a look at an agent costs what it may take, and few pairs are open deep in a search.

use super::open::Open;
use super::scaled::Scaled;

/// A task that an agent may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) task: u32,
    /// What it takes of the agent's first limit.
    pub(super) cells: u32,
    /// What it costs there, scaled.
    cost: f64,
}

impl Offer {
    /// What an agent may take, in the order of tasks.
    pub(super) fn all(scaled: &Scaled, open: &Open, agent: usize) -> impl Iterator<Item = Self> {
        let sack = &scaled.sacks[agent];
        open.tasks_of(agent).map(move |task| Self {
            task: task as u32,
            cells: sack.cells[task],
            cost: scaled.cost(agent, task) as f64 * scaled.scale,
        })
    }

    /// Cost less reward, scaled.
    pub(super) fn worth(&self, rewards: &[f64]) -> f64 {
        self.cost - rewards[self.task as usize]
    }
}

/// What all agents may take.
#[derive(Debug)]
pub(super) struct Menu {
    offers: Vec<Offer>,
    /// By agent: where its offers end.
    ends: Vec<usize>,
}

impl Menu {
    pub(super) fn new(scaled: &Scaled, open: &Open) -> Self {
        let mut offers = Vec::with_capacity(open.count());
        let mut ends = Vec::with_capacity(scaled.agents);
        for agent in 0..scaled.agents {
            offers.extend(Offer::all(scaled, open, agent));
            ends.push(offers.len());
        }
        Self { offers, ends }
    }

    /// What an agent may take, in the order of tasks.
    pub(super) fn of(&self, agent: usize) -> &[Offer] {
        let start = agent.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.offers[start..self.ends[agent]]
    }
}
