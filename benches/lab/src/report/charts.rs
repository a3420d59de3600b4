//! The charts of one load.

use smo_core::scaling::{
    Hpa, Predictive, PredictiveOptions, ReplayError, ReplayOutcome, ReplayPolicy, Workload, replay_with,
};

use super::svg::{Chart, Curve};

const OURS: &str = "#1b7f4b";
const THEIRS: &str = "#c2571a";
const LOAD: &str = "#9aa3ad";
const OTHERS: &str = "#5b4fa0";

/// Violations over replica-hours: the curve of autoscalers by their target, that of the forecast by its quantile, and the others.
pub(super) fn tradeoff(
    autoscalers: &[ReplayOutcome],
    quantiles: &[ReplayOutcome],
    others: &[ReplayOutcome],
) -> String {
    let point = |outcome: &ReplayOutcome| (outcome.replica_hours, outcome.violation_share * 100.0);
    let curve = |label: &str, colour, outcomes: &[&ReplayOutcome]| Curve {
        label: label.to_owned(),
        colour,
        points: outcomes.iter().map(|outcome| point(outcome)).collect(),
        marked: true,
        notes: outcomes.iter().map(|outcome| short(&outcome.policy)).collect(),
    };
    fn all(outcomes: &[ReplayOutcome]) -> Vec<&ReplayOutcome> {
        outcomes.iter().collect()
    }
    let measured: Vec<&ReplayOutcome> = others
        .iter()
        .filter(|outcome| outcome.policy == "smo, measured")
        .collect();
    Chart {
        title: "Violations over replica-hours: less of both is better".to_owned(),
        across: "replica-hours".to_owned(),
        up: "% of the time too few".to_owned(),
        logarithmic: true,
        curves: vec![
            curve("HPA by target", THEIRS, &all(autoscalers)),
            curve("smo by quantile", OURS, &all(quantiles)),
            curve("smo, measured only", OTHERS, &measured),
        ],
    }
    .svg()
}

/// `HPA 80 %` as `80 %`, `smo, 0.90 quantile` as `0.90`.
fn short(policy: &str) -> String {
    let policy = policy.trim_start_matches("HPA ").trim_start_matches("smo, ");
    policy.trim_end_matches(" quantile").to_owned()
}

/// The judged day with the highest load: what came, and what ready replicas carried.
pub(super) fn day(workload: &Workload) -> Result<String, ReplayError> {
    let mut ours = Predictive::new(PredictiveOptions::default())?;
    let mut theirs = Hpa::new(80)?;
    let (own, loads) = carried(&mut ours, workload)?;
    let (other, _) = carried(&mut theirs, workload)?;
    let ticks = usize::try_from(86_400 / workload.tick.as_secs().max(1)).unwrap_or(1);
    let busiest = |from: &usize| {
        let highest = loads
            .get(*from..(from + ticks).min(loads.len()))
            .unwrap_or_default();
        highest.iter().flatten().copied().fold(0.0, f64::max)
    };
    let from = (0..loads.len())
        .step_by(ticks)
        .max_by(|a, b| busiest(a).total_cmp(&busiest(b)))
        .unwrap_or(0);
    let until = (from + ticks).min(loads.len());
    // A point every two minutes is as fine as the picture.
    let every = (ticks / 720).max(1);
    #[allow(clippy::cast_precision_loss)]
    let hour = |index: usize| (index - from) as f64 * workload.tick.as_secs_f64() / 3600.0;
    let curve = |label: &str, colour, value: &dyn Fn(usize) -> Option<f64>| Curve {
        label: label.to_owned(),
        colour,
        points: (from..until)
            .step_by(every)
            .filter_map(|index| Some((hour(index), value(index)?)))
            .collect(),
        marked: false,
        notes: Vec::new(),
    };
    let chart = Chart {
        title: "The day with the highest load: what came, and what ready replicas carry".to_owned(),
        across: "hours".to_owned(),
        up: "requests per second".to_owned(),
        logarithmic: false,
        curves: vec![
            curve("load", LOAD, &|index| loads.get(index).copied().flatten()),
            curve("HPA 80 %", THEIRS, &|index| other.get(index).copied()),
            curve("smo", OURS, &|index| own.get(index).copied()),
        ],
    };
    Ok(chart.svg())
}

/// What the ready replicas carried, and what came, at every judged tick.
fn carried(
    policy: &mut dyn ReplayPolicy,
    workload: &Workload,
) -> Result<(Vec<f64>, Vec<Option<f64>>), ReplayError> {
    let (mut carried, mut loads) = (Vec::new(), Vec::new());
    replay_with(policy, workload, &mut |moment| {
        if moment.judged {
            carried.push(workload.throughput.capacity(moment.ready).to_f64());
            loads.push(moment.load);
        }
    })?;
    Ok((carried, loads))
}
