//! What came, what replicas carry, and how fast they start.

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use super::ReplayError;
use crate::scaling::{Faults, LoadSeries, Throughput};
use crate::units::Rate;

/// The most ticks of one replay: two months of quarter minutes, thirty times.
const MOST_TICKS: u128 = 10_000_000;

/// A service under a load that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Requests per second, which stay as they are within a step. What a gap held is not known: it is neither served nor
    /// missed.
    pub load: LoadSeries,
    /// What replicas carry within the service level. More than that violates it.
    pub throughput: Throughput,
    /// The fewest replicas allowed.
    pub min: u32,
    /// The most replicas allowed.
    pub max: u32,
    /// From one decision to the next; 15 s.
    pub tick: Duration,
    /// What is measured at a tick is the mean over so much time before it; 60 s.
    pub sample_window: Duration,
    /// From asking for a replica until it serves; 30 s.
    pub start_delay: Duration,
    /// How many steps of the load are not judged: policies may learn from them.
    pub first: usize,
}

/// One thing wrong with a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Error)]
#[serde(rename_all = "camelCase", tag = "fault")]
#[non_exhaustive]
pub enum WorkloadFault {
    /// Nothing is judged.
    #[error("the load has {length} steps, the first {first} of which are not judged: nothing is left")]
    NothingJudged {
        /// How many steps there are.
        length: usize,
        /// How many are not judged.
        first: usize,
    },
    /// Not one value.
    #[error("the load has gaps only in what is judged")]
    GapsOnly,
    /// Time does not pass.
    #[error("the tick is zero")]
    NoTick,
    /// Too many ticks.
    #[error("the load has {ticks} ticks, more than {MOST_TICKS}; take a longer tick")]
    TooLong {
        /// How many.
        ticks: u128,
    },
    /// No count is both.
    #[error("the maximum of {max} is below the minimum of {min}")]
    MaximumBelowMinimum {
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
    /// Replicas that carry nothing.
    #[error("alpha is {0}; one more replica has to carry more, so it is above zero")]
    AlphaNotPositive(Rate),
}

impl Workload {
    /// A workload with the usual times.
    #[must_use]
    pub const fn new(load: LoadSeries, throughput: Throughput, min: u32, max: u32) -> Self {
        Self {
            load,
            throughput,
            min,
            max,
            tick: Duration::from_secs(15),
            sample_window: Duration::from_secs(60),
            start_delay: Duration::from_secs(30),
            first: 0,
        }
    }

    /// Everything that is wrong with it; empty when nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<WorkloadFault> {
        let mut faults = Vec::new();
        let judged = self.load.values().get(self.first..).unwrap_or_default();
        if judged.is_empty() {
            faults.push(WorkloadFault::NothingJudged {
                length: self.load.len(),
                first: self.first,
            });
        } else if judged.iter().all(Option::is_none) {
            faults.push(WorkloadFault::GapsOnly);
        }
        if self.tick.is_zero() {
            faults.push(WorkloadFault::NoTick);
        } else if self.wide_ticks() > MOST_TICKS {
            let ticks = self.wide_ticks();
            faults.push(WorkloadFault::TooLong { ticks });
        }
        if self.max < self.min {
            let (min, max) = (self.min, self.max);
            faults.push(WorkloadFault::MaximumBelowMinimum { min, max });
        }
        if self.throughput.alpha <= Rate::ZERO {
            faults.push(WorkloadFault::AlphaNotPositive(self.throughput.alpha));
        }
        faults
    }

    pub(super) fn checked(&self) -> Result<(), ReplayError> {
        let faults = self.faults();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ReplayError::Invalid(Faults(faults)))
        }
    }

    fn wide_ticks(&self) -> u128 {
        let length = self.load.len() as u128;
        length * self.load.step().as_nanos() / self.tick.as_nanos().max(1)
    }

    /// How many ticks there are.
    #[must_use]
    pub fn ticks(&self) -> usize {
        usize::try_from(self.wide_ticks()).unwrap_or(usize::MAX)
    }

    /// The step of the load that a tick begins in.
    pub(super) fn step_of(&self, tick: usize) -> usize {
        let step = tick as u128 * self.tick.as_nanos() / self.load.step().as_nanos().max(1);
        usize::try_from(step).unwrap_or(usize::MAX)
    }

    /// The load from a tick to the next; `None` in a gap and after the end.
    #[must_use]
    pub fn load_at(&self, tick: usize) -> Option<f64> {
        self.load.values().get(self.step_of(tick)).copied().flatten()
    }

    /// The fewest replicas within the bounds that carry a load; the maximum where none do.
    #[must_use]
    pub fn needed(&self, load: f64) -> u32 {
        let needed = Rate::from_f64(load).and_then(|load| self.throughput.needed(load));
        needed.unwrap_or(u32::MAX).max(self.min).min(self.max)
    }

    /// How many ticks a time takes, the last one begun.
    pub(super) fn ticks_of(&self, time: Duration) -> usize {
        let ticks = time.as_nanos().div_ceil(self.tick.as_nanos().max(1));
        usize::try_from(ticks).unwrap_or(usize::MAX)
    }
}
