//! The predecessor's placement, carbon and scaling models: one JSON object a line, `id` and `input`.
//!
//! The instance is read to plain numbers, posed to the library, and what comes back is checked against the plain numbers with
//! the model's own formulas and its tolerance of 1e-6.

mod fields;
mod placement;
mod scaling;

use serde_json::{Value as Json, json};

use super::{Answer, Effort, Fault, Format, Input, Status};
use fields::{Fields, Misread};

/// What the predecessor's solver lets pass, in cores and requests per second; of objectives, relative to 1 or more.
const TOLERANCE: f64 = 1e-6;

/// The format.
#[derive(Debug)]
pub(super) struct Oracle;

/// An answer in the model's words.
#[derive(Debug, Clone, PartialEq)]
struct Solved {
    status: Status,
    objective: Option<f64>,
    /// Cluster indices, or counts of replicas.
    list: Option<Vec<usize>>,
}

impl Solved {
    const fn without(status: Status) -> Self {
        Self {
            status,
            objective: None,
            list: None,
        }
    }
}

impl Format for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn about(&self) -> &'static str {
        "the predecessor's models: JSON lines of kind placement, carbon or scaling"
    }

    fn solve(
        &self,
        input: &Input,
        effort: Effort,
        take: &mut dyn FnMut(&Answer) -> bool,
    ) -> Result<(), Fault> {
        for (index, line) in input.text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let answer = solve_line(line, effort).map_err(|stop| match stop {
                Stop::Misread(Misread { message, hint }) => Fault::Bad {
                    path: input.path.clone(),
                    line: index + 1,
                    message,
                    hint,
                },
                Stop::Fault(fault) => fault,
            })?;
            if !take(&answer) {
                break;
            }
        }
        Ok(())
    }
}

/// Why a line has no answer.
#[derive(Debug)]
enum Stop {
    Misread(Misread),
    Fault(Fault),
}

impl From<Misread> for Stop {
    fn from(misread: Misread) -> Self {
        Self::Misread(misread)
    }
}

fn solve_line(line: &str, effort: Effort) -> Result<Answer, Stop> {
    let json: Json = serde_json::from_str(line).map_err(|error| {
        let message = format!("column {}: this is no JSON: {error}", error.column());
        Misread::new(message, "one whole JSON object a line")
    })?;
    let case = Fields::root(&json)?;
    let id = case.text("id")?;
    let instance = case.object("input")?;
    let kind = instance.text("kind")?;
    let failed = |why: String| {
        Stop::Fault(Fault::Failed {
            what: id.to_owned(),
            why,
        })
    };
    let (solved, faults, list) = match kind {
        "placement" | "carbon" => {
            let instance = placement::Instance::read(&instance)?;
            let solved = instance.solve(effort).map_err(failed)?;
            let faults = instance.check(&solved);
            (solved, faults, "assignment")
        }
        "scaling" => {
            let instance = scaling::Instance::read(&instance)?;
            let solved = instance.solve().map_err(failed)?;
            let faults = instance.check(&solved);
            (solved, faults, "replicas")
        }
        other => {
            let message = format!("input.kind is `{other}`");
            return Err(Misread::new(message, "placement, carbon or scaling").into());
        }
    };
    if !faults.is_empty() {
        return Err(Stop::Fault(Fault::Wrong {
            what: id.to_owned(),
            faults,
        }));
    }
    Ok(Answer::new(id, &[("id", json!(id))], solved.status)
        .with("objective", json!(solved.objective))
        .with(list, json!(solved.list)))
}

/// A case of the placement models in memory, to be timed.
#[derive(Debug)]
pub(crate) struct Case(placement::Instance);

impl Case {
    /// Reads the line of a case of kind placement or carbon; or what is wrong with it.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let read = Fields::root(&json).and_then(|case| placement::Instance::read(&case.object("input")?));
        read.map(Self)
            .map_err(|Misread { message, hint }| format!("{message}; expected {hint}"))
    }

    /// Poses the question from the numbers, and answers it with proof: what the answer is worth.
    pub(crate) fn solve(&self, effort: Effort) -> Result<Option<f64>, String> {
        Ok(self.0.solve(effort)?.objective)
    }

    /// The same with reasons, written as JSON.
    pub(crate) fn explained(&self, effort: Effort) -> Result<String, String> {
        self.0.explained(effort)
    }
}

/// What is wrong with an objective that was worked out anew.
fn objective_fault(said: Option<f64>, found: f64) -> Option<String> {
    let said = said?;
    let off = (said - found).abs() > TOLERANCE * found.abs().max(1.0);
    off.then(|| format!("its objective is said to be {said} and is {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, Fault> {
        let input = Input {
            path: "cases.jsonl".into(),
            text: text.to_owned(),
        };
        let effort = Effort {
            seconds: 1.0,
            threads: 1,
        };
        let mut answers = Vec::new();
        Oracle.solve(&input, effort, &mut |answer| {
            answers.push(answer.json());
            true
        })?;
        Ok(answers)
    }

    fn fault(text: &str) -> String {
        let fault = all(text).unwrap_err();
        format!("{fault}; try: {}", fault.hints().join(", "))
    }

    const PLACEMENT: &str = r#"{"id": "hand-1", "input": {"kind": "carbon",
        "clusters": [{"cpu": 2.0, "gpu": false, "carbon": 1.0}, {"cpu": 2.5, "gpu": true, "carbon": 0.1}],
        "services": [{"cpu": 0.5, "replicas": 2, "gpu": false}, {"cpu": 2.0, "replicas": 1, "gpu": true}],
        "current": [0, null], "weights": {"dep": 0.0, "re": 1.0, "carbon": 5.0}}}"#;

    fn one_line(text: &str) -> String {
        text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hand_worked_cases_are_solved() {
        // Service 1 needs the GPU and fills cluster 1 but for half a core, so service 0 stays: 5 * (1 * 1 + 2 * 0.1).
        assert_eq!(
            all(&one_line(PLACEMENT)).unwrap(),
            [r#"{"id":"hand-1","status":"optimal","objective":6.0,"assignment":[0,1]}"#]
        );
        // 3 + 8 replicas carry 30 and 80; cpu weighs 0.4 * (3 + 8) / 10, the change 0.4 * 2 / 10; the second keeps 8, since stopping costs 0.4 / 9.
        let scaling = r#"
{"id": "hand-2", "input": {"kind": "scaling", "request_rates": [30, 70], "previous_replicas": [1, 8], "cpu_limits": [1, 1], "acceleration": [false, false], "alpha": [10, 10], "beta": [0, 0], "cluster_capacity": 11, "cluster_acceleration": false, "maximum_replicas": [10, 9], "weights": {"util": 0.4, "trans": 0.4}}}

{"id": "hand-3", "input": {"kind": "scaling", "request_rates": [31], "previous_replicas": [1], "cpu_limits": [1], "acceleration": [false], "alpha": [10], "beta": [0], "cluster_capacity": 3, "cluster_acceleration": false, "maximum_replicas": [10], "weights": {"util": 0.4, "trans": 0.4}}}"#;
        assert_eq!(
            all(scaling).unwrap(),
            [
                r#"{"id":"hand-2","status":"optimal","objective":0.52,"replicas":[3,8]}"#,
                r#"{"id":"hand-3","status":"infeasible","objective":null,"replicas":null}"#
            ]
        );
    }

    #[test]
    fn bad_lines_are_refused_with_the_line_and_what_to_try() {
        let changed = |from: &str, to: &str| fault(&format!("\n{}", one_line(PLACEMENT).replace(from, to)));
        insta::assert_snapshot!(fault("{\"id\": \"a\""), @"cases.jsonl:1: column 10: this is no JSON: EOF while parsing an object at line 1 column 10; try: one whole JSON object a line");
        insta::assert_snapshot!(fault("[]"), @"cases.jsonl:1: the line is []; try: an object");
        insta::assert_snapshot!(changed("\"carbon\", \"clusters\"", "\"packing\", \"clusters\""), @"cases.jsonl:2: input.kind is `packing`; try: placement, carbon or scaling");
        insta::assert_snapshot!(changed("\"cpu\": 2.5", "\"cpu\": \"2.5\""), @r#"cases.jsonl:2: input.clusters[1].cpu is "2.5"; try: a number of 0 or more"#);
        insta::assert_snapshot!(changed("\"cpu\": 2.5", "\"cpu\": -1"), @"cases.jsonl:2: input.clusters[1].cpu is -1; try: a number of 0 or more");
        insta::assert_snapshot!(changed("\"cpu\": 2.5", "\"cpu\": 0.0005"), @"cases.jsonl:2: input.clusters[1].cpu is 0.0005 cores; try: a multiple of 0.001 cores, below 9e12");
        insta::assert_snapshot!(changed("\"replicas\": 2", "\"replicas\": 1.5"), @"cases.jsonl:2: input.services[0].replicas is 1.5; try: a whole number from 0 to 4294967295");
        insta::assert_snapshot!(changed("[0, null]", "[0]"), @"cases.jsonl:2: input.current has 1 entries for 2 services; try: one cluster index or null a service");
        insta::assert_snapshot!(changed("[0, null]", "[0, 2]"), @"cases.jsonl:2: input.current[1] is 2; try: an index below 2, or null");
        insta::assert_snapshot!(changed("\"weights\"", "\"weight\""), @"cases.jsonl:2: input.weights is missing; try: a member `weights`; there are kind, clusters, services, current, weight");
        let scaling = r#"{"id": "b", "input": {"kind": "scaling", "request_rates": [30], "previous_replicas": [1], "cpu_limits": [1], "acceleration": [false], "alpha": [0], "beta": [0, 1], "cluster_capacity": 11, "cluster_acceleration": false, "maximum_replicas": [10], "weights": {"util": 0.4, "trans": 0.4}}}"#;
        insta::assert_snapshot!(fault(scaling), @"cases.jsonl:1: input.alpha[0]: alpha is 0; one more replica has to carry more, so it is above zero; try: an alpha of 0.000001 or more");
        insta::assert_snapshot!(fault(&scaling.replace("[0], \"beta\"", "[10], \"beta\"")), @"cases.jsonl:1: input.beta has 2 entries for 1 request rates; try: lists of one length");
    }
}
