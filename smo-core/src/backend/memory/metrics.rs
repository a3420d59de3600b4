//! Metrics in memory: samples recorded by expression.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Journal, Scripted, lock};
use crate::backend::clock::later;
use crate::backend::{
    BackendError, ErrorKind, Labels, MetricsBackend, RangeSeries, Sample, Series, TimeRange,
};

/// How far back a sample is still the current one, as in Prometheus.
const LOOKBACK: Duration = Duration::from_secs(300);

type Points = BTreeMap<Timestamp, f64>;

/// Metrics in memory. Nothing is computed: an expression has the samples that were recorded for that very text. Clones
/// share everything.
#[derive(Debug, Clone, Default)]
pub struct InMemoryMetrics(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    journal: Journal,
    series: Mutex<BTreeMap<String, BTreeMap<Labels, Points>>>,
}

impl InMemoryMetrics {
    /// No samples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample of one series of `expr`. It counts for five minutes, or until the next one. `NaN` ends the series.
    pub fn record<'a>(
        &self,
        expr: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        at: Timestamp,
        value: f64,
    ) {
        let labels = labels
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut series = lock(&self.0.series);
        series
            .entry(expr.to_owned())
            .or_default()
            .entry(labels)
            .or_default()
            .insert(at, value);
    }
}

fn sample_at(points: &Points, at: Timestamp) -> Option<Sample> {
    let (recorded, value) = points.range(..=at).next_back()?;
    (later(*recorded, LOOKBACK) > at).then(|| Sample::new(*value))
}

fn check(expr: &str) -> Result<(), BackendError> {
    if expr.trim().is_empty() {
        return Err(BackendError::new(
            ErrorKind::Invalid,
            "query",
            "the expression is empty",
        ));
    }
    Ok(())
}

impl Scripted for InMemoryMetrics {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl MetricsBackend for InMemoryMetrics {
    async fn query(&self, expr: &str, at: Timestamp) -> Result<Vec<Series>, BackendError> {
        self.0.journal.enter("query", expr)?;
        check(expr)?;
        let series = lock(&self.0.series);
        let of_expr = series.get(expr).into_iter().flatten();
        let now = |(labels, points): (&Labels, &Points)| {
            sample_at(points, at).map(|sample| Series {
                labels: labels.clone(),
                sample,
            })
        };
        Ok(of_expr.filter_map(now).collect())
    }

    async fn query_range(&self, expr: &str, range: TimeRange) -> Result<Vec<RangeSeries>, BackendError> {
        self.0.journal.enter("query_range", expr)?;
        check(expr)?;
        let moments = range.moments()?;
        let series = lock(&self.0.series);
        let of_expr = series.get(expr).into_iter().flatten();
        let over_range = |(labels, points): (&Labels, &Points)| {
            let samples: Vec<Option<Sample>> = moments.iter().map(|at| sample_at(points, *at)).collect();
            let any = samples.iter().any(Option::is_some);
            let samples = moments
                .iter()
                .copied()
                .zip(samples.into_iter().map(Option::unwrap_or_default))
                .collect();
            any.then(|| RangeSeries {
                labels: labels.clone(),
                samples,
            })
        };
        Ok(of_expr.filter_map(over_range).collect())
    }
}
