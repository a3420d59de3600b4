//! Loads of files.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use smo_core::scaling::{LoadSeries, read_load, usual_step};

use crate::solve::{Fault, Input};

/// Which load.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct LoadOptions {
    /// A CSV file, whose first column is the time and whose last the value, or a saved answer of Prometheus to a range query.
    pub file: PathBuf,
    /// From one value to the next, in seconds; what most samples are apart when not said.
    #[arg(long, value_parser = seconds)]
    pub step: Option<f64>,
    /// The values are requests a step, not requests a second.
    #[arg(long)]
    pub counts: bool,
    /// A value of 0 is a gap: nobody measured.
    #[arg(long)]
    pub zero_is_gap: bool,
}

/// Seconds on a command line.
///
/// # Errors
/// What to give instead.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0 and up to 86400".to_owned()),
    }
}

impl LoadOptions {
    /// Reads it.
    ///
    /// # Errors
    /// [`Fault::Unreadable`], [`Fault::Samples`], and [`Fault::Refused`] for samples that are no series.
    pub fn read(&self) -> Result<LoadSeries, Fault> {
        let input = Input::read(&self.file)?;
        let refused = |why: String| Fault::Refused {
            what: self.file.display().to_string(),
            why,
            hint: "at least two samples, sorted by time, and --step for how far they are apart".to_owned(),
        };
        let mut samples = read_load(&input.text).map_err(|error| Fault::Samples {
            path: self.file.clone(),
            error,
        })?;
        let step = match self.step {
            Some(step) => Some(Duration::from_secs_f64(step)),
            None => usual_step(&samples),
        };
        let step = step.ok_or_else(|| refused("there are fewer than two samples".to_owned()))?;
        if self.zero_is_gap {
            samples.retain(|(_, value)| *value != 0.0);
        }
        if self.counts {
            for (_, value) in &mut samples {
                *value /= step.as_secs_f64();
            }
        }
        LoadSeries::from_samples(&samples, step).map_err(|error| refused(error.to_string()))
    }
}
