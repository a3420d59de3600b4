//! A load at equally spaced moments, with gaps.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use thiserror::Error;

use super::super::Faults;
use super::ForecastError;

/// The most moments that a series may have: two months of minutes.
const MOST_VALUES: usize = 100_000;

/// Requests per second at equally spaced moments. A gap is `None` and not 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadSeries {
    start: Timestamp,
    #[serde(skip)]
    step: Duration,
    values: Vec<Option<f64>>,
}

/// One thing wrong with samples over time.
#[derive(Debug, Clone, PartialEq, Serialize, Error)]
#[serde(rename_all = "camelCase", tag = "fault")]
#[non_exhaustive]
pub enum SeriesFault {
    /// A rate that is none.
    #[error("samples[{index}] is {value}; a rate is finite and not negative, and a gap is left out")]
    Value {
        /// Which sample.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// A sample at or before the one before it.
    #[error("samples[{index}] is at {at}, not after the one before it; sort them by time")]
    Unsorted {
        /// Which sample.
        index: usize,
        /// When.
        at: Timestamp,
    },
    /// No time from one moment to the next.
    #[error("the step is zero")]
    NoStep,
    /// Too many moments.
    #[error("from first to last there are {count} steps, more than {MOST_VALUES}; take a longer step")]
    TooLong {
        /// How many.
        count: u128,
    },
}

impl LoadSeries {
    /// A series of values from `start` on.
    ///
    /// # Errors
    /// [`ForecastError::Invalid`] with every fault: values that are no rates, no step, too many values.
    pub fn new(start: Timestamp, step: Duration, values: Vec<Option<f64>>) -> Result<Self, ForecastError> {
        let mut faults = Vec::new();
        if step.is_zero() {
            faults.push(SeriesFault::NoStep);
        }
        if values.len() > MOST_VALUES {
            let count = values.len() as u128;
            faults.push(SeriesFault::TooLong { count });
        }
        for (index, value) in values.iter().enumerate() {
            if let Some(value) = value.filter(|value| !is_rate(*value)) {
                faults.push(SeriesFault::Value { index, value });
            }
        }
        if faults.is_empty() {
            Ok(Self { start, step, values })
        } else {
            Err(ForecastError::Invalid(Faults(faults)))
        }
    }

    /// A series of samples at any moments: each counts for the nearest step, those of one step as their mean, and a
    /// step without a sample is a gap.
    ///
    /// # Errors
    /// [`ForecastError::Invalid`] with every fault: values that are no rates, samples out of order, no step, too many
    /// steps.
    pub fn from_samples(samples: &[(Timestamp, f64)], step: Duration) -> Result<Self, ForecastError> {
        let mut faults = Vec::new();
        if step.is_zero() {
            faults.push(SeriesFault::NoStep);
        }
        for (index, (at, value)) in samples.iter().enumerate() {
            if !is_rate(*value) {
                faults.push(SeriesFault::Value { index, value: *value });
            }
            if index > 0 && samples.get(index - 1).is_some_and(|before| before.0 >= *at) {
                faults.push(SeriesFault::Unsorted { index, at: *at });
            }
        }
        let start = samples.first().map_or(Timestamp::UNIX_EPOCH, |first| first.0);
        let slot = |at: Timestamp| {
            let nanos = super::super::controller::since(at, start).as_nanos();
            (nanos + step.as_nanos() / 2) / step.as_nanos().max(1)
        };
        let count = samples.last().map_or(0, |last| slot(last.0) + 1);
        if !step.is_zero() && count > MOST_VALUES as u128 {
            faults.push(SeriesFault::TooLong { count });
        }
        if !faults.is_empty() {
            return Err(ForecastError::Invalid(Faults(faults)));
        }
        let mut sums = vec![(0.0, 0_u32); usize::try_from(count).unwrap_or(0)];
        for (at, value) in samples {
            if let Some(sum) = usize::try_from(slot(*at))
                .ok()
                .and_then(|slot| sums.get_mut(slot))
            {
                sum.0 += value;
                sum.1 += 1;
            }
        }
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
        let values = sums.into_iter().map(mean).collect();
        Ok(Self { start, step, values })
    }

    /// The values, oldest first.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// How many moments there are, gaps included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True when there is no moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// From one moment to the next.
    #[must_use]
    pub const fn step(&self) -> Duration {
        self.step
    }

    /// The moment of the value at `index`, which may be after the last one.
    #[must_use]
    pub fn moment(&self, index: usize) -> Timestamp {
        moment(self.start, self.step, index)
    }

    /// The first `length` values.
    #[must_use]
    pub fn until(&self, length: usize) -> Self {
        Self {
            start: self.start,
            step: self.step,
            values: self.values.iter().take(length).copied().collect(),
        }
    }
}

/// The moment `index` steps after `start`.
pub(in crate::scaling) fn moment(start: Timestamp, step: Duration, index: usize) -> Timestamp {
    let count = u32::try_from(index).unwrap_or(u32::MAX);
    let after = SignedDuration::try_from(step.saturating_mul(count)).unwrap_or(SignedDuration::MAX);
    start.checked_add(after).unwrap_or(Timestamp::MAX)
}

pub(super) fn is_rate(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}
