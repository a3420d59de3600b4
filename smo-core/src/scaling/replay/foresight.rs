//! Knowing the future: what nobody can do better than.

use std::collections::VecDeque;

use super::{ReplayError, ReplayPolicy, ReplayView, Workload};

/// Asks for replicas exactly as long before they are needed as they take to start. It violates nothing that can be helped, and no policy
/// that violates as little takes fewer replica-hours.
#[derive(Debug, Clone, Default)]
pub struct Foresight {
    /// What is needed at each tick, the ticks of starting included.
    plan: Vec<u32>,
}

impl Foresight {
    /// Before it has seen anything.
    #[must_use]
    pub const fn new() -> Self {
        Self { plan: Vec::new() }
    }

    /// The most that is needed from each tick until replicas asked for then serve.
    fn plan(workload: &Workload) -> Vec<u32> {
        let delay = workload.ticks_of(workload.start_delay);
        let need = |tick: usize| workload.load_at(tick).map(|load| workload.needed(load));
        let begun_with = (0..workload.ticks()).find_map(need).unwrap_or(workload.min);
        // In a gap nothing is served or missed, so the fewest will do. Before anything that is asked for can serve, what cannot be
        // helped is no reason to ask.
        let needs: Vec<u32> = (0..workload.ticks())
            .map(|tick| match need(tick) {
                None => workload.min,
                Some(need) if tick < delay => need.min(begun_with),
                Some(need) => need,
            })
            .collect();
        // The highest of a window that slides: candidates fall from front to back.
        let mut plan = vec![0; needs.len()];
        let mut highest: VecDeque<usize> = VecDeque::new();
        for (tick, slot) in plan.iter_mut().enumerate().rev() {
            let need = needs.get(tick).copied().unwrap_or(0);
            while highest
                .back()
                .is_some_and(|later| needs.get(*later).is_some_and(|other| *other <= need))
            {
                highest.pop_back();
            }
            highest.push_back(tick);
            while highest.front().is_some_and(|later| *later > tick + delay) {
                highest.pop_front();
            }
            *slot = highest
                .front()
                .and_then(|at| needs.get(*at))
                .copied()
                .unwrap_or(need);
        }
        plan
    }
}

impl ReplayPolicy for Foresight {
    fn name(&self) -> String {
        "knows the future".to_owned()
    }

    fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
        if view.tick == 0 {
            self.plan = Self::plan(view.workload);
        }
        Ok(self.plan.get(view.tick).copied().unwrap_or(view.asked))
    }
}
