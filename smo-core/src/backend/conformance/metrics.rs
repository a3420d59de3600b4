//! The contract of [`MetricsBackend`].

use std::time::Duration;

use jiff::Timestamp;

use super::{Outcome, Port};
use crate::backend::{ErrorKind, MetricsBackend, MetricsBackendExt, Sample, TimeRange};

const PORT: Port = Port("MetricsBackend");

/// What the metrics server knows.
#[derive(Debug, Clone)]
pub struct MetricsFixture {
    /// An expression with exactly one series, and a sample at `at`.
    pub present: String,
    /// A good expression without any series.
    pub absent: String,
    /// An expression whose value at `at` is `NaN`, such as `0 / 0` of a scalar, where the fixture has one.
    pub not_a_number: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Checks that `backend` keeps the contract of [`MetricsBackend`].
///
/// # Errors
/// The first rule that it breaks.
pub async fn metrics(backend: &dyn MetricsBackend, fixture: &MetricsFixture) -> Outcome {
    let MetricsFixture {
        present,
        absent,
        not_a_number,
        at,
    } = fixture;
    let one = PORT.succeeds("an expression is answered", backend.scalar(present, *at).await)?;
    PORT.holds(
        "a sample that is there is a value",
        !one.is_missing(),
        format!("{one:?}"),
    )?;
    let none = PORT.succeeds("no data is no error", backend.query(absent, *at).await)?;
    PORT.equal("no data is no series", none.len(), 0)?;
    let scalar = PORT.succeeds("no data is no error", backend.scalar(absent, *at).await)?;
    PORT.equal("no data is Missing, and not 0", scalar, Sample::Missing)?;
    if let Some(expr) = not_a_number {
        let series = PORT.succeeds("NaN is no error", backend.query(expr, *at).await)?;
        let all_missing = series.iter().all(|series| series.sample.is_missing());
        PORT.holds("NaN is Missing", all_missing, format!("{series:?}"))?;
    }
    let step = Duration::from_secs(15);
    let range = TimeRange {
        start: *at,
        end: super::later(*at, step * 4),
        step,
    };
    let series = PORT.succeeds("a range is answered", backend.query_range(present, range).await)?;
    PORT.equal("a range has the series of its expression", series.len(), 1)?;
    for series in &series {
        let moments: Vec<Timestamp> = series.samples.iter().map(|(at, _)| *at).collect();
        let wanted = PORT.succeeds("the range is good", range.moments())?;
        PORT.equal("a range has a sample or Missing at every moment", moments, wanted)?;
        let first = series.samples.first().map(|(_, sample)| *sample);
        PORT.equal("a range begins with the sample of its start", first, Some(one))?;
    }
    let none = PORT.succeeds("no data is no error", backend.query_range(absent, range).await)?;
    PORT.equal("no data is no series", none.len(), 0)?;
    let backwards = TimeRange {
        start: range.end,
        end: range.start,
        step,
    };
    let refused = backend.query_range(present, backwards).await;
    PORT.fails(
        "a range that ends before it starts is Invalid",
        ErrorKind::Invalid,
        refused,
    )?;
    PORT.fails(
        "an empty expression is Invalid",
        ErrorKind::Invalid,
        backend.query("", *at).await,
    )
}
