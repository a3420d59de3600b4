//! The port to metrics. A sample that is missing is a value of its own, never 0.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{BackendError, ErrorKind};

/// Names and values that tell a series from others.
pub type Labels = BTreeMap<String, String>;

/// What was measured at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Sample {
    /// A finite number.
    Value(f64),
    /// Nothing: no sample, or one that is no number (`NaN`, as 0/0 gives, or an infinity).
    #[default]
    Missing,
}

impl Sample {
    /// The sample of a number as a metrics server sent it.
    ///
    /// ```
    /// use smo_core::backend::Sample;
    /// assert_eq!(Sample::new(0.0), Sample::Value(0.0));
    /// assert_eq!(Sample::new(f64::NAN), Sample::Missing);
    /// ```
    #[must_use]
    pub fn new(value: f64) -> Self {
        if value.is_finite() {
            Self::Value(value)
        } else {
            Self::Missing
        }
    }

    /// The number, if there is one.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing => None,
        }
    }

    /// True when there is no number.
    #[must_use]
    pub fn is_missing(self) -> bool {
        self == Self::Missing
    }
}

/// One series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// What it was.
    pub sample: Sample,
}

/// Equally spaced moments from `start` to `end`, both included where they fall on a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment.
    pub start: Timestamp,
    /// No moment is after this.
    pub end: Timestamp,
    /// From one moment to the next; more than zero.
    pub step: Duration,
}

impl TimeRange {
    /// The most moments that a range may have, as in Prometheus.
    pub const LIMIT: usize = 11_000;

    /// The moments.
    ///
    /// # Errors
    /// `Invalid` for a step of zero, an end before the start, or more than [`TimeRange::LIMIT`] moments.
    pub fn moments(&self) -> Result<Vec<Timestamp>, BackendError> {
        let invalid = |why: &str| BackendError::new(ErrorKind::Invalid, "query range", why);
        if self.step.is_zero() {
            return Err(invalid("the step is zero"));
        }
        if self.end < self.start {
            return Err(invalid("the end is before the start"));
        }
        let mut moments = Vec::new();
        let mut next = Some(self.start);
        while let Some(moment) = next.filter(|moment| *moment <= self.end) {
            if moments.len() == Self::LIMIT {
                return Err(invalid("more than 11000 moments; take a longer step"));
            }
            moments.push(moment);
            next = moment.checked_add(self.step).ok();
        }
        Ok(moments)
    }
}

/// One series over a range: a sample, or [`Sample::Missing`], for every moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeSeries {
    /// Its labels.
    pub labels: Labels,
    /// Every moment of the range, in order.
    pub samples: Vec<(Timestamp, Sample)>,
}

/// Answers PromQL queries.
///
/// # Contract
/// - `query` gives each series that the expression has at `at`, in the order of labels. No series is an empty list and
///   a success; it does not mean 0.
/// - `NaN` and infinities are [`Sample::Missing`].
/// - `query_range` gives one sample for *every* moment of the range, `Missing` where there is none.
///
/// # Idempotence
/// Asking changes nothing.
///
/// # Consistency
/// The past may still change for as long as samples arrive late (remote write: about a minute).
///
/// # Cancellation
/// Safe at any time.
///
/// # Errors
/// `Invalid` for an expression or range that the server refuses, `Unavailable` when it does not answer or takes too
/// long. Missing data are no error.
///
/// # Implementations
/// [`InMemoryMetrics`](super::memory::InMemoryMetrics).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use jiff::Timestamp;
/// use smo_core::backend::{MetricsBackend, MetricsBackendExt, Sample, memory::InMemoryMetrics};
///
/// let metrics = InMemoryMetrics::new();
/// let at = Timestamp::UNIX_EPOCH;
/// metrics.record("up", [("job", "web")], at, 1.0);
/// assert_eq!(metrics.scalar("up", at).await?, Sample::Value(1.0));
/// assert_eq!(metrics.scalar("rate(requests_total[1m])", at).await?, Sample::Missing);
/// # Ok(()) }
/// ```
#[async_trait]
pub trait MetricsBackend: Debug + Send + Sync {
    /// Every series of `expr` at one moment.
    async fn query(&self, expr: &str, at: Timestamp) -> Result<Vec<Series>, BackendError>;

    /// Every series of `expr` at every moment of `range`.
    async fn query_range(&self, expr: &str, range: TimeRange) -> Result<Vec<RangeSeries>, BackendError>;
}

/// Conveniences for every [`MetricsBackend`].
#[async_trait]
pub trait MetricsBackendExt: MetricsBackend {
    /// The one sample of an expression that has at most one series; `Invalid` when it has more.
    async fn scalar(&self, expr: &str, at: Timestamp) -> Result<Sample, BackendError> {
        match self.query(expr, at).await?.as_slice() {
            [] => Ok(Sample::Missing),
            [one] => Ok(one.sample),
            several => Err(BackendError::new(
                ErrorKind::Invalid,
                "query",
                format!("`{expr}` has {} series where one is wanted", several.len()),
            )),
        }
    }
}

impl<B: MetricsBackend + ?Sized> MetricsBackendExt for B {}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(end: i64, step: u64) -> TimeRange {
        TimeRange {
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::from_second(end).unwrap(),
            step: Duration::from_secs(step),
        }
    }

    #[test]
    fn a_range_has_its_ends_and_refuses_nonsense() {
        assert_eq!(range(60, 30).moments().unwrap().len(), 3);
        assert_eq!(range(59, 30).moments().unwrap().len(), 2);
        assert_eq!(range(0, 30).moments().unwrap().len(), 1);
        for (bad, why) in [
            (range(60, 0), "query range: the step is zero"),
            (range(-1, 1), "query range: the end is before the start"),
            (
                range(11_000, 1),
                "query range: more than 11000 moments; take a longer step",
            ),
        ] {
            assert_eq!(bad.moments().unwrap_err().to_string(), why);
        }
    }
}
