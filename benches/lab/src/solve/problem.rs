//! The library's own problems: the whole placement model, as YAML or JSON (docs/problems.md).

use std::time::Instant;

use serde_json::{Value as Json, json};
use smo_core::placement::{
    AutoPlacer, Decision, Outcome, Placement, PlacementProblem, Status as Proved, Value, decide, evaluate,
    verify,
};
use smo_core::yaml::Limits;

use super::{Answer, Effort, Fault, Format, Input, Status};

/// Effort of the placer that takes about a second.
const PER_SECOND: f64 = 7e8;
/// Files are as large as the memory of the machine that reads them.
const LIMITS: Limits = Limits {
    bytes: 1 << 30,
    depth: 32,
    nodes: 100_000_000,
};

/// The format.
#[derive(Debug)]
pub(super) struct Problem;

/// What is wrong with what is about to be printed: its answer is read again, and judged by the rules and the formulas of
/// the problem.
fn check(problem: &PlacementProblem, decision: &Decision, printed: &Json) -> Vec<String> {
    let placement: Placement = match serde_json::from_value(printed.clone()) {
        Ok(placement) => placement,
        Err(error) => return vec![error.to_string()],
    };
    let broken = verify(problem, &placement);
    let mut faults: Vec<String> = broken.iter().map(ToString::to_string).collect();
    // By priority, the value is that of the level which is not settled.
    if problem.goals.then.is_empty() {
        match evaluate(problem, &placement) {
            Ok((totals, value)) if value != decision.value || totals != decision.totals => {
                faults.push(format!(
                    "it is said to be worth {} and is worth {value}",
                    decision.value
                ));
            }
            Ok(_) => {}
            Err(error) => faults.push(error.to_string()),
        }
    }
    if decision.bound.is_some_and(|bound| bound > decision.value) {
        faults.push("its bound is above its value".to_owned());
    }
    // By priority, a certificate is one of the level that is not settled.
    if let Some(certificate) = decision
        .proof
        .certificate()
        .filter(|_| problem.goals.then.is_empty())
    {
        let said = decision.proof.certified();
        match certificate.bound(problem) {
            Ok(proved) if proved != said => {
                let of = |bound: Option<Value>| bound.map_or("nothing".to_owned(), |bound| bound.to_string());
                faults.push(format!(
                    "its certificate is said to prove {} and proves {}",
                    of(said),
                    of(proved)
                ));
            }
            Ok(_) => {}
            Err(error) => faults.push(error.to_string()),
        }
    }
    faults
}

impl Format for Problem {
    fn name(&self) -> &'static str {
        "problem"
    }

    fn about(&self) -> &'static str {
        "a placement problem of the library, as YAML or JSON"
    }

    fn solve(
        &self,
        input: &Input,
        effort: Effort,
        take: &mut dyn FnMut(&Answer) -> bool,
    ) -> Result<(), Fault> {
        let about = input.path.display().to_string();
        let (problem, _) = PlacementProblem::parse_noted(&about, &input.text, LIMITS)?;
        let began = Instant::now();
        let placer = AutoPlacer::default().with_effort(effort.steps(PER_SECOND));
        let outcome = decide(&placer, &problem).map_err(|error| Fault::Failed {
            what: about.clone(),
            why: error.to_string(),
        })?;
        let seconds = began.elapsed().as_secs_f64();
        let decision = match outcome {
            Outcome::Placed(decision) => decision,
            Outcome::Infeasible(diagnosis) => {
                let status = if diagnosis.proved {
                    Status::Infeasible
                } else {
                    Status::Unknown
                };
                let text = diagnosis.to_string();
                let reasons: Vec<&str> = text.lines().collect();
                let printed = Answer::new(&about, &[], status)
                    .with_whole_value(None, None)
                    .with("seconds", json!(seconds))
                    .with("work", json!(diagnosis.work))
                    .with("reasons", json!(reasons))
                    .with("answer", Json::Null);
                take(&printed);
                return Ok(());
            }
        };
        let answer = json!(decision.placement);
        let faults = check(&problem, &decision, &answer);
        if !faults.is_empty() {
            return Err(Fault::Wrong { what: about, faults });
        }
        let status = match decision.status {
            Proved::Optimal => Status::Optimal,
            Proved::Feasible => Status::Feasible,
        };
        let printed = Answer::new(&about, &[], status)
            .with("value", json!(decision.value))
            .with("bound", json!(decision.bound))
            .with("gap", json!(decision.gap()))
            .with("seconds", json!(seconds))
            .with("work", json!(decision.work))
            .with("proof", json!(decision.proof))
            .with("totals", json!(decision.totals))
            .with("answer", answer);
        take(&printed);
        Ok(())
    }
}
