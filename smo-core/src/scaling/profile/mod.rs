//! Learning what replicas carry: `alpha` and `beta` from samples of replicas, rate and saturation.
//!
//! Every sample says what the replicas would carry at the utilisation that is aimed at, `rate * target / utilisation`.
//! Through these points goes the Theil-Sen line, whose slope is the median of the slopes of all pairs (P. K. Sen,
//! *Estimates of the regression coefficient based on Kendall's tau*, Journal of the American Statistical Association 63,
//! 1968): up to 29 % of the samples may be arbitrarily wrong. Data that do not tell the slope are refused with the
//! reason.

mod drift;
mod fit;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::{Faults, Throughput};

pub use drift::Drift;

/// How busy replicas were.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Saturation {
    /// The busy share of the resource that limits the service, such as used over limited cpu: 0 to 1, a little above
    /// where bursts are allowed.
    Utilisation(f64),
    /// A response time, and what it is without load, in milliseconds. The utilisation is taken as `1 - unloaded/latency`,
    /// as in a queue with one server (M/M/1; L. Kleinrock, *Queueing Systems*, volume 1, 1975).
    #[serde(rename_all = "camelCase")]
    Latency {
        /// The mean response time.
        milliseconds: f64,
        /// The mean response time without load.
        unloaded_milliseconds: f64,
    },
}

impl Saturation {
    /// The busy share.
    #[must_use]
    pub fn utilisation(self) -> f64 {
        match self {
            Self::Utilisation(share) => share,
            Self::Latency {
                milliseconds,
                unloaded_milliseconds,
            } => (1.0 - unloaded_milliseconds / milliseconds).max(0.0),
        }
    }
}

/// One observation of a service.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileSample {
    /// When.
    pub at: Timestamp,
    /// How many replicas served.
    pub replicas: u32,
    /// Requests per second, of all replicas together.
    pub rate: f64,
    /// How busy they were.
    pub saturation: Saturation,
}

/// How a profile is learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileOptions {
    /// The utilisation at which a service counts as full, above 0 and at most 1; 0.8.
    pub target: f64,
    /// Samples less busy than this tell too little about the most that is carried; 0.2.
    pub least_utilisation: f64,
    /// How many usable samples it takes; 20.
    pub least_samples: usize,
    /// Fixes `beta` at 0, so that one count of replicas is enough.
    pub proportional: bool,
    /// The most that half of the samples may be off, as a share of what is carried; 0.3.
    pub most_error: f64,
}

impl Default for ProfileOptions {
    fn default() -> Self {
        Self {
            target: 0.8,
            least_utilisation: 0.2,
            least_samples: 20,
            proportional: false,
            most_error: 0.3,
        }
    }
}

/// A value and where it lies with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A learned throughput.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The model, for scaling decisions.
    pub throughput: Throughput,
    /// What one more replica adds, in requests per second.
    pub alpha: Interval,
    /// What is there, or missing, whatever the number of replicas, in requests per second.
    pub beta: Interval,
    /// How many samples it was learned from.
    pub samples: usize,
    /// How many told too little and were left out.
    pub ignored: usize,
    /// The fewest and most replicas among the samples. Beyond, the line is a guess.
    pub replicas: (u32, u32),
    /// Half of the samples are at most this far off, as a share of what is carried.
    pub error: f64,
    /// How it was learned.
    pub options: ProfileOptions,
}

impl Profile {
    /// Learns a profile from samples in the order of time.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use smo_core::scaling::{Profile, ProfileOptions, ProfileSample, Saturation};
    /// let sample = |second: u32| {
    ///     let replicas = 1 + second % 4;
    ///     let carried = 110.0 * f64::from(replicas) - 30.0;
    ///     let rate = carried * (0.4 + f64::from(second % 7) / 20.0);
    ///     ProfileSample {
    ///         at: Timestamp::from_second(second.into()).unwrap(),
    ///         replicas,
    ///         rate,
    ///         saturation: Saturation::Utilisation(0.8 * rate / carried),
    ///     }
    /// };
    /// let samples: Vec<ProfileSample> = (0..60).map(sample).collect();
    /// let profile = Profile::learn(&samples, &ProfileOptions::default())?;
    /// assert_eq!(profile.throughput.to_string(), "110 r - 30");
    /// # Ok::<(), smo_core::scaling::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// [`ProfileError::Invalid`] with every fault of samples and options; [`ProfileError::Refused`] when the samples are
    /// sound and do not tell.
    pub fn learn(samples: &[ProfileSample], options: &ProfileOptions) -> Result<Self, ProfileError> {
        fit::learn(samples, options)
    }

    /// Whether newer samples, in the order of time, still agree with the profile.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`] with every fault of the samples.
    pub fn drift(&self, newer: &[ProfileSample]) -> Result<Drift, ProfileError> {
        drift::drift(self, newer)
    }

    /// What `replicas` carry by the unrounded line.
    fn line(&self, replicas: u32) -> f64 {
        self.alpha.value * f64::from(replicas) + self.beta.value
    }
}

/// One thing wrong with samples or options.
#[derive(Debug, Clone, PartialEq, Serialize, Error)]
#[serde(rename_all = "camelCase", tag = "fault")]
#[non_exhaustive]
pub enum ProfileFault {
    /// Not a number, an infinity, or a number that cannot be.
    #[error("samples[{index}]: {what} is {value}, and has to be {allowed}")]
    Value {
        /// Which sample.
        index: usize,
        /// Which number.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A sample of nothing.
    #[error("samples[{index}]: no replica ran, so nothing was carried")]
    NoReplicas {
        /// Which sample.
        index: usize,
    },
    /// A sample before the one before it.
    #[error("samples[{index}] is at {at}, before the one before it; sort them by time")]
    Unsorted {
        /// Which sample.
        index: usize,
        /// When.
        at: Timestamp,
    },
    /// An option that makes no sense.
    #[error("the option {option} is {value}, and has to be {allowed}")]
    Option {
        /// Which one.
        option: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// Why sound samples do not tell what replicas carry.
#[derive(Debug, Clone, PartialEq, Serialize, Error)]
#[serde(rename_all = "camelCase", tag = "refusal")]
#[non_exhaustive]
pub enum Refusal {
    /// Not enough of them are busy enough.
    #[error("{usable} samples are usable and {needed} are needed; {ignored} are less than {:.0} % busy", .least * 100.0)]
    TooFew {
        /// How many are usable.
        usable: usize,
        /// How many it takes.
        needed: usize,
        /// How many are not busy enough.
        ignored: usize,
        /// How busy they have to be.
        least: f64,
    },
    /// One count of replicas tells nothing about another.
    #[error("all {usable} usable samples are of {}; another count is needed, or a line through 0", super::explain::replicas(*.replicas))]
    OneCount {
        /// How many are usable.
        usable: usize,
        /// The count.
        replicas: u32,
    },
    /// The slope may be zero or below.
    #[error("one more replica may carry nothing more: alpha is between {low:.3} and {high:.3} req/s")]
    SlopeUnclear {
        /// The lower end of the interval.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// The samples do not lie along a line.
    #[error("half of the samples are {:.0} % or more off the best line, {:.0} % are allowed", .error * 100.0, .most * 100.0)]
    TooNoisy {
        /// How far half of them are off, as a share.
        error: f64,
        /// What is allowed.
        most: f64,
    },
    /// The line has numbers that no throughput has.
    #[error("the line is no throughput: {0}")]
    NoThroughput(String),
}

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Samples or options are wrong; all faults at once.
    #[error("the samples are no basis for a profile: {0}")]
    Invalid(Faults<ProfileFault>),
    /// The samples do not suffice.
    #[error("no profile: {0}")]
    Refused(Refusal),
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ({:.3} to {:.3})", self.value, self.low, self.high)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (few, many) = self.replicas;
        writeln!(
            f,
            "{} req/s at {:.0} % busy, learned from {} samples of {few} to {many} replicas, half of them within {:.1} %",
            self.throughput,
            self.options.target * 100.0,
            self.samples,
            self.error * 100.0
        )?;
        writeln!(
            f,
            "  alpha {}, beta {}, with 95 % confidence",
            self.alpha, self.beta
        )?;
        if self.ignored > 0 {
            writeln!(
                f,
                "  left out, since less than {:.0} % busy: {}",
                self.options.least_utilisation * 100.0,
                self.ignored
            )?;
        }
        Ok(())
    }
}
