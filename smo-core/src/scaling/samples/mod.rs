//! Reading samples that were saved: a CSV file, or the answer of Prometheus to a range query.
//!
//! What is read is text; where it comes from is the host's matter. Every fault names the line, or where in the answer it is,
//! and what to try.

mod csv;
mod prometheus;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use super::{ProfileSample, Saturation};

/// Why a text holds no samples.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {message}")]
pub struct SamplesError {
    /// Where: `line 3`, or `data.result[0].values[2]`.
    pub place: String,
    /// What is wrong there.
    pub message: String,
    /// What to try.
    pub hint: String,
}

impl SamplesError {
    fn new(place: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Reads a load: moments and values, oldest first; a value that is missing is left out.
///
/// A text that begins with `{` is the answer of Prometheus to `/api/v1/query_range`, with one series. Anything else is CSV with a
/// header: the first column is the time and the last the value. Times are RFC 3339, `2026-11-24 10:00:00` (UTC), or numbers: seconds since
/// 1970, or minutes or hours where the column is called `minute` or `hour`.
///
/// ```
/// use smo_core::scaling::{LoadSeries, read_load, usual_step};
/// let samples = read_load("timestamp,value\n2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,56.0\n2014-04-10 00:14:00,\n2014-04-10 00:19:00,95\n")?;
/// let step = usual_step(&samples).unwrap();
/// assert_eq!(step.as_secs(), 300);
/// assert_eq!(LoadSeries::from_samples(&samples, step)?.values(), [Some(94.0), Some(56.0), None, Some(95.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SamplesError`] at the first fault.
pub fn read_load(text: &str) -> Result<Vec<(Timestamp, f64)>, SamplesError> {
    if is_json(text) {
        return prometheus::series(text);
    }
    let table = csv::Table::read(text)?;
    let last = table.columns().len() - 1;
    let mut samples = Vec::new();
    for row in table.rows() {
        let row = row?;
        if let Some(value) = row.optional(last)? {
            samples.push((row.time(0)?, value));
        }
    }
    Ok(samples)
}

/// The step that most neighbouring samples are apart: the median; `None` for fewer than two samples.
#[must_use]
pub fn usual_step(samples: &[(Timestamp, f64)]) -> Option<Duration> {
    let later = samples.iter().skip(1);
    let mut apart: Vec<Duration> = samples
        .iter()
        .zip(later)
        .map(|(before, after)| super::controller::since(after.0, before.0))
        .collect();
    apart.sort_unstable();
    // Of two in the middle the shorter: gaps make steps look longer.
    apart
        .get(apart.len().saturating_sub(1) / 2)
        .copied()
        .filter(|step| !step.is_zero())
}

/// Reads what a profile is learned from: a CSV file with the columns `time`, `replicas`, `rate`, and either `utilisation` (a share) or
/// `latency` and `unloaded_latency` (milliseconds), in any order. Rows with an empty field are left out.
///
/// ```
/// use smo_core::scaling::read_profile_samples;
/// let samples = read_profile_samples("time,replicas,rate,utilisation\n2026-11-24T10:00:00Z,2,150.5,0.62\n")?;
/// assert_eq!((samples[0].replicas, samples[0].rate), (2, 150.5));
/// # Ok::<(), smo_core::scaling::SamplesError>(())
/// ```
///
/// # Errors
/// [`SamplesError`] at the first fault.
pub fn read_profile_samples(text: &str) -> Result<Vec<ProfileSample>, SamplesError> {
    let table = csv::Table::read(text)?;
    let time = table.column(&["time", "timestamp"])?;
    let replicas = table.column(&["replicas"])?;
    let rate = table.column(&["rate"])?;
    let busy = if let Ok(utilisation) = table.column(&["utilisation", "utilization"]) {
        vec![utilisation]
    } else {
        vec![
            table.column(&["latency", "utilisation"])?,
            table.column(&["unloaded_latency"])?,
        ]
    };
    let mut samples = Vec::new();
    for row in table.rows() {
        let row = row?;
        let busy: Vec<Option<f64>> = busy
            .iter()
            .map(|column| row.optional(*column))
            .collect::<Result<_, _>>()?;
        let saturation = match busy.as_slice() {
            [Some(share)] => Saturation::Utilisation(*share),
            [Some(milliseconds), Some(unloaded_milliseconds)] => Saturation::Latency {
                milliseconds: *milliseconds,
                unloaded_milliseconds: *unloaded_milliseconds,
            },
            _ => continue,
        };
        let (Some(count), Some(rate)) = (row.optional(replicas)?, row.optional(rate)?) else {
            continue;
        };
        samples.push(ProfileSample {
            at: row.time(time)?,
            replicas: row.whole(replicas, count)?,
            rate,
            saturation,
        });
    }
    Ok(samples)
}

/// Joins three answers of Prometheus to range queries with the same start, end and step: replicas that serve, requests per second of all
/// of them, and the busy share of what limits them. Moments that one of them lacks are left out, and so are values that are no number.
///
/// # Errors
/// [`SamplesError`] at the first fault; its place names which of the three.
pub fn join_profile_samples(
    replicas: &str,
    rate: &str,
    utilisation: &str,
) -> Result<Vec<ProfileSample>, SamplesError> {
    let read = |name: &str, text: &str| {
        prometheus::series(text).map_err(|error| SamplesError {
            place: format!("{name}: {}", error.place),
            ..error
        })
    };
    let counts = read("replicas", replicas)?;
    let rates = read("rate", rate)?;
    let shares = read("utilisation", utilisation)?;
    let at = |series: &[(Timestamp, f64)], moment: Timestamp| {
        let found = series.binary_search_by_key(&moment, |sample| sample.0).ok()?;
        series.get(found).map(|sample| sample.1)
    };
    let mut samples = Vec::new();
    for (index, (moment, count)) in counts.iter().enumerate() {
        let (Some(rate), Some(share)) = (at(&rates, *moment), at(&shares, *moment)) else {
            continue;
        };
        let Some(replicas) = whole(*count) else {
            let place = format!("replicas: sample {index} at {moment}");
            return Err(SamplesError::new(
                place,
                format!("{count} is no number of replicas"),
                WHOLE,
            ));
        };
        // Nobody served: nothing is told of what is carried.
        if replicas > 0 {
            samples.push(ProfileSample {
                at: *moment,
                replicas,
                rate,
                saturation: Saturation::Utilisation(share),
            });
        }
    }
    if samples.is_empty() && !counts.is_empty() {
        let hint = "the same start, end and step in all three queries";
        return Err(SamplesError::new(
            "the three answers",
            "they have no moment in common",
            hint,
        ));
    }
    Ok(samples)
}

const WHOLE: &str = "a whole number of replicas; a query over the ready replicas of one service, such as \
     sum(kube_deployment_status_replicas_ready{deployment=\"web\"})";

/// A number that counts something.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> Option<u32> {
    let fits = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
    fits.then_some(value as u32)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}
