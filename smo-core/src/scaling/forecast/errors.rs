//! The latest errors of forecasts at one distance, and the quantiles they tell.

use std::collections::VecDeque;

use super::super::statistics::float;

/// How much a value above its quantile, or a share of values below it, changes the level that is looked up.
const RATE: f64 = 0.005;

/// A window of errors, sorted too.
///
/// The quantile at a level is the error at rank `ceil((n + 1) * level)`, as in split conformal prediction. The level that is
/// looked up goes up where values are above the quantile more often than they should, and down where they are less often
/// (adaptive conformal inference; I. Gibbs and E. Candès, *Adaptive conformal inference under distribution shift*, Advances
/// in Neural Information Processing Systems 34, 2021), so that the share covered is right in the long run whatever comes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ErrorWindow {
    most: usize,
    recent: VecDeque<f64>,
    sorted: Vec<f64>,
    /// Levels that are wanted, and looked up for that, as shares.
    levels: Vec<(f64, f64)>,
}

impl ErrorWindow {
    pub(super) fn new(most: usize, levels: &[u8]) -> Self {
        let share = |level: &u8| f64::from(*level) / 100.0;
        Self {
            most: most.max(1),
            recent: VecDeque::new(),
            sorted: Vec::new(),
            levels: levels.iter().map(|level| (share(level), share(level))).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.recent.len()
    }

    /// Takes an error, and whether the value was above what was said to be the quantile at each level.
    pub(super) fn learn(&mut self, error: f64, value: f64, quantiles: impl Iterator<Item = Option<f64>>) {
        if !error.is_finite() {
            return;
        }
        // The first quantiles come from no errors at all.
        let enough = self.recent.len() >= super::rolling::LEAST;
        for ((wanted, looked_up), said) in self.levels.iter_mut().zip(quantiles) {
            if let Some(said) = said.filter(|_| enough) {
                let missed = f64::from(u8::from(value > said));
                *looked_up = (*looked_up + RATE * (missed - (1.0 - *wanted))).clamp(0.0, 1.0);
            }
        }
        if self.recent.len() == self.most
            && let Some(old) = self.recent.pop_front()
        {
            let at = self.sorted.partition_point(|other| other.total_cmp(&old).is_lt());
            self.sorted.remove(at.min(self.sorted.len().saturating_sub(1)));
        }
        self.recent.push_back(error);
        let at = self
            .sorted
            .partition_point(|other| other.total_cmp(&error).is_lt());
        self.sorted.insert(at, error);
    }

    /// The error at the level of that number; 0 without errors.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn at_level(&self, level: usize) -> f64 {
        let looked_up = self.levels.get(level).map_or(0.5, |(_, looked_up)| *looked_up);
        let rank = (float(self.sorted.len() + 1) * looked_up).ceil() as usize;
        let index = rank.clamp(1, self.sorted.len().max(1)) - 1;
        self.sorted.get(index).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_errors_count() {
        let mut window = ErrorWindow::new(3, &[50, 99]);
        for error in [9.0, 1.0, 3.0, 2.0, f64::NAN] {
            window.learn(error, 0.0, [Some(0.0), None].into_iter());
        }
        assert_eq!(window.len(), 3);
        assert_eq!((window.at_level(0), window.at_level(1)), (2.0, 3.0));
    }

    #[test]
    fn what_is_missed_too_often_is_looked_up_higher() {
        let mut window = ErrorWindow::new(100, &[50]);
        for index in 0..400_u32 {
            // Errors that grow, so that the median of the past is below half of what comes.
            let error = f64::from(index);
            let said = window.at_level(0);
            window.learn(error, error, [Some(said)].into_iter());
        }
        assert_eq!(window.levels[0].1, 1.0);
        assert_eq!(window.at_level(0), 399.0);
    }
}
