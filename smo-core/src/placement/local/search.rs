//! Annealing over drafts.

use super::code::Code;
use super::draft::{Draft, FAULT, Shift, Spot, Standing, on};
use super::proposals::Ideas;
use crate::id::ServiceKey;
use crate::placement::{IntegerModel, Placement, PlacementProblem, Progress, Value, Watch};
use crate::random::Random;

/// Runs from hot to cold, by how hot each begins, in mean changes of a move. Each begins at the best placement so far.
const RUNS: [f64; 3] = [0.3, 1.0, 0.1];
/// How cold each ends.
const COLD: f64 = 0.0005;
/// What a broken thing costs when a run begins and when it ends, in mean changes of a move.
const SOFT: f64 = 1.0;
const HARD: f64 = 60.0;
/// Steps of a run from hot to cold.
const EPOCHS: u32 = 200;
/// Moves that tell what one changes on average.
const SAMPLES: usize = 400;
/// Every so many proposals a cluster is left.
const EVACUATE: usize = 128;
/// What the host's code takes for a service.
const CODE: u64 = 1_000;

/// What came of a search.
#[derive(Debug)]
pub(in crate::placement) struct Found {
    /// The best placement that keeps every rule, as far as the search counts.
    pub(in crate::placement) placement: Option<Placement>,
    /// The work it took: changes looked at, about a nanosecond each.
    pub(in crate::placement) work: u64,
    /// True when the one who watches has enough.
    pub(in crate::placement) stopped: bool,
}

/// Looks for a better placement from `start`, which may break rules and leave services out.
pub(in crate::placement) fn improve(
    problem: &PlacementProblem,
    model: &IntegerModel<'_>,
    start: &Placement,
    effort: u64,
    watch: &mut Watch<'_>,
) -> Found {
    let nothing = Found {
        placement: None,
        work: 0,
        stopped: false,
    };
    let Some(spots) = spots_of(model, start) else {
        return nothing;
    };
    if spots.is_empty() {
        return nothing;
    }
    let keys: Vec<&ServiceKey> = model.services.iter().map(|service| service.key).collect();
    let code = Code::of(problem, keys);
    let a_move = if code.is_some() {
        CODE * model.services.len() as u64
    } else {
        0
    };
    let draft = Draft::new(model, spots, code);
    let mut search = Search {
        ideas: Ideas::new(model),
        standing: draft.standing(),
        draft,
        random: Random::new(1),
        scale: 1.0,
        mending: SOFT,
        best: None,
        dirty: Vec::new(),
        work: 0,
        a_move,
    };
    search.note();
    search.measure();
    let stopped = search.run(effort, watch);
    Found {
        placement: search.best.map(|(_, spots)| {
            search.draft.place(spots);
            search.draft.placement()
        }),
        work: search.work,
        stopped,
    }
}

struct Search<'m, 'a> {
    draft: Draft<'m, 'a>,
    ideas: Ideas,
    standing: Standing,
    random: Random,
    /// What a move changes the value by, on average.
    scale: f64,
    /// What a broken thing costs now, in that.
    mending: f64,
    /// The best placement that breaks nothing, and its value.
    best: Option<(i128, Vec<Vec<Spot>>)>,
    /// Services that moved since.
    dirty: Vec<usize>,
    work: u64,
    /// What a move takes beyond what is counted.
    a_move: u64,
}

impl Search<'_, '_> {
    /// True when the one who watches has enough.
    fn run(&mut self, effort: u64, watch: &mut Watch<'_>) -> bool {
        for (number, hot) in RUNS.into_iter().enumerate() {
            if number > 0
                && let Some((_, spots)) = &self.best
            {
                self.draft.place(spots.clone());
                self.standing = self.draft.standing();
                self.dirty.clear();
            }
            let left = effort.saturating_sub(self.work);
            if self.cool(hot, left / (RUNS.len() - number) as u64, watch) {
                return true;
            }
        }
        false
    }

    /// One run; true when the one who watches has enough.
    fn cool(&mut self, hot: f64, effort: u64, watch: &mut Watch<'_>) -> bool {
        let start = self.work;
        let mut shifts = Vec::new();
        for epoch in 0..EPOCHS {
            let progress = f64::from(epoch) / f64::from(EPOCHS - 1);
            let heat = hot * (COLD / hot).powf(progress);
            self.mending = SOFT * (HARD / SOFT).powf(progress);
            let suspects = if self.standing.faults > 0 {
                self.draft.suspects()
            } else {
                Vec::new()
            };
            let until = start + (effort as f64 * f64::from(epoch + 1) / f64::from(EPOCHS)) as u64;
            while self.work < until {
                if self.random.below(EVACUATE) == 0 {
                    self.ideas.evacuate(&self.draft, &mut self.random, &mut shifts);
                } else {
                    self.ideas
                        .propose(&self.draft, &suspects, &mut self.random, &mut shifts);
                }
                self.work += 16;
                let accepted = -heat * self.random.unit().ln();
                self.step(&shifts, accepted);
            }
            let value = self.best.as_ref().map(|(value, _)| Value::from_units(*value));
            if !watch(&Progress {
                work: self.work,
                value,
                bound: None,
            }) {
                return true;
            }
        }
        false
    }

    /// Makes a change and keeps it when it costs no more than is accepted.
    fn step(&mut self, shifts: &[Shift], accepted: f64) {
        if shifts.is_empty() {
            return;
        }
        let before = self.standing;
        for shift in shifts {
            self.draft.apply(*shift);
        }
        let after = self.draft.standing();
        self.work += self.a_move;
        self.work += shifts.iter().map(|shift| self.draft.effort(*shift)).sum::<u64>();
        if self.score(&after) - self.score(&before) <= accepted {
            self.standing = after;
            self.dirty.extend(shifts.iter().map(|shift| shift.service));
            self.note();
        } else {
            for shift in shifts.iter().rev() {
                self.draft.apply(shift.back());
            }
        }
    }

    fn score(&self, standing: &Standing) -> f64 {
        let broken = standing.faults as f64 / FAULT as f64;
        (standing.value as f64 + standing.uneven) / self.scale + self.mending * broken
    }

    /// Keeps the draft where it is the best that breaks nothing.
    fn note(&mut self) {
        let Standing { value, faults, .. } = self.standing;
        if faults > 0 || self.best.as_ref().is_some_and(|(known, _)| *known <= value) {
            return;
        }
        match &mut self.best {
            Some((known, spots)) => {
                *known = value;
                for service in self.dirty.drain(..) {
                    spots[service].clone_from(&self.draft.spots[service]);
                }
            }
            None => {
                self.best = Some((value, self.draft.spots.clone()));
                self.dirty.clear();
            }
        }
    }

    /// Finds out what a move changes on average.
    fn measure(&mut self) {
        let (mut sum, mut counted) = (0.0, 0.0_f64);
        let mut shifts = Vec::new();
        for _ in 0..SAMPLES {
            self.ideas
                .propose(&self.draft, &[], &mut self.random, &mut shifts);
            for shift in &shifts {
                self.draft.apply(*shift);
            }
            let after = self.draft.standing();
            self.work += self.a_move;
            let change =
                after.value as f64 + after.uneven - self.standing.value as f64 - self.standing.uneven;
            if change != 0.0 {
                sum += change.abs();
                counted += 1.0;
            }
            for shift in shifts.iter().rev() {
                self.draft.apply(shift.back());
            }
        }
        if counted > 0.0 {
            self.scale = (sum / counted).max(1.0);
        }
    }
}

/// Where a placement has every replica; what it leaves out, or has where it may not be, goes to a cluster that is open. `None` where there
/// is none.
pub(super) fn spots_of(model: &IntegerModel<'_>, placement: &Placement) -> Option<Vec<Vec<Spot>>> {
    let mut all = Vec::with_capacity(model.services.len());
    for service in &model.services {
        let first = *service.open.first()?;
        let mut spots: Vec<Spot> = Vec::new();
        let mut left = service.replicas;
        for cluster in &service.open {
            let name = model.clusters.get(*cluster)?;
            let there = placement.get(service.key).map_or(0, |there| there.on(name));
            let there = there.min(left);
            if there > 0 {
                spots.push((*cluster, there));
                left -= there;
            }
        }
        if !service.split {
            let most = spots.iter().max_by_key(|(_, count)| *count);
            spots = vec![(most.map_or(first, |(cluster, _)| *cluster), service.replicas)];
        } else if left > 0 {
            let there = on(&spots, first);
            spots.retain(|(cluster, _)| *cluster != first);
            spots.push((first, there + left));
        }
        all.push(spots);
    }
    Some(all)
}
