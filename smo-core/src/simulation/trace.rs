//! Load over time.

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::units::Rate;

/// Load over time, from the start of a simulation: a rate holds until the next one, and the last one for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LoadTrace(Vec<(Duration, Rate)>);

/// Why numbers are no trace of load.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum TraceFault {
    /// No rate at all.
    #[error("a trace of load has at least one rate")]
    Empty,
    /// Rates that follow one another at once.
    #[error("the step of a trace of load is above zero")]
    NoStep,
    /// The first rate is for a later moment than the start.
    #[error("a trace of load begins at 0 s, not at {} s", .0.as_secs_f64())]
    LateStart(Duration),
    /// A moment that is not after the one before.
    #[error(
        "rate {index} of a trace of load is not after the one before; sort them by time, each moment once"
    )]
    Unsorted {
        /// Which one, from 0.
        index: usize,
    },
    /// Not a number, an infinity, or below zero.
    #[error("rate {index} of a trace of load is {value}; a load is a finite number from 0")]
    NoLoad {
        /// Which one, from 0.
        index: usize,
        /// What was given.
        value: f64,
    },
}

impl LoadTrace {
    /// Rates in requests per second, one for every `step`.
    ///
    /// # Errors
    /// For a step of zero, no rate at all, and rates that are negative or no numbers.
    pub fn new(step: Duration, rates: &[f64]) -> Result<Self, TraceFault> {
        if step.is_zero() {
            return Err(TraceFault::NoStep);
        }
        let moment = |index: usize| step.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
        let points = rates
            .iter()
            .enumerate()
            .map(|(index, rate)| (moment(index), *rate));
        Self::from_points(&points.collect::<Vec<_>>())
    }

    /// Rates in requests per second, each from its moment on; the first moment is 0.
    ///
    /// # Errors
    /// For moments that are not in order, no rate at all, and rates that are negative or no numbers.
    pub fn from_points(points: &[(Duration, f64)]) -> Result<Self, TraceFault> {
        let (first, _) = points.first().ok_or(TraceFault::Empty)?;
        if !first.is_zero() {
            return Err(TraceFault::LateStart(*first));
        }
        let mut rates = Vec::with_capacity(points.len());
        for (index, (moment, value)) in points.iter().enumerate() {
            if rates.last().is_some_and(|(before, _)| before >= moment) {
                return Err(TraceFault::Unsorted { index });
            }
            let rate = Rate::from_f64(*value).filter(|rate| *rate >= Rate::ZERO);
            let rate = rate.ok_or(TraceFault::NoLoad { index, value: *value })?;
            rates.push((*moment, rate));
        }
        Ok(Self(rates))
    }

    /// The rate so long after the start.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Rate {
        let after = self.0.partition_point(|(moment, _)| *moment <= elapsed);
        self.0[..after].last().map_or(Rate::ZERO, |(_, rate)| *rate)
    }
}
