//! Distances as the search reads them: in floats, both ways round.

use super::distance::Distance;
use super::field::NEVER;

/// A [`Distance`] in floats; [`NEVER`] where a link may not be.
#[derive(Debug)]
pub(super) struct Far {
    /// The class of each agent.
    pub(super) class: Vec<u32>,
    pub(super) classes: usize,
    /// `from * classes + to`.
    from: Vec<f32>,
    /// `to * classes + from`.
    to: Vec<f32>,
    /// What two agents cost, where all pairs apart cost the same, may be, and each agent is a class of its own.
    pub(super) cut: Option<f32>,
}

impl Far {
    pub(super) fn new(distance: &Distance) -> Self {
        let classes = distance.classes();
        let between = |from: usize, to: usize| distance.weighed(1, from, to).map_or(NEVER, |far| far as f32);
        let pairs = || (0..classes * classes).map(|pair| (pair / classes, pair % classes));
        Self {
            class: distance.class().iter().map(|class| *class as u32).collect(),
            classes,
            from: pairs().map(|(from, to)| between(from, to)).collect(),
            to: pairs().map(|(to, from)| between(from, to)).collect(),
            cut: distance
                .cut_cost()
                .filter(|_| distance.is_by_agent())
                .map(|cut| cut as f32),
        }
    }

    /// What every class of one end is from a class of the other, which is the link's `from` when `forward`.
    pub(super) fn row(&self, forward: bool, class: usize) -> &[f32] {
        let table = if forward { &self.from } else { &self.to };
        &table[class * self.classes..(class + 1) * self.classes]
    }

    /// What `row`, by agent of the one end, adds at least to each agent of the other, into `message`; that end is the link's `from` when
    /// `forward`. `best` is room to work in.
    pub(super) fn through(
        &self,
        (weight, forward): (f32, bool),
        row: &[f32],
        best: &mut Vec<f32>,
        message: &mut [f32],
    ) {
        let mut least = vec![NEVER; self.classes];
        for (class, cost) in self.class.iter().zip(row) {
            let slot = &mut least[*class as usize];
            *slot = slot.min(*cost);
        }
        best.clear();
        best.resize(self.classes, NEVER);
        for (class, least) in least.iter().enumerate() {
            for (best, far) in best.iter_mut().zip(self.row(forward, class)) {
                let cost = least + weighed(weight, *far);
                *best = if cost < *best { cost } else { *best };
            }
        }
        message.fill(0.0);
        for (class, message) in self.class.iter().zip(message) {
            *message = best[*class as usize];
        }
    }

    /// What a link of this weight costs between two agents; [`NEVER`] where it may not be.
    pub(super) fn between(&self, weight: i64, from: usize, to: usize) -> f32 {
        let far = self.row(true, self.class[from] as usize)[self.class[to] as usize];
        weighed(weight as f32, far)
    }
}

/// The weight times the distance; [`NEVER`] stays what it is.
pub(super) fn weighed(weight: f32, far: f32) -> f32 {
    if far < NEVER { weight * far } else { NEVER }
}
