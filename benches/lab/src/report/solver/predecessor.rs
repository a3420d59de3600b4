//! The predecessor's model, by its own way and by ours.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value as Json, json};
use smo_core::random::Random;

use super::Report;
use super::targets::{Target, short};
use crate::solve::{Case, Effort, Input, solve};

/// Cases of each size.
const CASES: u64 = 15;
/// Each of ours is solved so often, or for a second; the median counts.
const TURNS: usize = 1001;

/// From `least` to `most` quarters.
#[allow(clippy::cast_precision_loss)]
fn quarters(random: &mut Random, least: u64, most: u64) -> f64 {
    random.between(least, most) as f64 / 4.0
}

const SMALL: &str = "names are hashed, and every rule is asked about every pair, before anything is searched";
const LARGE: &str =
    "a bound of prices and patterns leaves some cases a few units open, and all the effort goes into those";

/// A case of the predecessor's carbon-aware model, about 70 % full.
#[allow(clippy::cast_precision_loss)]
fn case(services: usize, clusters: usize, seed: u64) -> Json {
    let mut random = Random::new(seed * 1_000_003 + services as u64);
    let list: Vec<Json> = (0..services)
        .map(|_| json!({"cpu": quarters(&mut random, 1, 8), "replicas": random.between(1, 3), "ram": 500, "gpu": random.between(0, 9) == 0}))
        .collect();
    let number = |service: &Json, key: &str| service[key].as_f64().unwrap_or_default();
    let needed: f64 = list
        .iter()
        .map(|service| number(service, "cpu") * number(service, "replicas"))
        .sum();
    let fair = (needed / 0.7 / clusters as f64 * 4.0).max(28.0) as u64;
    let clusters: Vec<Json> = (0..clusters)
        .map(|index| json!({"cpu": quarters(&mut random, fair, fair + fair / 4), "ram": 65536, "gpu": index % 3 == 0, "carbon": quarters(&mut random, 1, 8), "region": "eu"}))
        .collect();
    let current: Vec<u64> = (0..services)
        .map(|_| random.between(0, clusters.len() as u64 - 1))
        .collect();
    json!({
        "id": format!("{services}-{seed}"),
        "input": {"kind": "carbon", "clusters": clusters, "services": list, "current": current, "weights": {"dep": 0.0, "re": 1.0, "carbon": 5.0}},
    })
}

/// What we say of a case, and how long it takes.
struct Ours {
    /// The answer, which the formulas of the model confirmed.
    said: Json,
    /// Median seconds of posing, proving and checking.
    solved: f64,
    /// Median seconds with reading the case, reasons, and writing the decision.
    whole: f64,
}

/// The last result, and the median of the seconds that it took.
fn median<T>(mut run: impl FnMut() -> Result<T, String>) -> Result<(T, f64), String> {
    let mut seconds: Vec<f64> = Vec::new();
    loop {
        let began = Instant::now();
        let result = run()?;
        seconds.push(began.elapsed().as_secs_f64());
        if seconds.len() >= TURNS || seconds.iter().sum::<f64>() > 1.0 {
            seconds.sort_by(f64::total_cmp);
            return Ok((result, seconds[seconds.len() / 2]));
        }
    }
}

fn ours(case: &Json) -> Result<Ours, String> {
    let text = case.to_string();
    let effort = Effort {
        seconds: 10.0,
        threads: 1,
    };
    let read = Case::read(&text)?;
    let (objective, solved) = median(|| read.solve(effort))?;
    let (_, whole) = median(|| Case::read(&text)?.explained(effort))?;
    let input = Input {
        path: "case.jsonl".into(),
        text,
    };
    let mut said = Json::Null;
    solve("oracle", &input, effort, &mut |answer| {
        said = serde_json::from_str(&answer.json()).unwrap_or_default();
        true
    })
    .map_err(|fault| fault.to_string())?;
    if said["objective"].as_f64() != objective {
        return Err(format!(
            "asked again, it is worth {objective:?}, not {}",
            said["objective"]
        ));
    }
    Ok(Ours { said, solved, whole })
}

/// Seconds as people read them.
fn shown(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{} µs", short(seconds * 1e6))
    } else {
        format!("{} ms", short(seconds * 1e3))
    }
}

fn middle(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

pub(super) fn report(report: &mut Report<'_>, folder: &Path) -> Result<(), String> {
    report.page.push_str(
        "## The predecessor's model

Its carbon-aware model, generated, about 70 % full: the predecessor's way (cvxpy with HiGHS, the model built anew) and smo (`placement::solve`, the
problem built anew), each from the numbers in memory; the median of fifteen cases. smo poses, proves and checks; reading and writing JSON and
explaining is in neither time, and in the column after it. The predecessor has no time limit; here HiGHS has a minute a case. It
stops within 0.01 % of its bound, and smo where there is nothing left.

| services x clusters | predecessor's way | smo | with reasons and JSON | times as fast | proved by smo | the same value |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
",
    );
    for (services, clusters, times, limit) in [(3, 3, 1000.0, SMALL), (200, 20, 100.0, LARGE)] {
        (report.say)(&format!("predecessor's model, {services} x {clusters} ..."));
        let cases: Vec<Json> = (1..=CASES).map(|seed| case(services, clusters, seed)).collect();
        let (mut solved, mut whole, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for case in &cases {
            let ours = ours(case)?;
            solved.push(ours.solved);
            whole.push(ours.whole);
            answers.push(ours.said);
        }
        let (mine, whole) = (middle(solved), middle(whole));
        let proved = answers.iter().filter(|said| said["status"] == "optimal").count();
        let path = folder.join(format!("cases-{services}.jsonl"));
        let lines: Vec<String> = cases.iter().map(ToString::to_string).collect();
        std::fs::write(&path, lines.join("\n")).map_err(|error| error.to_string())?;
        let theirs = report.peers.cases(&path);
        let (took, ratio, same) = match &theirs {
            Ok(run) => {
                let objectives = run.said["objectives"].as_array().cloned().unwrap_or_default();
                let equal = |(said, theirs): (&Json, &Json)| {
                    let pair = said["objective"].as_f64().zip(theirs.as_f64());
                    pair.is_some_and(|(mine, theirs)| (mine - theirs).abs() <= 1e-4 * mine.abs().max(1.0))
                };
                let same = answers
                    .iter()
                    .zip(&objectives)
                    .filter(|pair| equal(*pair))
                    .count();
                let seconds = run.number("seconds");
                (
                    seconds.map_or("-".to_owned(), shown),
                    seconds.map(|seconds| seconds / mine),
                    format!("{same} of {CASES}"),
                )
            }
            Err(why) => (why.clone(), None, "-".to_owned()),
        };
        let _ = writeln!(
            report.page,
            "| {services} x {clusters} | {took} | {} | {} | {} | {proved} of {CASES} | {same} |",
            shown(mine),
            shown(whole),
            ratio.map_or("-".to_owned(), short),
        );
        report.targets.push(Target {
            promise: format!("{services} x {clusters}: share of the predecessor's time"),
            measured: ratio.map(|ratio| 100.0 / ratio),
            at_most: 100.0 / times,
            unit: "%",
            limit,
        });
    }
    report.page.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_cases_are_proved() {
        for services in [3, 12] {
            let Ours { said, solved, whole } = ours(&case(services, 3, 1)).unwrap();
            assert_eq!(said["status"], "optimal", "{said}");
            assert!(0.0 < solved && 0.0 < whole);
        }
    }
}
