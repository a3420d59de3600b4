//! `cargo xtask profile`: what replicas carry, learned from samples of files.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use smo_core::scaling::{
    Profile, ProfileError, ProfileOptions, ProfileSample, join_profile_samples, read_profile_samples,
};

use crate::solve::{Fault, Input};

/// From what, and how.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ProfileArguments {
    /// A CSV file with the columns time, replicas, rate, and utilisation, or latency and `unloaded_latency` in milliseconds.
    #[arg(required_unless_present_all = ["replicas", "rate", "utilisation"], conflicts_with_all = ["replicas", "rate", "utilisation"])]
    pub file: Option<PathBuf>,
    /// Saved answers of Prometheus to three range queries over the same time: replicas that serve,
    #[arg(long, requires = "rate")]
    pub replicas: Option<PathBuf>,
    /// requests per second of all of them,
    #[arg(long, requires = "utilisation")]
    pub rate: Option<PathBuf>,
    /// and the busy share of what limits them, such as used over limited cpu.
    #[arg(long, requires = "replicas")]
    pub utilisation: Option<PathBuf>,
    /// The utilisation at which a service counts as full.
    #[arg(long, default_value_t = ProfileOptions::default().target)]
    pub target: f64,
    /// Samples less busy than this are left out.
    #[arg(long, default_value_t = ProfileOptions::default().least_utilisation)]
    pub least_utilisation: f64,
    /// Through 0, so that one count of replicas is enough.
    #[arg(long)]
    pub proportional: bool,
    /// Learn from the first so many percent of the samples, and check with the rest whether it still holds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub learn_percent: u8,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl ProfileArguments {
    fn samples(&self) -> Result<(String, Vec<ProfileSample>), Fault> {
        if let Some(file) = &self.file {
            let input = Input::read(file)?;
            let samples = read_profile_samples(&input.text);
            let path = file.clone();
            let samples = samples.map_err(|error| Fault::Samples { path, error })?;
            return Ok((file.display().to_string(), samples));
        }
        let read = |file: &Option<PathBuf>| Input::read(file.as_deref().unwrap_or_else(|| "".as_ref()));
        let (replicas, rate, utilisation) =
            (read(&self.replicas)?, read(&self.rate)?, read(&self.utilisation)?);
        let samples = join_profile_samples(&replicas.text, &rate.text, &utilisation.text);
        let path = replicas.path.clone();
        let samples = samples.map_err(|error| Fault::Samples { path, error })?;
        Ok((replicas.path.display().to_string(), samples))
    }

    /// What is printed.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] and [`Fault::Samples`] for files, [`Fault::Refused`] where the samples do not tell.
    pub fn run(&self) -> Result<String, Fault> {
        let (what, samples) = self.samples()?;
        let options = ProfileOptions {
            target: self.target,
            least_utilisation: self.least_utilisation,
            proportional: self.proportional,
            ..ProfileOptions::default()
        };
        let refused = |error: ProfileError| {
            Fault::Refused {
            what: what.clone(),
            hint: match &error {
                ProfileError::Refused(_) => {
                    "samples over several counts of replicas and busier hours, or --proportional for a line through 0"
                }
                _ => "samples sorted by time, with shares as 0.62 rather than 62",
            }
            .to_owned(),
            why: error.to_string(),
        }
        };
        let learned = samples.len() * usize::from(self.learn_percent) / 100;
        let (first, rest) = samples.split_at(learned);
        let profile = Profile::learn(first, &options).map_err(refused)?;
        let drift = if rest.is_empty() {
            None
        } else {
            Some(profile.drift(rest).map_err(refused)?)
        };
        if self.json {
            return Ok(format!("{}\n", json!({"profile": profile, "drift": drift})));
        }
        let mut text = profile.to_string();
        if let Some(drift) = drift {
            let _ = writeln!(text, "  the {} samples after them: {drift}", rest.len());
        }
        Ok(text)
    }
}
