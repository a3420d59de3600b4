//! `cargo xtask report scaling`: forecasts and decisions on public and on generated loads, as a page with charts; and, in
//! [`solver()`], `cargo xtask report solver`.

mod charts;
mod measured;
mod solver;
mod svg;
mod traces;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use smo_core::scaling::{QuantileScore, ReplayError, ReplayOutcome, ScalingPolicy};

use crate::backtest::MOST_ORIGINS;
use crate::solve::Fault;
use measured::{Measured, measure};
pub use solver::{Section, Sources, solver};

/// Writes the page `SCALING.md` and its charts into `folder`: about public loads that are in the folders among `sources`, the loads of the
/// files among them (requests per second), and generated ones.
///
/// # Errors
/// [`Fault::Unreadable`] and [`Fault::Samples`] for a load, [`Fault::Failed`] where a page cannot be written.
pub fn scaling(folder: &Path, sources: &[PathBuf], say: &mut dyn FnMut(&str)) -> Result<(), Fault> {
    let mut measured = Vec::new();
    let (found, missing) = traces::all(sources)?;
    for trace in found {
        say(&format!("{} ...", trace.title));
        let name = trace.name.clone();
        let failed = |why: String| Fault::Failed {
            what: name.clone(),
            why,
        };
        measured.push(measure(trace).map_err(failed)?);
    }
    let charts = folder.join("charts");
    let unwritten = |error: std::io::Error| Fault::Failed {
        what: folder.display().to_string(),
        why: error.to_string(),
    };
    std::fs::create_dir_all(&charts).map_err(unwritten)?;
    for one in &measured {
        let name = &one.trace.name;
        let failed = |error: ReplayError| Fault::Failed {
            what: name.clone(),
            why: error.to_string(),
        };
        let day = charts::day(&one.workload).map_err(failed)?;
        std::fs::write(charts.join(format!("scaling-{name}-day.svg")), day).map_err(unwritten)?;
        let tradeoff = charts::tradeoff(&one.autoscalers, &one.quantiles, &one.outcomes);
        std::fs::write(charts.join(format!("scaling-{name}-tradeoff.svg")), tradeoff).map_err(unwritten)?;
    }
    std::fs::write(folder.join("SCALING.md"), page(&measured, &missing)).map_err(unwritten)
}

/// Whether the library serves better than the autoscaler that takes as many replica-hours, in one sentence.
fn verdict(ours: &ReplayOutcome, rival: Option<&ReplayOutcome>) -> (bool, String) {
    let Some(rival) = rival else {
        return (false, "No autoscaler takes as many replica-hours.".to_owned());
    };
    let better = ours.violation_share < rival.violation_share;
    let word = if better { "fewer" } else { "**not fewer**" };
    let sentence = format!(
        "Too few replicas for {:.2} % of the time at {:.0} replica-hours; {}, the first to take as many ({:.0}), {:.2} %: {word} violations.",
        ours.violation_share * 100.0,
        ours.replica_hours,
        rival.policy,
        rival.replica_hours,
        rival.violation_share * 100.0
    );
    (better, sentence)
}

fn page(measured: &[Measured], missing: &[String]) -> String {
    let mut page = head();
    for missing in missing {
        let _ = writeln!(page, "Not in this run: {missing}.\n");
    }
    let _ = writeln!(
        page,
        "## In short\n\n| load | smo | HPA of as many replica-hours | HPA 80 % | knows the future |\n| --- | --- | --- | --- | --- |"
    );
    let share = |outcome: Option<&ReplayOutcome>| {
        outcome.map_or("-".to_owned(), |outcome| {
            format!(
                "{:.2} %, {:.0} h",
                outcome.violation_share * 100.0,
                outcome.replica_hours
            )
        })
    };
    for one in measured {
        let named = |name: &str| one.outcomes.iter().find(|outcome| outcome.policy == name);
        let _ = writeln!(
            page,
            "| {}{} | {} | {} ({}) | {} | {} |",
            one.trace.title,
            if one.trace.tried { " *" } else { "" },
            share(one.outcomes.first()),
            share(one.rival.as_ref()),
            one.rival.as_ref().map_or("none", |rival| rival.policy.as_str()),
            share(named("HPA 80 %")),
            share(named("knows the future"))
        );
    }
    let judged = measured.iter().filter_map(|one| {
        one.outcomes
            .first()
            .map(|ours| (one, verdict(ours, one.rival.as_ref()).0))
    });
    let worse: Vec<&str> = judged
        .filter(|(_, better)| !better)
        .map(|(one, _)| one.trace.title.as_str())
        .collect();
    let _ = if worse.is_empty() {
        writeln!(
            page,
            "\nOn every load, fewer violations than the autoscaler that takes as many replica-hours or more."
        )
    } else {
        writeln!(
            page,
            "\nNot fewer violations than the autoscaler that takes as many replica-hours: {}.",
            worse.join("; ")
        )
    };
    let dearer = |one: &Measured| {
        let hpa = one.outcomes.iter().find(|outcome| outcome.policy == "HPA 80 %")?;
        let ours = one.outcomes.first()?;
        (ours.replica_hours > hpa.replica_hours).then(|| {
            let [ours, hpa] = [ours, hpa].map(|outcome| outcome.violation_share * 100.0);
            format!("{} ({ours:.2} % violations for {hpa:.2} %)", one.trace.title)
        })
    };
    let dearer: Vec<String> = measured.iter().filter_map(dearer).collect();
    let _ = if dearer.is_empty() {
        writeln!(page, "On none it takes more replica-hours than HPA at 80 %.\n")
    } else {
        writeln!(
            page,
            "More replica-hours than HPA at 80 %: {}.\n",
            dearer.join("; ")
        )
    };
    for one in measured {
        section(&mut page, one);
    }
    page
}

fn head() -> String {
    let policy = ScalingPolicy::with_forecast();
    format!(
        "# Scaling: forecasts and decisions, measured

Written by `cargo xtask report scaling`; `cargo xtask replay FILE` and `cargo xtask backtest FILE` do the same for any load. Every run
gives the same numbers.

**Replays.** A load stays as it is within its step: for a minute or five in all but the last. Every 15 s each policy sees the mean of the last 60 s; a replica serves 30 s after it was
asked for, and counts from then as paid for. One replica carries a twentieth of the load's 99.5 % quantile; 1 to 200 may run. The first third
is only learned from. *Violations* are the share of the time in which more came than ready replicas carry; *too many* and *too few* are replica-hours beyond
and short of what that moment needed; *actions* are changes of the count.

**Policies.** *smo* is `ScalingController` with `ScalingPolicy::with_forecast()`: for the {} % quantile of the forecast, or what is measured, or where that
is heading as its latest changes tell, and {} % more, whichever is higher; down within {} s windows. It is one policy for all loads, designed on those marked with an
asterisk; the others it had not seen before. *smo, measured* is the default
policy without a forecast. *HPA n %* is the documented algorithm of Kubernetes (15 s, 10 % tolerance, down to the most wanted in 300 s, up by the larger of 4 and
100 %) with a target of n % of what a replica carries; *KEDA* is that with an external metric; the *predecessor's loop* asks its optimiser every 30 s, and never goes down;
*knows the future* asks for replicas exactly as early as they take to start. HPA can be given any target, so smo is compared with the one that takes as many
replica-hours as it does, or the next more.

**Forecasts** are of the second half of each load: seasonal naive and Holt-Winters, fitted to the first half, from up to {} moments, and the rolling one, which decisions are
made for, from every step. *MASE* is the mean absolute error over that of repeating what was so many steps before (below 1: better than that); the *pinball loss*
of a quantile is in requests per second (less is better); *coverage* is right where it is the level.

",
        ScalingPolicy::FORECAST_PERCENT,
        policy.headroom_percent,
        policy.down_window.as_secs(),
        MOST_ORIGINS
    )
}

fn section(page: &mut String, one: &Measured) {
    let _ = writeln!(page, "## {}\n\n{}\n", one.trace.title, one.trace.about);
    if let Some(ours) = one.outcomes.first() {
        let _ = writeln!(page, "{}\n", verdict(ours, one.rival.as_ref()).1);
    }
    let _ = writeln!(
        page,
        "| policy | violations | requests above | replica-hours | too many | too few | actions | peak |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for outcome in one.outcomes.iter().chain(&one.rival) {
        let _ = writeln!(
            page,
            "| {} | {:.2} % | {:.2} % | {:.0} | {:.0} | {:.1} | {} | {} |",
            outcome.policy,
            outcome.violation_share * 100.0,
            outcome.excess_share * 100.0,
            outcome.replica_hours,
            outcome.over_hours,
            outcome.under_hours,
            outcome.actions,
            outcome.peak
        );
    }
    let name = &one.trace.name;
    let _ = writeln!(
        page,
        "\n![Violations over replica-hours](charts/scaling-{name}-tradeoff.svg)\n\n![The busiest day](charts/scaling-{name}-day.svg)\n"
    );
    let _ = writeln!(
        page,
        "| forecast | model | MASE | pinball loss 0.5, 0.9, 0.99 | coverage of 50, 90, 99 % |\n| --- | --- | ---: | --- | --- |"
    );
    for (title, reports) in &one.forecasts {
        for report in reports {
            let list = |value: &dyn Fn(&QuantileScore) -> String| {
                report.quantiles.iter().map(value).collect::<Vec<_>>().join(", ")
            };
            let _ = writeln!(
                page,
                "| {title} | {} | {:.3} | {} | {} |",
                report.model,
                report.mase,
                list(&|score| format!("{:.4}", score.pinball_loss)),
                list(&|score| format!("{:.1} %", score.coverage * 100.0))
            );
        }
    }
    let _ = writeln!(page);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::workload;

    #[test]
    fn a_report_of_generated_loads_is_written() {
        let folder = std::env::temp_dir().join(format!("smo-lab-report-{}", std::process::id()));
        let trace = traces::small();
        let one = measure(trace).unwrap();
        let text = page(&[one], &["nothing".to_owned()]);
        assert!(
            text.contains("| smo, 0.90 quantile |") && text.contains("| knows the future | 0.00 % |"),
            "{text}"
        );
        assert!(text.contains("rolling Holt-Winters") && text.contains("Not in this run: nothing."));
        std::fs::create_dir_all(&folder).unwrap();
        let workload = workload(traces::small().load).unwrap();
        let day = charts::day(&workload).unwrap();
        assert!(
            day.starts_with("<svg")
                && day.trim_end().ends_with("</svg>")
                && day.matches("<path").count() == 3,
            "{day}"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn loads_are_looked_for_and_files_taken() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/load.csv");
        let (found, missing) = traces::all(&[std::env::temp_dir(), file]).unwrap();
        let own = found.iter().find(|trace| trace.name == "load").unwrap();
        // A day of minutes is too short to show days.
        assert_eq!((own.width, own.period), (10, 1));
        assert_eq!((missing.len(), found.len()), (8, 6));
        assert!(
            missing[0].starts_with("NASA web server, July and August 1995 (`nasa_http_1995_minutes.csv`: ")
        );
    }

    #[test]
    fn where_it_is_not_better_is_said() {
        let outcome = |policy: &str, violation_share: f64, replica_hours: f64| ReplayOutcome {
            policy: policy.to_owned(),
            violation_share,
            excess_share: 0.0,
            replica_hours,
            over_hours: 0.0,
            under_hours: 0.0,
            actions: 0,
            peak: 1,
            hours: 1.0,
        };
        let ours = outcome("smo", 0.02, 10.0);
        assert!(verdict(&ours, Some(&outcome("HPA 70 %", 0.03, 11.0))).0);
        let (better, text) = verdict(&ours, Some(&outcome("HPA 70 %", 0.02, 11.0)));
        assert!(!better && text.contains("**not fewer**"), "{text}");
        assert!(!verdict(&ours, None).0);
    }
}
