//! `cargo xtask replay`: how policies of scaling would have served a load.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use smo_core::scaling::{
    Foresight, Hpa, Keda, LoadSeries, PredecessorLoop, Predictive, PredictiveOptions, ReplayError,
    ReplayOutcome, ReplayPolicy, Throughput, Workload, replay,
};

use crate::load::LoadOptions;
use crate::solve::Fault;

/// Which load, and on what.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ReplayArguments {
    /// The load.
    #[command(flatten)]
    pub load: LoadOptions,
    /// What one more replica carries, in requests per second; a twentieth of the load's 99.5 % quantile when not said.
    #[arg(long)]
    pub alpha: Option<f64>,
    /// What is there, or missing, whatever the number of replicas.
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    pub beta: f64,
    /// The fewest replicas.
    #[arg(long, default_value_t = 1)]
    pub min: u32,
    /// The most replicas.
    #[arg(long, default_value_t = 200)]
    pub max: u32,
    /// How long a replica takes to serve, in seconds.
    #[arg(long, default_value_t = 30.0, value_parser = crate::load::seconds)]
    pub start_delay: f64,
    /// The first so many percent of the load are not judged: policies learn from them.
    #[arg(long, default_value_t = 33, value_parser = clap::value_parser!(u8).range(0..=99))]
    pub learn_percent: u8,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A load on replicas of which 20 carry its 99.5 % quantile; the first third is not judged.
///
/// # Errors
/// Why there is none.
pub fn workload(load: LoadSeries) -> Result<Workload, String> {
    let mut values: Vec<f64> = load.values().iter().flatten().copied().collect();
    values.sort_by(f64::total_cmp);
    let high = values.get(values.len() * 995 / 1000).copied().unwrap_or(0.0);
    let throughput = Throughput::new(high / 20.0, 0.0).map_err(|error| error.to_string())?;
    let first = load.len() / 3;
    let mut workload = Workload::new(load, throughput, 1, 200);
    workload.first = first;
    Ok(workload)
}

/// Every policy that reports compare.
///
/// # Errors
/// Never: the policies make sense.
fn policies() -> Result<Vec<Box<dyn ReplayPolicy>>, ReplayError> {
    Ok(vec![
        Box::new(Predictive::new(PredictiveOptions::default())?),
        Box::new(Predictive::measured()?),
        Box::new(Hpa::new(70)?),
        Box::new(Hpa::new(80)?),
        Box::new(Hpa::new(90)?),
        Box::new(Keda::new(80)?),
        Box::new(PredecessorLoop::new()),
        Box::new(Foresight::new()),
    ])
}

/// How every policy would have served, and the autoscaler that takes as many replica-hours as the first or the next more.
///
/// # Errors
/// As [`replay`].
pub fn outcomes(workload: &Workload) -> Result<(Vec<ReplayOutcome>, Option<ReplayOutcome>), ReplayError> {
    let mut outcomes = Vec::new();
    for mut policy in policies()? {
        outcomes.push(replay(policy.as_mut(), workload)?);
    }
    let hours = outcomes.first().map_or(0.0, |ours| ours.replica_hours);
    let rival = Hpa::of_hours(workload, hours)?;
    Ok((outcomes, rival))
}

impl ReplayArguments {
    fn workload(&self, load: LoadSeries) -> Result<Workload, String> {
        let mut workload = workload(load)?;
        let alpha = self.alpha.unwrap_or_else(|| workload.throughput.alpha.to_f64());
        workload.throughput = Throughput::new(alpha, self.beta).map_err(|error| error.to_string())?;
        (workload.min, workload.max) = (self.min, self.max);
        workload.start_delay = Duration::from_secs_f64(self.start_delay);
        workload.first = workload.load.len() * usize::from(self.learn_percent) / 100;
        Ok(workload)
    }

    /// What is printed.
    ///
    /// # Errors
    /// As [`LoadOptions::read`], and [`Fault::Refused`] for a workload that makes no sense.
    pub fn run(&self) -> Result<String, Fault> {
        let refused = |why: String| {
            Fault::Refused {
            what: self.load.file.display().to_string(),
            why,
            hint: "an alpha above 0, a maximum of at least the minimum, and a load that is not over after what is learned from".to_owned(),
        }
        };
        let workload = self.workload(self.load.read()?).map_err(refused)?;
        let (outcomes, rival) = outcomes(&workload).map_err(|error| refused(error.to_string()))?;
        if self.json {
            let all = json!({"policies": outcomes, "autoscalerOfAsManyHours": rival});
            return Ok(format!("{all}\n"));
        }
        let mut text: String = outcomes.iter().map(|outcome| format!("{outcome}\n")).collect();
        if let Some(rival) = rival {
            text.push_str(&format!("as many replica-hours as the first: {rival}\n"));
        }
        Ok(text)
    }
}
