//! Where a measured load is heading: what its latest changes tell of the next.

use std::collections::VecDeque;

/// So many of the latest changes are looked at.
const CHANGES: usize = 6;
/// So many samples ahead: of samples 15 s apart 45 s, which is what a replica takes to start and to be asked for.
const AHEAD: usize = 3;
/// What an older sample counts of the one after it: the latest thousand or so tell.
const KEEP: f64 = 0.999;
/// How little is known in the beginning: the variance of a weight.
const UNKNOWN: f64 = 1e6;

/// An autoregression of the changes from sample to sample, learned from every sample by recursive least squares with forgetting (L. Ljung,
/// *System identification*, 2nd edition, 1999, section 11.2).
///
/// A measured rate is a mean over a window, so that a jump shows bit by bit: weights of the latest changes undo that, and follow a rise that
/// goes on. Where changes tell nothing, weights go to 0. Changes count as shares of the load, so that the same weights serve day and night.
#[derive(Debug, Clone)]
pub(super) struct Momentum {
    /// The latest samples, the newest first.
    latest: VecDeque<f64>,
    weights: [f64; CHANGES],
    /// The inverse of the correlation of changes, up to a factor.
    inverse: [[f64; CHANGES]; CHANGES],
}

impl Default for Momentum {
    fn default() -> Self {
        let mut inverse = [[0.0; CHANGES]; CHANGES];
        for (index, row) in inverse.iter_mut().enumerate() {
            row[index] = UNKNOWN;
        }
        Self {
            latest: VecDeque::new(),
            weights: [0.0; CHANGES],
            inverse,
        }
    }
}

impl Momentum {
    /// Takes the next sample; samples are equally far apart. `None` for a gap, after which changes are not known for a while.
    pub(super) fn push(&mut self, sample: Option<f64>) {
        let Some(sample) = sample else {
            return self.latest.clear();
        };
        self.latest.push_front(sample);
        self.latest.truncate(CHANGES + AHEAD + 1);
        if let (Some(changes), Some(then)) = (self.changes(AHEAD), self.latest.get(AHEAD)) {
            let scale = self.scale();
            self.learn(&changes.map(|change| change / scale), (sample - then) / scale);
        }
    }

    /// Where the load is heading, if that is up: the latest sample and what its changes tell.
    pub(super) fn heading(&self) -> Option<f64> {
        let (latest, changes) = (self.latest.front()?, self.changes(0)?);
        Some(latest + product(&self.weights, &changes)).filter(|heading| heading > latest)
    }

    /// The changes before the sample so many steps ago, the newest first.
    fn changes(&self, ago: usize) -> Option<[f64; CHANGES]> {
        let mut changes = [0.0; CHANGES];
        for (index, change) in changes.iter_mut().enumerate() {
            *change = self.latest.get(ago + index)? - self.latest.get(ago + index + 1)?;
        }
        Some(changes)
    }

    /// The mean of the latest samples.
    fn scale(&self) -> f64 {
        let count = self.latest.iter().fold(0.0, |count, _| count + 1.0);
        (self.latest.iter().sum::<f64>() / count).max(1e-9)
    }

    fn learn(&mut self, changes: &[f64; CHANGES], came: f64) {
        // While changes are small, little is learned, and forgetting would forget all there is.
        let unsure: f64 = (0..CHANGES).map(|index| self.inverse[index][index]).sum();
        let keep = if unsure < UNKNOWN { KEEP } else { 1.0 };
        let reach = self.inverse.map(|row| product(&row, changes));
        let sum = keep + product(changes, &reach);
        let missed = came - product(&self.weights, changes);
        for (weight, reach) in self.weights.iter_mut().zip(&reach) {
            *weight += reach / sum * missed;
        }
        for (row, own) in self.inverse.iter_mut().zip(&reach) {
            for (value, other) in row.iter_mut().zip(&reach) {
                *value = (*value - own * other / sum) / keep;
            }
        }
    }
}

fn product(one: &[f64; CHANGES], other: &[f64; CHANGES]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use proptest::prelude::*;

    /// What is measured of rates over a window of four.
    fn measured(rates: &[f64]) -> Vec<f64> {
        let mean = |window: &[f64]| window.iter().sum::<f64>() / 4.0;
        rates.windows(4).map(mean).collect()
    }

    #[test]
    fn a_jump_is_seen_from_its_first_bit() {
        let mut random = Random::new(5);
        let rates: Vec<f64> = (0..60)
            .flat_map(|_| [20.0 + 80.0 * random.unit(); 20])
            .chain([50.0; 20])
            .chain([110.0])
            .collect();
        let mut momentum = Momentum::default();
        for sample in measured(&rates) {
            momentum.push(Some(sample));
        }
        // One of four says 110, so that 65 is measured; most of what is missing is known.
        let heading = momentum.heading().unwrap();
        assert!((65.0 + 0.6 * 45.0..115.0).contains(&heading), "{heading}");
    }

    #[test]
    fn noise_leads_nowhere() {
        let mut random = Random::new(7);
        let mut momentum = Momentum::default();
        let mut highest: f64 = 0.0;
        for index in 0..4_000 {
            momentum.push(Some(100.0 + 20.0 * (random.unit() - 0.5)));
            if index > 1_000 {
                highest = highest.max(momentum.heading().unwrap_or(0.0));
            }
        }
        // Never above what noise itself reaches.
        assert!((100.0..110.0).contains(&highest), "{highest}");
    }

    #[test]
    fn a_gap_ends_what_is_known_of_changes() {
        let mut momentum = Momentum::default();
        for index in 0..100 {
            momentum.push(Some(f64::from(index)));
        }
        // It has always gone up by 3 in three samples.
        assert!((momentum.heading().unwrap() - 102.0).abs() < 0.01);
        momentum.push(None);
        for index in 0..CHANGES {
            momentum.push(Some(200.0 + index as f64));
            assert_eq!(momentum.heading(), None);
        }
        momentum.push(Some(200.0 + CHANGES as f64));
        assert!(momentum.heading().is_some());
    }

    proptest! {
        #[test]
        fn any_load_leads_to_a_number(
            samples in prop::collection::vec(prop_oneof![Just(0.0), Just(1e12), 0.0..1e-6_f64, 0.0..1e6_f64], 1..400),
        ) {
            let mut momentum = Momentum::default();
            for sample in samples {
                momentum.push(Some(sample));
                prop_assert!(momentum.heading().is_none_or(f64::is_finite));
                prop_assert!(momentum.weights.iter().all(|weight| weight.is_finite()));
            }
        }
    }
}
